"""Market data beyond the normalised calls, field by field, with no meaning added.

See https://docs.kraken.com/api-reference/market-data/
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Time(msgspec.Struct):
    unixtime: int


class Maintenance(msgspec.Struct):
    event_id: int
    title: str = ""
    expected_start_utc: str | None = None
    expected_end_utc: str | None = None
    cancel_before_utc: str | None = None
    time_to_start_s: int | None = None
    phase: str = "unspecified"
    affected_services: list[str] = []
    order_submission: str | None = None
    recommended_action: str = "unspecified"
    source_url: str | None = None


class SystemStatus(msgspec.Struct):
    status: str
    timestamp: str
    upcoming_maintenance: list[msgspec.Raw] | None = None
    emergency: list[msgspec.Raw] | None = None


class Schedule(msgspec.Struct):
    events: list[msgspec.Raw] = []


class SpreadRow(msgspec.Struct, array_like=True):
    time: int
    bid: Decimal
    ask: Decimal


class GroupedLevel(msgspec.Struct):
    price: Decimal
    qty: Decimal


class GroupedBook(msgspec.Struct):
    pair: str
    grouping: int
    bids: list[GroupedLevel]
    asks: list[GroupedLevel]


class Level3Order(msgspec.Struct):
    price: Decimal
    qty: Decimal
    order_id: str
    timestamp: int  # nanoseconds


class Level3(msgspec.Struct):
    bids: list[Level3Order]
    asks: list[Level3Order]


class PreTradeLevel(msgspec.Struct):
    price: Decimal
    qty: Decimal
    count: int
    publication_ts: str


class PreTrade(msgspec.Struct):
    venue: str
    system: str
    bids: list[PreTradeLevel]
    asks: list[PreTradeLevel]


class PostTradeRow(msgspec.Struct):
    trade_id: str
    symbol: str
    price: Decimal
    quantity: Decimal
    trade_venue: str
    trade_ts: str
    publication_venue: str
    publication_ts: str


class PostTrade(msgspec.Struct):
    last_ts: str
    trades: list[msgspec.Raw]
    count: int = 0
