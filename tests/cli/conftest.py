"""A simulated exchange as a user starts it, and the command line pointed at it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.cli.main import call

PLUGINS = {"spot": "kraken_spot", "futures": "kraken_futures"}


@attrs.frozen
class Answer:
    """How a command ended and what it said."""

    status: int
    out: str
    error: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Exchange = Callable[..., Answer]


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the command line as a user does."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "exchange_core.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@contextmanager
def simulating(*arguments: str) -> Iterator[dict[str, dict[str, str]]]:
    """Run ``exchange simulate`` until the ``with`` ends; yield what it printed of addresses and keys."""
    process = start("simulate", "--json", *arguments)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate(timeout=5)
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        assert (*process.communicate(timeout=30), process.returncode) == ("", "", 130)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, str]]]:
    """Addresses and keys of a simulated spot and a simulated futures exchange."""
    # Commands follow each other faster than people type them: what a venue's limits slow down is tested elsewhere.
    # What one command saw still stands when the next one comes, however long that takes.
    markets = tmp_path_factory.mktemp("markets") / "markets.toml"
    markets.write_text("[[markets]]\nvolatility = 0\nrequotes = 0\n")
    with simulating("--seed", "11", "--no-limits", "--markets", str(markets)) as running:
        yield running


@pytest.fixture(scope="session")
def room(simulators: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an exchange.toml for both, the keys in files beside it."""
    folder = tmp_path_factory.mktemp("room")
    lines = []
    for name, settings in simulators.items():
        lines += [f"[venues.{name}]", f'plugin = "{PLUGINS[name]}"']
        if name == "futures":
            lines.append('taker_fee = "0.0005"')
        for option, value in settings.items():
            if option.startswith("api_"):
                (folder / f"{name}.{option}").write_text(value + "\n")
                lines.append(f'{option} = "file:{name}.{option}"')
            else:
                lines.append(f'{option} = "{value}"')
    (folder / "exchange.toml").write_text("\n".join(lines))
    return folder


@pytest.fixture
def exchange(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Exchange:
    """Run a command in the folder with the configuration, or in *cwd*."""

    def run(*arguments: str, cwd: Path | None = None) -> Answer:
        monkeypatch.chdir(cwd or room)
        status = call(arguments)
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return run


@pytest.fixture
def process(room: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command as a process of its own in that folder; it is gone when the test ends."""
    with ExitStack() as stack:

        def begin(*arguments: str) -> subprocess.Popen[str]:
            started = stack.enter_context(start(*arguments, cwd=room))
            stack.callback(started.kill)
            return started

        yield begin
