"""Orders of the simulated exchange: requests, refusals, orders, fills, trades, and the events of all that happens.

All quantities are Decimals in units of the instrument's quantity; all times are aware datetimes from the exchange's
clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from exchange_core.connector.simulated_accounts import SimLedgerEntry, SimPosition
from exchange_core.errors import ExchangeError
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus, OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, SelfTrade, TriggerBy


class Refusal(StrEnum):
    """Why the simulated exchange does not take an order or a cancel."""

    UNKNOWN_MARKET = "unknown market"
    MARKET_CLOSED = "market closed"
    INVALID_PRICE = "invalid price"
    INVALID_QUANTITY = "invalid quantity"
    TICK_SIZE = "tick size"
    MINIMUM_QUANTITY = "minimum quantity"
    MINIMUM_COST = "minimum cost"
    INSUFFICIENT_FUNDS = "insufficient funds"
    POST_ONLY_WOULD_TAKE = "post-only order would take"
    IOC_WOULD_NOT_EXECUTE = "nothing to execute against"
    WOULD_NOT_REDUCE = "would not reduce the position"
    SELF_TRADE = "would trade with itself"
    DUPLICATE_CLIENT_ID = "client order id in use"
    DEADLINE_ELAPSED = "deadline elapsed"
    UNKNOWN_ORDER = "unknown order"
    INVALID_TRIGGER = "invalid trigger"
    INVALID_TIME = "invalid time"
    INVALID_DISPLAY = "invalid display quantity"
    NOT_AMENDABLE = "cannot be changed that way"
    INSUFFICIENT_MARGIN = "insufficient margin"
    LEVERAGE = "leverage not offered"
    TOO_MANY_ORDERS = "too many open orders"


class EndReason(StrEnum):
    """Why an order ended without being filled; the words are Kraken's where its pages name them.

    An order that the user cancels may have any other words.
    """

    USER = "User requested"
    REPLACED = "Order replaced"
    IMMEDIATE_OR_CANCEL = "Immediate or cancel"
    POST_ONLY = "Post only order"
    SELF_TRADE = "Self trade prevention"
    WOULD_NOT_REDUCE = "Would not reduce the position"
    NO_FUNDS = "Insufficient funds"
    NO_MARGIN = "Insufficient margin"
    REFUSED = "Not accepted by the market"
    DEAD_MAN = "CancelAllOrdersAfter Timeout"
    LIQUIDATED = "Liquidation"
    CONTRACT_EXPIRED = "Contract expired"
    MARKET_INACTIVE = "Market inactive"


class SimRefused(ExchangeError):
    """The simulated exchange said no; nothing changed."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal}: {detail}" if detail else str(refusal))
        self.refusal = refusal


@attrs.frozen(kw_only=True)
class SimClose:
    """An order of the other side that every fill of another one makes; prices as in :class:`SimRequest`."""

    type: OrderType
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trail: Offset | None = None
    limit_offset: Offset | None = None


@attrs.frozen(kw_only=True)
class SimRequest:
    """An order as the wire protocol read it, offsets from the market turned into prices already.

    Attributes:
        trigger_price: Of a stop or take-profit; of a trailing stop the distance is *trail*.
        trigger_by: Which price sets it off; the last trade's without.
        limit_offset: Limit of what fires, counted from the price that set it off; instead of *price*.
        display_quantity: What of it the book shows.
        starts: It goes to the market then, not at once.
        expires: It ends then.
        leverage: A margin order on a spot market.
        self_trade: Without, the newest of two orders that would meet is cancelled.
        close: Placed for every fill of it.
        fee_in_base: The preference for the fee's asset; None is the venue's custom.
        quantity_in_quote: *quantity* counts the quote asset (market orders that buy).
        any_size: No minimum holds for it: it stands for what is left of orders elsewhere.
        echo: Words that only the wire protocol knows and wants back.
    """

    symbol: Symbol
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    trigger_price: Decimal | None = None
    trigger_by: TriggerBy | None = None
    trail: Offset | None = None
    limit_offset: Offset | None = None
    display_quantity: Decimal | None = None
    starts: datetime | None = None
    expires: datetime | None = None
    leverage: int | None = None
    self_trade: SelfTrade | None = None
    close: SimClose | None = None
    fee_in_base: bool | None = None
    quantity_in_quote: bool = False
    any_size: bool = False
    client_order_id: str | None = None
    user_ref: int | None = None
    deadline: datetime | None = None
    echo: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class SimAmendment:
    """New terms for an open order; None stays. *quantity* is the whole order, with what was executed."""

    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trail: Offset | None = None
    limit_offset: Offset | None = None
    display_quantity: Decimal | None = None
    post_only: bool = False
    deadline: datetime | None = None


