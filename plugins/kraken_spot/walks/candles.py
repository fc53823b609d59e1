"""Walk the candles of a pair: the venue's own where it still has them, and before that those that trades make.

The venue has the last 720 bars of an interval and no older ones. Trades it has from the first one on. Where both are,
a few bars are built too and compared; what differs is told in the notes of the page.
See https://docs.kraken.com/api-reference/market-data/get-ohlc-data
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import floor
from typing import Annotated, Any

import attrs
import msgspec

from exchange_core.connector.pages import Entry, HistoryPage, Unreadable
from exchange_core.connector.rest import Flow
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.market import Candle
from exchange_core.model.number import plain
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_millis
from kraken_spot.dialect import read as decode
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import readable
from kraken_spot.rest.calls import public
from kraken_spot.walks.bars import Grid, build, disagreements
from kraken_spot.walks.cursors import Cursor, Seconds, read
from kraken_spot.walks.trades import MOST_TRADES, ask, is_end
from kraken_spot.wire import common as wire

MOST_BARS = 10_000
"""Bars in a page: where nothing traded, one answer with trades may span any number of them."""

ANSWERS = 4
"""Answers with trades that a page is made of, where bars are so short that one has several."""

_SECOND = 1_000_000_000


class _State(Cursor):
    """Where the next bar starts, and what is known for building it.

    Attributes:
        close: What the bar before closed at.
        bound: Where the venue's own bars began when it was last asked; they begin later now.
        decimals: Of its prices.
    """

    bar: Seconds | None = None
    close: str | None = None
    bound: Seconds | None = None
    decimals: Annotated[int, msgspec.Meta(ge=0, le=30)] = 0


@attrs.frozen
class _Table:
    """The venue's own bars, those that are over."""

    rows: Mapping[int, Candle]
    first: int
    grid: Grid
    unreadable: tuple[Unreadable, ...]


class _Tape:
    """Trades that are read one answer after the other.

    Attributes:
        ended: The venue has no more now.
    """

    def __init__(self, venue: str, pair: str, begin: int, count: int, asset_class: str | None) -> None:
        self.rows: list[wire.TradeRow] = []
        self.unreadable: tuple[Unreadable, ...] = ()
        self.ended = False
        self.answers = 0
        self._venue = venue
        self._pair = pair
        self._count = count
        self._class = asset_class
        self._since = max(0, begin * _SECOND - 1)

    def read(self) -> Flow[None]:
        """Read one more answer."""
        answer = yield from ask(self._venue, self._pair, self._since, self._count, self._class)
        known = self.rows[-1].trade_id if self.rows else -1
        fresh = [row for row in answer.rows if row.trade_id > known]
        self.answers += 1
        self.unreadable += answer.unreadable
        if not fresh:
            self.ended = is_end(self._venue, self._pair, answer, self._since, self._count)
        self.rows += fresh
        self._since = max(self._since, answer.last - 1)


