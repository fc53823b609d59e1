"""Model values to JSON and back: Decimals as strings, symbols as text, times as RFC 3339, spans of time as ISO 8601.

Also reads plain tables, such as those of a TOML file, into attrs classes, with errors that name the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from exchange_core.errors import ExchangeError, InvalidValue, ProtocolError
from exchange_core.model.book import OrderBook
from exchange_core.model.market import Level
from exchange_core.model.number import exact, plain
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset
from exchange_core.model.time import from_rfc3339, to_rfc3339

T = TypeVar("T")


def unstructure(value: object) -> Any:
    """Return *value* as dicts, lists, strings, whole numbers, booleans and None."""
    return _CONVERTER.unstructure(value)


def structure(data: object, kind: type[T]) -> T:
    """Return a *kind* made from *data*, the reverse of :func:`unstructure`.

    Raises:
        InvalidValue: Names the field, what was found and what would have been right.
    """
    try:
        return _CONVERTER.structure(data, kind)
    except cattrs.StructureHandlerNotFoundError as error:
        raise InvalidValue(f"{_name(kind)}: a field of it cannot be read: {error.message}") from None
    except cattrs.BaseValidationError as error:
        raise InvalidValue(f"{_name(kind)}: {'; '.join(_explain(error, ''))}") from None
    except (ExchangeError, ValueError, TypeError) as error:
        raise InvalidValue(f"{_name(kind)}: {error}") from None


def dumps(value: object) -> str:
    """Return *value* as one line of JSON."""
    return json.dumps(unstructure(value), ensure_ascii=False, separators=(",", ":"))


def loads(text: str | bytes, kind: type[T]) -> T:
    """Read one JSON document as a *kind*.

    Raises:
        InvalidValue: For text that is no JSON, and as :func:`structure` does.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InvalidValue(f"{_name(kind)}: not JSON: {error}") from None
    return structure(data, kind)


def _decimal(value: object, _: object) -> Decimal:
    try:
        return exact(value, "number")
    except InvalidValue as error:
        # The path that is put in front of it says better what it is.
        raise InvalidValue(str(error).removeprefix("number: ")) from None


def _float(value: object, _: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise InvalidValue(f"{value!r} is {_kind(value)}; expected a number")
    if not isfinite(value):
        raise InvalidValue(f"{value} is not finite; expected a number")
    return float(value)


def _strict(kind: type[T]) -> Callable[[object, object], T]:
    """Return a hook that takes a *kind* and nothing that could be turned into one."""

    def take(value: object, _: object) -> T:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InvalidValue(f"{value!r} is {_kind(value)}; expected {_KINDS.get(kind, kind.__name__)}")
        return value

    return take


def _time(value: object, _: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise InvalidValue(f"{value!r} is {_kind(value)}; expected a time as RFC 3339 text")
    try:
        return from_rfc3339(value)
    except ProtocolError as error:
        raise InvalidValue(str(error)) from None


def _span(value: object, _: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidValue(f"{value!r} is no span of time; expected seconds as in PT90S")
    whole, fraction = found.groups(default="")
    return timedelta(seconds=int(whole), microseconds=int(fraction.ljust(6, "0")))


def _span_text(span: timedelta) -> str:
    return f"PT{plain(Decimal(span // timedelta(microseconds=1)).scaleb(-6).normalize())}S"


def _time_or_span(value: object, kind: object) -> datetime | timedelta | None:
    if value is None and type(None) in get_args(kind):
        return None
    is_span = isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P"))
    return _span(value, kind) if is_span else _time(value, kind)


def _is_time_or_span(kind: object) -> bool:
    kinds = set(get_args(kind)) - {type(None)}
    return kinds == {datetime, timedelta}


def _level(value: object, _: object) -> Level:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidValue(f"{value!r} is no level; expected [price, quantity]")
    return Level(exact(value[0], "price"), exact(value[1], "quantity"))


def _table(kind: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    take_fields = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def take(value: object, _: object) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidValue(f"found {_kind(value)}; expected a table of {kind.__name__}")
        return take_fields(value, kind)

    return take


def _choice(value: object, kind: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise InvalidValue(f"{value!r} is none of {', '.join(str(member.value) for member in kind)}") from None


_SPAN = re.compile(r"PT([0-9]{1,9})(?:\.([0-9]{1,6}))?S", re.ASCII)

_FOUND: Mapping[type, str] = {
    bool: "a boolean",
    int: "a whole number",
    float: "a float",
    str: "text",
    dict: "a table",
    list: "a list",
    type(None): "nothing",
}
_KINDS: Mapping[type, str] = {str: "text", int: "a whole number", bool: "true or false"}


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))


def _kind(value: object) -> str:
    return _FOUND.get(type(value), type(value).__name__)


def _explain(error: BaseException, path: str) -> list[str]:
    """Return one sentence for each thing that was wrong, with the path to it."""
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return [f"{_join(path, key)}: no such field" for key in sorted(error.extra_fields)]
    if isinstance(error, BaseExceptionGroup):
        lines = []
        for part in error.exceptions:
            where = path
            for note in getattr(part, "__notes__", ()):
                name = getattr(note, "name", None) or getattr(note, "index", None)
                where = path if name is None else _join(path, name)
            lines.extend(_explain(part, where))
        return lines
    if isinstance(error, KeyError):
        return [f"{path or error.args[0]}: missing"]
    if isinstance(error, cattrs.StructureHandlerNotFoundError):
        return [f"{path}: {error.message}"]
    return [f"{path}: {error}" if path else str(error)]


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _make() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_unstructure_hook(Decimal, plain)
    converter.register_unstructure_hook(Symbol, str)
    converter.register_unstructure_hook(Offset, str)
    converter.register_unstructure_hook(datetime, lambda moment: to_rfc3339(moment, "microseconds"))
    converter.register_unstructure_hook(timedelta, _span_text)
    converter.register_unstructure_hook(Level, lambda level: [plain(level.price), plain(level.quantity)])
    converter.register_unstructure_hook(OrderBook, lambda book: converter.unstructure(book.snapshot()))
    hooks: dict[type, Callable[[Any, Any], Any]] = {
        Decimal: _decimal,
        float: _float,
        int: _strict(int),
        str: _strict(str),
        bool: _strict(bool),
        Symbol: lambda value, _: Symbol.of(value),
        Offset: lambda value, _: Offset.of(value),
        datetime: _time,
        timedelta: _span,
        Level: _level,
        # A kind of text too, so that it must be told apart from text.
        StrEnum: _choice,
    }
    for kind, hook in hooks.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_func(_is_time_or_span, _time_or_span)
    converter.register_structure_hook_factory(attrs.has, lambda kind: _table(kind, converter))
    return converter


_CONVERTER = _make()
