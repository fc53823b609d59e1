"""Walk the account log from its first row on: rows are numbered, so their numbers are the places.

See https://docs.kraken.com/api/docs/futures-api/history/account-log
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import attrs
import msgspec

from exchange_core.connector.pages import Entry, HistoryPage, Unreadable
from exchange_core.connector.rest import Flow
from exchange_core.errors import ProtocolError
from kraken_futures import pages
from kraken_futures.limits import account_log_cost
from kraken_futures.parse.rows import aware, readable
from kraken_futures.rest.calls import history
from kraken_futures.walks.cursors import Cursor, read
from kraken_futures.wire import history as wire

T = TypeVar("T")

PAGE = 1000
"""Rows in a page: as many as cost no more than the venue's own 500."""


class _State(Cursor):
    """Attributes:
    id: The last row that was given out or passed.
    """

    id: Annotated[int, msgspec.Meta(ge=0)] = 0


@attrs.frozen(kw_only=True)
class LogWalk(Generic[T]):
    """The walk through the log, from *since* on and before *until*.

    Attributes:
        build: Makes a value of a row; None leaves the row out.
    """

    what: str
    params: Mapping[str, Any]
    build: Callable[[wire.LogRow], T | None]
    since: datetime | None
    until: datetime | None
    count: int = PAGE

    def fetch(self, cursor: str | None) -> Flow[HistoryPage[T]]:
        """Return the rows of the next page. The end shows by an empty one: that a short one is the last is not said."""
        state = _State() if cursor is None else read(cursor, _State)
        since, until = pages.moment(self.since, "since"), pages.moment(self.until, "until")
        params = {
            **self.params,
            "since": None if since is None else max(0, since - 1),
            "before": None if until is None else until + 1,
            "from": state.id + 1 if state.id else None,
            "sort": "asc",
            "count": self.count,
        }
        reply: wire.LogPage = yield history("account-log", wire.LogPage, params, account_log_cost(self.count))
        rows, bad = readable(reply.logs, wire.LogRow, lambda row: (row, self.build(row)), self.what)
        fresh = sorted((pair for pair in rows if pair[0].id > state.id), key=lambda pair: pair[0].id)
        if not fresh and (rows or len(bad) >= self.count):
            problem = bad[0].problem if bad else f"the rows after {state.id} are not after it"
            raise ProtocolError(f"{self.what}: a page has nothing to go on from: {problem}")
        given = [
            (row.id, Entry(aware(row.date), value))
            for row, value in fresh
            if value is not None
            and (self.since is None or aware(row.date) >= self.since)
            and (self.until is None or aware(row.date) < self.until)
        ]
        return HistoryPage(
            entries=[entry for _, entry in given],
            after=lambda count: _State(id=given[count - 1][0]).text,
            cursor=_State(id=fresh[-1][0].id).text if fresh else None,
            unreadable=tuple(Unreadable(self.what, one.problem, one.raw) for one in bad),
        )
