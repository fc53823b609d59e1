"""What a book message of Kraken Futures costs from its bytes to the user's callback, its sequence checked.

Against a pipeline written by hand for nothing else: msgspec decodes to floats, a dict and a bisected list keep the
levels, the sequence is compared, the same callback is called. The snapshot is fed before the clock starts, for both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from benchmarks.frames import PRODUCT, Stream, futures_stream
from benchmarks.public_path import Counter, PublicPath
from benchmarks.timing import Figure, cpu, figure
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol

MESSAGES = 20_000
ROUNDS = 9
TARGET = 3.0

SYMBOL = Symbol.parse("BTC/USD:USD")
INSTRUMENT = Instrument(
    symbol=SYMBOL,
    venue_id=PRODUCT,
    tick_size=Decimal(1),
    lot_size=Decimal("0.0001"),
    min_quantity=Decimal("0.0001"),
)


class _Level(msgspec.Struct, gc=False):
    price: float
    qty: float


class _Frame(msgspec.Struct, gc=False):
    feed: str
    product_id: str
    seq: int
    timestamp: int
    side: str = ""
    price: float = 0.0
    qty: float = 0.0
    bids: list[_Level] | None = None
    asks: list[_Level] | None = None


class ByHand:
    """Books of floats: two dicts and two sorted lists, bids negated."""

    def __init__(self, callback: Callable[[object], None]) -> None:
        self.decode = msgspec.json.Decoder(_Frame).decode
        self.callback = callback
        self.gaps = 0
        self.last: dict[str, int] = {}
        self.sides: dict[str, dict[str, tuple[int, dict[float, float], list[float]]]] = {}

    def take(self, frame: bytes) -> None:
        message = self.decode(frame)
        product = message.product_id
        if message.bids is not None and message.asks is not None:
            sides = self.sides[product] = {"buy": (-1, {}, []), "sell": (1, {}, [])}
            for word, rows in (("buy", message.bids), ("sell", message.asks)):
                sign, quantities, keys = sides[word]
                quantities.update((row.price, row.qty) for row in rows)
                keys[:] = sorted(sign * price for price in quantities)
        else:
            if message.seq != self.last[product] + 1:
                self.gaps += 1
            sign, quantities, keys = self.sides[product][message.side]
            price = message.price
            if message.qty:
                if price not in quantities:
                    keys.insert(bisect_left(keys, sign * price), sign * price)
                quantities[price] = message.qty
            elif quantities.pop(price, None) is not None:
                del keys[bisect_left(keys, sign * price)]
        self.last[product] = message.seq
        self.callback(self.sides[product])

    def best(self, product: str) -> tuple[float, float]:
        sides = self.sides[product]
        return -sides["buy"][2][0], sides["sell"][2][0]


def check(stream: Stream) -> None:
    """See that all messages arrive and are right at both, and that a hole is noticed."""
    user = Counter()
    path = PublicPath("kraken_futures", [INSTRUMENT], user.keep)
    by_hand = ByHand(lambda book: None)
    for frame in stream.frames:
        path.take(frame)
        by_hand.take(frame)
    assert user.count == len(stream.frames), f"{user.count} of {len(stream.frames)} messages reached the callback"
    assert not by_hand.gaps
    book = user.books[str(SYMBOL)]
    assert book.best_bid is not None, "the book is empty"
    assert book.best_ask is not None, "the book is empty"
    best = stream.best[PRODUCT]
    assert (book.best_bid.price, book.best_ask.price) == best, f"{book} instead of {best}"
    assert tuple(map(Decimal, by_hand.best(PRODUCT))) == best
    user = Counter()
    path = PublicPath("kraken_futures", [INSTRUMENT], user)
    path.take(stream.snapshots[0])
    path.take(stream.updates[1])
    assert user.count == 1, "a book with a hole was published"
    assert len(path.failures) == 1, "a hole was not noticed"


def measure(messages: int = MESSAGES, rounds: int = ROUNDS) -> Iterator[Figure]:
    stream = futures_stream(messages)
    check(stream)

    def ours() -> float:
        user = Counter()
        return _updates_only(PublicPath("kraken_futures", [INSTRUMENT], user).take, user)

    def by_hand() -> float:
        user = Counter()
        return _updates_only(ByHand(user).take, user)  # type: ignore[arg-type]

    def _updates_only(take: Callable[[bytes], None], user: Counter) -> float:
        take(stream.snapshots[0])

        def run() -> None:
            for frame in stream.updates:
                take(frame)

        spent = cpu(run)
        assert user.count == len(stream.frames)
        return spent

    ours()
    by_hand()
    yield figure(
        "futures book, to a callback / msgspec and bisect by hand",
        [(ours(), by_hand()) for _ in range(rounds)],
        scale=1e6 / messages,
        unit="us",
        target=TARGET,
    )
