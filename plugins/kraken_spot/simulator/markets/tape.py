"""What happened on one market: the last 24 hours in minutes, and the best prices over time.

Kept up to date trade by trade, because tickers are asked for far more often than minutes end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimExchange, SimTrade
from exchange_core.model.market import Candle, Level
from exchange_core.model.symbol import Symbol

_DAY = timedelta(days=1)
_ZERO = Decimal(0)


@attrs.define(kw_only=True)
class Minute:
    """One minute of trades."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    cost: Decimal
    count: int


@attrs.frozen(kw_only=True)
class Summary:
    """Some hours of trades; all zero without any."""

    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    vwap: Decimal
    count: int


class Tape:
    """The recent past of one market."""

    def __init__(self, exchange: SimExchange, symbol: Symbol) -> None:
        self._now = exchange.now
        self._minutes: deque[Minute] = deque()
        self.spreads: deque[tuple[datetime, Decimal, Decimal]] = deque(maxlen=200)
        for bar in exchange.candles(symbol, 1):
            self._minutes.append(_minute(bar))
        trades = exchange.trades(symbol)
        self.last: SimTrade | None = trades[-1] if trades else None

    def add(self, trade: SimTrade) -> None:
        self.last = trade
        start = trade.time.replace(second=0, microsecond=0)
        price, quantity = trade.price, trade.quantity
        if not self._minutes or self._minutes[-1].start < start:
            self._minutes.append(
                Minute(start=start, open=price, high=price, low=price, volume=_ZERO, cost=_ZERO, count=0)
            )
        minute = self._minutes[-1]
        minute.high, minute.low = max(minute.high, price), min(minute.low, price)
        minute.volume += quantity
        minute.cost += price * quantity
        minute.count += 1

    def spread(self, bid: Level, ask: Level) -> None:
        self.spreads.append((self._now(), bid.price, ask.price))

    def day(self) -> Summary:
        """Return the last 24 hours."""
        first = self._now() - _DAY
        while self._minutes and self._minutes[0].start < first:
            self._minutes.popleft()
        return _summary(self._minutes)

    def today(self) -> Summary:
        """Return what happened since midnight UTC."""
        midnight = self._now().replace(hour=0, minute=0, second=0, microsecond=0)
        return _summary(minute for minute in self._minutes if minute.start >= midnight)


def _minute(bar: Candle) -> Minute:
    cost = (bar.close if bar.vwap is None else bar.vwap) * bar.volume
    return Minute(
        start=bar.start, open=bar.open, high=bar.high, low=bar.low, volume=bar.volume, cost=cost, count=bar.count or 0
    )


def _summary(minutes: Iterable[Minute]) -> Summary:
    found = list(minutes)
    if not found:
        return Summary(open=_ZERO, high=_ZERO, low=_ZERO, volume=_ZERO, vwap=_ZERO, count=0)
    volume = sum((minute.volume for minute in found), _ZERO)
    return Summary(
        open=found[0].open,
        high=max(minute.high for minute in found),
        low=min(minute.low for minute in found),
        volume=volume,
        vwap=sum((minute.cost for minute in found), _ZERO) / volume if volume else _ZERO,
        count=sum(minute.count for minute in found),
    )
