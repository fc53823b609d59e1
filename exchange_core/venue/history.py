"""The past of one venue as async iterators over every page, which a later process can go on with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cached_property
from typing import Generic, Protocol, Self, TypeVar

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.pages import Entry, History, HistoryOperations, HistoryPage, Unreadable
from exchange_core.connector.rest import Flow
from exchange_core.errors import InvalidValue, NotSupported, ProtocolError
from exchange_core.model.fill import Fill
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.market import Candle, Trade
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.reading import Reader

T = TypeVar("T")

MOST_EMPTY_PAGES = 100
"""So many empty pages in a row, each of which says that there is more, end a walk with an error."""


@attrs.frozen(kw_only=True)
class Progress:
    """How far a walk has come.

    Attributes:
        since: Where it began: what was asked for, or the time of its first entry.
        reached: Time of the last entry that was given out.
        until: Where it ends: what was asked for, or when the walk began.
        count: Entries given out by this walk; what came before its cursor is not in it.
        pages: Pages asked for so far.
        fraction: How much of the time is covered, 0 to 1; None where that cannot be told yet.
    """

    since: datetime | None
    reached: datetime | None
    until: datetime
    count: int
    pages: int
    fraction: float | None


class HistoryStream(Generic[T]):
    """A walk over every entry of a history: ``async for entry in stream``. It ends where the history ends now.

    An error is raised where it happens, and nothing is lost by it: reading on asks again, and so does, in another
    process, a stream that is given :attr:`cursor`. There is nothing to close.

    Attributes:
        unreadable: Records that could not be understood so far. They are not among the entries.
        notes: What a reader should know, such as candles on which the venue disagrees with its own trades.
    """

    def __init__(
        self,
        history: History[T],
        run: Callable[[Flow[HistoryPage[T]]], Awaitable[HistoryPage[T]]],
        now: Callable[[], datetime],
        cursor: str | None = None,
    ) -> None:
        """Args:
        run: Makes the calls of a flow.
        cursor: That of another stream of the same history; *since* then counts no more.
        """
        self._history = history
        self._run = run
        self._began = now()
        self._page: HistoryPage[T] | None = None
        self._given = 0  # entries of that page
        self._resume = None if cursor is None else self._read(cursor)  # the place before that page
        self._next = self._resume
        self._empty = 0
        self._reading = self._done = False
        self._count = self._pages = 0
        self._first: datetime | None = None
        self._reached: datetime | None = None
        self._unreadable: dict[tuple[str, bytes], Unreadable] = {}
        self.notes: list[str] = []

    @property
    def cursor(self) -> str | None:
        """Text to go on with exactly after the last entry that was given out; None before the first one."""
        if self._page is not None and self._given:
            return self._write(self._page.after(self._given))
        return None if self._resume is None else self._write(self._resume)

    @property
    def unreadable(self) -> list[Unreadable]:
        return list(self._unreadable.values())

    @property
    def progress(self) -> Progress:
        since, until = self._history.since or self._first, self._history.until or self._began
        return Progress(
            since=since,
            reached=self._reached,
            until=until,
            count=self._count,
            pages=self._pages,
            fraction=self._fraction(since, until),
        )

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._reading:
            raise RuntimeError(f"{self._history.name}: two tasks read one stream; open one for each")
        self._reading = True
        try:
            while self._page is None or self._given == len(self._page.entries):
                if self._done:
                    raise StopAsyncIteration
                await self._turn()
        finally:
            self._reading = False
        return self._take(self._page.entries[self._given])

    def _take(self, entry: Entry[T]) -> T:
        self._given += 1
        self._count += 1
        self._first = self._first or entry.time
        self._reached = entry.time
        return entry.value

    async def _turn(self) -> None:
        """Ask for the next page."""
        asked = self._next
        if self._page is not None and self._given:
            self._resume = self._page.after(self._given)
            self._page, self._given = None, 0
        try:
            page = await self._run(self._history.fetch(asked))
            self._pages += 1
            self._check(page, asked)
        except BaseException:
            # A token of the venue may be what is wrong, so that asking again begins where the reader is.
            self._next, self._empty = self._resume, 0
            raise
        self._page, self._next, self._done = page, page.cursor, page.cursor is None
        self._unreadable.update(((one.id, one.raw), one) for one in page.unreadable)
        self.notes += page.notes

    def _check(self, page: HistoryPage[T], asked: str | None) -> None:
        """Refuse a venue's answers that would never end."""
        self._empty = 0 if page.entries else self._empty + 1
        if page.cursor is not None and page.cursor == asked:
            raise ProtocolError(f"{self._history.name}: the venue names a page as its own successor")
        if page.cursor is not None and self._empty >= MOST_EMPTY_PAGES:
            raise ProtocolError(f"{self._history.name}: {self._empty} pages in a row had nothing new, and go on")

    def _fraction(self, since: datetime | None, until: datetime) -> float | None:
        if self._done and self._page is not None and self._given == len(self._page.entries):
            return 1.0
        if since is None or self._reached is None or until <= since:
            return None
        covered = min(max((self._reached - since) / (until - since), 0.0), 1.0)
        return 1.0 - covered if self._history.newest_first else covered

    def _write(self, inner: str) -> str:
        return f"{self._history.name} {inner}"

    def _read(self, cursor: str) -> str:
        inner = cursor.removeprefix(f"{self._history.name} ")
        if inner == cursor:
            raise InvalidValue(f"cursor: {cursor[:60]!r} is none of the history of {self._history.name}")
        return inner


