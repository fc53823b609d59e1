"""Match orders by price, then time, in whole ticks and lots.

A request is first planned (what would it meet?) and then carried out, so that whoever asks may still say no in between.
Pure and deterministic. Finding a price is a binary search over the prices of one side, and the best price stands at
the end of its list, so that busy prices move little; everything inside a price takes constant time.
An iceberg order shows a part of itself; when that is eaten, its next part goes to the back of the queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from exchange_core.model.side import Side
from exchange_core.model.terms import SelfTrade
from exchange_core.simulator.engine.ladder import Ladder, Level, Resting


class Match(NamedTuple):
    """So many lots of an incoming order meet *maker*, at the maker's price."""

    maker: Resting
    quantity: int


class Plan(NamedTuple):
    """What an incoming order would meet.

    Attributes:
        matches: In the order in which they happen; each maker once, an iceberg once for each part it shows.
        remaining: Lots that would be left of the incoming order.
        blocked: It ended at an order of its own owner.
        own: Orders of its own owner that are to be cancelled for it.
    """

    matches: list[Match]
    remaining: int
    blocked: bool
    own: tuple[Resting, ...] = ()


class LevelChange(NamedTuple):
    """What stands at *price* is now *quantity* lots."""

    side: Side
    price: int
    quantity: int


Reducible = Callable[[str, Side], int]
"""How many lots an owner may trade on a side before the position is closed."""


def _nothing() -> None:
    """Tell nobody."""


