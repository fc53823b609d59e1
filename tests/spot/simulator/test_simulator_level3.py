"""The book order by order: the channel with its checksum, and REST's Level3 and GroupedBook."""

import json
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from exchange_core.model.symbol import Symbol
from exchange_core.simulator.makers.opening import market_makers
from kraken_spot.checksum import CheckedOrders
from kraken_spot.simulator.feed.level3_books import Entry, window

BTC = Symbol("BTC", "USD")


@pytest.fixture
def level3(connect: Any) -> Any:
    return connect("/l3/v2")


class TestChannel:
    def test_a_snapshot_as_recorded(self, level3: Any, alice: Any, limit: Any, captures: Any) -> None:
        lines = (captures / "spot/ws/level3.jsonl").read_text().splitlines()
        recorded, recorded_update = map(json.loads, lines)
        acks = (captures / "spot/ws/subscribe_acks.jsonl").read_text().splitlines()
        recorded_ack = next(ack for ack in map(json.loads, acks) if ack["result"]["channel"] == "level3")
        first, second = limit(alice, "buy", "0.1", "80000"), limit(alice, "buy", "0.2", "80000")
        ack, frame = level3.send("subscribe", channel="level3", symbol=["BTC/USD"], token=alice.token())
        assert ack.keys() == recorded_ack.keys()
        assert ack["result"].keys() == recorded_ack["result"].keys()
        assert frame.keys() == recorded.keys()
        assert frame["data"][0].keys() == recorded["data"][0].keys()
        bids = frame["data"][0]["bids"]
        assert [order["order_id"] for order in bids] == [first, second]
        assert bids[0].keys() == recorded["data"][0]["bids"][0].keys()
        assert bids[0]["timestamp"] < bids[1]["timestamp"], "the queue stands by times of its own"
        assert len(bids[0]["timestamp"]) == len("2024-05-19T18:55:20.910159752Z")
        alice.do("CancelOrder", txid=first)
        [update] = level3.frames("level3")
        assert update.keys() == recorded_update.keys()
        assert update["data"][0].keys() == recorded_update["data"][0].keys()
        [event] = update["data"][0]["bids"]
        assert (event["event"], event["order_id"]) == ("delete", first)
        assert event.keys() == recorded_update["data"][0]["bids"][0].keys()

    def test_a_part_taken_keeps_its_place_and_a_larger_order_loses_it(
        self, level3: Any, alice: Any, bobby: Any, limit: Any
    ) -> None:
        first, second = limit(alice, "buy", "0.2", "80000"), limit(alice, "buy", "0.2", "80000")
        level3.send("subscribe", channel="level3", symbol=["BTC/USD"], token=alice.token())
        limit(bobby, "sell", "0.1", "80000")
        [frame] = level3.frames()
        [event] = frame["data"][0]["bids"]
        assert (event["event"], event["order_id"], str(event["order_qty"])) == ("modify", first, "0.10000000")
        alice.do("AmendOrder", txid=second, order_qty="0.3")
        events = [event for frame in level3.frames() for event in frame["data"][0]["bids"]]
        assert [event["event"] for event in events if event["order_id"] == second] == ["delete", "add"]

    def test_hidden_parts_and_waiting_triggers_do_not_show(self, level3: Any, alice: Any) -> None:
        order = {"pair": "XBTUSD", "type": "sell", "volume": "0.3", "price": "84500"}
        alice.do("AddOrder", **order, ordertype="iceberg", displayvol="0.1")
        alice.do("AddOrder", **order | {"price": "83000"}, ordertype="stop-loss")
        _, frame = level3.send("subscribe", channel="level3", symbol=["BTC/USD"], token=alice.token())
        assert [str(order["order_qty"]) for order in frame["data"][0]["asks"]] == ["0.10000000"]
        assert frame["data"][0]["bids"] == []

    @pytest.mark.parametrize("depth", [10, 100])
    def test_a_lively_market_read_by_the_venues_rules_and_by_our_client(
        self, level3: Any, alice: Any, bobby: Any, world: Any, clock: Any, follower_class: Any, depth: int
    ) -> None:
        """Every frame of both books has the checksum of what a client makes of it."""
        makers = market_makers(world.exchange, seed=3)
        for _ in range(5):
            for maker in makers:
                maker.step(world.exchange.now())
        ours = CheckedOrders(BTC, price_decimals=1, quantity_decimals=8, depth=depth)
        follower = follower_class(depth)
        request = {"channel": "level3", "symbol": ["BTC/USD"], "depth": depth, "token": alice.token()}
        level3.say(json.dumps({"method": "subscribe", "params": request}))
        random = Random(depth)
        for step in range(150):
            clock.forward(0.3)
            for maker in makers:
                maker.step(world.exchange.now())
            client, side = random.choice((alice, bobby)), random.choice(("buy", "sell"))
            if step % 3 == 0:
                amount = f"0.0{random.randint(1, 9)}"
                client.post("AddOrder", pair="XBTUSD", type=side, ordertype="market", volume=amount)
            elif step % 5 == 1:
                client.post("AddOrder", pair="XBTUSD", type=side, ordertype="limit", volume="0.01", price="#0.1%")
            opened = list(client.do("OpenOrders")["open"])
            if opened and step % 7 == 2:
                client.post("AmendOrder", txid=random.choice(opened), order_qty=f"0.0{random.randint(2, 5)}")
            for text in level3.take():
                follower.take(text)
                self.check(ours, text)
        assert follower.updates > 100

    @staticmethod
    def check(ours: CheckedOrders, text: str) -> None:
        frame = json.loads(text, parse_float=str)
        if frame.get("channel") != "level3":
            return
        [data] = frame["data"]
        asks, bids = (
            [
                SimpleNamespace(
                    order_id=row["order_id"],
                    price=row["limit_price"],
                    qty=row["order_qty"],
                    timestamp=row["timestamp"],
                    event=row.get("event"),
                )
                for row in data[side]
            ]
            for side in ("asks", "bids")
        )
        assert (ours.load if frame["type"] == "snapshot" else ours.apply)(asks, bids) == data["checksum"]

    @pytest.mark.parametrize(
        ("params", "error"),
        [
            ({"symbol": ["XBT/USD"]}, "Currency pair not supported XBT/USD"),
            ({"symbol": "BTC/USD"}, "Symbol field must be an array"),
            ({"depth": 25}, "Subscription depth not supported"),
            ({"depth": "10"}, "Depth field must be an integer"),
            ({"token": "nonsense"}, "ESession:Invalid session"),
            ({"snapshot": 1}, "Snapshot field must be a boolean"),
        ],
    )
    def test_refusals(self, level3: Any, alice: Any, params: dict[str, Any], error: str) -> None:
        request = {"symbol": ["BTC/USD"], "token": alice.token()} | params
        [answer] = level3.send("subscribe", channel="level3", **request)
        assert (answer["success"], answer["error"]) == (False, error)

    def test_subscriptions_are_one_a_symbol_and_end(self, level3: Any, alice: Any, limit: Any) -> None:
        request = {"channel": "level3", "symbol": ["BTC/USD"], "token": alice.token(), "snapshot": False}
        assert [answer["success"] for answer in level3.send("subscribe", **request)] == [True]
        [again] = level3.send("subscribe", **request, depth=100)
        assert again["error"] == "Already subscribed"
        [wrong] = level3.send("unsubscribe", **request, depth=100)
        assert wrong["error"] == "Subscription Not Found"
        assert level3.send("unsubscribe", **request)[0]["success"]
        limit(alice, "buy", "0.1", "80000")
        assert level3.frames() == []

    def test_only_on_its_own_host_and_nothing_else_there(self, level3: Any, public: Any, private: Any) -> None:
        for connection in (public, private):
            [answer] = connection.send("subscribe", channel="level3", symbol=["BTC/USD"])
            assert answer["error"].startswith("Level3 data subscriptions are unavailable")
        for channel in ("book", "executions"):
            [answer] = level3.send("subscribe", channel=channel, symbol=["BTC/USD"])
            assert "unavailable on this endpoint" in answer["error"]


