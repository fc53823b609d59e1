"""News of Kraken Futures' wire are noticed, wherever they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exchange_core.connector.drift import Drift, Watch
from kraken_futures.documented.rest import DOCUMENTED

API = "/derivatives/api/v3/"
HISTORY = "/api/history/v3/"


@pytest.fixture
def watch() -> Watch:
    return Watch(DOCUMENTED, Drift())


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        (f"{API}instruments", {"instruments": [{"symbol": "PF_X", "type": "moons", "x": 1}]},
         {"word instruments.instruments[].type = moons", "field instruments.instruments[].x"}),
        (f"{API}tickers/PF_X", {"ticker": {"x": 1}}, {"field tickers.ticker.x"}),
        (f"{API}sendorder",
         {"sendStatus": {"status": "moonlit", "orderEvents": [{"type": "ORBIT", "order": {"x": 1}}]}},
         {"word sendorder.sendStatus.status = moonlit", "word sendorder.sendStatus.orderEvents[].type = ORBIT",
          "field sendorder.sendStatus.orderEvents[].order.x"}),
        (f"{API}batchorder", {"batchStatus": [{"status": "placed", "x": 1}]}, {"field batchorder.batchStatus[].x"}),
        (f"{API}openorders", {"openOrders": [{"status": "moonlit", "orderType": "Limit"}]},
         {"word openorders.openOrders[].status = moonlit"}),
        (f"{API}fills", {"fills": [{"fillType": "moonlit"}]}, {"word fills.fills[].fillType = moonlit"}),
        (f"{API}accounts", {"accounts": {"cash": {"type": "moonAccount"}, "flex": {"currencies": {"A": {"x": 1}}}}},
         {"word accounts.accounts.*.type = moonAccount", "field accounts.accounts.*.currencies.*.x"}),
        (f"{HISTORY}executions", {"elements": [{"event": {"Execution": {"execution": {"order": {"x": 1}}}}}]},
         {"field executions.elements[].event.Execution.execution.order.x"}),
        (f"{HISTORY}orders", {"elements": [{"event": {"OrderMoved": {}}}]},
         {"field orders.elements[].event.OrderMoved"}),
        (f"{HISTORY}positions", {"elements": [{"event": {"PositionUpdate": {"positionChange": "moved"}}},
                                              {"uid": "1", "positionChange": "open"}]},
         {"word positions.elements[].event.PositionUpdate.positionChange = moved"}),
        (f"{HISTORY}account-log", {"logs": [{"info": "moon tax"}]}, {"word account-log.logs[].info = moon tax"}),
        ("/api/charts/v1/mark/PI_XBTUSD/1h", {"candles": [{"time": 1, "x": 1}]}, {"field mark.candles[].x"}),
        (f"{API}openorders", {"result": "error", "error": "moonPhase: 3"}, {"error moonPhase: 3"}),
        (f"{API}openorders", {"result": "error", "errors": [{"code": 92, "message": "INSUFFICIENT_MARGIN"}]}, set()),
        (f"{API}openorders", {"result": "error", "errors": [{"code": 77, "message": "moon"}]}, {"error 77"}),
        (f"{API}openorders", {"result": "success", "serverTime": "2026-01-01T00:00:00Z", "openOrders": []}, set()),
    ],
)  # fmt: skip
def test_news_of_answers(watch: Watch, path: str, answer: dict[str, Any], expected: set[str]) -> None:
    watch.body(path, json.dumps(answer))
    assert set(watch.drift.counts) == expected


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"feed": "book", "product_id": "PI_X", "side": "middle"}, {"word book.side = middle"}),
        ({"feed": "trade", "product_id": "PI_X", "type": "gift", "x": 1}, {"word trade.type = gift", "field trade.x"}),
        ({"feed": "open_orders_verbose", "is_cancel": True, "reason": "moon_phase"},
         {"word open_orders_verbose.reason = moon_phase"}),
        ({"feed": "fills", "fills": [{"fill_type": "gift"}]}, {"word fills.fills[].fill_type = gift"}),
        ({"feed": "open_positions", "positions": [{"x": 1}]}, {"field open_positions.positions[].x"}),
        ({"feed": "balances", "flex_futures": {"currencies": {"A": {"x": 1}}}},
         {"field balances.flex_futures.currencies.*.x"}),
        ({"feed": "account_log", "new_entry": {"info": "moon tax"}}, {"word account_log.new_entry.info = moon tax"}),
        ({"feed": "moon"}, {"frame feed moon"}),
        ({"event": "moon"}, {"frame event moon"}),
        ({"event": "subscribed ", "feed": "trade", "product_ids": ["A"]}, set()),
        ({"event": "alert", "message": "The moon is full"}, {"word alert.message = The moon is full"}),
        ({"moon": 1}, {"frame neither feed nor event"}),
        ([], {"frame no object"}),
    ],
)  # fmt: skip
def test_news_of_frames(watch: Watch, frame: Any, expected: set[str]) -> None:
    watch.frame(json.dumps(frame))
    assert set(watch.drift.counts) == expected
