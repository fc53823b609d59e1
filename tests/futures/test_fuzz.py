"""Whatever comes over the wire, a feed raises ProtocolError or nothing, and shows no book that is not live."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.auth import Credentials
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import Subscription
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.auth import FuturesSigner
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import PRIVATE, PUBLIC, FuturesFeed, private_feed, public_feed

SYMBOL = Symbol.parse("BTC/USD:USD")
TIMES = {"time": 1767614400000, "last_update_time": 1767614400000}
ROW = {"price": 100.0, "qty": 1.5}
TRADE = {"product_id": "PF_XBTUSD", "side": "buy", "type": "fill", "seq": 3, "uid": "u", "time": 1, **ROW}
ORDER = {"instrument": "PF_XBTUSD", "qty": 1.0, "filled": 0.0, "order_id": "o", "direction": 0, **TIMES}
FILL = {"instrument": "PF_XBTUSD", "buy": True, "order_id": "o", "fill_id": "f", "fill_type": "maker", **TIMES, **ROW}
POSITION = {"instrument": "PF_XBTUSD", "balance": 1.0, "entry_price": 100.0, "mark_price": 90.0}
MARGIN = {"pair": "XBT/USD", "unit": "XBT", "balance": 1.0, "available": 0.5}
STOP = {**ORDER, "type": "stop", "stop_price": 90.0, "triggerSignal": "mark", "reduce_only": True}
TRAIL = {**ORDER, "type": "trailing_stop", "trailing_stop_options": {"max_deviation": 1.5, "unit": "percent"}}
LOG = {
    "id": 7,
    "date": "2026-01-05T12:00:00Z",
    "asset": "xbt",
    "info": "transfer",
    "old_balance": 1.0,
    "new_balance": 2,
}
NOTE = {"id": 5, "type": "market", "priority": "low", "note": "n", "effective_time": 1, "expected_downtime_minutes": 5}
FLEX = {"currencies": {"USD": {"quantity": 1.0, "available": 0.5}}}

FRAMES: list[dict[str, Any]] = [
    {"feed": "book_snapshot", "product_id": "PF_XBTUSD", "seq": 10, "bids": [ROW], "asks": [{"price": 101, "qty": 1}]},
    {"feed": "book", "product_id": "PF_XBTUSD", "side": "buy", "seq": 11, "timestamp": 1, "price": 99.5, "qty": 0.0},
    {"feed": "trade", **TRADE},
    {"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": [TRADE]},
    {"feed": "ticker", "product_id": "PF_XBTUSD", "time": 1, "bid": 1.0, "tag": "perpetual", "suspended": False},
    {"feed": "ticker_lite", "product_id": "PF_XBTUSD", "bid": 1.0},
    {"feed": "open_orders", "order": ORDER, "is_cancel": False, "reason": "partial_fill"},
    {"feed": "open_orders_snapshot", "account": "a", "orders": [ORDER]},
    {"feed": "open_orders_verbose", "order": STOP, "is_cancel": True, "reason": "stop_order_triggered"},
    {"feed": "open_orders_verbose", "order": TRAIL, "is_cancel": False, "reason": "limit_order_from_stop"},
    {"feed": "open_orders_verbose_snapshot", "account": "a", "orders": [STOP, TRAIL]},
    {"feed": "fills", "account": "a", "fills": [{**FILL, "seq": 3}]},
    {"feed": "fills_snapshot", "account": "a", "fills": [{**FILL, "seq": 1}, {**FILL, "seq": 2, "fill_id": "g"}]},
    {"feed": "account_log", "new_entry": LOG},
    {"feed": "account_log_snapshot", "logs": [{**LOG, "id": 9, "asset": "pf_xbtusd"}, {**LOG, "id": 8}]},
    {"feed": "notifications_auth", "notifications": [NOTE]},
    {"feed": "open_positions", "account": "a", "positions": [POSITION], "seq": 1},
    {"feed": "balances_snapshot", "account": "a", "seq": 0, "holding": {"USD": 1.0}, "futures": {"F": MARGIN}},
    {"feed": "balances", "account": "a", "seq": 1, "flex_futures": FLEX},
    {"feed": "heartbeat", "time": 1},
    {"event": "subscribed", "feed": "book", "product_ids": ["PF_XBTUSD"]},
    {"event": "subscribed", "feed": "trade", "product_ids": ["PF_XBTUSD"]},
    {"event": "subscribed", "feed": "fills"},
    {"event": "subscribed", "feed": "account_log"},
    {"event": "unsubscribed", "feed": "book", "product_ids": ["PF_XBTUSD"]},
    {"event": "challenge", "message": "m"},
    {"event": "error", "message": "Invalid feed"},
    {"event": "alert", "message": "Already subscribed to feed, re-requesting"},
]

_NUMBERS = st.sampled_from([0, 1, -1, 10, 11, 12, 10**17, 10**25, 0.5, 1e300, 1e-300, -0.0, 10**400])
_SCALARS = (
    st.none()
    | st.booleans()
    | _NUMBERS
    | st.sampled_from(["", "buy", "NaN", "1e999999999", "XBT", "\u0663"])
    | st.text()
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def feeds() -> list[FuturesFeed]:
    symbols = SymbolMap("f")
    symbol = SYMBOL
    one = Decimal(1)
    naming.add(symbols, Instrument(symbol=symbol, venue_id="PF_XBTUSD", tick_size=one, lot_size=one, min_quantity=one))
    made = []
    for provisional in (False, True):
        context = VenueContext(
            venue="f",
            config=FuturesConfig(),
            symbols=symbols,
            assets=AssetMap("f"),
            signer=FuturesSigner.of(Credentials(api_key="key", api_secret="c2VjcmV0"), FuturesConfig()),
            provisional=provisional,
        )
        public = public_feed(context)
        public.opened(0.0)
        public.subscribe([Subscription(channel, symbol) for channel in PUBLIC], 0.0)
        private = private_feed(context)
        private.subscribe([Subscription(channel) for channel in PRIVATE], 0.0)
        private.opened(0.0)
        made += [public, private]
    return made


def feed_them(frames: list[str | bytes]) -> None:
    for feed in feeds():
        for frame in frames:
            try:
                events = feed.receive(frame, 0.0)
            except ProtocolError:
                continue
            for event in events:
                repr(event)
                if isinstance(event, OrderBook):
                    assert event.health is BookHealth.LIVE
                    check(event)
        for now in (1.0, 11.0, 75.0, 90.0):
            feed.tick(now)
            feed.outbox()
            feed.is_dead(now)
        feed.closed(12.0)


def check(book: OrderBook) -> None:
    bids, asks = book.bids(), book.asks()
    repr(book.time)
    assert all(level.quantity > 0 and level.price > 0 for level in (*bids, *asks))
    assert [level.price for level in bids] == sorted({level.price for level in bids}, reverse=True)
    assert [level.price for level in asks] == sorted({level.price for level in asks})
    if bids and asks:
        assert bids[0].price < asks[0].price


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A known frame with something changed, somewhere inside."""
    frame = json.loads(json.dumps(draw(st.sampled_from(FRAMES))))
    for _ in range(draw(st.integers(0, 2))):
        place: Any = frame
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()) and isinstance(place, dict):
                del place[key]
            else:
                place[key] = draw(_JSON)
            break
    return json.dumps(frame)


