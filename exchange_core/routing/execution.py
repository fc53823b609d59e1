"""Carry out a plan: send every leg once, at the same time, and stay until each one's end is known or given up.

Whatever happens, a leg is sent once. A leg whose outcome is not known is reported as such, and nobody sends its
quantity elsewhere: it may be executed already.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from weakref import WeakSet

from exchange_core.clock import Clock, SystemClock
from exchange_core.errors import OrderRefused, UnknownVenue
from exchange_core.routing.leg import LegRun, Patience
from exchange_core.routing.planner import MAX_AGE
from exchange_core.routing.plans import Plan
from exchange_core.routing.result import RouteResult
from exchange_core.venue.protocol import Venue

_log = logging.getLogger(__name__)

_started: WeakSet[Plan] = WeakSet()


class Execution:
    """One run of one plan. *result* can be read at any time, also after a cancellation."""

    def __init__(
        self,
        plan: Plan,
        venues: Mapping[str, Venue],
        *,
        patience: Patience | None = None,
        max_age: timedelta = MAX_AGE,
        clock: Clock | None = None,
    ) -> None:
        """Args:
        patience: How long to wait for what.
        max_age: How old the plan may be when it is carried out.

        Raises:
            UnknownVenue: A leg's venue is not among *venues*.
        """
        self._plan = plan
        self._max_age = max_age
        self._clock = clock or SystemClock()
        self._patience = patience or Patience()
        for leg in plan.legs:
            if leg.venue not in venues:
                raise UnknownVenue(f"route: no venue {leg.venue!r}; there are {', '.join(venues) or 'none'}")
        self._legs = [LegRun(leg, venues[leg.venue], self._patience, self._clock) for leg in plan.legs]

    @property
    def result(self) -> RouteResult:
        """What is known so far."""
        results = tuple(leg.result for leg in self._legs)
        return RouteResult(request=self._plan.request, plans=(self._plan,), legs=results)

    async def run(self) -> RouteResult:
        """Send the legs and wait for their ends.

        On cancellation the legs that are still open are cancelled at their venues, within the time allowed, before
        the cancellation goes on; what became of them is logged and stays in *result*.

        Raises:
            OrderRefused: The plan is too old, or was carried out before. Nothing was sent.
        """
        self._check()
        _started.add(self._plan)
        # No TaskGroup: it would cancel the legs in the middle of sending, which is what makes outcomes unknown.
        tasks = [asyncio.create_task(leg.run(), name=f"route: {leg.leg.venue}") for leg in self._legs]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            await self._stop(tasks)
            raise
        return self.result

    async def _stop(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Let each leg come to an end that is known; when time is up, or at a second cancellation, leave it unknown."""
        for leg in self._legs:
            leg.stop()
        try:
            await asyncio.wait(tasks, timeout=self._patience.at_most)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _log.warning("route was cancelled: %s", "; ".join(self.result.explain()))

    def _check(self) -> None:
        age = self._clock.now() - self._plan.made
        if self._plan in _started:
            raise OrderRefused(f"route {self._plan.request.symbol}: this plan was carried out before; make a new one")
        if age > self._max_age:
            raise OrderRefused(
                f"route {self._plan.request.symbol}: the plan is {age.total_seconds():g} s old, "
                f"{self._max_age.total_seconds():g} s are allowed; make a new one"
            )


async def execute(
    plan: Plan,
    venues: Mapping[str, Venue],
    *,
    patience: Patience | None = None,
    max_age: timedelta = MAX_AGE,
    clock: Clock | None = None,
) -> RouteResult:
    """Carry out *plan* once; see :class:`Execution`."""
    return await Execution(plan, venues, patience=patience, max_age=max_age, clock=clock).run()
