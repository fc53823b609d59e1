"""The simulated exchange in a process of its own, as ``exchange simulate`` runs it, and what it spends there."""

from __future__ import annotations

import json
import os
import pstats
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from benchmarks.timing import leave

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@attrs.frozen
class Server:
    """One that runs.

    Attributes:
        venues: What it printed: addresses and keys by section.
    """

    pid: int
    venues: dict[str, Any]

    def cpu(self) -> float:
        """Return the CPU seconds spent so far; needs Linux."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text("utf-8").split()[0]) / 1e9

    def memory(self) -> float:
        """Return the megabytes that are resident; needs Linux."""
        return int(Path(f"/proc/{self.pid}/statm").read_text("utf-8").split()[1]) * _PAGE / 2**20


@contextmanager
def simulated(*options: str, accounts: int = 1, profile: Path | None = None) -> Iterator[Server]:
    """Run it without limits, with so many accounts, on the CPUs that this process does not use.

    Args:
        options: More of ``exchange simulate``.
        profile: A file that gets the server's profile when it ends.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "accounts.toml"
        rows = (f'[[accounts]]\nname = "{number}"\ndeposits = {{ USD = "1e9" }}\n' for number in range(accounts))
        file.write_text("".join(rows), "utf-8")
        run = ["-m", "exchange_core.cli"] if profile is None else ["-m", "cProfile", "-o", str(profile), "-m"]
        command = [sys.executable, *run, *([] if profile is None else ["exchange_core.cli"])]
        command += ["simulate", "--json", "--no-limits", "--seed", "1", "--accounts", str(file), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        leave(process.pid)
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{' '.join(command)} did not start")
            yield Server(process.pid, json.loads(line))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
            process.stdout.close()


def heaviest(file: Path, count: int = 25) -> None:
    """Print where the time of a profile went."""
    pstats.Stats(str(file)).sort_stats("tottime").print_stats(count)


@attrs.define
class Spent:
    """What a stretch of time cost: on the wall, here, and in the server."""

    server: Server
    wall: float = 0.0
    here: float = 0.0
    there: float = 0.0

    @property
    def busier(self) -> float:
        """What the one spent that spent more."""
        return max(self.here, self.there)

    def __enter__(self) -> Spent:
        self.there = self.server.cpu()
        self.here, self.wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.here = time.perf_counter() - self.wall, time.process_time() - self.here
        self.there = self.server.cpu() - self.there
