"""The simulated WebSocket v1: requests, public feeds with their sequences, private feeds."""

import json
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.market import Level
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from kraken_futures.simulator.protocol import KrakenFutures

PF = "PF_XBTUSD"


def lines(captures: Any, name: str) -> list[Any]:
    return [json.loads(line) for line in (captures / "futures/ws" / name).read_text().splitlines()]


class TestConnection:
    def test_the_first_frame_is_info(self, protocol: KrakenFutures) -> None:
        session = protocol.session("/ws/v1")
        assert session is not None
        session.opened(0.0)
        assert session.outbox == ['{"event":"info","version":1}']

    @pytest.mark.parametrize("text", ["", "nonsense", "[]", "5", '{"event":"dance"}', "{}", "[" * 5000])
    def test_what_cannot_be_read(self, feed: Any, text: str) -> None:
        feed.text(text)
        assert feed.frames() == [{"event": "error", "message": "Json Error"}]

    def test_unknown_feeds_and_products(self, feed: Any, captures: Any) -> None:
        assert feed.send("subscribe", feed="dance") == [lines(captures, "info_ack_alert_challenge.jsonl")[2]]
        invalid = {"event": "error", "message": "Invalid product id"}
        assert feed.send("subscribe", feed="book", product_ids=["NOPE"]) == [invalid]
        assert feed.send("subscribe", feed="book") == [invalid]
        assert feed.send("subscribe", feed="book", product_ids="PF_XBTUSD") == [invalid]

    def test_one_answer_for_each_product_in_upper_case_and_then_the_snapshots(self, feed: Any) -> None:
        frames = feed.send("subscribe", feed="book", product_ids=["pf_xbtusd", "PI_XBTUSD", "NOPE"])
        assert frames[0] == {"event": "error", "message": "Invalid product id"}
        assert frames[1:3] == [
            {"event": "subscribed", "feed": "book", "product_ids": ["PF_XBTUSD"]},
            {"event": "subscribed", "feed": "book", "product_ids": ["PI_XBTUSD"]},
        ]
        assert [frame["product_id"] for frame in frames[3:]] == ["PF_XBTUSD", "PI_XBTUSD"]

    def test_subscribing_again_warns_and_sends_the_snapshot_again(self, feed: Any) -> None:
        feed.send("subscribe", feed="book", product_ids=[PF])
        alert, answer, snapshot = feed.send("subscribe", feed="book", product_ids=[PF])
        assert alert == {"event": "alert", "message": "Already subscribed to feed, re-requesting"}
        assert (answer["event"], snapshot["feed"]) == ("subscribed", "book_snapshot")

    def test_after_unsubscribing_nothing_comes(self, feed: Any, alice: Any) -> None:
        feed.send("subscribe", feed="book", product_ids=[PF])
        assert feed.send("unsubscribe", feed="book", product_ids=[PF]) == [
            {"event": "unsubscribed", "feed": "book", "product_ids": [PF]}
        ]
        alice.order("lmt", "buy", "0.1", "80000")
        assert feed.frames() == []
        assert feed.send("unsubscribe", feed="book", product_ids=[PF])[0]["event"] == "unsubscribed_failed"

    def test_a_closed_connection_is_forgotten(self, feed: Any, alice: Any) -> None:
        feed.send("subscribe", feed="book", product_ids=[PF])
        feed.follow("alice", "fills", "open_orders")
        feed.session.closed()
        alice.order("lmt", "buy", "0.1", "80000")
        assert feed.frames() == []

    def test_heartbeats_once_a_second_for_who_wants_them(self, feed: Any, connect: Any, clock: Any) -> None:
        other = connect()
        assert feed.send("subscribe", feed="heartbeat") == [{"event": "subscribed", "feed": "heartbeat"}]
        for _ in range(11):
            feed.tick()
            other.tick()
            clock.forward(0.2)
        assert [frame["time"] for frame in feed.frames("heartbeat")] == [1791549015123, 1791549016123, 1791549017123]
        assert other.frames() == []


