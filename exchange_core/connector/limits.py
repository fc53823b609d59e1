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

    def pause(self, cost: Cost, seconds: float, now: float) -> None:
        """Let nothing like *cost* through for *seconds*: the venue said that it was too much."""
        ...


@attrs.define
class Pauses:
    """What the venue refused for its limit: the key that it was about, and no other, waits.

    A refused order leaves cancels their way. They may still be taken, a refused one costs nothing, and one that was
    held back costs money. A refused cancel closes the key for all.
    """

    _until: dict[tuple[str, bool], float] = attrs.field(factory=dict, init=False, repr=False)

    def add(self, cost: Cost, seconds: float, now: float) -> None:
        """Close the lane of *cost* for *seconds*."""
        self._until = {lane: until for lane, until in self._until.items() if until > now}
        for urgent in (False, True) if cost.urgent else (False,):
            lane = (cost.key, urgent)
            self._until[lane] = max(self._until.get(lane, now), now + seconds)

    def left(self, cost: Cost, now: float) -> float:
        """Return for how many seconds the lane of *cost* is closed."""
        until = self._until.get((cost.key, cost.urgent)) if self._until else None
        return 0.0 if until is None else max(0.0, until - now)


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
    _pauses: Pauses = attrs.field(factory=Pauses, init=False, repr=False)

    def level(self, key: str, now: float) -> float:
        """Return the counter of *key* at *now*."""
        count, when = self._counts.get(key, (0.0, now))
        return max(0.0, count - max(0.0, now - when) * self.decay)

    def delay(self, cost: Cost, now: float) -> float:
        room = self.maximum - (0.0 if cost.urgent else self.reserve)
        # A call that costs more than the whole room passes once the counter is empty.
        over = self.level(cost.key, now) + min(cost.amount, room) - room
        return max(0.0, over / self.decay, self._pauses.left(cost, now))

    def spend(self, cost: Cost, now: float) -> None:
        self._counts[cost.key] = (self.level(cost.key, now) + cost.amount, now)

    def pause(self, cost: Cost, seconds: float, now: float) -> None:
        self._pauses.add(cost, seconds, now)


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
        """Hold back what is like *costs* in every pool, after the venue refused for its limit."""
        for cost in costs:
            if cost.pool in self.limiters:
                self.limiters[cost.pool].pause(cost, seconds, now)
