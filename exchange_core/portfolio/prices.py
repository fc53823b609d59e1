"""What one unit of an asset is worth in another, by which markets, and the choice between them.

A market's price is half way between its best bid and ask. Where no market joins two assets directly, the rate goes
through others, and its path says which. The same prices in the same order always give the same rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from enum import IntEnum

import attrs

from exchange_core.model.book import BookHealth, BookSnapshot, OrderBook
from exchange_core.model.market import Ticker
from exchange_core.model.number import EXACT, ratio
from exchange_core.model.symbol import Symbol

PREFERRED = ("USD", "USDT", "USDC", "EUR", "BTC")
"""Assets to go through, best first, where there is a choice."""

LONGEST_PATH = 3

# Half way between a bid of 1 and an ask of 900 is nobody's price.
_WIDEST_SPREAD = 2


class PriceSource(IntEnum):
    """Where a price comes from, best first."""

    BOOK = 0
    TICKER = 1
    LAST_TRADE = 2
    INDEX = 3

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


@attrs.frozen(kw_only=True)
class MarketPrice:
    """One unit of the symbol's base in its quote, as one venue has it."""

    symbol: Symbol
    price: Decimal
    source: PriceSource
    venue: str = ""
    time: datetime | None = None

    @staticmethod
    def from_book(book: OrderBook | BookSnapshot, venue: str = "") -> MarketPrice | None:
        """Return the middle of a spot book; None when it is not live, one-sided or too wide."""
        bid, ask = book.best_bid, book.best_ask
        if not book.symbol.is_spot or book.health is not BookHealth.LIVE or bid is None or ask is None:
            return None
        price = _middle(bid.price, ask.price)
        if price is None:
            return None
        return MarketPrice(symbol=book.symbol, price=price, source=PriceSource.BOOK, venue=venue, time=book.time)

    @staticmethod
    def from_ticker(ticker: Ticker, venue: str = "") -> MarketPrice | None:
        """Return a spot market's middle or else its last trade; of a derivative, the index it follows."""
        symbol = ticker.symbol
        price, source = ticker.index_price, PriceSource.INDEX
        if symbol.is_spot:
            price, source = _middle(ticker.bid, ticker.ask), PriceSource.TICKER
            if price is None:
                price, source = ticker.last, PriceSource.LAST_TRADE
        if price is None or price <= 0:
            return None
        pair = Symbol(symbol.base, symbol.quote)
        return MarketPrice(symbol=pair, price=price, source=source, venue=venue, time=ticker.time)

    def __str__(self) -> str:
        where = f" at {self.venue}" if self.venue else ""
        return f"{self.symbol} {self.source}{where}"


def _middle(bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    # A market without orders shows zeros in some tickers.
    if bid is None or ask is None or bid <= 0 or ask < bid or ask > bid * _WIDEST_SPREAD:
        return None
    with localcontext(EXACT):
        return (bid + ask) / 2


@attrs.frozen(kw_only=True)
class Rate:
    """What one unit of *asset* is worth in *currency*, and the markets that say so, in order."""

    asset: str
    currency: str
    rate: Decimal
    path: tuple[MarketPrice, ...] = ()

    def __str__(self) -> str:
        return " × ".join(map(str, self.path)) if self.path else "itself"


class PriceTable:
    """Prices of many markets, one a market.

    Of several prices for one market the better source wins, and of equal sources the earlier one.
    """

    def __init__(self, prices: Iterable[MarketPrice] = ()) -> None:
        self._prices: dict[Symbol, MarketPrice] = {}
        for price in prices:
            known = self._prices.get(price.symbol)
            if known is None or price.source < known.source:
                self._prices[price.symbol] = price
        self._routes = Routes(self._prices)

    def rate(self, asset: str, currency: str) -> Rate | None:
        """Return the rate over the shortest path; None when no path of a few markets leads there.

        A step against a market's direction divides, to 34 significant digits; all else is exact.
        """
        path = self._routes.path(asset, currency)
        if path is None:
            return None
        rate, at = Decimal(1), asset
        with localcontext(EXACT):
            for symbol in path:
                forward = symbol.base == at
                price = self._prices[symbol].price
                rate *= price if forward else ratio(Decimal(1), price)
                at = symbol.quote if forward else symbol.base
        return Rate(asset=asset, currency=currency, rate=rate, path=tuple(self._prices[symbol] for symbol in path))


class Routes:
    """Which spot markets lead from one asset to another."""

    def __init__(self, markets: Iterable[Symbol]) -> None:
        self._next: dict[str, dict[str, Symbol]] = {}
        spot = sorted(symbol for symbol in markets if symbol.is_spot)
        for symbol in spot:
            self._next.setdefault(symbol.base, {})[symbol.quote] = symbol
        for symbol in spot:
            # Of two markets for one step, the one that is quoted the way we go is the better.
            self._next.setdefault(symbol.quote, {}).setdefault(symbol.base, symbol)

    def path(self, asset: str, currency: str) -> Sequence[Symbol] | None:
        """Return as few markets as can be that lead to *currency*; None when more than a few would be needed.

        Of equally short paths the one through the assets named first in ``PREFERRED`` wins, then the alphabet.
        """
        if asset == currency:
            return ()
        paths: list[tuple[str, tuple[Symbol, ...]]] = [(asset, ())]
        seen = {asset}
        for _ in range(LONGEST_PATH):
            longer: list[tuple[str, tuple[Symbol, ...]]] = []
            for at, path in paths:
                steps = self._next.get(at, {})
                if currency in steps:
                    return (*path, steps[currency])
                for there in sorted(steps.keys() - seen, key=_preference):
                    seen.add(there)
                    longer.append((there, (*path, steps[there])))
            paths = longer
        return None


def _preference(asset: str) -> tuple[int, str]:
    return (PREFERRED.index(asset) if asset in PREFERRED else len(PREFERRED), asset)
