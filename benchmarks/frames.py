"""Made-up Kraken Spot book frames with right checksums, the same for the same seed.

Each update changes one to three levels near the top, as the venue's do: a quantity changes, a level goes and the one
below the window comes in, or a new level pushes the last one out.
"""

from __future__ import annotations

import zlib
from bisect import insort
from random import Random

SYMBOLS = {"BTC/USD": (1, 8, 817_766), "ETH/USD": (2, 8, 264_531), "DOGE/USD": (7, 8, 2_231_450)}


class _Side:
    def __init__(self, sign: int, best: int, depth: int, random: Random) -> None:
        self.sign, self.depth, self.random = sign, depth, random
        self.keys: list[int] = []
        self.quantities: dict[int, int] = {}
        price = best
        for _ in range(depth + 50):
            price += sign * random.randint(1, 12)
            self._insert(price * sign, random.randint(5_000, 400_000_000))

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
            self.quantities[key] = random.randint(5_000, 400_000_000)
            return [(key * self.sign, self.quantities[key])]
        if act < 0.8 and len(self.keys) > self.depth + 1:
            del self.keys[rank]
            del self.quantities[key]
            entering = self.keys[self.depth - 1]
            return [(key * self.sign, 0), (entering * self.sign, self.quantities[entering])]
        new = key + 1
        if rank + 1 < len(self.keys) and self.keys[rank + 1] == new:
            new = key
        self._insert(new, random.randint(5_000, 400_000_000))
        return [(new * self.sign, self.quantities[new])]


def _text(value: int, decimals: int) -> str:
    digits = str(value).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def _levels(levels: list[tuple[int, int]], decimals: tuple[int, int]) -> str:
    rows = (f'{{"price":{_text(p, decimals[0])},"qty":{_text(q, decimals[1])}}}' for p, q in levels)
    return f"[{','.join(rows)}]"


def book_frames(count: int, depth: int, seed: int = 7) -> list[bytes]:
    """Return a snapshot for each of ``SYMBOLS`` and then *count* updates over them."""
    random = Random(seed)
    sides = {
        symbol: (_Side(-1, best, depth, random), _Side(1, best, depth, random))
        for symbol, (_, _, best) in SYMBOLS.items()
    }
    frames = []
    for symbol, (bids, asks) in sides.items():
        frames.append(_frame("snapshot", symbol, bids, asks, bids.top(depth), asks.top(depth)))
    for _ in range(count):
        symbol = random.choice(list(SYMBOLS))
        bids, asks = sides[symbol]
        if random.random() < 0.5:
            frames.append(_frame("update", symbol, bids, asks, bids.change(), []))
        else:
            frames.append(_frame("update", symbol, bids, asks, [], asks.change()))
    return frames


def _frame(
    kind: str, symbol: str, bids: _Side, asks: _Side, bid_rows: list[tuple[int, int]], ask_rows: list[tuple[int, int]]
) -> bytes:
    decimals = SYMBOLS[symbol][:2]
    text = "".join(f"{price}{quantity}" for price, quantity in asks.top(10) + bids.top(10))
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}",'
        f'"bids":{_levels(bid_rows, decimals)},"asks":{_levels(ask_rows, decimals)},'
        f'"checksum":{zlib.crc32(text.encode())},"timestamp":"2026-10-09T00:34:21.904206Z"}}]}}'
    ).encode()


def futures_frames(count: int, levels: int = 300, seed: int = 7) -> list[bytes]:
    """Return Kraken Futures book frames: a snapshot and then *count* deltas of one product."""
    random = Random(seed)
    sides = (_Side(-1, 81_776, levels, random), _Side(1, 81_776, levels, random))
    rows = [
        "[" + ",".join(f'{{"price":{p}.0,"qty":{_text(q, 4)}}}' for p, q in side.top(levels + 50)) + "]" for side in sides
    ]
    frames = [
        f'{{"feed":"book_snapshot","product_id":"PF_XBTUSD","timestamp":1790000000000,"seq":1000,"tickSize":null,'
        f'"bids":{rows[0]},"asks":{rows[1]}}}'.encode()
    ]
    sequence = 1000
    while len(frames) <= count:
        index = random.randrange(2)
        for price, quantity in sides[index].change()[:1]:
            sequence += 1
            frames.append(
                f'{{"feed":"book","product_id":"PF_XBTUSD","side":"{("buy", "sell")[index]}","seq":{sequence},'
                f'"price":{price}.0,"qty":{_text(quantity, 4)},"timestamp":1790000000001}}'.encode()
            )
    return frames


