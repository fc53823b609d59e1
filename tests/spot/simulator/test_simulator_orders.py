"""Every kind of order over REST: what is taken, what becomes of it, how it is shown."""

import json
from datetime import datetime
from typing import Any

import pytest

from exchange_core.testing.clock import ManualClock

MARGIN_BUY = {
    "pair": "XBTUSD",
    "type": "buy",
    "ordertype": "limit",
    "volume": "1",
    "price": "84000",
    "leverage": "5",
}
STOP = {"pair": "XBTUSD", "type": "sell", "ordertype": "stop-loss", "volume": "0.1", "price": "83000"}


@pytest.fixture
def trade(alice: Any, bobby: Any, limit: Any) -> Any:
    """Return a function that makes the last price what it is told."""

    def at(price: str, volume: str = "0.01") -> None:
        limit(bobby, "sell", volume, price)
        limit(alice, "buy", volume, price, timeinforce="IOC")

    return at


@pytest.fixture
def resting(bobby: Any, limit: Any) -> None:
    """Something to meet on both sides, of bobby's."""
    limit(bobby, "buy", "0.5", "82000")
    limit(bobby, "sell", "0.5", "86000")


def shown(client: Any, txid: str) -> Any:
    return client.do("QueryOrders", txid=txid, trades="true")[txid]


class TestTriggers:
    @pytest.mark.parametrize(
        ("side", "ordertype", "price", "fires_at"),
        [
            ("sell", "stop-loss", "83500", "83500"),
            ("buy", "stop-loss", "84500", "84500"),
            ("sell", "take-profit", "84500", "84500"),
            ("buy", "take-profit", "83500", "83500"),
        ],
    )
    def test_a_stop_and_a_take_profit_wait_and_then_go_to_the_market(
        self, alice: Any, trade: Any, resting: None, side: str, ordertype: str, price: str, fires_at: str
    ) -> None:
        order = {"pair": "XBTUSD", "type": side, "ordertype": ordertype, "volume": "0.1", "price": price}
        answer = alice.do("AddOrder", **order)
        words = ordertype.replace("-", " ")
        assert answer["descr"] == {"order": f"{side} 0.10000000 XBTUSD @ {words} {price}.0"}
        [txid] = answer["txid"]
        waiting = shown(alice, txid)
        assert (waiting["status"], waiting["stopprice"], waiting["trigger"]) == ("open", f"{price}.00000", "last")
        assert (waiting["descr"]["price"], waiting["descr"]["price2"]) == (f"{price}.0", "0")
        trade("84000")
        assert shown(alice, txid)["status"] == "open"
        trade(fires_at)
        done = shown(alice, txid)
        assert (done["status"], done["vol_exec"]) == ("closed", "0.10000000")
        assert done["misc"] == ("touched" if ordertype == "take-profit" else "stopped")

    def test_a_stop_with_a_limit_rests_at_it(self, alice: Any, trade: Any) -> None:
        order = STOP | {"ordertype": "stop-loss-limit", "price": "83500", "price2": "83600"}
        answer = alice.do("AddOrder", **order)
        assert answer["descr"]["order"] == "sell 0.10000000 XBTUSD @ stop loss 83500.0 -> limit 83600.0"
        [txid] = answer["txid"]
        assert alice.ask("Depth", pair="XBTUSD")["XXBTZUSD"]["asks"] == []
        trade("83500")
        order = shown(alice, txid)
        assert (order["status"], order["limitprice"], order["misc"]) == ("open", "83600.00000", "stopped")
        assert alice.ask("Depth", pair="XBTUSD")["XXBTZUSD"]["asks"][0][0] == "83600.00000"

    def test_a_trailing_stop_follows(self, alice: Any, trade: Any, resting: None) -> None:
        answer = alice.do("AddOrder", **STOP | {"ordertype": "trailing-stop", "price": "+500"})
        assert answer["descr"]["order"] == "sell 0.10000000 XBTUSD @ trailing stop +500.0"
        [txid] = answer["txid"]
        assert shown(alice, txid)["stopprice"] == "83500.00000"
        trade("84400")
        assert shown(alice, txid)["stopprice"] == "83900.00000"
        trade("84000")
        assert shown(alice, txid)["status"] == "open"
        trade("83900")
        assert shown(alice, txid)["status"] == "closed"

    def test_a_trailing_stop_in_percent_with_a_limit_beside_its_trigger(self, alice: Any, trade: Any) -> None:
        order = STOP | {"ordertype": "trailing-stop-limit", "price": "+1%", "price2": "-0"}
        answer = alice.do("AddOrder", **order)
        assert "@ trailing stop +1.0000% -> limit" in answer["descr"]["order"]
        [txid] = answer["txid"]
        assert shown(alice, txid)["stopprice"] == "83160.00000"
        trade("83160")
        assert shown(alice, txid)["limitprice"] == "83160.00000"

    @pytest.mark.parametrize(
        ("price", "side", "ordertype", "becomes"),
        [
            ("+100", "sell", "limit", "84100.0"),
            ("-1%", "buy", "limit", "83160.0"),
            ("#1%", "buy", "limit", "83160.0"),
            ("#1%", "sell", "limit", "84840.0"),
            ("#1%", "buy", "stop-loss", "84840.0"),
            ("#1%", "sell", "stop-loss", "83160.0"),
            ("#1%", "buy", "take-profit", "83160.0"),
            ("#0.00005%", "sell", "take-profit", "84000.0"),
        ],
    )
    def test_distances_count_from_the_last_trade(
        self, alice: Any, trade: Any, price: str, side: str, ordertype: str, becomes: str
    ) -> None:
        trade("84000")
        order = {"pair": "XBTUSD", "type": side, "ordertype": ordertype, "volume": "0.1", "price": price}
        assert alice.do("AddOrder", **order, validate="true")["descr"]["order"].endswith(becomes)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"price": ""}, "EGeneral:Invalid arguments:price"),
            ({"price2": "82000"}, "EOrder:Invalid price"),
            ({"ordertype": "stop-loss-limit"}, "EGeneral:Invalid arguments:price2"),
            ({"ordertype": "trailing-stop", "price": "500"}, "EOrder:Invalid price"),
            ({"ordertype": "trailing-stop", "price": "-500"}, "EOrder:Invalid price"),
            ({"ordertype": "trailing-stop-limit", "price": "+500", "price2": "83000"}, "EOrder:Invalid price"),
            ({"trigger": "mark"}, "EGeneral:Invalid arguments:trigger"),
            ({"ordertype": "limit", "trigger": "index"}, "EGeneral:Invalid arguments:trigger"),
            ({"timeinforce": "FOK"}, "EGeneral:Invalid arguments:timeinforce"),
            ({"oflags": "post"}, "EGeneral:Invalid arguments:oflags"),
            ({"displayvol": "0.01"}, "EGeneral:Invalid arguments:displayvol"),
            ({"stptype": "cancel-all"}, "EGeneral:Invalid arguments:stptype"),
            ({"price": "-200%"}, "EOrder:Invalid price"),
        ],
    )
    def test_refusals(self, alice: Any, change: dict[str, str], error: str) -> None:
        assert alice.error("AddOrder", **STOP | change) == error
        assert alice.do("OpenOrders") == {"open": {}}


