"""The past, page by page: what is asked, what it costs, and what the answers mean."""

import logging
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.limits import Cost
from exchange_core.connector.naming import SymbolMap
from exchange_core.errors import InvalidValue, ProtocolError, RateLimited, UnknownSymbol
from exchange_core.model.fill import Liquidity
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.limits import HISTORY, HISTORY_CALL
from kraken_futures.orders.requests import OrderKind, TriggerSignal, Unit
from kraken_futures.parse import history as parse_history
from kraken_futures.parse.rows import readable
from kraken_futures.rest.history import Span
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.history import HistoryKind, LogInfo, PositionCause, PositionChange
from kraken_futures.types.trading import TriggerSide
from kraken_futures.wire import history as wire

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MILLIS = 1767614400000
ORDER = {
    "uid": "o-1",
    "accountUid": "a",
    "tradeable": "PF_XBTUSD",
    "direction": "Sell",
    "quantity": "0.3",
    "filled": "0.1",
    "timestamp": MILLIS,
    "limitPrice": "60000",
    "orderType": "Limit",
    "clientId": "",
    "reduceOnly": False,
    "lastUpdateTimestamp": MILLIS,
    "spotData": None,
}
OWN = {
    "execution": {
        "uid": "x-1",
        "order": {**ORDER, "clientId": "mine"},
        "timestamp": MILLIS,
        "quantity": "0.1",
        "price": "60000.5",
        "markPrice": "60001.25",
        "executionType": "maker",
        "limitFilled": False,
        "usdValue": "6000.05",
        "orderData": {
            "fee": "-1.20001",
            "positionSize": "-0.4",
            "feeCalculationInfo": [{"percentageFee": "-0.02", "userFeeDiscountApplied": ""}],
        },
    },
    "takerReducedQuantity": "",
}


def element(kind: str, payload: Any, uid: str = "e-1") -> dict[str, Any]:
    return {"uid": uid, "timestamp": MILLIS, "event": {kind: payload}}


