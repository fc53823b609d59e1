"""News of Kraken's wire show in the health of the venue, and change nothing else."""

from __future__ import annotations

import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from exchange_core import Surroundings, connect
from exchange_core.connector.drift import Drift, Watch
from exchange_core.errors import BadRequest, ExchangeError
from exchange_core.model.symbol import Symbol
from kraken_spot import errors
from kraken_spot.documented.rest import DOCUMENTED

ASSETS = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5, "status": "frozen"},
    "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2, "fresh": "k"},
    "BAD": {"aclass": "currency", "altname": 7},
}
PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "aclass_base": "currency",
    "base": "XXBT",
    "aclass_quote": "currency",
    "quote": "ZUSD",
    "lot": "unit",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "ordermin": "0.0001",
    "tick_size": "0.1",
    "status": "online",
}
PAIRS = {
    "XXBTZUSD": PAIR,
    "NEWUSD": PAIR | {"altname": "NEWUSD", "wsname": "NEW/USD", "base": "NEW", "status": "paused"},
    "BADUSD": PAIR | {"altname": "BADUSD", "pair_decimals": "many"},
}
Answers = dict[str, Any]


def transport(answers: Answers) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answers[request.url.path.rpartition("/")[2]])

    return httpx.MockTransport(answer)


@pytest.fixture
def answers() -> Answers:
    return {"Assets": {"error": [], "result": ASSETS}, "AssetPairs": {"error": [], "result": PAIRS}}


@pytest.fixture
def opened(answers: Answers) -> Callable[[], Any]:
    return lambda: connect("kraken_spot", surroundings=Surroundings(http=transport(answers)))


async def test_news_of_answers_show_in_the_health(opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with opened() as venue:
            health = venue.health()
            # The malformed ones are left out with a report, and the others are there.
            assert {str(each.symbol) for each in await venue.instruments()} == {"BTC/USD", "NEW/USD"}
    assert health.drift == {
        "field Assets.*.fresh": 1,
        "word Assets.*.status = frozen": 1,
        "word AssetPairs.*.status = paused": 1,
        "entry left out": 2,
    }
    assert health.drift_examples["field Assets.*.fresh"] == "text"
    assert health.drift_examples["entry left out"].startswith("BAD: asset entry does not read")
    assert sum("status = frozen" in record.getMessage() for record in caplog.records) == 1


async def test_unknown_codes_of_errors_are_counted_and_still_raised(opened: Any, answers: Answers) -> None:
    answers["Ticker"] = {"error": ["EQuery:Unknown asset pair", "EGeneral:Invalid arguments:moon"]}
    answers["Depth"] = {"error": ["EQuery:Moon phase 1234"]}
    async with opened() as venue:
        with pytest.raises(BadRequest):
            await venue.ticker("BTC/USD")
        with pytest.raises(Exception, match="Moon phase") as failed:
            await venue.book("BTC/USD")
        drift = venue.health().drift
    assert failed.value.codes == ("EQuery:Moon phase 1234",)
    assert {kind for kind in drift if kind.startswith("error")} == {"error EQuery:Moon phase #"}


KEY = "made-up-for-this-test-and-as-long-as-they-are-0123456789"
ORDER_ID = "OQCLML-BW3P3-BUCMWZ"


async def test_what_a_venue_repeats_of_a_key_or_an_order_is_not_shown(
    answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    secret = b64encode(KEY.encode()).decode()
    answers["Ticker"] = {"error": [f"EAPI:Strange key {KEY}"]}
    answers["Depth"] = {"error": [f"EOrder:Strange order {ORDER_ID}", f"EAPI:Strange {secret[:30]} here"]}
    around = Surroundings(http=transport(answers))
    with caplog.at_level(logging.INFO):
        async with connect("kraken_spot", api_key=KEY, api_secret=secret, surroundings=around) as venue:
            for ask in (venue.ticker, venue.book):
                with pytest.raises(ExchangeError):
                    await ask("BTC/USD")
            health = venue.health()
    assert {kind for kind in health.drift if kind.startswith("error")} == {
        "error EAPI:Strange key [redacted]",
        "error EOrder:Strange order #",
        "error EAPI:Strange [redacted] here",
    }
    shown = f"{health.drift} {health.drift_examples} {caplog.text}"
    assert not [text for text in (KEY[:8], secret[:8]) if text in shown]


async def test_an_answer_that_does_not_read_says_what_was_new_in_it(opened: Any, answers: Answers) -> None:
    answers["Depth"] = {"error": [], "result": {"XXBTZUSD": {"Asks": [], "Bids": []}}}
    async with opened() as venue:
        with pytest.raises(Exception, match="asks"):
            await venue.book(Symbol("BTC", "USD"))
        drift = venue.health().drift
    assert {"field Depth.*.Asks", "field Depth.*.Bids"} <= set(drift)


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("EOrder:Insufficient funds", True),
        ("EOrder: Insufficient funds", True),
        ("EOrder:Tick size check failed", True),
        ("EGeneral:Invalid arguments:volume", True),
        ("EService:Throttled:1700000000", True),
        ("EService:Market in limit_only mode", True),
        ("EEarnings:Below min:(0.1)", True),
        ("EOrder:Cancel pending", True),
        ("WDatabase:No change", True),
        ("EOrder:Moon phase", False),
        ("EMoon:Full", False),
        ("WMoon:Rising", False),
    ],
)
def test_known_codes(code: str, known: bool) -> None:
    assert errors.is_known(code) is known


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"channel": "status", "type": "update", "data": [{"system": "dreaming"}]},
         {"word status.data[].system = dreaming"}),
        ({"channel": "executions", "type": "update", "data": [{"order_id": "O", "exec_type": "frozen", "x": 1}]},
         {"word executions.data[].exec_type = frozen", "field executions.data[].x"}),
        ({"channel": "level3", "type": "update", "data": [{"symbol": "A/B", "bids": [{"event": "moved"}]}]},
         {"word level3.data[].bids[].event = moved"}),
        ({"channel": "balances", "type": "snapshot", "data": [{"asset": "A", "wallets": [{"id": "cellar"}]}]},
         {"word balances.data[].wallets[].id = cellar"}),
        ({"channel": "instrument", "type": "snapshot", "data": {"pairs": [{"status": "paused"}], "assets": [{"y": 1}]}},
         {"word instrument.data.pairs[].status = paused", "field instrument.data.assets[].y"}),
        ({"method": "add_order", "success": False, "error": "EOrder:Moon phase"},
         {"word add_order.error = EOrder:Moon phase"}),
        ({"method": "add_order", "success": True, "result": {"order_id": "O", "moon": 1}},
         {"field add_order.result.moon"}),
        ({"method": "moonwalk"}, {"frame moonwalk"}),
        ({"channel": "moon"}, {"frame channel moon"}),
        ({"moon": 1}, {"frame frame"}),
        ({"event": "heartbeat"}, set()),
        ({"Error": "Exceeded msg rate"}, set()),
    ],
)  # fmt: skip
def test_news_of_frames(frame: dict[str, Any], expected: set[str]) -> None:
    watch = Watch(DOCUMENTED, Drift())
    watch.frame(json.dumps(frame))
    assert set(watch.drift.counts) == expected


