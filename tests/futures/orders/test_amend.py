"""Changing, placing and taking out orders that the framework keeps a record of, as the core asks for it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.rest import RestCall
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    InvalidValue,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    UnknownSymbol,
)
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from kraken_futures.limits import batch_units, units
from kraken_futures.parse.outcomes import EDIT_REFUSALS, REFUSALS
from kraken_futures.rest.operations import FuturesRest

ID = "022774bc-2c4a-4f26-9317-436c8d85746d"
LATER = datetime(2026, 1, 5, 12, 0, 5, tzinfo=UTC)
STOP = {"type": "stop", "price": None, "trigger_price": "58000"}
STOP_LIMIT = {"type": "stop_limit", "price": "57900", "trigger_price": "58000"}
TRAIL = {"type": "trailing_stop", "price": None, "trail": "2.5%"}


def request(**terms: Any) -> OrderRequest:
    plain = {"symbol": "BTC/USD:USD", "side": "sell", "quantity": "0.3", "price": "60000", "client_order_id": "c-1"}
    return OrderRequest(**plain | terms)


def standing(filled: str = "0", **terms: Any) -> Order:
    executed = Decimal(filled)
    return Order(
        request=request(**terms),
        venue="futures",
        status=OrderStatus.PARTIALLY_FILLED if executed else OrderStatus.OPEN,
        venue_order_id=ID,
        client_order_id="c-1",
        filled=executed,
        average_price=Decimal(60000) if executed else None,
    )


def event_order(quantity: float, filled: float = 0) -> dict[str, Any]:
    return {"orderId": ID, "type": "lmt", "symbol": "PF_XBTUSD", "quantity": quantity, "filled": filled}


def changed(quantity: float = 0.3, filled: float = 0, reduced: float | None = None) -> dict[str, Any]:
    old, new = event_order(0.3, filled), event_order(quantity, filled)
    return {"type": "EDIT", "old": old, "new": new, "reducedQuantity": reduced}


def execution(amount: float, price: float, number: int = 1) -> dict[str, Any]:
    prior = event_order(0.3)
    return {
        "type": "EXECUTION",
        "executionId": f"e-{number}",
        "price": price,
        "amount": amount,
        "orderPriorExecution": prior,
    }


def edited(*events: dict[str, Any], status: str = "edited") -> dict[str, Any]:
    told = {"orderId": ID, "receivedTime": "2026-01-05T12:00:01Z", "orderEvents": [*events]}
    return {"editStatus": {"status": status, **told}}


def waiting(order: Order) -> list[dict[str, Any]]:
    """Return what is answered before an edit: of a trigger it is asked whether it has fired."""
    if not order.request.type.is_triggered:
        return []
    return [{"orders": [{"order": {"type": "TRIGGER_ORDER", "orderId": ID}, "status": "TRIGGER_PLACED"}]}]


def sent(call: RestCall) -> dict[str, Any]:
    return {name: value for name, value in call.params.items() if value is not None}


# What an edit says.


@pytest.mark.parametrize(
    ("terms", "amendment", "said"),
    [
        pytest.param({}, Amendment(price="59000"), {"limitPrice": "59000"}, id="price"),
        pytest.param({}, Amendment(quantity="0.4"), {"size": "0.4", "qtyMode": "ABSOLUTE"}, id="all of it"),
        pytest.param(
            {},
            Amendment(quantity="0.4", price="59000", deadline=LATER),
            {
                "size": "0.4",
                "qtyMode": "ABSOLUTE",
                "limitPrice": "59000",
                "processBefore": "2026-01-05T12:00:05.000000Z",
            },
            id="several, and a deadline",
        ),
        pytest.param(STOP, Amendment(trigger_price="57000"), {"stopPrice": "57000"}, id="trigger"),
        pytest.param(
            STOP,
            Amendment(quantity="0.4"),
            {"size": "0.4", "qtyMode": "ABSOLUTE", "stopPrice": "58000"},
            id="the quantity of a stop, which has to say its trigger",
        ),
        pytest.param(
            STOP_LIMIT,
            Amendment(trigger_price="57000"),
            {"stopPrice": "57000", "limitPrice": "57900"},
            id="a stop with a limit has to say both",
        ),
        pytest.param(
            STOP_LIMIT, Amendment(price="57800"), {"stopPrice": "58000", "limitPrice": "57800"}, id="its limit"
        ),
        pytest.param(
            STOP_LIMIT | {"type": "take_profit_limit", "price": None, "limit_offset": "-0.5%"},
            Amendment(trigger_price="60000"),
            {"stopPrice": "60000", "limitPrice": "59700.0"},
            id="a limit that is counted from the trigger goes with it",
        ),
        pytest.param(
            STOP_LIMIT | {"price": None, "limit_offset": "-0.001%"},
            Amendment(quantity="0.4"),
            {"size": "0.4", "qtyMode": "ABSOLUTE", "stopPrice": "58000", "limitPrice": "57999.0"},
            id="one that is counted in percent is a price that the contract has",
        ),
        pytest.param(
            TRAIL,
            Amendment(trail="3%"),
            {"trailingStopMaxDeviation": "3", "trailingStopDeviationUnit": "PERCENT"},
            id="distance",
        ),
        pytest.param(
            TRAIL,
            Amendment(quantity="0.4"),
            {"size": "0.4", "qtyMode": "ABSOLUTE"},
            id="a distance that is said again would move the trigger",
        ),
        pytest.param(
            TRAIL | {"type": "trailing_stop_limit", "limit_offset": "5"},
            Amendment(trail="150"),
            {"trailingStopMaxDeviation": "150", "trailingStopDeviationUnit": "QUOTE_CURRENCY"},
            id="distance of one with a limit",
        ),
        pytest.param(
            {"post_only": True}, Amendment(price="61000", post_only=True), {"limitPrice": "61000"}, id="post-only stays"
        ),
    ],
)
def test_an_amendment_is_one_edit(
    rest: FuturesRest, run: Any, terms: dict[str, Any], amendment: Amendment, said: dict[str, Any]
) -> None:
    order = standing(**terms)
    amended, (*reads, call) = run(rest.amend(order, amendment), *waiting(order), edited(changed()))
    assert not any(read.changes_state for read in reads)
    assert (call.path, call.changes_state) == ("/derivatives/api/v3/editorder", True)
    assert call.costs == units("editorder")
    assert sent(call) == {"orderId": ID, **said}
    assert amended.request == amendment.applied_to(order.request)
    assert (amended.venue_order_id, amended.client_order_id, amended.status) == (ID, "c-1", OrderStatus.OPEN)


def test_an_order_without_the_venues_id_is_named_by_ours(rest: FuturesRest, run: Any) -> None:
    order = attrs.evolve(standing(), venue_order_id=None)
    _, (call,) = run(rest.amend(order, Amendment(price="59000")), edited(changed()))
    assert sent(call) == {"cliOrdId": "c-1", "limitPrice": "59000"}


@pytest.mark.parametrize(
    ("terms", "amendment", "message"),
    [
        ({}, Amendment(display_quantity="0.1"), "display_quantity: "),
        (STOP_LIMIT, Amendment(limit_offset="-5"), "limit_offset: an edit has no word for it"),
        ({}, Amendment(price="59000", post_only=True), "post_only: an edit cannot make it so"),
        (
            TRAIL | {"type": "trailing_stop_limit", "limit_offset": "5"},
            Amendment(price="59000"),
            "price: the limit of a trailing stop",
        ),
    ],
)
def test_what_an_edit_cannot_change_is_refused_before_sending(
    rest: FuturesRest, terms: dict[str, Any], amendment: Amendment, message: str
) -> None:
    with pytest.raises(NotSupported, match=f"^futures: {message}"):
        next(rest.amend(standing(**terms), amendment))


@pytest.mark.parametrize(
    ("terms", "amendment"),
    [(STOP, Amendment(price="59000")), ({}, Amendment(trigger_price="59000")), ({}, Amendment(trail="1%"))],
)
def test_terms_that_the_order_does_not_have_make_no_amendment(
    rest: FuturesRest, terms: dict[str, Any], amendment: Amendment
) -> None:
    with pytest.raises(InvalidValue):
        next(rest.amend(standing(**terms), amendment))


@pytest.mark.parametrize(
    ("terms", "amendment"),
    [
        ({}, Amendment(price="59000.5")),
        ({}, Amendment(quantity="0.00001")),
        (STOP, Amendment(trigger_price="58000.5")),
        (STOP_LIMIT | {"price": None, "limit_offset": "-0.5"}, Amendment(trigger_price="58001")),
    ],
)
def test_steps_are_checked(rest: FuturesRest, run: Any, terms: dict[str, Any], amendment: Amendment) -> None:
    order = standing(**terms)
    with pytest.raises(OrderRefused, match="not a multiple"):
        run(rest.amend(order, amendment), *waiting(order))


@pytest.mark.parametrize("order_id", [ID, "o-2"])
def test_a_stop_that_has_fired_is_edited_as_the_limit_order_that_it_is(
    rest: FuturesRest, run: Any, order_id: str
) -> None:
    """The venue refuses a trigger price for an order that is no stop; and the order may have another id by now."""
    order = standing(**STOP_LIMIT)
    fired = {"type": "ORDER", "orderId": order_id, "cliOrdId": "c-1"}
    status = {"orders": [{"order": fired, "status": "ENTERED_BOOK", "updateReason": "LIMIT_FROM_STOP"}]}
    amended, (asked, call) = run(rest.amend(order, Amendment(price="57800")), status, edited(changed()))
    assert sent(asked) == {"orderIds": [ID], "cliOrdIds": ["c-1"]}
    assert sent(call) == {"orderId": order_id, "limitPrice": "57800"}
    assert (amended.price, amended.venue_order_id) == (57800, ID)
    with pytest.raises(OrderRefused, match="has fired; only price and quantity are left"):
        run(rest.amend(order, Amendment(trigger_price="57000")), status)


def test_a_stop_that_cannot_be_asked_for_is_edited_as_one(rest: FuturesRest, run: Any) -> None:
    order = standing(**STOP)
    _, (_, call) = run(rest.amend(order, Amendment(trigger_price="57000")), ProtocolError("odd"), edited(changed()))
    assert sent(call) == {"orderId": ID, "stopPrice": "57000"}


# What became of it.


@pytest.mark.parametrize(
    ("order", "events", "status", "filled", "average"),
    [
        pytest.param(standing(), [changed()], OrderStatus.OPEN, "0", None, id="it rests"),
        pytest.param(standing(), [], OrderStatus.OPEN, "0", None, id="without events"),
        pytest.param(
            standing(), [changed(), execution(0.4, 59000)], OrderStatus.FILLED, "0.4", "59000", id="it took all at once"
        ),
        pytest.param(
            standing(),
            [execution(0.1, 59000), execution(0.1, 59200, 2), execution(0.1, 59000), changed()],
            OrderStatus.PARTIALLY_FILLED,
            "0.2",
            "59100",
            id="it took some; one execution is told twice",
        ),
        pytest.param(
            standing("0.1"),
            [changed(filled=0.1), execution(0.1, 59000)],
            OrderStatus.PARTIALLY_FILLED,
            "0.2",
            "59500",
            id="some more",
        ),
        pytest.param(
            standing("0.1"),
            [changed(filled=0.2), execution(0.1, 59000)],
            OrderStatus.PARTIALLY_FILLED,
            "0.3",
            None,
            id="there were executions that we had not heard of",
        ),
        pytest.param(
            standing("0.1"), [changed(filled=0.1)], OrderStatus.PARTIALLY_FILLED, "0.1", "60000", id="as it was"
        ),
        pytest.param(
            standing(),
            [changed(), {"type": "CANCEL", "uid": ID, "order": event_order(0.4)}],
            OrderStatus.CANCELED,
            "0",
            None,
            id="taken out all the same",
        ),
    ],
)
def test_what_became_of_an_amended_order(
    rest: FuturesRest,
    run: Any,
    order: Order,
    events: list[dict[str, Any]],
    status: OrderStatus,
    filled: str,
    average: str | None,
) -> None:
    amended, _ = run(rest.amend(order, Amendment(quantity="0.4", price="59000")), edited(*events))
    assert (amended.status, amended.filled) == (status, Decimal(filled))
    assert amended.average_price == (None if average is None else Decimal(average))
    assert (amended.quantity, amended.price) == (Decimal("0.4"), 59000)


@pytest.mark.parametrize(
    ("quantity", "filled", "reduced", "whole"),
    [
        pytest.param(0.25, 0, 0.15, "0.25", id="nothing executed: both readings are one"),
        pytest.param(0.25, 0.1, 0.15, "0.25", id="the quantity is the whole"),
        pytest.param(0.15, 0.1, 0.15, "0.25", id="the quantity is what remains"),
        pytest.param(0.2, 0, 0.7, "0.2", id="a reduction that is none: the order's own quantity counts"),
        pytest.param(0.4, 0, None, "0.4", id="no reduction"),
    ],
)
def test_an_order_that_was_reduced_is_smaller_than_was_asked(
    rest: FuturesRest, run: Any, quantity: float, filled: float, reduced: float | None, whole: str
) -> None:
    order = standing(str(filled), reduce_only=True)
    events = changed(quantity, filled, reduced)
    amended, _ = run(rest.amend(order, Amendment(quantity="0.4")), edited(events))
    assert amended.quantity == Decimal(whole)


STILL_THERE = {"orders": [{"order": {"type": "ORDER", "orderId": ID}, "status": "ENTERED_BOOK"}]}
GONE = {"orders": [{"order": {"type": "ORDER", "orderId": ID}, "status": "CANCELLED"}]}
WORDS = sorted({*REFUSALS, *EDIT_REFUSALS, "aWordOfTomorrow"} - {"notFound", "orderForEditNotFound"})


@pytest.mark.parametrize("word", WORDS)
def test_every_refusal_of_an_edit(rest: FuturesRest, run: Any, word: str) -> None:
    """It does not say whether the order outlived it, so that is asked, once, with a read."""
    with pytest.raises(OrderRefused, match=word) as caught:
        run(rest.amend(standing(), Amendment(price="59000")), edited(status=word), STILL_THERE)
    assert not isinstance(caught.value, OrderNotFound)
    assert caught.value.codes == (word,)
    assert isinstance(caught.value, InsufficientFunds) == (word == "insufficientAvailableFunds")


@pytest.mark.parametrize("word", ["notFound", "orderForEditNotFound"])
def test_an_edit_of_what_is_not_open(rest: FuturesRest, run: Any, word: str) -> None:
    with pytest.raises(OrderNotFound, match=word):
        run(rest.amend(standing(), Amendment(price="59000")), edited(status=word))


def test_an_order_that_did_not_outlive_a_refused_edit_has_to_be_asked_for(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(OrderNotFound, match="the edit was refused, and the order is over") as caught:
        run(rest.amend(standing(), Amendment(price="59000")), edited(status="postWouldExecute"), GONE)
    assert caught.value.codes == ("postWouldExecute",)


@pytest.mark.parametrize("error", [AuthenticationError("no"), ProtocolError("odd"), BadRequest("what?")])
def test_a_refusal_stays_one_when_the_order_cannot_be_looked_at(
    rest: FuturesRest, run: Any, error: ExchangeError
) -> None:
    with pytest.raises(OrderRefused, match="invalidPrice"):
        run(rest.amend(standing(), Amendment(price="59000")), edited(status="invalidPrice"), error)


@pytest.mark.parametrize(
    "body",
    [
        edited(status="placed"),
        edited(status="cancelled"),
        edited({"type": "CANCEL", "uid": ID}, status="postWouldExecute"),
        edited({**execution(0.1, 59000), "price": "x"}),
        {},
        b"<html>",
    ],
)
def test_an_edit_whose_answer_contradicts_itself_leaves_it_open(rest: FuturesRest, run: Any, body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        run(rest.amend(standing(), Amendment(price="59000")), body)


# Batches


def placed(tag: int, *events: dict[str, Any], status: str = "placed") -> dict[str, Any]:
    return {"status": status, "order_tag": str(tag), "order_id": f"o-{tag}", "orderEvents": [*events]}


def items(call: RestCall) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call.params["json"])["batchOrder"]
    return found


def test_several_orders_are_one_call_and_have_one_deadline(rest: FuturesRest, run: Any) -> None:
    asked = [
        request(client_order_id="one", deadline=LATER),
        request(client_order_id="two", symbol="BTC/USD:BTC", quantity=10, time_in_force="ioc", deadline=LATER),
        request(client_order_id="three", deadline=LATER, **STOP_LIMIT),
    ]
    filled = {"type": "EXECUTION", "executionId": "e", "price": 50000, "amount": 4}
    more = {"type": "EXECUTION", "executionId": "f", "price": 60000, "amount": 6}
    rows = [placed(3), placed(2, filled, more), placed(1, status="insufficientAvailableFunds")]
    (first, second, third), (call,) = run(rest.place_batch(asked), {"batchStatus": rows})
    assert (call.path, call.changes_state) == ("/derivatives/api/v3/batchorder", True)
    assert call.costs == batch_units(3)
    assert call.params["processBefore"] == call.params["ProcessBefore"] == "2026-01-05T12:00:05.000000Z"
    assert [item["cliOrdId"] for item in items(call)] == ["one", "two", "three"]
    assert isinstance(first, InsufficientFunds)
    # Filled at once, with the harmonic mean of an inverse contract.
    assert (second.status, second.filled) == (OrderStatus.FILLED, 10)
    assert second.average_price.quantize(Decimal("0.0001")) == Decimal("55555.5556")
    assert (third.status, third.venue_order_id, third.request) == (OrderStatus.OPEN, "o-3", asked[2])


def test_what_a_batch_cannot_say_does_not_keep_the_others_from_it(rest: FuturesRest, run: Any) -> None:
    asked = [
        request(client_order_id="one", leverage=2),
        request(client_order_id="two"),
        request(client_order_id="three", price="60000.5"),
        request(client_order_id="four", **STOP_LIMIT | {"price": None, "limit_offset": "-5"}),
    ]
    outcomes, (call,) = run(rest.place_batch(asked), {"batchStatus": [placed(1)]})
    assert [type(one) for one in outcomes] == [NotSupported, Order, OrderRefused, NotSupported]
    assert [item["cliOrdId"] for item in items(call)] == ["two"]


def test_where_nothing_is_left_nothing_is_sent(rest: FuturesRest, run: Any) -> None:
    outcomes, calls = run(rest.place_batch([request(leverage=2), request(leverage=3)]))
    assert calls == []
    assert all(isinstance(one, NotSupported) for one in outcomes)


def test_an_order_of_a_batch_without_a_result_is_unknown(rest: FuturesRest, run: Any) -> None:
    asked = [request(client_order_id="one"), request(client_order_id="two")]
    outcomes, _ = run(rest.place_batch(asked), {"batchStatus": []})
    assert all(isinstance(one, OutcomeUnknown) for one in outcomes)


@pytest.mark.parametrize(
    ("terms", "goes"),
    [
        ({}, True),
        ({"price": None}, True),
        (STOP_LIMIT, True),
        (TRAIL, True),
        pytest.param(STOP, False, id="by the page of batches a stop needs a limit"),
        pytest.param(STOP | {"type": "take_profit"}, False, id="and so may a take-profit"),
        (STOP_LIMIT | {"price": None, "limit_offset": "-5"}, False),
    ],
)
def test_what_goes_in_a_batch(rest: FuturesRest, terms: dict[str, Any], goes: bool) -> None:
    assert rest.goes_in_batch(request(**terms)) is goes


def test_orders_are_taken_out_with_one_call(rest: FuturesRest, run: Any) -> None:
    orders = [
        standing(),
        attrs.evolve(standing(), venue_order_id="o-2"),
        attrs.evolve(standing(), venue_order_id=None, client_order_id="mine"),
        standing(),
    ]
    rows = [
        {"status": "cancelled", "order_id": ID},
        {"status": "notFound", "order_id": "o-2"},
        {"status": "filled", "order_id": "o-3", "cliOrdId": "mine"},
    ]
    result, (call,) = run(rest.cancel_batch(orders), {"batchStatus": rows})
    assert result is None
    assert [item.get("order_id") or item.get("cliOrdId") for item in items(call)] == [ID, "o-2", "mine"]
    assert {item["order"] for item in items(call)} == {"cancel"}
    assert call.costs == batch_units(3, urgent=True)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [([], OutcomeUnknown), ([{"status": "perhaps", "order_id": ID}], OutcomeUnknown)],
)
def test_a_cancel_that_is_in_doubt_is_told(rest: FuturesRest, run: Any, rows: list[Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        run(rest.cancel_batch([standing()]), {"batchStatus": rows})


def test_an_order_without_any_id_is_not_cancelled_with_others(rest: FuturesRest) -> None:
    with pytest.raises(InvalidValue, match="none was sent"):
        next(rest.cancel_batch([standing(), attrs.evolve(standing(), venue_order_id=None, client_order_id=None)]))


# All of them


def test_all_orders_are_taken_out_with_one_call_that_names_no_contract(rest: FuturesRest, run: Any) -> None:
    body = {"cancelStatus": {"status": "noOrdersToCancel", "cancelOnly": "all", "cancelledOrders": []}}
    result, (call,) = run(rest.cancel_all(), body)
    assert (result, call.path, sent(call)) == ([], "/derivatives/api/v3/cancelallorders", {})
    assert call.costs == units("cancelallorders", urgent=True)


def test_orders_of_one_contract_are_taken_out_with_one_call_that_names_it(rest: FuturesRest, run: Any) -> None:
    """What ended is told as far as the answer has it: of an order with no more than an id, not how much was filled."""
    order = {"orderId": "a", "cliOrdId": "mine", "symbol": "PF_XBTUSD", "side": "buy", "type": "lmt"}
    order |= {"quantity": 3, "filled": 1, "limitPrice": 5, "reduceOnly": False}
    status = {
        "status": "cancelled",
        "cancelOnly": "PF_XBTUSD",
        "cancelledOrders": [{"order_id": "a", "cliOrdId": "mine"}, {"order_id": "b"}],
        "orderEvents": [{"type": "CANCEL", "uid": "a", "order": order}],
    }
    ended, (call,) = run(rest.cancel_symbol(Symbol.parse("BTC/USD:USD")), {"cancelStatus": status})
    assert (call.path, sent(call)) == ("/derivatives/api/v3/cancelallorders", {"symbol": "PF_XBTUSD"})
    assert call.costs == units("cancelallorders", urgent=True)
    assert [(each.venue_order_id, each.client_order_id, each.status, each.filled) for each in ended] == [
        ("a", "mine", OrderStatus.CANCELED, Decimal(1)),
        ("b", None, None, None),
    ]


@pytest.mark.parametrize("scope", ["all", "PI_XBTUSD"])
def test_an_answer_of_another_scope_is_no_good_end(rest: FuturesRest, run: Any, scope: str) -> None:
    body = {"cancelStatus": {"status": "cancelled", "cancelOnly": scope, "cancelledOrders": [{"order_id": "a"}]}}
    with pytest.raises(OutcomeUnknown, match="says that it canceled"):
        run(rest.cancel_symbol(Symbol.parse("BTC/USD:USD")), body)


def test_a_contract_that_is_not_listed_is_never_left_out_of_the_call(rest: FuturesRest) -> None:
    """Without its name the call would be for all of them."""
    with pytest.raises(UnknownSymbol):
        next(rest.cancel_symbol(Symbol.parse("NEW/USD:USD")))


@pytest.mark.parametrize(("seconds", "told", "fires"), [(60, "2026-01-05T12:01:00Z", True), (0, "0", False)])
def test_the_dead_mans_switch(rest: FuturesRest, run: Any, seconds: int, told: str, fires: bool) -> None:
    body = {"status": {"currentTime": "2026-01-05T12:00:00Z", "triggerTime": told}}
    at, (call,) = run(rest.cancel_all_after(seconds), body)
    assert at == (datetime(2026, 1, 5, 12, 1, tzinfo=UTC) if fires else None)
    assert call.params == {"timeout": seconds}
    assert call.changes_state
