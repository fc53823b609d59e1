"""Initial and maintenance margin of a position.

Margins are a share of the notional, by levels of size. Kraken does not say whether a level's rate is for the whole
position or for the part above its bound, so a margin is a range, and one number only where both come to the same.
Recorded figures take linear contracts at the entry price and inverse ones at the mark price.
See https://support.kraken.com/hc/en-us/articles/4844359082772 and the pages beside it
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from enum import StrEnum

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.contract import Contract, worth
from exchange_core.model.number import EXACT
from exchange_core.model.units import Amount, Contracts, Price
from kraken_futures.types.market import MarginLevel


class MarginKind(StrEnum):
    """What a margin is for: to open a position, or to keep it."""

    INITIAL = "initial"
    MAINTENANCE = "maintenance"


@attrs.frozen(kw_only=True)
class MarginRange:
    """What a margin is at least and at most, in the settlement asset."""

    least: Amount
    most: Amount

    @property
    def is_certain(self) -> bool:
        return self.least == self.most

    @property
    def amount(self) -> Amount:
        """The one amount; whoever needs a safe one takes :attr:`most`.

        Raises:
            InvalidValue: It is not certain.
        """
        if not self.is_certain:
            raise InvalidValue(f"the margin is between {self.least} and {self.most}; the venue does not say how")
        return self.most


def _levels(levels: Iterable[MarginLevel]) -> tuple[MarginLevel, ...]:
    return tuple(sorted(levels, key=lambda level: level.lower_bound))


def _from_zero(_: object, attribute: attrs.Attribute[tuple[MarginLevel, ...]], levels: tuple[MarginLevel, ...]) -> None:
    if not levels or levels[0].lower_bound != 0:
        found = "none" if not levels else f"the first from {levels[0].lower_bound}"
        raise InvalidValue(f"margin levels: expected one from 0 on, found {found}")


@attrs.frozen
class MarginSchedule:
    """A contract's margins, such as ``contracts()[n].margin_levels`` of the account or of the market has them.

    Attributes:
        levels: Their bounds count contracts (inverse) or the notional in the quote asset (linear).
        multiplier: Of initial margins; more than 1 while the venue calls the market extremely volatile.
    """

    contract: Contract
    levels: tuple[MarginLevel, ...] = attrs.field(converter=_levels, validator=_from_zero)
    multiplier: Decimal = Decimal(1)

    def level(self, held: Contracts, price: Price) -> MarginLevel:
        """Return the level that a position's size is in; at its very bound a level is taken to apply."""
        size = self._size(held, price)
        return next(level for level in reversed(self.levels) if level.lower_bound <= size)

    def margin(self, kind: MarginKind, held: Contracts, price: Price) -> MarginRange:
        """Return the margin of *held* at *price*."""
        least, most = self.weights(kind, held, price)
        return MarginRange(least=self._settled(least, price), most=self._settled(most, price))

    def position_margin(self, kind: MarginKind, held: Contracts, *, entry: Price, mark: Price) -> MarginRange:
        """Return the margin of a position at the price that the venue's own figures go with."""
        return self.margin(kind, held, mark if self.contract.is_inverse else entry)

    def weights(self, kind: MarginKind, held: Contracts, price: Price) -> tuple[Decimal, Decimal]:
        """Return least and most of the margin in what levels count: contracts, or the quote asset."""
        size, parts, whole = self._size(held, price), Decimal(0), Decimal(0)
        ends = [level.lower_bound for level in self.levels[1:]]
        with localcontext(EXACT):
            for level, end in zip(self.levels, [*ends, size], strict=True):
                if level.lower_bound > size:
                    break
                rate = self._rate(level, kind)
                parts += (min(size, end) - level.lower_bound) * rate
                whole = size * rate
        return min(parts, whole), max(parts, whole)

    def _size(self, held: Contracts, price: Price) -> Decimal:
        if self.contract.is_inverse:
            self.contract.in_quote(held, price)
            return held.value.copy_abs()
        return self.contract.notional(held, price).value

    def _settled(self, weight: Decimal, price: Price) -> Amount:
        if not self.contract.is_inverse:
            return self.contract.amount(weight)
        return self.contract.amount(worth(True, EXACT.multiply(weight, self.contract.size), price.value))

    def _rate(self, level: MarginLevel, kind: MarginKind) -> Decimal:
        if kind is MarginKind.MAINTENANCE:
            return level.maintenance_margin
        return EXACT.multiply(level.initial_margin, self.multiplier)