class TestRest:
    def test_level_3(self, alice: Any, guest: Any, limit: Any) -> None:
        first, second = limit(alice, "buy", "0.1", "80000"), limit(alice, "buy", "0.2", "80000")
        limit(alice, "sell", "0.3", "84000.5")
        answer = alice.do("Level3", pair="XBTUSD", depth="10")
        assert answer.keys() == {"pair", "bids", "asks"}
        assert answer["pair"] == "BTC/USD"
        assert [row["order_id"] for row in answer["bids"]] == [first, second]
        [ask] = answer["asks"]
        assert (ask["price"], ask["qty"]) == ("84000.5", "0.30000000")
        assert ask["timestamp"] // 10**9 == 1791549015
        assert alice.error("Level3", pair="XBTUSD", depth="20") == "EGeneral:Invalid arguments:depth"
        assert guest.error("Level3", pair="XBTUSD") == "EGeneral:Permission denied"

    def test_a_grouped_book_rounds_away_from_the_middle(self, alice: Any, limit: Any) -> None:
        for price in ("79999.9", "80000.1", "80000.4"):
            limit(alice, "buy", "0.1", price)
        limit(alice, "sell", "0.2", "84000.1")
        answer = alice.ask("GroupedBook", pair="BTC/USD", grouping=10)
        assert answer == {
            "pair": "BTC/USD",
            "grouping": 10,
            "bids": [{"price": "80000.0", "qty": "0.20000000"}, {"price": "79999.0", "qty": "0.10000000"}],
            "asks": [{"price": "84001.0", "qty": "0.20000000"}],
        }
        assert alice.get("GroupedBook", pair="BTC/USD", grouping=7)["error"] == ["EGeneral:Invalid arguments:grouping"]
        assert alice.get("GroupedBook", pair="BTC/USD", depth=20)["error"] == ["EGeneral:Invalid arguments:depth"]

    def test_what_regulators_see(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.04", "84000")
        before = alice.ask("PreTrade", symbol="BTC/USD")
        assert [(row["side"], row["price"], row["qty"]) for row in before["asks"]] == [
            ("SELL", "84000.0", "0.06000000")
        ]
        after = alice.ask("PostTrade", symbol="BTC/USD")
        assert (after["count"], after["trades"][0]["price"]) == (1, "84000.0")
        assert alice.ask("PostTrade", symbol="BTC/USD", from_ts=after["last_ts"])["trades"] == []
        assert alice.get("PreTrade", symbol="XBTUSD")["error"] == ["EQuery:Unknown asset pair"]


def test_a_window_counts_prices_and_not_orders() -> None:
    half = tuple(Entry(str(index), index // 2, 1, index) for index in range(8))  # type: ignore[arg-type]
    assert [entry.id for entry in window(half, 2)] == ["0", "1", "2", "3"]
    assert window(half, 0) == window(half, 9) == half
