"""Assets, AssetPairs and Ticker with all that they tell, of many at once: a part of ``operations.market``.

See https://docs.kraken.com/api-reference/market-data/get-asset-info and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.symbol import Symbol
from kraken_spot.naming import display
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import Listing, made, readable, word
from kraken_spot.rest.calls import asset_id, public, refuse
from kraken_spot.tokenized import TOKENIZED, is_tokenized
from kraken_spot.types.listings import (
    AssetDetails,
    AssetStatus,
    ExecutionVenue,
    FeeStep,
    PairDetails,
    PairInfo,
    PairTicker,
    Traded,
)
from kraken_spot.wire import market as wire

R = TypeVar("R")
T = TypeVar("T")


class ListingCalls:
    """The part of ``MarketCalls`` that lists.

    Tokenised assets are listed apart. Where *tokenized* is not given, the venue is asked for what the pairs are that
    were named, and for all of them where the config has ``tokenized = true``.
    """

    _context: VenueContext

    def assets(self, *codes: str, tokenized: bool | None = None) -> Flow[Listing[AssetDetails]]:
        """List assets, all of them where none is named."""
        context = self._context
        names = [asset_id(context, code) for code in codes]
        both = tokenized is None and context.config.tokenized is True and not names
        groups = [(each, names) for each in ((False, True) if both else (tokenized is True,))]
        return self._listed("Assets", "asset", "aclass", groups, {}, wire.AssetDetails, self._asset)

    def pairs(
        self,
        *symbols: Symbol | str,
        info: PairInfo = PairInfo.ALL,
        country: str | None = None,
        execution_venues: Iterable[ExecutionVenue] = (),
        tokenized: bool | None = None,
    ) -> Flow[Listing[PairDetails]]:
        """List pairs, all of them where none is named.

        Args:
            country: Only what is to be had there; two letters of ISO 3166-1.
            execution_venues: Where they are matched; the venue's own book without.
        """
        if country is not None and not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise refuse(self._context.venue, "country", f"{country!r} is no country code of two letters, such as DE")
        params = {
            "info": None if info is PairInfo.ALL else info.value,
            "country_code": None if country is None else country.upper(),
            "execution_venue": [each.value for each in execution_venues] or None,
        }
        groups = self._groups(symbols, tokenized)
        return self._listed("AssetPairs", "pair", "aclass_base", groups, params, wire.PairDetails, self._pair_details)

    def tickers(self, *symbols: Symbol | str, tokenized: bool | None = None) -> Flow[Listing[PairTicker]]:
        """Return the tickers of pairs, of all of them where none is named."""
        groups = self._groups(symbols, tokenized)
        return self._listed("Ticker", "pair", "asset_class", groups, {}, wire.TickerDetails, self._ticker)

    def _groups(self, symbols: Iterable[Symbol | str], tokenized: bool | None) -> list[tuple[bool, list[str]]]:
        """Return what is asked for with one call each: whether tokenised, and which pairs."""
        context, ours = self._context, [Symbol.of(symbol) for symbol in symbols]
        if not ours:
            both = tokenized is None and context.config.tokenized is True
            return [(False, []), (True, [])] if both else [(tokenized is True, [])]
        groups: dict[bool, list[str]] = {}
        for symbol in ours:
            kind = is_tokenized(context, symbol) if tokenized is None else tokenized
            groups.setdefault(kind, []).append(context.symbols.venue_id(symbol))
        return list(groups.items())

    def _listed(
        self,
        call: str,
        named: str,
        classed: str,
        groups: Iterable[tuple[bool, list[str]]],
        params: dict[str, Any],
        kind: type[R],
        build: Callable[[str, R], T],
    ) -> Flow[Listing[T]]:
        reply = dict[str, msgspec.Raw]
        found: dict[str, msgspec.Raw] = {}
        for tokenized, names in groups:
            asked = {named: names or None, classed: TOKENIZED if tokenized else None, **params}
            answer: dict[str, msgspec.Raw] = yield public(call, reply, asked)
            found.update((name, raw) for name, raw in answer.items() if name not in found)
        return readable(found, kind, build)

    def _asset(self, name: str, raw: wire.AssetDetails) -> AssetDetails:
        known = self._context.assets.get(name)
        return made(
            AssetDetails,
            raw,
            id=name,
            asset=display(raw.altname) if known is None else known.code,
            asset_class=raw.aclass,
            status=word(AssetStatus, raw.status),
        )

    def _pair_details(self, name: str, raw: wire.PairDetails) -> PairDetails:
        symbols: SymbolMap = self._context.symbols
        venue = raw.execution_venue
        return made(
            PairDetails,
            raw,
            id=name,
            symbol=symbols.get(name) or name,
            base=_code(raw.base, self._context.assets),
            quote=_code(raw.quote, self._context.assets),
            asset_class=raw.aclass_base,
            execution_venue=None if venue is None else word(ExecutionVenue, venue),
            price_decimals=raw.pair_decimals,
            quantity_decimals=raw.lot_decimals,
            min_quantity=_number(raw.ordermin, "ordermin"),
            min_cost=_number(raw.costmin, "costmin"),
            margin_stop=raw.margin_level if raw.margin_stop is None else raw.margin_stop,
            fees=_steps(raw.fees),
            fees_maker=_steps(raw.fees_maker),
            fee_asset=_code(raw.fee_volume_currency, self._context.assets),
        )

    def _ticker(self, name: str, raw: wire.TickerDetails) -> PairTicker:
        number, some = parse.number, parse.some_price
        try:
            return PairTicker(
                symbol=self._context.symbols.get(name) or name,
                bid=some(raw.b[0]),
                bid_quantity=number(raw.b[2], "bid volume"),
                ask=some(raw.a[0]),
                ask_quantity=number(raw.a[2], "ask volume"),
                last=some(raw.c[0]),
                last_quantity=number(raw.c[1], "last volume"),
                open=some(raw.o),
                today=_traded(raw, 0),
                day=_traded(raw, 1),
            )
        except IndexError:
            raise ProtocolError("ticker with too few values") from None


def _traded(raw: wire.TickerDetails, place: int) -> Traded:
    return Traded(
        volume=parse.number(raw.v[place], "volume"),
        count=raw.t[place],
        vwap=parse.some_price(raw.p[place]),
        low=parse.some_price(raw.l[place]),
        high=parse.some_price(raw.h[place]),
    )


def _code(name: str | None, assets: AssetMap) -> str | None:
    known = None if name is None else assets.get(name)
    return name if known is None else known.code


def _number(value: Decimal | None, what: str) -> Decimal | None:
    return None if value is None else parse.number(value, what)


def _steps(rows: Iterable[tuple[Decimal, Decimal]]) -> tuple[FeeStep, ...]:
    return tuple(
        FeeStep(volume=parse.number(volume, "fee volume"), percent=parse.number(percent, "fee"))
        for volume, percent in rows
    )
