"""What is known of one JSON value, as data: the fields of an object, the words of a text, what a list holds.

Wire structs leave out what they do not name, which is right for reading and hides what is new. A shape is made of the
structs that read a message, of the fields that are known and not read, and of the words that are in a table; ``look``
tells what of a value is in none of them. Nothing here reads meaning, and nothing here fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

import attrs
import msgspec

Tell = Callable[[str, str, Any], None]
"""Takes what sort of drift it is (``field``, ``word``, ``kind``), where, and the value."""


class Shape(Protocol):
    """What is known of one value."""

    def look(self, value: Any, where: str, tell: Tell) -> None:
        """Tell what of *value* is not known; null never is news."""
        ...


class Anything:
    """A value that is not looked into."""

    def look(self, value: Any, where: str, tell: Tell) -> None:
        pass


ANYTHING = Anything()


@attrs.frozen
class Words:
    """A text that is one word of a table, or several with commas between them."""

    known: frozenset[str]
    is_list: bool = False
    folded: bool = False

    def look(self, value: Any, where: str, tell: Tell) -> None:
        if value is None or value == "":
            return
        if not isinstance(value, str):
            tell("kind", where, value)
            return
        for word in value.split(",") if self.is_list else (value,):
            if (word.lower() if self.folded else word) not in self.known:
                tell("word", where, word)


def words(*known: str | Iterable[str], is_list: bool = False, folded: bool = False) -> Words:
    """Return the shape of a text: each of *known* is words with blanks between them, or a table of words.

    Args:
        is_list: The text holds several, with commas.
        folded: Capitals do not count.
    """
    found = {str(word) for table in known for word in (table.split() if isinstance(table, str) else table)}
    return Words(frozenset(word.lower() for word in found) if folded else frozenset(found), is_list, folded)


@attrs.frozen
class Known:
    """A text that a function knows."""

    knows: Callable[[str], bool]

    def look(self, value: Any, where: str, tell: Tell) -> None:
        if isinstance(value, str) and value and not self.knows(value):
            tell("word", where, value)


@attrs.frozen
class Record:
    """An object with these fields; *inside* are those that are looked into."""

    names: frozenset[str]
    inside: Mapping[str, Shape]

    def look(self, value: Any, where: str, tell: Tell) -> None:
        if not isinstance(value, dict):
            if value is not None:
                tell("kind", where, value)
            return
        for name in value.keys() - self.names:
            tell("field", f"{where}.{name}", value[name])
        for name, shape in self.inside.items():
            if name in value:
                shape.look(value[name], f"{where}.{name}", tell)


@attrs.frozen
class Each:
    """A list, or an object whose keys are ids, with entries of one shape."""

    entry: Shape

    def look(self, value: Any, where: str, tell: Tell) -> None:
        look = self.entry.look
        if isinstance(value, list):
            where += "[]"
            for entry in value:
                look(entry, where, tell)
        elif isinstance(value, dict):
            where += ".*"
            for entry in value.values():
                look(entry, where, tell)
        elif value is not None:
            tell("kind", where, value)


@attrs.frozen
class Row:
    """A list with a meaning for each place."""

    columns: int
    inside: Mapping[int, Shape] = attrs.field(factory=dict)

    def look(self, value: Any, where: str, tell: Tell) -> None:
        if not isinstance(value, list):
            if value is not None:
                tell("kind", where, value)
            return
        for place in range(self.columns, len(value)):
            tell("field", f"{where}.{place}", value[place])
        for place, shape in self.inside.items():
            if place < len(value):
                shape.look(value[place], f"{where}.{place}", tell)


@attrs.frozen
class Either:
    """An object of one shape, or a list or a text of another."""

    record: Shape
    other: Shape

    def look(self, value: Any, where: str, tell: Tell) -> None:
        (self.record if isinstance(value, dict) else self.other).look(value, where, tell)


def record(*structs: type[msgspec.Struct], also: str = "", **inside: Shape) -> Record:
    """Return the shape of an object that these structs read.

    Args:
        also: Fields that are known and not read, with blanks between them.
        inside: The shapes of fields, where the structs do not say them; ``type_`` stands for ``type``.
    """
    names, shapes = set(also.split()), dict[str, Shape]()
    for struct in structs:
        tag = struct.__struct_config__.tag_field
        names.update([tag] if tag else ())
        for field in msgspec.structs.fields(struct):
            names.add(field.encode_name)
            shape = shape_of(field.type)
            if shape is not ANYTHING:
                shapes[field.encode_name] = _merged(shapes.get(field.encode_name, ANYTHING), shape)
    shapes.update((name.removesuffix("_"), shape) for name, shape in inside.items())
    return Record(frozenset(names | shapes.keys()), shapes)


def same(names: str, shape: Shape) -> dict[str, Any]:
    """Return *shape* under each of these names."""
    return dict.fromkeys(names.split(), shape)


def shape_of(kind: Any) -> Shape:
    """Return the shape of what is read as *kind*; undecoded values are not looked into."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return shape_of(inner[0])
    if origin in (Union, UnionType):
        made: Shape = ANYTHING
        for each in inner:
            if each is not NoneType:
                made = _merged(made, shape_of(each))
        return made
    if origin in (list, dict):
        entry = shape_of(inner[-1])
        return ANYTHING if entry is ANYTHING else Each(entry)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind.__struct_config__.array_like:
            return Row(len(kind.__struct_fields__))
        return record(kind)
    return ANYTHING


def _merged(one: Shape, other: Shape) -> Shape:
    if one is ANYTHING or other is ANYTHING:
        return other if one is ANYTHING else one
    if isinstance(one, Record) and isinstance(other, Record):
        shapes = dict(one.inside)
        for name, shape in other.inside.items():
            shapes[name] = _merged(shapes.get(name, ANYTHING), shape)
        return Record(one.names | other.names, shapes)
    if isinstance(one, Each) and isinstance(other, Each):
        return Each(_merged(one.entry, other.entry))
    return Either(one, other) if isinstance(one, Record) else Either(other, one)
