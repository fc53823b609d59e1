from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.simulation import (
    BalanceChanged,
    BookChanged,
    OrderChanged,
    OrderEvent,
    Refusal,
    SimRefused,
    Traded,
)
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus, TimeInForce
from exchange_core.model.symbol import Symbol
from tests.simulator.conftest import Desk


def told(desk: Desk) -> list[str]:
    """Return what happened, as short words, and forget it."""
    words = []
    for event in desk.events:
        match event:
            case OrderChanged():
                words.append(f"{event.order.account} {event.event} {event.order.status}")
            case BalanceChanged():
                words.append(f"{event.entry.account} {event.entry.asset} {event.entry.amount}")
            case BookChanged():
                words.append(f"{event.side} {event.price} {event.quantity}")
            case Traded():
                words.append(f"traded {event.trade.side} {event.trade.quantity} at {event.trade.price}")
            case _:
                words.append(type(event).__name__)
    desk.events.clear()
    return words


def refused(desk: Desk, *args: Any, **more: Any) -> Refusal:
    """Place an order that must be refused; return why. Nothing may have changed, nothing may have been told."""
    before = desk.state()
    desk.events.clear()
    with pytest.raises(SimRefused) as caught:
        desk.place(*args, **more)
    assert desk.state() == before
    assert not desk.events
    desk.exchange.check_invariants()
    return caught.value.refusal


def test_a_limit_order_that_meets_nothing_rests(desk: Desk) -> None:
    told(desk)
    order = desk.place("alice", "buy", "2", "99.5", client_order_id="mine", user_ref=7)
    assert order.status is OrderStatus.OPEN
    assert desk.exchange.open_orders("alice") == [order]
    assert desk.exchange.order("alice", order.id) is order
    assert told(desk) == ["alice accepted pending", "alice opened open", "buy 99.5 2.000"]


def test_events_come_in_the_order_in_which_things_happen_and_the_book_comes_last(desk: Desk) -> None:
    desk.place("alice", "sell", "1", "100.0")
    desk.place("bob", "sell", "2", "100.1")
    told(desk)
    desk.place("carol", "buy", "1.5", "100.1")
    assert told(desk) == [
        "carol accepted pending",
        "carol opened open",
        "carol fill partially_filled",
        "carol BTC 1.00000",
        "carol USD -100.00",
        "alice fill partially_filled",
        "alice BTC -1.00000",
        "alice USD 100.00",
        "alice filled filled",
        "traded buy 1.000 at 100.0",
        "carol fill partially_filled",
        "carol BTC 0.50000",
        "carol USD -50.05",
        "carol filled filled",
        "bob fill partially_filled",
        "bob BTC -0.50000",
        "bob USD 50.05",
        "traded buy 0.500 at 100.1",
        "sell 100.0 0.000",
        "sell 100.1 1.500",
    ]


def test_events_carry_copies_of_their_moment(desk: Desk) -> None:
    order = desk.place("alice", "sell", "1", "100")
    desk.place("bob", "buy", "1", "100")
    moments = [e.order for e in desk.events if isinstance(e, OrderChanged) and e.order.id == order.id]
    assert [str(moment.filled) for moment in moments] == ["0", "0", "1.000", "1.000"]
    assert [len(moment.fill_ids) for moment in moments] == [0, 0, 1, 1]
    assert all(moment is not order for moment in moments)


def test_a_copy_lacks_nothing(desk: Desk) -> None:
    """It is written out by hand, field by field; the last event of an order must equal the order."""
    order = desk.place("alice", "sell", "1", "100", client_order_id="c")
    desk.place("bob", "buy", "0.5", "100")
    desk.clock.advance(1)
    desk.exchange.cancel("alice", order.id, "because")
    (last,) = [e.order for e in desk.events if isinstance(e, OrderChanged) and e.event is OrderEvent.CANCELED]
    assert last == order
    assert last.fill_ids is not order.fill_ids


def test_every_listener_hears_everything_until_it_stops(desk: Desk) -> None:
    heard: list[object] = []
    stop = desk.exchange.listen(heard.append)
    desk.place("alice", "buy", "1", "99")
    assert len(heard) == 3
    stop()
    stop()
    desk.place("alice", "buy", "1", "99")
    assert len(heard) == 3


