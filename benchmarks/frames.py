"""Made-up book frames of both venues, the same for the same seed: right checksums, sequences without holes.

Each update changes one or two levels near the top, as the venues' do: a quantity changes, a level goes and the one
below the window comes in, or a new level pushes the last one out.
"""

from __future__ import annotations

import zlib
from bisect import insort
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import NamedTuple

Market = tuple[int, int, int]
"""Decimals of prices and quantities, and where the market is."""

SYMBOLS: Mapping[str, Market] = {"BTC/USD": (1, 8, 817_766), "ETH/USD": (2, 8, 264_531), "DOGE/USD": (7, 8, 2_231_450)}

PRODUCT = "PF_XBTUSD"

_USUAL = (5_000, 400_000_000)
_LONG = (10**17, 10**18 - 1)

Best = tuple[Decimal, Decimal]


class Stream(NamedTuple):
    """Frames, snapshots first, and the best bid and ask that stand at their end."""

    snapshots: list[bytes]
    updates: list[bytes]
    best: dict[str, Best]

    @property
    def frames(self) -> list[bytes]:
        return self.snapshots + self.updates


class _Side:
    def __init__(self, sign: int, best: int, depth: int, random: Random, quantities: tuple[int, int] = _USUAL) -> None:
        self.sign, self.depth, self.random, self.range = sign, depth, random, quantities
        self.common = [random.randint(*self.range) for _ in range(300)]
        self.keys: list[int] = []
        self.quantities: dict[int, int] = {}
        price = best
        for _ in range(depth + 50):
            price += sign * random.randint(1, 12)
            self._insert(price * sign, self._quantity())

    def _quantity(self) -> int:
        """Most orders are of a common size: of recorded quantities, more than half have been seen before."""
        return self.random.choice(self.common) if self.random.random() < 0.6 else self.random.randint(*self.range)

    def _insert(self, key: int, quantity: int) -> None:
        if key not in self.quantities:
            insort(self.keys, key)
        self.quantities[key] = quantity

    def top(self, count: int) -> list[tuple[int, int]]:
        return [(key * self.sign, self.quantities[key]) for key in self.keys[:count]]

    def change(self) -> list[tuple[int, int]]:
        """Change something inside the window; return the levels that the venue would send."""
        random = self.random
        rank = min(int(random.expovariate(0.25)), self.depth - 1)
        key = self.keys[rank]
        act = random.random()
        if act < 0.6:
            self.quantities[key] = self._quantity()
            return [(key * self.sign, self.quantities[key])]
        if act < 0.8 and len(self.keys) > self.depth + 1:
            del self.keys[rank]
            del self.quantities[key]
            entering = self.keys[self.depth - 1]
            return [(key * self.sign, 0), (entering * self.sign, self.quantities[entering])]
        new = key + 1
        if rank + 1 < len(self.keys) and self.keys[rank + 1] == new:
            new = key
        self._insert(new, self._quantity())
        return [(new * self.sign, self.quantities[new])]


def _text(value: int, decimals: int) -> str:
    digits = str(value).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def _short(value: int, decimals: int) -> str:
    """Kraken Futures prints what a float's shortest text is."""
    return repr(float(_text(value, decimals)))


def _levels(levels: list[tuple[int, int]], decimals: tuple[int, int]) -> str:
    rows = (f'{{"price":{_text(p, decimals[0])},"qty":{_text(q, decimals[1])}}}' for p, q in levels)
    return f"[{','.join(rows)}]"


def _best(bids: _Side, asks: _Side, decimals: int) -> Best:
    step = Decimal(1).scaleb(-decimals)
    return bids.top(1)[0][0] * step, asks.top(1)[0][0] * step


def book_stream(
    count: int, depth: int, seed: int = 7, *, long: bool = False, symbols: Mapping[str, Market] = SYMBOLS
) -> Stream:
    """Return a snapshot for each of *symbols* and then *count* updates over them.

    Args:
        long: Quantities have eighteen digits, which no float can hold.
    """
    random = Random(seed)
    quantities = _LONG if long else _USUAL
    sides = {
        symbol: (_Side(-1, best, depth, random, quantities), _Side(1, best, depth, random, quantities))
        for symbol, (_, _, best) in symbols.items()
    }
    snapshots = [
        _frame("snapshot", symbol, symbols[symbol], bids, asks, bids.top(depth), asks.top(depth))
        for symbol, (bids, asks) in sides.items()
    ]
    updates = []
    names = list(symbols)
    for _ in range(count):
        symbol = random.choice(names)
        bids, asks = sides[symbol]
        changes = (bids.change(), []) if random.random() < 0.5 else ([], asks.change())
        updates.append(_frame("update", symbol, symbols[symbol], bids, asks, *changes))
    best = {symbol: _best(*pair, symbols[symbol][0]) for symbol, pair in sides.items()}
    return Stream(snapshots, updates, best)


def tampered(frame: bytes) -> bytes:
    """Return a book frame with another checksum."""
    head, mark, rest = frame.partition(b'"checksum":')
    number, comma, tail = rest.partition(b",")
    return head + mark + str(int(number) ^ 1).encode() + comma + tail


def _frame(
    kind: str,
    symbol: str,
    market: Market,
    bids: _Side,
    asks: _Side,
    bid_rows: list[tuple[int, int]],
    ask_rows: list[tuple[int, int]],
) -> bytes:
    decimals = market[:2]
    text = "".join(f"{price}{quantity}" for price, quantity in asks.top(10) + bids.top(10))
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}",'
        f'"bids":{_levels(bid_rows, decimals)},"asks":{_levels(ask_rows, decimals)},'
        f'"checksum":{zlib.crc32(text.encode())},"timestamp":"2026-10-09T00:34:21.904206Z"}}]}}'
    ).encode()


def futures_stream(count: int, levels: int = 300, seed: int = 7) -> Stream:
    """Return a snapshot and then *count* updates, one level each, of ``PRODUCT``."""
    random = Random(seed)
    bids, asks = _Side(-1, 81_776, levels, random), _Side(1, 81_776, levels, random)
    rows = [
        "[" + ",".join(f'{{"price":{p}.0,"qty":{_short(q, 4)}}}' for p, q in side.top(levels + 50)) + "]"
        for side in (bids, asks)
    ]
    snapshot = (
        f'{{"feed":"book_snapshot","product_id":"{PRODUCT}","timestamp":1790000000000,"seq":1000,"tickSize":null,'
        f'"bids":{rows[0]},"asks":{rows[1]}}}'
    ).encode()
    updates = []
    for sequence in range(1001, 1001 + count):
        word, side = random.choice((("buy", bids), ("sell", asks)))
        # The whole depth is sent, so nothing comes into a window.
        price, quantity = side.change()[0]
        updates.append(
            f'{{"feed":"book","product_id":"{PRODUCT}","side":"{word}","seq":{sequence},'
            f'"price":{price}.0,"qty":{_short(quantity, 4)},"timestamp":1790000000001}}'.encode()
        )
    return Stream([snapshot], updates, {PRODUCT: _best(bids, asks, 0)})
