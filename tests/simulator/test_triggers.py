"""Orders that wait for a price: what sets them off, in which order, and what they keep back meanwhile."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.simulation import OrderChanged, Refusal, SimOrder, SimRefused
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.terms import Offset, TriggerBy
from tests.simulator.conftest import LINEAR, SPOT, Desk


def trade_at(desk: Desk, price: str, quantity: str = "0.1", symbol: object = SPOT) -> None:
    """Let bob and carol trade."""
    desk.place("bob", "sell", quantity, price, symbol=symbol)
    desk.place("carol", "buy", quantity, price, symbol=symbol)


def told(desk: Desk, order: SimOrder) -> list[str]:
    return [
        f"{e.event} {e.order.status}" for e in desk.events if isinstance(e, OrderChanged) and e.order.id == order.id
    ]


def waiting(desk: Desk, side: str, kind: OrderType, **more: Any) -> SimOrder:
    price = more.pop("price", None)
    order: SimOrder = desk.place("alice", side, more.pop("quantity", "1"), price, type=kind, **more)
    return order


def at(price: str) -> dict[str, Any]:
    return {"trigger_price": Decimal(price)}


@pytest.mark.parametrize(
    ("kind", "side", "far", "hit"),
    [
        pytest.param(OrderType.STOP, "sell", "98.1", "98.0", id="a stop to sell fires when the price falls to it"),
        pytest.param(OrderType.STOP, "buy", "101.9", "102.0", id="a stop to buy when it rises to it"),
        pytest.param(OrderType.TAKE_PROFIT, "sell", "101.9", "102.5", id="a profit is taken by selling higher"),
        pytest.param(OrderType.TAKE_PROFIT, "buy", "98.1", "97.0", id="or by buying lower"),
    ],
)
def test_a_trigger(desk: Desk, kind: OrderType, side: str, far: str, hit: str) -> None:
    trade_at(desk, "100")
    order = waiting(desk, side, kind, trigger_price=Decimal("98" if float(hit) < 100 else "102"))
    trade_at(desk, far)
    assert (order.status, order.triggered) == (OrderStatus.OPEN, None)
    desk.place("bob", "sell" if side == "buy" else "buy", "1", "150" if side == "buy" else "50")
    trade_at(desk, hit)
    assert order.status is OrderStatus.FILLED
    assert order.triggered == desk.clock.now()
    assert told(desk, order) == [
        "accepted pending",
        "opened open",
        "triggered open",
        "fill partially_filled",
        "filled filled",
    ]


def test_what_fires_keeps_its_id_and_a_limit_rests(desk: Desk) -> None:
    trade_at(desk, "100")
    order = waiting(desk, "sell", OrderType.STOP_LIMIT, price="99", **at("98"))
    trade_at(desk, "98")
    assert desk.exchange.open_orders("alice") == [order]
    assert desk.book()[1] == [("99.0", "1.000")]
    assert order.queued == desk.clock.now()


def test_a_limit_may_stand_at_a_distance_from_the_trigger(desk: Desk) -> None:
    trade_at(desk, "100")
    order = waiting(desk, "sell", OrderType.STOP_LIMIT, limit_offset=Offset(Decimal("0.5")), **at("98"))
    assert order.limit == Decimal("98.5")
    trade_at(desk, "97.9")
    assert desk.book()[1] == [("98.5", "1.000")]


def test_a_trigger_that_is_met_already_fires_at_once(desk: Desk) -> None:
    trade_at(desk, "100")
    desk.place("bob", "buy", "1", "99")
    assert waiting(desk, "sell", OrderType.STOP, **at("101")).status is OrderStatus.FILLED


def test_without_anything_to_meet_what_fires_is_cancelled(desk: Desk) -> None:
    trade_at(desk, "100")
    order = waiting(desk, "sell", OrderType.STOP, **at("98"))
    trade_at(desk, "98")
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "Immediate or cancel")


@pytest.mark.parametrize("by", [TriggerBy.MARK, TriggerBy.INDEX])
def test_the_mark_or_the_index_sets_off_those_that_look_at_it(desk: Desk, by: TriggerBy) -> None:
    trade_at(desk, "100")
    desk.place("bob", "buy", "2", "95")
    order = waiting(desk, "sell", OrderType.STOP, trigger_by=by, **at("98"))
    desk.exchange.set_index(SPOT, Decimal("98.00001"))
    desk.exchange.set_mark(SPOT, Decimal("98.00001"))
    trade_at(desk, "97")
    desk.exchange.step()
    assert order.status is OrderStatus.OPEN
    (desk.exchange.set_mark if by is TriggerBy.MARK else desk.exchange.set_index)(SPOT, Decimal(98))
    desk.exchange.step()
    assert order.status is OrderStatus.FILLED


def test_the_price_in_the_middle_of_a_sweep_counts(desk: Desk) -> None:
    """A buyer who pays 98 and then 101 sets off a stop at 98.5 on the way, wherever the price ends."""
    trade_at(desk, "100")
    desk.place("bob", "sell", "1", "98")
    desk.place("bob", "sell", "1", "101")
    order = waiting(desk, "sell", OrderType.STOP, **at("98.5"))
    desk.place("bob", "buy", "5", "90")
    desk.place("carol", "buy", "2", None)
    assert order.status is OrderStatus.FILLED


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back(desk: Desk) -> None:
    trade_at(desk, "100")
    order = waiting(desk, "sell", OrderType.TRAILING_STOP, trail=Offset(Decimal(3)))
    triggers = [order.trigger]
    for price in ("102", "101", "104", "101.1"):
        trade_at(desk, price)
        triggers.append(order.trigger)
    assert [str(trigger) for trigger in triggers] == ["97.0", "99.0", "99.0", "101.0", "101.0"]
    assert told(desk, order)[2:] == ["restated open", "restated open"]
    desk.place("bob", "buy", "1", "90")
    trade_at(desk, "101")
    assert order.status is OrderStatus.FILLED


def test_a_trailing_stop_to_buy_follows_in_percent_and_takes_its_limit_along(desk: Desk) -> None:
    trade_at(desk, "100")
    offset, trail = Offset(Decimal("0.2")), Offset(Decimal(1), True)
    order = waiting(desk, "buy", OrderType.TRAILING_STOP_LIMIT, trail=trail, limit_offset=offset)
    assert (order.trigger, order.limit) == (Decimal(101), Decimal("101.2"))
    trade_at(desk, "90")
    # 90.9, and never a tick nearer than that.
    assert (order.trigger, order.limit) == (Decimal("90.9"), Decimal("91.1"))
    trade_at(desk, "90.9")
    assert desk.book()[0] == [("91.1", "1.000")]


def test_stops_that_set_off_one_another_fire_one_by_one(desk: Desk) -> None:
    """A row of stops under a thin book: each one's trade sets off the next. It ends, and in the order of prices."""
    trade_at(desk, "100")
    for price in ("99", "98", "97", "96"):
        desk.place("bob", "buy", "1", price)
    stops = [waiting(desk, "sell", OrderType.STOP, **at(price)) for price in ("97.5", "99.5", "98.5", "96.5")]
    desk.events.clear()
    desk.place("carol", "sell", "0.1", None)
    fired = [e.order.id for e in desk.events if isinstance(e, OrderChanged) and e.event == "triggered"]
    assert fired == [stops[1].id, stops[2].id, stops[0].id, stops[3].id]


