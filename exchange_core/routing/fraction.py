"""Fractions, which the planner counts in because they are exact, as Decimals for everyone else."""

from __future__ import annotations

from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

from exchange_core.model.number import EXACT, ratio


def as_decimal(value: Fraction) -> Decimal:
    """Return the same number; where its digits never end, 34 significant ones of it."""
    numerator, denominator = Decimal(value.numerator), Decimal(value.denominator)
    try:
        with localcontext(EXACT):
            return numerator / denominator
    except Inexact:
        return ratio(numerator, denominator)
