"""Books are whole and right by their sequence, or they show nothing and are asked for once."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced, Channel, Event, Subscription
from exchange_core.model.symbol import Symbol
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import FuturesFeed, public_feed

PF, PI, ETH = (Symbol.parse(text) for text in ("BTC/USD:USD", "BTC/USD:BTC", "ETH/USD:USD"))
PRODUCTS = {PF: "PF_XBTUSD", PI: "PI_XBTUSD", ETH: "PF_ETHUSD"}

Rows = list[tuple[Any, Any]]
BIDS: Rows = [(100.0, 1.5), (99.0, 2.0)]
ASKS: Rows = [(101.0, 0.0001), (103.0, 5.0)]


def snapshot(seq: int = 10, bids: Rows = BIDS, asks: Rows = ASKS, product: str = "PF_XBTUSD", **more: Any) -> str:
    sides = {"bids": bids, "asks": asks}
    rows = {side: [{"price": price, "qty": qty} for price, qty in levels] for side, levels in sides.items()}
    frame = {"feed": "book_snapshot", "product_id": product, "timestamp": 1767614400000, "seq": seq, **rows}
    return json.dumps({**frame, "tickSize": None, **more})


def delta(seq: Any, side: str, price: Any, qty: Any, product: str = "PF_XBTUSD", **more: Any) -> str:
    frame = {"feed": "book", "product_id": product, "side": side, "seq": seq, "price": price, "qty": qty}
    return json.dumps({**frame, "timestamp": 1767614400000, **more})


def subscribed(product: str = "PF_XBTUSD", feed: str = "book") -> str:
    return json.dumps({"event": "subscribed", "feed": feed, "product_ids": [product]})


@pytest.fixture
def feed(public: FuturesFeed) -> FuturesFeed:
    """Connected, with the books of PF and PI acknowledged, and nothing left to send."""
    public.opened(0.0)
    public.subscribe([Subscription(Channel.BOOK, PF), Subscription(Channel.BOOK, PI)], 0.0)
    public.receive('{"event":"info","version":1}', 0.0)
    public.receive('{"event":"subscribed","feed":"heartbeat"}', 0.0)
    public.receive(subscribed("PF_XBTUSD"), 0.0)
    public.receive(subscribed("PI_XBTUSD"), 0.0)
    public.outbox()
    return public


def levels(feed: FuturesFeed, symbol: Symbol = PF) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    book = feed.book(symbol)
    assert book is not None
    return (
        [(str(level.price), str(level.quantity)) for level in book.bids()],
        [(str(level.price), str(level.quantity)) for level in book.asks()],
    )


def health(feed: FuturesFeed, symbol: Symbol = PF) -> BookHealth:
    book = feed.book(symbol)
    assert book is not None
    return book.health


def news(feed: FuturesFeed, *frames: str, now: float = 1.0) -> list[Event]:
    return [event for frame in frames for event in feed.receive(frame, now)]


def requests(feed: FuturesFeed) -> list[tuple[str, str, list[str]]]:
    frames = [json.loads(frame) for frame in feed.outbox()]
    return [(frame["event"], frame["feed"], frame.get("product_ids", [])) for frame in frames]


RESYNC = [("unsubscribe", "book", ["PF_XBTUSD"]), ("subscribe", "book", ["PF_XBTUSD"])]


def test_a_snapshot_and_its_changes_make_a_checked_book(feed: FuturesFeed) -> None:
    events = news(
        feed,
        snapshot(10),
        delta(11, "buy", 100.0, 0.25),
        delta(12, "sell", 102.0, 7.0),
        delta(13, "sell", 101.0, 0.0),
        delta(14, "buy", 98.0, 0),
    )
    assert all(isinstance(event, OrderBook) for event in events)
    assert len(events) == 5
    assert levels(feed) == ([("100", "0.2500"), ("99", "2.0000")], [("102", "7.0000"), ("103", "5.0000")])
    book = feed.book(PF)
    assert book is not None
    assert (book.health, book.checked) == (BookHealth.LIVE, 5)
    assert book.time is not None
    assert (feed.stats.books, feed.stats.verified, feed.stats.gaps) == (5, 5, 0)


def test_levels_of_a_snapshot_are_sorted_and_those_without_quantity_left_out(feed: FuturesFeed) -> None:
    news(feed, snapshot(10, [(99, 2), (100, 0.0), (98, -1.0), (99.0, 3)], [(103, 1), (101, 2), (102, 0)]))
    assert levels(feed) == ([("99", "3.0000")], [("101", "2.0000"), ("103", "1.0000")])


def test_negative_quantities_are_none(feed: FuturesFeed) -> None:
    news(feed, snapshot(10), delta(11, "buy", 100.0, -4.0))
    assert levels(feed)[0] == [("99", "2.0000")]


def test_a_time_stamp_may_be_missing(feed: FuturesFeed) -> None:
    frame = json.loads(delta(11, "buy", 100.0, 1))
    del frame["timestamp"]
    assert len(news(feed, snapshot(10), json.dumps(frame))) == 2
    book = feed.book(PF)
    assert book is not None
    assert book.time is None


def test_changes_before_the_snapshot_are_passed_over_and_are_no_gap(feed: FuturesFeed) -> None:
    feed.receive(delta(5, "buy", 1.0, 1.0), 1.0)
    assert health(feed) is BookHealth.SYNCING
    assert not feed.outbox()
    assert feed.stats.gaps == 0
    assert feed.stats.ignored == {"subscribed heartbeat": 1, "info": 1, "book before its snapshot": 1}


@pytest.mark.parametrize(
    ("seq", "reason"),
    [
        pytest.param(12, "1 missing", id="gap"),
        pytest.param(10, "went back", id="the same again"),
        pytest.param(9, "went back", id="an older one"),
    ],
)
def test_a_break_in_the_sequence_drops_the_book_and_asks_once(feed: FuturesFeed, seq: int, reason: str) -> None:
    news(feed, snapshot(10))
    (event,) = news(feed, delta(seq, "buy", 100.0, 9.0))
    assert isinstance(event, BookDesynced)
    assert event.symbol == PF
    assert reason in event.reason
    assert health(feed) is BookHealth.DESYNCED
    assert levels(feed) == ([], [])
    assert requests(feed) == RESYNC
    assert (feed.stats.gaps, feed.stats.resyncs, feed.stats.mismatches) == (1, 1, 0)


def test_updates_are_dropped_until_the_fresh_snapshot_and_other_books_go_on(feed: FuturesFeed) -> None:
    news(feed, snapshot(10), snapshot(70, [(50.5, 100)], [(51, 100)], "PI_XBTUSD"), delta(12, "buy", 100.0, 9.0))
    feed.outbox()
    for seq in (13, 14, 900):
        assert not [e for e in news(feed, delta(seq, "buy", 100.0, 9.0)) if isinstance(e, OrderBook | BookDesynced)]
    (other,) = news(feed, delta(71, "sell", 51.0, 7.0, "PI_XBTUSD"))
    assert isinstance(other, OrderBook)
    assert health(feed, PI) is BookHealth.LIVE
    assert levels(feed, PI) == ([("50.5", "100")], [("51.0", "7")])
    assert not feed.outbox()
    feed.receive('{"event":"unsubscribed","feed":"book","product_ids":["PF_XBTUSD"]}', 1.0)
    feed.receive(subscribed(), 1.0)
    (fresh,) = news(feed, snapshot(2000))
    assert isinstance(fresh, OrderBook)
    assert health(feed) is BookHealth.LIVE
    assert len(news(feed, delta(2001, "buy", 100.0, 9.0))) == 1
    assert not feed.outbox()
    assert feed.stats.resyncs == 1
    assert feed.is_active(Subscription(Channel.BOOK, PF))


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(delta(11, "buy", 101.0, 1.0), id="crossed by a bid"),
        pytest.param(delta(11, "sell", 99.5, 1.0), id="crossed by an ask"),
        pytest.param(delta(11, "hold", 100.0, 1.0), id="no side"),
        pytest.param(delta(11, "buy", "abc", 1.0), id="no price"),
        pytest.param(delta(11, "buy", None, 1.0), id="price of null"),
        pytest.param(delta(11, "buy", True, 1.0), id="price of true"),
        pytest.param(delta(11, "buy", [1], 1.0), id="price as a list"),
        pytest.param(delta(11, "buy", -5.0, 1.0), id="price below zero"),
        pytest.param(delta(11, "buy", 0.0, 1.0), id="price of zero"),
        pytest.param(delta(11, "buy", 1e300, 1.0), id="absurd price"),
        pytest.param(delta(11, "buy", 100.0, {}), id="quantity as an object"),
        pytest.param(delta(11, "buy", 100.0, 1e-300), id="absurd quantity"),
        pytest.param(delta(11, "buy", 100.0, 1.0, timestamp=10**17), id="absurd time"),
        pytest.param(delta(11, "buy", 100.0, 1.0, timestamp="now"), id="time as text"),
        pytest.param(delta(-1, "buy", 100.0, 1.0), id="sequence below zero"),
        pytest.param(delta("eleven", "buy", 100.0, 1.0, timestamp=1), id="sequence as text"),
        pytest.param('{"feed":"book","product_id":"PF_XBTUSD"}', id="nothing in it"),
        pytest.param(snapshot(20, [(102.0, 1)]), id="crossed snapshot"),
        pytest.param(snapshot(20, [(-102.0, 1)]), id="snapshot with a price below zero"),
        pytest.param(snapshot(20, [(0, 1)]), id="snapshot with a price of zero"),
        pytest.param(snapshot(20, [("x", 1)]), id="snapshot with a price that is none"),
        pytest.param(snapshot(20, [([], 1)]), id="snapshot with a list for a price"),
        pytest.param(snapshot(20, bids=[(100.0, True)]), id="snapshot with true for a quantity"),
        pytest.param('{"feed":"book_snapshot","product_id":"PF_XBTUSD","seq":20}', id="snapshot without sides"),
    ],
)
def test_a_message_that_cannot_be_right_drops_the_book(feed: FuturesFeed, frame: str) -> None:
    news(feed, snapshot(10))
    (event,) = news(feed, frame)
    assert isinstance(event, BookDesynced)
    assert levels(feed) == ([], [])
    assert requests(feed) == RESYNC


def test_true_is_not_one(feed: FuturesFeed) -> None:
    """They are equal and hash alike, so that a memory of numbers could mistake them."""
    news(feed, snapshot(10), delta(11, "buy", 1, 1), delta(12, "buy", 98.0, 1))
    (event,) = news(feed, delta(13, "buy", True, 1))
    assert isinstance(event, BookDesynced)


def test_a_book_that_keeps_failing_is_asked_for_later_and_later(feed: FuturesFeed) -> None:
    news(feed, snapshot(70, product="PI_XBTUSD"))
    sent, said = [], 0
    for second in range(200):
        for event in news(feed, snapshot(10, [(102.0, 1)]), now=float(second)):
            said += isinstance(event, BookDesynced)
        feed.tick(float(second))
        if requests(feed) == RESYNC:
            sent.append(second)
    assert said == 1
    assert sent == [0, 2, 6, 14, 30, 62, 122, 182]
    assert feed.stats.resyncs == len(sent)


def test_after_a_calm_minute_the_first_trouble_is_repaired_at_once(feed: FuturesFeed) -> None:
    news(feed, snapshot(10), delta(12, "buy", 1.0, 1), now=5.0)
    assert requests(feed) == RESYNC
    news(feed, snapshot(20), delta(22, "buy", 1.0, 1), now=100.0)
    assert requests(feed) == RESYNC


def test_an_acknowledged_book_whose_snapshot_never_comes_is_asked_for_again(feed: FuturesFeed) -> None:
    feed.tick(9.0)
    assert not feed.outbox()
    feed.tick(10.0)
    assert requests(feed) == [*RESYNC, *[(event, name, ["PI_XBTUSD"]) for event, name, _ in RESYNC]]
    assert feed.stats.resyncs == 0
    feed.tick(15.0)
    assert not feed.outbox()


def test_a_second_snapshot_replaces_the_book(feed: FuturesFeed) -> None:
    """As after "Already subscribed to feed, re-requesting"."""
    news(feed, snapshot(10), snapshot(30, [(90.0, 1)], [(91.0, 1)]))
    assert levels(feed) == ([("90", "1.0000")], [("91", "1.0000")])
    assert feed.stats.gaps == 0


def test_finer_digits_than_listed_are_kept(feed: FuturesFeed) -> None:
    news(feed, snapshot(10), delta(11, "buy", 100.25, 0.00001), delta(12, "sell", 101.0, 0.5))
    assert levels(feed) == (
        [("100.25", "0.00001"), ("100.00", "1.50000"), ("99.00", "2.00000")],
        [("101.00", "0.50000"), ("103.00", "5.00000")],
    )


def test_exponents_are_digits_too(feed: FuturesFeed) -> None:
    news(feed, snapshot(10, [], []), delta(11, "buy", 1e-10, 1), delta(12, "sell", 9.1234e-06, 1))
    assert levels(feed) == ([("1E-10", "1.0000")], [("0.0000091234", "1.0000")])


def test_products_in_another_letter_case_are_the_same(feed: FuturesFeed) -> None:
    news(feed, snapshot(10, product="pf_xbtusd"), delta(11, "buy", 100.0, 3, product="Pf_xbtusd"))
    assert levels(feed)[0][0] == ("100", "3.0000")


def test_a_book_that_is_not_wanted_is_passed_over(feed: FuturesFeed) -> None:
    events = news(
        feed, snapshot(10, product="PF_ETHUSD"), delta(11, "buy", 1.0, 1, "PF_ETHUSD"), snapshot(1, product="X")
    )
    assert not [event for event in events if isinstance(event, OrderBook)]
    assert feed.book(ETH) is None
    assert feed.stats.ignored["book without subscription"] == 3


def test_a_lost_connection_makes_books_stale_and_a_new_one_brings_them_back(feed: FuturesFeed) -> None:
    news(feed, snapshot(10))
    assert not feed.closed(5.0), "a book that shows nothing is no news"
    assert health(feed) is BookHealth.STALE
    assert levels(feed) == ([], [])
    feed.opened(6.0)
    assert requests(feed)[0] == ("subscribe", "book", ["PF_XBTUSD", "PI_XBTUSD"])
    assert len(news(feed, delta(11, "buy", 1.0, 1), now=6.0)) == 1
    assert health(feed) is BookHealth.STALE
    news(feed, snapshot(500), now=6.0)
    assert health(feed) is BookHealth.LIVE
    assert feed.stats.gaps == 0


def test_a_broken_book_is_not_asked_for_on_a_closed_connection(feed: FuturesFeed) -> None:
    news(feed, snapshot(10))
    feed.closed(5.0)
    feed.tick(100.0)
    assert not feed.outbox()


def test_without_a_list_a_recording_shows_the_venues_names_and_digits() -> None:
    context = VenueContext(
        venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"), provisional=True
    )
    feed = public_feed(context)
    events = news(
        feed, snapshot(10, [(0.5881, 320.0)], [(0.59, 1)], "PI_XRPUSD"), delta(11, "buy", 0.588, 2, "PI_XRPUSD")
    )
    assert len(events) == 2
    book = events[-1]
    assert isinstance(book, OrderBook)
    assert str(book.symbol).startswith("PI_XRPUSD")
    assert [str(level.price) for level in book.bids()] == ["0.5881", "0.5880"]


_SIDES = st.sampled_from(["buy", "sell"])
_PRICES = st.integers(1, 12).map(lambda n: n / 2)
_QUANTITIES = st.sampled_from([0, 0.0, 1, 2.5, 0.0003, -1.0])


@settings(max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("delta"), st.sampled_from([1, 1, 1, 1, 1, 1, 0, 2]), _SIDES, _PRICES, _QUANTITIES),
            st.tuples(
                st.just("snapshot"),
                st.integers(1, 5),
                st.lists(st.tuples(_PRICES, _QUANTITIES), max_size=4),
                st.lists(st.tuples(_PRICES, _QUANTITIES), max_size=4),
                st.just(0),
            ),
        ),
        max_size=30,
    )
)
def test_what_is_shown_is_always_what_a_simple_book_says(steps: list[Any]) -> None:
    """Against a book of two dictionaries that knows nothing of steps."""
    context = VenueContext(
        venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"), provisional=True
    )
    feed = public_feed(context)
    seq, model, valid = 100, ({}, {}), False
    for kind, a, b, c, d in steps:
        if kind == "snapshot":
            seq += a
            frame = snapshot(seq, b, c)
            model = ({}, {})
            for side, rows in zip(model, (b, c), strict=True):
                side.update((Decimal(str(price)), Decimal(str(qty))) for price, qty in rows)
            valid = True
        else:
            seq += a
            frame = delta(seq, b, c, d)
            valid = valid and a == 1
            model[b == "sell"][Decimal(str(c))] = Decimal(str(d))
        bids, asks = ({p: q for p, q in side.items() if q > 0} for side in model)
        valid = valid and not (bids and asks and max(bids) >= min(asks))
        shown = [event for event in feed.receive(frame, 0.0) if isinstance(event, OrderBook)]
        assert bool(shown) == valid
        if shown:
            assert dict(shown[0].bids()) == bids
            assert dict(shown[0].asks()) == asks
            assert [level.price for level in shown[0].bids()] == sorted(bids, reverse=True)
            assert [level.price for level in shown[0].asks()] == sorted(asks)
            assert shown[0].health is BookHealth.LIVE
