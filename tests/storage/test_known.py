"""Recordings are held against what the plugins know: the real ones hold almost nothing new."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.drift import Documented, Drift, Watch
from exchange_core.connector.shapes import Record
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError
from exchange_core.plugins import load_plugins
from exchange_core.storage.known import drift_of

# What the recordings hold that the venue's pages do not list.
TRUE_NEWS = {
    "kraken_spot": {"word TradesHistory.trades.*.ordertype = stop limit"},
    "kraken_futures": {"field balances.flex_futures.cross.balance"},
}
# Recordings that are no answers.
NO_ANSWERS = {"doc_api_sign_vector.json", "doc_challenge_signature_vector.json"}


def spec(name: str) -> VenueSpec:
    return load_plugins().venue(name)


def documented(name: str) -> Documented:
    made = spec(name).documented
    assert made is not None
    return made()


def recordings(captures: Path, venue: str) -> list[Path]:
    return sorted(captures.joinpath(venue.removeprefix("kraken_")).rglob("*.json*"))


@pytest.mark.parametrize("venue", ["kraken_spot", "kraken_futures"])
def test_of_all_recordings_only_the_true_news_are_told(captures: Path, venue: str) -> None:
    news: Counter[str] = Counter()
    looked = 0
    for path in recordings(captures, venue):
        found = drift_of(documented(venue), path)
        looked += found.looked
        news.update(found.drift.counts)
        assert (found.unnamed > 0) == (path.name in NO_ANSWERS), path
    assert set(news) == TRUE_NEWS[venue]
    assert looked > 200


@pytest.mark.parametrize("venue", ["kraken_spot", "kraken_futures"])
def test_a_new_field_in_a_recorded_frame_is_told(captures: Path, venue: str) -> None:
    known = documented(venue)
    for path in recordings(captures, venue):
        if path.name.endswith(".stream.jsonl") or path.name in NO_ANSWERS | {"v1_legacy_samples.jsonl"}:
            continue
        for line in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
            value = json.loads(line)
            frame = known.frame(value) if isinstance(value, dict) else ("", None)
            if isinstance(frame[1], Record) and "body" not in value:
                watch = Watch(known, Drift())
                watch.frame_value(value | {"brand_new": 1})
                assert f"field {frame[0]}.brand_new" in watch.drift.counts, path


@pytest.mark.parametrize("venue", ["kraken_spot", "kraken_futures"])
def test_rest_cassettes_are_read(venue: str, tmp_path: Path) -> None:
    """Ours are recorded against the simulated exchange, which sends nothing that is not known."""
    folder = Path(__file__).resolve().parents[2] / "cassettes" / venue / "rest"
    for name in ("instruments.yaml", "open_orders.yaml", "find_canceled.yaml"):
        found = drift_of(documented(venue), folder / name)
        assert found.looked == (folder / name).read_text().count("\n- request:")
        assert (found.unnamed, found.drift.counts) == (0, {})
    changed = (
        (folder / "open_orders.yaml")
        .read_text()
        .replace('"cli', '"brand_new":1,"cli')
        .replace('"cl_ord_id"', '"brand_new":1,"cl_ord_id"')
    )
    (tmp_path / "rest.yaml").write_text(changed)
    assert [kind.rpartition(".")[2] for kind in drift_of(documented(venue), tmp_path / "rest.yaml").drift.counts] == [
        "brand_new"
    ]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("interactions: [", "cannot be read"),
        ("a: 1", "no REST cassette"),
        ("- 1", "no REST cassette"),
        ("interactions:\n- request: {uri: x}\n", "no REST cassette"),
        ("interactions: !!python/object/apply:os.getcwd []", "cannot be read"),
    ],
)
def test_what_is_no_cassette_is_said(text: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "rest.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=match):
        drift_of(documented("kraken_spot"), path)


def write(folder: Path, name: str, *lines: Any) -> Path:
    path = folder / name
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


TOKEN = {"error": [], "result": {"token": "t", "expires": 900, "brand_new": 1}}


@pytest.mark.parametrize(
    ("name", "value", "call", "expected"),
    [
        pytest.param("assets.json", {"error": [], "result": {"X": {"altname": "X", "decimals": 8, "fresh": 1}}}, None,
                     {"field Assets.*.fresh"}, id="by the name of the file"),
        pytest.param("a.json", TOKEN, "/0/private/GetWebSocketsToken",
                     {"field GetWebSocketsToken.brand_new"}, id="by the path that is given"),
        pytest.param("a.jsonl", {"error": ["EMoon:Full"]}, None, {"error EMoon:Full"}, id="an error needs no path"),
        pytest.param("a.jsonl", {"method": "POST", "path": "/0/private/OpenOrders", "status": 200,
                                 "body": json.dumps({"error": [], "result": {"open": {}, "fresh": 1}})}, None,
                     {"field OpenOrders.fresh"}, id="an exchange"),
        pytest.param("a.stream.jsonl", {"t": 1, "dir": "in", "raw": '{"channel":"heartbeat","fresh":1}'}, None,
                     {"field heartbeat.fresh"}, id="a frame"),
        pytest.param("a.stream.jsonl", {"t": 1, "dir": "out", "raw": '{"channel":"moon"}'}, None,
                     set(), id="sent by us"),
        pytest.param("a.jsonl", {"channel": "moon"}, None, {"frame channel moon"}, id="an unknown channel"),
    ],
)  # fmt: skip
def test_what_was_asked_is_told_from(
    tmp_path: Path, name: str, value: Any, call: str | None, expected: set[str]
) -> None:
    found = drift_of(documented("kraken_spot"), write(tmp_path, name, value), call)
    assert set(found.drift.counts) == expected


def test_an_answer_to_nothing_that_is_known_is_counted_and_not_looked_at(tmp_path: Path) -> None:
    found = drift_of(documented("kraken_spot"), write(tmp_path, "moon.json", {"error": [], "result": {"moon": 1}}))
    assert (found.looked, found.unnamed) == (0, 1)


@pytest.mark.parametrize("name", ["missing.json", "missing.jsonl", "text.txt", "broken.json"])
def test_a_file_that_is_no_recording(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "text.txt").write_text("{}")
    with pytest.raises(ConfigError, match=name):
        drift_of(documented("kraken_spot"), tmp_path / name)
