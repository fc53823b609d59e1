"""The faults in force at a simulated venue: decides which of them strikes, and counts.

Can be changed while the venue runs. Every fault has a random generator of its own, made of the seed and its place, so
that the choices of one do not depend on the others.
"""

from __future__ import annotations

import asyncio
from random import Random

from exchange_core.clock import Clock
from exchange_core.connector.rest import HttpRequest
from exchange_core.simulator.faults_actions import Action, Pass
from exchange_core.simulator.faults_schedule import Fault, FaultSchedule, Where


class Tally:
    """One fault in force, and how often it was met.

    Attributes:
        matched: How much it was about.
        fired: How often it struck.
        random: For what its action leaves to chance.
    """

    def __init__(self, fault: Fault, random: Random, begins: float) -> None:
        self.fault = fault
        self.matched = 0
        self.fired = 0
        self.random = random
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

    def fire(self) -> None:
        """Count that it struck."""
        self.fired += 1
        self._changed.set()

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
    """

    def __init__(self, clock: Clock, schedule: FaultSchedule | None = None) -> None:
        schedule = schedule or FaultSchedule()
        self.clock = clock
        self.tallies: list[Tally] = []
        self._seed = schedule.seed
        self._added = 0
        for fault in schedule.faults:
            self.add(fault)

    def __bool__(self) -> bool:
        return bool(self.tallies)

    def add(self, fault: Fault) -> Tally:
        """Put one more fault in force; what it counts can be read and waited for."""
        tally = Tally(fault, Random(f"{self._seed}/{self._added}"), self.clock.monotonic() + fault.after)
        self._added += 1
        self.tallies.append(tally)
        return tally

    def remove(self, tally: Tally) -> None:
        """End one; what it did already, such as a frozen connection, stays."""
        if tally in self.tallies:
            self.tallies.remove(tally)

    def clear(self) -> None:
        """End all."""
        self.tallies.clear()

    # What strikes

    def on_request(self, request: HttpRequest) -> Action | None:
        """Return what happens to an HTTP request; None when all is well."""
        if not self.tallies:
            return None
        path = request.target.partition("?")[0]
        text = f"{request.target}\n{request.body.decode('utf-8', 'replace')}"
        met = [tally for tally in self.tallies if tally.fault.is_about_request(request.method, path, text)]
        struck = self._first(met)
        return struck.fault.action if struck else None

    def on_frame(self, where: Where, path: str, frame: str = "") -> Tally | None:
        """Return what strikes a frame, or a handshake, on a WebSocket at *path*."""
        return self._first([tally for tally in self.tallies if tally.fault.is_about_frame(where, path, frame)])

    def _first(self, met: list[Tally]) -> Tally | None:
        """Let every one count; return the first that does something."""
        now = self.clock.monotonic()
        first = None
        for tally in met:
            passes = isinstance(tally.fault.action, Pass)
            if tally.wants(now) and (passes or first is None):
                tally.fire()
                first = first if passes else tally
        return first
