"""A subscription that was acknowledged and falls silent is asked for afresh, and judged by what that shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import (
    BookDesynced,
    Channel,
    SequenceGap,
    Subscription,
    SubscriptionSilent,
    TickerTrigger,
)
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.feed.connections import PublicFeed

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
TRADES, BOOK = Subscription(Channel.TRADES, BTC), Subscription(Channel.BOOK, BTC, depth=10)
TICKER = Subscription(Channel.TICKER, BTC, trigger=TickerTrigger.BBO)
BARS = Subscription(Channel.CANDLES, BTC, interval=1)


class Place:
    """A feed on a connection that beats once a second, and whose time passes here."""

    def __init__(self, feed: PublicFeed, wire: Any) -> None:
        self.feed = feed
        self.other = wire(feed)
        self.now = 0.0

    def follow(self, *subscriptions: Subscription) -> None:
        self.feed.subscribe(subscriptions, 0.0)
        self.feed.opened(0.0)
        self.other.acknowledge()

    def tell(self, message: Any) -> list[Any]:
        return self.other.tell(message, self.now)

    def wait(self, seconds: int) -> list[Any]:
        """Let time pass; return what it brings."""
        events: list[Any] = []
        for _ in range(seconds):
            self.now += 1.0
            self.other.tell({"channel": "heartbeat"}, self.now)
            events += self.feed.tick(self.now)
        return events

    def until_asked(self, most: int = 200) -> list[dict[str, Any]]:
        """Let time pass until something is asked for."""
        for _ in range(most):
            self.wait(1)
            if requests := self.other.requests():
                return requests
        return []

    def answer(self, requests: list[dict[str, Any]]) -> None:
        for request in requests:
            params = request["params"]
            for symbol in params.get("symbol", [None]):
                echo = {n: params[n] for n in ("channel", "depth", "interval", "event_trigger") if n in params}
                result = echo if symbol is None else {**echo, "symbol": symbol}
                head = {"method": request["method"], "req_id": request["req_id"], "success": True}
                self.tell(
                    {
                        **head,
                        "result": result,
                        "time_out": f"2024-05-27T13:{self.now // 60:02.0f}:{self.now % 60:02.0f}Z",
                    }
                )

    def clock(self) -> None:
        """Let the feed hear what time it is at the venue: 13:00 when it began."""
        self.tell({"method": "pong", "time_out": f"2024-05-27T13:{self.now // 60:02.0f}:{self.now % 60:02.0f}Z"})


@pytest.fixture
def place(public: PublicFeed, wire: Any) -> Place:
    return Place(public, wire)


def trades(kind: str, *numbers: int, at: str = "12:00:00") -> dict[str, Any]:
    return {
        "channel": "trade",
        "type": kind,
        "data": [
            {
                "symbol": "BTC/USD",
                "side": "buy",
                "price": 68500.0,
                "qty": 0.01,
                "ord_type": "limit",
                "trade_id": number,
                "timestamp": f"2024-05-27T{at}.798009Z",
            }
            for number in numbers
        ],
    }


def ticker(kind: str, **changes: Any) -> dict[str, Any]:
    data = {"symbol": "BTC/USD", "bid": 1.0, "bid_qty": 1.0, "ask": 2.0, "ask_qty": 1.0, "last": 1.5, "volume": 10.0}
    return {"channel": "ticker", "type": kind, "data": [{**data, **changes}]}


def bars(kind: str, *minutes: int, trades: int = 9, timestamp: str = "2024-05-27T13:00:00Z") -> dict[str, Any]:
    data = [
        {
            "symbol": "BTC/USD",
            **dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0),
            "trades": trades,
            "interval_begin": f"2024-05-27T13:{minute:02}:00.000000000Z",
            "interval": 1,
        }
        for minute in minutes
    ]
    return {"channel": "ohlc", "type": kind, "timestamp": timestamp, "data": data}


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def test_what_was_quiet_for_a_minute_is_ended_and_subscribed_again(place: Place) -> None:
    place.follow(TRADES)
    place.tell(trades("snapshot", 1, 2))
    place.wait(30)
    place.tell(trades("update", 3))
    place.wait(59)
    assert not place.other.requests()
    end, again = place.until_asked(3)
    assert (end["method"], end["params"]) == ("unsubscribe", {"channel": "trade", "symbol": ["BTC/USD"]})
    assert (again["method"], again["params"]["snapshot"]) == ("subscribe", True)


def test_it_can_be_switched_off(make_context: Callable[..., VenueContext], wire: Any, btc: Any, levels: Any) -> None:
    place = Place(PublicFeed(make_context(config=KrakenSpotConfig(quiet_after=0))), wire)
    place.follow(TRADES, BOOK, TICKER, BARS)
    place.tell(btc.snapshot(*levels))
    place.tell(trades("snapshot", 1, 2))
    assert not place.until_asked(500)


def test_a_quiet_pair_is_just_quiet(place: Place, btc: Any, levels: Any) -> None:
    """The same book, ticker, bar and trades again: nothing is told, counted or published, and it goes on like that."""
    place.follow(TRADES, BOOK, TICKER, BARS)
    place.clock()
    place.tell(btc.snapshot(*levels))
    place.tell(trades("snapshot", 1, 2))
    place.tell(ticker("snapshot"))
    place.tell(bars("snapshot", 0))
    for _ in range(3):
        place.answer(place.until_asked())
        found = place.feed.book(BTC)
        assert found is not None
        assert found.health is BookHealth.LIVE, "it is shown while it is asked for afresh"
        assert not place.tell(btc.again())
        assert not place.tell(trades("snapshot", 1, 2))
        assert kinds(place.tell(ticker("snapshot", volume=9.0, bid_qty=3.0))) == [Ticker], "figures of a day change"
        assert not [e for e in place.tell(bars("snapshot", 0)) if not isinstance(e, Candle)]
        assert place.feed.is_dead(place.now) is None
    assert place.feed.stats.silent == 0
    assert place.feed.stats.resyncs == 0


def test_missed_trades_are_told_once_and_the_silence_is_reported(place: Place) -> None:
    place.follow(TRADES)
    place.clock()
    place.tell(trades("snapshot", 1, 2))
    place.answer(place.until_asked())
    silent, *missed = place.tell(trades("snapshot", 1, 2, 3, 4, at="13:00:30"))
    assert silent == SubscriptionSilent(subscription=TRADES, reason="2 trades had not come, the first of them 3")
    assert [trade.id for trade in missed] == ["3", "4"]
    assert place.feed.stats.silent == 1
    assert place.feed.is_dead(place.now) is None
    assert [trade.id for trade in place.tell(trades("update", 4, 5))] == ["5"]


def test_trades_made_since_it_was_asked_for_are_no_sign_of_silence(place: Place) -> None:
    """No subscription stands for a moment; what is traded then comes with the snapshot."""
    place.follow(TRADES)
    place.clock()
    place.tell(trades("snapshot", 1, 2))
    requests = place.until_asked()
    place.answer(requests)
    minute, second = divmod(int(place.now) + 1, 60)
    events = place.tell(trades("snapshot", 1, 2, 3, at=f"13:{minute:02}:{second:02}"))
    assert kinds(events) == [Trade]
    assert place.feed.stats.silent == 0


def test_a_book_that_had_changed_unheard_is_healed_and_reported(place: Place, btc: Any, levels: Any) -> None:
    place.follow(BOOK)
    place.tell(btc.snapshot(*levels))
    place.answer(place.until_asked())
    btc.update(bids=[("100.0", "7.00000000")])
    silent, book = place.tell(btc.again())
    assert silent == SubscriptionSilent(subscription=BOOK, reason="its book had changed")
    assert isinstance(book, OrderBook)
    assert book.best_bid == (Decimal(100), Decimal(7))
    assert place.feed.stats.silent == 1


def test_a_book_that_was_heard_of_meanwhile_was_not_silent(place: Place, btc: Any, levels: Any) -> None:
    place.follow(BOOK)
    place.tell(btc.snapshot(*levels))
    requests = place.until_asked()
    assert kinds(place.tell(btc.update(bids=[("100.0", "7.00000000")]))) == [OrderBook]
    place.answer(requests)
    btc.update(bids=[("100.0", "8.00000000")])
    assert kinds(place.tell(btc.again())) == [OrderBook]
    assert place.feed.stats.silent == 0


@pytest.mark.parametrize(
    ("trigger", "changes", "silent"),
    [
        (TickerTrigger.BBO, {"bid": 1.1}, 1),
        (TickerTrigger.BBO, {"ask": 2.1}, 1),
        (TickerTrigger.BBO, {"last": 1.6}, 0),
        (TickerTrigger.TRADES, {"last": 1.6}, 1),
        (TickerTrigger.TRADES, {"bid": 1.1}, 0),
    ],
)
def test_a_ticker_is_judged_by_what_it_is_sent_for(
    place: Place, trigger: TickerTrigger, changes: dict[str, float], silent: int
) -> None:
    place.follow(Subscription(Channel.TICKER, BTC, trigger=trigger))
    place.tell(ticker("snapshot"))
    place.answer(place.until_asked())
    assert kinds(place.tell(ticker("snapshot", **changes))) == [SubscriptionSilent] * silent + [Ticker]
    assert place.feed.stats.silent == silent


def test_a_bar_that_had_changed_unheard_is_reported(place: Place) -> None:
    place.follow(BARS)
    place.tell(bars("snapshot", 0))
    place.answer(place.until_asked())
    events = place.tell(bars("snapshot", 0, 1))
    assert kinds(events)[0] is SubscriptionSilent
    assert [(bar.start.minute, bar.closed) for bar in events[1:]] == [(0, True), (1, False)]


def test_two_in_a_row_that_missed_something_end_the_connection(place: Place) -> None:
    place.follow(TRADES)
    place.clock()
    place.tell(trades("snapshot", 1))
    for number in (2, 3):
        assert place.feed.is_dead(place.now) is None
        place.answer(place.until_asked())
        place.tell(trades("snapshot", 1, number, at="13:00:30"))
    dead = place.feed.is_dead(place.now)
    assert dead is not None
    assert "trades BTC/USD fell silent 2 times in a row" in dead
    place.feed.closed(place.now)
    place.feed.opened(place.now)
    assert place.feed.is_dead(place.now) is None


def test_one_that_missed_nothing_between_them_does_not(place: Place) -> None:
    place.follow(TRADES)
    place.clock()
    place.tell(trades("snapshot", 1))
    for last in (2, 2, 3):
        place.answer(place.until_asked())
        place.tell(trades("snapshot", *range(1, last + 1), at="13:00:30"))
    assert place.feed.stats.silent == 2
    assert place.feed.is_dead(place.now) is None


@pytest.mark.parametrize("what", [TRADES, BOOK, TICKER, BARS])
def test_no_answer_ends_the_connection(place: Place, what: Subscription, btc: Any, levels: Any) -> None:
    place.follow(what)
    place.tell(btc.snapshot(*levels))
    assert place.until_asked()
    place.wait(9)
    assert place.feed.is_dead(place.now) is None
    place.wait(2)
    dead = place.feed.is_dead(place.now)
    assert dead is not None
    assert "not answered" in dead


def test_an_answer_without_a_snapshot_is_a_silence(place: Place, btc: Any, levels: Any) -> None:
    """Of a book nothing is shown then, and it is asked for once more."""
    place.follow(BOOK)
    place.tell(btc.snapshot(*levels))
    place.answer(place.until_asked())
    events = place.wait(12)
    assert kinds(events) == [SubscriptionSilent, BookDesynced]
    assert place.feed.stats.silent == 1
    assert [request["method"] for request in place.other.requests()] == ["unsubscribe", "subscribe"]


def test_a_pair_that_was_never_traded_has_no_snapshot(place: Place) -> None:
    place.follow(TRADES, BARS)
    for _ in range(4):
        requests = place.until_asked()
        assert requests
        place.answer(requests)
        assert not [event for event in place.wait(12) if isinstance(event, SubscriptionSilent)]
    assert place.feed.is_dead(place.now) is None


def test_a_book_that_fails_while_it_is_asked_for_is_asked_for_once_more(place: Place, btc: Any, levels: Any) -> None:
    place.follow(BOOK)
    place.tell(btc.snapshot(*levels))
    place.answer(place.until_asked())
    wrong = json.loads(btc.again())
    wrong["data"][0]["checksum"] ^= 1
    assert kinds(place.tell(wrong)) == [BookDesynced]
    place.answer(place.other.requests())
    assert kinds(place.tell(btc.again())) == [OrderBook]
    place.wait(12)
    assert place.feed.is_dead(place.now) is None
    assert place.feed.stats.silent == 0


def test_hundreds_of_quiet_pairs_are_asked_for_in_few_requests(
    make_context: Callable[..., VenueContext], wire: Any, make_book: Any
) -> None:
    context = make_context()
    template = context.symbols.instrument(BTC)
    symbols = [Symbol(f"A{number}", "USD") for number in range(300)]
    for symbol in symbols:
        context.symbols.add(attrs.evolve(template, symbol=symbol, venue_id=str(symbol)))
    place = Place(PublicFeed(context), wire)
    place.follow(*(Subscription(channel, s) for s in symbols for channel in (Channel.BOOK, Channel.TRADES)))
    books = {str(symbol): make_book(str(symbol), 1) for symbol in symbols}
    for book in books.values():
        place.tell(book.snapshot([("1.0", "1.00000000")]))
    asked: list[tuple[float, dict[str, Any]]] = []
    for _ in range(110):
        place.wait(1)
        requests = place.other.requests()
        place.answer(requests)
        asked += [(place.now, request) for request in requests]
        for request in requests:
            if request["method"] == "subscribe" and request["params"]["channel"] == "book":
                for name in request["params"]["symbol"]:
                    assert not place.tell(books[name].again())
    named = [name for _, request in asked if request["method"] == "subscribe" for name in request["params"]["symbol"]]
    assert sorted(named) == sorted([str(symbol) for symbol in symbols] * 2), "each book and each pair's trades once"
    for second in range(111):
        within = [request for when, request in asked if when == second]
        assert len(within) <= 10
        assert place.feed.stats.silent == place.feed.stats.mismatches == 0
        assert sum(len(request["params"]["symbol"]) for request in within if request["method"] == "subscribe") <= 50
    assert place.feed.is_dead(place.now) is None


def test_instruments_are_asked_for_less_often(place: Place) -> None:
    pair = {
        "symbol": "BTC/USD",
        "base": "BTC",
        "quote": "USD",
        "status": "online",
        "qty_precision": 8,
        "qty_increment": 1e-08,
        "price_precision": 1,
        "price_increment": 0.1,
        "qty_min": 0.0001,
    }
    frame = {"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": [pair]}}
    changed = {**frame, "data": {"pairs": [{**pair, "status": "cancel_only"}]}}
    place.follow(Subscription(Channel.INSTRUMENTS))
    place.tell(frame)
    assert not place.until_asked(599)
    place.answer(place.until_asked(3))
    assert SubscriptionSilent not in kinds(place.tell(frame))
    place.answer(place.until_asked(700))
    assert SubscriptionSilent in kinds(place.tell(changed))


def test_what_is_not_followed_any_more_is_not_asked_for(place: Place) -> None:
    place.follow(TRADES, TICKER)
    place.feed.unsubscribe([TRADES], 1.0)
    place.other.requests()
    assert {request["params"]["channel"] for request in place.until_asked()} == {"ticker"}


def test_what_is_given_up_while_it_is_asked_for_is_ended(place: Place) -> None:
    place.follow(TRADES)
    place.tell(trades("snapshot", 1))
    place.answer(place.until_asked())
    place.feed.unsubscribe([TRADES], place.now)
    assert [request["method"] for request in place.other.requests()] == ["unsubscribe"]
    place.wait(30)
    assert place.feed.is_dead(place.now) is None


# Trades that are delivered again, and trades that are not.


def test_a_hole_that_is_larger_than_the_snapshot_is_told(place: Place) -> None:
    place.follow(TRADES)
    place.tell(trades("snapshot", 98, 99))
    place.feed.closed(5.0)
    place.feed.opened(10.0)
    place.other.acknowledge()
    gap, *found = place.tell(trades("snapshot", *range(150, 200)))
    assert gap == SequenceGap(channel=Channel.TRADES, symbol=BTC, reason="BTC/USD: trades 100 to 149 did not come")
    assert [trade.id for trade in found] == [str(number) for number in range(150, 200)]
    assert place.feed.stats.gaps == 1


def test_after_a_lost_connection_what_is_new_is_told_and_nothing_twice(place: Place) -> None:
    place.follow(TRADES)
    place.tell(trades("snapshot", *range(1, 51)))
    place.tell(trades("update", 51, 52))
    place.feed.closed(5.0)
    place.feed.opened(10.0)
    place.other.acknowledge()
    assert [trade.id for trade in place.tell(trades("snapshot", *range(5, 55)))] == ["53", "54"]


def test_trades_of_one_message_are_told_in_their_order(place: Place) -> None:
    place.follow(TRADES)
    place.tell(trades("snapshot", 1))
    assert [trade.id for trade in place.tell(trades("update", 4, 3, 2))] == ["2", "3", "4"]


def test_a_trade_that_comes_after_all_fills_its_hole_once(place: Place) -> None:
    place.follow(TRADES)
    place.tell(trades("snapshot", 1))
    assert kinds(place.tell(trades("update", 4))) == [SequenceGap, Trade]
    assert [trade.id for trade in place.tell(trades("snapshot", 1, 2, 3, 4))] == ["2", "3"]
    assert not place.tell(trades("snapshot", 1, 2, 3, 4))


def test_a_snapshot_that_comes_after_an_update_brings_nothing_again(place: Place) -> None:
    place.follow(TRADES)
    place.tell(trades("snapshot", 1, 2))
    place.tell(trades("update", 3))
    assert not place.tell(trades("snapshot", 1, 2))


def test_who_comes_back_later_begins_anew(place: Place) -> None:
    """What was traded while nobody followed is no gap."""
    place.follow(TRADES)
    place.tell(trades("snapshot", 1))
    place.feed.unsubscribe([TRADES], 1.0)
    place.feed.subscribe([TRADES], 100.0)
    assert kinds(place.tell(trades("snapshot", 500, 501))) == [Trade, Trade]
