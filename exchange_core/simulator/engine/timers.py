"""What is to be done at a time: a queue by time, then by when it was asked for. Nothing here waits."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from heapq import heappop, heappush
from typing import NamedTuple


class Due(IntEnum):
    """What is due; of one moment, the earlier in this list comes first."""

    SAMPLE = 0  # of an index that a contract is going to be settled at
    EXPIRY = 1  # of a contract
    FUNDING = 2
    ROLLOVER = 3
    END = 4  # of an order
    DEAD_MAN = 5
    START = 6  # of an order


class Timer(NamedTuple):
    """One thing to do. Whoever does it looks whether it still is to be done."""

    when: datetime
    kind: Due
    age: int
    account: str = ""
    key: str = ""


class Timers:
    """All that is to be done."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._age = 0

    def add(self, when: datetime, kind: Due, account: str = "", key: str = "") -> None:
        self._age += 1
        heappush(self._heap, Timer(when, kind, self._age, account, key))

    def all(self) -> list[Timer]:
        return sorted(self._heap)

    def put(self, timers: list[Timer]) -> None:
        """Have these to do, and no others."""
        self._heap = sorted(timers)
        self._age = max((timer.age for timer in timers), default=0)

    def is_due(self, now: datetime) -> bool:
        return bool(self._heap) and self._heap[0].when <= now

    def pop(self) -> Timer:
        return heappop(self._heap)
