"""How WebSocket v2 requests are read and refused.

A failure has no ``result``; the symbol it is about stands beside the error.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from kraken_spot.simulator.codec import within_reach

T = TypeVar("T")

Params = dict[str, Any]
Reply = dict[str, Any]

_NAMES = {str: "a string", bool: "a boolean", int: "an integer", list: "an array"}


class FieldError(Exception):
    """A request that does not read as documented; *text* goes to the client."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def field(params: Params, name: str, kind: type[T], default: T | None = None) -> T:
    """Return a field of the right kind.

    Raises:
        FieldError: It is missing without a default, or of another kind.
    """
    value = params.get(name)
    if value is None:
        if default is None:
            raise wrong(name, _NAMES[kind])
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise wrong(name, _NAMES[kind])
    return value


def wrong(name: str, expected: str) -> FieldError:
    return FieldError(f"{name.capitalize()} field must be {expected}")


def amount(params: Params, name: str) -> Decimal | None:
    """Return a number that came as a JSON number; text is refused, as it is by the venue."""
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise wrong(name, "a number_float")
    exact = Decimal(value)
    if not within_reach(exact):
        raise wrong(name, "a number_float")
    return exact


def texts(params: Params, name: str) -> list[str]:
    """Return a list of text; empty when it is not there."""
    values: list[Any] = field(params, name, list, [])
    if not all(isinstance(value, str) for value in values):
        raise wrong(name, "an array of strings")
    return values


def symbols(params: Params) -> list[str]:
    """Return the pairs that a subscription names, each once."""
    names = params.get("symbol")
    # Open point: the answer to a list without a name is not known; here it is that to no list, so that there is one.
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise wrong("symbol", "an array")
    return list(dict.fromkeys(names))


def failed(error: str, symbol: str | None = None) -> Reply:
    reply: Reply = {"error": error, "success": False}
    return reply if symbol is None else {**reply, "symbol": symbol}


def done(result: Reply, then: list[str] | None = None) -> Reply:
    """Return a success and the frames that follow it."""
    reply: Reply = {"result": result, "success": True}
    return {**reply, "then": then} if then else reply
