"""The book checksum of WebSocket v2: CRC32 over the digits of the best ten asks, then of the best ten bids.

The digits are those on the wire, without point and leading zeros; trailing zeros count. That is the very text that
the ladders keep, so nothing is formatted again.
See https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from exchange_core.book.ladder import Row, decimals_in, digits_quantity, load_digits, merge_digits
from exchange_core.book.local import LocalBook
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