class TestIcebergs:
    ICEBERG = STOP | {"ordertype": "iceberg", "price": "84500", "volume": "0.3", "displayvol": "0.1"}

    def test_it_shows_a_part_and_then_the_next(self, alice: Any, bobby: Any, limit: Any) -> None:
        answer = alice.do("AddOrder", **self.ICEBERG)
        assert answer["descr"]["order"] == "sell 0.30000000 XBTUSD @ iceberg 84500.0"
        [txid] = answer["txid"]
        for left in ("0.100", "0.100"):
            assert alice.ask("Depth", pair="XBTUSD")["XXBTZUSD"]["asks"][0][1] == left
            limit(bobby, "buy", "0.1", "84500")
        order = shown(alice, txid)
        assert (order["descr"]["ordertype"], order["vol"], order["vol_exec"]) == ("iceberg", "0.30000000", "0.20000000")
        [trade] = list(alice.do("TradesHistory")["trades"].values())[:1]
        assert trade["maker"] is True

    def test_the_part_is_at_least_a_fifteenth(self, alice: Any) -> None:
        error = "EGeneral:Invalid arguments:displayvol"
        assert alice.error("AddOrder", **self.ICEBERG | {"displayvol": "0.019"}) == error
        assert alice.error("AddOrder", **self.ICEBERG | {"displayvol": "0.4"}) == error
        assert alice.error("AddOrder", **self.ICEBERG | {"displayvol": ""}) == error
        assert alice.do("AddOrder", **self.ICEBERG | {"displayvol": "0.02"})["txid"]


class Running(ManualClock):
    """Time that passes between any two looks at it."""

    def now(self) -> datetime:
        self.forward(0.00001)
        return super().now()


