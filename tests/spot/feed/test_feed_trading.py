"""Requests about orders over the private connection: frames out, answers in, in the venue's own examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.feed import RequestFeed
from exchange_core.connector.rest import RestCall, SocketCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    AuthenticationError,
    ConnectFailed,
    ExchangeError,
    InsufficientFunds,
    OrderNotFound,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
)
from exchange_core.model.event import Answered, Channel, Ignored, Subscription
from kraken_spot.feed.connections import PrivateFeed
from kraken_spot.feed.trading import METHODS
from kraken_spot.rest.calls import change
from kraken_spot.wire import trading as wire

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN = "a-token-of-this-test"
TIMES = {"time_in": "2023-09-21T14:15:07.197274Z", "time_out": "2023-09-21T14:15:07.205301Z"}


def call(method: str = "add_order", reply: Any = wire.Added, **params: Any) -> RestCall:
    return RestCall(
        method="POST",
        path="/0/private/AddOrder",
        reply=reply,
        private=True,
        changes_state=True,
        socket=SocketCall(feed="private", method=method, params=params),
    )


@pytest.fixture
def context(make_context: Callable[..., VenueContext]) -> VenueContext:
    return make_context(now=lambda: NOW)


@pytest.fixture
def feed(context: VenueContext) -> PrivateFeed:
    """Open, logged in, and following the account."""
    feed = PrivateFeed(context)
    feed.subscribe([Subscription(Channel.ORDERS)], 0.0)
    feed.opened(0.0, TOKEN)
    (request,) = [json.loads(frame) for frame in feed.outbox()]
    result = {"channel": "executions", "maxratecount": 125, "snap_orders": True, "snap_trades": True}
    feed.receive(
        json.dumps({"method": "subscribe", "req_id": request["req_id"], "success": True, "result": result, **TIMES}),
        0.0,
    )
    return feed


def answer(feed: PrivateFeed, **message: Any) -> Answered:
    (event,) = feed.receive(json.dumps({**TIMES, **message}), 1.0)
    assert isinstance(event, Answered)
    return event


def refused(feed: PrivateFeed, error: str, asked: RestCall | None = None) -> ExchangeError:
    asked = asked or call()
    question = feed.ask(asked, 1.0)
    assert asked.socket is not None
    told = answer(feed, method=asked.socket.method, req_id=question.request_id, success=False, error=error)
    assert told.error is not None
    assert told.request_id == question.request_id
    return told.error


def test_it_carries_requests(feed: PrivateFeed) -> None:
    assert isinstance(feed, RequestFeed)
    assert feed.can_ask()


def test_a_request_has_the_token_and_a_number_of_its_own(feed: PrivateFeed) -> None:
    first, second = (feed.ask(call(order_type="limit", cl_ord_id=name), 1.0) for name in ("one", "two"))
    assert json.loads(first.frame) == {
        "method": "add_order",
        "params": {"order_type": "limit", "cl_ord_id": "one", "token": TOKEN},
        "req_id": first.request_id,
    }
    assert first.request_id != second.request_id
    assert TOKEN not in repr(first)
    assert feed.outbox() == []


@pytest.mark.parametrize(
    ("method", "body", "value"),
    [
        (
            "add_order",
            {"result": {"order_id": "AA5JGQ-SBMRC-SCJ7J7", "order_userref": 100054}},
            wire.Added(txid=["AA5JGQ-SBMRC-SCJ7J7"]),
        ),
        (
            "amend_order",
            {"result": {"amend_id": "TTW6PD-RC36L-ZZSWNU", "cl_ord_id": "2c6be801-1f53-4f79-a0bb-4ea1c95dfae9"}},
            wire.Amended(amend_id="TTW6PD-RC36L-ZZSWNU"),
        ),
        (
            "edit_order",
            {"result": {"order_id": "ORDERX-IDXXX-XXXXX2", "original_order_id": "ORDERX-IDXXX-XXXXX1"}},
            wire.Edited(txid="ORDERX-IDXXX-XXXXX2", originaltxid="ORDERX-IDXXX-XXXXX1"),
        ),
        ("cancel_order", {"result": {"order_id": "OLUMT4-UTEGU-ZYM7E9"}}, wire.Canceled(count=1)),
        ("cancel_all", {"result": {"count": 3}}, wire.Canceled(count=3)),
        (
            "cancel_all_orders_after",
            {"result": {"currentTime": "2023-09-21T15:49:29Z", "triggerTime": "2023-09-21T15:51:09Z"}},
            wire.CancelAllAfter(current_time="2023-09-21T15:49:29Z", trigger_time="2023-09-21T15:51:09Z"),
        ),
        (
            "batch_add",
            {
                "result": [
                    {"order_id": "ORDERX-IDXXX-XXXXX1", "order_userref": 1},
                    {"order_id": "ORDERX-IDXXX-XXXXX2", "order_userref": 2},
                ]
            },
            wire.Batch(orders=[wire.BatchItem(txid="ORDERX-IDXXX-XXXXX1"), wire.BatchItem(txid="ORDERX-IDXXX-XXXXX2")]),
        ),
        ("batch_cancel", {"result": {"count": 2}}, wire.Canceled(count=2)),
        ("batch_cancel", {"orders_cancelled": 2}, wire.Canceled(count=2)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_venues_own_answers(feed: PrivateFeed, method: str, body: dict[str, Any], value: Any) -> None:
    question = feed.ask(call(method), 1.0)
    told = answer(feed, method=method, req_id=question.request_id, success=True, **body)
    assert (told.request_id, told.value, told.error) == (question.request_id, value, None)


ONE, OTHER = "2c6be801-1f53-4f79-a0bb-4ea1c95dfae9", "6d1b345e-2821-40e2-ad83-4ecb18a06876"


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("add_order", {"cl_ord_id": ONE}, {"order_id": "O", "cl_ord_id": OTHER}),
        ("amend_order", {"cl_ord_id": ONE}, {"amend_id": "T", "cl_ord_id": OTHER}),
        ("amend_order", {"order_id": "OA"}, {"amend_id": "T", "order_id": "OB"}),
        ("edit_order", {"order_id": "OA"}, {"order_id": "OC", "original_order_id": "OB"}),
        ("cancel_order", {"order_id": ["OA"]}, {"order_id": "OB"}),
        ("cancel_order", {"cl_ord_id": [ONE]}, {"cl_ord_id": OTHER}),
        (
            "batch_add",
            {"orders": [{"cl_ord_id": ONE}, {"cl_ord_id": OTHER}]},
            [{"order_id": "OA", "cl_ord_id": OTHER}, {"order_id": "OB", "cl_ord_id": ONE}],
        ),
    ],
)
def test_an_answer_that_names_another_order_says_nothing_of_this_one(
    feed: PrivateFeed, method: str, params: dict[str, Any], result: Any
) -> None:
    question = feed.ask(call(method, **params), 1.0)
    told = answer(feed, method=method, req_id=question.request_id, success=True, result=result)
    assert isinstance(told.error, ProtocolError)


def test_a_refusal_of_another_method_refuses_nothing(feed: PrivateFeed) -> None:
    """The number of a cancel that was refused, damaged on its way, must not make an order one that never was."""
    question = feed.ask(call(cl_ord_id=ONE), 1.0)
    told = answer(feed, method="cancel_order", req_id=question.request_id, success=False, error="EOrder:Unknown order")
    assert isinstance(told.error, ProtocolError)


def test_an_answer_may_spell_the_client_id_in_another_way(feed: PrivateFeed) -> None:
    question = feed.ask(call(cl_ord_id=ONE), 1.0)
    result = {"order_id": "O", "cl_ord_id": ONE.replace("-", "").upper()}
    told = answer(feed, method="add_order", req_id=question.request_id, success=True, result=result)
    assert told.value == wire.Added(txid=["O"])


def test_every_method_has_an_answer_above() -> None:
    (mark,) = test_the_venues_own_answers.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} == METHODS


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("EOrder:Insufficient funds", InsufficientFunds),
        ("EOrder:Unknown order", OrderNotFound),
        ("EOrder:Rate limit exceeded", RateLimited),
        ("EGeneral:Permission denied", AuthenticationError),
        ("EService:Unavailable", OutcomeUnknown),
        ("EGeneral:Internal error", OutcomeUnknown),
    ],
)
def test_a_refusal_means_what_it_means_over_rest(feed: PrivateFeed, error: str, kind: type[ExchangeError]) -> None:
    raised = refused(feed, error)
    assert type(raised) is kind
    assert error in str(raised)
    assert feed.can_ask()


def test_a_session_that_is_lost_takes_no_more_and_is_left(feed: PrivateFeed) -> None:
    """What was asked was not looked at, so that it may go another way."""
    assert type(refused(feed, "ESession:Invalid session")) is ConnectFailed
    assert not feed.can_ask()
    assert "token" in (feed.is_dead(1.0) or "")
    feed.closed(2.0)
    feed.opened(3.0, "another")
    assert feed.is_dead(3.0) is None


def test_an_answer_comes_once_and_only_to_who_asked(feed: PrivateFeed) -> None:
    question = feed.ask(call(), 1.0)
    body = {"method": "add_order", "req_id": question.request_id, "success": True, "result": {"order_id": "O"}}
    answer(feed, **body)
    for stray in (body, body | {"req_id": 9999}, {**body, "req_id": None}):
        assert feed.receive(json.dumps(stray), 1.0) == [Ignored(kind="add_order of nobody")]


def test_another_connection_does_not_answer_for_the_last(feed: PrivateFeed) -> None:
    question = feed.ask(call(), 1.0)
    feed.closed(2.0)
    assert not feed.can_ask()
    feed.opened(3.0, TOKEN)
    body = {"method": "add_order", "req_id": question.request_id, "success": True, "result": {"order_id": "O"}}
    assert feed.receive(json.dumps(body), 3.0) == [Ignored(kind="add_order of nobody")]


def test_nothing_can_be_asked_before_the_account_is_followed(context: VenueContext) -> None:
    feed = PrivateFeed(context)
    feed.subscribe([Subscription(Channel.ORDERS)], 0.0)
    assert not feed.can_ask()
    feed.opened(0.0, TOKEN)
    assert not feed.can_ask()


@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "result": {}},
        {"success": True, "result": None},
        {"success": True, "result": {"order_id": 5}},
        {"success": "yes"},
        {"success": True, "result": {"order_id": "O"}, "method": "edit_order"},
    ],
)
def test_an_answer_that_does_not_read_is_no_success(feed: PrivateFeed, body: dict[str, Any]) -> None:
    question = feed.ask(call(), 1.0)
    told = answer(feed, **{"method": "add_order", "req_id": question.request_id, **body})
    if told.error is None:
        assert told.value == wire.Added(txid=[])  # which no order is made of
    else:
        assert isinstance(told.error, ProtocolError)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(method=st.sampled_from(sorted(METHODS)), success=JSON, result=JSON, error=JSON, number=st.integers(0, 3) | JSON)
def test_no_answer_breaks_the_feed(
    make_context: Callable[..., VenueContext], method: str, success: Any, result: Any, error: Any, number: Any
) -> None:
    feed = PrivateFeed(make_context())
    feed.opened(0.0, TOKEN)
    feed.ask(call(method, change("X", None).reply), 0.0)
    message = {"method": method, "success": success, "result": result, "error": error, "req_id": number}
    try:
        feed.receive(json.dumps(message), 1.0)
    except ProtocolError:
        return
