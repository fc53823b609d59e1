"""Recordings of frames are read line by line, and a damaged one says where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange_core.errors import ConfigError
from exchange_core.storage.recording import Frame, frames
from exchange_core.storage.replay import replay_files
from kraken_spot.plugin import KRAKEN_SPOT

HEAD = '{"cassette":"somewhere"}\n'
BEAT = '{"channel":"heartbeat"}'


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def line(time: float, direction: str, raw: str) -> str:
    return json.dumps({"t": time, "dir": direction, "raw": raw}) + "\n"


def test_a_stream_has_times_and_directions(tmp_path: Path) -> None:
    path = write(tmp_path, "a.stream.jsonl", line(0.5, "out", "{}") + line(1, "in", BEAT))
    assert list(frames(path)) == [Frame(0.5, True, "{}"), Frame(1.0, False, BEAT)]


@pytest.mark.parametrize("name", ["a.stream.jsonl", "a.jsonl"])
@pytest.mark.parametrize("before", ["", "\n", " \n\n"])
def test_the_head_is_no_frame(tmp_path: Path, name: str, before: str) -> None:
    body = line(0.5, "in", BEAT) if name == "a.stream.jsonl" else BEAT + "\n"
    with_head = list(frames(write(tmp_path, name, before + HEAD + body)))
    assert [frame.raw for frame in with_head] == [BEAT]
    assert not with_head[0].outgoing


def test_only_the_first_line_can_be_the_head(tmp_path: Path) -> None:
    path = write(tmp_path, "a.stream.jsonl", HEAD + HEAD)
    with pytest.raises(ConfigError, match=r"a\.stream\.jsonl:2: "):
        list(frames(path))


def test_a_frame_that_speaks_of_cassettes_is_a_frame(tmp_path: Path) -> None:
    frame = '{"cassette":"x","event":"y"}'
    assert [f.raw for f in frames(write(tmp_path, "a.jsonl", frame + "\n"))] == [frame]


def test_bare_frames_come_ten_a_second(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", f"{BEAT}\n\n{BEAT}\n")
    assert [(frame.time, frame.outgoing) for frame in frames(path)] == [
        (pytest.approx(0.1), False),
        (pytest.approx(0.3), False),
    ]


def test_times_in_nanoseconds_are_known_by_their_size(tmp_path: Path) -> None:
    path = write(tmp_path, "a.stream.jsonl", '{"t": 1700000000500000000, "dir": "in", "raw": "{}"}\n')
    assert next(frames(path)).time == 1_700_000_000.5


@pytest.mark.parametrize("sign", ["\u2028", "\u0085", "\x0b", "\x1c"])
def test_a_line_ends_where_json_lines_end(tmp_path: Path, sign: str) -> None:
    """Python's splitlines would cut these in two."""
    raw = f'{{"event":"alert","message":"a{sign}b"}}'
    path = write(tmp_path, "a.stream.jsonl", json.dumps({"t": 0, "dir": "in", "raw": raw}, ensure_ascii=False) + "\n")
    assert [frame.raw for frame in frames(path)] == [raw]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}\n", "Object missing required field"),
        ("[1]\n", "Expected `object`"),
        ("nonsense\n", "invalid"),
        ('{"t": 1, "dir": "up", "raw": "{}"}\n', 'dir is \'up\'; expected "in" or "out"'),
        ('{"t": "now", "dir": "in", "raw": "{}"}\n', r"\$\.t"),
        ('{"t": 1, "dir": "in", "raw": {}}\n', r"\$\.raw"),
    ],
)
def test_a_damaged_line_says_where_and_what(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, "a.stream.jsonl", HEAD + line(0, "in", BEAT) + text)
    with pytest.raises(ConfigError, match=rf"a\.stream\.jsonl:3: .*{said}"):
        list(frames(path))


@pytest.mark.parametrize(("name", "said"), [("none.jsonl", "cannot be read"), ("a.txt", "expected a recording named")])
def test_what_is_no_recording_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        list(frames(tmp_path / name))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        list(frames(tmp_path / "a.jsonl"))


def test_a_replay_counts_neither_the_head_nor_what_we_sent(tmp_path: Path) -> None:
    path = write(tmp_path, "a.stream.jsonl", HEAD + line(0, "out", '{"method":"ping"}') + line(0, "in", BEAT))
    (report,) = replay_files(KRAKEN_SPOT, [path])
    assert (report.seen.frames, report.seen.unknown, report.seen.ignored) == (1, {}, {"heartbeat": 1})
