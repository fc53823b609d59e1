"""Silence is no refusal: what the venue does not answer stays wanted, and is asked for ever more slowly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import (
    Channel,
    Ignored,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    SubscriptionUnanswered,
)
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.feed.connections import PrivateFeed, PublicFeed
from kraken_spot.feed.patience import Patience

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
TICKER = Subscription(Channel.TICKER, BTC)
OTHER = Subscription(Channel.TICKER, ETH)
ORDERS, FILLS, BALANCES = map(Subscription, (Channel.ORDERS, Channel.FILLS, Channel.BALANCES))


def pass_time(feed: PublicFeed | PrivateFeed, other: Any, start: int, end: int) -> tuple[list[int], list[Any]]:
    """Let seconds pass, with a heartbeat in each; return when something was subscribed, and the events."""
    asked, events = list[int](), list[Any]()
    for now in range(start, end):
        assert other.tell({"channel": "heartbeat"}, float(now)) == [Ignored(kind="heartbeat")]
        events += feed.tick(float(now))
        asked += [now for request in other.requests() if request["method"] == "subscribe"]
        if feed.is_dead(float(now)) is not None:
            break
    return asked, events


def answer(other: Any, number: int, now: float, **result: Any) -> list[Any]:
    told: list[Any] = other.tell({"method": "subscribe", "req_id": number, "result": result, "success": True}, now)
    return told


def test_where_nothing_else_works_three_silences_end_the_connection(public: PublicFeed, wire: Any) -> None:
    public.subscribe([TICKER], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.requests()
    asked, events = pass_time(public, other, 1, 60)
    assert asked == [10, 20]
    assert "no answer to 3 requests" in (public.is_dead(30.0) or "")
    assert [type(event) for event in events] == [SubscriptionUnanswered]
    public.closed(30.0)
    public.opened(31.0)
    assert list(public.subscriptions()) == [TICKER]
    (request,) = other.requests()
    assert public.is_dead(31.0) is None
    told = answer(other, request["req_id"], 32.0, channel="ticker", symbol="BTC/USD", event_trigger="bbo")
    assert told == [Subscribed(subscription=TICKER)]


def test_where_others_work_it_is_asked_for_beside_them_ever_more_slowly(
    make_context: Callable[..., VenueContext], wire: Any
) -> None:
    public = PublicFeed(make_context(config=KrakenSpotConfig(quiet_after=0)))
    public.subscribe([OTHER], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.acknowledge()
    public.subscribe([TICKER], 0.0)
    other.requests()
    asked, events = pass_time(public, other, 1, 300)
    assert asked == [10, 20, 30, 50, 80, 130, 200, 270]
    told = [event for event in events if isinstance(event, SubscriptionUnanswered)]
    assert [event.subscription for event in told] == [TICKER], "told once"
    assert public.is_dead(299.0) is None
    assert not public.is_active(TICKER)


def test_an_answer_that_takes_long_is_one(public: PublicFeed, wire: Any) -> None:
    public.subscribe([OTHER], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.acknowledge()
    public.subscribe([TICKER], 0.0)
    other.requests()
    pass_time(public, other, 1, 50)
    public.tick(50.0)
    (request,) = [each for each in other.requests() if each["method"] == "subscribe"]
    pass_time(public, other, 51, 75)
    told = answer(other, request["req_id"], 75.0, channel="ticker", symbol="BTC/USD", event_trigger="bbo")
    assert told == [Subscribed(subscription=TICKER)]


def test_the_accounts_own_orders_are_worth_a_new_connection(private: PrivateFeed, wire: Any) -> None:
    """Whatever else works on this one: balances come anew, and orders go over REST meanwhile anyhow."""
    private.subscribe([ORDERS, FILLS, BALANCES], 0.0)
    private.opened(0.0, "token")
    other = wire(private)
    _, balances = other.requests()
    assert answer(other, balances["req_id"], 0.0, channel="balances", snapshot=True) == [
        Subscribed(subscription=BALANCES)
    ]
    asked, events = pass_time(private, other, 1, 60)
    assert asked == [10, 20]
    assert "orders" in (private.is_dead(30.0) or "")
    assert {event.subscription for event in events} == {ORDERS, FILLS}
    assert all(isinstance(event, SubscriptionUnanswered) for event in events)
    assert list(private.subscriptions()) == [ORDERS, FILLS, BALANCES]


def test_an_hour_of_silence_refuses_nothing(private: PrivateFeed, wire: Any) -> None:
    private.subscribe([FILLS], 0.0)
    other, now, connections = wire(private), 0, 0
    while now < 3600:
        private.opened(float(now), f"token-{connections}")
        connections += 1
        other.requests()
        _, events = pass_time(private, other, now + 1, now + 60)
        assert not [event for event in events if isinstance(event, SubscriptionRefused)]
        private.closed(now + 30.0)
        now += 60
    private.opened(3600.0, "the-last")
    (request,) = other.requests()
    told = answer(other, request["req_id"], 3600.0, channel="executions", snap_orders=True, snap_trades=True)
    assert told == [Subscribed(subscription=FILLS)]


@pytest.mark.parametrize(
    "reason",
    [
        *("EService:Unavailable", "EService:Busy", "EService:Timeout", "EService:Throttled: 1767225600"),
        *("EService:Market in cancel_only mode", "Scheduled maintenance", "EGeneral:Internal error"),
        *("EAPI:Rate limit exceeded", "EGeneral:Too many requests", "Exceeded msg rate", "EDatabase:Internal error"),
    ],
)
def test_what_the_venue_cannot_do_just_then_is_asked_for_later(private: PrivateFeed, wire: Any, reason: str) -> None:
    private.subscribe([FILLS], 0.0)
    private.opened(0.0, "token")
    other, now, waits = wire(private), 0, list[int]()
    (request,) = other.requests()
    for _ in range(7):
        refusal = {"method": "subscribe", "req_id": request["req_id"], "success": False, "error": reason}
        events = other.tell({**refusal, "channel": "executions"}, float(now))
        assert not [event for event in events if isinstance(event, SubscriptionRefused)]
        began, requests = now, list[Any]()
        while not requests and now < began + 100:
            now += 1
            other.tell({"channel": "heartbeat"}, float(now))
            private.tick(float(now))
            requests = [each for each in other.requests() if each["method"] == "subscribe"]
        (request,) = requests
        waits.append(now - began)
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    assert private.is_dead(float(now)) is None, "it is heard, so that a new connection would be no cure"


@pytest.mark.parametrize(
    "reason", ["EGeneral:Permission denied", "EAccount:Invalid permissions", "EGeneral:Invalid arguments", "Whatever"]
)
def test_an_answer_that_finds_fault_with_the_request_is_a_no_at_once(
    private: PrivateFeed, wire: Any, reason: str
) -> None:
    private.subscribe([FILLS], 0.0)
    private.opened(0.0, "token")
    other = wire(private)
    (request,) = other.requests()
    refusal = {"method": "subscribe", "req_id": request["req_id"], "success": False, "error": reason}
    (event,) = other.tell(refusal)
    assert isinstance(event, SubscriptionRefused)
    assert (event.subscription, event.reason) == (FILLS, reason)
    assert list(private.subscriptions()) == []


def test_what_worked_in_between_begins_anew() -> None:
    patience = Patience()
    assert [patience.failed(ORDERS) for _ in range(4)] == [1, 2, 3, 4]
    patience.pause(ORDERS, 100.0, 1)
    assert (patience.more(ORDERS), patience.is_over(ORDERS, 115.9), patience.is_over(ORDERS, 116.0)) == (
        20,
        False,
        True,
    )
    patience.forget(ORDERS)
    assert (patience.more(ORDERS), patience.is_over(ORDERS, 100.0)) == (0.0, True)
    assert patience.failed(ORDERS) == 1
