"""Keep accounts and prices up to date with the news of all venues, in tasks that end with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from exchange_core.clock import Clock
from exchange_core.errors import ExchangeError, NotSupported
from exchange_core.model.book import OrderBook
from exchange_core.model.market import Ticker
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.holdings import Holdings
from exchange_core.portfolio.pricing import Market, Pricing
from exchange_core.venue.protocol import EventStream, Venue

T = TypeVar("T")

_log = logging.getLogger(__name__)

# After a stream failed, and between two readings that news made necessary.
_PAUSE = 2.0
_LONGEST_PAUSE = 60.0
_LOOK_EVERY = 1.0
# A venue that is connected again may not answer yet.
_LOOKS_BETWEEN_READINGS = 10


class Follower:
    """Follows accounts from its beginning and markets as they are named. Use it as an async context manager."""

    def __init__(
        self, venues: Mapping[str, Venue], accounts: Mapping[str, Holdings], pricing: Pricing, clock: Clock
    ) -> None:
        self._venues = venues
        self._accounts = accounts
        self._pricing = pricing
        self._clock = clock
        self._changed = asyncio.Event()
        self._read_now = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._markets: set[Market] = set()
        self._error: Exception | None = None

    async def __aenter__(self) -> Self:
        for name, account in self._accounts.items():
            venue = self._venues[name]
            self._spawn(self._account("balances", venue.balance_updates, account))
            self._spawn(self._account("positions", venue.position_updates, account))
        self._spawn(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for market in self._markets:
            self._pricing.forget(market)
        for account in self._accounts.values():
            account.not_live.clear()

    async def wait(self) -> None:
        """Wait until something moved.

        Raises:
            Exception: What ended a task and is no venue's failure.
        """
        await self._changed.wait()
        self._changed.clear()
        if self._error is not None:
            raise self._error

    def market(self, market: Market) -> None:
        """Follow a market's book, or a contract's ticker, from now on."""
        if market in self._markets:
            return
        self._markets.add(market)
        venue = self._venues[market.venue]
        follow: Callable[[Symbol], EventStream[Any]] = venue.books if market.symbol.is_spot else venue.tickers

        def take(news: OrderBook | Ticker) -> None:
            self._pricing.follow(market, news)

        def fail(reason: str) -> None:
            self._pricing.forget(market)
            _log.info("%s: %s is not followed live: %s", market.venue, market.symbol, reason)

        self._spawn(self._stream(lambda: follow(market.symbol), take, fail))

    def reread(self, read: Callable[[], Awaitable[None]], every: float) -> None:
        """Call *read* every so many seconds, and sooner where only a reading can tell what news left out."""
        self._spawn(self._reading(read, every))

    async def _account(self, what: str, follow: Callable[[], EventStream[Any]], account: Holdings) -> None:
        def take(news: Any) -> None:
            account.not_live.pop(what, None)
            account.merge(news)
            if account.lacks_held:
                self._read_now.set()

        def fail(reason: str) -> None:
            account.not_live[what] = reason

        await self._stream(follow, take, fail)

    async def _stream(
        self, follow: Callable[[], EventStream[T]], take: Callable[[T], None], fail: Callable[[str], None]
    ) -> None:
        """Read a stream, and open it anew after it failed; not where the venue has none of the kind."""
        pause = _PAUSE
        while True:
            reason = "the stream ended"
            try:
                stream = follow()
                try:
                    async for news in stream:
                        take(news)
                        self._changed.set()
                        pause = _PAUSE
                finally:
                    stream.close()
            except NotSupported:
                return
            except ExchangeError as error:
                reason = str(error) or type(error).__name__
            fail(reason)
            self._changed.set()
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _reading(self, read: Callable[[], Awaitable[None]], every: float) -> None:
        while True:
            try:
                async with asyncio.timeout(every):
                    await self._read_now.wait()
            except TimeoutError:
                pass
            self._read_now.clear()
            await read()
            self._changed.set()
            await self._clock.sleep(_PAUSE)

    async def _watch(self) -> None:
        """Notice connections that are lost, and have the account read when they are back."""
        shown: dict[str, str | None] = {}
        behind: dict[str, int] = {}
        while True:
            for name, account in self._accounts.items():
                account.look(self._venues[name].health())
                behind[name] = behind.get(name, -1) + 1 if account.is_behind else -1
                if behind[name] % _LOOKS_BETWEEN_READINGS == 0:
                    self._read_now.set()
                if account.lost != shown.get(name):
                    shown[name] = account.lost
                    self._changed.set()
            await self._clock.sleep(_LOOK_EVERY)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job, name="portfolio")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._error = error
            self._changed.set()
