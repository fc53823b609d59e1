"""Accounts, saved states and the speed of ``exchange simulate``."""

from __future__ import annotations

import json
import signal
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange_core import Hub, OrderRequest, connect
from exchange_core.cli.main import call
from exchange_core.cli.simulate import simulated_venues
from exchange_core.cli.simulate_files import check_savable, read_accounts, write_saved
from exchange_core.cli.simulate_text import describe, write_configuration
from exchange_core.clock import SystemClock
from exchange_core.errors import ConfigError
from exchange_core.plugins import load_plugins
from exchange_core.simulator.clock import AcceleratedClock
from exchange_core.simulator.launch import AccountWanted, SimulatorLaunch, launch, prepare
from tests.cli.conftest import start

ACCOUNTS = """
[[accounts]]
name = "alice"
deposits = { USD = "1000" }

[[accounts]]
name = "bob"
venue = "spot"
tier = "starter"

[[accounts.keys]]
name = "reader"
permissions = ["query-funds"]
"""


def run_once(*arguments: str) -> dict[str, Any]:
    """Start it, read what it prints, and stop it as a service is stopped."""
    process = start("simulate", "--json", *arguments)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=30)
        assert (out, error, process.returncode) == ("", "", 130)
        found: dict[str, Any] = json.loads(line)
        return found
    finally:
        process.kill()
        process.communicate()


def test_accounts_state_and_keys_outlive_a_run_whose_time_was_fast(tmp_path: Path) -> None:
    accounts, state = tmp_path / "accounts.toml", tmp_path / "state.json"
    accounts.write_text(ACCOUNTS)
    options = ("--accounts", str(accounts), "--save", str(state))
    first = run_once(*options, "--seed", "3", "--speed", "3600")
    assert first["spot"]["order_deadline"] == first["futures"]["order_deadline"] == 0
    left = json.loads(state.read_text())
    assert [(key["account"], key["name"]) for key in first["spot"]["keys"]] == [("alice", ""), ("bob", "reader")]
    assert [key["account"] for key in first["futures"]["keys"]] == ["alice"]
    assert first["spot"]["api_secret"] not in state.read_text()
    again = run_once(*options, "--restore", str(state))
    assert again["spot"]["keys"] == first["spot"]["keys"]
    now = json.loads(state.read_text())
    assert datetime.fromisoformat(now["time"]) >= datetime.fromisoformat(left["time"])
    [alice] = [each for each in now["venues"]["spot"]["accounts"] if each["name"] == "alice"]
    assert len(alice["ledger"]) == 1, "it was opened once"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[[accounts]]", "as name", id="no name"),
        pytest.param('[[accounts]]\nname = "a"\nrights = []', "'rights' is not known", id="an unknown word"),
        pytest.param('[[accounts]]\nname = "a"\nvenue = "moon"', "'moon' is none of", id="an unknown venue"),
        pytest.param('[[accounts]]\nname = "a"\ndeposits = { USD = 1.5 }', "USD", id="a float"),
        pytest.param('[[accounts]]\nname = "a"\n[[accounts]]\nname = "a"', "already", id="twice"),
        pytest.param("", r'spot has no account with a key; expected one with venue = "spot"', id="nobody"),
        pytest.param("accounts = 3", "expected tables", id="no tables"),
        pytest.param("[", "cannot be read", id="no TOML"),
    ],
)
def test_a_file_of_accounts_that_makes_no_sense_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        read_accounts(path, ["spot"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("deposits = { XBT = 1 }", "'XBT' is no asset", id="asset"),
        pytest.param('tier = "gold"', "'gold' is no tier", id="tier"),
        pytest.param('[[accounts.keys]]\npermissions = ["fly"]', "'fly' is no permission", id="permission"),
    ],
)
def test_what_no_venue_has_is_said_with_file_and_account(
    tmp_path: Path, text: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(f'[[accounts]]\nname = "alice"\nvenue = "spot"\n{text}\n[[accounts]]\nname = "bob"')
    assert call(["simulate", "--accounts", str(path)]) == 1
    assert f"{path}: spot: account 'alice': " in (said := capsys.readouterr().err)
    assert complaint in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["--speed", "-1"], "--speed -1", id="time that goes back"),
        pytest.param(["--restore", "nowhere.json"], "nowhere.json: cannot be read", id="nothing saved"),
        pytest.param(["--save", "no/folder/state.json"], "there is no folder", id="no folder"),
        pytest.param(["--accounts", "nowhere.toml"], "cannot be read", id="no accounts"),
    ],
)
def test_what_cannot_work_is_said_at_once(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["simulate", *arguments]) == 1
    assert complaint in " ".join(capsys.readouterr().err.split())


