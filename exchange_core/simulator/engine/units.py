"""Money as whole numbers: every amount is an int of its smallest part, so that sums can never drift.

Decimals appear only at the face. The conversions here are exact or refuse; none of them rounds.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, DivisionByZero, Inexact, InvalidOperation, Overflow

from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.model.number import plain

# Wide enough for every sum that a simulation can reach; what does not fit is an error and not a rounding.
_EXACT = Context(prec=120, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])

FINE = 30
"""Decimals of a *fine* amount: the value of a trade before it is cut to what an asset's books keep."""

_RATE_DECIMALS = 12
RATE: int = 10**_RATE_DECIMALS
"""A fee or margin rate of 1, as an int."""

_LARGEST = 40  # digits; beyond that a number is a joke or an attack, and an int of it would eat the memory


def to_decimal(units: int, decimals: int) -> Decimal:
    """Return ``units / 10**decimals`` with *decimals* decimals."""
    return _EXACT.scaleb(Decimal(units), -decimals)


def to_units(value: Decimal, decimals: int, what: str = "amount") -> int:
    """Return *value* in units of its last decimal.

    Raises:
        InvalidValue: When it has more decimals than that.
    """
    units = whole_steps(value, Decimal(1).scaleb(-decimals))
    if units is None:
        raise InvalidValue(f"{what}: {value} is not a number with at most {decimals} decimals")
    return units


def whole_steps(value: Decimal, step: Decimal) -> int | None:
    """Return how often *step* goes into *value*; None unless that is a whole number of sane size."""
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST:
        return None
    try:
        steps, rest = _EXACT.divmod(value, step)
    except DecimalException:
        return None
    return None if rest else int(steps)


def times(step: Decimal, steps: int) -> Decimal:
    """Return *step* times *steps*, exactly."""
    return _EXACT.multiply(step, steps)


def scaled(value: Decimal, decimals: int, what: str) -> int:
    """Return a setting as an int of *decimals* decimals.

    Raises:
        ConfigError: When it has more.
    """
    units = whole_steps(value, Decimal(1).scaleb(-decimals))
    if units is None:
        raise ConfigError(f"{what}: {plain(value)} has more than {decimals} decimals")
    return units


def rate(value: Decimal, what: str) -> int:
    """Return a rate as an int out of ``RATE``."""
    return scaled(value, _RATE_DECIMALS, what)


def product(*factors: Decimal) -> Decimal:
    """Return the exact product."""
    result = Decimal(1)
    for factor in factors:
        result = _EXACT.multiply(result, factor)
    return result


def ceil_div(number: int, divisor: int) -> int:
    """Divide, rounding up."""
    return -(-number // divisor)


def nearest_div(number: int, divisor: int) -> int:
    """Divide, rounding to the nearest; a tie goes up."""
    return (2 * number + divisor) // (2 * divisor)


def floor_steps(value: Decimal, step: Decimal) -> int:
    """Return how many whole times *step* goes into *value*."""
    return int(_EXACT.divmod(value, step)[0])
