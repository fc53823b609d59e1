"""The simulated WebSocket v2: tokens, executions, balances and trading."""

import json
from decimal import Decimal
from typing import Any

import pytest

LIMIT = {"symbol": "BTC/USD", "order_type": "limit", "side": "buy", "order_qty": 0.1, "limit_price": 80000.5}


def report(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)["data"][0]


@pytest.fixture
def executions(private: Any, alice: Any) -> Any:
    """Return alice's connection, subscribed to executions."""
    private.send("subscribe", channel="executions", token=alice.token())
    return private


class TestTokens:
    def test_a_token_opens_private_channels(self, private: Any, alice: Any, captures: Any) -> None:
        answer, snapshot = private.send("subscribe", channel="balances", token=alice.token())
        recorded = json.loads((captures / "spot/ws/subscribe_acks.jsonl").read_text().splitlines()[-1])
        assert answer["result"] == recorded["result"]
        assert answer.keys() == recorded.keys()
        assert snapshot["type"] == "snapshot"

    @pytest.mark.parametrize("token", [None, "", "nonsense", 5, ["x"]])
    def test_without_a_good_one_the_session_is_invalid(self, private: Any, token: object) -> None:
        for method in ("subscribe", "unsubscribe"):
            [answer] = private.send(method, channel="executions", token=token)
            assert (
                answer.items()
                >= {
                    "channel": "executions",
                    "error": "ESession:Invalid session",
                    "method": method,
                    "status": "error",
                    "success": False,
                }.items()
            )
        [answer] = private.send("add_order", **LIMIT, token=token)
        assert (answer["error"], answer["success"]) == ("ESession:Invalid session", False)

    def test_it_must_be_used_within_15_minutes(self, private: Any, alice: Any, clock: Any) -> None:
        token = alice.token()
        clock.forward(901)
        assert private.send("subscribe", channel="executions", token=token)[0]["error"] == "ESession:Invalid session"

    def test_a_private_subscription_keeps_it_good(self, private: Any, connect: Any, alice: Any, clock: Any) -> None:
        token = alice.token()
        private.send("subscribe", channel="executions", token=token)
        clock.forward(3600)
        assert private.send("add_order", **LIMIT, token=token)[-1]["success"]
        private.session.closed()
        [answer] = connect("/auth/v2").send("subscribe", channel="executions", token=token)
        assert answer["error"] == "ESession:Invalid session"

    def test_the_keys_permissions_count(self, private: Any, guest: Any) -> None:
        token = guest.token()
        assert private.send("subscribe", channel="balances", token=token)[0]["success"]
        [answer] = private.send("subscribe", channel="executions", token=token)
        assert answer["error"] == "EGeneral:Permission denied"
        for method in ("add_order", "cancel_order", "cancel_all"):
            assert private.send(method, **LIMIT, token=token)[0]["error"] == "EGeneral:Permission denied"

    def test_one_connection_has_one_account(self, private: Any, alice: Any, bobby: Any) -> None:
        private.send("subscribe", channel="balances", token=alice.token())
        [answer] = private.send("subscribe", channel="executions", token=bobby.token())
        assert answer["error"] == "ESession:Invalid session"


