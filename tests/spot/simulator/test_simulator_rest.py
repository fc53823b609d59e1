"""The simulated REST API: access, public answers, account answers."""

import json
from typing import Any

import pytest

from exchange_core.connector.rest import HttpRequest
from kraken_spot.simulator import SIMULATOR
from kraken_spot.simulator.access import signature
from kraken_spot.simulator.protocol import KrakenSpot

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
NONCE = "1616492376594"


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        pytest.param(
            "/0/private/AddOrder",
            f"nonce={NONCE}&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25",
            "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
            id="the venue's published vector",
        ),
        pytest.param(
            "/0/private/Balance",
            '{"nonce":1616492376594}',
            "ZVxRwNS9zIRhbpUb8yixCnTByWFw2zyehNjZaXEL5we8API+r8c+DBmgFxxnKoY+TaJXx0NSYhsaAexZm62elg==",
            id="a JSON body",
        ),
        pytest.param(
            "/0/private/AddOrder",
            f"nonce={NONCE}&ordertype=stop-loss-limit&pair=XBTUSD&price=%2B5.0%25&price2=-10&type=sell&volume=1.25"
            "&close%5Bordertype%5D=limit&close%5Bprice%5D=40000",
            "0VguuRYRPHo7JfcaEk7lK6ISJaPFWShBTWRV8MGSZDfW8iesApSqjkcrLO0wKywPTc0GyG1napeQ8rd67P41Rw==",
            id="the bytes as sent, not as decoded",
        ),
    ],
)
def test_signature(path: str, body: str, expected: str) -> None:
    assert signature(SECRET, path, NONCE, body.encode()) == expected


class TestAccess:
    def test_an_unknown_key_is_told_before_anything_else(self, protocol: KrakenSpot) -> None:
        reply = protocol.http(HttpRequest("POST", "/0/private/Balance", {"API-Key": "nobody"}, b"nonsense"))
        assert (reply.status, json.loads(reply.body)) == (200, {"error": ["EAPI:Invalid key"]})

    def test_a_wrong_signature_uses_up_no_nonce(self, alice: Any) -> None:
        assert alice.send("Balance", b"nonce=5", "5", **{"API-Sign": "AAAA"})["error"] == ["EAPI:Invalid signature"]
        assert alice.send("Balance", b"nonce=5", "5")["error"] == []

    def test_nonces_must_rise(self, alice: Any) -> None:
        assert alice.send("Balance", b"nonce=5", "5")["error"] == []
        assert alice.send("Balance", b"nonce=5", "5")["error"] == ["EAPI:Invalid nonce"]
        assert alice.send("Balance", b"nonce=4", "4")["error"] == ["EAPI:Invalid nonce"]

    @pytest.mark.parametrize("nonce", ["", "x", "-1", "1.5", "99999999999999999999"])
    def test_a_nonce_is_an_unsigned_64_bit_number(self, alice: Any, nonce: str) -> None:
        assert alice.send("Balance", f"nonce={nonce}".encode(), nonce)["error"] == ["EAPI:Invalid nonce"]

    def test_a_json_body_may_hold_the_nonce_as_number_or_text(self, alice: Any) -> None:
        for nonce, body in (("5", b'{"nonce":5}'), ("6", b'{"nonce":"6"}')):
            assert alice.send("Balance", body, nonce, "application/json")["error"] == []

    def test_a_key_may_only_do_what_it_is_permitted_to(self, guest: Any) -> None:
        assert guest.post("Balance")["error"] == []
        assert guest.error("OpenOrders") == "EGeneral:Permission denied"
        assert guest.error("AddOrder") == "EGeneral:Permission denied"

    def test_a_method_that_does_not_exist(self, alice: Any) -> None:
        assert alice.error("Nonsense") == "EGeneral:Unknown method"
        assert alice.get("Nonsense") == {"error": ["EGeneral:Unknown method"]}

    def test_private_calls_are_posts_and_public_ones_are_gets(self, protocol: KrakenSpot) -> None:
        for method, path in (("GET", "/0/private/Balance"), ("POST", "/0/public/Time")):
            reply = protocol.http(HttpRequest(method, path, {}))
            assert json.loads(reply.body)["error"][0].startswith("EGeneral:")

    def test_outside_of_the_api_there_is_html(self, protocol: KrakenSpot) -> None:
        reply = protocol.http(HttpRequest("GET", "/elsewhere", {}))
        assert reply.status == 404
        assert b"<html>" in reply.body