@pytest.mark.parametrize(
    "path",
    [
        *("public/Assets", "public/AssetPairs", "public/Trades", "public/OHLC", "public/Spread", "private/OpenOrders"),
        *("private/ClosedOrders", "private/QueryOrders", "private/TradesHistory", "private/QueryTrades"),
        *("private/Ledgers", "private/OrderAmends", "private/OpenPositions", "private/TradeVolume"),
        *("private/DepositMethods", "private/WithdrawStatus", "private/Earn/Strategies", "private/Earn/Allocations"),
    ],
)
def test_answers_whose_entries_are_read_one_by_one_are_looked_into(path: str) -> None:
    """What is kept undecoded at first would hide whatever is in it."""
    assert DOCUMENTED.answers.get(f"/0/{path}") is not None


CASSETTES = Path(__file__).resolve().parents[2] / "cassettes" / "kraken_spot" / "rest"
_PATH = re.compile(r"^\s+uri: https?://[^/]+(/0/[A-Za-z/0-9]+)", re.MULTILINE)


def test_every_call_that_is_recorded_is_documented() -> None:
    """A call without a shape could bring anything, and nobody would see it."""
    called = {path for file in CASSETTES.glob("*.yaml") for path in _PATH.findall(file.read_text())}
    assert len(called) > 50
    assert called <= DOCUMENTED.answers.keys()


@pytest.mark.parametrize(
    ("call", "result", "news"),
    [
        ("Withdraw", {"refid": "A", "hold": 1}, "field Withdraw.hold"),
        ("WithdrawInfo", {"method": "M", "limit": "1", "amount": "1", "fee": "0", "eta": 5}, "field WithdrawInfo.eta"),
        ("AccountTransfer", {"transfer_id": "T", "status": "stuck"}, "word AccountTransfer.status = stuck"),
        ("CreateSubaccount", {"id": 7}, "kind CreateSubaccount"),
        ("RemoveExport", {"delete": True, "later": True}, "field RemoveExport.later"),
        ("Earn/AllocateStatus", {"pending": False, "why": "x"}, "field AllocateStatus.why"),
        ("Earn/Deallocate", True, None),
        ("Earn/DeallocateStatus", None, None),
    ],
)
def test_news_of_calls_that_move_money(call: str, result: Any, news: str | None) -> None:
    drift = Drift()
    Watch(DOCUMENTED, drift).body(f"/0/private/{call}", json.dumps({"error": [], "result": result}))
    assert list(drift.counts) == ([] if news is None else [news])
