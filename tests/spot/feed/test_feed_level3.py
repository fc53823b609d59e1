"""Books by order: only checked ones leave, in the venue's own queue order, within what the venue lets one ask for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported
from exchange_core.model.book import BookByOrder, BookHealth
from exchange_core.model.event import (
    BookDesynced,
    Channel,
    Event,
    Ignored,
    Subscribed,
    Subscription,
    SubscriptionUnanswered,
)
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.feed.level3 import Level3Feed

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")

# The worked example of the checksum page: price, then quantity and time (minute, second) of each order in its queue.
EXAMPLE_BIDS = """
44939.4 0.88968699@26:39.526146327 0.45210000@26:39.530287934 0.10000000@26:39.576380340 0.14296323@26:39.602118534
44939.4 0.25000000@26:41.780601700 0.10292988@26:43.087136366 0.33880000@26:43.822433365 1.28140860@26:45.066096694
44937.1 0.03346877@26:39.691304329
44934.7 0.35630000@26:44.129718463
44930.2 0.22734299@26:30.769031831 0.01000000@26:36.054352106 0.05550000@26:36.635882793 0.70000000@26:37.296554518
44930.2 0.15000000@26:41.222733191
44928.0 0.00105240@26:23.542563322
44919.6 0.33870000@26:42.808132842
44919.5 0.07610000@26:34.269600037
44912.0 0.35630000@26:34.961292766
44909.7 0.06690000@26:31.912880024
44901.9 0.00088982@26:42.883315043
"""
EXAMPLE_ASKS = """
44939.5 4.52308393@18:05.770906486 0.00111261@18:12.847426441 0.00100000@26:42.108176464 0.01000000@26:43.955098263
44950.0 0.10334926@25:52.800473795
44953.0 0.00064537@24:58.086806970
44955.0 0.00250000@21:52.257936228
44959.6 0.35630000@26:44.202823127 0.35630000@26:44.203383999
44960.1 0.00338072@26:42.724829715
44960.2 0.88967575@26:12.935924248
44967.0 3.14392283@26:39.474431925
44978.5 0.06778960@26:41.229379178
44979.2 0.35630000@26:20.271584488
"""


def order(order_id: str, price: str, quantity: str, time: str, event: str | None = None) -> str:
    """Return an order as it stands on the wire: numbers with all their zeros."""
    said = "" if event is None else f'"event":"{event}",'
    return (
        f'{{{said}"order_id":"{order_id}","limit_price":{price},"order_qty":{quantity},'
        f'"timestamp":"2024-01-08T12:{time}Z"}}'
    )


def rows(text: str, side: str) -> list[str]:
    made = []
    for line in text.split("\n"):
        price, *orders = line.split() or [""]
        made += [order(f"{side}-{price}-{one}", price, *one.split("@")) for one in orders]
    return made


def frame(kind: str, checksum: int, bids: Any = (), asks: Any = (), symbol: str = "BTC/USD") -> str:
    return (
        f'{{"channel":"level3","type":"{kind}","data":[{{"symbol":"{symbol}","checksum":{checksum},'
        f'"bids":[{",".join(bids)}],"asks":[{",".join(asks)}],"timestamp":"2024-01-08T12:26:47.000000000Z"}}]}}'
    )


@pytest.fixture
def level3(context: VenueContext) -> Level3Feed:
    return Level3Feed(context)


def follow(feed: Level3Feed, wire: Any, *symbols: Symbol, depth: int = 10) -> Any:
    feed.subscribe([Subscription(Channel.BOOK_BY_ORDER, symbol, depth=depth) for symbol in symbols], 0.0)
    feed.opened(0.0, "the-token")
    other = wire(feed)
    other.acknowledge()
    return other


def view(feed: Level3Feed, symbol: Symbol = BTC) -> BookByOrder:
    found = feed.book(symbol)
    assert isinstance(found, BookByOrder)
    return found


def example() -> str:
    return frame("snapshot", 1063832831, rows(EXAMPLE_BIDS, "bid"), rows(EXAMPLE_ASKS, "ask"))


FIRST, SECOND = "bid-44939.4-0.88968699@26:39.526146327", "bid-44937.1-0.03346877@26:39.691304329"


def test_the_documented_checksum_and_what_follows_it(level3: Level3Feed, wire: Any) -> None:
    other = follow(level3, wire, BTC)
    (book,) = other.tell(example())
    assert book is view(level3)
    assert book.health is BookHealth.LIVE
    assert [order.quantity for order in book.ask_queues(1)[0].orders][:2] == [
        Decimal("4.52308393"),
        Decimal("0.00111261"),
    ]
    assert book.best_ask == (Decimal("44939.5"), Decimal("4.53519654"))
    changes = [order(FIRST, "44939.4", "0.50000000", "26:39.526146327", "modify")]
    new = [order("new", "44939.5", "0.25000000", "26:46.000000001", "add")]
    assert other.tell(frame("update", 3299062850, changes, new)) == [book]
    assert book.bid_queues(1)[0].orders[0].order_id == FIRST, "it keeps its place"
    assert book.ask_queues(1)[0].orders[-1].order_id == "new"
    gone = order(SECOND, "44937.1", "0.03346877", "26:47.000000001", "delete")
    tenth = [
        order("later", "44900.0", "0.30000000", "26:40.000000002", "add"),
        order("sooner", "44900.0", "0.10000000", "26:40.000000001", "add"),
    ]
    assert other.tell(frame("update", 1474396998, [gone, *tenth])) == [book]
    assert [o.order_id for o in book.bid_queues()[9].orders] == ["sooner", "later"]
    assert (level3.stats.books, level3.stats.verified, level3.stats.mismatches) == (3, 3, 0)


def test_orders_in_the_order_of_the_array_are_noticed(level3: Level3Feed, wire: Any) -> None:
    """The checksum that a client would get that does not sort them."""
    other = follow(level3, wire, BTC)
    other.tell(example())
    other.tell(
        frame(
            "update",
            3299062850,
            [order(FIRST, "44939.4", "0.50000000", "26:39.526146327", "modify")],
            [order("new", "44939.5", "0.25000000", "26:46.000000001", "add")],
        )
    )
    gone = order(SECOND, "44937.1", "0.03346877", "26:47.000000001", "delete")
    later = order("later", "44900.0", "0.30000000", "26:40.000000002", "add")
    sooner = order("sooner", "44900.0", "0.10000000", "26:40.000000001", "add")
    (event,) = other.tell(frame("update", 999574971, [gone, later, sooner]))
    assert isinstance(event, BookDesynced)
    assert event.channel is Channel.BOOK_BY_ORDER


def test_a_failing_check_asks_once_and_shows_nothing_until_it_is_whole(level3: Level3Feed, wire: Any) -> None:
    other = follow(level3, wire, BTC, ETH)
    other.tell(example())
    eth = order("E", "10.00", "1.00000000", "26:40.000000002")
    other.tell(frame("snapshot", zlib.crc32(b"1000100000000"), [eth], symbol="ETH/USD"))
    assert view(level3, ETH).health is BookHealth.LIVE
    (event,) = other.tell(frame("update", 7, [order("x", "44000.0", "1.00000000", "27:00.000000001", "add")]))
    assert isinstance(event, BookDesynced)
    assert view(level3).health is BookHealth.DESYNCED
    assert view(level3).bid_queues() == []
    end, again = other.requests()
    assert end["params"] == {"channel": "level3", "symbol": ["BTC/USD"], "depth": 10, "token": "the-token"}
    assert again["params"] == {**end["params"], "snapshot": True}
    assert not other.tell(frame("update", 8, [order("y", "44000.0", "1.00000000", "27:00.000000002", "add")]))
    assert not other.requests()
    grown = order("E", "10.00", "2.00000000", "26:40.000000002", "modify")
    (other_book,) = other.tell(frame("update", zlib.crc32(b"1000200000000"), [grown], symbol="ETH/USD"))
    assert other_book.symbol == ETH
    (book,) = other.tell(example())
    assert book.health is BookHealth.LIVE
    assert (level3.stats.mismatches, level3.stats.resyncs) == (1, 1)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(order("x", "44000.0", "1.00000000", "27:00.0", "fill"), id="unknown event"),
        pytest.param(order("x", "44000.0", "1.00000000", "27:00.0"), id="no event"),
        pytest.param(order("x", "44000.05", "1.00000000", "27:00.0", "add"), id="too fine a price"),
        pytest.param(order("x", '"NaN"', "1.00000000", "27:00.0", "add"), id="no price"),
        pytest.param(order("x", "44000.0", "1.00000000", "99:99.0", "add"), id="no time"),
        pytest.param('{"event":"add"}', id="not an order"),
    ],
)
def test_an_event_that_cannot_be_read_desyncs(level3: Level3Feed, wire: Any, row: str) -> None:
    other = follow(level3, wire, BTC)
    other.tell(example())
    (event,) = other.tell(frame("update", 1063832831, [row]))
    assert isinstance(event, BookDesynced)
    assert [request["method"] for request in other.requests()] == ["unsubscribe", "subscribe"]


def test_a_delete_needs_no_quantity(level3: Level3Feed, wire: Any) -> None:
    other = follow(level3, wire, BTC)
    only = order("A", "99.5", "1.00000000", "26:00.0")
    other.tell(frame("snapshot", zlib.crc32(b"995100000000"), [only]))
    gone = '{"event":"delete","order_id":"A","limit_price":99.5,"timestamp":"2024-01-08T12:27:00.0Z"}'
    (book,) = other.tell(frame("update", 0, [gone]))
    assert book.bid_queues() == []


@pytest.mark.parametrize("keeps", [False, True])
def test_both_readings_of_an_order_that_shrinks(level3: Level3Feed, wire: Any, keeps: bool) -> None:
    """It is not documented whether a new time moves it: the checksum decides, and what it says holds from then on."""
    other = follow(level3, wire, BTC)
    pair = [order("A", "99.5", "1.00000000", "26:00.1"), order("B", "99.5", "2.00000000", "26:00.2")]
    other.tell(frame("snapshot", zlib.crc32(b"995100000000995200000000"), pair))
    less = order("A", "99.5", "0.50000000", "26:00.3", "modify")
    right = b"99550000000995200000000" if keeps else b"99520000000099550000000"
    (book,) = other.tell(frame("update", zlib.crc32(right), [less]))
    assert [o.order_id for o in book.bid_queues()[0].orders] == (["A", "B"] if keeps else ["B", "A"])
    less = order("B", "99.5", "0.25000000", "26:00.4", "modify")
    right = b"9955000000099525000000"
    (book,) = other.tell(frame("update", zlib.crc32(right), [less]))
    assert [o.order_id for o in book.bid_queues()[0].orders] == ["A", "B"]
    assert level3.stats.mismatches == 0


def test_neither_reading_is_a_mismatch(level3: Level3Feed, wire: Any) -> None:
    other = follow(level3, wire, BTC)
    pair = [order("A", "99.5", "1.00000000", "26:00.1"), order("B", "99.5", "2.00000000", "26:00.2")]
    other.tell(frame("snapshot", zlib.crc32(b"995100000000995200000000"), pair))
    (event,) = other.tell(frame("update", 7, [order("A", "99.5", "0.50000000", "26:00.3", "modify")]))
    assert isinstance(event, BookDesynced)


# What is asked for.


def test_a_request_has_depth_and_token(level3: Level3Feed, wire: Any) -> None:
    level3.subscribe([Subscription(Channel.BOOK_BY_ORDER, BTC), Subscription(Channel.BOOK_BY_ORDER, ETH)], 0.0)
    level3.opened(0.0, "the-token")
    other = wire(level3)
    (request,) = other.requests()
    assert request["params"] == {
        "channel": "level3",
        "symbol": ["BTC/USD", "ETH/USD"],
        "depth": 10,
        "snapshot": True,
        "token": "the-token",
    }
    answer = {"channel": "level3", "snapshot": True, "symbol": "ETH/USD"}
    events = other.tell({"method": "subscribe", "req_id": request["req_id"], "result": answer, "success": True})
    assert events == [Subscribed(subscription=Subscription(Channel.BOOK_BY_ORDER, ETH))], "answers leave the depth out"
    assert "the-token" not in f"{level3!r} {vars(level3)} {events} {level3.stats} {level3.is_dead(0.0)}"


def test_each_connection_has_a_token_of_its_own(level3: Level3Feed, wire: Any, run: Any) -> None:
    level3.subscribe([Subscription(Channel.BOOK_BY_ORDER, BTC)], 0.0)
    for token in ("first", "second"):
        login = level3.login()
        assert run(login, {"token": token, "expires": 900}) == token
        level3.opened(0.0, token)
        (request,) = wire(level3).requests()
        assert request["params"]["token"] == token
        level3.closed(1.0)
    assert [call.path for call in run.calls] == ["/0/private/GetWebSocketsToken"] * 2


def test_a_token_that_is_not_taken_any_more_ends_the_connection(level3: Level3Feed, wire: Any) -> None:
    other = follow(level3, wire, BTC)
    level3.subscribe([Subscription(Channel.BOOK_BY_ORDER, ETH)], 2000.0)
    (request,) = other.requests()
    other.tell(
        {"method": "subscribe", "req_id": request["req_id"], "success": False, "error": "ESession:Invalid session"}
    )
    dead = level3.is_dead(2000.0)
    assert dead is not None
    assert "token" in dead


def test_depths_are_the_venues(level3: Level3Feed) -> None:
    with pytest.raises(NotSupported, match="depth: 25 is none of 10, 100, 1000"):
        level3.subscribe([Subscription(Channel.BOOK_BY_ORDER, BTC, depth=25)], 0.0)


def many(
    make_context: Callable[..., VenueContext], count: int, tier: str = "starter"
) -> tuple[Level3Feed, list[Symbol]]:
    context = make_context(config=KrakenSpotConfig(tier=tier))
    symbols = [Symbol(f"A{number}", "USD") for number in range(count)]
    template = context.symbols.instrument(BTC)
    for symbol in symbols:
        context.symbols.add(attrs.evolve(template, symbol=symbol, venue_id=str(symbol)))
    return Level3Feed(context), symbols


@pytest.mark.parametrize(
    ("tier", "depth", "a_second"),
    [("starter", 10, 40), ("starter", 100, 8), ("starter", 1000, 2), ("pro", 10, 100), ("pro", 1000, 5)],
)
def test_no_more_is_asked_for_in_a_second_than_the_venue_takes(
    make_context: Callable[..., VenueContext], wire: Any, tier: str, depth: int, a_second: int
) -> None:
    feed, symbols = many(make_context, min(a_second * 2 + 1, 200), tier)
    feed.subscribe([Subscription(Channel.BOOK_BY_ORDER, symbol, depth=depth) for symbol in symbols], 0.0)
    feed.opened(0.0, "the-token")
    other = wire(feed)
    asked: list[tuple[float, int]] = []
    for tenths in range(50):
        now = tenths / 10
        asked += [(now, len(request["params"]["symbol"])) for request in other.requests()]
        feed.tick(now)
    assert sum(count for _, count in asked) == len(symbols), "all are asked for, and none twice"
    for now, _ in asked:
        assert sum(count for then, count in asked if 0 <= then - now <= 1.0) <= a_second


def test_a_connection_has_200_pairs_at_most(make_context: Callable[..., VenueContext]) -> None:
    feed, symbols = many(make_context, 201)
    wanted = [Subscription(Channel.BOOK_BY_ORDER, symbol) for symbol in symbols]
    feed.subscribe(wanted[:200], 0.0)
    with pytest.raises(NotSupported, match="201 pairs; one connection has 200"):
        feed.subscribe(wanted[200:], 0.0)
    feed.unsubscribe(wanted[:1], 0.0)
    feed.subscribe(wanted[200:], 0.0)


def test_what_is_refused_for_being_too_much_is_asked_for_later(level3: Level3Feed, wire: Any) -> None:
    level3.subscribe([Subscription(Channel.BOOK_BY_ORDER, BTC)], 0.0)
    level3.opened(0.0, "the-token")
    other = wire(level3)
    now, waits, events = 0.0, list[float](), list[Event]()
    (request,) = other.requests()
    for _ in range(7):
        refusal = {"method": "subscribe", "req_id": request["req_id"], "success": False, "symbol": "BTC/USD"}
        events += other.tell({**refusal, "error": "EGeneral:Subscription rate limit exceeded"}, now)
        began = now
        while now < began + 100:
            now += 0.5
            level3.tick(now)
            if requests := [each for each in other.requests() if each["method"] == "subscribe"]:
                (request,) = requests
                waits.append(now - began)
                break
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    told = [event for event in events if not isinstance(event, Ignored)]
    assert [type(event) for event in told] == [SubscriptionUnanswered], "told once, and nobody's end"
    assert list(level3.subscriptions()) == [Subscription(Channel.BOOK_BY_ORDER, BTC)]


def test_a_recorded_book_that_was_cut_is_read_and_does_not_verify(
    make_context: Callable[..., VenueContext], captures: Any
) -> None:
    feed = Level3Feed(make_context(listed=False, provisional=True))
    for number, line in enumerate((captures / "spot/ws/level3.jsonl").read_text().split("\n")):
        if line:
            feed.receive(line, float(number))
    assert (feed.stats.books, feed.stats.verified, feed.stats.mismatches) == (2, 0, 1)
    found = feed.book(BTC)
    assert found is not None
    assert found.health is BookHealth.DESYNCED


# Whatever the venue does.


class Venue:
    """Orders as the venue keeps them: a list that is sorted each time, and its frames."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.orders: dict[str, tuple[str, int, int, int]] = {}  # side, price, quantity, time
        self.time = 0

    def levels(self, side: str) -> list[int]:
        return sorted({o[1] for o in self.orders.values() if o[0] == side}, reverse=side == "bids")[: self.depth]

    def seen(self) -> dict[str, tuple[str, int, int, int]]:
        shown = {side: self.levels(side) for side in ("bids", "asks")}
        return {name: o for name, o in self.orders.items() if o[1] in shown[o[0]]}

    def queue(self, side: str, price: int) -> list[tuple[str, int]]:
        standing = [(o[3], name, o[2]) for name, o in self.orders.items() if (o[0], o[1]) == (side, price)]
        return [(name, quantity) for _, name, quantity in sorted(standing)]

    def checksum(self) -> int:
        text = ""
        for side in ("asks", "bids"):
            for price in self.levels(side)[:10]:
                text += "".join(f"{price}{quantity}" for _, quantity in self.queue(side, price))
        return zlib.crc32(text.encode())

    def row(self, name: str, entry: tuple[str, int, int, int], event: str | None) -> str:
        _, price, quantity, time = entry
        return order(name, f"{price // 10}.{price % 10}", f"0.{quantity:08}", f"26:00.{time:09}", event)

    def snapshot(self) -> str:
        sides = {
            side: [self.row(n, o, None) for n, o in self.seen().items() if o[0] == side] for side in ("bids", "asks")
        }
        return frame("snapshot", self.checksum(), sides["bids"], sides["asks"])

    def change(self, action: str, name: str, side: str, price: int, quantity: int) -> str | None:
        """Do something; return the message on it, None where nothing of it shows."""
        self.time += 1
        before = self.seen()
        known = self.orders.get(name)
        if action == "delete" and known is not None:
            del self.orders[name]
        elif action == "less" and known is not None and known[2] > 1:
            self.orders[name] = (known[0], known[1], known[2] - 1, known[3])
        elif action == "more" and known is not None:
            self.orders[name] = (known[0], known[1], known[2] + quantity, self.time)
        elif action == "add" and known is None:
            self.orders[name] = (side, price, quantity, self.time)
        else:
            return None
        after = self.seen()
        shown = {side: self.levels(side) for side in ("bids", "asks")}
        rows: dict[str, list[str]] = {"bids": [], "asks": []}
        for one, entry in before.items():
            # What is pushed out of the window is not told.
            if one not in after and (one not in self.orders or entry[1] in shown[entry[0]]):
                rows[entry[0]].append(self.row(one, entry, "delete"))
        for one, entry in after.items():
            if one not in before:
                rows[entry[0]].append(self.row(one, entry, "add"))
            elif entry != before[one]:
                rows[entry[0]].append(self.row(one, entry, "modify"))
        if not rows["bids"] and not rows["asks"]:
            return None
        return frame("update", self.checksum(), rows["bids"][::-1], rows["asks"])


