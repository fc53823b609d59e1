"""What ``exchange simulate`` is to do to its venues while they run: faults, time, and the control port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from exchange_core.cli.simulate_files import Saved, write_saved
from exchange_core.clock import Clock, SystemClock
from exchange_core.errors import ConfigError
from exchange_core.simulator.clock import AcceleratedClock, SteppedClock
from exchange_core.simulator.control.api import ControlServer
from exchange_core.simulator.faults.schedule import Fault, FaultSchedule, read_fault, read_faults
from exchange_core.simulator.launch import RunningSimulator

_FASTEST = 3600


def read_schedule(path: Path | None, lines: Sequence[str], sections: Collection[str], seed: int) -> FaultSchedule:
    """Return the faults of a file and those of single lines, in this order; the file's seed counts where it has one.

    Raises:
        ConfigError: Names the option, and what would have been right.
    """
    schedule = FaultSchedule(seed=seed) if path is None else read_faults(path, venues=sections)
    return schedule.plus([_fault(line, sections) for line in lines])


def _fault(line: str, sections: Collection[str]) -> Fault:
    try:
        return read_fault(line, venues=sections)
    except ConfigError as error:
        raise ConfigError(f"--fault {line!r}: {error}") from None


def clock_of(speed: float, before: Saved | None) -> Clock:
    """Return the time of the exchange, which never goes back behind what was saved; 0 lets it stand still."""
    if not 0 <= speed <= _FASTEST:
        raise ConfigError(f"--speed {speed:g}: expected a number from 0, where time stands still, to {_FASTEST}")
    now = datetime.now(UTC)
    begins = now if before is None else max(now, before.time)
    if speed == 0:
        return SteppedClock(begins)
    return SystemClock() if speed == 1 and begins == now else AcceleratedClock(speed, start=begins)


def saver(path: Path, running: Mapping[str, RunningSimulator], seed: int, clock: Clock) -> Callable[[], str]:
    """Return what writes the state of *running*, and says where."""

    def save() -> str:
        write_saved(path, running, seed, clock.now())
        return str(path)

    return save


@asynccontextmanager
async def controlled(
    port: int | None, running: Mapping[str, RunningSimulator], clock: Clock, save: Callable[[], str] | None
) -> AsyncIterator[dict[str, dict[str, str]]]:
    """Serve the control port, if there shall be one, while the ``async with`` lasts; return what to say of it.

    Args:
        save: Writes the state, and returns where.
    """
    if port is None:
        yield {}
        return
    async with ControlServer(running, clock, port=port, save=save) as server:
        yield {"control": {"url": server.url}}
