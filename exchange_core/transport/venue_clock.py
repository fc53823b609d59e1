"""The venue's clock, as far as its answers show it: what is compared with times of the venue goes by it.

A local clock that is ten seconds behind makes deadlines useless, one that is ahead has every order refused. An answer
that says when it was written was written between the sending of its request and its arrival: that bounds how far the
venue's clock is ahead. Where the bounds leave room for a local clock that is right, it is taken as it is; where they do
not, time here is the latest that it can be at the venue: a deadline is then never earlier there than it was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.rest import HttpReply
from exchange_core.errors import ProtocolError

# Seconds between two looks at the time of an answer; and after which an older one counts no more: clocks drift.
LOOK_EVERY = 1.0
FORGET_AFTER = 600.0
# From so much on it is told.
NOTABLE = timedelta(seconds=1)

# What says that it is another year is no clock.
_YEARS = range(2000, 3000)

_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_NONE = timedelta(0)


@attrs.frozen(kw_only=True)
class ClockReading:
    """How far a venue's clock is ahead of ours, as its answers show; below zero where it is behind.

    Attributes:
        least: It is ahead by no less than this,
        most: and by no more.
        correction: What is added to our time where it is compared with the venue's; 0 where ours may be right.
        read: When, by our clock.
    """

    least: timedelta
    most: timedelta
    correction: timedelta
    read: datetime

    @property
    def is_notable(self) -> bool:
        """Whether the local clock is wrong by a second or more."""
        return max(self.least, -self.most) >= NOTABLE

    def __str__(self) -> str:
        ends = self.least.total_seconds(), self.most.total_seconds()
        return "the venue's clock is {:+.3f} to {:+.3f} s ahead of ours".format(*ends)


class VenueClock:
    """A clock that shows the venue's time, and is as good as *clock* in all else.

    Args:
        clock: The local one. Nonces, waits and time-outs go by it alone.
        tell: Told when the local clock turns out to be wrong, or right again.
        server_time: Reads from an answer when it was written, exact to a millisecond; the ``Date`` header, which has
            whole seconds, tells it else.

    Attributes:
        reading: The newest; None before there is one.
        server_time: As it was given.
    """

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[ClockReading], None] = lambda reading: None,
        server_time: Callable[[HttpReply], datetime | None] = lambda reply: None,
    ) -> None:
        self.reading: ClockReading | None = None
        self.server_time = server_time
        self.time_ns = clock.time_ns
        self.monotonic = clock.monotonic
        self.sleep = clock.sleep
        self._local = clock.now
        self._tell = tell
        self._correction = _NONE
        self._looked = float("-inf")
        self._learned = float("-inf")
        self._doubt: tuple[timedelta, timedelta] | None = None
        self._told = False

    def now(self) -> datetime:
        """Return the time that it is at the venue."""
        return self._local() + self._correction if self._correction else self._local()

    def hear(self, reply: HttpReply, began: float) -> None:
        """Learn from an answer.

        Args:
            began: When its request was sent, as :meth:`monotonic` has it.
        """
        arrived = self.monotonic()
        if arrived - self._looked < LOOK_EVERY:
            return
        self._looked = arrived
        told = self._written(reply)
        if told is None or told[0].year not in _YEARS:
            return
        written, width = told
        here = self._local()
        trip = timedelta(seconds=arrived - began)
        self._learn(written - here, written - here + width + trip, arrived, here)

    def _learn(self, least: timedelta, most: timedelta, arrived: float, here: datetime) -> None:
        before = self.reading
        if before is not None and arrived - self._learned < FORGET_AFTER:
            if max(least, before.least) <= min(most, before.most):
                least, most = max(least, before.least), min(most, before.most)
            elif self._doubt is None or max(least, self._doubt[0]) > min(most, self._doubt[1]):
                # One that contradicts all before may have been kept by someone on the way; a second one is believed.
                self._doubt = (least, most)
                return
        if before is None or (least, most) != (before.least, before.most) or self._doubt is not None:
            self._learned = arrived
        self._doubt = None
        self._correction = _NONE if least <= _NONE <= most else most
        self.reading = ClockReading(least=least, most=most, correction=self._correction, read=here)
        if self.reading.is_notable is not self._told:
            self._told = self.reading.is_notable
            self._tell(self.reading)

    def _written(self, reply: HttpReply) -> tuple[datetime, timedelta] | None:
        """Return when *reply* was written at the earliest, and how much later it may have been."""
        try:
            if reply.headers.get("age", "0") != "0":
                return None  # it was kept on the way
            exact = self.server_time(reply)
            if exact is not None:
                return exact, _MILLISECOND
            date = reply.headers.get("date")
            return None if date is None else (_date(date), _SECOND)
        except (ProtocolError, ValueError, TypeError, OverflowError):
            return None


@lru_cache(maxsize=8)
def _date(text: str) -> datetime:
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
