"""The simulated WebSocket v1: challenges and private feeds."""

import json
from decimal import Decimal
from typing import Any

import pytest

PF = "PF_XBTUSD"


def lines(captures: Any, name: str) -> list[Any]:
    return [json.loads(line) for line in (captures / "futures/ws" / name).read_text().splitlines()]


class TestPrivateAccess:
    def test_a_signed_challenge_opens_private_feeds(self, feed: Any) -> None:
        fields = feed.login("alice")
        answer, snapshot = feed.send("subscribe", feed="fills", **fields)
        assert answer == {"event": "subscribed", "feed": "fills", **fields}
        assert snapshot["feed"] == "fills_snapshot"
        assert feed.send("subscribe", feed="open_positions", **fields)[0]["event"] == "subscribed"

    @pytest.mark.parametrize(
        "change",
        [
            {"api_key": "nobody"},
            {"api_key": None},
            {"api_key": "bobby"},
            {"original_challenge": "226aee50-88fc-4618-a42a-34f7709570b2"},
            {"signed_challenge": "AAAA"},
            {"signed_challenge": None},
            {"signed_challenge": "ä"},
        ],
    )
    def test_anything_else_fails(self, feed: Any, change: dict[str, object], captures: Any) -> None:
        fields = {**feed.login("alice"), **change}
        expected = lines(captures, "info_ack_alert_challenge.jsonl")[3]
        assert feed.send("subscribe", feed="fills", **fields) == [expected]

    def test_without_a_challenge_there_is_nothing_to_sign(self, feed: Any) -> None:
        [answer] = feed.send("subscribe", feed="fills", api_key="alice", original_challenge="", signed_challenge="")
        assert answer["event"] == "alert"

    def test_a_challenge_belongs_to_one_connection(self, feed: Any, connect: Any) -> None:
        fields = feed.login("alice")
        assert connect().send("subscribe", feed="fills", **fields)[0]["event"] == "alert"

    def test_a_new_challenge_ends_the_one_before(self, feed: Any) -> None:
        old = feed.login("alice")
        new = feed.login("alice")
        assert feed.send("subscribe", feed="fills", **old)[0]["event"] == "alert"
        assert feed.send("subscribe", feed="fills", **new)[0]["event"] == "subscribed"

    def test_one_connection_has_one_account(self, feed: Any) -> None:
        feed.follow("alice", "fills")
        [answer] = feed.send("subscribe", feed="open_orders", **feed.login("bobby"))
        assert answer["event"] == "alert"

    def test_unsubscribing_needs_the_same_fields(self, feed: Any, alice: Any) -> None:
        fields = feed.login("alice")
        feed.send("subscribe", feed="open_orders", **fields)
        assert feed.send("unsubscribe", feed="open_orders")[0]["event"] == "alert"
        assert feed.send("unsubscribe", feed="open_orders", **fields)[0]["event"] == "unsubscribed"
        alice.order("lmt", "buy", "0.1", "80000")
        assert feed.frames() == []


