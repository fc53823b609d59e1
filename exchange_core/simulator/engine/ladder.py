"""The orders of one side of a book, by price and by age."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator

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
        moves: Its trades move a position (derivatives, margin).
        display: Lots that the book shows of it at a time; 0 shows all.
        hidden: Lots of *remaining* that the book does not show now.
        place: Its place among all that ever queued.
    """

    id: str
    owner: str
    side: Side
    price: int
    remaining: int
    reduce_only: bool = False
    moves: bool = True
    display: int = 0
    hidden: int = 0
    place: int = 0

    def show(self) -> None:
        """Show the next part of what remains."""
        self.hidden = max(0, self.remaining - self.display) if self.display else 0


class Level:
    """What stands at one price, oldest first; *total* counts what is shown."""

    __slots__ = ("orders", "total")

    def __init__(self) -> None:
        # An OrderedDict, because its first entry is found at once even after many were taken from its front.
        self.orders: OrderedDict[str, Resting] = OrderedDict()
        self.total = 0


class Ladder:
    """One side of a book. A key is the price with the sign that puts the best price last."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}

    def __iter__(self) -> Iterator[tuple[int, Level]]:
        for key in reversed(self.keys):
            yield key * self.sign, self.levels[key]

    def level(self, price: int) -> Level:
        key = price * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = Level()
            self.keys.insert(bisect_left(self.keys, key), key)
        return level

    def drop(self, price: int) -> None:
        key = price * self.sign
        del self.levels[key]
        del self.keys[bisect_left(self.keys, key)]

    def total(self, price: int) -> int:
        level = self.levels.get(price * self.sign)
        return level.total if level else 0
