"""How much may be asked for within a while. Pure, time comes in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container

import attrs

from exchange_core.model.event import Subscription

REQUESTS = 10.0
"""Requests within a second. No number is published for v2; about this many are known to pass."""

MOST_AT_ONCE = 200
"""Symbols in one request. No limit is published; each is answered by itself, so that none is to be too long."""


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


@attrs.define
class RequestPace:
    """When subscriptions may be asked for: so many requests, and where symbols cost too, so much of them.

    Attributes:
        symbols: Limits what subscriptions cost, as *cost* says; None where they cost nothing.
    """

    symbols: Pace | None = None
    cost: Callable[[Subscription], float] = lambda _: 0.0
    requests: Pace = attrs.field(factory=lambda: Pace(REQUESTS))

    def is_free(self, now: float) -> bool:
        """Return whether one more request may be made."""
        return self.requests.room(now) >= 1

    def fitting(self, carriers: list[Subscription], afresh: Container[Subscription], now: float) -> list[Subscription]:
        """Return the first of *carriers* that may be asked for now, as many as go into one request.

        Args:
            afresh: What has to be ended before, which is a request more.
        """
        fitting = carriers[:MOST_AT_ONCE]
        if self.requests.room(now) < 1 + any(carrier in afresh for carrier in fitting):
            return []
        if self.symbols is not None:
            room = self.symbols.room(now)
            for number, carrier in enumerate(fitting):
                room -= self.cost(carrier)
                if room < 0:
                    return fitting[:number]
        return fitting

    def spend(self, carriers: list[Subscription], requests: int, now: float) -> None:
        """Note that *carriers* were asked for."""
        self.requests.spend(requests, now)
        if self.symbols is not None:
            self.symbols.spend(sum(map(self.cost, carriers)), now)
