"""The simulated REST API: orders, fills, positions, wallets, history."""

import json
from decimal import Decimal
from typing import Any

import pytest


def value(text: str) -> Decimal:
    return Decimal(text)


class TestSendOrder:
    def test_a_resting_order_is_placed(self, alice: Any, captures: Any) -> None:
        status = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")
        [event] = status["orderEvents"]
        assert (status["status"], status["cliOrdId"], event["type"]) == ("placed", "mine", "PLACE")
        assert event["order"] == {
            "orderId": status["order_id"],
            "cliOrdId": "mine",
            "type": "lmt",
            "symbol": "PF_XBTUSD",
            "side": "buy",
            "quantity": value("0.1"),
            "filled": 0,
            "limitPrice": 80000,
            "reduceOnly": False,
            "timestamp": "2026-10-09T12:30:15.123Z",
            "lastUpdateTimestamp": "2026-10-09T12:30:15.123Z",
        }
        recorded = json.loads((captures / "futures/rest/doc_send_order.json").read_text())["sendStatus"]
        assert status.keys() - {"cliOrdId"} == recorded.keys()
        assert event.keys() == recorded["orderEvents"][0].keys()

    def test_a_filled_order_is_placed_too_and_its_events_tell(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.1", "84000")
        bobby.order("lmt", "sell", "0.1", "84010")
        status = alice.order("lmt", "buy", "0.15", "84100")
        assert status["status"] == "placed"
        first, second = status["orderEvents"]
        assert [event["type"] for event in (first, second)] == ["EXECUTION", "EXECUTION"]
        assert (first["price"], first["amount"]) == (84000, value("0.1"))
        assert (second["price"], second["amount"]) == (84010, value("0.05"))
        assert first["orderPriorExecution"]["quantity"] == value("0.15")
        assert first["orderPriorExecution"]["filled"] == 0
        assert second["orderPriorExecution"]["filled"] == value("0.1")

    def test_executed_and_then_resting(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.1", "84000")
        events = alice.order("lmt", "buy", "0.3", "84000")["orderEvents"]
        assert [event["type"] for event in events] == ["EXECUTION", "PLACE"]
        assert (events[1]["order"]["quantity"], events[1]["order"]["filled"]) == (value("0.2"), value("0.1"))

    def test_a_market_order_echoes_as_ioc_with_a_limit_nobody_set(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.1", "84000")
        bobby.order("lmt", "buy", "0.1", "83000")
        events = alice.order("mkt", "buy", "0.3")["orderEvents"]
        assert [event["type"] for event in events] == ["EXECUTION", "CANCEL"]
        prior = events[0]["orderPriorExecution"]
        assert prior["type"] == "ioc"
        assert prior["limitPrice"] > events[0]["price"]

    def test_a_market_order_goes_no_further_than_one_percent(self, alice: Any, bobby: Any, exchange: Any) -> None:
        for size, price in (("0.1", "66596"), ("0.1", "65931"), ("0.1", "65930"), ("5", "60000")):
            bobby.order("lmt", "buy", size, price)
        events = alice.order("mkt", "sell", "1")["orderEvents"]
        assert [event.get("price") for event in events] == [66596, 65931, None]
        assert [event["type"] for event in events][-1] == "CANCEL"
        assert events[0]["orderPriorExecution"]["limitPrice"] == 65931
        exchange.check_invariants()

    def test_the_limit_of_a_market_buy_is_the_recorded_one(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.1", "66596")
        [event] = alice.order("mkt", "buy", "0.1")["orderEvents"]
        assert event["orderPriorExecution"]["limitPrice"] == 67261

    @pytest.mark.parametrize(
        ("kind", "side", "size", "price", "more", "status"),
        [
            ("lmt", "buy", "0.00001", "80000", {}, "invalidSize"),
            ("lmt", "buy", "-1", "80000", {}, "invalidSize"),
            ("lmt", "buy", "0.1", "80000.5", {}, "invalidPrice"),
            ("lmt", "buy", "0.1", "-80000", {}, "invalidPrice"),
            ("lmt", "buy", "1000", "80000", {}, "insufficientAvailableFunds"),
            ("post", "buy", "0.1", "84000", {}, "postWouldExecute"),
            ("ioc", "buy", "0.1", "83000", {}, "iocWouldNotExecute"),
            ("fok", "buy", "1", "84000", {}, "iocWouldNotExecute"),
            ("mkt", "sell", "1", "", {}, "iocWouldNotExecute"),
            ("lmt", "buy", "0.1", "84000", {"reduceOnly": "true"}, "wouldNotReducePosition"),
            ("lmt", "buy", "0.1", "80000", {"cliOrdId": "x" * 101}, "clientOrderIdTooBig"),
            ("lmt", "buy", "0.1", "80000", {"processBefore": "2026-10-09T12:30:15Z"}, "wouldProcessAfterSpecifiedTime"),
        ],
    )
    def test_refusals_are_successes_with_a_status(
        self, alice: Any, bobby: Any, kind: str, side: str, size: str, price: str, more: dict[str, str], status: str
    ) -> None:
        bobby.order("lmt", "sell", "0.5", "84000")
        answer = alice.order(kind, side, size, price, **more)
        assert answer["status"] == status
        assert alice.get("openorders")["openOrders"] == []
        assert alice.get("fills")["fills"] == []

    def test_what_the_engine_rejects_has_an_event(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.5", "84000")
        status = alice.order("post", "buy", "0.1", "84000")
        [event] = status["orderEvents"]
        assert (event["type"], event["reason"], event["order"]["type"]) == ("REJECT", "POST_WOULD_EXECUTE", "post")
        assert event["uid"] == status["order_id"]

    def test_own_orders_do_not_meet(self, alice: Any) -> None:
        alice.order("lmt", "sell", "0.1", "84000")
        assert alice.order("lmt", "buy", "0.1", "84000")["status"] == "selfFill"

    def test_client_ids_are_unique_for_ever(self, alice: Any) -> None:
        assert alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["status"] == "placed"
        alice.post("cancelorder", cliOrdId="mine")
        assert alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["status"] == "clientOrderIdAlreadyExist"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"orderType": ""}, "requiredArgumentMissing"),
            ({"limitPrice": ""}, "requiredArgumentMissing"),
            ({"size": ""}, "requiredArgumentMissing"),
            ({"orderType": "limit"}, "invalidArgument: orderType"),
            ({"symbol": "PF_NOPE"}, "invalidArgument: symbol"),
            ({"side": "long"}, "invalidArgument: side"),
            ({"size": "much"}, "invalidArgument: size"),
            ({"size": "1e99999999"}, "invalidArgument: size"),
            ({"limitPrice": "NaN"}, "invalidArgument: limitPrice"),
            ({"reduceOnly": "True"}, "invalidArgument: reduceOnly"),
            ({"processBefore": "soon"}, "invalidArgument: processBefore"),
        ],
    )
    def test_what_does_not_read_is_an_error(self, alice: Any, change: dict[str, str], error: str) -> None:
        order = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.1", "limitPrice": "80000"}
        assert alice.post("sendorder", **order | change)["error"] == error


class TestCancel:
    def test_by_either_id(self, alice: Any, captures: Any) -> None:
        first = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="one")["order_id"]
        second = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="two")["order_id"]
        by_id = alice.post("cancelorder", order_id=first)["cancelStatus"]
        by_client_id = alice.post("cancelorder", cliOrdId="two")["cancelStatus"]
        assert (by_id["status"], by_id["order_id"], by_id["cliOrdId"]) == ("cancelled", first, "one")
        assert (by_client_id["status"], by_client_id["order_id"]) == ("cancelled", second)
        [event] = by_id["orderEvents"]
        assert (event["type"], event["uid"], event["order"]["filled"]) == ("CANCEL", first, 0)
        recorded = json.loads((captures / "futures/rest/doc_cancel_order.json").read_text())["cancelStatus"]
        assert by_id.keys() - {"cliOrdId"} == recorded.keys()

    def test_too_late_and_unknown(self, alice: Any, bobby: Any) -> None:
        order_id = bobby.order("lmt", "sell", "0.1", "84000")["order_id"]
        alice.order("mkt", "buy", "0.1")
        assert bobby.post("cancelorder", order_id=order_id)["cancelStatus"]["status"] == "filled"
        for unknown in ({"order_id": "x"}, {"cliOrdId": "x"}):
            assert alice.post("cancelorder", **unknown)["cancelStatus"]["status"] == "notFound"
        assert alice.post("cancelorder")["error"] == "requiredArgumentMissing"

    def test_all_of_one_symbol_never_touches_others(self, alice: Any, bobby: Any, captures: Any) -> None:
        bobby.order("lmt", "buy", "0.1", "80000")
        order_id = alice.order("lmt", "buy", "0.1", "80000")["order_id"]
        alice.order("lmt", "buy", "1", "2000", symbol="PF_ETHUSD")
        status = alice.post("cancelallorders", symbol="pf_xbtusd")["cancelStatus"]
        assert (status["status"], status["cancelOnly"]) == ("cancelled", "PF_XBTUSD")
        assert status["cancelledOrders"] == [{"order_id": order_id}]
        recorded = json.loads((captures / "futures/rest/doc_cancel_all_orders.json").read_text())["cancelStatus"]
        assert status.keys() == recorded.keys()
        assert [row["symbol"] for row in alice.get("openorders")["openOrders"]] == ["PF_ETHUSD"]
        assert alice.post("cancelallorders")["cancelStatus"]["cancelOnly"] == "all"
        assert alice.post("cancelallorders")["cancelStatus"]["status"] == "noOrdersToCancel"
        for unknown in ("NOPE", ""):
            assert alice.post("cancelallorders", symbol=unknown)["error"] == "invalidArgument: symbol"
        assert len(bobby.get("openorders")["openOrders"]) == 1


