"""Each parameter of an order is sent or refused; none is left out in silence."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import InvalidValue, OrderRefused
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_futures.orders.fields import as_text, check, check_edit, edit_fields, order_fields
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit, OrderKind

ETHER = Instrument(
    symbol=Symbol.parse("ETH/USD:USD"),
    venue_id="PF_ETHUSD",
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
)
TERMS: dict[str, Any] = {"symbol": "ETH/USD:USD", "side": "sell", "quantity": "0.5", "client_order_id": "c-1"}
PRICED = {"limit_price": "3000"}
STOPPED = {"stop_price": "2900"}
TRAILED = {"trailing_deviation": "1.5", "trailing_unit": "PERCENT"}
NEEDED: dict[str, dict[str, str]] = {
    "lmt": PRICED,
    "post": PRICED,
    "ioc": PRICED,
    "fok": PRICED,
    "mkt": {},
    "stp": STOPPED,
    "take_profit": STOPPED,
    "trailing_stop": TRAILED,
}
OFFSET = {"limit_offset": "-5", "limit_offset_unit": "QUOTE_CURRENCY"}


def order(kind: str, **options: Any) -> FuturesOrder:
    return FuturesOrder(**{**TERMS, "kind": kind, **NEEDED[kind], **options})


def sent(kind: str, **options: Any) -> dict[str, Any]:
    fields = as_text(order_fields(order(kind, **options), "PF_ETHUSD"))
    return {name: value for name, value in fields.items() if value is not None}


BASE = {"symbol": "PF_ETHUSD", "side": "sell", "size": "0.5", "cliOrdId": "c-1"}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("lmt", {"limitPrice": "3000"}),
        ("post", {"limitPrice": "3000"}),
        ("ioc", {"limitPrice": "3000"}),
        ("fok", {"limitPrice": "3000"}),
        ("mkt", {}),
        ("stp", {"stopPrice": "2900", "triggerSignal": "mark"}),
        ("take_profit", {"stopPrice": "2900", "triggerSignal": "mark"}),
        (
            "trailing_stop",
            {"trailingStopMaxDeviation": "1.5", "trailingStopDeviationUnit": "PERCENT", "triggerSignal": "mark"},
        ),
    ],
)
def test_every_type_is_sent_with_what_it_needs_and_nothing_else(kind: str, more: dict[str, str]) -> None:
    assert sent(kind) == {"orderType": kind, **BASE, **more}


@pytest.mark.parametrize(
    ("kind", "options", "name", "value"),
    [
        ("lmt", {"reduce_only": True}, "reduceOnly", True),
        ("stp", {"trigger_signal": "index"}, "triggerSignal", "index"),
        ("take_profit", {"trigger_signal": "last"}, "triggerSignal", "last"),
        ("stp", {"limit_price": "2890.5"}, "limitPrice", "2890.5"),
        ("stp", OFFSET, "limitPriceOffsetValue", "-5"),
        ("trailing_stop", OFFSET, "limitPriceOffsetUnit", "QUOTE_CURRENCY"),
        (
            "trailing_stop",
            {"trailing_deviation": "2.5", "trailing_unit": "QUOTE_CURRENCY"},
            "trailingStopDeviationUnit",
            "QUOTE_CURRENCY",
        ),
        ("lmt", {"quantity": Decimal("1E+3")}, "size", "1000"),
    ],
)
def test_every_parameter_is_sent(kind: str, options: dict[str, Any], name: str, value: Any) -> None:
    assert sent(kind, **options)[name] == value


@pytest.mark.parametrize("kind", list(OrderKind))
def test_what_a_type_needs_cannot_be_left_out(kind: OrderKind) -> None:
    for name in NEEDED[kind]:
        with pytest.raises(InvalidValue, match=r"needs|both or neither"):
            order(kind, **{name: None})


_TRIGGERS = {"stp", "take_profit", "trailing_stop"}


@pytest.mark.parametrize(
    ("options", "takers"),
    [
        pytest.param(PRICED, {"lmt", "post", "ioc", "fok", "stp", "take_profit"}, id="limit_price"),
        pytest.param(STOPPED, {"stp", "take_profit"}, id="stop_price"),
        pytest.param({"trigger_signal": "last"}, _TRIGGERS, id="trigger_signal"),
        pytest.param(TRAILED, {"trailing_stop"}, id="trailing"),
        pytest.param(OFFSET, _TRIGGERS, id="limit_offset"),
    ],
)
@pytest.mark.parametrize("kind", list(OrderKind))
def test_what_a_type_does_not_take_is_refused(kind: OrderKind, options: dict[str, Any], takers: set[str]) -> None:
    if kind in takers:
        assert order(kind, **options)
    else:
        with pytest.raises(InvalidValue, match=f"{kind} takes no"):
            order(kind, **options)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("lmt", {"quantity": 0.5}, "quantity: 0.5 is a float"),
        ("lmt", {"quantity": 0}, "quantity: 0 is not above zero"),
        ("lmt", {"limit_price": "-1"}, "limit_price: -1 is not above zero"),
        ("lmt", {"limit_price": 3000.5}, "limit_price: 3000.5 is a float"),
        ("stp", {"stop_price": "0"}, "stop_price"),
        ("lmt", {"side": "long"}, "side: 'long' is none of buy, sell"),
        ("stp", {"trigger_signal": "spot"}, "trigger_signal: 'spot' is none of mark, index, last"),
        ("trailing_stop", {"trailing_unit": "POINTS"}, "unit: 'POINTS'"),
        ("trailing_stop", {"trailing_deviation": "0.05"}, "0.05 percent; the venue takes 0.1 to 50"),
        ("trailing_stop", {"trailing_deviation": "50.1"}, "50.1 percent"),
        ("stp", {"limit_offset": "1"}, "limit_offset and limit_offset_unit together"),
        ("stp", {**OFFSET, "limit_price": "2890"}, "limit_price or limit_offset, not both"),
        ("lmt", {"client_order_id": ""}, "0 characters"),
        ("lmt", {"client_order_id": "x" * 101}, "101 characters"),
        ("lmt", {"deadline": datetime(2026, 1, 5)}, "no time zone"),  # noqa: DTZ001 - the point of the test
        ("lmt", {"symbol": "PF_ETHUSD"}, "not of the form"),
    ],
)
def test_what_makes_no_sense_is_named(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        order(kind, **options)


def test_types_are_the_venues_words() -> None:
    with pytest.raises(InvalidValue, match="kind: 'limit' is none of lmt, post"):
        FuturesOrder(**TERMS, kind="limit", limit_price="1")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("lmt", {"limit_price": "3000.05"}, "price 3000.05 is not a multiple of 0.1; nearest is 3000"),
        ("stp", {"stop_price": "2900.07"}, "stop_price 2900.07 is not a multiple of 0.1; nearest is 2900.1"),
        ("stp", {"limit_price": "2890.05"}, "2890.05 is not a multiple"),
        ("lmt", {"quantity": "0.0005"}, "nearest is 0.001"),
        (
            "trailing_stop",
            {"trailing_deviation": "2.55", "trailing_unit": "QUOTE_CURRENCY"},
            "trailing_deviation 2.55 is not a multiple",
        ),
        ("stp", {**OFFSET, "limit_offset": "-5.05"}, "limit_offset -5.05 is not a multiple"),
    ],
)
def test_steps_are_checked_before_anything_is_sent(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OrderRefused, match=message):
        check(order(kind, **options), ETHER)


def test_percentages_are_no_prices() -> None:
    check(order("trailing_stop", trailing_deviation="0.15", limit_offset="0.05", limit_offset_unit="PERCENT"), ETHER)


@pytest.mark.parametrize(
    ("status", "kind", "taken"),
    [
        (InstrumentStatus.POST_ONLY, "post", True),
        (InstrumentStatus.POST_ONLY, "lmt", False),
        (InstrumentStatus.POST_ONLY, "stp", True),
        (InstrumentStatus.OFFLINE, "stp", False),
        (InstrumentStatus.OFFLINE, "post", False),
    ],
)
def test_the_state_of_the_market_is_minded(status: InstrumentStatus, kind: str, taken: bool) -> None:
    market = attrs.evolve(ETHER, status=status)
    if taken:
        check(order(kind), market)
    else:
        with pytest.raises(OrderRefused, match=status.value):
            check(order(kind), market)


# Edits and cancels.


def test_the_quantity_of_an_edit_is_the_whole_order_unless_told_otherwise() -> None:
    assert edit_fields(OrderEdit(order_id="o", quantity="2"))["qtyMode"] == "ABSOLUTE"
    assert edit_fields(OrderEdit(order_id="o", quantity="2", quantity_mode="RELATIVE"))["qtyMode"] == "RELATIVE"
    assert edit_fields(OrderEdit(order_id="o", limit_price="2"))["qtyMode"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantity": "1"}, "by order_id or by client_order_id"),
        ({"order_id": "o", "client_order_id": "c", "quantity": "1"}, "one of them"),
        ({"order_id": "o"}, "nothing is to be changed"),
        ({"order_id": "o", "quantity": 1.5}, "float"),
        ({"order_id": "o", "quantity": "0"}, "not above zero"),
        ({"order_id": "o", "quantity": "1", "quantity_mode": "TOTAL"}, "quantity_mode: 'TOTAL'"),
        ({"order_id": "o", "trailing_deviation": "1"}, "both or neither"),
    ],
)
def test_an_edit_has_one_order_and_a_change(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        OrderEdit(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantity": "0.0015"}, "quantity 0.0015 is not a multiple of 0.001; nearest is 0.002"),
        ({"limit_price": "1.05"}, "limit_price"),
        ({"stop_price": "1.05"}, "stop_price"),
        ({"trailing_deviation": "1.05", "trailing_unit": "QUOTE_CURRENCY"}, "trailing_deviation"),
    ],
)
def test_an_edit_is_checked_against_the_steps(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OrderRefused, match=message):
        check_edit(OrderEdit(order_id="o", **options), ETHER)


def test_a_cancel_names_one_order() -> None:
    assert OrderCancel(client_order_id="c").label == "c"
    for ids in ({}, {"order_id": "o", "client_order_id": "c"}, {"order_id": ""}):
        with pytest.raises(InvalidValue):
            OrderCancel(**ids)


def test_deadlines_have_a_zone() -> None:
    assert OrderCancel(order_id="o", deadline=datetime(2026, 1, 5, tzinfo=UTC)).deadline is not None
