"""Answers to orders, changes and cancels, field by field, with no meaning added.

See https://docs.kraken.com/api-reference/trading/
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Description(msgspec.Struct):
    order: str = ""
    close: str | None = None


class Added(msgspec.Struct):
    """There is no id where nothing but a validation was asked for."""

    txid: list[str] = []
    descr: Description = msgspec.field(default_factory=Description)


class BatchItem(msgspec.Struct):
    txid: str | None = None
    error: str | None = None
    descr: Description = msgspec.field(default_factory=Description)
    close: str | None = None


class Batch(msgspec.Struct):
    orders: list[BatchItem]


class Amended(msgspec.Struct):
    amend_id: str


class Edited(msgspec.Struct):
    status: str = "ok"
    txid: str | None = None
    originaltxid: str | None = None
    volume: Decimal | None = None
    price: str | None = None
    price2: str | None = None
    orders_cancelled: int = 0
    error_message: str | None = None
    descr: Description = msgspec.field(default_factory=Description)


class Canceled(msgspec.Struct):
    count: int
    pending: bool | None = None


class CancelAllAfter(msgspec.Struct, rename="camel"):
    current_time: str
    trigger_time: str | int | None = None
