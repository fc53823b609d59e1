"""Answers that are late, missing, doubled, partial or not what was asked for; and requests that keep to a pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported
from exchange_core.model.event import (
    Channel,
    Ignored,
    LockoutTold,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    TickerTrigger,
)
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.connections import PrivateFeed, PublicFeed

BTC, ETH, DOGE = Symbol("BTC", "USD"), Symbol("ETH", "USD"), Symbol("DOGE", "USD")
ANSWER = {"channel": "book", "symbol": "BTC/USD", "depth": 10, "snapshot": True}


def book(symbol: Symbol) -> Subscription:
    return Subscription(Channel.BOOK, symbol, depth=10)


def yes(request: dict[str, Any], **result: Any) -> dict[str, Any]:
    return {"method": "subscribe", "success": True, "req_id": request["req_id"], "result": {**ANSWER, **result}}


def no(request: dict[str, Any], reason: str, **more: Any) -> dict[str, Any]:
    return {"method": "subscribe", "success": False, "req_id": request["req_id"], "error": reason, **more}


@pytest.fixture
def other(public: PublicFeed, wire: Any) -> Any:
    """Return the other end of an open connection."""
    public.opened(0.0)
    return wire(public)


def test_data_that_come_without_an_answer_count_as_answered(public: PublicFeed, other: Any) -> None:
    trades = Subscription(Channel.TRADES, BTC)
    public.subscribe([trades], 0.0)
    other.requests()
    trade = {"symbol": "BTC/USD", "side": "buy", "price": 1.0, "qty": 1.0, "trade_id": 1}
    frame = {"channel": "trade", "type": "update", "data": [{**trade, "timestamp": "2024-05-27T12:43:11.798009Z"}]}
    other.tell(frame, 6.0)
    assert public.tick(10.5) == [Subscribed(subscription=trades)]
    assert not other.requests()


def wanted_twice(public: PublicFeed, other: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Want a book, give it up and want it again before anything is answered; return both requests."""
    public.subscribe([book(BTC)], 0.0)
    (first,) = other.requests()
    public.unsubscribe([book(BTC)], 0.0)
    public.subscribe([book(BTC)], 0.0)
    end, second = other.requests()
    assert end["method"] == "unsubscribe"
    return first, second


def test_an_answer_to_an_earlier_request_is_not_one_to_the_latest(public: PublicFeed, other: Any) -> None:
    first, second = wanted_twice(public, other)
    assert other.tell(yes(first)) == [Ignored(kind="subscribed book")]
    assert not public.is_active(book(BTC))
    (event,) = other.tell(no(second, "Currency pair not supported BTC/USD", symbol="BTC/USD"))
    assert isinstance(event, SubscriptionRefused)


def test_a_refusal_of_an_earlier_request_is_not_one_of_the_latest(public: PublicFeed, other: Any) -> None:
    first, second = wanted_twice(public, other)
    assert other.tell(no(first, "Already subscribed", symbol="BTC/USD")) == [Ignored(kind="subscribe refused")]
    assert other.tell(yes(second)) == [Subscribed(subscription=book(BTC))]
    assert other.tell(yes(second)) == [Ignored(kind="subscribed book")], "once more is no news"
    assert not other.requests()


def test_an_answer_to_what_was_given_up_is_no_news(public: PublicFeed, other: Any) -> None:
    public.subscribe([book(BTC)], 0.0)
    (request,) = other.requests()
    public.unsubscribe([book(BTC)], 0.0)
    assert [end["method"] for end in other.requests()] == ["unsubscribe"]
    assert other.tell(yes(request)) == [Ignored(kind="subscribed book")]
    missing = {"method": "unsubscribe", "success": False, "error": "Subscription Not Found", "symbol": "BTC/USD"}
    assert other.tell(missing) == [Ignored(kind="unsubscribe refused")]
    assert not public.tick(9.0)
    assert all(request["method"] == "ping" for request in other.requests())


@pytest.mark.parametrize(
    "reason", ["Currency pair not in ISO 4217-A3 format ETH/USD", "Currency pair not supported ETH/USD"]
)
def test_a_pair_that_is_refused_in_words_alone_takes_no_other_along(
    public: PublicFeed, other: Any, reason: str
) -> None:
    public.subscribe([book(BTC), book(ETH), book(DOGE)], 0.0)
    (request,) = other.requests()
    assert other.tell(no(request, reason)) == [SubscriptionRefused(subscription=book(ETH), reason=reason)]
    assert list(public.subscriptions()) == [book(BTC), book(DOGE)]


