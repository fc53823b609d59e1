"""Numbers of Kraken Futures' JSON, exactly and within reason.

They are floats printed short (``39096.0``, ``1e-10``) or ints; decoded here they are their own digits. A
number that no market could mean is refused before anybody computes with it or prints it in full. Nothing here
depends on the caller's decimal context.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from exchange_core.errors import ProtocolError
from exchange_core.model.number import EXACT

_DIGITS = 40
_MAGNITUDE = 30


def number(value: Any, what: str = "number") -> Decimal:
    """Return a number of the wire (its text, an int or a Decimal) as a Decimal.

    Raises:
        ProtocolError: When it is none, not finite, or of a size that no market knows.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ProtocolError(f"{what}: expected a number, found {type(value).__name__}")
    try:
        exact = Decimal(value)
    except InvalidOperation:
        raise ProtocolError(f"{what}: {value[:40]!r} is not a number") from None  # type: ignore[index]
    if not exact.is_finite():
        raise ProtocolError(f"{what}: {exact} is not finite")
    if exact and (abs(exact.adjusted()) > _MAGNITUDE or len(exact.as_tuple().digits) > _DIGITS):
        raise ProtocolError(f"{what}: {exact:.6e} is out of all proportion")
    return exact or Decimal(0)


def optional(value: Any, what: str = "number") -> Decimal | None:
    """Return :func:`number` of a value that may be missing."""
    return None if value is None else number(value, what)


def fraction(percent: Any, what: str = "percentage") -> Decimal:
    """Return a percentage as a fraction: 0.02 is 0.0002."""
    with localcontext(EXACT):
        return number(percent, what).scaleb(-2)


def steps(value: Any, decimals: int) -> int:
    """Return a number as whole steps of its last decimal: ``39096.0`` with 1 decimal is 390960.

    Raises:
        ProtocolError: When it is no number, or needs more decimals than *decimals*.
    """
    sign, digits, exponent = number(value).as_tuple()
    assert isinstance(exponent, int)
    whole = int("".join(map(str, digits)))
    shift = exponent + decimals
    if shift >= 0:
        whole *= 10**shift
    else:
        whole, rest = divmod(whole, int(10**-shift))
        if rest:
            raise ProtocolError(f"number {value} has more than {decimals} decimals")
    return -whole if sign else whole


def decimals_in(value: Any) -> int:
    """Return how many decimals a number needs: none for ``39096.0``, ten for ``1e-10``."""
    _, digits, exponent = number(value).as_tuple()
    assert isinstance(exponent, int)
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, -exponent - trailing)
