"""Kraken's own order calls: what is sent, and what the answers mean."""

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import HttpReply
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    InvalidValue,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
)
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.config import FuturesConfig
from kraken_futures.dialect import FuturesDialect
from kraken_futures.limits import units
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit, OrderKind, TriggerSignal, Unit
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.trading import EventKind, TriggerSide

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
STOP = FuturesOrder(
    symbol=LINEAR, side="sell", quantity="0.5", kind="stp", stop_price="58000", client_order_id="c-1", reduce_only=True
)
LIMIT = FuturesOrder(symbol=INVERSE, side="buy", quantity=10000, kind="lmt", limit_price=9400, client_order_id="c-2")
MARKET = FuturesOrder(symbol=INVERSE, side="buy", quantity=10, kind="mkt", client_order_id="c-3")
TRIGGER = {
    "uid": "t-1",
    "clientId": "c-1",
    "type": "stp",
    "symbol": "PF_XBTUSD",
    "side": "sell",
    "quantity": 0.5,
    "limitPrice": None,
    "triggerPrice": 58000,
    "triggerSide": "trigger_below",
    "triggerSignal": "mark_price",
    "reduceOnly": True,
    "timestamp": "2026-01-05T12:00:00.000Z",
    "lastUpdateTimestamp": "2026-01-05T12:00:00.000Z",
    "startTime": None,
}


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "futures/rest" / name).read_bytes()


def execution(number: int, price: float, amount: float, order_id: str = "o-1") -> dict[str, Any]:
    prior = {"orderId": order_id, "type": "lmt", "symbol": "PI_XBTUSD", "side": "buy", "quantity": 10, "filled": 0}
    return {
        "type": "EXECUTION",
        "executionId": f"e-{number}",
        "price": price,
        "amount": amount,
        "orderPriorEdit": None,
        "orderPriorExecution": prior,
        "takerReducedQuantity": None,
    }


def sending(status: str, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"sendStatus": {"status": status, "orderEvents": [*events], **more}}


# sendorder


def test_a_stop_is_sent_and_waits(rest: FuturesRest, run: Any) -> None:
    sent, (call,) = run(
        rest.orders.send(STOP), sending("placed", {"type": "PLACE", "orderTrigger": TRIGGER}, order_id="t-1")
    )
    assert call.method == "POST"
    assert call.path == "/derivatives/api/v3/sendorder"
    assert call.changes_state
    assert call.costs == units("sendorder")
    assert {name: value for name, value in call.params.items() if value is not None} == {
        "orderType": "stp",
        "symbol": "PF_XBTUSD",
        "side": "sell",
        "size": "0.5",
        "stopPrice": "58000",
        "triggerSignal": "mark",
        "cliOrdId": "c-1",
        "reduceOnly": True,
    }
    assert (sent.status, sent.order_id, sent.filled) == (OrderStatus.OPEN, "t-1", 0)
    (event,) = sent.events
    assert event.is_trigger
    state = event.order
    assert (state.order_id, state.client_order_id) == ("t-1", "c-1")
    assert (state.type, state.symbol, state.side) == (OrderKind.STOP, LINEAR, Side.SELL)
    assert (state.stop_price, state.trigger_side) == (58000, TriggerSide.BELOW)
    assert state.trigger_signal is TriggerSignal.MARK


def test_the_documented_answer_to_an_order(rest: FuturesRest, run: Any, captures: Path) -> None:
    sent, _ = run(rest.orders.send(LIMIT), recorded(captures, "doc_send_order.json"))
    assert sent.order_id == "179f9af8-e45e-469d-b3e9-2fd4675cb7d0"
    assert sent.word == "placed"
    assert sent.status is OrderStatus.OPEN
    assert sent.received == datetime(2019, 9, 5, 16, 33, 50, 734000, tzinfo=UTC)
    (event,) = sent.events
    assert event.kind is EventKind.PLACE
    assert (event.order.quantity, event.order.filled, event.order.limit_price) == (10000, 0, 9400)
    assert event.order.created == sent.received


