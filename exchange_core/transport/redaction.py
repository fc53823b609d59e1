"""The one place that keeps secrets out of logs and errors.

A :class:`Redactor` knows the texts that must never show: keys and secrets for good, signatures and tokens for a while.
Everything that the transport logs or raises goes through it.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

LOGGER = "exchange_core.transport"
MASK = "[redacted]"

# Shorter texts are parts of ordinary words, and hiding those hides what a message says.
_SHORTEST = 4
# Messages quote answers in part, so the beginning of a secret is hidden like the whole.
_BEGINNING = 8
# The latest of each kind: those of calls that may still be answered, with room to spare.
_PASSING = 256


class Redactor:
    """Hides known secrets in texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lasting: set[str] = set()
        self._passing: dict[str, deque[str]] = {}
        self.add(*secrets)

    def __repr__(self) -> str:
        return "Redactor()"

    def add(self, *secrets: str) -> None:
        """Hide *secrets* from here on."""
        for secret in secrets:
            self._lasting |= _spellings(secret)

    def add_passing(self, kind: str, *secrets: str) -> None:
        """Hide *secrets* that are soon replaced, such as signatures; the latest few hundred of each kind are kept."""
        self._passing.setdefault(kind, deque(maxlen=_PASSING)).extend(secrets)

    def redact(self, text: str) -> str:
        """Return *text* with every known secret replaced, also one that was cut off after its beginning."""
        passing = (_spellings(secret) for kept in self._passing.values() for secret in kept)
        spans = sorted(span for secrets in (self._lasting, *passing) for s in secrets for span in _places(text, s))
        parts, at = [], 0
        for start, end in spans:
            if start >= at:
                parts += [text[at:start], MASK]
            at = max(at, end)
        return "".join([*parts, text[at:]])

    def scrub(self, error: BaseException) -> None:
        """Redact the texts of *error* and of all that it was raised from."""
        seen: set[int] = set()
        queue: list[BaseException | None] = [error]
        while queue:
            current = queue.pop()
            if current is None or id(current) in seen:
                continue
            seen.add(id(current))
            current.args = tuple(self._argument(value) for value in current.args)
            queue += [current.__cause__, current.__context__]

    def _argument(self, value: object) -> object:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, bytes):
            return self.redact(value.decode("latin-1")).encode("latin-1")
        return value


def _places(text: str, secret: str) -> Iterator[tuple[int, int]]:
    """Yield where *secret*, or its beginning, stands in *text*."""
    start = text.find(secret[:_BEGINNING])
    while start >= 0:
        end = start
        while end < len(text) and end - start < len(secret) and text[end] == secret[end - start]:
            end += 1
        yield start, end
        start = text.find(secret[:_BEGINNING], end)


@lru_cache(maxsize=4 * _PASSING)
def _spellings(secret: str) -> frozenset[str]:
    """Return the ways in which *secret* may be written: as it is, in a URL, in JSON that escapes slashes."""
    if len(secret) < _SHORTEST:
        return frozenset()
    return frozenset({secret, quote(secret, safe=""), secret.replace("/", "\\/")})


class RedactingLogger(logging.LoggerAdapter[logging.Logger]):
    """Writes to a logger of the standard library what a redactor leaves.

    Args:
        quietest: Records below this level are not made at all.

    Attributes:
        redact: What it does to texts.
    """

    def __init__(self, name: str, redactor: Redactor, quietest: int = logging.NOTSET) -> None:
        super().__init__(logging.getLogger(name), {})
        self.redact = redactor.redact
        self._quietest = quietest

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 (the standard library's name)
        return level >= self._quietest and self.logger.isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        # The traceback becomes text here: a handler would format the exception behind our back.
        if error := kwargs.pop("exc_info", None):
            lines = traceback.format_exception(error) if isinstance(error, BaseException) else [traceback.format_exc()]
            msg = f"{msg}\n{''.join(lines)}"
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if not self.isEnabledFor(level):
            return
        text, rest = self.process(str(msg) % args if args else str(msg), kwargs)
        rest["stacklevel"] = rest.get("stacklevel", 1) + 1
        self.logger.log(level, "%s", self.redact(str(text)), **rest)
