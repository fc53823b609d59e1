"""Take keys, signatures, nonces, tokens, challenges and cookies out of traffic before it is written down.

What holds a secret is known by name, over all venues: headers, form and query fields, JSON fields, however they are
nested in each other. A secret that was met under its name is remembered, and taken out wherever else it stands. A name
too many costs a digit in a recording; a name too few costs a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

SCRUBBED = "SCRUBBED"
"""Stands for what is secret."""

NO_NONCE = "0"
"""Stands for a nonce where an answer tells of the key that asks: who reads that expects a whole number."""

# Compared in lower case and without dashes and underscores: the whole name, or any part of it.
_NAMES = frozenset({"authent", "authorization", "key", "nonce", "otp", "passwd", "pwd", "sig", "sign"})
_PARTS = (
    *("apikey", "apisecret", "apisign", "challenge", "cookie", "listenkey", "nonce", "passphrase", "password"),
    *("privatekey", "secret", "signature", "token"),
)
# Says where the next page of a list begins, and how far a nonce may lie back.
_HARMLESS = frozenset({"continuationtoken", "nextcontinuationtoken", "noncewindow"})

# There are assets called KEY, COOKIE, OTP and TOKEN. What is said under their names is an object or an amount.
_CODE = re.compile(r"[A-Z0-9]+(?:[./][A-Z0-9]+)?")
_AMOUNT = re.compile(r'"-?\d+\.\d+"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
_LITERALS = ("null", "true", "false")

# Shorter texts are parts of ordinary words, words are said elsewhere, and numbers come up by chance.
_SHORTEST = 8
_LONGEST_WORD = 16

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_FIELD = re.compile(r'("(?:[^"\\]|\\.)*")\s*:\s*', re.DOTALL)
# Without any of these a text can hold neither fields nor pairs nor an address with a password.
_NESTING = frozenset("{=@")
_DEEPEST = 8  # nothing honest is nested deeper
_PAIR = re.compile(r"""(?<![^?&;,\s"'<>])([^?&;,\s"'<>=]+)=([^&\s"'<>]*)""")
_USER = re.compile(r"(?<=://)[^/?#@\s]*(?=@)")
# The one frame that names its secret by what it is, not by a field.
_CHALLENGE = re.compile(r'"event"\s*:\s*"challenge"')
# The one answer that has a nonce: it tells what the key is that asks.
_ABOUT_A_KEY = re.compile(r'"api_?key_?name"\s*:', re.IGNORECASE)
_NONCE = re.compile(r'"\d+"|\d+')
_COOKIE = re.compile(r"(?:^|;)\s*[^=;]+=([^;]*)")


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Return whether a header or field of this name holds a secret."""
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    if bare in _HARMLESS:
        return False
    return bare in _NAMES or any(part in bare for part in _PARTS)


class Scrubber:
    """Scrubs the traffic of one run.

    Args:
        secrets: What must not show, whatever it is called.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        for secret in secrets:
            self._learn(secret)

    def __repr__(self) -> str:
        return "Scrubber()"

    def headers(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return *values* with the secret ones replaced."""
        return {name: self._header(name, value) for name, value in values.items()}

    def text(self, text: str) -> str:
        """Return a body, an address or a frame with every field that holds a secret replaced.

        What stays has its own form to the last digit: a form is still a form, JSON is still JSON.
        """
        return self._named(self.known(text), 0)

    def known(self, text: str) -> str:
        """Return *text* with everything replaced that was met as a secret by now, under whatever name it stands."""
        # The longest first: one secret may be part of another.
        for secret in sorted((s for s in self._known if s in text), key=len, reverse=True):
            text = text.replace(secret, SCRUBBED)
        return text

    def _learn(self, secret: str) -> None:
        is_word = secret.isalpha() and len(secret) < _LONGEST_WORD
        if len(secret) >= _SHORTEST and not secret.isdigit() and not is_word and secret != SCRUBBED:
            self._known |= {secret, quote(secret, safe=""), quote_plus(secret), secret.replace("/", "\\/")}

    def _header(self, name: str, value: str) -> str:
        if not is_secret(name):
            return self.text(value)
        if "cookie" in name.lower():
            for cookie in _COOKIE.findall(value)[: 1 if name.lower() == "set-cookie" else None]:
                self._learn(cookie.strip())
        elif words := value.split():
            self._learn(words[-1])  # after the scheme, as in "Bearer ..."
        return SCRUBBED

    def _named(self, text: str, depth: int) -> str:
        """Scrub what stands under the name of a secret, in *text* and in what is nested in it."""
        if depth > _DEEPEST:
            return SCRUBBED
        if text.lstrip()[:1] in ("{", "["):
            return self._json(text, depth)
        text = self._json(_USER.sub(SCRUBBED, text), depth)
        return _PAIR.sub(lambda match: self._pair(match, depth), text)

    def _pair(self, match: re.Match[str], depth: int) -> str:
        """Scrub one ``name=value`` of a form, a query or a cookie."""
        name, value = match.groups()
        plain = unquote_plus(value)
        if is_secret(unquote_plus(name)):
            self._learn(plain)
            return f"{name}={SCRUBBED if value else ''}"
        scrubbed = self._named(plain, depth + 1) if set(plain) & _NESTING else plain
        return match.group() if scrubbed == plain else f"{name}={quote_plus(scrubbed)}"

    def _json(self, text: str, depth: int) -> str:
        """Scrub what there is of JSON in *text*, which may be damaged or only hold some."""
        return _STRING.sub(lambda match: self._string(match, depth), self._fields(text))

    def _fields(self, text: str) -> str:
        done: list[str] = []
        start = at = 0
        challenged = _CHALLENGE.search(text) is not None
        is_about_a_key = _ABOUT_A_KEY.search(text) is not None
        while field := _FIELD.search(text, at):
            at = field.end()
            name = _decoded(field[1])
            if is_secret(name) or (challenged and name == "message"):
                end, value = _value_at(text, at)
                if not _is_about_an_asset(name, text[at:end]):
                    for secret in _strings(value):
                        self._learn(secret)
                    is_nonce = is_about_a_key and name == "nonce" and _NONCE.fullmatch(text[at:end]) is not None
                    done += [text[start:at], f'"{NO_NONCE if is_nonce else SCRUBBED}"']
                    start = at = end
        return "".join([*done, text[start:]])

    def _string(self, match: re.Match[str], depth: int) -> str:
        """Scrub what is nested in one string of JSON."""
        literal = match.group()
        if not set(literal) & _NESTING:
            return literal
        content = _decoded(literal)
        scrubbed = self._named(content, depth + 1)
        return literal if scrubbed == content else json.dumps(scrubbed)


def _value_at(text: str, start: int) -> tuple[int, Any]:
    """Return where the JSON value that begins at *start* ends, and itself; of a damaged one, all that follows."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return len(text), text[start:]
    return end, value


def _is_about_an_asset(name: str, literal: str) -> bool:
    """Return whether *literal* is no secret, although *name* could be that of one."""
    if literal in _LITERALS:
        return True
    if not _CODE.fullmatch(name) or name == "NONCE":
        return False
    return literal[:1] in "{[" or _AMOUNT.fullmatch(literal) is not None


def _decoded(literal: str) -> str:
    if "\\" not in literal:
        return literal[1:-1]
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return literal[1:-1]


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