def test_both_sides_of_a_trade_have_a_fill(desk: Desk) -> None:
    sell = desk.place("alice", "sell", "2", "100", client_order_id="a1")
    buy = desk.place("bob", "buy", "0.5", "101")
    (maker,), (taker,) = desk.exchange.fills("alice"), desk.exchange.fills("bob")
    assert (maker.liquidity, taker.liquidity) == (Liquidity.MAKER, Liquidity.TAKER)
    assert (maker.order_id, taker.order_id) == (sell.id, buy.id)
    assert maker.price == taker.price == 100, "the price of the one who stood there"
    assert maker.trade_id == taker.trade_id == 1
    assert maker.id != taker.id
    assert (maker.client_order_id, taker.client_order_id) == ("a1", None)
    assert (str(maker.order_remaining), str(taker.order_remaining)) == ("1.500", "0.000")
    assert desk.exchange.fill(maker.id) is maker
    assert sell.status is OrderStatus.PARTIALLY_FILLED
    assert buy.status is OrderStatus.FILLED
    assert desk.exchange.closed_orders("bob") == [buy]


def test_closed_orders_come_newest_first_and_fills_oldest_first(desk: Desk) -> None:
    for _ in range(2):
        desk.place("alice", "sell", "1", "100")
        desk.place("bob", "buy", "1", "100")
        desk.clock.advance(1)
    first, second = desk.exchange.fills("bob")
    assert first.time < second.time
    assert [order.fill_ids[0] for order in desk.exchange.closed_orders("bob")] == [second.id, first.id]


def test_a_cancel_takes_the_rest_out_and_keeps_the_fills(desk: Desk) -> None:
    order = desk.place("alice", "sell", "2", "100")
    desk.place("bob", "buy", "0.5", "100")
    told(desk)
    cancelled = desk.exchange.cancel("alice", order.id, "because")
    assert cancelled.status is OrderStatus.CANCELED
    assert cancelled.reason == "because"
    assert str(cancelled.filled) == "0.500"
    assert told(desk) == ["alice canceled canceled", "sell 100.0 0.000"]
    assert desk.balance("alice", "BTC")[1] == 0
    desk.exchange.check_invariants()


@pytest.mark.parametrize("whose", ["bob", "alice"])
def test_only_an_open_order_of_ones_own_can_be_cancelled(desk: Desk, whose: str) -> None:
    order = desk.place("alice", "sell", "2", "100")
    if whose == "alice":
        desk.exchange.cancel("alice", order.id)
    before = desk.state()
    with pytest.raises(SimRefused) as caught:
        desk.exchange.cancel(whose, order.id)
    assert caught.value.refusal is Refusal.UNKNOWN_ORDER
    assert desk.state() == before


def test_nobody_sees_the_orders_of_another(desk: Desk) -> None:
    order = desk.place("alice", "sell", "2", "100")
    assert desk.exchange.order("bob", order.id) is None
    assert not desk.exchange.open_orders("bob")