def test_placed_is_also_what_a_filled_order_is_answered(rest: FuturesRest, run: Any) -> None:
    sent, _ = run(
        rest.orders.send(MARKET), sending("placed", execution(1, 50000, 4), execution(2, 60000, 6), order_id="o-1")
    )
    assert sent.status is OrderStatus.FILLED
    assert sent.filled == 10
    # The harmonic mean of an inverse contract; the plain one would be 56000.
    assert sent.average_price.quantize(Decimal("0.0001")) == Decimal("55555.5556")
    assert [(event.price, event.quantity) for event in sent.events] == [(50000, 4), (60000, 6)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("insufficientAvailableFunds", InsufficientFunds),
        ("wouldCauseLiquidation", OrderRefused),
        ("invalidPrice", OrderRefused),
        ("aWordOfTomorrow", OrderRefused),
    ],
)
def test_a_refused_order_is_an_error(rest: FuturesRest, run: Any, status: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=status):
        run(rest.orders.send(STOP), sending(status))


def test_a_trailing_stop_that_the_venue_does_not_know_is_refused_in_its_words(rest: FuturesRest, run: Any) -> None:
    order = FuturesOrder(
        symbol=LINEAR,
        side="sell",
        quantity=1,
        kind="trailing_stop",
        trailing_deviation=2,
        trailing_unit="PERCENT",
        client_order_id="c",
    )
    body = {"result": "error", "errors": [{"code": 11, "message": "invalid order type"}]}
    with pytest.raises(OrderRefused, match="invalid order type"):
        run(rest.orders.send(order), body)


