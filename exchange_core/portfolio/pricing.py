"""Find the markets that are needed to value some assets, and keep their prices: asked for once, or followed live."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import attrs

from exchange_core.errors import ExchangeError
from exchange_core.model.book import OrderBook
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Ticker
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.prices import MarketPrice, PriceTable, Routes
from exchange_core.venue.protocol import Venue

_log = logging.getLogger(__name__)

# How often to look for another way where a price could not be had.
_ROUNDS = 5


@attrs.frozen
class Market:
    """Where a price can be had: a spot market, or a contract whose index is the price of its base."""

    venue: str
    symbol: Symbol

    @property
    def pair(self) -> Symbol:
        return Symbol(self.symbol.base, self.symbol.quote)


class Pricing:
    """Prices of the markets that lead from some assets to one currency."""

    def __init__(self, venues: Mapping[str, Venue], currency: str, within: float) -> None:
        """Args:
        within: Seconds to wait for one price.
        """
        self._venues = venues
        self._within = within
        self._currency = currency
        self._tickers: dict[Market, Ticker] = {}
        self._books: dict[Market, OrderBook] = {}
        self._live_tickers: set[Market] = set()
        self._loading = asyncio.Lock()

    async def load(self, assets: Iterable[str], marks: Iterable[Market]) -> list[Market]:
        """Ask for the prices that are needed and not live; return the markets that give them.

        Where a price cannot be had, another market or path is tried.

        Args:
            marks: Contracts whose mark prices are needed.
        """
        async with self._loading:
            assets, asked, failed = sorted(assets), set(marks), set[Market]()
            found = await self._ask([market for market in asked if market not in self._live_tickers], failed)
            needed: list[Market] = []
            for _ in range(_ROUNDS):
                needed = await self._needed(assets, failed)
                wanted = [market for market in needed if market not in asked and not self._is_live(market)]
                if not wanted:
                    break
                asked.update(wanted)
                found |= await self._ask(wanted, failed)
            live = {market: self._tickers[market] for market in self._live_tickers}
            self._tickers = {**found, **live}
            return needed

    def lacks(self, markets: Iterable[Market]) -> bool:
        """Whether one of *markets* gives no price any more, such as a book that was lost."""
        return any(market not in self._tickers and not self._is_live(market) for market in markets)

    def follow(self, market: Market, news: OrderBook | Ticker) -> None:
        """Take a live view, which stays the newest by itself, or a new ticker."""
        if isinstance(news, OrderBook):
            self._books[market] = news
        else:
            self._tickers[market] = news
            self._live_tickers.add(market)

    def forget(self, market: Market) -> None:
        """Forget what was live of a market that is not followed any more."""
        self._books.pop(market, None)
        self._live_tickers.discard(market)

    def table(self) -> PriceTable:
        """Return all prices that are known, in the order of the venues."""
        return PriceTable(self._prices())

    def marks(self) -> dict[tuple[str, Symbol], Decimal]:
        """Return the mark prices that are known."""
        return {
            (market.venue, market.symbol): ticker.mark_price
            for market, ticker in self._tickers.items()
            if ticker.mark_price is not None
        }

    def _is_live(self, market: Market) -> bool:
        book = self._books.get(market)
        return market in self._live_tickers or (book is not None and MarketPrice.from_book(book) is not None)

    def _prices(self) -> Iterator[MarketPrice]:
        order = {name: at for at, name in enumerate(self._venues)}
        for market in sorted({*self._books, *self._tickers}, key=lambda each: (order[each.venue], str(each.symbol))):
            book, ticker = self._books.get(market), self._tickers.get(market)
            for price in (
                MarketPrice.from_book(book, market.venue) if book is not None else None,
                MarketPrice.from_ticker(ticker, market.venue) if ticker is not None else None,
            ):
                if price is not None:
                    yield price

    async def _needed(self, assets: Iterable[str], failed: Container[Market]) -> list[Market]:
        """Return the markets on the paths from *assets* to the currency, as far as they can be had."""
        candidates = await self._candidates(failed)
        routes = Routes(candidates)
        paths = (routes.path(asset, self._currency) or () for asset in assets)
        pairs = dict.fromkeys(pair for path in paths for pair in path)
        return [candidates[pair] for pair in pairs]

    async def _candidates(self, failed: Container[Market]) -> dict[Symbol, Market]:
        """Return one market for each pair: spot before contracts, then the first venue that has it."""
        found: dict[Symbol, Market] = {}
        contracts: dict[Symbol, Market] = {}
        for name, venue in self._venues.items():
            try:
                instruments = await venue.instruments()
            except ExchangeError:
                continue
            for instrument in instruments:
                market = Market(name, instrument.symbol)
                if market not in failed and instrument.status is not InstrumentStatus.OFFLINE:
                    (found if market.symbol.is_spot else contracts).setdefault(market.pair, market)
        return {**contracts, **found}

    async def _ask(self, markets: Sequence[Market], failed: set[Market]) -> dict[Market, Ticker]:
        """Return the tickers that can be had; note where there is no price."""
        tickers = await asyncio.gather(*map(self._ask_one, markets))
        found = {market: ticker for market, ticker in zip(markets, tickers, strict=True) if ticker is not None}
        failed.update(
            market for market in markets if market not in found or MarketPrice.from_ticker(found[market]) is None
        )
        return found

    async def _ask_one(self, market: Market) -> Ticker | None:
        try:
            async with asyncio.timeout(self._within):
                return await self._venues[market.venue].ticker(market.symbol)
        except (ExchangeError, TimeoutError) as error:
            _log.info("%s: no price of %s: %s", market.venue, market.symbol, error)
            return None
