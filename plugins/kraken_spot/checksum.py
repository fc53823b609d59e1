"""The book checksums of WebSocket v2: CRC32 over the digits of the best ten asks, then of the best ten bids.

The digits are those on the wire, without point and leading zeros; trailing zeros count. That is the very text that
the ladders keep, so nothing is formatted again. In a book by order each order of these levels counts, price and
quantity, in the order of the queue.
See https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2 and /l3-checksum-v2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from zlib import crc32

from exchange_core.book.by_order import LocalBookByOrder, Queued
from exchange_core.book.ladder import Ladder, Row, decimals_in, digits_quantity, load_digits, merge_digits
from exchange_core.book.local import LocalBook
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookHealth
from exchange_core.model.symbol import Symbol

CHECKED = 10
"""How many levels of each side the venue sums, whatever the depth of the book is."""


class CheckedBook(LocalBook[str]):
    """A book whose checksum is at hand: only a side that was touched among its best ten is summed again.

    Attributes:
        depth: Levels kept on each side; at least those that the checksum covers.
        crc: Checksum of what stands now.
    """

    __slots__ = ("_asks_crc", "_bids_text", "crc")

    depth: int

    def __init__(self, symbol: Symbol, *, price_decimals: int = 0, quantity_decimals: int = 0, depth: int) -> None:
        super().__init__(
            symbol,
            price_decimals=price_decimals,
            quantity_decimals=quantity_decimals,
            quantity=digits_quantity,
            depth=depth,
        )
        self._asks_crc = 0
        self._bids_text = b""
        self.crc = 0

    def clear(self, health: BookHealth) -> None:
        super().clear(health)
        self._asks_crc = self.crc = 0
        self._bids_text = b""

    def content(self) -> object:
        """Return all levels, to compare."""
        return [(list(side.keys), list(side.values)) for side in (self.asks_ladder, self.bids_ladder)]

    def is_right_after_all(self, checksum: int) -> bool:
        """Return whether what stands can be read in another way that has the *checksum*; levels cannot."""
        return False

    def load(self, asks: Sequence[Row], bids: Sequence[Row]) -> int:
        """Replace everything by a snapshot and return its checksum.

        Raises:
            ProtocolError: As :meth:`apply` does.
        """
        load_digits(self.asks_ladder, asks, self.price_decimals, self.quantity_decimals)
        load_digits(self.bids_ladder, bids, self.price_decimals, self.quantity_decimals)
        self.asks_ladder.truncate(self.depth)
        self.bids_ladder.truncate(self.depth)
        self._asks_crc = crc32("".join(self.asks_ladder.values[:CHECKED]).encode())
        self._bids_text = "".join(self.bids_ladder.values[:CHECKED]).encode()
        self.crc = crc32(self._bids_text, self._asks_crc)
        return self.crc

    def apply(self, asks: Sequence[Row], bids: Sequence[Row]) -> int:
        """Apply all levels of one message, cut to the depth, and return the checksum of what stands then.

        Raises:
            ProtocolError: For a level that is no such thing. The book must then be cleared.
        """
        depth, touched = self.depth, False
        if asks:
            ladder = self.asks_ladder
            best = merge_digits(ladder, asks, self.price_decimals, self.quantity_decimals)
            values = ladder.values
            if len(values) > depth:
                ladder.truncate(depth)
            if best < CHECKED:
                self._asks_crc = crc32("".join(values if len(values) <= CHECKED else values[:CHECKED]).encode())
                touched = True
        if bids:
            ladder = self.bids_ladder
            best = merge_digits(ladder, bids, self.price_decimals, self.quantity_decimals)
            values = ladder.values
            if len(values) > depth:
                ladder.truncate(depth)
            if best < CHECKED:
                self._bids_text = "".join(values if len(values) <= CHECKED else values[:CHECKED]).encode()
                touched = True
        if touched:
            self.crc = crc32(self._bids_text, self._asks_crc)
        return self.crc


class OrderRow(Row, Protocol):
    """What a message says of one order."""

    @property
    def order_id(self) -> str: ...
    @property
    def timestamp(self) -> str: ...
    @property
    def event(self) -> str | None: ...


class CheckedOrders(LocalBookByOrder):
    """A book by order whose checksum is at hand after each message.

    Attributes:
        depth: Price levels kept on each side; at least those that the checksum covers.
    """

    __slots__ = ()

    depth: int

    def __init__(self, symbol: Symbol, *, price_decimals: int = 0, quantity_decimals: int = 0, depth: int) -> None:
        super().__init__(symbol, price_decimals=price_decimals, quantity_decimals=quantity_decimals, depth=depth)

    def load(self, asks: Sequence[OrderRow], bids: Sequence[OrderRow]) -> int:
        """Replace everything by a snapshot and return its checksum.

        Raises:
            ProtocolError: As :meth:`apply` does.
        """
        self.clear(self.health)
        for ladder, rows in ((self.asks_ladder, asks), (self.bids_ladder, bids)):
            for row in rows:
                self.put(ladder, row.order_id, row.price, row.qty, row.timestamp)
        self.cut()
        return self.crc()

    def apply(self, asks: Sequence[OrderRow], bids: Sequence[OrderRow]) -> int:
        """Apply all events of one message, cut to the depth, and return the checksum of what stands then.

        Raises:
            ProtocolError: For an event that is no such thing. The book must then be cleared.
        """
        for ladder, rows in ((self.asks_ladder, asks), (self.bids_ladder, bids)):
            for row in rows:
                # An order that is known may be added again: its level had left the window, and came back.
                if row.event == "add" or row.event == "modify":
                    self.put(ladder, row.order_id, row.price, row.qty, row.timestamp)
                elif row.event == "delete":
                    self.remove(row.order_id)
                else:
                    raise ProtocolError(f"order {row.order_id:.40}: event {row.event!r:.40} is not known")
        self.cut()
        return self.crc()

    def content(self) -> object:
        """Return all orders in their queues, to compare."""
        return [
            [[(order.id, order.digits) for order in queue] for queue in side.values]
            for side in (self.asks_ladder, self.bids_ladder)
        ]

    def is_right_after_all(self, checksum: int) -> bool:
        """Try the other reading of the orders' times.

        Open point: whether an order that shrinks is given a new time, and keeps its place then. The venue's own
        client orders by the latest time; where only the other reading gives the checksum, that one is taken.
        """
        if not self.doubtful:
            return False
        self.requeue(keeps_place=not self.keeps_place)
        if self.crc() == checksum:
            return True
        self.requeue(keeps_place=not self.keeps_place)
        return False

    def crc(self) -> int:
        """Return the checksum of what stands."""
        asks = _digits_of(self.asks_ladder)
        return crc32(_digits_of(self.bids_ladder), crc32(asks))


def _digits_of(ladder: Ladder[list[Queued]]) -> bytes:
    return "".join([order.digits for queue in ladder.values[:CHECKED] for order in queue]).encode()


def printed_decimals(asks: Sequence[Row], bids: Sequence[Row]) -> tuple[int, int]:
    """Return the most decimals that prices and quantities of these levels are printed with."""
    rows = (*asks, *bids)
    return (
        max((decimals_in(row.price) for row in rows), default=0),
        max((decimals_in(row.qty) for row in rows), default=0),
    )


def likely_decimals(asks: Sequence[Row], bids: Sequence[Row]) -> list[tuple[int, int]]:
    """Return precisions to try for a book that no list names: what is printed first, then more.

    A recorder that read numbers as floats lost trailing zeros, so more decimals than are seen may be right.
    """
    price, quantity = printed_decimals(asks, bids)
    return [(p, q) for p in range(price, price + 4) for q in range(quantity, max(quantity, 10) + 1)]