@pytest.mark.parametrize(
    ("wanted", "echo", "what"),
    [
        pytest.param(book(BTC), {"depth": 25}, "depth 25 instead of 10", id="depth"),
        pytest.param(
            Subscription(Channel.CANDLES, BTC, interval=5),
            {"channel": "ohlc", "depth": None, "interval": 1},
            "interval 1 instead of 5",
            id="interval",
        ),
        pytest.param(
            Subscription(Channel.TICKER, BTC, trigger=TickerTrigger.TRADES),
            {"channel": "ticker", "depth": None, "event_trigger": "bbo"},
            "trigger bbo instead of trades",
            id="trigger",
        ),
    ],
)
def test_what_was_not_asked_for_is_ended_and_reported(
    public: PublicFeed, other: Any, wanted: Subscription, echo: dict[str, Any], what: str
) -> None:
    public.subscribe([wanted], 0.0)
    (request,) = other.requests()
    (event,) = other.tell(yes(request, **echo))
    assert event == SubscriptionRefused(subscription=wanted, reason=f"the venue acknowledged {what}")
    assert [request["method"] for request in other.requests()] == ["unsubscribe"]
    assert not list(public.subscriptions())


def test_answers_for_a_part_leave_the_rest_waiting(public: PublicFeed, other: Any) -> None:
    """What is not answered is asked for again, together, and what is answered is not."""
    public.subscribe([Subscription(Channel.TRADES, symbol) for symbol in (BTC, ETH, DOGE)], 0.0)
    (request,) = other.requests()
    other.tell(yes(request, channel="trade", symbol="ETH/USD"))
    public.tick(10.5)
    end, again = other.requests()
    assert end["params"]["symbol"] == again["params"]["symbol"] == ["BTC/USD", "DOGE/USD"]


def test_a_ticker_follows_what_it_is_asked_to_follow(public: PublicFeed, other: Any) -> None:
    by_trades = Subscription(Channel.TICKER, BTC, trigger=TickerTrigger.TRADES)
    public.subscribe([by_trades, Subscription(Channel.TICKER, ETH)], 0.0)
    asked = [request["params"] for request in other.requests()]
    assert sorted((params["symbol"][0], params["event_trigger"]) for params in asked) == [
        ("BTC/USD", "trades"),
        ("ETH/USD", "bbo"),
    ]
    public.unsubscribe([by_trades], 0.0)
    (end,) = other.requests()
    assert end["params"] == {"channel": "ticker", "symbol": ["BTC/USD"], "event_trigger": "trades"}


def test_one_ticker_of_a_pair_has_one_trigger(public: PublicFeed) -> None:
    default, by_bbo, by_trades = (
        Subscription(Channel.TICKER, BTC, trigger=trigger)
        for trigger in (None, TickerTrigger.BBO, TickerTrigger.TRADES)
    )
    public.subscribe([default, by_bbo], 0.0)
    with pytest.raises(NotSupported, match="followed by bbo already"):
        public.subscribe([by_trades], 0.0)
    public.unsubscribe([default, by_bbo], 0.0)
    public.subscribe([by_trades], 0.0)


# The pace.


def many(make_context: Callable[..., VenueContext], count: int) -> tuple[PublicFeed, list[Symbol]]:
    context = make_context()
    template = context.symbols.instrument(BTC)
    symbols = [Symbol(f"A{number}", "USD") for number in range(count)]
    for symbol in symbols:
        context.symbols.add(attrs.evolve(template, symbol=symbol, venue_id=str(symbol)))
    return PublicFeed(context), symbols


def test_very_many_symbols_are_asked_for_in_requests_of_200_and_at_a_pace(
    make_context: Callable[..., VenueContext], wire: Any
) -> None:
    feed, symbols = many(make_context, 1500)
    channels = (Channel.TICKER, Channel.TRADES)
    feed.subscribe([Subscription(channel, symbol) for channel in channels for symbol in symbols], 0.0)
    feed.opened(0.0)
    other = wire(feed)
    counts, named = [], []
    for second in range(4):
        requests = other.requests()
        counts.append(len(requests))
        named += [(r["params"]["channel"], name) for r in requests for name in r["params"]["symbol"]]
        assert all(len(request["params"]["symbol"]) <= 200 for request in requests)
        feed.tick(second + 1.0)
    assert counts == [10, 6, 0, 0]
    assert len(named) == len(set(named)) == 3000


def failing(feed: PublicFeed, other: Any, make_book: Any, symbols: list[Symbol]) -> list[dict[str, Any]]:
    """Let the books of *symbols* fail in one second; return what is asked for at once."""
    feed.subscribe(map(book, symbols), 0.0)
    feed.opened(0.0)
    other.acknowledge()
    for symbol in symbols:
        venue = make_book(str(symbol), 1)
        other.tell(venue.snapshot([("1.0", "1.00000000")]), 5.0)
        other.tell(venue.update([("0.9", "1.00000000")], checksum=1), 5.0)
    requests: list[dict[str, Any]] = other.requests()
    return requests


