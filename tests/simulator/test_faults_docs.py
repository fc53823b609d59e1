"""What docs/simulator.md shows works, and ``exchange simulate`` takes such a file."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from exchange_core.cli.main import call
from exchange_core.cli.simulate_files import read_accounts
from exchange_core.plugins import load_plugins
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.actions import WORDS
from exchange_core.simulator.faults.schedule import Occasion, parse_faults

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S))
def test_an_example_runs(code: str, simulated_exchange: Any) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, str(PAGE), "exec"), names)
    for name, test in names.items():
        if name.startswith("test_"):
            test(simulated_exchange)


def test_the_example_of_accounts_can_be_read(tmp_path: Path) -> None:
    [text] = re.findall(r"^```ini\n(.*?)^```$", TEXT, re.M | re.S)
    path = tmp_path / "accounts.toml"
    path.write_text(text)
    found = read_accounts(path, ["spot", "futures"])
    assert {section: [each.name for each in those] for section, those in found.items()} == {
        "spot": ["alice", "bob"],
        "futures": ["alice"],
    }


@pytest.mark.parametrize("text", re.findall(r"^```toml\n(.*?)^```$", TEXT, re.M | re.S))
def test_an_example_of_a_file_can_be_read(text: str) -> None:
    schedule = parse_faults(tomllib.loads(text), venues=["spot", "futures"])
    assert schedule.faults
    for fault in schedule.faults:
        if isinstance(fault.action, actions.Answer) and fault.action.body:
            assert json.loads(fault.action.body)


def test_every_action_and_every_key_is_named() -> None:
    assert [word for word in WORDS if f"`{word}`" not in TEXT] == []
    keys = [field.name for field in Occasion.__attrs_attrs__ if field.name != "name"]
    assert [key for key in keys if f"`{key}`" not in TEXT] == []


def test_both_venues_of_the_page_can_be_simulated() -> None:
    plugins = load_plugins()
    assert {plugins.venue(name).simulator.section for name in ("kraken_spot", "kraken_futures")} == {"spot", "futures"}  # type: ignore[union-attr]


def test_the_command_takes_a_file_and_single_faults(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[faults]]\nvenue = "spot"\nhttp = "*"\nnth = 2\naction = "bad-gateway"\n')
    options = ["--json", "--control-port", "0", "--faults", str(path)]
    fault = "venue=futures http=*/orderbook action=answer status=418 body='no coffee'"
    process = subprocess.Popen(
        [sys.executable, "-m", "exchange_core.cli", "simulate", *options, "--fault", fault],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            where = json.loads(process.stdout.readline())
            statuses = {
                name: [httpx.get(where[name]["rest_url"] + target).status_code for _ in range(3)]
                for name, target in (("spot", "/0/public/Time"), ("futures", "/derivatives/api/v3/tickers"))
            }
            coffee = httpx.get(where["futures"]["rest_url"] + "/derivatives/api/v3/orderbook")
            counted = httpx.get(where["control"]["url"] + "/faults").json()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=10) == 130
        finally:
            process.kill()
    assert statuses == {"spot": [200, 502, 200], "futures": [200, 200, 200]}
    assert (coffee.status_code, coffee.text) == (418, "no coffee")
    assert [(row["name"], row["venue"], row["fired"]) for row in counted] == [("1", "spot", 1), ("2", "futures", 1)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[faults]]\nhttp = "*"\naction = "explode"\n', "faults.toml: fault 1: action: 'explode' is none"),
        ('[[faults]]\nvenue = "sport"\nhttp = "*"\naction = "pass"\n', "did you mean 'spot'"),
        (None, "faults.toml: cannot be read: No such file"),
    ],
)
def test_the_command_refuses_a_wrong_file_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, complaint: str
) -> None:
    path = tmp_path / "faults.toml"
    if text is not None:
        path.write_text(text)
    assert call(["simulate", "--faults", str(path)]) != 0
    said = capsys.readouterr()
    assert complaint in said.err
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--fault", "http=* action=explode"], "--fault 'http=* action=explode': action: 'explode' is none"),
        (["--fault", "venue=futures action=limit_only"], "futures: limit_only is no state of its markets"),
        (["--fault", "action=post_only symbol=BTC/USD"], "futures: there is no market BTC/USD"),
    ],
)
def test_the_command_refuses_a_wrong_fault_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert call(["simulate", *arguments]) != 0
    said = capsys.readouterr()
    assert complaint in said.err
    assert len(said.err.strip().splitlines()) == 1
