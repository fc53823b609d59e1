"""What a book message of Kraken Spot costs from its bytes to the user's callback, every checksum verified.

Against the bare floor: a typed msgspec decode of the same frame to floats, one CRC32 of a text that lies ready, and
the same callback. Snapshots are fed before the clock starts, for both; the clock sees updates only.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from benchmarks.frames import SYMBOLS, Stream, book_stream, tampered
from benchmarks.public_path import Counter, PublicPath
from benchmarks.timing import Figure, cpu, figure
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol

MESSAGES = 20_000
ROUNDS = 9
TARGET = 6.0
DEEP, DEEP_TARGET = 1000, 1.35

INSTRUMENTS = [
    Instrument(
        symbol=Symbol.parse(name),
        venue_id=name,
        tick_size=Decimal(1).scaleb(-prices),
        lot_size=Decimal(1).scaleb(-quantities),
        min_quantity=Decimal("0.0001"),
        price_decimals=prices,
        quantity_decimals=quantities,
    )
    for name, (prices, quantities, _) in SYMBOLS.items()
]


class _Level(msgspec.Struct, gc=False):
    price: float
    qty: float


class _Data(msgspec.Struct, gc=False):
    symbol: str
    bids: list[_Level]
    asks: list[_Level]
    checksum: int
    timestamp: str


class _Book(msgspec.Struct, gc=False):
    channel: str
    type: str
    data: list[_Data]


def floor(frames: list[bytes]) -> int:
    """Do the least that anyone must do with *frames*."""
    decode, crc32 = msgspec.json.Decoder(_Book).decode, zlib.crc32
    ready = b"8177661234567890" * 20  # as long as the text of twenty levels
    seen = 0

    def callback(data: _Data) -> None:
        nonlocal seen
        seen += 1

    for frame in frames:
        data = decode(frame).data[0]
        crc32(ready)
        callback(data)
    return seen


def check(stream: Stream, depth: int) -> None:
    """See that all messages arrive and are right, and that a wrong one is noticed."""
    user = Counter()
    path = PublicPath("kraken_spot", INSTRUMENTS, user.keep, depth=depth)
    for frame in stream.frames:
        path.take(frame)
    assert user.count == len(stream.frames), f"{user.count} of {len(stream.frames)} messages reached the callback"
    assert path.feed.stats.verified == len(stream.frames), path.feed.stats
    for name, (bid, ask) in stream.best.items():
        book = user.books[name]
        assert book.best_bid is not None, f"{name} is empty"
        assert book.best_ask is not None, f"{name} is empty"
        assert (book.best_bid.price, book.best_ask.price) == (bid, ask), f"{name}: {book} instead of {bid}, {ask}"
    user = Counter()
    path = PublicPath("kraken_spot", INSTRUMENTS, user, depth=depth)
    for frame in stream.snapshots:
        path.take(frame)
    path.take(tampered(stream.updates[0]))
    assert user.count == len(stream.snapshots), "a book with a wrong checksum was published"
    assert len(path.failures) == 1, "a wrong checksum was not noticed"


def updates_only(stream: Stream, depth: int) -> float:
    """Return the CPU seconds of all updates, through a feed that had the snapshots."""
    user = Counter()
    path = PublicPath("kraken_spot", INSTRUMENTS, user, depth=depth)
    for frame in stream.snapshots:
        path.take(frame)
    take, updates = path.take, stream.updates

    def run() -> None:
        for frame in updates:
            take(frame)

    spent = cpu(run)
    assert user.count == len(stream.frames)
    return spent


def measure(messages: int = MESSAGES, rounds: int = ROUNDS) -> Iterator[Figure]:
    shallow, deep = book_stream(messages, 10), book_stream(messages, DEEP)
    check(shallow, 10)
    check(deep, DEEP)
    check(book_stream(2_000, 10, long=True), 10)
    floor(shallow.updates)
    updates_only(shallow, 10)
    times = [
        (updates_only(shallow, 10), cpu(lambda: floor(shallow.updates)), updates_only(deep, DEEP))
        for _ in range(rounds)
    ]
    scale = 1e6 / messages
    yield figure(
        "spot book, depth 10, to a callback / bare decode and CRC32",
        [(ours, bare) for ours, bare, _ in times],
        scale=scale,
        unit="us",
        target=TARGET,
    )
    yield figure(
        f"spot book, depth {DEEP} / depth 10",
        [(at_depth, ours) for ours, _, at_depth in times],
        scale=scale,
        unit="us",
        target=DEEP_TARGET,
    )