class TestOrders:
    def test_open_orders_newest_first(self, alice: Any, bobby: Any, clock: Any, captures: Any) -> None:
        first = alice.order("post", "buy", "0.3", "84000")["order_id"]
        clock.forward(1)
        second = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["order_id"]
        bobby.order("lmt", "sell", "0.1", "84000")
        rows = alice.get("openorders")["openOrders"]
        assert [row["order_id"] for row in rows] == [second, first]
        assert (rows[0]["status"], rows[0]["cliOrdId"]) == ("untouched", "mine")
        assert (rows[1]["status"], rows[1]["unfilledSize"], rows[1]["filledSize"], rows[1]["orderType"]) == (
            "partiallyFilled",
            value("0.2"),
            value("0.1"),
            "lmt",
        )
        recorded = json.loads((captures / "futures/rest/doc_open_orders.json").read_text())["openOrders"]
        assert rows[1].keys() == recorded[0].keys()

    def test_status_remembers_for_five_seconds(self, alice: Any, bobby: Any, clock: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.1", "84000", cliOrdId="mine")["order_id"]
        [row] = alice.post("orders/status", cliOrdIds=["mine", "other"])["orders"]
        assert (row["status"], row["updateReason"], row["order"]["type"]) == (
            "ENTERED_BOOK",
            "NEW_USER_ORDER",
            "ORDER",
        )
        bobby.order("mkt", "sell", "0.1")
        clock.forward(5)
        [row] = alice.post("orders/status", orderIds=order_id)["orders"]
        assert (row["status"], row["order"]["filled"]) == ("FULLY_EXECUTED", value("0.1"))
        clock.forward(0.1)
        assert alice.post("orders/status", orderIds=order_id)["orders"] == []
        assert bobby.post("orders/status", orderIds=order_id)["orders"] == []

    def test_fills_newest_first_and_before_a_time(self, alice: Any, bobby: Any, clock: Any, captures: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        for number in range(3):
            alice.order("mkt", "buy", "0.1", cliOrdId=f"order {number}")
            clock.forward(1)
        rows = alice.get("fills")["fills"]
        assert [row["cliOrdId"] for row in rows] == ["order 2", "order 1", "order 0"]
        assert alice.get("fills", lastFillTime=rows[0]["fillTime"])["fills"] == rows[1:]
        assert {row["fillType"] for row in bobby.get("fills")["fills"]} == {"maker"}
        recorded = json.loads((captures / "futures/rest/doc_fills.json").read_text())["fills"]
        assert rows[0].keys() - {"cliOrdId"} == recorded[0].keys()
        assert alice.get("fills", lastFillTime="yesterday")["error"] == "invalidArgument: lastFillTime"


class TestPositions:
    def test_linear(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.5", "84000")
        bobby.order("lmt", "sell", "0.5", "84100")
        alice.order("mkt", "buy", "1")
        [position] = alice.get("openpositions")["openPositions"]
        assert position == {
            "side": "long",
            "symbol": "PF_XBTUSD",
            "price": 84050,
            "fillTime": "2026-10-09T12:30:15.123Z",
            "size": 1,
            "unrealizedPnl": 50,  # bought at 84000 and 84100; the last price is the mark
            "unrealizedFunding": 0,
            "pnlCurrency": "USD",
        }
        assert bobby.get("openpositions")["openPositions"][0]["side"] == "short"

    def test_inverse_averages_are_harmonic(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "1000", "50000", symbol="PI_XBTUSD")
        alice.order("mkt", "buy", "1000", symbol="PI_XBTUSD")
        bobby.order("lmt", "sell", "3000", "60000", symbol="PI_XBTUSD")
        alice.order("mkt", "buy", "3000", symbol="PI_XBTUSD")
        [position] = alice.get("openpositions")["openPositions"]
        assert round(position["price"], 6) == value("57142.857143")
        assert "pnlCurrency" not in position

    def test_wallets(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        bobby.order("lmt", "sell", "8400", "84000", symbol="PI_XBTUSD")
        alice.order("mkt", "buy", "8400", symbol="PI_XBTUSD")
        for client, side, price in ((alice, "buy", "84990"), (bobby, "sell", "85010")):
            client.order("lmt", side, "0.0001", price)  # the mark price is the middle of the book
        accounts = alice.get("accounts")["accounts"]
        assert accounts.keys() == {"cash", "flex", "fi_xbtusd"}
        flex, margin = accounts["flex"], accounts["fi_xbtusd"]
        assert flex["currencies"]["USD"]["quantity"] == 50000 - 42  # the fee: 84000 at 0.05 %
        assert (flex["pnl"], flex["portfolioValue"], flex["initialMargin"]) == (1000, 50958, 840)
        assert flex["availableMargin"] == flex["marginEquity"] - flex["initialMarginWithOrders"]
        assert margin["balances"] == {"PI_XBTUSD": "8400", "xbt": "0.49995"}
        assert margin["currency"] == "xbt"

    def test_wallets_have_the_fields_of_the_documented_ones(self, alice: Any, captures: Any) -> None:
        recorded = json.loads((captures / "futures/rest/doc_accounts.json").read_text())["accounts"]
        ours = alice.get("accounts")["accounts"]
        for name in ("cash", "flex", "fi_xbtusd"):
            assert ours[name].keys() == recorded[name].keys()
            assert ours[name]["type"] == recorded[name]["type"]

    def test_closing_a_position_leaves_none(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        bobby.order("lmt", "buy", "1", "83000", reduceOnly="true")
        alice.order("mkt", "sell", "1", reduceOnly="true")
        assert alice.get("openpositions")["openPositions"] == []

    def test_reduce_only_is_shrunk_to_its_position(self, alice: Any, bobby: Any, exchange: Any) -> None:
        bobby.order("lmt", "sell", "0.2", "84000")
        alice.order("mkt", "buy", "0.2")
        [placed] = alice.order("lmt", "sell", "0.5", "84100", reduceOnly="true")["orderEvents"]
        assert (placed["order"]["quantity"], placed["reducedQuantity"]) == (value("0.2"), value("0.3"))
        [known] = alice.get("openorders")["openOrders"]
        assert known["unfilledSize"] == value("0.2")
        [row] = alice.get("/api/history/v3/orders", sort="desc", count=1)["elements"]
        assert row["event"]["OrderPlaced"]["reducedQuantity"] == "0.3"
        exchange.check_invariants()

    def test_reduce_only_executes_as_large_as_its_position(self, alice: Any, bobby: Any, exchange: Any) -> None:
        bobby.order("lmt", "sell", "0.2", "84000")
        alice.order("mkt", "buy", "0.2")
        bobby.order("lmt", "buy", "1", "84000")
        status = alice.order("mkt", "sell", "0.5", reduceOnly="true")
        [event] = status["orderEvents"]
        assert (event["type"], event["amount"], event["takerReducedQuantity"]) == (
            "EXECUTION",
            value("0.2"),
            value("0.3"),
        )
        [known] = alice.post("orders/status", orderIds=status["order_id"])["orders"]
        assert known["status"] == "FULLY_EXECUTED"
        assert alice.get("openpositions")["openPositions"] == []
        exchange.check_invariants()

    def test_an_edit_makes_reduce_only_no_larger_than_its_position(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.2", "84000")
        alice.order("mkt", "buy", "0.2")
        order_id = alice.order("lmt", "sell", "0.1", "84100", reduceOnly="true")["order_id"]
        [event] = alice.post("editorder", orderId=order_id, size="0.7")["editStatus"]["orderEvents"]
        assert (event["new"]["quantity"], event["reducedQuantity"]) == (value("0.2"), value("0.5"))

    def test_all_or_nothing_is_not_shrunk(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "0.2", "84000")
        alice.order("mkt", "buy", "0.2")
        bobby.order("lmt", "buy", "1", "84000")
        assert alice.order("fok", "sell", "0.5", "84000", reduceOnly="true")["status"] == "iocWouldNotExecute"

    def test_leverage_preferences(self, alice: Any) -> None:
        assert alice.get("leveragepreferences")["leveragePreferences"] == []


class TestHistory:
    def test_executions(self, alice: Any, bobby: Any, clock: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        ids = []
        for _ in range(3):
            ids.append(alice.order("mkt", "buy", "0.1")["orderEvents"][0]["executionId"])
            clock.forward(1)
        answer = alice.get("/api/history/v3/executions", count=2)
        assert (answer["len"], "result" in answer) == (2, False)
        executions = [element["event"]["Execution"]["execution"] for element in answer["elements"]]
        assert [execution["uid"] for execution in executions] == [ids[2], ids[1]]
        assert executions[0]["orderData"]["fee"] == "4.2"
        assert executions[0]["order"]["tradeable"] == "PF_XBTUSD"
        rest = alice.get("/api/history/v3/executions", count=2, continuation_token=answer["continuationToken"])
        assert rest["elements"][0]["event"]["Execution"]["execution"]["uid"] == ids[0]
        assert "continuationToken" not in rest
        since = alice.get("/api/history/v3/executions", since=1791549016000, sort="asc")
        assert [element["timestamp"] for element in since["elements"]] == [1791549016123, 1791549017123]

    def test_orders(self, alice: Any, clock: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["order_id"]
        clock.forward(1)
        alice.post("cancelorder", order_id=order_id)
        kinds = [list(element["event"]) for element in alice.get("/api/history/v3/orders")["elements"]]
        assert kinds == [["OrderCancelled"], ["OrderPlaced"]]
        assert alice.get("/api/history/v3/orders", tradeable="PF_ETHUSD")["elements"] == []
        assert len(alice.get("/api/history/v2/orders")["elements"]) == 2

    def test_public_executions_have_the_fields_of_recorded_ones(self, alice: Any, bobby: Any, captures: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "0.1")
        [element] = alice.public("/api/history/v3/market/PF_XBTUSD/executions")["elements"]
        recorded = json.loads((captures / "futures/rest/public_executions_2025-11.json").read_text())["elements"][0]
        assert element.keys() == recorded.keys()
        assert element["event"]["Execution"].keys() == recorded["event"]["Execution"].keys()
        ours, theirs = (each["event"]["Execution"]["execution"] for each in (element, recorded))
        assert ours.keys() == theirs.keys()
        assert ours["takerOrder"].keys() == theirs["takerOrder"].keys()
        assert ours["usdValue"] == "8400"
