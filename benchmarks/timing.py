"""CPU time of alternatives that take turns within one run, and the figures made of it."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import attrs

NOISY = 0.3
"""From this spread on, as a part of the ratio, a figure is called noisy."""


@attrs.frozen(kw_only=True)
class Figure:
    """One line of the table: what we spend, what the other spends, and their ratio.

    Attributes:
        ours: Median of our rounds, in *unit*.
        other: Median of the other's rounds.
        ratio: Median of the ratios of the rounds; each is of two runs right after each other.
        low: The lower quartile of those ratios.
        high: The upper one.
        target: The most that the ratio may be; None where nothing was promised.
    """

    name: str
    ours: float
    other: float
    unit: str
    ratio: float
    low: float
    high: float
    target: float | None = None

    @property
    def is_noisy(self) -> bool:
        return self.high - self.low > NOISY * self.ratio

    @property
    def verdict(self) -> str:
        words = [] if self.target is None else ["pass" if self.ratio <= self.target else "FAIL"]
        return ", ".join(words + ["noisy"] * self.is_noisy)


def figure(
    name: str, rounds: Sequence[tuple[float, float]], *, scale: float, unit: str, target: float | None = None
) -> Figure:
    """Make a figure of rounds, each of what we spent and what the other spent.

    Args:
        scale: Turns what was measured into *unit*.
    """
    ratios = [ours / other for ours, other in rounds]
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    ours, other = (statistics.median(column) * scale for column in zip(*rounds, strict=True))
    return Figure(name=name, ours=ours, other=other, unit=unit, ratio=ratio, low=low, high=high, target=target)


def cpu(run: Callable[[], object]) -> float:
    """Return the CPU seconds of *run*, started with no garbage around."""
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def cpu_in_turn(runs: Mapping[str, Callable[[], object]], rounds: int = 7) -> dict[str, list[float]]:
    """Return the CPU seconds of each round of each run; they take turns, so that a noisy moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(cpu(run))
    return times


def pin() -> str:
    """Stay on one CPU where the system lets us, and say which; a server then has the others."""
    try:
        cpus = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cpus[-1:])
    except (AttributeError, OSError):
        return "not pinned to a CPU"
    return f"pinned to CPU {cpus[-1]} of {len(cpus)}"


def leave(pid: int = 0) -> None:
    """Let *pid*, or this process, have the CPUs other than those that it was started with."""
    try:
        mine, count = os.sched_getaffinity(pid), os.cpu_count() or 1
        if count > len(mine):
            os.sched_setaffinity(pid, set(range(count)) - mine)
    except (AttributeError, OSError):
        pass
