"""Place, amend and cancel orders. Each is sent once; what then is not known is asked for, never guessed or resent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from random import Random
from typing import Any

import attrs
import pluggy

from exchange_core.clock import Clock
from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.order_operations import Batches
from exchange_core.connector.partial import left_out
from exchange_core.connector.spec import RestOperations, VenueConfig, VenueSpec
from exchange_core.errors import ExchangeError, OrderNotFound, ProtocolError
from exchange_core.model.amendment import Amendment
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.amending import Amender
from exchange_core.venue.background import Background
from exchange_core.venue.canceling import Canceler, chunks
from exchange_core.venue.checking import Checks
from exchange_core.venue.dead_mans_switch import SwitchBoard
from exchange_core.venue.limits import OpenOrders
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.resolver import Resolver
from exchange_core.venue.sending import Sender
from exchange_core.venue.switch import Switch

# So many seconds apart, at least, a list is asked for again that says of a market that it does not take all orders.
_LOOK_AGAIN = 5.0


class Trading:
    """The trading part of one venue."""

    def __init__(
        self,
        name: str,
        spec: VenueSpec,
        config: VenueConfig,
        symbols: SymbolMap,
        rest: RestClient,
        operations: RestOperations,
        tracker: OrderTracker,
        resolver: Resolver,
        background: Background,
        *,
        hooks: pluggy.PluginManager | None,
        clock: Clock,
        random: Random,
        watch: Callable[[], None],
        is_live: Callable[[], bool],
        open_orders: OpenOrders,
    ) -> None:
        """Args:
        watch: Starts to follow the account.
        is_live: Whether the account is being followed just now.
        open_orders: Says how many may stand on one symbol.
        """
        self._name = name
        self._symbols = symbols
        self._rest = rest
        self._operations = operations
        self._tracker = tracker
        self._resolver = resolver
        self._clock = clock
        self._watch = watch
        self._is_live = is_live
        self._checks = Checks(name, spec, config, symbols, open_orders, hooks=hooks, clock=clock, random=random)
        self._sender = Sender(name, rest, operations, tracker, resolver, clock)
        self._amender = Amender(name, rest, operations, tracker, resolver, self._checks, background, clock)
        self._canceler = Canceler(name, rest, operations, tracker, resolver, clock, is_live)
        self._switches = SwitchBoard(name, rest, operations, background, clock)
        self._looked = float("-inf")

    def check(self, request: OrderRequest) -> None:
        """Refuse what would be refused, before anything is sent.

        Raises:
            UnknownSymbol, OrderRefused, NotSupported: Say what is wrong with it.
        """
        self._checks.order(self._checks.with_terms(request))

    async def place(self, request: OrderRequest) -> Order:
        """Send an order, once.

        Returns:
            The order as it is known when the answer is there. With ``unknown`` True there was no answer yet: it may
            stand in the market, is being asked for, and news of it come through ``order_updates``.

        Raises:
            OrderRefused: It did not happen.
            NotSupported, VenueError, ConnectFailed, ConfigError: Neither did it; it was not even looked at.
        """
        request = self._checks.with_terms(request)
        if self._is_halted(request.symbol):
            await self._look_again()
        self._checks.order(request)
        [request] = self._checks.complete([request])
        self._watch()
        return await self._sender.one(self._tracker.sending(request, self._clock.now()))

    async def place_all(self, requests: Iterable[OrderRequest]) -> list[Order | ExchangeError]:
        """Send several orders, with as few calls as the venue allows, each once.

        All are checked first, and noted in the journal: when one of them is wrong, none is sent.

        Returns:
            What became of each, in the order of *requests*: the order (with ``unknown`` True where no answer came), or
            the error that says that it did not happen.

        Raises:
            UnknownSymbol, OrderRefused, NotSupported: What is wrong with the first that is; its notes name all.
        """
        wanted = [self._checks.with_terms(request) for request in requests]
        if any(self._is_halted(request.symbol) for request in wanted):
            await self._look_again()
        self._checks.orders(wanted)
        for request in wanted:
            self._tracker.require_new(request)
        if not wanted:
            return []
        self._watch()
        orders = self._note(self._checks.complete(wanted))
        groups = self._groups(orders)
        begun: set[int] = set()
        try:
            # None of these raises an ExchangeError: one that fails must not stop the others.
            outcomes = await asyncio.gather(*(self._send(group, begun) for group in groups))
        finally:
            # Where the caller gives up, some may not even have been begun.
            self._drop([order for order in orders if id(order) not in begun], "not sent: the caller gave up")
        results: dict[int, Order | ExchangeError] = {}
        for group, outcome in zip(groups, outcomes, strict=True):
            results.update(zip(map(id, group), outcome, strict=True))
        return [results[id(order)] for order in orders]

    def resume(self, orders: Iterable[Order]) -> list[Order]:
        """Take up orders of an earlier run; see :meth:`ConnectedVenue.resume`."""
        self._watch()
        resumed: list[Order] = []
        for order in orders:
            known = self._tracker.get(order.client_order_id or "")
            if known is None and order.is_final:
                known = order
            elif known is None:
                whole = attrs.evolve(order, request=self._checks.with_terms(order.request))
                known = self._tracker.resume(whole, self._clock.now())
                # What has an id of the venue's did arrive.
                (self._resolver.unknown if order.venue_order_id is None else self._resolver.absent)(known)
            resumed.append(known)
        return resumed

    async def amend(self, order: Order | str, amendment: Amendment) -> Order:
        """Change an order that rests, once; it keeps its ids and what was executed of it.

        Returns:
            The order with its new terms; or as it ended, where it did before it could be told whether it was amended.

        Raises:
            NotSupported: The venue cannot; nothing was sent. It is never done by canceling and placing anew.
            OrderRefused: Nothing changed.
            OutcomeUnknown: It may have been amended, is being asked for, and news come through ``order_updates``.
        """
        known = await self._known(order)
        self._watch()
        if self._tracker.get(known.venue_order_id or known.client_order_id or "") is None:
            found = await self._resolver.find(known)
            if found is None:
                raise OrderNotFound(f"{self._name}: the venue knows no order {known.venue_order_id}", venue=self._name)
            known = found
        if self._is_halted(known.symbol):
            await self._look_again()
        return await self._amender.amend(known, amendment)

    async def cancel(self, order: Order | str) -> Order:
        """Cancel one order; return what became of it.

        Raises:
            OrderNotFound: The venue knows no such order.
            OutcomeUnknown: Asked several times, and it is still not known whether it was canceled.
        """
        return await self._canceler.one(await self._known(order))

    async def cancel_many(self, orders: Iterable[Order | str]) -> list[Order]:
        """Cancel several orders, with as few calls as the venue allows; return what became of each, in their order.

        Every one is tried; the first error is raised at the end, with the others as its notes.
        """
        return await self._canceler.many([await self._known(order) for order in orders])

    async def cancel_all(self, symbol: Symbol | str | None = None) -> list[Order]:
        """Cancel what is open, of *symbol* only where it is given; return what became of each.

        Every one is tried; the first error is raised at the end, with the others as its notes. OutcomeUnknown is raised
        also for orders that are being asked for and may still arrive.
        """
        return await self._canceler.all(self._symbol(symbol))

    async def cancel_all_after(self, seconds: int) -> datetime | None:
        """Have the venue cancel every order of the account in *seconds*, unless told again before; 0 ends that.

        Returns:
            When it will happen, by the venue's clock; None when it is off, or the venue does not say.

        Raises:
            NotSupported: The venue cannot.
        """
        return await self._switches.set(seconds)

    def dead_mans_switch(self, seconds: int) -> AbstractAsyncContextManager[Switch]:
        """Have the venue cancel every order of the account when this program falls silent for *seconds*.

        See :meth:`exchange_core.venue.protocol.Venue.dead_mans_switch`.
        """
        return self._switches.hold(seconds)

    async def order(self, order: Order | str) -> Order:
        """Return the newest of an order: what the private feed told, or else what the venue answers.

        Raises:
            OrderNotFound: The venue knows no such order, as far as it can be asked.
        """
        known = await self._known(order)
        if known.is_final or known.unknown or self._is_live():
            return known
        return await self._resolver.find(known) or known

    async def until_final(self, order: Order | str, within: float | None = None) -> Order:
        """Wait until an order is over, and return it; see :meth:`exchange_core.venue.protocol.Venue.until_final`."""
        known = await self._known(order)
        if not known.is_final:
            self._watch()
        return await self._resolver.until_final(known, within)

    async def open_orders(self, symbol: Symbol | str | None = None) -> list[Order]:
        """Ask the venue what is open."""
        return await self._canceler.open_orders(self._symbol(symbol))

    def _symbol(self, symbol: Symbol | str | None) -> Symbol | None:
        return None if symbol is None else self._symbols.instrument(Symbol.of(symbol)).symbol

    def _is_halted(self, symbol: Symbol) -> bool:
        """Return whether the list of markets says of this one that it does not take all orders."""
        return symbol in self._symbols and self._symbols.instrument(symbol).status is not InstrumentStatus.ONLINE

    async def _look_again(self) -> None:
        """Ask for the list of markets again: that may be over."""
        if self._clock.monotonic() - self._looked >= _LOOK_AGAIN:
            self._looked = self._clock.monotonic()
            with suppress(ExchangeError):  # then what is known counts
                await self._rest.run(self._operations.instruments())

    def _note(self, requests: Sequence[OrderRequest]) -> list[Order]:
        """Note orders that are about to be sent, all or none."""
        orders: list[Order] = []
        try:
            for request in requests:
                orders.append(self._tracker.sending(request, self._clock.now()))  # noqa: PERF401 (some may be noted)
        except BaseException:
            self._drop(orders, "not sent: another one of those that were to go with it could not be noted")
            raise
        return orders

    def _drop(self, orders: Iterable[Order], why: str) -> None:
        for order in orders:
            self._tracker.refused(order.client_order_id or "", why, self._clock.now())

    def _groups(self, orders: Sequence[Order]) -> list[list[Order]]:
        """Return what goes with one call each: of a batch, all have one deadline, and one symbol where it must be."""
        operations = self._operations
        if not isinstance(operations, Batches):
            return [[order] for order in orders]
        alike: dict[Any, list[Order]] = {}
        for order in orders:
            symbol = order.symbol if operations.one_symbol else None
            alone = None if operations.goes_in_batch(order.request) else id(order)
            alike.setdefault((symbol, order.request.deadline, alone), []).append(order)
        return [chunk for group in alike.values() for chunk in chunks(group, max(1, operations.most_placed))]

    async def _send(self, orders: Sequence[Order], begun: set[int]) -> list[Order | ExchangeError]:
        begun.update(map(id, orders))
        if len(orders) > 1 and isinstance(self._operations, Batches):
            return await self._sender.batch(self._operations, orders)
        return [await self._sender.result(order) for order in orders]

    async def _known(self, order: Order | str) -> Order:
        if isinstance(order, Order):
            return self._resolver.newest(order)
        known = self._tracker.get(order)
        if known is not None:
            return known
        open_orders = await self.open_orders()
        for found in open_orders:
            if order in (found.venue_order_id, found.client_order_id):
                return found
        ended = await self._resolver.look_up(order)
        if ended is not None:
            return ended
        if unread := left_out(open_orders):
            raise ProtocolError(
                f"{self._name}: order {order!r} may be one of {len(unread)} open ones that do not read: "
                f"{'; '.join(unread)}",
                venue=self._name,
            )
        raise OrderNotFound(
            f"{self._name}: no order {order!r} is open, and none that is over is known", venue=self._name
        )
