"""When to ask again for what was asked for in vain: soon at first, then ever more slowly. Pure, time comes in."""

from __future__ import annotations

import attrs

from exchange_core.model.event import Subscription

ATTEMPTS = 3
"""How often something is asked for in vain before that may be the connection's fault."""

LATER = 2.0
"""Seconds until something is asked for again that the venue could not do just then; doubled each time."""

SLOWER = 10.0
"""Seconds by which an answer is waited for longer once ATTEMPTS came to nothing; doubled each time."""

LONGEST = 60.0
"""Seconds that these grow to at most."""


@attrs.define
class Patience:
    """What was asked for in vain on one connection, how often in a row, and until when it is not asked for."""

    _failures: dict[Subscription, int] = attrs.field(factory=dict)
    _until: dict[Subscription, float] = attrs.field(factory=dict)

    def failed(self, carrier: Subscription) -> int:
        """Note that asking came to nothing; return how often in a row it did."""
        self._failures[carrier] = self._failures.get(carrier, 0) + 1
        return self._failures[carrier]

    def more(self, carrier: Subscription) -> float:
        """Return by how many seconds longer than usual an answer is waited for."""
        failures = self._failures.get(carrier, 0)
        return _growing(SLOWER, failures - ATTEMPTS) if failures >= ATTEMPTS else 0.0

    def pause(self, carrier: Subscription, now: float, since: int, seconds: float | None = None) -> None:
        """Do not ask for it for a while.

        Args:
            since: With which failure in a row that begins.
            seconds: How long, where the venue says so.
        """
        failures = self._failures.get(carrier, 0)
        if failures >= since:
            self._until[carrier] = now + (_growing(LATER, failures - since) if seconds is None else seconds)

    def is_over(self, carrier: Subscription, now: float) -> bool:
        """Return whether it may be asked for."""
        return now >= self._until.get(carrier, now)

    def forget(self, carrier: Subscription) -> None:
        """It worked, or is not wanted any more."""
        self._failures.pop(carrier, None)
        self._until.pop(carrier, None)

    def clear(self) -> None:
        """Forget everything: the connection is a new one."""
        self._failures.clear()
        self._until.clear()


def _growing(first: float, doublings: int) -> float:
    return min(LONGEST, first * 2.0 ** min(doublings, 10))
