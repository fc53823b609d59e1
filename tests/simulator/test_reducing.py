"""Orders in the book that may only reduce a position, while that position gets smaller, ends or turns around."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.simulation import OrderChanged, Reducing
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.terms import TriggerBy
from tests.simulator.conftest import LINEAR, MARKETS, Desk

GONE = "Would not reduce the position"


@pytest.fixture
def opened(make_desk: Callable[..., Desk]) -> Callable[[Reducing], Desk]:
    """Return how to open an exchange where alice is long 10 of bob."""

    def open_desk(reducing: Reducing) -> Desk:
        desk = make_desk(markets=[attrs.evolve(market, reducing=reducing) for market in MARKETS])
        trade(desk, "buy", "10")
        return desk

    return open_desk


def trade(desk: Desk, side: str, quantity: str) -> None:
    """Let alice trade with bob at 100."""
    desk.place("bob", {"buy": "sell", "sell": "buy"}[side], quantity, "100", symbol=LINEAR)
    assert desk.place("alice", side, quantity, "100", symbol=LINEAR).status is OrderStatus.FILLED
    desk.exchange.check_invariants()


def reduce(desk: Desk, quantity: str, price: str, **more: Any) -> Any:
    return desk.place("alice", "sell", quantity, price, symbol=LINEAR, reduce_only=True, **more)


def told(desk: Desk, order: Any) -> list[str]:
    return [str(e.event) for e in desk.events if isinstance(e, OrderChanged) and e.order.id == order.id]


def test_it_is_cut_when_its_position_shrinks(opened: Callable[[Reducing], Desk]) -> None:
    """Both are no larger than the 4 that are left, and keep their places; nobody sees more in the book."""
    desk = opened(Reducing.CUT)
    near, far, small = reduce(desk, "9", "110"), reduce(desk, "10", "120"), reduce(desk, "3", "130")
    desk.events.clear()
    trade(desk, "sell", "6")
    assert [order.remaining for order in (near, far, small)] == [4, 4, 3]
    assert desk.book(LINEAR)[1] == [("110.0", "4.00"), ("120.0", "4.00"), ("130.0", "3.00")]
    assert (told(desk, near), told(desk, small)) == (["amended"], [])
    before, _, reason = near.amends[-1]
    assert (before.quantity, near.request.quantity, reason) == (9, 4, GONE)


def test_what_was_filled_of_it_stays(opened: Callable[[Reducing], Desk]) -> None:
    desk = opened(Reducing.CUT)
    order = reduce(desk, "8", "101")
    desk.place("bob", "buy", "2", "101", symbol=LINEAR)
    trade(desk, "sell", "5")
    assert (order.filled, order.remaining, order.request.quantity) == (2, 3, 5)
    desk.exchange.check_invariants()


def test_one_that_fills_cuts_the_others(opened: Callable[[Reducing], Desk]) -> None:
    desk = opened(Reducing.CUT)
    first, second = reduce(desk, "10", "101"), reduce(desk, "10", "102")
    desk.place("bob", "buy", "7", "101", symbol=LINEAR)
    assert (first.remaining, second.remaining) == (3, 3)
    desk.place("bob", "buy", "3", "101", symbol=LINEAR)
    assert first.status is OrderStatus.FILLED
    assert (second.status, second.reason) == (OrderStatus.CANCELED, GONE)
    desk.exchange.check_invariants()


@pytest.mark.parametrize("reducing", [*Reducing])
def test_it_ends_when_its_position_ends_or_turns_around(opened: Callable[[Reducing], Desk], reducing: Reducing) -> None:
    for quantity in ("10", "12"):
        desk = opened(reducing)
        order = reduce(desk, "5", "120")
        trade(desk, "sell", quantity)
        assert (order.status, order.reason) == (OrderStatus.CANCELED, GONE)
        assert desk.book(LINEAR) == ([], [])


def test_where_they_are_cancelled_the_least_aggressive_go_first(opened: Callable[[Reducing], Desk]) -> None:
    """Of 3 + 3 + 2 that may reduce 10 nothing goes; when 5 are left, the worst price does, then the newest."""
    desk = opened(Reducing.CANCEL)
    near, older, newer = reduce(desk, "3", "110"), reduce(desk, "3", "120"), reduce(desk, "2", "120")
    trade(desk, "sell", "3")
    assert [order.status for order in (near, older, newer)] == ["open", "open", "canceled"]
    trade(desk, "sell", "2")
    assert [order.status for order in (near, older)] == ["open", "canceled"]
    assert (older.reason, near.remaining) == (GONE, 3)


def test_where_they_are_kept_they_stand_as_they_were(opened: Callable[[Reducing], Desk]) -> None:
    desk = opened(Reducing.KEEP)
    order = reduce(desk, "9", "110")
    trade(desk, "sell", "6")
    assert order.remaining == 9
    taker = desk.place("carol", "buy", "9", "110", symbol=LINEAR)
    assert (order.filled, order.status, taker.filled) == (4, OrderStatus.CANCELED, 4)


def test_a_trigger_is_cut_when_it_is_set_off(opened: Callable[[Reducing], Desk]) -> None:
    """While it waits it stays as it is, however small the position."""
    desk = opened(Reducing.CUT)
    stop = reduce(desk, "10", "90", type=OrderType.STOP_LIMIT, trigger_price=Decimal(95), trigger_by=TriggerBy.MARK)
    trade(desk, "sell", "6")
    assert stop.remaining == 10
    desk.events.clear()
    desk.exchange.set_mark(LINEAR, Decimal(95))
    desk.exchange.step()
    desk.exchange.check_invariants()
    assert told(desk, stop) == ["triggered", "amended"]
    assert (stop.remaining, stop.status) == (4, OrderStatus.OPEN)
    assert desk.book(LINEAR)[1] == [("90.0", "4.00")]


@pytest.mark.parametrize("reducing", [*Reducing])
def test_a_trigger_without_a_position_ends_when_it_is_set_off(
    opened: Callable[[Reducing], Desk], reducing: Reducing
) -> None:
    desk = opened(reducing)
    stop = reduce(desk, "10", "90", type=OrderType.STOP_LIMIT, trigger_price=Decimal(95), trigger_by=TriggerBy.MARK)
    trade(desk, "sell", "10")
    assert stop.status is OrderStatus.OPEN
    desk.exchange.set_mark(LINEAR, Decimal(95))
    desk.exchange.step()
    assert (stop.status, stop.reason, stop.filled) == (OrderStatus.CANCELED, GONE, 0)


def test_one_that_comes_too_large_is_cut_as_it_rests(opened: Callable[[Reducing], Desk]) -> None:
    desk = opened(Reducing.CUT)
    order = reduce(desk, "25", "110")
    assert (order.remaining, order.request.quantity) == (10, 10)
    desk.exchange.check_invariants()
