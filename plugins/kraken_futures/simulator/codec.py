"""Read what clients send and write what Kraken Futures would answer: envelopes, arguments, numbers.

See https://docs.kraken.com/api/docs/guides/futures-rest
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from exchange_core.connector.rest import HttpReply
from exchange_core.errors import ProtocolError
from exchange_core.model.time import from_rfc3339, to_rfc3339

_LARGEST_EXPONENT = 30
_PLACES = 12
_FINEST, _WIDE = Decimal(1).scaleb(-_PLACES), Context(prec=80)
_DECODER = msgspec.json.Decoder(Any, float_hook=Decimal)


class Refused(Exception):
    """A classic error: one word, most often with HTTP 200."""

    def __init__(self, word: str, status: int = 200) -> None:
        super().__init__(word)
        self.word = word
        self.status = status

    def reply(self, now: datetime) -> HttpReply:
        return json_reply({"result": "error", "error": self.word, "serverTime": iso(now)}, self.status)


class BadRequest(Exception):
    """An error of the newer kind: a list of codes, with the HTTP status in words."""

    def __init__(self, code: int, message: str, status: int = 400, word: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}
        self.status = status
        self.word = word

    def reply(self, now: datetime) -> HttpReply:
        body = {"status": self.word, "result": "error", "errors": [self.error], "serverTime": iso(now)}
        return json_reply(body, self.status)


class PlainText(Exception):
    """An error of the charts service, or for who asks history too often: text, and not JSON."""

    def __init__(self, text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.headers = headers or {}

    def reply(self, now: datetime) -> HttpReply:
        return HttpReply(self.status, {"content-type": "text/plain", **self.headers}, self.text.encode())


class Body(Exception):
    """An error that is a JSON body of its own."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body

    def reply(self, now: datetime) -> HttpReply:
        return json_reply(self.body, self.status)


def not_found() -> BadRequest:
    return BadRequest(0, "404 NOT_FOUND", 404, "NOT_FOUND")


def success(fields: dict[str, Any], now: datetime) -> HttpReply:
    return json_reply({"result": "success", **fields, "serverTime": iso(now)})


def json_reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpReply:
    return HttpReply(status, {"content-type": "application/json", **(headers or {})}, msgspec.json.encode(body))


# ── numbers and times on the wire ──


def digits(value: Decimal) -> str:
    """Write *value* without trailing zeros and without an exponent: ``61008``, ``61011.5``."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def with_point(value: Decimal) -> str:
    """Write *value* as the venue's floats print: ``39096.0``, ``0.0001``; long fractions are rounded."""
    exponent = value.as_tuple().exponent
    long = isinstance(exponent, int) and exponent < -_PLACES
    text = digits(value.quantize(_FINEST, context=_WIDE) if long else value)
    return text if "." in text else f"{text}.0"


def number(value: Decimal) -> msgspec.Raw:
    return msgspec.Raw(digits(value))


def real(value: Decimal) -> msgspec.Raw:
    """Return a JSON number that always has a point."""
    return msgspec.Raw(with_point(value))


def rate(value: Decimal) -> msgspec.Raw:
    """Return a funding rate with all its digits; there may be many."""
    return msgspec.Raw(digits(value) if value else "0.0")


def as_told(value: Any) -> Any:
    """Return a recorded value whose numbers are written as numbers again."""
    match value:
        case Decimal():
            return real(value)
        case dict():
            return {name: as_told(each) for name, each in value.items()}
        case list():
            return [as_told(each) for each in value]
    return value


def iso(moment: datetime) -> str:
    return to_rfc3339(moment)


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def decode(text: str) -> Any:
    """Decode JSON; numbers keep their digits.

    Raises:
        ValueError: *text* is no JSON.
    """
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError, ArithmeticError) as error:
        raise ValueError("no JSON") from error


# ── arguments ──


class Arguments:
    """The arguments of a call: its query, then its form body; a repeated name is a list."""

    def __init__(self, query: str, body: bytes = b"") -> None:
        self._values: dict[str, list[str]] = {}
        for text in (query.encode("utf-8", "replace").decode(), body.decode("utf-8", "replace")):
            for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
                self._values.setdefault(name, []).append(value)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Arguments:
        """Return what a JSON object says, as a form would say it; null is not there.

        Raises:
            Refused: One of the values is a list or an object.
        """
        made = cls("")
        for name, value in values.items():
            if isinstance(value, list | dict):
                raise illegal(name)
            if value is not None:
                made._values[name] = [str(value).lower() if isinstance(value, bool) else str(value)]
        return made

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, [default])[-1]

    def required(self, name: str) -> str:
        text = self.text(name)
        if not text:
            raise Refused("requiredArgumentMissing")
        return text

    def decimal(self, name: str) -> Decimal:
        value = read_decimal(self.required(name))
        if value is None:
            raise illegal(name)
        return value

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        if name not in self:
            return default
        value = read_decimal(self.text(name))
        if value is None or value != value.to_integral_value() or not least <= value <= most:
            raise illegal(name)
        return int(value)

    def flag(self, name: str) -> bool:
        text = self.text(name, "false")
        if text not in ("true", "false"):
            raise illegal(name)
        return text == "true"

    def maybe(self, name: str) -> Decimal | None:
        """Return a number that may be left out."""
        return self.decimal(name) if self.text(name) else None

    def choice(self, name: str, words: Mapping[str, Any]) -> Any:
        """Return what the word of an argument means; None where it is left out."""
        text = self.text(name)
        if text and text not in words:
            raise illegal(name)
        return words.get(text)

    def moment(self, name: str) -> datetime | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return from_rfc3339(text)
        except (ProtocolError, OverflowError):
            raise illegal(name) from None


def illegal(name: str) -> Refused:
    return Refused(f"invalidArgument: {name}")


def read_decimal(text: str) -> Decimal | None:
    """Return the number in *text*, or None when there is none or nobody could write it out."""
    if not text.isascii() or len(text) > 60:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_LARGEST_EXPONENT or value.adjusted() > _LARGEST_EXPONENT:
        return None
    return value
