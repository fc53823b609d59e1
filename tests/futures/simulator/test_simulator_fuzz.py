"""Nothing that a client sends breaks the simulated venue: everything gets an answer."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_core.connector.rest import HttpRequest
from kraken_futures.simulator.protocol import KrakenFutures

TEXT = st.text(max_size=20)
NAMES = st.sampled_from(
    [
        "symbol",
        "orderType",
        "side",
        "size",
        "limitPrice",
        "reduceOnly",
        "cliOrdId",
        "processBefore",
        "order_id",
        "orderIds",
        "cliOrdIds",
        "lastTime",
        "lastFillTime",
        "contractType",
        "expired",
        "since",
        "before",
        "sort",
        "count",
        "continuation_token",
        "tradeable",
        "from",
        "to",
    ]
)
VALUES = TEXT | st.sampled_from(
    [
        "PF_XBTUSD",
        "pi_xbtusd",
        "lmt",
        "post",
        "ioc",
        "fok",
        "mkt",
        "stp",
        "buy",
        "sell",
        "0.1",
        "84000",
        "-1",
        "NaN",
        "1e99",
        "99999999999999999999",
        "true",
        "asc",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
    ]
)
CALLS = st.sampled_from(
    [("GET", name) for name in ("accounts", "openpositions", "openorders", "fills", "leveragepreferences")]
    + [("POST", name) for name in ("sendorder", "cancelorder", "cancelallorders", "orders/status")]
)
PUBLIC = st.sampled_from(
    [f"/derivatives/api/v3/{name}" for name in ("instruments", "instruments/status", "instruments/PF_XBTUSD/status")]
    + [f"/derivatives/api/v3/{name}" for name in ("tickers", "tickers/PI_XBTUSD", "orderbook", "history")]
    + ["/derivatives/api/v3/feeschedules", "/api/charts/v1/trade/PF_XBTUSD/1m", "/api/charts/v1/mark"]
    + ["/api/history/v3/market/PF_XBTUSD/executions"]
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


class TestRest:
    @FUZZ
    @given(path=PUBLIC, values=st.dictionaries(NAMES, VALUES, max_size=6))
    def test_public(self, protocol: KrakenFutures, path: str, values: dict[str, str]) -> None:
        reply = protocol.http(HttpRequest("GET", f"{path}?{urlencode(values)}", {}))
        assert reply.status in (200, 400, 404)

    @FUZZ
    @given(
        call=CALLS, query=st.dictionaries(NAMES, VALUES, max_size=6), form=st.dictionaries(NAMES, VALUES, max_size=8)
    )
    def test_private(self, alice: Any, call: tuple[str, str], query: dict[str, str], form: dict[str, str]) -> None:
        method, name = call
        reply = alice.raw(method, f"/derivatives/api/v3/{name}", urlencode(query), urlencode(form))
        assert json.loads(reply.body)["result"] in ("success", "error")

    @FUZZ
    @given(name=st.sampled_from(["executions", "orders"]), values=st.dictionaries(NAMES, VALUES, max_size=6))
    def test_history(self, alice: Any, name: str, values: dict[str, str]) -> None:
        assert alice.raw("GET", f"/api/history/v3/{name}", urlencode(values)).status == 200

    @FUZZ
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", ""]),
        path=st.sampled_from(["/derivatives/api/v3/", "/api/charts/v1/", "/api/history/v3/", "/", "", "?"]),
        tail=TEXT,
        headers=st.dictionaries(st.sampled_from(["APIKey", "Authent", "Nonce"]), TEXT | st.just("alice")),
        body=st.binary(max_size=60),
    )
    def test_anything(
        self, protocol: KrakenFutures, method: str, path: str, tail: str, headers: dict[str, str], body: bytes
    ) -> None:
        assert protocol.http(HttpRequest(method, path + tail, headers, body)).status in (200, 400, 401, 404)


class TestWebSocket:
    @FUZZ
    @given(
        event=st.sampled_from(["subscribe", "unsubscribe", "challenge", "ping"]) | TEXT,
        feed=st.sampled_from(["book", "trade", "ticker", "ticker_lite", "heartbeat", "fills", "balances"]) | JSON,
        products=st.lists(VALUES | JSON, max_size=3) | JSON,
        fields=st.dictionaries(st.sampled_from(["api_key", "original_challenge", "signed_challenge"]), JSON),
        login=st.booleans(),
    )
    def test_requests(
        self, connect: Any, event: str, feed: object, products: object, fields: dict[str, object], login: bool
    ) -> None:
        connection = connect()
        signed = connection.login("alice") if login else {}
        assert connection.send(event, feed=feed, product_ids=products, **{**fields, **signed})
        connection.tick()

    @FUZZ
    @given(text=TEXT | JSON.map(json.dumps))
    def test_text(self, feed: Any, text: str) -> None:
        feed.say(text)
        assert feed.frames()
