"""Walk the lists of the history service from the oldest event on.

Within a walk the venue's continuation tokens lead from page to page. How long one lives is not documented, so a cursor
that a reader keeps has none: going on asks anew from the time that was reached, and leaves out what came by its id.
See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import attrs
import msgspec

from exchange_core.connector.pages import Entry, HistoryPage, Place, Unreadable
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.errors import ProtocolError
from exchange_core.model.time import from_millis
from kraken_futures import pages
from kraken_futures.parse.rows import readable
from kraken_futures.walks.cursors import Cursor, Millis, read
from kraken_futures.wire import history as wire

T = TypeVar("T")

OWN_SLACK, MARKET_SLACK = 10_000, 1000
"""Milliseconds that an event may come after a newer one, and still be found: of the account, and of a market."""


class _State(Cursor):
    """Where the reader stands, and within a walk how it goes on.

    Attributes:
        since: What the walk asked for; goes with the token.
    """

    at: Millis | None = None
    seen: dict[str, Millis] = msgspec.field(default_factory=dict)
    since: Millis | None = None
    token: str | None = None


class _Event(NamedTuple, Generic[T]):
    id: str
    millis: int
    value: T


@attrs.frozen(kw_only=True)
class EventWalk(Generic[T]):
    """The walk through one list, from *since* on and before *until*.

    Attributes:
        what: For messages.
        call: Makes a call of its parameters.
        slack: How much out of order events may be.
    """

    what: str
    call: Callable[[Mapping[str, Any]], RestCall]
    params: Mapping[str, Any]
    build: Callable[[wire.Element], T]
    since: datetime | None
    until: datetime | None
    slack: int

    def fetch(self, cursor: str | None) -> Flow[HistoryPage[T]]:
        """Return what is new in the next page."""
        state = _State() if cursor is None else read(cursor, _State)
        place = Place(state.at, state.seen, self.slack)
        since, until = pages.moment(self.since, "since"), pages.moment(self.until, "until")
        known = [time for time in (since, place.lowest) if time is not None]
        lower = max(known, default=0)
        # Open point: whether the ends of the range are in it. A millisecond more is asked for on both sides.
        asked = state.since if state.token else max(0, lower - 1) if known else None
        params = {
            **self.params,
            "since": asked,
            "before": None if until is None else until + 1,
            "sort": "asc",
            "continuation_token": state.token,
        }
        reply: wire.HistoryPage = yield self.call(params)
        rows, bad = readable(reply.elements, wire.Element, self._event, self.what)
        fresh = [row for row in rows if row.id not in place.seen]
        if state.token is not None and place.lowest is not None:
            self._check_order(fresh, place.lowest)
        given = sorted((row for row in fresh if row.millis >= lower and self._inside(row)), key=lambda row: row.millis)
        token = reply.continuation_token or None
        if until is not None and any(row.millis > until + self.slack for row in rows):
            token = None  # no more of the range can follow
        return self._page(place, given, bad, asked, token)

    def _page(
        self,
        place: Place,
        given: Sequence[_Event[T]],
        bad: tuple[pages.Unreadable, ...],
        asked: int | None,
        token: str | None,
    ) -> HistoryPage[T]:
        def after(count: int, **more: Any) -> str:
            reached = place.after((row.id, row.millis) for row in given[:count])
            return _State(at=reached.at, seen=dict(reached.seen), **more).text

        return HistoryPage(
            entries=[Entry(from_millis(row.millis), row.value) for row in given],
            after=after,
            cursor=None if token is None else after(len(given), since=asked, token=token),
            unreadable=tuple(Unreadable(self.what, one.problem, one.raw) for one in bad),
        )

    def _event(self, element: wire.Element) -> _Event[T]:
        return _Event(element.uid, element.timestamp, self.build(element))

    def _inside(self, row: _Event[T]) -> bool:
        time = from_millis(row.millis)
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)

    def _check_order(self, fresh: Sequence[_Event[T]], lowest: int) -> None:
        """Raise rather than lose or repeat what a venue sends again or far out of order."""
        old = next((row for row in fresh if row.millis < lowest), None)
        if old is not None:
            raise ProtocolError(
                f"{self.what}: event {old.id} of {from_millis(old.millis)} came after events that are more than "
                f"{self.slack} ms newer; the pages repeat, or are in no order"
            )
