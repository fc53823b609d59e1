"""A venue whose account and markets are set by hand."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import ExchangeError, NotSupported, UnknownSymbol
from exchange_core.model.account import Balance, Position
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Level, Ticker
from exchange_core.model.symbol import Symbol
from exchange_core.venue.health import FeedHealth, VenueHealth

_END = object()


class News:
    """An event stream that is fed by hand; an error that is fed ends it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.closed = False

    def put(self, *events: Any) -> None:
        for event in events:
            self.queue.put_nowait(event)

    def __aiter__(self) -> "News":
        return self

    async def __anext__(self) -> Any:
        event = await self.queue.get()
        if isinstance(event, ExchangeError):
            raise event
        return event

    def close(self) -> None:
        self.closed = True


class BookSides:
    """What an OrderBook shows: one level a side."""

    def __init__(self, symbol: Symbol, bid: str, ask: str, health: BookHealth = BookHealth.LIVE) -> None:
        self.symbol, self.health, self.checked = symbol, health, 1
        self.time: str | int | None = None
        self.bid, self.ask = Level(Decimal(bid), Decimal(1)), Level(Decimal(ask), Decimal(1))

    def bids(self, depth: int | None) -> list[Level]:
        return [self.bid] if self.health is BookHealth.LIVE else []

    def asks(self, depth: int | None) -> list[Level]:
        return [self.ask] if self.health is BookHealth.LIVE else []


class FakeVenue:
    """One account.

    Attributes:
        error: What reading the account raises, while set.
        gate: While not set, reading the balances waits.
        asked: Symbols of the tickers that were asked for.
        streams: Every stream that was opened, by what it is of.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.has_credentials = True
        self.owned: list[Balance] = []
        self.held: list[Position] | None = None
        self.error: ExchangeError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.reading = asyncio.Event()
        self.listed: dict[Symbol, Instrument] = {}
        self.tickers_now: dict[Symbol, Ticker] = {}
        self.asked: list[Symbol] = []
        self.streams: dict[str, list[News]] = {}
        self.opened = asyncio.Event()
        self.connection = FeedHealth(state="open", is_account=True)

    def owns(self, *amounts: tuple[str, str], **more: Any) -> None:
        self.owned = [Balance(asset=asset, total=Decimal(total), held=Decimal(0), **more) for asset, total in amounts]

    def lists(self, symbol: str, **numbers: str) -> Symbol:
        """List an instrument, with the ticker that it has now."""
        made = Instrument(
            symbol=Symbol.parse(symbol),
            venue_id=symbol,
            tick_size=Decimal("0.5"),
            lot_size=Decimal("0.0001"),
            min_quantity=Decimal("0.0001"),
        )
        self.listed[made.symbol] = made
        values: dict[str, Any] = {name: Decimal(number) for name, number in numbers.items()}
        self.tickers_now[made.symbol] = Ticker(symbol=made.symbol, **values)
        return made.symbol

    # What the portfolio uses of a venue.

    def health(self) -> VenueHealth:
        return VenueHealth(feeds={"private": self.connection}, books={})

    async def instruments(self) -> Sequence[Instrument]:
        return list(self.listed.values())

    def instrument(self, symbol: Symbol) -> Instrument:
        if symbol not in self.listed:
            raise UnknownSymbol(f"{self.name}: no instrument {symbol}")
        return self.listed[symbol]

    async def ticker(self, symbol: Symbol) -> Ticker:
        self.asked.append(symbol)
        if symbol not in self.tickers_now:
            raise NotSupported(f"{self.name}: no ticker of {symbol}")
        return self.tickers_now[symbol]

    async def balances(self) -> Sequence[Balance]:
        owned = list(self.owned)
        self.reading.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return owned

    async def positions(self) -> Sequence[Position]:
        if self.held is None:
            raise NotSupported(f"{self.name}: positions: spot only")
        return self.held

    def balance_updates(self) -> News:
        return self._open("balances")

    def position_updates(self) -> News:
        if self.held is None:
            raise NotSupported(f"{self.name}: positions: spot only")
        return self._open("positions")

    def books(self, symbol: Symbol, depth: int | None = None) -> News:
        return self._open(f"book {symbol}")

    def tickers(self, symbol: Symbol) -> News:
        return self._open(f"ticker {symbol}")

    def _open(self, what: str) -> News:
        news = News()
        self.streams.setdefault(what, []).append(news)
        self.opened.set()
        return news

    def news(self, what: str) -> News:
        """Return the stream of something that was opened last."""
        return self.streams[what][-1]


def live_book(symbol: str, bid: str, ask: str) -> OrderBook:
    return OrderBook(BookSides(Symbol.parse(symbol), bid, ask))


@pytest.fixture
def make_book() -> Callable[[str, str, str], OrderBook]:
    return live_book


@pytest.fixture
def venue() -> Callable[[str], FakeVenue]:
    return FakeVenue