class TestTimes:
    def test_the_shortest_end_is_taken_while_time_passes(self, alice: Any, limit: Any, exchange: Any) -> None:
        exchange.clock = Running(exchange.now())
        txid = limit(alice, "buy", "0.1", "80000", timeinforce="GTD", expiretm="+5")
        assert shown(alice, txid)["status"] == "open"

    def test_an_order_that_ends(self, alice: Any, limit: Any, clock: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", timeinforce="GTD", expiretm="+60")
        order = shown(alice, txid)
        assert (order["time_in_force"], order["expiretm"] - order["opentm"]) == ("gtd", 60)
        clock.forward(59.9)
        assert shown(alice, txid)["status"] == "open"
        clock.forward(0.2)
        assert shown(alice, txid)["status"] == "expired"
        assert alice.do("BalanceEx")["ZUSD"]["hold_trade"] == "0.0000"

    def test_an_order_that_starts_later(self, alice: Any, limit: Any, clock: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", starttm="+60")
        assert shown(alice, txid)["status"] == "pending"
        assert alice.ask("Depth", pair="XBTUSD")["XXBTZUSD"]["bids"] == []
        clock.forward(60.1)
        assert shown(alice, txid)["status"] == "open"
        assert len(alice.ask("Depth", pair="XBTUSD")["XXBTZUSD"]["bids"]) == 1

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"expiretm": "+3000000"}, "expiretm"),
            ({"expiretm": "-5"}, "expiretm"),
            ({"expiretm": "soon"}, "expiretm"),
            ({"expiretm": "+60", "timeinforce": "IOC"}, "expiretm"),
            ({"starttm": "1"}, "starttm"),
            ({"starttm": "+60", "expiretm": "+30"}, "expiretm"),
            ({"starttm": "99999999999999"}, "starttm"),
        ],
    )
    def test_refusals(self, alice: Any, given: dict[str, str], error: str) -> None:
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.1", "price": "80000"}
        assert alice.error("AddOrder", **order, **given) == f"EGeneral:Invalid arguments:{error}"


