"""The seam between the simulated exchange and a venue's wire protocol.

The exchange (matching, accounts, market makers) is venue-neutral and lives in ``exchange_core.simulator``. A plugin's
``simulator.py`` speaks the venue's own REST and WebSocket protocol on top of it. Both are pure: requests and frames
in, replies and frames out; the server in ``exchange_core.simulator`` owns the sockets.

All quantities are Decimals in units of the instrument's quantity; all times are aware datetimes from the exchange's
clock; all randomness comes from its seeded generator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any, Protocol

import attrs

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.errors import ExchangeError
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.fill import Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Level
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


class SimRefused(ExchangeError):
    """The simulated exchange said no; nothing changed."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal}: {detail}" if detail else str(refusal))
        self.refusal = refusal


@attrs.frozen(kw_only=True)
class SimKey:
    """An API key that the simulated exchange knows. *permissions* are the venue's own words; empty means all."""

    api_key: str
    api_secret: str = attrs.field(repr=False)
    account: str
    permissions: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class SimMarket:
    """One market of the simulated exchange.

    Attributes:
        start_price: Where the market maker begins.
        fees: For everyone.
    """

    instrument: Instrument
    start_price: Decimal
    fees: FeeRates


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

    *fee* is in *fee_asset*; *cost* is in the quote asset, or in the base asset for an inverse contract.

    Attributes:
        trigger: The price that would set it off now; moves with a trailing stop.
        triggered: When it was set off; None while it waits, and for orders that never do.
        amended: When it was last changed.
        amends: Its earlier terms and what changed them, oldest first: request before, time, reason.
        parent: Id of the order whose fill made this one.
    """

    id: str
    account: str
    request: SimRequest
    status: OrderStatus
    created: datetime
    updated: datetime
    filled: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    fee_asset: str = ""
    reason: str = ""
    fill_ids: list[str] = attrs.field(factory=list)
    trigger: Decimal | None = None
    triggered: datetime | None = None
    amended: datetime | None = None
    amends: list[tuple[SimRequest, datetime, str]] = attrs.field(factory=list)
    parent: str = ""

    @property
    def remaining(self) -> Decimal:
        return self.request.quantity - self.filled


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


@attrs.frozen(kw_only=True)
class SimBalance:
    """One asset of one account; *held* is kept back by open orders."""

    asset: str
    total: Decimal
    held: Decimal


@attrs.frozen(kw_only=True)
class SimPosition:
    """A derivatives position; quantity is signed."""

    symbol: Symbol
    quantity: Decimal
    entry_price: Decimal
    opened: datetime


@attrs.frozen(kw_only=True)
class SimLedgerEntry:
    """One change of one balance. The entries of a trade share *reference* (the fill's id)."""

    id: str
    reference: str
    account: str
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    time: datetime


class OrderEvent(StrEnum):
    """What happened to an order, in the order it happened.

    RESTATED is a change that the exchange made: a trailing trigger moved, an iceberg shows its next part.
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


class SimExchange(Protocol):
    """What a wire protocol may ask of the exchange.

    Every method that changes something returns after all its events were given to every listener. Events of one
    request come in the order they happened; a request's BookChanged events come last. When the first of them arrives
    :meth:`book` already shows the state after all of them.
    """

    random: Random

    def now(self) -> datetime: ...
    def markets(self) -> Sequence[SimMarket]: ...
    def market(self, symbol: Symbol) -> SimMarket:
        """Raises SimRefused(UNKNOWN_MARKET)."""
        ...

    def assets(self) -> Sequence[Asset]: ...
    def key(self, api_key: str) -> SimKey | None: ...
    def accept_nonce(self, api_key: str, nonce: int) -> bool:
        """Return whether *nonce* is above all earlier ones of the key, and remember it."""
        ...

    def place(self, account: str, request: SimRequest, *, validate: bool = False) -> SimOrder:
        """Take an order; with *validate* only check it. Raises SimRefused."""
        ...

    def cancel(self, account: str, order_id: str, reason: str = "User requested") -> SimOrder:
        """Cancel an open order. Raises SimRefused(UNKNOWN_ORDER)."""
        ...

    def amend(self, account: str, order_id: str, amendment: SimAmendment) -> SimOrder:
        """Change an open order; it keeps its place in the queue where it only shrinks. Raises SimRefused."""
        ...

    def replace(self, account: str, order_id: str, request: SimRequest, *, validate: bool = False) -> SimOrder:
        """Cancel an open order and place *request* instead, or do neither. Raises SimRefused."""
        ...

    def cancel_all_after(self, account: str, seconds: float | None) -> datetime | None:
        """Cancel all orders of the account in *seconds* unless told again; None never does. Returns when."""
        ...

    def step(self) -> None:
        """Do what is due by now: starts, ends, dead man's switches, funding, and what they set off.

        The server calls it about five times a second and before every request; tests call it after they moved the
        clock.
        """
        ...

    def open_orders(self, account: str) -> Sequence[SimOrder]: ...
    def closed_orders(self, account: str) -> Sequence[SimOrder]:
        """Finished orders, newest first."""
        ...

    def order(self, account: str, order_id: str) -> SimOrder | None: ...
    def fills(self, account: str) -> Sequence[SimFill]:
        """All fills, oldest first."""
        ...

    def fill(self, fill_id: str) -> SimFill | None: ...
    def balances(self, account: str) -> Sequence[SimBalance]: ...
    def book_money(
        self, account: str, asset: str, amount: Decimal, *, kind: str, fee: Decimal = Decimal(0), reference: str = ""
    ) -> SimLedgerEntry:
        """Bring money in from outside, or take it out (below zero); *fee* goes to the house on top of that.

        Only what nothing keeps back can leave. Raises SimRefused(INSUFFICIENT_FUNDS).
        """
        ...

    def ledger(self, account: str) -> Sequence[SimLedgerEntry]: ...
    def positions(self, account: str) -> Sequence[SimPosition]: ...
    def book(self, symbol: Symbol, depth: int | None = None) -> tuple[list[Level], list[Level]]:
        """Return bids (highest first) and asks (lowest first), aggregated by price."""
        ...

    def trades(self, symbol: Symbol) -> Sequence[SimTrade]:
        """Recent public trades, oldest first (at least the last 1000)."""
        ...

    def candles(self, symbol: Symbol, interval: int) -> Sequence[Candle]:
        """Bars of *interval* minutes, oldest first, the last one still open; empty intervals are left out."""
        ...

    def mark_price(self, symbol: Symbol) -> Decimal: ...
    def index_price(self, symbol: Symbol) -> Decimal: ...
    def queue(self, symbol: Symbol) -> tuple[list[SimOrder], list[SimOrder]]:
        """Return resting bids and asks one by one, in the order in which they would execute (market by order)."""
        ...

    def listen(self, listener: Callable[[SimEvent], None]) -> Callable[[], None]:
        """Call *listener* for every event from now on; the returned function ends it."""
        ...


class WireSession(Protocol):
    """One WebSocket connection on the server side, as a state machine."""

    outbox: list[str]
    """Frames to send, in order; the server takes and clears it after every call and every exchange event."""

    def opened(self, now: float) -> None: ...
    def receive(self, frame: str, now: float) -> None: ...
    def tick(self, now: float) -> None:
        """Called about five times a second, for heartbeats."""
        ...

    def closed(self) -> None:
        """The client is gone: stop listening to the exchange."""
        ...


class WireProtocol(Protocol):
    """A venue's protocols on top of the exchange."""

    def http(self, request: HttpRequest) -> HttpReply:
        """Answer one HTTP request; never raises for what a client may send."""
        ...

    def session(self, path: str) -> WireSession | None:
        """Return a new session for a WebSocket connection to *path*, or None for an unknown path."""
        ...


@attrs.frozen(kw_only=True)
class SimulatorSpec:
    """A venue's simulated side.

    Attributes:
        section: A word such as ``spot``: the key in the output of ``exchange simulate``, and the venue's name in the
            configuration that it writes. Where several plugins have the same, each key is section and plugin.
        protocol: Builds the wire protocol on an exchange.
        markets: What is traded unless told otherwise.
        assets: The assets that those markets need.
        deposits: What a new account starts with.
        urls: From ``host:port`` to the config fields of the plugin that point there.
        order_id: Makes an order id in the venue's form.
        fill_id: Makes an execution id in the venue's form.
        secret: Makes an API secret in the venue's form.
    """

    section: str
    protocol: Callable[[SimExchange], WireProtocol]
    markets: Sequence[SimMarket]
    assets: Sequence[Asset]
    deposits: Mapping[str, Decimal]
    urls: Callable[[str], dict[str, str]]
    order_id: Callable[[Random], str]
    fill_id: Callable[[Random], str]
    secret: Callable[[Random], str]
