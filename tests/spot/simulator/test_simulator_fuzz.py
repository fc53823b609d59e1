"""Nothing that a client sends breaks the simulated venue: everything gets an answer."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_core.connector.rest import HttpRequest
from kraken_spot.simulator.protocol import KrakenSpot

TEXT = st.text(max_size=30)
NAMES = st.sampled_from(
    [
        "pair",
        "type",
        "ordertype",
        "volume",
        "price",
        "txid",
        "cl_ord_id",
        "userref",
        "start",
        "end",
        "ofs",
        "oflags",
        "timeinforce",
        "deadline",
        "validate",
        "asset",
        "id",
        "count",
        "since",
        "interval",
        "info",
        "trades",
        "limit",
        "closetime",
        "fee_schedule",
        "assetVersion",
        "aclass",
        "leverage",
        "price2",
        "trigger",
        "displayvol",
        "starttm",
        "expiretm",
        "reduce_only",
        "stptype",
        "close",
        "close[ordertype]",
        "close[price]",
        "orders",
        "cl_ord_ids",
        "order_id",
        "order_qty",
        "display_qty",
        "limit_price",
        "trigger_price",
        "post_only",
        "timeout",
        "method",
        "key",
        "amount",
        "address",
        "max_fee",
        "new",
        "cursor",
        "from",
        "to",
        "username",
        "email",
        "strategy_id",
        "converted_asset",
        "report",
        "description",
        "format",
        "fields",
        "symbol",
        "depth",
        "grouping",
        "from_ts",
        "docalcs",
        "consolidation",
    ]
)
WORDS = st.sampled_from(
    [
        "XBTUSD",
        "BTC/USD",
        "buy",
        "limit",
        "market",
        "1",
        "0.1",
        "84000",
        "-1",
        "1e5",
        "NaN",
        "Infinity",
        "true",
        "null",
        "99999999999999999999",
        "OAAAAA-BBBBB-CCCCCC",
        "post,fciq",
        "IOC",
        "2026-10-09T12:30:20Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "-",
        "--",
        "-5",
        "%",
        "[]",
        "a,b",
        "+5%",
        "#1",
        "+500",
        "stop-loss",
        "trailing-stop-limit",
        "iceberg",
        "settle-position",
        "5:1",
        "+60",
        "XBT",
        "my btc",
        "Bitcoin",
        "Spot Wallet",
        "trades",
        "CSV",
        "ESSOL01-INSTA-SOLSOL",
        "BTC",
    ]
)
VALUES = TEXT | WORDS
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXT, inner, max_size=3),
    max_leaves=5,
)
PUBLIC = [
    "Time",
    "SystemStatus",
    "MaintenanceSchedule",
    "Assets",
    "AssetPairs",
    "Ticker",
    "OHLC",
    "Depth",
    "GroupedBook",
    "Trades",
    "Spread",
    "PreTrade",
    "PostTrade",
]
PRIVATE = [
    "Balance",
    "BalanceEx",
    "CreditLines",
    "TradeBalance",
    "TradeVolume",
    "OpenOrders",
    "ClosedOrders",
    "QueryOrders",
    "OpenPositions",
    "TradesHistory",
    "QueryTrades",
    "Ledgers",
    "QueryLedgers",
    "Level3",
    "GetApiKeyInfo",
    "AddExport",
    "ExportStatus",
    "RetrieveExport",
    "RemoveExport",
    "AddOrder",
    "AddOrder",
    "AddOrderBatch",
    "AmendOrder",
    "EditOrder",
    "CancelOrder",
    "CancelOrderBatch",
    "CancelAll",
    "CancelAllOrdersAfter",
    "OrderAmends",
    "DepositMethods",
    "DepositAddresses",
    "DepositStatus",
    "WithdrawMethods",
    "WithdrawAddresses",
    "WithdrawInfo",
    "Withdraw",
    "WithdrawStatus",
    "WithdrawCancel",
    "WalletTransfer",
    "CreateSubaccount",
    "AccountTransfer",
    "Earn/Strategies",
    "Earn/Allocations",
    "Earn/Allocate",
    "Earn/Deallocate",
    "Earn/AllocateStatus",
    "Earn/DeallocateStatus",
    "GetWebSocketsToken",
]
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestRest:
    @FUZZ
    @given(method=st.sampled_from(PUBLIC), values=st.dictionaries(NAMES, VALUES, max_size=6))
    def test_public(self, alice: Any, method: str, values: dict[str, str]) -> None:
        assert alice.get(method, **values).keys() <= {"error", "result"}

    @FUZZ
    @given(method=st.sampled_from(PRIVATE), values=st.dictionaries(NAMES, VALUES, max_size=8))
    def test_forms(self, alice: Any, method: str, values: dict[str, str]) -> None:
        assert alice.post(method, **values).keys() <= {"error", "result"}

    @FUZZ
    @given(method=st.sampled_from(PRIVATE), values=st.dictionaries(NAMES, JSON, max_size=8))
    def test_json(self, alice: Any, method: str, values: dict[str, Any]) -> None:
        alice.nonce += 1
        body = json.dumps({**values, "nonce": alice.nonce}).encode("utf-8", "surrogatepass")
        assert alice.send(method, body, str(alice.nonce), "application/json").keys() <= {"error", "result"}

    @FUZZ
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", ""]),
        path=st.sampled_from(["/0/public/", "/0/private/", "/0/", "", "?"]),
        tail=TEXT,
        headers=st.dictionaries(st.sampled_from(["API-Key", "API-Sign", "Content-Type"]), TEXT | st.just("alice")),
        body=st.binary(max_size=60),
    )
    def test_anything(
        self, protocol: KrakenSpot, method: str, path: str, tail: str, headers: dict[str, str], body: bytes
    ) -> None:
        assert protocol.http(HttpRequest(method, path + tail, headers, body)).status in (200, 404)


class TestWebSocket:
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        path=st.sampled_from(["/v2", "/auth/v2", "/l3/v2"]),
        method=st.sampled_from(
            [
                "subscribe",
                "subscribe",
                "unsubscribe",
                "ping",
                "add_order",
                "amend_order",
                "edit_order",
                "cancel_order",
                "cancel_all",
                "cancel_all_orders_after",
                "batch_add",
                "batch_cancel",
                "x",
            ]
        ),
        params=st.dictionaries(
            st.sampled_from(
                [
                    "channel",
                    "symbol",
                    "depth",
                    "interval",
                    "snapshot",
                    "event_trigger",
                    "token",
                    "order_id",
                    "cl_ord_id",
                    "order_userref",
                    "order_qty",
                    "limit_price",
                    "order_type",
                    "side",
                    "time_in_force",
                    "deadline",
                    "validate",
                    "snap_orders",
                    "snap_trades",
                    "post_only",
                    "triggers",
                    "conditional",
                    "display_qty",
                    "margin",
                    "orders",
                    "timeout",
                    "expire_time",
                    "trigger_price",
                    "ratecounter",
                    "cash_order_qty",
                ]
            ),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(max_size=10)
                | st.sampled_from(
                    [
                        "book",
                        "ticker",
                        "trade",
                        "ohlc",
                        "executions",
                        "balances",
                        "level3",
                        "instrument",
                        "BTC/USD",
                        "stop-loss",
                        "trailing-stop",
                        "TOKEN",
                        "buy",
                        "limit",
                        "market",
                        "ioc",
                        "bbo",
                        "OAAAAA-BBBBB-CCCCCC",
                        "2026-10-09T12:30:20Z",
                        "9999-12-31T23:59:59-23:59",
                    ]
                ),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.text(max_size=5)
                        | st.sampled_from(["price", "price_type", "order_type", "side", "order_qty"]),
                        inner,
                        max_size=3,
                    )
                ),
                max_leaves=4,
            ),
            max_size=9,
        ),
        req_id=st.none() | st.integers() | st.text(max_size=3),
    )
    def test_requests(
        self, connect: Any, alice: Any, path: str, method: str, params: dict[str, Any], req_id: object
    ) -> None:
        connection = connect(path)
        if params.get("token") == "TOKEN":
            params["token"] = alice.token()
        connection.say(json.dumps({"method": method, "params": params, "req_id": req_id}))
        assert connection.frames()

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(max_size=40) | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
    def test_text(self, public: Any, text: str) -> None:
        public.say(text)
        assert public.frames()


NUMBERS = [
    *("0", "-0", "-1", "1e30", "1e-30", "9" * 30, "0." + "0" * 29 + "1", "NaN", "sNaN", "0x1", "1_0", " 1", "."),
    *("+" + "9" * 30, "-" + "9" * 30, "#" + "9" * 30, "+" + "9" * 30 + "%", "-99.99999%", "+", "%", "#%"),
]
TYPES = ["market", "limit", "iceberg", "stop-loss", "take-profit-limit", "trailing-stop-limit", "settle-position"]


class TestNumbers:
    """Numbers at the edge of reason in requests that are otherwise right."""

    @pytest.mark.parametrize("value", NUMBERS)
    def test_in_orders(self, alice: Any, world: Any, value: str) -> None:
        order = {"pair": "XBTUSD", "type": "buy", "volume": "0.1", "price": "80000"}
        for ordertype in TYPES:
            for field in ("volume", "price", "price2", "displayvol", "leverage", "starttm", "expiretm", "close[price]"):
                alice.post("AddOrder", **order | {"ordertype": ordertype, "close[ordertype]": "limit", field: value})
                alice.post("AddOrder", **order | {"ordertype": ordertype, field: value}, oflags="viqc")
        world.exchange.check_invariants()

    @pytest.mark.parametrize("value", NUMBERS)
    def test_in_changes(self, alice: Any, world: Any, limit: Any, value: str) -> None:
        trailing = {"pair": "XBTUSD", "type": "sell", "ordertype": "trailing-stop-limit", "volume": "0.1"}
        made = [
            limit(alice, "buy", "0.1", "80000"),
            alice.do("AddOrder", **trailing, price="+5", price2="-5")["txid"][0],
        ]
        for txid in made:
            for field in ("order_qty", "display_qty", "limit_price", "trigger_price"):
                alice.post("AmendOrder", txid=txid, **{field: value})
            for field in ("volume", "displayvol", "price", "price2"):
                alice.post("EditOrder", txid=txid, pair="XBTUSD", validate="true", **{field: value})
        world.exchange.check_invariants()

    @pytest.mark.parametrize("value", NUMBERS)
    def test_in_money(self, alice: Any, world: Any, value: str) -> None:
        for method, params in (
            ("Withdraw", {"asset": "XBT", "key": "my btc"}),
            ("WalletTransfer", {"asset": "XBT", "from": "Spot Wallet", "to": "Futures Wallet"}),
            ("Earn/Allocate", {"strategy_id": "ESSOL01-INSTA-SOLSOL"}),
            ("Earn/Deallocate", {"strategy_id": "ESSOL01-INSTA-SOLSOL"}),
        ):
            alice.post(method, **params, amount=value)
        world.exchange.check_invariants()
