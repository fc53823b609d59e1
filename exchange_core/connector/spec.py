"""A venue as its plugin describes it: fill in a VenueSpec, there is no base exchange to inherit from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from exchange_core.connector.auth import Credentials, Signer
from exchange_core.connector.feed import Feed
from exchange_core.connector.limits import Limits
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.pages import HistoryOperations
from exchange_core.connector.rest import Dialect, Flow
from exchange_core.connector.support import Support as Support
from exchange_core.errors import InvalidValue
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.book import BookSnapshot
from exchange_core.model.event import Channel, TickerTrigger
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol

if TYPE_CHECKING:
    from exchange_core.connector.drift import Documented
    from exchange_core.connector.simulation import SimulatorSpec


def _above_zero(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if value <= 0:
        raise InvalidValue(f"{attribute.name}: {value:g} is not above zero")


def _zero_or_more(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if value < 0:
        raise InvalidValue(f"{attribute.name}: {value:g} is below zero")


def _order_entry(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if value not in ("auto", "rest"):
        raise InvalidValue(f"{attribute.name}: {value!r} is neither auto nor rest")


@attrs.frozen(kw_only=True)
class VenueConfig:
    """What can be set for a venue in ``[venues.NAME]``; plugins inherit and add their addresses.

    Attributes:
        tier: The account's level at the venue, where its limits depend on it.
        request_timeout: Seconds to wait for an answer.
        stale_after: Seconds of silence after which a feed is reconnected.
        order_deadline: Seconds from sending after which the venue must not match an order; 0 sends none.
        order_entry: ``auto`` sends requests over a live connection while that is healthy, where the venue can have
            them so, and over REST else; ``rest`` always takes the latter.
        maker_fee: Overrides what the venue says, as a fraction (0.0025 is 0.25 %).
        taker_fee: The same for taking.
    """

    rest_url: str = ""
    ws_url: str = ""
    tier: str = "default"
    request_timeout: float = attrs.field(default=10.0, validator=_above_zero)
    stale_after: float = attrs.field(default=10.0, validator=_above_zero)
    order_deadline: float = attrs.field(default=5.0, validator=_zero_or_more)
    order_entry: str = attrs.field(default="auto", validator=_order_entry)
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None


@attrs.frozen(kw_only=True)
class VenueContext:
    """What the parts of one connected venue share.

    Attributes:
        venue: The name it has here (``[venues.NAME]``), for messages and values.
        symbols: Filled by the ``instruments`` operation.
        assets: Filled with it.
        signer: None without credentials.
        provisional: Take instruments that no list named, and tell their precision from the digits (for replays).
        now: Tells the time, where a limit depends on an order's age; without it the dearest age is assumed.
    """

    venue: str
    config: Any
    symbols: SymbolMap
    assets: AssetMap
    signer: Signer | None = None
    provisional: bool = False
    now: Callable[[], datetime] | None = None


class RestOperations(Protocol):
    """The venue's REST side as flows. What a venue lacks raises NotSupported when it is called."""

    def instruments(self) -> Flow[list[Instrument]]:
        """List what is traded; fills the context's symbols and assets."""
        ...

    def load_instruments(self, body: bytes) -> list[Instrument]:
        """Read a recorded answer of the instrument list (for replays); fills symbols and assets alike."""
        ...

    def ticker(self, symbol: Symbol) -> Flow[Ticker]: ...
    def book(self, symbol: Symbol, depth: int | None) -> Flow[BookSnapshot]: ...
    def trades(self, symbol: Symbol, limit: int | None) -> Flow[list[Trade]]:
        """Return the latest public trades, oldest first."""
        ...

    def candles(self, symbol: Symbol, interval: int, since: datetime | None) -> Flow[list[Candle]]:
        """Return bars of *interval* minutes, oldest first."""
        ...

    def place(self, request: OrderRequest) -> Flow[Order]:
        """Send an order that has its client id and deadline already.

        Raises:
            OrderRefused: It did not happen.
            OutcomeUnknown: It may have happened.
        """
        ...

    def cancel(self, order: Order) -> Flow[None]:
        """Cancel one order, by the venue's id or by ours.

        Raises:
            OrderNotFound: Nothing to cancel: it may be finished.
        """
        ...

    def find(self, order: Order) -> Flow[Order | None]:
        """Ask what became of an order, by the venue's id or by ours: open, then closed. None when it is nowhere.

        Of one that goes on under another id of the venue's, as a trigger that fired may, that id is returned.
        """
        ...

    def open_orders(self) -> Flow[list[Order]]:
        """Return what is open. This list and those below are ``Partial`` where an entry of the answer does not read."""
        ...

    def balances(self) -> Flow[list[Balance]]: ...
    def positions(self) -> Flow[list[Position]]:
        """Return open positions; none, without asking, where the venue has no such thing.

        Raises:
            NotSupported: The venue has positions and this plugin cannot read them.
        """
        ...

    def fills(self, since: datetime | None) -> Flow[list[Fill]]:
        """Return our executions from *since* on (the venue's latest page without it), oldest first."""
        ...

    def fees(self, symbol: Symbol) -> Flow[FeeRates | None]:
        """Return what this account pays for *symbol*; None where the venue does not say."""
        ...


