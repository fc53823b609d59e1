"""An order of which no more than an id is known is found through its events."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import ProtocolError
from exchange_core.model.order import OrderStatus
from exchange_core.model.terms import Offset
from kraken_futures.rest.operations import FuturesRest

NOON_MS = 1767614400000
FORGOTTEN: list[dict[str, Any]] = [{"orders": []}, {"openOrders": []}]
NONE: dict[str, Any] = {"elements": [], "len": 0}


def event(kind: str, after: int, **fields: Any) -> dict[str, Any]:
    terms = {"direction": "Sell", "orderType": "Limit", "limitPrice": "60000", "timestamp": NOON_MS}
    raw = {"uid": "o-1", "clientId": "c-1", "tradeable": "PF_XBTUSD", "quantity": "0.3", "filled": "0"}
    return {"uid": f"h{after}", "timestamp": NOON_MS + after, "event": {kind: {"order": {**raw, **terms, **fields}}}}


def page(*newest_first: Any, more: str | None = None) -> dict[str, Any]:
    return {"elements": list(newest_first), "len": len(newest_first), "continuationToken": more}


def fill(quantity: float) -> dict[str, Any]:
    raw = {"fill_id": "f1", "order_id": "o-1", "cliOrdId": "c-1", "symbol": "PF_XBTUSD", "side": "sell"}
    return {
        "fills": [{**raw, "size": quantity, "price": 60000, "fillTime": "2026-01-05T12:00:01Z", "fillType": "maker"}]
    }


OTHER = event("OrderCancelled", 9, uid="o-2", clientId="c-2")


@pytest.mark.parametrize("order_id", ["o-1", "c-1"])
def test_its_events_tell_its_terms_and_what_became_of_it(rest: FuturesRest, run: Any, order_id: str) -> None:
    """What remains and what was executed make the whole; the newest event may have nothing left."""
    ended = page(
        event("OrderCancelled", 8000, quantity="0", filled="0"),
        event("OrderUpdated", 7000, quantity="0.2", filled="0.1"),
    )
    end = page(event("OrderCancelled", 8000, quantity="0.2", filled="0.1"))
    found, calls = run(rest.look_up(order_id), page(OTHER, more="t"), ended, *FORGOTTEN, fill(0.1), end)
    assert (found.status, found.venue_order_id, found.client_order_id) == (OrderStatus.CANCELED, "o-1", "c-1")
    assert (found.quantity, found.filled, found.price) == (Decimal("0.3"), Decimal("0.1"), 60000)
    assert (found.side, str(found.symbol), found.request.type) == ("sell", "BTC/USD:USD", "limit")
    assert found.created == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert found.updated == datetime(2026, 1, 5, 12, 0, 8, tzinfo=UTC)
    assert [call.params.get("continuation_token") for call in calls[:2]] == [None, "t"]
    assert not any(call.changes_state for call in calls)


@pytest.mark.parametrize(
    ("options", "terms"),
    [
        ({"triggerPrice": "59000", "triggerSide": "Below"}, {"type": "stop", "trigger_price": 59000}),
        ({"triggerPrice": "61000", "triggerSide": "Above"}, {"type": "take_profit", "trigger_price": 61000}),
        ({"triggerPrice": "59000"}, {"type": "stop", "trigger_price": 59000}),
        (
            {"triggerPrice": "59000", "trailingStopOptions": {"maxDeviation": "2", "unit": "Percent"}},
            {"type": "trailing_stop", "trail": Offset(2, percent=True)},
        ),
    ],
)
def test_triggers_are_looked_at_too(
    rest: FuturesRest, run: Any, options: dict[str, Any], terms: dict[str, Any]
) -> None:
    """Their events have the type of the order that would have come of them."""
    fields = {"orderType": "Market", "limitPrice": None, "triggerOptions": {"triggerSignal": "MarkPrice", **options}}
    past = page(event("OrderTriggerCancelled", 5, **fields))
    found, _ = run(rest.look_up("o-1"), NONE, past, *FORGOTTEN, {"fills": []}, NONE, past)
    assert found.status is OrderStatus.CANCELED
    assert {name: getattr(found.request, name) for name in terms} == terms


def test_it_is_looked_for_in_so_many_pages(rest: FuturesRest, run: Any) -> None:
    pages = [page(OTHER, more=f"t{number}") for number in range(5)]
    found, calls = run(rest.look_up("o-1"), *pages, NONE, NONE)
    assert found is None
    assert [call.path.rpartition("/")[2] for call in calls] == ["orders"] * 5 + ["triggers", "executions"]


@pytest.mark.parametrize(
    ("kind", "filled", "status"),
    [("Market", 0.3, OrderStatus.FILLED), ("IoC", 0.1, OrderStatus.CANCELED), ("Limit", 0.3, OrderStatus.FILLED)],
)
def test_what_was_executed_at_once_is_known_by_its_executions(
    rest: FuturesRest, run: Any, kind: str, filled: float, status: OrderStatus
) -> None:
    """It may never have stood, so that it has no event of its own; what is left of an IOC order does not rest."""
    raw = event(
        "OrderPlaced", 1, orderType=kind, quantity=str(Decimal("0.3") - Decimal(str(filled))), filled=str(filled)
    )
    execution = {
        "uid": "e-1",
        "timestamp": NOON_MS + 1,
        "quantity": str(filled),
        "price": "60000",
        "executionType": "taker",
        "order": raw["event"]["OrderPlaced"]["order"],
    }
    row = {"uid": "h1", "timestamp": NOON_MS + 1, "event": {"Execution": {"execution": execution}}}
    rest_of = [] if status is OrderStatus.FILLED else [NONE]
    found, _ = run(rest.look_up("o-1"), NONE, NONE, page(row), *FORGOTTEN, fill(filled), *rest_of)
    assert (found.status, found.filled, found.quantity) == (status, Decimal(str(filled)), Decimal("0.3"))


def test_an_event_of_it_that_does_not_read_is_never_taken_for_none(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(ProtocolError, match="an event of order o-1 does not read"):
        run(rest.look_up("o-1"), page({"uid": "h", "timestamp": "then", "event": {"OrderPlaced": {"uid": "o-1"}}}))