class TestLists:
    def test_time(self, alice: Any) -> None:
        assert alice.ask("Time") == {"unixtime": 1791549015, "rfc1123": "Fri, 09 Oct 26 12:30:15 +0000"}

    def test_status(self, alice: Any) -> None:
        assert alice.ask("SystemStatus")["status"] == "online"

    def test_assets_are_keyed_by_id_or_by_display_name(self, alice: Any) -> None:
        assert alice.ask("Assets", asset="XBT,ZUSD") == {
            "XXBT": {
                "aclass": "currency",
                "altname": "XBT",
                "decimals": 10,
                "display_decimals": 5,
                "status": "enabled",
            },
            "ZUSD": {
                "aclass": "currency",
                "altname": "USD",
                "decimals": 4,
                "display_decimals": 2,
                "status": "enabled",
            },
        }
        assert set(alice.ask("Assets", assetVersion="1")) == {"USD", "EUR", "BTC", "ETH", "SOL"}
        assert alice.get("Assets", asset="DOGEX") == {"error": ["EQuery:Unknown asset"]}

    def test_pairs(self, alice: Any) -> None:
        pair = alice.ask("AssetPairs")["XXBTZUSD"]
        assert pair["altname"], pair["wsname"] == ("XBTUSD", "XBT/USD")
        assert (pair["base"], pair["quote"]) == ("XXBT", "ZUSD")
        assert (pair["pair_decimals"], pair["lot_decimals"], pair["cost_decimals"]) == (1, 8, 5)
        assert (pair["ordermin"], pair["costmin"], pair["tick_size"]) == ("0.00005", "0.5", "0.1")
        assert pair["fees"] == pair["fees_maker"] == []

    def test_a_pair_has_the_same_fields_as_the_live_one(self, alice: Any, captures: Any) -> None:
        live = json.loads((captures / "spot/rest/asset_pairs_5_2026-09.json").read_text())["result"]
        ours = alice.ask("AssetPairs")
        for name in ("XXBTZUSD", "XETHXXBT", "SOLUSD"):
            margin = {"long_position_limit", "short_position_limit"}
            assert set(ours[name]) == set(live[name])
            for key in set(live[name]) - margin:
                assert ours[name][key] == live[name][key], key

    @pytest.mark.parametrize(
        ("asked", "key"),
        [
            ("XXBTZUSD", "XXBTZUSD"),
            ("XBTUSD", "XXBTZUSD"),
            ("BTCUSD", "XXBTZUSD"),
            ("BTC/USD", "BTC/USD"),
            ("XETHXXBT", "XETHXXBT"),
            ("ETHXBT", "XETHXXBT"),
        ],
    )
    def test_pair_names_that_are_taken_and_the_key_of_the_answer(self, alice: Any, asked: str, key: str) -> None:
        for method in ("AssetPairs", "Ticker", "Depth", "OHLC", "Trades", "Spread"):
            assert key in alice.ask(method, pair=asked)

    @pytest.mark.parametrize("asked", ["XBT/USD", "xbtusd", "XETHXBTC", "NOPE"])
    def test_pair_names_that_are_not(self, alice: Any, asked: str) -> None:
        for method in ("AssetPairs", "Ticker", "Depth", "OHLC", "Trades", "Spread"):
            assert alice.get(method, pair=asked) == {"error": ["EQuery:Unknown asset pair"]}

    def test_display_names_on_request(self, alice: Any) -> None:
        assert "BTC/USD" in alice.ask("Ticker", pair="XBTUSD", assetVersion="1")
        assert alice.ask("AssetPairs", assetVersion="1")["BTC/USD"]["base"] == "BTC"

    def test_parts_of_a_pair(self, alice: Any) -> None:
        assert alice.ask("AssetPairs", pair="XBTUSD", info="margin") == {
            "XXBTZUSD": {"margin_call": 80, "margin_level": 40}
        }