@given(st.lists(st.binary() | st.text(), max_size=5))
def test_any_bytes_and_any_text(frames: list[str | bytes]) -> None:
    feed_them(frames)


@given(st.lists(_JSON.map(json.dumps), max_size=5))
def test_any_json(frames: list[str]) -> None:
    feed_them(list(frames))


@settings(max_examples=300)
@given(st.lists(mutated(), max_size=8))
def test_known_frames_with_changes(frames: list[str]) -> None:
    feed_them([json.dumps(FRAMES[0]), *frames])


@given(st.data())
def test_known_frames_cut_and_joined(data: st.DataObject) -> None:
    texts = [json.dumps(frame) for frame in FRAMES]
    first, second = (data.draw(st.sampled_from(texts)) for _ in range(2))
    cut = data.draw(st.integers(0, len(first)))
    feed_them([first[:cut] + second[data.draw(st.integers(0, len(second))) :], first[:cut].encode()])


# Books that are told right or wrong by their numbers alone.

_LEVELS = st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 12), st.integers(0, 5))


class Exchange:
    """The venue's own book: whatever is published of it must be what stood here at some number."""

    def __init__(self, first: int) -> None:
        self.seq = first
        self.sides: dict[str, dict[int, int]] = {"buy": {}, "sell": {}}
        self.states: dict[int, tuple[tuple[tuple[int, int], ...], ...]] = {}
        self.note()

    def note(self) -> None:
        bids, asks = self.sides["buy"], self.sides["sell"]
        self.states[self.seq] = (tuple(sorted(bids.items(), reverse=True)), tuple(sorted(asks.items())))

    def change(self, side: str, distance: int, quantity: int) -> str:
        """Make a change that leaves the book uncrossed, and return its frame."""
        price = 100 - distance if side == "buy" else 100 + distance
        self.seq += 1
        if quantity:
            self.sides[side][price] = quantity
        else:
            self.sides[side].pop(price, None)
        self.note()
        head = {"feed": "book", "product_id": "PF_XBTUSD", "seq": self.seq, "timestamp": self.seq}
        return json.dumps({**head, "side": side, "price": price, "qty": quantity})

    def snapshot(self) -> str:
        bids, asks = ([{"price": p, "qty": q} for p, q in side.items()] for side in self.sides.values())
        head = {"feed": "book_snapshot", "product_id": "PF_XBTUSD", "seq": self.seq, "timestamp": self.seq}
        return json.dumps({**head, "bids": bids, "asks": asks})


