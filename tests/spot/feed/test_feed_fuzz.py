"""Whatever comes, and whenever: nothing but protocol errors, no wrong book, no token shown, nothing told twice."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookByOrder, BookHealth
from exchange_core.model.event import Channel, Subscription, TickerTrigger
from exchange_core.model.market import Candle, Trade
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.feed.connections import PublicFeed
from kraken_spot.feed.level3 import Level3Feed

BTC = Symbol("BTC", "USD")
MOMENT = "2024-01-08T12:26:47.123456789Z"

ODD: list[Any] = [None, True, [], {}, "", "NaN", "1e999", -1, 0, 7, 10**30, 0.5, "BTC/USD", "snapshot", "\x00"]


def level3(kind: str, row: dict[str, Any], checksum: Any) -> dict[str, Any]:
    data = {"symbol": "BTC/USD", "checksum": checksum, "bids": [row], "asks": [], "timestamp": MOMENT}
    return {"channel": "level3", "type": kind, "data": [data]}


ORDER = {"order_id": "A", "limit_price": 99.5, "order_qty": 1, "timestamp": MOMENT, "event": "add"}
FRAMES: list[dict[str, Any]] = [
    level3("snapshot", ORDER, zlib.crc32(b"995100000000")),
    level3("snapshot", ORDER, 1),
    level3("update", {**ORDER, "event": "modify"}, zlib.crc32(b"995100000000")),
    level3("update", {**ORDER, "event": "delete"}, 0),
    level3("update", {**ORDER, "order_id": "B"}, 5),
    {"method": "subscribe", "req_id": 1, "success": True, "result": {"channel": "level3", "symbol": "BTC/USD"}},
    {"method": "subscribe", "req_id": 1, "success": False, "error": "Already subscribed", "symbol": "BTC/USD"},
    {"method": "subscribe", "req_id": 2, "success": False, "error": "EService:Unavailable"},
    {"method": "pong", "time_out": MOMENT},
    {"channel": "heartbeat"},
    {"Error": "Exceeded msg rate"},
    {
        "channel": "ohlc",
        "type": "update",
        "timestamp": MOMENT,
        "data": [
            {
                "symbol": "BTC/USD",
                **dict.fromkeys(("open", "high", "low", "close", "volume", "vwap"), 1.5),
                "trades": 3,
                "interval": 1,
                "interval_begin": "2024-01-08T12:26:00.000000000Z",
            }
        ],
    },
    {
        "channel": "trade",
        "type": "snapshot",
        "data": [
            {"symbol": "BTC/USD", "side": "buy", "price": 1, "qty": 1, "trade_id": 9, "timestamp": MOMENT},
        ],
    },
    {"channel": "ticker", "type": "snapshot", "data": [{"symbol": "BTC/USD", "bid": 1.5, "timestamp": MOMENT}]},
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [found for key, inner in items for found in paths(inner, (*path, key))]


@st.composite
def damaged(draw: Any) -> str:
    """A frame as the venue sends it, with up to three of its values replaced or left out."""
    message = json.loads(json.dumps(draw(st.sampled_from(FRAMES))))
    for _ in range(draw(st.integers(0, 3))):
        found = [path for path in paths(message) if path]
        if not found:
            break
        path = draw(st.sampled_from(found))
        place = message
        for step in path[:-1]:
            place = place[step]
        if draw(st.integers(0, 3)):
            place[path[-1]] = draw(st.sampled_from(ODD))
        else:
            del place[path[-1]]
    return json.dumps(message)


STEPS = st.lists(st.tuples(damaged(), st.sampled_from([0.0, 0.1, 1.0, 15.0, 70.0]), st.integers(0, 12)), max_size=25)


@pytest.mark.parametrize("kind", [PublicFeed, Level3Feed])
@pytest.mark.parametrize("provisional", [False, True])
@settings(max_examples=250, deadline=None)
@given(steps=STEPS)
def test_nothing_but_protocol_errors_and_nothing_wrong_is_shown(
    make_context: Callable[..., VenueContext], kind: type[PublicFeed | Level3Feed], provisional: bool, steps: Any
) -> None:
    feed = kind(make_context(provisional=provisional))
    wanted = [Subscription(Channel.BOOK_BY_ORDER, BTC)]
    if kind is PublicFeed:
        wanted = [
            Subscription(Channel.BOOK, BTC),
            Subscription(Channel.TRADES, BTC),
            Subscription(Channel.TICKER, BTC, trigger=TickerTrigger.TRADES),
            Subscription(Channel.CANDLES, BTC, interval=1),
        ]
    feed.subscribe(wanted, 0.0)
    feed.opened(0.0, "the-token")
    now, told = 0.0, list[Any]()
    for frame, wait, action in steps:
        now += wait
        try:
            events = list(feed.receive(frame, now))
        except ProtocolError as error:
            events = [str(error)]  # type: ignore[list-item]
        if action == 0:
            feed.unsubscribe(wanted[:1], now)
        elif action == 1:
            feed.subscribe(wanted[:1], now)
        elif action == 2:
            events += feed.closed(now)
            feed.opened(now, "the-token")
        if action > 6:
            events += feed.tick(now)
        for sent in feed.outbox():
            json.loads(sent)
        assert "the-token" not in repr(events)
        told += events
        feed.is_dead(now)
        shown = feed.book(BTC)
        if isinstance(shown, BookByOrder) and shown.health is BookHealth.LIVE:
            for level in (*shown.bid_queues(), *shown.ask_queues()):
                assert level.price > 0
                assert level.orders
                assert all(order.quantity > 0 for order in level.orders)
                assert level.quantity == sum(order.quantity for order in level.orders)
    assert feed.stats.frames == len(steps)
    if all(action not in (0, 1) for _, _, action in steps):
        bars = Counter((e.interval, e.start) for e in told if isinstance(e, Candle) and e.closed and e.symbol == BTC)
        assert set(bars.values()) <= {1}


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["add", "modify", "delete"]),
            st.sampled_from("ABCDEF"),
            st.sampled_from(["99.5", "99.6", "100.0", "0.0", "99.55"]),
            st.sampled_from(["1.00000000", "0.00000001", "0.00000000", "7"]),
            st.integers(0, 9),
        ),
        max_size=12,
    ),
    checksum=st.sampled_from([0, 1, zlib.crc32(b"995100000000"), zlib.crc32(b"1000700000000")]),
)
def test_a_book_that_is_shown_has_the_checksum_that_came(
    make_context: Callable[..., VenueContext], wire: Any, rows: Any, checksum: int
) -> None:
    """Whatever happens to orders in one message, what is shown afterwards sums to what the venue said."""
    feed = Level3Feed(make_context(config=KrakenSpotConfig(quiet_after=0)))
    feed.subscribe([Subscription(Channel.BOOK_BY_ORDER, BTC)], 0.0)
    feed.opened(0.0, "the-token")
    other = wire(feed)
    other.acknowledge()
    other.tell('{"channel":"level3","type":"snapshot","data":[{"symbol":"BTC/USD","checksum":0,"bids":[],"asks":[]}]}')
    events = ",".join(
        f'{{"event":"{event}","order_id":"{name}","limit_price":{price},"order_qty":{quantity},'
        f'"timestamp":"2024-01-08T12:26:47.{time}Z"}}'
        for event, name, price, quantity, time in rows
    )
    other.tell(
        f'{{"channel":"level3","type":"update","data":[{{"symbol":"BTC/USD","checksum":{checksum},'
        f'"bids":[{events}],"asks":[]}}]}}'
    )
    shown = feed.book(BTC)
    assert isinstance(shown, BookByOrder)
    if shown.health is BookHealth.LIVE:
        text = "".join(
            f"{level.price:.1f}".replace(".", "").lstrip("0") + f"{order.quantity:.8f}".replace(".", "").lstrip("0")
            for level in shown.bid_queues()
            for order in level.orders
        )
        assert zlib.crc32(text.encode()) == checksum
    else:
        assert shown.bids() == []


@settings(max_examples=200, deadline=None)
@given(
    messages=st.lists(
        st.tuples(
            st.sampled_from(["snapshot", "update", "lost"]), st.lists(st.integers(1, 40), min_size=1, max_size=6)
        ),
        max_size=20,
    )
)
def test_no_trade_is_told_twice(make_context: Callable[..., VenueContext], wire: Any, messages: Any) -> None:
    """In whatever order they come, repeated or not; a trade's time is that of its number."""
    feed = PublicFeed(make_context())
    feed.subscribe([Subscription(Channel.TRADES, BTC)], 0.0)
    feed.opened(0.0)
    other = wire(feed)
    told: list[str] = []
    for number, (kind, ids) in enumerate(messages):
        if kind == "lost":
            feed.closed(float(number))
            feed.opened(float(number))
            continue
        data = [
            {
                "symbol": "BTC/USD",
                "side": "buy",
                "price": 1,
                "qty": 1,
                "trade_id": i,
                "timestamp": f"2024-01-08T12:00:{i:02}Z",
            }
            for i in ids
        ]
        events = other.tell({"channel": "trade", "type": kind, "data": data}, float(number))
        told += [event.id for event in events if isinstance(event, Trade)]
    assert len(told) == len(set(told))
