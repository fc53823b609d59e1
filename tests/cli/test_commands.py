"""Every command, run as a user runs it, on the simulated exchange over real sockets."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.cli.main import call
from exchange_core.cli.options import moment
from exchange_core.cli.simulate import by_section
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_spot.plugin import KRAKEN_SPOT


def test_venues_lists_both_plugins_and_where_they_are_configured(exchange: Any) -> None:
    rows = {row["name"]: row for row in exchange("venues", "--json").rows}
    assert rows["kraken_spot"]["configured_as"] == ["spot"]
    assert rows["kraken_futures"]["configured_as"] == ["futures"]
    assert rows["kraken_spot"]["book_depths"] == [10, 25, 100, 500, 1000]


def test_plugins_are_loaded(exchange: Any) -> None:
    rows = {row["name"]: row["status"] for row in exchange("plugins", "--json").rows}
    assert rows["kraken_spot"] == rows["kraken_futures"] == "loaded"


@pytest.mark.parametrize("arguments", [["--json", "ticker"], ["ticker", "--json"]], ids=["before", "after"])
def test_json_may_stand_before_or_after_the_command(exchange: Any, arguments: list[str]) -> None:
    answer = exchange(*arguments, "spot", "BTC/USD")
    assert Decimal(answer.rows[0]["bid"]) < Decimal(answer.rows[0]["ask"])


@pytest.mark.parametrize(("venue", "symbol"), [("spot", "BTC/USD"), ("futures", "BTC/USD:USD")])
def test_market_data(exchange: Any, venue: str, symbol: str) -> None:
    instruments = {row["symbol"]: row for row in exchange("instruments", venue, "--json").rows}
    tick = Decimal(instruments[symbol]["tick_size"])
    book = exchange("book", venue, symbol, "--depth", "3", "--json").rows[0]
    assert len(book["bids"]) == len(book["asks"]) == 3
    assert (book["health"], book["checked"] > 0) == ("live", True)
    assert all(Decimal(price) % tick == 0 for price, _ in book["bids"] + book["asks"])
    assert exchange("trades", venue, symbol).status == 0
    assert exchange("candles", venue, symbol).status == 0


@pytest.mark.parametrize(("venue", "symbol"), [("spot", "BTC/USD"), ("futures", "BTC/USD:USD")])
def test_a_watched_book_is_live_and_checked_and_ctrl_c_ends_it_quietly(process: Any, venue: str, symbol: str) -> None:
    watching = process("book", venue, symbol, "--watch", "--json")
    rows = [json.loads(watching.stdout.readline()) for _ in range(3)]
    watching.send_signal(signal.SIGINT)
    _, error = watching.communicate(timeout=10)
    assert {row["health"] for row in rows} == {"live"}
    assert rows[0]["checked"] < rows[2]["checked"]
    assert (watching.returncode, error) == (130, "")


def test_a_book_by_order_is_shown_once_or_as_it_changes(exchange: Any, process: Any) -> None:
    [row] = exchange("book", "spot", "BTC/USD", "--by-order", "--depth", "10", "--json").rows
    assert row["health"] == "live"
    for side in ("bid", "ask"):
        levels = {price: Decimal(quantity) for price, quantity in row[f"{side}s"]}
        queues = {
            level["price"]: [Decimal(one["quantity"]) for one in level["orders"]] for level in row[f"{side}_queues"]
        }
        assert levels == {price: sum(queue) for price, queue in queues.items()}
        assert len(levels) == 10
    shown = exchange("book", "spot", "BTC/USD", "--by-order", "--depth", "2").out
    assert [word in shown for word in ("place", "order id", "sell", "buy")] == [True] * 4
    assert "no live book_by_order" in exchange("book", "futures", "BTC/USD:USD", "--by-order").error
    watching = process("book", "spot", "BTC/USD", "--by-order", "--watch")
    assert "live" in watching.stdout.readline()


def test_a_date_is_its_midnight(exchange: Any) -> None:
    exchange("place", "spot", "sell", "ETH/USD", "0.01", "--wait", "20")
    whole = exchange("fills", "spot", "--json").rows
    assert whole
    assert exchange("fills", "spot", "--since", "2020-01-01", "--json").rows == whole
    assert exchange("fills", "spot", "--since", "2099-01-01", "--json").rows == []
    assert moment("2026-11-24", "--since") == datetime(2026, 11, 24, tzinfo=UTC)


def test_a_reader_that_leaves_is_no_error(process: Any) -> None:
    watching = process("book", "spot", "BTC/USD", "--watch")
    watching.stdout.readline()
    watching.stdout.close()
    assert (watching.wait(timeout=20), watching.stderr.read()) == (0, "")


def test_an_order_from_placing_to_canceling(exchange: Any) -> None:
    placed = exchange("place", "spot", "buy", "BTC/USD", "0.01", "--price", "50000", "--json").rows[0]
    assert placed["venue_order_id"] == placed["order_id"]
    shown = {row["order_id"]: row for row in exchange("orders", "spot", "--json").rows}
    assert shown[placed["order_id"]]["price"] == "50000.0"
    assert Decimal(shown[placed["order_id"]]["filled"]) == 0
    usd = next(row for row in exchange("balances", "spot", "--json").rows if row["asset"] == "USD")
    assert Decimal(usd["held"]) >= 500
    canceled = exchange("cancel", "spot", placed["order_id"], "--json").rows[0]
    assert canceled["status"] == "canceled"
    assert exchange("orders", "spot", "--json").out == ""


def test_cancel_all_of_one_symbol_touches_no_other(exchange: Any) -> None:
    exchange("place", "spot", "buy", "BTC/USD", "0.01", "--price", "50000")
    exchange("place", "spot", "buy", "ETH/USD", "0.1", "--price", "1000")
    assert [row["symbol"] for row in exchange("cancel-all", "spot", "--symbol", "BTC/USD", "--json").rows] == [
        "BTC/USD"
    ]
    assert [row["symbol"] for row in exchange("orders", "spot", "--json").rows] == ["ETH/USD"]
    assert [row["symbol"] for row in exchange("cancel-all", "spot", "--json").rows] == ["ETH/USD"]


def test_a_market_order_fills_and_its_fills_are_listed(exchange: Any) -> None:
    order = exchange("place", "spot", "sell", "ETH/USD", "0.25", "--json").rows[0]
    fills = [row for row in exchange("fills", "spot", "--json").rows if row["venue_order_id"] == order["order_id"]]
    assert sum(Decimal(fill["quantity"]) for fill in fills) == Decimal("0.25")
    assert {fill["fee"]["asset"] for fill in fills} == {"USD"}


def test_a_futures_order_makes_a_position(exchange: Any) -> None:
    def position() -> dict[str, Any]:
        found = exchange("positions", "futures", "--json").rows
        return next((row for row in found if row["symbol"] == "BTC/USD:USD"), {"quantity": "0"})

    before = Decimal(position()["quantity"])
    assert exchange("place", "futures", "buy", "BTC/USD:USD", "0.05").status == 0
    assert Decimal(position()["quantity"]) - before == Decimal("0.05")
    assert Decimal(position()["entry_price"]) > 0


def test_validate_sends_nothing(exchange: Any) -> None:
    answer = exchange("place", "spot", "buy", "BTC/USD", "0.01", "--price", "40000", "--validate", "--json")
    assert answer.rows[0]["valid"] is True
    assert "40000.0" not in [row["price"] for row in exchange("orders", "spot", "--json").rows]


def test_the_portfolio_adds_up_over_both_venues(exchange: Any) -> None:
    answer = exchange("portfolio", "--json")
    total = answer.rows[-1]
    assert answer.status == 0
    assert total["sums_agree"]
    assert total["complete"]
    assert {row["venue"] for row in answer.rows if row["kind"] == "venue"} == {"spot", "futures"}


def test_route_explains_without_sending_and_then_fills(exchange: Any) -> None:
    before = exchange("fills", "spot", "--json").out
    dry = exchange("route", "buy", "BTC/USD", "0.02", "--dry-run", "--json")
    assert dry.rows[0]["kind"] == "leg"
    assert exchange("fills", "spot", "--json").out == before
    done = exchange("route", "buy", "BTC/USD", "0.02", "--json")
    assert done.status == 0
    assert Decimal(done.rows[-1]["filled"]) == Decimal("0.02")
    assert Decimal(done.rows[-1]["unknown"]) == 0


def test_simulate_prints_what_a_configuration_needs(simulators: Any) -> None:
    keys = {"api_key", "api_secret"}
    assert set(simulators) == {"spot", "futures"}
    assert set(simulators["spot"]) == {"rest_url", "ws_url", "ws_auth_url", "ws_l3_url"} | keys
    assert set(simulators["futures"]) == {"rest_url", "ws_url", "history_url", "charts_url"} | keys


def test_the_demo_ends_by_itself_with_sums_that_agree(tmp_path: Path, exchange: Any) -> None:
    answer = exchange("demo", "--json", cwd=tmp_path)
    verdict = answer.rows[-1]
    legs = [row["venue"] for row in answer.rows if row["kind"] == "leg"]
    assert answer.status == 0
    assert answer.error == ""
    assert verdict["sums_agree"]
    assert verdict["certain"]
    assert sorted(legs) == ["alpha", "beta"]
    assert {row["health"] for row in answer.rows if row["kind"] == "book"} == {"live"}


def test_the_demo_reads_well_without_a_terminal(tmp_path: Path, exchange: Any) -> None:
    answer = exchange("demo", cwd=tmp_path)
    assert answer.status == 0
    assert "saves" in answer.out
    assert answer.out.splitlines()[-1] == "All sums agree, but for what the venues round."


def test_the_list_of_commands_cuts_no_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--help"]) == 0
    _, *listed = capsys.readouterr().out.splitlines()
    assert [line for line in listed if "..." in line] == []


@pytest.mark.parametrize(
    "command",
    [
        *("demo", "simulate", "venues", "plugins", "instruments", "ticker", "book", "trades", "candles", "balances"),
        *("positions", "orders", "fills", "place", "cancel", "cancel-all", "portfolio", "route", "replay", "record"),
        *("drift", "history", "amend", "cancel-all-after"),
    ],
)
def test_help_of_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--help"]) == 0
    assert f" {command} " in capsys.readouterr().out
    assert call([command, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_version(exchange: Any) -> None:
    assert exchange("--version").out.startswith("exchange-core ")


def test_simulate_writes_a_configuration_that_works_and_whose_keys_are_private(tmp_path: Path, process: Any) -> None:
    folder = tmp_path / "play"
    folder.mkdir()
    (folder / "spot.api_secret").touch(mode=0o644)
    simulator = process("simulate", "--json", "--write", str(folder))
    assert simulator.stdout.readline()
    assert 'api_secret = "file:spot.api_secret"' in (folder / "exchange.toml").read_text()
    assert (folder / "spot.api_secret").stat().st_mode & 0o077 == 0


def test_plugins_with_the_same_section_are_told_apart_and_none_is_dropped() -> None:
    """What is the only one of its section keeps the short name."""
    twin = attrs.evolve(KRAKEN_SPOT, name="twin")
    named = by_section([KRAKEN_SPOT, KRAKEN_FUTURES, twin, attrs.evolve(twin, name="live only", simulator=None)])
    assert list(named.items()) == [
        ("spot_twin", twin),
        ("spot_kraken_spot", KRAKEN_SPOT),
        ("futures", KRAKEN_FUTURES),
    ]


def test_simulate_overwrites_no_configuration_of_yours(tmp_path: Path, exchange: Any) -> None:
    (tmp_path / "exchange.toml").write_text("# mine\n")
    answer = exchange("simulate", "--write", str(tmp_path))
    assert answer.status == 1
    assert "was not written by exchange simulate" in answer.error
    assert (tmp_path / "exchange.toml").read_text() == "# mine\n"


def test_without_a_command_the_help_is_shown(exchange: Any) -> None:
    assert exchange().out == exchange("--help").out


def test_place_says_what_became_of_the_order(exchange: Any) -> None:
    assert exchange("place", "spot", "sell", "ETH/USD", "0.01", "--json").rows[0]["status"] == "filled"
    resting = exchange("place", "spot", "buy", "ETH/USD", "0.1", "--price", "900", "--json").rows[0]
    assert resting["status"] == "open"
    exchange("cancel", "spot", resting["order_id"])
