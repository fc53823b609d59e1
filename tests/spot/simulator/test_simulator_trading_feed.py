"""Trading over WebSocket v2: every method, and every kind of news that comes of it."""

import json
from decimal import Decimal
from typing import Any

import pytest

LIMIT = {"order_type": "limit", "side": "buy", "order_qty": 0.1, "limit_price": 80000, "symbol": "BTC/USD"}


@pytest.fixture
def token(alice: Any) -> str:
    return str(alice.token())


@pytest.fixture
def executions(private: Any, token: str) -> Any:
    """A connection that follows alice's orders."""
    private.send("subscribe", channel="executions", token=token, snap_orders=False)
    return private


def rows(frames: list[Any]) -> list[Any]:
    return [row for frame in frames if frame.get("channel") == "executions" for row in frame["data"]]


def answers(frames: list[Any]) -> list[Any]:
    return [frame for frame in frames if "method" in frame]


def kinds(frames: list[Any]) -> list[str]:
    return [row["exec_type"] for row in rows(frames)]


def recorded(captures: Any, method: str) -> Any:
    lines = (captures / "spot/ws/trading_responses.jsonl").read_text().splitlines()
    return next(row for row in map(json.loads, lines) if row["method"] == method)


class TestAddOrder:
    @pytest.mark.parametrize(
        ("change", "described"),
        [
            (
                {"order_type": "stop-loss", "side": "sell", "triggers": {"price": 83000}, "limit_price": None},
                "sell 0.10000000 XBTUSD @ stop loss 83000.0",
            ),
            (
                {
                    "order_type": "take-profit",
                    "triggers": {"reference": "index", "price": -2.0, "price_type": "pct"},
                    "limit_price": None,
                },
                "buy 0.10000000 XBTUSD @ take profit 82320.0",
            ),
            (
                {"order_type": "stop-loss-limit", "side": "sell", "triggers": {"price": 83000}, "limit_price": 82900},
                "sell 0.10000000 XBTUSD @ stop loss 83000.0 -> limit 82900.0",
            ),
            (
                {
                    "order_type": "trailing-stop",
                    "side": "sell",
                    "triggers": {"price": 1, "price_type": "pct"},
                    "limit_price": None,
                },
                "sell 0.10000000 XBTUSD @ trailing stop +1.0000%",
            ),
            (
                {
                    "order_type": "trailing-stop-limit",
                    "side": "sell",
                    "triggers": {"price": 500, "price_type": "quote"},
                    "limit_price": -10,
                },
                "sell 0.10000000 XBTUSD @ trailing stop +500.0 -> limit -10.0",
            ),
            ({"order_type": "iceberg", "display_qty": 0.05}, "buy 0.10000000 XBTUSD @ iceberg 80000.0"),
            ({"margin": True}, "buy 0.10000000 XBTUSD @ limit 80000.0 with 10:1 leverage"),
        ],
    )
    def test_every_type(self, private: Any, alice: Any, token: str, change: dict[str, Any], described: str) -> None:
        params = {name: value for name, value in (LIMIT | change).items() if value is not None}
        [answer] = private.send("add_order", **params, token=token)
        assert answer["success"], answer
        order = alice.do("OpenOrders")["open"][answer["result"]["order_id"]]
        assert order["descr"]["order"] == described

    def test_all_the_rest_of_the_terms(self, private: Any, alice: Any, token: str) -> None:
        terms = {
            "time_in_force": "gtd",
            "expire_time": "2026-10-09T13:30:15Z",
            "effective_time": "2026-10-09T12:40:15Z",
            "deadline": "2026-10-09T12:30:16Z",
            "post_only": True,
            "cl_ord_id": "mine",
            "fee_preference": "base",
            "stp_type": "cancel_both",
            "conditional": {"order_type": "stop-loss-limit", "trigger_price": 79000, "limit_price": 78900},
        }
        [answer] = private.send("add_order", **LIMIT, **terms, token=token)
        assert answer["result"].keys() == {"order_id", "cl_ord_id"}
        order = alice.do("OpenOrders")["open"][answer["result"]["order_id"]]
        assert (order["oflags"], order["status"]) == ("fcib,post", "pending")
        assert order["descr"]["close"] == "close position @ stop loss 79000.0 -> limit 78900.0"
        assert order["expiretm"] - order["starttm"] == 3000

    def test_a_market_order_in_quote(self, private: Any, alice: Any, bobby: Any, limit: Any, token: str) -> None:
        limit(bobby, "sell", "0.5", "84000")
        order = {"order_type": "market", "side": "buy", "cash_order_qty": 840, "symbol": "BTC/USD"}
        [answer] = private.send("add_order", **order, token=token)
        record = alice.do("QueryOrders", txid=answer["result"]["order_id"])
        assert record[answer["result"]["order_id"]]["vol_exec"] == "0.01000000"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"leverage": 5}, "Unsupported field: 'leverage' for the given msg type: add_order"),
            ({"trigger": "last"}, "Unsupported field: 'trigger' for the given msg type: add_order"),
            ({"cash_order_qty": "1"}, "Cash_order_qty field must be a number_float"),
            ({"no_mpp": True}, "EGeneral:Invalid arguments:no_mpp order option is only available when ordertype = "),
            ({"order_type": "stop-loss", "triggers": {"price": "1"}}, "Price field must be a number_float"),
            ({"order_type": "stop-loss", "triggers": [1]}, "Triggers field must be an object"),
            ({"order_type": "stop-loss", "triggers": {"price": 1, "reference": "mark"}}, "EGeneral:Invalid arg"),
            ({"order_type": "trailing-stop", "triggers": {"price": 1}}, "EGeneral:Invalid arguments:price_type"),
            ({"limit_price_type": "pct"}, "EGeneral:Invalid arguments:limit_price_type"),
            ({"limit_price_type": "percent"}, "EGeneral:Invalid arguments:limit_price_type"),
            ({"conditional": {"order_type": "market"}}, "EGeneral:Invalid arguments:close[ordertype]"),
            ({"conditional": {"order_type": "limit", "price": 1}}, "Unsupported field: 'price' for the given msg"),
            ({"display_qty": 0.05}, "EGeneral:Invalid arguments:displayvol"),
            ({"stp_type": "none"}, "EGeneral:Invalid arguments:stp_type"),
            ({"fee_preference": "usd"}, "EGeneral:Invalid arguments:fee_preference"),
            ({"time_in_force": "gtd"}, "EGeneral:Invalid arguments:expiretm"),
            ({"expire_time": "soon"}, "EGeneral:Invalid arguments:expire_time"),
            ({"reduce_only": True, "margin": True}, "EOrder:Reduce only:No position exists"),
            ({"validate": 1}, "Validate field must be a boolean"),
        ],
    )
    def test_refusals(self, private: Any, alice: Any, token: str, change: dict[str, Any], error: str) -> None:
        [answer] = private.send("add_order", **LIMIT | change, token=token)
        assert not answer["success"]
        assert answer["error"].startswith(error)
        assert "result" not in answer
        assert alice.do("OpenOrders") == {"open": {}}