def shown(book: OrderBook) -> tuple[tuple[tuple[int, int], ...], ...]:
    return tuple(tuple((int(price), int(quantity)) for price, quantity in side) for side in (book.bids(), book.asks()))


def deliver(feed: FuturesFeed, venue: Exchange, frames: list[str], now: float) -> list[str]:
    """Hand over frames, look at what is published, let time pass; return what the venue says to what it is asked."""
    for frame in frames:
        for event in feed.receive(frame, now):
            if isinstance(event, OrderBook):
                assert event.time is not None
                assert shown(event) == venue.states[round(event.time.timestamp() * 1000)]
    feed.tick(now)
    answers = []
    for request in map(json.loads, feed.outbox()):
        word = {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}[request["event"]]
        answers.append(json.dumps({**request, "event": word}))
        if request["feed"] == "book" and word == "subscribed":
            answers.append(venue.snapshot())
    return answers


@settings(max_examples=200)
@given(st.data())
def test_no_loss_no_repeat_and_no_silence_ever_publishes_a_wrong_book(data: st.DataObject) -> None:
    """Frames are lost, repeated and swapped, time passes; what is published stood at the venue at just that number.

    And once frames come whole again, so is the book.
    """
    feed = feeds()[0]
    venue, now = Exchange(data.draw(st.integers(0, 3))), 0.0
    frames = deliver(feed, venue, [], now)
    for _ in range(data.draw(st.integers(1, 40))):
        frames.append(venue.change(*data.draw(_LEVELS)))
        fate = data.draw(st.sampled_from(["as it is"] * 6 + ["lost", "twice", "late", "wait", "break"]))
        if fate == "lost":
            frames.pop()
        elif fate == "twice":
            frames.append(frames[-1])
        elif fate == "late" and len(frames) > 1:
            frames[-1], frames[-2] = frames[-2], frames[-1]
        elif fate == "wait":
            now += 61.0
        elif fate == "break":
            feed.closed(now)
            feed.opened(now)
            frames = []
        frames = deliver(feed, venue, frames, now)
    for _ in range(8):
        now += 61.0
        frames = deliver(feed, venue, frames, now)
    book = feed.book(SYMBOL)
    assert book is not None
    assert book.health is BookHealth.LIVE
    assert shown(book) == venue.states[venue.seq]
