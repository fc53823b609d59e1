"""Cancel orders: one, several, all; and say what became of each. Canceling twice does no harm, canceling more does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import islice

from exchange_core.clock import Clock
from exchange_core.connector.order_operations import Batches, CancelsAll, CancelsSymbol
from exchange_core.connector.partial import left_out, listed
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import RestOperations
from exchange_core.errors import (
    ExchangeError,
    LockedOut,
    NonceRejected,
    OrderNotFound,
    OutcomeUnknown,
    RateLimited,
    refuses_key,
)
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.resolver import Resolver
from exchange_core.venue.sending import raise_all

_TRIES = 3


class Canceler:
    """Cancels the orders of one venue.

    Args:
        is_live: Whether the account is being followed just now.
    """

    def __init__(
        self,
        name: str,
        rest: RestClient,
        operations: RestOperations,
        tracker: OrderTracker,
        resolver: Resolver,
        clock: Clock,
        is_live: Callable[[], bool],
    ) -> None:
        self._name = name
        self._rest = rest
        self._operations = operations
        self._tracker = tracker
        self._resolver = resolver
        self._clock = clock
        self._is_live = is_live

    async def one(self, known: Order) -> Order:
        """Cancel one order; return what became of it.

        Raises:
            OrderNotFound: The venue knows no such order.
            OutcomeUnknown: Asked several times, and it is still not known whether it was canceled.
        """
        doubts: list[OutcomeUnknown] = []
        try:
            return await self._one(known, doubts)
        except (OutcomeUnknown, OrderNotFound):
            raise
        except ExchangeError as error:
            if not doubts:
                raise
            # Whatever became of a later try, an earlier one may have been carried out.
            raise self._unsure(known, "a cancel got no answer", error) from error

    async def _one(self, known: Order, doubts: list[OutcomeUnknown]) -> Order:
        """Cancel one order; note in *doubts* each try that may have been carried out."""
        for attempt in range(1, _TRIES + 1):
            if known.is_final:
                return known
            try:
                await self._rest.run(self._operations.cancel(known))
            except OrderNotFound as error:
                known = await self._not_found(known, error)
                if known.is_final:
                    return known
            except (RateLimited, NonceRejected) as error:
                # By the venue, not by our own count: nothing was carried out, and no order must stand for that.
                if attempt == _TRIES or isinstance(error, LockedOut) or not error.codes:
                    raise
                await self._clock.sleep(self._resolver.policy.first_pause)
                known = self._resolver.newest(known)
            except OutcomeUnknown as error:
                doubts.append(error)
                # Canceling twice does no harm, but asking first may spare it.
                if attempt == _TRIES:
                    raise
                await self._clock.sleep(self._resolver.policy.first_pause)
                known = await self._ask_quietly(known)
            else:
                break
        return await self._ended(known)

    async def many(self, orders: Sequence[Order], errors: Sequence[ExchangeError] = ()) -> list[Order]:
        """Cancel *orders*, with as few calls as the venue allows; return what became of each.

        Every one is tried; the first error is raised at the end, with the others, and *errors* before, as its notes.
        """
        operations = self._operations
        if isinstance(operations, Batches) and operations.most_cancelled > 1:
            left = [order for order in orders if not order.is_final]
            for chunk in chunks(left, operations.most_cancelled):
                if len(chunk) > 1:
                    await self._batch(operations, chunk)
            await self._see(left)
        return await self._each(map(self._resolver.newest, orders), errors)

    async def all(self, symbol: Symbol | None) -> list[Order]:
        """Cancel what is open, of *symbol* only where it is given; return what became of each.

        Raises as :meth:`many`; OutcomeUnknown also where an order is being asked for that may still arrive, and where
        the venue lists one that does not read.
        """
        orders = await self._standing(symbol)
        unread = left_out(orders)
        errors: list[ExchangeError] = []
        at_once = self._at_once(symbol)
        if at_once is not None:
            try:
                ended = await self._rest.run(at_once())
            except ExchangeError as error:
                if _ends_all(error):
                    raise
                # Whatever it was, and carried out or not, each order is taken out by itself now.
            else:
                orders = await self._take(orders, ended or ())
                await self._see(orders)
            known = {order.venue_order_id for order in orders}
            try:
                found = await self.open_orders(symbol)
                unread = left_out(found)
                orders += [order for order in found if order.venue_order_id not in known]
            except ExchangeError as error:
                error.add_note("while asking whether any order is left; those that were known were canceled")
                errors.append(error)
        if unread:
            what = f"{self._name}: cancel_all: {len(unread)} open orders do not read, and may still stand"
            errors.append(OutcomeUnknown(f"{what}: {'; '.join(unread)}", venue=self._name))
        return await self.many([self._resolver.newest(order) for order in orders], errors)

    async def open_orders(self, symbol: Symbol | None = None) -> list[Order]:
        """Ask the venue what is open."""
        found = await self._rest.run(self._operations.open_orders())
        now = self._clock.now()
        orders = [self._tracker.answered(order, now) for order in found]
        wanted = (order for order in orders if not order.is_final and symbol in (None, order.symbol))
        return listed(wanted, left_out(found))

    def _at_once(self, symbol: Symbol | None) -> Callable[[], Flow[Sequence[OrderUpdate] | None]] | None:
        """Return the call that takes out just what is wanted, and nothing else; None where the venue has none."""
        operations = self._operations
        if symbol is None:
            return operations.cancel_all if isinstance(operations, CancelsAll) else None
        return partial(operations.cancel_symbol, symbol) if isinstance(operations, CancelsSymbol) else None

    async def _take(self, orders: Sequence[Order], ended: Sequence[OrderUpdate]) -> list[Order]:
        """Note what an answer says of orders that ended; return *orders*, and those that were not among them."""
        told: list[Order] = []
        for update in ended:
            order = self._tracker.apply(update, self._clock.now())
            if order is None and update.venue_order_id is not None:
                # It was not placed here, and no more than its id is told.
                with suppress(ExchangeError):
                    order = await self._resolver.look_up(update.venue_order_id)
            told += [] if order is None else [order]
        newest = [self._resolver.newest(order) for order in orders]
        known = {order.venue_order_id for order in newest}
        return newest + [order for order in told if order.venue_order_id not in known]

    async def _standing(self, symbol: Symbol | None) -> list[Order]:
        """Return what is to be canceled: as the venue lists it, and what is so new that it may not list it yet."""
        one_call = self._at_once(symbol) is not None
        if one_call and self._is_live():
            # No time is lost by asking.
            return self._live(symbol)
        try:
            orders = await self.open_orders(symbol)
        except ExchangeError:
            # Where one call takes out all of them, it need not be known which; else it must.
            if not one_call:
                raise
            return self._live(symbol)
        shown = {order.venue_order_id for order in orders}
        since = self._clock.now() - timedelta(seconds=self._resolver.policy.lag)
        orders += [
            order
            for order in self._live(symbol)
            if (order.unknown or (order.created is not None and order.created > since) or left_out(orders))
            and order.venue_order_id not in shown
        ]
        return orders

    def _live(self, symbol: Symbol | None) -> list[Order]:
        return [order for order in self._tracker.live() if symbol in (None, order.symbol)]

    async def _batch(self, operations: Batches, orders: Sequence[Order]) -> None:
        try:
            await self._rest.run(operations.cancel_batch(orders))
        except ExchangeError as error:
            if _ends_all(error):
                raise
            # Each is canceled by itself then, and says what is wrong with it.

    async def _see(self, orders: Sequence[Order]) -> None:
        """Learn which of *orders* ended: from the private feed, or else by asking, all at once as far as possible."""
        if self._is_live():
            await self._resolver.until_all_ended(orders, self._resolver.policy.cancel_wait)
        left = [order for order in map(self._resolver.newest, orders) if not order.is_final]
        if not left:
            return
        try:
            shown = {order.venue_order_id for order in await self.open_orders()}
            gone = [order for order in left if order.venue_order_id and order.venue_order_id not in shown]
            await asyncio.gather(*map(self._resolver.find, gone))
        except ExchangeError:
            # Canceling each of them will show.
            return

    async def _each(self, orders: Iterable[Order], before: Sequence[ExchangeError] = ()) -> list[Order]:
        wanted = list(orders)
        outcomes = await asyncio.gather(*map(self._one_quietly, wanted))
        raise_all([*(outcome for outcome in outcomes if isinstance(outcome, ExchangeError)), *before])
        return [outcome for outcome in outcomes if isinstance(outcome, Order)]

    async def _one_quietly(self, order: Order) -> Order | ExchangeError:
        try:
            return await self.one(order)
        except ExchangeError as error:
            error.add_note(f"while canceling {order.venue_order_id} of {order.symbol}")
            return error

    async def _not_found(self, known: Order, error: OrderNotFound) -> Order:
        """Return what a cancel without anything to cancel means: mostly, that the order was done before.

        What is returned and not done can be canceled by its id, which is new.
        """
        found, failure = None, None
        try:
            found = await self._resolver.find(known)
        except ExchangeError as why:
            failure = why
        newest = self._resolver.newest(known)
        for order in (found, newest):
            if order is not None and order.is_final:
                return order
        if failure is not None:
            what = "there was nothing to cancel, and how it ended could not be asked"
            raise self._unsure(known, what, failure) from failure
        if newest.venue_order_id not in (None, known.venue_order_id):
            # It arrived only after its cancel; or a trigger that fired goes on under another id.
            return newest
        if found is None and (newest.unknown or newest.venue_order_id is None):
            raise OutcomeUnknown(
                f"{self._name}: order {known.client_order_id} has not arrived yet and still may; it is being asked for",
                venue=self._name,
            ) from error
        raise error

    async def _ask_quietly(self, known: Order) -> Order:
        try:
            return await self._resolver.find(known) or self._resolver.newest(known)
        except ExchangeError:
            return self._resolver.newest(known)

    async def _ended(self, order: Order) -> Order:
        """Return a canceled order once its end is known: from the private feed, or else by asking."""
        if self._is_live():
            newest = await self._resolver.until(order, lambda o: o.is_final, self._resolver.policy.cancel_wait)
            if newest.is_final:
                return newest
        try:
            return await self._resolver.find(order) or self._resolver.newest(order)
        except ExchangeError as error:
            raise self._unsure(order, "it was canceled, and how it ended could not be asked", error) from error

    def _unsure(self, order: Order, what: str, error: ExchangeError) -> OutcomeUnknown:
        name = order.venue_order_id or order.client_order_id
        return OutcomeUnknown(f"{self._name}: order {name}: {what}: {error}", venue=self._name, codes=error.codes)


def _ends_all(error: ExchangeError) -> bool:
    """Whether no other request would be answered better."""
    return isinstance(error, LockedOut) or refuses_key(error)


def chunks(orders: Iterable[Order], most: int) -> Iterable[list[Order]]:
    """Cut *orders* into lists of *most*."""
    rest = iter(orders)
    while chunk := list(islice(rest, most)):
        yield chunk
