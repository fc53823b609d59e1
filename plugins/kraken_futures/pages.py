"""Long answers, a page at a time, that can be taken up again later.

The cursor is text: it can be stored, and given back in another run. Which filters it belongs to is the caller's to
remember; a continuation only makes sense with the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Generic, Protocol, Self, TypeVar

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.time import from_millis, from_rfc3339, to_millis, to_rfc3339

K = TypeVar("K")
T = TypeVar("T")
S = TypeVar("S", bound="Stamped")

_MILLISECOND = timedelta(milliseconds=1)


@attrs.frozen
class Unreadable:
    """A row that does not read as documented, kept so that nothing is lost in silence."""

    problem: str
    raw: bytes = attrs.field(repr=False)


class Rows(tuple[T, ...]):
    """The rows of a list that came whole, in the venue's order.

    Attributes:
        unreadable: Rows that could not be understood: what is only there is not missing from the list.
    """

    unreadable: tuple[Unreadable, ...] = ()

    @classmethod
    def of(cls, items: Iterable[T], unreadable: tuple[Unreadable, ...]) -> Self:
        """Return *items*, with what could not be read beside them."""
        made = cls(items)
        made.unreadable = unreadable
        return made


class Table(dict[K, T]):
    """A list whose rows have a name each, by that name.

    Attributes:
        unreadable: Rows that could not be understood: what is only there is not missing from the table.
    """

    unreadable: tuple[Unreadable, ...] = ()

    @classmethod
    def of(cls, items: Iterable[tuple[K, T]], unreadable: tuple[Unreadable, ...]) -> Self:
        """Return *items* by their names, with what could not be read beside them."""
        made = cls(items)
        made.unreadable = unreadable
        return made


@attrs.frozen
class Page(Generic[T]):
    """Some of the rows, in the venue's order.

    Attributes:
        cursor: Where the next page begins; None at the end.
        unreadable: Rows of this page that could not be understood.
    """

    items: tuple[T, ...]
    cursor: str | None = None
    unreadable: tuple[Unreadable, ...] = ()


@attrs.frozen
class Pages(Generic[T]):
    """One question whose answer comes in pages."""

    _fetch: Callable[[str | None], Flow[Page[T]]]

    def page(self, cursor: str | None = None) -> Flow[Page[T]]:
        """Ask for the page at *cursor*, the first one without.

        Raises:
            ProtocolError: When the venue sends us back to where we are, which would never end.
        """
        page = yield from self._fetch(cursor)
        if page.cursor is not None and page.cursor == cursor:
            raise ProtocolError(f"the venue names the page at {cursor[:60]!r} as its own successor")
        return page


def moment(time: datetime | None, what: str) -> int | None:
    """Return *time* in epoch milliseconds.

    Raises:
        InvalidValue: For one without a time zone.
    """
    if time is None:
        return None
    if time.tzinfo is None:
        raise InvalidValue(f"{what}: {time} has no time zone; write it with tzinfo=UTC")
    return to_millis(time)


def seconds(time: datetime | None, what: str) -> int | None:
    """Return :func:`moment` in whole seconds."""
    millis = moment(time, what)
    return None if millis is None else millis // 1000


def whole(cursor: str, what: str) -> int:
    """Read a cursor that is a number.

    Raises:
        InvalidValue: When it is none of ours.
    """
    if not (cursor.isascii() and cursor.isdigit()):
        raise InvalidValue(f"{what}: {cursor[:60]!r} is no cursor of this call")
    return int(cursor)


class Stamped(Protocol):
    """A row that has an id and a time."""

    @property
    def id(self) -> str: ...
    @property
    def time(self) -> datetime: ...


@attrs.frozen
class Backwards:
    """Where a list stands that the venue gives out newest first, as "what was before this time".

    Times repeat, so pages overlap by a millisecond, and what was seen in it already is left out.

    Attributes:
        before: What to ask for; None for the newest.
        seen: Ids of what the page before had in the last millisecond.
    """

    before: datetime | None = None
    seen: frozenset[str] = frozenset()

    @staticmethod
    def of(cursor: str | None) -> Backwards:
        """Read a cursor.

        Raises:
            InvalidValue: When it is none of ours.
        """
        if cursor is None:
            return Backwards()
        time, *seen = cursor.split("~")
        try:
            return Backwards(from_rfc3339(time), frozenset(seen))
        except ProtocolError:
            raise InvalidValue(f"{time[:60]!r} is no cursor of this call; it begins with a time") from None

    @property
    def text(self) -> str | None:
        """The time to ask for, as the venue wants it."""
        return None if self.before is None else to_rfc3339(self.before)

    def page(self, rows: Sequence[S], unreadable: tuple[Unreadable, ...], full: int) -> Page[S]:
        """Return a page of what was not seen yet.

        Args:
            full: How many rows an answer has that is not the last.
        """
        fresh = tuple(row for row in rows if row.id not in self.seen)
        if len(rows) + len(unreadable) < full or not rows:
            return Page(fresh, None, unreadable)
        oldest = min(row.time for row in rows)
        floor = from_millis(to_millis(oldest))
        before = floor + _MILLISECOND
        if before == self.before and not fresh:
            before = floor  # a whole page within one millisecond: more of it cannot be had
        seen = {row.id for row in rows if floor <= row.time < before}
        if before == self.before:
            seen |= self.seen
        return Page(fresh, "~".join([to_rfc3339(before), *sorted(seen)]), unreadable)
