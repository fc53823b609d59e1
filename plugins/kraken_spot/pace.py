"""How much may be asked for within a while. Pure, time comes in."""

from __future__ import annotations

from collections import deque

import attrs


@attrs.define
class Pace:
    """At most *limit* within any *window* seconds."""

    limit: float
    window: float = 1.0
    _spent: deque[tuple[float, float]] = attrs.field(factory=deque, init=False)

    def room(self, now: float) -> float:
        """Return how much may be spent now."""
        while self._spent and now - self._spent[0][0] >= self.window:
            self._spent.popleft()
        return self.limit - sum(cost for _, cost in self._spent)

    def spend(self, cost: float, now: float) -> None:
        """Note that it was spent."""
        self._spent.append((now, cost))

    def stop(self, now: float) -> None:
        """Leave no room for a window: the other side finds it too much."""
        self._spent.clear()
        self.spend(self.limit, now)
