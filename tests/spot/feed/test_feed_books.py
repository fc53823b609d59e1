"""Only checked books leave the plugin, and one that fails disturbs no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced, Channel, Subscribed, Subscription, Unrecognised
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.connections import PublicFeed

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
Rows = list[tuple[str, str]]


def follow(feed: PublicFeed, wire: Any, *symbols: Symbol, depth: int = 10) -> Any:
    """Open a connection with books of *symbols* acknowledged; return the other end."""
    feed.subscribe([Subscription(Channel.BOOK, symbol, depth=depth) for symbol in symbols], 0.0)
    feed.opened(0.0)
    other = wire(feed)
    other.acknowledge()
    return other


def view(feed: PublicFeed, symbol: Symbol = BTC) -> OrderBook:
    found = feed.book(symbol)
    assert found is not None
    return found


def test_a_snapshot_makes_a_book_live(public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]) -> None:
    other = follow(public, wire, BTC)
    assert view(public).health is BookHealth.SYNCING
    (book,) = other.tell(btc.snapshot(*levels))
    assert book is view(public)
    assert book.health is BookHealth.LIVE
    assert book.best_bid == (Decimal("100.0"), Decimal("1"))
    assert book.best_ask == (Decimal("100.1"), Decimal("1.5"))
    assert book.checked == 1
    assert book.time is not None


def test_an_update_is_published_with_the_same_view(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    other = follow(public, wire, BTC)
    (first,) = other.tell(btc.snapshot(*levels))
    (second,) = other.tell(btc.update(bids=[("100.0", "0.00000000"), ("99.7", "3.00000000")]))
    assert second is first
    assert second.best_bid == (Decimal("99.9"), Decimal("2"))
    assert (public.stats.books, public.stats.verified, public.stats.mismatches) == (2, 2, 0)


def test_bytes_are_taken_as_text_is(public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]) -> None:
    other = follow(public, wire, BTC)
    assert other.tell(btc.snapshot(*levels).encode())
    assert other.tell(btc.update(asks=[("100.1", "2.00000000")]).encode())


def test_an_update_before_the_snapshot_is_passed_over(public: PublicFeed, wire: Any, btc: Any) -> None:
    other = follow(public, wire, BTC)
    assert not other.tell(btc.update(bids=[("100.0", "1.00000000")]))
    assert view(public).best_bid is None
    assert not other.requests()
    assert public.stats.ignored["book update before its snapshot"] == 1


def test_a_wrong_checksum_desyncs_and_asks_once(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    other = follow(public, wire, BTC)
    other.tell(btc.snapshot(*levels))
    (event,) = other.tell(btc.update(bids=[("100.0", "2.00000000")], checksum=1))
    assert isinstance(event, BookDesynced)
    assert event.symbol == BTC
    assert view(public).health is BookHealth.DESYNCED
    assert view(public).best_bid is None
    unsubscribe, subscribe = other.requests()
    assert unsubscribe["method"] == "unsubscribe"
    assert unsubscribe["params"] == {"channel": "book", "symbol": ["BTC/USD"], "depth": 10}
    assert subscribe["method"] == "subscribe"
    assert subscribe["params"] == {"channel": "book", "symbol": ["BTC/USD"], "depth": 10, "snapshot": True}
    assert public.stats.mismatches == 1


def test_updates_are_dropped_until_the_fresh_snapshot(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    """One mismatch asks once, however many updates are still under way."""
    other = follow(public, wire, BTC)
    other.tell(btc.snapshot(*levels))
    other.tell(btc.update(bids=[("100.0", "2.00000000")], checksum=1))
    other.requests()
    for _ in range(5):
        assert not other.tell(btc.update(asks=[("100.1", "7.00000000")]))
    assert not other.requests()
    (book,) = other.tell(btc.again())
    assert book.health is BookHealth.LIVE
    assert book.best_bid == (Decimal("100.0"), Decimal("2"))
    assert public.stats.resyncs == 1
    assert other.tell(btc.update(asks=[("100.1", "8.00000000")])) == [book]


def test_a_wrong_snapshot_is_not_published(public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]) -> None:
    other = follow(public, wire, BTC)
    wrong = json.loads(btc.snapshot(*levels))
    wrong["data"][0]["checksum"] ^= 1
    (event,) = other.tell(wrong)
    assert isinstance(event, BookDesynced)
    assert [request["method"] for request in other.requests()] == ["unsubscribe", "subscribe"]


def test_repeated_failures_are_answered_ever_later(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    other = follow(public, wire, BTC)
    other.tell(btc.snapshot(*levels), 1.0)
    asked = []
    now = 1.0
    for _ in range(5):
        other.tell(btc.update(bids=[("99.0", "1.00000000")], checksum=1), now)
        began = now
        while not (requests := other.requests()):
            now += 0.5
            public.tick(now)
        assert [request["method"] for request in requests] == ["unsubscribe", "subscribe"]
        asked.append(now - began)
        other.tell(btc.again(), now)
    assert asked == [0.0, 1.0, 2.0, 4.0, 8.0]


def test_after_a_calm_while_a_failure_is_answered_at_once_again(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    other = follow(public, wire, BTC)
    other.tell(btc.snapshot(*levels), 0.0)
    other.tell(btc.update(bids=[("99.0", "1.00000000")], checksum=1), 1.0)
    other.requests()
    other.tell(btc.again(), 2.0)
    other.tell(btc.update(bids=[("99.0", "2.00000000")], checksum=1), 1000.0)
    assert len(other.requests()) == 2


def test_one_bad_symbol_does_not_disturb_the_others(
    public: PublicFeed, wire: Any, make_book: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    eth = make_book("ETH/USD", 2)
    other = follow(public, wire, BTC, ETH)
    other.tell(btc.snapshot(*levels))
    other.tell(eth.snapshot([("10.00", "1.00000000")], [("10.01", "1.00000000")]))
    other.tell(btc.update(bids=[("100.0", "2.00000000")], checksum=1))
    (book,) = other.tell(eth.update(bids=[("10.00", "2.00000000")]))
    assert book.symbol == ETH
    assert book.health is BookHealth.LIVE
    assert all(request["params"]["symbol"] == ["BTC/USD"] for request in other.requests())


@pytest.mark.parametrize(
    "level",
    [
        pytest.param('{"price":"x","qty":1.00000000}', id="price that is no number"),
        pytest.param('{"price":-5.0,"qty":1.00000000}', id="price below zero"),
        pytest.param('{"price":null,"qty":1.00000000}', id="null"),
        pytest.param('{"price":100.05,"qty":1.00000000}', id="more decimals than the pair has"),
        pytest.param('{"price":100.0,"qty":1e400}', id="absurd exponent"),
        pytest.param('{"price":100.0}', id="no quantity"),
        pytest.param("[100.0,1.0]", id="array"),
        pytest.param('{"price":[1],"qty":{}}', id="containers"),
    ],
)
def test_a_malformed_level_quarantines_its_book_only(
    public: PublicFeed, wire: Any, make_book: Any, btc: Any, levels: tuple[Rows, Rows], level: str
) -> None:
    eth = make_book("ETH/USD", 2)
    other = follow(public, wire, BTC, ETH)
    other.tell(btc.snapshot(*levels))
    other.tell(eth.snapshot([("10.00", "1.00000000")], [("10.01", "1.00000000")]))
    frame = (
        f'{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD","bids":[{level}],"asks":[],"checksum":1}}]}}'
    )
    (event,) = other.tell(frame)
    assert isinstance(event, BookDesynced)
    assert view(public, BTC).health is BookHealth.DESYNCED
    assert view(public, ETH).health is BookHealth.LIVE
    assert len(other.requests()) == 2
    assert other.tell(btc.again())


@pytest.mark.parametrize("missing", ["checksum", "bids", "asks"])
def test_a_book_message_without_a_field_quarantines_its_book(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows], missing: str
) -> None:
    """What it changed is missing from now on."""
    other = follow(public, wire, BTC)
    other.tell(btc.snapshot(*levels))
    frame = json.loads(btc.update(bids=[("100.0", "2.00000000")]))
    del frame["data"][0][missing]
    (event,) = other.tell(frame)
    assert isinstance(event, BookDesynced)
    assert missing in event.reason


def test_a_book_message_about_nobody_is_a_protocol_error(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    other = follow(public, wire, BTC)
    other.tell(btc.snapshot(*levels))
    with pytest.raises(ProtocolError, match="book"):
        other.tell({"channel": "book", "type": "update", "data": [{"bids": []}]})
    assert view(public).health is BookHealth.LIVE


def test_a_symbol_that_no_list_names_is_reported(public: PublicFeed, wire: Any, make_book: Any) -> None:
    other = follow(public, wire, BTC)
    (event,) = other.tell(make_book("NEW/USD", 2).snapshot([("1.00", "1.00000000")]))
    assert isinstance(event, Unrecognised)
    assert public.stats.unknown["book symbol"] == 1


def test_a_book_that_nobody_follows_any_more_is_passed_over(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    other = follow(public, wire, BTC)
    other.tell(btc.snapshot(*levels))
    kept = view(public)
    public.unsubscribe([Subscription(Channel.BOOK, BTC, depth=10)], 1.0)
    assert [request["method"] for request in other.requests()] == ["unsubscribe"]
    assert not other.tell(btc.update(bids=[("100.0", "2.00000000")]))
    assert not other.tell(btc.again())
    assert public.book(BTC) is None
    assert kept.health is BookHealth.STALE
    assert kept.best_bid is None


def test_a_lost_connection_makes_books_stale_until_the_next_snapshot(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    other = follow(public, wire, BTC)
    (book,) = other.tell(btc.snapshot(*levels))
    public.closed(5.0)
    assert book.health is BookHealth.STALE
    assert book.best_bid is None
    public.opened(6.0)
    assert book.health is BookHealth.SYNCING
    assert not other.tell(btc.update(bids=[("99.0", "1.00000000")]))
    assert other.tell(btc.again()) == [book]
    assert book.health is BookHealth.LIVE
    assert public.stats.resyncs == 0


def test_a_snapshot_that_does_not_come_is_asked_for_again(
    public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]
) -> None:
    """A bare second subscription would be refused, so it is taken back first."""
    other = follow(public, wire, BTC)
    public.tick(5.0)
    assert not other.requests()
    public.tick(10.5)
    assert [request["method"] for request in other.requests()] == ["unsubscribe", "subscribe"]
    assert other.tell(btc.snapshot(*levels), 11.0)


def test_a_book_can_become_deeper(public: PublicFeed, wire: Any, make_book: Any) -> None:
    """The venue sends one depth of a book on a connection, so the deepest that is wanted carries the others."""
    shallow, deep = Subscription(Channel.BOOK, BTC), Subscription(Channel.BOOK, BTC, depth=25)
    rows = [(f"{price}.0", "1.00000000") for price in range(100, 80, -1)]
    public.subscribe([shallow], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.acknowledge()
    other.tell(make_book("BTC/USD", 1, depth=10).snapshot(rows))
    book = view(public)
    assert len(book.bids()) == 10
    public.subscribe([deep], 1.0)
    assert book.health is BookHealth.SYNCING
    requests = other.requests()
    assert [(request["method"], request["params"]["depth"]) for request in requests] == [
        ("unsubscribe", 10),
        ("subscribe", 25),
    ]
    late = make_book("BTC/USD", 1, depth=10)
    assert not other.tell(late.snapshot(rows)), "of the old depth, still under way"
    answer = {"channel": "book", "symbol": "BTC/USD", "depth": 25}
    events = other.tell({"method": "subscribe", "req_id": requests[1]["req_id"], "success": True, "result": answer})
    assert events == [Subscribed(subscription=shallow), Subscribed(subscription=deep)]
    assert other.tell(make_book("BTC/USD", 1, depth=25).snapshot(rows)) == [book]
    assert len(book.bids()) == 20
    public.subscribe([Subscription(Channel.BOOK, BTC, depth=10)], 2.0)
    assert not other.requests()


def test_an_empty_book_is_a_book(public: PublicFeed, wire: Any, btc: Any) -> None:
    """Whatever its checksum is, which was never seen."""
    other = follow(public, wire, BTC)
    frame = json.loads(btc.snapshot())
    frame["data"][0]["checksum"] = 77
    (book,) = other.tell(frame)
    assert book.health is BookHealth.LIVE
    assert book.best_bid is None
    assert other.tell(btc.update(bids=[("99.0", "1.00000000")])) == [book]


def test_a_whole_price_pair(public: PublicFeed, wire: Any, make_book: Any) -> None:
    jpy = make_book("BTC/JPY", 0)
    other = follow(public, wire, Symbol("BTC", "JPY"))
    (book,) = other.tell(jpy.snapshot([("11000000", "0.50000000")], [("11000001", "0.50000000")]))
    assert book.best_ask == (Decimal(11000001), Decimal("0.5"))
    assert other.tell(jpy.update(bids=[("11000000", "0.00000000"), ("10999999", "1.00000000")])) == [book]


def test_key_order_does_not_matter(public: PublicFeed, wire: Any, btc: Any, levels: tuple[Rows, Rows]) -> None:
    other = follow(public, wire, BTC)
    message = btc.snapshot(*levels)[: -len("}")]
    channel = '"channel":"book",'
    assert other.tell("{" + message.replace(channel, "").removeprefix("{") + "," + channel.rstrip(",") + "}")


def test_several_books_in_one_message(public: PublicFeed, wire: Any, make_book: Any, btc: Any) -> None:
    other = follow(public, wire, BTC, ETH)
    frames = btc.snapshot([("100.0", "1.00000000")]), make_book("ETH/USD", 2).snapshot([("10.00", "1.00000000")])
    head = '{"channel":"book","type":"snapshot","data":['
    data = ",".join(frame.removeprefix(head).removesuffix("]}") for frame in frames)
    events = other.tell(f"{head}{data}]}}")
    assert [event.symbol for event in events] == [BTC, ETH]
    assert public.stats.verified == 2


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["bids", "asks"]),
        st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), min_size=1, max_size=6),
        st.sampled_from(["right", "right", "right", "right", "lost", "wrong"]),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(changes=CHANGES, depth=st.sampled_from([10, 25]))
def test_a_book_that_is_shown_is_the_venues_book(
    make_context: Callable[..., VenueContext], make_book: Any, wire: Any, changes: Any, depth: int
) -> None:
    """Whatever is lost or wrong on the way: what the checksum covers is right, or nothing is shown."""
    feed = PublicFeed(make_context())
    other = follow(feed, wire, BTC, depth=depth)
    venue = make_book("BTC/USD", 1, depth=depth)
    other.tell(venue.snapshot([("15.0", "1.00000000")], [("16.0", "1.00000000")]))
    lost = False
    for number, (side, rows, fate) in enumerate(changes):
        frame = venue.update(**{side: [(f"{price}.0", f"{quantity}.00000000") for price, quantity in rows]})
        if fate == "wrong":
            frame = frame.replace('"checksum":', '"checksum":9')
        if fate == "lost":
            lost = True
        else:
            other.tell(frame, float(number))
        book = view(feed)
        if book.health is BookHealth.LIVE and fate != "lost":
            seen = {
                name: [(level.price, level.quantity) for level in getattr(book, name)(10 if lost else None)]
                for name in ("bids", "asks")
            }
            for name in ("bids", "asks"):
                true = sorted(venue.sides[name].items(), reverse=name == "bids")
                assert seen[name] == true[: len(seen[name])]
        if any(request["method"] == "subscribe" for request in other.requests()):
            other.tell(venue.again(), float(number))
            assert view(feed).health is BookHealth.LIVE
            lost = False
