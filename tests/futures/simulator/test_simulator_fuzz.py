"""Nothing that a client sends breaks the simulated venue: everything gets an answer."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_core.connector.rest import HttpRequest
from exchange_core.simulator.exchange import SimulatedExchange
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
        "stopPrice",
        "triggerSignal",
        "limitPriceOffsetValue",
        "limitPriceOffsetUnit",
        "trailingStopMaxDeviation",
        "trailingStopDeviationUnit",
        "orderId",
        "qtyMode",
        "timeout",
        "json",
        "maxLeverage",
        "pnlPreference",
        "strategy",
        "fromAccount",
        "toAccount",
        "unit",
        "currency",
        "amount",
        "sourceWallet",
        "contract",
        "timeFrame",
        "id",
        "info",
        "opened",
        "trades",
        "conversion_details",
        "since",
        "interval",
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
        "take_profit",
        "trailing_stop",
        "PERCENT",
        "QUOTE_CURRENCY",
        "mark",
        "index",
        "ABSOLUTE",
        "cash",
        "flex",
        "fi_xbtusd",
        "usd",
        "xbt",
        "60",
        "1e-12",
        "0",
        '{"batchOrder":[{"order":"cancel"},{"order":"send","order_tag":"1","size":1e400}]}',
        '{"positions":[{"instrument":"PF_XBTUSD","size":"1"}]}',
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
READS = [
    *("accounts", "openpositions", "openorders", "fills", "unwindqueue", "notifications", "trading/instruments"),
    *("leveragepreferences", "pnlpreferences", "self-trade-strategy", "subaccounts", "feeschedules/volumes"),
    *("assignmentprogram/current", "assignmentprogram/history", "portfolio-margining/parameters"),
]
WRITES = [
    *("sendorder", "editorder", "cancelorder", "cancelallorders", "cancelallordersafter", "batchorder"),
    *("orders/status", "transfer", "transfer/subaccount", "withdrawal", "portfolio-margining/simulate"),
    *("assignmentprogram/add", "assignmentprogram/delete"),
]
CALLS = st.sampled_from(
    [("GET", name) for name in READS]
    + [("POST", name) for name in WRITES]
    + [("PUT", name) for name in ("leveragepreferences", "pnlpreferences", "self-trade-strategy")]
)
PUBLIC = st.sampled_from(
    [f"/derivatives/api/v3/{name}" for name in ("instruments", "instruments/status", "instruments/PF_XBTUSD/status")]
    + [f"/derivatives/api/v3/{name}" for name in ("tickers", "tickers/PI_XBTUSD", "orderbook", "history")]
    + ["/derivatives/api/v3/feeschedules", "/api/charts/v1/trade/PF_XBTUSD/1m", "/api/charts/v1/mark"]
    + [f"/api/history/v3/market/PF_XBTUSD/{name}" for name in ("executions", "orders", "price")]
    + ["/derivatives/api/v3/historical-funding-rates"]
    + [f"/api/charts/v1/analytics/PF_XBTUSD/{name}" for name in ("cvd", "orderbook", "mood")]
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
    @given(
        name=st.sampled_from(["executions", "orders", "triggers", "positions", "account-log", "accountlogcsv"]),
        values=st.dictionaries(NAMES, VALUES, max_size=6),
    )
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


NUMBERS = st.sampled_from(
    ["0.1", "1", "84000", "80000", "-50", "0.00000000000000000001", "1e29", "123456789012345678901234567890.5", "5"]
)
MORE = {
    "stopPrice": NUMBERS,
    "limitPrice": NUMBERS,
    "triggerSignal": st.sampled_from(["mark", "last", "index"]),
    "limitPriceOffsetValue": NUMBERS,
    "limitPriceOffsetUnit": st.sampled_from(["PERCENT", "QUOTE_CURRENCY"]),
    "trailingStopMaxDeviation": NUMBERS,
    "trailingStopDeviationUnit": st.sampled_from(["PERCENT", "QUOTE_CURRENCY"]),
    "reduceOnly": st.sampled_from(["true", "false"]),
    "qtyMode": st.sampled_from(["RELATIVE", "ABSOLUTE"]),
}


class TestOrders:
    @FUZZ
    @given(
        kind=st.sampled_from(["lmt", "post", "ioc", "fok", "mkt", "stp", "take_profit", "trailing_stop"]),
        side=st.sampled_from(["buy", "sell"]),
        symbol=st.sampled_from(["PF_XBTUSD", "PI_XBTUSD", "FF_XBTUSD_261225"]),
        size=NUMBERS,
        terms=st.fixed_dictionaries({}, optional=MORE),
        change=st.fixed_dictionaries({"size": NUMBERS}, optional=MORE),
    )
    def test_orders_that_read_and_their_edits(
        self,
        alice: Any,
        exchange: SimulatedExchange,
        kind: str,
        side: str,
        symbol: str,
        size: str,
        terms: dict[str, str],
        change: dict[str, str],
    ) -> None:
        answer = alice.post("sendorder", orderType=kind, side=side, symbol=symbol, size=size, **terms)
        order_id = answer.get("sendStatus", {}).get("order_id")
        if order_id is not None:
            assert alice.post("orders/status", orderIds=order_id)["orders"]
            assert "result" in alice.post("editorder", orderId=order_id, **change)
        for path in ("openorders", "accounts", "/api/history/v3/triggers", "/api/history/v3/orders"):
            assert "error" not in alice.get(path)
        alice.post("cancelallorders")
        exchange.check_invariants()

    @FUZZ
    @given(
        names=st.lists(st.sampled_from(["cash", "flex", "fi_xbtusd"]), min_size=2, max_size=2),
        unit=st.sampled_from(["xbt", "usd", "eth"]),
        amount=NUMBERS,
    )
    def test_money_is_never_made(
        self, alice: Any, exchange: SimulatedExchange, names: list[str], unit: str, amount: str
    ) -> None:
        def all_of_it() -> dict[str, Decimal]:
            accounts = alice.get("accounts")["accounts"]
            found = {code.lower(): row["quantity"] for code, row in accounts["flex"]["currencies"].items()}
            found["xbt"] = found.get("xbt", Decimal(0))
            for name in ("cash", "fi_xbtusd"):
                for code, total in accounts[name]["balances"].items():
                    found[code] = found.get(code, Decimal(0)) + Decimal(total)
            return found

        before = all_of_it()
        alice.post("transfer", fromAccount=names[0], toAccount=names[1], unit=unit, amount=amount)
        assert all_of_it() == before
        exchange.check_invariants()


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
