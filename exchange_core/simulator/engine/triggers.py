"""Orders of one market that wait for a price.

Deterministic: what one price sets off comes by trigger, nearest to where the price came from first, then by age.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

import attrs

from exchange_core.model.terms import TriggerBy
from exchange_core.simulator.engine.prices import MICRO
from exchange_core.simulator.engine.units import RATE


class Trail(NamedTuple):
    """Distance of a trailing trigger: millionths of a tick, or a rate of the price."""

    amount: int
    percent: bool

    def at(self, micro: int) -> int:
        return micro * self.amount // RATE if self.percent else self.amount


@attrs.define(kw_only=True)
class Waiting:
    """One order that waits.

    Attributes:
        owner, order_id: Whose it is.
        rises: Set off by a price at or above *price*, else by one at or below it.
        price: In ticks.
        trail: Of a trailing stop, whose *price* follows *peak*, the best price since it waits.
        age: Its place among all that ever waited.
    """

    owner: str
    order_id: str
    by: TriggerBy
    rises: bool
    price: int
    trail: Trail | None = None
    peak: int | None = None
    age: int = 0

    def is_met(self, micro: int) -> bool:
        return micro >= self.price * MICRO if self.rises else micro <= self.price * MICRO

    def follow(self, micro: int) -> bool:
        """Let a trailing trigger follow the price; return whether it moved."""
        assert self.trail is not None
        if self.peak is not None and (micro >= self.peak if self.rises else micro <= self.peak):
            return False
        before, first = self.price, self.peak is None
        self.peak = micro
        distance = self.trail.at(micro)
        self.price = -((-micro - distance) // MICRO) if self.rises else (micro - distance) // MICRO
        return first or self.price != before


def _nothing() -> None:
    """Tell nobody."""


_Row = tuple[int, int, Waiting]


class WaitingRoom:
    """All that wait in one market.

    Attributes:
        entered: Called when one comes.
    """

    def __init__(self) -> None:
        self.entered: Callable[[], None] = _nothing
        self._by_id: dict[str, Waiting] = {}
        self._rows: dict[tuple[TriggerBy, bool], list[_Row]] = {
            (by, rises): [] for by in TriggerBy for rises in (True, False)
        }
        self._trailing: dict[TriggerBy, dict[str, Waiting]] = {by: {} for by in TriggerBy}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._by_id.values())

    def get(self, order_id: str) -> Waiting | None:
        return self._by_id.get(order_id)

    def waits_for(self, by: TriggerBy) -> bool:
        return bool(self._rows[by, True] or self._rows[by, False])

    def add(self, waiting: Waiting) -> None:
        self.entered()
        self._by_id[waiting.order_id] = waiting
        insort(self._rows[waiting.by, waiting.rises], _row(waiting))
        if waiting.trail is not None:
            self._trailing[waiting.by][waiting.order_id] = waiting

    def remove(self, order_id: str) -> None:
        waiting = self._by_id.pop(order_id)
        rows = self._rows[waiting.by, waiting.rises]
        del rows[bisect_left(rows, _row(waiting)[:2])]  # a shorter tuple sorts before
        self._trailing[waiting.by].pop(order_id, None)

    def observe(self, by: TriggerBy, micro: int) -> tuple[list[Waiting], list[Waiting]]:
        """Take a price: return those whose trailing trigger moved, and those set off, who leave."""
        moved = [waiting for waiting in self._trailing[by].values() if self._moves(waiting, micro)]
        set_off: list[Waiting] = []
        for rises, bound in ((True, micro // MICRO), (False, micro // -MICRO)):
            rows = self._rows[by, rises]
            count = bisect_right(rows, (bound, inf))  # after every age
            set_off += [waiting for _, _, waiting in rows[:count]]
        for waiting in set_off:
            self.remove(waiting.order_id)
        return moved, set_off

    def _moves(self, waiting: Waiting, micro: int) -> bool:
        rows = self._rows[waiting.by, waiting.rises]
        at = bisect_left(rows, _row(waiting)[:2])
        if not waiting.follow(micro):
            return False
        del rows[at]
        insort(rows, _row(waiting))
        return True


def _row(waiting: Waiting) -> _Row:
    return (waiting.price if waiting.rises else -waiting.price, waiting.age, waiting)