def test_a_word_and_events_that_contradict_each_other_are_no_answer(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        run(rest.orders.send(STOP), sending("invalidPrice", {"type": "PLACE", "orderTrigger": TRIGGER}))
    with pytest.raises(OutcomeUnknown, match="does not read"):
        run(rest.orders.send(MARKET), sending("placed", {"type": "EXECUTION", "price": "x", "amount": 1}))


def test_executions_that_no_average_can_be_made_of_are_no_answer(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(OutcomeUnknown, match="does not read"):
        run(rest.orders.send(MARKET), sending("placed", execution(1, 0, 4), execution(2, 60000, 6), order_id="o-1"))


def test_details_that_read_oddly_do_not_hide_what_happened(rest: FuturesRest, run: Any) -> None:
    odd = {"type": "PLACE", "orderTrigger": {**TRIGGER, "timestamp": "yesterday"}}
    sent, _ = run(rest.orders.send(STOP), sending("placed", odd, order_id="t-1"))
    assert (sent.status, sent.events) == (OrderStatus.OPEN, ())


def test_a_deadline_is_sent_to_the_microsecond(rest: FuturesRest, run: Any) -> None:
    order = FuturesOrder(
        symbol=LINEAR,
        side="buy",
        quantity=1,
        kind="mkt",
        client_order_id="c",
        deadline=datetime(2023, 11, 8, 19, 56, 35, 441899, tzinfo=UTC),
    )
    with pytest.raises(OrderRefused, match="deadline"):
        run(rest.orders.send(order), sending("wouldProcessAfterSpecifiedTime"))
    call = next(rest.orders.send(order))
    assert call.params["processBefore"] == "2023-11-08T19:56:35.441899Z"


def test_nothing_is_sent_that_would_be_refused(rest: FuturesRest) -> None:
    order = FuturesOrder(symbol=INVERSE, side="buy", quantity="1.5", kind="mkt", client_order_id="c")
    with pytest.raises(OrderRefused, match="not a multiple of 1"):
        next(rest.orders.send(order))


# editorder

EDIT = OrderEdit(order_id="022774bc-2c4a-4f26-9317-436c8d85746d", quantity=1501, limit_price="7200.0", symbol=INVERSE)


def test_the_documented_edit(rest: FuturesRest, run: Any, captures: Path) -> None:
    edited, (call,) = run(rest.orders.edit(EDIT), recorded(captures, "doc_edit_order.json"))
    assert call.path == "/derivatives/api/v3/editorder"
    assert call.costs == units("editorder")
    assert call.changes_state
    assert {name: value for name, value in call.params.items() if value is not None} == {
        "orderId": "022774bc-2c4a-4f26-9317-436c8d85746d",
        "size": "1501",
        "qtyMode": "ABSOLUTE",
        "limitPrice": "7200.0",
    }
    assert edited.word == "edited"
    assert edited.order_id == EDIT.order_id
    assert (edited.before.quantity, edited.before.limit_price) == (1000, 9400)
    assert (edited.after.quantity, edited.after.limit_price) == (1501, 7200)
    assert edited.after.updated == datetime(2019, 9, 5, 16, 47, 47, 519000, tzinfo=UTC)
    assert (edited.executed, edited.reduced) == (0, None)


def test_an_edit_may_execute_at_once(rest: FuturesRest, run: Any) -> None:
    events = [{"type": "EDIT", "old": {}, "new": {}, "reducedQuantity": 5}, execution(1, 9400, 7, "o-1")]
    body = {"editStatus": {"status": "edited", "orderId": "o-1", "orderEvents": events}}
    edited, _ = run(rest.orders.edit(OrderEdit(order_id="o-1", limit_price=9400)), body)
    assert (edited.executed, edited.reduced) == (7, 5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("invalidSize", OrderRefused),
        ("invalidPrice", OrderRefused),
        ("insufficientAvailableFunds", InsufficientFunds),
        ("selfFill", OrderRefused),
        ("tooManySmallOrders", OrderRefused),
        ("outsidePriceCollar", OrderRefused),
        ("postWouldExecute", OrderRefused),
        ("wouldNotReducePosition", OrderRefused),
        ("orderForEditNotFound", OrderNotFound),
        ("notFound", OrderNotFound),
        ("orderForEditNotAStop", OrderRefused),
        ("cannotEditTriggerPriceOfTrailingStop", OrderRefused),
        ("aWordOfTomorrow", OrderRefused),
        ("cancelled", OutcomeUnknown),
        ("placed", OutcomeUnknown),
    ],
)
def test_every_word_of_an_edit(rest: FuturesRest, run: Any, status: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=status) as caught:
        run(rest.orders.edit(EDIT), {"editStatus": {"status": status, "orderId": None, "receivedTime": None}})
    assert type(caught.value) is kind


def test_a_refused_edit_beside_which_something_happened_is_unknown(rest: FuturesRest, run: Any) -> None:
    body = {"editStatus": {"status": "postWouldExecute", "orderEvents": [{"type": "CANCEL", "uid": "o"}]}}
    with pytest.raises(OutcomeUnknown, match="CANCEL"):
        run(rest.orders.edit(EDIT), body)


# cancelorder and its like


def test_the_documented_cancel(rest: FuturesRest, run: Any, captures: Path) -> None:
    cancel = OrderCancel(client_order_id="1234568", deadline=NOON)
    canceled, (call,) = run(rest.orders.cancel(cancel), recorded(captures, "doc_cancel_order.json"))
    assert call.params == {
        "order_id": None,
        "cliOrdId": "1234568",
        "processBefore": "2026-01-05T12:00:00.000000Z",
    }
    assert call.costs == units("cancelorder", urgent=True)
    assert canceled.order_id == "cb4e34f6-4eb3-4d4b-9724-4c3035b99d47"
    assert canceled.received == datetime(2020, 7, 22, 13, 26, 20, 806000, tzinfo=UTC)
    assert (canceled.order.quantity, canceled.order.limit_price) == (5500, 8000)
    assert canceled.order.client_order_id == "1234568"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("filled", OrderNotFound),
        ("notFound", OrderNotFound),
        ("wouldProcessAfterSpecifiedTime", OrderRefused),
        ("perhaps", OutcomeUnknown),
    ],
)
def test_every_word_of_a_cancel(rest: FuturesRest, run: Any, status: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=status):
        run(rest.orders.cancel(OrderCancel(order_id="o")), {"cancelStatus": {"status": status}})