def page(*elements: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    return {"elements": [*elements], "len": len(elements), "continuationToken": token}


# Public executions.


def test_the_recorded_public_executions(rest: FuturesRest, run: Any, captures: Path) -> None:
    body = (captures / "futures/rest/public_executions_2025-11.json").read_bytes()
    found, (call,) = run(rest.history.market_executions(LINEAR).page(), body)
    assert call.path == "/api/history/v3/market/PF_XBTUSD/executions"
    assert call.base == "history_url"
    assert not call.private
    assert not call.costs
    assert found.cursor == "test_token_123"
    assert len(found.items) == 3
    first, second, _ = found.items
    assert first.id == "419060e5-869d-41bf-9b6a-33dd7f365d89"
    assert first.event_id == "03591930-2a5b-4bee-b10a-8b8ce214efb8"
    assert first.time == datetime(2025, 11, 27, 1, 17, 50, 368000, tzinfo=UTC)
    assert (first.price, first.quantity) == (90771, Decimal("0.0113"))
    assert first.mark_price == Decimal("90771.11752545156")
    assert first.usd_value == Decimal("1025.71")
    assert first.limit_filled
    assert first.side is Side.SELL
    assert first.taker_reduced is None
    maker, taker = first.maker_order, first.taker_order
    assert (maker.symbol, maker.side, maker.type) == (LINEAR, Side.BUY, OrderKind.POST)
    assert (maker.limit_price, maker.filled, maker.client_order_id) == (90771, None, None)
    assert maker.created == datetime(2025, 11, 27, 1, 17, 49, 616000, tzinfo=UTC)
    assert (taker.order_id, taker.type) == ("a07420ce-3ada-41f2-a526-a8f34f30c359", OrderKind.LIMIT)
    assert not second.limit_filled
    assert second.taker_order.type is OrderKind.IOC
    assert second.maker_order.quantity == Decimal("0.0073")


def test_pages_go_on_with_the_same_question(rest: FuturesRest, run: Any) -> None:
    span = Span(since=NOON, before=NOON, oldest_first=True, count=10)
    executions = rest.history.market_executions(INVERSE, span)
    first, (call,) = run(executions.page(), page(token="t-1"))
    asked = {"since": MILLIS, "before": MILLIS, "sort": "asc", "count": 10}
    assert call.params == {**asked, "continuation_token": None}
    second, (call,) = run(executions.page(first.cursor), page(token="t-2"))
    assert call.params == {**asked, "continuation_token": "t-1"}
    last, (call,) = run(executions.page(second.cursor), page())
    assert call.params["continuation_token"] == "t-2"
    assert last.cursor is None


def test_an_empty_page_with_a_token_is_not_the_end(rest: FuturesRest, run: Any) -> None:
    found, _ = run(rest.history.executions().page(), page(token="more"))
    assert (found.items, found.cursor) == ((), "more")


# Our executions.


@pytest.mark.parametrize("kind", ["Execution", "execution"])
def test_an_execution_of_ours_has_its_fee(rest: FuturesRest, run: Any, kind: str) -> None:
    found, (call,) = run(rest.history.executions(LINEAR).page(), page(element(kind, OWN)))
    assert call.path == "/api/history/v3/executions"
    assert call.private
    assert call.costs == HISTORY_CALL
    assert call.params["tradeable"] == "PF_XBTUSD"
    assert call.params["sort"] == "desc"
    (one,) = found.items
    assert (one.id, one.event_id, one.time) == ("x-1", "e-1", NOON)
    assert (one.price, one.quantity, one.mark_price) == (Decimal("60000.5"), Decimal("0.1"), Decimal("60001.25"))
    assert one.liquidity is Liquidity.MAKER
    assert (one.fee, one.position) == (Decimal("-1.20001"), Decimal("-0.4"))
    assert one.fee_details[0].percentage_fee == Decimal("-0.02")
    assert one.fee_details[0].user_fee_discount_applied is None
    assert (one.order.client_order_id, one.order.side, one.order.filled) == ("mine", Side.SELL, Decimal("0.1"))


def test_the_order_of_an_execution_may_stand_on_either_side(rest: FuturesRest, run: Any) -> None:
    row = {name: value for name, value in OWN["execution"].items() if name not in ("order", "orderData")}
    maker, taker = {**ORDER, "uid": "maker"}, {**ORDER, "uid": "taker"}
    for kind in ("maker", "taker"):
        payload = {"execution": {**row, "makerOrder": maker, "takerOrder": taker, "executionType": kind}}
        found, _ = run(rest.history.executions().page(), page(element("Execution", payload)))
        assert found.items[0].order.order_id == kind
        assert found.items[0].fee is None


def test_a_damaged_row_is_told_and_hides_no_other(
    rest: FuturesRest, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = [
        element("Execution", {"execution": {**OWN["execution"], "price": "much"}}),
        element("OrderPlaced", {"order": ORDER}),
        element("Execution", {"execution": {**OWN["execution"], "order": None}}),
        {"uid": "e", "timestamp": MILLIS, "event": {}},
        {"uid": "e", "timestamp": -1, "event": {"Execution": OWN}},
    ]
    with caplog.at_level(logging.WARNING):
        found, _ = run(rest.history.executions().page(), page(*damaged, element("Execution", OWN)))
    assert [one.id for one in found.items] == ["x-1"]
    assert len(found.unreadable) == len(caplog.records) == 5
    assert b"much" in found.unreadable[0].raw
    assert "much" not in repr(found.unreadable[0])


# Order and trigger events.


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        (
            "OrderPlaced",
            {"order": ORDER, "reason": "new_user_order", "reducedQuantity": ""},
            {"kind": HistoryKind.PLACED, "order_id": "o-1", "reason": "new_user_order", "reduced": None},
        ),
        (
            "orderplaced",
            {"order": ORDER, "reducedQuantity": "0.2"},
            {"kind": HistoryKind.PLACED, "reduced": Decimal("0.2")},
        ),
        ("OrderCancelled", {"order": ORDER, "reason": "cancelled_by_user"}, {"kind": HistoryKind.CANCELLED}),
        (
            "OrderRejected",
            {"order": ORDER, "orderError": "POST_WOULD_EXECUTE", "reason": ""},
            {"kind": HistoryKind.REJECTED, "error": "POST_WOULD_EXECUTE", "reason": None},
        ),
        (
            "OrderNotFound",
            {"accountUid": "a", "orderId": "Uuid(uuid=2ceb1d31-f619-457b-870c-fd4ddbb10d45)"},
            {"kind": HistoryKind.NOT_FOUND, "order": None, "order_id": "2ceb1d31-f619-457b-870c-fd4ddbb10d45"},
        ),
        ("OrderTriggerCancelled", {"order": ORDER, "reason": "x"}, {"kind": HistoryKind.TRIGGER_CANCELLED}),
        ("OrderTriggerActivated", {"order": ORDER}, {"kind": HistoryKind.TRIGGER_ACTIVATED, "order_id": "o-1"}),
    ],
)
def test_every_kind_of_event(
    rest: FuturesRest, run: Any, kind: str, payload: dict[str, Any], expected: dict[str, Any]
) -> None:
    found, (call,) = run(rest.history.orders(opened=True).page(), page(element(kind, payload)))
    assert call.path == "/api/history/v3/orders"
    assert (call.params["opened"], call.params["closed"]) == (True, None)
    (event,) = found.items
    assert {name: getattr(event, name) for name in expected} == expected
    assert event.time == NOON


