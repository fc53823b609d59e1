"""Every call and every feed that the plugin has is recorded, and every recording is played back."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange_core.storage.cassette import FEED_SUFFIX
from exchange_core.storage.recording import frames
from kraken_futures.feed.connections import PRIVATE, PUBLIC
from kraken_futures.feed.requests import VARIANTS
from kraken_futures.history import FuturesHistory
from kraken_futures.rest.charts import Analytics
from kraken_futures.rest.families import Families
from kraken_futures.rest.operations import FuturesRest

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_futures"
CALLS = sorted(path.stem for path in (CASSETTES / "rest").iterdir())
FEEDS = sorted(path.name.removesuffix(FEED_SUFFIX) for path in (CASSETTES / "feed").iterdir())

NOT_RECORDED = {
    "fees": "it asks nothing: the rates are in the configuration",
    "goes_in_batch": "it asks nothing",
    "load_instruments": "it asks nothing: it reads an answer that was kept",
    "past.orders": "it is refused here: the venue has no list of orders that are over",
}
"""What has no cassette, and why. There is nothing that the simulated exchange cannot answer."""

REFUSED = {
    "orders": ("send", "edit", "cancel", "cancel_all"),
    "settings": ("set_leverage", "set_pnl_asset"),
    "wallets": ("transfer", "transfer_between_accounts", "withdraw", "trading_enabled"),
    "programs": ("add_assignment", "delete_assignment", "simulate_margin"),
}
"""Of what can be refused: recordings of a no."""


def public_methods(kind: type) -> Iterator[str]:
    return (name for name, member in vars(kind).items() if inspect.isfunction(member) and not name.startswith("_"))


def calls() -> list[str]:
    """Return the name of each call, as its cassette has it."""
    rest = FuturesRest.__new__(FuturesRest)
    rest._context = None  # type: ignore[assignment]
    families = [name for name, member in vars(Families).items() if hasattr(member, "func")]
    found = [f"{family}.{call}" for family in families for call in public_methods(type(getattr(rest, family)))]
    past = [f"past.{call}" for call in public_methods(FuturesHistory)]
    return [*found, *past, *public_methods(FuturesRest)]


def test_there_are_calls_to_be_recorded() -> None:
    families = {call.partition(".")[0] for call in calls() if "." in call}
    assert families >= {"market", "orders", "history", "account", "settings", "wallets", "programs", "charts", "walks"}
    assert len(calls()) > 80


@pytest.mark.parametrize("call", calls())
def test_a_call_is_recorded(call: str) -> None:
    recorded = [name for name in CALLS if re.fullmatch(rf"{re.escape(call)}([._].+)?", name)]
    assert bool(recorded) is (call not in NOT_RECORDED), NOT_RECORDED.get(call, "record it")


def test_refusals_are_recorded() -> None:
    wanted = [f"{family}.{call}" for family, names in REFUSED.items() for call in names]
    assert [one for one in wanted if not any(name.startswith(f"{one}.refused") for name in CALLS)] == []


def test_every_recording_is_played_back() -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_cassettes*.py"))
    named = {f"charts.analytics.{kind}" for kind in Analytics}
    assert [name for name in (*CALLS, *FEEDS) if f'"{name}"' not in tests and name not in named] == []


def test_every_feed_is_recorded_and_so_is_what_is_said_about_feeds() -> None:
    heard, said = set(), set()
    for name in FEEDS:
        for frame in frames(CASSETTES / "feed" / (name + FEED_SUFFIX)):
            message = json.loads(frame.raw)
            if not frame.outgoing:
                heard.add(message.get("feed"))
                said.add(message.get("event"))
    plain = {*PUBLIC.values(), *PRIVATE.values(), *(variant for each in VARIANTS.values() for variant in each)}
    snapshots = {f"{feed}_snapshot" for feed in ("book", "trade", "fills", "balances", "account_log")}
    orders = {"open_orders_snapshot", "open_orders_verbose_snapshot"}
    assert heard >= {*plain, *snapshots, *orders, "heartbeat"}
    assert said >= {"info", "challenge", "subscribed", "unsubscribed", "error", "alert"}
