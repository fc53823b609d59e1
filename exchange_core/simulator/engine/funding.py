"""Funding of one perpetual: what its longs pay its shorts, exactly, by the microsecond.

The rate of an hour comes from how far the mark price stood from the index during the hour before, on average; or
someone sets it. It runs into one ever growing number, the sum of what one lot has paid since the beginning; what a
position owes is the difference between two readings of it. So over all accounts funding is exactly zero.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from exchange_core.connector.simulated_accounts import SimFunding
from exchange_core.errors import ConfigError
from exchange_core.simulator.engine.units import FINE, RATE, rate, to_decimal

if TYPE_CHECKING:
    from exchange_core.simulator.engine.market import MarketState

HOUR = timedelta(hours=1)
PER_HOUR = HOUR // timedelta(microseconds=1)
"""What readings count: fine units of money, times the microseconds of an hour."""

KEPT_HOURS = 24 * 90

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of *moment* began."""
    return moment - (moment - _EPOCH) % HOUR


class Funding:
    """The funding clock of one perpetual.

    Attributes:
        reading: What one lot has paid so far, in fine units times ``PER_HOUR``.
        rate: Of the hour that runs, out of ``RATE``.
        per_lot: What a lot pays in this hour, in fine units.
        premiums: Of this hour, out of ``RATE``, times the microseconds for which they stood.
        measured: How many microseconds that were.
    """

    def __init__(self, market: MarketState, now: datetime) -> None:
        self._market = market
        self._largest = rate(market.market.max_funding, f"{market.symbol} max_funding")
        self._coefficient = market.market.funding_coefficient
        if self._coefficient < 1:
            raise ConfigError(f"{market.symbol} funding_coefficient: {self._coefficient} is below 1")
        self.reading = 0
        self.rate = 0
        self.per_lot = 0
        self.start = hour_of(now)
        self.read_at = now
        self.premiums = 0
        self.measured = 0
        self.measured_at = now
        self.history: deque[SimFunding] = deque(maxlen=KEPT_HOURS)

    def read(self, now: datetime) -> int:
        """Return the reading at *now*, or at the end of the hour that runs."""
        now = min(now, self.start + HOUR)
        if self.per_lot and now > self.read_at:
            self.reading += self.per_lot * ((now - self.read_at) // _MICROSECOND)
        self.read_at = max(now, self.read_at)
        return self.reading

    def measure(self, now: datetime) -> None:
        """Count how far the mark price is from the index for the time that passed; looking twice counts nothing."""
        passed = (now - self.measured_at) // _MICROSECOND
        if passed <= 0:
            return
        self.premiums += self._premium() * passed
        self.measured += passed
        self.measured_at = now

    def set_rate(self, value: int, now: datetime) -> None:
        """Let the hour that runs have another rate from now on."""
        self.read(now)
        self.rate = value
        self.per_lot = self._per_lot(value)

    def turn(self, now: datetime) -> None:
        """End the hour; the next one runs at what was measured."""
        self.measure(now)
        self.history.append(self._told(self.start, self.rate, self.per_lot))
        following = self.predicted()
        self.premiums = self.measured = 0
        self.start = hour_of(now)
        self.set_rate(following, now)

    def predicted(self) -> int:
        """Return the next hour's rate as it would be now."""
        premium = self.premiums // self.measured if self.measured else self._premium()
        found = premium // self._coefficient
        return max(-self._largest, min(self._largest, found))

    def told(self) -> list[SimFunding]:
        following = self.predicted()
        return [
            *self.history,
            self._told(self.start, self.rate, self.per_lot),
            self._told(self.start + HOUR, following, self._per_lot(following)),
        ]

    def _premium(self) -> int:
        prices = self._market.prices
        index = prices.index()
        return (prices.mark() - index) * RATE // index if index > 0 else 0

    def _per_lot(self, value: int) -> int:
        return self._market.value_at(self._market.prices.index(), 1) * value // RATE

    def _told(self, start: datetime, value: int, per_lot: int) -> SimFunding:
        market = self._market
        per_unit = market.per_quantity(to_decimal(per_lot, FINE))
        return SimFunding(symbol=market.symbol, start=start, rate=to_decimal(value, 12), absolute=per_unit)
