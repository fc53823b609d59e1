"""Market data of one venue: asked for over REST, or followed live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import attrs

from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.pages import check_time
from exchange_core.connector.spec import RestOperations, VenueSpec
from exchange_core.errors import ExchangeError, InvalidValue, NotSupported
from exchange_core.model.book import BookByOrder, BookHealth, BookSnapshot, OrderBook
from exchange_core.model.event import Channel, Subscription, TickerTrigger
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.bus import Bus, Callback, Topic, topic
from exchange_core.venue.feeds import Feeds
from exchange_core.venue.stream import Overflow, Stream, Streams

T = TypeVar("T")


class MarketData:
    """The public part of one venue."""

    def __init__(
        self,
        name: str,
        spec: VenueSpec,
        symbols: SymbolMap,
        rest: RestClient,
        operations: RestOperations,
        bus: Bus,
        feeds: Feeds,
        streams: Streams,
    ) -> None:
        self._name = name
        self._spec = spec
        self._symbols = symbols
        self._rest = rest
        self._operations = operations
        self._bus = bus
        self._feeds = feeds
        self._streams = streams

    async def instruments(self, *, refresh: bool = False) -> list[Instrument]:
        """Return all that is listed; with *refresh* ask the venue again."""
        if refresh or not len(self._symbols):
            await self._rest.run(self._operations.instruments())
        return list(self._symbols)

    def instrument(self, symbol: Symbol | str) -> Instrument:
        """Return what is known of *symbol*.

        Raises:
            UnknownSymbol: The venue does not list it.
        """
        return self._symbols.instrument(Symbol.of(symbol))

    async def ticker(self, symbol: Symbol | str) -> Ticker:
        return await self._rest.run(self._operations.ticker(self.instrument(symbol).symbol))

    async def book(self, symbol: Symbol | str, depth: int | None = None) -> BookSnapshot:
        wanted = self.instrument(symbol).symbol
        found = await self._rest.run(self._operations.book(wanted, _positive(depth, "depth")))
        return attrs.evolve(found, health=BookHealth.UNCHECKED)

    async def recent_trades(self, symbol: Symbol | str, limit: int | None = None) -> list[Trade]:
        wanted = self.instrument(symbol).symbol
        return await self._rest.run(self._operations.trades(wanted, _positive(limit, "limit")))

    async def candles(self, symbol: Symbol | str, interval: int, since: datetime | None = None) -> list[Candle]:
        wanted = self.instrument(symbol).symbol
        check_time("since", since)
        return await self._rest.run(self._operations.candles(wanted, interval, since))

    def books(self, symbol: Symbol | str, depth: int | None = None) -> Stream[OrderBook]:
        """Follow a book: its view, each time it changed and is checked. What came between two reads is skipped.

        When the book fails (DESYNCED) or its connection is lost (STALE), the view comes once too; it shows no levels
        then, as always while it is not LIVE. It comes again when a fresh start was checked.

        Args:
            depth: Levels on each side; where the venue has not just so many, the next more.

        Raises:
            NotSupported: The venue has no books so deep, or the book is followed at a smaller depth already.
        """
        subscription = self._book(Channel.BOOK, symbol, depth, self._spec.book_depths)
        return self._stream(topic(OrderBook, subscription.symbol), subscription, Overflow.CONFLATE)

    def live_book(self, symbol: Symbol | str) -> OrderBook | None:
        return self._feeds.book(Symbol.of(symbol))

    def books_by_order(self, symbol: Symbol | str, depth: int | None = None) -> Stream[BookByOrder]:
        """Follow a book in which every order shows (market by order, level 3), as :meth:`books` follows one of levels.

        Args:
            depth: Price levels on each side; where the venue has not just so many, the next more.

        Raises:
            NotSupported: The venue has no such books, none so deep, or this one is followed at a smaller depth already.
            ConfigError: The venue shows them only to those who have an account.
        """
        self._feeds.check(Channel.BOOK_BY_ORDER)
        subscription = self._book(Channel.BOOK_BY_ORDER, symbol, depth, self._spec.book_by_order_depths)
        return self._stream(topic(BookByOrder, subscription.symbol), subscription, Overflow.CONFLATE)

    def live_book_by_order(self, symbol: Symbol | str) -> BookByOrder | None:
        return self._feeds.book_by_order(Symbol.of(symbol))

    async def on_book(
        self,
        symbol: Symbol | str,
        depth: int | None,
        callback: Callable[[OrderBook], None],
        *,
        on_error: Callable[[ExchangeError], None] | None = None,
    ) -> BookWatch:
        """Call *callback* with the view for each checked message, from where it is read: it must be quick.

        It is called once, too, when the book is DESYNCED or STALE, with the view that shows no levels then.

        What it raises ends the venue. So does a later refusal of the subscription, unless there is *on_error*.

        Raises:
            BadRequest: The venue refused the subscription.
        """
        subscription = self._book(Channel.BOOK, symbol, depth, self._spec.book_depths)
        watch = BookWatch(self._bus, self._feeds, subscription, callback, on_error)
        try:
            await self._feeds.confirmed(subscription)
        except BaseException:
            watch.close()
            raise
        watch.confirmed = True
        return watch

    def tickers(
        self, symbol: Symbol | str, trigger: TickerTrigger | str | None = None, *, variant: str | None = None
    ) -> Stream[Ticker]:
        """Follow the best prices; what came between two reads is skipped.

        Args:
            trigger: What the venue is to send a ticker by: ``bbo``, a change of the best prices, or ``trades``.
            variant: Another feed of the venue's than its usual one, in its own word. A symbol that is followed by both
                is told of by both.

        Raises:
            NotSupported: The venue leaves no such choice, or the ticker is followed by the other one already.
        """
        wanted = self.instrument(symbol).symbol
        return self._stream(topic(Ticker, wanted), self._ticker(wanted, trigger, variant), Overflow.CONFLATE)

    def trades(self, symbol: Symbol | str) -> Stream[Trade]:
        """Follow public trades; SlowConsumer when they are not read in time.

        Those made while the connection was lost come after it, as far as the venue looks back on them; whether some
        are missing it says with a SequenceGap of the symbol, and ``recent_trades`` may have them.
        """
        wanted = self.instrument(symbol).symbol
        return self._stream(topic(Trade, wanted), Subscription(Channel.TRADES, wanted), Overflow.RAISE)

    def candle_updates(self, symbol: Symbol | str, interval: int) -> Stream[Candle]:
        """Follow bars; each is told with ``closed`` exactly once, in order, also over lost connections."""
        wanted = self.instrument(symbol).symbol
        subscription = Subscription(Channel.CANDLES, wanted, interval=_positive(interval, "interval"))
        return self._stream(topic(Candle, wanted, interval), subscription, Overflow.RAISE)

    def _stream(self, about: Topic, subscription: Subscription, overflow: Overflow) -> Stream[Any]:
        def attach(end: Callable[[ExchangeError], None]) -> Callable[[], None]:
            self._feeds.attach(subscription, end)
            return lambda: self._feeds.detach(subscription, end)

        return self._streams.open(
            f"{self._name}: {subscription}",
            about,
            overflow,
            attach=attach,
            confirm=lambda: self._feeds.confirmed(subscription),
        )

    def _ticker(self, wanted: Symbol, trigger: TickerTrigger | str | None, variant: str | None) -> Subscription:
        if variant is not None:
            return self._variant(Channel.TICKER, wanted, variant, trigger)
        followed = self._feeds.subscribed(Channel.TICKER, wanted)
        if followed is not None and followed.variant is not None:
            followed = None
        offered = self._spec.ticker_triggers
        if trigger is None:
            return followed or Subscription(Channel.TICKER, wanted)
        if trigger not in offered:
            choices = f"{' and '.join(offered)} are" if offered else "none is"
            raise NotSupported(f"{self._name}: no ticker by {trigger}; {choices} to choose", venue=self._name)
        chosen = TickerTrigger(trigger)
        if followed is None:
            return Subscription(Channel.TICKER, wanted, trigger=chosen)
        present = followed.trigger or offered[0]
        if present is not chosen:
            raise NotSupported(
                f"{self._name}: the ticker of {wanted} is followed by {present} already; for {chosen} end that first",
                venue=self._name,
            )
        return followed

    def _variant(
        self, channel: Channel, wanted: Symbol, variant: str, trigger: TickerTrigger | str | None
    ) -> Subscription:
        offered = self._spec.variants.get(channel, ())
        if variant not in offered:
            choices = f"it has {', '.join(offered)}" if offered else "it has one only"
            raise NotSupported(f"{self._name}: {channel} has no feed {variant!r}; {choices}", venue=self._name)
        if trigger is not None:
            raise NotSupported(f"{self._name}: {variant} leaves no choice of a trigger", venue=self._name)
        return Subscription(channel, wanted, variant=variant)

    def _book(self, channel: Channel, symbol: Symbol | str, depth: int | None, depths: tuple[int, ...]) -> Subscription:
        wanted = self.instrument(symbol).symbol
        needed = self._depth(_positive(depth, "depth"), depths)
        followed = self._feeds.subscribed(channel, wanted)
        if followed is None:
            return Subscription(channel, wanted, depth=needed)
        # Venues take one depth of a symbol on one connection.
        if depth is not None and needed is not None and followed.depth is not None and followed.depth < needed:
            raise NotSupported(
                f"{self._name}: the book of {wanted} is followed at depth {followed.depth} already; "
                f"for {depth} end that first, or ask for the larger depth first",
                venue=self._name,
            )
        return followed

    def _depth(self, depth: int | None, offers: tuple[int, ...]) -> int | None:
        depths = sorted(offers)
        if not depths:
            return None
        if depth is None:
            return depths[0]
        if depth > depths[-1]:
            offered = ", ".join(map(str, depths))
            raise NotSupported(f"{self._name}: no book of depth {depth}; depths are {offered}", venue=self._name)
        return next(offered for offered in depths if offered >= depth)


class BookWatch:
    """A callback on a book; ``close`` ends it."""

    def __init__(
        self,
        bus: Bus,
        feeds: Feeds,
        subscription: Subscription,
        callback: Callback,
        on_error: Callable[[ExchangeError], None] | None,
    ) -> None:
        self.confirmed = False
        self._bus = bus
        self._feeds = feeds
        self._subscription = subscription
        self._callback = callback
        self._on_error = on_error
        self._topic = topic(OrderBook, subscription.symbol)
        feeds.attach(subscription, self._fail)
        bus.subscribe(self._topic, callback)

    def close(self) -> None:
        self._bus.unsubscribe(self._topic, self._callback)
        self._feeds.detach(self._subscription, self._fail)

    def _fail(self, error: ExchangeError) -> None:
        self.close()
        if self._on_error is not None:
            self._on_error(error)
        elif self.confirmed:
            self._feeds.raise_to_user(error)


def _positive(value: T, what: str) -> T:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidValue(f"{what}: {value!r} is not a whole number above zero")
    return value
