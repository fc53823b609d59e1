"""Read what clients send and write what Kraken Spot would answer: envelopes, arguments, numbers with their zeros.

See https://docs.kraken.com/exchange/guides/rest/introduction
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from exchange_core.connector.rest import HttpReply
from exchange_core.model.time import to_rfc3339, to_seconds

_LARGEST_EXPONENT = 30
_WORDS = {"true": True, "false": False}
# Open point: lower case is documented, and one call minds; Python clients in wide use send this to the others.
_PYTHON_WORDS = {"True": True, "False": False}
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Refused(Exception):
    """The venue's answer is an error; *code* is the text on the wire."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def invalid(name: str) -> Refused:
    """Return the error for an argument that cannot be used."""
    return Refused(f"EGeneral:Invalid arguments:{name}")


# ── numbers and times on the wire ──


def fixed(value: Decimal, decimals: int) -> str:
    """Write exactly *decimals* decimals, trailing zeros included."""
    return f"{value:.{decimals}f}"


def padded(value: Decimal, decimals: int) -> str:
    """Write at least *decimals* decimals: booked amounts are padded and never cut."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals:
        text = format(value, "f").rstrip("0")
        missing = decimals - len(text.partition(".")[2])
        return text + "0" * missing if missing > 0 else text
    return f"{value:.{decimals}f}"


def number(text: str) -> msgspec.Raw:
    """Return *text* as a JSON number with the digits it has."""
    return msgspec.Raw(text)


def seconds(moment: datetime) -> msgspec.Raw:
    """Return epoch seconds with their fraction, as a JSON number."""
    return msgspec.Raw(format(to_seconds(moment).normalize(), "f"))


def stamp(moment: datetime) -> str:
    """Return the microsecond time stamp of WebSocket frames."""
    return to_rfc3339(moment, "microseconds")


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


# ── replies ──


def success(result: object) -> HttpReply:
    return _reply(200, msgspec.json.encode({"error": [], "result": result}))


def failure(code: str) -> HttpReply:
    """Errors of the application come with HTTP 200 and without a result."""
    return _reply(200, msgspec.json.encode({"error": [code]}))


def file(content: bytes) -> HttpReply:
    """Return a zip file, which comes without an envelope."""
    return HttpReply(200, {"content-type": "application/zip"}, content)


def not_found() -> HttpReply:
    """What stands in front of the API answers paths outside of it, and not in JSON."""
    body = b"<html><head><title>404 Not Found</title></head><body>404 Not Found</body></html>"
    return HttpReply(404, {"content-type": "text/html"}, body)


def _reply(status: int, body: bytes) -> HttpReply:
    return HttpReply(status, {"content-type": "application/json; charset=utf-8"}, body)


# ── arguments ──


def decode(data: str | bytes) -> Any:
    """Read JSON with exact numbers.

    Raises:
        ValueError: When it is none, or holds a number that nobody can write out.
    """
    try:
        return _decode(data)
    except (msgspec.DecodeError, InvalidOperation, RecursionError, UnicodeError) as error:
        raise ValueError("no JSON") from error


def read_query(text: str) -> Arguments:
    return Arguments(dict(parse_qsl(text, keep_blank_values=True, errors="replace")))


def read_body(body: bytes, content_type: str) -> Arguments:
    """Read a form or a JSON object.

    Raises:
        Refused: When it is neither.
    """
    if "json" not in content_type.lower():
        return read_query(body.decode("utf-8", "replace"))
    try:
        values = decode(body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise Refused("EAPI:Bad request")
    return Arguments(values)


class Arguments:
    """The arguments of one call. Text and JSON values both count; empty text is the same as none."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None and value != ""}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        return list(self._values)

    def raw(self, name: str) -> Any:
        return self._values.get(name)

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise invalid(name)
        return value if isinstance(value, str) else _plain(value, name)

    def required(self, name: str) -> str:
        if name not in self._values:
            raise invalid(name)
        return self.text(name)

    def choice(self, name: str, choices: tuple[str, ...], default: str = "") -> str:
        value = self.text(name, default)
        if value not in choices:
            raise invalid(name)
        return value

    def decimal(self, name: str) -> Decimal:
        value = read_decimal(self.required(name))
        if value is None:
            raise invalid(name)
        return value

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        if name not in self._values:
            return default
        value = read_decimal(self.text(name))
        if value is None or value != value.to_integral_value() or not least <= value <= most:
            raise invalid(name)
        return int(value)

    def flag(self, name: str, *, strict: bool = False) -> bool:
        """Return a flag; *strict* where the venue is known to mind how Python prints it."""
        value = self._values.get(name, False)
        if isinstance(value, bool):
            return value
        words = _WORDS if strict else _WORDS | _PYTHON_WORDS
        known = words.get(value) if isinstance(value, str) else None
        if known is None:
            raise invalid(name)
        return known

    def words(self, name: str) -> list[str]:
        """Return a comma-separated list; a JSON list of text counts too."""
        value = self._values.get(name)
        if isinstance(value, list):
            if not all(isinstance(item, str) for item in value):
                raise invalid(name)
            return list(value)
        return [word.strip() for word in self.text(name).split(",") if word.strip()]


def read_decimal(text: str) -> Decimal | None:
    """Return the plain decimal number in *text*, or None."""
    if not text.isascii() or len(text) > 60:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if within_reach(value) else None


def within_reach(value: Decimal) -> bool:
    """Whether *value* is finite and can be written out; beyond that lies only mischief."""
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_LARGEST_EXPONENT and value.adjusted() <= _LARGEST_EXPONENT


def _plain(value: int | Decimal, name: str) -> str:
    exact = Decimal(value)
    if not within_reach(exact):
        raise invalid(name)
    return format(exact, "f")
