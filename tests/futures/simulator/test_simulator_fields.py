"""Every field of every method with values that it is not meant to have: refused or taken, but always answered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

NOT_RIGHT: list[Any] = [
    *("", "x", "0", "-1", "1.5", "1e300", "9" * 40, "\x00", "é" * 300, "NaN", "-0", "true", "null", "[]", "{}", "%"),
    *("2026-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59", "PF_XBTUSD", "FF_XBTUSD_000000"),
]
NO_TEXT: list[Any] = [None, True, 0, -1, 1.5, 1e300, 10**30, [], [None], [["x"]], {}, {"a": {"b": []}}]
ORDER = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.01", "limitPrice": "50000"}
TERMS = dict.fromkeys(
    [
        *("stopPrice", "triggerSignal", "reduceOnly", "cliOrdId", "processBefore", "limitPriceOffsetValue"),
        *("limitPriceOffsetUnit", "trailingStopMaxDeviation", "trailingStopDeviationUnit", "broker"),
    ],
    "",
)
STOP = {"orderType": "stp", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.01", "stopPrice": "90000"}
TRAIL = STOP | {"orderType": "trailing_stop", "trailingStopMaxDeviation": "1", "trailingStopDeviationUnit": "PERCENT"}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("sendorder", ORDER | TERMS),
    ("sendorder", TERMS | STOP),
    ("sendorder", TERMS | TRAIL | {"stopPrice": ""}),
    ("editorder", {"orderId": "ID", "size": "0.02", "limitPrice": "50001", "qtyMode": "ABSOLUTE"} | {"cliOrdId": ""}),
    ("cancelorder", {"order_id": "ID", "cliOrdId": "", "processBefore": ""}),
    ("cancelallorders", {"symbol": "PF_XBTUSD"}),
    ("cancelallordersafter", {"timeout": "60"}),
    ("orders/status", {"orderIds": "ID", "cliOrdIds": "x"}),
    ("transfer", {"fromAccount": "cash", "toAccount": "flex", "unit": "usd", "amount": "1"}),
    ("withdrawal", {"targetWallet": "Spot Wallet", "sourceWallet": "cash", "currency": "usd", "amount": "1"}),
]
ITEMS: list[dict[str, Any]] = [
    {"order": "send", "order_tag": "1"} | ORDER,
    {"order": "edit", "order_id": "ID", "size": "0.02", "limitPrice": "50001"},
    {"order": "cancel", "order_id": "ID"},
]
FEEDS: list[dict[str, Any]] = [
    *({"feed": feed, "product_ids": ["PF_XBTUSD"]} for feed in ("book", "trade", "ticker", "ticker_lite")),
    {"feed": "heartbeat"},
    *({"feed": feed} for feed in ("fills", "open_orders", "open_orders_verbose", "open_positions", "balances")),
    *({"feed": feed} for feed in ("account_log", "notifications_auth")),
]


def varied(given: dict[str, Any], values: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield *given* with one field after the other being each value that is not right."""
    for name in given:
        for value in values:
            yield given | {name: value}


@pytest.fixture
def order_id(alice: Any) -> str:
    return str(alice.order("lmt", "buy", "0.01", "50000")["order_id"])


@pytest.mark.parametrize(("path", "right"), CALLS, ids=[f"{number} {path}" for number, (path, _) in enumerate(CALLS)])
def test_of_calls(alice: Any, world: Any, order_id: str, path: str, right: dict[str, Any]) -> None:
    right = {name: order_id if value == "ID" else value for name, value in right.items()}
    for form in varied(right, NOT_RIGHT):
        sent = {name: value for name, value in form.items() if value != "" or name not in TERMS}
        assert alice.post(path, **sent)["result"] in ("success", "error"), form
    world.exchange.check_invariants()


@pytest.mark.parametrize("item", ITEMS, ids=[item["order"] for item in ITEMS])
def test_of_items_of_a_batch(alice: Any, world: Any, order_id: str, item: dict[str, Any]) -> None:
    right = {name: order_id if value == "ID" else value for name, value in item.items()}
    for each in varied(right, [*NOT_RIGHT, *NO_TEXT]):
        answer = alice.post("batchorder", json=json.dumps({"batchOrder": [each]}))
        assert answer["result"] in ("success", "error"), each
    world.exchange.check_invariants()


@pytest.mark.parametrize("batch", [*NO_TEXT, {"batchOrder": 1}, {"batchOrder": [1]}, {"batchOrder": [[]]}])
def test_of_batches(alice: Any, batch: object) -> None:
    assert alice.post("batchorder", json=json.dumps(batch))["result"] == "error"


@pytest.mark.parametrize("event", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize("fields", FEEDS, ids=[fields["feed"] for fields in FEEDS])
def test_of_subscriptions(connect: Any, event: str, fields: dict[str, Any]) -> None:
    connection = connect()
    signed = connection.login("alice")
    right = {"event": event} | fields | ({} if "product_ids" in fields else signed)
    for request in varied(right, [*NOT_RIGHT, *NO_TEXT]):
        connection.say(json.dumps(request))
        assert connection.frames(), request


@pytest.mark.parametrize("value", [*NOT_RIGHT, *NO_TEXT])
def test_of_challenges(feed: Any, value: object) -> None:
    assert feed.send("challenge", api_key=value)


@pytest.mark.parametrize("depth", [10, 1_000, 100_000])
@pytest.mark.parametrize("text", ["[", '{"a":', '{"event":"subscribe","product_ids":['])
def test_of_requests_without_an_end(feed: Any, text: str, depth: int) -> None:
    feed.say(text * depth)
    assert feed.frames()
