"""Our orders as the private connection tells of them: what remains, why they come and go, and what triggers them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.naming import UNLISTED
from exchange_core.errors import NotSupported
from exchange_core.model.event import (
    Channel,
    Event,
    OpenOrdersSnapshot,
    OrderUpdate,
    Subscribed,
    Subscription,
    Unrecognised,
)
from exchange_core.model.order import OrderRequest, OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, TriggerBy
from kraken_futures.feed.connections import FuturesFeed

PF = Symbol.parse("BTC/USD:USD")
ORDERS = Subscription(Channel.ORDERS)

CHALLENGE = "c100b894-1729-464d-ace1-52dbce11db42"
SIGNED = "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="


def sent(feed: FuturesFeed) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in feed.outbox()]


def say(connection: FuturesFeed, now: float = 0.0, /, **frame: Any) -> list[Event]:
    return list(connection.receive(json.dumps(frame), now))


def ack(feed: FuturesFeed, name: str, **more: Any) -> list[Event]:
    echoed = {"api_key": "the-key", "original_challenge": CHALLENGE, "signed_challenge": SIGNED}
    return say(feed, event="subscribed", feed=name, **echoed, **more)


def signed_request(name: str, event: str = "subscribe", challenge: str = CHALLENGE) -> dict[str, Any]:
    request = {"event": event, "feed": name, "api_key": "the-key", "original_challenge": challenge}
    return request | ({"signed_challenge": SIGNED} if challenge == CHALLENGE else {})


@pytest.fixture
def feed(private: FuturesFeed) -> FuturesFeed:
    """Connected, challenged, and subscribed to orders."""
    private.subscribe([ORDERS], 0.0)
    private.opened(0.0)
    say(private, event="challenge", message=CHALLENGE)
    for name in ("open_orders_verbose", "heartbeat"):
        ack(private, name)
    private.outbox()
    return private


def order(**more: Any) -> dict[str, Any]:
    return {
        "instrument": "PF_XBTUSD",
        "time": 1767614400000,
        "last_update_time": 1767614401330,
        "qty": 0.2,
        "filled": 0.1,
        "limit_price": 73110.0,
        "stop_price": 0.0,
        "type": "limit",
        "order_id": "o-1",
        "cli_ord_id": "c-1",
        "direction": 1,
        "reduce_only": False,
        **more,
    }


def update(feed: FuturesFeed, feed_name: str = "open_orders_verbose", **frame: Any) -> OrderUpdate:
    (event,) = say(feed, feed=feed_name, **frame)
    assert isinstance(event, OrderUpdate)
    return event


def test_the_list_of_open_orders(feed: FuturesFeed) -> None:
    (snapshot,) = say(feed, feed="open_orders_verbose_snapshot", account="a", orders=[order(), order(filled=0.0)])
    assert isinstance(snapshot, OpenOrdersSnapshot)
    first, second = snapshot.orders
    assert first == OrderUpdate(
        venue_order_id="o-1",
        client_order_id="c-1",
        status=OrderStatus.PARTIALLY_FILLED,
        symbol=PF,
        side=Side.SELL,
        quantity=Decimal("0.3"),
        price=Decimal("73110.0"),
        filled=Decimal("0.1"),
        snapshot=True,
        sequence_time=datetime(2026, 1, 5, 12, 0, 1, 330000, tzinfo=UTC),
        request=OrderRequest(symbol=PF, side=Side.SELL, quantity="0.3", price="73110.0", client_order_id="c-1"),
    )
    assert second.status is OrderStatus.OPEN
    assert second.quantity == Decimal("0.2")


def test_an_empty_list_says_that_nothing_is_open(feed: FuturesFeed) -> None:
    assert say(feed, feed="open_orders_snapshot", account="a", orders=[]) == [OpenOrdersSnapshot(orders=())]


@pytest.mark.parametrize(
    ("reason", "is_cancel", "status"),
    [
        ("new_placed_order_by_user", False, OrderStatus.PARTIALLY_FILLED),
        ("partial_fill", False, OrderStatus.PARTIALLY_FILLED),
        ("edited_by_user", False, OrderStatus.PARTIALLY_FILLED),
        ("limit_order_from_stop", False, OrderStatus.PARTIALLY_FILLED),
        pytest.param("full_fill", True, OrderStatus.FILLED, id="is_cancel with full_fill is no cancel"),
        ("cancelled_by_user", True, OrderStatus.CANCELED),
        ("cancelled_by_admin", True, OrderStatus.CANCELED),
        ("dead_man_switch", True, OrderStatus.CANCELED),
        ("not_enough_margin", True, OrderStatus.CANCELED),
        ("market_inactive", True, OrderStatus.CANCELED),
        ("liquidation", True, OrderStatus.CANCELED),
        ("would_execute_self", True, OrderStatus.CANCELED),
        ("would_not_reduce_position", True, OrderStatus.CANCELED),
        ("contract_expired", True, OrderStatus.EXPIRED),
        pytest.param("stop_order_triggered", True, None, id="it may go on under the same id"),
        pytest.param("order_for_edit_not_found", True, None, id="its edit failed; how it ended is not said"),
        ("a_reason_of_tomorrow", True, OrderStatus.CANCELED),
    ],
)
def test_what_a_reason_means(feed: FuturesFeed, reason: str, is_cancel: bool, status: OrderStatus | None) -> None:
    found = update(feed, order=order(), is_cancel=is_cancel, reason=reason)
    assert found.status is status
    assert found.reason == reason
    assert found.filled == Decimal("0.1")
    assert not found.snapshot


@pytest.mark.parametrize(
    "reason",
    [
        "post_order_failed_because_it_would_filled",
        "post_order_failed_because_it_would_be_filled",
        "ioc_order_failed_because_it_would_not_be_executed",
    ],
)
def test_an_order_that_fails_is_rejected_unless_it_stood_or_was_executed_in_part(
    feed: FuturesFeed, reason: str
) -> None:
    """Such as a post-only order whose edit would have made it a taker: a standing order cannot be refused any more."""
    failed: dict[str, Any] = {"is_cancel": True, "reason": reason}
    assert update(feed, order=order(filled=0.0), **failed).status is OrderStatus.REJECTED
    assert update(feed, order=order(), **failed).status is OrderStatus.CANCELED
    say(feed, feed="open_orders_verbose_snapshot", account="a", orders=[order(filled=0.0)])
    update(feed, order=order(order_id="o-2", filled=0.0), is_cancel=False, reason="new_placed_order_by_user")
    assert update(feed, order=order(filled=0.0), **failed).status is OrderStatus.CANCELED
    assert update(feed, order_id="o-2", **failed).status is OrderStatus.CANCELED
    assert update(feed, order_id="o-3", **failed).status is OrderStatus.REJECTED


def test_an_order_that_ended_says_no_quantity(feed: FuturesFeed) -> None:
    """Its "remaining" may be anything; taken as a term of the order, it would look like an amendment."""
    found = update(feed, order=order(qty=0.0), is_cancel=True, reason="cancelled_by_user")
    assert found.status is OrderStatus.CANCELED
    assert found.quantity is None


def test_a_filled_order_without_a_reason(feed: FuturesFeed) -> None:
    assert update(feed, order=order(qty=0.0), is_cancel=True).status is OrderStatus.FILLED


def test_a_change_may_name_no_more_than_the_order(feed: FuturesFeed) -> None:
    found = update(feed, order_id="o-9", cli_ord_id="c-9", is_cancel=True, reason="cancelled_by_user")
    assert found == OrderUpdate(
        venue_order_id="o-9", client_order_id="c-9", status=OrderStatus.CANCELED, reason="cancelled_by_user"
    )
    assert update(feed, order_id="o-9", is_cancel=True, reason="full_fill").status is OrderStatus.FILLED
    assert update(feed, order_id="o-9", is_cancel=False, reason="partial_fill").status is None


TRIGGERS = [
    pytest.param("stop", 0.0, OrderType.STOP, None, id="a stop that becomes a market order"),
    pytest.param("stop", 73000.0, OrderType.STOP_LIMIT, Decimal("73000.0"), id="a stop with a limit"),
    pytest.param("take_profit", 73000.0, OrderType.TAKE_PROFIT_LIMIT, Decimal("73000.0"), id="a take-profit"),
]


@pytest.mark.parametrize(("kind", "limit", "expected", "price"), TRIGGERS)
@pytest.mark.parametrize(
    ("signal", "by"), [("mark", TriggerBy.MARK), ("last", TriggerBy.LAST), ("spot", TriggerBy.INDEX), (None, None)]
)
def test_a_triggered_order_is_shown_with_its_trigger(
    feed: FuturesFeed,
    kind: str,
    limit: float,
    expected: OrderType,
    price: Decimal | None,
    signal: str | None,
    by: TriggerBy | None,
) -> None:
    """``index`` is reported back as ``spot``."""
    row = order(type=kind, stop_price=72000.5, limit_price=limit, filled=0.0, reduce_only=True)
    if signal is not None:
        row["triggerSignal"] = signal
    found = update(feed, order=row, is_cancel=False, reason="new_placed_order_by_user")
    assert (found.price, found.trigger_price) == (price, Decimal("72000.5"))
    terms = found.request
    assert terms is not None
    assert (terms.type, terms.price, terms.trigger_price) == (expected, price, Decimal("72000.5"))
    assert (terms.trigger_by, terms.reduce_only, terms.quantity) == (by, True, Decimal("0.2"))


@pytest.mark.parametrize(
    ("options", "trail"),
    [
        ({"max_deviation": 1.5, "unit": "percent"}, "1.5%"),
        pytest.param([{"max_deviation": 150, "unit": "quote_currency"}], "150", id="a list, as documented"),
    ],
)
def test_a_trailing_stop_is_shown_with_its_distance(feed: FuturesFeed, options: Any, trail: str) -> None:
    row = order(type="trailing_stop", limit_price=None, stop_price=72000.5, trailing_stop_options=options)
    terms = update(feed, order=row, is_cancel=False).request
    assert terms is not None
    assert terms.type is OrderType.TRAILING_STOP
    assert terms.trail == Offset.of(trail)
    assert terms.trigger_price is None


@pytest.mark.parametrize(
    "row", [order(type="ioc"), order(type="of tomorrow"), order(type="stop"), order(qty=0.0, filled=0.0)]
)
def test_terms_that_cannot_be_told_are_not_made_up(feed: FuturesFeed, row: dict[str, Any]) -> None:
    assert update(feed, order=row, is_cancel=False).request is None


def test_a_trigger_that_comes_back_under_another_id_is_the_same_order(feed: FuturesFeed) -> None:
    update(feed, order=order(type="stop", stop_price=72000.0), is_cancel=True, reason="stop_order_triggered")
    found = update(feed, order=order(order_id="o-2"), is_cancel=False, reason="limit_order_from_stop")
    assert (found.venue_order_id, found.continues) == ("o-2", "o-1")
    again = update(feed, order=order(order_id="o-2", qty=0.1), is_cancel=False, reason="partial_fill")
    assert again.continues is None


def test_a_trigger_that_keeps_its_id_continues_nothing(feed: FuturesFeed) -> None:
    update(feed, order=order(type="stop", stop_price=72000.0), is_cancel=True, reason="stop_order_triggered")
    found = update(feed, order=order(), is_cancel=False, reason="limit_order_from_stop")
    assert (found.venue_order_id, found.continues, found.status) == ("o-1", None, OrderStatus.PARTIALLY_FILLED)


def test_after_a_trigger_the_list_of_orders_is_asked_for(feed: FuturesFeed) -> None:
    """Whether it goes on, and under which id, only the list tells."""
    update(feed, order_id="o-1", is_cancel=True, reason="stop_order_triggered")
    feed.tick(1.0)
    assert sent(feed) == [signed_request("open_orders_verbose", "unsubscribe"), signed_request("open_orders_verbose")]
    feed.tick(2.0)
    assert not feed.outbox()


def test_the_feed_without_failed_post_orders_can_be_chosen(private: FuturesFeed) -> None:
    plain = Subscription(Channel.ORDERS, variant="open_orders")
    private.subscribe([plain], 0.0)
    private.opened(0.0)
    private.outbox()
    say(private, event="challenge", message=CHALLENGE)
    assert sent(private) == [signed_request("open_orders")]
    assert ack(private, "open_orders") == [Subscribed(subscription=plain)]
    with pytest.raises(NotSupported, match="open_orders_verbose, open_orders"):
        private.subscribe([Subscription(Channel.ORDERS, variant="orders")], 0.0)


def test_both_order_feeds_are_read(feed: FuturesFeed) -> None:
    assert update(feed, "open_orders", order=order(), is_cancel=False, reason="partial_fill").symbol == PF


def test_an_order_of_an_unknown_product_is_shown_without_a_symbol(feed: FuturesFeed) -> None:
    shown, told = say(feed, feed="open_orders_verbose", order=order(instrument="PV_XRPXBT"), is_cancel=False)
    assert isinstance(shown, OrderUpdate)
    assert shown.symbol is None
    assert isinstance(told, Unrecognised)
    assert told.kind == UNLISTED
