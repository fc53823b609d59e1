"""Kraken Futures' charts and analytics, reached as ``operations.charts``; no key is needed.

Requests count seconds, candles answer in milliseconds, analytics in seconds again.
See https://docs.kraken.com/api/docs/futures-api/charts/candles and the pages beside it
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import attrs
import msgspec

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.market import Candle
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis, from_seconds
from kraken_futures import naming
from kraken_futures.numbers import number, optional
from kraken_futures.pages import Page, Pages, seconds, whole
from kraken_futures.parse.rows import chosen, readable, word
from kraken_futures.rest.calls import charts
from kraken_futures.wire import common as wire


class TickType(StrEnum):
    """Which price candles are of; ``spot`` is the index. Only those of trades have a volume."""

    SPOT = "spot"
    MARK = "mark"
    TRADE = "trade"


class Resolution(StrEnum):
    """How long a candle is."""

    MINUTE = "1m"
    MINUTES_5 = "5m"
    MINUTES_15 = "15m"
    MINUTES_30 = "30m"
    HOUR = "1h"
    HOURS_4 = "4h"
    HOURS_12 = "12h"
    DAY = "1d"
    WEEK = "1w"

    @property
    def minutes(self) -> int:
        return _MINUTES[self]


_MINUTES = dict(zip(Resolution, (1, 5, 15, 30, 60, 240, 720, 1440, 10080), strict=True))


class Analytics(StrEnum):
    """What analytics there are."""

    OPEN_INTEREST = "open-interest"
    AGGRESSOR_DIFFERENTIAL = "aggressor-differential"
    TRADE_VOLUME = "trade-volume"
    TRADE_COUNT = "trade-count"
    LIQUIDATION_VOLUME = "liquidation-volume"
    ROLLING_VOLATILITY = "rolling-volatility"
    LONG_SHORT_RATIO = "long-short-ratio"
    LONG_SHORT_INFO = "long-short-info"
    CVD = "cvd"
    TOP_TRADERS = "top-traders"
    ORDERBOOK = "orderbook"
    SPREADS = "spreads"
    LIQUIDITY = "liquidity"
    SLIPPAGE = "slippage"
    FUTURE_BASIS = "future-basis"
    FUNDING = "funding"


INTERVALS = (60, 300, 900, 1800, 3600, 14400, 43200, 86400, 604800)
"""Seconds that points of analytics may be apart."""


class _Candles(msgspec.Struct):
    candles: list[msgspec.Raw]
    more_candles: bool = False


class _Result(msgspec.Struct):
    timestamp: list[Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]]
    data: msgspec.Raw
    more: bool = False


class _Answer(msgspec.Struct):
    result: _Result


@attrs.frozen(kw_only=True)
class Point:
    """Analytics at one time.

    Attributes:
        values: By the venue's names, joined with dots where they are nested (``bid.best_price``); ``value`` where there
            is only one. Several numbers are open, high, low and close.
    """

    time: datetime
    values: Mapping[str, Decimal | tuple[Decimal | None, ...] | None]


@attrs.frozen
class ChartCalls:
    """Candles of all prices, and analytics."""

    _context: VenueContext

    def tick_types(self) -> Flow[tuple[TickType | str, ...]]:
        """List which prices have candles."""
        found: list[str] = yield charts("", list[str])
        return tuple(word(TickType, one) for one in found)

    def symbols(self, tick_type: TickType = TickType.TRADE) -> Flow[tuple[Symbol | str, ...]]:
        """List what has candles of a price."""
        found: list[str] = yield charts(chosen(TickType, tick_type, "tick_type").value, list[str])
        return tuple(naming.told(self._context.symbols, one) for one in found)

    def resolutions(
        self, symbol: Symbol | str, tick_type: TickType = TickType.TRADE
    ) -> Flow[tuple[Resolution | str, ...]]:
        """List how long its candles can be."""
        path = f"{chosen(TickType, tick_type, 'tick_type')}/{self._name(symbol)}"
        found: list[str] = yield charts(path, list[str])
        return tuple(word(Resolution, one) for one in found)

    def candles(
        self,
        symbol: Symbol | str,
        resolution: Resolution,
        tick_type: TickType = TickType.TRADE,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        count: int | None = None,
    ) -> Pages[Candle]:
        """Page through candles, oldest first.

        The last one may still change. Without *since* the venue begins where it likes.

        Args:
            count: Candles in a page, as far as the venue lets.
        """
        ours, length = Symbol.of(symbol), chosen(Resolution, resolution, "resolution")
        long = length.minutes
        path = f"{chosen(TickType, tick_type, 'tick_type')}/{self._name(ours)}/{length}"
        begin, end = seconds(since, "since"), seconds(until, "until")
        if count is not None and (type(count) is not int or count < 1):
            raise InvalidValue(f"count: {count!r}; expected a whole number from 1 on")

        def fetch(cursor: str | None) -> Flow[Page[Candle]]:
            start = begin if cursor is None else whole(cursor, path)
            reply: _Candles = yield charts(path, _Candles, **{"from": start, "to": end, "count": count})
            rows, bad = readable(reply.candles, wire.Candle, lambda row: candle(row, ours, long), self._what(path))
            rows.sort(key=lambda candle: candle.start)
            if not reply.more_candles:
                return Page(self._with_open_end(rows), None, bad)
            if not rows:
                raise ProtocolError(f"{self._what(path)}: it says that there are more candles, and gives none")
            following = seconds(rows[-1].start + timedelta(minutes=long), "candle")
            return Page(tuple(rows), str(following), bad)

        return Pages(fetch)

    def analytics(
        self,
        symbol: Symbol | str,
        kind: Analytics,
        *,
        since: datetime,
        interval: int,
        until: datetime | None = None,
    ) -> Pages[Point]:
        """Page through analytics of a contract.

        Args:
            interval: Seconds between points, one of ``INTERVALS``.
        """
        name = chosen(Analytics, kind, "analytics")
        return self._analytics(f"analytics/{self._name(symbol)}/{name}", since, interval, until)

    def liquidity_pool(self, *, since: datetime, interval: int, until: datetime | None = None) -> Pages[Point]:
        """Page through the value of the liquidity pool, in dollars."""
        return self._analytics("analytics/liquidity-pool", since, interval, until)

    def _analytics(self, path: str, since: datetime, interval: int, until: datetime | None) -> Pages[Point]:
        if interval not in INTERVALS:
            raise InvalidValue(f"interval: {interval!r} seconds; there are {', '.join(map(str, INTERVALS))}")
        begin, end = seconds(since, "since"), seconds(until, "until")

        def fetch(cursor: str | None) -> Flow[Page[Point]]:
            start = begin if cursor is None else whole(cursor, path)
            reply: _Answer = yield charts(path, _Answer, since=start, interval=interval, to=end)
            points = _points(reply.result, self._what(path))
            if not reply.result.more:
                return Page(points)
            if not points:
                raise ProtocolError(f"{self._what(path)}: it says that there is more, and gives nothing")
            return Page(points, str(max(reply.result.timestamp) + interval))

        return Pages(fetch)

    def _with_open_end(self, rows: list[Candle]) -> tuple[Candle, ...]:
        """Say of the last candle that it may change, unless a clock says that it is over."""
        if not rows:
            return ()
        last, now = rows[-1], self._context.now
        over = now is not None and last.start + timedelta(minutes=last.interval) <= now()
        return (*rows[:-1], attrs.evolve(last, closed=over))

    def _what(self, path: str) -> str:
        return f"{self._context.venue}: charts {path}"

    def _name(self, symbol: Symbol | str) -> str:
        return quote(naming.venue_id(self._context.symbols, symbol), safe="")


def candle(row: wire.Candle, symbol: Symbol, minutes: int) -> Candle:
    return Candle(
        symbol=symbol,
        interval=minutes,
        start=from_millis(row.time),
        open=number(row.open, "open"),
        high=number(row.high, "high"),
        low=number(row.low, "low"),
        close=number(row.close, "close"),
        volume=number(row.volume, "volume"),
        closed=True,
    )


def _points(result: _Result, what: str) -> tuple[Point, ...]:
    try:
        series = dict(_series(json.loads(bytes(result.data), parse_float=Decimal), ""))
    except (ValueError, RecursionError) as problem:
        raise ProtocolError(f"{what}: {problem}") from problem
    for name, values in series.items():
        if len(values) != len(result.timestamp):
            raise ProtocolError(f"{what}: {name} has {len(values)} values for {len(result.timestamp)} times")
    return tuple(
        Point(time=from_seconds(time), values={name: _value(values[place], name) for name, values in series.items()})
        for place, time in enumerate(result.timestamp)
    )


def _series(data: Any, prefix: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists in *data*, each under the path that leads to it."""
    if isinstance(data, list):
        yield prefix or "value", data
    elif isinstance(data, dict):
        for name, inner in data.items():
            yield from _series(inner, f"{prefix}.{name}" if prefix else name)
    elif data is not None:
        raise ProtocolError(f"analytics: {prefix or 'data'}: expected a list, found {type(data).__name__}")


def _value(value: Any, name: str) -> Decimal | tuple[Decimal | None, ...] | None:
    if isinstance(value, list):
        return tuple(optional(one, name) for one in value)
    return optional(value, name)
