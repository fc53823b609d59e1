"""The simulated WebSocket v2: requests, tickers, trades, candles."""

import json
from decimal import Decimal
from typing import Any

import pytest

from kraken_spot.simulator.protocol import KrakenSpot


class TestConnection:
    def test_the_first_frame_is_the_status(self, protocol: KrakenSpot) -> None:
        for path in ("/v2", "/auth/v2", "/l3/v2"):
            session = protocol.session(path)
            assert session is not None
            session.opened(0.0)
            [frame] = map(json.loads, session.outbox)
            assert (frame["channel"], frame["type"], frame["data"][0]["system"]) == ("status", "update", "online")
            assert 0 <= frame["data"][0]["connection_id"] < 2**64

    def test_ping(self, public: Any) -> None:
        public.say('{"method":"ping","req_id":101}')
        [pong] = public.frames()
        assert pong.keys() == {"method", "req_id", "time_in", "time_out"}
        assert (pong["method"], pong["req_id"]) == ("pong", 101)

    def test_ping_takes_no_params(self, public: Any) -> None:
        [answer] = public.send("ping")
        assert answer["error"] == "Unsupported field: 'params' for the given msg type: ping"
        assert (answer["method"], answer["success"]) == ("ping", False)

    @pytest.mark.parametrize("text", ["", "nonsense", "[]", "1", "null", '{"method":', "[" * 5000, '{"a":1e99999999}'])
    def test_what_is_no_json_object_is_answered_with_an_error(self, public: Any, text: str) -> None:
        public.say(text)
        [answer] = public.frames()
        assert answer["success"] is False

    def test_heartbeats_come_once_a_second_in_silence_and_only_to_subscribers(self, public: Any, clock: Any) -> None:
        for _ in range(20):
            clock.forward(0.2)
            public.tick()
        assert public.frames() == []
        public.send("subscribe", channel="ticker", symbol=["BTC/USD"])
        for _ in range(16):
            clock.forward(0.2)
            public.tick()
        assert public.take() == ['{"channel":"heartbeat"}'] * 3

    def test_the_wrong_host_is_told_where_to_go(self, public: Any, private: Any, connect: Any) -> None:
        there = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
        here = "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"
        for method, params in (("subscribe", {"channel": "executions"}), ("add_order", {}), ("cancel_all", {})):
            [answer] = public.send(method, **params)
            assert (answer["error"], answer["success"], answer["method"]) == (there, False, method)
        for connection in (private, connect("/l3/v2")):
            [answer] = connection.send("subscribe", channel="book", symbol=["BTC/USD"])
            assert answer["error"] == here

    def test_level_3_needs_a_token(self, connect: Any) -> None:
        [answer] = connect("/l3/v2").send("subscribe", channel="level3", symbol=["BTC/USD"])
        assert answer["error"] == "ESession:Invalid session"

    def test_unknown_methods_and_channels(self, public: Any) -> None:
        assert public.send("dance")[0]["error"] == "Unsupported event"
        assert public.send("subscribe", channel="dance")[0]["error"] == "Unsupported event"


