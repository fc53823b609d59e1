"""Answers about orders in all their fields, with no meaning added.

What decides what became of an order is in ``wire``; here events are kept undecoded until then, so that a detail that
reads oddly does not hide what happened.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order and the pages beside it
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Raw, Struct, field


class EventOrder(Struct, rename="camel"):
    """An order, or a trigger, in an event; each has its own fields of these."""

    order_id: str | None = None
    cli_ord_id: str | None = None
    uid: str | None = None
    client_id: str | None = None
    type: str | None = None
    symbol: str | None = None
    side: str | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_side: str | None = None
    trigger_signal: str | None = None
    reduce_only: bool = False
    timestamp: datetime | None = None
    last_update_timestamp: datetime | None = None
    start_time: datetime | None = None


class Event(Struct, rename="camel"):
    type: str
    order: EventOrder | None = None
    order_trigger: EventOrder | None = None
    order_prior_execution: EventOrder | None = None
    order_prior_edit: EventOrder | None = None
    old: EventOrder | None = None
    new: EventOrder | None = None
    uid: str | None = None
    execution_id: str | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    reduced_quantity: Decimal | None = None
    taker_reduced_quantity: Decimal | None = None
    reason: str | None = None


class SendStatus(Struct, rename="camel"):
    status: str
    order_id: str | None = field(name="order_id", default=None)
    order_tag: str | None = field(name="order_tag", default=None)
    cli_ord_id: str | None = None
    other_cli_ord_id: str | None = field(name="cli_ord_id", default=None)  # seen in a client's test data
    received_time: str | None = None
    date_time_received: str | None = None
    order_events: list[Raw] | None = None


class SendOrder(Struct, rename="camel"):
    send_status: SendStatus


class EditStatus(Struct, rename="camel"):
    status: str
    order_id: str | None = None
    cli_ord_id: str | None = None
    received_time: str | None = None
    order_events: list[Raw] | None = None


class EditOrder(Struct, rename="camel"):
    edit_status: EditStatus


class CancelOrder(Struct, rename="camel"):
    cancel_status: SendStatus


class CancelledOrder(Struct):
    order_id: str | None = None
    cli_ord_id: str | None = field(name="cliOrdId", default=None)


class CancelAllStatus(Struct, rename="camel"):
    status: str
    cancel_only: str | None = None
    received_time: str | None = None
    cancelled_orders: list[CancelledOrder] | None = None
    order_events: list[Raw] | None = None


class CancelAll(Struct, rename="camel"):
    cancel_status: CancelAllStatus


class SwitchStatus(Struct, rename="camel"):
    current_time: datetime
    trigger_time: str | int


class Switch(Struct):
    status: SwitchStatus


class Batch(Struct, rename="camel"):
    batch_status: list[SendStatus]


class TrailingOptions(Struct, rename="camel"):
    max_deviation: Decimal | None = None
    unit: str | None = None


class PriceTrigger(Struct, rename="camel"):
    trigger_price: Decimal | None = None
    trigger_side: str | None = None
    trigger_signal: str | None = None
    trailing_stop_options: TrailingOptions | None = None


class StatusOrder(Struct, rename="camel"):
    type: str
    order_id: str | None = None
    cli_ord_id: str | None = None
    symbol: str | None = None
    side: str | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    limit_price: Decimal | None = None
    reduce_only: bool = False
    timestamp: datetime | None = None
    last_update_timestamp: datetime | None = None
    price_trigger_options: PriceTrigger | None = None
    trigger_time: datetime | None = None


class StatusEntry(Struct, rename="camel"):
    order: StatusOrder
    status: str
    update_reason: str | None = None
    error: str | None = None


class OrdersStatus(Struct):
    # Documented: unknown ids are missing, and with them the whole list.
    orders: list[Raw] = []


class OpenOrder(Struct, rename="camel"):
    order_id: str = field(name="order_id")
    symbol: str
    side: str
    order_type: str
    cli_ord_id: str | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    unfilled_size: Decimal | None = None
    filled_size: Decimal = Decimal(0)
    status: str = ""
    reduce_only: bool = False
    trigger_signal: str | None = None
    received_time: datetime | None = None
    last_update_time: datetime | None = None


class OpenOrders(Struct, rename="camel"):
    open_orders: list[Raw]
