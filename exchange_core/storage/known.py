"""Recorded answers and frames held against what a plugin knows: what is new in them.

Read are recorded frames (see ``recording``), REST cassettes (``*.yaml``), ``*.json`` with one answer, and ``*.jsonl``
whose lines are answers, or whole exchanges with ``method``, ``path``, ``status`` and ``body``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import msgspec

from exchange_core.connector.drift import Documented, Drift, Watch, name_of
from exchange_core.connector.shapes import Record
from exchange_core.errors import ConfigError
from exchange_core.storage.cassette import CASSETTES, rest_exchanges
from exchange_core.storage.recording import frames

_EXCHANGE = {"path", "body"}


@attrs.define
class FileDrift:
    """What one recording showed.

    Attributes:
        looked: How many answers and frames were looked at.
        unnamed: Answers of which nothing tells what was asked; they were not looked at.
    """

    drift: Drift = attrs.field(factory=Drift)
    looked: int = 0
    unnamed: int = 0


def drift_of(documented: Documented, path: Path, call: str | None = None) -> FileDrift:
    """Look at everything in a recording.

    Args:
        call: The path that was asked, of files that do not name it. Else the file's name tells it, or the answer's
            fields.

    Raises:
        ConfigError: When the file cannot be read, or is no recording.
    """
    found = FileDrift()
    reader = _Reader(documented, found, path, call)
    if path.suffix == ".json":
        try:
            value = msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.MsgspecError, UnicodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        reader.answer(value)
        return found
    if path.suffix in CASSETTES:
        for asked, body in rest_exchanges(path):
            reader.exchange(asked, body)
        return found
    is_stream = path.name.endswith(".stream.jsonl")
    for frame in frames(path):
        if not frame.outgoing:
            reader.line(frame.raw, is_frame=is_stream)
    return found


class _Reader:
    def __init__(self, documented: Documented, found: FileDrift, path: Path, call: str | None) -> None:
        self._documented = documented
        self._found = found
        self._watch = Watch(documented, found.drift)
        self._names = _plain(path.name.partition(".")[0])
        self._call = call

    def line(self, text: str, *, is_frame: bool) -> None:
        """Look at a line, which is a frame, an answer, or an exchange."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeError):
            self._found.looked += 1
            self._watch.frame(text)
            return
        if not is_frame and isinstance(value, dict):
            if value.keys() >= _EXCHANGE:
                self.exchange(str(value["path"]).partition("?")[0], value["body"])
                return
            if self._call is not None or (not self._is_frame(value) and self._is_answer(value)):
                self.answer(value)
                return
        self._found.looked += 1
        self._watch.frame_value(value)

    def answer(self, value: Any) -> None:
        """Look at an answer; what was asked is told from the file's name, or from its fields."""
        result, codes = self._documented.unwrap(value)
        asked = self._call or self._guess(result)
        if asked is None and not codes:
            self._found.unnamed += 1
            return
        self._found.looked += 1
        self._watch.value(asked or "", value)

    def exchange(self, path: str, body: Any) -> None:
        """Look at the answer to a call of *path*."""
        self._found.looked += 1
        if isinstance(body, bytes | str):
            self._watch.body(path, body)
        else:
            self._watch.value(path, body)

    def _is_frame(self, value: Any) -> bool:
        return self._documented.frame(value)[1] is not None

    def _is_answer(self, value: Any) -> bool:
        result, codes = self._documented.unwrap(value)
        return bool(codes) or self._guess(result) is not None

    def _guess(self, result: Any) -> str | None:
        named = [path for path in self._documented.answers if any(map(self._names.startswith, _spellings(path)))]
        if named:
            return max(named, key=lambda path: max(map(len, _spellings(path))))
        return self._by_fields(result) if isinstance(result, dict) else None

    def _by_fields(self, result: dict[str, Any]) -> str | None:
        """Return the one call whose answer has all these fields, and few others."""
        fitting: list[tuple[int, str]] = []
        for path, shape in self._documented.answers.items():
            if isinstance(shape, Record) and result and result.keys() <= shape.names:
                fitting.append((len(shape.names) - len(result), path))
        return min(fitting)[1] if fitting else None


def _plain(text: str) -> str:
    text = re.sub(r"[\W_]+", "", text.lower())
    return text.removeprefix("doc").removeprefix("private").removeprefix("public")


def _spellings(path: str) -> Iterable[str]:
    """Return how a file may be called that holds an answer to *path*."""
    parts = [part for part in path.split("/") if part not in ("", "*")]
    if path.endswith("*/*"):
        return [_plain(f"candles_{parts[-1]}")]
    last = _plain(name_of(path.removesuffix("/*")))
    return [last, last.removesuffix("s") or last] if len(parts) < 5 or path.count("*") else [_plain("".join(parts[3:]))]
