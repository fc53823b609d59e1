"""What importing costs: CPU time and memory of fresh processes, less those of an interpreter that imports nothing.

Against ``import ccxt``, which is not among the pinned packages: it is taken from this interpreter, or from the one that
the environment variable BENCH_CCXT_PYTHON names; without either it is left out. The second pair of figures is of the
least that a program with both plugins imports.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from benchmarks.timing import Figure, figure

ROUNDS = 9
TARGET = 0.2
# Not from getrusage: Linux counts there what the process was before it became Python, which is a copy of this one.
TELL_PEAK = """
with open("/proc/self/status", "rb") as status:
    print(next(int(line.split()[1]) for line in status if line.startswith(b"VmHWM")))
"""
ALL_OF_IT = "from exchange_core import connect, Hub, load_plugins; load_plugins().venues"


def cost(python: str, program: str) -> tuple[float, float]:
    """Return CPU milliseconds and the peak of memory in MB of one process."""
    process = subprocess.Popen([python, "-c", program + TELL_PEAK], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{python} -c {program!r} ended with {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1e3, int(told) / 1024


def growth(python: str, program: str) -> tuple[float, float]:
    """Return what *program* adds to a bare interpreter that is measured right before it."""
    bare, full = cost(python, "pass"), cost(python, program)
    # Never nothing: it is divided by.
    return max(full[0] - bare[0], 0.01), max(full[1] - bare[1], 0.01)


def measure(rounds: int = ROUNDS) -> Iterator[Figure | str]:
    python = os.environ.get("BENCH_CCXT_PYTHON") or (sys.executable if find_spec("ccxt") else None)
    if not os.path.exists("/proc/self/status"):
        yield "imports: left out; the peak of memory is read from /proc"
        return
    if python is None:
        yield "imports: left out; install ccxt, or set BENCH_CCXT_PYTHON to an interpreter that has it"
        return
    programs = {"import exchange_core": TARGET, ALL_OF_IT: None}
    for program in programs:
        cost(sys.executable, program)
    cost(python, "import ccxt")
    for program, target in programs.items():
        pairs = [(growth(sys.executable, program), growth(python, "import ccxt")) for _ in range(rounds)]
        what = "import exchange_core" if target else "import connect, Hub and both plugins"
        for number, (kind, unit) in enumerate((("CPU", "ms"), ("memory", "MB"))):
            yield figure(
                f"{what} / import ccxt, {kind}",
                [(ours[number], ccxt[number]) for ours, ccxt in pairs],
                scale=1,
                unit=unit,
                target=target,
            )
