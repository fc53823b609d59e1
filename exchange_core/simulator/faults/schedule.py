"""Faults as values: what they are about, when they strike, what they do, and the file that lists them.

::

    seed = 7

    [[faults]]
    http = "/orders/*"
    method = "POST"
    nth = 2
    action = "drop-answer"

    [[faults]]
    websocket = "out"
    contains = ["book", "BTC/USD"]
    every = 50
    action = "corrupt"
    field = "checksum"

    [[faults]]
    after = 60
    action = "cancel_only"
    seconds = 30

Nothing here knows a venue: requests are told apart by their paths, frames by words in them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import attrs

from exchange_core.errors import ConfigError, ExchangeError
from exchange_core.plugins import did_you_mean
from exchange_core.serde import structure
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.actions import WORDS, Action


class Where(StrEnum):
    """What of a WebSocket a fault is about: the client's frames, the venue's, or the opening handshake."""

    IN = "in"
    OUT = "out"
    OPEN = "open"


def _words(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


@attrs.frozen(kw_only=True)
class Occasion:
    """What a fault is about, and when it strikes. What is about no traffic happens to the venue itself.

    Attributes:
        name: For people and counters; in a file, its number where it has none.
        venue: ``spot`` or ``futures``; both without it.
        http: The request's path, as a glob without the query.
        method: The request's method.
        websocket: The client's frames, the venue's frames, or the handshake.
        path: The path of the WebSocket, as a glob.
        contains: Texts that must all be in the frame, or in the request's target or body.
        lacks: Texts of which none may be there.
        nth: Only the nth that matches, counted from 1.
        every: Every so many that match.
        chance: How likely it strikes.
        times: How often at most.
        after: Seconds after which it begins.
    """

    name: str = ""
    venue: str | None = None
    http: str | None = None
    method: str | None = None
    websocket: Where | None = attrs.field(default=None, converter=attrs.converters.optional(Where))
    path: str = "*"
    contains: tuple[str, ...] = attrs.field(default=(), converter=_words)
    lacks: tuple[str, ...] = attrs.field(default=(), converter=_words)
    nth: int | None = None
    every: int | None = None
    chance: float = 1.0
    times: int | None = None
    after: float = 0.0

    def __attrs_post_init__(self) -> None:
        if self.http is not None and self.websocket is not None:
            raise ConfigError(_ABOUT)
        if self.method is not None and self.http is None:
            raise ConfigError("method: only a fault of http requests has one")
        for name in ("nth", "every", "times"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}: {value} is not above zero")
        if self.nth is not None and self.every is not None:
            raise ConfigError("nth, every: a fault has one of them, not both")
        if not 0 < self.chance <= 1:
            raise ConfigError(f"chance: {self.chance} is not above 0 and at most 1")

    @property
    def is_about_traffic(self) -> bool:
        return self.http is not None or self.websocket is not None

    def is_about_request(self, method: str, path: str, text: str) -> bool:
        """Return whether an HTTP request is meant; *text* is its target and body."""
        return (
            self.http is not None
            and self.method in (None, method)
            and fnmatchcase(path, self.http)
            and self._fits(text)
        )

    def is_about_frame(self, where: Where, path: str, frame: str) -> bool:
        """Return whether a frame (or a handshake) on a WebSocket at *path* is meant."""
        return self.websocket is where and self._fits(frame) and (self.path == "*" or fnmatchcase(path, self.path))

    def _fits(self, text: str) -> bool:
        return all(word in text for word in self.contains) and not any(word in text for word in self.lacks)


@attrs.frozen(kw_only=True)
class Fault(Occasion):
    """One rule. Of several that strike at once, the first one acts."""

    action: Action

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.is_about_traffic:
            self._check_venue()
            return
        allowed = _ALLOWED[self.websocket]
        if not isinstance(self.action, allowed):
            about = "an http request" if self.websocket is None else f'websocket = "{self.websocket}"'
            names = ", ".join(word for word, kind in WORDS.items() if issubclass(kind, allowed))
            raise ConfigError(f"action: {self.action.word} does not fit {about}; what does: {names}")

    def _check_venue(self) -> None:
        if not isinstance(self.action, actions.OnVenue):
            raise ConfigError(_ABOUT)
        for name in _OF_TRAFFIC:
            if getattr(self, name) != getattr(attrs.fields(Occasion), name).default:
                raise ConfigError(f"{name}: {self.action.word} without http or websocket happens once, after = SECONDS")


_ABOUT = 'say what the fault is about: either http = "PATH" or websocket = "in", "out" or "open"'
_OF_TRAFFIC = ("path", "contains", "lacks", "nth", "every", "chance", "times")
_ANY = (actions.Pass, actions.OnVenue)
_ALLOWED: Mapping[Where | None, tuple[type[Action], ...]] = {
    None: (*_ANY, actions.OnRequest),
    Where.OPEN: (*_ANY, actions.OnHandshake),
    Where.IN: (*_ANY, actions.OnFrame),
    Where.OUT: (*_ANY, actions.OnFrame),
}


_CLASSES = frozenset({Occasion.__name__, *(kind.__name__ for kind in WORDS.values())})


@attrs.frozen(kw_only=True)
class FaultSchedule:
    """All faults of a run. The same seed gives the same choices at the same traffic."""

    seed: int = 0
    faults: tuple[Fault, ...] = ()

    def plus(self, faults: Iterable[Fault]) -> FaultSchedule:
        """Return this schedule with more at its end; those without a name get their number."""
        more = [
            fault if fault.name else attrs.evolve(fault, name=str(number))
            for number, fault in enumerate(faults, len(self.faults) + 1)
        ]
        return attrs.evolve(self, faults=(*self.faults, *more))

    def of(self, venue: str) -> FaultSchedule:
        """Return what concerns one venue."""
        return attrs.evolve(self, faults=tuple(fault for fault in self.faults if fault.venue in (None, venue)))


def read_faults(path: str | Path, venues: Iterable[str] | None = None) -> FaultSchedule:
    """Read a schedule from a TOML file.

    Args:
        venues: What ``venue`` may name.

    Raises:
        ConfigError: Names the file, the fault and the key, and what would have been right.
    """
    try:
        data = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{path}: cannot be read: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    try:
        return parse_faults(data, venues)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def read_fault(text: str, venues: Iterable[str] | None = None) -> Fault:
    """Read one fault from a line: the keys of a file's table with ``=`` between key and value, and blanks between them.

    Values are TOML's; text that is one word needs no quotes.

    Raises:
        ConfigError: Says what is wrong and what would have been right.
    """
    table: dict[str, Any] = {}
    at = 0
    for found in _PAIR.finditer(text):
        if text[at : found.start()].strip():
            break
        key, value = found.groups()
        if key in table:
            raise ConfigError(f"{key}: it is there twice")
        table[key] = _value(value)
        at = found.end()
    if rest := text[at:].strip():
        raise ConfigError(f"{rest!r} does not read; expected KEY=VALUE, such as nth=1 or contains='two words'")
    return parse_fault(table, venues)


_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*')"""
_LIST = rf"""\[(?:{_QUOTED}|[^\]"'])*\]"""
_TABLE = rf"""\{{(?:{_QUOTED}|[^}}"'])*\}}"""
_PAIR = re.compile(rf"([A-Za-z_]+)\s*=\s*({_QUOTED}|{_LIST}|{_TABLE}|\S+)(?=\s|$)")


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if text[0] in "\"'[{":
            raise ConfigError(f"{text}: not TOML: {error}") from None
        return text  # one word, such as a path


