"""Take keys, signatures, tokens and cookies out of traffic before it is written down.

What carries a secret is known by name, over all venues: headers, form fields, JSON fields. A name too many costs a
digit in a recording; a name too few costs a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SCRUBBED = "SCRUBBED"

_HEADERS = frozenset(
    {"api-key", "api-sign", "apikey", "authent", "authorization", "cookie", "nonce", "otp", "set-cookie"}
)
_FIELDS = (
    "api_key",
    "api_secret",
    "apiKey",
    "nonce",
    "original_challenge",
    "otp",
    "password",
    "secret",
    "signature",
    "signed_challenge",
    "token",
)
_JSON = re.compile(rf'("(?:{"|".join(_FIELDS)})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|-?\d+)')
_ESCAPED_JSON = re.compile(rf'(\\"(?:{"|".join(_FIELDS)})\\"\s*:\s*\\")(?:(?!\\").)*(?=\\")')
_FORM = re.compile(rf"((?:^|&)(?:{'|'.join(_FIELDS)})=)[^&\s]*")
# A venue's challenge is signed with the secret: with both sides of it, guesses can be tried.
_CHALLENGE = re.compile(r'("event"\s*:\s*"challenge"\s*,\s*"message"\s*:\s*)"[^"]*"')


def headers(values: Mapping[str, str]) -> dict[str, str]:
    """Return *values* with the secret ones replaced."""
    return {name: SCRUBBED if _is_secret(name) else value for name, value in values.items()}


def text(value: str) -> str:
    """Return a body, query or frame with every field that holds a secret replaced.

    What stays has the same form: a form is still a form, JSON is still JSON.
    """
    value = _JSON.sub(rf'\g<1>"{SCRUBBED}"', value)
    value = _ESCAPED_JSON.sub(rf"\g<1>{SCRUBBED}", value)
    value = _CHALLENGE.sub(rf'\g<1>"{SCRUBBED}"', value)
    return _FORM.sub(rf"\g<1>{SCRUBBED}", value)


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in _HEADERS or any(word in lowered for word in ("token", "secret", "signature"))
