"""How long to wait before trying again, and how often a connection may be tried at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random

import attrs


def backoff(random: Random, *, first: float = 0.5, factor: float = 2.0, longest: float = 30.0) -> Iterator[float]:
    """Yield seconds to wait: growing, at most *longest*, and jittered so that many clients do not come back as one."""
    step = first
    while True:
        yield random.uniform(step / 2, step)
        step = min(step * factor, longest)


# Waiting exactly as long as it takes may, for the rounding of clocks, be too short by a hair.
_MARGIN = 0.001


@attrs.define
class ConnectBudget:
    """How many connection attempts a venue allows in any stretch of *window* seconds.

    Venues count per address, so one budget may be shared by all connections to a host.

    Attributes:
        attempts: How many.
        window: In how many seconds.
    """

    attempts: int
    window: float
    _made: deque[float] = attrs.field(factory=deque, init=False, repr=False)

    def delay(self, now: float) -> float:
        """Return seconds to wait before the next attempt."""
        while self._made and now - self._made[0] >= self.window:
            self._made.popleft()
        if len(self._made) < self.attempts:
            return 0.0
        return self.window - (now - self._made[0]) + _MARGIN

    def spend(self, now: float) -> None:
        """Count an attempt."""
        self._made.append(now)
