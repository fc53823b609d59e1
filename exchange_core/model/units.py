"""Numbers that carry what they count, so that dollars, coins and contracts cannot be mixed up.

Sums, differences and comparisons of different things raise; there is no way from one to another but over a
:class:`Price` or a :class:`~exchange_core.model.contract.Contract`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.number import EXACT, exact, plain, ratio
from exchange_core.model.symbol import Symbol

U = TypeVar("U", "Amount", "Contracts")

Number = Decimal | int | str


def _number(value: Number) -> Decimal:
    # What was computed may be finer than any number that is taken from outside.
    return value if isinstance(value, Decimal) and value.is_finite() else exact(value, "value")


def _symbol(value: Symbol | str) -> Symbol:
    return Symbol.of(value)


def _above_zero(_: object, attribute: attrs.Attribute[Decimal], value: Decimal) -> None:
    if value <= 0:
        raise InvalidValue(f"price: {plain(value)} is not above zero")


@attrs.frozen
class Amount:
    """So much of one asset; below zero is owed or paid."""

    value: Decimal = attrs.field(converter=_number)
    asset: str = attrs.field(validator=attrs.validators.instance_of(str))

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.asset}"

    def __add__(self, other: Amount) -> Amount:
        return _joined(self, other, EXACT.add, self.asset, "added to")

    def __sub__(self, other: Amount) -> Amount:
        return _joined(self, other, EXACT.subtract, self.asset, "taken from")

    def __neg__(self) -> Amount:
        return Amount(self.value.copy_negate() if self.value else self.value, self.asset)

    def __abs__(self) -> Amount:
        return Amount(self.value.copy_abs(), self.asset)

    def __lt__(self, other: Amount) -> bool:
        return _compared(self, other) < 0

    def __le__(self, other: Amount) -> bool:
        return _compared(self, other) <= 0

    def __gt__(self, other: Amount) -> bool:
        return _compared(self, other) > 0

    def __ge__(self, other: Amount) -> bool:
        return _compared(self, other) >= 0

    def __bool__(self) -> bool:
        return bool(self.value)

    def times(self, factor: Number) -> Amount:
        """Return *factor* times as much; a factor is a bare number, such as a rate or a count of hours."""
        return Amount(EXACT.multiply(self.value, exact(factor, "factor")), self.asset)


@attrs.frozen
class Contracts:
    """So many units of one contract's quantity, as orders count them; below zero is short or sold.

    They stand for base units (linear) or quote units (inverse) only through a ``Contract``.
    """

    value: Decimal = attrs.field(converter=_number)
    symbol: Symbol = attrs.field(converter=_symbol)

    def __str__(self) -> str:
        return f"{plain(self.value)} of {self.symbol}"

    def __add__(self, other: Contracts) -> Contracts:
        return _joined(self, other, EXACT.add, self.symbol, "added to")

    def __sub__(self, other: Contracts) -> Contracts:
        return _joined(self, other, EXACT.subtract, self.symbol, "taken from")

    def __neg__(self) -> Contracts:
        return Contracts(self.value.copy_negate() if self.value else self.value, self.symbol)

    def __abs__(self) -> Contracts:
        return Contracts(self.value.copy_abs(), self.symbol)

    def __bool__(self) -> bool:
        return bool(self.value)


@attrs.frozen
class Price:
    """How much of *quote* one unit of *base* costs."""

    value: Decimal = attrs.field(converter=_number, validator=_above_zero)
    base: str
    quote: str

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.base}/{self.quote}"

    def of(self, amount: Amount) -> Amount:
        """Return what *amount* is worth at this price: an amount of base in quote, or of quote in base.

        The second is a quotient, to 34 significant digits.

        Raises:
            InvalidValue: It is of a third asset.
        """
        if not isinstance(amount, Amount):
            raise TypeError(f"{amount!r} is no Amount")
        if amount.asset == self.base:
            return Amount(EXACT.multiply(amount.value, self.value), self.quote)
        if amount.asset == self.quote:
            return Amount(ratio(amount.value, self.value), self.base)
        raise InvalidValue(f"{amount} has no worth at a price of {self.base} in {self.quote}")


def total(amounts: list[Amount], asset: str) -> Amount:
    """Return the sum; nothing is 0 of *asset*."""
    result = Amount(Decimal(0), asset)
    for amount in amounts:
        result += amount
    return result


def _joined(one: U, other: U, operation: Callable[[Decimal, Decimal], Decimal], unit: str | Symbol, how: str) -> U:
    if type(other) is not type(one):
        raise TypeError(f"{other!r} cannot be {how} {one}")
    if _unit(other) != _unit(one):
        raise InvalidValue(f"{other} cannot be {how} {one}")
    return type(one)(operation(one.value, other.value), unit)  # type: ignore[arg-type]  # each has its own unit


def _compared(one: Amount, other: Amount) -> int:
    if not isinstance(other, Amount):
        raise TypeError(f"{one} cannot be compared with {other!r}")
    if other.asset != one.asset:
        raise InvalidValue(f"{one} cannot be compared with {other}")
    return (one.value > other.value) - (one.value < other.value)


def _unit(value: Amount | Contracts) -> str | Symbol:
    return value.asset if isinstance(value, Amount) else value.symbol
