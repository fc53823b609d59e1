"""Faults, by the control port. One that is about several venues has the same name at each, and counts at each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from exchange_core.simulator.control.input import BadRequest, Body, NoSuchThing
from exchange_core.simulator.faults.schedule import Fault, FaultSchedule, parse_fault, read_fault
from exchange_core.simulator.faults.tally import Tally
from exchange_core.simulator.launch import RunningSimulator

Row = dict[str, Any]


class FaultCalls:
    """Shows faults in force, adds and ends them."""

    def __init__(self, venues: Mapping[str, RunningSimulator]) -> None:
        self._venues = venues

    def all(self, body: Body) -> list[Row]:
        return [_row(venue, tally) for venue, tally in self._tallies()]

    def named(self, body: Body, name: str) -> list[Row]:
        rows = [_row(venue, tally) for venue, tally in self._tallies() if tally.name == name]
        if not rows:
            there_are = sorted({tally.name for _, tally in self._tallies()})
            raise NoSuchThing(f"fault {name!r} is none; there are: {', '.join(there_are) or 'none'}")
        return rows

    def add(self, body: Body) -> list[Row]:
        """Put one more in force: a table as JSON, or a line as ``exchange simulate --fault`` has it."""
        fault = self._read(body)
        concerned = [each for each in self._venues.values() if FaultSchedule(faults=(fault,)).of(each.section).faults]
        for each in concerned:
            each.faults.check(fault)
        for each in concerned:
            each.faults.add(fault)
        return self.named(body, fault.name)

    def remove(self, body: Body, name: str) -> list[Row]:
        """End one; return what it counted."""
        rows = self.named(body, name)
        for each in self._venues.values():
            for tally in [tally for tally in each.faults.tallies if tally.name == name]:
                each.faults.remove(tally)
        return rows

    def clear(self, body: Body) -> list[Row]:
        """End all; return what they counted."""
        rows = self.all(body)
        for each in self._venues.values():
            each.faults.clear()
        return rows

    def _read(self, body: Body) -> Fault:
        sections = {each.section for each in self._venues.values()}
        taken = {tally.name for _, tally in self._tallies()}
        fault = parse_fault(body.json(float), sections) if body.is_json else read_fault(body.text, sections)
        if fault.name in taken:
            raise BadRequest(
                f"name: there is a fault {fault.name!r} already; end it first: DELETE /faults/{fault.name}"
            )
        if fault.name:
            return fault
        free = next(str(number) for number in range(1, len(taken) + 2) if str(number) not in taken)
        return attrs.evolve(fault, name=free)

    def _tallies(self) -> Iterator[tuple[str, Tally]]:
        for name, each in self._venues.items():
            for tally in each.faults.tallies:
                yield name, tally


def _row(venue: str, tally: Tally) -> Row:
    """Return the fault as its table would be, with what it counted."""
    fault = tally.fault
    occasion = {
        field.name: getattr(fault, field.name)
        for field in attrs.fields(Fault)
        if field.name not in ("name", "venue", "action") and getattr(fault, field.name) != field.default
    }
    action = {field.name: getattr(fault.action, field.name) for field in attrs.fields(type(fault.action))}
    counts = {"matched": tally.matched, "fired": tally.fired}
    return {"name": tally.name, "venue": venue, **occasion, "action": fault.action.word, **action, **counts}
