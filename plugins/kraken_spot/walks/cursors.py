"""Where a walk through the past stands, as text: JSON that is checked when it comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec

from exchange_core.errors import InvalidValue

C = TypeVar("C", bound="Cursor")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253_402_300_799

Micros = Annotated[int, msgspec.Meta(ge=0, le=_LATEST * 1_000_000)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=_LATEST)]


class Cursor(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What each of them has in common: fields that stand at their defaults are not written."""

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def read(text: str, kind: type[C]) -> C:
    """Read a cursor.

    Raises:
        InvalidValue: When it is none of this walk.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise InvalidValue(f"cursor: {text[:60]!r} is none of this history: {problem}") from None


def to_micros(moment: datetime) -> int:
    """Write epoch microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
