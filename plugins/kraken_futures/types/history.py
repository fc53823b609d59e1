"""What Kraken Futures keeps of the past.

Words that we do not know stay as they are (the venue itself says ``Unknown`` at times), and so do the names of
contracts that no instrument list had.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from exchange_core.model.fill import Liquidity
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.orders.requests import OrderKind, TriggerSignal, Unit
from kraken_futures.types.trading import TriggerSide


class HistoryKind(StrEnum):
    """What happened to an order or to a trigger."""

    PLACED = "OrderPlaced"
    UPDATED = "OrderUpdated"
    CANCELLED = "OrderCancelled"
    REJECTED = "OrderRejected"
    EDIT_REJECTED = "OrderEditRejected"
    NOT_FOUND = "OrderNotFound"
    TRIGGER_PLACED = "OrderTriggerPlaced"
    TRIGGER_UPDATED = "OrderTriggerUpdated"
    TRIGGER_CANCELLED = "OrderTriggerCancelled"
    TRIGGER_ACTIVATED = "OrderTriggerActivated"
    TRIGGER_EDIT_REJECTED = "OrderTriggerEditRejected"


class PositionChange(StrEnum):
    """Which way a position went."""

    OPEN = "open"
    CLOSE = "close"
    INCREASE = "increase"
    DECREASE = "decrease"
    REVERSE = "reverse"
    NO_CHANGE = "noChange"


class PositionCause(StrEnum):
    """Why a position was touched."""

    TRADE = "trade"
    FUNDING = "fundingRealisation"
    SETTLEMENT = "settlement"


class LogInfo(StrEnum):
    """What a row of the account log books."""

    TRADE = "futures trade"
    LIQUIDATION = "futures liquidation"
    ASSIGNOR = "futures assignor"
    ASSIGNEE = "futures assignee"
    UNWIND_COUNTERPARTY = "futures unwind counterparty"
    UNWIND_BANKRUPT = "futures unwind bankrupt"
    COVERED_LIQUIDATION = "covered liquidation"
    FUNDING = "funding rate change"
    CONVERSION = "conversion"
    INTEREST = "interest payment"
    TRANSFER = "transfer"
    CROSS_EXCHANGE_TRANSFER = "cross-exchange transfer"
    KFEE = "kfee applied"
    SUBACCOUNT_TRANSFER = "subaccount transfer"
    SETTLEMENT = "settlement"
    ADMIN_TRANSFER = "admin transfer"
    TAX_WITHHELD = "tax withheld"
    TAX_REFUND = "tax refund"


@attrs.frozen(kw_only=True)
class Trigger:
    """What fires an order.

    Attributes:
        limit_offset: Distance of the limit price from the trigger's.
    """

    price: Decimal | None
    signal: TriggerSignal | str | None
    side: TriggerSide | str | None
    trailing_deviation: Decimal | None
    trailing_unit: Unit | str | None
    limit_offset: Decimal | None
    limit_offset_unit: Unit | str | None


@attrs.frozen(kw_only=True)
class PastOrder:
    """An order as an event saw it.

    Attributes:
        quantity: What remained of it, as far as recordings show.
        filled: None where the venue does not say: others' orders.
    """

    order_id: str
    client_order_id: str | None
    symbol: Symbol | str
    side: Side | str | None
    type: OrderKind | str | None
    quantity: Decimal | None
    filled: Decimal | None
    limit_price: Decimal | None
    reduce_only: bool
    created: datetime | None
    updated: datetime | None
    trigger: Trigger | None


@attrs.frozen(kw_only=True)
class FeeDetail:
    """How a fee came about, as far as the venue says."""

    percentage_fee: Decimal | None
    user_fee_discount_applied: Decimal | None
    market_share_rebate_credited: Decimal | None


@attrs.frozen(kw_only=True)
class Execution:
    """An execution of one of our orders.

    Attributes:
        id: Of the execution; the event that tells of it has *event_id*.
        fee: In the settlement asset; a rebate is below zero.
        position: Of the account after it.
        limit_filled: Whether it finished the resting order.
        old_taker_order: The taker before it was edited into executing.
    """

    id: str
    event_id: str
    time: datetime
    order: PastOrder
    price: Decimal
    quantity: Decimal
    mark_price: Decimal | None
    usd_value: Decimal | None
    liquidity: Liquidity | str | None
    limit_filled: bool | None
    fee: Decimal | None
    fee_details: tuple[FeeDetail, ...]
    position: Decimal | None
    old_taker_order: PastOrder | None
    taker_reduced: Decimal | None


@attrs.frozen(kw_only=True)
class MarketExecution:
    """A public execution with both orders; *side* is the taker's."""

    id: str
    event_id: str
    time: datetime
    side: Side | str | None
    price: Decimal
    quantity: Decimal
    mark_price: Decimal | None
    usd_value: Decimal | None
    limit_filled: bool | None
    maker_order: PastOrder | None
    taker_order: PastOrder | None
    old_taker_order: PastOrder | None
    taker_reduced: Decimal | None