class TestBook:
    def test_a_snapshot_and_one_delta_for_each_level(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        alice.order("lmt", "buy", "0.5", "80000")
        bobby.order("lmt", "sell", "0.1", "84000")
        _, snapshot = feed.send("subscribe", feed="book", product_ids=[PF])
        assert (snapshot["bids"], snapshot["asks"]) == (
            [{"price": 80000, "qty": Decimal("0.5")}],
            [{"price": 84000, "qty": Decimal("0.1")}],
        )
        assert snapshot["tickSize"] is None
        bobby.order("lmt", "sell", "0.2", "84001")
        alice.order("lmt", "buy", "0.4", "84001")
        frames = feed.raw()
        sequence = snapshot["seq"]
        assert frames == [
            f'{{"feed":"book","product_id":"PF_XBTUSD","side":"{side}","seq":{sequence + place},'
            f'"price":{price},"qty":{quantity},"timestamp":1791549015123}}'
            for place, (side, price, quantity) in enumerate(
                [
                    ("sell", "84001.0", "0.2"),
                    ("sell", "84000.0", "0.0"),
                    ("sell", "84001.0", "0.0"),
                    ("buy", "84001.0", "0.1"),
                ],
                1,
            )
        ]
        recorded = lines(captures, "pf_xbtusd_2026-10.jsonl")
        assert snapshot.keys() == recorded[2].keys()
        assert json.loads(frames[0]).keys() == recorded[3].keys()

    def test_every_subscriber_sees_one_sequence_without_gaps(
        self, feed: Any, connect: Any, alice: Any, exchange: SimulatedExchange
    ) -> None:
        feed.send("subscribe", feed="book", product_ids=[PF])
        alice.order("lmt", "buy", "0.5", "80000")
        late = connect()
        _, snapshot = late.send("subscribe", feed="book", product_ids=[PF])
        alice.order("lmt", "buy", "1", "2000", symbol="PF_ETHUSD")  # another product counts for itself
        for price in range(80001, 80010):
            alice.order("lmt", "buy", "0.1", str(price))
        alice.post("cancelallorders")
        seen, later = feed.frames("book"), late.frames("book")
        assert [frame["seq"] for frame in later] == list(range(snapshot["seq"] + 1, snapshot["seq"] + 20))
        assert seen[1:] == later
        assert seen[0]["seq"] == snapshot["seq"]

    def test_applying_all_deltas_gives_the_exchanges_book(
        self, feed: Any, alice: Any, bobby: Any, exchange: SimulatedExchange
    ) -> None:
        feed.send("subscribe", feed="book", product_ids=["PI_XBTUSD"])
        book: dict[str, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
        for number in range(40):
            client, side = ((alice, "buy"), (bobby, "sell"))[number % 2]
            price = Decimal(84000) + Decimal((number * 7) % 13 - 6) / 2
            client.order("lmt", side, str(number + 1), str(price), symbol="PI_XBTUSD")
        bobby.post("cancelallorders")
        for frame in feed.frames("book"):
            book[frame["side"]][frame["price"]] = frame["qty"]
        bids, asks = exchange.book(Symbol.parse("BTC/USD:BTC"))
        assert [Level(price, qty) for price, qty in sorted(book["buy"].items(), reverse=True) if qty] == bids
        assert [Level(price, qty) for price, qty in sorted(book["sell"].items()) if qty] == asks


class TestTradesAndTickers:
    def test_trades(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        for _ in range(2):
            alice.order("mkt", "buy", "0.1")
        _, snapshot = feed.send("subscribe", feed="trade", product_ids=[PF])
        assert [trade["seq"] for trade in snapshot["trades"]] == [2, 1]
        alice.order("mkt", "buy", "0.2")
        [text] = feed.raw()
        trade = json.loads(text)
        assert (trade["seq"], trade["side"], trade["type"]) == (3, "buy", "fill")
        assert '"qty":0.2,"price":84000.0' in text
        recorded = lines(captures, "pf_xbtusd_2026-10.jsonl")
        assert trade.keys() == recorded[7].keys()
        assert snapshot.keys() == recorded[6].keys()

    def test_tickers_come_at_most_once_a_second_and_only_after_a_change(
        self, feed: Any, alice: Any, clock: Any
    ) -> None:
        _, first = feed.send("subscribe", feed="ticker", product_ids=[PF])
        assert first["feed"] == "ticker"
        for number in range(8):
            alice.order("lmt", "buy", "0.1", str(80000 + number))
            clock.forward(0.2)
            feed.tick()
        assert len(feed.frames("ticker")) == 1
        clock.forward(2)
        feed.tick()
        [last] = feed.frames("ticker")
        assert last["bid"] == 80007
        clock.forward(5)
        feed.tick()
        assert feed.frames() == []

    def test_tickers_have_the_fields_of_recorded_ones(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "0.1")
        alice.order("lmt", "buy", "0.1", "83000")
        _, ours = feed.send("subscribe", feed="ticker", product_ids=[PF])
        recorded = lines(captures, "pf_xbtusd_2026-10.jsonl")[1]
        rates = {key for key in recorded if "funding_rate" in key and not key.startswith("next")}
        assert ours.keys() == recorded.keys() - rates  # rates of zero are left out
        assert (ours["pair"], ours["tag"], ours["dtm"]) == ("XBT:USD", "perpetual", 0)
        assert ours["next_funding_rate_time"] == 1791550800000

    def test_dated_contracts_tell_their_maturity(self, feed: Any) -> None:
        _, ours = feed.send("subscribe", feed="ticker", product_ids=["FF_XBTUSD_261225"])
        assert (ours["maturityTime"], ours["dtm"], ours["tag"]) == (1798185600000, 76, "quarter")
        assert "next_funding_rate_time" not in ours

    def test_the_lite_ticker(self, feed: Any) -> None:
        _, ours = feed.send("subscribe", feed="ticker_lite", product_ids=[PF])
        assert ours["feed"] == "ticker_lite"
        assert "time" not in ours


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
        [text] = feed.raw()
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
        assert held["initial_margin"] > 1600
        assert (free["initial_margin"], free["available_margin"]) == (0, 50000)

    def test_account_log_and_notifications(self, feed: Any, alice: Any, bobby: Any, captures: Any) -> None:
        log, notes = feed.follow("alice", "account_log", "notifications_auth")
        assert [entry["id"] for entry in log["logs"]] == [2, 1]
        assert notes == {"feed": "notifications_auth", "notifications": []}
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        [frame] = feed.frames()
        entry = frame["new_entry"]
        assert (entry["id"], entry["fee"], entry["old_balance"], entry["new_balance"]) == (3, 42, 50000, 49958)
        recorded = next(line for line in lines(captures, "doc_feeds.jsonl") if line.get("logs"))["logs"][0]
        assert entry.keys() == recorded.keys()
