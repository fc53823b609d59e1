"""State of a simulated venue as JSON and back, by its types: every digit, and maps whatever their keys are.

``serde`` is for people's eyes and drops trailing zeros; here a price comes back as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, get_args, get_origin

import cattrs
import msgspec

from exchange_core.connector.simulation import SavedWire
from exchange_core.errors import InvalidValue
from exchange_core.model.symbol import Symbol

_MICROSECOND = timedelta(microseconds=1)


def dump(value: object, kind: Any) -> Any:
    """Return *value*, which is of the type *kind*, as dicts, lists, strings, numbers, booleans and None."""
    return CONVERTER.unstructure(value, kind)


def load(data: Any, kind: Any) -> Any:
    """Return what :func:`dump` was given.

    Raises:
        InvalidValue: It is nothing that :func:`dump` returned for *kind*.
    """
    try:
        return CONVERTER.structure(data, kind)
    except (cattrs.BaseValidationError, cattrs.StructureHandlerNotFoundError, ArithmeticError, ValueError) as error:
        raise InvalidValue(f"saved state: {error}") from error
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        raise InvalidValue(f"saved state: {type(error).__name__}: {error}") from error


class Room:
    """A part of a wire protocol that keeps something.

    Attributes:
        KEEPS: The names and types of what it keeps.
    """

    KEEPS: ClassVar[Mapping[str, Any]] = {}

    def saved(self) -> dict[str, Any]:
        """Return what it keeps as JSON."""
        return {name: dump(getattr(self, name), kind) for name, kind in self.KEEPS.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take back what :meth:`saved` returned, as far as it is there.

        Raises:
            InvalidValue: It does not read.
        """
        for name, kind in self.KEEPS.items():
            if name in saved:
                setattr(self, name, load(saved[name], kind))


class Rooms:
    """A wire protocol that keeps what its rooms keep, each by its name in ``_rooms``, and nothing else."""

    _rooms: Mapping[str, SavedWire]

    def saved(self) -> dict[str, Any]:
        """Return what it keeps beside the exchange, as JSON."""
        return {name: room.saved() for name, room in self._rooms.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take back what :meth:`saved` returned.

        Raises:
            InvalidValue: It does not read.
        """
        for name, room in self._rooms.items():
            room.restore(saved.get(name, {}))


_AS_TOLD = "as told"
AsTold = Annotated[dict[str, Any], _AS_TOLD]
"""What is told as it stands: anything that JSON can hold, with its digits."""

_READER = msgspec.json.Decoder(Any, float_hook=msgspec.Raw)


def _converter() -> cattrs.Converter:
    made = cattrs.Converter(unstruct_collection_overrides={Set: sorted})
    made.register_unstructure_hook(Decimal, str)
    made.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    made.register_unstructure_hook(datetime, datetime.isoformat)
    made.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    made.register_unstructure_hook(timedelta, lambda span: span // _MICROSECOND)
    made.register_structure_hook(timedelta, lambda count, _: count * _MICROSECOND)
    made.register_unstructure_hook(Symbol, str)
    made.register_structure_hook(Symbol, lambda text, _: Symbol.parse(text))
    made.register_unstructure_hook_func(_is_as_told, lambda value: msgspec.json.encode(value).decode())
    made.register_structure_hook_func(_is_as_told, lambda text, _: _READER.decode(text))
    made.register_structure_hook_func(_is_named_tuple, lambda values, kind: kind(*values))
    made.register_unstructure_hook_factory(_is_odd_map, _odd_map_out)
    made.register_structure_hook_factory(_is_odd_map, _odd_map_in)
    return made


def _is_odd_map(kind: Any) -> bool:
    """Whether it is a map whose keys are no texts, which JSON does not have."""
    return get_origin(kind) is dict and get_args(kind)[0] is not str


def _is_as_told(kind: Any) -> bool:
    return bool(kind == AsTold)


def _is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _odd_map_out(kind: Any) -> Callable[[dict[Any, Any]], list[Any]]:
    key, value = get_args(kind)
    return lambda found: [[dump(name, key), dump(each, value)] for name, each in found.items()]


def _odd_map_in(kind: Any) -> Callable[[list[Any], Any], dict[Any, Any]]:
    key, value = get_args(kind)
    return lambda rows, _: {CONVERTER.structure(a, key): CONVERTER.structure(b, value) for a, b in rows}


CONVERTER = _converter()
