"""The cassettes of the repository: where they come from, what they hold and what they must not hold."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from exchange_core.connector.spec import VenueSpec
from exchange_core.storage.archives import scrubbed, texts_of
from exchange_core.storage.recording import frames
from exchange_core.storage.replay import ReplayReport, replay_files
from exchange_core.storage.scrub import SCRUBBED, Scrubber, is_secret
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_spot.plugin import KRAKEN_SPOT

ROOT = Path(__file__).resolve().parents[2]
CASSETTES = ROOT / "cassettes"
FILES = sorted(path for path in CASSETTES.rglob("*") if path.is_file())
REST = [path for path in FILES if path.suffix == ".yaml"]
FEEDS = [path for path in FILES if path.name.endswith(".stream.jsonl")]
SPECS = [KRAKEN_SPOT, KRAKEN_FUTURES]
SEED = 11  # of tests/recording/: its keys follow from it

# Longer than any id here; keys, secrets, signatures and tokens have 43 characters and more.
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
# Of a chain: an id of a transaction, or an address.
ON_CHAIN = re.compile(r"(?:sim1)?[0-9a-f]{36,64}")
# Paths of calls, and long names: random text without a digit is not so long.
NO_KEY = re.compile(r"com/(?:derivatives|api)/[\w/-]+|\D+")


# As YAML writes bytes: lines of base64, further in than what comes next.
BINARY = re.compile(r"!!binary \|\n(?: {8,}[A-Za-z0-9+/=]+\n)+")


def name_of(path: Path) -> str:
    return str(path.relative_to(CASSETTES))


@cache
def exchanges(path: Path) -> list[dict[str, Any]]:
    """Return what a REST cassette recorded."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C, where the library was built with it
    found: list[dict[str, Any]] = yaml.load(path.read_text("utf-8"), Loader=loader)["interactions"]
    return found


def texts(path: Path) -> Iterator[str]:
    """Yield every text that a cassette recorded."""
    if path in FEEDS:
        yield from (frame.raw for frame in frames(path))
        return
    for told in exchanges(path):
        yield told["request"]["uri"]
        yield told["request"]["body"] or ""
        yield from (text for member in members(told) for text in member)
        if not members(told):
            yield told["response"]["body"]["string"]


def members(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return name and text of all that is in an answer that is an archive; nothing for any other answer."""
    body = told["response"]["body"]["string"]
    return texts_of(body) if isinstance(body, bytes) else []


def written(path: Path) -> str:
    """Return a cassette as it is written, with archives as what they hold; in base64 nothing could be found."""
    text = path.read_text("utf-8")
    archives = [member for told in exchanges(path) for member in members(told)] if path in REST else []
    assert len(BINARY.findall(text)) == len(archives), (
        f"{name_of(path)}: something in base64 is no archive with a member"
    )
    return BINARY.sub("", text) + "".join(text for member in archives for text in member)


def headers(path: Path) -> Iterator[tuple[str, Any]]:
    for told in exchanges(path):
        yield from told["request"]["headers"].items()
        yield from told["response"]["headers"].items()


def test_each_venue_has_cassettes_of_both_kinds() -> None:
    assert len(REST) + len(FEEDS) == len(FILES)
    for spec in SPECS:
        assert [path for path in REST if path.parent == CASSETTES / spec.name / "rest"]
        assert [path for path in FEEDS if path.parent == CASSETTES / spec.name / "feed"]


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 1_600_000
    assert max(path.stat().st_size for path in FILES) < 100_000


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_says_first_that_it_was_recorded_against_the_simulated_exchange(path: Path) -> None:
    head = path.read_text("utf-8").splitlines()[0]
    source = json.loads(head)["cassette"] if path in FEEDS else yaml.safe_load(head)["source"]
    assert "recorded against the project's simulated exchange" in source


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_in_them_looks_like_a_key(path: Path) -> None:
    found = BASE64.findall(written(path))
    assert not [text for text in found if not ON_CHAIN.fullmatch(text) and not NO_KEY.fullmatch(text)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_keys_of_the_recording_are_nowhere(spec: VenueSpec) -> None:
    assert spec.simulator is not None
    random = Random(SEED)
    keys = [spec.simulator.secret(random) for _ in range(2)]
    assert all(BASE64.fullmatch(key) for key in keys)
    assert not [path for path in FILES if any(key[:12] in written(path) for key in keys)]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_there_is_nothing_left_to_scrub(path: Path) -> None:
    for text in texts(path):
        assert Scrubber().text(text) == text


def test_archives_are_as_the_scrubber_writes_them() -> None:
    """Nothing is in them beside names and texts: no comment, no extra field, nothing between the members."""
    bodies = [told["response"]["body"]["string"] for path in REST for told in exchanges(path) if members(told)]
    assert bodies
    assert all(scrubbed(body, Scrubber().text) == body for body in bodies)


@pytest.mark.parametrize("path", REST, ids=name_of)
def test_secret_headers_are_there_without_their_values(path: Path) -> None:
    for name, values in headers(path):
        assert values == [SCRUBBED] or not is_secret(name)


def test_private_calls_were_signed_and_private_feeds_logged_in() -> None:
    """Or else the two tests above would say nothing."""
    names = {name for path in REST for name, values in headers(path) if values == [SCRUBBED]}
    assert names == {"API-Key", "API-Sign", "APIKey", "Authent", "Nonce"}
    said = "\n".join(text for path in FEEDS for text in texts(path))
    for field in ("token", "api_key", "original_challenge", "signed_challenge", "message"):
        assert f'"{field}":"{SCRUBBED}"' in said


@pytest.mark.parametrize("path", REST, ids=name_of)
def test_addresses_are_those_of_the_live_venue(path: Path) -> None:
    host = "https://api.kraken.com/0/" if "kraken_spot" in path.parts else "https://futures.kraken.com/"
    for told in exchanges(path):
        assert told["request"]["uri"].startswith(host)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_exchange_replay_knows_and_verifies_every_frame(spec: VenueSpec) -> None:
    paths = [path for path in FEEDS if spec.name in path.parts]
    total = ReplayReport()
    for report in replay_files(spec, paths):
        total.add(report)
    seen = total.seen
    assert seen.frames == sum(not frame.outgoing for path in paths for frame in frames(path))
    assert seen.books == seen.verified > 100
    assert (seen.mismatches, seen.gaps, seen.resyncs, seen.unknown) == (0, 0, 0, {})
    assert not total.unhealthy


@pytest.mark.parametrize("venue", [spec.name for spec in SPECS])
def test_recording_them_again_gives_the_same_files_byte_for_byte(venue: str, tmp_path: Path) -> None:
    """When this fails, the simulated exchange or a plugin speaks differently: see what `make record` changes."""
    program = [sys.executable, "-W", "error", str(ROOT / "tests" / "record_cassettes.py")]
    program += ["--only", venue, "--to", str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {path.relative_to(CASSETTES) for path in FILES if venue in path.parts}
    assert not [str(path) for path in made if (tmp_path / path).read_bytes() != (CASSETTES / path).read_bytes()]