@attrs.frozen(kw_only=True)
class FeedSpec:
    """One kind of WebSocket connection of a venue.

    Attributes:
        name: ``public``, ``private``, ...
        url: Which field of the config holds its address.
        channels: What it can be asked for.
        private: Needs credentials; which does not make what it carries the account's.
        make: Builds the state machine.
        frames_per_second: How many frames may be sent within any second.
        connects: How many connection attempts are allowed in *connect_window* seconds.
        connect_pool: What counts them: connections of one pool share it, whichever host they go to; each host counts
            for itself without.
    """

    name: str
    url: str
    channels: frozenset[Channel]
    make: Callable[[VenueContext], Feed]
    private: bool = False
    frames_per_second: float = 10.0
    connects: int = 150
    connect_window: float = 600.0
    connect_pool: str = ""


@attrs.frozen(kw_only=True)
class VenueSpec:
    """All there is to know about a venue.

    Attributes:
        name: What goes into ``plugin = "..."``.
        title: For people.
        config: Class of its options, with defaults for the live venue.
        dialect: Writes requests, reads answers.
        signer: Makes a signer of credentials and a config; checks their form.
        limits: The limiters for a config.
        rest: Builds the REST operations.
        feeds: Its WebSocket connections; a channel is served by the first that lists it.
        book_depths: Depths that books can be had in; empty when the venue sends whole books.
        book_by_order_depths: The same for books by order.
        ticker_triggers: What a user may choose to be told a ticker by, the default first; empty where there is none.
        variants: By channel, feeds of the venue that tell less or more of it than its usual one, in its own words.
        support: What becomes of each term of an order: each of ``TERMS`` to a word of ``Support``. A term that is not
            here is refused. Combinations are refused by ``place``.
        terms: The class of ``OrderRequest.terms`` that this venue takes; None when it takes none.
        client_order_id: Makes a client id in the form that the venue takes, from 128 random bits.
        simulator: Its simulated side, if it has one: given as it is, or as a function that imports it when it is first
            asked for, since most programs never do.
        history: Builds what shows its past, if there is more than the latest.
        documented: Imports what the venue is known to send, so that what is new is counted and shown.
    """

    name: str
    title: str
    config: type[VenueConfig]
    dialect: Callable[[VenueContext], Dialect]
    signer: Callable[[Credentials, Any], Signer]
    limits: Callable[[Any], Limits]
    rest: Callable[[VenueContext], RestOperations]
    feeds: Sequence[FeedSpec]
    client_order_id: Callable[[int], str]
    book_depths: tuple[int, ...] = ()
    book_by_order_depths: tuple[int, ...] = ()
    ticker_triggers: tuple[TickerTrigger, ...] = ()
    variants: Mapping[Channel, tuple[str, ...]] = attrs.field(factory=dict)
    support: Mapping[str, str] = attrs.field(factory=dict)
    terms: type | None = None
    _simulator: SimulatorSpec | Callable[[], SimulatorSpec] | None = None
    history: Callable[[VenueContext], HistoryOperations] | None = None
    documented: Callable[[], Documented] | None = None

    @property
    def simulator(self) -> SimulatorSpec | None:
        return self._simulator() if callable(self._simulator) else self._simulator

    @property
    def is_simulated(self) -> bool:
        """Whether it has a simulated side, which is not imported for the answer."""
        return self._simulator is not None

    def feed_for(self, channel: Channel) -> FeedSpec | None:
        """Return the connection that serves *channel*, or None."""
        return next((feed for feed in self.feeds if channel in feed.channels), None)
