"""A book of single orders kept on this side of the wire: which stand at a price, and who is first in the queue.

The venue's feed says what happened to which order and decides whether the result is right; this keeps the queues.
A queue is in the order of the orders' own times, to the nanosecond, and among equal times in the order of arrival.
"""

from __future__ import annotations

import re
from bisect import insort_right
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from exchange_core.book.ladder import Ladder, digits
from exchange_core.book.local import LocalBook
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookByOrder, BookHealth, OrderLevel, QueuedOrder
from exchange_core.model.symbol import Symbol

_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|\+00:00)?")


class Queued:
    """One order in a queue.

    Attributes:
        steps: Its quantity, in whole steps.
        digits: Price and quantity as digits, which is what digit checksums are made of.
        latest: The time it was last said to have, as text that sorts.
        first: The time it had when it last grew or was new: what its place depends on where shrinking keeps it.
    """

    __slots__ = ("digits", "first", "id", "latest", "steps")

    def __init__(self, order_id: str, steps: int, text: str, place: str) -> None:
        self.id = order_id
        self.steps = steps
        self.digits = text
        self.latest = self.first = place


def _by_latest(order: Queued) -> str:
    return order.latest


def _by_first(order: Queued) -> str:
    return order.first


class LocalBookByOrder(LocalBook[list[Queued]]):
    """Both sides of one symbol, order by order.

    Attributes:
        keeps_place: Whether an order that shrank stays where it was although it was given a new time.
        doubtful: Whether any order's place depends on that.
    """

    __slots__ = ("_homes", "doubtful", "keeps_place")

    view: BookByOrder

    def __init__(self, symbol: Symbol, *, price_decimals: int, quantity_decimals: int, depth: int | None) -> None:
        super().__init__(
            symbol,
            price_decimals=price_decimals,
            quantity_decimals=quantity_decimals,
            quantity=lambda _, queue: sum(order.steps for order in queue),
            depth=depth,
        )
        self._homes: dict[str, tuple[Ladder[list[Queued]], int]] = {}
        self.keeps_place = self.doubtful = False
        self.view = BookByOrder(self)
        self.news = (self.view,)

    def __contains__(self, order_id: object) -> bool:
        return order_id in self._homes

    def clear(self, health: BookHealth) -> None:
        super().clear(health)
        self._homes.clear()
        self.doubtful = False

    # What happens to orders.

    def put(self, ladder: Ladder[list[Queued]], order_id: str, price: object, quantity: object, time: str) -> None:
        """Take it that an order stands at a price with a quantity; one that is known by that id is changed.

        Args:
            ladder: ``bids_ladder`` or ``asks_ladder``.
            price, quantity: The wire's own text (or an int where there is no point). Without a quantity it is gone.
            time: The order's own time, RFC 3339 in UTC.

        Raises:
            ProtocolError: For what is no such thing. The book must then be cleared.
        """
        price_text = digits(price, self.price_decimals)
        if not price_text:
            raise ProtocolError(f"order {order_id:.40}: its price {price!r:.60} is not above zero")
        quantity_text = digits(quantity, self.quantity_decimals)
        place = _place(time)
        before = self.remove(order_id)
        if not quantity_text:
            return
        key = int(price_text) * ladder.sign
        order = Queued(order_id, int(quantity_text), price_text + quantity_text, place)
        if before is not None and before[1] == (ladder, key) and order.steps <= before[0].steps:
            order.first = before[0].first
            self.doubtful = self.doubtful or order.first != place
        self._insert(ladder, key, order)

    def _insert(self, ladder: Ladder[list[Queued]], key: int, order: Queued) -> None:
        queue = ladder.get(key)
        if queue is None:
            ladder.put(key * ladder.sign, [order])
        else:
            insort_right(queue, order, key=_by_first if self.keeps_place else _by_latest)
        self._homes[order.id] = ladder, key

    def remove(self, order_id: str) -> tuple[Queued, tuple[Ladder[list[Queued]], int]] | None:
        """Drop an order; return it and where it stood, or None when there was none."""
        home = self._homes.pop(order_id, None)
        if home is None:
            return None
        ladder, key = home
        queue = ladder.get(key)
        assert queue is not None
        order = queue.pop(next(index for index, order in enumerate(queue) if order.id == order_id))
        if not queue:
            ladder.remove(key * ladder.sign)
        return order, home

    def cut(self) -> None:
        """Forget the levels beyond the depth, and their orders: the venue does not say when those change."""
        for ladder in (self.asks_ladder, self.bids_ladder):
            if self.depth is not None and len(ladder) > self.depth:
                for queue in ladder.values[self.depth :]:
                    for order in queue:
                        del self._homes[order.id]
                ladder.truncate(self.depth)

    def requeue(self, *, keeps_place: bool) -> None:
        """Put all queues into the order that the other reading of the orders' times gives."""
        self.keeps_place = keeps_place
        for queue in (*self.asks_ladder.values, *self.bids_ladder.values):
            queue.sort(key=_by_first if keeps_place else _by_latest)

    # What stands.

    def bid_queues(self, depth: int | None) -> list[OrderLevel]:
        return self._queues(self.bids_ladder, depth)

    def ask_queues(self, depth: int | None) -> list[OrderLevel]:
        return self._queues(self.asks_ladder, depth)

    def _queues(self, side: Ladder[list[Queued]], depth: int | None) -> list[OrderLevel]:
        if self.health is not BookHealth.LIVE:
            return []
        return [
            OrderLevel(
                price=Decimal(f"{key * side.sign}E-{self.price_decimals}"),
                orders=tuple(self._shown(queue)),
            )
            for key, queue in zip(side.keys[:depth], side.values[:depth], strict=True)
        ]

    def _shown(self, queue: Iterable[Queued]) -> Iterable[QueuedOrder]:
        exponent = f"E-{self.quantity_decimals}"
        return (
            QueuedOrder(order_id=order.id, quantity=Decimal(f"{order.steps}{exponent}"), time=_moment(order.latest))
            for order in queue
        )


def _place(time: str) -> str:
    """Return a time as text that sorts to the nanosecond."""
    match = _TIME.fullmatch(time)
    if match is None:
        raise ProtocolError(f"time: {time!r:.60} is not RFC 3339 in UTC")
    try:
        datetime.fromisoformat(match[1])
    except ValueError:
        raise ProtocolError(f"time: {time!r:.60} is in no calendar") from None
    return match[1] + (match[2] or "").ljust(9, "0")


def _moment(place: str) -> datetime:
    """Return the time that a text which sorts stands for."""
    return datetime.fromisoformat(f"{place[:19]}.{place[19:25]}+00:00")
