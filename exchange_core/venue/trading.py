"""Place and cancel orders. An order is sent once; what then is not known is asked for, never guessed, never resent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import attrs
import pluggy

from exchange_core.clock import Clock
from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import RestOperations, VenueConfig, VenueSpec
from exchange_core.connector.support import Support, used_terms
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ConfigError,
    ConnectFailed,
    ExchangeError,
    LockedOut,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    PluginError,
    RateLimited,
    TransportError,
)
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.limits import OpenOrders
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.resolver import Resolver

T = TypeVar("T")

# The venue looked at it and said no, or it never left. After a write was sent, every other error leaves it open.
_DID_NOT_HAPPEN = (
    OrderRefused,
    AuthenticationError,
    RateLimited,
    BadRequest,
    ConnectFailed,
    NotSupported,
    ConfigError,
)

_CANCEL_TRIES = 3


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
        self._spec = spec
        self._config = config
        self._symbols = symbols
        self._rest = rest
        self._operations = operations
        self._tracker = tracker
        self._resolver = resolver
        self._hooks = hooks
        self._clock = clock
        self._random = random
        self._watch = watch
        self._is_live = is_live
        self._open_orders = open_orders

    def check(self, request: OrderRequest) -> None:
        """Refuse what would be refused, before anything is sent.

        Raises:
            UnknownSymbol, OrderRefused, NotSupported: Say what is wrong with it.
        """
        instrument = self._symbols.instrument(request.symbol)
        self._check_support(request)
        instrument.check(request)
        if request.deadline is not None and request.deadline <= self._clock.now():
            raise OrderRefused(f"{request.symbol}: its deadline {request.deadline} has passed", venue=self._name)
        self._open_orders.check(request)
        self._review(request, instrument)

    async def place(self, request: OrderRequest) -> Order:
        """Send an order, once.

        Returns:
            The order as it is known when the answer is there. With ``unknown`` True there was no answer yet: it may
            stand in the market, is being asked for, and news of it come through ``order_updates``.

        Raises:
            OrderRefused: It did not happen.
            NotSupported, VenueError, ConnectFailed, ConfigError: Neither did it; it was not even looked at.
        """
        self.check(request)
        request = self._complete(request)
        key = request.client_order_id or ""
        self._watch()
        order = self._tracker.sending(request, self._clock.now())
        writes: list[RestCall] = []
        try:
            answer = await self._rest.run(_noting(self._operations.place(request), writes))
            return self._tracker.answered(answer, self._clock.now(), about=order)
        except BaseException as error:
            if not writes or isinstance(error, _DID_NOT_HAPPEN):
                order = self._tracker.refused(key, str(error) or type(error).__name__, self._clock.now())
                if order.filled or not order.is_final:
                    # The private feed has seen it alive; that weighs more than an error.
                    return order
                raise
            # No answer, or one that cannot be used, or the caller was cancelled: it may have been carried out.
            order = self._tracker.lost(key, self._clock.now())
            if order.unknown:
                self._resolver.unknown(order)
            if not isinstance(error, ExchangeError):
                raise
            return await self._resolver.until(order, lambda known: not known.unknown, self._resolver.policy.wait)

    async def cancel(self, order: Order | str) -> Order:
        """Cancel one order; return what became of it.

        Raises:
            OrderNotFound: The venue knows no such order.
            OutcomeUnknown: Asked several times, and it is still not known whether it was canceled.
        """
        known = await self._known(order)
        for attempt in range(1, _CANCEL_TRIES + 1):
            if known.is_final:
                return known
            try:
                await self._rest.run(self._operations.cancel(known))
            except OrderNotFound as error:
                return await self._not_found(known, error)
            except RateLimited as error:
                # By the venue, not by our own count: nothing was carried out, and no order must stand for that.
                if attempt == _CANCEL_TRIES or isinstance(error, LockedOut) or not error.codes:
                    raise
                await self._clock.sleep(self._resolver.policy.first_pause)
                known = self._resolver.newest(known)
            except OutcomeUnknown:
                # Canceling twice does no harm, but asking first may spare it.
                if attempt == _CANCEL_TRIES:
                    raise
                await self._clock.sleep(self._resolver.policy.first_pause)
                known = await self._ask_quietly(known)
            else:
                break
        return await self._ended(known)

    async def cancel_all(self, symbol: Symbol | str | None = None) -> list[Order]:
        """Cancel what is open, of *symbol* only where it is given, one by one.

        Every one is tried; the first error is raised at the end, with the others as its notes.
        """
        wanted = None if symbol is None else self._symbols.instrument(Symbol.of(symbol)).symbol
        done: list[Order] = []
        errors: list[ExchangeError] = []
        for order in await self.open_orders(wanted):
            try:
                done.append(await self.cancel(order))
            except ExchangeError as error:
                error.add_note(f"while canceling {order.venue_order_id} of {order.symbol}")
                errors.append(error)
        if errors:
            first, *others = errors
            for other in others:
                first.add_note(f"also: {other}")
            raise first
        return done

    async def order(self, order: Order | str) -> Order:
        """Return the newest of an order: what the private feed told, or else what the venue answers.

        Raises:
            OrderNotFound: It is neither known here nor open at the venue.
        """
        known = await self._known(order)
        if known.is_final or known.unknown or self._is_live():
            return known
        return await self._resolver.find(known) or known

    async def open_orders(self, symbol: Symbol | str | None = None) -> list[Order]:
        """Ask the venue what is open."""
        wanted = None if symbol is None else self._symbols.instrument(Symbol.of(symbol)).symbol
        found = await self._rest.run(self._operations.open_orders())
        now = self._clock.now()
        orders = [self._tracker.answered(order, now) for order in found]
        return [order for order in orders if not order.is_final and wanted in (None, order.symbol)]

    def _check_support(self, request: OrderRequest) -> None:
        spec = self._spec
        for term in used_terms(request):
            if not self._takes(term):
                raise NotSupported(f"{self._name}: {spec.title} does not take {term}", venue=self._name)
        if request.terms is not None and not (spec.terms and isinstance(request.terms, spec.terms)):
            takes = f"takes {spec.terms.__name__}" if spec.terms else "takes none"
            raise NotSupported(
                f"{self._name}: terms: {type(request.terms).__name__} is of another venue; {spec.title} {takes}",
                venue=self._name,
            )

    def _review(self, request: OrderRequest, instrument: Instrument) -> None:
        if self._hooks is None:
            return
        try:
            reasons = self._hooks.hook.review_order(request=request, instrument=instrument)
        except Exception as error:
            raise PluginError(f"{request.symbol}: a review_order hook failed, nothing was sent: {error}") from error
        if reasons:
            raise OrderRefused(f"{request.symbol}: {'; '.join(map(str, reasons))}", venue=self._name)

    def _complete(self, request: OrderRequest) -> OrderRequest:
        """Add a client id and a deadline, which make it possible to ask for the order and to know when to stop."""
        added: dict[str, Any] = {}
        if request.client_order_id is None:
            added["client_order_id"] = self._spec.client_order_id(self._random.getrandbits(128))
        seconds = self._config.order_deadline
        if request.deadline is None and seconds > 0 and self._takes("deadline"):
            added["deadline"] = self._clock.now() + timedelta(seconds=seconds)
        return attrs.evolve(request, **added)

    def _takes(self, term: str) -> bool:
        return self._spec.support.get(term, Support.REFUSED) != Support.REFUSED

    async def _not_found(self, known: Order, error: OrderNotFound) -> Order:
        """Return what a cancel without anything to cancel means: mostly, that the order was done before."""
        found = await self._resolver.find(known)
        if found is not None and found.is_final:
            return found
        if found is None and self._resolver.newest(known).unknown:
            raise OutcomeUnknown(
                f"{self._name}: order {known.client_order_id} has not arrived yet and still may; it is being asked for",
                venue=self._name,
            ) from error
        raise error

    async def _ask_quietly(self, known: Order) -> Order:
        try:
            return await self._resolver.find(known) or self._resolver.newest(known)
        except TransportError:
            return self._resolver.newest(known)

    async def _known(self, order: Order | str) -> Order:
        if isinstance(order, Order):
            return self._resolver.newest(order)
        known = self._tracker.get(order)
        if known is not None:
            return known
        for found in await self.open_orders():
            if order in (found.venue_order_id, found.client_order_id):
                return found
        raise OrderNotFound(f"{self._name}: no order {order!r} is open, and none was placed here", venue=self._name)

    async def _ended(self, order: Order) -> Order:
        """Return a canceled order once its end is known: from the private feed, or else by asking."""
        if self._is_live():
            newest = await self._resolver.until(order, lambda o: o.is_final, self._resolver.policy.cancel_wait)
            if newest.is_final:
                return newest
        return await self._resolver.find(order) or self._resolver.newest(order)


def _noting(flow: Flow[T], writes: list[RestCall]) -> Flow[T]:
    """Run *flow* and note each write that it asks for."""
    try:
        call = next(flow)
        while True:
            if call.changes_state:
                writes.append(call)
            try:
                answer = yield call
            except ExchangeError as error:
                call = flow.throw(error)
            else:
                call = flow.send(answer)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        flow.close()
