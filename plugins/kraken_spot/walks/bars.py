"""Build candles of trades, as Kraken Spot builds its own.

Recorded answers of both agree to the last digit: bars are cut at whole intervals, the volume-weighted price is cut
(not rounded) to the decimals of prices, and where nothing traded the last price stands still with no volume.
See https://docs.kraken.com/api-reference/market-data/get-ohlc-data
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import floor

import attrs

from exchange_core.model.market import Candle
from exchange_core.model.number import EXACT, plain, total
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_seconds, to_seconds
from kraken_spot.wire import common as wire


@attrs.frozen(kw_only=True)
class Grid:
    """Where bars begin, and how they are written.

    Attributes:
        interval: Minutes.
        anchor: A second at which one of them begins. It is taken from the venue's own bars: on which day of the week
            a weekly one begins, and from when 15 days are counted, is not documented.
        decimals: Of prices.
    """

    symbol: Symbol
    interval: int
    anchor: int
    decimals: int

    @property
    def step(self) -> int:
        """Seconds that a bar is long."""
        return self.interval * 60

    def start(self, second: int) -> int:
        """Return where the bar begins that *second* is in."""
        return second - (second - self.anchor) % self.step

    def next_start(self, time: datetime) -> int:
        """Return where the first bar begins that is not before *time*."""
        seconds = to_seconds(time)
        start = self.start(floor(seconds))
        return start if start == seconds else start + self.step


def build(
    trades: Iterable[wire.TradeRow], grid: Grid, begin: int, end: int, close: Decimal | None = None
) -> list[Candle]:
    """Return the bars that start from *begin* on and before *end*, both starts of bars.

    Args:
        trades: All of that time, oldest first; others are left aside.
        close: What the bar before closed at; without it there is none before the first that has a trade.
    """
    by_start: dict[int, list[wire.TradeRow]] = {}
    for row in trades:
        start = grid.start(floor(row.time))
        if begin <= start < end:
            by_start.setdefault(start, []).append(row)
    bars: list[Candle] = []
    for start in range(begin, end, grid.step):
        rows = by_start.get(start)
        if rows:
            bars.append(_bar(rows, grid, start))
        elif close is not None:
            bars.append(_still(grid, start, close))
        close = bars[-1].close if bars else close
    return bars


def _bar(rows: Sequence[wire.TradeRow], grid: Grid, start: int) -> Candle:
    prices = [row.price for row in rows]
    volume = total(row.volume for row in rows)
    turnover = total(EXACT.multiply(row.price, row.volume) for row in rows)
    vwap = None
    if volume:
        scaled = EXACT.divide_int(turnover.scaleb(grid.decimals, EXACT), volume)
        vwap = scaled.scaleb(-grid.decimals, EXACT)
    return Candle(
        symbol=grid.symbol,
        interval=grid.interval,
        start=from_seconds(start),
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=volume,
        vwap=vwap or None,
        count=len(rows),
        closed=True,
    )


def _still(grid: Grid, start: int, price: Decimal) -> Candle:
    return Candle(
        symbol=grid.symbol,
        interval=grid.interval,
        start=from_seconds(start),
        open=price,
        high=price,
        low=price,
        close=price,
        volume=Decimal(0),
        count=0,
        closed=True,
    )


def disagreements(built: Iterable[Candle], venue: Mapping[datetime, Candle]) -> list[str]:
    """Say of each bar that the venue has too where it differs."""
    return [
        f"{bar.symbol}: the bar of {bar.interval} minutes at {bar.start:%Y-%m-%d %H:%M} is {_words(bar, names)} by the "
        f"trades, and {_words(venue[bar.start], names)} by the venue"
        for bar in built
        if bar.start in venue
        for names in [_differences(bar, venue[bar.start])]
        if names
    ]


def _differences(bar: Candle, other: Candle) -> list[str]:
    names = ("open", "high", "low", "close", "volume", "vwap", "count")
    return [name for name in names if getattr(bar, name) != getattr(other, name)]


def _words(bar: Candle, names: Iterable[str]) -> str:
    values = ((name, getattr(bar, name)) for name in names)
    return ", ".join(f"{name} {plain(value) if isinstance(value, Decimal) else value}" for name, value in values)
