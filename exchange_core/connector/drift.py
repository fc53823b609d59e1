"""What a venue sends that its plugin does not know: counted, shown, and never in the way.

A plugin says as data what is known (``Documented``); a ``Watch`` holds answers and frames against it and counts in a
``Drift`` what is new, with the form of the first one: names and types of fields, never values, which may be secret. A
word of a field that is a table of words is no secret, and is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import attrs
import msgspec

from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.shapes import Shape, shape_of

MOST_KINDS = 200
"""So many kinds are told apart; what is beyond counts as one."""
BEYOND = "beyond what is told apart"

_WORD = re.compile(r"[\w .,:/#()+'\[\]-]{1,60}", re.ASCII)
_NAME = re.compile(r"[\w.-]{1,40}", re.ASCII)
# Ids, and numbers that differ from case to case; words of a table have neither.
_PARTICULAR = re.compile(r"(?=[\w-]*\d)[\w-]{12,}|\d{3,}", re.ASCII)
_SENTENCE = re.compile(r"[ :]")
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)


@runtime_checkable
class Skips(Protocol):
    """Operations that leave out entries which do not read.

    Attributes:
        skipped: What was left out, and why.
    """

    skipped: Mapping[str, str]


@attrs.frozen(kw_only=True)
class Documented:
    """What a venue is known to send.

    Attributes:
        answers: The results of calls, by path; ``*`` stands for any one part of it. Of a path that is not here, what
            ``RestCall.reply`` reads is known.
        frame: Names a frame, as in ``channel book`` (the words of ``FeedStats.unknown``), and returns its shape; None
            for a frame of no known kind.
        unwrap: Returns an answer's result, and its codes of errors and warnings.
        knows: Whether a code of an error is in a table.
    """

    answers: Mapping[str, Shape]
    frame: Callable[[Any], tuple[str, Shape | None]]
    unwrap: Callable[[Any], tuple[Any, Sequence[str]]]
    knows: Callable[[str], bool]

    def pattern(self, path: str) -> str:
        """Return the key of *answers* that *path* is; itself where it is none."""
        if path in self.answers:
            return path
        parts = path.split("/")
        return next((known for known in self.answers if _fits(known.split("/"), parts)), path)

    def answer(self, path: str, reply: Any = None) -> Shape:
        """Return what is known of the answers to *path*."""
        return self.answers.get(self.pattern(path)) or _shape_of(reply)


def _fits(known: Sequence[str], parts: Sequence[str]) -> bool:
    return len(known) == len(parts) and all(one in ("*", other) for one, other in zip(known, parts, strict=True))


@lru_cache(maxsize=128)
def _shape_of(reply: Any) -> Shape:
    return shape_of(reply)


@attrs.define
class Drift:
    """What came that was not known, and how often it was seen.

    Attributes:
        counts: By kind, as in ``field AddOrder.descr.new`` or ``word Assets.*.status = frozen``. Of live frames and of
            repeated answers only some are looked at, so that a count tells that there is news and not how much.
        examples: The form of the first one.
        on_new: Told once of each kind, with its form.
        redact: Takes secrets that are known out of a text.
    """

    on_new: Callable[[str, str], None] | None = None
    redact: Callable[[str], str] = str
    counts: Counter[str] = attrs.field(factory=Counter)
    examples: dict[str, str] = attrs.field(factory=dict)

    def note(self, sort: str, where: str, value: Any = None) -> None:
        """Count one finding; of *value*, only names and types are kept, or the word where it is one of a table."""
        if sort == "field":
            place, _, name = where.rpartition(".")
            where = f"{place}.{_name(name)}"
        # A venue may repeat in a text what it was sent.
        if sort == "word":
            where = f"{where} = {_word(self.redact(str(value)))}"
        kind = self.redact(f"{sort} {where}")
        if kind not in self.counts and len(self.counts) >= MOST_KINDS:
            kind = BEYOND
        self.counts[kind] += 1
        if self.counts[kind] == 1:
            self.examples[kind] = "text" if sort == "word" else self.redact(form(value))
            if self.on_new is not None:
                self.on_new(kind, self.examples[kind])


class Watch:
    """Holds what one venue sends against what is known.

    Args:
        first: So many answers to each path are looked at, and after that every so many-th.
    """

    def __init__(self, documented: Documented, drift: Drift, *, first: int = 5, every: int = 20) -> None:
        self.documented = documented
        self.drift = drift
        self._answers = Sampler(first, every)

    def answer(self, call: RestCall, reply: HttpReply) -> None:
        """Look at an answer, if it is its turn."""
        if call.reply is not bytes and self._answers.is_due(self.documented.pattern(call.path)):
            self.body(call.path, reply.body, call.reply)

    def body(self, path: str, body: bytes | str, reply: Any = None) -> None:
        """Look at the text of an answer. One that is no JSON has no fields."""
        try:
            value = msgspec.json.decode(body)
        except _UNREADABLE:
            return
        self.value(path, value, reply)

    def value(self, path: str, value: Any, reply: Any = None) -> None:
        """Look at a decoded answer."""
        name = name_of(self.documented.pattern(path))
        try:
            result, codes = self.documented.unwrap(value)
            self._codes(codes)
            self.documented.answer(path, reply).look(result, name, self.drift.note)
        except Exception as error:  # noqa: BLE001 (what only counts must not disturb what works)
            self.drift.note("check", f"{name}: {type(error).__name__}")

    def failed(self, call: RestCall, reply: HttpReply) -> None:
        """Look at an answer that is an error, or that did not read."""
        self.body(call.path, reply.body, call.reply)

    def _codes(self, codes: Sequence[str]) -> None:
        for code in codes:
            if not self.documented.knows(code):
                self.drift.note("error", _word(self.drift.redact(code)))

    def frame(self, frame: bytes | str) -> None:
        """Look at a frame."""
        try:
            value = msgspec.json.decode(frame)
        except _UNREADABLE:
            self.drift.note("frame", "that is not JSON")
            return
        self.frame_value(value)

    def frame_value(self, value: Any) -> None:
        """Look at a decoded frame."""
        try:
            name, shape = self.documented.frame(value)
            if shape is None:
                self.drift.note("frame", name, value)
            else:
                shape.look(value, name, self.drift.note)
        except Exception as error:  # noqa: BLE001 (as above)
            self.drift.note("check", f"a frame: {type(error).__name__}")


_KIND_OF_FRAME = 26
"""By so much of its beginning frames are told apart: ``{"channel":"book","type":"`` or ``{"feed":"book","product_``."""
_MOST_KINDS_OF_FRAMES = 256


class Sampler:
    """Says whose turn it is: the first few of each kind, and then every so many-th."""

    def __init__(self, first: int, every: int) -> None:
        self._first = first
        self._every = every
        self._seen: dict[Any, int] = {}

    def is_due(self, kind: Any) -> bool:
        seen = self._seen.get(kind, 0)
        if not seen and len(self._seen) >= _MOST_KINDS_OF_FRAMES:
            kind = None
            seen = self._seen.get(kind, 0)
        self._seen[kind] = seen + 1
        return seen < self._first or not seen % self._every


def watch_frames(watch: Watch, *, first: int, every: int) -> Callable[[bytes], None]:
    """Return what takes every frame of a connection and looks at some. It runs once a frame."""
    is_due, look = Sampler(first, every).is_due, watch.frame

    def take(frame: bytes) -> None:
        if is_due(frame[:_KIND_OF_FRAME]):
            look(frame)

    return take


def name_of(path: str) -> str:
    """Return what answers to *path* are called here: its last part that is a name."""
    return next((part for part in reversed(path.partition("?")[0].split("/")) if part not in ("", "*")), "")


def form(value: Any, depth: int = 2) -> str:
    """Return names and types of *value*, and nothing else of it."""
    if isinstance(value, dict):
        if depth == 0:
            return "object"
        parts = [f"{_name(name)}: {form(each, depth - 1)}" for name, each in list(value.items())[:12]]
        return f"object({', '.join(parts)}{', …' if len(value) > len(parts) else ''})"
    if isinstance(value, list):
        return f"list of {form(value[0], depth - 1)}" if value and depth else "list"
    if isinstance(value, bool):
        return "yes or no"
    names = {str: "text", int: "number", float: "number", type(None): "nothing"}
    return names.get(type(value), type(value).__name__)


def _name(name: object) -> str:
    """Return the name of a field; keys of other forms may be anything."""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else "?"


def _word(value: Any) -> str:
    text = str(value)
    if _SENTENCE.search(text):
        text = _PARTICULAR.sub("#", text)
    return text if _WORD.fullmatch(text) else f"a text of {len(text)} characters"