@attrs.frozen(kw_only=True)
class HistoryEvent:
    """Something that happened to an order or to a trigger.

    Attributes:
        order: After it; the order itself where it was not changed.
        before: Before a change.
        attempted: What a refused edit wanted.
        order_id: Also of an order that was not found.
        raw: The payload of a kind that we do not know.
    """

    id: str
    time: datetime
    kind: HistoryKind | str
    order: PastOrder | None = None
    before: PastOrder | None = None
    attempted: PastOrder | None = None
    order_id: str | None = None
    reason: str | None = None
    error: str | None = None
    reduced: Decimal | None = None
    raw: Mapping[str, Any] | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class PositionUpdate:
    """A change of a position, its funding or its settlement. Positions below zero are short."""

    id: str | None
    time: datetime | None
    symbol: Symbol | str
    old_position: Decimal | None
    new_position: Decimal | None
    old_average_entry_price: Decimal | None
    new_average_entry_price: Decimal | None
    change: PositionChange | str | None
    cause: PositionCause | str | None
    trade_type: str | None
    execution_id: str | None
    execution_price: Decimal | None
    execution_quantity: Decimal | None
    fill_time: datetime | None
    fee: Decimal | None
    fee_asset: str | None
    realized_pnl: Decimal | None
    realized_funding: Decimal | None
    funding_time: datetime | None
    settlement_price: Decimal | None


@attrs.frozen(kw_only=True)
class MarkPrice:
    """A mark price that was."""

    id: str
    time: datetime
    symbol: Symbol
    price: Decimal


@attrs.frozen(kw_only=True)
class LogEntry:
    """A row of the account log.

    One trade books two rows with the same *execution*, one for the position and one for the cash: fees must not be
    added twice.

    Attributes:
        asset: Our code, or a contract for rows of positions.
        old_balance, new_balance: Of the wallet, or the position's size.
        funding_rate: Absolute, per contract and hour.
        exchange_rate, exchange_rate_from, conversion_fee: Only with conversion details.
    """

    id: int
    date: datetime
    asset: Symbol | str
    info: LogInfo | str
    contract: Symbol | str | None
    collateral: str | None
    booking_uid: str | None
    margin_account: str | None
    execution: str | None
    old_balance: Decimal | None
    new_balance: Decimal | None
    old_average_entry_price: Decimal | None
    new_average_entry_price: Decimal | None
    trade_price: Decimal | None
    mark_price: Decimal | None
    realized_pnl: Decimal | None
    fee: Decimal | None
    funding_rate: Decimal | None
    realized_funding: Decimal | None
    conversion_spread_percentage: Decimal | None
    liquidation_fee: Decimal | None
    exchange_rate: Decimal | None
    exchange_rate_from: str | None
    conversion_fee: Decimal | None
