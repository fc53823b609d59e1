"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

# Enough turns of the event loop for woken tasks to do what they do next; it takes no time.
_TURNS = 20


class ManualClock:
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
