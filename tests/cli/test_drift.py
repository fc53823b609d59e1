"""``exchange drift`` over files and over a venue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

NEWS = {"error": [], "result": {"XXBT": {"altname": "XBT", "decimals": 10, "status": "frozen", "fresh": {"a": "b"}}}}


@pytest.fixture
def assets(tmp_path: Path) -> str:
    path = tmp_path / "assets.json"
    path.write_text(json.dumps(NEWS))
    return str(path)


def test_over_files(assets: str, exchange: Any) -> None:
    answer = exchange("drift", "kraken_spot", assets, "--json")
    *rows, total = answer.rows
    assert answer.status == 0
    assert rows == [
        {"kind": "field Assets.*.fresh", "times": 1, "first": "assets.json: object(a: text)"},
        {"kind": "word Assets.*.status = frozen", "times": 1, "first": "assets.json: text"},
    ]
    assert total == {"kinds": 2, "looked": 1, "unnamed": 0}


def test_strict_ends_with_1_when_there_is_news(assets: str, tmp_path: Path, exchange: Any) -> None:
    assert exchange("drift", "kraken_spot", assets, "--strict").status == 1
    known = tmp_path / "known.jsonl"
    known.write_text('{"channel":"heartbeat"}')
    quiet = exchange("drift", "kraken_spot", str(known), "--strict")
    assert quiet.status == 0
    assert "all that came is known" in quiet.out


def test_a_file_of_which_nothing_tells_what_was_asked(tmp_path: Path, exchange: Any) -> None:
    path = tmp_path / "moon.json"
    path.write_text('{"error":[],"result":{"moon":1}}')
    answer = exchange("drift", "kraken_spot", str(path), "--strict")
    assert answer.status == 1
    assert "--path" in answer.error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["drift", "krakn", "x.jsonl"], "'krakn'"),
        (["drift", "kraken_spot", "no.jsonl"], "no.jsonl"),
        (["drift", "nowhere"], "'nowhere'"),
    ],
)
def test_wrong_calls_are_one_line(arguments: list[str], words: str, exchange: Any) -> None:
    answer = exchange(*arguments)
    assert answer.status == 1
    assert words in answer.error
    assert len(answer.error.splitlines()) == 1


@pytest.mark.parametrize("venue", ["spot", "futures"])
def test_the_simulated_exchange_sends_nothing_that_is_not_known(venue: str, exchange: Any) -> None:
    """Its answers to every question and its frames are what the venue's pages say; nothing is changed there."""
    answer = exchange("drift", venue, "--seconds", "1", "--strict", "--json")
    *news, total = answer.rows
    assert news == []
    assert answer.status == 0
    assert {"ticker", "book", "balances", "fills", "live book", "live orders"} <= set(total["asked"])
