"""Rate limits as the venues publish them: counters that fill and drain, asked before anything is sent.

Pure: time comes in as seconds, the wait goes out as seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import attrs


class Cost(NamedTuple):
    """What a call takes from one pool.

    Attributes:
        pool: Which limiter of the venue.
        amount: How much.
        key: For limiters that count per something, such as the pair.
        urgent: May use the part that is kept for cancels.
    """

    pool: str
    amount: float = 1.0
    key: str = ""
    urgent: bool = False


class Limiter(Protocol):
    """One of a venue's limits."""

    def delay(self, cost: Cost, now: float) -> float:
        """Return seconds to wait before *cost* may be spent; 0 for at once."""
        ...

    def spend(self, cost: Cost, now: float) -> None:
        """Count *cost*, whatever the limit says."""
        ...

    def pause(self, seconds: float, now: float) -> None:
        """Let nothing through for *seconds*: the venue said that it was too much."""
        ...


@attrs.define
class DecayingCounter:
    """A counter per key that rises with each call and drains steadily; above *maximum* the venue refuses.

    Attributes:
        maximum: Highest value the venue accepts.
        decay: How much drains in a second.
        reserve: How much of *maximum* is kept for urgent calls (cancels).
    """

    maximum: float
    decay: float
    reserve: float = 0.0
    _counts: dict[str, tuple[float, float]] = attrs.field(factory=dict, init=False, repr=False)
    _paused_until: float = attrs.field(default=float("-inf"), init=False, repr=False)

    def level(self, key: str, now: float) -> float:
        """Return the counter of *key* at *now*."""
        count, when = self._counts.get(key, (0.0, now))
        return max(0.0, count - max(0.0, now - when) * self.decay)

    def delay(self, cost: Cost, now: float) -> float:
        room = self.maximum - (0.0 if cost.urgent else self.reserve)
        # A call that costs more than the whole room passes once the counter is empty.
        over = self.level(cost.key, now) + min(cost.amount, room) - room
        return max(0.0, over / self.decay, self._paused_until - now)

    def spend(self, cost: Cost, now: float) -> None:
        self._counts[cost.key] = (self.level(cost.key, now) + cost.amount, now)

    def pause(self, seconds: float, now: float) -> None:
        self._paused_until = max(self._paused_until, now + seconds)


@attrs.define
class Limits:
    """All limiters of one account at one venue, by pool name. A pool without a limiter is free."""

    limiters: Mapping[str, Limiter]

    def delay(self, costs: Sequence[Cost], now: float) -> float:
        """Return seconds to wait before a call with *costs* may go."""
        return max((self.limiters[c.pool].delay(c, now) for c in costs if c.pool in self.limiters), default=0.0)

    def spend(self, costs: Sequence[Cost], now: float) -> None:
        """Count *costs* in every pool."""
        for cost in costs:
            if cost.pool in self.limiters:
                self.limiters[cost.pool].spend(cost, now)

    def pause(self, costs: Sequence[Cost], seconds: float, now: float) -> None:
        """Close the pools that *costs* touch, after the venue refused for its limit."""
        for cost in costs:
            if cost.pool in self.limiters:
                self.limiters[cost.pool].pause(seconds, now)
