"""The book channel: snapshots, updates and their checksum, for every depth at once.

A subscriber sees the best *depth* levels. A level that falls out of that window is not deleted: the client cuts. When
a level in the window goes, the one that moves up into it is sent along.
See https://docs.kraken.com/api/docs/websocket-v2/book
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple
from zlib import crc32

from exchange_core.book.ladder import Ladder
from exchange_core.model.market import Level
from exchange_core.model.side import Side
from kraken_spot.simulator.codec import fixed
from kraken_spot.simulator.markets.names import Pair

DEPTHS = (10, 25, 100, 500, 1000)
_CHECKED = 10


class Row(NamedTuple):
    """One level, ready for the wire."""

    level: Level
    text: str
    digits: str


class Change(NamedTuple):
    """What one level's change means for subscribers.

    Attributes:
        place: Where the level stands, or stood, from the best one on.
        text: The level itself, as sent.
        gone: Nothing stands there any more, so that all behind it moved up.
    """

    side: Side
    place: int
    text: str
    gone: bool


class WireBook:
    """Both sides of one market as the wire shows them."""

    def __init__(self, pair: Pair, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        self._pair = pair
        self._bids: Ladder[Row] = Ladder(-1)
        self._asks: Ladder[Row] = Ladder(1)
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
            for level in levels:
                self._side(side).put(self._key(level.price), self._row(level))

    def best(self, side: Side) -> Level | None:
        rows = self._side(side).values
        return rows[0].level if rows else None

    def apply(self, side: Side, price: Decimal, quantity: Decimal) -> Change | None:
        """Take over a change; None when there was nothing to remove."""
        ladder = self._side(side)
        row = self._row(Level(price, quantity))
        if not quantity:
            index = ladder.remove(self._key(price))
            return None if index is None else Change(side, index, row.text, True)
        return Change(side, ladder.put(self._key(price), row), row.text, False)

    def update(self, change: Change, depth: int, checksum: int, timestamp: str) -> str | None:
        """Return the frame for subscribers of *depth*; None where the change is out of their sight."""
        if change.place >= depth:
            return None
        rows = change.text
        values = self._side(change.side).values
        if change.gone and len(values) >= depth:
            rows = f"{rows},{values[depth - 1].text}"
        bids, asks = (rows, "") if change.side is Side.BUY else ("", rows)
        return self._frame("update", bids, asks, checksum, timestamp)

    def snapshot(self, depth: int, timestamp: str) -> str:
        bids, asks = (",".join([row.text for row in side.values[:depth]]) for side in (self._bids, self._asks))
        return self._frame("snapshot", bids, asks, self.checksum(), timestamp)

    def checksum(self) -> int:
        """Return the CRC-32 over the digits of the best ten asks, then bids; empty sides add nothing."""
        rows = self._asks.values[:_CHECKED] + self._bids.values[:_CHECKED]
        return crc32("".join([row.digits for row in rows]).encode())

    def _frame(self, kind: str, bids: str, asks: str, checksum: int, timestamp: str) -> str:
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self._pair.display}","bids":[{bids}],'
            f'"asks":[{asks}],"checksum":{checksum},"timestamp":"{timestamp}"}}]}}'
        )

    def _side(self, side: Side) -> Ladder[Row]:
        return self._bids if side is Side.BUY else self._asks

    def _key(self, price: Decimal) -> int:
        return int(price.scaleb(self._pair.price_decimals))

    def _row(self, level: Level) -> Row:
        price, quantity = (
            fixed(level.price, self._pair.price_decimals),
            fixed(level.quantity, self._pair.volume_decimals),
        )
        digits = price.replace(".", "").lstrip("0") + quantity.replace(".", "").lstrip("0")
        return Row(level, f'{{"price":{price},"qty":{quantity}}}', digits)
