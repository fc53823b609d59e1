"""CPU time of a few alternatives, measured in turn within one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def cpu_in_turn(runs: Mapping[str, Callable[[], object]], rounds: int = 7) -> dict[str, float]:
    """Return the median CPU seconds of each run; the runs take turns, so that a noisy moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}
