"""A venue's public feed with a user's callback at the end, without a network.

What is put together here is what ``venue.on_book`` puts together: the plugin's feed, the feed runner that serves a
connection with it, the bus, and a callback on the topic of each book. Frames go in where the connection hands them on
(the only private name that is used), so everything from the bytes of a message to the callback runs as in a program.
Left out are the socket and the cutting of frames out of what was read; ``blast`` has those too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from exchange_core.connector.feed import Feed
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import OrderBook
from exchange_core.model.event import BookDesynced, Channel, Subscription
from exchange_core.model.instrument import Instrument
from exchange_core.plugins import load_plugins
from exchange_core.transport.feed_runner import FeedRunner
from exchange_core.venue.bus import Bus, topic


class PublicPath:
    """Takes frames, calls *on_book*.

    Attributes:
        take: Handles one frame.
        failures: What was told of books that failed.
    """

    def __init__(
        self,
        plugin: str,
        instruments: Iterable[Instrument],
        on_book: Callable[[OrderBook], None],
        *,
        depth: int | None = None,
    ) -> None:
        spec = load_plugins().venue(plugin)
        symbols = SymbolMap(plugin)
        wanted = []
        for instrument in instruments:
            symbols.add(instrument, wire=instrument.venue_id)
            wanted.append(Subscription(Channel.BOOK, instrument.symbol, depth=depth))
        config = spec.config()
        context = VenueContext(
            venue=plugin,
            config=config,
            symbols=symbols,
            assets=AssetMap(plugin),
            signer=None,
            now=lambda: datetime.now(UTC),
        )
        feed_spec = spec.feed_for(Channel.BOOK)
        assert feed_spec is not None
        self.feed: Feed = feed_spec.make(context)
        self.failures: list[str] = []
        bus = Bus()
        for subscription in wanted:
            bus.subscribe(topic(OrderBook, subscription.symbol), on_book)
        bus.subscribe(topic(BookDesynced), lambda event: self.failures.append(event.reason))
        self.feed.opened(0.0)
        self.feed.subscribe(wanted, 0.0)
        self.feed.outbox()
        runner = FeedRunner(feed_spec, self.feed, None, config, publish=bus.publish)
        self.take: Callable[[bytes], None] = runner._receiver(_Connection())  # type: ignore[arg-type]


class _Connection:
    """Nothing may go wrong while we measure."""

    def end(self, why: str | Exception) -> None:
        raise RuntimeError(f"the connection would end: {why}")


class Counter:
    """The user's callback: counts, and keeps the latest view of each book."""

    def __init__(self) -> None:
        self.count = 0
        self.books: dict[str, OrderBook] = {}

    def __call__(self, book: OrderBook) -> None:
        self.count += 1

    def keep(self, book: OrderBook) -> None:
        self.count += 1
        self.books[str(book.symbol)] = book
