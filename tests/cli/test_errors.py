"""What goes wrong ends with one clear line and a status, never with a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def line_of(answer: Any, status: int) -> str:
    lines = answer.error.splitlines()
    assert answer.status == status
    assert answer.out == ""
    assert len(lines) == 1, answer.error
    assert lines[0].startswith("exchange: error: ")
    return str(lines[0])


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        pytest.param(["ticker", "spot", "FOO/BAR"], ["FOO/BAR", "spot"], id="unknown symbol"),
        pytest.param(["ticker", "spot", "BTC/GBP"], ["BTC/GBP", "BTC/USD"], id="unknown symbol, near ones named"),
        pytest.param(["ticker", "spot", "BTCUSD"], ["'BTCUSD'", "BASE/QUOTE"], id="no symbol at all"),
        pytest.param(["ticker", "krakn", "BTC/USD"], ["'krakn'", "spot", "kraken_spot"], id="unknown venue"),
        pytest.param(["replay", "krakn", "x.jsonl"], ["'krakn'", "kraken_spot"], id="unknown plugin"),
        pytest.param(
            ["replay", "kraken_spot", "rest.yaml"],
            ["rest.yaml", "WebSocket frames", "exchange drift kraken_spot rest.yaml"],
            id="answers are not replayed",
        ),
        pytest.param(["replay", "kraken_spot", "no.jsonl"], ["no.jsonl", "No such file"], id="no such recording"),
        pytest.param(["place", "spot", "buy", "BTC/USD", "-1"], ["quantity", "-1"], id="negative quantity"),
        pytest.param(["place", "spot", "buy", "BTC/USD", "0"], ["quantity", "0"], id="zero quantity"),
        pytest.param(["place", "spot", "buy", "BTC/USD", "x"], ["quantity", "'x'"], id="quantity is no number"),
        pytest.param(["place", "spot", "hold", "BTC/USD", "1"], ["'hold'", "buy, sell"], id="unknown side"),
        pytest.param(
            ["place", "spot", "buy", "BTC/USD", "0.01", "--price", "50000.05"], ["0.1", "50000.0"], id="wrong tick"
        ),
        pytest.param(["place", "spot", "buy", "BTC/USD", "0.00001"], ["0.00001", "0.00005"], id="below the minimum"),
        pytest.param(["cancel", "spot", "OAAAAA-AAAAA-AAAAAA"], ["OAAAAA-AAAAA-AAAAAA"], id="unknown order"),
        pytest.param(["book", "spot", "BTC/USD", "--depth", "5000", "--watch"], ["5000", "1000"], id="no such depth"),
        pytest.param(["--config", "no.toml", "portfolio"], ["no.toml"], id="no such configuration"),
        pytest.param(["fills", "spot", "--since", "yesterday"], ["'yesterday'", "2026"], id="no time"),
    ],
)
def test_one_clear_line(exchange: Any, arguments: list[str], parts: list[str]) -> None:
    line = line_of(exchange(*arguments), 1)
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    ("arguments", "see"),
    [
        pytest.param(["nope"], "exchange --help", id="unknown command"),
        pytest.param(["ticker"], "exchange ticker --help", id="missing arguments"),
        pytest.param(["ticker", "spot", "BTC/USD", "--nope"], "exchange ticker --help", id="unknown option"),
        pytest.param(["fills", "spot", "--since"], "exchange fills --help", id="option without its value"),
        pytest.param(["cancel-all-after", "spot", "-5"], "exchange cancel-all-after --help", id="negative seconds"),
        pytest.param(
            ["book", "spot", "BTC/USD", "--depth", "x"], "exchange book --help", id="option of the wrong kind"
        ),
    ],
)
def test_a_wrong_call_has_its_own_status_and_says_where_to_look(exchange: Any, arguments: list[str], see: str) -> None:
    assert line_of(exchange(*arguments), 2).endswith(f". See: {see}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["place", "spot", "buy", "BTC/USD", "0.01", "--prize", "60000"],
            "No such option: --prize; did you mean '--price'? See:",
            id="misspelt, where numbers may be negative",
        ),
        pytest.param(["amend", "spot", "O1", "--prize=1"], "No such option: --prize;", id="with its value"),
        pytest.param(
            ["candles", "spot", "BTC/USD", "--interval", "1h"],
            "'--interval': expected a valid integer.",
            id="no integer",
        ),
        pytest.param(["history", "spot", "fils"], "'KIND': 'fils' is not one of 'fills'", id="no such kind"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(exchange: Any, arguments: list[str], said: str) -> None:
    assert said in line_of(exchange(*arguments), 2)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("[venues.a\n", ["exchange.toml", "line 1"], id="malformed TOML"),
        pytest.param('[venues.a]\nplugin = "krakn"\n', ["venues.a", "'krakn'", "kraken_spot"], id="unknown plugin"),
        pytest.param(
            '[venues.a]\nplugin = "kraken_spot"\nteir = "pro"\n', ["'teir'", "'tier'"], id="unknown key, nearest named"
        ),
        pytest.param('[venues.a]\nplugin = "kraken_spot"\ntier = "gold"\n', ["tier", "gold", "pro"], id="unknown tier"),
        pytest.param(
            '[venues.a]\nplugin = "kraken_spot"\napi_key = "env:NO_SUCH_KEY"\napi_secret = "env:NO_SUCH_SECRET"\n',
            ["NO_SUCH_KEY", "not set"],
            id="credentials are missing",
        ),
        pytest.param(
            '[venues.a]\nplugin = "kraken_spot"\napi_key = "env:NO_SUCH_KEY"\n', ["api_secret"], id="half of them"
        ),
    ],
)
def test_a_wrong_configuration(exchange: Any, tmp_path: Path, text: str, parts: list[str]) -> None:
    (tmp_path / "exchange.toml").write_text(text)
    line = line_of(exchange("portfolio", cwd=tmp_path), 1)
    for part in parts:
        assert part in line


def test_a_key_in_the_configuration_is_refused_and_not_repeated(exchange: Any, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text(
        '[venues.a]\nplugin = "kraken_spot"\napi_key = "planted"\napi_secret = "planted-too"\n'
    )
    line = line_of(exchange("balances", "a", cwd=tmp_path), 1)
    assert "env:NAME" in line
    assert "planted" not in line


def test_wrong_credentials(exchange: Any, room: Path, tmp_path: Path) -> None:
    text = (room / "exchange.toml").read_text().replace("file:spot.api_secret", "file:wrong")
    (tmp_path / "exchange.toml").write_text(text.replace("file:futures", f"file:{room}/futures"))
    (tmp_path / "spot.api_key").write_text((room / "spot.api_key").read_text())
    (tmp_path / "wrong").write_text("AAAA" * 21 + "AA==")
    line = line_of(exchange("balances", "spot", cwd=tmp_path), 1)
    assert "Invalid signature" in line


def test_without_keys_an_account_cannot_be_shown(exchange: Any, tmp_path: Path) -> None:
    assert "api_key" in line_of(exchange("balances", "kraken_spot", cwd=tmp_path), 1)


def test_an_order_that_the_venue_refuses(exchange: Any) -> None:
    line = line_of(exchange("place", "spot", "buy", "BTC/USD", "100"), 1)
    assert "Insufficient funds" in line


@pytest.mark.parametrize(
    ("symbol", "meant"), [("btc/usd", "BTC/USD"), ("XBT/USD", "BTC/USD")], ids=["letter case", "the venue's own name"]
)
def test_a_symbol_that_is_nearly_right(exchange: Any, symbol: str, meant: str) -> None:
    assert f"did you mean {meant}?" in line_of(exchange("ticker", "spot", symbol), 1)


def test_a_port_that_is_taken(exchange: Any, simulators: Any) -> None:
    port = simulators["spot"]["rest_url"].rpartition(":")[2]
    assert f"cannot listen on port {port}: Address already in use" in line_of(
        exchange("simulate", "--spot-port", port), 1
    )


def test_one_venue_that_cannot_be_reached_hides_no_other(exchange: Any, room: Path, tmp_path: Path) -> None:
    text = (room / "exchange.toml").read_text().replace('"file:', f'"file:{room}/')
    (tmp_path / "exchange.toml").write_text(
        f'{text}\n[venues.dead]\nplugin = "kraken_spot"\nrest_url = "http://127.0.0.1:9"\n'
    )
    answer = exchange("portfolio", "--json", cwd=tmp_path)
    assert answer.status == 1
    assert {row["venue"] for row in answer.rows if row["kind"] == "venue"} == {"spot", "futures"}
    assert answer.error.startswith("exchange: warning: dead is left out: ")


@pytest.mark.parametrize("option", ["request_timeout", "stale_after", "order_deadline"])
def test_times_below_zero(exchange: Any, tmp_path: Path, option: str) -> None:
    (tmp_path / "exchange.toml").write_text(f'[venues.a]\nplugin = "kraken_spot"\n{option} = -1\n')
    assert f"{option}: -1" in line_of(exchange("ticker", "a", "BTC/USD", cwd=tmp_path), 1)


def test_no_venue_in_the_configuration(exchange: Any, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text("[venues]\n")
    assert "no venue 'a'; configured: none;" in line_of(exchange("ticker", "a", "BTC/USD", cwd=tmp_path), 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "--accounts", "no.toml"], "no.toml: cannot be read: No such file or directory"),
        (["simulate", "--restore", "no.json"], "--restore no.json: cannot be read: No such file or directory"),
        (["simulate", "--markets", "no.toml"], "no.toml: cannot be read: No such file or directory"),
        (["simulate", "--tape", "no.jsonl"], "no.jsonl: cannot be read: No such file or directory"),
        (["simulate", "--write", "exchange.toml"], "--write exchange.toml: is a file; expected the name of a folder"),
    ],
)
def test_a_file_that_is_no_good_is_named_once(exchange: Any, arguments: list[str], said: str) -> None:
    assert line_of(exchange(*arguments), 1) == f"exchange: error: ConfigError: {said}"


def test_an_empty_configuration(exchange: Any, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text("")
    assert "no [venues.NAME]" in line_of(exchange("portfolio", cwd=tmp_path), 1)
