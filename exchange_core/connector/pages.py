"""The past as pages: what a plugin says of a long list, so that the core can walk it to its end, and later go on.

A plugin's part stays pure: a :class:`History` is a question, and asking for one of its pages is a flow. Each page says,
too, how to go on after any of its entries, as text that a later process can be given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.errors import InvalidValue
from exchange_core.model.fill import Fill
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.market import Candle, Trade
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol

T = TypeVar("T")


class Entry(NamedTuple, Generic[T]):
    """Something that happened, and when."""

    time: datetime
    value: T


@attrs.frozen
class Unreadable:
    """A record that does not read as documented, or names what is in no list; kept so that it is not lost in silence.

    Attributes:
        id: The venue's id of it, or its place in the answer.
    """

    id: str
    problem: str
    raw: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class HistoryPage(Generic[T]):
    """Some entries, in the order of the walk and without those that came already.

    Attributes:
        after: Returns the cursor that goes on after the first so many entries (1 up to all of them).
        cursor: Where the next page of this walk begins; None at the end. May hold what only helps now, such as a token.
        unreadable: What of this page could not be understood.
        notes: What a reader should know, a sentence each.
    """

    entries: Sequence[Entry[T]]
    after: Callable[[int], str]
    cursor: str | None
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class History(Generic[T]):
    """One question about the past.

    Attributes:
        name: Of the list, such as ``fills``; cursors carry it, so that none is taken for another's.
        fetch: Asks for the page at a cursor, the first one without. An empty page with a cursor is no end.
        since, until: What happened from *since* on and before *until*; open where None.
        private: Needs credentials.
        newest_first: Where the venue allows no walk from the oldest on.
    """

    name: str
    fetch: Callable[[str | None], Flow[HistoryPage[T]]]
    since: datetime | None = None
    until: datetime | None = None
    private: bool = False
    newest_first: bool = False

    def __attrs_post_init__(self) -> None:
        for what, time in (("since", self.since), ("until", self.until)):
            check_time(what, time)
        if self.since is not None and self.until is not None and self.since > self.until:
            raise InvalidValue(f"since: {self.since} is after until, {self.until}")


def check_time(what: str, time: datetime | None) -> None:
    """Raises: InvalidValue: *time* is no ``datetime``, or has no time zone. *what* is its name."""
    if time is None:
        return
    if not isinstance(time, datetime):
        raise InvalidValue(f"{what}: {time!r} is a {type(time).__name__}; expected a datetime with tzinfo=UTC")
    if time.tzinfo is None:
        raise InvalidValue(f"{what}: {time} has no time zone; write it with tzinfo=UTC")


class HistoryOperations(Protocol):
    """What of its past a venue shows in the model's words. What it lacks raises NotSupported when it is called."""

    def fills(self, since: datetime | None, until: datetime | None) -> History[Fill]:
        """Our executions, oldest first."""
        ...

    def orders(self, since: datetime | None, until: datetime | None) -> History[Order]:
        """Our orders that are over, by the time of their end, oldest first."""
        ...

    def ledger(self, since: datetime | None, until: datetime | None) -> History[LedgerEntry]:
        """What changed our balances, oldest first."""
        ...

    def trades(self, symbol: Symbol, since: datetime | None, until: datetime | None) -> History[Trade]:
        """Public trades, oldest first."""
        ...

    def candles(self, symbol: Symbol, interval: int, since: datetime | None, until: datetime | None) -> History[Candle]:
        """Bars of *interval* minutes that are over and start in the range, oldest first."""
        ...


@attrs.frozen
class Place:
    """How far a walk from the oldest on has come, in a list whose entries have ids and times that may be equal.

    Asking anew from :meth:`lowest` on and leaving out what was :attr:`seen` gives what is left, all of it and once.
    Entries that the venue shows late, up to *slack* after newer ones, are still found.

    Attributes:
        at: The newest time that was reached, in whatever unit the list counts; None at the beginning.
        seen: Ids and times of what was given out from ``at - slack`` on.
    """

    at: int | None = None
    seen: Mapping[str, int] = attrs.field(factory=dict)
    slack: int = 0

    @property
    def lowest(self) -> int | None:
        """Nothing older than this is left."""
        return None if self.at is None else self.at - self.slack

    def after(self, given: Iterable[tuple[str, int]]) -> Place:
        """Return the place after more entries, as ids and times, were given out."""
        more = dict(given)
        if not more:
            return self
        at = max(more.values()) if self.at is None else max(self.at, *more.values())
        seen = {name: time for name, time in {**self.seen, **more}.items() if time >= at - self.slack}
        return Place(at, seen, self.slack)