def test_the_documented_cancel_of_all(rest: FuturesRest, run: Any, captures: Path) -> None:
    canceled, (call,) = run(rest.orders.cancel_everything(), recorded(captures, "doc_cancel_all_orders.json"))
    assert call.params == {"symbol": None}
    assert call.costs == units("cancelallorders", urgent=True)
    assert canceled.scope is None
    assert [one.order_id for one in canceled.orders] == [
        "6180adfa-e4b1-4a52-adac-ea5417620dbd",
        "89e3edbe-d739-4c52-b866-6f5a8407ff6e",
        "0cd37a77-1644-4960-a7fb-9a1f6e0e46f7",
    ]
    stop, post, limit = (one.order for one in canceled.orders)
    assert (stop.type, stop.stop_price, stop.quantity) == (OrderKind.STOP, 10039, 1000)
    assert (post.type, post.stop_price, post.limit_price) == (OrderKind.POST, None, 10040)
    assert (limit.side, limit.reduce_only, limit.limit_price) == (Side.SELL, True, 10145)


def all_of(scope: str, **more: Any) -> dict[str, Any]:
    return {"cancelStatus": {"receivedTime": "2026-01-05T12:00:00Z", "cancelOnly": scope, **more}}


def test_a_cancel_of_one_contract_is_never_widened(rest: FuturesRest, run: Any) -> None:
    body = all_of("PF_XBTUSD", status="cancelled", cancelledOrders=[{"order_id": "a", "cliOrdId": "mine"}])
    canceled, (call,) = run(rest.orders.cancel_all(LINEAR), body)
    assert call.params == {"symbol": "PF_XBTUSD"}
    assert canceled.scope == LINEAR
    assert [(one.order_id, one.client_order_id) for one in canceled.orders] == [("a", "mine")]
    with pytest.raises(InvalidValue):
        next(rest.orders.cancel_all(None))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        rest.orders.cancel_all()  # type: ignore[call-arg]


