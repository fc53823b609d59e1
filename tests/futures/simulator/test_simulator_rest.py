"""The simulated REST API: access, market data, charts."""

import json
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.rest import HttpRequest
from kraken_futures.simulator import SIMULATOR
from kraken_futures.simulator.access import authent, sign
from kraken_futures.simulator.protocol import KrakenFutures

SECRET = "7zxMEF5p/Z8l2p2U7Ghv6x14Af+Fx+92tPgUdVQ748FOIrEoT9bgT+bTRfXc5pz8na+hL/QdrCVG7bh9KpT0eMTm"
NONCE = "1415957147987"


def test_the_venues_challenge_vector() -> None:
    signed = "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="
    assert sign(SECRET, b"c100b894-1729-464d-ace1-52dbce11db42") == signed


@pytest.mark.parametrize(
    ("post_data", "nonce", "path", "expected"),
    [
        pytest.param(
            "",
            NONCE,
            "/derivatives/api/v3/accounts",
            "ar47HmgHaRy9Sx4pgny8d0JvjsPmPE1vDPwEb2c+42WPpLtRI4xcLAppaweKMoTpyJQxYZEPqCM5LK5SDaPdBA==",
            id="no parameters",
        ),
        pytest.param(
            "",
            "",
            "/derivatives/api/v3/accounts",
            "gF9iu/gh5ia5pNW4Ljh2bVCMh+kDiJcge73pOkpBG+c5eJUmWgHY0zMkMXkvOHb9RnCWKKfzg6lCzyYYI95+Jg==",
            id="no nonce",
        ),
        pytest.param(
            "orderType=lmt&symbol=PF_XBTUSD&side=buy&size=0.0001&limitPrice=1000&cliOrdId=demo-1",
            NONCE,
            "/derivatives/api/v3/sendorder",
            "EsGq65qJGxRXJ/9DsKG642RvJfIohrZDUgHAKaBeIhZtJTTTaKl0ZCrvRVVvYg06GmCG7xNYENKV1h45nABOBQ==",
            id="an order",
        ),
        pytest.param(
            "greeting=hello%20world",
            NONCE,
            "/derivatives/api/v3/sendorder",
            "5zE/jEyogxfvh0fsa+wsYFZqfZCD4kXdY/A1hOgoHYCKbW+bZet/pe8h89LNjM09xtBo/wy/GmSjHyfJyAGhCQ==",
            id="encoded, as sent",
        ),
        pytest.param(
            "since=1690000000000&sort=asc",
            NONCE,
            "/api/history/v3/executions",
            "o6t6tk59XrH4nDWN/JTtDfGuHQafNFAMqt1vaq8+CePKS1GflPigzE3OnBpkB1ShKA+TCoxFdylA4qWGCrEUAQ==",
            id="history keeps its whole path",
        ),
    ],
)
def test_authent(post_data: str, nonce: str, path: str, expected: str) -> None:
    assert authent(SECRET, post_data.encode(), nonce, path) == expected