@pytest.mark.parametrize(
    ("side", "quantity", "price", "more", "refusal"),
    [
        pytest.param("buy", "1", "99", {"symbol": "ETH/USD"}, Refusal.UNKNOWN_MARKET, id="market"),
        pytest.param("buy", "0", "99", {}, Refusal.INVALID_QUANTITY, id="nothing"),
        pytest.param("buy", "-1", "99", {}, Refusal.INVALID_QUANTITY, id="less than nothing"),
        pytest.param("buy", "NaN", "99", {}, Refusal.INVALID_QUANTITY, id="not a number"),
        pytest.param("buy", "Infinity", "99", {}, Refusal.INVALID_QUANTITY, id="infinite"),
        pytest.param("buy", "1.0005", "99", {}, Refusal.INVALID_QUANTITY, id="not a lot"),
        pytest.param("buy", "1e999999", "99", {}, Refusal.INVALID_QUANTITY, id="an exponent like a bomb"),
        pytest.param("buy", "1e-999999", "99", {}, Refusal.INVALID_QUANTITY, id="a tiny exponent"),
        pytest.param("buy", "0.001", "99", {}, Refusal.MINIMUM_QUANTITY, id="too small"),
        pytest.param("buy", "0.002", "99", {}, Refusal.MINIMUM_COST, id="too cheap"),
        pytest.param("buy", "1", "0", {}, Refusal.INVALID_PRICE, id="price zero"),
        pytest.param("buy", "1", "-1", {}, Refusal.INVALID_PRICE, id="price below zero"),
        pytest.param("buy", "1", "NaN", {}, Refusal.INVALID_PRICE, id="price not a number"),
        pytest.param("buy", "1", "99.05", {}, Refusal.TICK_SIZE, id="not a tick"),
        pytest.param("buy", "1", "1e999999", {}, Refusal.TICK_SIZE, id="price like a bomb"),
        pytest.param("buy", "1", "100", {"post_only": True}, Refusal.POST_ONLY_WOULD_TAKE, id="post-only at the ask"),
        pytest.param("buy", "1", None, {"post_only": True}, Refusal.POST_ONLY_WOULD_TAKE, id="post-only market"),
        pytest.param("buy", "1", "99", {"time_in_force": TimeInForce.IOC}, Refusal.IOC_WOULD_NOT_EXECUTE, id="ioc"),
        pytest.param("buy", "5", "100", {"time_in_force": TimeInForce.FOK}, Refusal.IOC_WOULD_NOT_EXECUTE, id="fok"),
        pytest.param("buy", "1", "99", {"reduce_only": True}, Refusal.WOULD_NOT_REDUCE, id="reduce-only spot"),
        pytest.param("buy", "101", "99", {}, Refusal.INSUFFICIENT_FUNDS, id="not enough quote"),
        pytest.param("sell", "10.001", "99", {}, Refusal.INSUFFICIENT_FUNDS, id="not enough base"),
        pytest.param("buy", "1", "99", {"client_order_id": "used"}, Refusal.DUPLICATE_CLIENT_ID, id="client id"),
    ],
)
def test_what_is_refused_changes_nothing(
    desk: Desk, side: str, quantity: str, price: str | None, more: dict[str, Any], refusal: Refusal
) -> None:
    """Bob offers 2 at 100; alice, who has one open order with the client id "used", is refused."""
    desk.place("bob", "sell", "2", "100")
    desk.place("alice", "buy", "1", "50", client_order_id="used")
    assert refused(desk, "alice", side, quantity, price, **more) is refusal


def test_a_market_order_into_an_empty_side_is_refused(desk: Desk) -> None:
    desk.place("bob", "sell", "2", "100")
    assert refused(desk, "alice", "sell", "1", None) is Refusal.IOC_WOULD_NOT_EXECUTE


def test_an_order_that_would_first_meet_an_own_one_is_refused(desk: Desk) -> None:
    desk.place("alice", "sell", "1", "100")
    desk.place("bob", "sell", "1", "100")
    assert refused(desk, "alice", "buy", "1", "100") is Refusal.SELF_TRADE


def test_an_own_order_further_on_cancels_the_rest_of_the_newer_one(desk: Desk) -> None:
    own = desk.place("alice", "sell", "1", "100.1")
    desk.place("bob", "sell", "1", "100")
    newer = desk.place("alice", "buy", "3", "101")
    assert newer.status is OrderStatus.CANCELED
    assert str(newer.filled) == "1.000"
    assert own.status is OrderStatus.OPEN
    desk.exchange.check_invariants()


def test_a_deadline_counts_when_it_has_passed(desk: Desk) -> None:
    deadline = desk.clock.now() + timedelta(seconds=5)
    desk.clock.advance(5)
    desk.place("alice", "buy", "1", "99", deadline=deadline)
    desk.clock.advance(0.001)
    assert refused(desk, "alice", "buy", "1", "99", deadline=deadline) is Refusal.DEADLINE_ELAPSED


def test_a_client_id_is_free_again_when_its_order_is_finished(desk: Desk) -> None:
    first = desk.place("alice", "buy", "1", "99", client_order_id="c")
    desk.place("bob", "buy", "1", "99", client_order_id="c")
    desk.exchange.cancel("alice", first.id)
    assert desk.place("alice", "buy", "1", "99", client_order_id="c").status is OrderStatus.OPEN


def test_post_only_rests_where_it_meets_nothing(desk: Desk) -> None:
    desk.place("bob", "sell", "2", "100")
    assert desk.place("alice", "buy", "1", "99.9", post_only=True).status is OrderStatus.OPEN