class TestNews:
    def test_a_stop_waits(self, executions: Any, bobby: Any, limit: Any, token: str) -> None:
        stop = {"order_type": "stop-loss", "side": "sell", "order_qty": 0.1, "symbol": "BTC/USD"}
        frames = executions.send("add_order", **stop, triggers={"price": 83000}, token=token)
        pending, new = rows(frames)
        assert pending["triggers"] == {
            "reference": "last",
            "price": Decimal("83000.0"),
            "price_type": "static",
            "actual_price": Decimal("83000.0"),
            "status": "untriggered",
        }
        assert (new["exec_type"], new["order_status"]) == ("new", "new")
        limit(bobby, "sell", "0.01", "82900")
        assert executions.frames() == [], "orders that do not trade set off nothing"

    def test_a_stop_that_fires_is_told_before_its_fills(
        self, executions: Any, alice: Any, bobby: Any, limit: Any, token: str
    ) -> None:
        limit(bobby, "buy", "0.5", "82000")
        stop = {"order_type": "stop-loss", "side": "sell", "order_qty": 0.1, "symbol": "BTC/USD"}
        executions.send("add_order", **stop, triggers={"price": 83000}, token=token)
        limit(bobby, "sell", "0.01", "82900")
        limit(alice, "buy", "0.01", "82900")
        found = [row for row in rows(executions.frames()) if row.get("side") != "buy"]
        fired = next(row for row in found if row["exec_type"] == "status")
        assert fired["triggers"]["status"] == "triggered"
        assert {"timestamp", "price"} <= fired["triggers"].keys()
        fills = [row for row in found if row["exec_type"] == "trade"]
        assert [row["order_type"] for row in fills] == ["stop-loss"]
        assert found[-1]["exec_type"] == "filled"

    def test_a_trailing_trigger_moves(self, executions: Any, alice: Any, bobby: Any, limit: Any, token: str) -> None:
        trailing = {"order_type": "trailing-stop", "side": "sell", "order_qty": 0.1, "symbol": "BTC/USD"}
        executions.send("add_order", **trailing, triggers={"price": 500, "price_type": "quote"}, token=token)
        limit(bobby, "sell", "0.01", "85000")
        limit(alice, "buy", "0.01", "85000")
        moved = [row for row in rows(executions.frames()) if row["exec_type"] == "status"]
        assert [row["triggers"]["actual_price"] for row in moved] == [Decimal("84500.0")]
        assert {row["triggers"]["status"] for row in moved} == {"untriggered"}

    def test_an_iceberg_refills(self, executions: Any, bobby: Any, limit: Any, token: str) -> None:
        iceberg = LIMIT | {"order_type": "iceberg", "order_qty": 0.3, "display_qty": 0.1}
        [pending, _] = rows(executions.send("add_order", **iceberg, token=token))
        assert (pending["display_qty"], pending["display_qty_remain"]) == (Decimal("0.1"), Decimal("0.1"))
        limit(bobby, "sell", "0.1", "80000")
        found = rows(executions.frames())
        assert [row["exec_type"] for row in found] == ["trade", "iceberg_refill"]
        assert found[-1]["display_qty_remain"] == Decimal("0.1")

    def test_an_amend_has_the_fields_of_the_recorded_one(
        self, executions: Any, alice: Any, limit: Any, captures: Any
    ) -> None:
        lines = (captures / "spot/ws/executions.jsonl").read_text().splitlines()
        [recorded] = [row for line in lines for row in json.loads(line)["data"] if row["exec_type"] == "amended"]
        txid = limit(alice, "buy", "0.1", "80000")
        executions.frames()
        alice.do("AmendOrder", txid=txid, order_qty="0.2", limit_price="80100")
        [row] = rows(executions.frames())
        assert row.keys() == recorded.keys()
        assert (row["order_qty"], row["limit_price"], row["reason"]) == (Decimal("0.2"), 80100, "User requested")

    def test_ends_have_their_reasons(self, executions: Any, alice: Any, limit: Any, clock: Any, world: Any) -> None:
        limit(alice, "buy", "0.1", "80000", expiretm="+60")
        alice.do("CancelAllOrdersAfter", timeout="100")
        limit(alice, "buy", "0.1", "80000")
        clock.forward(61)
        world.exchange.step()
        clock.forward(60)
        world.exchange.step()
        found = [row for row in rows(executions.frames()) if row["exec_type"] in ("expired", "canceled")]
        assert [(row["exec_type"], row.get("reason")) for row in found][1:] == [
            ("canceled", "CancelAllOrdersAfter Timeout")
        ]
        assert found[0]["order_status"] == "expired"

    def test_a_close_names_its_parent(self, executions: Any, bobby: Any, limit: Any, token: str) -> None:
        limit(bobby, "sell", "0.1", "80000")
        frames = executions.send(
            "add_order", **LIMIT, conditional={"order_type": "limit", "limit_price": 90000}, token=token
        )
        first, *_, close_pending, _ = rows(frames)
        assert first["contingent"] == {
            "order_type": "limit",
            "limit_price": Decimal("90000.0"),
            "limit_price_type": "static",
        }
        assert (close_pending["exec_type"], close_pending["ord_ref_id"]) == ("pending_new", first["order_id"])

    def test_without_every_status_only_births_fills_and_ends_are_told(
        self, private: Any, alice: Any, limit: Any, token: str
    ) -> None:
        private.send("subscribe", channel="executions", token=token, snap_orders=False, order_status=False)
        txid = limit(alice, "buy", "0.1", "80000")
        alice.do("AmendOrder", txid=txid, order_qty="0.2")
        alice.do("CancelOrder", txid=txid)
        assert kinds(private.frames()) == ["new", "canceled"]

    def test_the_rate_counter_when_asked_for(self, private: Any, alice: Any, limit: Any, token: str) -> None:
        private.send("subscribe", channel="executions", token=token, snap_orders=False, ratecounter=True)
        txid = limit(alice, "buy", "0.1", "80000")
        alice.do("CancelOrder", txid=txid)
        assert [row["ratecount"] for row in rows(private.frames())] == [1, 1, 9]


