"""Every field of every method with values that it is not meant to have: refused or taken, but always answered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kraken_spot.simulator.orders.ws_terms import KNOWN, LEG

NOT_RIGHT: list[Any] = [
    *(None, True, 0, -1, 1.5, 1e300, 10**30, "", "x", "\x00", "é" * 300, "NaN", "1e999", "-0", "2026-13-45T99:99:99Z"),
    *([], [None], [[]], ["x"] * 200, [1.5], {}, {"a": {"b": {}}}, [{"price": "x"}], {"price": {}, "order_type": []}),
]
GONE = ["OAAAAA-BBBBB-CCCCCC", "OAAAAA-BBBBB-DDDDDD"]
ORDER = {"order_type": "limit", "side": "buy", "order_qty": 0.001, "symbol": "BTC/USD", "limit_price": 50000}
METHODS: dict[str, dict[str, Any]] = {
    "add_order": ORDER,
    "amend_order": {"order_id": GONE[0], "order_qty": 0.002, "limit_price": 50001},
    "edit_order": {"order_id": GONE[0], "symbol": "BTC/USD", "order_qty": 0.002, "limit_price": 50001},
    "cancel_order": {"order_id": GONE},
    "cancel_all": {},
    "cancel_all_orders_after": {"timeout": 60},
    "batch_add": {"symbol": "BTC/USD", "orders": [ORDER, ORDER]},
    "batch_cancel": {"orders": GONE},
}
CHANNELS: dict[str, dict[str, Any]] = {
    "book": {"symbol": ["BTC/USD"], "depth": 10, "snapshot": True},
    "ticker": {"symbol": ["BTC/USD"], "event_trigger": "bbo"},
    "trade": {"symbol": ["BTC/USD"]},
    "ohlc": {"symbol": ["BTC/USD"], "interval": 1},
    "instrument": {"snapshot": True, "include_tokenized_assets": True},
    "executions": {"snap_orders": True, "snap_trades": True, "order_status": True, "ratecounter": True},
    "balances": {"snapshot": True},
    "level3": {"symbol": ["BTC/USD"], "depth": 10},
}
FORM = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "50000"}
FORMS: dict[str, dict[str, Any]] = {
    "AddOrder": FORM
    | dict.fromkeys(["price2", "displayvol", "leverage", "userref", "cl_ord_id", "oflags", "timeinforce", "stptype"])
    | dict.fromkeys(["starttm", "expiretm", "deadline", "validate", "reduce_only", "trigger", "close", "asset_class"]),
    "AddOrderBatch": {"pair": "XBTUSD", "orders": [FORM, FORM], "deadline": None, "validate": None},
    "AmendOrder": {"txid": GONE[0], "order_qty": "0.002", "display_qty": None, "limit_price": "50001"}
    | dict.fromkeys(["trigger_price", "post_only", "deadline", "cl_ord_id", "pair"]),
    "EditOrder": {"pair": "XBTUSD", "txid": GONE[0], "volume": "0.002", "price": "50001"}
    | dict.fromkeys(["price2", "oflags", "displayvol", "userref", "deadline", "validate"]),
    "CancelOrder": {"txid": GONE[0], "cl_ord_id": None},
    "CancelOrderBatch": {"orders": GONE, "cl_ord_ids": None},
    "CancelAllOrdersAfter": {"timeout": 60},
}


def varied(given: dict[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield *given* with one field after the other being each value that is not right."""
    for name in sorted({*given, *names}):
        for value in NOT_RIGHT:
            yield given | {name: value}


@pytest.mark.parametrize("method", METHODS)
def test_of_trading_over_the_websocket(private: Any, alice: Any, world: Any, limit: Any, method: str) -> None:
    right = METHODS[method]
    if "order_id" in right and method != "cancel_order":
        right = right | {"order_id": limit(alice, "buy", "0.001", "50000")}
    for params in varied({"token": alice.token()} | right, list(KNOWN[method])):
        assert all("success" in frame for frame in private.send(method, **params)), params
    world.exchange.check_invariants()


def test_of_one_order_of_a_batch(private: Any, alice: Any, world: Any) -> None:
    token = alice.token()
    for leg in varied(ORDER, list(LEG)):
        [answer] = private.send("batch_add", token=token, symbol="BTC/USD", orders=[leg, ORDER])
        assert "success" in answer, leg
    world.exchange.check_invariants()


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("method", ["subscribe", "unsubscribe"])
def test_of_subscriptions(connect: Any, alice: Any, method: str, channel: str) -> None:
    host = {"executions": "/auth/v2", "balances": "/auth/v2", "level3": "/l3/v2"}.get(channel, "/v2")
    token = {} if host == "/v2" else {"token": alice.token()}
    for params in varied({"channel": channel, **token, **CHANNELS[channel]}, []):
        assert connect(host).send(method, **params), params


@pytest.mark.parametrize("request_", [{name: value} for name in ("method", "params", "req_id") for value in NOT_RIGHT])
def test_of_requests_themselves(public: Any, request_: dict[str, Any]) -> None:
    public.say(json.dumps({"method": "ping", "req_id": 1} | request_))
    assert public.frames()


@pytest.mark.parametrize("depth", [10, 1_000, 100_000])
@pytest.mark.parametrize("text", ["[", '{"a":', '{"method":"ping","params":['])
def test_of_requests_without_an_end(public: Any, text: str, depth: int) -> None:
    public.say(text * depth)
    [answer] = public.frames()
    assert answer["success"] is False


@pytest.mark.parametrize("method", FORMS)
def test_of_trading_over_rest(alice: Any, world: Any, method: str) -> None:
    for values in varied(FORMS[method], []):
        alice.nonce += 1
        body = json.dumps(values | {"nonce": alice.nonce}).encode()
        assert "error" in alice.send(method, body, str(alice.nonce), "application/json"), values
        assert "error" in alice.post(method, **{name: value for name, value in values.items() if value is not None})
    world.exchange.check_invariants()