class TestOrdersAndFills:
    def test_an_order_from_placing_to_the_last_fill(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        feed.follow("alice", "open_orders")
        order_id = alice.order("lmt", "buy", "0.3", "84000", cliOrdId="mine")["order_id"]
        bobby.order("mkt", "sell", "0.1")
        bobby.order("mkt", "sell", "0.2")
        frames = feed.frames()
        assert [(frame["reason"], frame["is_cancel"]) for frame in frames] == [
            ("new_placed_order_by_user", False),
            ("partial_fill", False),
            ("full_fill", True),
        ]
        quantities = [(frame["order"]["qty"], frame["order"]["filled"]) for frame in frames]
        assert quantities == [
            (Decimal("0.3"), 0),
            (Decimal("0.2"), Decimal("0.1")),
            (0, Decimal("0.3")),
        ]
        assert {frame["order"]["order_id"] for frame in frames} == {order_id}
        recorded = lines(captures, "private_captured.jsonl")[1]
        assert frames[0].keys() == recorded.keys()
        assert frames[0]["order"].keys() - {"cli_ord_id"} == recorded["order"].keys()

    def test_a_cancel_only_names_the_order(self, feed: Any, alice: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.3", "80000", cliOrdId="mine")["order_id"]
        [snapshot] = feed.follow("alice", "open_orders")
        assert [row["order_id"] for row in snapshot["orders"]] == [order_id]
        alice.post("cancelorder", order_id=order_id)
        assert feed.frames() == [
            {
                "feed": "open_orders",
                "order_id": order_id,
                "cli_ord_id": "mine",
                "is_cancel": True,
                "reason": "cancelled_by_user",
            }
        ]

    def test_an_order_that_is_filled_at_once_never_shows_among_the_open_ones(
        self, feed: Any, alice: Any, bobby: Any
    ) -> None:
        feed.follow("alice", "open_orders", "fills")
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "0.1")
        alice.order("ioc", "buy", "2", "84000")
        assert [frame["feed"] for frame in feed.frames()] == ["fills", "fills"]

    def test_one_that_is_partly_filled_and_rests_does(self, feed: Any, alice: Any, bobby: Any) -> None:
        feed.follow("alice", "open_orders")
        bobby.order("lmt", "sell", "0.1", "84000")
        alice.order("lmt", "buy", "0.3", "84000")
        assert [frame["reason"] for frame in feed.frames()] == ["new_placed_order_by_user", "partial_fill"]

    def test_only_the_verbose_feed_tells_of_failed_post_orders(
        self, feed: Any, alice: Any, bobby: Any, captures: Any
    ) -> None:
        feed.follow("alice", "open_orders", "open_orders_verbose")
        bobby.order("lmt", "sell", "0.1", "84000")
        alice.order("post", "buy", "0.1", "84000")
        [frame] = feed.frames()
        recorded = next(
            line for line in lines(captures, "doc_feeds.jsonl") if "post_order_failed" in line.get("reason", "")
        )
        assert frame.keys() == recorded.keys()
        assert (frame["feed"], frame["reason"]) == ("open_orders_verbose", recorded["reason"])

    def test_fills(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        bobby.order("lmt", "sell", "1", "3162", symbol="PF_ETHUSD")
        alice.order("mkt", "buy", "0.002", symbol="PF_ETHUSD")
        [snapshot] = feed.follow("alice", "fills")
        assert [fill["seq"] for fill in snapshot["fills"]] == [1]
        status = alice.order("mkt", "buy", "0.001", symbol="PF_ETHUSD", cliOrdId="mine")
        [text] = feed.take()
        fill = json.loads(text)["fills"][0]
        assert '"fee_paid":0.001581,"fee_currency":"USD"' in text
        assert (fill["seq"], fill["buy"], fill["fill_type"], fill["order_type"]) == (2, True, "taker", "market")
        assert fill["fill_id"] == status["orderEvents"][0]["executionId"]
        recorded = lines(captures, "private_captured.jsonl")[0]
        assert json.loads(text).keys() == recorded.keys()
        assert fill.keys() == recorded["fills"][0].keys()

    def test_fills_of_inverse_contracts_are_charged_in_coin(self, feed: Any, alice: Any, bobby: Any) -> None:
        feed.follow("alice", "fills")
        bobby.order("lmt", "sell", "8400", "84000", symbol="PI_XBTUSD")
        alice.order("mkt", "buy", "8400", symbol="PI_XBTUSD")
        [frame] = feed.frames()
        fill = frame["fills"][0]
        assert (fill["fee_paid"], fill["fee_currency"]) == (Decimal("0.00005"), "BTC")

    def test_fills_can_be_asked_for_one_product(self, feed: Any, alice: Any, bobby: Any) -> None:
        feed.send("subscribe", feed="fills", product_ids=["PF_ETHUSD"], **feed.login("alice"))
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "0.1")
        bobby.order("lmt", "sell", "1", "2600", symbol="PF_ETHUSD")
        alice.order("mkt", "buy", "0.1", symbol="PF_ETHUSD")
        [frame] = feed.frames("fills")
        assert (frame["fills"][0]["instrument"], frame["fills"][0]["seq"]) == ("PF_ETHUSD", 2)


class TestPositionsAndBalances:
    def test_every_message_has_all_positions(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        [first] = feed.follow("alice", "open_positions")
        assert (first["positions"], first["seq"]) == ([], 0)
        for symbol, size, price in ((PF, "1", "84000"), ("PI_XBTUSD", "1000", "84000")):
            bobby.order("lmt", "sell", size, price, symbol=symbol)
            alice.order("mkt", "buy", size, symbol=symbol)
        bobby.order("lmt", "buy", "1", "84100")
        alice.order("mkt", "sell", "1")
        frames = feed.frames()
        assert [[row["instrument"] for row in frame["positions"]] for frame in frames] == [
            [PF],
            [PF, "PI_XBTUSD"],
            ["PI_XBTUSD"],
        ]
        assert [frame["seq"] for frame in frames] == [1, 2, 3]
        recorded = lines(captures, "doc_balances_open_positions.jsonl")[-1]
        assert frames[0].keys() == recorded.keys()
        assert frames[0]["positions"][0].keys() == recorded["positions"][1].keys()

    def test_short_positions_are_below_zero(self, feed: Any, alice: Any, bobby: Any) -> None:
        feed.follow("bobby", "open_positions")
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        [frame] = feed.frames()
        assert frame["positions"][0]["balance"] == -1

    def test_a_balances_delta_has_only_what_changed(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        [snapshot] = feed.follow("alice", "balances")
        assert snapshot["flex_futures"]["currencies"]["USD"]["quantity"] == 50000
        assert snapshot["futures"]["F-XBT:USD"]["balance"] == Decimal("0.5")
        bobby.order("lmt", "sell", "8400", "84000", symbol="PI_XBTUSD")
        alice.order("mkt", "buy", "8400", symbol="PI_XBTUSD")
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        coin, usd = feed.frames()
        assert (snapshot["seq"], coin["seq"], usd["seq"]) == (0, 1, 2)
        assert coin["futures"]["F-XBT:USD"]["balance"] == Decimal("0.49995")
        assert "flex_futures" not in coin
        assert usd["flex_futures"]["balance_value"] == 50000 - 42
        assert "futures" not in usd
        recorded = lines(captures, "doc_balances_open_positions.jsonl")[0]
        assert snapshot.keys() == recorded.keys()
        assert snapshot["flex_futures"].keys() == recorded["flex_futures"].keys()
        assert snapshot["futures"]["F-XBT:USD"].keys() == recorded["futures"]["F-XBT:USD"].keys()

    def test_open_orders_change_the_balances_too(self, feed: Any, alice: Any) -> None:
        feed.follow("alice", "balances")
        alice.order("lmt", "buy", "1", "80000")
        alice.post("cancelallorders")
        held, free = (frame["flex_futures"] for frame in feed.frames())
        assert held["initial_margin"] == 800 + 40  # 1 % of it, and the fee
        assert (free["initial_margin"], free["available_margin"]) == (0, 50000)

    def test_account_log_and_notifications(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        log, notes = feed.follow("alice", "account_log", "notifications_auth")
        assert [entry["id"] for entry in log["logs"]] == [2, 1]
        assert notes == {"feed": "notifications_auth", "notifications": []}
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        position, entry = (frame["new_entry"] for frame in feed.frames())
        assert (position["id"], position["asset"], position["new_balance"]) == (3, "pf_xbtusd", 1)
        assert (entry["id"], entry["fee"], entry["old_balance"], entry["new_balance"]) == (4, 42, 50000, 49958)
        assert position["execution"] == entry["execution"]
        recorded = next(line for line in lines(captures, "doc_feeds.jsonl") if line.get("logs"))["logs"][0]
        assert entry.keys() == recorded.keys()
