"""What comes to the control port, read strictly: unknown keys and wrong kinds are named."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from exchange_core.model.number import exact
from exchange_core.plugins import did_you_mean

T = TypeVar("T")


class BadRequest(Exception):
    """What is asked makes no sense."""


class NoSuchThing(Exception):
    """It is about nothing that is there."""


class Body:
    """The body of a call: text, or one JSON object whose numbers keep their digits."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def text(self) -> str:
        try:
            return self._data.decode().strip()
        except UnicodeDecodeError:
            raise BadRequest("the body is not UTF-8") from None

    @property
    def is_json(self) -> bool:
        return self.text.startswith(("{", "["))

    def fields(self, known: Collection[str]) -> dict[str, Any]:
        """Return the object, which may have *known* keys."""
        found = self.json(Decimal)
        for key in found:
            if key not in known:
                raise BadRequest(f"{key!r} is none{did_you_mean(key, known)}; there are: {', '.join(known)}")
        return found

    def json(self, number: type[Decimal] | type[float]) -> dict[str, Any]:
        """Return the object; numbers with a point are of the kind *number*."""
        try:
            found = json.loads(self.text or "{}", parse_float=number, parse_constant=_refuse)
            json.dumps(found, default=str, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise BadRequest("the body has half a character") from None
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"the body is no JSON: {error}") from None
        if not isinstance(found, dict):
            raise BadRequest(f"the body is no JSON object: found {self.text[:40]}")
        return found


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no number")


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a text that must be there."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name}: found {value!r}, expected a text")
    return value


def texts(fields: Mapping[str, Any], name: str) -> list[str]:
    values = fields.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadRequest(f"{name}: found {values!r}, expected a list of texts")
    return values


def amount(fields: Mapping[str, Any], name: str) -> Decimal:
    """Return a number above zero that must be there."""
    value = number(fields.get(name), name)
    if value <= 0:
        raise BadRequest(f"{name}: {value} is not above zero")
    return value


def number(value: object, name: str) -> Decimal:
    """Return a number, which may be written as text."""
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise BadRequest(f"{name}: found {value!r}, expected a number")
    return exact(value, name)


def one_of(things: Mapping[str, T], name: str, what: str) -> T:
    """Return the thing called *name*."""
    if name not in things:
        some = ", ".join(list(things)[:10]) or "none"
        raise NoSuchThing(f"{what} {name!r} is none{did_you_mean(name, things)}; there are: {some}")
    return things[name]
