"""Everything that the plugin asks Kraken Spot for has a cassette, and each cassette is played by a test."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from inspect import isfunction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from exchange_core.connector.drift import Drift, Watch
from exchange_core.connector.spec import VenueContext
from exchange_core.storage.recording import frames
from kraken_spot.documented.rest import DOCUMENTED
from kraken_spot.feed.carriers import DEPTHS, DEPTHS_BY_ORDER, TRIGGERS
from kraken_spot.feed.trading import METHODS
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.rest.families import Families
from kraken_spot.rest.operations import KrakenSpotRest

HERE = Path(__file__).parent
CASSETTES = HERE.parents[2] / "cassettes" / "kraken_spot"
REST = {path.stem: path for path in (CASSETTES / "rest").glob("*.yaml")}
FEEDS = {path.name.removesuffix(".stream.jsonl"): path for path in (CASSETTES / "feed").iterdir()}
FAMILIES = sorted(name for name, value in vars(Families).items() if isinstance(value, cached_property))

NO_CALLS: dict[str, str] = {}
ASKING = ("Flow[", "History[")
ENDPOINTS = {
    "public": "Time SystemStatus MaintenanceSchedule Assets AssetPairs Ticker OHLC Depth GroupedBook Trades Spread"
    " PreTrade PostTrade",
    "private": "Level3 Balance BalanceEx CreditLines TradeBalance OpenOrders ClosedOrders QueryOrders TradesHistory"
    " QueryTrades OpenPositions Ledgers QueryLedgers TradeVolume OrderAmends GetApiKeyInfo AddExport ExportStatus"
    " RetrieveExport RemoveExport AddOrder AddOrderBatch AmendOrder EditOrder CancelOrder CancelOrderBatch CancelAll"
    " CancelAllOrdersAfter GetWebSocketsToken DepositMethods DepositAddresses DepositStatus WithdrawMethods"
    " WithdrawAddresses WithdrawInfo Withdraw WithdrawStatus WithdrawCancel WalletTransfer CreateSubaccount"
    " AccountTransfer Earn/Strategies Earn/Allocations Earn/Allocate Earn/Deallocate Earn/AllocateStatus"
    " Earn/DeallocateStatus",
}
CHANNELS = {
    *("ticker", "book", "level3", "ohlc", "trade", "instrument", "status", "heartbeat"),
    *("executions", "balances"),
}


def calls(kind: type) -> set[str]:
    """Return the names of what asks the venue for something."""
    return {
        name
        for one in kind.__mro__
        for name, value in vars(one).items()
        if isfunction(value) and not name.startswith("_") and value.__annotations__["return"].startswith(ASKING)
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_each_call_of_a_family_has_a_cassette(family: str, context: VenueContext) -> None:
    """Recorded under the names of both; a call that is new has none, and shows here."""
    names = {f"{family}.{call}" for call in calls(type(getattr(KrakenSpotRest(context), family)))}
    assert names
    assert names <= REST.keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_refused_something(family: str) -> None:
    assert [name for name in REST if name.startswith(f"{family}.") and name.endswith(".refused")]


def test_each_operation_that_every_venue_has_is_recorded() -> None:
    names = calls(KrakenSpotRest) - NO_CALLS.keys()
    assert names >= {"instruments", "place", "amend", "find", "fees"}
    assert not [name for name in names if name not in REST and not any(one.startswith(f"{name}_") for one in REST)]


def test_each_past_is_recorded() -> None:
    assert {f"past.{name}" for name in calls(KrakenSpotHistory)} <= REST.keys()


def answers() -> Iterator[tuple[str, str]]:
    """Yield the path of every call that was recorded, and what it was answered."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in REST.values():
        for told in yaml.load(path.read_text("utf-8"), Loader=loader)["interactions"]:
            yield urlsplit(told["request"]["uri"]).path, told["response"]["body"]["string"]


def test_every_endpoint_is_recorded() -> None:
    asked = {path for path, _ in answers()}
    assert asked == {f"/0/{kind}/{name}" for kind, names in ENDPOINTS.items() for name in names.split()}


def test_each_cassette_is_played_by_a_test() -> None:
    tests = "".join(path.read_text("utf-8") for path in HERE.glob("test_cassettes*.py"))
    by_number = ("book_", "level3_", "trading.add.")
    plain = [name for name in (*REST, *FEEDS) if not name.startswith(by_number)]
    assert not [name for name in plain if f'"{name}"' not in tests]
    numbered = [name for name in (*REST, *FEEDS) if name.startswith(by_number)]
    for name in numbered:
        begin, _, end = name.rpartition("_" if name in FEEDS else ".")
        assert f"{begin}_{{depth}}" in tests or f'"{name}"' in tests or f'"{end}": (' in tests, name


def messages() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FEEDS.values():
        for frame in frames(path):
            yield "out" if frame.outgoing else "in", json.loads(frame.raw)


def test_each_channel_is_recorded() -> None:
    assert {message["channel"] for way, message in messages() if way == "in" and "method" not in message} == CHANNELS
    private = {feed.name for feed in KRAKEN_SPOT.feeds}
    assert private == {"public", "private", "level3"}, "a new connection needs recordings"


def test_each_depth_and_trigger_is_recorded() -> None:
    wanted = [message["params"] for way, message in messages() if message.get("method") == "subscribe" and way == "out"]
    depths = defaultdict(set)
    for params in wanted:
        if "depth" in params:
            depths[params["channel"]].add(params["depth"])
    assert depths == {"book": {*DEPTHS}, "level3": {*DEPTHS_BY_ORDER}}
    assert {params["event_trigger"] for params in wanted if params["channel"] == "ticker"} == {*map(str, TRIGGERS)}


def test_each_method_is_answered_with_yes_and_with_no() -> None:
    told = {
        (message["method"], message["success"])
        for way, message in messages()
        if way == "in" and message.get("method") in METHODS
    }
    assert told == {(method, success) for method in METHODS for success in (True, False)}
    assert {message["success"] for way, message in messages() if message.get("method") == "subscribe" and way == "in"}


UNDOCUMENTED = {
    # Which of several orders a cancel failed for must be told somehow, and no page tells how.
    "field cancel_order.cl_ord_id",
}


def test_the_simulated_venue_says_nothing_that_no_page_tells_of() -> None:
    drift = Drift()
    watch = Watch(DOCUMENTED, drift, first=10**6)
    for path, body in answers():
        watch.body(path, body)
    for path in FEEDS.values():
        for frame in frames(path):
            if not frame.outgoing:
                watch.frame(frame.raw)
    assert set(drift.counts) == UNDOCUMENTED
