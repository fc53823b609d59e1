"""The face of an order book: Decimals to look at, exact integers underneath."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import attrs

from exchange_core.model.market import Level
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis, from_rfc3339


class BookHealth(StrEnum):
    """Whether a book can be trusted."""

    SYNCING = "syncing"
    LIVE = "live"
    DESYNCED = "desynced"
    STALE = "stale"


class BookSource(Protocol):
    """What keeps the levels; see ``exchange_core.book``."""

    symbol: Symbol
    health: BookHealth
    checked: int
    time: str | int | None

    def bids(self, depth: int | None) -> list[Level]: ...
    def asks(self, depth: int | None) -> list[Level]: ...


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


def wire_time(value: str | int | None) -> datetime | None:
    """Return a wire time stamp (RFC 3339 text or epoch milliseconds) as an aware datetime; None if it is neither."""
    if isinstance(value, int):
        return from_millis(value)
    return from_rfc3339(value) if value else None
