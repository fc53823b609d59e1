"""Order requests, and the table that a status moves along."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import InvalidValue
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import NEXT_STATUS, Order, OrderRequest, OrderStatus, OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset

PENDING, OPEN, PARTIAL, FILLED, CANCELED, REJECTED, EXPIRED = OrderStatus


def request(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "0.01", "price": "60000"} | changes))


def test_text_is_taken_for_symbol_side_and_numbers() -> None:
    made = request()
    assert (made.symbol, made.side) == (Symbol("BTC", "USD"), Side.BUY)
    assert (made.quantity, made.price) == (Decimal("0.01"), Decimal("60000"))
    assert (made.type, made.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)


def test_without_a_price_it_is_a_market_order() -> None:
    assert request(price=None).type is OrderType.MARKET


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": 0.01}, "quantity: 0.01 is a float"),
        ({"price": 60000.0}, "price: 60000.0 is a float"),
        ({"quantity": "0"}, "quantity: 0 is not above zero"),
        ({"quantity": "-1"}, "quantity: -1 is not above zero"),
        ({"price": "0"}, "price: 0 is not above zero"),
        ({"quantity": "NaN"}, "quantity: 'NaN' is not finite"),
        ({"quantity": True}, "quantity: True is bool"),
        ({"symbol": "BTCUSD"}, "symbol: 'BTCUSD'"),
        ({"side": "long"}, "Side: 'long' is none of buy, sell"),
        ({"type": "stoploss"}, "OrderType: 'stoploss' is none of market, limit"),
        ({"time_in_force": "day"}, "TimeInForce: 'day' is none of gtc, ioc, fok"),
        ({"type": "stop"}, "BTC/USD: a stop order takes no price, found 60000"),
        ({"type": "stop_limit"}, "BTC/USD: a stop_limit order needs a trigger_price"),
        ({"trigger_price": "61000"}, "BTC/USD: a limit order takes no trigger_price"),
        ({"trigger_by": "mark"}, "trigger_by is for triggered orders, and this is a limit order"),
        ({"type": "trailing_stop", "price": None}, "BTC/USD: a trailing_stop order needs trail"),
        ({"type": "trailing_stop", "price": None, "trail": "0%"}, "trail: 0% is not above zero"),
        ({"type": "trailing_stop", "price": None, "trail": "two"}, "offset: 'two' is none"),
        ({"type": "stop_limit", "trigger_price": 1, "limit_offset": "-1%"}, "by price or by limit_offset, not by both"),
        ({"limit_offset": "1"}, "limit_offset is for the limit of triggered orders"),
        ({"time_in_force": "gtd"}, "time in force gtd needs expires"),
        ({"expires": datetime(2026, 1, 1, tzinfo=UTC)}, "expires goes with time in force gtd"),
        ({"expires": datetime(2026, 1, 1)}, "expires: 2026-01-01 00:00:00 has no time zone"),  # noqa: DTZ001
        ({"display_quantity": "100"}, "display_quantity 100 is more than the quantity"),
        ({"leverage": True}, "leverage: True is no whole number above zero"),
        ({"self_trade": "never"}, "SelfTrade: 'never' is none of cancel_newest, cancel_oldest, cancel_both"),
        ({"type": "limit", "price": None}, "BTC/USD: a limit order needs a price"),
        ({"type": "market"}, "BTC/USD: a market order takes no price, found 60000"),
        ({"price": None, "post_only": True}, "post_only needs a limit order that rests"),
        ({"time_in_force": "ioc", "post_only": True}, "post_only needs a limit order that rests"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        request(**changes)
    assert message in str(caught.value)


def test_a_trailing_stop_limit_takes_offsets_as_text() -> None:
    made = request(type="trailing_stop_limit", price=None, trail="2%", limit_offset="-50.5", trigger_by="mark")
    assert (made.trail, made.limit_offset) == (Offset(Decimal(2), percent=True), Offset(Decimal("-50.5")))
    assert (str(made.trail), str(made.limit_offset)) == ("2%", "-50.5")


def test_an_amendment_says_what_changes() -> None:
    assert Amendment(price="61000", quantity=2).changes == {"quantity": Decimal(2), "price": Decimal(61000)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "an amendment without any change"),
        ({"quantity": 1, "post_only": True}, "post_only goes with a new price"),
        ({"price": "-1"}, "price: -1 is not above zero"),
        ({"quantity": 0.5}, "quantity: 0.5 is a float"),
    ],
)
def test_an_amendment_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        Amendment(**changes)


TABLE = {
    PENDING: {OPEN, PARTIAL, FILLED, CANCELED, EXPIRED, REJECTED},
    OPEN: {PARTIAL, FILLED, CANCELED, EXPIRED},
    PARTIAL: {FILLED, CANCELED, EXPIRED},
    FILLED: set(),
    CANCELED: set(),
    REJECTED: set(),
    EXPIRED: set(),
}


@pytest.mark.parametrize("first", OrderStatus)
@pytest.mark.parametrize("second", OrderStatus)
def test_the_status_table(first: OrderStatus, second: OrderStatus) -> None:
    """Written out once more, so that a change of it is seen."""
    assert first.may_become(second) is (second is first or second in TABLE[first])


def test_ends_are_ends() -> None:
    assert {status for status in OrderStatus if status.is_final} == {FILLED, CANCELED, REJECTED, EXPIRED}
    assert set(NEXT_STATUS) == set(OrderStatus)


def test_what_remains() -> None:
    order = Order(request=request(quantity="10"), filled=Decimal(4))
    assert (order.remaining, order.quantity, order.price, order.side) == (6, 10, 60000, Side.BUY)
    assert not order.is_final
    assert attrs.evolve(order, status=CANCELED).is_final


def test_sides() -> None:
    assert (Side.BUY.opposite, Side.SELL.opposite) == (Side.SELL, Side.BUY)
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)


def test_a_completed_request_has_what_it_lacked_and_keeps_what_it_had() -> None:
    bare = request(post_only=True, leverage=2)
    then = datetime(2026, 1, 1, tzinfo=UTC)
    whole = bare.completed("c1", then)
    assert whole == attrs.evolve(bare, client_order_id="c1", deadline=then)
    assert bare.client_order_id is None
    assert bare.deadline is None
    assert whole.completed("c2", None) == whole