class TestAccess:
    def refused(self, reply: Any) -> str:
        assert reply.status == 200
        body = json.loads(reply.body)
        assert body["result"] == "error"
        assert body["serverTime"] == "2026-10-09T12:30:15.123Z"
        return str(body["error"])

    def test_unknown_keys_and_wrong_signatures(self, protocol: KrakenFutures, alice: Any) -> None:
        path = "/derivatives/api/v3/accounts"
        for headers in ({}, {"APIKey": "nobody", "Authent": "x"}, {"APIKey": "alice", "Authent": "AAAA"}):
            assert self.refused(protocol.http(HttpRequest("GET", path, headers))) == "authenticationError"
        assert alice.get("accounts")["result"] == "success"

    def test_query_and_body_are_signed_together(self, alice: Any) -> None:
        path = "/derivatives/api/v3/sendorder"
        body = "symbol=PF_XBTUSD&side=buy&size=0.1&limitPrice=80000"
        answer = json.loads(alice.raw("POST", path, query="orderType=lmt", body=body).body)
        assert answer["sendStatus"]["status"] == "placed"

    def test_a_nonce_counts_once(self, alice: Any) -> None:
        path = "/derivatives/api/v3/accounts"
        assert alice.raw("GET", path, nonce="1791549015123").status == 200
        assert self.refused(alice.raw("GET", path, nonce="1791549015123")) == "nonceDuplicate"

    def test_a_little_disorder_is_tolerated_and_much_is_not(self, alice: Any) -> None:
        path = "/derivatives/api/v3/accounts"
        alice.raw("GET", path, nonce="1791549015123")
        assert json.loads(alice.raw("GET", path, nonce="1791549014000").body)["result"] == "success"
        assert self.refused(alice.raw("GET", path, nonce="1791548000000")) == "nonceBelowThreshold"

    def test_a_wider_nonce_locks_narrow_ones_out(self, alice: Any) -> None:
        path = "/derivatives/api/v3/accounts"
        alice.raw("GET", path, nonce="1791549015123000000")
        assert self.refused(alice.raw("GET", path, nonce="1791549015124")) == "nonceBelowThreshold"

    def test_a_key_that_may_only_read(self, guest: Any) -> None:
        assert guest.get("openorders")["result"] == "success"
        for path in ("sendorder", "cancelorder", "cancelallorders", "orders/status"):
            assert guest.post(path)["error"] == "authenticationError"

    def test_history_says_it_with_status_401(self, protocol: KrakenFutures) -> None:
        reply = protocol.http(HttpRequest("GET", "/api/history/v3/executions", {}))
        assert reply.status == 401
        assert json.loads(reply.body)["status"] == "unauthorized"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/derivatives/api/v3/nonsense"),
            ("POST", "/derivatives/api/v3/tickers"),
            ("GET", "/derivatives/api/v3/sendorder"),
            ("GET", "/derivatives/api/v3/"),
            ("GET", "/elsewhere"),
        ],
    )
    def test_what_is_not_there(self, protocol: KrakenFutures, method: str, path: str) -> None:
        reply = protocol.http(HttpRequest(method, path, {}))
        assert reply.status == 404
        assert json.loads(reply.body)["errors"] == [{"code": 0, "message": "404 NOT_FOUND"}]


class TestLists:
    def test_instruments_look_like_the_live_ones(self, alice: Any, captures: Any) -> None:
        live = json.loads((captures / "futures/rest/instruments_5_2026-09.json").read_text(), parse_float=Decimal)[
            "instruments"
        ]
        recorded = {entry["symbol"]: entry for entry in live}
        ours = {entry["symbol"]: entry for entry in alice.public("instruments")["instruments"]}
        ignored = {"isin", "impactMidSize", "maxPositionSize", "openingDate", "marginLevels", "category"}
        for name in ("PF_XBTUSD", "PI_XBTUSD", "FF_XBTUSD_261225"):
            assert ours[name].keys() == recorded[name].keys() - {"isin", "makerProtectionMillis"}
            for key in ours[name].keys() - ignored:
                assert ours[name][key] == recorded[name][key], key

    def test_steps(self, alice: Any) -> None:
        ours = {entry["symbol"]: entry for entry in alice.public("instruments")["instruments"]}
        steps = {name: (entry["tickSize"], entry["contractValueTradePrecision"]) for name, entry in ours.items()}
        assert steps == {
            "PF_XBTUSD": (1, 4),
            "PF_ETHUSD": (Decimal("0.1"), 3),
            "PI_XBTUSD": (Decimal("0.5"), 0),
            "FF_XBTUSD_261225": (1, 4),
        }
        assert ours["FF_XBTUSD_261225"]["lastTradingTime"] == "2026-12-25T08:00:00Z"

    def test_kinds(self, alice: Any) -> None:
        inverse = alice.public("instruments", contractType=["futures_inverse", "options"])["instruments"]
        assert [entry["symbol"] for entry in inverse] == ["PI_XBTUSD"]
        error = alice.public("instruments", 400, contractType="nonsense")
        assert error["errors"] == [{"code": 11, "message": "Argument invalid: contractType"}]

    def test_expired_contracts_are_left_out_unless_asked_for(self, alice: Any, clock: Any) -> None:
        clock.forward(90 * 86400)
        assert "FF_XBTUSD_261225" not in str(alice.public("instruments"))
        assert "FF_XBTUSD_261225" in str(alice.public("instruments", expired="true"))

    def test_status(self, alice: Any, captures: Any) -> None:
        recorded = json.loads((captures / "futures/rest/instruments_status_2024-05.json").read_text())
        ours = alice.public("instruments/status")["instrumentStatus"]
        assert ours[0].keys() == recorded["instrumentStatus"][0].keys()
        assert alice.public("instruments/pf_xbtusd/status")["tradeable"] == "PF_XBTUSD"

    def test_fees_are_in_percent(self, alice: Any) -> None:
        schedules = alice.public("feeschedules")["feeSchedules"]
        assert [schedule["tiers"][:2] for schedule in schedules] == 2 * [
            [
                {"makerFee": Decimal("0.02"), "takerFee": Decimal("0.05"), "usdVolume": Decimal("0.0")},
                {"makerFee": Decimal("0.015"), "takerFee": Decimal("0.045"), "usdVolume": Decimal("2500000.0")},
            ]
        ]


