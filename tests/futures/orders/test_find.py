"""What became of an order is found wherever the venue still knows it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeError,
    InvalidValue,
    NonceRejected,
    RateLimited,
)
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from kraken_futures.limits import HISTORY_CALL, units
from kraken_futures.rest.operations import FuturesRest

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
NOTHING: dict[str, Any] = {"orders": []}
NONE_OPEN: dict[str, Any] = {"openOrders": []}
NO_FILLS: dict[str, Any] = {"fills": []}
NO_HISTORY: dict[str, Any] = {"elements": [], "len": 0}


def order(**options: Any) -> Order:
    terms = {"symbol": "BTC/USD:USD", "side": "buy", "quantity": "0.3", "price": "60000", "client_order_id": "c-1"}
    request = OrderRequest(**{**terms, **options})
    return Order(request=request, venue="futures", client_order_id="c-1", created=NOON, unknown=True)


def recent(status: str, **fields: Any) -> dict[str, Any]:
    raw = {"type": "ORDER", "orderId": "o-1", "cliOrdId": "c-1", "symbol": "PF_XBTUSD", "side": "buy"}
    times = {"timestamp": "2026-01-05T12:00:00Z", "lastUpdateTimestamp": "2026-01-05T12:00:01Z"}
    entry = {"order": {**raw, "quantity": 0.3, "filled": 0, **times, **fields}, "status": status, "updateReason": None}
    return {"orders": [entry]}


def fills(*parts: tuple[float, float], order_id: str = "o-1", client_id: str | None = "c-1") -> dict[str, Any]:
    return {
        "fills": [
            {
                "fill_id": f"f{number}",
                "order_id": order_id,
                "cliOrdId": client_id,
                "symbol": "PF_XBTUSD",
                "side": "buy",
                "size": size,
                "price": price,
                "fillTime": f"2026-01-05T12:00:0{9 - number}.000Z",
                "fillType": "taker",
            }
            for number, (size, price) in enumerate(parts)
        ]
    }


def open_order(filled: float = 0) -> dict[str, Any]:
    raw = {"order_id": "o-1", "cliOrdId": "c-1", "symbol": "PF_XBTUSD", "side": "buy", "orderType": "lmt"}
    return {"openOrders": [{**raw, "limitPrice": 60000, "unfilledSize": 0.3 - filled, "filledSize": filled}]}


def history(kind: str, filled: str = "0", when: int = 5, **payload: Any) -> dict[str, Any]:
    raw = {"uid": "o-1", "clientId": "c-1", "tradeable": "PF_XBTUSD", "quantity": "0.3", "filled": filled}
    element = {"uid": f"h{when}", "timestamp": 1767614400000 + when, "event": {kind: {"order": raw, **payload}}}
    return {"elements": [element], "len": 1}


def test_it_asks_by_the_venues_id_or_else_by_ours(rest: FuturesRest, run: Any) -> None:
    _, calls = run(rest.find(order()), recent("ENTERED_BOOK"))
    assert calls[0].params == {"cliOrdIds": ["c-1"]}
    known = Order(request=order().request, venue_order_id="o-1", client_order_id="c-1")
    _, calls = run(rest.find(known), recent("ENTERED_BOOK"))
    assert calls[0].params == {"orderIds": ["o-1"]}
    assert calls[0].method == "POST"
    assert not calls[0].changes_state
    assert calls[0].costs == units("orders/status")


def test_an_order_without_any_id_cannot_be_asked_for(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(InvalidValue):
        run(rest.find(Order(request=order().request)))


@pytest.mark.parametrize(
    ("answers", "status", "filled", "average"),
    [
        pytest.param([recent("ENTERED_BOOK")], OrderStatus.OPEN, "0", None, id="just entered"),
        pytest.param(
            [recent("ENTERED_BOOK", filled=0.1), open_order(0.1), fills((0.1, 59000))],
            OrderStatus.PARTIALLY_FILLED,
            "0.1",
            "59000",
            id="executed in part",
        ),
        pytest.param(
            [recent("FULLY_EXECUTED", filled=None), fills((0.1, 59000), (0.2, 59300))],
            OrderStatus.FILLED,
            "0.3",
            "59200",
            id="executed, and the status does not say how much",
        ),
        pytest.param(
            [recent("FULLY_EXECUTED", filled=0.3), fills((0.1, 59000))],
            OrderStatus.FILLED,
            "0.3",
            None,
            id="executed, fills are late: no average of a part",
        ),
        pytest.param([recent("CANCELLED"), NO_FILLS], OrderStatus.CANCELED, "0", None, id="canceled"),
        pytest.param(
            [recent("CANCELLED", filled=0), fills((0.1, 59000))],
            OrderStatus.CANCELED,
            "0.1",
            "59000",
            id="canceled; the fills know better how much was executed",
        ),
        pytest.param([recent("REJECTED"), NO_FILLS], OrderStatus.REJECTED, "0", None, id="rejected"),
        pytest.param(
            [{"result": "success"}, open_order(0.1), fills((0.1, 59000))],
            OrderStatus.PARTIALLY_FILLED,
            "0.1",
            "59000",
            id="forgotten by status, among the open ones",
        ),
        pytest.param([NOTHING, open_order()], OrderStatus.OPEN, "0", None, id="open and untouched"),
        pytest.param(
            [NOTHING, NONE_OPEN, fills((0.1, 59000), (0.2, 59300))],
            OrderStatus.FILLED,
            "0.3",
            "59200",
            id="a market order that was never open: its fills tell",
        ),
        pytest.param(
            [NOTHING, NONE_OPEN, NO_FILLS, history("OrderCancelled", reason="cancelled_by_user")],
            OrderStatus.CANCELED,
            "0",
            None,
            id="canceled long ago",
        ),
        pytest.param(
            [NOTHING, NONE_OPEN, fills((0.1, 59000)), history("OrderCancelled", filled="0.1")],
            OrderStatus.CANCELED,
            "0.1",
            "59000",
            id="executed in part, canceled long ago",
        ),
        pytest.param(
            [NOTHING, NONE_OPEN, NO_FILLS, history("ORDERREJECTED", orderError="PRICE_COLLAR")],
            OrderStatus.REJECTED,
            "0",
            None,
            id="rejected long ago, in another spelling",
        ),
        pytest.param(
            [NOTHING, NONE_OPEN, NO_FILLS, history("OrderPlaced")],
            OrderStatus.OPEN,
            "0",
            None,
            id="placed in this moment",
        ),
    ],
)
def test_what_became_of_it(
    rest: FuturesRest, run: Any, answers: list[Any], status: OrderStatus, filled: str, average: str | None
) -> None:
    found, _ = run(rest.find(order()), *answers)
    assert found.status is status
    assert found.filled == Decimal(filled)
    assert found.average_price == (None if average is None else Decimal(average))
    assert found.venue_order_id == "o-1"
    assert not found.unknown


def test_an_order_that_is_nowhere_is_none(rest: FuturesRest, run: Any) -> None:
    found, calls = run(rest.find(order()), NOTHING, NONE_OPEN, NO_FILLS, NO_HISTORY)
    assert found is None
    assert calls[-1].base == "history_url"
    assert calls[-1].path == "/api/history/v3/orders"
    assert calls[-1].costs == HISTORY_CALL
    assert calls[-1].params["since"] == 1767614400000 - 60_000
    assert calls[-1].params["tradeable"] == "PF_XBTUSD"


def test_orders_of_others_are_not_taken_for_it(rest: FuturesRest, run: Any) -> None:
    answers = [recent("FULLY_EXECUTED", orderId="o-2", cliOrdId="c-2"), NONE_OPEN, fills((0.3, 1), client_id="c-2")]
    strange = history("OrderCancelled")
    strange["elements"][0]["event"]["OrderCancelled"]["order"] |= {"uid": "o-2", "clientId": ""}
    assert run(rest.find(order()), *answers, strange)[0] is None


def test_fills_are_asked_for_from_before_the_order_was_sent_on(rest: FuturesRest, run: Any) -> None:
    page = fills(*[(0.001, 59000)] * 9)["fills"]
    late = [{**page[0], "fill_id": f"x{n}", "order_id": "o-9", "cliOrdId": None} for n in range(100)]
    found, calls = run(rest.find(order()), NOTHING, NONE_OPEN, {"fills": late}, fills((0.3, 59000)))
    assert found.status is OrderStatus.FILLED
    assert calls[3].params == {"lastFillTime": "2026-01-05T12:00:09.001Z"}


def test_an_ioc_order_with_some_fills_is_over(rest: FuturesRest, run: Any) -> None:
    asked = order(time_in_force="ioc")
    found, _ = run(rest.find(asked), NOTHING, NONE_OPEN, fills((0.1, 59000)), NO_HISTORY)
    assert found.status is OrderStatus.CANCELED
    assert found.filled == Decimal("0.1")


def test_a_resting_order_with_some_fills_and_no_known_end_is_not_over(rest: FuturesRest, run: Any) -> None:
    found, _ = run(rest.find(order()), NOTHING, NONE_OPEN, fills((0.1, 59000)), NO_HISTORY)
    assert found.status is OrderStatus.PARTIALLY_FILLED


@pytest.mark.parametrize("error", [BadRequest("no history here"), RateLimited("later")])
def test_a_history_that_cannot_be_had_hides_no_execution(rest: FuturesRest, run: Any, error: ExchangeError) -> None:
    """The fills were asked for from before the order on, so that it may count as nowhere."""
    assert run(rest.find(order()), NOTHING, NONE_OPEN, NO_FILLS, error)[0] is None


def test_without_the_time_of_sending_a_missing_history_is_an_error(rest: FuturesRest, run: Any) -> None:
    undated = Order(request=order().request, client_order_id="c-1")
    with pytest.raises(BadRequest):
        run(rest.find(undated), NOTHING, NONE_OPEN, NO_FILLS, BadRequest("no history here"))


def test_the_newest_event_of_the_history_counts_over_pages(rest: FuturesRest, run: Any) -> None:
    others = {**history("OrderPlaced"), "continuationToken": "next"}
    others["elements"][0]["event"]["OrderPlaced"]["order"] |= {"uid": "o-2", "clientId": "c-2"}
    page = history("OrderPlaced", when=1)
    page["elements"] += history("OrderCancelled", when=9)["elements"]
    found, calls = run(rest.find(order()), NOTHING, NONE_OPEN, NO_FILLS, others, page)
    assert found.status is OrderStatus.CANCELED
    assert calls[-1].params["continuation_token"] == "next"
    assert found.updated == NOON + timedelta(milliseconds=9)


@pytest.mark.parametrize("event", [{}, {"OrderCancelled": None}, {"OrderCancelled": {"order": 5}}, {"X": []}])
def test_events_of_other_shapes_are_passed_over(rest: FuturesRest, run: Any, event: dict[str, Any]) -> None:
    page = {"elements": [{"uid": "h", "timestamp": 1, "event": event}]}
    assert run(rest.find(order()), NOTHING, NONE_OPEN, NO_FILLS, page)[0] is None


def test_a_key_that_may_only_read_finds_it_in_lists_and_history(rest: FuturesRest, run: Any) -> None:
    """``orders/status`` is documented as a call of keys that may trade."""
    denied = AuthenticationError("denied")
    found, _ = run(rest.find(order()), denied, open_order(0.1), fills((0.1, 59000)))
    assert (found.status, found.filled) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.1"))
    found, _ = run(rest.find(order()), denied, NONE_OPEN, NO_FILLS, history("OrderCancelled"))
    assert found.status is OrderStatus.CANCELED
    for refused, answers in ((NonceRejected("overtaken"), ()), (denied, (denied,))):
        with pytest.raises(AuthenticationError):
            run(rest.find(order()), refused, *answers)


LATER = NOON + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("now", "known", "answers", "is_gone"),
    [
        pytest.param(
            LATER, {"filled": Decimal("0.1")}, [fills((0.1, 59000)), NO_HISTORY], True, id="all is known of it"
        ),
        pytest.param(LATER, {}, [fills((0.1, 59000)), NO_HISTORY], False, id="its executions are news"),
        pytest.param(LATER, {"unknown": True}, [NO_FILLS, history("OrderPlaced")], False, id="it may be on its way"),
        pytest.param(LATER, {}, [NO_FILLS, history("OrderPlaced")], True, id="it stood"),
        pytest.param(NOON, {}, [NO_FILLS, history("OrderPlaced")], False, id="lists may lag behind"),
        pytest.param(LATER, {}, [NO_FILLS, history("OrderCancelled")], False, id="its end is known"),
    ],
)
def test_what_stood_and_is_listed_nowhere_is_gone(
    context: VenueContext, run: Any, now: datetime, known: dict[str, Any], answers: list[Any], is_gone: bool
) -> None:
    """Such as what reduce-only made smaller as it executed: no history has its end, and it is in no list."""
    rest = FuturesRest(attrs.evolve(context, now=lambda: now))
    stood = attrs.evolve(order(), **{"status": OrderStatus.OPEN, "unknown": False, "venue_order_id": "o-1", **known})
    found, _ = run(rest.find(stood), NOTHING, NONE_OPEN, *answers)
    assert (found is None) is is_gone