class TestSubscribing:
    def test_one_answer_and_one_snapshot_for_each_symbol(self, public: Any) -> None:
        frames = public.send("subscribe", channel="book", symbol=["BTC/USD", "XBT/USD", "ETH/USD"], depth=25)
        assert [frame.get("method") or frame["data"][0]["symbol"] for frame in frames] == [
            "subscribe",
            "BTC/USD",
            "subscribe",
            "subscribe",
            "ETH/USD",
        ]
        assert frames[0]["result"] == {"channel": "book", "depth": 25, "snapshot": True, "symbol": "BTC/USD"}
        assert frames[0]["req_id"] == 7
        assert frames[2]["error"] == "Currency pair not supported XBT/USD"
        assert (frames[2]["symbol"], frames[2]["success"]) == ("XBT/USD", False)
        assert "result" not in frames[2]

    def test_answers_look_like_recorded_ones(self, public: Any, captures: Any) -> None:
        recorded = [json.loads(line) for line in (captures / "spot/ws/subscribe_acks.jsonl").read_text().splitlines()]
        for ack in recorded:
            channel = ack["result"]["channel"]
            if channel in ("level3", "executions", "balances"):
                continue
            wanted = {key: ack["result"][key] for key in ("depth", "interval", "event_trigger") if key in ack["result"]}
            symbols = {"symbol": [ack["result"]["symbol"]]} if "symbol" in ack["result"] else {}
            ours = public.send("subscribe", channel=channel, snapshot=True, **wanted, **symbols)[0]
            assert ours["result"] == ack["result"]
            assert ours.keys() == ack.keys()

    def test_a_second_subscription_is_refused_and_brings_no_snapshot(self, public: Any) -> None:
        public.send("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
        for depth in (10, 25):
            [answer] = public.send("subscribe", channel="book", symbol=["BTC/USD"], depth=depth)
            assert (answer["error"], answer["symbol"]) == ("Already subscribed", "BTC/USD")

    def test_candles_of_several_intervals_are_several_subscriptions(self, public: Any) -> None:
        for interval in (1, 5):
            assert public.send("subscribe", channel="ohlc", symbol=["BTC/USD"], interval=interval)[0]["success"]

    def test_after_unsubscribing_nothing_comes_and_one_may_subscribe_again(
        self, public: Any, alice: Any, limit: Any
    ) -> None:
        public.send("subscribe", channel="book", symbol=["BTC/USD"], depth=25)
        [wrong] = public.send("unsubscribe", channel="book", symbol=["BTC/USD"], depth=10)
        assert wrong["error"] == "Subscription Not Found"
        [answer] = public.send("unsubscribe", channel="book", symbol=["BTC/USD"], depth=25)
        assert answer["result"] == {"channel": "book", "depth": 25, "snapshot": True, "symbol": "BTC/USD"}
        limit(alice, "buy", "0.1", "80000")
        assert public.frames() == []
        again = public.send("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
        assert [frame.get("type") for frame in again] == [None, "snapshot"]

    def test_a_closed_connection_is_forgotten(self, public: Any, alice: Any, limit: Any) -> None:
        public.send("subscribe", channel="book", symbol=["BTC/USD"])
        public.session.closed()
        limit(alice, "buy", "0.1", "80000")
        assert public.frames() == []

    @pytest.mark.parametrize(
        ("params", "error"),
        [
            ({"channel": "book", "symbol": "BTC/USD"}, "Symbol field must be an array"),
            ({"channel": "book"}, "Symbol field must be an array"),
            ({"channel": "book", "symbol": ["BTC/USD"], "depth": 11}, "Subscription depth not supported"),
            ({"channel": "book", "symbol": ["BTC/USD"], "depth": "10"}, "Depth field must be an integer"),
            ({"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 2}, "Subscription ohlc interval not supported"),
            ({"channel": "trade", "symbol": ["BTC/USD"], "snapshot": 1}, "Snapshot field must be a boolean"),
        ],
    )
    def test_fields_of_the_wrong_kind(self, public: Any, params: dict[str, Any], error: str) -> None:
        [answer] = public.send("subscribe", **params)
        assert (answer["error"], answer["success"]) == (error, False)

    def test_instruments(self, public: Any, captures: Any) -> None:
        _, frame = public.send("subscribe", channel="instrument")
        pairs = {pair["symbol"]: pair for pair in frame["data"]["pairs"]}
        assert {asset["id"] for asset in frame["data"]["assets"]} == {"USD", "EUR", "BTC", "ETH", "SOL"}
        assert (pairs["BTC/USD"]["price_precision"], pairs["BTC/USD"]["qty_precision"]) == (1, 8)
        assert pairs["ETH/BTC"]["price_increment"] == Decimal("0.000001")
        recorded = json.loads((captures / "spot/ws/instrument.jsonl").read_text().splitlines()[0])
        assert frame.keys() == recorded.keys()
        assert pairs["BTC/USD"].keys() == recorded["data"]["pairs"][1].keys(), "one that has margin"


class TestTradesTickersCandles:
    def test_a_trade_reaches_all_who_asked(self, public: Any, connect: Any, alice: Any, bobby: Any, limit: Any) -> None:
        other = connect()
        for connection in (public, other):
            for channel in ("trade", "ticker", "ohlc"):
                connection.send("subscribe", channel=channel, symbol=["BTC/USD"], snapshot=False)
        limit(bobby, "sell", "0.1", "84000")
        assert public.frames() == []
        limit(alice, "buy", "0.04", "84000")
        frames = public.take()
        assert frames == other.take()
        assert frames[0] == (
            '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":84000.0,'
            '"qty":0.04000000,"ord_type":"limit","trade_id":1,"timestamp":"2026-10-09T12:30:15.123456Z"}]}'
        )
        assert frames[1] == (
            '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":0.0,"bid_qty":0.00000000,'
            '"ask":84000.0,"ask_qty":0.10000000,"last":84000.0,"volume":0.04000000,"vwap":84000.0,"low":84000.0,'
            '"high":84000.0,"change":0.0,"change_pct":0.00,"trades":1,"timestamp":"2026-10-09T12:30:15.123456Z"}]}'
        )
        assert frames[2] == (
            '{"channel":"ohlc","type":"update","timestamp":"2026-10-09T12:30:15.123456000Z","data":[{"symbol":'
            '"BTC/USD","open":84000.0,"high":84000.0,"low":84000.0,"close":84000.0,"trades":1,"volume":0.04000000,'
            '"vwap":84000.0,"interval_begin":"2026-10-09T12:30:00.000000000Z","interval":1,'
            '"timestamp":"2026-10-09T12:31:00.000000Z"}]}'
        )

    def test_snapshots_are_oldest_first(self, public: Any, alice: Any, bobby: Any, limit: Any, clock: Any) -> None:
        for _ in range(3):
            limit(bobby, "sell", "0.01", "84000")
            limit(alice, "buy", "0.01", "84000")
            clock.forward(60)
        _, trades = public.send("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=True)
        assert [trade["trade_id"] for trade in trades["data"]] == [1, 2, 3]
        _, bars = public.send("subscribe", channel="ohlc", symbol=["BTC/USD"], interval=1)
        begins = [bar["interval_begin"] for bar in bars["data"]]
        assert begins == sorted(begins)
        assert len(begins) == 3

    def test_trades_send_no_snapshot_unless_asked(self, public: Any) -> None:
        [answer] = public.send("subscribe", channel="trade", symbol=["BTC/USD"])
        assert answer["result"]["snapshot"] is False

    def test_tickers_of_best_prices_follow_the_book(self, public: Any, alice: Any, limit: Any) -> None:
        public.send("subscribe", channel="ticker", symbol=["BTC/USD"], event_trigger="bbo")
        limit(alice, "buy", "0.1", "80000")
        limit(alice, "buy", "0.1", "79000")  # behind the best
        limit(alice, "buy", "0.2", "80000")
        assert [(frame["data"][0]["bid"], frame["data"][0]["bid_qty"]) for frame in public.frames()] == [
            (Decimal("80000.0"), Decimal("0.1")),
            (Decimal("80000.0"), Decimal("0.3")),
        ]

    def test_frames_have_the_keys_of_recorded_ones(
        self, public: Any, alice: Any, bobby: Any, limit: Any, captures: Any
    ) -> None:
        for channel in ("ticker", "trade", "ohlc"):
            public.send("subscribe", channel=channel, symbol=["BTC/USD"], snapshot=False)
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.04", "84000")
        for ours in public.frames():
            lines = (captures / f"spot/ws/{ours['channel']}.jsonl").read_text().splitlines()
            theirs = json.loads(lines[-1])
            assert ours.keys() == theirs.keys()
            assert ours["data"][0].keys() == theirs["data"][0].keys()

    def test_the_day_forgets_what_is_older(self, public: Any, alice: Any, bobby: Any, limit: Any, clock: Any) -> None:
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.1", "84000")
        clock.forward(86400 + 60)
        limit(bobby, "sell", "0.1", "85000")
        limit(alice, "buy", "0.1", "85000")
        _, frame = public.send("subscribe", channel="ticker", symbol=["BTC/USD"])
        data = frame["data"][0]
        assert (data["low"], data["volume"], data["trades"]) == (Decimal("85000.0"), Decimal("0.1"), 1)
