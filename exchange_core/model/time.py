"""Wire time stamps to aware datetimes. Python keeps microseconds; finer digits are cut."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchange_core.errors import ProtocolError
from exchange_core.model.number import EXACT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 10**12  # seconds; beyond lies no year, and a number that is slow to write out
_MICROSECONDS = len("2026-10-09T00:34:21.169750Z")
_TIME = re.compile(r"\d:\d\d")
_FRACTION = re.compile(r"\.(\d+)")


def from_rfc3339(text: str) -> datetime:
    """Read ``2026-10-09T00:34:21.169750Z``, with any number of decimals and with or without the Z.

    Raises:
        ProtocolError: When it is no such time, or only a date.
    """
    # Most have no more than six decimals, which Python reads as they are.
    short = len(text) <= _MICROSECONDS
    cut = text if short else _FRACTION.sub(lambda m: "." + (m[1] + "000000")[:6], text, count=1)
    try:
        moment = datetime.fromisoformat(cut)
    except ValueError:
        moment = None
    if moment is None or not _TIME.search(text):  # Python takes a bare date for its midnight
        raise ProtocolError(f"time: {text!r} is not RFC 3339")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def to_rfc3339(moment: datetime, timespec: str = "milliseconds") -> str:
    """Write a UTC time with a Z."""
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def from_millis(value: int) -> datetime:
    """Read epoch milliseconds.

    Raises:
        ProtocolError: When they lie outside of the years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        raise _wild(Decimal(value), "milliseconds") from None


def to_millis(moment: datetime) -> int:
    """Write epoch milliseconds."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_seconds(value: Decimal | int | str) -> datetime:
    """Read epoch seconds with a fraction, exactly to the microsecond.

    Raises:
        ProtocolError: When they are no number, or lie outside of the years 1 to 9999.
    """
    try:
        seconds = Decimal(value)
        if seconds.copy_abs() < _FAR:
            return _EPOCH + timedelta(microseconds=int(EXACT.multiply(seconds, 1_000_000)))
    except (ArithmeticError, ValueError):
        pass
    raise _wild(value if isinstance(value, str) else Decimal(value), "seconds")


def to_seconds(moment: datetime) -> Decimal:
    """Write epoch seconds with a fraction."""
    return Decimal((moment - _EPOCH) // timedelta(microseconds=1)).scaleb(-6, EXACT)


def _wild(value: Decimal | str, unit: str) -> ProtocolError:
    return ProtocolError(f"time: {value!s:.40} is no time in {unit} since 1970 that a year of four digits has")