ACTIONS = st.tuples(
    st.sampled_from(["add", "add", "add", "delete", "less", "more"]),
    st.sampled_from([f"O{number}" for number in range(40)]),
    st.sampled_from(["bids", "asks"]),
    st.integers(1, 14),
    st.integers(1, 99),
)


@settings(max_examples=150, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=80), spoilt=st.integers(0, 200))
def test_what_is_shown_is_what_stands_at_the_venue(
    make_context: Callable[..., VenueContext], wire: Any, actions: Any, spoilt: int
) -> None:
    """A window of ten levels over more of them; now and then a message whose checksum is another."""
    feed = Level3Feed(make_context())
    other = follow(feed, wire, BTC)
    venue = Venue(10)
    other.tell(venue.snapshot())
    for number, (action, name, side, price, quantity) in enumerate(actions):
        said = venue.change(action, name, side, price + (1000 if side == "asks" else 0), quantity)
        if said is None:
            continue
        if number == spoilt:
            damaged = json.loads(said)
            damaged["data"][0]["checksum"] ^= 1
            (event,) = other.tell(said.replace(str(venue.checksum()), str(damaged["data"][0]["checksum"]), 1))
            assert isinstance(event, BookDesynced)
            assert view(feed).bid_queues() == []
            other.tell(venue.snapshot())
            continue
        assert other.tell(said) == [view(feed)]
        for name, shown in (("bids", view(feed).bid_queues()), ("asks", view(feed).ask_queues())):
            assert [int(level.price * 10) for level in shown] == venue.levels(name)
            for level in shown:
                stands = venue.queue(name, int(level.price * 10))
                assert [(o.order_id, int(o.quantity * 10**8)) for o in level.orders] == stands
    assert feed.stats.mismatches <= 1
