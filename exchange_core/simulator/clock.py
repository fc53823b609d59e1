"""Clocks for simulated venues: time that passes faster, or slower, than ours, or stands still until someone moves it.

With the real clock a venue lives in real time. Nothing in a simulated exchange waits: it looks at its clock whenever it
is asked or stepped.
"""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

from exchange_core.clock import Clock, SystemClock
from exchange_core.errors import InvalidValue

# Enough turns of the event loop for woken tasks to do what they do next; it takes no time.
_TURNS = 20


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


class SteppedClock:
    """Time that passes only in :meth:`advance` or :meth:`forward`. Sleepers wake in the order in which they are due."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._fell_asleep = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def time_ns(self) -> int:
        return int(self._start.timestamp()) * 1_000_000_000 + round(self._elapsed * 1_000_000_000)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._after(seconds), self._count, woken))
        self._fell_asleep.set()
        await woken

    def forward(self, seconds: float) -> None:
        """Let *seconds* pass while nobody sleeps."""
        assert not self.sleepers, "somebody sleeps: advance() wakes those who are due"
        self._elapsed = self._after(seconds)

    async def advance(self, seconds: float) -> None:
        """Let *seconds* pass, step by step, and all that are due act in between."""
        target = self._after(seconds)
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._elapsed = due
                woken.set_result(None)
                await self._settle()
        self._elapsed = target
        await self._settle()

    async def hurry(self, seconds: float, strides: int) -> None:
        """Let *seconds* pass in so many strides; who is due within one wakes once, at its end."""
        begun, target = self._elapsed, self._after(seconds)
        for number in range(1, strides + 1):
            self._elapsed = target if number == strides else round(begun + seconds * number / strides, 9)
            while self._sleepers and self._sleepers[0][0] <= self._elapsed:
                woken = heapq.heappop(self._sleepers)[2]
                if not woken.done():
                    woken.set_result(None)
            await self._settle()

    @property
    def sleepers(self) -> list[float]:
        """When those who sleep now will wake, soonest first."""
        return sorted(due for due, _, woken in self._sleepers if not woken.done())

    async def until_asleep(self, count: int = 1) -> None:
        """Wait until at least *count* tasks sleep, ten real seconds at most."""
        async with asyncio.timeout(10):
            while len(self.sleepers) < count:
                self._fell_asleep.clear()
                await self._fell_asleep.wait()

    def _after(self, seconds: float) -> float:
        return round(self._elapsed + seconds, 9)  # five steps of 0.2 are a second

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