def test_a_change_has_both_ends_and_a_refused_one_what_was_wanted(rest: FuturesRest, run: Any) -> None:
    wanted = {**ORDER, "limitPrice": "61000"}
    rows = [
        element("OrderUpdated", {"oldOrder": ORDER, "newOrder": wanted, "reason": "edited_by_user"}),
        element("OrderEditRejected", {"oldOrder": ORDER, "attemptedOrder": wanted, "orderError": "INVALID_PRICE"}),
        element("OrderTriggerUpdated", {"oldOrderTrigger": ORDER, "newOrderTrigger": wanted, "reason": "x"}),
        element("OrderTriggerEditRejected", {"oldOrderTrigger": ORDER, "attemptedOrderTrigger": wanted}),
    ]
    found, _ = run(rest.history.orders().page(), page(*rows))
    changed, refused, moved, stayed = found.items
    for event in (changed, moved):
        assert (event.before.limit_price, event.order.limit_price) == (60000, 61000)
    for event in (refused, stayed):
        assert (event.order.limit_price, event.attempted.limit_price) == (60000, 61000)
    assert refused.error == "INVALID_PRICE"


def test_a_trigger_has_what_fires_it(rest: FuturesRest, run: Any) -> None:
    options = {
        "triggerPrice": "1.01",
        "triggerSignal": "SpotPrice",
        "triggerSide": "Above",
        "trailingStopOptions": {"maxDeviation": "0.1", "unit": "Percent"},
        "limitPriceOffset": {"priceOffset": "-2", "unit": "QuoteCurrency"},
    }
    order = {**ORDER, "orderType": "Unknown", "direction": "Unknown", "triggerOptions": options, "limitPrice": None}
    found, (call,) = run(
        rest.history.triggers(closed=False).page(), page(element("OrderTriggerPlaced", {"order": order}))
    )
    assert call.path == "/api/history/v3/triggers"
    assert call.params["closed"] is False
    placed = found.items[0].order
    assert (placed.type, placed.side, placed.limit_price) == ("Unknown", "Unknown", None)
    trigger = placed.trigger
    assert (trigger.price, trigger.signal, trigger.side) == (Decimal("1.01"), TriggerSignal.INDEX, TriggerSide.ABOVE)
    assert (trigger.trailing_deviation, trigger.trailing_unit) == (Decimal("0.1"), Unit.PERCENT)
    assert (trigger.limit_offset, trigger.limit_offset_unit) == (-2, Unit.QUOTE)


def test_kinds_of_tomorrow_are_kept_whole(rest: FuturesRest, run: Any) -> None:
    found, _ = run(rest.history.orders().page(), page(element("OrderTeleported", {"to": "Mars"})))
    (event,) = found.items
    assert (event.kind, event.raw, event.order) == ("OrderTeleported", {"to": "Mars"}, None)


def test_public_order_events_are_without_names(rest: FuturesRest, run: Any) -> None:
    public = {name: value for name, value in ORDER.items() if name not in ("accountUid", "filled", "clientId")}
    found, (call,) = run(
        rest.history.market_orders(LINEAR).page(), page(element("OrderPlaced", {"order": public, "reason": "x"}))
    )
    assert call.path == "/api/history/v3/market/PF_XBTUSD/orders"
    assert found.items[0].order.filled is None


# Positions.

