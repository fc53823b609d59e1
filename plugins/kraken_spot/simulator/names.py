"""The four vocabularies of Kraken Spot: ``XXBTZUSD``, ``XBTUSD``, ``XBT/USD`` and ``BTC/USD``.

See https://support.kraken.com/articles/360000920306-api-symbols-and-tickers
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from exchange_core.connector.simulation import SimExchange, SimMarket
from exchange_core.model.asset import Asset
from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.codec import Refused

# The only assets whose id is not their alternate name; everything else is the same in both.
ALTNAMES = {
    **{f"X{code}": code for code in ("ETC", "ETH", "LTC", "MLN", "REP", "XBT", "XDG", "XLM", "XMR", "XRP", "ZEC")},
    **{f"Z{code}": code for code in ("ARS", "AUD", "CAD", "COP", "EUR", "GBP", "JPY", "MXN", "USD")},
    "KFEE": "FEE",
}
_COST_DECIMALS = {"XXBT": 10, "XETH": 10}


def altname(asset: Asset) -> str:
    """Return the alternate name: ``XBT`` for ``XXBT``."""
    return ALTNAMES.get(asset.venue_id, asset.venue_id)


@attrs.frozen(eq=False)
class Pair:
    """One market under all its names, and how its numbers are written.

    Attributes:
        id: ``XXBTZUSD``.
        altname: ``XBTUSD``.
        wsname: ``XBT/USD``, the name of WebSocket v1.
        display: ``BTC/USD``, the name of WebSocket v2.
    """

    market: SimMarket
    base: Asset
    quote: Asset
    id: str
    altname: str
    wsname: str
    display: str

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
        return _COST_DECIMALS.get(self.quote.venue_id, 5)


class Names:
    """Pairs and assets of one exchange by every name a client may use."""

    def __init__(self, exchange: SimExchange) -> None:
        self.assets = {asset.code: asset for asset in exchange.assets()}
        self._pairs = {market.instrument.symbol: self._pair(market) for market in exchange.markets()}
        self._inputs: dict[str, Pair] = {}
        for pair in self:
            # Not the v1 name: XBT/USD was refused when last seen.
            for name in (pair.id, pair.altname, pair.display, pair.display.replace("/", "")):
                self._inputs[name] = pair
        self._displays = {pair.display: pair for pair in self}

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs.values())

    def of(self, symbol: Symbol) -> Pair:
        return self._pairs[symbol]

    def display(self, name: str) -> Pair | None:
        """Return the pair of a WebSocket v2 name, or None."""
        return self._displays.get(name)

    def pair(self, name: str) -> Pair:
        """Return the pair that a REST client means.

        Raises:
            Refused: Unknown.
        """
        pair = self._inputs.get(name)
        if pair is None:
            raise Refused("EQuery:Unknown asset pair")
        return pair

    def asset(self, code: str) -> Asset:
        """Return the asset of our *code*; one that no list names keeps its code as its id."""
        return self.assets.get(code) or Asset(code=code, venue_id=code, decimals=8)

    def find_assets(self, names: Sequence[str]) -> list[Asset]:
        """Return the assets of the venue's *names* (all of them without any).

        Raises:
            Refused: One is unknown.
        """
        if not names:
            return list(self.assets.values())
        known = {name: asset for asset in self.assets.values() for name in (asset.venue_id, altname(asset), asset.code)}
        if any(name not in known for name in names):
            raise Refused("EQuery:Unknown asset")
        return [known[name] for name in names]

    def _pair(self, market: SimMarket) -> Pair:
        symbol = market.instrument.symbol
        base, quote = self.asset(symbol.base), self.asset(symbol.quote)
        return Pair(
            market=market,
            base=base,
            quote=quote,
            id=market.instrument.venue_id,
            altname=altname(base) + altname(quote),
            wsname=f"{altname(base)}/{altname(quote)}",
            display=f"{symbol.base}/{symbol.quote}",
        )


def answer_key(pair: Pair, asked: str, display: bool = False) -> str:
    """Return the key of *pair* in an answer: the slash form when asked so, else the id."""
    return pair.display if display or "/" in asked else pair.id
