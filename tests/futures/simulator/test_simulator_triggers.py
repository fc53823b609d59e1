"""The simulated venue's triggers: stops, take-profits, trailing stops, from placing to what they set off."""

import json
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange

LINEAR = Symbol.parse("BTC/USD:USD")


def move(exchange: SimulatedExchange, mark: int | None = None, index: int | None = None) -> None:
    """Let the mark or the index price be another, and the exchange look."""
    if mark is not None:
        exchange.set_mark(LINEAR, Decimal(mark))
    if index is not None:
        exchange.set_index(LINEAR, Decimal(index))
    exchange.step()


def stop(client: Any, side: str = "sell", size: str = "0.1", price: str = "80000", **more: Any) -> Any:
    return client.order("stp", side, size, stopPrice=price, **{"triggerSignal": "mark", **more})


class TestPlacing:
    def test_a_stop_is_placed_as_a_trigger(self, alice: Any) -> None:
        status = stop(alice, cliOrdId="mine")
        [event] = status["orderEvents"]
        assert (status["status"], event["type"]) == ("placed", "PLACE")
        assert event["orderTrigger"] == {
            "uid": status["order_id"],
            "clientId": "mine",
            "type": "ioc",
            "symbol": "PF_XBTUSD",
            "side": "sell",
            "quantity": Decimal("0.1"),
            "limitPrice": None,
            "triggerPrice": 80000,
            "triggerSide": "trigger_below",
            "triggerSignal": "mark_price",
            "reduceOnly": False,
            "timestamp": "2026-10-09T12:30:15.123Z",
            "lastUpdateTimestamp": "2026-10-09T12:30:15.123Z",
            "startTime": None,
        }

    def test_among_the_open_orders_it_looks_as_recorded(self, alice: Any, captures: Any) -> None:
        stop(alice, cliOrdId="mine", reduceOnly="true")
        [row] = alice.get("openorders")["openOrders"]
        recorded = json.loads((captures / "futures/rest/open_orders_stop_2023-07.json").read_text())["openOrders"][0]
        assert row.keys() == recorded.keys()
        for name in ("orderType", "side", "status", "filledSize", "reduceOnly", "triggerSignal"):
            assert row[name] == recorded[name]

    @pytest.mark.parametrize(
        ("kind", "side", "above"),
        [("stp", "buy", True), ("stp", "sell", False), ("take_profit", "buy", False), ("take_profit", "sell", True)],
    )
    def test_which_way_the_price_must_go(self, alice: Any, kind: str, side: str, above: bool) -> None:
        price = "90000" if above else "80000"
        [event] = alice.order(kind, side, "0.1", stopPrice=price, triggerSignal="mark")["orderEvents"]
        assert event["orderTrigger"]["triggerSide"] == ("trigger_above" if above else "trigger_below")

    @pytest.mark.parametrize(
        ("sent", "shown", "rest"),
        [("mark", "mark_price", "mark"), ("last", "last_price", "last"), ("index", "spot_price", "spot")],
    )
    def test_the_index_is_called_spot(self, alice: Any, sent: str, shown: str, rest: str) -> None:
        [event] = stop(alice, triggerSignal=sent)["orderEvents"]
        assert event["orderTrigger"]["triggerSignal"] == shown
        assert alice.get("openorders")["openOrders"][0]["triggerSignal"] == rest

    @pytest.mark.parametrize(
        ("terms", "limit"),
        [
            ({}, None),
            ({"limitPrice": "79000"}, 79000),
            ({"limitPriceOffsetValue": "-50", "limitPriceOffsetUnit": "QUOTE_CURRENCY"}, 79950),
            ({"limitPriceOffsetValue": "1", "limitPriceOffsetUnit": "PERCENT"}, 80800),
        ],
    )
    def test_limits_of_what_fires(self, alice: Any, terms: dict[str, str], limit: int | None) -> None:
        [event] = stop(alice, **terms)["orderEvents"]
        assert event["orderTrigger"]["limitPrice"] == limit
        assert event["orderTrigger"]["type"] == ("ioc" if limit is None else "lmt")

    def test_a_trailing_stop_starts_its_distance_away(self, alice: Any, exchange: SimulatedExchange) -> None:
        move(exchange, mark=84000)
        trail = {"trailingStopMaxDeviation": "5", "trailingStopDeviationUnit": "PERCENT", "triggerSignal": "mark"}
        [event] = alice.order("trailing_stop", "sell", "0.1", **trail)["orderEvents"]
        assert event["orderTrigger"]["triggerPrice"] == 79800
        [row] = alice.get("openorders")["openOrders"]
        assert (row["orderType"], row["stopPrice"]) == ("trailing_stop", 79800)

    def test_an_edit_of_a_trailing_stop_shows_where_its_trigger_was(
        self, alice: Any, exchange: SimulatedExchange
    ) -> None:
        move(exchange, mark=84000)
        trail = {"trailingStopMaxDeviation": "5", "trailingStopDeviationUnit": "PERCENT", "triggerSignal": "mark"}
        order = alice.order("trailing_stop", "sell", "0.1", **trail)
        changed = trail | {"trailingStopMaxDeviation": "10"}
        edited = alice.post("editorder", orderId=order["order_id"], size="0.1", **changed)["editStatus"]
        [event] = edited["orderEvents"]
        assert (event["old"]["triggerPrice"], event["new"]["triggerPrice"]) == (79800, 75600)

    @pytest.mark.parametrize(
        ("kind", "terms", "reason"),
        [
            ("lmt", {"limitPrice": "1", "stopPrice": "2"}, "ORDER_CANNOT_HAVE_TRIGGER_PRICE"),
            (
                "stp",
                {
                    "stopPrice": "9",
                    "limitPrice": "1",
                    "limitPriceOffsetValue": "1",
                    "limitPriceOffsetUnit": "PERCENT",
                },
                "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE",
            ),
            ("stp", {"stopPrice": "9", "limitPriceOffsetValue": "1"}, "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT"),
            (
                "stp",
                {"stopPrice": "9", "limitPriceOffsetValue": "0.5", "limitPriceOffsetUnit": "QUOTE_CURRENCY"},
                "LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE",
            ),
            (
                "trailing_stop",
                {"trailingStopMaxDeviation": "51", "trailingStopDeviationUnit": "PERCENT"},
                "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE",
            ),
            (
                "trailing_stop",
                {"trailingStopMaxDeviation": "0.01", "trailingStopDeviationUnit": "PERCENT"},
                "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL",
            ),
            (
                "trailing_stop",
                {"trailingStopMaxDeviation": "10.5", "trailingStopDeviationUnit": "QUOTE_CURRENCY"},
                "TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE",
            ),
            (
                "trailing_stop",
                {"stopPrice": "1", "trailingStopMaxDeviation": "5", "trailingStopDeviationUnit": "PERCENT"},
                "ORDER_CANNOT_HAVE_TRIGGER_PRICE",
            ),
        ],
    )
    def test_terms_that_do_not_go_together(self, alice: Any, kind: str, terms: dict[str, str], reason: str) -> None:
        status = alice.order(kind, "sell", "0.1", **terms)
        assert (status["status"], status["orderEvents"][0]["reason"]) == ("invalidPrice", reason)
        assert alice.get("openorders")["openOrders"] == []
        [row] = alice.post("orders/status", orderIds=status["order_id"])["orders"]
        assert (row["status"], row["error"]) == ("REJECTED", reason)

    @pytest.mark.parametrize(
        ("kind", "terms", "error"),
        [
            ("stp", {}, "requiredArgumentMissing"),
            ("stp", {"stopPrice": "1", "triggerSignal": "spot"}, "invalidArgument: triggerSignal"),
            ("stp", {"stopPrice": "1", "trailingStopMaxDeviation": "1"}, "invalidArgument: trailingStopMaxDeviation"),
            ("trailing_stop", {}, "requiredArgumentMissing"),
            ("trailing_stop", {"trailingStopMaxDeviation": "1"}, "requiredArgumentMissing"),
            ("mkt", {"limitPriceOffsetValue": "1"}, "invalidArgument: limitPriceOffsetValue"),
        ],
    )
    def test_what_does_not_read(self, alice: Any, kind: str, terms: dict[str, str], error: str) -> None:
        order = {"orderType": kind, "symbol": "PF_XBTUSD", "side": "sell", "size": "0.1"}
        assert alice.post("sendorder", **order, **terms)["error"] == error


