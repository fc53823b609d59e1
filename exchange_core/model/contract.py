"""The arithmetic of futures: linear contracts pay in the quote asset, inverse ones in the base asset.

Of a linear contract one unit stands for base units, of an inverse one for quote units, whose worth in the base asset
goes with 1/price; that makes averages of its prices harmonic. Sums and products are exact; a quotient is kept to 34
significant digits.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, TypeVar

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import EXACT, exact, ratio
from exchange_core.model.symbol import Symbol
from exchange_core.model.units import Amount, Contracts, Number, Price

T = TypeVar("T")

# The formulas, for numbers whose units are known to be right. *size* is a quantity times the contract size.


def profit(inverse: bool, size: Decimal, entry: Decimal, price: Decimal) -> Decimal:
    """Return what *size* (below zero: short) gains from *entry* to *price*, in the settlement asset."""
    with localcontext(EXACT):
        moved = size * (price - entry)
        return ratio(moved, entry * price) if inverse else moved


def worth(inverse: bool, size: Decimal, price: Decimal) -> Decimal:
    """Return what *size* is worth in the settlement asset, with its sign."""
    return ratio(size, price) if inverse else EXACT.multiply(size, price)


def average(inverse: bool, size: Decimal, entry: Decimal, more: Decimal, price: Decimal) -> Decimal:
    """Return the entry price after *more* in the same direction: harmonic for inverse contracts, else arithmetic."""
    if not size or entry == price:
        return price
    with localcontext(EXACT):
        if inverse:
            return ratio((size + more) * entry * price, size * price + more * entry)
        return ratio(size * entry + more * price, size + more)


def _settled(symbol: Symbol) -> Symbol:
    symbol = Symbol.of(symbol)
    if symbol.settle not in (symbol.base, symbol.quote):
        raise InvalidValue(f"{symbol}: no contract that pays in its base or its quote asset")
    return symbol


def _size(value: Number) -> Decimal:
    size = exact(value, "contract_size")
    if size <= 0:
        raise InvalidValue(f"contract_size: {size} is not above zero")
    return size


@attrs.frozen
class Contract:
    """A linear or an inverse contract, and what quantities of it are worth.

    Attributes:
        size: What one unit of quantity stands for: base units (linear) or quote units (inverse).
    """

    symbol: Symbol = attrs.field(converter=_settled)
    size: Decimal = attrs.field(default=Decimal(1), converter=_size)

    @classmethod
    def of(cls, instrument: Instrument) -> Contract:
        """Return the contract of *instrument*.

        Raises:
            InvalidValue: It is spot, or pays in a third asset.
        """
        return cls(instrument.symbol, instrument.contract_size)

    @property
    def is_inverse(self) -> bool:
        return self.symbol.is_inverse

    @property
    def settle(self) -> str:
        """The asset that profit, fees, funding and margin are counted in."""
        return self.symbol.base if self.is_inverse else self.symbol.quote

    def contracts(self, quantity: Number) -> Contracts:
        """Return a quantity as orders count it; below zero is short."""
        return Contracts(quantity, self.symbol)

    def price(self, value: Number) -> Price:
        """Return a price of this contract or of its index."""
        return Price(value, self.symbol.base, self.symbol.quote)

    def amount(self, value: Number) -> Amount:
        """Return an amount of the settlement asset."""
        return Amount(value, self.settle)

    def in_base(self, held: Contracts, price: Price) -> Amount:
        """Return the base units that *held* stands for at *price*; short is below zero."""
        size = self._size_of(held)
        value = worth(True, size, self._price(price)) if self.is_inverse else size
        return Amount(value, self.symbol.base)

    def in_quote(self, held: Contracts, price: Price) -> Amount:
        """Return the quote units that *held* stands for at *price*; short is below zero."""
        size = self._size_of(held)
        value = size if self.is_inverse else worth(False, size, self._price(price))
        return Amount(value, self.symbol.quote)

    def contracts_for(self, amount: Amount, price: Price) -> Contracts:
        """Return the quantity that *amount* of base or quote is at *price*; not rounded to what can be ordered."""
        counted = self.symbol.quote if self.is_inverse else self.symbol.base
        self._price(price)
        amount = _checked(amount, Amount)
        units = amount if amount.asset == counted else price.of(amount)
        return self.contracts(ratio(units.value, self.size))

    def notional(self, held: Contracts, price: Price) -> Amount:
        """Return the worth of *held* in the settlement asset, without a sign."""
        return self.amount(worth(self.is_inverse, self._size_of(held).copy_abs(), self._price(price)))

    def profit(self, held: Contracts, entry: Price, exit: Price) -> Amount:
        """Return what *held* gains between two prices; a loss is below zero."""
        return self.amount(profit(self.is_inverse, self._size_of(held), self._price(entry), self._price(exit)))

    def average(self, held: Contracts, entry: Price, more: Contracts, price: Price) -> Price:
        """Return the entry price after *more* in the same direction."""
        sizes = self._size_of(held), self._size_of(more)
        if sizes[0] * sizes[1] < 0:
            raise InvalidValue(f"{more} makes {held} smaller; the entry price stays")
        return self.price(average(self.is_inverse, sizes[0], self._price(entry), sizes[1], self._price(price)))

    def share(self, held: Contracts, price: Price, rate: Number) -> Amount:
        """Return *rate* of the notional: a fee (a rebate is below zero) or a margin. A rate is a fraction."""
        return self.notional(held, price).times(rate)

    def funding(self, held: Contracts, rate: Amount, hours: Number = 1) -> Amount:
        """Return what funding brings *held*: with a rate above zero longs pay (below zero) and shorts receive.

        Args:
            rate: Absolute: settlement asset per contract and hour. A relative one is no Amount and is refused; see
                :meth:`absolute_funding`.
        """
        self._settles(rate)
        with localcontext(EXACT):
            return self.amount(-self._counted(held) * rate.value * exact(hours, "hours"))

    def relative_funding(self, rate: Amount, index: Price) -> Decimal:
        """Return an absolute rate as a fraction of the index price."""
        self._settles(rate)
        with localcontext(EXACT):
            if self.is_inverse:
                return ratio(rate.value * self._price(index), self.size)
            return ratio(rate.value, self.size * self._price(index))

    def absolute_funding(self, rate: Number, index: Price) -> Amount:
        """Return a relative rate, a fraction of the index price, as an amount per contract."""
        with localcontext(EXACT):
            fraction = exact(rate, "rate") * self.size
        return self.amount(worth(self.is_inverse, fraction, self._price(index)))

    def _counted(self, held: Contracts) -> Decimal:
        if _checked(held, Contracts).symbol != self.symbol:
            raise InvalidValue(f"{held} is no quantity of {self.symbol}")
        return held.value

    def _size_of(self, held: Contracts) -> Decimal:
        return EXACT.multiply(self._counted(held), self.size)

    def _price(self, price: Price) -> Decimal:
        price = _checked(price, Price)
        if (price.base, price.quote) != (self.symbol.base, self.symbol.quote):
            raise InvalidValue(f"{price} is no price of {self.symbol}")
        return price.value

    def _settles(self, amount: Amount) -> None:
        if _checked(amount, Amount).asset != self.settle:
            raise InvalidValue(f"{amount}: {self.symbol} is counted in {self.settle}")


def _checked(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is {type(value).__name__}; expected {kind.__name__}")
    return value