def test_of_several_that_one_price_sets_off_the_nearest_comes_first_then_the_oldest(desk: Desk) -> None:
    trade_at(desk, "100")
    stops = [waiting(desk, "sell", OrderType.STOP, quantity="0.5", **at(price)) for price in ("97", "98", "97", "98")]
    desk.place("bob", "buy", "10", "96")
    trade_at(desk, "96.5")
    fired = [e.order.id for e in desk.events if isinstance(e, OrderChanged) and e.event == "triggered"]
    assert fired == [stops[1].id, stops[3].id, stops[0].id, stops[2].id]


def test_a_waiting_order_on_spot_keeps_back_what_it_would_pay(desk: Desk) -> None:
    trade_at(desk, "100")
    sell = waiting(desk, "sell", OrderType.STOP, quantity="2", **at("98"))
    assert desk.balance("alice", "BTC")[1] == 2
    waiting(desk, "buy", OrderType.STOP, **at("110"))
    assert desk.balance("alice", "USD")[1] == Decimal("110.29")  # with 0.26 % fee
    desk.exchange.cancel("alice", sell.id)
    assert desk.balance("alice", "BTC")[1] == 0


def test_what_fires_into_prices_that_the_account_cannot_pay_is_cancelled(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(deposits={"BTC": "10", "USD": "111"})
    trade_at(desk, "100")
    order = waiting(desk, "buy", OrderType.STOP, **at("110"))
    desk.place("bob", "sell", "5", "120")
    desk.place("carol", "buy", "0.1", "110")
    desk.place("bob", "sell", "0.1", "110")
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "Insufficient funds")
    assert desk.balance("alice", "USD")[1] == 0


def test_a_waiting_order_on_derivatives_needs_margin_only_when_it_fires(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(deposits={"USD": "100"})
    trade_at(desk, "100", symbol=LINEAR)
    order = waiting(desk, "buy", OrderType.STOP_LIMIT, quantity="100", price="110", symbol=LINEAR, **at("105"))
    assert desk.balance("alice", "USD")[1] == 0
    trade_at(desk, "105", symbol=LINEAR)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "Insufficient funds")


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        pytest.param(OrderType.STOP, {}, id="a stop without a trigger"),
        pytest.param(OrderType.LIMIT, {"price": "99", **at("98")}, id="a limit order with one"),
        pytest.param(OrderType.TRAILING_STOP, at("98"), id="a trailing stop without a distance"),
        pytest.param(OrderType.TRAILING_STOP, {"trail": Offset(Decimal(0))}, id="a distance of nothing"),
        pytest.param(OrderType.TRAILING_STOP, {"trail": Offset(Decimal(100), True)}, id="a distance of everything"),
    ],
)
def test_a_wrong_trigger_is_refused(desk: Desk, kind: OrderType, more: dict[str, Any]) -> None:
    with pytest.raises(SimRefused) as caught:
        waiting(desk, "sell", kind, **more)
    assert caught.value.refusal is Refusal.INVALID_TRIGGER
