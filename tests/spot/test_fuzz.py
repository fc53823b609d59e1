"""Whatever a connection delivers, the feed raises nothing but ProtocolError and shows no wrong book."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError, ProtocolError
from exchange_core.model.book import BookHealth
from exchange_core.model.event import Channel, Subscription
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.connections import PrivateFeed, PublicFeed
from kraken_spot.rest.operations import KrakenSpotRest

BTC = Symbol("BTC", "USD")

FRAMES = [
    '{"channel":"heartbeat"}',
    '{"channel":"status","type":"update","data":[{"system":"online","api_version":"v2","connection_id":1}]}',
    '{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":99.5,"qty":1.00000000}],'
    '"asks":[{"price":100.5,"qty":2.00000000}],"checksum":1,"timestamp":"2026-10-09T00:34:21.169750Z"}]}',
    '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":99.4,"qty":1.00000000}],'
    '"asks":[],"checksum":1,"timestamp":"2026-10-09T00:34:21.169750Z"}]}',
    '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":83744.2,"bid_qty":0.56251979,"last":1.5,'
    '"timestamp":"2026-09-25T17:48:26.844359Z"}]}',
    '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":0.5117,"qty":40.0,'
    '"ord_type":"market","trade_id":4665906,"timestamp":"2023-09-25T07:49:37.708706Z"}]}',
    '{"channel":"ohlc","type":"update","timestamp":"2026-09-25T17:48:26.844359566Z","data":[{"symbol":"BTC/USD",'
    '"open":83729.5,"high":83745.2,"low":83729.4,"close":83744.3,"trades":33,"volume":0.21155628,"vwap":83736.4,'
    '"interval_begin":"2026-09-25T17:48:00.000000000Z","interval":1,"timestamp":"2026-09-25T17:49:00.000000Z"}]}',
    '{"channel":"instrument","type":"update","data":{"assets":[],"pairs":[{"symbol":"BTC/USD","base":"BTC",'
    '"quote":"USD","status":"online","qty_precision":8,"qty_increment":1e-08,"price_precision":1,"cost_precision":5,'
    '"cost_min":0.5,"price_increment":0.1,"qty_min":0.0001}]}}',
    '{"channel":"executions","type":"update","data":[{"order_id":"O","exec_id":"T","exec_type":"trade",'
    '"symbol":"BTC/USD","side":"sell","last_qty":0.005,"last_price":26599.9,"order_qty":1,"limit_price":2,'
    '"timestamp":"2023-09-22T10:33:05.709993Z","order_status":"partially_filled","cum_qty":0.005,"avg_price":26599.9,'
    '"fees":[{"asset":"USD","qty":0.3458}]}],"sequence":10}',
    '{"channel":"balances","type":"snapshot","data":[{"asset":"MATIC","asset_class":"currency","balance":500,'
    '"wallets":[{"type":"spot","id":"main","balance":300}]}],"sequence":1}',
    '{"channel":"balances","type":"update","data":[{"ledger_id":"A","asset":"USD","wallet_type":"spot","balance":500}],'
    '"sequence":2}',
    '{"method":"subscribe","req_id":1,"result":{"channel":"book","depth":10,"symbol":"BTC/USD"},"success":true}',
    '{"error":"Already subscribed","method":"subscribe","success":false,"symbol":"BTC/USD"}',
    '{"method":"pong","req_id":101}',
    '[321,[["57126.7","0.02","1616333924.73","b","m",""]],"trade","XBT/USD"]',
]

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["NaN", "Infinity", "1e999999", "-1", "", "book", "BTC/USD", "snapshot", "update", "\x00"])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [found for key, inner in items for found in _paths(inner, (*path, key))]


@st.composite
def mutated(draw: Any) -> str | bytes:
    """A recorded kind of frame with a value replaced, removed or cut."""
    text = draw(st.sampled_from(FRAMES))
    message = json.loads(text)
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(_paths(message)))
        if not path:
            message = draw(ANYTHING)
            break
        place = message
        for step in path[:-1]:
            place = place[step]
        if draw(st.booleans()):
            place[path[-1]] = draw(ANYTHING)
        else:
            del place[path[-1]]
    frame = json.dumps(message) if draw(st.booleans()) else text
    cut = draw(st.integers(0, len(frame))) if draw(st.integers(0, 9)) == 0 else len(frame)
    return frame[:cut].encode() if draw(st.booleans()) else frame[:cut]


ANY_FRAME = mutated() | ANYTHING.map(json.dumps) | st.binary(max_size=40) | st.text(max_size=40)


@pytest.mark.parametrize("kind", [PublicFeed, PrivateFeed])
@pytest.mark.parametrize("provisional", [False, True])
@settings(max_examples=400, deadline=None)
@given(stream=st.lists(ANY_FRAME, max_size=12))
def test_a_feed_raises_nothing_but_protocol_errors(
    make_context: Callable[..., VenueContext], kind: type[PublicFeed | PrivateFeed], provisional: bool, stream: Any
) -> None:
    feed = kind(make_context(provisional=provisional))
    if kind is PublicFeed:
        feed.subscribe([Subscription(Channel.BOOK, BTC), Subscription(Channel.TICKER, BTC)], 0.0)
    else:
        feed.subscribe([Subscription(Channel.ORDERS), Subscription(Channel.BALANCES)], 0.0)
    feed.opened(0.0, "the-token")
    for number, frame in enumerate(stream):
        try:
            told = repr(feed.receive(frame, float(number)))
        except ProtocolError as error:
            told = str(error)
        assert "the-token" not in told
        for sent in feed.outbox():
            json.loads(sent)
        for event in feed.tick(number + 0.5):
            repr(event)
        book = feed.book(BTC)
        if book is not None and book.health is BookHealth.LIVE:
            _ = [(level.price > 0, level.quantity > 0) for level in (*book.bids(), *book.asks())]
    feed.closed(99.0)
    assert feed.stats.frames == len(stream)


DIGITS = st.text("0123456789.-eE+", min_size=1, max_size=12)
ROWS = st.lists(st.tuples(DIGITS, DIGITS), max_size=4)


@settings(max_examples=400, deadline=None)
@given(bids=ROWS, asks=ROWS)
def test_a_live_book_is_what_its_checksum_says(make_context: Callable[..., VenueContext], bids: Any, asks: Any) -> None:
    """Whatever digits come: levels that are shown sum to the checksum that came with them."""
    feed = PublicFeed(make_context())
    feed.subscribe([Subscription(Channel.BOOK, BTC)], 0.0)
    feed.opened(0.0)
    digits = "".join(
        p.replace(".", "").lstrip("0") + q.replace(".", "").lstrip("0") for side in (asks, bids) for p, q in side
    )
    sides = {
        name: [{"price": f"#{p}#", "qty": f"#{q}#"} for p, q in side] for name, side in (("bids", bids), ("asks", asks))
    }
    data = {"symbol": "BTC/USD", **sides, "checksum": zlib.crc32(digits.encode())}
    frame = json.dumps({"channel": "book", "type": "snapshot", "data": [data]}).replace('"#', "").replace('#"', "")
    try:
        feed.receive(frame, 0.0)
    except ProtocolError:
        return
    book = feed.book(BTC)
    assert book is not None
    if book.health is BookHealth.LIVE:
        assert all(level.price > 0 and level.quantity > 0 for level in (*book.bids(), *book.asks()))
        shown = "".join(
            f"{level.price:.1f}".replace(".", "").lstrip("0") + f"{level.quantity:.8f}".replace(".", "").lstrip("0")
            for side in (book.asks(), book.bids())
            for level in side
        )
        assert zlib.crc32(shown.encode()) == data["checksum"]


OPERATIONS: list[Callable[[KrakenSpotRest], Any]] = [
    lambda rest: rest.instruments(),
    lambda rest: rest.ticker(BTC),
    lambda rest: rest.book(BTC, None),
    lambda rest: rest.trades(BTC, None),
    lambda rest: rest.candles(BTC, 1, None),
    lambda rest: rest.open_orders(),
    lambda rest: rest.balances(),
    lambda rest: rest.fills(None),
    lambda rest: rest.fees(BTC),
]


@settings(max_examples=300, deadline=None)
@given(operation=st.sampled_from(OPERATIONS), results=st.lists(ANYTHING, min_size=3, max_size=3))
def test_operations_raise_nothing_but_our_errors(
    make_context: Callable[..., VenueContext], make_runner: Any, operation: Any, results: Any
) -> None:
    context = make_context()
    runner = make_runner(context)
    with suppress(ExchangeError):
        runner.lenient(operation(KrakenSpotRest(context)), *results)


NUMBERS: st.SearchStrategy[Any] = st.sampled_from(
    ["1", "0", "-1", "NaN", "1e999999", "", "x", 5, -5, 10**30, None, True, [], {}]
)


@settings(max_examples=300, deadline=None)
@given(values=st.lists(NUMBERS, min_size=8, max_size=8), which=st.sampled_from(["trades", "orders", "balances"]))
def test_records_with_odd_numbers_raise_nothing_but_our_errors(
    make_context: Callable[..., VenueContext], make_runner: Any, values: Any, which: str
) -> None:
    context = make_context()
    rest, runner = KrakenSpotRest(context), make_runner(context)
    a, b, c, d, e, f, g, h = values
    flows: dict[str, tuple[Any, Any]] = {
        "trades": (
            rest.fills(None),
            {"trades": {"T": {"pair": "XBTUSD", "time": a, "type": "buy", "price": b, "vol": c, "fee": d}}, "count": e},
        ),
        "orders": (
            rest.open_orders(),
            {
                "open": {
                    "O": {
                        "status": "open",
                        "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": a},
                        "vol": b,
                        "vol_exec": c,
                        "price": d,
                        "fee": e,
                        "opentm": f,
                        "closetm": g,
                        "oflags": "",
                        "cl_ord_id": h,
                    }
                }
            },
        ),
        "balances": (rest.balances(), {"XXBT": {"balance": a, "hold_trade": b, "credit": c, "credit_used": d}}),
    }
    with suppress(ExchangeError):
        runner.lenient(*flows[which])
