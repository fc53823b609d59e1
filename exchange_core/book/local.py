"""A book kept on this side of the wire, and the verdict on it.

The venue's feed applies messages and decides whether they are right; this keeps the levels, the health and the face.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Generic, TypeVar

from exchange_core.book.ladder import Ladder
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.market import Level
from exchange_core.model.symbol import Symbol

V = TypeVar("V")


class LocalBook(Generic[V]):
    """Both ladders of one symbol.

    Attributes:
        depth: Levels kept on each side; None keeps all.
        checked: Messages verified since the book was made.
        sequence: The venue's number of the last message, where it has one.
        time: The wire's own time stamp of the last message, read only when someone looks.
        view: The face for users.
        news: The view as the events of one message, made once.
    """

    __slots__ = (
        "_quantity",
        "asks_ladder",
        "bids_ladder",
        "checked",
        "depth",
        "health",
        "news",
        "price_decimals",
        "quantity_decimals",
        "sequence",
        "symbol",
        "time",
        "view",
    )

    def __init__(
        self,
        symbol: Symbol,
        *,
        price_decimals: int,
        quantity_decimals: int,
        quantity: Callable[[int, V], int],
        depth: int | None = None,
    ) -> None:
        """Args:
        quantity: How to read the quantity, in steps, from a key and the value beside it.
        """
        self.symbol = symbol
        self.price_decimals = price_decimals
        self.quantity_decimals = quantity_decimals
        self.depth = depth
        self._quantity = quantity
        self.bids_ladder: Ladder[V] = Ladder(-1)
        self.asks_ladder: Ladder[V] = Ladder(1)
        self.health = BookHealth.SYNCING
        self.checked = 0
        self.sequence: int | None = None
        self.time: str | int | None = None
        self.view = OrderBook(self)
        self.news = (self.view,)

    def clear(self, health: BookHealth) -> None:
        """Forget all levels; the next snapshot starts anew."""
        self.bids_ladder.clear()
        self.asks_ladder.clear()
        self.sequence = None
        self.health = health

    def bids(self, depth: int | None = None) -> list[Level]:
        return self._levels(self.bids_ladder, depth)

    def asks(self, depth: int | None = None) -> list[Level]:
        return self._levels(self.asks_ladder, depth)

    def is_crossed(self) -> bool:
        """Whether the best bid is not below the best ask."""
        bids, asks = self.bids_ladder.keys, self.asks_ladder.keys
        return bool(bids and asks and -bids[0] >= asks[0])

    def _levels(self, side: Ladder[V], depth: int | None) -> list[Level]:
        if self.health is not BookHealth.LIVE:
            return []
        # From text a Decimal is exact; arithmetic would round to the user's context.
        read, price, quantity = self._quantity, f"E-{self.price_decimals}", f"E-{self.quantity_decimals}"
        return [
            Level(Decimal(f"{key * side.sign}{price}"), Decimal(f"{read(key, value)}{quantity}"))
            for key, value in zip(side.keys[:depth], side.values[:depth], strict=True)
        ]
