"""What a market printed: its latest trades, and candles made of them."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimTrade
from exchange_core.errors import InvalidValue
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle
from exchange_core.simulator.engine.units import times

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)

KEPT_TRADES = 5000
KEPT_CANDLES = 1500
_KEPT_MINUTES = 14 * 24 * 60


@attrs.define(kw_only=True)
class Bar:
    """One bar in ticks and lots; *weighted* is the sum of price times quantity. *start* counts minutes."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    weighted: int
    count: int

    def add(self, later: Bar) -> None:
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.weighted += later.weighted
        self.count += later.count


class _Series:
    """The bars of one interval, oldest first; all but the last are finished candles already."""

    def __init__(self, instrument: Instrument, interval: int) -> None:
        self._instrument = instrument
        self._interval = interval
        self._finished: deque[Candle] = deque(maxlen=KEPT_CANDLES)
        self._last: Bar | None = None

    def add(self, bar: Bar) -> None:
        start = bar.start - bar.start % self._interval
        if self._last is not None and self._last.start == start:
            self._last.add(bar)
            return
        if self._last is not None:
            self._finished.append(self._candle(self._last, closed=True))
        self._last = attrs.evolve(bar, start=start)

    def candles(self, now: datetime) -> list[Candle]:
        if self._last is None:
            return []
        over = now >= _EPOCH + (self._last.start + self._interval) * _MINUTE
        return [*self._finished, self._candle(self._last, closed=over)]

    def _candle(self, bar: Bar, *, closed: bool) -> Candle:
        tick, lot = self._instrument.tick_size, self._instrument.lot_size
        return Candle(
            symbol=self._instrument.symbol,
            interval=self._interval,
            start=_EPOCH + bar.start * _MINUTE,
            open=times(tick, bar.open),
            high=times(tick, bar.high),
            low=times(tick, bar.low),
            close=times(tick, bar.close),
            volume=times(lot, bar.volume),
            # Cut and not rounded, as Kraken's bars are.
            vwap=times(tick, bar.weighted // bar.volume),
            count=bar.count,
            closed=closed,
        )


class Tape:
    """Trades and candles of one market, both bounded."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.minutes: deque[Bar] = deque(maxlen=_KEPT_MINUTES)
        self._series: dict[int, _Series] = {}
        self.trades: deque[SimTrade] = deque(maxlen=KEPT_TRADES)
        self.count = 0

    @property
    def last_price(self) -> Decimal | None:
        return self.trades[-1].price if self.trades else None

    def add(self, trade: SimTrade, ticks: int, lots: int) -> None:
        """Take the next trade; *ticks* and *lots* are its price and quantity."""
        self.trades.append(trade)
        minute = (trade.time - _EPOCH) // _MINUTE
        # A clock may be set back; the tape does not run backwards.
        if self.minutes:
            minute = max(minute, self.minutes[-1].start)
        bar = Bar(
            start=minute,
            open=ticks,
            high=ticks,
            low=ticks,
            close=ticks,
            volume=lots,
            weighted=ticks * lots,
            count=1,
        )
        for series in self._series.values():
            series.add(bar)
        if self.minutes and self.minutes[-1].start == minute:
            self.minutes[-1].add(bar)
        else:
            self.minutes.append(bar)

    def candles(self, interval: int, now: datetime) -> list[Candle]:
        """Return the bars of *interval* minutes; a new interval is made of the minutes kept so far."""
        if interval < 1:
            raise InvalidValue(f"candles: an interval of {interval} minutes is below one")
        series = self._series.get(interval)
        if series is None:
            series = self._series[interval] = _Series(self._instrument, interval)
            for bar in self.minutes:
                series.add(bar)
        return series.candles(now)
