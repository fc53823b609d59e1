"""Walk our fills from the newest on, as far back as the venue has them; it knows no other way.

See https://docs.kraken.com/api/docs/futures-api/trading/get-fills
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs
import msgspec

from exchange_core.connector.pages import Entry, HistoryPage, Unreadable
from exchange_core.connector.rest import Flow
from exchange_core.errors import ProtocolError
from exchange_core.model.time import from_millis, to_millis, to_rfc3339
from kraken_futures.parse.rows import readable
from kraken_futures.rest.calls import private
from kraken_futures.types.account import FuturesFill
from kraken_futures.walks.cursors import Cursor, Millis, read
from kraken_futures.wire import account as wire

PAGE = 100
"""Fills in one answer."""

_MILLISECOND = timedelta(milliseconds=1)


class _State(Cursor):
    """Attributes:
    at: The oldest millisecond that was reached.
    seen: Ids of what was given out of it.
    """

    at: Millis | None = None
    seen: list[str] = msgspec.field(default_factory=list)


@attrs.frozen(kw_only=True)
class FillWalk:
    """The walk back through our fills, from those before *until* to those not before *since*."""

    what: str
    build: Callable[[wire.FillRow], FuturesFill]
    since: datetime | None
    until: datetime | None

    def fetch(self, cursor: str | None) -> Flow[HistoryPage[FuturesFill]]:
        """Return what is new in the next answer. Times repeat, so answers overlap by a millisecond."""
        state = _State() if cursor is None else read(cursor, _State)
        before = self.until if state.at is None else from_millis(state.at) + _MILLISECOND
        params = {} if before is None else {"lastFillTime": to_rfc3339(before + _MILLISECOND)}
        reply: wire.FillRows = yield private("fills", wire.FillRows, params, "fills before" if params else "fills")
        rows, bad = readable(reply.fills, wire.FillRow, self.build, self.what)
        seen = set(state.seen)
        known = [row for row in rows if before is None or row.time < before]
        fresh = [row for row in known if row.id not in seen]
        # Open point: whether the time itself is in the answer. It and a millisecond more are asked for.
        if not fresh and len(rows) + len(bad) >= PAGE:
            raise ProtocolError(f"{self.what}: {PAGE} fills at one time fill an answer, and older ones cannot be had")
        given = [row for row in fresh if self.since is None or row.time >= self.since]
        given.sort(key=lambda row: row.time, reverse=True)
        after = self._after(state, given)
        return HistoryPage(
            entries=[Entry(row.time, row) for row in given],
            after=after,
            cursor=after(len(given)) if fresh and len(given) == len(fresh) else None,
            unreadable=tuple(Unreadable(self.what, one.problem, one.raw) for one in bad),
        )

    def _after(self, state: _State, given: list[FuturesFill]) -> Callable[[int], str]:
        def after(count: int) -> str:
            at = to_millis(given[count - 1].time)
            same = [row.id for row in given[:count] if to_millis(row.time) == at]
            return _State(at=at, seen=[*(state.seen if at == state.at else ()), *same]).text

        return after
