"""What 500 books of Kraken Spot in one process cost: CPU of a message against one book, and memory of each.

Depth 100, every checksum verified, to a user's callback. The memory is what Python holds for a loaded book, against the
least that can hold it: a dict of floats for each side. Both are counted by tracemalloc.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from benchmarks.frames import Market, Stream, book_stream
from benchmarks.public_path import Counter, PublicPath
from benchmarks.timing import Figure, cpu, figure
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol

BOOKS, DEPTH = 500, 100
MESSAGES = 20_000
ROUNDS = 9
TARGET = 1.35


def markets(count: int) -> dict[str, Market]:
    return {f"C{number:03}/USD": (number % 5 + 1, 8, 800_000 + 997 * number) for number in range(count)}


def instruments(symbols: dict[str, Market]) -> list[Instrument]:
    return [
        Instrument(
            symbol=Symbol.parse(name),
            venue_id=name,
            tick_size=Decimal(1).scaleb(-prices),
            lot_size=Decimal(1).scaleb(-quantities),
            min_quantity=Decimal("0.0001"),
            price_decimals=prices,
            quantity_decimals=quantities,
        )
        for name, (prices, quantities, _) in symbols.items()
    ]


def loaded(symbols: dict[str, Market], stream: Stream) -> tuple[PublicPath, Counter]:
    user = Counter()
    path = PublicPath("kraken_spot", instruments(symbols), user, depth=DEPTH)
    for frame in stream.snapshots:
        path.take(frame)
    assert user.count == len(symbols)
    return path, user


def updates(symbols: dict[str, Market], stream: Stream) -> float:
    """Return the CPU seconds of all updates."""
    path, user = loaded(symbols, stream)

    def run() -> None:
        for frame in stream.updates:
            path.take(frame)

    spent = cpu(run)
    assert user.count == len(stream.frames)
    assert path.feed.stats.verified == len(stream.frames), path.feed.stats
    return spent


def floats(stream: Stream) -> list[list[dict[float, float]]]:
    return [
        [{row["price"]: row["qty"] for row in data[side]} for side in ("bids", "asks")]
        for frame in stream.snapshots
        for data in msgspec.json.decode(frame)["data"]
    ]


def held(make: Callable[[], object]) -> int:
    """Return the bytes that Python holds for what *make* returns."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = make()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        del kept
    finally:
        tracemalloc.stop()
    return after - before


def measure(messages: int = MESSAGES, rounds: int = ROUNDS) -> Iterator[Figure]:
    few, many = markets(1), markets(BOOKS)
    one, all_of_them = (book_stream(messages, DEPTH, symbols=symbols) for symbols in (few, many))
    updates(few, one)
    yield figure(
        f"spot book, depth {DEPTH}: a message among {BOOKS} books / alone",
        [(updates(many, all_of_them), updates(few, one)) for _ in range(rounds)],
        scale=1e6 / messages,
        unit="us",
        target=TARGET,
    )
    yield figure(
        f"spot book, depth {DEPTH}: memory of one among {BOOKS} / dicts of floats",
        [(held(lambda: loaded(many, all_of_them)), held(lambda: floats(all_of_them)))],
        scale=1 / BOOKS / 1024,
        unit="KB",
    )
