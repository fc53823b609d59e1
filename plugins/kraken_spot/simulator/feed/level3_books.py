"""The level3 channel: the book order by order, with its checksum.

A subscriber sees all orders of the best *depth* prices. What is pushed out of that window is not deleted: the client
cuts. Inside a price the orders stand by their own time, in nanoseconds, which is also the order they execute in.
See https://docs.kraken.com/api/docs/websocket-v2/level3 and https://docs.kraken.com/api/docs/guides/spot-ws-l3-v2
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from zlib import crc32

from exchange_core.connector.simulation import SimOrder
from exchange_core.model.time import to_seconds
from kraken_spot.simulator.codec import fixed
from kraken_spot.simulator.markets.names import Pair

ORDER_DEPTHS = (10, 100, 1000)
_CHECKED = 10
_NANO = 1_000_000_000


class Entry(NamedTuple):
    """One order in the book; *time* in nanoseconds is its place in the queue."""

    id: str
    price: Decimal
    quantity: Decimal
    time: int


Half = tuple[Entry, ...]
"""One side, best price first and oldest order first."""


class OrdersBook:
    """Both sides of one market, order by order."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._times: dict[str, tuple[int, int]] = {}
        self._latest = 0
        self.bids: Half = ()
        self.asks: Half = ()

    def load(self, bids: Sequence[SimOrder], asks: Sequence[SimOrder]) -> tuple[Half, Half]:
        """Take over what stands in the exchange; return what stood before."""
        before = self.bids, self.asks
        self._note_times((*bids, *asks))
        self.bids, self.asks = (tuple(self._entry(order) for order in half) for half in (bids, asks))
        return before

    def snapshot(self, depth: int, moment: datetime) -> str:
        bids, asks = (",".join(self._row(entry) for entry in window(half, depth)) for half in (self.bids, self.asks))
        return self._frame("snapshot", bids, asks, moment)

    def update(self, before: tuple[Half, Half], depth: int, moment: datetime) -> str | None:
        """Return the frame that leads subscribers of *depth* from *before* to now; None where they see no change."""
        bids, asks = (
            ",".join(self._events(old, new, depth)) for old, new in zip(before, (self.bids, self.asks), strict=True)
        )
        return self._frame("update", bids, asks, moment) if bids or asks else None

    def checksum(self) -> int:
        """Return the CRC-32 over the digits of all orders at the best ten asks, then bids."""
        rows = (*window(self.asks, _CHECKED), *window(self.bids, _CHECKED))
        return crc32("".join(self._digits(entry) for entry in rows).encode())

    def _note_times(self, orders: Sequence[SimOrder]) -> None:
        """Give every order that queued anew a time of its own, later than all before it."""
        known = self._times
        self._times = {}
        fresh = []
        for order in orders:
            found = known.get(order.id)
            if found is not None and found[0] == order.place:
                self._times[order.id] = found
            else:
                fresh.append(order)
        for order in sorted(fresh, key=lambda order: order.place):
            self._latest = max(self._latest + 1, int(to_seconds(order.queued or order.created) * _NANO))
            self._times[order.id] = order.place, self._latest

    def _entry(self, order: SimOrder) -> Entry:
        price = order.limit if order.limit is not None else order.request.price
        shown = order.remaining if order.shown is None else order.shown
        return Entry(order.id, price or Decimal(0), shown, self._times[order.id][1])

    def _events(self, old: Half, new: Half, depth: int) -> Iterable[str]:
        seen = {entry.id: entry for entry in window(old, depth)}
        standing = {entry.id: entry for entry in new}
        for entry in seen.values():
            after = standing.get(entry.id)
            if after is None or (after.price, after.time) != (entry.price, entry.time):
                yield self._row(entry, "delete")
        for entry in window(new, depth):
            prior = seen.get(entry.id)
            if prior is None or (prior.price, prior.time) != (entry.price, entry.time):
                yield self._row(entry, "add")
            elif prior.quantity != entry.quantity:
                yield self._row(entry, "modify")

    def _row(self, entry: Entry, event: str = "") -> str:
        told = f'"event":"{event}",' if event else ""
        return (
            f'{{{told}"order_id":"{entry.id}","limit_price":{fixed(entry.price, self._pair.price_decimals)},'
            f'"order_qty":{fixed(entry.quantity, self._pair.volume_decimals)},"timestamp":"{nanos_text(entry.time)}"}}'
        )

    def _digits(self, entry: Entry) -> str:
        price = fixed(entry.price, self._pair.price_decimals)
        quantity = fixed(entry.quantity, self._pair.volume_decimals)
        return price.replace(".", "").lstrip("0") + quantity.replace(".", "").lstrip("0")

    def _frame(self, kind: str, bids: str, asks: str, moment: datetime) -> str:
        text = nanos_text(int(to_seconds(moment) * _NANO))
        return (
            f'{{"channel":"level3","type":"{kind}","data":[{{"symbol":"{self._pair.display}",'
            f'"checksum":{self.checksum()},"bids":[{bids}],"asks":[{asks}],"timestamp":"{text}"}}]}}'
        )


def window(half: Half, depth: int) -> Half:
    """Return the orders of the best *depth* prices; of all of them with 0."""
    levels = 0
    last: Decimal | None = None
    for index, entry in enumerate(half):
        if entry.price != last:
            last = entry.price
            levels += 1
            if depth and levels > depth:
                return half[:index]
    return half


def nanos_text(nanos: int) -> str:
    """Write a time with all nine decimals."""
    whole, rest = divmod(nanos, _NANO)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
