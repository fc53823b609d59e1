"""Silence after a lockout: while a venue ignores us, each further call makes it longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from exchange_core.clock import Clock
from exchange_core.errors import LockedOut, OrderRefused, VenueError

# Venues that say anything speak of about fifteen minutes; used where this one names no time.
LOCKOUT = 900.0


class Breaker:
    """Lets nothing through from a lockout until its end, then one call to see whether it is over."""

    def __init__(self, venue: str, clock: Clock) -> None:
        self._venue = venue
        self._clock = clock
        self._until: float | None = None
        self._probing = False

    @property
    def closes_at(self) -> datetime | None:
        """When calls will be let through again; None while they are."""
        if self._until is None:
            return None
        return self._clock.now() + timedelta(seconds=max(0.0, self._until - self._clock.monotonic()))

    def check(self) -> None:
        """Raise LockedOut, which says until when, unless a call may be made."""
        if self._until is None:
            return
        left = self._until - self._clock.monotonic()
        if left <= 0 and not self._probing:
            return
        when = (
            f"until {self.closes_at:%Y-%m-%d %H:%M:%S} UTC"
            if left > 0
            else "until a call that is under way is answered"
        )
        raise LockedOut(
            f"{self._venue}: locked out by the venue; nothing is sent {when}, because each call would make it longer",
            venue=self._venue,
            retry_after=max(left, 1.0),
        )

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Make one call inside: a lockout opens the breaker, any other answer to a probe closes it."""
        self.check()
        probe = self._until is not None
        self._probing = self._probing or probe
        try:
            yield
        except LockedOut as error:
            self._until = self._clock.monotonic() + (error.retry_after or LOCKOUT)
            raise
        except (VenueError, OrderRefused):
            self._answered(probe)
            raise
        else:
            self._answered(probe)
        finally:
            if probe:
                self._probing = False

    def _answered(self, probe: bool) -> None:
        # Only a probe was sent after the lockout began; the answer to an older call says nothing.
        if probe:
            self._until = None
