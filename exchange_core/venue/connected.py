"""One connected venue: the parts put behind one face, and their common beginning and end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

import attrs

from exchange_core.connector.naming import AssetMap
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import RestOperations, VenueSpec
from exchange_core.errors import ExchangeError, TransportError
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.amendment import Amendment
from exchange_core.model.book import BookByOrder, BookSnapshot, OrderBook
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    LedgerUpdate,
    Notice,
    PositionsUpdate,
    StatusUpdate,
    TickerTrigger,
)
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.transport.venue_clock import VenueClock
from exchange_core.venue.account import Account
from exchange_core.venue.background import Background
from exchange_core.venue.bus import Bus, topic
from exchange_core.venue.drift import VenueDrift
from exchange_core.venue.feeds import Feeds
from exchange_core.venue.following import Follower
from exchange_core.venue.health import VenueHealth
from exchange_core.venue.history import Histories
from exchange_core.venue.limits import VenueLimits
from exchange_core.venue.market_data import BookWatch, MarketData
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.past import WalkedPast
from exchange_core.venue.stream import Stream, Streams
from exchange_core.venue.switch import Switch
from exchange_core.venue.trading import Trading

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Parts:
    """What a venue is put together from; ``open_venue`` does it."""

    assets: AssetMap
    bus: Bus
    streams: Streams
    background: Background
    rest: RestClient
    operations: RestOperations
    feeds: Feeds
    tracker: OrderTracker
    follower: Follower
    market: MarketData
    trading: Trading
    clock: VenueClock
    account: Account
    histories: Histories
    limits: VenueLimits
    drift: VenueDrift


class ConnectedVenue(WalkedPast):
    """A venue that a plugin describes. Use it as an async context manager; see the ``Venue`` protocol for its methods.

    Entering it asks for the instruments, so that a wrong address shows at once. Connections for live data are opened
    when first needed.
    """

    def __init__(self, name: str, spec: VenueSpec, parts: Parts, *, has_credentials: bool) -> None:
        self.name = name
        self.title = spec.title
        self.spec = spec
        self.has_credentials = has_credentials
        self.status: StatusUpdate | None = None
        self._parts = parts
        self._market = parts.market
        self._trading = parts.trading
        self._account = parts.account
        self._past = parts.histories
        self._stack: AsyncExitStack | None = None
        parts.bus.subscribe(topic(StatusUpdate), self._take_status)

    def __repr__(self) -> str:
        return f"<venue {self.name!r}: {self.title}>"

    async def __aenter__(self) -> Self:
        await self.enter()
        try:
            await self.load()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def enter(self) -> None:
        """Begin, without asking the venue for anything. The task that does this must be the one that ends it."""
        if self._stack is not None:
            raise RuntimeError(f"{self.name}: open already; make a second one for a second connection")
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(self._parts.rest)
        await self._stack.enter_async_context(self._parts.background)

    async def load(self) -> None:
        """Ask for the instruments."""
        await self._market.instruments(refresh=True)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stack is None:
            return
        stack, self._stack = self._stack, None
        try:
            await stack.__aexit__(kind, error, traceback)
        except Exception as failure:
            self._parts.streams.end_all(self._ended_by(failure))
            raise
        finally:
            self._parts.streams.end_all()

    def health(self) -> VenueHealth:
        parts = self._parts
        return VenueHealth(
            feeds=parts.feeds.health(),
            books=parts.feeds.books(),
            books_by_order=parts.feeds.books(Channel.BOOK_BY_ORDER),
            status=self.status,
            unknown_orders=tuple(order for order in parts.tracker.live() if order.unknown),
            fills_complete_until=parts.follower.complete_until,
            account_error=str(parts.follower.error) if parts.follower.error else None,
            ways=dict(parts.rest.ways),
            unknown_assets=dict(parts.assets.unknown),
            clock=parts.clock.reading,
            drift=parts.drift.counts(),
            drift_examples=parts.drift.examples(),
        )

    @property
    def limits(self) -> VenueLimits:
        """The venue's limits: what requests will cost and how long they will wait, and how full each is."""
        return self._parts.limits

    @property
    def book_depths(self) -> tuple[int, ...]:
        return self.spec.book_depths

    # Market data

    def instrument(self, symbol: Symbol | str) -> Instrument:
        return self._market.instrument(symbol)

    async def instruments(self, *, refresh: bool = False) -> list[Instrument]:
        return await self._market.instruments(refresh=refresh)

    async def ticker(self, symbol: Symbol | str) -> Ticker:
        return await self._market.ticker(symbol)

    async def book(self, symbol: Symbol | str, depth: int | None = None) -> BookSnapshot:
        return await self._market.book(symbol, depth)

    async def recent_trades(self, symbol: Symbol | str, limit: int | None = None) -> list[Trade]:
        return await self._market.recent_trades(symbol, limit)

    async def candles(self, symbol: Symbol | str, interval: int, since: datetime | None = None) -> list[Candle]:
        return await self._market.candles(symbol, interval, since)

    def books(self, symbol: Symbol | str, depth: int | None = None) -> Stream[OrderBook]:
        return self._market.books(symbol, depth)

    def live_book(self, symbol: Symbol | str) -> OrderBook | None:
        return self._market.live_book(symbol)

    async def on_book(
        self,
        symbol: Symbol | str,
        depth: int | None,
        callback: Callable[[OrderBook], None],
        *,
        on_error: Callable[[ExchangeError], None] | None = None,
    ) -> BookWatch:
        return await self._market.on_book(symbol, depth, callback, on_error=on_error)

    def books_by_order(self, symbol: Symbol | str, depth: int | None = None) -> Stream[BookByOrder]:
        return self._market.books_by_order(symbol, depth)

    def live_book_by_order(self, symbol: Symbol | str) -> BookByOrder | None:
        return self._market.live_book_by_order(symbol)

    def tickers(
        self, symbol: Symbol | str, trigger: TickerTrigger | str | None = None, *, variant: str | None = None
    ) -> Stream[Ticker]:
        return self._market.tickers(symbol, trigger, variant=variant)

    def trades(self, symbol: Symbol | str) -> Stream[Trade]:
        return self._market.trades(symbol)

    def candle_updates(self, symbol: Symbol | str, interval: int) -> Stream[Candle]:
        return self._market.candle_updates(symbol, interval)

    # Trading

    @property
    def operations(self) -> RestOperations:
        """The plugin's own calls, those that only this venue has included; :meth:`run` runs them."""
        return self._parts.operations

    async def run(self, flow: Flow[T]) -> T:
        """Run one of the plugin's ``operations``, within the venue's limits.

        What it places or cancels is not looked after as ``place`` does: an unknown outcome is raised. Where an
        operation makes several writes and a later one fails, ``done`` of the error has those before it, with their
        answers: they were carried out, whatever the error says of the rest.
        """
        return await self._parts.rest.run(flow)

    async def check(self, request: OrderRequest) -> None:
        self._trading.check(request)

    async def place(self, request: OrderRequest) -> Order:
        self._account.require("placing orders")
        return await self._trading.place(request)

    async def place_all(self, requests: Iterable[OrderRequest]) -> list[Order | ExchangeError]:
        self._account.require("placing orders")
        return await self._trading.place_all(requests)

    def resume(self, orders: Iterable[Order]) -> list[Order]:
        """Take up orders that an earlier run noted in its journal and of which it did not see the end.

        Each is unknown until the venue has said what became of it, and is asked for by its client id until then; that
        is told through ``order_updates``, and ``until_final`` waits for its end. Nothing is sent again. One that the
        venue does not know long after its deadline never arrived, unless it has an id of the venue's. One that is over,
        or is known here already, is left as it is.

        Raises:
            OrderRefused: One has no client id, by which alone it could be found.
        """
        self._account.require("orders")
        return self._trading.resume(orders)

    async def amend(self, order: Order | str, amendment: Amendment) -> Order:
        self._account.require("amending orders")
        return await self._trading.amend(order, amendment)

    async def cancel(self, order: Order | str) -> Order:
        self._account.require("canceling orders")
        return await self._trading.cancel(order)

    async def cancel_many(self, orders: Iterable[Order | str]) -> list[Order]:
        self._account.require("canceling orders")
        return await self._trading.cancel_many(orders)

    async def cancel_all(self, symbol: Symbol | str | None = None) -> list[Order]:
        self._account.require("canceling orders")
        return await self._trading.cancel_all(symbol)

    async def cancel_all_after(self, seconds: int) -> datetime | None:
        self._account.require("canceling orders")
        return await self._trading.cancel_all_after(seconds)

    def dead_mans_switch(self, seconds: int) -> AbstractAsyncContextManager[Switch]:
        self._account.require("canceling orders")
        return self._trading.dead_mans_switch(seconds)

    async def order(self, order: Order | str) -> Order:
        self._account.require("orders")
        return await self._trading.order(order)

    async def until_final(self, order: Order | str, within: float | None = None) -> Order:
        self._account.require("orders")
        return await self._trading.until_final(order, within)

    async def open_orders(self, symbol: Symbol | str | None = None) -> list[Order]:
        self._account.require("open orders")
        return await self._trading.open_orders(symbol)

    # Account

    @property
    def fills_complete_until(self) -> datetime | None:
        return self._parts.follower.complete_until

    async def balances(self) -> list[Balance]:
        return await self._account.balances()

    async def positions(self) -> list[Position]:
        return await self._account.positions()

    async def fills(self, since: datetime | None = None) -> list[Fill]:
        return await self._account.fills(since)

    async def fees(self, symbol: Symbol | str) -> FeeRates | None:
        return await self._account.fees(self.instrument(symbol).symbol)

    def order_updates(self) -> Stream[Order]:
        return self._account.order_updates()

    def fill_updates(self) -> Stream[Fill]:
        return self._account.fill_updates()

    def balance_updates(self) -> Stream[BalancesUpdate]:
        return self._account.balance_updates()

    def position_updates(self) -> Stream[PositionsUpdate]:
        return self._account.position_updates()

    def ledger_updates(self) -> Stream[LedgerUpdate]:
        return self._account.ledger_updates()

    def notices(self) -> Stream[Notice]:
        return self._account.notices()

    def _take_status(self, status: StatusUpdate) -> None:
        self.status = status

    def _ended_by(self, failure: Exception) -> ExchangeError:
        if isinstance(failure, ExchangeError):
            return failure
        return TransportError(f"{self.name}: closed by {type(failure).__name__}: {failure}", venue=self.name)