class TestMarketData:
    def test_an_untraded_market_shows_zeros_and_not_null(self, alice: Any) -> None:
        ticker = alice.ask("Ticker", pair="XBTUSD")["XXBTZUSD"]
        assert ticker["c"] == ["0.00000", "0.00000000"]
        assert ticker["t"] == [0, 0]
        assert alice.ask("OHLC", pair="XBTUSD") == {"XXBTZUSD": [], "last": 0}

    def test_ticker(self, alice: Any, bobby: Any, limit: Any, clock: Any) -> None:
        limit(bobby, "sell", "0.5", "84000.0")
        limit(alice, "buy", "0.2", "84000.0")
        limit(alice, "buy", "3", "2000.5")
        clock.forward(13 * 3600)  # past midnight: today has not traded
        assert alice.ask("Ticker", pair="XBTUSD")["XXBTZUSD"] == {
            "a": ["84000.00000", "1", "1.000"],
            "b": ["2000.50000", "3", "3.000"],
            "c": ["84000.00000", "0.20000000"],
            "v": ["0.00000000", "0.20000000"],
            "p": ["0.00000", "84000.00000"],
            "t": [0, 1],
            "l": ["0.00000", "84000.00000"],
            "h": ["0.00000", "84000.00000"],
            "o": "0.00000",
        }

    def test_all_pairs_when_none_is_named(self, alice: Any) -> None:
        assert set(alice.ask("Ticker")) == {"XXBTZUSD", "XETHZUSD", "XETHXXBT", "SOLUSD", "XXBTZEUR"}

    def test_candles_without_trades_repeat_the_last_price(self, alice: Any, bobby: Any, limit: Any, clock: Any) -> None:
        limit(bobby, "sell", "0.5", "84000.0")
        limit(alice, "buy", "0.1", "84000.0")
        clock.forward(120)
        limit(alice, "buy", "0.2", "84000.0")
        flat = ["84000.0"] * 4
        assert alice.ask("OHLC", pair="XBTUSD") == {
            "XXBTZUSD": [
                [1791549000, *flat, "84000.0", "0.10000000", 1],
                [1791549060, *flat, "0.0", "0.00000000", 0],
                [1791549120, *flat, "84000.0", "0.20000000", 1],
            ],
            "last": 1791549060,
        }

    def test_candles_since_are_inclusive_and_end_with_the_open_one(
        self, alice: Any, bobby: Any, limit: Any, clock: Any
    ) -> None:
        limit(bobby, "sell", "0.5", "84000.0")
        limit(alice, "buy", "0.1", "84000.0")
        clock.forward(86400)
        rows = alice.ask("OHLC", pair="XBTUSD")["XXBTZUSD"]
        assert len(rows) == 721
        starts = [row[0] for row in alice.ask("OHLC", pair="XBTUSD", since=rows[-3][0])["XXBTZUSD"]]
        assert starts == [row[0] for row in rows[-3:]]
        assert alice.ask("OHLC", pair="XBTUSD", since=rows[-1][0] + 999)["XXBTZUSD"] == rows[-1:]

    def test_only_the_venues_intervals(self, alice: Any) -> None:
        assert alice.get("OHLC", pair="XBTUSD", interval=7) == {"error": ["EGeneral:Invalid arguments"]}
        assert alice.ask("OHLC", pair="XBTUSD", interval=21600)

    def test_depth_is_best_first_and_rounds_volumes_but_never_to_zero(self, alice: Any, limit: Any) -> None:
        limit(alice, "buy", "0.12345678", "80000.1")
        limit(alice, "buy", "0.00006", "80000.2")
        book = alice.ask("Depth", pair="XBTUSD")["XXBTZUSD"]
        assert book == {
            "asks": [],
            "bids": [["80000.20000", "0.00006000", 1791549015], ["80000.10000", "0.123", 1791549015]],
        }
        assert len(alice.ask("Depth", pair="XBTUSD", count=1)["XXBTZUSD"]["bids"]) == 1
        assert alice.get("Depth", pair="XBTUSD", count=0) == {"error": ["EGeneral:Invalid arguments:count"]}

    def test_trades_page_by_a_cursor_that_loses_nothing(self, alice: Any, bobby: Any, limit: Any, clock: Any) -> None:
        for number in range(6):
            limit(bobby, "sell", "0.01", f"{84000 + number}.0")
        limit(alice, "buy", "0.03", "84002.0")  # three trades at one moment
        clock.forward(1)
        limit(alice, "buy", "0.01", "84003.0")
        clock.forward(0.25)
        alice.do("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01")
        seen, cursor = [], "0"
        while rows := (page := alice.ask("Trades", pair="XBTUSD", since=cursor, count=2))["XXBTZUSD"]:
            seen += [row[6] for row in rows]
            cursor = page["last"]
        assert seen == [1, 2, 3, 4, 5]
        assert cursor == "1791549016373456000"
        latest = alice.ask("Trades", pair="XBTUSD", count=1)
        assert json.dumps(latest["XXBTZUSD"], default=str) == (
            '[["84004.00000", "0.01000000", "1791549016.373456", "b", "m", "", 5]]'
        )

    def test_trades_since_counts_in_seconds_too(self, alice: Any, bobby: Any, limit: Any, clock: Any) -> None:
        limit(bobby, "sell", "0.02", "84000.0")
        limit(alice, "buy", "0.01", "84000.0")
        clock.forward(10)
        limit(alice, "buy", "0.01", "84000.0")
        assert [row[6] for row in alice.ask("Trades", pair="XBTUSD", since="1791549020")["XXBTZUSD"]] == [2]

    def test_spread_tells_how_the_best_prices_moved(self, alice: Any, bobby: Any, limit: Any) -> None:
        limit(bobby, "sell", "1", "84000.0")
        limit(alice, "buy", "0.1", "83000.0")
        limit(alice, "buy", "0.1", "83000.5")
        assert alice.ask("Spread", pair="XBTUSD") == {
            "XXBTZUSD": [
                [1791549015, "83000.00000", "84000.00000"],
                [1791549015, "83000.50000", "84000.00000"],
            ],
            "last": 1791549015,
        }


class TestSpec:
    def test_one_port_serves_all_hosts(self) -> None:
        assert SIMULATOR.urls("127.0.0.1:5") == {
            "rest_url": "http://127.0.0.1:5",
            "ws_url": "ws://127.0.0.1:5/v2",
            "ws_auth_url": "ws://127.0.0.1:5/auth/v2",
            "ws_l3_url": "ws://127.0.0.1:5/l3/v2",
        }

    def test_no_session_elsewhere(self, protocol: KrakenSpot) -> None:
        assert protocol.session("/ws/v1") is None
        assert protocol.session("/v2?x=1") is not None
