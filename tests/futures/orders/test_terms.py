"""Every term of an OrderRequest in the venue's words, or refused before anything is sent, naming venue and term."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.order_operations import Amends, Batches, CancelsAll, DeadMansSwitch
from exchange_core.connector.rest import RestCall
from exchange_core.connector.support import TERMS, Support, used_terms
from exchange_core.errors import InvalidValue, NotSupported, OrderRefused
from exchange_core.model.order import OrderRequest, OrderType, TimeInForce
from exchange_core.model.terms import Offset, SelfTrade, TriggerBy
from kraken_futures.orders.requests import FuturesOrder, OrderKind
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.terms import SUPPORT, UNSUPPORTED, futures_order

LATER = datetime(2026, 1, 5, 12, 0, 5, 250001, tzinfo=UTC)
STOP = {"type": "stop", "price": None, "trigger_price": "58000"}
TRAIL = {"type": "trailing_stop", "price": None, "trail": "2.5%"}


def request(**terms: Any) -> OrderRequest:
    plain = {"symbol": "BTC/USD:USD", "side": "sell", "quantity": "0.3", "price": "60000", "client_order_id": "c-1"}
    return OrderRequest(**plain | terms)


def sent(call: RestCall) -> dict[str, Any]:
    return {name: value for name, value in call.params.items() if value is not None}


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("type", {"price": None}, {"orderType": "mkt"}),
    ("type.stop", STOP, {"orderType": "stp", "stopPrice": "58000"}),
    (
        "type.stop_limit",
        {"type": "stop_limit", "trigger_price": "58000"},
        {"orderType": "stp", "stopPrice": "58000", "limitPrice": "60000"},
    ),
    ("type.take_profit", STOP | {"type": "take_profit"}, {"orderType": "take_profit", "stopPrice": "58000"}),
    (
        "type.take_profit_limit",
        {"type": "take_profit_limit", "trigger_price": "58000"},
        {"orderType": "take_profit", "stopPrice": "58000", "limitPrice": "60000"},
    ),
    (
        "type.trailing_stop",
        TRAIL,
        {"orderType": "trailing_stop", "trailingStopMaxDeviation": "2.5", "trailingStopDeviationUnit": "PERCENT"},
    ),
    (
        "type.trailing_stop",
        TRAIL | {"trail": "150"},
        {"trailingStopMaxDeviation": "150", "trailingStopDeviationUnit": "QUOTE_CURRENCY"},
    ),
    (
        "type.trailing_stop_limit",
        TRAIL | {"type": "trailing_stop_limit", "limit_offset": "-20"},
        {
            "orderType": "trailing_stop",
            "limitPriceOffsetValue": "-20",
            "limitPriceOffsetUnit": "QUOTE_CURRENCY",
        },
    ),
    ("time_in_force", {"time_in_force": "ioc"}, {"orderType": "ioc", "limitPrice": "60000"}),
    ("time_in_force", {"time_in_force": "fok"}, {"orderType": "fok", "limitPrice": "60000"}),
    ("time_in_force", {"price": None, "time_in_force": "ioc"}, {"orderType": "mkt"}),
    ("time_in_force", STOP | {"time_in_force": "ioc"}, {"orderType": "stp"}),
    ("time_in_force.gtd", {"time_in_force": "gtd", "expires": LATER}, {}),
    ("quote_amount", {"quantity": None, "quote_amount": 100, "price": None}, {}),
    ("post_only", {"post_only": True}, {"orderType": "post", "limitPrice": "60000"}),
    ("reduce_only", {"reduce_only": True}, {"reduceOnly": True}),
    ("trigger_by", STOP | {"trigger_by": "last"}, {"triggerSignal": "last"}),
    ("trigger_by", STOP | {"trigger_by": "mark"}, {"triggerSignal": "mark"}),
    ("trigger_by", TRAIL | {"trigger_by": "index"}, {"triggerSignal": "index"}),
    (
        "limit_offset",
        STOP | {"type": "stop_limit", "limit_offset": "-15"},
        {"stopPrice": "58000", "limitPriceOffsetValue": "-15", "limitPriceOffsetUnit": "QUOTE_CURRENCY"},
    ),
    (
        "limit_offset",
        STOP | {"type": "take_profit_limit", "limit_offset": "0.5%"},
        {"limitPriceOffsetValue": "0.5", "limitPriceOffsetUnit": "PERCENT"},
    ),
    ("display_quantity", {"display_quantity": "0.1"}, {}),
    ("leverage", {"leverage": 3}, {}),
    ("self_trade", {"self_trade": "cancel_newest"}, {}),
    ("client_order_id", {}, {"cliOrdId": "c-1"}),
    ("deadline", {"deadline": LATER}, {"processBefore": "2026-01-05T12:00:05.250001Z"}),
]


@pytest.mark.parametrize(("term", "terms", "words"), CASES, ids=[case[0] for case in CASES])
def test_a_term_of_a_request(rest: FuturesRest, term: str, terms: dict[str, Any], words: dict[str, Any]) -> None:
    made = request(**terms)
    assert term in used_terms(made)
    if SUPPORT[term] == Support.REFUSED:
        with pytest.raises(NotSupported, match=f"^futures: {term}: ") as refused:
            next(rest.place(made))
        assert UNSUPPORTED[term] in str(refused.value)
        return
    call = next(rest.place(made))
    assert call.path.endswith("/sendorder")
    assert words.items() <= sent(call).items()


def test_every_term_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(TERMS) == set(SUPPORT)


@pytest.mark.parametrize("kind", OrderType)
def test_it_goes_out_as_the_own_call_would_send_it(rest: FuturesRest, kind: OrderType) -> None:
    terms: dict[str, Any] = {"type": kind}
    if not kind.has_limit:
        terms["price"] = None
    if kind.is_trailing:
        terms |= {"trail": "1%"} | ({"price": None, "limit_offset": "5"} if kind.has_limit else {})
    elif kind.is_triggered:
        terms["trigger_price"] = "58000"
    made = request(**terms)
    assert next(rest.place(made)) == next(rest.orders.send(futures_order(made, "futures")))


def test_the_operations_can_all_that_the_core_may_ask(rest: FuturesRest) -> None:
    for kind in (Amends, Batches, CancelsAll, DeadMansSwitch):
        assert isinstance(rest, kind)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"price": None, "time_in_force": "fok"}, "time_in_force: fok: fill-or-kill needs a limit order"),
        (STOP | {"time_in_force": "fok"}, "time_in_force: fok"),
        ({"type": "stop_limit", "trigger_price": 1, "time_in_force": "ioc"}, "time_in_force: ioc: the limit order"),
        ({"type": "stop_limit", "trigger_price": 1, "post_only": True}, "post_only: goes with limit orders only"),
        (TRAIL | {"type": "trailing_stop_limit", "price": 1}, "price: the limit of a trailing stop follows"),
        (TRAIL | {"trail": "0.05%"}, "trail: 0.05 percent; the venue takes 0.1 to 50"),
        (TRAIL | {"trail": "50.1%"}, "trail: 50.1 percent"),
        ({"client_order_id": "x" * 101}, "client_order_id: 101 characters"),
        ({"client_order_id": ""}, "client_order_id: 0 characters"),
        ({"client_order_id": None}, "client_order_id: missing"),
        ({"terms": object()}, "terms: object is of another venue"),
    ],
)
def test_what_the_venue_does_not_take_is_refused_before_sending(
    rest: FuturesRest, terms: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotSupported, match=f"^futures: {message}"):
        next(rest.place(request(**terms)))


@pytest.mark.parametrize(
    "terms",
    [
        STOP | {"trigger_price": "58000.5"},
        TRAIL | {"trail": "0.5"},
        STOP | {"type": "stop_limit", "limit_offset": "-0.5"},
        {"price": "60000.5"},
        {"quantity": "0.00001"},
    ],
)
def test_what_is_no_step_of_the_contract_is_refused(rest: FuturesRest, terms: dict[str, Any]) -> None:
    with pytest.raises(OrderRefused, match=r"nearest is|least is"):
        next(rest.place(request(**terms)))


offsets = st.builds(Offset, st.decimals("-60", "60", places=1), st.booleans())
prices = st.none() | st.decimals("1", "100000", places=0)


@given(
    type=st.sampled_from(OrderType),
    price=prices,
    trigger_price=prices,
    trail=st.none() | offsets,
    limit_offset=st.none() | offsets,
    trigger_by=st.none() | st.sampled_from(TriggerBy),
    time_in_force=st.sampled_from(TimeInForce),
    expires=st.none() | st.just(LATER),
    post_only=st.booleans(),
    reduce_only=st.booleans(),
    display_quantity=st.none() | st.just(Decimal("0.1")),
    leverage=st.none() | st.just(2),
    self_trade=st.none() | st.sampled_from(SelfTrade),
    deadline=st.none() | st.just(LATER),
)
def test_whatever_is_asked_for_is_told_whole_or_refused(**terms: Any) -> None:
    """No term is dropped in silence: from what goes out, the request can be had again."""
    try:
        made = request(**terms)
    except InvalidValue:
        return
    try:
        order = futures_order(made, "futures")
    except NotSupported:
        return
    assert _again(order, made) == made


def _again(order: FuturesOrder, made: OrderRequest) -> OrderRequest:
    stays = {OrderKind.IOC: "ioc", OrderKind.FOK: "fok"}.get(order.kind, "gtc")
    if not made.type.has_limit and made.time_in_force is TimeInForce.IOC:
        stays = "ioc"  # of what becomes a market order nothing rests anyway
    bases = {OrderKind.STOP: "stop", OrderKind.TAKE_PROFIT: "take_profit", OrderKind.TRAILING_STOP: "trailing_stop"}
    is_limited = order.limit_price is not None or order.limit_offset is not None
    base = bases.get(order.kind)
    kind = ("limit" if is_limited else "market") if base is None else f"{base}_limit" if is_limited else base
    offset, trail = order.limit_offset, order.trailing_deviation
    return OrderRequest(
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.limit_price,
        type=kind,
        time_in_force=stays,
        post_only=order.kind is OrderKind.POST,
        reduce_only=order.reduce_only,
        trigger_price=order.stop_price,
        trigger_by=order.trigger_signal,
        trail=None if trail is None else Offset(trail, order.trailing_unit == "PERCENT"),
        limit_offset=None if offset is None else Offset(offset, order.limit_offset_unit == "PERCENT"),
        client_order_id=order.client_order_id,
        deadline=order.deadline,
    )
