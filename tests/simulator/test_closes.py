"""Orders of the other side that fills make."""

from decimal import Decimal

from exchange_core.connector.simulation import OrderChanged, SimClose
from exchange_core.model.order import OrderStatus, OrderType
from tests.simulator.conftest import Desk

TAKE = SimClose(type=OrderType.LIMIT, price=Decimal(105))


def test_each_fill_makes_an_order_of_its_own(desk: Desk) -> None:
    order = desk.place("alice", "buy", "2", "99", close=TAKE)
    assert desk.exchange.open_orders("alice") == [order]
    for quantity in ("0.5", "1.5"):
        desk.place("bob", "sell", quantity, "99")
    closing = desk.exchange.open_orders("alice")
    assert [(str(o.request.side), str(o.request.quantity), o.parent) for o in closing] == [
        ("sell", "0.500", order.id),
        ("sell", "1.500", order.id),
    ]
    assert desk.book()[1] == [("105.0", "2.000")]
    assert all(o.request.close is None for o in closing)


def test_it_comes_after_the_fill_that_made_it(desk: Desk) -> None:
    desk.place("bob", "sell", "1", "99")
    desk.events.clear()
    order = desk.place("alice", "buy", "1", "99", close=TAKE)
    mine = [
        (e.order.id == order.id, str(e.event))
        for e in desk.events
        if isinstance(e, OrderChanged) and e.order.account == "alice"
    ]
    assert mine == [
        (True, "accepted"),
        (True, "opened"),
        (True, "fill"),
        (True, "filled"),
        (False, "accepted"),
        (False, "opened"),
    ]


def test_a_stop_as_a_close_waits_and_may_be_set_off_by_what_comes(desk: Desk) -> None:
    close = SimClose(type=OrderType.STOP, trigger_price=Decimal(95))
    desk.place("bob", "sell", "1", "99")
    desk.place("alice", "buy", "1", "99", close=close)
    (stop,) = desk.exchange.open_orders("alice")
    desk.place("bob", "buy", "2", "95")
    desk.place("carol", "sell", "0.1", "95")
    assert stop.status is OrderStatus.FILLED


def test_one_that_would_be_refused_is_told_of_and_cancelled(desk: Desk) -> None:
    """The parent's fill was too small for an order of its own."""
    order = desk.place("alice", "buy", "0.011", "99", close=TAKE)
    desk.place("bob", "sell", "0.010", "99")
    desk.place("bob", "sell", "0.010", "99")
    assert len(desk.exchange.open_orders("alice")) == 1
    made = [o for o in desk.exchange.closed_orders("alice") if o.parent]
    assert [(o.status, o.reason, o.parent) for o in made] == [
        (OrderStatus.CANCELED, "Not accepted by the market", order.id)
    ]
    assert desk.exchange.order("alice", made[0].id) is made[0]
    desk.exchange.check_invariants()
