"""Many orders in one call: each with its own result, and one unknown outcome for all without an answer."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.errors import (
    InsufficientFunds,
    InvalidValue,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
)
from exchange_core.model.order import OrderStatus
from kraken_futures.auth import FuturesSigner
from kraken_futures.limits import batch_units
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.rest.batch import batch_json
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.trading import Canceled, Edited, Sent

LINEAR, INVERSE = "BTC/USD:USD", "BTC/USD:BTC"

# Computed apart from this code, with the secret that Kraken prints in its guide and its sample nonce.
VECTOR_JSON = (
    '{"batchOrder":[{"order":"send","order_tag":"1","orderType":"lmt","symbol":"PF_XBTUSD","side":"buy",'
    '"size":0.0001,"limitPrice":1000},{"order":"cancel","order_id":"e35d61dd-8a30-4d5f-a574-b5593ef0c050"}]}'
)
VECTOR_NONCE = 1415957147987
VECTOR_SIGNATURE = "CYDT8gO5ybfXoXIe8V3M41tqWOwo+aH5dfOcvDtXuSku80/fg/Q792oqtsdPZCk9F6Uk4hnevFWfi6H/Pbl1tQ=="


def order(client_id: str, **options: Any) -> FuturesOrder:
    terms = {"symbol": INVERSE, "side": "buy", "quantity": 1000, "kind": "lmt", "limit_price": 9400}
    return FuturesOrder(**{**terms, "client_order_id": client_id, **options})


def items_of(call: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call.params["json"])["batchOrder"]
    return found


def test_the_text_is_that_of_the_signature_vector(rest: FuturesRest, signer: FuturesSigner) -> None:
    items = [
        {
            "order": "send",
            "order_tag": "1",
            "orderType": "lmt",
            "symbol": "PF_XBTUSD",
            "side": "buy",
            "size": Decimal("0.0001"),
            "limitPrice": Decimal(1000),
            "stopPrice": None,
        },
        {"order": "cancel", "order_id": "e35d61dd-8a30-4d5f-a574-b5593ef0c050", "cliOrdId": None},
    ]
    assert batch_json(items) == VECTOR_JSON
    call = next(rest.orders.batch([order("c")]))
    signed = signer.sign(attrs.evolve(call, params={"json": VECTOR_JSON}), VECTOR_NONCE)
    assert signed.headers["Authent"] == VECTOR_SIGNATURE


def test_items_are_written_with_numbers_booleans_and_all_digits(rest: FuturesRest) -> None:
    stop = order(
        "c-2", symbol=LINEAR, kind="stp", quantity="0.0007", stop_price=8000, limit_price=None, reduce_only=True
    )
    edit = OrderEdit(order_id="o-1", quantity=Decimal("1E+3"), limit_price="0.00000051")
    call = next(rest.orders.batch([order("c-1"), stop, edit, OrderCancel(client_order_id="x")]))
    assert call.path == "/derivatives/api/v3/batchorder"
    assert call.changes_state
    assert call.costs == batch_units(4)
    assert items_of(call) == [
        {
            "order": "send",
            "order_tag": "1",
            "orderType": "lmt",
            "symbol": "PI_XBTUSD",
            "side": "buy",
            "size": 1000,
            "limitPrice": 9400,
            "cliOrdId": "c-1",
        },
        {
            "order": "send",
            "order_tag": "2",
            "orderType": "stp",
            "symbol": "PF_XBTUSD",
            "side": "buy",
            "size": 0.0007,
            "stopPrice": 8000,
            "triggerSignal": "mark",
            "cliOrdId": "c-2",
            "reduceOnly": True,
        },
        {"order": "edit", "order_id": "o-1", "size": 1000, "qtyMode": "ABSOLUTE", "limitPrice": 0.00000051},
        {"order": "cancel", "cliOrdId": "x"},
    ]
    assert '"size":0.0007' in call.params["json"]
    assert '"size":1000,"qtyMode"' in call.params["json"]
    assert '"limitPrice":0.00000051' in call.params["json"]


def test_the_documented_batch(rest: FuturesRest, run: Any, captures: Path) -> None:
    asked = [
        order("c-1"),
        OrderEdit(order_id="9c2cbcc8-14f6-42fe-a020-6e395babafd1", quantity=1000, limit_price=9400),
        OrderCancel(order_id="566942c8-a3b5-4184-a451-622b09493129"),
    ]
    body = (captures / "futures/rest/doc_batch_order.json").read_bytes()
    (sent, edited, canceled), _ = run(rest.orders.batch(asked), body)
    assert [one.asked for one in (sent, edited, canceled)] == asked
    assert [one.word for one in (sent, edited, canceled)] == ["placed", "edited", "cancelled"]
    assert isinstance(sent.result, Sent)
    assert (sent.result.status, sent.result.order_id) == (OrderStatus.OPEN, "022774bc-2c4a-4f26-9317-436c8d85746d")
    assert sent.result.received == datetime(2019, 9, 5, 16, 41, 35, 173000, tzinfo=UTC)
    assert isinstance(edited.result, Edited)
    assert (edited.result.before.quantity, edited.result.after.quantity) == (102, 1000)  # type: ignore[union-attr]
    assert isinstance(canceled.result, Canceled)
    assert canceled.result.order.quantity == 100  # type: ignore[union-attr]


def test_partial_success_is_told_item_by_item_whatever_their_order(rest: FuturesRest, run: Any) -> None:
    rows = [
        {"status": "notFound", "order_id": "gone", "order_tag": None},
        {"status": "insufficientAvailableFunds", "order_tag": "2"},
        {"status": "placed", "order_tag": "1", "order_id": "o-1"},
        {"status": "cancelled", "order_id": "o-9", "cliOrdId": "mine"},
    ]
    asked = [order("c-1"), order("c-2"), OrderCancel(order_id="gone"), OrderCancel(client_order_id="mine")]
    (first, second, third, fourth), _ = run(rest.orders.batch(asked), {"batchStatus": rows})
    assert (first.error, first.result.order_id) == (None, "o-1")
    assert (second.result, second.word) == (None, "insufficientAvailableFunds")
    assert isinstance(second.error, OrderRefused)
    assert isinstance(third.error, OrderNotFound)
    assert fourth.result.order_id == "o-9"


def test_an_item_without_a_result_is_unknown(rest: FuturesRest, run: Any) -> None:
    rows = [{"status": "placed", "order_tag": "2", "order_id": "o-2"}]
    (first, second, third), _ = run(
        rest.orders.batch([order("c-1"), order("c-2"), OrderCancel(order_id="o-3")]), {"batchStatus": rows}
    )
    assert isinstance(first.error, OutcomeUnknown)
    assert "c-1" in str(first.error)
    assert second.error is None
    assert isinstance(third.error, OutcomeUnknown)


def test_results_are_never_guessed_by_place_when_several_are_open(rest: FuturesRest, run: Any) -> None:
    rows = [{"status": "cancelled"}, {"status": "notFound"}]
    asked = [OrderCancel(order_id="a"), OrderCancel(order_id="b")]
    found, _ = run(rest.orders.batch(asked), {"batchStatus": rows})
    assert all(isinstance(one.error, OutcomeUnknown) for one in found)


def test_one_result_without_ids_belongs_to_the_one_item_that_is_left(rest: FuturesRest, run: Any) -> None:
    rows = [{"status": "placed", "order_tag": "1", "order_id": "o-1"}, {"status": "requiredArgumentMissing"}]
    asked = [order("c-1"), OrderEdit(client_order_id="mine", quantity=1)]
    (_, edited), _ = run(rest.orders.batch(asked), {"batchStatus": rows})
    assert isinstance(edited.error, OrderRefused)
    assert edited.word == "requiredArgumentMissing"


def test_a_filled_order_of_a_batch_is_filled(rest: FuturesRest, run: Any) -> None:
    event = {"type": "EXECUTION", "executionId": "e", "price": 9400, "amount": 1000, "orderPriorExecution": {}}
    rows = [{"status": "placed", "order_tag": "1", "order_id": "o-1", "orderEvents": [event]}]
    (sent,), _ = run(rest.orders.batch([order("c-1")]), {"batchStatus": rows})
    assert (sent.result.status, sent.result.average_price) == (OrderStatus.FILLED, 9400)


# As documented, and what was seen beside it.
WORDS = [
    *("placed", "edited", "cancelled", "filled", "invalidOrderType", "invalidSide", "invalidSize", "invalidPrice"),
    *("insufficientAvailableFunds", "selfFill", "tooManySmallOrders", "marketSuspended", "marketInactive"),
    *("clientOrderIdAlreadyExist", "clientOrderIdTooLong", "outsidePriceCollar", "postWouldExecute"),
    *("iocWouldNotExecute", "requiredArgumentMissing", "notFound", "aWordOfTomorrow"),
]
ITEMS: dict[str, tuple[Any, dict[str, type]]] = {
    "send": (order("c-1"), {"placed": Sent, "cancelled": Sent, "filled": Sent, "edited": OutcomeUnknown}),
    "edit": (
        OrderEdit(order_id="o-1", quantity=1),
        {"edited": Edited, "notFound": OrderNotFound}
        | dict.fromkeys(["placed", "cancelled", "filled"], OutcomeUnknown),
    ),
    "cancel": (
        OrderCancel(order_id="o-1"),
        {"cancelled": Canceled, "notFound": OrderNotFound, "filled": OrderNotFound}
        | dict.fromkeys(["placed", "edited", "aWordOfTomorrow"], OutcomeUnknown),
    ),
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("what", ITEMS)
def test_every_word_of_an_item(rest: FuturesRest, run: Any, what: str, word: str) -> None:
    """None is taken for acceptance because the answer as a whole says success; what is left is refused."""
    asked, meaning = ITEMS[what]
    row = {"status": word, "order_id": "o-1", "order_tag": "1" if what == "send" else None, "orderEvents": []}
    (found,), _ = run(rest.orders.batch([asked]), {"batchStatus": [row]})
    expected = meaning.get(word, InsufficientFunds if word == "insufficientAvailableFunds" else OrderRefused)
    assert type(found.result or found.error) is expected
    assert (found.result is None) is (found.error is not None)


def test_a_deadline_is_the_batchs_own(rest: FuturesRest) -> None:
    deadline = datetime(2026, 1, 5, 12, tzinfo=UTC)
    call = next(rest.orders.batch([order("c")], deadline=deadline))
    assert call.params["ProcessBefore"] == call.params["processBefore"] == "2026-01-05T12:00:00.000000Z"
    with pytest.raises(NotSupported, match="give it to the batch"):
        next(rest.orders.batch([order("c", deadline=deadline)]))


def test_only_cancels_may_use_what_is_kept_for_cancels(rest: FuturesRest) -> None:
    cancels = [OrderCancel(order_id="a"), OrderCancel(order_id="b")]
    assert next(rest.orders.batch(cancels)).costs == batch_units(2, urgent=True)
    assert next(rest.orders.batch([*cancels, order("c")])).costs == batch_units(3)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "0 items"),
        ([OrderCancel(order_id=str(n)) for n in range(101)], "101 items"),
        ([OrderCancel(order_id="a"), OrderEdit(order_id="a", quantity=1)], "two items about 'a'"),
        ([order("c"), order("c")], "two items about 'c'"),
    ],
)
def test_batches_whose_results_could_not_be_told_apart_are_refused(
    rest: FuturesRest, items: list[Any], message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        next(rest.orders.batch(items))


def test_what_a_batch_cannot_say_is_refused_and_steps_are_checked(rest: FuturesRest) -> None:
    offset = order(
        "c", kind="stp", stop_price=9000, limit_price=None, limit_offset=1, limit_offset_unit="QUOTE_CURRENCY"
    )
    with pytest.raises(NotSupported, match="limit_offset"):
        next(rest.orders.batch([offset]))
    with pytest.raises(OrderRefused, match="not a multiple"):
        next(rest.orders.batch([OrderEdit(order_id="o", limit_price="0.3", symbol=INVERSE)]))
    with pytest.raises(OrderRefused, match="not a multiple"):
        next(rest.orders.batch([order("c", quantity="0.5")]))