class Past(Protocol):
    """The past of a venue in the model's words. Each walk ends where its history ends now, and raises nothing before
    it is read. Times: from *since* on, and before *until*; all without.

    ``cursor`` is that of another such stream: the walk goes on after what that one gave out last, whatever *since* is.
    """

    def fill_history(
        self, since: datetime | None = None, until: datetime | None = None, *, cursor: str | None = None
    ) -> HistoryStream[Fill]:
        """Walk our executions, oldest first."""
        ...

    def order_history(
        self, since: datetime | None = None, until: datetime | None = None, *, cursor: str | None = None
    ) -> HistoryStream[Order]:
        """Walk our orders that are over, by the time of their end, oldest first."""
        ...

    def ledger_history(
        self, since: datetime | None = None, until: datetime | None = None, *, cursor: str | None = None
    ) -> HistoryStream[LedgerEntry]:
        """Walk what changed our balances, oldest first."""
        ...

    def trade_history(
        self,
        symbol: Symbol | str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> HistoryStream[Trade]:
        """Walk public trades, oldest first."""
        ...

    def candle_history(
        self,
        symbol: Symbol | str,
        interval: int,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> HistoryStream[Candle]:
        """Walk bars of *interval* minutes that are over, oldest first."""
        ...


class Histories:
    """Opens the walks of one venue."""

    def __init__(
        self,
        name: str,
        operations: Callable[[], HistoryOperations] | None,
        rest: RestClient,
        clock: Clock,
        require: Callable[[str], None],
    ) -> None:
        """Args:
        operations: Builds them when they are first wanted; None where the plugin has no histories.
        require: Refuses what needs credentials where there are none.
        """
        self._name = name
        self._build = operations
        self._reader = Reader(rest, clock)
        self._now = clock.now
        self._require = require

    def walk(self, history: History[T], cursor: str | None) -> HistoryStream[T]:
        """Return a walk over *history*.

        Raises:
            InvalidValue: The cursor is of another history.
            ConfigError: It needs credentials, and there are none.
        """
        if history.private:
            self._require(f"the history of {history.name}")
        return HistoryStream(history, self._reader.run, self._now, cursor)

    @cached_property
    def offered(self) -> HistoryOperations:
        """What the plugin has in the model's words.

        Raises:
            NotSupported: It has no such histories.
        """
        if self._build is None:
            raise NotSupported(f"{self._name}: its plugin has no histories", venue=self._name)
        return self._build()
