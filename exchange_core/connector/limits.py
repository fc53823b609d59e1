"""Rate limits as the venues publish them: counters that fill and drain, asked before anything is sent.

Pure: time comes in as seconds, the wait goes out as seconds.

A venue counts a request when it arrives, somewhere between our sending it and its answer. So what is sent is *held*,
in full and without draining, and drains only from its answer on (*settled*). Our count is then at no time below the
venue's, however long requests are on their way and however they bunch there. That costs no throughput where a counter
drains steadily, and a round trip in each window where it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, Protocol, Self

import attrs


class Cost(NamedTuple):
    """What a call takes from one pool.

    Attributes:
        pool: Which limiter of the venue.
        amount: How much.
        key: For limiters that count per something, such as the pair.
        urgent: May use the part that is kept for cancels.
        overshoots: The venue carries it out however full the counter is, and counts it: it never waits.
    """

    pool: str
    amount: float = 1.0
    key: str = ""
    urgent: bool = False
    overshoots: bool = False


def is_urgent(costs: Iterable[Cost]) -> bool:
    """Return whether a call with *costs* may use what is kept for cancels."""
    for cost in costs:  # noqa: SIM110 (a generator takes several times as long, once an order)
        if cost.urgent:
            return True
    return False


@attrs.frozen(kw_only=True)
class LimitState:
    """How full one counter is.

    Attributes:
        pool: Which limiter, as in ``Cost``.
        key: Which of its counters, such as the pair; empty where it has one only.
        level: What the venue has counted at most; what is on its way is in it.
        maximum: What the venue allows, as published.
        reserve: How much of that is kept for cancels.
        paused: Seconds until anything is let through, after the venue refused for this limit.
        cancels_paused: The same for cancels.
    """

    pool: str
    key: str = ""
    level: float
    maximum: float
    reserve: float = 0.0
    paused: float = 0.0
    cancels_paused: float = 0.0


class Limiter(Protocol):
    """One of a venue's limits."""

    def delay(self, cost: Cost, now: float) -> float:
        """Return seconds to wait before *cost* may be spent; 0 for at once.

        Where calls on their way stand in between, it is a guess: as if they were answered now.
        """
        ...

    def spend(self, cost: Cost, now: float) -> None:
        """Count *cost*, whatever the limit says, as if the venue had counted it now."""
        ...

    def hold(self, cost: Cost, now: float) -> None:
        """Count the *cost* of a call that is sent now; it does not drain before it is settled."""
        ...

    def settle(self, cost: Cost, now: float) -> None:
        """The call is answered, or given up: let its *cost*, which was held, drain from now on."""
        ...

    def pause(self, cost: Cost, seconds: float, now: float) -> None:
        """Let nothing like *cost* through for *seconds*: the venue said that it was too much."""
        ...

    def correct(self, key: str, level: float, now: float) -> None:
        """Take the venue's own count of *key*, as far as it is safe."""
        ...

    def adopt(self, other: Any, now: float) -> None:
        """Take the figures of *other*, a limiter of the same kind for another level of account, and keep the counts."""
        ...

    def states(self, pool: str, now: float) -> Iterable[LimitState]:
        """Return each counter that is not empty or is paused; the only one in any case, where there is but one."""
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

    def left(self, key: str, urgent: bool, now: float) -> float:
        """Return for how many seconds that lane is closed."""
        until = self._until.get((key, urgent)) if self._until else None
        return 0.0 if until is None else max(0.0, until - now)

    def keys(self) -> set[str]:
        return {key for key, _ in self._until}


# News of a venue's count may be so much older than our last answer, in seconds.
_NEWS_LAG = 2.0
# What is left of sums of fractions.
_DUST = 1e-9