@pytest.mark.parametrize(("price", "tif"), [("100", TimeInForce.IOC), (None, TimeInForce.GTC)], ids=["ioc", "market"])
def test_what_does_not_rest_is_cut_where_the_book_ends(desk: Desk, price: str | None, tif: TimeInForce) -> None:
    desk.place("bob", "sell", "2", "100")
    order = desk.place("alice", "buy", "3", price, time_in_force=tif)
    assert order.status is OrderStatus.CANCELED
    assert order.reason == "Immediate or cancel"
    assert str(order.filled) == "2.000"
    assert desk.book() == ([], [])
    desk.exchange.check_invariants()


def test_fill_or_kill_fills_as_a_whole(desk: Desk) -> None:
    desk.place("bob", "sell", "2", "100")
    desk.place("carol", "sell", "2", "100.5")
    assert desk.place("alice", "buy", "4", "100.5", time_in_force=TimeInForce.FOK).status is OrderStatus.FILLED


def test_a_market_order_needs_only_what_it_will_cost(desk: Desk) -> None:
    """100 BTC at 99 would be affordable, at 100.1 it is not; a market order is asked for what the book says."""
    for name in ("bob", "carol"):
        desk.place(name, "sell", "10", "500")
    assert refused(desk, "alice", "buy", "20", None) is Refusal.INSUFFICIENT_FUNDS
    assert desk.place("alice", "buy", "19.948", None).status is OrderStatus.FILLED
    desk.exchange.check_invariants()


def test_validate_checks_and_does_nothing(desk: Desk) -> None:
    before = desk.state()
    desk.events.clear()
    order = desk.place("alice", "buy", "1", "99", validate=True)
    assert order.status is OrderStatus.PENDING
    assert refused(desk, "alice", "buy", "1", "99.05", validate=True) is Refusal.TICK_SIZE
    assert desk.state() == before
    assert not desk.events


def test_an_unknown_market_has_no_data(desk: Desk) -> None:
    nowhere = Symbol.parse("ETH/USD")
    for ask in (desk.exchange.market, desk.exchange.book, desk.exchange.trades, desk.exchange.mark_price):
        with pytest.raises(SimRefused) as caught:
            ask(nowhere)
        assert caught.value.refusal is Refusal.UNKNOWN_MARKET


def test_a_nonce_must_be_above_all_before(desk: Desk) -> None:
    accept = desk.exchange.accept_nonce
    assert accept("key", 5)
    assert not accept("key", 5)
    assert not accept("key", 4)
    assert accept("other", 4)
    assert accept("key", 6)


def test_an_account_that_keeps_little_forgets_its_oldest(desk: Desk) -> None:
    desk.exchange.add_account("small", {"USD": Decimal(1000)}, keep=2)
    orders = [desk.place("small", "buy", "1", "1") for _ in range(3)]
    for order in orders:
        desk.exchange.cancel("small", order.id)
    desk.place("alice", "sell", "9", "100")
    for _ in range(3):
        desk.place("small", "buy", "0.1", None)
    assert len(desk.exchange.closed_orders("small")) == 2
    assert len(desk.exchange.fills("small")) == 2
    assert len(desk.exchange.ledger("small")) == 2
    assert desk.exchange.order("small", orders[0].id) is None
    desk.exchange.check_invariants()


def test_a_copy_of_an_order_has_all_of_it_and_changes_no_more(desk: Desk) -> None:
    order = desk.place("alice", "buy", "2", "99.5")
    copy = order.copy()
    assert (copy == order, copy.fill_ids is order.fill_ids) == (True, False)
    desk.place("bob", "sell", "1", "99.5")
    assert (copy.filled, copy.fill_ids, order.filled) == (0, [], 1)


def test_a_request_tells_of_the_books_that_it_changed_and_of_no_others(desk: Desk) -> None:
    linear = Symbol.parse("BTC/USD:USD")
    desk.place("alice", "buy", "2", "99.5")
    desk.place("alice", "buy", "2", "98", symbol=linear)
    desk.events.clear()
    desk.place("alice", "buy", "1", "99")
    assert [event.symbol for event in desk.events if isinstance(event, BookChanged)] == [Symbol.parse("BTC/USD")]
