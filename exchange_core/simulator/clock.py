"""Clocks for simulated venues: time that passes faster, or slower, than ours.

With the real clock a venue lives in real time; with ``exchange_core.testing``'s ``ManualClock`` it stands still until
someone moves it. Nothing in a simulated exchange waits: it looks at its clock whenever it is asked or stepped.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from exchange_core.clock import Clock, SystemClock
from exchange_core.errors import InvalidValue


class AcceleratedClock:
    """A clock that runs *factor* times as fast as another one.

    Exchange and makers may live by it; clients that sign with their own time should too, where a venue compares.
    """

    def __init__(self, factor: float, *, start: datetime | None = None, clock: Clock | None = None) -> None:
        """Args:
        factor: 60 makes an hour of a minute.
        start: Where it begins; now unless given.
        clock: The clock that it is made of; the real one unless given.
        """
        if not factor > 0:
            raise InvalidValue(f"clock: {factor} is no factor above zero")
        self.factor = factor
        self._clock = clock or SystemClock()
        self._begun = self._clock.monotonic()
        self._start = start or self._clock.now()
        self._start_ns = int(self._start.timestamp() * 1_000_000) * 1_000

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def time_ns(self) -> int:
        return self._start_ns + round(self.monotonic() * 1_000_000_000)

    def monotonic(self) -> float:
        return (self._clock.monotonic() - self._begun) * self.factor

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds / self.factor)
