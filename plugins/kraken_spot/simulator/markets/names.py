"""The four vocabularies of Kraken Spot: ``XXBTZUSD``, ``XBTUSD``, ``XBT/USD`` and ``BTC/USD``.

See https://support.kraken.com/articles/360000920306-api-symbols-and-tickers
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from exchange_core.connector.simulation import SimExchange, SimMarket
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.codec import Arguments, Refused
from kraken_spot.simulator.markets.listing import ALTNAMES, TOKENIZED, Listing, Row


@attrs.frozen(eq=False)
class Pair:
    """One market under all its names, and how its numbers are written.

    Attributes:
        id: ``XXBTZUSD``.
        altname: ``XBTUSD``.
        wsname: ``XBT/USD``, the name of WebSocket v1.
        display: ``BTC/USD``, the name of WebSocket v2.
        row: What a recorded list says of it.
    """

    market: SimMarket
    base: Asset
    quote: Asset
    id: str
    altname: str
    wsname: str
    display: str
    row: Row = attrs.field(factory=dict)

    @property
    def is_tokenized(self) -> bool:
        return TOKENIZED in (self.row.get("aclass_base"), self.row.get("aclass_quote"))

    @property
    def order_class(self) -> str:
        """What orders and trades call its class."""
        return TOKENIZED if self.is_tokenized else "forex"

    @property
    def leverages(self) -> list[int]:
        return list(self.market.leverages)

    @property
    def symbol(self) -> Symbol:
        return self.market.instrument.symbol

    @property
    def price_decimals(self) -> int:
        return self.market.instrument.price_decimals

    @property
    def volume_decimals(self) -> int:
        return self.market.instrument.quantity_decimals

    @property
    def long_decimals(self) -> int:
        """Decimals of prices in REST answers, which are more than orders may have."""
        return max(5, self.price_decimals)

    @property
    def cost_decimals(self) -> int:
        told = self.market.cost_decimals
        return self.quote.decimals if told is None else told


class Names:
    """Pairs and assets of one exchange by every name a client may use."""

    def __init__(self, exchange: SimExchange, listing: Listing | None = None) -> None:
        self._exchange = exchange
        self._listing = listing or Listing()
        self.assets = {asset.code: asset for asset in exchange.assets()}
        self._pairs = {market.instrument.symbol: self._pair(market) for market in exchange.markets()}
        self._inputs: dict[str, Pair] = {}
        for pair in self:
            self._inputs |= {pair.id: pair, pair.altname: pair}
        for pair in self:
            # Not the v1 name: XBT/USD was refused when last seen.
            for name in (pair.display, pair.display.replace("/", "")):
                self._inputs.setdefault(name, pair)
        self._displays = {pair.display: pair for pair in self}

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs.values())

    def status(self, pair: Pair) -> InstrumentStatus:
        """Return what the pair's market takes now."""
        return self._exchange.market(pair.symbol).instrument.status

    def of(self, symbol: Symbol) -> Pair:
        return self._pairs[symbol]

    def display(self, name: str) -> Pair | None:
        """Return the pair of a WebSocket v2 name, or None."""
        return self._displays.get(name)

    def known(self, name: str) -> Pair | None:
        """Return the pair that a REST client means, or None."""
        return self._inputs.get(name)

    def pair(self, name: str) -> Pair:
        """Return the pair that a REST client means.

        Raises:
            Refused: Unknown.
        """
        pair = self._inputs.get(name)
        if pair is None:
            raise Refused("EQuery:Unknown asset pair")
        return pair

    def listed(self, name: str, given: Arguments, class_name: str = "asset_class") -> Pair:
        """Return the pair that a REST client means; tokenized ones only where it says so.

        Raises:
            Refused: Unknown.
        """
        pair = self.pair(name)
        if pair.is_tokenized and given.text(class_name) != TOKENIZED:
            raise Refused("EQuery:Unknown asset pair")
        return pair

    def asset(self, code: str) -> Asset:
        """Return the asset of our *code*; one that no list names keeps its code as its id."""
        return self.assets.get(code) or Asset(code=code, venue_id=code, decimals=8)

    def altname(self, asset: Asset) -> str:
        """Return the alternate name: ``XBT`` for ``XXBT``."""
        return str(self.asset_row(asset).get("altname") or ALTNAMES.get(asset.venue_id, asset.venue_id))

    def asset_row(self, asset: Asset) -> Row:
        """Return what a recorded list says of an asset; nothing without one."""
        return self._listing.assets.get(asset.venue_id, {})

    def find_assets(self, names: Sequence[str]) -> list[Asset]:
        """Return the assets of the venue's *names* (all of them without any).

        Raises:
            Refused: One is unknown.
        """
        if not names:
            return list(self.assets.values())
        known = {
            name: asset for asset in self.assets.values() for name in (asset.venue_id, self.altname(asset), asset.code)
        }
        if any(name not in known for name in names):
            raise Refused("EQuery:Unknown asset")
        return [known[name] for name in names]

    def _pair(self, market: SimMarket) -> Pair:
        symbol = market.instrument.symbol
        base, quote = self.asset(symbol.base), self.asset(symbol.quote)
        row: dict[str, Any] = dict(self._listing.pairs.get(market.instrument.venue_id, {}))
        names = self.altname(base), self.altname(quote)
        return Pair(
            market=market,
            base=base,
            quote=quote,
            id=market.instrument.venue_id,
            altname=str(row.get("altname") or "".join(names)),
            wsname=str(row.get("wsname") or "/".join(names)),
            display=f"{symbol.base}/{symbol.quote}",
            row=row,
        )


def answer_key(pair: Pair, asked: str, display: bool = False) -> str:
    """Return the key of *pair* in an answer: the slash form when asked so, else the id."""
    return pair.display if display or "/" in asked else pair.id
