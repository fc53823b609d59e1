"""Silence after a lockout: while a venue ignores us, each further call makes it longer."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from exchange_core.clock import Clock
from exchange_core.errors import LockedOut, OrderRefused, VenueError

# Venues that say anything speak of about fifteen minutes; used where this one names no time.
LOCKOUT = 900.0


@attrs.define
class Lockout:
    """Whether a venue ignores a key.

    Attributes:
        until: By the clock's ``monotonic``; None while calls are let through.
        probing: One call is under way that will show whether it is over.
    """

    until: float | None = None
    probing: bool = False


class Breaker:
    """Lets nothing through from a lockout until its end, then one call to see whether it is over."""

    def __init__(self, venue: str, clock: Clock, lockout: Lockout | None = None) -> None:
        """Args:
        lockout: One that outlives this client, or is that of others with the same key too.
        """
        self._venue = venue
        self._clock = clock
        self._lockout = lockout or Lockout()

    @property
    def closes_at(self) -> datetime | None:
        """When calls will be let through again; None while they are."""
        if self._lockout.until is None:
            return None
        return self._clock.now() + timedelta(seconds=max(0.0, self._lockout.until - self._clock.monotonic()))

    def open(self, error: LockedOut) -> None:
        """Let nothing through from now on until the lockout ends that *error* tells of."""
        self._lockout.until = self._clock.monotonic() + (error.retry_after or LOCKOUT)

    def check(self) -> None:
        """Raise LockedOut, which says until when, unless a call may be made."""
        if self._lockout.until is None:
            return
        left = self._lockout.until - self._clock.monotonic()
        if left <= 0 and not self._lockout.probing:
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

    def watch(self) -> Watched:
        """Make one call inside: a lockout opens the breaker, any other answer to a probe closes it."""
        return Watched(self, self._lockout)


class Watched:
    """One call, to be made inside."""

    __slots__ = ("_breaker", "_is_probe", "_lockout")

    def __init__(self, breaker: Breaker, lockout: Lockout) -> None:
        self._breaker = breaker
        self._lockout = lockout
        self._is_probe = False

    def __enter__(self) -> None:
        self._breaker.check()
        self._is_probe = self._lockout.until is not None
        if self._is_probe:
            self._lockout.probing = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, LockedOut):
            self._breaker.open(error)
        elif self._is_probe and (error is None or isinstance(error, VenueError | OrderRefused)):
            # Only a probe was sent after the lockout began; the answer to an older call says nothing.
            self._lockout.until = None
        if self._is_probe:
            self._lockout.probing = False
