"""Numbers for reading. The objects keep the exact ones."""

from __future__ import annotations

from decimal import Context, Decimal

from exchange_core.model.number import EXACT, plain

_DIGITS = 12
_ROUNDING = Context(prec=200)


def trim(value: Decimal) -> Decimal:
    """Return the same number without zeros at its end."""
    return value.normalize(EXACT)


def cut(value: Decimal, digits: int = _DIGITS) -> Decimal:
    """Round to *digits* significant digits, but never before the point, and trim."""
    places = max(digits - 1 - value.adjusted(), 0)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        value = value.quantize(Decimal(1).scaleb(-places), context=_ROUNDING)
    return trim(value)


def exactly(value: Decimal) -> str:
    """Return all digits that matter, plain."""
    return plain(trim(value))


def roughly(value: Decimal) -> str:
    """Return what a reader needs of a quotient or a product, plain."""
    return plain(cut(value))