POSITION = {
    "accountUid": "a",
    "tradeable": "PF_XBTUSD",
    "oldPosition": "0",
    "oldAverageEntryPrice": "",
    "newPosition": "-0.4",
    "newAverageEntryPrice": "60000.5",
    "fillTime": MILLIS,
    "fee": "1.2",
    "feeCurrency": "XBT",
    "realizedPnL": "-3.25",
    "positionChange": "open",
    "executionUid": "x-1",
    "executionPrice": "60000.5",
    "executionSize": "0.4",
    "tradeType": "userExecution",
    "fundingRealizationTime": MILLIS,
    "realizedFunding": "0.01",
    "settlementPrice": None,
    "timestamp": MILLIS,
    "updateReason": "trade",
}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(POSITION, id="flat, as documented"),
        pytest.param({"uid": "e", "timestamp": 1, "event": {"PositionUpdate": POSITION}}, id="wrapped, as observed"),
    ],
)
def test_changes_of_positions(rest: FuturesRest, run: Any, row: dict[str, Any]) -> None:
    found, _ = run(rest.history.positions().page(), page(row))
    (one,) = found.items
    assert (one.symbol, one.time) == (LINEAR, NOON)
    assert (one.old_position, one.new_position) == (0, Decimal("-0.4"))
    assert (one.old_average_entry_price, one.new_average_entry_price) == (None, Decimal("60000.5"))
    assert (one.change, one.cause, one.trade_type) == (PositionChange.OPEN, PositionCause.TRADE, "userExecution")
    assert (one.fee, one.fee_asset, one.realized_pnl) == (Decimal("1.2"), "BTC", Decimal("-3.25"))
    assert (one.execution_price, one.execution_quantity) == (Decimal("60000.5"), Decimal("0.4"))
    assert (one.realized_funding, one.funding_time, one.settlement_price) == (Decimal("0.01"), NOON, None)


def test_positions_are_filtered_by_change_and_cause(rest: FuturesRest, run: Any) -> None:
    pages = rest.history.positions(
        changes=[PositionChange.OPEN, PositionChange.NO_CHANGE], causes=[PositionCause.FUNDING]
    )
    found, (call,) = run(pages.page(), page({**POSITION, "positionChange": "unknown"}))
    assert call.costs == HISTORY_CALL
    filters = {name: value for name, value in call.params.items() if value is True}
    assert filters == {"opened": True, "no_change": True, "funding_realization": True}
    assert found.items[0].change == "unknown"


# Mark prices.


@pytest.mark.parametrize(
    "event", [pytest.param({"price": "60000.25"}, id="flat"), {"MarkPriceChanged": {"price": "60000.25"}}]
)
def test_mark_prices(rest: FuturesRest, run: Any, event: dict[str, Any]) -> None:
    row = {"uid": "e", "timestamp": MILLIS, "event": event}
    found, (call,) = run(rest.history.market_prices("BTC/USD:USD").page(), page(row))
    assert call.path == "/api/history/v3/market/PF_XBTUSD/price"
    assert (found.items[0].symbol, found.items[0].price, found.items[0].time) == (LINEAR, Decimal("60000.25"), NOON)


# Account log.

ENTRY = {
    "id": 1697,
    "date": "2019-07-11T13:00:27.632Z",
    "asset": "pi_xbtusd",
    "contract": None,
    "info": "futures trade",
    "booking_uid": "55a02b5b-2c90-4d43-b0eb-eb3801d50e3f",
    "margin_account": "f-bch:usd",
    "old_balance": 1.0,
    "new_balance": 2.0,
    "old_average_entry_price": 413.3,
    "new_average_entry_price": 374.3445326979084,
    "trade_price": 342.1,
    "mark_price": None,
    "realized_pnl": 0.0,
    "fee": 0.0,
    "execution": "fc49fea9-8827-4a2e-8e36-c047523ddc30",
    "collateral": "xbt",
    "funding_rate": 1.64955714332e-07,
    "realized_funding": -1.31965e-06,
    "conversion_spread_percentage": 0.0,
    "liquidation_fee": 0.0,
}


def entry(number: int, **more: Any) -> dict[str, Any]:
    return {**ENTRY, "id": number, **more}


def test_a_row_of_the_account_log(rest: FuturesRest, run: Any) -> None:
    found, (call,) = run(rest.history.account_log().page(), {"accountUid": "a", "logs": [ENTRY]})
    assert call.path == "/api/history/v3/account-log"
    assert call.params["count"] == 500
    assert call.costs == (Cost(HISTORY, 3),)
    (one,) = found.items
    assert one.date == datetime(2019, 7, 11, 13, 0, 27, 632000, tzinfo=UTC)
    assert (one.asset, one.collateral, one.info) == (INVERSE, "BTC", LogInfo.TRADE)
    assert one.new_average_entry_price == Decimal("374.3445326979084")
    assert one.funding_rate == Decimal("1.64955714332e-07")
    assert one.realized_funding == Decimal("-0.00000131965")
    assert (one.mark_price, one.fee) == (None, 0)
    cash, _ = run(rest.history.account_log().page(), {"logs": [entry(1, asset="xbt", info="a new one")]})
    assert (cash.items[0].asset, cash.items[0].info) == ("BTC", "a new one")