@attrs.frozen(kw_only=True)
class CandleWalk:
    """The walk through the bars of *pair* that start from *since* on and before *until*."""

    venue: str
    symbol: Symbol
    pair: str
    interval: int
    since: datetime | None
    until: datetime | None
    count: int = MOST_TRADES
    asset_class: str | None = None

    def fetch(self, cursor: str | None) -> Flow[HistoryPage[Candle]]:
        """Return the next bars: some that are built of trades, or all the rest of the venue's own."""
        state = _State() if cursor is None else read(cursor, _State)
        table: _Table | None = None
        if state.bar is None or state.bound is None or state.bar >= state.bound:
            table = yield from self._table()
            if table is None:
                return HistoryPage(entries=(), after=str, cursor=None)
            begin = yield from self._begin(state, table)
            if begin is None or begin >= table.first:
                return self._page(_own(table, begin), table.unreadable, ())
            state = _State(bar=begin, close=state.close, bound=table.first, decimals=table.grid.decimals)
        return (yield from self._rebuilt(state, table))

    def _rebuilt(self, state: _State, table: _Table | None) -> Flow[HistoryPage[Candle]]:
        tape = self._tape(state.bar or 0)
        yield from tape.read()
        state = yield from self._settled(state, tape)
        grid = self._grid(state)
        until = None if self.until is None else grid.next_start(self.until)
        while True:
            begin, bound = state.bar or 0, state.bound or 0
            whole = bound if tape.ended else _whole(tape, grid, begin)
            if until is not None and until <= min(bound, whole):
                return self._built(state, tape, until, ended=True)
            if begin < whole < bound and tape.answers >= ANSWERS:
                return self._built(state, tape, whole, ended=False)
            if whole >= bound:
                if table is None:
                    table = yield from self._table()
                    if table is None:
                        raise ProtocolError(f"{self.venue}: OHLC of {self.pair}: its bars are gone")
                    state.bound = max(bound, table.first)
                    continue
                page = self._joined(state, tape, table)
                if page is not None:
                    return page
            yield from tape.read()

    def _settled(self, state: _State, tape: _Tape) -> Flow[_State]:
        """Find out what the first bar's price is if nothing traded in it; begin later where nothing ever had."""
        begin, bound, grid = state.bar or 0, state.bound or 0, self._grid(state)
        traded = grid.start(floor(tape.rows[0].time)) if tape.rows else bound
        if state.close is not None or traded == begin:
            return state
        close = yield from self._close_before(begin, grid.step)
        if close is not None:
            return _State(bar=begin, close=plain(close), bound=bound, decimals=state.decimals)
        return _State(bar=min(traded, bound), bound=bound, decimals=state.decimals)

    def _joined(self, state: _State, tape: _Tape, table: _Table) -> HistoryPage[Candle] | None:
        """Return all the rest: built bars, then the venue's; None while there is none to compare yet."""
        begin, bound, grid = state.bar or 0, state.bound or 0, self._grid(state)
        if (bound - begin) // grid.step > MOST_BARS:
            return self._built(state, tape, bound, ended=False)
        compared = _compare(tape, grid, table)
        if compared is None and not tape.ended:
            return None
        built = build(tape.rows, grid, begin, bound, _price(state.close))
        return self._page(built + _own(table, bound), tape.unreadable + table.unreadable, tuple(compared or ()))

    def _built(self, state: _State, tape: _Tape, end: int, *, ended: bool) -> HistoryPage[Candle]:
        """Return the bars from the state's on and before *end*, or as many as a page takes."""
        begin, grid, close = state.bar or 0, self._grid(state), _price(state.close)
        if (end - begin) // grid.step > MOST_BARS:
            end, ended = begin + MOST_BARS * grid.step, False
        bars = build(tape.rows, grid, begin, end, close)
        close = bars[-1].close if bars else close
        following = _State(
            bar=end,
            close=None if close is None else plain(close),
            bound=state.bound,
            decimals=state.decimals,
        )
        return self._page(bars, tape.unreadable, (), None if ended else following, state)

    def _tape(self, begin: int) -> _Tape:
        return _Tape(self.venue, self.pair, begin, self.count, self.asset_class)

    def _grid(self, state: _State) -> Grid:
        return Grid(symbol=self.symbol, interval=self.interval, anchor=state.bar or 0, decimals=state.decimals)

    def _page(
        self,
        bars: Sequence[Candle],
        unreadable: tuple[Unreadable, ...],
        notes: tuple[str, ...],
        following: _State | None = None,
        state: _State | None = None,
    ) -> HistoryPage[Candle]:
        """Return a page. Going on after one of its bars begins with the next one."""
        given = [bar for bar in bars if self.until is None or bar.start < self.until]

        def after(count: int) -> str:
            bar = given[count - 1]
            start, close = to_millis(bar.start) // 1000 + self.interval * 60, plain(bar.close)
            if state is None:
                return _State(bar=start, close=close).text
            return _State(bar=start, close=close, bound=state.bound, decimals=state.decimals).text

        return HistoryPage(
            entries=[Entry(bar.start, bar) for bar in given],
            after=after,
            cursor=None if following is None else following.text,
            unreadable=unreadable,
            notes=notes,
        )

    def _table(self) -> Flow[_Table | None]:
        params: dict[str, Any] = {"pair": self.pair, "interval": self.interval}
        if self.asset_class is not None:
            params["asset_class"] = self.asset_class
        reply = dict[str, msgspec.Raw]
        answer: dict[str, msgspec.Raw] = yield public("OHLC", reply, params, per_pair=self.pair)
        raws: list[msgspec.Raw] = decode(parse.only(answer, "OHLC"), list[msgspec.Raw], "OHLC")
        found = readable(
            raws, wire.CandleRow, lambda _, row: (row, parse.candle(row, self.symbol, self.interval, closed=True))
        )
        if not found.items:
            return None
        # The last row is the bar that is forming; the one that is over last is named.
        last: int = decode(answer.get("last", msgspec.Raw(b"null")), int, "last")
        rows = {row.time: bar for row, bar in found.items if row.time <= last}
        newest, _ = found.items[-1]
        exponent = newest.close.as_tuple().exponent
        grid = Grid(
            symbol=self.symbol,
            interval=self.interval,
            anchor=newest.time,
            decimals=max(0, -exponent) if isinstance(exponent, int) else 0,
        )
        bad = tuple(Unreadable(f"bar {one.id}", one.problem, one.raw) for one in found.unreadable)
        return _Table(rows, min(rows, default=newest.time), grid, bad)

    def _begin(self, state: _State, table: _Table) -> Flow[int | None]:
        """Return where the next bar starts; None where all that the venue has are wanted."""
        if state.bar is not None:
            return state.bar
        if self.since is not None:
            return table.grid.next_start(self.since)
        tape = self._tape(0)
        yield from tape.read()
        return table.grid.start(floor(tape.rows[0].time)) if tape.rows else None

    def _close_before(self, begin: int, step: int) -> Flow[Decimal | None]:
        """Return the price of the last trade before *begin*; None where there is none."""
        first = self._tape(0)
        yield from first.read()
        if not first.rows or first.rows[0].time >= begin:
            return None
        span = step
        while True:
            tape = self._tape(max(0, begin - span))
            yield from tape.read()
            if tape.rows and tape.rows[0].time < begin:
                break
            if span >= begin:
                return None
            span *= 4
        while tape.rows[-1].time < begin and not tape.ended:
            yield from tape.read()
        return next(row.price for row in reversed(tape.rows) if row.time < begin)


def _compare(tape: _Tape, grid: Grid, table: _Table) -> list[str] | None:
    """Build bars that the venue has too; return what differs, and None while no bar with a trade is whole."""
    end = max(table.rows, default=table.first - grid.step) + grid.step
    if not tape.ended:
        end = min(end, _whole(tape, grid, table.first))
    before = [row.price for row in tape.rows if floor(row.time) < table.first]
    bars = build(tape.rows, grid, table.first, end, before[-1] if before else None)
    if not any(bar.count for bar in bars):
        return None
    return disagreements(bars, {bar.start: bar for bar in table.rows.values()})


def _whole(tape: _Tape, grid: Grid, least: int) -> int:
    """Return up to where bars are whole: the one that the last trade is in may get more."""
    return grid.start(floor(tape.rows[-1].time)) if tape.rows else least


def _own(table: _Table, begin: int | None) -> list[Candle]:
    return [table.rows[start] for start in sorted(table.rows) if begin is None or start >= begin]


def _price(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return parse.number(Decimal(text), "close")
    except (ArithmeticError, ProtocolError):
        raise InvalidValue(f"cursor: {text[:40]!r} is no price") from None
