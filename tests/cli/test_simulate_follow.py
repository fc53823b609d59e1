"""``exchange simulate --follow``: paper trading on another simulated exchange, which plays the real venue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange_core.cli.main import call
from tests.cli.conftest import PLUGINS, simulating


@pytest.fixture
def real(simulators: dict[str, dict[str, str]], tmp_path: Path) -> str:
    """A configuration of the venues to follow, with keys that nobody may look at."""
    path = tmp_path / "real.toml"
    lines = []
    for section, settings in simulators.items():
        lines += [f"[venues.{section}]", f'plugin = "{PLUGINS[section]}"']
        lines += [f'{name} = "{value}"' for name, value in settings.items() if name.endswith("url")]
        lines += ['api_key = "env:NOBODY_HAS_SET_THIS"', 'api_secret = "env:NOBODY_HAS_SET_THIS"']
    path.write_text("\n".join(lines))
    return str(path)


def test_an_order_on_paper_fills_and_is_there_the_next_day(
    real: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, state = tmp_path / "paper", tmp_path / "state.json"
    options = ("--config", real, "--follow", "spot", "--symbols", "BTC/USD,ETH/USD", "--save", str(state))

    def ask(*arguments: str) -> list[dict[str, Any]]:
        assert call(["--config", str(folder / "exchange.toml"), "--json", *arguments]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    with simulating("--write", str(folder), *options) as running:
        assert list(running) == ["spot"], "only what is followed runs"
        assert [row["symbol"] for row in ask("instruments", "spot")] == ["BTC/USD", "ETH/USD"]
        [order] = ask("place", "spot", "buy", "BTC/USD", "0.01")
        assert order["unknown"] is False
        fills = ask("fills", "spot")
        assert {fill["venue_order_id"] for fill in fills} == {order["order_id"]}
    with simulating("--write", str(folder), *options, "--restore", str(state)):
        assert ask("fills", "spot") == fills


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["--symbols", "BTC/USD"], "name the venue with --follow VENUE", id="symbols of nobody"),
        pytest.param(["--follow", "moon"], "no venue 'moon'", id="an unknown venue"),
        pytest.param(["--follow", "spot", "--follow", "kraken_spot"], "follows spot already", id="two of a kind"),
        pytest.param(["--follow", "spot", "--speed", "2"], "--speed 2", id="another time"),
        pytest.param(["--follow", "spot", "--markets", "m.toml"], "--markets does not go with", id="other markets"),
        pytest.param(["--follow", "spot", "--tape", "t.jsonl"], "--tape does not go with", id="a tape too"),
        pytest.param(["--follow", "spot", "--listing", "l.json"], "--listing does not go with", id="other lists"),
        pytest.param(["--follow", "spot", "--symbols", "BTCUSD"], "'BTCUSD' is not of the form", id="no symbol"),
        pytest.param(["--follow", "spot", "--symbols", "XYZ/USD"], "spot: no instrument XYZ/USD", id="not listed"),
        pytest.param(
            ["--follow", "spot", "--follow", "futures", "--symbols", "BTC/USD,BTC/USD:USD,XYZ/USD"],
            "neither spot nor futures lists it",
            id="listed by neither",
        ),
        pytest.param(
            ["--follow", "spot", "--follow", "futures", "--symbols", "BTC/USD"],
            "futures: it lists none of BTC/USD",
            id="nothing left for one",
        ),
    ],
)
def test_what_cannot_be_followed_is_said_at_once(
    real: str, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["--config", real, "simulate", *arguments]) == 1
    said = capsys.readouterr()
    assert complaint in " ".join(said.err.split())
    assert said.out == ""
