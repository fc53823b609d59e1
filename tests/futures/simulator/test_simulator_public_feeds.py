"""The simulated WebSocket v1: requests and public feeds with their sequences."""

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
        feed.say(text)
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
        frames = feed.take()
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
        [text] = feed.take()
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
