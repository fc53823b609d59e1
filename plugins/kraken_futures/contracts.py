"""The arithmetic of linear and inverse contracts.

Linear (PF, FF): sizes count the base coin, profit is in the quote currency. Inverse (PI, FI): sizes count
dollars, profit is in the base coin and goes with 1/price, so that averages of prices are harmonic. For whoever
computes with them there are units that cannot be mixed up: ``exchange_core.model.contract``, and ``margin`` here.
See https://support.kraken.com/hc/en-us/articles/360022835911
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

from exchange_core.model import contract
from exchange_core.model.number import EXACT, ratio


def profit(inverse: bool, quantity: Decimal, entry: Decimal, price: Decimal, contract_size: Decimal) -> Decimal:
    """Return what *quantity* (below zero: short) gains from *entry* to *price*, in the settlement asset."""
    return contract.profit(inverse, EXACT.multiply(quantity, contract_size), entry, price)


def average_price(inverse: bool, parts: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the average of executions given as (quantity, price); None for none.

    Inverse averages are harmonic: total size over the sum of size/price.
    """
    executions = list(parts)
    if not executions:
        return None
    prices = {price for _, price in executions}
    if len(prices) == 1:
        return prices.pop()
    weighted = quantity = Decimal(0)
    with localcontext(EXACT):
        for size, price in executions:
            quantity += size
            weighted += ratio(size, price) if inverse else size * price
        if not quantity:
            return None
        return ratio(quantity, weighted) if inverse else ratio(weighted, quantity)


def relative_funding(inverse: bool, absolute: Decimal, index: Decimal) -> Decimal:
    """Return the funding rate as a fraction, from the amount per contract and hour that the venue tells."""
    if not absolute:
        return Decimal(0)
    with localcontext(EXACT):
        return absolute * index if inverse else ratio(absolute, index)