@attrs.define
class DecayingCounter:
    """A counter per key that rises with each call and drains steadily; above *maximum* the venue refuses.

    Attributes:
        maximum: Highest value the venue accepts.
        decay: How much drains in a second.
        reserve: How much of *maximum* is kept for urgent calls (cancels).
        margin: How much of it is left alone. A venue that drains in steps lags behind by up to one step.
        per_key: Whether it counts per something; if not, its one counter always shows in ``states``.
    """

    maximum: float
    decay: float
    reserve: float = 0.0
    margin: float = 0.0
    per_key: bool = False
    _counts: dict[str, tuple[float, float]] = attrs.field(factory=dict, init=False, repr=False)
    _held: dict[str, float] = attrs.field(factory=dict, init=False, repr=False)
    _answered: dict[str, float] = attrs.field(factory=dict, init=False, repr=False)
    _pauses: Pauses = attrs.field(factory=Pauses, init=False, repr=False)

    def level(self, key: str, now: float) -> float:
        """Return what the venue has counted for *key* at most, what is on its way included."""
        return self._drained(key, now) + self._held.get(key, 0.0)

    def delay(self, cost: Cost, now: float) -> float:
        if cost.overshoots:
            return 0.0
        room = self.maximum - self.margin - (0.0 if cost.urgent else self.reserve)
        # A call that costs more than the whole room passes once the counter is empty.
        over = self.level(cost.key, now) + min(cost.amount, room) - room
        paused = self._pauses.left(cost.key, cost.urgent, now)
        return max(paused, over / self.decay) if over > 0 else paused

    def spend(self, cost: Cost, now: float) -> None:
        self._counts[cost.key] = (self._drained(cost.key, now) + cost.amount, now)

    def hold(self, cost: Cost, now: float) -> None:
        self._held[cost.key] = self._held.get(cost.key, 0.0) + cost.amount

    def settle(self, cost: Cost, now: float) -> None:
        left = self._held.get(cost.key, 0.0) - cost.amount
        if left > _DUST:
            self._held[cost.key] = left
        else:
            self._held.pop(cost.key, None)
        self.spend(cost, now)
        self._answered[cost.key] = now

    def pause(self, cost: Cost, seconds: float, now: float) -> None:
        self._pauses.add(cost, seconds, now)

    def correct(self, key: str, level: float, now: float) -> None:
        """Take the venue's own count of *key*.

        One above ours, with all that is on its way, is taken at once: somebody else uses the account. What is on its
        way is counted on top of it, as it may not be in it yet. A lower one is taken only when nothing of ours is on
        its way nor was just answered: it may be from before that arrived.
        """
        quiet = key not in self._held and now - self._answered.get(key, -_NEWS_LAG) >= _NEWS_LAG
        if quiet or level > self.level(key, now):
            self._counts[key] = (max(0.0, level), now)

    def adopt(self, other: Any, now: float) -> None:
        self._counts = {key: (self._drained(key, now), now) for key in self._counts}
        self.maximum, self.decay, self.reserve, self.margin = other.maximum, other.decay, other.reserve, other.margin

    def states(self, pool: str, now: float) -> Iterable[LimitState]:
        keys = {*self._counts, *self._held, *self._pauses.keys(), *(() if self.per_key else ("",))}
        for key in sorted(keys):
            level = self.level(key, now)
            paused, cancels_paused = (self._pauses.left(key, urgent, now) for urgent in (False, True))
            if level or paused or cancels_paused or not (key or self.per_key):
                yield LimitState(
                    pool=pool,
                    key=key,
                    level=level,
                    maximum=self.maximum,
                    reserve=self.reserve,
                    paused=paused,
                    cancels_paused=cancels_paused,
                )

    def _drained(self, key: str, now: float) -> float:
        counted = self._counts.get(key)
        if counted is None:
            return 0.0
        count, when = counted
        left = count - (now - when) * self.decay if now > when else count
        return left if left > 0 else 0.0


@attrs.define
class Limits:
    """All limiters of one account at one venue, by pool name. A pool without a limiter is free.

    Attributes:
        per_address: Pools that the venue counts for all who come from one address, whatever their key.
        open_orders: How many orders of one symbol may be open at once; None where that is not published.
    """

    limiters: Mapping[str, Limiter]
    per_address: frozenset[str] = frozenset()
    open_orders: int | None = None

    def delay(self, costs: Sequence[Cost], now: float) -> float:
        """Return seconds to wait before a call with *costs* may go."""
        wait = 0.0
        for cost in costs:
            if (limiter := self.limiters.get(cost.pool)) is not None and (delay := limiter.delay(cost, now)) > wait:
                wait = delay
        return wait

    def spend(self, costs: Sequence[Cost], now: float) -> None:
        """Count *costs* in every pool, as counted by the venue now."""
        for cost in costs:
            if (limiter := self.limiters.get(cost.pool)) is not None:
                limiter.spend(cost, now)

    def hold(self, costs: Sequence[Cost], now: float) -> None:
        """Count *costs* of a call that is sent now, in every pool; settle them when it is answered."""
        for cost in costs:
            if (limiter := self.limiters.get(cost.pool)) is not None:
                limiter.hold(cost, now)

    def settle(self, costs: Sequence[Cost], now: float) -> None:
        """Let *costs* that were held drain from now on."""
        for cost in costs:
            if (limiter := self.limiters.get(cost.pool)) is not None:
                limiter.settle(cost, now)

    def pause(self, costs: Sequence[Cost], seconds: float, now: float) -> None:
        """Hold back what is like *costs* in every pool, after the venue refused for its limit."""
        for cost in costs:
            if (limiter := self.limiters.get(cost.pool)) is not None:
                limiter.pause(cost, seconds, now)

    def correct(self, pool: str, key: str, level: float, now: float) -> None:
        """Take the venue's own count, as far as it is safe."""
        if pool in self.limiters:
            self.limiters[pool].correct(key, level, now)

    def adopt(self, other: Limits, now: float) -> None:
        """Take the figures of *other*, which are the same limits for another level of account, and keep the counts."""
        for pool, limiter in self.limiters.items():
            if pool in other.limiters:
                limiter.adopt(other.limiters[pool], now)
        self.open_orders = other.open_orders

    def states(self, now: float) -> list[LimitState]:
        """Return how full each counter is."""
        return [state for pool, limiter in self.limiters.items() for state in limiter.states(pool, now)]

    def copy(self) -> Self:
        """Return limits that count on by themselves, from where these stand."""
        return deepcopy(self)
