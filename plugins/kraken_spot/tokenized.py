"""Pairs of tokenised assets (xStocks), which the venue lists apart and of which calls must say the class.

See https://docs.kraken.com/api-reference/market-data/get-tradable-asset-pairs
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import attrs

from exchange_core.connector.spec import VenueContext
from exchange_core.model.symbol import Symbol
from kraken_spot.orders.terms import Amendment, Edit, SpotOrder
from kraken_spot.rest.calls import refuse

TOKENIZED = "tokenized_asset"
"""The venue's word for their class."""

FOREX = "forex"
"""The venue's word for all other pairs, where calls name the class of each."""

T = TypeVar("T", SpotOrder, Amendment, Edit)


def is_tokenized(context: VenueContext, symbol: Symbol) -> bool:
    """Return whether the venue lists *symbol* among its tokenised assets."""
    return context.symbols.instrument(symbol).is_tokenized


def pair_params(context: VenueContext, symbol: Symbol) -> dict[str, Any]:
    """Return how a call for market data names a pair: with its class, where it is of a tokenised asset.

    Open point: whether GroupedBook and Level3 take a class, too; their pages have none, so they do not ask here.
    """
    pair = context.symbols.venue_id(symbol)
    return {"pair": pair, "asset_class": TOKENIZED} if is_tokenized(context, symbol) else {"pair": pair}


def classed(context: VenueContext, symbols: Iterable[Symbol]) -> list[dict[str, str]]:
    """Return pairs as TradeVolume names them where one is of a tokenised asset."""
    return [
        {"asset": context.symbols.venue_id(each), "aclass": TOKENIZED if is_tokenized(context, each) else FOREX}
        for each in symbols
    ]


def told(context: VenueContext, terms: T) -> T:
    """Return *terms* with the class of their pair.

    Raises:
        NotSupported: They say that the pair is of a tokenised asset, and the venue's lists say that it is not.
    """
    listed = is_tokenized(context, terms.symbol)
    if terms.tokenized and not listed and context.config.tokenized is True:
        raise refuse(context.venue, "tokenized", f"{terms.symbol} is listed as a pair of currencies")
    return attrs.evolve(terms, tokenized=True) if listed and not terms.tokenized else terms