def test_the_account_log_is_paged_by_id_until_nothing_is_left(rest: FuturesRest, run: Any) -> None:
    newest = rest.history.account_log(Span(count=2), info=["futures trade"], conversion_details=True)
    first, (call,) = run(newest.page(), {"logs": [entry(9), entry(8)]})
    assert call.params["info"] == ["futures trade"]
    assert call.params["conversion_details"] is True
    assert (call.params["from"], call.params["to"], call.params["sort"]) == (None, None, "desc")
    assert call.costs == (Cost(HISTORY, 1),)
    assert first.cursor == "7"
    second, (call,) = run(newest.page(first.cursor), {"logs": [entry(7)]})
    assert (call.params["from"], call.params["to"]) == (None, 7)
    assert second.cursor == "6"  # a short page may not be the last
    assert run(newest.page("6"), {"logs": []})[0].cursor is None
    assert run(newest.page("1"), {"logs": [entry(1)]})[0].cursor is None


def test_the_account_log_oldest_first_and_within_bounds(rest: FuturesRest, run: Any) -> None:
    oldest = rest.history.account_log(Span(oldest_first=True), first_id=5, last_id=7)
    first, (call,) = run(oldest.page(), {"logs": [entry(5), entry(6)]})
    assert (call.params["from"], call.params["to"], call.params["sort"]) == (5, 7, "asc")
    second, (call,) = run(oldest.page(first.cursor), {"logs": [entry(7)]})
    assert (call.params["from"], call.params["to"]) == (7, 7)
    assert second.cursor is None


def test_an_account_log_that_cannot_be_read_does_not_look_finished(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(ProtocolError, match="no row reads"):
        run(rest.history.account_log().page(), {"logs": [{"id": "x"}]})
    with pytest.raises(ProtocolError):
        run(rest.history.account_log().page(), {})


def test_the_account_log_as_csv(rest: FuturesRest, run: Any) -> None:
    text, (call,) = run(rest.history.account_log_csv(conversion_details=True), b"uid,dateTime\na,b\n")
    assert text == "uid,dateTime\na,b\n"
    assert call.path == "/api/history/v3/accountlogcsv"
    assert call.costs == (Cost(HISTORY, 6),)
    with pytest.raises(ProtocolError, match="not UTF-8"):
        run(rest.history.account_log_csv(), b"\xff\xfe")


# What cannot be asked, and what is no answer.


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "10"])
def test_a_page_has_a_whole_number_of_rows(rest: FuturesRest, count: Any) -> None:
    with pytest.raises(InvalidValue, match="count"):
        rest.history.executions(span=Span(count=count))


def test_only_cursors_and_contracts_that_exist(rest: FuturesRest) -> None:
    with pytest.raises(InvalidValue, match="no cursor"):
        next(rest.history.account_log().page("t-1"))
    with pytest.raises(InvalidValue, match="at most 100000"):
        rest.history.account_log(Span(count=100_001))
    with pytest.raises(UnknownSymbol):
        rest.history.executions("SOL/USD:USD")
    with pytest.raises(InvalidValue, match="no time zone"):
        rest.history.orders(span=Span(since=datetime(2026, 1, 5)))  # noqa: DTZ001 - the point of the test


def test_a_spent_pool_passes_through(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(RateLimited):
        run(rest.history.executions().page(), RateLimited("wait", retry_after=17))


def test_a_page_without_its_list_is_an_error(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(ProtocolError):
        run(rest.history.executions().page(), {"len": 0})


_JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["", "1e999999999", "NaN", "Buy", 0, -1, 10**25, 0.5]) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["execution", "order", "price", "uid", "quantity"]) | st.text(), inner)
    ),
    max_leaves=12,
)


@given(st.sampled_from(["Execution", "OrderPlaced", "OrderUpdated", "New", "price"]), _JSON, _JSON)
def test_whatever_a_row_is_it_is_read_or_told(kind: str, payload: Any, time: Any) -> None:
    raw = msgspec.Raw(msgspec.json.encode({"uid": "e", "timestamp": time, "event": {kind: payload}}))
    symbols = SymbolMap("f")
    readers = [
        lambda row: parse_history.execution(row, symbols),
        lambda row: parse_history.market_execution(row, symbols),
        lambda row: parse_history.order_event(row, symbols),
        lambda row: parse_history.mark_price(row, LINEAR),
    ]
    for reader in readers:
        good, bad = readable([raw], wire.Element, reader, "fuzz")
        assert len(good) + len(bad) == 1
    good, bad = readable([raw], msgspec.Raw, lambda row: parse_history.position_update(row, symbols), "fuzz")
    assert len(good) + len(bad) == 1