class MatchingBook:
    """The resting orders of one market.

    Attributes:
        changed: Called when a level changes, for the first time since the changes were taken.
        leaving: Id of an order that plans do not see, as it is about to leave.
        reducers: How many orders only reduce.
    """

    def __init__(self) -> None:
        self._halves = {Side.BUY: Ladder(1), Side.SELL: Ladder(-1)}
        self._orders: dict[str, Resting] = {}
        self._before: dict[tuple[Side, int], int] = {}
        self.changed: Callable[[], None] = _nothing
        self.leaving = ""
        self.reducers = 0

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

    def queue(self, side: Side, price: int) -> Iterable[Resting]:
        """Return the orders at one price, oldest first."""
        half = self._halves[side]
        level = half.levels.get(price * half.sign)
        return level.orders.values() if level else ()

    def levels(self, side: Side, depth: int | None = None) -> list[tuple[int, int]]:
        """Return price and shown total of the best *depth* levels."""
        found: list[tuple[int, int]] = []
        for price, level in self._halves[side]:
            if depth is not None and len(found) >= depth:
                break
            found.append((price, level.total))
        return found

    def plan(
        self,
        side: Side,
        price: int | None,
        quantity: int,
        owner: str,
        reducible: Reducible | None = None,
        self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST,
    ) -> Plan:
        """Return what an order would meet; changes nothing.

        Args:
            price: The worst price in ticks; None takes any.
            quantity: In lots.
            reducible: Asked for makers that only reduce.
            self_trade: What becomes of an order of the same owner in its way.
        """
        matches: list[Match] = []
        own: list[Resting] = []
        sign = side.sign
        caps = None if reducible is None or not self.reducers else _Caps(reducible)
        blocked = False
        for level_price, level in self._halves[side.opposite]:
            if quantity == 0 or (price is not None and (level_price - price) * sign > 0):
                break
            quantity, blocked = self._eat(level, matches, own, quantity, owner, self_trade, caps)
            if blocked:
                break
        return Plan(matches, quantity, blocked, tuple(own))

    def _eat(
        self,
        level: Level,
        matches: list[Match],
        own: list[Resting],
        quantity: int,
        owner: str,
        self_trade: SelfTrade,
        caps: _Caps | None,
    ) -> tuple[int, bool]:
        """Plan one price; return what is left of *quantity*, and whether an own order ended it."""
        refills: deque[tuple[Resting, int]] = deque()
        for maker in level.orders.values():
            if quantity == 0:
                break
            if maker.owner == owner:
                if maker.id == self.leaving:
                    continue
                if self_trade is not SelfTrade.CANCEL_NEWEST:
                    own.append(maker)
                if self_trade is SelfTrade.CANCEL_OLDEST:
                    continue
                return quantity, True
            shown = maker.remaining - maker.hidden
            taken = quantity if quantity < shown else shown
            if caps is not None:
                taken = caps.cut(maker, taken)
                if taken <= 0:
                    continue
            matches.append(Match(maker, taken))
            quantity -= taken
            if maker.hidden and taken == shown:
                refills.append((maker, maker.hidden))
        return _eat_refills(matches, refills, quantity, caps), False

    def carry_out(self, plan: Plan) -> None:
        """Take from the makers what *plan* says; those with nothing left leave the book."""
        for maker, quantity in plan.matches:
            self.take(maker, quantity)

    def take(self, order: Resting, quantity: int) -> bool:
        """Take *quantity* lots of what *order* shows; return whether it then showed its next part."""
        half = self._halves[order.side]
        level = half.level(order.price)
        self._touch(order.side, order.price, level.total)
        order.remaining -= quantity
        level.total -= quantity
        if order.remaining == 0:
            self._forget(order)
            del level.orders[order.id]
            if not level.orders:
                half.drop(order.price)
        elif order.remaining == order.hidden:
            order.show()
            level.total += order.remaining - order.hidden
            level.orders.move_to_end(order.id)
            return True
        return False

    def add(self, order: Resting) -> None:
        """Put *order* behind all others at its price. It must not cross the book."""
        level = self._halves[order.side].level(order.price)
        self._touch(order.side, order.price, level.total)
        level.orders[order.id] = order
        level.total += order.remaining - order.hidden
        self._orders[order.id] = order
        self.reducers += order.reduce_only

    def remove(self, order_id: str) -> Resting:
        """Take an order out. What it had left, it keeps.

        Raises:
            KeyError: It does not stand here.
        """
        order = self._orders[order_id]
        half = self._halves[order.side]
        level = half.level(order.price)
        self._touch(order.side, order.price, level.total)
        level.total -= order.remaining - order.hidden
        self._forget(order)
        del level.orders[order_id]
        if not level.orders:
            half.drop(order.price)
        return order

    def resize(self, order: Resting, remaining: int, display: int) -> None:
        """Change an order's size where it stands; it keeps its place."""
        level = self._halves[order.side].level(order.price)
        self._touch(order.side, order.price, level.total)
        level.total -= order.remaining - order.hidden
        order.remaining, order.display = remaining, display
        order.show()
        level.total += order.remaining - order.hidden

    def take_changes(self) -> list[LevelChange]:
        """Return the levels that differ from when this was last called, in the order they were first touched."""
        if not self._before:
            return []
        changes = []
        for (side, price), before in self._before.items():
            now = self._halves[side].total(price)
            if now != before:
                changes.append(LevelChange(side, price, now))
        self._before.clear()
        return changes

    def _forget(self, order: Resting) -> None:
        del self._orders[order.id]
        self.reducers -= order.reduce_only

    def _touch(self, side: Side, price: int, total: int) -> None:
        if not self._before:
            self.changed()
        self._before.setdefault((side, price), total)


class _Caps:
    """How much makers that only reduce may still trade in one plan."""

    def __init__(self, reducible: Reducible) -> None:
        self._reducible = reducible
        self._traded: dict[str, int] = {}  # what each owner on the other side has bought or sold in this plan

    def cut(self, maker: Resting, taken: int) -> int:
        before = self._traded.get(maker.owner, 0)
        if maker.reduce_only:
            taken = min(taken, self._reducible(maker.owner, maker.side) - before)
        if taken > 0 and maker.moves:
            self._traded[maker.owner] = before + taken
        return taken


def _eat_refills(matches: list[Match], refills: deque[tuple[Resting, int]], quantity: int, caps: _Caps | None) -> int:
    """Let the icebergs of one price show part after part; return what is left of *quantity*."""
    while refills and quantity:
        maker, hidden = refills.popleft()
        shown = min(maker.display, hidden)
        taken = min(quantity, shown)
        if caps is not None:
            taken = caps.cut(maker, taken)
            if taken <= 0:
                continue
        matches.append(Match(maker, taken))
        quantity -= taken
        if taken == shown and hidden > shown:
            refills.append((maker, hidden - shown))
    return quantity
