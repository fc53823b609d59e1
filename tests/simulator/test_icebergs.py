"""Icebergs: the book shows a part of them, and the next part stands behind the others."""

from decimal import Decimal

import pytest

from exchange_core.connector.simulation import OrderChanged, Refusal, SimRefused
from exchange_core.model.order import TimeInForce
from tests.simulator.conftest import SPOT, Desk


def owners(desk: Desk) -> list[str]:
    return [order.account for order in desk.exchange.queue(SPOT)[1]]


def test_the_book_shows_a_part(desk: Desk) -> None:
    order = desk.place("alice", "sell", "5", "100", display_quantity=Decimal(1))
    assert desk.book()[1] == [("100.0", "1.000")]
    assert (order.shown, order.remaining) == (1, 5)
    assert desk.balance("alice", "BTC")[1] == 5


def test_the_next_part_goes_behind_the_others(desk: Desk) -> None:
    iceberg = desk.place("alice", "sell", "5", "100", display_quantity=Decimal(2))
    desk.place("bob", "sell", "1", "100")
    first = iceberg.place
    desk.place("carol", "buy", "1.5", "100")
    assert (owners(desk), str(iceberg.shown)) == (["alice", "bob"], "0.500")
    desk.events.clear()
    desk.place("carol", "buy", "0.5", "100")
    assert (owners(desk), str(iceberg.shown)) == (["bob", "alice"], "2.000")
    assert iceberg.place > first
    assert [e.event for e in desk.events if isinstance(e, OrderChanged) and e.order.id == iceberg.id] == [
        "fill",
        "restated",
    ]
    assert desk.book()[1] == [("100.0", "3.000")]


def test_one_order_eats_part_after_part_with_a_fill_for_each(desk: Desk) -> None:
    iceberg = desk.place("alice", "sell", "5", "100", display_quantity=Decimal(2))
    other = desk.place("bob", "sell", "1", "100")
    taker = desk.place("carol", "buy", "5.5", "100")
    fills = [(fill.order_id, str(fill.quantity)) for fill in desk.exchange.fills("carol")]
    assert [quantity for _, quantity in fills] == ["2.000", "1.000", "2.000", "0.500"]
    assert taker.filled == Decimal("5.5")
    assert (str(iceberg.filled), str(other.filled)) == ("4.500", "1.000")
    assert [str(fill.order_remaining) for fill in desk.exchange.fills("alice")] == ["3.000", "1.000", "0.500"]
    assert desk.book()[1] == [("100.0", "0.500")]


def test_two_icebergs_take_turns(desk: Desk) -> None:
    desk.place("alice", "sell", "3", "100", display_quantity=Decimal(1))
    desk.place("bob", "sell", "3", "100", display_quantity=Decimal(1))
    desk.place("carol", "buy", "5", "100")
    trades = [str(trade.quantity) for trade in desk.exchange.trades(SPOT)]
    assert trades == ["1.000"] * 5
    assert [len(desk.exchange.fills(name)) for name in ("alice", "bob")] == [3, 2]
    assert owners(desk) == ["bob"]


@pytest.mark.parametrize(
    ("shown", "more"),
    [
        pytest.param("0.3", {}, id="less than a fifteenth"),
        pytest.param("6", {}, id="more than all"),
        pytest.param("1.0005", {}, id="no whole lots"),
        pytest.param("1", {"time_in_force": TimeInForce.IOC}, id="of what does not stand in the book"),
    ],
)
def test_a_wrong_part_is_refused(desk: Desk, shown: str, more: dict[str, TimeInForce]) -> None:
    with pytest.raises(SimRefused) as caught:
        desk.place("alice", "sell", "5", "100", display_quantity=Decimal(shown), **more)
    assert caught.value.refusal is Refusal.INVALID_DISPLAY
