"""History answers, field by field, with no meaning added.

Numbers are text here, and text may be empty; those that may be are kept undecoded. Enums are open: the venue says
``Unknown`` itself.
See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events and the pages beside it
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Raw, Struct, field

from kraken_futures.wire.common import Millis

NOTHING = Raw(b"null")


class HistoryPage(Struct, rename="camel"):
    elements: list[Raw]
    continuation_token: str | None = None


class Element(Struct):
    uid: str
    timestamp: Millis
    event: dict[str, Raw]


class Deviation(Struct, rename="camel"):
    max_deviation: Decimal | None = None
    unit: str | None = None


class Offset(Struct, rename="camel"):
    price_offset: Decimal | None = None
    unit: str | None = None


class TriggerOptions(Struct, rename="camel"):
    trigger_price: Raw = NOTHING
    trigger_signal: str | None = None
    trigger_side: str | None = None
    trailing_stop_options: Deviation | None = None
    limit_price_offset: Offset | None = None


class HistoryOrder(Struct, rename="camel"):
    uid: str
    tradeable: str
    direction: str
    quantity: Raw = NOTHING
    filled: Raw = NOTHING
    limit_price: Raw = NOTHING
    order_type: str | None = None
    client_id: str | None = None
    reduce_only: bool = False
    timestamp: Millis | None = None
    last_update_timestamp: Millis | None = None
    trigger_options: TriggerOptions | None = None


class FeeCalculation(Struct, rename="camel"):
    percentage_fee: Raw = NOTHING
    user_fee_discount_applied: Raw = NOTHING
    market_share_rebate_credited: Raw = NOTHING


class OrderData(Struct, rename="camel"):
    fee: Raw = NOTHING
    position_size: Raw = NOTHING
    fee_calculation_info: list[FeeCalculation] | FeeCalculation | None = None


class ExecutionRow(Struct, rename="camel"):
    uid: str
    timestamp: Millis
    quantity: Decimal
    price: Decimal
    order: HistoryOrder | None = None
    maker_order: HistoryOrder | None = None
    taker_order: HistoryOrder | None = None
    old_taker_order: HistoryOrder | None = None
    mark_price: Raw = NOTHING
    execution_type: str | None = None
    limit_filled: bool | None = None
    usd_value: Raw = NOTHING
    order_data: OrderData | None = None


class ExecutionEvent(Struct, rename="camel"):
    execution: ExecutionRow
    taker_reduced_quantity: Raw = NOTHING


class OrderEvent(Struct, rename="camel"):
    """An event of an order or a trigger; each kind has its own fields of these."""

    order: HistoryOrder | None = None
    old_order: HistoryOrder | None = None
    new_order: HistoryOrder | None = None
    attempted_order: HistoryOrder | None = None
    old_order_trigger: HistoryOrder | None = None
    new_order_trigger: HistoryOrder | None = None
    attempted_order_trigger: HistoryOrder | None = None
    order_id: str | None = None
    reason: str | None = None
    order_error: str | None = None
    reduced_quantity: Raw = NOTHING


class Wrapper(Struct):
    """A row that may be wrapped in an event of its kind, or stand alone."""

    event: dict[str, Raw] | None = None
    uid: str | None = None
    timestamp: Millis | None = None


class PositionRow(Struct, rename="camel"):
    tradeable: str
    old_position: Raw = NOTHING
    old_average_entry_price: Raw = NOTHING
    new_position: Raw = NOTHING
    new_average_entry_price: Raw = NOTHING
    position_change: str | None = None
    update_reason: str | None = None
    trade_type: str | None = None
    execution_uid: str | None = None
    execution_price: Raw = NOTHING
    execution_size: Raw = NOTHING
    fill_time: Millis | None = None
    fee: Raw = NOTHING
    fee_currency: str | None = None
    realized_pnl: Raw = field(name="realizedPnL", default=NOTHING)
    funding_realization_time: Millis | None = None
    realized_funding: Raw = NOTHING
    settlement_price: Raw = NOTHING
    timestamp: Millis | None = None


class PriceRow(Struct):
    price: Decimal


class LogRow(Struct):
    id: int
    date: datetime
    asset: str
    info: str
    booking_uid: str | None = None
    margin_account: str | None = None
    contract: str | None = None
    collateral: str | None = None
    execution: str | None = None
    old_balance: Decimal | None = None
    new_balance: Decimal | None = None
    old_average_entry_price: Decimal | None = None
    new_average_entry_price: Decimal | None = None
    trade_price: Decimal | None = None
    mark_price: Decimal | None = None
    realized_pnl: Decimal | None = None
    fee: Decimal | None = None
    funding_rate: Decimal | None = None
    realized_funding: Decimal | None = None
    conversion_spread_percentage: Decimal | None = None
    liquidation_fee: Decimal | None = None
    exchange_rate: Decimal | None = None
    exchange_rate_from: str | None = None
    conversion_fee: Decimal | None = None


class LogPage(Struct):
    logs: list[Raw]
