"""Amends, edits, batches and cancels over REST."""

import json
from typing import Any

import pytest

from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol

UNKNOWN = "OAAAAA-AAAAA-AAAAAA"


def shown(client: Any, txid: str) -> Any:
    return client.do("QueryOrders", txid=txid)[txid]


def as_json(client: Any, method: str, **body: Any) -> Any:
    """Return the envelope of a call whose body is JSON."""
    client.nonce += 1
    text = json.dumps({"nonce": client.nonce, **body}).encode()
    return client.send(method, text, str(client.nonce), "application/json")


class TestAmend:
    def test_it_keeps_the_id_and_says_so_in_the_history(self, alice: Any, limit: Any, clock: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", oflags="post", cl_ord_id="mine")
        clock.forward(1)
        first = alice.do("AmendOrder", txid=txid, order_qty="0.2", limit_price="80100")
        clock.forward(1)
        second = alice.do("AmendOrder", cl_ord_id="mine", limit_price="80200", post_only="true")
        order = shown(alice, txid)
        assert (order["vol"], order["descr"]["price"], order["misc"]) == ("0.20000000", "80200.0", "amended")
        history = alice.do("OrderAmends", order_id=txid)
        assert history["count"] == 3
        amends = history["amends"]
        assert [row["amend_id"] for row in amends[1:]] == [first["amend_id"], second["amend_id"]]
        assert [row["amend_type"] for row in amends] == ["original", "user", "user"]
        assert [row["limit_price"] for row in amends] == ["80000.0", "80100.0", "80200.0"]
        assert [row["order_qty"] for row in amends] == ["0.10000000", "0.20000000", "0.20000000"]
        assert amends[2]["timestamp"] - amends[1]["timestamp"] == 1000
        assert "reason" not in amends[0]

    def test_the_history_has_the_fields_of_the_recorded_one(self, alice: Any, limit: Any, captures: Any) -> None:
        recorded = json.loads((captures / "spot/rest/private_order_amends.json").read_text())["result"]["amends"]
        txid = limit(alice, "buy", "0.1", "80000")
        alice.do("AmendOrder", txid=txid, order_qty="0.2")
        ours = alice.do("OrderAmends", order_id=txid)["amends"]
        assert [row.keys() for row in ours] == [row.keys() for row in recorded]

    def test_triggers_and_distances(self, alice: Any, limit: Any) -> None:
        stop = {"pair": "XBTUSD", "type": "sell", "ordertype": "stop-loss", "volume": "0.1", "price": "83000"}
        [txid] = alice.do("AddOrder", **stop)["txid"]
        alice.do("AmendOrder", txid=txid, trigger_price="-2%")
        assert shown(alice, txid)["stopprice"] == "82320.00000"
        [trailing] = alice.do("AddOrder", **stop | {"ordertype": "trailing-stop", "price": "+500"})["txid"]
        alice.do("AmendOrder", txid=trailing, trigger_price="+1%")
        assert shown(alice, trailing)["stopprice"] == "83160.00000"

    def test_less_than_was_filled_ends_it(self, alice: Any, bobby: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.2", "80000")
        limit(bobby, "sell", "0.1", "80000")
        alice.do("AmendOrder", txid=txid, order_qty="0.05")
        order = shown(alice, txid)
        assert (order["status"], order["vol_exec"]) in (("canceled", "0.10000000"), ("closed", "0.10000000"))

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({}, "EGeneral:Invalid arguments"),
            ({"cl_ord_id": "mine", "order_qty": "1"}, "EGeneral:Invalid arguments:txid"),
            ({"order_qty": "x"}, "EGeneral:Invalid arguments:order_qty"),
            ({"order_qty": "0"}, "EGeneral:Invalid arguments:order_qty"),
            ({"order_qty": "0.00001"}, "EOrder:Order minimum not met"),
            ({"limit_price": "80000.55"}, "EOrder:Tick size check failed"),
            ({"limit_price": "84100", "post_only": "true"}, "EOrder:Post only order"),
            ({"order_qty": "0.2", "post_only": "true"}, "EGeneral:Invalid arguments:post_only"),
            ({"trigger_price": "80000"}, "EGeneral:Invalid arguments:trigger_price"),
            ({"display_qty": "0.05"}, "EGeneral:Invalid arguments:display_qty"),
            ({"order_qty": "9"}, "EOrder:Insufficient funds"),
            ({"pair": "ETHUSD", "order_qty": "0.2"}, "EGeneral:Invalid arguments:pair"),
            ({"deadline": "2026-10-09T12:30:15Z", "order_qty": "0.2"}, "EService:Deadline elapsed"),
        ],
    )
    def test_refusals_change_nothing(
        self, alice: Any, bobby: Any, limit: Any, given: dict[str, str], error: str
    ) -> None:
        limit(bobby, "sell", "0.1", "84100")
        txid = limit(alice, "buy", "0.1", "80000")
        before = shown(alice, txid)
        assert alice.error("AmendOrder", txid=txid, **given) == error
        assert shown(alice, txid) == before

    def test_orders_of_others_and_those_that_close(self, alice: Any, bobby: Any, limit: Any) -> None:
        txid = limit(bobby, "buy", "0.1", "80000")
        assert alice.error("AmendOrder", txid=txid, order_qty="1") == "EOrder:Unknown order"
        assert alice.error("AmendOrder", txid="nonsense", order_qty="1") == "EOrder:Invalid order"
        closing = limit(alice, "buy", "0.1", "80000", **{"close[ordertype]": "limit", "close[price]": "90000"})
        assert alice.error("AmendOrder", txid=closing, order_qty="1") == "EOrder:Invalid order"
        assert alice.error("OrderAmends", order_id=txid) == "EOrder:Unknown order"


