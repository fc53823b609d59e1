"""What is asked for on a connection, what the answers mean, and when a connection is dead."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, UnknownSymbol
from exchange_core.model.book import BookHealth
from exchange_core.model.event import Channel, Ignored, Subscribed, Subscription, SubscriptionRefused, TierUpdate
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.feed.connections import PrivateFeed, PublicFeed

BTC, ETH, DOGE = Symbol("BTC", "USD"), Symbol("ETH", "USD"), Symbol("DOGE", "USD")


def book(symbol: Symbol, depth: int | None = None) -> Subscription:
    return Subscription(Channel.BOOK, symbol, depth=depth)


def test_one_request_for_all_symbols_of_a_channel(public: PublicFeed, wire: Any) -> None:
    """Under the display name: v2 refuses XBT."""
    wanted = [
        book(BTC, 10),
        book(ETH, 10),
        book(DOGE, 25),
        Subscription(Channel.TICKER, BTC),
        Subscription(Channel.TICKER, ETH),
        Subscription(Channel.TRADES, BTC),
        Subscription(Channel.CANDLES, BTC, interval=5),
        Subscription(Channel.CANDLES, BTC, interval=60),
        Subscription(Channel.INSTRUMENTS),
    ]
    public.subscribe(wanted, 0.0)
    assert not public.outbox(), "nothing is sent on a closed connection"
    public.opened(1.0)
    requests = wire(public).requests()
    assert all(request["method"] == "subscribe" for request in requests)
    assert len({request["req_id"] for request in requests}) == len(requests)
    params = [request["params"] for request in requests]
    assert {"channel": "book", "symbol": ["BTC/USD", "ETH/USD"], "depth": 10, "snapshot": True} in params
    assert {"channel": "book", "symbol": ["DOGE/USD"], "depth": 25, "snapshot": True} in params
    ticker = {"channel": "ticker", "symbol": ["BTC/USD", "ETH/USD"], "event_trigger": "bbo", "snapshot": True}
    assert ticker in params
    assert {"channel": "trade", "symbol": ["BTC/USD"], "snapshot": True} in params
    assert {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 5, "snapshot": True} in params
    assert {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 60, "snapshot": True} in params
    assert {"channel": "instrument", "snapshot": True} in params
    assert len(params) == 7
    assert list(public.subscriptions()) == wanted


def test_each_symbol_is_acknowledged_by_itself(public: PublicFeed, wire: Any) -> None:
    public.subscribe([book(BTC, 10), book(ETH, 10)], 0.0)
    public.opened(0.0)
    (request,) = wire(public).requests()
    answer = {"channel": "book", "symbol": "ETH/USD", "depth": 10, "snapshot": True}
    events = wire(public).tell({"method": "subscribe", "req_id": request["req_id"], "result": answer, "success": True})
    assert events == [Subscribed(subscription=book(ETH, 10))]
    assert public.is_active(book(ETH, 10))
    assert not public.is_active(book(BTC, 10))


def test_intervals_are_acknowledged_apart(public: PublicFeed, wire: Any) -> None:
    five, hour = (Subscription(Channel.CANDLES, BTC, interval=minutes) for minutes in (5, 60))
    public.subscribe([five, hour], 0.0)
    public.opened(0.0)
    answer = {"channel": "ohlc", "symbol": "BTC/USD", "interval": 60, "warnings": ["timestamp is deprecated"]}
    events = wire(public).tell({"method": "subscribe", "result": answer, "success": True})
    assert events == [Subscribed(subscription=hour)]


def test_the_default_depth_is_ten_and_one_subscription(public: PublicFeed, wire: Any) -> None:
    public.subscribe([book(BTC), book(BTC, 10)], 0.0)
    public.opened(0.0)
    other = wire(public)
    events = other.acknowledge()
    assert events == [Subscribed(subscription=book(BTC)), Subscribed(subscription=book(BTC, 10))]
    public.unsubscribe([book(BTC)], 1.0)
    assert not other.requests(), "the other still wants it"
    public.unsubscribe([book(BTC, 10)], 1.0)
    assert [request["method"] for request in other.requests()] == ["unsubscribe"]


def test_what_comes_later_is_asked_for_at_once(public: PublicFeed, wire: Any) -> None:
    public.opened(0.0)
    public.subscribe([Subscription(Channel.TICKER, BTC)], 1.0)
    other = wire(public)
    assert len(other.requests()) == 1
    public.subscribe([Subscription(Channel.TICKER, BTC)], 1.0)
    assert not other.requests()


def test_a_refused_symbol_is_reported_and_dropped(public: PublicFeed, wire: Any) -> None:
    """A refusal has no result, and the symbol stands at the top."""
    public.subscribe([book(BTC, 10), book(ETH, 10)], 0.0)
    public.opened(0.0)
    (request,) = wire(public).requests()
    reason = "Currency pair not supported ETH/USD"
    frame = {
        "error": reason,
        "method": "subscribe",
        "req_id": request["req_id"],
        "success": False,
        "symbol": "ETH/USD",
    }
    events = wire(public).tell(frame)
    assert events == [SubscriptionRefused(subscription=book(ETH, 10), reason=reason)]
    assert list(public.subscriptions()) == [book(BTC, 10)]
    public.tick(1.0)
    assert public.book(ETH) is None


def test_a_refusal_without_a_symbol_is_about_the_whole_request(private: PrivateFeed, wire: Any) -> None:
    private.subscribe([Subscription(Channel.ORDERS), Subscription(Channel.BALANCES)], 0.0)
    private.opened(0.0, "the-token")
    orders, _ = wire(private).requests()
    reason = "EGeneral:Permission denied"
    events = wire(private).tell({"error": reason, "method": "subscribe", "req_id": orders["req_id"], "success": False})
    assert events == [SubscriptionRefused(subscription=Subscription(Channel.ORDERS), reason=reason, codes=(reason,))]
    assert list(private.subscriptions()) == [Subscription(Channel.BALANCES)]


def test_a_refusal_of_nothing_of_ours_is_no_news(public: PublicFeed, wire: Any) -> None:
    frame = {
        "error": "Currency pair not supported WWW/USD",
        "method": "subscribe",
        "success": False,
        "symbol": "WWW/USD",
    }
    assert wire(public).tell(frame) == [Ignored(kind="subscribe refused")]


def test_already_subscribed_is_taken_back_and_asked_again(public: PublicFeed, wire: Any) -> None:
    """It brings no snapshot. Should it go on like that, only a new connection can help."""
    public.subscribe([book(BTC, 10)], 0.0)
    public.opened(0.0)
    other = wire(public)
    (request,) = other.requests()
    refusal = {"error": "Already subscribed", "method": "subscribe", "success": False, "symbol": "BTC/USD"}
    for _ in range(2):
        assert public.is_dead(0.0) is None
        other.tell({**refusal, "req_id": request["req_id"]})
        unsubscribe, request = other.requests()
        assert (unsubscribe["method"], request["method"]) == ("unsubscribe", "subscribe")
    other.tell({**refusal, "req_id": request["req_id"]})
    assert not other.requests()
    assert "Already subscribed" in (public.is_dead(0.0) or "")
    assert list(public.subscriptions()) == [book(BTC, 10)]


def test_a_book_that_comes_without_an_answer_counts_as_answered(
    public: PublicFeed, wire: Any, btc: Any, levels: Any
) -> None:
    public.subscribe([book(BTC, 10)], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.requests()
    other.tell(btc.snapshot(*levels))
    assert public.tick(10.5) == [Subscribed(subscription=book(BTC, 10))]
    assert not other.requests()
    found = public.book(BTC)
    assert found is not None
    assert found.health is BookHealth.LIVE


def test_a_new_connection_asks_for_everything_again(public: PublicFeed, wire: Any) -> None:
    public.subscribe([book(BTC, 10), Subscription(Channel.TICKER, ETH)], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.acknowledge()
    public.closed(5.0)
    assert not public.is_active(book(BTC, 10))
    assert not public.outbox()
    public.opened(6.0)
    assert {request["params"]["channel"] for request in other.requests()} == {"book", "ticker"}


def test_the_status_comes_unasked(public: PublicFeed, wire: Any) -> None:
    status = Subscription(Channel.STATUS)
    public.subscribe([status], 0.0)
    public.opened(0.0)
    assert not wire(public).requests()
    assert public.is_active(status)
    assert public.tick(1.0) == [Subscribed(subscription=status)]


@pytest.mark.parametrize(
    ("subscription", "error", "message"),
    [
        pytest.param(book(BTC, 7), NotSupported, "depth: 7 is none of 10, 25, 100, 500, 1000", id="depth"),
        pytest.param(Subscription(Channel.CANDLES, BTC, interval=7), NotSupported, "interval: 7", id="interval"),
        pytest.param(Subscription(Channel.TICKER), NotSupported, "needs a symbol", id="no symbol"),
        pytest.param(Subscription(Channel.ORDERS), NotSupported, "orders is not on this", id="other connection"),
        pytest.param(Subscription(Channel.POSITIONS), NotSupported, "positions", id="no such thing"),
        pytest.param(book(Symbol("BTC", "XXX")), UnknownSymbol, "BTC/XXX", id="unknown symbol"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_sent(
    public: PublicFeed, subscription: Subscription, error: type[Exception], message: str
) -> None:
    public.opened(0.0)
    with pytest.raises(error, match=message):
        public.subscribe([Subscription(Channel.TICKER, ETH), subscription], 0.0)
    assert not public.outbox()
    assert not list(public.subscriptions())


def test_orders_and_fills_are_one_subscription(private: PrivateFeed, wire: Any) -> None:
    """Executions first: that keeps the private connection open."""
    wanted = [Subscription(Channel.BALANCES), Subscription(Channel.FILLS), Subscription(Channel.ORDERS)]
    private.subscribe(wanted, 0.0)
    private.opened(0.0, "the-token")
    requests = wire(private).requests()
    assert [request["params"] for request in requests] == [
        {
            "channel": "executions",
            "snap_orders": True,
            "snap_trades": True,
            "ratecounter": True,
            "token": "the-token",
        },
        {"channel": "balances", "snapshot": True, "token": "the-token"},
    ]
    answer = {"channel": "executions", "maxratecount": 125, "snap_orders": True, "snap_trades": True}
    events = wire(private).tell(
        {"method": "subscribe", "req_id": requests[0]["req_id"], "result": answer, "success": True}
    )
    assert {event.subscription for event in events if isinstance(event, Subscribed)} == {wanted[1], wanted[2]}
    assert [event for event in events if not isinstance(event, Subscribed)] == [TierUpdate(tier="intermediate")]
    assert private.is_active(wanted[1])
    assert private.is_active(wanted[2])
    assert not private.is_active(wanted[0])


def test_the_token_comes_from_rest(private: PrivateFeed, run: Any) -> None:
    login = private.login()
    token = run(login, {"token": "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw", "expires": 900})
    assert token == "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw"
    (call,) = run.calls
    assert (call.method, call.path, call.private) == ("POST", "/0/private/GetWebSocketsToken", True)
    assert not call.changes_state
    assert call.costs[0].urgent


def test_the_token_is_in_each_request_and_nowhere_else(private: PrivateFeed, wire: Any) -> None:
    private.subscribe([Subscription(Channel.ORDERS)], 0.0)
    private.opened(0.0, "the-token")
    other = wire(private)
    events = other.acknowledge()
    private.unsubscribe([Subscription(Channel.ORDERS)], 1.0)
    (request,) = other.requests()
    assert request["params"] == {"channel": "executions", "token": "the-token"}
    refusal = {"method": "subscribe", "success": False, "error": "ESession:Invalid session", "channel": "executions"}
    events += other.tell(refusal)
    shown = f"{private!r} {vars(private)} {events} {private.stats} {private.is_dead(1.0)}"
    assert "the-token" not in shown


def test_a_token_does_not_outlive_its_connection(private: PrivateFeed, wire: Any) -> None:
    private.subscribe([Subscription(Channel.ORDERS)], 0.0)
    private.opened(0.0, "first")
    private.closed(1.0)
    private.opened(2.0, "second")
    (request,) = wire(private).requests()
    assert request["params"]["token"] == "second"


@pytest.mark.parametrize("reason", ["ESession:Invalid session", "Token(s) not found"])
def test_a_session_that_is_not_taken_ends_the_connection(private: PrivateFeed, wire: Any, reason: str) -> None:
    """A fresh token is the cure, however often it takes: it says nothing of what was asked for."""
    orders = Subscription(Channel.ORDERS)
    private.subscribe([orders], 0.0)
    refusal = {
        "channel": "executions",
        "error": reason,
        "method": "subscribe",
        "status": "error",
        "success": False,
    }
    other = wire(private)
    for attempt in range(20):
        private.opened(float(attempt), f"token-{attempt}")
        (request,) = other.requests()
        assert private.is_dead(float(attempt)) is None
        assert other.tell({**refusal, "req_id": request["req_id"]}) == [Ignored(kind="subscribe refused")]
        dead = private.is_dead(float(attempt))
        assert dead is not None
        assert "token" in dead
        private.closed(float(attempt))
    assert list(private.subscriptions()) == [orders]


def test_a_public_feed_needs_no_login(public: PublicFeed) -> None:
    assert public.login() is None


# Liveness


def test_pings_are_sent_whether_or_not_data_flows(public: PublicFeed) -> None:
    public.opened(0.0)
    public.tick(1.0)
    assert not public.outbox()
    public.tick(5.0)
    (ping,) = map(json.loads, public.outbox())
    assert ping["method"] == "ping"
    assert "params" not in ping, "the venue refuses a ping with params"


def test_a_pong_does_not_hide_that_no_data_comes(public: PublicFeed, wire: Any) -> None:
    public.subscribe([Subscription(Channel.TICKER, BTC)], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.acknowledge()
    for now in range(1, 11):
        other.tell({"method": "pong", "req_id": now}, float(now))
        assert public.is_dead(float(now)) is None
    dead = public.is_dead(10.5)
    assert dead is not None
    assert "heartbeat" in dead


def test_heartbeats_keep_a_quiet_subscription_alive(public: PublicFeed, wire: Any) -> None:
    public.subscribe([Subscription(Channel.TICKER, BTC)], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.acknowledge()
    for now in range(0, 100, 5):
        assert other.tell({"channel": "heartbeat"}, float(now)) == [Ignored(kind="heartbeat")]
        assert public.is_dead(now + 5.0) is None
    assert public.stats.ignored["heartbeat"] == 20


def test_without_subscriptions_pongs_are_all_that_comes(public: PublicFeed, wire: Any) -> None:
    """Heartbeats come only when something is subscribed."""
    public.opened(0.0)
    other = wire(public)
    for now in range(5, 60, 5):
        other.tell({"method": "pong", "req_id": now}, float(now))
        assert public.is_dead(now + 1.0) is None
    assert public.is_dead(70.0) is not None


def test_a_closed_connection_is_not_dead(public: PublicFeed) -> None:
    assert public.is_dead(1e9) is None
    public.opened(0.0)
    public.closed(1.0)
    assert public.is_dead(1e9) is None


def test_the_silence_that_is_borne_can_be_set(make_context: Callable[..., VenueContext]) -> None:
    feed = PublicFeed(make_context(config=KrakenSpotConfig(stale_after=3.0)))
    feed.opened(0.0)
    assert feed.is_dead(2.9) is None
    assert feed.is_dead(3.1) is not None
