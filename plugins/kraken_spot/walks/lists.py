"""Walk the account's long lists from the oldest entry on: closed orders, trades, ledger entries.

The venue gives them out newest first and by offset, so that each new entry shifts the pages of who goes back in them.
Here time is cut into windows that have few entries. Of a window all pages are read and must add up to the count that
the venue tells of it, and only then is it sorted and given out. So it does not matter in which order a page comes. What
the venue lists apart, as it does ledgers of tokenised assets, is read window by window together.
See https://docs.kraken.com/api-reference/account-data/get-trades-history and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import attrs
import msgspec

from exchange_core.connector.pages import Entry, HistoryPage, Place, Unreadable
from exchange_core.connector.rest import Flow
from exchange_core.errors import ProtocolError
from kraken_spot.parse.rows import readable
from kraken_spot.rest.calls import private
from kraken_spot.walks.cursors import Cursor, Micros, Seconds, read, to_micros

T = TypeVar("T")

TARGET = 250
"""How many entries a window should have; twice as many are taken too."""

SLACK = 10_000_000
"""Microseconds that an entry may show up late, after one that is newer, and still be found by who goes on later."""

SECOND = 1_000_000
_PASSES = 4


@attrs.frozen(kw_only=True)
class Endpoint(Generic[T]):
    """One of the lists.

    Attributes:
        name: Of the call.
        reply, rows: What the answer is read as, and which of its fields has the entries.
        kind, build: What an entry is read as, and what is made of it and its id.
        time: When it happened; None where the entry does not tell.
        points: What a call costs.
        learn: Asks for what is needed to read entries, if that is lacking; where it fails, so does the walk.
        parts: Parameters of the lists that make up this one; an entry that is on several of them counts once.
    """

    name: str
    reply: type[Any]
    rows: str
    kind: type[Any]
    build: Callable[[str, Any], T]
    time: Callable[[T], datetime | None]
    params: Mapping[str, Any]
    points: float
    parts: tuple[Mapping[str, Any], ...] = ({},)
    learn: Callable[[Iterable[msgspec.Raw]], Flow[None]] | None = None


class _State(Cursor):
    """Where the reader stands, and within a walk how the windows go on.

    Attributes:
        begin: All before this second was given out.
        width: Seconds of the next window.
        newest: Up to here windows are cut; 0 before it is known.
    """

    at: Micros | None = None
    seen: dict[str, Micros] = msgspec.field(default_factory=dict)
    begin: Seconds | None = None
    width: Seconds = 0
    newest: Seconds = 0


class _Row(NamedTuple, Generic[T]):
    id: str
    micros: int
    entry: Entry[T]


@attrs.frozen
class _Answer(Generic[T]):
    """Attributes:
    part: Parameters of the list that it is of.
    count: How many entries the window has, as the venue says.
    """

    part: Mapping[str, Any]
    rows: tuple[_Row[T], ...]
    unreadable: tuple[Unreadable, ...]
    count: int

    @property
    def ids(self) -> set[str]:
        return {row.id for row in self.rows} | {one.id for one in self.unreadable}


@attrs.frozen(kw_only=True)
class ListWalk(Generic[T]):
    """The walk through one list, from *since* on and before *until*."""

    venue: str
    endpoint: Endpoint[T]
    since: datetime | None
    until: datetime | None
    target: int = TARGET

    def fetch(self, cursor: str | None) -> Flow[HistoryPage[T]]:
        """Return the entries of the next window that has any."""
        state = _State() if cursor is None else read(cursor, _State)
        place, until = Place(state.at, state.seen, SLACK), _micros(self.until)
        known = [time for time in (_micros(self.since), place.lowest, _scaled(state.begin)) if time is not None]
        lower = max(known, default=None)
        base = 0 if lower is None else lower // SECOND
        bad: tuple[Unreadable, ...] = ()
        while True:
            if not state.newest or (lower is not None and lower >= state.newest * SECOND):
                heads = yield from self._heads(lower, until)
                if all(len(head.ids) >= head.count for head in heads) and (yield from self._stand(heads, lower, until)):
                    return _page(place, _State(), lower, until, heads, bad, last=True)
                base = yield from self._aim(state, heads, lower, until)
            end = min(state.newest, base + state.width) * SECOND
            end = end if until is None else min(end, until)
            heads = yield from self._heads(lower, end)
            count = sum(head.count for head in heads)
            if count > 2 * self.target and end // SECOND - base > 1:
                state.width = max(1, min(state.width // 2, state.width * self.target // count))
                continue
            found: list[_Answer[T]] = []
            for head in heads:
                found += yield from self._rest(lower, end, head)
            last = end == until
            state.width = max(1, min(state.width * 8, state.width * self.target // max(count, 1)))
            state.begin = end // SECOND
            page = _page(place, state, lower, end, found, bad, last=last)
            if page.entries or last:
                return page
            lower, base, bad = end, end // SECOND, page.unreadable

    def _heads(self, lower: int | None, end: int | None) -> Flow[list[_Answer[T]]]:
        """Return the first page of each part."""
        heads: list[_Answer[T]] = []
        for part in self.endpoint.parts:
            head = yield from self._ask(part, lower, end, 0)
            heads.append(head)
        return heads

    def _stand(self, heads: list[_Answer[T]], lower: int | None, end: int | None) -> Flow[bool]:
        """Return whether *heads* show one moment: nothing came to the earlier ones while the last was asked for.

        Else an entry of theirs might be older than one that is given out now, and be passed over by who goes on.
        """
        if not any(head.ids for head in heads):
            return True
        for head in heads[:-1]:
            again = yield from self._ask(head.part, lower, end, 0)
            if again.count != head.count:
                return False
        return True

    def _aim(self, state: _State, heads: list[_Answer[T]], lower: int | None, until: int | None) -> Flow[int]:
        """Tell from the newest entries how wide windows should be, and up to when; return where they begin.

        None of it has to be right: windows that have too many entries are cut, and empty ones are passed.
        """
        times = [row.micros for head in heads for row in head.rows]
        if not times:
            problem = next(one.problem for head in heads for one in head.unreadable)
            raise ProtocolError(f"{self._what}: no entry reads as documented: {problem}")
        oldest = lower
        if oldest is None:
            oldest = min(times)
            for head in heads:
                if len(head.ids) < head.count:
                    tail = yield from self._ask(head.part, None, until, head.count - 1)
                    oldest = min([oldest, *(row.micros for row in tail.rows)])
        base = oldest // SECOND
        count = sum(head.count for head in heads)
        state.newest = max(max(times) // SECOND, base) + 1
        state.width = max(1, (state.newest - base) * self.target // count)
        return base

    def _rest(self, lower: int | None, end: int | None, head: _Answer[T]) -> Flow[list[_Answer[T]]]:
        """Return all answers of a part's window, the first of which is known.

        Raises:
            ProtocolError: They do not add up to what the venue counts, however often they are asked for.
        """
        ids: set[str] = set()
        for _ in range(_PASSES):
            answers, ids, offset = [head], head.ids, len(head.ids)
            while offset < head.count and answers[-1].count == head.count:
                answer = yield from self._ask(head.part, lower, end, offset)
                if answer.ids <= ids:
                    break
                answers.append(answer)
                ids |= answer.ids
                offset += len(answer.ids)
            if len(ids) == head.count == answers[-1].count:
                return answers
            head = yield from self._ask(head.part, lower, end, 0)
        raise ProtocolError(f"{self._what}: the venue counts {head.count} entries of a window, and shows {len(ids)}")

    def _ask(self, part: Mapping[str, Any], lower: int | None, end: int | None, offset: int) -> Flow[_Answer[T]]:
        # Open point: to which fraction of a second the venue compares is not documented. The start is exclusive and
        # the end is not; a second more is asked for, and cut by who reads it.
        params = {
            **self.endpoint.params,
            **part,
            "start": None if lower is None or lower <= SECOND else str(lower // SECOND - 1),
            "end": None if end is None else str(-(-end // SECOND)),
            "ofs": offset or None,
        }
        answer = yield private(self.endpoint.name, self.endpoint.reply, params, points=self.endpoint.points)
        if answer.count is None:
            raise ProtocolError(f"{self._what}: the answer has no count")
        rows = getattr(answer, self.endpoint.rows)
        if self.endpoint.learn is not None:
            yield from self.endpoint.learn(rows.values())
        found = readable(rows, self.endpoint.kind, self._row)
        bad = tuple(Unreadable(one.id, one.problem, one.raw) for one in found.unreadable)
        return _Answer(part, found.items, bad, answer.count)

    def _row(self, name: str, raw: Any) -> _Row[T]:
        value = self.endpoint.build(name, raw)
        time = self.endpoint.time(value)
        if time is None:
            raise ProtocolError(f"{name}: it has no time")
        return _Row(name, to_micros(time), Entry(time, value))

    @property
    def _what(self) -> str:
        return f"{self.venue}: {self.endpoint.name}"


def _page(
    place: Place,
    state: _State,
    lower: int | None,
    end: int | None,
    answers: Iterable[_Answer[T]],
    bad: tuple[Unreadable, ...],
    *,
    last: bool,
) -> HistoryPage[T]:
    """Return what of *answers* lies in the window, and is new."""
    rows = {
        row.id: row
        for answer in answers
        for row in answer.rows
        if row.id not in place.seen and (lower is None or row.micros >= lower) and (end is None or row.micros < end)
    }
    given = sorted(rows.values(), key=lambda row: (row.micros, row.id))

    def after(count: int) -> Place:
        return place.after((row.id, row.micros) for row in given[:count])

    reached = after(len(given))
    state.at, state.seen = reached.at, dict(reached.seen)
    return HistoryPage(
        entries=[row.entry for row in given],
        after=lambda count: _State(at=after(count).at, seen=dict(after(count).seen)).text,
        cursor=None if last else state.text,
        unreadable=(*bad, *(one for answer in answers for one in answer.unreadable)),
    )


def _micros(time: datetime | None) -> int | None:
    return None if time is None else to_micros(time)


def _scaled(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * SECOND