class TestEdit:
    def test_it_is_a_new_order_in_the_place_of_the_old(self, alice: Any, limit: Any, captures: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", oflags="post", userref="5")
        answer = alice.do("EditOrder", txid=txid, pair="XBTUSD", volume="0.2", price="80100", userref="1234")
        new = answer["txid"]
        assert new != txid
        assert answer == {
            "status": "ok",
            "txid": new,
            "originaltxid": txid,
            "newuserref": 1234,
            "olduserref": 5,
            "volume": "0.20000000",
            "price": "80100.0",
            "orders_cancelled": 1,
            "descr": {"order": "buy 0.20000000 XBTUSD @ limit 80100.0"},
        }
        recorded = json.loads((captures / "spot/rest/private_edit_order.json").read_text())["result"]
        assert answer.keys() - {"olduserref"} == recorded.keys()
        assert list(alice.do("OpenOrders")["open"]) == [new]
        assert shown(alice, txid)["status"] == "canceled"
        assert "post" not in shown(alice, new)["oflags"], "it has to be asked for again"

    def test_validate_leaves_all_as_it_is(self, alice: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000")
        answer = alice.do("EditOrder", txid=txid, pair="XBTUSD", price="80100", validate="true")
        assert "txid" not in answer
        assert list(alice.do("OpenOrders")["open"]) == [txid]

    def test_what_was_executed_stays_with_the_old_order(self, alice: Any, bobby: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.2", "80000")
        limit(bobby, "sell", "0.15", "80000")
        assert alice.error("EditOrder", txid=txid, pair="XBTUSD", volume="0.1") == "EGeneral:Invalid arguments:volume"
        new = alice.do("EditOrder", txid=txid, pair="XBTUSD", volume="0.25")["txid"]
        assert (shown(alice, new)["vol"], shown(alice, new)["vol_exec"]) == ("0.25000000", "0.00000000")

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"pair": "ETHUSD"}, "EGeneral:Invalid arguments:pair"),
            ({"pair": ""}, "EGeneral:Invalid arguments:pair"),
            ({"price": "80000.55"}, "EOrder:Tick size check failed"),
            ({"volume": "10"}, "EOrder:Insufficient funds"),
            ({"volume": "x"}, "EGeneral:Invalid arguments:volume"),
            ({"txid": UNKNOWN}, "EOrder:Unknown order"),
            ({"txid": "nonsense"}, "EOrder:Invalid order"),
        ],
    )
    def test_refusals_leave_the_order(self, alice: Any, limit: Any, given: dict[str, str], error: str) -> None:
        txid = limit(alice, "buy", "0.1", "80000")
        assert alice.error("EditOrder", **{"txid": txid, "pair": "XBTUSD"} | given) == error
        assert list(alice.do("OpenOrders")["open"]) == [txid]

    def test_a_user_reference_must_name_one_order(self, alice: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", userref="5")
        assert alice.do("EditOrder", txid="5", pair="XBTUSD", userref="6")["originaltxid"] == txid
        limit(alice, "buy", "0.1", "80000", userref="6")
        assert alice.error("EditOrder", txid="6", pair="XBTUSD") == "EGeneral:Invalid arguments:txid"

    def test_orders_with_a_client_id_cannot_be_edited(self, alice: Any, limit: Any) -> None:
        txid = limit(alice, "buy", "0.1", "80000", cl_ord_id="mine")
        assert alice.error("EditOrder", txid=txid, pair="XBTUSD", price="80100") == "EOrder:Invalid order"


def leg(price: str, volume: str = "0.1", **more: Any) -> dict[str, Any]:
    return {"ordertype": "limit", "type": "buy", "price": price, "volume": volume, **more}


class TestStatus:
    @pytest.mark.parametrize("status", ["cancel_only", "post_only", "limit_only", "reduce_only"])
    def test_a_market_that_takes_less(self, alice: Any, limit: Any, exchange: Any, status: str) -> None:
        txid = limit(alice, "buy", "0.1", "80000")
        exchange.set_status(Symbol("BTC", "USD"), InstrumentStatus(status))
        market = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.1"}
        assert alice.error("AddOrder", **market) == f"EService:Market in {status} mode"
        assert alice.ask("AssetPairs", pair="XBTUSD")["XXBTZUSD"]["status"] == status
        assert alice.do("CancelOrder", txid=txid) == {"count": 1}

    def test_followers_of_instruments_hear_of_it_and_of_nothing_else(self, public: Any, exchange: Any) -> None:
        public.send("subscribe", channel="instrument", snapshot=False)
        public.session.tick(1.0)
        assert public.frames() == []
        exchange.set_status(Symbol("BTC", "USD"), InstrumentStatus.CANCEL_ONLY)
        public.session.tick(1.2)
        public.session.tick(1.4)
        [frame] = public.frames("instrument")
        assert (frame["type"], frame["data"]["assets"]) == ("update", [])
        assert [(pair["symbol"], pair["status"]) for pair in frame["data"]["pairs"]] == [("BTC/USD", "cancel_only")]


class TestBatches:
    def test_orders_are_placed_in_order_and_each_for_itself(self, alice: Any, captures: Any) -> None:
        legs = [leg("80000", cl_ord_id="a"), leg("80001", "9"), leg("80002", userref=7)]
        envelope = as_json(alice, "AddOrderBatch", pair="XBTUSD", orders=legs)
        assert envelope["error"] == []
        first, second, third = envelope["result"]["orders"]
        assert second == {"error": "EOrder:Insufficient funds"}
        recorded = json.loads((captures / "spot/rest/private_add_order_batch.json").read_text())["result"]["orders"]
        assert first.keys() == third.keys() == recorded[0].keys()
        assert first["descr"]["order"] == "buy 0.10000000 XBTUSD @ limit 80000.0"
        assert {first["txid"], third["txid"]} == set(alice.do("OpenOrders")["open"])

    def test_one_that_does_not_read_refuses_them_all(self, alice: Any) -> None:
        for bad in (leg("x"), leg("80000", ordertype="nonsense"), leg("80000", cl_ord_id="a", userref=1)):
            assert as_json(alice, "AddOrderBatch", pair="XBTUSD", orders=[leg("80000"), bad])["error"]
        assert alice.do("OpenOrders") == {"open": {}}

    @pytest.mark.parametrize(
        ("bad", "error"),
        [
            (leg("80000.05"), "EOrder:Tick size check failed"),
            (leg("80000", "0.00004"), "EOrder:Order minimum not met"),
            (leg("1", "0.0001"), "EOrder:Cost minimum not met"),
        ],
    )
    def test_one_that_is_not_valid_refuses_them_all(self, alice: Any, bad: Any, error: str) -> None:
        for orders in ([leg("80000"), bad], [bad, leg("80000"), leg("80000", "9")]):
            assert as_json(alice, "AddOrderBatch", pair="XBTUSD", orders=orders) == {"error": [error]}
        assert alice.do("OpenOrders") == {"open": {}}

    @pytest.mark.parametrize("orders", [None, "x", {}, [], [leg("80000")], [leg("80000")] * 16, [1, 2], [leg("1"), []]])
    def test_a_batch_is_a_list_of_2_to_15(self, alice: Any, orders: Any) -> None:
        envelope = as_json(alice, "AddOrderBatch", pair="XBTUSD", orders=orders)
        assert envelope == {"error": ["EGeneral:Invalid arguments:orders"]}

    def test_a_form_cannot_hold_one(self, alice: Any) -> None:
        assert alice.error("AddOrderBatch", pair="XBTUSD", orders=json.dumps([leg("1"), leg("2")])).startswith("E")

    def test_validate_and_deadline_are_the_batches(self, alice: Any) -> None:
        legs = [leg("80000"), leg("80001")]
        result = as_json(alice, "AddOrderBatch", pair="XBTUSD", orders=legs, validate=True)["result"]
        assert [list(row) for row in result["orders"]] == [["descr"], ["descr"]]
        late = as_json(alice, "AddOrderBatch", pair="XBTUSD", orders=legs, deadline="2026-10-09T12:30:15Z")
        assert late["error"] == ["EService:Deadline elapsed"]
        assert alice.do("OpenOrders") == {"open": {}}

    def test_it_needs_both_permissions(self, world: Any, alice: Any) -> None:
        world.restricted("alice", "half", ["modify-trades"])
        half = type(alice)(world, "half")
        assert as_json(half, "AddOrderBatch", pair="XBTUSD", orders=[])["error"] == ["EGeneral:Permission denied"]

    def test_many_are_cancelled_at_once(self, alice: Any, limit: Any) -> None:
        ids = [limit(alice, "buy", "0.01", "80000", userref="3") for _ in range(3)]
        limit(alice, "buy", "0.01", "80000", cl_ord_id="mine")
        envelope = as_json(alice, "CancelOrderBatch", orders=[ids[0], 3, UNKNOWN], cl_ord_ids=["mine", "other"])
        assert envelope == {"error": [], "result": {"count": 4}}

    @pytest.mark.parametrize("body", [{}, {"orders": []}, {"orders": "x"}, {"orders": [True]}, {"orders": [1] * 51}])
    def test_what_is_no_batch_of_cancels(self, alice: Any, body: Any) -> None:
        assert as_json(alice, "CancelOrderBatch", **body)["error"] == ["EGeneral:Invalid arguments:orders"]


class TestDeadMansSwitch:
    def test_it_fires_unless_told_again(self, alice: Any, bobby: Any, limit: Any, clock: Any) -> None:
        limit(alice, "buy", "0.1", "80000")
        other = limit(bobby, "buy", "0.1", "80000")
        answer = alice.do("CancelAllOrdersAfter", timeout="60")
        assert answer == {"currentTime": "2026-10-09T12:30:15Z", "triggerTime": "2026-10-09T12:31:15Z"}
        clock.forward(50)
        alice.do("CancelAllOrdersAfter", timeout="60")
        clock.forward(50)
        assert len(alice.do("OpenOrders")["open"]) == 1
        clock.forward(11)
        assert alice.do("OpenOrders") == {"open": {}}
        [order] = alice.do("ClosedOrders")["closed"].values()
        assert (order["status"], order["reason"]) == ("canceled", "CancelAllOrdersAfter Timeout")
        assert list(bobby.do("OpenOrders")["open"]) == [other]

    def test_0_puts_it_off(self, alice: Any, limit: Any, clock: Any) -> None:
        limit(alice, "buy", "0.1", "80000")
        alice.do("CancelAllOrdersAfter", timeout="60")
        assert alice.do("CancelAllOrdersAfter", timeout="0")["triggerTime"] == "0"
        clock.forward(100)
        assert len(alice.do("OpenOrders")["open"]) == 1

    @pytest.mark.parametrize("timeout", ["", "x", "-1", "86400", "1.5"])
    def test_refusals(self, alice: Any, timeout: str) -> None:
        assert alice.error("CancelAllOrdersAfter", timeout=timeout) == "EGeneral:Invalid arguments:timeout"
