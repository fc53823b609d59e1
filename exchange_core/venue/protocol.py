"""What hub, portfolio and router know of a venue, and all that they know.

A plugin's pure parts become one through ``open_venue``. Something that must own its I/O, such as a bridge to an SDK,
can be offered whole by having these methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, Self, TypeVar

from exchange_core.errors import ExchangeError
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.amendment import Amendment
from exchange_core.model.book import BookByOrder, BookSnapshot, OrderBook
from exchange_core.model.event import BalancesUpdate, LedgerUpdate, Notice, PositionsUpdate, TickerTrigger
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.venue.health import VenueHealth
from exchange_core.venue.history import Past
from exchange_core.venue.switch import Switch

T_co = TypeVar("T_co", covariant=True)


class EventStream(Protocol[T_co]):
    """News as they come: ``async for event in stream``. Leaving the loop, or ``close``, ends the subscription."""

    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> T_co: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...


class Watch(Protocol):
    """A callback that is being called; ``close`` ends it."""

    def close(self) -> None: ...


class Venue(Past, Protocol):
    """One account at one venue. Symbols are taken as ``Symbol`` or as text. For its past see ``Past``."""

    @property
    def name(self) -> str:
        """The name it has here, such as that of ``[venues.NAME]``."""
        ...

    @property
    def title(self) -> str:
        """The venue's name for people."""
        ...

    @property
    def has_credentials(self) -> bool:
        """Whether it can trade and show an account."""
        ...

    @property
    def book_depths(self) -> tuple[int, ...]:
        """Depths that live books can be had in; empty when they come whole."""
        ...

    def health(self) -> VenueHealth:
        """Return how its connections, books and orders stand."""
        ...

    # Market data

    def instrument(self, symbol: Symbol | str) -> Instrument:
        """Return what is known of *symbol*. Raises UnknownSymbol."""
        ...

    async def instruments(self, *, refresh: bool = False) -> Sequence[Instrument]:
        """Return all that is listed; with *refresh* ask the venue again."""
        ...

    async def ticker(self, symbol: Symbol | str) -> Ticker: ...
    async def book(self, symbol: Symbol | str, depth: int | None = None) -> BookSnapshot:
        """Ask for a book once. For a checked live one see :meth:`books`."""
        ...

    async def recent_trades(self, symbol: Symbol | str, limit: int | None = None) -> Sequence[Trade]:
        """Return the latest public trades, oldest first."""
        ...

    async def candles(self, symbol: Symbol | str, interval: int, since: datetime | None = None) -> Sequence[Candle]:
        """Return bars of *interval* minutes, oldest first; the last may be open."""
        ...

    def books(self, symbol: Symbol | str, depth: int | None = None) -> EventStream[OrderBook]:
        """Follow a book. Yields the live view whenever it changed and is checked; states in between are skipped.

        A book that fails says so: when its health becomes DESYNCED or STALE the view comes once, without levels.
        Whoever acts on prices asks ``book.health`` first, or for the levels that it needs.
        """
        ...

    def live_book(self, symbol: Symbol | str) -> OrderBook | None:
        """Return the live view of a book that is being followed, whatever its health; None when none is."""
        ...

    async def on_book(
        self,
        symbol: Symbol | str,
        depth: int | None,
        callback: Callable[[OrderBook], None],
        *,
        on_error: Callable[[ExchangeError], None] | None = None,
    ) -> Watch:
        """Call *callback* with the view for every checked message, with no queue in between.

        And once, without levels, when the book's health becomes DESYNCED or STALE.
        """
        ...

    def books_by_order(self, symbol: Symbol | str, depth: int | None = None) -> EventStream[BookByOrder]:
        """Follow a book in which every order shows, as :meth:`books` does one of levels. Raises NotSupported."""
        ...

    def live_book_by_order(self, symbol: Symbol | str) -> BookByOrder | None:
        """Return the live view of a book by order that is being followed; None when none is."""
        ...

    def tickers(
        self, symbol: Symbol | str, trigger: TickerTrigger | str | None = None, *, variant: str | None = None
    ) -> EventStream[Ticker]:
        """Follow the best prices; what came between two reads is skipped.

        *trigger* chooses what the venue sends a ticker by, *variant* which of its feeds, where it leaves a choice;
        NotSupported is raised elsewhere.
        """
        ...

    def trades(self, symbol: Symbol | str) -> EventStream[Trade]:
        """Follow public trades; none is skipped, SlowConsumer is raised instead."""
        ...

    def candle_updates(self, symbol: Symbol | str, interval: int) -> EventStream[Candle]:
        """Follow the bars of *interval* minutes; none is skipped."""
        ...

    # Trading

    async def check(self, request: OrderRequest) -> None:
        """Raise what :meth:`place` would raise before sending; send nothing."""
        ...

    async def place(self, request: OrderRequest) -> Order:
        """Send an order, once. ``order.unknown`` is True when the venue's answer is still missing."""
        ...

    async def place_all(self, requests: Iterable[OrderRequest]) -> Sequence[Order | ExchangeError]:
        """Send several orders; return, in their order, each as :meth:`place` does or the error that it would raise.

        All are checked first: when one of them is wrong, that is raised, and none is sent.
        """
        ...

    async def amend(self, order: Order | str, amendment: Amendment) -> Order:
        """Change an order that rests, once; it keeps its ids and what was executed of it.

        Raises:
            NotSupported: The venue cannot. It is never done by canceling and placing anew.
            OrderRefused: Nothing changed.
            OutcomeUnknown: It may have been amended, and is being asked for.
        """
        ...

    async def cancel(self, order: Order | str) -> Order:
        """Cancel one order; return what became of it, which may be that it was filled first."""
        ...

    async def cancel_many(self, orders: Iterable[Order | str]) -> Sequence[Order]:
        """Cancel several orders; return what became of each."""
        ...

    async def cancel_all_after(self, seconds: int) -> datetime | None:
        """Have the venue cancel every order of the account in *seconds*, unless told again before; 0 ends that.

        Returns when it will happen, by the venue's clock, where that is known. Raises NotSupported where it cannot.
        """
        ...

    def dead_mans_switch(self, seconds: int) -> AbstractAsyncContextManager[Switch]:
        """Have the venue cancel every order of the account when this program falls silent for *seconds*.

        Used as ``async with venue.dead_mans_switch(60):`` it is renewed each third of the time, and ended when the body
        ends well; not when it fails or the program dies. When it cannot be renewed in two thirds of the time, the body
        is cancelled and the error raised, before the venue acts. It is for the whole account, and there is but one.
        """
        ...

    async def cancel_all(self, symbol: Symbol | str | None = None) -> Sequence[Order]:
        """Cancel what is open, or what is open of *symbol* and nothing else."""
        ...

    async def order(self, order: Order | str) -> Order:
        """Return the newest that is known, or can be asked, of an order."""
        ...

    async def until_final(self, order: Order | str, within: float | None = None) -> Order:
        """Wait until an order is over (filled, canceled, expired or rejected), and return it as it then is.

        An order whose outcome is unknown is waited for until that is known too.

        Raises:
            TimedOut: It is not over after *within* seconds. It was not canceled, and may go on.
        """
        ...

    async def open_orders(self, symbol: Symbol | str | None = None) -> Sequence[Order]:
        """Ask the venue what is open.

        This list, balances, positions and fills are a ``Partial`` where an entry of the venue's did not read: what it
        lacks is not gone.
        """
        ...

    # Account

    @property
    def fills_complete_until(self) -> datetime | None:
        """Up to when every fill since the account is watched was delivered; None before the first time."""
        ...

    async def balances(self) -> Sequence[Balance]: ...
    async def positions(self) -> Sequence[Position]: ...
    async def fills(self, since: datetime | None = None) -> Sequence[Fill]:
        """Ask for executions, oldest first."""
        ...

    async def fees(self, symbol: Symbol | str) -> FeeRates | None:
        """Return what this account pays; None where neither the configuration nor the venue says."""
        ...

    def order_updates(self) -> EventStream[Order]:
        """Follow all orders of the account. Never drops: raises SlowConsumer instead."""
        ...

    def fill_updates(self) -> EventStream[Fill]:
        """Follow executions, each once, those made while a connection was lost included. Never drops."""
        ...

    def balance_updates(self) -> EventStream[BalancesUpdate]:
        """Follow balances. Never drops."""
        ...

    def position_updates(self) -> EventStream[PositionsUpdate]:
        """Follow positions. Never drops."""
        ...

    def ledger_updates(self) -> EventStream[LedgerUpdate]:
        """Follow the account's ledger, past entries first where they are told. Never drops; else NotSupported."""
        ...

    def notices(self) -> EventStream[Notice]:
        """Follow what the venue tells its customers, such as maintenance. Never drops. NotSupported as above."""
        ...
