"""Books of one connection, of levels or of orders: snapshots and updates in, checked books out.

Every message is verified. A book that fails shows nothing and is asked for afresh, once; what still comes of the old
subscription is passed over until the fresh snapshot is in. Other books go on.
See https://docs.kraken.com/api/docs/guides/spot-ws-book-v2 and /spot-ws-l3-v2
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import attrs

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced, Channel, Events, Subscription, Unrecognised
from exchange_core.model.symbol import Symbol
from kraken_spot.checksum import CheckedBook, CheckedOrders, likely_decimals
from kraken_spot.feed.carriers import DEPTHS, DEPTHS_BY_ORDER
from kraken_spot.feed.quiet import Quiet
from kraken_spot.feed.recovery import Recovery
from kraken_spot.wire import feed as wire

PATIENCE = 10.0
"""Seconds within which the snapshot of an acknowledged book must come."""

_LIVE = BookHealth.LIVE


class Checked(Protocol):
    """A book whose checksum is at hand, of either kind."""

    symbol: Symbol
    depth: int
    health: BookHealth
    checked: int
    time: str | int | None
    price_decimals: int
    quantity_decimals: int

    @property
    def view(self) -> OrderBook: ...
    @property
    def news(self) -> tuple[OrderBook, ...]: ...
    def clear(self, health: BookHealth) -> None: ...
    def load(self, asks: Sequence[Any], bids: Sequence[Any]) -> int: ...
    def apply(self, asks: Sequence[Any], bids: Sequence[Any]) -> int: ...
    def is_right_after_all(self, checksum: int) -> bool: ...
    def content(self) -> object: ...


@attrs.frozen
class BookKind:
    """One of the venue's two kinds of books.

    Attributes:
        word: The venue's word for its channel.
        make: Makes a book of a symbol, to a depth.
    """

    channel: Channel
    word: str
    depths: tuple[int, ...]
    make: Callable[[Symbol, int], Checked]


LEVELS = BookKind(Channel.BOOK, "book", DEPTHS, lambda symbol, depth: CheckedBook(symbol, depth=depth))
ORDERS = BookKind(
    Channel.BOOK_BY_ORDER, "level3", DEPTHS_BY_ORDER, lambda symbol, depth: CheckedOrders(symbol, depth=depth)
)

Data = wire.BookData | wire.OrdersData


class _Record:
    """What is to be remembered of a book besides its levels."""

    __slots__ = ("after_answer", "carrier", "guess", "probed", "recovery", "snapshots")

    def __init__(self, carrier: Subscription | None, *, guess: bool = False, after_answer: bool = False) -> None:
        self.carrier = carrier
        self.guess = guess  # whether its precision is to be told from the digits
        self.after_answer = after_answer  # a snapshot of another depth may still be under way
        self.recovery = Recovery()
        self.snapshots = 0  # verified ones on this connection
        self.probed: int | None = None  # what was checked when it was asked for afresh because it was silent


class Books:
    """All books of one connection, by the venue's names.

    Args:
        again: Asks for a subscription afresh.
        is_active: Tells whether one was acknowledged.
    """

    def __init__(
        self,
        context: VenueContext,
        kind: BookKind,
        stats: FeedStats,
        quiet: Quiet,
        again: Callable[[Iterable[Subscription], float], None],
        is_active: Callable[[Subscription], bool],
    ) -> None:
        self._context = context
        self._kind = kind
        self._quiet = quiet
        self._stats = stats
        self._again = again
        self._is_active = is_active
        self._books: dict[str, Checked] = {}
        self._records: dict[str, _Record] = {}
        self._depths: dict[str, int] = {}

    # What is followed.

    def follow(self, carriers: Iterable[Subscription], now: float) -> None:
        """Keep the books of *carriers*, and no others; one that becomes deeper starts anew."""
        wanted = {
            self._context.symbols.wire(c.symbol): c
            for c in carriers
            if c.channel is self._kind.channel and c.symbol is not None
        }
        unwanted = [name for name, record in self._records.items() if name not in wanted and record.carrier is not None]
        for name in unwanted:
            self._books[name].clear(BookHealth.STALE)
            del self._books[name], self._records[name]
        for name, carrier in wanted.items():
            record = self._records.get(name)
            if record is not None and record.carrier == carrier:
                continue
            assert carrier.symbol is not None
            assert carrier.depth is not None
            book = self._books.get(name) or self._kind.make(carrier.symbol, carrier.depth)
            book.depth = carrier.depth
            book.clear(BookHealth.SYNCING)
            self._books[name], self._records[name] = book, _Record(carrier, after_answer=record is not None)
            self._records[name].recovery.ask(now)

    def find(self, symbol: Symbol) -> Checked | None:
        """Return the book of *symbol*; the venue's name for it is ours."""
        return self._books.get(str(symbol))

    def live(self) -> list[Subscription]:
        """Return the subscriptions whose books are whole."""
        records = ((self._records[name], book) for name, book in self._books.items() if book.health is _LIVE)
        return [record.carrier for record, _ in records if record.carrier is not None]

    def reset(self, health: BookHealth, now: float) -> None:
        """Forget all levels: the connection is gone, or new."""
        self._depths.clear()
        for name, book in self._books.items():
            book.clear(health)
            record = self._records[name]
            record.snapshots, record.after_answer, record.probed = 0, False, None
            record.recovery.ask(now)

    def acknowledged(self, name: object, depth: object) -> None:
        """Note the depth that the venue says it sends, for a recording in which nothing was asked."""
        if isinstance(name, str) and isinstance(depth, int) and depth in self._kind.depths:
            self._depths[name] = depth

    # Messages.

    def receive(self, message: wire.Book | wire.Orders, now: float) -> Events:
        """Take one message; return the book when it is whole and right."""
        if len(message.data) != 1:
            parts = [type(message)(type=message.type, data=[data]) for data in message.data]  # type: ignore[list-item]
            return [event for part in parts for event in self.receive(part, now)]
        data = message.data[0]
        stats = self._stats
        stats.books += 1
        book = self._books.get(data.symbol)
        if book is None or book.health is not _LIVE or message.type != "update":
            return self._unusual(message.type, data, now)
        try:
            crc = book.apply(data.asks, data.bids)
        except ProtocolError as error:
            return self._failed(data.symbol, str(error), now)
        if crc != data.checksum and not book.is_right_after_all(data.checksum):
            return self._failed(data.symbol, f"checksum is {crc}, the venue says {data.checksum}", now)
        stats.verified += 1
        book.checked += 1
        book.time = data.timestamp
        return book.news

    def spoil(self, name: str, reason: str, now: float) -> Events:
        """Take it that a message about *name* could not be read: what it changed is missing from now on."""
        self._stats.books += 1
        if name not in self._books:
            return self._ignored(f"{self._kind.word} that is not followed")
        if self._books[name].health is not _LIVE:
            return self._ignored(f"{self._kind.word} update before its snapshot")
        return self._failed(name, reason, now)

    def _unusual(self, kind: str, data: Data, now: float) -> Events:
        name = data.symbol
        if kind not in ("snapshot", "update"):
            self._stats.unknown[f"{self._kind.word} {kind:.20}"] += 1
            return (
                Unrecognised(kind=f"{self._kind.word} {kind:.20}", detail=f"{name:.40}: neither snapshot nor update"),
            )
        book = self._books.get(name)
        if book is None:
            book = self._provisional(data) if self._context.provisional and kind == "snapshot" else None
        if book is None:
            known = self._context.symbols.get(name) is not None or self._context.provisional
            return self._ignored(f"{self._kind.word} that is not followed") if known else self._unknown(name)
        if kind == "update":
            return self._ignored(f"{self._kind.word} update before its snapshot")
        record = self._records[name]
        if record.after_answer and record.carrier is not None and not self._is_active(record.carrier):
            return self._ignored(f"{self._kind.word} snapshot of another depth")
        return self._snapshot(name, book, data, now)

    def _snapshot(self, name: str, book: Checked, data: Data, now: float) -> Events:
        """Replace all there was."""
        record = self._records[name]
        probed, record.probed = record.probed, None
        afresh = (record.snapshots > 0 and probed is None) or book.health is BookHealth.DESYNCED
        before = book.content() if book.health is _LIVE and probed is not None else None
        try:
            right = any(self._fits(book, data, *precision) for precision in self._precisions(book, record, data))
        except ProtocolError as error:
            return self._failed(name, str(error), now)
        # Open point: the checksum of a book without any level was never seen.
        if not right and (data.asks or data.bids):
            return self._failed(name, f"checksum of the snapshot is not {data.checksum}", now)
        record.snapshots += 1
        record.recovery.due = None
        self._stats.resyncs += afresh
        self._stats.verified += 1
        book.health = _LIVE
        book.checked += 1
        book.time = data.timestamp
        if before is None:
            return [*self._judge(book, None, now), *book.news]
        if book.content() == before:
            return self._judge(book, None, now)
        # Open point: what changes between the end of the old subscription and the new one looks missed too.
        missed = "its book had changed" if book.checked == (probed or 0) + 1 else None
        return [*self._judge(book, missed, now), *book.news]

    def _judge(self, book: Checked, missed: str | None, now: float) -> Events:
        place = self._kind.channel, book.symbol, None
        events = self._quiet.judge(place, missed, now)
        self._quiet.counted(place, book.checked, now)
        return events

    @staticmethod
    def _fits(book: Checked, data: Data, price_decimals: int, quantity_decimals: int) -> bool:
        book.clear(BookHealth.SYNCING)
        book.price_decimals, book.quantity_decimals = price_decimals, quantity_decimals
        return book.load(data.asks, data.bids) == data.checksum

    def _precisions(self, book: Checked, record: _Record, data: Data) -> Iterable[tuple[int, int]]:
        """Return the precisions that the book may be printed with. What the venue's list says is not doubted."""
        if not record.guess:
            instrument = self._context.symbols.instrument(book.symbol)
            return [(instrument.price_decimals, instrument.quantity_decimals)]
        return likely_decimals(data.asks, data.bids)

    def _provisional(self, data: Data) -> Checked | None:
        """Return a book for a recording in which nothing was asked for."""
        try:
            symbol = self._context.symbols.get(data.symbol) or Symbol.parse(data.symbol)
        except InvalidValue:
            return None
        levels = max(len({str(row.price) for row in side}) for side in (data.asks, data.bids))
        depths = self._kind.depths
        depth = self._depths.get(data.symbol) or next((d for d in depths if d >= levels), depths[-1])
        book = self._kind.make(symbol, depth)
        self._books[data.symbol] = book
        self._records[data.symbol] = _Record(None, guess=symbol not in self._context.symbols)
        return book

    # What goes wrong.

    def _failed(self, name: str, reason: str, now: float) -> Events:
        self._stats.mismatches += 1
        book = self._books[name]
        self._judge(book, None, now)  # it is asked for again anyway
        return self._desynced(book, self._records[name], reason, now)

    def _desynced(self, book: Checked, record: _Record, reason: str, now: float) -> Events:
        book.clear(BookHealth.DESYNCED)
        record.probed = None
        record.recovery.failed(now)
        self._ask_if_due(record, now)
        return (BookDesynced(symbol=book.symbol, reason=reason, channel=self._kind.channel),)

    # Silence.

    def count(self, now: float) -> None:
        """Tell which books have heard of changes."""
        for name, book in self._books.items():
            if self._records[name].carrier is not None:
                self._quiet.counted((self._kind.channel, book.symbol, None), book.checked, now)

    def probed(self, carrier: Subscription) -> None:
        """Take it that a silent book is asked for afresh; what stands is held against the snapshot."""
        name = "" if carrier.symbol is None else self._context.symbols.wire(carrier.symbol)
        if name in self._records:
            self._records[name].probed = self._books[name].checked

    def unanswered(self, carrier: Subscription, reason: str, now: float) -> Events:
        """Take it that the snapshot of a silent book did not come."""
        name = "" if carrier.symbol is None else self._context.symbols.wire(carrier.symbol)
        book, record = self._books.get(name), self._records.get(name)
        if book is None or record is None or book.health is not _LIVE:
            return ()
        return self._desynced(book, record, reason, now)

    def tick(self, now: float) -> None:
        """Ask again for what failed repeatedly, and for snapshots that did not come."""
        for name, book in self._books.items():
            record = self._records[name]
            if book.health is _LIVE or record.carrier is None:
                continue
            late = now - record.recovery.asked >= PATIENCE and self._is_active(record.carrier)
            if record.recovery.due is None and late:
                record.recovery.failed(now)
            self._ask_if_due(record, now)

    def _ask_if_due(self, record: _Record, now: float) -> None:
        if record.recovery.is_due(now):
            record.recovery.ask(now)
            if record.carrier is not None:
                self._again([record.carrier], now)

    def _ignored(self, kind: str) -> Events:
        self._stats.ignored[kind] += 1
        return ()

    def _unknown(self, name: str) -> Events:
        kind = f"{self._kind.word} symbol"
        self._stats.unknown[kind] += 1
        return (Unrecognised(kind=kind, detail=f"{name:.40} is in none of the venue's lists"),)