class TestChanges:
    def test_amend(self, private: Any, alice: Any, limit: Any, token: str, captures: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", cl_ord_id="mine")
        [answer] = private.send("amend_order", order_id=txid, order_qty=0.2, limit_price=80100.5, token=token)
        assert answer.keys() == recorded(captures, "amend_order").keys()
        assert answer["result"].keys() == {"amend_id", "order_id"}
        [answer] = private.send("amend_order", cl_ord_id="mine", limit_price=-1, limit_price_type="pct", token=token)
        assert answer["result"].keys() == {"amend_id", "cl_ord_id"}
        assert alice.do("OpenOrders")["open"][txid]["descr"]["price"] == "83160.0"

    @pytest.mark.parametrize(
        ("params", "error"),
        [
            ({"order_id": "OAAAAA-AAAAA-AAAAAA", "order_qty": 1}, "EOrder:Unknown order"),
            ({"order_qty": 1}, "EGeneral:Invalid arguments:order_id"),
            ({"limit_price": "1"}, "Limit_price field must be a number_float"),
            ({"order_id": 7, "order_qty": 1}, "Order_id field must be a string"),
            ({"limit_price": 84100, "post_only": True}, "EOrder:Post only order"),
            ({"side": "sell"}, "Unsupported field: 'side' for the given msg type: amend_order"),
            ({}, "EGeneral:Invalid arguments"),
        ],
    )
    def test_amends_that_are_refused(
        self, private: Any, alice: Any, bobby: Any, limit: Any, token: str, params: dict[str, Any], error: str
    ) -> None:
        limit(bobby, "sell", "0.1", "84000")
        txid = limit(alice, "buy", "0.1", "80000")
        if "order_id" not in params and params != {"order_qty": 1}:
            params = {"order_id": txid, **params}
        [answer] = private.send("amend_order", **params, token=token)
        assert (answer["success"], answer["error"]) == (False, error)

    def test_edit(self, private: Any, alice: Any, limit: Any, token: str, captures: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000")
        [answer] = private.send("edit_order", order_id=txid, symbol="BTC/USD", limit_price=80100, token=token)
        assert answer["result"].keys() == recorded(captures, "edit_order")["result"].keys()
        assert answer["result"]["original_order_id"] == txid
        [(new, order)] = alice.do("OpenOrders")["open"].items()
        assert (new, order["descr"]["price"]) == (answer["result"]["order_id"], "80100.0")

    def test_a_request_with_a_foreign_token_finds_nothing(
        self, private: Any, alice: Any, bobby: Any, limit: Any
    ) -> None:
        txid = limit(alice, "buy", "0.1", "80000")
        theirs = bobby.token()
        for method, params in (
            ("amend_order", {"order_id": txid, "order_qty": 1}),
            ("edit_order", {"order_id": txid, "symbol": "BTC/USD", "order_qty": 1}),
        ):
            assert private.send(method, **params, token=theirs)[0]["error"] == "EOrder:Unknown order"
        assert private.send("batch_cancel", orders=[txid, txid], token=theirs)[0]["orders_cancelled"] == 0
        assert private.send("cancel_all", token=theirs)[0]["result"] == {"count": 0}
        assert list(alice.do("OpenOrders")["open"]) == [txid]

    @pytest.mark.parametrize(
        "method",
        [
            "add_order",
            "amend_order",
            "edit_order",
            "cancel_order",
            "cancel_all",
            "cancel_all_orders_after",
            "batch_add",
            "batch_cancel",
        ],
    )
    def test_every_method_needs_a_token_and_its_host(self, private: Any, public: Any, method: str) -> None:
        for token in ({}, {"token": "nonsense"}, {"token": 7}):
            [answer] = private.send(method, **token)
            assert (answer["success"], answer["error"]) == (False, "ESession:Invalid session")
            assert answer["req_id"] == 7
        assert public.send(method)[0]["error"].startswith("Private data and trading are unavailable")


class TestBatches:
    LEGS = ({k: v for k, v in LIMIT.items() if k != "symbol"}, {"order_type": "limit", "side": "sell"})

    def test_orders_are_placed_each_for_itself(self, private: Any, alice: Any, token: str, captures: Any) -> None:
        buy = self.LEGS[0]
        legs = [buy | {"order_userref": 1}, buy | {"order_qty": 9, "cl_ord_id": "big"}, buy]
        [answer] = private.send("batch_add", symbol="BTC/USD", orders=legs, token=token)
        assert answer.keys() == recorded(captures, "batch_add").keys()
        first, second, third = answer["result"]
        assert first.keys() == {"order_id", "order_userref"}
        assert second == {"error": "EOrder:Insufficient funds", "cl_ord_id": "big"}
        assert {first["order_id"], third["order_id"]} == set(alice.do("OpenOrders")["open"])

    @pytest.mark.parametrize(
        ("orders", "error"),
        [
            (None, "Orders field must be an array"),
            ([], "EGeneral:Invalid arguments:orders"),
            ([LEGS[0]] * 16, "EGeneral:Invalid arguments:orders"),
            ([LEGS[0], 1], "Orders field must be an array of objects"),
            ([LEGS[0], LEGS[0] | {"symbol": "BTC/USD"}], "Unsupported field: 'symbol' for the given msg type: batch_"),
            ([LEGS[0], LEGS[0] | {"limit_price": "1"}], "Limit_price field must be a number_float"),
            ([LEGS[0], LEGS[0] | {"side": "hold"}], "EGeneral:Invalid arguments:side"),
            ([LEGS[0], LEGS[0] | {"limit_price": 80000.55}], "EOrder:Tick size check failed"),
            ([LEGS[0], LEGS[0] | {"order_qty": 0.00001}], "EOrder:Order minimum not met"),
        ],
    )
    def test_one_that_does_not_read_or_is_not_valid_refuses_them_all(
        self, private: Any, alice: Any, token: str, orders: Any, error: str
    ) -> None:
        [answer] = private.send("batch_add", symbol="BTC/USD", orders=orders, token=token)
        assert not answer["success"]
        assert answer["error"].startswith(error)
        assert alice.do("OpenOrders") == {"open": {}}

    def test_many_are_cancelled_at_once(self, private: Any, alice: Any, limit: Any, token: str, captures: Any) -> None:
        txid = limit(alice, "buy", "0.01", "80000")
        for _ in range(2):
            limit(alice, "buy", "0.01", "80000", userref="3")
        limit(alice, "buy", "0.01", "80000", cl_ord_id="mine")
        [answer] = private.send("batch_cancel", orders=[txid, "3"], cl_ord_id=["mine"], token=token)
        assert answer.keys() == recorded(captures, "batch_cancel").keys()
        assert answer["orders_cancelled"] == 4
        assert private.send("batch_cancel", orders=["1"], token=token)[0]["error"].startswith("EGeneral:Invalid")

    def test_the_dead_mans_switch(
        self, private: Any, alice: Any, limit: Any, token: str, clock: Any, captures: Any
    ) -> None:
        limit(alice, "buy", "0.1", "80000")
        [answer] = private.send("cancel_all_orders_after", timeout=60, token=token)
        assert answer.keys() == recorded(captures, "cancel_all_orders_after").keys()
        assert answer["result"] == {"currentTime": "2026-10-09T12:30:15Z", "triggerTime": "2026-10-09T12:31:15Z"}
        clock.forward(61)
        assert alice.do("OpenOrders") == {"open": {}}
        for wrong in (-1, 86400, "60", True, None):
            assert not private.send("cancel_all_orders_after", timeout=wrong, token=token)[0]["success"]
