"""Exact numbers at the door: text, int and Decimal come in, floats do not."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)

from exchange_core.errors import InvalidValue

type_names = "a Decimal, an int or a string of digits"

# For ``with localcontext(EXACT)``: sums and products are exact or raise; nothing is rounded in silence.
EXACT = Context(prec=200, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow])

_RATIO = Context(prec=34, rounding=ROUND_HALF_EVEN)

# No market counts in larger or finer numbers, and with these every step of one can be told.
_LARGEST, _FINEST = 60, 60
_STEPS = Context(prec=200, traps=[DivisionByZero, InvalidOperation, Overflow])


def exact(value: object, what: str = "number") -> Decimal:
    """Return *value* as a finite Decimal.

    Args:
        value: A Decimal, an int or a string such as ``"0.01"``.
        what: What the number is, for the message.

    Raises:
        InvalidValue: For floats (they cannot hold most decimal fractions), bools, NaN, infinities, numbers far from
            all that is traded, and other text.
    """
    number = value if type(value) is Decimal else _read(value, what)
    if not number.is_finite():
        raise InvalidValue(f"{what}: {value!r} is not finite")
    text = str(number)
    if len(text) <= _FINEST and "E" not in text:
        # So short, and without an exponent, it is neither too large nor too fine; taking it apart costs more.
        return number
    exponent = number.as_tuple().exponent
    if number.adjusted() > _LARGEST or (isinstance(exponent, int) and exponent < -_FINEST):
        raise InvalidValue(f"{what}: {number} is too large or too fine a number; up to {_LARGEST} digits are taken")
    return number


def _read(value: object, what: str) -> Decimal:
    if type(value) is str:
        return _decimal(value, what)
    if isinstance(value, float):
        raise InvalidValue(
            f'{what}: {value!r} is a float and floats are not exact; write it as "{value!r}" or Decimal("{value!r}")'
        )
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise InvalidValue(f"{what}: {value!r} is {type(value).__name__}; expected {type_names}")
    return _decimal(value, what)


def _decimal(value: Decimal | int | str, what: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise InvalidValue(f"{what}: {value!r} is not a number; expected {type_names}") from None


def plain(value: Decimal) -> str:
    """Return *value* in plain digits, never with an exponent: ``0.00000051``, not ``5.1E-7``."""
    return format(value, "f")


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Return whether *value* is a whole number of *step*."""
    return _STEPS.remainder(value, step) == 0


def nearest(value: Decimal, step: Decimal) -> Decimal:
    """Round to the nearest multiple of *step*; a tie goes to the even one."""
    return _round(value, step, ROUND_HALF_EVEN)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Round down to a multiple of *step*."""
    return _round(value, step, ROUND_FLOOR)


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Round up to a multiple of *step*."""
    return _round(value, step, ROUND_CEILING)


def _round(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return _STEPS.multiply(_STEPS.divide(value, step).to_integral_value(rounding), step)


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a multiple of *step* can have: 1 for 0.5, 0 for 1 and for 1000."""
    exponent = step.normalize(EXACT).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum, whatever the caller's decimal context."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def ratio(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return a quotient to 34 significant digits, the one place where a number may have to be rounded."""
    return _RATIO.divide(dividend, divisor)
