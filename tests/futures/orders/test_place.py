"""An order is what its status and its events say; "success" says nothing."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.rest import RestCall
from exchange_core.errors import (
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    InvalidValue,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
)
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from kraken_futures.limits import units
from kraken_futures.parse.outcomes import REFUSALS
from kraken_futures.rest.operations import FuturesRest

LINEAR, INVERSE = "BTC/USD:USD", "BTC/USD:BTC"
ID = "61ca5732-3478-42fe-8362-abbfd9465294"


def order(**options: Any) -> OrderRequest:
    terms = {"symbol": LINEAR, "side": "buy", "quantity": "0.3", "price": "60000", "client_order_id": "c-1"}
    return OrderRequest(**{**terms, **options})


MARKET = order(price=None)
IOC = order(time_in_force="ioc")


def execution(
    amount: float, price: float, number: int = 1, owner: str = ID, client_id: str | None = None
) -> dict[str, Any]:
    return {
        "type": "EXECUTION",
        "executionId": f"e{number}",
        "price": price,
        "amount": amount,
        "orderPriorEdit": None,
        "orderPriorExecution": {
            "orderId": owner,
            "cliOrdId": client_id,
            "quantity": 10,
            "filled": 0,
            "limitPrice": 75000,
        },
        "takerReducedQuantity": None,
    }


PLACE = {"type": "PLACE", "order": {"orderId": ID, "quantity": 0.3, "filled": 0}, "reducedQuantity": None}
REJECT = {"type": "REJECT", "uid": ID, "order": {"orderId": ID}, "reason": "POST_WOULD_EXECUTE"}
CANCEL = {"type": "CANCEL", "uid": ID, "order": {"orderId": ID}}


def answer(status: str, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = {"order_id": ID, "status": status, "receivedTime": "2026-01-05T12:00:00.888Z", "orderEvents": events}
    return {"sendStatus": {**content, **more}}


def place(rest: FuturesRest, run: Any, request: OrderRequest, *answers: Any) -> tuple[Order, RestCall]:
    placed, (call,) = run(rest.place(request), *answers)
    return placed, call


def refusal(rest: FuturesRest, run: Any, request: OrderRequest, *answers: Any) -> ExchangeError:
    with pytest.raises(ExchangeError) as caught:
        run(rest.place(request), *answers)
    return caught.value


@pytest.mark.parametrize(
    ("options", "params"),
    [
        pytest.param({}, {"orderType": "lmt", "limitPrice": "60000"}, id="limit"),
        pytest.param({"post_only": True}, {"orderType": "post", "limitPrice": "60000"}, id="post only"),
        pytest.param({"time_in_force": "ioc"}, {"orderType": "ioc", "limitPrice": "60000"}, id="ioc"),
        pytest.param({"time_in_force": "fok"}, {"orderType": "fok", "limitPrice": "60000"}, id="fok"),
        pytest.param({"price": None}, {"orderType": "mkt"}, id="market"),
        pytest.param({"price": None, "time_in_force": "ioc"}, {"orderType": "mkt"}, id="market is ioc anyway"),
        pytest.param(
            {"reduce_only": True}, {"orderType": "lmt", "limitPrice": "60000", "reduceOnly": True}, id="reduce"
        ),
        pytest.param({"side": "sell"}, {"orderType": "lmt", "limitPrice": "60000", "side": "sell"}, id="sell"),
        pytest.param(
            {"deadline": datetime(2026, 1, 5, 12, 0, 5, 250001, tzinfo=UTC)},
            {"orderType": "lmt", "limitPrice": "60000", "processBefore": "2026-01-05T12:00:05.250001Z"},
            id="deadline",
        ),
        pytest.param({"quantity": "1E+3"}, {"orderType": "lmt", "limitPrice": "60000", "size": "1000"}, id="digits"),
    ],
)
def test_each_parameter_is_sent_as_the_venue_takes_it(
    rest: FuturesRest, run: Any, options: dict[str, Any], params: dict[str, Any]
) -> None:
    request = order(**options)
    _, call = place(rest, run, request, answer("placed", PLACE, execution(float(request.quantity), 60000.0)))
    expected = {"symbol": "PF_XBTUSD", "side": "buy", "size": "0.3", "cliOrdId": "c-1", **params}
    assert {name: value for name, value in call.params.items() if value is not None} == expected
    assert (call.method, call.path) == ("POST", "/derivatives/api/v3/sendorder")
    assert call.private
    assert call.changes_state
    assert call.costs == units("sendorder")


def test_a_market_order_cannot_be_all_or_nothing(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(NotSupported, match="fill-or-kill"):
        run(rest.place(order(price=None, time_in_force="fok")))


@pytest.mark.parametrize(
    ("request_", "reply", "status", "filled", "average"),
    [
        pytest.param(order(), answer("placed", PLACE), OrderStatus.OPEN, "0", None, id="rests"),
        pytest.param(order(), answer("placed"), OrderStatus.OPEN, "0", None, id="a limit order without events rests"),
        pytest.param(
            order(),
            answer("placed", execution(0.3, 59000.5)),
            OrderStatus.FILLED,
            "0.3",
            "59000.5",
            id="filled at once",
        ),
        pytest.param(
            order(),
            answer("placed", execution(0.1, 59000), execution(0.2, 59300, 2)),
            OrderStatus.FILLED,
            "0.3",
            "59200",
            id="average is weighted",
        ),
        pytest.param(
            order(),
            answer("placed", execution(0.1, 59000), PLACE),
            OrderStatus.PARTIALLY_FILLED,
            "0.1",
            "59000",
            id="executed in part, the rest rests",
        ),
        pytest.param(
            order(),
            answer("placed", PLACE, execution(0.1, 59000)),
            OrderStatus.PARTIALLY_FILLED,
            "0.1",
            "59000",
            id="events in the other order",
        ),
        pytest.param(
            IOC, answer("placed", execution(0.1, 59000)), OrderStatus.CANCELED, "0.1", "59000", id="ioc drops the rest"
        ),
        pytest.param(IOC, answer("placed", CANCEL), OrderStatus.CANCELED, "0", None, id="ioc canceled whole"),
        pytest.param(MARKET, answer("placed", execution(0.3, 59000)), OrderStatus.FILLED, "0.3", "59000", id="market"),
        pytest.param(
            MARKET,
            answer("placed", execution(0.2, 59000)),
            OrderStatus.CANCELED,
            "0.2",
            "59000",
            id="market beyond its price band",
        ),
        pytest.param(
            MARKET,
            answer("iocWouldNotExecute", execution(0.2, 59000), REJECT),
            OrderStatus.CANCELED,
            "0.2",
            "59000",
            id="refused after it executed in part is no refusal",
        ),
        pytest.param(order(), answer("filled"), OrderStatus.FILLED, "0.3", None, id="filled, without events"),
        pytest.param(
            order(), answer("partiallyFilled", execution(0.1, 59000)), OrderStatus.PARTIALLY_FILLED, "0.1", "59000"
        ),
        pytest.param(order(), answer("cancelled"), OrderStatus.CANCELED, "0", None, id="accepted, then canceled"),
        pytest.param(
            order(), answer("newWord", PLACE), OrderStatus.OPEN, "0", None, id="an unknown word, and yet it was placed"
        ),
        pytest.param(
            MARKET,
            answer("newWord", execution(0.3, 59000)),
            OrderStatus.FILLED,
            "0.3",
            "59000",
            id="an unknown word, and yet it was executed",
        ),
    ],
)
def test_what_became_of_an_order(
    rest: FuturesRest,
    run: Any,
    request_: OrderRequest,
    reply: dict[str, Any],
    status: OrderStatus,
    filled: str,
    average: str | None,
) -> None:
    placed, _ = place(rest, run, request_, reply)
    assert placed.status is status
    assert placed.filled == Decimal(filled)
    assert placed.average_price == (None if average is None else Decimal(average))
    assert placed.venue_order_id == ID
    assert placed.client_order_id == "c-1"
    assert placed.venue == "futures"
    assert placed.created == datetime(2026, 1, 5, 12, 0, 0, 888000, tzinfo=UTC)
    assert not placed.unknown


TRIGGER = {"type": "PLACE", "orderTrigger": {"uid": ID, "clientId": "c-1", "type": "stp", "quantity": 0.3}}
STOP = order(type="stop", price=None, trigger_price="58000")


@pytest.mark.parametrize(
    ("events", "status", "filled"),
    [
        pytest.param([TRIGGER], OrderStatus.OPEN, "0", id="it waits"),
        pytest.param([], OrderStatus.OPEN, "0", id="without events"),
        pytest.param([TRIGGER, execution(0.3, 57990)], OrderStatus.FILLED, "0.3", id="it fired at once"),
        pytest.param(
            [TRIGGER, execution(0.3, 57990, owner="another", client_id="c-1")],
            OrderStatus.FILLED,
            "0.3",
            id="it fired at once, and executed under another id",
        ),
        pytest.param(
            [TRIGGER, execution(0.3, 57990, owner="another", client_id="c-2")],
            OrderStatus.OPEN,
            "0",
            id="somebody else's executions",
        ),
        pytest.param(
            [TRIGGER, execution(0.1, 57990), CANCEL], OrderStatus.CANCELED, "0.1", id="fired, and dropped the rest"
        ),
    ],
)
def test_what_became_of_a_stop(
    rest: FuturesRest, run: Any, events: list[dict[str, Any]], status: OrderStatus, filled: str
) -> None:
    for told in (answer("placed", *events), answer("placed", *events, order_id=None if TRIGGER in events else ID)):
        placed, _ = place(rest, run, STOP, told)
        assert (placed.status, placed.filled, placed.venue_order_id) == (status, Decimal(filled), ID)
        assert placed.request == STOP


def test_a_stop_that_is_refused_when_it_is_placed(rest: FuturesRest, run: Any) -> None:
    event = {"type": "REJECT", "uid": ID, "orderTrigger": TRIGGER["orderTrigger"], "reason": "INVALID_PRICE"}
    assert type(refusal(rest, run, STOP, answer("invalidPrice", event))) is OrderRefused


def test_the_average_of_an_inverse_contract_is_harmonic(rest: FuturesRest, run: Any) -> None:
    request = order(symbol=INVERSE, quantity="4000", price="60000")
    placed, _ = place(rest, run, request, answer("placed", execution(1000, 50000), execution(3000, 60000, 2)))
    assert str(placed.average_price).startswith("57142.857142857142857")


def test_the_same_execution_twice_and_executions_of_others_count_once(rest: FuturesRest, run: Any) -> None:
    events = [execution(0.1, 59000, 1), execution(0.1, 59000, 1), execution(0.2, 59000, 2, owner="someone-else")]
    placed, _ = place(rest, run, order(), answer("placed", *events))
    assert placed.filled == Decimal("0.1")


def test_the_synthetic_price_of_a_market_order_is_not_its_average(rest: FuturesRest, run: Any) -> None:
    """Market orders are echoed with a limit price one percent away (67261 against a fill of 66596)."""
    placed, _ = place(rest, run, MARKET, answer("placed", execution(0.3, 66596)))
    assert placed.average_price == 66596


def test_the_id_is_found_in_the_events_where_the_status_has_none(rest: FuturesRest, run: Any) -> None:
    placed, _ = place(rest, run, order(), answer("placed", PLACE, order_id=None))
    assert placed.venue_order_id == ID


# In schema and prose of the documentation, without those of edits only.
DOCUMENTED = [
    *("marketSuspended", "marketInactive", "marketIsPostOnly", "invalidPrice", "invalidSize", "outsidePriceCollar"),
    *("wouldIncreasePriceDislocation", "tooManySmallOrders", "tooManyOrders", "insufficientAvailableFunds"),
    *("wouldCauseLiquidation", "maxPositionViolation", "fixedLeverageTooHigh", "clientOrderIdAlreadyExist"),
    *("clientOrderIdTooBig", "clientOrderIdTooLong", "clientOrderIdInvalid", "postWouldExecute", "iocWouldNotExecute"),
    *("selfFill", "wouldNotReducePosition", "notFound", "wouldProcessAfterSpecifiedTime", "invalidOrderType"),
    "invalidSide",
]


def test_every_documented_refusal_is_in_the_table() -> None:
    assert set(DOCUMENTED) == set(REFUSALS)


# The schema of sendorder has these too: of edits, and of what was taken.
OTHERS = [
    *("orderForEditNotFound", "orderForEditNotAStop"),
    *("cannotEditTriggerPriceOfTrailingStop", "cannotEditLimitPriceOfTrailingStop"),
]


@pytest.mark.parametrize("status", [*DOCUMENTED, *OTHERS, "aWordOfTomorrow"])
@pytest.mark.parametrize("events", [pytest.param([], id="empty"), pytest.param([REJECT], id="reject")])
def test_a_refusal_is_an_error_although_the_answer_says_success(
    rest: FuturesRest, run: Any, status: str, events: list[Any]
) -> None:
    error = refusal(rest, run, order(), answer(status, *events))
    assert isinstance(error, OrderRefused)
    assert error.codes == (status,)
    assert status in str(error)
    assert isinstance(error, InsufficientFunds) == (status == "insufficientAvailableFunds")


def test_a_refusal_may_come_without_id_and_events(rest: FuturesRest, run: Any) -> None:
    reply = {"sendStatus": {"receivedTime": "2016-02-25T09:45:53.601Z", "status": "insufficientAvailableFunds"}}
    assert isinstance(refusal(rest, run, order(), reply), InsufficientFunds)


def test_placed_and_rejected_at_once_is_refused(rest: FuturesRest, run: Any) -> None:
    assert isinstance(refusal(rest, run, IOC, answer("placed", REJECT)), OrderRefused)


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        pytest.param(order(), answer("postWouldExecute", PLACE), id="refused and placed"),
        pytest.param(MARKET, answer("placed"), id="a market order of which nothing is told"),
        pytest.param(IOC, answer("placed", orderEvents=None), id="an ioc order of which nothing is told"),
        pytest.param(order(), answer("partiallyFilled"), id="filled in part, not told how much"),
        pytest.param(order(), answer("edited"), id="the word for another call"),
        pytest.param(order(), answer("placed", {"type": "EXECUTION", "executionId": "e"}), id="execution of nothing"),
        pytest.param(order(), answer("placed", execution(float("1e99"), 1)), id="absurd execution"),
        pytest.param(order(), answer("placed", receivedTime="yesterday"), id="unreadable time"),
        pytest.param(order(), {}, id="no status at all"),
        pytest.param(order(), b"<html>", id="a page"),
        pytest.param(order(), b'{"result":"error","error":"Server Error"}', id="internal failure"),
    ],
)
def test_what_contradicts_itself_leaves_the_outcome_open(
    rest: FuturesRest, run: Any, request_: OrderRequest, reply: Any
) -> None:
    assert isinstance(refusal(rest, run, request_, reply), OutcomeUnknown)


def test_a_bad_request_is_a_refused_order(rest: FuturesRest, run: Any) -> None:
    error = refusal(rest, run, order(), b'{"result":"error","error":"invalidArgument: size"}')
    assert type(error) is OrderRefused
    assert error.codes == ("invalidArgument: size",)
    assert isinstance(error.__cause__, BadRequest)


# Cancel.

OPEN = Order(request=order(), venue="futures", status=OrderStatus.OPEN, venue_order_id=ID, client_order_id="c-1")


def canceled(status: str, *events: dict[str, Any]) -> dict[str, Any]:
    return {"cancelStatus": {"status": status, "order_id": ID, "orderEvents": events}}


@pytest.mark.parametrize(
    ("known", "params"),
    [
        pytest.param(OPEN, {"order_id": ID}, id="by the venue's id"),
        pytest.param(Order(request=order(), client_order_id="c-1"), {"cliOrdId": "c-1"}, id="by ours"),
    ],
)
def test_cancel_names_one_order(rest: FuturesRest, run: Any, known: Order, params: dict[str, str]) -> None:
    result, (call,) = run(rest.cancel(known), canceled("cancelled", CANCEL))
    assert result is None
    assert call.params == params
    assert call.path == "/derivatives/api/v3/cancelorder"
    assert call.changes_state
    assert all(cost.urgent for cost in call.costs)


def test_an_order_without_any_id_is_not_sent(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(InvalidValue):
        run(rest.cancel(Order(request=order())))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (canceled("filled"), OrderNotFound),
        (canceled("notFound"), OrderNotFound),
        (b'{"result":"error","error":"notFound"}', OrderNotFound),
        (canceled("perhaps"), OutcomeUnknown),
        ({}, OutcomeUnknown),
    ],
)
def test_cancel_says_when_nothing_was_canceled(
    rest: FuturesRest, run: Any, reply: Any, kind: type[ExchangeError]
) -> None:
    with pytest.raises(kind):
        run(rest.cancel(OPEN), reply)


def test_a_cancel_event_counts_whatever_the_word(rest: FuturesRest, run: Any) -> None:
    run(rest.cancel(OPEN), canceled("perhaps", CANCEL))


def test_messages_name_the_order(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(OrderNotFound, match=re.escape(f"cancel {ID} of {LINEAR}")):
        run(rest.cancel(OPEN), canceled("filled"))


@pytest.mark.parametrize(
    ("events", "status"),
    [
        pytest.param([(0.1, 0.2)], OrderStatus.FILLED, id="the rest was taken away"),
        pytest.param([(0.1, 0.1)], OrderStatus.PARTIALLY_FILLED, id="some of the rest was"),
        pytest.param([(0.1, 0.4)], OrderStatus.PARTIALLY_FILLED, id="more than there was: that says nothing"),
        pytest.param([(0.1, 0.1), (0.1, 0.1)], OrderStatus.FILLED, id="told with each execution"),
    ],
)
def test_reduce_only_may_make_an_order_smaller_as_it_executes(
    rest: FuturesRest, run: Any, events: list[tuple[float, float]], status: OrderStatus
) -> None:
    happened = [
        {**execution(amount, 60000, number), "takerReducedQuantity": reduced}
        for number, (amount, reduced) in enumerate(events)
    ]
    answer = {"sendStatus": {"order_id": ID, "status": "placed", "orderEvents": happened}}
    placed, _ = run(rest.place(order(reduce_only=True)), answer)
    assert placed.status is status
    answer["sendStatus"]["orderEvents"] = [*happened, PLACE]
    placed, _ = run(rest.place(order(reduce_only=True)), answer)
    assert placed.status is OrderStatus.PARTIALLY_FILLED


def test_what_has_a_deadline_does_not_wait_for_a_limit_until_it_is_too_late(rest: FuturesRest, run: Any) -> None:
    """The venue would refuse it, and count it."""
    deadline = datetime(2026, 1, 5, 12, 0, 1, tzinfo=UTC)
    _, (call,) = run(rest.place(order(deadline=deadline)), {"sendStatus": {"status": "placed", "order_id": ID}})
    assert call.leave_by is not None
    assert timedelta(0) < deadline - call.leave_by < timedelta(seconds=0.5)
    _, (call,) = run(rest.place(order()), {"sendStatus": {"status": "placed", "order_id": ID}})
    assert call.leave_by is None
