"""Nonces of one API key: strictly increasing, whatever the clock does."""

from __future__ import annotations

import attrs

from exchange_core.clock import Clock, SystemClock

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000


@attrs.define
class NonceSource:
    """Makes the nonces of one key. A key that two programs use needs a nonce window at the venue.

    Attributes:
        unit: Nanoseconds in one step. Never make it coarser for a key that is in use: the venue remembers the
            highest nonce for good.
        last: The highest nonce made so far; carry it over a restart where the clock may have been set back.
        hold: Seconds for which the next request waits after one was written, unless it is answered sooner. Requests
            travel on several connections and may overtake each other, and a venue refuses a nonce below the highest
            it has seen. Without an end to it, one slow answer would keep a cancel waiting.
    """

    clock: Clock = attrs.field(factory=SystemClock, repr=False)
    unit: int = NANOSECOND
    last: int = 0
    hold: float = 1.0

    def next(self) -> int:
        """Return a nonce above all earlier ones."""
        self.last = max(self.clock.time_ns() // self.unit, self.last + 1)
        return self.last
