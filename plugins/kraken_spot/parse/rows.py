"""From records of the wire to values: fields of one name mean the same, and one damaged record hides no other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

import attrs
import msgspec

from exchange_core.errors import InvalidValue, ProtocolError
from kraken_spot.dialect import decoder
from kraken_spot.parse import common as parse

R = TypeVar("R")
T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

_DAMAGE = (msgspec.MsgspecError, UnicodeError, RecursionError, ProtocolError, InvalidValue, OverflowError)


@attrs.frozen
class Unreadable:
    """A record that does not read as documented, kept so that nothing is lost in silence.

    Attributes:
        id: The venue's id of it, or its place in the list.
    """

    id: str
    problem: str
    raw: bytes = attrs.field(repr=False)


@attrs.frozen
class Listing(Generic[T]):
    """Records of an answer that is complete, in the venue's order."""

    items: tuple[T, ...]
    unreadable: tuple[Unreadable, ...] = ()


@attrs.frozen
class Page(Generic[T]):
    """Some records of a long list, in the venue's order.

    Attributes:
        cursor: Text that the next page is asked for with; None at the end.
        count: How many records the whole list has, where the venue said so.
    """

    items: tuple[T, ...]
    cursor: str | None = None
    count: int | None = None
    unreadable: tuple[Unreadable, ...] = ()


def made(kind: type[T], raw: msgspec.Struct, /, **given: Any) -> T:
    """Make a *kind* from the fields of *raw* that have the names of its own, and from what is *given*.

    Numbers are checked on the way.
    """
    values = dict(given)
    for field in attrs.fields(kind):  # type: ignore[arg-type]  # every kind is an attrs class
        name = field.name
        if name not in values and name in raw.__struct_fields__:
            values[name] = _value(getattr(raw, name), name)
    return kind(**values)


def _value(value: Any, name: str) -> Any:
    if isinstance(value, Decimal):
        return parse.number(value, name)
    return tuple(value) if isinstance(value, list) else value


def word(kind: type[W], text: str) -> W | str:
    """Return *text* as one of the words of *kind*; words that we do not know stay as they are."""
    try:
        return kind(text)
    except ValueError:
        return text


def words(text: str | None) -> tuple[str, ...]:
    """Read a list that is written with commas."""
    return tuple(filter(None, (text or "").split(",")))


def readable(
    records: Mapping[str, msgspec.Raw] | Iterable[msgspec.Raw], kind: type[R], build: Callable[[str, R], T]
) -> Listing[T]:
    """Read *records* one by one.

    Args:
        build: Takes the id, or the place in the list, and what was read.
    """
    named = records.items() if isinstance(records, Mapping) else ((str(i), raw) for i, raw in enumerate(records))
    good: list[T] = []
    bad: list[Unreadable] = []
    for name, raw in named:
        try:
            good.append(build(name, decoder(cast(Hashable, kind)).decode(raw)))
        except _DAMAGE as problem:
            bad.append(Unreadable(name, str(problem), bytes(raw)))
    return Listing(tuple(good), tuple(bad))
