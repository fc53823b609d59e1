"""Edits of orders in the book, batches, and what is refused before or by the engine."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange

LINEAR, DATED = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:USD-261225")


def edit(client: Any, **terms: Any) -> Any:
    answer = client.post("editorder", **terms)
    assert answer["result"] == "success", answer
    return answer["editStatus"]


def batch(client: Any, *items: dict[str, Any], **more: Any) -> Any:
    answer = client.post("batchorder", json=json.dumps({"batchOrder": list(items)}), **more)
    assert answer["result"] == "success", answer
    return answer["batchStatus"]


def order(tag: str, size: Any = 0.1, price: Any = 80000, **more: Any) -> dict[str, Any]:
    item = {"order": "send", "order_tag": tag, "orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy"}
    return {**item, "size": size, "limitPrice": price, **more}


class TestEdit:
    def test_it_looks_as_documented(self, alice: Any, captures: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["order_id"]
        status = edit(alice, orderId=order_id, size="0.15", limitPrice="81000")
        recorded = json.loads((captures / "futures/rest/doc_edit_order.json").read_text())["editStatus"]
        [event], [documented] = status["orderEvents"], recorded["orderEvents"]
        assert status.keys() - {"cliOrdId"} == recorded.keys()
        assert event.keys() == documented.keys()
        assert event["new"].keys() == documented["new"].keys()
        assert (event["old"]["limitPrice"], event["new"]["limitPrice"]) == (80000, 81000)

    def test_size_is_what_remains_unless_it_is_absolute(self, alice: Any, bobby: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.3", "84000")["order_id"]
        bobby.order("mkt", "sell", "0.1")
        edit(alice, orderId=order_id, size="0.5")
        [row] = alice.get("openorders")["openOrders"]
        assert (row["unfilledSize"], row["filledSize"]) == (Decimal("0.5"), Decimal("0.1"))
        edit(alice, orderId=order_id, size="0.5", qtyMode="ABSOLUTE")
        [row] = alice.get("openorders")["openOrders"]
        assert (row["unfilledSize"], row["filledSize"]) == (Decimal("0.4"), Decimal("0.1"))

    def test_cut_to_what_is_filled_it_is_over(self, alice: Any, bobby: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.3", "84000")["order_id"]
        bobby.order("mkt", "sell", "0.1")
        events = edit(alice, orderId=order_id, size="0.1", qtyMode="ABSOLUTE")["orderEvents"]
        assert [event["type"] for event in events] == ["EDIT", "CANCEL"]
        assert alice.get("openorders")["openOrders"] == []

    def test_what_executes_by_an_edit_says_so(self, alice: Any, bobby: Any, feed: Any) -> None:
        bobby.order("lmt", "sell", "0.1", "84000")
        order_id = alice.order("lmt", "buy", "0.3", "80000")["order_id"]
        feed.follow("alice", "open_orders", "fills")
        events = edit(alice, orderId=order_id, limitPrice="84000")["orderEvents"]
        assert [event["type"] for event in events] == ["EDIT", "EXECUTION"]
        assert events[1]["orderPriorEdit"]["limitPrice"] == 80000
        frames = feed.frames()
        assert [frame.get("reason") for frame in frames] == ["edited_by_user", "partial_fill", None]
        assert frames[2]["fills"][0]["fill_type"] == "takerAfterEdit"
        assert alice.get("fills")["fills"][0]["fillType"] == "takerAfterEdit"
        assert bobby.get("fills")["fills"][0]["fillType"] == "maker"

    def test_by_client_id_and_the_id_stays(self, alice: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["order_id"]
        assert edit(alice, cliOrdId="mine", limitPrice="80001")["orderId"] == order_id

    @pytest.mark.parametrize(
        ("terms", "status"),
        [
            ({"limitPrice": "80000.5"}, "invalidPrice"),
            ({"size": "0.00001"}, "invalidSize"),
            ({"size": "-1"}, "invalidSize"),
            ({"size": "0"}, "invalidSize"),
            ({"size": "100"}, "insufficientAvailableFunds"),
            ({"limitPrice": "84000"}, "postWouldExecute"),
            ({"limitPrice": "200000"}, "outsidePriceCollar"),
            ({"processBefore": "2026-10-09T12:30:15Z", "size": "1"}, "wouldProcessAfterSpecifiedTime"),
        ],
    )
    def test_a_refused_edit_leaves_the_order(self, alice: Any, bobby: Any, terms: dict[str, str], status: str) -> None:
        bobby.order("lmt", "sell", "0.1", "84000")
        order_id = alice.order("post", "buy", "0.1", "80000")["order_id"]
        before = alice.get("openorders")["openOrders"]
        assert edit(alice, orderId=order_id, **terms)["status"] == status
        assert alice.get("openorders")["openOrders"] == before

    def test_what_is_not_there_or_not_said(self, alice: Any, bobby: Any) -> None:
        order_id = bobby.order("lmt", "buy", "0.1", "80000")["order_id"]
        assert edit(alice, orderId=order_id, size="1")["status"] == "orderForEditNotFound"
        assert alice.post("editorder", size="1")["error"] == "requiredArgumentMissing"
        assert bobby.post("editorder", orderId=order_id, qtyMode="x")["error"] == "invalidArgument: qtyMode"
        trail = {"trailingStopMaxDeviation": "1"}
        assert bobby.post("editorder", orderId=order_id, **trail)["error"] == "requiredArgumentMissing"

    def test_edits_are_in_the_history(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.1", "84000")
        order_id = alice.order("post", "buy", "0.1", "80000")["order_id"]
        edit(alice, orderId=order_id, limitPrice="80100")
        edit(alice, orderId=order_id, limitPrice="84000")
        elements = alice.get("/api/history/v3/orders", sort="asc")["elements"]
        _, updated, rejected = (next(iter(element["event"].items())) for element in elements)
        assert (updated[0], updated[1]["newOrder"]["limitPrice"]) == ("OrderUpdated", "80100")
        assert (rejected[0], rejected[1]["attemptedOrder"]["limitPrice"], rejected[1]["orderError"]) == (
            "OrderEditRejected",
            "84000",
            "POST_WOULD_EXECUTE",
        )


class TestBatch:
    def test_it_looks_as_documented(self, alice: Any, captures: Any) -> None:
        kept = alice.order("lmt", "buy", "0.1", "80000")["order_id"]
        gone = alice.order("lmt", "buy", "0.1", "80000")["order_id"]
        statuses = batch(
            alice,
            order("1"),
            {"order": "edit", "order_id": kept, "size": 0.2, "limitPrice": 81000},
            {"order": "cancel", "order_id": gone},
        )
        recorded = json.loads((captures / "futures/rest/doc_batch_order.json").read_text())["batchStatus"]
        assert [status["status"] for status in statuses] == [status["status"] for status in recorded]
        for ours, documented in zip(statuses, recorded, strict=True):
            assert ours.keys() >= documented.keys()
            assert ours["orderEvents"][0]["type"] == documented["orderEvents"][0]["type"]
        assert (statuses[0]["order_tag"], statuses[1]["order_id"], statuses[2]["order_id"]) == ("1", kept, gone)

    def test_each_item_is_refused_for_itself(self, alice: Any) -> None:
        statuses = batch(
            alice,
            order("a", size=1000),
            order("b", orderType="dance"),
            order("c", side="long"),
            order("d", size="much"),
            order("e", limitPrice=None),
            order("f", symbol="PF_NOPE"),
            {**order("g"), "order_tag": None},
            {"order": "cancel", "order_id": "nothing"},
            {"order": "edit", "order_id": "nothing", "size": 1},
            {"order": "cancel"},
            order("h", price=80000.5),
            order("i", reduceOnly=True),
            order("j"),
        )
        assert [status["status"] for status in statuses] == [
            "insufficientAvailableFunds",
            "invalidOrderType",
            "invalidSide",
            "invalidSize",
            "requiredArgumentMissing",
            "marketInactive",
            "requiredArgumentMissing",
            "notFound",
            "orderForEditNotFound",
            "requiredArgumentMissing",
            "invalidPrice",
            "wouldNotReducePosition",
            "placed",
        ]
        assert len(alice.get("openorders")["openOrders"]) == 1

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("{'batchOrder': [{'order': 'send', 'reduceOnly': True}]}", "Json Parse Error"),
            ("[" * 5000, "Json Parse Error"),
            ("[]", "invalidArgument: batchOrder"),
            ('{"batchOrder": []}', "invalidArgument: batchOrder"),
            ('{"batchOrder": [1]}', "invalidArgument: batchOrder"),
            ('{"batchOrder": [{"order": "sendorder"}]}', "invalidArgument: batchOrder"),
            ('{"batchOrder": [{"order": "cancel", "order_id": []}]}', "invalidArgument: order_id"),
            ("", "requiredArgumentMissing"),
        ],
    )
    def test_a_list_that_does_not_read_does_nothing(self, alice: Any, text: str, error: str) -> None:
        assert alice.post("batchorder", json=text)["error"] == error

    def test_numbers_keep_their_digits(self, alice: Any) -> None:
        body = urlencode({"json": json.dumps({"batchOrder": [order("1")]}).replace("0.1", "0.1000")})
        answer = json.loads(alice.raw("POST", "/derivatives/api/v3/batchorder", body=body).body)
        assert answer["batchStatus"][0]["status"] == "placed"

    @pytest.mark.parametrize("name", ["ProcessBefore", "processBefore"])
    def test_a_deadline_counts_for_every_item(self, alice: Any, name: str) -> None:
        statuses = batch(alice, order("1"), order("2"), **{name: "2026-10-09T12:30:15Z"})
        assert {status["status"] for status in statuses} == {"wouldProcessAfterSpecifiedTime"}
        assert alice.get("openorders")["openOrders"] == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("market", "kind", "status"),
        [
            (InstrumentStatus.CANCEL_ONLY, "lmt", "marketSuspended"),
            (InstrumentStatus.OFFLINE, "lmt", "marketInactive"),
            (InstrumentStatus.POST_ONLY, "lmt", "marketIsPostOnly"),
            (InstrumentStatus.POST_ONLY, "post", "placed"),
        ],
    )
    def test_what_a_market_takes(
        self, alice: Any, exchange: SimulatedExchange, market: InstrumentStatus, kind: str, status: str
    ) -> None:
        exchange.set_status(LINEAR, market)
        assert alice.order(kind, "buy", "0.1", "80000")["status"] == status
        row = alice.public("tickers/PF_XBTUSD")["ticker"]
        assert row["suspended"] is (market in (InstrumentStatus.CANCEL_ONLY, InstrumentStatus.OFFLINE))
        assert row["postOnly"] is (market is InstrumentStatus.POST_ONLY)

    @pytest.mark.parametrize(("side", "price"), [("buy", "126001"), ("sell", "41999")])
    def test_prices_beyond_all_reason(self, alice: Any, side: str, price: str) -> None:
        assert alice.order("lmt", side, "0.1", price)["status"] == "outsidePriceCollar"

    def test_positions_have_a_largest_size(self, alice: Any) -> None:
        assert alice.order("lmt", "buy", "1000.0001", "80000")["status"] == "maxPositionViolation"

    def test_client_ids_of_letters_that_nobody_can_print(self, alice: Any) -> None:
        assert alice.order("lmt", "buy", "0.1", "80000", cliOrdId="a\nb")["status"] == "clientOrderIdInvalid"

    def test_own_orders_that_would_meet(self, alice: Any) -> None:
        alice.put("self-trade-strategy", strategy="CANCEL_MAKER_SELF")
        first = alice.order("lmt", "sell", "0.1", "84000")["order_id"]
        assert alice.order("lmt", "buy", "0.1", "84000")["status"] == "placed"
        [row] = alice.post("orders/status", orderIds=first)["orders"]
        assert (row["status"], row["updateReason"]) == ("CANCELLED", "WOULD_EXECUTE_SELF_REASON")
