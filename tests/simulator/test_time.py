"""What time does: orders begin and end, switches fire. Nobody sleeps here."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from exchange_core.connector.simulation import OrderChanged, Refusal, SimRefused, SimRequest
from exchange_core.model.order import OrderStatus, OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.terms import Offset
from exchange_core.simulator.clock import AcceleratedClock
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.serving.server import SimulatorServer
from exchange_core.testing.clock import ManualClock
from tests.simulator.conftest import SPEC, SPOT, Desk


def later(desk: Desk, seconds: float) -> datetime:
    moment: datetime = desk.clock.now() + timedelta(seconds=seconds)
    return moment


def test_a_good_till_date_order_ends_then(desk: Desk) -> None:
    order = desk.place("alice", "buy", "1", "99", time_in_force=TimeInForce.GTD, expires=later(desk, 10))
    desk.clock.advance(9)
    desk.exchange.step()
    assert order.status is OrderStatus.OPEN
    due = later(desk, 1)
    desk.clock.advance(60)
    desk.exchange.step()
    assert (order.status, order.updated) == (OrderStatus.EXPIRED, due)
    assert desk.balance("alice", "USD")[1] == 0
    assert desk.book() == ([], [])


def test_what_is_due_is_done_before_the_next_request(desk: Desk) -> None:
    """Nobody stepped, and yet nobody can trade with an order that has ended."""
    order = desk.place("alice", "buy", "1", "99", expires=later(desk, 10))
    desk.clock.advance(10)
    desk.place("bob", "sell", "1", "99")
    assert order.status is OrderStatus.EXPIRED
    assert not desk.exchange.fills("alice")


def test_a_scheduled_order_begins_when_it_is_time(desk: Desk) -> None:
    order = desk.place("alice", "buy", "1", "99", starts=later(desk, 30))
    assert (order.status, desk.book()) == (OrderStatus.PENDING, ([], []))
    assert desk.balance("alice", "USD")[1] > 99
    desk.clock.advance(30)
    desk.exchange.step()
    assert (order.status, desk.book()[0]) == (OrderStatus.OPEN, [("99.0", "1.000")])
    assert [str(e.event) for e in desk.events if isinstance(e, OrderChanged)] == ["accepted", "opened"]


def test_a_scheduled_order_that_may_not_enter_then_is_cancelled(desk: Desk) -> None:
    order = desk.place("alice", "buy", "1", "99", starts=later(desk, 30), post_only=True)
    desk.place("bob", "sell", "1", "98")
    desk.clock.advance(30)
    desk.exchange.step()
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "Post only order")


def test_a_scheduled_trailing_stop_follows_from_its_beginning(desk: Desk) -> None:
    for price in ("100", "120"):
        desk.place("bob", "sell", "0.1", price)
        desk.place("carol", "buy", "0.1", price)
        if price == "100":
            trail = Offset(Decimal(5))
            order = desk.place(
                "alice", "sell", "1", None, type=OrderType.TRAILING_STOP, trail=trail, starts=later(desk, 5)
            )
    desk.clock.advance(5)
    desk.exchange.step()
    assert order.trigger == Decimal(115)


@pytest.mark.parametrize(
    ("expires", "starts"),
    [pytest.param(0, None, id="ended already"), pytest.param(10, 20, id="ends before it begins")],
)
def test_wrong_times_are_refused(desk: Desk, expires: float, starts: float | None) -> None:
    begin = None if starts is None else later(desk, starts)
    with pytest.raises(SimRefused) as caught:
        desk.place("alice", "buy", "1", "99", expires=later(desk, expires), starts=begin)
    assert caught.value.refusal is Refusal.INVALID_TIME


def test_the_dead_mans_switch_cancels_everything_once(desk: Desk) -> None:
    orders = [
        desk.place("alice", "buy", "1", "99"),
        desk.place("alice", "sell", "1", None, type=OrderType.STOP, trigger_price=Decimal(90)),
        desk.place("alice", "buy", "1", "98", starts=later(desk, 500)),
    ]
    other = desk.place("bob", "buy", "1", "99")
    assert desk.exchange.cancel_all_after("alice", 60) == later(desk, 60)
    desk.clock.advance(30)
    assert desk.exchange.cancel_all_after("alice", 60) == later(desk, 60)
    desk.clock.advance(59)
    desk.exchange.step()
    assert all(not order.status.is_final for order in orders)
    desk.clock.advance(1)
    desk.exchange.step()
    assert [order.reason for order in orders] == ["CancelAllOrdersAfter Timeout"] * 3
    assert other.status is OrderStatus.OPEN
    late = desk.place("alice", "buy", "1", "99")
    desk.clock.advance(500)
    desk.exchange.step()
    assert late.status is OrderStatus.OPEN


def test_the_switch_can_be_taken_back(desk: Desk) -> None:
    order = desk.place("alice", "buy", "1", "99")
    desk.exchange.cancel_all_after("alice", 60)
    assert desk.exchange.cancel_all_after("alice", None) is None
    desk.clock.advance(100)
    desk.exchange.step()
    assert order.status is OrderStatus.OPEN


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_a_switch_for_no_time_is_refused(desk: Desk, seconds: float) -> None:
    with pytest.raises(SimRefused) as caught:
        desk.exchange.cancel_all_after("alice", seconds)
    assert caught.value.refusal is Refusal.INVALID_TIME


def test_a_step_with_nothing_due_changes_nothing(desk: Desk) -> None:
    desk.place("alice", "buy", "1", "99", expires=later(desk, 10))
    before = desk.state()
    desk.events.clear()
    desk.exchange.step()
    desk.exchange.step()
    assert desk.state() == before
    assert not desk.events


async def test_an_accelerated_clock_makes_an_hour_of_a_minute() -> None:
    slow = ManualClock()
    clock = AcceleratedClock(60, clock=slow)
    begun = clock.now()
    slow.forward(60)
    assert clock.now() - begun == timedelta(hours=1)
    assert clock.monotonic() == 3600
    assert clock.time_ns() - int(begun.timestamp()) * 10**9 == 3600 * 10**9
    with pytest.raises(ValueError, match="no factor above zero"):
        AcceleratedClock(0)


async def test_a_server_steps_its_exchange_while_time_passes() -> None:
    clock = ManualClock()
    exchange = SimulatedExchange(SPEC, seed=1, clock=clock)
    exchange.add_account("alice", {"USD": Decimal(1000)})
    request = SimRequest(
        symbol=SPOT,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal(1),
        price=Decimal(99),
        expires=clock.now() + timedelta(seconds=10),
    )
    async with SimulatorServer(SPEC.protocol(exchange), exchange):
        order = exchange.place("alice", request)
        await clock.until_asleep(2)
        await clock.advance(9.9)
        assert order.status is OrderStatus.OPEN
        await clock.advance(0.3)
        assert order.status is OrderStatus.EXPIRED
