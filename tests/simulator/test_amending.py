"""Orders that are changed or replaced: what they keep, and what nothing changed means."""

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.simulation import OrderChanged, Refusal, SimAmendment, SimClose, SimOrder, SimRefused
from exchange_core.connector.simulation import SimRequest as Request
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.terms import Offset
from tests.simulator.conftest import LINEAR, SPOT, Desk


def amend(desk: Desk, order: SimOrder, **more: Any) -> SimOrder:
    amendment = SimAmendment(**{k: Decimal(v) if isinstance(v, str) else v for k, v in more.items()})
    amended: SimOrder = desk.exchange.amend(order.account, order.id, amendment)
    desk.exchange.check_invariants()
    return amended


def refused(desk: Desk, order: SimOrder, **more: Any) -> Refusal:
    before = desk.state()
    desk.events.clear()
    with pytest.raises(SimRefused) as caught:
        amend(desk, order, **more)
    assert desk.state() == before
    assert not desk.events
    return caught.value.refusal


def queue(desk: Desk) -> list[str]:
    return [order.account for order in desk.exchange.queue(SPOT)[0]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"quantity": "1.5"}, ["alice", "bob"], id="less of it keeps its place"),
        pytest.param({"quantity": "2", "price": "99"}, ["alice", "bob"], id="the same again keeps it too"),
        pytest.param({"quantity": "2.5"}, ["bob", "alice"], id="more of it loses it"),
        pytest.param({"price": "98.9"}, ["bob", "alice"], id="another price loses it"),
    ],
)
def test_the_place_in_the_queue(desk: Desk, change: dict[str, str], expected: list[str]) -> None:
    order = desk.place("alice", "buy", "2", "99", client_order_id="mine")
    desk.place("bob", "buy", "1", "99")
    desk.clock.advance(5)
    assert amend(desk, order, **change) is order
    assert queue(desk) == expected
    assert order.request.client_order_id == "mine"
    assert order.amended == desk.clock.now()
    assert [(str(before.quantity), str(before.price)) for before, _, _ in order.amends] == [("2", "99")]


def test_another_part_to_show_keeps_the_place(desk: Desk) -> None:
    order = desk.place("alice", "buy", "4", "99", display_quantity=Decimal(1))
    desk.place("bob", "buy", "1", "99")
    amend(desk, order, display_quantity="2")
    assert (queue(desk), desk.book()[0]) == (["alice", "bob"], [("99.0", "3.000")])


def test_a_better_price_may_trade_at_once(desk: Desk) -> None:
    order = desk.place("alice", "buy", "2", "99")
    desk.place("bob", "sell", "0.5", "100")
    desk.events.clear()
    amend(desk, order, price="100")
    events = [e.event for e in desk.events if isinstance(e, OrderChanged) and e.order.id == order.id]
    assert events == ["amended", "fill"]
    assert (str(order.filled), desk.book()[0]) == ("0.500", [("100.0", "1.500")])
    assert desk.exchange.fills("alice")[0].liquidity == "taker"


def test_the_money_kept_back_follows(desk: Desk) -> None:
    order = desk.place("alice", "sell", "2", "101")
    amend(desk, order, quantity="1.5")
    assert desk.balance("alice", "BTC")[1] == Decimal("1.5")
    amend(desk, order, quantity="9", price="102")
    assert desk.balance("alice", "BTC")[1] == 9
    assert refused(desk, order, quantity="10.5") is Refusal.INSUFFICIENT_FUNDS


def test_margin_follows(desk: Desk) -> None:
    order = desk.place("alice", "buy", "100", "100", symbol=LINEAR)
    assert desk.balance("alice", "USD")[1] == 205
    amend(desk, order, quantity="10")
    assert desk.balance("alice", "USD")[1] == Decimal("20.5")
    assert refused(desk, order, quantity="100000") is Refusal.INSUFFICIENT_FUNDS


def test_less_than_is_filled_ends_it(desk: Desk) -> None:
    order = desk.place("alice", "buy", "2", "99")
    desk.place("bob", "sell", "1.5", "99")
    amend(desk, order, quantity="1")
    assert (order.status, order.request.quantity, order.remaining) == (OrderStatus.CANCELED, Decimal("1.5"), 0)
    assert order.reason == "User requested"


def test_a_post_only_order_is_not_moved_to_where_it_would_take(desk: Desk) -> None:
    order = desk.place("alice", "buy", "2", "99")
    desk.place("bob", "buy", "2", "99")
    desk.place("bob", "sell", "1", "100")
    assert refused(desk, order, price="100", post_only=True) is Refusal.POST_ONLY_WOULD_TAKE
    assert queue(desk) == ["alice", "bob"]
    post = desk.place("carol", "buy", "1", "98", post_only=True)
    assert refused(desk, post, price="100") is Refusal.POST_ONLY_WOULD_TAKE