@attrs.define(kw_only=True)
class SimOrder:
    """An order in the exchange; changes as it lives.

    *fee* is in *fee_asset*; *cost* and *value* are in the quote asset, or in the base asset for an inverse contract.

    Attributes:
        cost: The sum of what its fills say, each cut to the decimals that the market tells.
        value: The same uncut, for its average price.
        trigger: The price that would set it off now; moves with a trailing stop.
        triggered: When it was set off; None while it waits, and for orders that never do.
        amended: When it was last changed.
        amends: Its earlier terms and what changed them, oldest first: request before, time, reason.
        parent: Id of the order whose fill made this one.
        limit: The worst price it takes now; None for any. Of an order that waits for its trigger: once it fires.
        shown: What the book shows of an iceberg's remaining quantity; None for other orders.
        queued: When it got its place in the book's queue; None while it has none.
        place: Its place among all that ever queued; later is higher. An order that has just come or moved gets these
            three after it was told of; ask for them.
        liquidation: The exchange made it to close a position.
    """

    id: str
    account: str
    request: SimRequest
    status: OrderStatus
    created: datetime
    updated: datetime
    filled: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    fee_asset: str = ""
    reason: str = ""
    fill_ids: list[str] = attrs.field(factory=list)
    trigger: Decimal | None = None
    triggered: datetime | None = None
    amended: datetime | None = None
    amends: tuple[tuple[SimRequest, datetime, str], ...] = ()
    parent: str = ""
    limit: Decimal | None = None
    shown: Decimal | None = None
    queued: datetime | None = None
    place: int = 0
    liquidation: bool = False

    @property
    def remaining(self) -> Decimal:
        """What is not executed, in what the request's quantity counts."""
        return self.request.quantity - (self.cost if self.request.quantity_in_quote else self.filled)

    def copy(self) -> SimOrder:
        """Return it as it is now. Written out, as attrs.evolve takes thirty times as long, and __init__ four times."""
        copy = SimOrder.__new__(SimOrder)
        copy.id = self.id
        copy.account = self.account
        copy.request = self.request
        copy.status = self.status
        copy.created = self.created
        copy.updated = self.updated
        copy.filled = self.filled
        copy.cost = self.cost
        copy.value = self.value
        copy.fee = self.fee
        copy.fee_asset = self.fee_asset
        copy.reason = self.reason
        copy.fill_ids = self.fill_ids.copy()
        copy.trigger = self.trigger
        copy.triggered = self.triggered
        copy.amended = self.amended
        copy.amends = self.amends
        copy.parent = self.parent
        copy.limit = self.limit
        copy.shown = self.shown
        copy.queued = self.queued
        copy.place = self.place
        copy.liquidation = self.liquidation
        return copy


@attrs.frozen(kw_only=True)
class SimFill:
    """One execution of one account's order; both sides of a trade have one."""

    id: str
    trade_id: int
    order_id: str
    account: str
    client_order_id: str | None
    symbol: Symbol
    side: Side
    order_type: OrderType
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    time: datetime
    order_remaining: Decimal
    position_id: str = ""
    liquidation: bool = False


@attrs.frozen(kw_only=True)
class SimTrade:
    """A public trade; *uid* is unique across markets, *trade_id* counts per market from 1."""

    trade_id: int
    uid: str
    symbol: Symbol
    side: Side
    taker_type: OrderType
    price: Decimal
    quantity: Decimal
    time: datetime
    liquidation: bool = False


class OrderEvent(StrEnum):
    """What happened to an order, in the order it happened.

    ACCEPTED: taken; OPENED: it lives, in the book or waiting for its trigger (one that starts later: only then);
    TRIGGERED: set off; RESTATED: changed by the exchange: a trailing trigger moved (the order waits still), an iceberg
    shows its next part.
    """

    ACCEPTED = "accepted"
    OPENED = "opened"
    TRIGGERED = "triggered"
    AMENDED = "amended"
    RESTATED = "restated"
    FILL = "fill"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


@attrs.frozen(kw_only=True)
class OrderChanged:
    """*order* is a copy of that moment; *fill* is set for FILL."""

    event: OrderEvent
    order: SimOrder
    fill: SimFill | None = None


@attrs.frozen(kw_only=True)
class Traded:
    """A public trade happened."""

    trade: SimTrade


@attrs.frozen(kw_only=True)
class BookChanged:
    """What stands at *price* is now *quantity* (0: nothing)."""

    symbol: Symbol
    side: Side
    price: Decimal
    quantity: Decimal


@attrs.frozen(kw_only=True)
class BalanceChanged:
    """A ledger entry was booked."""

    entry: SimLedgerEntry


@attrs.frozen(kw_only=True)
class PositionChanged:
    """A position changed; quantity 0 is closed."""

    account: str
    position: SimPosition


SimEvent = OrderChanged | Traded | BookChanged | BalanceChanged | PositionChanged
