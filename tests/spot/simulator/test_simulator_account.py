"""The simulated REST API: trading, and what the account endpoints then show."""

import json
from decimal import Decimal
from typing import Any

import pytest

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "84000"}


class TestAddOrder:
    def test_the_answer_names_the_order_and_describes_it(self, alice: Any) -> None:
        order = alice.do("AddOrder", **ORDER)
        assert order["descr"] == {"order": "buy 0.01000000 XBTUSD @ limit 84000.0"}
        assert [len(part) for part in order["txid"][0].split("-")] == [6, 5, 6]
        assert order["txid"][0].startswith("O")

    def test_json_bodies_work_as_forms_do(self, alice: Any) -> None:
        body = {**ORDER, "nonce": 5000, "volume": 0.01, "price": 84000.5, "validate": True}
        envelope = alice.send("AddOrder", json.dumps(body).encode(), "5000", "application/json")
        assert envelope == {"error": [], "result": {"descr": {"order": "buy 0.01000000 XBTUSD @ limit 84000.5"}}}

    def test_validate_places_nothing_and_gives_no_txid(self, alice: Any) -> None:
        assert "txid" not in alice.do("AddOrder", **ORDER, validate="true")
        assert alice.do("OpenOrders") == {"open": {}}
        assert alice.error("AddOrder", **ORDER | {"volume": "1000"}, validate="true") == "EOrder:Insufficient funds"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
            ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
            ({"ordertype": "nonsense"}, "EGeneral:Invalid arguments:ordertype"),
            ({"volume": ""}, "EGeneral:Invalid arguments:volume"),
            ({"volume": "-1"}, "EGeneral:Invalid arguments:volume"),
            ({"volume": "0.000000001"}, "EGeneral:Invalid arguments:volume"),
            ({"volume": "1e999999999"}, "EGeneral:Invalid arguments:volume"),
            ({"volume": "NaN"}, "EGeneral:Invalid arguments:volume"),
            ({"volume": "0.00004"}, "EOrder:Order minimum not met"),
            ({"volume": "0.00005", "price": "1.0"}, "EOrder:Cost minimum not met"),
            ({"volume": "10"}, "EOrder:Insufficient funds"),
            ({"price": "84000.05"}, "EOrder:Tick size check failed"),
            ({"price": "--1"}, "EOrder:Invalid price"),
            ({"price": "5%"}, "EOrder:Invalid price"),
            ({"price": ""}, "EGeneral:Invalid arguments:price"),
            ({"ordertype": "market"}, "EOrder:Invalid price"),
            ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
            ({"oflags": "viqc"}, "EGeneral:Invalid arguments:viqc"),
            ({"oflags": "post", "timeinforce": "IOC"}, "EGeneral:Invalid arguments:oflags"),
            ({"leverage": "99"}, "EGeneral:Invalid arguments:leverage"),
            ({"close[ordertype]": "limit"}, "EGeneral:Invalid arguments:close[price]"),
            ({"expiretm": "+4"}, "EGeneral:Invalid arguments:expiretm"),
            ({"cl_ord_id": "a text of nineteen!"}, "EGeneral:Invalid arguments:cl_ord_id"),
            ({"cl_ord_id": "a", "userref": "1"}, "EGeneral:Invalid arguments:cl_ord_id"),
            ({"userref": "2147483648"}, "EGeneral:Invalid arguments:userref"),
            ({"validate": "maybe"}, "EGeneral:Invalid arguments:validate"),
            ({"deadline": "tomorrow"}, "EGeneral:Invalid arguments:deadline"),
            ({"deadline": "2026-10-09T12:30:16Z"}, "EGeneral:Invalid arguments:deadline"),
            ({"deadline": "2026-10-09T12:31:16Z"}, "EGeneral:Invalid arguments:deadline"),
            ({"deadline": "2026-10-09T12:30:15Z"}, "EService:Deadline elapsed"),
        ],
    )
    def test_refusals(self, alice: Any, change: dict[str, str], error: str) -> None:
        assert alice.error("AddOrder", **ORDER | change) == error
        assert alice.do("OpenOrders") == {"open": {}}

    def test_a_deadline_within_a_minute_is_taken(self, alice: Any) -> None:
        assert alice.do("AddOrder", **ORDER, deadline="2026-10-09T12:30:20.123Z")["txid"]

    @pytest.mark.parametrize(
        "client_id", ["6d1b345e-2821-40e2-ad83-4ecb18a06876", "da8e4ad59b78481c93e589746b0cf91f", "arb-20240509-00010"]
    )
    def test_client_ids_of_every_form_are_unique_among_open_orders(self, alice: Any, client_id: str) -> None:
        alice.do("AddOrder", **ORDER, cl_ord_id=client_id)
        assert alice.error("AddOrder", **ORDER, cl_ord_id=client_id) == "EGeneral:Invalid arguments:cl_ord_id"
        alice.do("CancelOrder", cl_ord_id=client_id)
        assert alice.do("AddOrder", **ORDER, cl_ord_id=client_id)["txid"]

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            pytest.param({"oflags": "post"}, "Post only order", id="post-only that would take"),
            pytest.param({"timeinforce": "FOK", "volume": "0.1"}, "Fill or kill", id="fok that cannot fill"),
            pytest.param({"timeinforce": "IOC", "price": "83000"}, "Immediate or cancel", id="ioc that finds nothing"),
        ],
    )
    def test_the_engine_takes_and_then_cancels(
        self, alice: Any, bobby: Any, limit: Any, change: dict[str, str], reason: str
    ) -> None:
        """The venue says yes before its engine looks at the book: the order is found canceled."""
        limit(bobby, "sell", "0.05", "84000")
        [txid] = alice.do("AddOrder", **ORDER | change, cl_ord_id="mine")["txid"]
        assert alice.do("OpenOrders") == {"open": {}}
        for found in (alice.do("QueryOrders", txid=txid), alice.do("ClosedOrders", cl_ord_id="mine")["closed"]):
            assert found[txid]["status"] == "canceled"
            assert found[txid]["reason"] == reason
            assert found[txid]["vol_exec"] == "0.00000000"
        assert alice.error("CancelOrder", txid=txid) == "EOrder:Unknown order"

    def test_the_rest_of_an_immediate_order_is_cancelled(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.004", "84000")
        [txid] = alice.do("AddOrder", **ORDER, timeinforce="IOC")["txid"]
        order = alice.do("QueryOrders", txid=txid, trades="true")[txid]
        assert (order["status"], order["vol_exec"], order["reason"]) == (
            "canceled",
            "0.00400000",
            "Immediate or cancel",
        )
        assert len(order["trades"]) == 1


class TestCancel:
    def test_by_txid_reference_and_client_id(self, alice: Any) -> None:
        [txid] = alice.do("AddOrder", **ORDER)["txid"]
        for _ in range(2):
            alice.do("AddOrder", **ORDER, userref="-7")
        alice.do("AddOrder", **ORDER, cl_ord_id="mine")
        assert alice.do("CancelOrder", txid=txid) == {"count": 1}
        assert alice.do("CancelOrder", txid="-7") == {"count": 2}
        assert alice.do("CancelOrder", cl_ord_id="mine") == {"count": 1}
        assert alice.do("OpenOrders") == {"open": {}}

    def test_what_is_not_open_cannot_be_cancelled(self, alice: Any, bobby: Any, limit: Any) -> None:
        txid = limit(bobby, "buy", "0.1", "80000")
        assert alice.error("CancelOrder", txid=txid) == "EOrder:Unknown order"
        assert alice.error("CancelOrder", txid="nonsense") == "EOrder:Invalid order"
        assert alice.error("CancelOrder", txid="12345") == "EOrder:Unknown order"
        assert alice.error("CancelOrder", cl_ord_id="who") == "EOrder:Unknown order"
        assert alice.error("CancelOrder") == "EGeneral:Invalid arguments:txid"
        assert txid in bobby.do("OpenOrders")["open"]

    def test_all(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "buy", "0.1", "80000")
        limit(alice, "buy", "0.1", "80000")
        limit(alice, "buy", "0.1", "2000", pair="ETHUSD")
        assert alice.do("CancelAll") == {"count": 2}
        assert alice.do("CancelAll") == {"count": 0}
        assert len(bobby.do("OpenOrders")["open"]) == 1


class TestOrders:
    def test_an_open_order(self, alice: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", cl_ord_id="mine", oflags="post")
        assert alice.do("OpenOrders", trades="true") == {
            "open": {
                txid: {
                    "refid": None,
                    "userref": 0,
                    "cl_ord_id": "mine",
                    "status": "open",
                    "opentm": Decimal("1791549015.123456"),
                    "starttm": 0,
                    "expiretm": 0,
                    "descr": {
                        "pair": "XBTUSD",
                        "aclass": "forex",
                        "type": "buy",
                        "ordertype": "limit",
                        "price": "80000.0",
                        "price2": "0",
                        "leverage": "none",
                        "order": "buy 0.10000000 XBTUSD @ limit 80000.0",
                        "close": "",
                    },
                    "vol": "0.10000000",
                    "vol_exec": "0.00000000",
                    "cost": "0.00000",
                    "fee": "0.00000",
                    "price": "0.00000",
                    "stopprice": "0.00000",
                    "limitprice": "0.00000",
                    "misc": "",
                    "oflags": "fciq,post",
                    "time_in_force": "gtc",
                    "trades": [],
                }
            }
        }

    def test_flags_as_python_prints_them(self, alice: Any) -> None:
        """Two clients in wide use send them so; only one call is known to mind."""
        [txid] = alice.do("AddOrder", **ORDER, validate="False", reduce_only="False")["txid"]
        assert "txid" not in alice.do("AddOrder", **ORDER, validate="True")
        assert alice.do("QueryOrders", txid=txid, trades="True")[txid]["trades"] == []
        assert alice.error("TradeVolume", fee_schedule="True") == "EGeneral:Invalid arguments:fee_schedule"

    @pytest.mark.parametrize("word", ["TRUE", "FALSE", "tRUE", "1", "0", "yes"])
    def test_flags_are_written_in_no_other_way(self, alice: Any, word: str) -> None:
        assert alice.error("AddOrder", **ORDER, validate=word) == "EGeneral:Invalid arguments:validate"
        assert alice.do("OpenOrders") == {"open": {}}

    def test_open_orders_filter_by_reference_and_client_id(self, alice: Any, limit: Any) -> None:
        first = limit(alice, "buy", "0.1", "80000", cl_ord_id="mine")
        second = limit(alice, "buy", "0.1", "80000", userref="5")
        assert set(alice.do("OpenOrders", cl_ord_id="mine")["open"]) == {first}
        assert set(alice.do("OpenOrders", userref="5")["open"]) == {second}
        assert alice.do("OpenOrders", cl_ord_id="other") == {"open": {}}

    def test_a_filled_order_has_average_cost_and_fee(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.1", "84000")
        limit(bobby, "sell", "0.1", "84100")
        [txid] = alice.do("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.15")["txid"]
        order = alice.do("ClosedOrders")["closed"][txid]
        assert (order["status"], order["vol_exec"], order["reason"]) == ("closed", "0.15000000", None)
        assert (order["cost"], order["fee"], order["price"]) == ("12605.00000", "50.42000", "84033.33333")
        assert order["descr"]["order"] == "buy 0.15000000 XBTUSD @ market"

    def test_closed_orders_page_newest_first(self, alice: Any, limit: Any, clock: Any) -> None:
        made = []
        for _ in range(53):
            made.append(limit(alice, "buy", "0.001", "80000"))
            clock.forward(1)
            alice.do("CancelOrder", txid=made[-1])
            clock.forward(1)
        first, second = alice.do("ClosedOrders"), alice.do("ClosedOrders", ofs="50")
        assert first["count"] == second["count"] == 53
        assert [*first["closed"], *second["closed"]] == made[::-1]
        assert "count" not in alice.do("ClosedOrders", without_count="true")

    def test_start_is_exclusive_and_end_is_inclusive(self, alice: Any, limit: Any, clock: Any) -> None:
        made = []
        for _ in range(4):
            made.append(limit(alice, "buy", "0.001", "80000"))
            alice.do("CancelOrder", txid=made[-1])
            clock.forward(10)
        by_id = alice.do("ClosedOrders", start=made[0], end=made[2])
        assert list(by_id["closed"]) == [made[2], made[1]]
        by_time = alice.do("ClosedOrders", start="1791549025.123456", end="1791549045.2", closetime="close")
        assert list(by_time["closed"]) == [made[3], made[2]]
        assert alice.error("ClosedOrders", start="never") == "EGeneral:Invalid arguments:start"

    def test_query_leaves_out_what_the_account_does_not_have(self, alice: Any, bobby: Any, limit: Any) -> None:
        mine, other = limit(alice, "buy", "0.001", "80000"), limit(bobby, "buy", "0.001", "80000")
        assert set(alice.do("QueryOrders", txid=f"{mine},{other}")) == {mine}
        assert alice.error("QueryOrders", txid="nonsense") == "EOrder:Invalid order"
        assert alice.error("QueryOrders") == "EGeneral:Invalid arguments:txid"
        assert alice.error("QueryOrders", txid=",".join([mine] * 51)) == "EGeneral:Invalid arguments:txid"


class TestMoney:
    def test_balances_and_what_orders_keep_back(self, alice: Any, limit: Any) -> None:
        limit(alice, "sell", "0.25", "90000")
        assert alice.do("Balance")["XXBT"] == "1.0000000000"
        assert alice.do("BalanceEx")["XXBT"] == {"balance": "1.0000000000", "hold_trade": "0.2500000000"}
        assert alice.do("BalanceEx")["ZUSD"] == {"balance": "50000.0000", "hold_trade": "0.0000"}

    def test_a_trade_books_two_ledger_entries(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.1", "84000")
        [(fill, trade)] = alice.do("TradesHistory", ledgers="true")["trades"].items()
        entries = alice.do("Ledgers", type="trade")
        assert entries["count"] == 2
        assert set(entries["ledger"]) == set(trade["ledgers"])
        usd, btc = entries["ledger"].values()
        assert {usd["refid"], btc["refid"]} == {fill}
        assert (usd["asset"], usd["amount"], usd["fee"], usd["balance"]) == (
            "ZUSD",
            "-8400.0000",
            "33.6000",
            "41566.4000",
        )
        assert (btc["asset"], btc["amount"], btc["fee"]) == ("XXBT", "0.1000000000", "0.0000000000")
        assert alice.do("Balance")["ZUSD"] == "41566.4000"
        assert alice.do("QueryLedgers", id=trade["ledgers"][0]).keys() == {trade["ledgers"][0]}

    def test_ledgers_by_asset_and_type(self, alice: Any) -> None:
        assert [row["asset"] for row in alice.do("Ledgers", asset="XBT,ZEUR")["ledger"].values()] == ["XXBT", "ZEUR"]
        assert alice.do("Ledgers", type="trade") == {"ledger": {}, "count": 0}
        assert alice.error("Ledgers", asset="WHAT") == "EQuery:Unknown asset"

    def test_a_trade(self, alice: Any, bobby: Any, limit: Any) -> None:
        maker = limit(bobby, "sell", "0.1", "84000")
        taker = limit(alice, "buy", "0.1", "84000")
        [(txid, trade)] = alice.do("TradesHistory")["trades"].items()
        assert trade == {
            "ordertxid": taker,
            "postxid": txid,
            "pair": "XXBTZUSD",
            "aclass": "forex",
            "time": Decimal("1791549015.123456"),
            "type": "buy",
            "ordertype": "limit",
            "price": "84000.00000",
            "cost": "8400.00000",
            "fee": "33.60000",
            "vol": "0.10000000",
            "margin": "0.00000",
            "leverage": "0",
            "misc": "",
            "trade_id": 1,
            "maker": False,
        }
        [other] = bobby.do("TradesHistory")["trades"].values()
        assert (other["ordertxid"], other["maker"], other["fee"]) == (maker, True, "21.00000")
        assert alice.do("QueryTrades", txid=txid) == {txid: trade}
        assert bobby.do("QueryTrades", txid=txid) == {}

    def test_trades_filter_by_pair_and_limit(self, alice: Any, bobby: Any, limit: Any) -> None:
        for _ in range(3):
            limit(bobby, "sell", "0.001", "84000")
            limit(alice, "buy", "0.001", "84000")
        assert len(alice.do("TradesHistory", limit="2")["trades"]) == 2
        assert alice.do("TradesHistory", pair="ETHUSD") == {"trades": {}, "count": 0}
        assert alice.do("TradesHistory", type="closed position") == {"trades": {}, "count": 0}
        assert alice.error("TradesHistory", type="some") == "EGeneral:Invalid arguments:type"

    def test_fees_are_told_in_percent_and_only_for_pairs_asked_for(self, alice: Any) -> None:
        assert alice.do("TradeVolume")["fees"] is None
        volume = alice.do("TradeVolume", pair="XBTUSD")
        assert volume["fees"]["XXBTZUSD"]["fee"] == "0.4000"
        assert volume["fees_maker"]["XXBTZUSD"]["minfee"] == "0.0000"
        body = b'{"nonce":9000,"pair":[{"asset":"ETH/USD","aclass":"forex"}],"fee_schedule":true}'
        schedules = alice.send("TradeVolume", body, "9000", "application/json")["result"]["schedules"]
        assert schedules[0]["pair"] == "XETHZUSD"

    def test_trade_balance_counts_what_prices_tell(self, alice: Any, limit: Any) -> None:
        limit(alice, "buy", "0.5", "80000")
        balance = alice.do("TradeBalance")
        assert balance["eb"] == balance["tb"] == balance["e"] == balance["mf"]
        # USD 50000, BTC at the only bid there is or its start, ETH and SOL at theirs; EUR has no price in USD.
        assert Decimal(balance["eb"]) >= 50000 + 80000
        assert balance["uv"] == "40000.0000"
