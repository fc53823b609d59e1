"""Paper trading: a simulated venue whose markets follow those of a real one.

Books and trades of the real venue are the market; orders that are placed here fill against them, see
:mod:`exchange_core.simulator.outside.mirror`. The real venue is asked for its lists and for public feeds, and nothing
else: it is opened without keys.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from random import Random
from types import TracebackType
from typing import Self, TypeVar

import attrs

from exchange_core.clock import Clock, SystemClock
from exchange_core.config import Config, VenueEntry
from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import SimMarket, SimulatorSpec
from exchange_core.errors import ExchangeError, NotSupported, TransportError, UnknownSymbol
from exchange_core.hub import Hub
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol
from exchange_core.plugins import Plugins
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.outside.market import FollowedMarket
from exchange_core.transport.backoff import backoff
from exchange_core.venue.background import Background
from exchange_core.venue.protocol import EventStream, Venue
from exchange_core.venue.venue import Surroundings

DEPTH = 100
"""Levels of each side that are followed."""

START_WITHIN = 60.0

_LOOK_EVERY = 1.0  # at what the venue takes
_LOOKS_BETWEEN_LISTS = 60

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class RealVenue:
    """A venue that is open without keys, and what of it is to be followed.

    Attributes:
        spec: Its simulated side, with the markets to follow as the venue lists them now.
    """

    venue: Venue
    spec: SimulatorSpec

    @property
    def symbols(self) -> list[Symbol]:
        """The markets to follow."""
        return [market.instrument.symbol for market in self.spec.markets]


@asynccontextmanager
async def real_venue(
    entry: VenueEntry, wanted: Collection[Symbol] = (), *, all_of_them: bool = True, plugins: Plugins | None = None
) -> AsyncIterator[RealVenue]:
    """Open a venue, without its keys, and make its simulated side of what it lists.

    Args:
        wanted: The markets to follow; without, those that its simulated side usually has, as far as they are listed.
        all_of_them: Whether all that is wanted must be listed, or one of it is enough.

    Raises:
        NotSupported: It cannot be followed.
        UnknownSymbol: It does not list what is wanted.
        TransportError, VenueError: It cannot be reached, or does not answer as expected.
    """
    simulator = entry.spec.simulator
    if simulator is None or simulator.listed is None:
        raise NotSupported(f"{entry.name}: {entry.spec.title} has no simulated side that could follow it")
    answers: list[bytes] = []
    reading = True

    def keep(_address: str, _request: HttpRequest, reply: HttpReply, _time: float) -> None:
        if reading and reply.status == 200:
            answers.append(reply.body)

    config = Config(venues={entry.name: attrs.evolve(entry, api_key=None, api_secret=None)})
    async with Hub.open(config, plugins=plugins, surroundings={entry.name: Surroundings(rest_tap=keep)}) as hub:
        venue, reading = hub[entry.name], False
        listed = simulator.listed(tuple(answers))
        answers.clear()
        if wanted and all_of_them:
            chosen = [venue.instrument(symbol) for symbol in wanted]
        else:
            chosen = await _listed_of(venue, wanted or [market.instrument.symbol for market in simulator.markets])
        markets = [await _market(venue, listed, instrument) for instrument in chosen]
        yield RealVenue(venue=venue, spec=attrs.evolve(listed, markets=tuple(markets)))


class Following:
    """Follows markets of a real venue in a simulated one. Use it as an async context manager.

    It begins when every market is known, and ends with none known. What goes wrong in between is said and mended.
    """

    def __init__(
        self,
        real: RealVenue,
        exchange: SimulatedExchange,
        *,
        say: Callable[[str], None] = _LOG.warning,
        clock: Clock | None = None,
        random: Random | None = None,
        within: float = START_WITHIN,
    ) -> None:
        """Args:
        exchange: Made of *real*'s spec, without market makers.
        say: Told when a market is not known any more, when it is again, and what the venue takes.
        clock: Of the waits between attempts; the real one unless given.
        within: Seconds in which the first book of every market must have come.
        """
        self._venue = real.venue
        self._clock = clock or SystemClock()
        self._random = random or Random()
        self._exchange = exchange
        self._say = say
        self._within = within
        self._markets = {
            symbol: FollowedMarket(exchange, symbol, self._depth, say=self._tell) for symbol in real.symbols
        }
        self._state = exchange.state
        self._gaps = 0
        self._begun = False
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for market in self._markets.values():
                stack.callback(market.end)
            background = await stack.enter_async_context(Background(f"following {self._venue.name}"))
            for symbol, market in self._markets.items():
                background.spawn(self._keep_following(symbol, market), str(symbol))
            background.spawn(self._watch(), "status")
            await self._all_known()
            self._begun = True
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    @property
    def _depth(self) -> int:
        """Return how many levels are followed: as many as wanted, or the most that there are."""
        return min(DEPTH, max(self._venue.book_depths, default=DEPTH))

    async def _all_known(self) -> None:
        try:
            async with asyncio.timeout(self._within):
                for market in self._markets.values():
                    await market.known.wait()
        except TimeoutError:
            missing = ", ".join(str(symbol) for symbol, market in self._markets.items() if not market.known.is_set())
            raise TransportError(
                f"{self._venue.name}: no live book of {missing} came within {self._within:g} s", venue=self._venue.name
            ) from None

    async def _keep_following(self, symbol: Symbol, market: FollowedMarket) -> None:
        """Follow a market; begin anew when its streams end, which they do not for a lost connection."""
        waits = backoff(self._random)
        while True:
            try:
                await self._follow(symbol, market)
            except ExchangeError as error:
                if not self._begun:
                    raise
                market.withdraw(str(error))
            await self._clock.sleep(next(waits))

    async def _follow(self, symbol: Symbol, market: FollowedMarket) -> None:
        """Follow a market until one of its streams ends."""
        venue = self._venue
        readers = [
            # Trades that came together with a book go first: what the book then shows is the truth.
            _read(partial(venue.books, symbol, self._depth), market.book, yields=True),
            _read(partial(venue.trades, symbol), market.trade),
        ]
        if not symbol.is_spot:
            readers.append(_read(partial(venue.tickers, symbol), market.ticker))
        tasks = [asyncio.create_task(reader) for reader in readers]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """Look what the venue takes, of which feeds tell some and its list the rest, and what was missed."""
        while True:
            for _ in range(_LOOKS_BETWEEN_LISTS):
                self._look()
                await self._clock.sleep(_LOOK_EVERY)
            try:
                await self._venue.instruments(refresh=True)
            except ExchangeError as error:
                _LOG.info("%s: its list cannot be read just now: %s", self._venue.name, error)

    def _look(self) -> None:
        health = self._venue.health()
        for symbol, market in self._markets.items():
            market.accept(self._venue.instrument(symbol).status)
        if health.status is not None and health.status.state is not self._state:
            self._state = self._exchange.state = health.status.state
            self._tell(f"it is {self._state}")
        gaps = sum(feed.gaps for feed in health.feeds.values())
        if gaps > self._gaps:
            self._tell("trades were missed, and filled nothing")
        self._gaps = gaps

    def _tell(self, text: str) -> None:
        self._say(f"{self._venue.name}: {text}")


async def _read(open_stream: Callable[[], EventStream[T]], take: Callable[[T], None], *, yields: bool = False) -> None:
    """Give what comes to *take*; with *yields* after all others have taken what came at the same time."""
    async with open_stream() as stream:
        async for event in stream:
            if yields:
                await asyncio.sleep(0)
            take(event)


async def _listed_of(venue: Venue, symbols: Collection[Symbol]) -> list[Instrument]:
    """Return what is listed and open of *symbols*."""
    listed = {each.symbol: each for each in await venue.instruments() if not each.is_closed}
    found = [listed[symbol] for symbol in symbols if symbol in listed]
    if not found:
        names = ", ".join(map(str, symbols))
        raise UnknownSymbol(f"{venue.name}: it lists none of {names}; name others to follow", venue=venue.name)
    return found


async def _market(venue: Venue, listed: SimulatorSpec, instrument: Instrument) -> SimMarket:
    """Return the simulated market of a real instrument, at its price of now."""
    market = next((each for each in listed.markets if each.instrument.symbol == instrument.symbol), None)
    if market is None or instrument.is_closed:
        raise NotSupported(f"{venue.name}: {instrument.symbol} cannot be followed: it is no open market")
    ticker = await venue.ticker(instrument.symbol)
    prices = (ticker.last, ticker.mark_price, ticker.bid, ticker.ask)
    price = market.instrument.round_price(next((price for price in prices if price), market.start_price))
    market = attrs.evolve(market, start_price=max(price, market.instrument.tick_size))
    fees = await venue.fees(instrument.symbol)  # those of the configuration: nobody has an account here
    return market if fees is None else attrs.evolve(market, fees=fees, fee_tiers=())