async def test_what_is_printed_are_a_configuration_and_programs() -> None:
    specs = {"spot": load_plugins().venue("kraken_spot")}
    simulator = specs["spot"].simulator
    assert simulator is not None
    async with launch({"spot": SimulatorLaunch(spec=simulator)}) as running:
        text = describe(running, specs)
    configuration, _, rest = text.partition("# spot, with ccxt:")
    assert tomllib.loads(configuration)["venues"]["spot"]["plugin"] == "kraken_spot"
    assert [name for name in ("krakenex", "python-kraken-sdk", "exchange_core") if f"# spot, with {name}:" in rest] == [
        "krakenex",
        "python-kraken-sdk",
        "exchange_core",
    ]
    compile(rest, "printed", "exec")


async def test_what_points_at_a_venue_with_a_clock_of_its_own_sends_no_deadlines(tmp_path: Path) -> None:
    """Where its time is fast, a deadline by the client's clock has always passed."""
    specs = {"spot": load_plugins().venue("kraken_spot")}
    simulator = specs["spot"].simulator
    assert simulator is not None
    fast = AcceleratedClock(3600, start=datetime.now(UTC) + timedelta(hours=1))
    async with launch({"spot": SimulatorLaunch(spec=simulator)}, clock=fast) as running:
        text = describe(running, specs, deadlines=False)
        write_configuration(tmp_path, running, specs, deadlines=False)
        async with Hub.open(tmp_path / "exchange.toml") as hub:
            order = await hub["spot"].place(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.01"))
            assert (await hub["spot"].until_final(order, within=30)).status == "filled"
        async with connect("kraken_spot", **running["spot"].settings(deadlines=False)) as venue:
            order = await venue.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.01"))
            assert (await venue.until_final(order, within=30)).status == "filled"
        write_configuration(tmp_path, running, specs)
    configuration, _, rest = text.partition("# spot, with ccxt:")
    assert tomllib.loads(configuration)["venues"]["spot"]["order_deadline"] == 0
    assert "    order_deadline=0,\n)" in rest
    assert "order_deadline" not in (tmp_path / "exchange.toml").read_text()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "is no saved state"),
        ('{"venues": {}}', "is no saved state of exchange simulate, as there is no 'format' in it"),
        ('{"format": 1, "time": "2026-01-01T00:00:00+00:00"}', "as there is no 'seed' in it"),
        ('{"format": 0}', "format 0; this program reads 1"),
        ('{"format": 1, "seed": 0, "time": "2026-01-01T00:00:00+00:00", "venues": {"spot": 5}}', "is no saved state"),
        ('{"format": 1, "seed": 0, "time": "2026-01-01T00:00:00+00:00", "venues": {"spot": {}}}', "has spot; expected"),
    ],
)
def test_what_is_no_saved_state_is_refused(
    tmp_path: Path, text: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state.json").write_text(text)
    assert call(["simulate", "--restore", str(tmp_path / "state.json")]) == 1
    assert complaint in " ".join(capsys.readouterr().err.split())


def saved_as(accounts: list[AccountWanted], seed: int, path: Path) -> None:
    """Write what a run with *accounts* would leave."""
    simulators = {name: spec.simulator for name, spec in simulated_venues().items()}
    running = {
        name: prepare(SimulatorLaunch(spec=simulator, seed=seed, accounts=accounts), SystemClock())
        for name, simulator in simulators.items()
        if simulator is not None
    }
    write_saved(path, running, seed, datetime.now(UTC))


def test_a_state_is_restored_with_the_accounts_and_the_seed_it_was_saved_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.json"
    saved_as([AccountWanted(name="bob"), AccountWanted(name="alice")], 3, state)
    assert call(["simulate", "--restore", str(state)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "spot: the saved state has no account 'user'; expected accounts (--accounts) with alice, bob" in said
    assert call(["simulate", "--restore", str(state), "--seed", "4"]) == 1
    assert "has the keys of seed 3; leave --seed out" in " ".join(capsys.readouterr().err.split())


def test_a_state_that_cannot_be_written_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["simulate", "--save", str(tmp_path)]) == 1
    assert "is a folder; expected the name of a file" in " ".join(capsys.readouterr().err.split())
    (tmp_path / "state.json.new").mkdir()
    with pytest.raises(ConfigError, match=r"state\.json: cannot be written"):
        check_savable(tmp_path / "state.json")
    check_savable(tmp_path / "other.json")
    assert not list(tmp_path.glob("other*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_save_that_fails_leaves_the_older_file_and_no_half_of_another(tmp_path: Path) -> None:
    state, beside = tmp_path / "state.json", tmp_path / "state.json.new"
    state.write_text("older")
    beside.symlink_to("/dev/full")
    with pytest.raises(ConfigError, match="No space left"):
        write_saved(state, {}, 0, datetime.now(UTC))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("state.json", "older")]
