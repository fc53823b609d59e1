"""The faults in force at a simulated venue: decides which of them strikes, and counts.

Can be changed while the venue runs. Every fault has a random generator of its own, made of the seed and its place, so
that the choices of one do not depend on the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import NamedTuple

from exchange_core.clock import Clock
from exchange_core.connector.rest import HttpRequest
from exchange_core.simulator.faults.actions import Action, OnVenue, Pass, Skew, SlowRead, SlowWrite
from exchange_core.simulator.faults.schedule import Fault, FaultSchedule, Where

_SLOW = (SlowRead, SlowWrite)


class Pace(NamedTuple):
    """How many bytes a second a connection is read and written with; None where nothing holds it up."""

    read: int | None = None
    write: int | None = None


class Tally:
    """One fault in force, and how often it was met.

    Attributes:
        name: The fault's, or its number where it has none.
        matched: How much it was about.
        fired: How often it struck.
        random: For what its action leaves to chance.
        since: When it befell the venue itself, or will; None before it struck what it is about.
    """

    def __init__(self, fault: Fault, name: str, random: Random, begins: float) -> None:
        self.fault = fault
        self.name = name
        self.matched = 0
        self.fired = 0
        self.random = random
        self.since: float | None = None if fault.is_about_traffic else begins
        self._begins = begins
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<fault {self.fault.name or self.fault.action.word}: fired {self.fired} of {self.matched}>"

    def wants(self, now: float) -> bool:
        """Count that it was met; return whether it is time to strike."""
        if now < self._begins:
            return False
        fault = self.fault
        self.matched += 1
        self._changed.set()
        # Drawn each time, so that it does not depend on what else strikes.
        lucky = fault.chance == 1 or self.random.random() < fault.chance
        return (
            lucky
            and fault.nth in (None, self.matched)
            and (fault.every is None or self.matched % fault.every == 0)
            and (fault.times is None or self.fired < fault.times)
        )

    def fire(self, now: float | None) -> None:
        """Count that it struck; what befalls the venue itself lasts from *now*."""
        self.fired += 1
        self.since = now
        self._changed.set()

    def is_in_force(self, now: float) -> bool:
        """Return whether it is one of the venue itself and lasts."""
        action = self.fault.action
        if not isinstance(action, OnVenue) or self.since is None or now < self.since:
            return False
        return action.seconds is None or now < self.since + action.seconds

    async def until_fired(self, count: int = 1) -> None:
        """Wait until it has struck *count* times."""
        while self.fired < count:
            await self._change()

    async def until_matched(self, count: int = 1) -> None:
        """Wait until it was met *count* times."""
        while self.matched < count:
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class Faults:
    """All faults in force at one venue.

    Attributes:
        clock: The venue's.
        tallies: What is in force, in the order in which it is asked.
        check: Raises ConfigError for what can never befall this venue.
    """

    def __init__(self, clock: Clock, schedule: FaultSchedule | None = None) -> None:
        schedule = schedule or FaultSchedule()
        self.clock = clock
        self.tallies: list[Tally] = []
        self.check: Callable[[Fault], None] = lambda fault: None
        self._seed = schedule.seed
        self._added = 0
        for fault in schedule.faults:
            self.add(fault)

    def __bool__(self) -> bool:
        return bool(self.tallies)

    def add(self, fault: Fault) -> Tally:
        """Put one more fault in force; what it counts can be read and waited for."""
        self.check(fault)
        random = Random(f"{self._seed}/{self._added}")
        self._added += 1
        tally = Tally(fault, fault.name or str(self._added), random, self.clock.monotonic() + fault.after)
        self.tallies.append(tally)
        return tally

    def remove(self, tally: Tally) -> None:
        """End one; what it did to a connection already, such as to freeze it, stays."""
        if tally in self.tallies:
            self.tallies.remove(tally)

    def clear(self) -> None:
        """End all."""
        self.tallies.clear()

    # What strikes

    def on_request(self, request: HttpRequest) -> Action | None:
        """Return what happens to an HTTP request; None when all is well."""
        struck = self._first([tally for tally in self._about(request) if not isinstance(tally.fault.action, SlowRead)])
        return struck.fault.action if struck else None

    def on_body(self, request: HttpRequest) -> int | None:
        """Return how many bytes a second are read of the body of *request*, of which only the head is known."""
        return self._slow(SlowRead, self._about(request))

    def on_frame(self, where: Where, path: str, frame: str = "") -> Tally | None:
        """Return what strikes a frame, or a handshake, on a WebSocket at *path*."""
        met = [tally for tally in self.tallies if tally.fault.is_about_frame(where, path, frame)]
        return self._first([tally for tally in met if not isinstance(tally.fault.action, _SLOW)])

    def on_connection(self, path: str) -> Pace:
        """Return how fast a new WebSocket at *path* is read and written."""
        met = [tally for tally in self.tallies if tally.fault.is_about_frame(Where.OPEN, path, "")]
        return Pace(self._slow(SlowRead, met), self._slow(SlowWrite, met))

    def in_force(self) -> list[Tally]:
        """Return what befalls the venue itself now."""
        now = self.clock.monotonic()
        return [tally for tally in self.tallies if tally.is_in_force(now)]

    def skew(self) -> timedelta:
        """Return how far the venue's clock is ahead now."""
        now, ahead = self.clock.monotonic(), 0.0
        for tally in self.in_force():
            if isinstance(tally.fault.action, Skew) and tally.since is not None:
                ahead += tally.fault.action.after(now - tally.since)
        return timedelta(seconds=ahead)

    def _about(self, request: HttpRequest) -> list[Tally]:
        if not self.tallies:
            return []
        path = request.target.partition("?")[0]
        text = f"{request.target}\n{request.body.decode('utf-8', 'replace')}"
        return [tally for tally in self.tallies if tally.fault.is_about_request(request.method, path, text)]

    def _slow(self, kind: type[SlowRead | SlowWrite], met: Sequence[Tally]) -> int | None:
        struck = self._first([tally for tally in met if isinstance(tally.fault.action, kind)])
        action = struck.fault.action if struck else None
        return action.bytes_per_second if isinstance(action, SlowRead | SlowWrite) else None

    def _first(self, met: Sequence[Tally]) -> Tally | None:
        """Let every one count; return the first that does something."""
        now = self.clock.monotonic()
        first = None
        for tally in met:
            passes = isinstance(tally.fault.action, Pass)
            if tally.wants(now) and (passes or first is None):
                tally.fire(now)
                first = first if passes else tally
        return first
