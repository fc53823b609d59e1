"""Recorded WebSocket traffic as JSON Lines.

Two forms are read: ``*.jsonl`` holds one frame a line; ``*.stream.jsonl`` holds one object a line with the frame's
time, direction and exact text: ``{"t": 1.5, "dir": "in", "raw": "{...}"}``. A first line with only a ``"cassette"``
key says where the recording comes from. Written is always the second form.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from exchange_core.errors import ConfigError


class Frame(NamedTuple):
    """One recorded frame. *time* is in seconds on the recorder's own clock."""

    time: float
    outgoing: bool
    raw: str


class _StreamLine(msgspec.Struct):
    t: float | int
    dir: str
    raw: str


class _HeaderLine(msgspec.Struct, forbid_unknown_fields=True):
    cassette: object


# A frame a tenth of a second, where a recording does not say when they came.
_PACE = 0.1


def frames(path: Path) -> Iterator[Frame]:
    """Yield the frames of a recording in order.

    Raises:
        ConfigError: When the file is missing, is no recording, or a line of a stream is damaged.
    """
    if path.suffix != ".jsonl":
        raise ConfigError(f"{path}: expected a recording named *.jsonl or *.stream.jsonl")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    # Not splitlines: JSON may hold characters that it takes for the end of a line.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if lines and _is_header(lines[0][1]):
        del lines[0]
    stream = path.name.endswith(".stream.jsonl")
    for number, line in lines:
        yield _stream_frame(path, number, line) if stream else Frame(number * _PACE, False, line)


def _is_header(line: str) -> bool:
    if '"cassette"' not in line:
        return False
    try:
        msgspec.json.decode(line, type=_HeaderLine)
    except msgspec.DecodeError:
        return False
    return True


def _stream_frame(path: Path, number: int, line: str) -> Frame:
    try:
        entry = msgspec.json.decode(line, type=_StreamLine)
    except msgspec.DecodeError as error:
        raise ConfigError(f'{path}:{number}: not of the form {{"t": .., "dir": "in", "raw": ".."}}: {error}') from error
    if entry.dir not in ("in", "out"):
        raise ConfigError(f'{path}:{number}: dir is {entry.dir!r}; expected "in" or "out"')
    # Recorders stamp in seconds or in nanoseconds; no clock of seconds reads as many as these.
    seconds = entry.t / 1e9 if entry.t > 1e11 else float(entry.t)
    return Frame(seconds, entry.dir == "out", entry.raw)
