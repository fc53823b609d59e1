"""Wire time stamps to aware datetimes. Python keeps microseconds; finer digits are cut."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchange_core.errors import ProtocolError
from exchange_core.model.number import EXACT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"\.(\d+)")


def from_rfc3339(text: str) -> datetime:
    """Read ``2026-10-09T00:34:21.169750Z``, with any number of decimals and with or without the Z.

    Raises:
        ProtocolError: When it is no such time.
    """
    cut = _FRACTION.sub(lambda m: "." + (m[1] + "000000")[:6], text, count=1)
    try:
        moment = datetime.fromisoformat(cut)
    except ValueError:
        raise ProtocolError(f"time: {text!r} is not RFC 3339") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def to_rfc3339(moment: datetime, timespec: str = "milliseconds") -> str:
    """Write a UTC time with a Z."""
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def from_millis(value: int) -> datetime:
    """Read epoch milliseconds."""
    return _EPOCH + timedelta(milliseconds=value)


def to_millis(moment: datetime) -> int:
    """Write epoch milliseconds."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_seconds(value: Decimal | int | str) -> datetime:
    """Read epoch seconds with a fraction, exactly to the microsecond."""
    return _EPOCH + timedelta(microseconds=int(EXACT.multiply(Decimal(value), 1_000_000)))


def to_seconds(moment: datetime) -> Decimal:
    """Write epoch seconds with a fraction."""
    return Decimal((moment - _EPOCH) // timedelta(microseconds=1)).scaleb(-6, EXACT)
