"""Run the benchmarks and print their figures: ``python -m benchmarks [NAME ...]``.

Every figure is a ratio of CPU times that were measured in this run, in rounds that take turns. The status is 0
whatever the figures are; they are for people to read.
"""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib import import_module

from benchmarks.timing import Figure, pin

NAMES = (
    "spot_book",
    "futures_book",
    "blast",
    "feed_runner",
    "many_books",
    "orders",
    "latency",
    "signing",
    "instruments",
    "imports",
    "matching",
    "order_rate",
    "many_clients",
)
HEAD = ("what", "ours", "other", "ratio", "quartiles", "target", "")


def row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        f"{figure.ours:.2f} {figure.unit}",
        f"{figure.other:.2f} {figure.unit}",
        f"{figure.ratio:.2f}",
        f"{figure.low:.2f}-{figure.high:.2f}",
        "" if figure.target is None else f"<= {figure.target:.2f}",
        figure.verdict,
    )


def line(cells: tuple[str, ...]) -> str:
    what, *rest = cells
    widths = (12, 12, 7, 12, 8)
    numbers = "".join(f"{cell:>{width}}" for cell, width in zip(rest, widths, strict=False))
    return f"{what:<62}{numbers}  {rest[-1]}".rstrip()


def processor() -> str:
    """Return the name of the CPU, where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            names = [entry.partition(":")[2].strip() for entry in info if entry.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown CPU"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {python}, {processor()}, {pin()}")
    print(line(HEAD))
    noisy = False
    for name in names or NAMES:
        for found in import_module(f"benchmarks.{name}").measure():
            if isinstance(found, Figure):
                noisy = noisy or found.is_noisy
                print(line(row(found)), flush=True)
            else:
                print(f"  {found}", flush=True)
    if noisy:
        print("noisy: the middle half of the rounds lies far apart; end what else runs here, and measure again")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