class TestMarketData:
    def test_tickers_have_contracts_and_indices(self, alice: Any) -> None:
        rows = alice.public("tickers")["tickers"]
        assert {row["symbol"] for row in rows if "tag" not in row} == {"in_ethusd", "in_xbtusd"}
        assert {row["symbol"] for row in rows if row.get("tag") == "perpetual"} == {
            "PF_XBTUSD",
            "PF_ETHUSD",
            "PI_XBTUSD",
        }

    def test_an_untraded_ticker_leaves_out_what_is_not_known(self, alice: Any) -> None:
        row = alice.public("tickers/pf_xbtusd")["ticker"]
        assert row["symbol"] == "PF_XBTUSD"
        assert not row.keys() & {"last", "bid", "ask", "open24h"}
        assert row["markPrice"] == 84000

    def test_a_traded_one_has_the_fields_of_a_recorded_one(self, alice: Any, bobby: Any, captures: Any) -> None:
        bobby.order("lmt", "sell", "0.2", "84000")
        alice.order("lmt", "buy", "0.1", "84000")
        alice.order("lmt", "buy", "0.3", "83990")
        row = alice.public("tickers/PF_XBTUSD")["ticker"]
        recorded = json.loads((captures / "futures/rest/tickers_2025-11.json").read_text())["tickers"][0]
        assert row.keys() == recorded.keys()
        assert (row["bid"], row["bidSize"], row["ask"], row["askSize"]) == (
            83990,
            Decimal("0.3"),
            84000,
            Decimal("0.1"),
        )
        assert (row["last"], row["vol24h"], row["volumeQuote"]) == (84000, Decimal("0.1"), 8400)

    def test_floats_print_with_a_point(self, protocol: KrakenFutures) -> None:
        reply = protocol.http(HttpRequest("GET", "/derivatives/api/v3/tickers/PI_XBTUSD", {}))
        assert b'"markPrice":84000.0,' in reply.body

    def test_an_unknown_ticker(self, alice: Any) -> None:
        assert alice.public("tickers/NOPE", 404)["error"] == "notFound"

    def test_tickers_filter_without_regard_to_case(self, alice: Any) -> None:
        assert [row["symbol"] for row in alice.public("tickers", symbol="pf_ethusd")["tickers"]] == ["PF_ETHUSD"]

    def test_the_book_prints_plain_numbers(self, protocol: KrakenFutures, alice: Any) -> None:
        alice.order("lmt", "buy", "2900", "61011.5", symbol="PI_XBTUSD")
        alice.order("lmt", "buy", "10", "61008", symbol="PI_XBTUSD")
        reply = protocol.http(HttpRequest("GET", "/derivatives/api/v3/orderbook?symbol=PI_XBTUSD", {}))
        assert b'"orderBook":{"bids":[[61011.5,2900],[61008,10]],"asks":[]}' in reply.body

    def test_books_want_a_known_symbol(self, alice: Any, captures: Any) -> None:
        recorded = json.loads((captures / "futures/rest/errors.jsonl").read_text().splitlines()[0])
        ours = alice.public("orderbook", 400, symbol="NOPE")
        assert ours.keys() == recorded.keys()
        assert ours["errors"] == recorded["errors"]
        assert alice.public("orderbook")["error"] == "requiredArgumentMissing"

    def test_history_is_newest_first_and_its_trade_ids_only_count(
        self, alice: Any, bobby: Any, clock: Any, captures: Any
    ) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        for _ in range(3):
            alice.order("mkt", "buy", "0.1")
            clock.forward(10)
        rows = alice.public("history", symbol="PF_XBTUSD")["history"]
        assert [row["trade_id"] for row in rows] == [100, 99, 98]
        assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
        earlier = alice.public("history", symbol="PF_XBTUSD", lastTime=rows[0]["time"])["history"]
        assert [row["uid"] for row in earlier] == [row["uid"] for row in rows[1:]]
        recorded = json.loads((captures / "futures/rest/history_trades_2024-05.json").read_text())
        assert rows[0].keys() == recorded["history"][0].keys()


