"""Small real things to route over, and a venue that does as it is told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import ExchangeError, OrderNotFound, UnknownSymbol
from exchange_core.model.account import Balance, FeeRates
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.fill import Fee, Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Level
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.routing import VenueQuote

Levels = Sequence[tuple[str, str]]
QuoteMaker = Callable[..., VenueQuote]


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 10, 9, 12, tzinfo=UTC)


@pytest.fixture
def make_instrument() -> Callable[..., Instrument]:
    def make(symbol: str = "BTC/USD", **changes: Any) -> Instrument:
        values: dict[str, Any] = {
            "tick_size": Decimal("0.1"),
            "lot_size": Decimal("0.0001"),
            "min_quantity": Decimal("0.001"),
            "min_cost": Decimal("0.5"),
        }
        return Instrument(symbol=Symbol.of(symbol), venue_id=symbol, **(values | changes))

    return make


@pytest.fixture
def quote(now: datetime, make_instrument: Callable[..., Instrument]) -> QuoteMaker:
    """Make a quote of BTC/USD that can be used, unless told otherwise."""

    def make(venue: str, *, asks: Levels = (), bids: Levels = (), fee: str | None = "0", **changes: Any) -> VenueQuote:
        values: dict[str, Any] = {
            "instrument": make_instrument(),
            "health": BookHealth.LIVE,
            "taken": now,
            "free_base": Decimal(1000),
            "free_quote": Decimal(1_000_000_000),
        }
        return VenueQuote(
            venue=venue,
            asks=[Level(Decimal(price), Decimal(quantity)) for price, quantity in asks],
            bids=[Level(Decimal(price), Decimal(quantity)) for price, quantity in bids],
            taker_fee=None if fee is None else Decimal(fee),
            **(values | changes),
        )

    return make


class News:
    """An event stream that is fed by hand."""

    def __init__(self, error: ExchangeError | None = None) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.closed = False
        self.error = error

    def __aiter__(self) -> "News":
        return self

    async def __anext__(self) -> Any:
        if self.error is not None:
            raise self.error
        event = await self.queue.get()
        self.queue.task_done()
        return event

    def close(self) -> None:
        self.closed = True


class Book:
    """What an OrderBook shows, set by hand."""

    def __init__(self, symbol: Symbol, bids: list[Level], asks: list[Level], health: BookHealth) -> None:
        self.symbol, self.health, self.checked = symbol, health, 1
        self.time: str | int | None = None
        self._bids, self._asks = bids, asks

    def bids(self, depth: int | None) -> list[Level]:
        return self._bids[:depth] if self.health is BookHealth.LIVE else []

    def asks(self, depth: int | None) -> list[Level]:
        return self._asks[:depth] if self.health is BookHealth.LIVE else []


class FakeVenue:
    """One account whose answers are set by the test. By default it fills an order at its limit, at once.

    Attributes:
        on_check, on_place, on_cancel, on_order: Replace those answers.
        placed: Every order that was sent.
        history: What ``fills`` answers.
    """

    book_depths = (10, 100, 500)

    def __init__(self, name: str, now: datetime, instrument: Instrument) -> None:
        self.name = name
        self.now = now
        self.listed = instrument
        self.placed: list[OrderRequest] = []
        self.canceled: list[Order] = []
        self.history: list[Fill] = []
        self.orders = News()
        self.executions = News()
        self.book_news = News()
        self.on_check: Callable[[OrderRequest], Awaitable[None]] = self.let_pass
        self.on_place: Callable[[OrderRequest], Awaitable[Order]] = self.fill_at_once
        self.on_cancel: Callable[[Order], Awaitable[Order]] = self.not_found
        self.on_order: Callable[[Order], Awaitable[Order]] = self.not_found
        self.fee: FeeRates | None = FeeRates(maker=Decimal(0), taker=Decimal("0.001"))
        self.funds = [Balance(asset=asset, total=Decimal(10**9), held=Decimal(0)) for asset in ("BTC", "USD")]
        self.book_source = Book(instrument.symbol, [], [], BookHealth.LIVE)

    def order_of(
        self, request: OrderRequest, status: OrderStatus = OrderStatus.FILLED, filled: str = "", **more: Any
    ) -> Order:
        done = Decimal(filled) if filled else (request.quantity if status is OrderStatus.FILLED else Decimal(0))
        values: dict[str, Any] = {
            "venue_order_id": f"{self.name}-1",
            "client_order_id": f"{self.name}-ours",
            "average_price": request.price if done else None,
        }
        return Order(request=request, venue=self.name, status=status, filled=done, **(values | more))

    def fill_of(self, order: Order, quantity: str = "", number: int = 1, **more: Any) -> Fill:
        assert order.price is not None
        amount = Decimal(quantity) if quantity else order.quantity
        fee = Fee(asset=order.symbol.quote, amount=amount * order.price * Decimal("0.001"))
        values = {"venue_order_id": order.venue_order_id, "client_order_id": order.client_order_id, "fee": fee}
        return Fill(
            id=f"{self.name}-fill-{number}",
            symbol=order.symbol,
            side=order.side,
            price=order.price,
            quantity=amount,
            time=self.now,
            venue=self.name,
            **(values | more),
        )

    async def fill_at_once(self, request: OrderRequest) -> Order:
        order = self.order_of(request)
        self.executions.queue.put_nowait(self.fill_of(order))
        return order

    async def let_pass(self, request: OrderRequest) -> None:
        self.listed.check(request)

    async def not_found(self, order: Order) -> Order:
        raise OrderNotFound(f"{self.name}: no such order")

    def set_book(self, bids: Levels = (), asks: Levels = (), health: BookHealth = BookHealth.LIVE) -> None:
        sides = [[Level(Decimal(price), Decimal(quantity)) for price, quantity in side] for side in (bids, asks)]
        self.book_source = Book(self.listed.symbol, *sides, health)

    # What the router uses of a venue.

    async def instruments(self) -> Sequence[Instrument]:
        return [self.listed]

    def instrument(self, symbol: Symbol) -> Instrument:
        if symbol != self.listed.symbol:
            raise UnknownSymbol(f"{self.name}: no instrument {symbol}")
        return self.listed

    async def fees(self, symbol: Symbol) -> FeeRates | None:
        return self.fee

    async def balances(self) -> Sequence[Balance]:
        return [attrs.evolve(balance, venue=self.name) for balance in self.funds]

    def live_book(self, symbol: Symbol) -> OrderBook | None:
        return OrderBook(self.book_source)

    def books(self, symbol: Symbol, depth: int | None = None) -> News:
        return self.book_news

    async def check(self, request: OrderRequest) -> None:
        await self.on_check(request)

    async def place(self, request: OrderRequest) -> Order:
        self.placed.append(request)
        return await self.on_place(request)

    async def cancel(self, order: Order) -> Order:
        self.canceled.append(order)
        return await self.on_cancel(order)

    async def order(self, order: Order) -> Order:
        return await self.on_order(order)

    async def fills(self, since: datetime | None = None) -> Sequence[Fill]:
        return self.history

    def order_updates(self) -> News:
        return self.orders

    def fill_updates(self) -> News:
        return self.executions


@pytest.fixture
def venue(now: datetime, make_instrument: Callable[..., Instrument]) -> Callable[..., FakeVenue]:
    def make(name: str, symbol: str = "BTC/USD") -> FakeVenue:
        return FakeVenue(name, now, make_instrument(symbol))

    return make
