"""Walk candles of the charts service from the oldest on.

See https://docs.kraken.com/api/docs/futures-api/charts/candles
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs
import msgspec

from exchange_core.connector.pages import Entry, HistoryPage, Unreadable
from exchange_core.connector.rest import Flow
from exchange_core.errors import ProtocolError
from exchange_core.model.market import Candle
from exchange_core.model.time import to_millis
from kraken_futures import pages
from kraken_futures.parse.rows import readable
from kraken_futures.rest.calls import charts
from kraken_futures.walks.cursors import Cursor, Seconds, read
from kraken_futures.wire import common as wire


class _State(Cursor):
    """Attributes:
    start: Of the next candle.
    """

    start: Seconds = 0


class _Candles(msgspec.Struct):
    candles: list[msgspec.Raw]
    more_candles: bool = False


@attrs.frozen(kw_only=True)
class CandleWalk:
    """The walk through candles that are over, and start from *since* on and before *until*.

    Attributes:
        path: Of the chart.
        minutes: That a candle is long.
        now: Tells which is over; without it the last one always counts as open.
    """

    what: str
    path: str
    minutes: int
    build: Callable[[wire.Candle], Candle]
    since: datetime | None
    until: datetime | None
    now: Callable[[], datetime] | None

    def fetch(self, cursor: str | None) -> Flow[HistoryPage[Candle]]:
        """Return the next page of the venue."""
        first = max(0, pages.seconds(self.since, "since") or 0)
        start = first if cursor is None else max(first, read(cursor, _State).start)
        until = pages.seconds(self.until, "until")
        # Open point: without a beginning the venue gives the latest; that 0 is taken for "from the first one on" was
        # not seen. How many come at once is not documented either, so what it says of more is what counts.
        params = {"from": start, "to": None if until is None else until + 1}
        reply: _Candles = yield charts(self.path, _Candles, **params)
        rows, bad = readable(reply.candles, wire.Candle, self.build, self.what)
        rows.sort(key=lambda candle: candle.start)
        fresh = [row for row in rows if to_millis(row.start) >= start * 1000]
        if reply.more_candles and not fresh:
            raise ProtocolError(f"{self.what}: it says that there are more candles, and gives none that is new")
        given = [row for row in fresh if self._inside(row)]
        if given and given[-1] is rows[-1] and not reply.more_candles and not self._is_over(given[-1]):
            given.pop()

        def after(count: int) -> str:
            return _State(start=self._next(given[count - 1])).text

        passed = self.until is not None and any(row.start >= self.until for row in fresh)
        return HistoryPage(
            entries=[Entry(row.start, attrs.evolve(row, closed=True)) for row in given],
            after=after,
            cursor=_State(start=self._next(fresh[-1])).text if reply.more_candles and not passed else None,
            unreadable=tuple(Unreadable(self.what, one.problem, one.raw) for one in bad),
        )

    def _inside(self, row: Candle) -> bool:
        return (self.since is None or row.start >= self.since) and (self.until is None or row.start < self.until)

    def _is_over(self, row: Candle) -> bool:
        return self.now is not None and row.start + timedelta(minutes=self.minutes) <= self.now()

    def _next(self, row: Candle) -> int:
        return to_millis(row.start) // 1000 + self.minutes * 60