class TestFiring:
    def test_a_stop_fires_at_the_mark_and_executes(
        self, alice: Any, bobby: Any, feed: Any, exchange: SimulatedExchange
    ) -> None:
        feed.follow("alice", "open_orders", "fills")
        bobby.order("lmt", "buy", "1", "79500")
        order_id = stop(alice)["order_id"]
        move(exchange, mark=80001)
        [placed] = feed.frames()
        assert (placed["order"]["type"], placed["order"]["stop_price"], placed["reason"]) == (
            "stop",
            80000,
            "new_placed_order_by_user",
        )
        assert "limit_price" not in placed["order"]
        move(exchange, mark=80000)
        gone, fill = feed.frames()
        assert (gone["reason"], gone["is_cancel"], gone["order"]["order_id"]) == (
            "stop_order_triggered",
            True,
            order_id,
        )
        assert gone["order"]["type"] == "stop"
        assert (fill["fills"][0]["order_id"], fill["fills"][0]["order_type"]) == (order_id, "market")

    def test_what_rests_after_firing_is_an_order_of_its_own(
        self, alice: Any, bobby: Any, feed: Any, exchange: SimulatedExchange
    ) -> None:
        feed.follow("alice", "open_orders")
        bobby.order("lmt", "buy", "0.04", "79900")
        order_id = stop(alice, limitPrice="79900")["order_id"]
        move(exchange, mark=79999)
        frames = feed.frames()[1:]
        assert [(frame["reason"], frame["is_cancel"]) for frame in frames] == [
            ("stop_order_triggered", True),
            ("limit_order_from_stop", False),
            ("partial_fill", False),
        ]
        assert [frame["order"]["type"] for frame in frames] == ["stop", "limit", "limit"]
        [row] = alice.get("openorders")["openOrders"]
        assert (row["order_id"], row["orderType"], row["unfilledSize"]) == (order_id, "lmt", Decimal("0.06"))
        assert "stopPrice" not in row
        [known] = alice.post("orders/status", orderIds=order_id)["orders"]
        assert (known["order"]["type"], known["status"]) == ("ORDER", "ENTERED_BOOK")
        assert known["order"]["triggerTime"] == "2026-10-09T12:30:15.123Z"

    def test_a_stop_whose_trigger_is_met_already(self, alice: Any, bobby: Any, exchange: SimulatedExchange) -> None:
        bobby.order("lmt", "buy", "1", "79500")
        move(exchange, mark=79000)
        events = stop(alice)["orderEvents"]
        assert [event["type"] for event in events] == ["PLACE", "EXECUTION"]
        assert "orderTrigger" in events[0]

    def test_the_index_sets_off_what_waits_for_it(self, alice: Any, bobby: Any, exchange: SimulatedExchange) -> None:
        bobby.order("lmt", "buy", "1", "79500")
        move(exchange, index=84000)
        stop(alice, triggerSignal="index")
        move(exchange, mark=70000)
        assert alice.get("fills")["fills"] == []
        move(exchange, index=80000)
        assert len(alice.get("fills")["fills"]) == 1

    def test_the_last_price_sets_off_what_waits_for_it(self, alice: Any, bobby: Any) -> None:
        alice.order("take_profit", "sell", "0.1", stopPrice="85000", triggerSignal="last")
        bobby.order("lmt", "sell", "0.1", "85000")
        alice.order("mkt", "buy", "0.1")
        assert alice.get("openorders")["openOrders"] == []

    def test_a_stop_without_a_limit_has_the_band_of_a_market_order(
        self, alice: Any, bobby: Any, exchange: SimulatedExchange
    ) -> None:
        bobby.order("lmt", "buy", "0.1", "80000")
        bobby.order("lmt", "buy", "5", "79199")
        order_id = stop(alice, size="1")["order_id"]
        move(exchange, mark=79990)
        assert [fill["price"] for fill in alice.get("fills")["fills"]] == [80000]
        [known] = alice.post("orders/status", orderIds=order_id)["orders"]
        assert (known["status"], known["order"]["limitPrice"]) == ("CANCELLED", 79200)

    def test_one_that_the_account_cannot_pay_for(self, alice: Any, feed: Any, exchange: SimulatedExchange) -> None:
        feed.follow("alice", "open_orders")
        order_id = stop(alice, size="70", limitPrice="79000")["order_id"]
        move(exchange, mark=79500)
        reasons = [frame["reason"] for frame in feed.frames()]
        assert reasons == ["new_placed_order_by_user", "stop_order_triggered", "not_enough_margin"]
        [known] = alice.post("orders/status", orderIds=order_id)["orders"]
        assert (known["status"], known["error"], known["updateReason"]) == (
            "TRIGGER_ACTIVATION_FAILURE",
            "INSUFFICIENT_MARGIN",
            "NOT_ENOUGH_MARGIN",
        )

    def test_a_trailing_stop_follows_and_fires(
        self, alice: Any, bobby: Any, feed: Any, exchange: SimulatedExchange
    ) -> None:
        feed.follow("alice", "open_orders")
        bobby.order("lmt", "buy", "1", "80000")
        move(exchange, mark=84000)
        trail = {"trailingStopMaxDeviation": "1000", "trailingStopDeviationUnit": "QUOTE_CURRENCY"}
        order_id = alice.order("trailing_stop", "sell", "0.1", triggerSignal="mark", **trail)["order_id"]
        for mark in (84500, 84200, 83500):
            move(exchange, mark=mark)
        placed, moved, gone = feed.frames()
        assert placed["order"]["trailing_stop_options"] == {"max_deviation": 1000, "unit": "quote_currency"}
        assert (placed["order"]["stop_price"], moved["order"]["stop_price"]) == (83000, 83500)
        assert gone["reason"] == "stop_order_triggered"
        assert alice.get("fills")["fills"][0]["order_id"] == order_id


