"""What the README shows, run as a reader would run it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange_core.cli.main import build_app
from exchange_core.config import load_config
from exchange_core.plugins import load_plugins

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that ``exchange simulate --write play`` makes, while it runs."""
    folder = tmp_path_factory.mktemp("readme") / "play"
    command = [sys.executable, "-m", "exchange_core.cli", "simulate", "--json", "--write", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            assert simulator.stdout.readline()
            yield folder
        finally:
            simulator.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("program", blocks("python"), ids=["orders", "portfolio and routing"])
def test_the_programs_run(play: Path, program: str) -> None:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=play, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_the_first_program_is_twelve_lines_and_leaves_no_order(play: Path) -> None:
    code = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert len(code) <= 12
    command = [sys.executable, "-m", "exchange_core.cli", "orders", "spot", "--json"]
    done = subprocess.run(command, cwd=play, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == ""


def test_the_configuration_reads(tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text(blocks("toml")[0])
    config = load_config(tmp_path / "exchange.toml", load_plugins())
    assert config.venue("futures").config.rest_url == "https://demo-futures.kraken.com"


def test_every_command_is_in_the_table() -> None:
    app = build_app(load_plugins())
    names = {c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands}
    table = README.split("## The command line")[1].split("\n## ")[0]
    assert names == {name for name in names if re.search(rf"`(?:exchange )?{re.escape(name)}\b", table)}


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (Path(__file__).parents[2] / target).exists(), target