def test_many_failing_books_share_their_requests(
    make_context: Callable[..., VenueContext], wire: Any, make_book: Any
) -> None:
    feed, symbols = many(make_context, 300)
    other = wire(feed)
    asked = failing(feed, other, make_book, symbols)
    assert len(asked) <= 10
    for now in (6.0, 7.0):
        feed.tick(now)
        asked += other.requests()
    again = [name for r in asked if r["method"] == "subscribe" for name in r["params"]["symbol"]]
    assert sorted(again) == sorted(map(str, symbols)), "each once"
    assert len(asked) <= 20


def test_what_is_given_up_while_it_waits_for_its_turn_is_ended(
    make_context: Callable[..., VenueContext], wire: Any, make_book: Any
) -> None:
    """The venue still sends it."""
    feed, symbols = many(make_context, 30)
    other = wire(feed)
    failing(feed, other, make_book, symbols)
    feed.unsubscribe([book(symbols[-1])], 5.0)
    (end,) = other.requests()
    assert (end["method"], end["params"]["symbol"]) == ("unsubscribe", [str(symbols[-1])])
    feed.tick(6.0)
    assert not [r for r in other.requests() if str(symbols[-1]) in r["params"]["symbol"]]


def test_when_it_was_too_much_nothing_is_asked_for_a_while(public: PublicFeed, other: Any) -> None:
    public.subscribe([Subscription(Channel.TICKER, BTC)], 0.0)
    assert len(other.requests()) == 1
    other.tell({"Error": "Exceeded msg rate"}, 0.5)
    public.subscribe([Subscription(Channel.TICKER, ETH)], 0.6)
    assert not other.requests()
    public.tick(1.6)
    assert [request["params"]["symbol"] for request in other.requests()] == [["ETH/USD"]]


@pytest.mark.parametrize("reason", ["EService:Unavailable", "EGeneral:Internal error", "Exceeded msg rate"])
def test_what_the_venue_could_not_do_just_then_is_asked_for_later(public: PublicFeed, other: Any, reason: str) -> None:
    public.subscribe([Subscription(Channel.TICKER, BTC)], 0.0)
    (request,) = other.requests()
    assert other.tell(no(request, reason), 0.0) == [Ignored(kind="subscribe refused")]
    public.tick(1.0)
    assert not other.requests()
    public.tick(2.0)
    assert [request["method"] for request in other.requests()] == ["subscribe"]


def test_the_wrong_host_is_no_passing_refusal(public: PublicFeed, other: Any) -> None:
    public.subscribe([Subscription(Channel.TICKER, BTC)], 0.0)
    reason = "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"
    (request,) = other.requests()
    assert [type(event) for event in other.tell(no(request, reason))] == [SubscriptionRefused]


@pytest.mark.parametrize(
    ("subscription", "what"),
    [
        (Subscription(Channel.TRADES, BTC, trigger=TickerTrigger.BBO), "trades has no trigger"),
        (Subscription(Channel.TICKER, BTC, variant="lite"), "ticker has no variant lite"),
    ],
)
def test_what_a_channel_has_not_is_refused(public: PublicFeed, subscription: Subscription, what: str) -> None:
    with pytest.raises(NotSupported, match=what):
        public.subscribe([subscription], 0.0)


LOCKOUT = "EGeneral:Temporary lockout"


def test_a_lockout_is_told_and_nothing_more_is_asked_with_the_token(private: PrivateFeed, wire: Any) -> None:
    """What is wanted stays wanted: it is asked for over the next connection, which logs in first."""
    wanted = [Subscription(Channel.ORDERS), Subscription(Channel.BALANCES)]
    private.subscribe(wanted, 0.0)
    private.opened(0.0, "the-token")
    end = wire(private)
    first, _ = end.requests()
    (told,) = end.tell(no(first, LOCKOUT, channel="executions"))
    assert isinstance(told, LockoutTold)
    assert (told.error.codes, told.error.retry_after, told.error.venue) == ((LOCKOUT,), 900, "kraken")
    assert private.is_dead(0.1) == LOCKOUT
    assert not private.can_ask()
    assert private.tick(20.0) == []
    assert not end.requests()
    private.closed(20.0)
    private.opened(920.0, "another-token")
    assert private.is_dead(920.0) is None
    assert [request["params"]["channel"] for request in end.requests()] == ["executions", "balances"]
    assert list(private.subscriptions()) == wanted


def test_a_lockout_without_a_login_is_told_and_sat_out(public: PublicFeed, other: Any) -> None:
    public.subscribe([book(BTC)], 0.0)
    (request,) = other.requests()
    (told,) = other.tell(no(request, LOCKOUT, symbol="BTC/USD"))
    assert isinstance(told, LockoutTold)
    assert public.is_dead(0.1) is None
    public.tick(899.0)
    assert not [asked for asked in other.requests() if asked["method"] == "subscribe"]
    public.tick(900.0)
    assert [asked["method"] for asked in other.requests()] == ["subscribe"]
