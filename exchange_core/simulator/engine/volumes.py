"""What an account traded in the last 30 days, by the hour, in the exchange's volume asset."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

import attrs

from exchange_core.connector.simulated_accounts import SimMarket
from exchange_core.simulator.engine.units import product

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
KEPT_HOURS = 30 * 24
_DOLLAR = "USD"
_SHORT = Context(prec=12)


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
    """Counts volumes in one asset: dollars where anything is quoted in them, else the quote asset of most markets.

    What another quote asset is worth in it is taken from the start prices of the spot markets, once; where they tell
    nothing, it counts one to one.
    """

    def __init__(self, markets: Sequence[SimMarket]) -> None:
        quotes = [market.instrument.symbol.quote for market in markets]
        self.asset = _DOLLAR if _DOLLAR in quotes else max(quotes, key=quotes.count) if quotes else ""
        self._worths = worths_in(self.asset, markets)

    def value(self, amount: Decimal, quote: str) -> Decimal:
        if quote == self.asset:
            return amount
        worth = self._worths.get(quote)
        return amount if worth is None else product(amount, worth)


def worths_in(asset: str, markets: Iterable[SimMarket]) -> dict[str, Decimal]:
    """Return what one unit of each asset is worth in *asset* by the start prices of spot markets, as far as they tell.

    Directly where there is such a market, else by way of another asset, as euros by what bitcoin costs in both.
    """
    spot = [market for market in markets if market.instrument.symbol.is_spot]
    worths = {asset: Decimal(1)}
    before = 0
    while before < len(worths):
        before = len(worths)
        for market in spot:
            base, quote, price = market.instrument.symbol.base, market.instrument.symbol.quote, market.start_price
            if quote in worths:
                worths.setdefault(base, _SHORT.multiply(worths[quote], price))
            elif base in worths:
                worths.setdefault(quote, _SHORT.divide(worths[base], price))
    return worths
