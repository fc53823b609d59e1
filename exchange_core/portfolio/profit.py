"""What derivatives positions are worth, and what a fill earns; see ``model.contract`` for the formulas."""

from __future__ import annotations

from decimal import Decimal

from exchange_core.model import contract
from exchange_core.model.number import EXACT
from exchange_core.model.symbol import Symbol


def profit_asset(symbol: Symbol) -> str | None:
    """Return what profit of *symbol* is counted in; None for spot and where it is neither base nor quote."""
    return symbol.settle if symbol.settle in (symbol.base, symbol.quote) else None


def gain_asset(symbol: Symbol) -> str | None:
    """Return what a position in *symbol* gains: of a margin position on a spot market that is the quote asset."""
    return profit_asset(symbol) if symbol.settle is not None else symbol.quote


def profit(symbol: Symbol, quantity: Decimal, entry: Decimal, price: Decimal, contract_size: Decimal) -> Decimal:
    """Return what *quantity* (below zero: short) gains between two prices, in the profit asset."""
    return contract.profit(symbol.is_inverse, EXACT.multiply(quantity, contract_size), entry, price)


def notional(symbol: Symbol, quantity: Decimal, price: Decimal, contract_size: Decimal) -> Decimal:
    """Return the size of *quantity* without its sign: in the quote asset, or in the base asset if inverse."""
    return contract.worth(symbol.is_inverse, EXACT.multiply(quantity.copy_abs(), contract_size), price)
