"""From rows of the wire to values: fields that bear the same name mean the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, cast

import attrs
import msgspec

from exchange_core.errors import InvalidValue, ProtocolError
from kraken_futures.numbers import number
from kraken_futures.pages import Rows, Table, Unreadable

K = TypeVar("K")
R = TypeVar("R")
T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

DAMAGE = (msgspec.MsgspecError, UnicodeError, RecursionError, ProtocolError, InvalidValue, OverflowError)

_log = logging.getLogger(__name__)


def made(kind: type[T], raw: msgspec.Struct, /, **given: Any) -> T:
    """Make a *kind* from the fields of *raw* that have the names of its own, and from what is *given*.

    Numbers are checked, times without a zone are UTC.
    """
    values = dict(given)
    for field in attrs.fields(kind):  # type: ignore[arg-type]  # every kind is an attrs class
        name = field.name
        if name not in values and name in raw.__struct_fields__:
            values[name] = _value(getattr(raw, name), name)
    return kind(**values)


def _value(value: Any, name: str) -> Any:
    if isinstance(value, Decimal):
        return number(value, name)
    if isinstance(value, datetime):
        return aware(value)
    return tuple(value) if isinstance(value, list) else value


def aware(time: datetime) -> datetime:
    """Return *time*, in UTC where it has no zone."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def word(kind: type[W], text: str) -> W | str:
    """Return *text* as one of the words of *kind*; words that we do not know stay as they are."""
    try:
        return kind(text)
    except ValueError:
        return text


def optional_word(kind: type[W], text: str | None) -> W | str | None:
    """Return :func:`word` of text that may be missing."""
    return None if text is None else word(kind, text)


def chosen(kind: type[W], value: object, what: str) -> W:
    """Return one of our words for something that is asked for.

    Raises:
        InvalidValue: Lists the words there are.
    """
    try:
        return kind(str(value))
    except ValueError:
        raise InvalidValue(f"{what}: {value!r} is none of {', '.join(kind)}") from None


def readable(
    rows: Iterable[msgspec.Raw], kind: type[R], build: Callable[[R], T], what: str
) -> tuple[list[T], tuple[Unreadable, ...]]:
    """Read *rows* one by one, so that one that is damaged does not hide the others."""
    good: list[T] = []
    bad: list[Unreadable] = []
    for raw in rows:
        try:
            good.append(build(decoder(cast(Hashable, kind)).decode(raw)))
        except DAMAGE as problem:
            _log.warning("%s: a row does not read as documented: %s", what, problem)
            bad.append(Unreadable(str(problem), bytes(raw)))
    return good, tuple(bad)


def rows(raws: Iterable[msgspec.Raw], kind: type[R], build: Callable[[R], T], what: str) -> Rows[T]:
    """Return what :func:`readable` can read of a complete list, and with it what cannot be read."""
    good, bad = readable(raws, kind, build, what)
    return Rows.of(good, bad)


def table(raws: Iterable[msgspec.Raw], kind: type[R], build: Callable[[R], tuple[K, T]], what: str) -> Table[K, T]:
    """Return what of a complete list can be read, by the name of each row, and with it what cannot be read."""
    good, bad = readable(raws, kind, build, what)
    return Table.of(good, bad)


@lru_cache(maxsize=64)
def decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """Return what decodes a *kind*; numbers of no fixed place stay exact, too."""
    return msgspec.json.Decoder(cast(Any, kind), float_hook=Decimal)