def test_a_venue_that_says_it_canceled_something_else_is_not_believed_in_silence(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(OutcomeUnknown, match="'all', 1 orders"):
        run(rest.orders.cancel_all(LINEAR), all_of("all", status="cancelled", cancelledOrders=[{"order_id": "a"}]))


@pytest.mark.parametrize("status", ["noOrdersToCancel", "aWordOfTomorrow"])
def test_the_list_counts_and_not_the_word(rest: FuturesRest, run: Any, status: str) -> None:
    events = [{"type": "CANCEL", "uid": "b", "order": {"orderId": "b", "cliOrdId": "mine"}}]
    body = all_of("all", status=status, cancelledOrders=[{"order_id": "a"}], orderEvents=events)
    canceled, _ = run(rest.orders.cancel_everything(), body)
    assert [(one.order_id, one.client_order_id) for one in canceled.orders] == [("a", None), ("b", "mine")]


def test_nothing_to_cancel_is_no_error_and_an_unknown_word_is(rest: FuturesRest, run: Any) -> None:
    assert run(rest.orders.cancel_everything(), all_of("all", status="noOrdersToCancel"))[0].orders == ()
    with pytest.raises(OutcomeUnknown, match="perhaps"):
        run(rest.orders.cancel_everything(), all_of("all", status="perhaps"))


# cancelallordersafter


def test_the_documented_dead_mans_switch(rest: FuturesRest, run: Any, captures: Path) -> None:
    switch, (call,) = run(rest.orders.cancel_all_after(60), recorded(captures, "doc_cancel_all_orders_after.json"))
    assert call.params == {"timeout": 60}
    assert call.costs == units("cancelallordersafter", urgent=True)
    assert call.changes_state
    assert switch.now == datetime(2018, 6, 19, 16, 51, 23, 839000, tzinfo=UTC)
    assert switch.fires_at == datetime(2018, 6, 19, 16, 52, 23, 839000, tzinfo=UTC)


def test_the_switch_is_stopped_with_zero(rest: FuturesRest, run: Any) -> None:
    body = {"status": {"currentTime": "2018-06-19T16:51:23.839Z", "triggerTime": "0"}}
    switch, _ = run(rest.orders.cancel_all_after(0), body)
    assert switch.fires_at is None
    with pytest.raises(ProtocolError, match="cancelallordersafter 60"):
        run(rest.orders.cancel_all_after(60), body)


@pytest.mark.parametrize("seconds", [-1, 2**32, 1.5, True, None])
def test_only_whole_seconds_arm_the_switch(rest: FuturesRest, seconds: Any) -> None:
    with pytest.raises(InvalidValue, match="whole seconds"):
        next(rest.orders.cancel_all_after(seconds))


# orders/status


def status_of(**more: Any) -> dict[str, Any]:
    order = {
        "type": "ORDER",
        "orderId": "o-1",
        "cliOrdId": None,
        "symbol": "PF_XBTUSD",
        "side": "buy",
        "quantity": None,
        "filled": 0.25,
        "limitPrice": None,
        "reduceOnly": False,
        "timestamp": "2026-01-05T12:00:00.000Z",
        "lastUpdateTimestamp": "2026-01-05T12:00:00.000Z",
        "priceTriggerOptions": None,
        "triggerTime": None,
    }
    return {"order": {**order, **more.pop("order", {})}, "status": "ENTERED_BOOK", "error": None, **more}


def test_orders_are_asked_for_by_both_kinds_of_ids(rest: FuturesRest, run: Any) -> None:
    trigger = {
        "triggerPrice": 58000,
        "triggerSide": "TRIGGER_BELOW",
        "triggerSignal": "SPOT_PRICE",
        "trailingStopOptions": {"maxDeviation": 0.8, "unit": "PERCENT"},
    }
    entries = [
        status_of(updateReason="PARTIAL_FILL"),
        status_of(
            order={"type": "TRIGGER_ORDER", "orderId": "t-1", "priceTriggerOptions": trigger},
            status="TRIGGER_ACTIVATION_FAILURE",
            error="INSUFFICIENT_MARGIN",
        ),
        status_of(status="A_STATUS_OF_TOMORROW"),
    ]
    found, (call,) = run(rest.orders.status(["o-1"], ["c-1", "c-2"]), {"orders": entries})
    assert call.params == {"orderIds": ["o-1"], "cliOrdIds": ["c-1", "c-2"]}
    assert call.method == "POST"
    assert not call.changes_state
    assert call.costs == units("orders/status")
    plain, fired, odd = found
    assert (plain.status, plain.reason, plain.order.filled) == (OrderStatus.OPEN, "PARTIAL_FILL", Decimal("0.25"))
    assert not plain.is_trigger
    assert fired.is_trigger
    assert (fired.status, fired.error) == (OrderStatus.REJECTED, "INSUFFICIENT_MARGIN")
    assert (fired.order.stop_price, fired.order.trigger_side) == (58000, TriggerSide.BELOW)
    assert fired.order.trigger_signal is TriggerSignal.INDEX
    assert (fired.trailing_deviation, fired.trailing_unit) == (Decimal("0.8"), Unit.PERCENT)
    assert (odd.word, odd.status) == ("A_STATUS_OF_TOMORROW", None)


def test_orders_that_are_not_known_are_missing_and_so_may_be_the_list(rest: FuturesRest, run: Any) -> None:
    assert run(rest.orders.status(["o"]), {})[0] == ()
    with pytest.raises(InvalidValue, match="no order is named"):
        next(rest.orders.status())


# openorders


def test_the_documented_open_orders(rest: FuturesRest, run: Any, captures: Path) -> None:
    found, (call,) = run(rest.orders.open(), recorded(captures, "doc_open_orders.json"))
    assert call.costs == units("openorders")
    assert len(found) == 7
    first = found[0]
    assert first.order_id == "59302619-41d2-4f0b-941f-7e7914760ad3"
    assert (first.symbol, first.side, first.type) == (INVERSE, Side.SELL, OrderKind.LIMIT)
    assert (first.limit_price, first.quantity, first.filled) == (10640, 304, 0)
    assert (first.word, first.reduce_only) == ("untouched", True)
    assert found[1].received == datetime(2019, 9, 5, 16, 41, 35, 173000, tzinfo=UTC)
    assert found[1].updated == datetime(2019, 9, 5, 16, 47, 47, 519000, tzinfo=UTC)


def test_the_recorded_stop(rest: FuturesRest, run: Any, captures: Path) -> None:
    (found,), _ = run(rest.orders.open(), recorded(captures, "open_orders_stop_2023-07.json"))
    assert (found.type, found.stop_price, found.limit_price) == (OrderKind.STOP, 29259, None)
    assert found.trigger_signal is TriggerSignal.MARK
    assert found.symbol == "fi_xbtusd_230728"  # expired since, and in no list: still shown
    assert (found.unfilled, found.client_order_id) == (1, "xxx...")


def test_open_orders_without_their_list_are_an_outage(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(ProtocolError):
        run(rest.orders.open(), {})


# What is not an answer.


@pytest.mark.parametrize(
    "ask",
    [
        lambda orders: orders.send(STOP),
        lambda orders: orders.edit(EDIT),
        lambda orders: orders.cancel(OrderCancel(order_id="o")),
        lambda orders: orders.cancel_all(LINEAR),
        lambda orders: orders.cancel_everything(),
        lambda orders: orders.cancel_all_after(60),
        lambda orders: orders.batch([STOP]),
    ],
)
def test_an_answer_without_content_leaves_the_outcome_open_and_nothing_is_sent_twice(
    rest: FuturesRest, run: Any, ask: Any
) -> None:
    for body in ({}, b"<html>", {"result": "error", "error": "Server Error"}, {"result": "error", "error": "new"}):
        with pytest.raises(OutcomeUnknown):
            run(ask(rest.orders), body)


def test_a_request_that_cannot_be_read_did_not_happen(rest: FuturesRest, run: Any) -> None:
    body = {"result": "error", "error": "invalidArgument: size"}
    for flow in (rest.orders.send(STOP), rest.orders.edit(EDIT), rest.orders.batch([STOP])):
        with pytest.raises(OrderRefused, match="invalidArgument"):
            run(flow, body)
    with pytest.raises(BadRequest):
        run(rest.orders.cancel_all(LINEAR), body)


_WORDS = st.sampled_from(
    ["placed", "edited", "cancelled", "filled", "notFound", "noOrdersToCancel", "invalidPrice", "x"]
)
_EVENTS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["PLACE", "EXECUTION", "EDIT", "CANCEL", "REJECT", "NEW"])},
        optional={
            "price": st.sampled_from([1, 0, "x", 1e300, None]),
            "amount": st.sampled_from([1, -1, 0.5, "x", None]),
            "order": st.none() | st.just({"orderId": "o", "quantity": "x"}) | st.just(5),
            "uid": st.none() | st.just("o"),
        },
    ),
    max_size=3,
)


@given(_WORDS, _EVENTS | st.none() | st.text(), st.none() | st.text(max_size=3))
def test_whatever_the_answer_it_is_a_result_or_one_of_our_errors(word: str, events: Any, order_id: str | None) -> None:
    made = VenueContext(venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"))
    one = Decimal(1)
    naming.add(
        made.symbols, Instrument(symbol=INVERSE, venue_id="PI_XBTUSD", tick_size=one, lot_size=one, min_quantity=one)
    )
    orders, dialect = FuturesRest(made).orders, FuturesDialect("f")
    status = {"status": word, "order_id": order_id, "orderEvents": events}
    body = {"sendStatus": status, "editStatus": status, "cancelStatus": status, "batchStatus": [status]}
    reply = HttpReply(200, {}, json.dumps({"result": "success", **body}).encode())
    for flow in (
        orders.send(MARKET),
        orders.edit(EDIT),
        orders.cancel(OrderCancel(order_id="o")),
        orders.cancel_everything(),
        orders.batch([MARKET]),
    ):
        call = next(flow)
        with contextlib.suppress(ExchangeError, StopIteration):
            flow.send(dialect.decode(call, reply))
            raise AssertionError("a second call")
