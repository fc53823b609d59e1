"""``exchange record`` against a running ``exchange simulate``, as a user starts both."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from exchange_core.cli.main import call
from exchange_core.storage.recording import frames
from exchange_core.storage.replay import replay_files
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_spot.plugin import KRAKEN_SPOT

SPECS = {"spot": KRAKEN_SPOT, "futures": KRAKEN_FUTURES}


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "exchange_core.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an exchange.toml for both simulated venues, and their keys in files beside it."""
    folder = tmp_path_factory.mktemp("room")
    process = start("simulate", "--json", "--seed", "3")
    assert process.stdout is not None
    try:
        settings = json.loads(process.stdout.readline())
        lines = ['[venues.gone]\nplugin = "kraken_spot"\nrest_url = "http://127.0.0.1:9"']
        for name, values in settings.items():
            lines += [f"[venues.{name}]", f'plugin = "{SPECS[name].name}"']
            for option, value in values.items():
                if option.startswith("api_"):
                    (folder / f"{name}.{option}").write_text(value)
                lines.append(f'{option} = "{f"file:{name}.{option}" if option.startswith("api_") else value}"')
        (folder / "exchange.toml").write_text("\n".join(lines))
        yield folder
    finally:
        process.kill()
        process.communicate()


def left_out(out: str) -> list[str]:
    return [row["left_out"] for row in map(json.loads, out.splitlines()) if "left_out" in row]


@pytest.mark.parametrize(
    ("name", "symbol", "lacking"),
    [
        ("spot", "BTC/USD", ["live positions"]),
        ("futures", "BTC/USD:USD", ["live candles"]),
    ],
)
def test_it_records_what_there_is(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, symbol: str, lacking: list[str]
) -> None:
    folder = tmp_path / "run"
    options = ["--to", str(folder), "--seconds", "1", "--config", str(room / "exchange.toml"), "--json"]
    assert call(["record", name, symbol, *options]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert left_out(said.out) == lacking
    written = {
        Path(row["file"]).name: row["entries"] for row in map(json.loads, said.out.splitlines()) if "file" in row
    }
    assert set(written) == {"rest.yaml", "public.stream.jsonl", "private.stream.jsonl"}
    assert {path.name for path in folder.iterdir()} == set(written)
    cassette = yaml.safe_load((folder / "rest.yaml").read_text("utf-8"))
    assert len(cassette["interactions"]) == written["rest.yaml"]
    assert cassette["source"].startswith(f"{SPECS[name].title}, recorded from 127.0.0.1:")
    assert len(list(frames(folder / "public.stream.jsonl"))) == written["public.stream.jsonl"]
    for option in ("api_key", "api_secret"):
        key = (room / f"{name}.{option}").read_text()
        assert not [path for path in folder.iterdir() if key in path.read_text("utf-8")]
    public, private = replay_files(SPECS[name], [folder / f"{kind}.stream.jsonl" for kind in ("public", "private")])
    assert public.seen.books == public.seen.verified > 0
    assert (public.seen.unknown, private.seen.unknown, public.unhealthy) == ({}, {}, {})


def test_ctrl_c_ends_it_early_and_keeps_what_came(room: Path, tmp_path: Path) -> None:
    options: list[str | Path] = [
        "--to",
        tmp_path / "run",
        "--seconds",
        "600",
        "--config",
        room / "exchange.toml",
        "--json",
    ]
    with start("record", "spot", "BTC/USD", *options) as process:
        assert process.stdout is not None
        try:
            assert left_out(process.stdout.readline()) == ["live positions"]  # the questions are asked
            process.send_signal(signal.SIGINT)
            out, error = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, error) == (130, "")
    files = [row["file"] for row in map(json.loads, out.splitlines()) if "file" in row]
    assert str(tmp_path / "run" / "rest.yaml") in files
    assert yaml.safe_load((tmp_path / "run" / "rest.yaml").read_text("utf-8"))["interactions"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["spot", "DOGE/USD"], ["UnknownSymbol", "DOGE/USD"], id="symbol that is not listed"),
        pytest.param(["spot", "nonsense"], ["InvalidValue", "nonsense"], id="no symbol"),
        pytest.param(["nowhere", "BTC/USD"], ["UnknownVenue", "nowhere"], id="venue"),
        pytest.param(["spot", "BTC/USD", "--to", "{file}/x"], ["ConfigError", "cannot be written"], id="folder"),
    ],
)
def test_an_error_is_one_line(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: list[str]
) -> None:
    (tmp_path / "file").touch()
    arguments = [argument.format(file=tmp_path / "file") for argument in arguments]
    to = [] if "--to" in arguments else ["--to", str(tmp_path / "run")]
    assert call(["record", *arguments, *to, "--seconds", "1", "--config", str(room / "exchange.toml")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("exchange: error: ")
    assert error.count("\n") == 1
    assert all(word in error for word in said)


def test_without_vcrpy_it_says_what_to_install(room: Path, tmp_path: Path) -> None:
    """Before anything is sent."""
    program = "import sys; sys.modules['vcr'] = None; from exchange_core.cli.main import main; main(sys.argv[1:])"
    options = ["--to", str(tmp_path / "run"), "--config", str(room / "exchange.toml")]
    done = subprocess.run(
        [sys.executable, "-c", program, "record", "gone", "BTC/USD", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("exchange: error: ConfigError: recording needs vcrpy; install exchange-core[record]")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
