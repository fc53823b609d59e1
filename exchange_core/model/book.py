"""The face of an order book: Decimals to look at, exact integers underneath.

There are two kinds: of levels, and of the single orders that stand in them (market by order, also called level 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import attrs

from exchange_core.model.market import Level
from exchange_core.model.number import total
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis, from_rfc3339


class BookHealth(StrEnum):
    """Whether a book can be trusted.

    UNCHECKED is one answer to one question: right when the venue sent it, but with nothing to check it by.
    """

    SYNCING = "syncing"
    LIVE = "live"
    DESYNCED = "desynced"
    STALE = "stale"
    UNCHECKED = "unchecked"


class BookSource(Protocol):
    """What keeps the levels; see ``exchange_core.book``."""

    symbol: Symbol
    health: BookHealth
    checked: int
    time: str | int | None

    def bids(self, depth: int | None) -> list[Level]: ...
    def asks(self, depth: int | None) -> list[Level]: ...


@attrs.frozen(kw_only=True)
class QueuedOrder:
    """One order of a book as the venue shows it to everyone. Whose it is, it does not say.

    Attributes:
        order_id: The venue's id of it.
        quantity: What is left of it and may be seen.
        time: When it got its place, by the venue's clock, cut to microseconds; the queue itself may be finer.
    """

    order_id: str
    quantity: Decimal
    time: datetime


@attrs.frozen(kw_only=True)
class OrderLevel:
    """One price of a book and the orders that stand there, in the order in which they will be filled."""

    price: Decimal
    orders: tuple[QueuedOrder, ...]

    @property
    def quantity(self) -> Decimal:
        """All of them together."""
        return total(order.quantity for order in self.orders)


class OrderSource(BookSource, Protocol):
    """What keeps the orders of a book by order."""

    def bid_queues(self, depth: int | None) -> list[OrderLevel]: ...
    def ask_queues(self, depth: int | None) -> list[OrderLevel]: ...


class OrderBook:
    """A live, read-only view of one book.

    It always shows the newest checked state: between two ``await`` it does not change, after one it may have.
    Keep a state with :meth:`snapshot`. While the book is not LIVE it shows no levels at all.

    Attributes:
        symbol: What it is the book of.
        health: LIVE only while every message since the snapshot was checked and right.
        checked: How many messages were verified since the first snapshot.
    """

    __slots__ = ("_source",)

    def __init__(self, source: BookSource) -> None:
        self._source = source

    @property
    def symbol(self) -> Symbol:
        return self._source.symbol

    @property
    def health(self) -> BookHealth:
        return self._source.health

    @property
    def checked(self) -> int:
        return self._source.checked

    @property
    def time(self) -> datetime | None:
        """When the venue made the last change, where it says so."""
        return wire_time(self._source.time)

    @property
    def best_bid(self) -> Level | None:
        levels = self._source.bids(1)
        return levels[0] if levels else None

    @property
    def best_ask(self) -> Level | None:
        levels = self._source.asks(1)
        return levels[0] if levels else None

    @property
    def mid(self) -> Decimal | None:
        """Half way between the best prices; None while a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else (bid.price + ask.price) / 2

    def bids(self, depth: int | None = None) -> Sequence[Level]:
        """Return the best *depth* bids, highest first; all of them without *depth*."""
        return self._source.bids(depth)

    def asks(self, depth: int | None = None) -> Sequence[Level]:
        """Return the best *depth* asks, lowest first; all of them without *depth*."""
        return self._source.asks(depth)

    def snapshot(self, depth: int | None = None) -> BookSnapshot:
        """Return this moment's state as a value that stays."""
        return BookSnapshot(
            symbol=self.symbol,
            bids=tuple(self.bids(depth)),
            asks=tuple(self.asks(depth)),
            health=self.health,
            checked=self.checked,
            time=self.time,
        )

    def __repr__(self) -> str:
        return f"<OrderBook {self.symbol} {self.health} bid={self.best_bid} ask={self.best_ask}>"


class BookByOrder(OrderBook):
    """A live, read-only view of one book that shows every order, as :class:`OrderBook` shows levels.

    All that an OrderBook says holds for it too; its levels are the sums of their orders.
    """

    __slots__ = ()

    _source: OrderSource

    def __init__(self, source: OrderSource) -> None:
        super().__init__(source)

    def bid_queues(self, depth: int | None = None) -> Sequence[OrderLevel]:
        """Return the best *depth* bid levels, highest first, each with its orders, first in the queue first."""
        return self._source.bid_queues(depth)

    def ask_queues(self, depth: int | None = None) -> Sequence[OrderLevel]:
        """Return the best *depth* ask levels, lowest first, each with its orders, first in the queue first."""
        return self._source.ask_queues(depth)

    def snapshot(self, depth: int | None = None) -> BookByOrderSnapshot:
        """Return this moment's state as a value that stays."""
        return BookByOrderSnapshot(
            symbol=self.symbol,
            bids=tuple(self.bids(depth)),
            asks=tuple(self.asks(depth)),
            health=self.health,
            checked=self.checked,
            time=self.time,
            bid_queues=tuple(self.bid_queues(depth)),
            ask_queues=tuple(self.ask_queues(depth)),
        )

    def __repr__(self) -> str:
        return f"<BookByOrder {self.symbol} {self.health} bid={self.best_bid} ask={self.best_ask}>"


@attrs.frozen(kw_only=True)
class BookSnapshot:
    """A book at one moment, best levels first."""

    symbol: Symbol
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    health: BookHealth = BookHealth.LIVE
    checked: int = 0
    time: datetime | None = None

    @property
    def best_bid(self) -> Level | None:
        return self.bids[0] if self.bids else None

    @property
    def best_ask(self) -> Level | None:
        return self.asks[0] if self.asks else None


@attrs.frozen(kw_only=True)
class BookByOrderSnapshot(BookSnapshot):
    """A book by order at one moment: its levels, and the queue in each of them."""

    bid_queues: tuple[OrderLevel, ...] = ()
    ask_queues: tuple[OrderLevel, ...] = ()


def wire_time(value: str | int | None) -> datetime | None:
    """Return a wire time stamp (RFC 3339 text or epoch milliseconds) as an aware datetime; None if it is neither."""
    if isinstance(value, int):
        return from_millis(value)
    return from_rfc3339(value) if value else None