def test_its_own_rest_is_not_in_its_way(desk: Desk) -> None:
    order = desk.place("alice", "sell", "10", "101")
    amend(desk, order, price="100.5")
    assert desk.book()[1] == [("100.5", "10.000")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"price": "99.05"}, Refusal.TICK_SIZE, id="between two ticks"),
        pytest.param({"quantity": "0.001"}, Refusal.MINIMUM_QUANTITY, id="too little"),
        pytest.param({"trigger_price": "98"}, Refusal.INVALID_TRIGGER, id="a trigger for a limit order"),
        pytest.param({"display_quantity": "3"}, Refusal.INVALID_DISPLAY, id="showing more than there is"),
    ],
)
def test_wrong_terms_change_nothing(desk: Desk, change: dict[str, str], why: Refusal) -> None:
    assert refused(desk, desk.place("alice", "buy", "2", "99"), **change) is why


def test_a_deadline_that_passed_changes_nothing(desk: Desk) -> None:
    order, deadline = desk.place("alice", "buy", "2", "99"), desk.clock.now()
    desk.clock.advance(1)
    assert refused(desk, order, price="98", deadline=deadline) is Refusal.DEADLINE_ELAPSED


def test_a_trigger_can_be_moved_before_it_is_set_off_and_not_after(desk: Desk) -> None:
    desk.place("bob", "sell", "0.1", "100")
    desk.place("carol", "buy", "0.1", "100")
    order = desk.place("alice", "sell", "1", "95", type=OrderType.STOP_LIMIT, trigger_price=Decimal(98))
    amend(desk, order, trigger_price="97", quantity="2")
    assert (order.trigger, desk.balance("alice", "BTC")[1]) == (Decimal(97), 2)
    amend(desk, order, trigger_price="100.5")
    assert order.triggered is not None
    assert refused(desk, order, trigger_price="97") is Refusal.NOT_AMENDABLE
    amend(desk, order, price="101")
    assert desk.book()[1] == [("101.0", "2.000")]


def test_a_trailing_stop_keeps_following_from_where_it_was(desk: Desk) -> None:
    for price in ("100", "110", "105"):
        desk.place("bob", "sell", "0.1", price)
        desk.place("carol", "buy", "0.1", price)
        if price == "100":
            order = desk.place("alice", "sell", "1", None, type=OrderType.TRAILING_STOP, trail=Offset(Decimal(8)))
    amend(desk, order, quantity="0.5")
    assert order.trigger == Decimal(102)
    amend(desk, order, trail=Offset(Decimal(4)))
    assert order.trigger == Decimal(101)  # begins anew at 105


def test_an_order_with_a_close_cannot_be_changed(desk: Desk) -> None:
    close = SimClose(type=OrderType.LIMIT, price=Decimal(105))
    order = desk.place("alice", "buy", "1", "99", close=close)
    assert refused(desk, order, price="98") is Refusal.NOT_AMENDABLE


def test_replacing_cancels_and_places(desk: Desk) -> None:
    old = desk.place("alice", "sell", "10", "101", client_order_id="mine")
    new = desk.exchange.replace("alice", old.id, _request("10", "102", client_order_id="mine"))
    assert (old.status, old.reason) == (OrderStatus.CANCELED, "Order replaced")
    assert new.id != old.id
    assert desk.book()[1] == [("102.0", "10.000")]
    desk.exchange.check_invariants()


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(lambda: _request("10.5", "102"), id="for more than the account has"),
        pytest.param(lambda: _request("1", "102.05"), id="for a price between two ticks"),
        pytest.param(lambda: _request("0.5", "102"), id="for less than is executed"),
    ],
)
def test_a_replacement_that_is_refused_leaves_the_old_order(desk: Desk, request_: Any) -> None:
    old = desk.place("alice", "sell", "10", "101", client_order_id="mine")
    desk.place("bob", "buy", "0.6", "101")
    desk.place("bob", "sell", "1", "101")
    before = desk.state()
    with pytest.raises(SimRefused):
        desk.exchange.replace("alice", old.id, request_())
    assert desk.state() == before
    desk.exchange.check_invariants()
    with pytest.raises(SimRefused):
        desk.place("alice", "sell", "0.1", "103", client_order_id="mine")


def _request(quantity: str, price: str, **more: Any) -> Request:
    return Request(
        symbol=SPOT, side=Side.SELL, type=OrderType.LIMIT, quantity=Decimal(quantity), price=Decimal(price), **more
    )
