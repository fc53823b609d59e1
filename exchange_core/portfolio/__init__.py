"""All venues as one portfolio in one currency, and the proof that its sums are right."""

from exchange_core.portfolio.prices import MarketPrice, PriceSource, PriceTable, Rate
from exchange_core.portfolio.reconcile import Explanation, Reconciliation, explain
from exchange_core.portfolio.tracker import Portfolio
from exchange_core.portfolio.valuation import value
from exchange_core.portfolio.view import AssetLine, PortfolioView, PositionLine, SumCheck, Unvalued, VenueReading

__all__ = [
    "AssetLine",
    "Explanation",
    "MarketPrice",
    "Portfolio",
    "PortfolioView",
    "PositionLine",
    "PriceSource",
    "PriceTable",
    "Rate",
    "Reconciliation",
    "SumCheck",
    "Unvalued",
    "VenueReading",
    "explain",
    "value",
]
