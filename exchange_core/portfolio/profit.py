"""What derivatives positions are worth, and what a fill earns.

Linear contracts pay in the quote asset, quantity × (mark - entry); inverse contracts pay in the base asset,
quantity × (1/entry - 1/mark). Profit of an inverse contract is a quotient, kept to 34 significant digits.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from exchange_core.model.number import EXACT, ratio
from exchange_core.model.symbol import Symbol


def profit_asset(symbol: Symbol) -> str | None:
    """Return what profit of *symbol* is counted in; None for spot and where it is neither base nor quote."""
    return symbol.settle if symbol.settle in (symbol.base, symbol.quote) else None


def profit(symbol: Symbol, quantity: Decimal, entry: Decimal, price: Decimal, contract_size: Decimal) -> Decimal:
    """Return what *quantity* (below zero: short) gains between two prices, in the profit asset."""
    with localcontext(EXACT):
        moved = quantity * contract_size * (price - entry)
        return ratio(moved, entry * price) if symbol.is_inverse else moved


def notional(symbol: Symbol, quantity: Decimal, price: Decimal, contract_size: Decimal) -> Decimal:
    """Return the size of *quantity* without its sign: in the quote asset, or in the base asset if inverse."""
    with localcontext(EXACT):
        size = abs(quantity) * contract_size
        return ratio(size, price) if symbol.is_inverse else size * price


def average_entry(symbol: Symbol, quantity: Decimal, entry: Decimal, more: Decimal, price: Decimal) -> Decimal:
    """Return the entry price after *more* in the same direction: harmonic for inverse contracts, else arithmetic."""
    with localcontext(EXACT):
        if symbol.is_inverse:
            return ratio((quantity + more) * entry * price, quantity * price + more * entry)
        return ratio(quantity * entry + more * price, quantity + more)
