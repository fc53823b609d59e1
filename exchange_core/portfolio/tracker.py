"""The portfolio over real venues: read when asked, or followed live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from decimal import Decimal

from exchange_core.clock import Clock, SystemClock
from exchange_core.errors import ExchangeError, UnknownSymbol
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.following import Follower
from exchange_core.portfolio.holdings import Holdings
from exchange_core.portfolio.pricing import Market, Pricing
from exchange_core.portfolio.profit import gain_asset
from exchange_core.portfolio.valuation import value
from exchange_core.portfolio.view import PortfolioView
from exchange_core.venue.protocol import Venue


class Portfolio:
    """All accounts as one. Venues without credentials give prices only.

    It opens nothing for good and closes nothing. Two names for one account are two accounts here.
    """

    def __init__(
        self,
        venues: Mapping[str, Venue] | Iterable[Venue],
        currency: str = "USD",
        *,
        within: float = 20.0,
        clock: Clock | None = None,
    ) -> None:
        """Args:
        venues: A hub will do.
        within: Seconds to wait for one venue's account, and for a price.
        """
        named = dict(venues) if isinstance(venues, Mapping) else {venue.name: venue for venue in venues}
        self._venues: dict[str, Venue] = named
        self._currency = currency
        self._within = within
        self._clock = clock or SystemClock()
        self._accounts = {name: Holdings(name) for name, venue in named.items() if venue.has_credentials}
        self._pricing = Pricing(named, currency, within)
        self._priced: set[str] = set()
        self._markets: list[Market] = []

    async def refresh(self) -> PortfolioView:
        """Read every account and the prices that they need.

        A venue that fails is in the view with the reason; what was known of it before stays, marked as old.
        """
        await self._reread()
        return self.view()

    async def updates(self, *, every: float = 60.0, pause: float = 0.2) -> AsyncGenerator[PortfolioView, None]:
        """Follow the portfolio: the first view after reading everything, then one whenever something moved.

        Balances, positions and prices come as news, and so does a connection that is lost, or is back and the account
        read again. What came between two views is in the second of them. Close the iterator
        (``contextlib.aclosing``) to end it before its venues.

        Args:
            every: Seconds after which everything is read again all the same.
            pause: Seconds between two views, at least.
        """
        async with Follower(self._venues, self._accounts, self._pricing, self._clock) as follower:
            await self.refresh()
            follower.reread(self._reread, every)
            while True:
                self._follow_markets(follower)
                yield self.view()
                await self._clock.sleep(pause)
                await follower.wait()
                if self._assets() - self._priced or self._pricing.lacks(self._markets):
                    if any(account.lost for account in self._accounts.values()):
                        yield self.view()  # asking a venue that is gone takes a while
                    await self._load_prices()

    def view(self) -> PortfolioView:
        """Return the portfolio as far as it is known now. Asks nobody."""
        accounts = self._accounts.values()
        for account in accounts:
            account.look(self._venues[account.venue].health())
        return value(
            balances=[balance for account in accounts for balance in account.balances.values()],
            positions=[position for account in accounts for position in account.positions.values()],
            prices=self._pricing.table(),
            marks=self._pricing.marks(),
            instruments=self._instruments(),
            currency=self._currency,
            time=self._clock.now(),
            venues=[account.reading for account in accounts],
        )

    async def _reread(self) -> None:
        await asyncio.gather(*(self._read(name) for name in self._accounts))
        await self._load_prices()

    async def _read(self, name: str) -> None:
        account = self._accounts[name]
        try:
            async with asyncio.timeout(self._within):
                await account.read(self._venues[name], self._clock)
        except ExchangeError as error:
            account.reason = str(error) or type(error).__name__
        except TimeoutError:
            account.reason = f"no answer within {self._within:g} s"

    async def _load_prices(self) -> None:
        self._priced = self._assets()
        marks = [market for market, mark in self._contracts().items() if mark is None]
        self._markets = await self._pricing.load(self._priced, marks)

    def _follow_markets(self, follower: Follower) -> None:
        for market in (*self._markets, *self._contracts()):
            follower.market(market)

    def _assets(self) -> set[str]:
        """Return what has to be valued."""
        owned = {b.asset for each in self._accounts.values() for b in each.balances.values() if b.total}
        owed = {gain_asset(market.symbol) for market in self._contracts()}
        return owned | {asset for asset in owed if asset is not None}

    def _contracts(self) -> dict[Market, Decimal | None]:
        """Return the contracts of all positions, with the mark prices that came with these."""
        return {
            Market(name, position.symbol): position.mark_price
            for name, account in self._accounts.items()
            for position in account.positions.values()
            if position.quantity
        }

    def _instruments(self) -> dict[tuple[str, Symbol], Instrument]:
        found = {}
        for market in self._contracts():
            try:
                found[market.venue, market.symbol] = self._venues[market.venue].instrument(market.symbol)
            except UnknownSymbol:
                continue
        return found