class TestClosesAndFlags:
    def test_a_fill_makes_the_order_that_closes_it(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.1", "84000")
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.1", "price": "84000"}
        close = {"close[ordertype]": "stop-loss-limit", "close[price]": "83000", "close[price2]": "82900"}
        answer = alice.do("AddOrder", **order, **close)
        assert answer["descr"]["close"] == "close position @ stop loss 83000.0 -> limit 82900.0"
        [txid] = answer["txid"]
        [(made, record)] = alice.do("OpenOrders")["open"].items()
        assert made != txid
        assert record["refid"] == txid
        assert record["descr"]["order"] == "sell 0.10000000 XBTUSD @ stop loss 83000.0 -> limit 82900.0"

    def test_a_close_in_json(self, alice: Any) -> None:
        body = {
            "nonce": 9000,
            "pair": "XBTUSD",
            "type": "buy",
            "ordertype": "limit",
            "volume": 0.1,
            "price": "80000",
            "close": {"ordertype": "limit", "price": "+5%"},
        }
        result = alice.send("AddOrder", json.dumps(body).encode(), "9000", "application/json")["result"]
        assert result["descr"]["close"] == "close position @ limit 88200.0"

    @pytest.mark.parametrize("ordertype", ["market", "settle-position", "iceberg", "nonsense"])
    def test_what_a_close_cannot_be(self, alice: Any, ordertype: str) -> None:
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.1", "price": "80000"}
        error = alice.error("AddOrder", **order, **{"close[ordertype]": ordertype, "close[price]": "81000"})
        assert error == "EGeneral:Invalid arguments:close[ordertype]"

    def test_a_market_order_in_quote(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.5", "84000")
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "840", "oflags": "viqc"}
        answer = alice.do("AddOrder", **order)
        assert answer["descr"]["order"] == "buy 840.00000 XBTUSD @ market"
        order = shown(alice, answer["txid"][0])
        assert (order["status"], order["vol"], order["vol_exec"]) == ("closed", "840.00000", "0.01000000")
        assert "viqc" in order["oflags"].split(",")

    def test_the_fee_in_the_base_asset(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.5", "84000")
        txid = limit(alice, "buy", "0.1", "84000", oflags="fcib")
        assert shown(alice, txid)["oflags"] == "fcib"
        entries = [row for row in alice.do("Ledgers")["ledger"].values() if row["type"] == "trade"]
        assert {row["asset"]: float(row["fee"]) > 0 for row in entries} == {"XXBT": True, "ZUSD": False}

    @pytest.mark.parametrize(
        ("stptype", "left"), [("cancel-newest", ["old"]), ("cancel-oldest", ["new"]), ("cancel-both", [])]
    )
    def test_orders_of_one_account_do_not_meet(self, alice: Any, limit: Any, stptype: str, left: list[str]) -> None:
        limit(alice, "sell", "0.1", "84000", cl_ord_id="old")
        limit(alice, "buy", "0.1", "84000", cl_ord_id="new", stptype=stptype)
        assert [row["cl_ord_id"] for row in alice.do("OpenOrders")["open"].values()] == left
        assert alice.do("TradesHistory")["count"] == 0


class TestMargin:
    def open(self, alice: Any, bobby: Any, limit: Any) -> str:
        limit(bobby, "sell", "1", "84000")
        [txid] = alice.do("AddOrder", **MARGIN_BUY)["txid"]
        return str(txid)

    def test_a_position_is_opened_and_closed(self, alice: Any, bobby: Any, limit: Any) -> None:
        txid = self.open(alice, bobby, limit)
        order = shown(alice, txid)
        assert (order["status"], order["margin"], order["descr"]["leverage"]) == ("closed", True, "5:1")
        assert order["descr"]["order"] == "buy 1.00000000 XBTUSD @ limit 84000.0 with 5:1 leverage"
        [(position_id, position)] = alice.do("OpenPositions", docalcs="true").items()
        assert (position["pair"], position["type"], position["vol"]) == ("XXBTZUSD", "buy", "1.00000000")
        assert (position["ordertxid"], position["cost"]) == (txid, "84000.00000")
        assert position["margin"] == "16800.00000"
        assert position["net"][0] in "+-"
        [trade] = alice.do("TradesHistory", type="any position")["trades"].values()
        assert (trade["postxid"], trade["leverage"], trade["margin"]) == (position_id, "5", "16800.00000")
        balance = alice.do("TradeBalance")
        assert (balance["m"], balance["c"]) == ("16800.0000", "84000.0000")
        assert float(balance["ml"]) > 100
        limit(bobby, "buy", "1", "84000")
        sell = MARGIN_BUY | {"type": "sell", "volume": "0", "ordertype": "market", "price": "", "reduce_only": "true"}
        [closing] = alice.do("AddOrder", **sell)["txid"]
        assert shown(alice, closing)["vol_exec"] == "1.00000000"
        assert alice.do("OpenPositions") == {}
        [closed] = alice.do("TradesHistory", type="closing position")["trades"].values()
        assert (closed["ordertxid"], closed["misc"]) == (closing, "closing")

    def test_margin_is_not_held_for_orders(self, alice: Any, bobby: Any, limit: Any) -> None:
        """Of a position and of a margin order nothing; of a plain order its cost and the highest fee."""
        self.open(alice, bobby, limit)
        limit(alice, "buy", "0.1", "80000", leverage="5")
        assert alice.do("BalanceEx")["ZUSD"]["hold_trade"] == "0.0000"
        limit(alice, "buy", "0.1", "80000")
        assert alice.do("BalanceEx")["ZUSD"]["hold_trade"] == "8019.2000"

    def test_a_position_is_settled_with_own_money(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.1", "84000")
        alice.do("AddOrder", **MARGIN_BUY | {"volume": "0.1"})
        before = float(alice.do("Balance")["XXBT"])
        settle = {"pair": "XBTUSD", "type": "sell", "ordertype": "settle-position", "volume": "0", "leverage": "5"}
        [txid] = alice.do("AddOrder", **settle)["txid"]
        assert shown(alice, txid)["status"] == "closed"
        assert alice.do("OpenPositions") == {}
        assert float(alice.do("Balance")["XXBT"]) == pytest.approx(before + 0.1)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"leverage": "11"}, "EGeneral:Invalid arguments:leverage"),
            ({"leverage": "five"}, "EGeneral:Invalid arguments:leverage"),
            ({"volume": "10"}, "EOrder:Insufficient margin"),
            ({"reduce_only": "true"}, "EOrder:Reduce only:No position exists"),
            ({"volume": "0"}, "EOrder:Reduce only:No position exists"),
            ({"ordertype": "settle-position", "price": ""}, "EOrder:Unknown position"),
            ({"ordertype": "market", "price": "", "oflags": "viqc"}, "EGeneral:Invalid arguments:viqc"),
        ],
    )
    def test_refusals(self, alice: Any, bobby: Any, limit: Any, change: dict[str, str], error: str) -> None:
        limit(bobby, "sell", "0.1", "84000")
        assert alice.error("AddOrder", **MARGIN_BUY | change) == error
        assert alice.do("OpenPositions") == {}
