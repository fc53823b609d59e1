"""What an account traded in the last 30 days, by the hour, in the exchange's volume asset."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs

from exchange_core.connector.simulated_accounts import SimMarket
from exchange_core.simulator.units import product

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
KEPT_HOURS = 30 * 24


@attrs.define
class Volume:
    """Traded value by the hour."""

    hours: deque[tuple[int, Decimal]] = attrs.field(factory=deque)
    total: Decimal = Decimal(0)

    def add(self, value: Decimal, now: datetime) -> None:
        hour = self._forget(now)
        if self.hours and self.hours[-1][0] >= hour:
            hour, before = self.hours.pop()
            self.hours.append((hour, before + value))
        else:
            self.hours.append((hour, value))
        self.total += value

    def at(self, now: datetime) -> Decimal:
        self._forget(now)
        return self.total

    def _forget(self, now: datetime) -> int:
        hour = (now - _EPOCH) // _HOUR
        while self.hours and self.hours[0][0] <= hour - KEPT_HOURS:
            self.total -= self.hours.popleft()[1]
        return hour


class VolumeUnit:
    """Counts volumes in one asset: the quote asset of most markets.

    What another quote asset is worth in it is taken from the start price of their market, once; where there is
    none, it counts one to one.
    """

    def __init__(self, markets: Sequence[SimMarket]) -> None:
        quotes = [market.instrument.symbol.quote for market in markets]
        self.asset = max(quotes, key=quotes.count) if quotes else ""
        self._worth = {
            market.instrument.symbol.base: market.start_price
            for market in markets
            if market.instrument.symbol.is_spot and market.instrument.symbol.quote == self.asset
        }

    def value(self, amount: Decimal, quote: str) -> Decimal:
        if quote == self.asset:
            return amount
        worth = self._worth.get(quote)
        return amount if worth is None else product(amount, worth)
