"""Time, by the control port."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from exchange_core.clock import Clock
from exchange_core.simulator.clock import SteppedClock
from exchange_core.simulator.control.input import BadRequest, Body, amount
from exchange_core.simulator.launch import RunningSimulator
from exchange_core.simulator.serving.server import TICK

_LONGEST = 24 * 3600
_STRIDES = 300


class TimeCalls:
    """Shows the time of venues, and lets it pass where it stands still."""

    def __init__(self, venues: Mapping[str, RunningSimulator], clock: Clock) -> None:
        self._venues = venues
        self._clock = clock

    def look(self, body: Body) -> dict[str, Any]:
        times = {name: each.exchange.now() for name, each in self._venues.items()}
        return {"venues": times, "stands_still": isinstance(self._clock, SteppedClock)}

    async def advance(self, body: Body) -> dict[str, Any]:
        seconds = amount(body.fields(["advance"]), "advance")
        if not isinstance(self._clock, SteppedClock):
            raise BadRequest("advance: time passes by itself here; start with --speed 0")
        if seconds > _LONGEST:
            raise BadRequest(f"advance: {seconds} seconds are more than a day, {_LONGEST}")
        # As often as in real time, but for long times, in which markets would move more often than anyone waits for.
        await self._clock.hurry(float(seconds), min(_STRIDES, ceil(float(seconds) / TICK)))
        return self.look(body)
