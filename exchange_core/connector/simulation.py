"""The seam between the simulated exchange and a venue's wire protocol.

The exchange (matching, accounts, market makers) is venue-neutral and lives in ``exchange_core.simulator``. A plugin's
``simulator.py`` speaks the venue's own REST and WebSocket protocol on top of it. Both are pure: requests and frames
in, replies and frames out; the server in ``exchange_core.simulator`` owns the sockets.

All quantities are Decimals in units of the instrument's quantity; all times are aware datetimes from the exchange's
clock; all randomness comes from its seeded generator.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any, Protocol, runtime_checkable

import attrs

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulated import (
    BalanceChanged,
    BookChanged,
    EndReason,
    OrderChanged,
    OrderEvent,
    PositionChanged,
    Refusal,
    SimAmendment,
    SimClose,
    SimEvent,
    SimFill,
    SimOrder,
    SimRefused,
    SimRequest,
    SimTrade,
    Traded,
)
from exchange_core.connector.simulated_accounts import (
    Reducing,
    SimBalance,
    SimCollateral,
    SimCollateralValue,
    SimFeeTier,
    SimFunding,
    SimKey,
    SimLedgerEntry,
    SimMargin,
    SimMarginLevel,
    SimMarket,
    SimPosition,
)
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Candle, Level
from exchange_core.model.symbol import Symbol

__all__ = [
    "BalanceChanged",
    "BookChanged",
    "EndReason",
    "OrderChanged",
    "OrderEvent",
    "PositionChanged",
    "Reducing",
    "Refusal",
    "SavedWire",
    "SimAmendment",
    "SimBalance",
    "SimClose",
    "SimCollateral",
    "SimCollateralValue",
    "SimEvent",
    "SimExchange",
    "SimFeeTier",
    "SimFill",
    "SimFunding",
    "SimKey",
    "SimLedgerEntry",
    "SimMargin",
    "SimMarginLevel",
    "SimMarket",
    "SimOrder",
    "SimPosition",
    "SimRefused",
    "SimRequest",
    "SimTrade",
    "SimulatorSpec",
    "Traded",
    "WireProtocol",
    "WireSession",
]


class SimExchange(Protocol):
    """What a wire protocol may ask of the exchange.

    Every method that changes something returns after all its events were given to every listener. Events of one
    request come in the order they happened; a request's BookChanged events come last. When the first of them arrives
    :meth:`book` already shows the state after all of them.
    """

    random: Random
    volume_asset: str
    tiers: dict[str, str]
    """Of accounts whose limits are other than the venue's usual."""
    state: VenueState
    """What the venue as a whole takes. In maintenance nothing becomes due; to refuse is up to the wire protocol."""

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

    def settle(self, account: str, symbol: Symbol, quantity: Decimal | None = None) -> Decimal:
        """Pay a spot margin position, or *quantity* of it, with the account's own money; return how much of it.

        Raises SimRefused (WOULD_NOT_REDUCE without a position, INSUFFICIENT_FUNDS).
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

        Only what nothing keeps back can leave, and no more than the margin of positions and open orders leaves.
        Raises SimRefused(INSUFFICIENT_FUNDS).
        """
        ...

    def collateral_assets(self) -> Sequence[SimCollateral]:
        """Return what backs positions beside their settlement asset itself."""
        ...

    def collateral(self, account: str) -> Sequence[SimCollateralValue]:
        """Return what each of the account's assets is worth as margin, settlement assets first."""
        ...

    def pay_profit_in(self, account: str, symbol: Symbol, asset: str | None) -> None:
        """Let the market's profits and funding be converted into *asset*; None leaves them in the settlement asset.

        Raises SimRefused: INVALID_QUANTITY for an asset that backs nothing of the market, INSUFFICIENT_MARGIN where
        the haircut on what is not booked yet would leave too little.
        """
        ...

    def ledger(self, account: str) -> Sequence[SimLedgerEntry]: ...
    def positions(self, account: str) -> Sequence[SimPosition]: ...
    def margins(self, account: str) -> Sequence[SimMargin]:
        """Return what backs the positions, one for each asset that has or had any, or that others back."""
        ...

    def volume(self, account: str) -> Decimal:
        """Return what the account traded in the last 30 days, in :attr:`volume_asset`."""
        ...

    def fees(self, account: str, symbol: Symbol) -> FeeRates:
        """Return the fees of the account's next order."""
        ...

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
    def settlement_price(self, symbol: Symbol) -> Decimal | None:
        """Return the price at which an ended contract was settled; None before."""
        ...

    def open_interest(self, symbol: Symbol) -> Decimal:
        """Return how much all accounts together are long of a contract, in units of its quantity."""
        ...

    def funding(self, symbol: Symbol) -> Sequence[SimFunding]:
        """Return the rates of a perpetual by the hour, oldest first: those booked, the one that runs, and the next.

        The last two are always there; the next is what it would be now. Empty for other markets.
        """
        ...

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


@runtime_checkable
class SavedWire(Protocol):
    """A wire protocol that keeps something of its own, which a restored venue shall still have."""

    def saved(self) -> dict[str, Any]:
        """Return it as JSON; no secrets."""
        ...

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take back what :meth:`saved` returned; called once, on a new one, before anyone is served."""
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
        collateral: What backs positions beside their settlement asset itself.
        urls: From ``host:port`` to the config fields of the plugin that point there.
        order_id: Makes an order id in the venue's form.
        fill_id: Makes an execution id in the venue's form.
        secret: Makes an API secret in the venue's form.
        statuses: What its markets can be in.
        tiers: Words for the kinds of accounts whose limits *limited* can enforce, the usual one first.
        limited: Builds the wire protocol so that it refuses who asks more often than a tier may; None where it has no
            limits.
        permissions: The venue's words for what an API key may do; empty where they are not checked.
        clients: From addresses and a key, as the plugin's config names them, to lines of a program that point other
            people's clients there, by the client's name.
        listed: From answers of the venue's public lists, as it sent them and in any order, to the simulated venue with
            the markets that they list; each answer is known by what is in it. Takes the instrument list at least, and
            what else the plugin can use: assets, tickers for the prices that markets start at, fees. Raises
            ConfigError for what is no such answer, and without any market. None where the plugin cannot.
        lists: Whether an answer is one that *listed* can use.
        left_out: What was listed and could not be made a market, and why.
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
    collateral: Sequence[SimCollateral] = ()
    statuses: Collection[InstrumentStatus] = tuple(InstrumentStatus)
    tiers: Sequence[str] = ()
    limited: Callable[[SimExchange, str], WireProtocol] | None = None
    permissions: Sequence[str] = ()
    clients: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None
    listed: Callable[[Sequence[bytes]], SimulatorSpec] | None = None
    lists: Callable[[bytes], bool] = lambda answer: False
    left_out: Mapping[str, str] = attrs.field(factory=dict)

    def traded_assets(self) -> list[str]:
        """Return the codes of its assets without those that only back positions."""
        symbols = [market.instrument.symbol for market in self.markets]
        traded = {code for symbol in symbols for code in (symbol.base, symbol.quote, symbol.settle)}
        backing = {each.asset for each in self.collateral}
        return [asset.code for asset in self.assets if asset.code in traded or asset.code not in backing]
