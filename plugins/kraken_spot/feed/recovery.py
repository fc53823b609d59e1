"""When to ask again for what failed: at once, and ever more slowly when it keeps failing. Pure, time comes in."""

from __future__ import annotations

import attrs

CALM = 60.0
"""Seconds without a failure after which the next one is the first again."""

SHORTEST, LONGEST = 1.0, 60.0
"""Seconds between the second failure in a row and the answer to it, and the most that this grows to."""


@attrs.define
class Recovery:
    """The failures of one thing.

    Attributes:
        due: When to ask again; None while nothing is to be asked.
        asked: When it was last asked for.
    """

    due: float | None = None
    asked: float = float("-inf")
    _failures: int = 0
    _last: float = float("-inf")

    def failed(self, now: float) -> None:
        """Note a failure, and decide when to ask again, unless that is decided already."""
        if self.due is not None:
            return
        if now - self._last > CALM + LONGEST:
            self._failures = 0
        self._last = now
        self._failures += 1
        wait = 0.0 if self._failures == 1 else min(LONGEST, SHORTEST * 2 ** min(self._failures - 2, 10))
        self.due = now + wait

    def is_due(self, now: float) -> bool:
        """Return whether it is to be asked for now."""
        return self.due is not None and now >= self.due

    def ask(self, now: float) -> None:
        """Note that it was asked for."""
        self.due, self.asked = None, now