class TestExecutions:
    def test_a_resting_order(self, executions: Any, alice: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000.5", cl_ord_id="mine")
        pending, new = executions.take()
        assert pending == (
            '{"channel":"executions","type":"update","data":[{"order_id":"' + txid + '","symbol":"BTC/USD",'
            '"order_qty":0.10000000,"time_in_force":"GTC","exec_type":"pending_new","side":"buy",'
            '"order_type":"limit","order_userref":0,"order_status":"pending_new","fee_ccy_pref":"fciq",'
            '"timestamp":"2026-10-09T12:30:15.123456Z","stop_price":0.0,"limit_price_type":"static","limit_price":80000.5,'
            '"cl_ord_id":"mine","cum_cost":0.00000,"fee_usd_equiv":0.00000}],"sequence":2}'
        )
        assert new == (
            '{"channel":"executions","type":"update","data":[{"timestamp":"2026-10-09T12:30:15.123456Z",'
            '"order_status":"new","exec_type":"new","order_userref":0,"order_id":"' + txid + '"}],"sequence":3}'
        )

    def test_an_immediate_fill(self, executions: Any, alice: Any, bobby: Any, limit: Any) -> None:
        """A fill says partially filled even when it completes the order; that comes as a report of its own."""
        limit(bobby, "sell", "0.06", "84000")
        limit(bobby, "sell", "0.06", "84001")
        [txid] = alice.do("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.1")["txid"]
        frames = executions.frames()
        assert [(row["exec_type"], row["order_status"]) for frame in frames for row in frame["data"]] == [
            ("pending_new", "pending_new"),
            ("new", "new"),
            ("trade", "partially_filled"),
            ("trade", "partially_filled"),
            ("filled", "filled"),
        ]
        assert [frame["sequence"] for frame in frames] == [2, 3, 4, 5, 6]
        assert "limit_price" not in frames[0]["data"][0]
        second, last = frames[3]["data"][0], frames[4]["data"][0]
        assert second["order_id"] == txid
        assert (second["last_qty"], second["last_price"]) == (Decimal("0.04"), Decimal("84001.0"))
        assert (second["liquidity_ind"], second["trade_id"], second["side"]) == ("t", 2, "buy")
        fees = [frame["data"][0]["fees"][0] for frame in frames[2:4]]
        assert {fee["asset"] for fee in fees} == {"USD"}
        assert str(sum(fee["qty"] for fee in fees)) == alice.do("QueryOrders", txid=txid)[txid]["fee"]
        assert (second["cum_qty"], second["cum_cost"]) == (Decimal("0.1"), Decimal("8400.04"))
        assert (last["cum_qty"], last["avg_price"]) == (Decimal("0.1"), Decimal("84000.4"))
        ids = {frame["data"][0]["exec_id"] for frame in frames[2:4]}
        assert ids == set(alice.do("TradesHistory")["trades"])

    def test_the_maker_hears_only_of_its_fills(self, executions: Any, alice: Any, bobby: Any, limit: Any) -> None:
        limit(alice, "sell", "0.1", "84000")
        executions.frames()
        limit(bobby, "buy", "0.04", "84000")
        [frame] = executions.frames()
        row = frame["data"][0]
        assert (row["exec_type"], row["liquidity_ind"], row["cum_qty"]) == ("trade", "m", Decimal("0.04"))

    def test_a_cancel_is_a_delta(self, executions: Any, alice: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", userref="3")
        executions.frames()
        alice.do("CancelOrder", txid=txid)
        [frame] = executions.frames()
        row = frame["data"][0]
        assert row.keys() == {
            "timestamp",
            "order_status",
            "exec_type",
            "cum_qty",
            "cum_cost",
            "fee_usd_equiv",
            "avg_price",
            "order_userref",
            "cancel_reason",
            "reason",
            "order_id",
        }
        assert (row["order_userref"], row["reason"]) == (3, "User requested")

    def test_deltas_have_the_keys_of_recorded_ones(
        self, executions: Any, alice: Any, limit: Any, captures: Any
    ) -> None:
        lines = [report(line) for line in (captures / "spot/ws/executions.jsonl").read_text().splitlines()]
        recorded = {row["exec_type"]: row.keys() for row in lines}
        alice.do("CancelOrder", txid=limit(alice, "buy", "0.1", "80000"))
        for frame in executions.frames():
            row = frame["data"][0]
            assert row.keys() == recorded[row["exec_type"]]

    def test_an_order_that_the_engine_cancels_at_once(
        self, executions: Any, alice: Any, bobby: Any, limit: Any
    ) -> None:
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.1", "84000", oflags="post")
        rows = [frame["data"][0] for frame in executions.frames()]
        assert [row["exec_type"] for row in rows] == ["pending_new", "new", "canceled"]
        assert rows[-1]["reason"] == "Post only order"

    def test_without_every_status_fills_still_come(self, private: Any, alice: Any, bobby: Any, limit: Any) -> None:
        private.send("subscribe", channel="executions", token=alice.token(), order_status=False)
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.1", "84000")
        assert [frame["data"][0]["exec_type"] for frame in private.frames()] == ["new", "trade", "filled"]

    def test_the_snapshot_has_open_orders_and_on_request_fills(
        self, private: Any, alice: Any, bobby: Any, limit: Any
    ) -> None:
        limit(bobby, "buy", "0.04", "85000")
        part = limit(alice, "sell", "0.1", "85000")
        whole = limit(alice, "buy", "0.1", "80000", cl_ord_id="mine")
        answer, snapshot = private.send(
            "subscribe", channel="executions", token=alice.token(), snap_orders=True, snap_trades=True
        )
        assert (answer["result"]["snap_orders"], answer["result"]["maxratecount"]) == (True, 125)
        assert (snapshot["type"], snapshot["sequence"]) == ("snapshot", 1)
        rows = [(row["order_id"], row["exec_type"], row["order_status"]) for row in snapshot["data"]]
        assert rows == [
            (part, "new", "partially_filled"),
            (whole, "new", "new"),
            (part, "trade", "filled"),
        ]
        assert snapshot["data"][1]["cl_ord_id"] == "mine"
        assert "cum_qty" not in snapshot["data"][2]

    def test_an_empty_account_has_an_empty_snapshot(self, private: Any, alice: Any) -> None:
        _, snapshot = private.send("subscribe", channel="executions", token=alice.token())
        assert (snapshot["data"], snapshot["sequence"]) == ([], 1)

    def test_a_second_subscription_is_refused(self, executions: Any, alice: Any) -> None:
        [answer] = executions.send("subscribe", channel="executions", token=alice.token())
        assert (answer["error"], answer["channel"]) == ("Already subscribed", "executions")

    def test_others_and_those_who_left_hear_nothing(
        self, executions: Any, connect: Any, alice: Any, bobby: Any, limit: Any
    ) -> None:
        other = connect("/auth/v2")
        other.send("subscribe", channel="executions", token=bobby.token())
        executions.send("unsubscribe", channel="executions", token=alice.token())
        limit(alice, "buy", "0.1", "80000")
        assert other.frames() == executions.frames() == []


class TestBalances:
    def test_snapshot(self, private: Any, alice: Any, captures: Any) -> None:
        private.send("subscribe", channel="balances", token=alice.token(), snapshot=False)
        private.send("unsubscribe", channel="balances", token=alice.token())
        _, snapshot = private.send("subscribe", channel="balances", token=alice.token())
        rows = {row["asset"]: row for row in snapshot["data"]}
        assert rows["BTC"]["balance"] == 1
        assert rows["USD"]["wallets"] == [{"type": "spot", "id": "main", "balance": 50000}]
        recorded = json.loads((captures / "spot/ws/balances.jsonl").read_text().splitlines()[0])
        assert rows["BTC"].keys() == recorded["data"][0].keys()

    def test_a_trade_brings_one_update_for_each_leg_after_the_execution(
        self, executions: Any, alice: Any, bobby: Any, limit: Any, captures: Any
    ) -> None:
        executions.send("subscribe", channel="balances", token=alice.token())
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.1", "84000")
        frames = executions.frames()
        kinds = [frame["channel"] for frame in frames]
        assert kinds.index("balances") > kinds.index("executions")
        trade = next(frame["data"][0] for frame in frames if frame["data"][0].get("exec_type") == "trade")
        base, quote = (frame for frame in frames if frame["channel"] == "balances")
        assert base["data"][0]["ref_id"] == quote["data"][0]["ref_id"] == trade["exec_id"]
        assert (base["sequence"], quote["sequence"]) == (2, 3)
        assert base["data"][0].items() >= {"asset": "BTC", "amount": Decimal("0.1"), "balance": Decimal("1.1")}.items()
        assert quote["data"][0].items() >= {"amount": Decimal("-8400"), "fee": Decimal("33.6")}.items()
        recorded = json.loads((captures / "spot/ws/balances.jsonl").read_text().splitlines()[1])
        assert quote["data"][0].keys() == recorded["data"][0].keys()


class TestTrading:
    def test_add_order(self, executions: Any, alice: Any, captures: Any) -> None:
        *_, answer = executions.send("add_order", **LIMIT, cl_ord_id="mine", token=alice.token())
        [(txid, order)] = alice.do("OpenOrders")["open"].items()
        assert answer["result"] == {"order_id": txid, "cl_ord_id": "mine"}
        assert (order["descr"]["price"], order["vol"]) == ("80000.5", "0.10000000")
        recorded = json.loads((captures / "spot/ws/trading_responses.jsonl").read_text().splitlines()[0])
        assert answer.keys() == recorded.keys()

    def test_validate_places_nothing(self, private: Any, alice: Any) -> None:
        [answer] = private.send("add_order", **LIMIT, validate=True, order_userref=5, token=alice.token())
        assert answer["result"] == {"order_userref": 5}
        assert alice.do("OpenOrders") == {"open": {}}

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"limit_price": "80000.5"}, "Limit_price field must be a number_float"),
            ({"order_qty": "0.1"}, "Order_qty field must be a number_float"),
            ({"order_qty": None}, "Order_qty field must be a number_float"),
            ({"order_qty": True}, "Order_qty field must be a number_float"),
            ({"side": None}, "Side field must be a string"),
            ({"side": "hold"}, "EGeneral:Invalid arguments:side"),
            ({"order_type": "stop"}, "EGeneral:Invalid arguments:order_type"),
            ({"symbol": "XBT/USD"}, "EQuery:Unknown asset pair"),
            ({"symbol": ["BTC/USD"]}, "Symbol field must be a string"),
            ({"triggers": {"price": 1}}, "EGeneral:Invalid arguments:triggers"),
            ({"margin": 1}, "Margin field must be a boolean"),
            ({"order_qty": 10}, "EOrder:Insufficient funds"),
            ({"limit_price": 80000.55}, "EOrder:Tick size check failed"),
            ({"limit_price": 1e300}, "Limit_price field must be a number_float"),
            ({"deadline": "2026-10-09T12:30:15.300Z"}, "EGeneral:Invalid arguments:deadline"),
            ({"deadline": "2026-10-09T12:30:15Z"}, "EService:Deadline elapsed"),
            ({"cl_ord_id": "x", "order_userref": 1}, "EGeneral:Invalid arguments:cl_ord_id"),
        ],
    )
    def test_refusals(self, private: Any, alice: Any, change: dict[str, Any], error: str) -> None:
        params = {key: value for key, value in (LIMIT | change).items() if value is not None}
        [answer] = private.send("add_order", **params, token=alice.token())
        assert (answer["error"], answer["success"]) == (error, False)
        assert "result" not in answer
        assert alice.do("OpenOrders") == {"open": {}}

    def test_numbers_keep_their_digits(self, private: Any, alice: Any) -> None:
        """A float would make 0.00012345 out of many texts; the wire's own digits count."""
        params = '"symbol":"BTC/USD","order_type":"limit","side":"buy","order_qty":0.00012345,"limit_price":8E+4'
        private.say(f'{{"method":"add_order","params":{{{params},"token":"{alice.token()}"}}}}')
        [order] = alice.do("OpenOrders")["open"].values()
        assert (order["vol"], order["descr"]["price"]) == ("0.00012345", "80000.0")

    def test_cancel_answers_once_for_each_order(self, private: Any, alice: Any, limit: Any) -> None:
        first, second = limit(alice, "buy", "0.1", "80000"), limit(alice, "buy", "0.1", "80000", cl_ord_id="mine")
        for _ in range(2):
            limit(alice, "buy", "0.1", "80000", userref="9")
        answers = private.send(
            "cancel_order",
            order_id=[first, "OAAAAA-AAAAA-AAAAAA", "9"],
            cl_ord_id=["mine", "other"],
            order_userref=[9],
            token=alice.token(),
        )
        assert [(answer["success"], answer.get("error")) for answer in answers] == [
            (True, None),
            (False, "EOrder:Unknown order"),
            (False, "EOrder:Invalid order"),
            (True, None),
            (False, "EOrder:Unknown order"),
            (True, None),
        ]
        assert [answer["req_id"] for answer in answers] == [7] * 6
        assert answers[0]["result"] == {"order_id": first}
        assert answers[3]["result"] == {"cl_ord_id": "mine"}
        assert alice.do("OpenOrders") == {"open": {}}
        assert second in alice.do("ClosedOrders")["closed"]

    def test_cancel_all(self, private: Any, alice: Any, bobby: Any, limit: Any) -> None:
        limit(alice, "buy", "0.1", "80000")
        limit(bobby, "buy", "0.1", "80000")
        [answer] = private.send("cancel_all", token=alice.token())
        assert answer["result"] == {"count": 1}
        assert len(bobby.do("OpenOrders")["open"]) == 1
