"""A recorded tape as the market: what a venue's feeds once told, told again to a simulated exchange at the same pace.

Markets that are on the tape have no other liquidity; how orders placed here fill against it, see
:mod:`exchange_core.simulator.outside.mirror`. When the tape is over, its last books stay as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import attrs

from exchange_core.errors import ConfigError
from exchange_core.model.book import OrderBook
from exchange_core.model.event import BookDesynced, Event, InstrumentsUpdate
from exchange_core.model.market import Ticker, Trade
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.outside.market import FollowedMarket
from exchange_core.venue.background import Background

_AT_ONCE = 100  # pieces of news before others have a turn
_SHOWN = 8

_LOG = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Tape:
    """Market data of one venue that was recorded.

    Attributes:
        name: What messages call it.
        symbols: The markets whose books are on it.
        begins: When the first of those came, in seconds by the recorder's clock; earlier news is told at once.
        ends: When the last news came.
        news: Starts it: what the venue's feeds told, and when. Books are live views, each true until the next news.
        say: Told when it is over, and when a book on it is not known for a while.
    """

    name: str
    symbols: Sequence[Symbol]
    begins: float
    ends: float
    news: Callable[[], Iterator[tuple[float, Event]]]
    say: Callable[[str], None] = _LOG.warning


class TapePlayer:
    """Plays a tape on an exchange. Use it as an async context manager: its first book is there when that begins.

    Who lets time pass otherwise may call :meth:`step` instead, as one of a server's makers say; the first step begins.
    """

    def __init__(self, exchange: SimulatedExchange, tape: Tape) -> None:
        """Raises:
        ConfigError: The exchange does not list one of the tape's markets.
        """
        listed = [market.instrument.symbol for market in exchange.markets()]
        if missing := [symbol for symbol in tape.symbols if symbol not in listed]:
            known = ", ".join(str(symbol) for symbol in listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")
            raise ConfigError(
                f"{tape.name}: it is of {missing[0]}, which is no market of the simulated {exchange.spec.section} "
                f"exchange; it lists {known}. Recorded lists of the venue make it one: --listing FILE"
            )
        self._tape = tape
        self._clock = exchange.clock
        self._background = Background(tape.name)
        self._there = datetime.min.replace(tzinfo=UTC)
        self._markets = {
            symbol: FollowedMarket(exchange, symbol, None, say=self._say, now=lambda: self._there)
            for symbol in tape.symbols
        }
        self._news = tape.news()
        self._next = next(self._news, None)
        self._began: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self._next is None

    def step(self, now: datetime) -> None:
        """Tell all that is due by *now*."""
        while self._tell_next(now):
            pass

    async def __aenter__(self) -> Self:
        self.step(self._clock.now())
        await self._background.__aenter__()
        self._background.spawn(self._play(), "tape")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._background.__aexit__(kind, error, trace)

    async def _play(self) -> None:
        """Tell everything when it is due, until it is over."""
        while self._next is not None:
            for _ in range(_AT_ONCE):
                if not self._tell_next(self._clock.now()):
                    break
            await self._clock.sleep(self._wait(self._clock.now()))

    def _due(self, now: datetime) -> datetime:
        """Return when the next piece of news is due."""
        assert self._next is not None
        if self._began is None:
            self._began = now
        return self._began + timedelta(seconds=max(0.0, self._next[0] - self._tape.begins))

    def _wait(self, now: datetime) -> float:
        return 0 if self._next is None else max(0.0, (self._due(now) - now).total_seconds())

    def _tell_next(self, now: datetime) -> bool:
        if self._next is None or self._due(now) > now:
            return False
        self._tell(self._next[1])
        self._next = next(self._news, None)
        if self._next is None:
            self._say("the tape is over; its last books stay")
        return True

    def _tell(self, event: Event) -> None:
        match event:
            case OrderBook() | Trade() | Ticker():
                if event.time is not None:
                    self._there = max(self._there, event.time)
                if event.symbol in self._markets:
                    self._show(self._markets[event.symbol], event)
            case BookDesynced():
                if event.symbol in self._markets:
                    self._markets[event.symbol].withdraw(event.reason)
            case InstrumentsUpdate():
                for instrument in event.instruments:
                    if instrument.symbol in self._markets:
                        self._markets[instrument.symbol].accept(instrument.status)

    @staticmethod
    def _show(market: FollowedMarket, news: OrderBook | Trade | Ticker) -> None:
        match news:
            case OrderBook():
                market.book(news)
            case Trade():
                market.trade(news)
            case Ticker():
                market.ticker(news)

    def _say(self, text: str) -> None:
        self._tape.say(f"{self._tape.name}: {text}")