def parse_faults(data: Mapping[str, Any], venues: Iterable[str] | None = None) -> FaultSchedule:
    """Make a schedule of what such a file holds."""
    _refuse_unknown(data, ("seed", "faults"), "")
    seed, tables = data.get("seed", 0), data.get("faults", [])
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ConfigError(f"seed: {seed!r} is not a whole number")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError("faults: write each one as a table [[faults]]")
    faults = []
    for number, table in enumerate(tables, 1):
        where = f"fault {number}" + (f" ({table['name']})" if "name" in table else "")
        try:
            faults.append(parse_fault({"name": str(number), **table}, venues))
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
    return FaultSchedule(seed=seed, faults=tuple(faults))


def parse_fault(table: Mapping[str, Any], venues: Iterable[str] | None = None) -> Fault:
    """Make one fault of a table, as such a file has it."""
    try:
        fault = _fault(table)
    except ExchangeError as error:
        raise ConfigError(_without_class(error)) from None
    if venues is not None and fault.venue is not None:
        _refuse_unknown([fault.venue], tuple(venues), "venue: ")
    return fault


def _fault(table: Mapping[str, Any]) -> Fault:
    word = table.get("action")
    if not isinstance(word, str) or word not in WORDS:
        guess = did_you_mean(word, WORDS) if isinstance(word, str) else ""
        raise ConfigError(f"action: {word!r} is none{guess}; there are: {', '.join(WORDS)}")
    kind = WORDS[word]
    general = [field.name for field in attrs.fields(Occasion)]
    own = [field.name for field in attrs.fields(kind)]
    _refuse_unknown(table, ("action", *general, *own), "")
    occasion = structure({key: _as_list(key, table[key]) for key in general if key in table}, Occasion)
    action = structure({key: table[key] for key in own if key in table}, kind)
    return Fault(**attrs.asdict(occasion, recurse=False), action=action)


def _without_class(error: Exception) -> str:
    """Return what is wrong, without the class that the table was read as."""
    text = str(error)
    kind, colon, rest = text.partition(": ")
    return rest if colon and kind in _CLASSES else text


def _as_list(key: str, value: object) -> object:
    return [value] if key in ("contains", "lacks") and isinstance(value, str) else value


def _refuse_unknown(given: Iterable[str], known: Sequence[str], what: str) -> None:
    for key in given:
        if key not in known:
            raise ConfigError(f"{what}{key!r} is none{did_you_mean(key, known)}; there are: {', '.join(known)}")
