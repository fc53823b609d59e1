"""What became of a stop is found before it fires, after it fired under whichever id, and after it was edited.

Whether a trigger keeps its id when it fires is not documented: it is found either way.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import RateLimited
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType
from kraken_futures.rest.operations import FuturesRest

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TRIGGER, AFTER = "t-1", "o-1"
NOTHING: dict[str, Any] = {"orders": []}
NONE_OPEN: dict[str, Any] = {"openOrders": []}
NO_FILLS: dict[str, Any] = {"fills": []}
NO_HISTORY: dict[str, Any] = {"elements": []}


def order(**terms: Any) -> Order:
    plain = {"symbol": "BTC/USD:USD", "side": "sell", "quantity": "0.3", "type": "stop_limit", "client_order_id": "c-1"}
    prices = {"price": "57900", "trigger_price": "58000"}
    return Order(
        request=OrderRequest(**plain | prices | terms),
        venue="futures",
        status=OrderStatus.OPEN,
        venue_order_id=TRIGGER,
        client_order_id="c-1",
        created=NOON,
    )


STOP = {"type": "stop", "price": None}


def entry(status: str, kind: str = "ORDER", order_id: str = AFTER, **more: Any) -> dict[str, Any]:
    raw = {"type": kind, "orderId": order_id, "cliOrdId": "c-1", "quantity": 0.3, "filled": 0, **more.pop("order", {})}
    return {"order": raw, "status": status, "updateReason": more.pop("reason", None), "error": more.pop("error", None)}


def waiting(status: str = "TRIGGER_PLACED", **more: Any) -> dict[str, Any]:
    return entry(status, "TRIGGER_ORDER", TRIGGER, **more)


def listed(order_id: str, kind: str = "lmt", filled: float = 0, **more: Any) -> dict[str, Any]:
    raw = {"order_id": order_id, "cliOrdId": "c-1", "symbol": "PF_XBTUSD", "side": "sell", "orderType": kind}
    sizes = {"limitPrice": 57900, "unfilledSize": 0.3 - filled, "filledSize": filled}
    return {"openOrders": [raw | sizes | more]}


def fill(quantity: float, order_id: str = AFTER, client_id: str | None = "c-1") -> dict[str, Any]:
    raw = {"fill_id": "f-1", "order_id": order_id, "cliOrdId": client_id, "symbol": "PF_XBTUSD", "side": "sell"}
    return {
        "fills": [{**raw, "size": quantity, "price": 57950, "fillTime": "2026-01-05T12:00:05Z"} | {"fillType": "taker"}]
    }


def past(kind: str, order_id: str = AFTER, **more: Any) -> dict[str, Any]:
    raw = {"uid": order_id, "clientId": "c-1", "quantity": "0.3", "filled": "0"}
    payload = {more.pop("name", "order"): raw, **more}
    return {"elements": [{"uid": "h-1", "timestamp": 1767614405000, "event": {kind: payload}}]}


@pytest.mark.parametrize(
    ("asked", "answers", "venue_order_id", "status", "filled"),
    [
        pytest.param(order(), [{"orders": [waiting()]}], TRIGGER, OrderStatus.OPEN, "0", id="it waits"),
        pytest.param(
            order(), [NOTHING, listed(TRIGGER, "stop", stopPrice=58000)], TRIGGER, OrderStatus.OPEN, "0", id="listed"
        ),
        pytest.param(
            order(), [{"orders": [entry("ENTERED_BOOK", order_id=TRIGGER)]}], TRIGGER, OrderStatus.OPEN, "0", id="fired"
        ),
        pytest.param(
            order(), [{"orders": [entry("ENTERED_BOOK")]}], AFTER, OrderStatus.OPEN, "0", id="fired, with another id"
        ),
        pytest.param(
            order(),
            [{"orders": [waiting("CANCELLED", reason="STOP_ORDER_TRIGGERED"), entry("ENTERED_BOOK")]}],
            AFTER,
            OrderStatus.OPEN,
            "0",
            id="what it became counts, and not the end of the trigger",
        ),
        pytest.param(
            order(),
            [{"orders": [waiting("CANCELLED", reason="STOP_ORDER_TRIGGERED")]}, listed(AFTER)],
            AFTER,
            OrderStatus.OPEN,
            "0",
            id="of which the list tells",
        ),
        pytest.param(
            order(),
            [NOTHING, listed(AFTER, filled=0.1), fill(0.1)],
            AFTER,
            OrderStatus.PARTIALLY_FILLED,
            "0.1",
            id="and its fills",
        ),
        pytest.param(
            order(**STOP),
            [NOTHING, NONE_OPEN, fill(0.3)],
            AFTER,
            OrderStatus.FILLED,
            "0.3",
            id="a market order that was never open",
        ),
        pytest.param(
            order(**STOP),
            [NOTHING, NONE_OPEN, fill(0.2), NO_HISTORY, past("OrderTriggerActivated", TRIGGER)],
            TRIGGER,
            OrderStatus.CANCELED,
            "0.2",
            id="a market order that was dropped when the price ran away",
        ),
        pytest.param(
            order(**STOP),
            [NOTHING, NONE_OPEN, fill(0.3, client_id=None), past("OrderPlaced")],
            AFTER,
            OrderStatus.FILLED,
            "0.3",
            id="fills without our id are known by the id that the history has",
        ),
        pytest.param(
            order(),
            [NOTHING, NONE_OPEN, NO_FILLS, NO_HISTORY, past("OrderTriggerCancelled", TRIGGER, reason="cancelled")],
            TRIGGER,
            OrderStatus.CANCELED,
            "0",
            id="canceled long ago",
        ),
        pytest.param(
            order(),
            [NOTHING, NONE_OPEN, NO_FILLS, NO_HISTORY, past("OrderTriggerUpdated", TRIGGER, name="newOrderTrigger")],
            TRIGGER,
            OrderStatus.OPEN,
            "0",
            id="edited in this moment",
        ),
        pytest.param(
            order(),
            [NOTHING, NONE_OPEN, NO_FILLS, NO_HISTORY, past("OrderTriggerActivated", TRIGGER)],
            TRIGGER,
            OrderStatus.OPEN,
            "0",
            id="fired in this moment; what came of it is not told",
        ),
        pytest.param(
            order(),
            [NOTHING, NONE_OPEN, NO_FILLS, past("OrderCancelled", reason="cancelled_by_user")],
            AFTER,
            OrderStatus.CANCELED,
            "0",
            id="fired, and canceled after that",
        ),
        pytest.param(
            order(),
            [{"orders": [waiting("TRIGGER_ACTIVATION_FAILURE", error="INSUFFICIENT_MARGIN")]}, NO_FILLS],
            TRIGGER,
            OrderStatus.CANCELED,
            "0",
            id="fired, and refused: it had stood, so that is no rejection",
        ),
        pytest.param(
            attrs.evolve(order(), status=OrderStatus.PENDING),
            [{"orders": [waiting("REJECTED", error="INVALID_PRICE")]}, NO_FILLS],
            TRIGGER,
            OrderStatus.REJECTED,
            "0",
            id="never taken",
        ),
    ],
)
def test_what_became_of_it(
    rest: FuturesRest, run: Any, asked: Order, answers: list[Any], venue_order_id: str, status: OrderStatus, filled: str
) -> None:
    found, _ = run(rest.find(asked), *answers)
    assert (found.venue_order_id, found.status, found.filled) == (venue_order_id, status, Decimal(filled))
    assert (found.client_order_id, found.request.type) == ("c-1", asked.request.type)


def test_it_is_asked_for_by_both_ids_in_one_call(rest: FuturesRest, run: Any) -> None:
    _, (call,) = run(rest.find(order()), {"orders": [waiting()]})
    assert call.params == {"orderIds": [TRIGGER], "cliOrdIds": ["c-1"]}


def test_the_last_questions_are_for_the_history_of_orders_and_of_triggers(rest: FuturesRest, run: Any) -> None:
    found, calls = run(rest.find(order()), NOTHING, NONE_OPEN, NO_FILLS, NO_HISTORY, NO_HISTORY)
    assert found is None
    assert [call.path for call in calls[-2:]] == ["/api/history/v3/orders", "/api/history/v3/triggers"]


def test_an_order_that_is_no_trigger_is_never_another_one(rest: FuturesRest, run: Any) -> None:
    plain = order(type="limit", trigger_price=None)
    found, (call, *_) = run(rest.find(plain), NOTHING, listed(AFTER), NO_FILLS, NO_HISTORY)
    assert found is None
    assert call.params == {"orderIds": [TRIGGER]}


# Edited ones: the numbers are the venue's, the rest is what was asked for.


def test_an_edited_stop_has_its_new_numbers(rest: FuturesRest, run: Any) -> None:
    told = waiting(
        order={
            "quantity": 0.4,
            "limitPrice": 56900,
            "priceTriggerOptions": {"triggerPrice": 57000, "triggerSide": None},
        }
    )
    found, _ = run(rest.find(order()), {"orders": [told]})
    assert found.request == order(quantity="0.4", price=56900, trigger_price=57000).request


def test_an_offset_stays_as_it_was_asked_for(rest: FuturesRest, run: Any) -> None:
    terms = {"price": None, "limit_offset": "-100"}
    told = waiting(order={"limitPrice": 56900, "priceTriggerOptions": {"triggerPrice": 58000}})
    found, _ = run(rest.find(order(**terms)), {"orders": [told]})
    assert found.request == order(**terms).request


TRAIL = {"type": "trailing_stop", "price": None, "trigger_price": None, "trail": "2%"}
OPTIONS = {"maxDeviation": 3, "unit": "PERCENT"}


def test_how_far_a_stop_trails_is_told_by_its_status_or_its_history(rest: FuturesRest, run: Any) -> None:
    """An edit whose answer was lost is judged by it, so the old distance is never taken for a fact."""
    edited = order(**TRAIL | {"trail": "3%"}).request
    told = waiting(order={"priceTriggerOptions": {"triggerPrice": 58000, "trailingStopOptions": OPTIONS}})
    assert run(rest.find(order(**TRAIL)), {"orders": [told]})[0].request == edited
    bare = waiting(order={"priceTriggerOptions": {"triggerPrice": 58000}})
    update = past("OrderTriggerUpdated", TRIGGER, name="newOrderTrigger")
    event = update["elements"][0]["event"]["OrderTriggerUpdated"]
    event["newOrderTrigger"]["triggerOptions"] = {"trailingStopOptions": {"maxDeviation": "3", "unit": "Percent"}}
    assert run(rest.find(order(**TRAIL)), {"orders": [bare]}, update)[0].request == edited


@pytest.mark.parametrize("answer", [NO_HISTORY, past("OrderTriggerPlaced", TRIGGER), RateLimited("later")])
def test_a_distance_that_nobody_tells_is_not_shown(rest: FuturesRest, run: Any, answer: Any) -> None:
    bare = waiting(order={"priceTriggerOptions": {"triggerPrice": 58000}})
    found, _ = run(rest.find(order(**TRAIL)), {"orders": [bare]}, answer)
    assert (found.request.type, found.request.trail, found.request.trigger_price) == (OrderType.STOP, None, 58000)


@pytest.mark.parametrize("quantity", [pytest.param(0.3, id="what remains"), pytest.param(0.4, id="the whole")])
def test_how_large_an_order_is_only_the_list_tells_once_it_was_executed_in_part(
    rest: FuturesRest, run: Any, quantity: float
) -> None:
    """Whether the quantity of ``orders/status`` is of the whole order is not documented."""
    told = entry("ENTERED_BOOK", order_id=TRIGGER, order={"quantity": quantity, "filled": 0.1})
    row = listed(TRIGGER, filled=0.1, unfilledSize=0.3)
    plain = order(type="limit", trigger_price=None)
    found, _ = run(rest.find(plain), {"orders": [told]}, row, fill(0.1, TRIGGER))
    assert (found.quantity, found.filled, found.status) == (
        Decimal("0.4"),
        Decimal("0.1"),
        OrderStatus.PARTIALLY_FILLED,
    )


def test_an_order_of_elsewhere_whose_terms_were_guessed_is_shown_as_the_list_has_it(
    rest: FuturesRest, run: Any
) -> None:
    guessed = attrs.evolve(order(type="market", price=None, trigger_price=None), client_order_id=None)
    found, _ = run(rest.find(guessed), NOTHING, listed(TRIGGER, "stop", stopPrice=58000, triggerSignal="mark"))
    assert (found.request.type, found.request.trigger_price) == (OrderType.STOP_LIMIT, 58000)