class TestCharts:
    def test_lists(self, alice: Any) -> None:
        assert alice.public("/api/charts/v1/") == ["spot", "mark", "trade"]
        assert "PF_XBTUSD" in alice.public("/api/charts/v1/trade")
        assert alice.public("/api/charts/v1/trade/PF_XBTUSD")[0] == "1m"

    def test_candles(self, alice: Any, bobby: Any, clock: Any, captures: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        for _ in range(3):
            alice.order("mkt", "buy", "0.1")
            clock.forward(60)
        answer = alice.public("/api/charts/v1/trade/PF_XBTUSD/1m")
        recorded = json.loads((captures / "futures/rest/candles_trade_2024-11.json").read_text())
        assert answer.keys() == recorded.keys()
        assert answer["candles"][0] == {
            "time": 1791549000000,
            "open": "84000",
            "high": "84000",
            "low": "84000",
            "close": "84000",
            "volume": "0.1",
        }
        page = alice.public("/api/charts/v1/trade/PF_XBTUSD/1m", **{"from": 1791549000, "count": 2})
        assert (len(page["candles"]), page["more_candles"]) == (2, True)
        rest = alice.public("/api/charts/v1/trade/PF_XBTUSD/1m", **{"from": 1791549120})
        assert ([bar["time"] for bar in rest["candles"]], rest["more_candles"]) == ([1791549120000], False)
        assert alice.public("/api/charts/v1/mark/PF_XBTUSD/1m")["candles"][0]["volume"] == "0"

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("trade/PF_XBTUSD/2m", b"Invalid resolution"),
            ("trade/NOPE/1m", b"Invalid symbol"),
            ("none", b"Invalid tick type"),
            ("trade/PF_XBTUSD/1m?from=x", b"Invalid from"),
        ],
    )
    def test_errors_are_plain_text(self, protocol: KrakenFutures, path: str, text: bytes) -> None:
        reply = protocol.http(HttpRequest("GET", f"/api/charts/v1/{path}", {}))
        assert (reply.status, reply.headers["content-type"], reply.body) == (400, "text/plain", text)


def test_addresses() -> None:
    assert SIMULATOR.urls("127.0.0.1:5") == {
        "rest_url": "http://127.0.0.1:5",
        "ws_url": "ws://127.0.0.1:5/ws/v1",
        "history_url": "http://127.0.0.1:5",
        "charts_url": "http://127.0.0.1:5",
    }


def test_there_is_one_websocket_path(protocol: KrakenFutures) -> None:
    assert protocol.session("/v2") is None
    assert protocol.session("/ws/v1?x") is not None