class TestEditing:
    def edit(self, client: Any, order_id: str, **terms: Any) -> Any:
        return client.post("editorder", orderId=order_id, **terms)

    def test_a_stop_wants_its_price_again(self, alice: Any, feed: Any) -> None:
        order_id = stop(alice)["order_id"]
        feed.follow("alice", "open_orders")
        assert self.edit(alice, order_id, size="0.2")["error"] == "requiredArgumentMissing"
        status = self.edit(alice, order_id, size="0.2", stopPrice="81000")["editStatus"]
        [event] = status["orderEvents"]
        assert (status["status"], status["orderId"], event["type"]) == ("edited", order_id, "EDIT")
        old, new = event["old"], event["new"]
        assert (old["triggerPrice"], old["quantity"]) == (80000, Decimal("0.1"))
        assert (new["triggerPrice"], new["quantity"], new["uid"]) == (81000, Decimal("0.2"), order_id)
        [frame] = feed.frames()
        assert (frame["reason"], frame["order"]["stop_price"]) == ("edited_by_user", 81000)

    def test_an_order_that_is_no_stop(self, alice: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.1", "80000")["order_id"]
        assert self.edit(alice, order_id, stopPrice="90000")["editStatus"]["status"] == "orderForEditNotAStop"

    def test_a_trailing_stop_moves_by_itself(self, alice: Any, exchange: SimulatedExchange) -> None:
        move(exchange, mark=84000)
        trail = {"trailingStopMaxDeviation": "5", "trailingStopDeviationUnit": "PERCENT"}
        order_id = alice.order("trailing_stop", "sell", "0.1", triggerSignal="mark", **trail)["order_id"]
        for name, status in (
            ("stopPrice", "cannotEditTriggerPriceOfTrailingStop"),
            ("limitPrice", "cannotEditLimitPriceOfTrailingStop"),
        ):
            assert self.edit(alice, order_id, **{name: "80000"})["editStatus"]["status"] == status
        move(exchange, mark=82000)
        assert self.edit(alice, order_id, size="0.2")["editStatus"]["orderEvents"][0]["new"]["triggerPrice"] == 79800
        again = self.edit(alice, order_id, **trail)["editStatus"]["orderEvents"][0]["new"]
        assert again["triggerPrice"] == 77900  # the same distance given again counts from where the market is


class TestPast:
    def kinds(self, client: Any, path: str, **params: Any) -> list[str]:
        elements = client.get(f"/api/history/v3/{path}", sort="asc", **params)["elements"]
        return [next(iter(element["event"])) for element in elements]

    def test_triggers_have_a_history_of_their_own(self, alice: Any, bobby: Any, exchange: SimulatedExchange) -> None:
        bobby.order("lmt", "buy", "1", "79500")
        fired, cancelled = stop(alice)["order_id"], stop(alice, price="70000", limitPrice="69000")["order_id"]
        alice.post("editorder", orderId=cancelled, stopPrice="71000", limitPrice="69000")
        move(exchange, mark=80000)
        alice.post("cancelorder", order_id=cancelled)
        assert self.kinds(alice, "triggers") == [
            "OrderTriggerPlaced",
            "OrderTriggerPlaced",
            "OrderTriggerUpdated",
            "OrderTriggerActivated",
            "OrderTriggerCancelled",
        ]
        assert self.kinds(alice, "triggers", opened="true") == ["OrderTriggerPlaced"] * 2
        assert self.kinds(alice, "triggers", closed="true", opened="true")[2:] == [
            "OrderTriggerActivated",
            "OrderTriggerCancelled",
        ]
        assert self.kinds(alice, "orders") == ["OrderPlaced"]
        [placed] = alice.get("/api/history/v3/orders")["elements"]
        assert placed["event"]["OrderPlaced"]["order"]["uid"] == fired
        [_, *_, first] = alice.get("/api/history/v3/triggers")["elements"]
        options = first["event"]["OrderTriggerPlaced"]["order"]["triggerOptions"]
        assert options == {"triggerPrice": "80000", "triggerSignal": "MarkPrice", "triggerSide": "Below"}

    def test_rejected_orders_are_in_the_history(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("post", "buy", "0.1", "84000")
        [element] = alice.get("/api/history/v3/orders", closed="true")["elements"]
        assert element["event"]["OrderRejected"]["orderError"] == "POST_WOULD_EXECUTE"
