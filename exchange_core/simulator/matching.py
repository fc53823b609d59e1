"""Match orders by price, then time, in whole ticks and lots.

A request is first planned (what would it meet?) and then carried out, so that whoever asks may still say no in between.
Pure and deterministic. Finding a price is a binary search over the prices of one side, and the best price stands at
the end of its list, so that busy prices move little; everything inside a price takes constant time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import attrs

from exchange_core.model.side import Side


@attrs.define(kw_only=True)
class Resting:
    """An order that stands in a book.

    Attributes:
        owner: Orders of one owner never meet.
        price: In ticks.
        remaining: In lots.
        reduce_only: May only be matched as far as its owner's position gets smaller.
    """

    id: str
    owner: str
    side: Side
    price: int
    remaining: int
    reduce_only: bool = False


class Match(NamedTuple):
    """So many lots of an incoming order meet *maker*, at the maker's price."""

    maker: Resting
    quantity: int


class Plan(NamedTuple):
    """What an incoming order would meet.

    Attributes:
        matches: In the order in which they happen; each maker once.
        remaining: Lots that would be left of the incoming order.
        blocked: It ended at an order of its own owner.
    """

    matches: list[Match]
    remaining: int
    blocked: bool


class LevelChange(NamedTuple):
    """What stands at *price* is now *quantity* lots."""

    side: Side
    price: int
    quantity: int


Reducible = Callable[[str, Side], int]
"""How many lots an owner may trade on a side before the position is closed."""


class _Level:
    __slots__ = ("orders", "total")

    def __init__(self) -> None:
        # An OrderedDict, because its first entry is found at once even after many were taken from its front.
        self.orders: OrderedDict[str, Resting] = OrderedDict()
        self.total = 0


class _Half:
    """One side of a book. A key is the price with the sign that puts the best price last."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, _Level] = {}

    def __iter__(self) -> Iterator[tuple[int, _Level]]:
        for key in reversed(self.keys):
            yield key * self.sign, self.levels[key]

    def level(self, price: int) -> _Level:
        key = price * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = _Level()
            self.keys.insert(bisect_left(self.keys, key), key)
        return level

    def drop(self, price: int) -> None:
        key = price * self.sign
        del self.levels[key]
        del self.keys[bisect_left(self.keys, key)]

    def total(self, price: int) -> int:
        level = self.levels.get(price * self.sign)
        return level.total if level else 0


class MatchingBook:
    """The resting orders of one market."""

    def __init__(self) -> None:
        self._halves = {Side.BUY: _Half(1), Side.SELL: _Half(-1)}
        self._orders: dict[str, Resting] = {}
        self._before: dict[tuple[Side, int], int] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Resting]:
        """Every resting order: bids, then asks, best price first, oldest first."""
        for half in self._halves.values():
            for _, level in half:
                yield from level.orders.values()

    def get(self, order_id: str) -> Resting | None:
        return self._orders.get(order_id)

    def best(self, side: Side) -> int | None:
        """Return the best price of *side*, in ticks."""
        half = self._halves[side]
        return half.keys[-1] * half.sign if half.keys else None

    def levels(self, side: Side, depth: int | None = None) -> list[tuple[int, int]]:
        """Return price and total of the best *depth* levels."""
        found: list[tuple[int, int]] = []
        for price, level in self._halves[side]:
            if depth is not None and len(found) >= depth:
                break
            found.append((price, level.total))
        return found

    def plan(
        self, side: Side, price: int | None, quantity: int, owner: str, reducible: Reducible | None = None
    ) -> Plan:
        """Return what an order would meet; changes nothing.

        Args:
            price: The worst price in ticks; None takes any.
            quantity: In lots.
            reducible: Asked for makers that only reduce.
        """
        matches: list[Match] = []
        traded: dict[str, int] = {}  # what each owner on the other side has bought (+) or sold (-) in this plan
        sign = side.sign
        for level_price, level in self._halves[side.opposite]:
            if price is not None and (level_price - price) * sign > 0:
                break
            for maker in level.orders.values():
                if quantity == 0:
                    return Plan(matches, 0, False)
                if maker.owner == owner:
                    return Plan(matches, quantity, True)
                taken = min(quantity, maker.remaining)
                if maker.reduce_only and reducible is not None:
                    taken = min(taken, reducible(maker.owner, maker.side) - traded.get(maker.owner, 0))
                    if taken <= 0:
                        continue
                if reducible is not None:
                    traded[maker.owner] = traded.get(maker.owner, 0) + taken
                matches.append(Match(maker, taken))
                quantity -= taken
            if quantity == 0:
                break
        return Plan(matches, quantity, False)

    def carry_out(self, plan: Plan) -> None:
        """Take from the makers what *plan* says; those with nothing left leave the book."""
        for maker, quantity in plan.matches:
            self._take(maker, quantity)

    def add(self, order: Resting) -> None:
        """Put *order* behind all others at its price. It must not cross the book."""
        level = self._halves[order.side].level(order.price)
        self._touch(order.side, order.price, level.total)
        level.orders[order.id] = order
        level.total += order.remaining
        self._orders[order.id] = order

    def remove(self, order_id: str) -> Resting:
        """Take an order out."""
        order = self._orders[order_id]
        left = order.remaining
        self._take(order, left)
        order.remaining = left
        return order

    def take_changes(self) -> list[LevelChange]:
        """Return the levels that differ from when this was last called, in the order they were first touched."""
        changes = []
        for (side, price), before in self._before.items():
            now = self._halves[side].total(price)
            if now != before:
                changes.append(LevelChange(side, price, now))
        self._before.clear()
        return changes

    def _take(self, order: Resting, quantity: int) -> None:
        half = self._halves[order.side]
        level = half.level(order.price)
        self._touch(order.side, order.price, level.total)
        order.remaining -= quantity
        level.total -= quantity
        if order.remaining == 0:
            del level.orders[order.id], self._orders[order.id]
            if not level.orders:
                half.drop(order.price)

    def _touch(self, side: Side, price: int, total: int) -> None:
        self._before.setdefault((side, price), total)
