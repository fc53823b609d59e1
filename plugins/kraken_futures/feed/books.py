"""Books of Kraken Futures: the whole depth, one level a message, told right or wrong by their sequence alone.

Levels are exact whole steps. Where the wire shows finer digits than the instrument list promised (or no list
was read), the book's steps are made finer and nothing is rounded.
See https://docs.kraken.com/api/docs/futures-api/websocket/book
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from exchange_core.book.ladder import Ladder
from exchange_core.book.local import LocalBook
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookHealth
from exchange_core.model.event import Events
from exchange_core.model.instrument import Instrument
from kraken_futures.checksum import break_between
from kraken_futures.numbers import decimals_in, steps
from kraken_futures.wire import feed as wire

# Finer than any market; a number like 1e-40 is damage, not precision.
_MOST_DECIMALS = 24
# After these seconds without trouble the next trouble is the first again.
_CALM = 60.0
_LONGEST_WAIT = 60.0

# So many texts of numbers are remembered with their steps, a book and a kind.
_MOST_TEXTS = 8192
# Longer numbers than these go the slow way, which refuses those out of all proportion.
_MOST_DIGITS = 20
_MOST_WHOLE = 10**_MOST_DIGITS

_NOTHING: Events = ()


class Steps:
    """Numbers of the wire as whole steps. The same few come again and again, so their texts are remembered.

    Attributes:
        known: Steps by text. Other numbers are not in it: of those some are equal, such as true and 1.
    """

    __slots__ = ("_decimals", "_units", "known")

    def __init__(self, decimals: int) -> None:
        self.known: dict[Any, int] = {}
        self._decimals = decimals
        # What digits are multiplied by, by how many of them are decimals.
        self._units: list[int] = [10 ** (decimals - printed) for printed in range(decimals + 1)]

    def read(self, value: Any) -> int:
        """Return the steps of *value*, which is not among the known.

        Raises:
            ProtocolError: It is no number, or needs more decimals.
        """
        if type(value) is not str:
            is_plain = type(value) is int and 0 <= value < _MOST_WHOLE
            return value * self._units[0] if is_plain else steps(value, self._decimals)
        # Digits, a point, digits: the usual form, without the detour.
        left, _, right = value.partition(".")
        if len(right) > self._decimals:
            right = right.rstrip("0")
        digits = left + right
        if len(right) <= self._decimals and len(digits) <= _MOST_DIGITS and digits.isdecimal():
            whole = int(digits) * self._units[len(right)]
        else:
            whole = steps(value, self._decimals)
        if len(self.known) >= _MOST_TEXTS:
            self.known.clear()
        self.known[value] = whole
        return whole


class BookBroken(Exception):
    """The book is not what stands at the venue. *is_gap*: for its sequence."""

    def __init__(self, reason: str, *, is_gap: bool = False) -> None:
        super().__init__(reason)
        self.is_gap = is_gap


class BookState(NamedTuple):
    """What a book held at one moment, in steps."""

    sequence: int
    prices: tuple[int, ...]
    quantities: tuple[int, ...]


class BookKeeper:
    """One book, and when to ask for it again.

    Attributes:
        product: The venue's name.
        local: Levels, health and face.
        due: When to ask for a fresh snapshot; None while the book is whole or nobody asked for it.
        failed: Whether it broke and has no fresh snapshot yet.
        heard: When the last message of it was taken.
    """

    __slots__ = ("_asked", "_prices", "_quantities", "_repeats", "due", "failed", "heard", "local", "product")

    def __init__(self, product: str, instrument: Instrument) -> None:
        self.product = product
        self.local: LocalBook[int] = LocalBook(
            instrument.symbol,
            price_decimals=instrument.price_decimals,
            quantity_decimals=instrument.quantity_decimals,
            quantity=lambda key, quantity: quantity,
        )
        self._prices = Steps(instrument.price_decimals)
        self._quantities = Steps(instrument.quantity_decimals)
        self.due: float | None = None
        self.failed = False
        self.heard = float("-inf")
        self._asked = float("-inf")
        self._repeats = 0

    def apply(self, delta: wire.BookDelta) -> Events:
        """Take one changed level; return the book as news, or nothing before its snapshot.

        Raises:
            BookBroken: It does not follow, cannot be read, or crosses the book. The levels must be dropped.
        """
        local, sequence = self.local, delta.seq
        last = local.sequence
        if last is None:
            return _NOTHING
        if sequence != last + 1:
            raise BookBroken(break_between(last, sequence) or "", is_gap=True)
        try:
            price = self._prices.known.get(delta.price) or self._prices.read(delta.price)
            quantity = self._quantities.known.get(delta.qty)
            if quantity is None:
                quantity = self._quantities.read(delta.qty)
        except (ProtocolError, TypeError):
            price, quantity = self._with_more_decimals(delta)
        word = delta.side
        if word == "buy":
            side = local.bids_ladder
            key = -price
        elif word == "sell":
            side = local.asks_ladder
            key = price
        else:
            raise BookBroken(f"side is {delta.side[:20]!r}; expected buy or sell")
        if price <= 0:
            raise BookBroken(f"price {delta.price} is not above zero")
        keys = side.keys
        index = bisect_left(keys, key)
        is_known = index < len(keys) and keys[index] == key
        if quantity <= 0:  # below zero was seen in recordings; nothing can stand there
            if is_known:
                del keys[index], side.values[index]
        elif is_known:
            side.values[index] = quantity
        else:
            side.insert(index, key, quantity)
            if index == 0 and local.is_crossed():
                raise BookBroken("the best bid is not below the best ask")
        local.sequence = sequence
        local.time = delta.timestamp
        local.checked += 1
        return local.news

    def replace(self, snapshot: wire.BookSnapshot) -> Events:
        """Take a fresh snapshot instead of all that was there.

        Raises:
            BookBroken: It cannot be read, or is crossed.
        """
        local = self.local
        local.clear(BookHealth.SYNCING)
        try:
            self._fill(local.bids_ladder, snapshot.bids)
            self._fill(local.asks_ladder, snapshot.asks)
        except (ProtocolError, TypeError):
            local.clear(BookHealth.SYNCING)
            self._refine([*snapshot.bids, *snapshot.asks])
            self._fill(local.bids_ladder, snapshot.bids)
            self._fill(local.asks_ladder, snapshot.asks)
        if local.is_crossed():
            raise BookBroken("the snapshot's best bid is not below its best ask")
        local.sequence = snapshot.seq
        local.time = snapshot.timestamp
        local.checked += 1
        local.health = BookHealth.LIVE
        self.due = None
        self.failed = False
        return local.news

    def state(self) -> BookState | None:
        """Return what it holds, to compare with; None while it is not live."""
        local = self.local
        if local.health is not BookHealth.LIVE or local.sequence is None:
            return None
        bids, asks = local.bids_ladder, local.asks_ladder
        steps = (local.price_decimals, local.quantity_decimals)
        return BookState(local.sequence, (*steps, *bids.keys, *asks.keys), (*bids.values, *asks.values))

    def expect(self, until: float) -> None:
        """Note that the server acknowledged; a snapshot must come by *until*."""
        if self.local.health is not BookHealth.LIVE and not self.failed:
            self.due = until

    def fail(self, now: float) -> None:
        """Drop the levels and set when to ask again: at once, or later and later if it keeps failing."""
        self.local.clear(BookHealth.DESYNCED)
        self.failed = True
        if now - self._asked > _CALM:
            self._repeats = 0
        wait = min(_LONGEST_WAIT, 2.0**self._repeats) if self._repeats else 0.0
        self.due = max(now, self._asked + wait)

    def asked(self, now: float, patience: float) -> None:
        """Note that a snapshot was asked for; without one it is due again."""
        self._asked = now
        self._repeats += 1
        self.due = now + max(patience, min(_LONGEST_WAIT, 2.0**self._repeats))

    def lose(self) -> None:
        """Drop the levels because the connection is gone."""
        self.local.clear(BookHealth.STALE)
        self.due = None
        self.failed = False

    def _fill(self, side: Ladder[int], rows: Sequence[wire.BookRow]) -> None:
        price, quantity, sign = self._prices.read, self._quantities.read, side.sign
        levels = {price(row.price) * sign: quantity(row.qty) for row in rows}
        # Snapshots list levels that are gone with 0.
        keys = sorted(key for key, quantity in levels.items() if quantity > 0)
        side.fill(keys, [levels[key] for key in keys])
        if side.keys and min(side.keys[0] * sign, side.keys[-1] * sign) <= 0:
            raise BookBroken("a price is not above zero")

    def _with_more_decimals(self, delta: wire.BookDelta) -> tuple[int, int]:
        self._refine([delta])
        return self._prices.read(delta.price), self._quantities.read(delta.qty)

    def _refine(self, rows: Sequence[wire.BookRow | wire.BookDelta]) -> None:
        """Make the steps fine enough for *rows*."""
        local = self.local
        try:
            price = max((decimals_in(row.price) for row in rows), default=0) - local.price_decimals
            quantity = max((decimals_in(row.qty) for row in rows), default=0) - local.quantity_decimals
        except ProtocolError as error:
            raise BookBroken(str(error)) from error
        if local.price_decimals + price > _MOST_DECIMALS or local.quantity_decimals + quantity > _MOST_DECIMALS:
            raise BookBroken(f"a number needs more than {_MOST_DECIMALS} decimals")
        for side in (local.bids_ladder, local.asks_ladder):
            finer_keys = [key * 10 ** max(0, price) for key in side.keys]
            side.fill(finer_keys, [value * 10 ** max(0, quantity) for value in side.values])
        local.price_decimals += max(0, price)
        local.quantity_decimals += max(0, quantity)
        self._prices, self._quantities = Steps(local.price_decimals), Steps(local.quantity_decimals)
