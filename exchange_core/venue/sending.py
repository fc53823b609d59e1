"""Send orders, each once, and settle what an error or silence means for each of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TypeVar

from exchange_core.clock import Clock
from exchange_core.connector.order_operations import Batches
from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import RestOperations
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ConfigError,
    ConnectFailed,
    ExchangeError,
    NotSupported,
    OrderRefused,
    OutcomeUnknown,
    PluginError,
    RateLimited,
)
from exchange_core.model.event import Answered
from exchange_core.model.order import Order, OrderStatus
from exchange_core.transport.rest_client import Late, RestClient
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.resolver import Resolver

T = TypeVar("T")

# The venue looked at it and said no, or it never left. After a write was sent, every other error leaves it open.
DID_NOT_HAPPEN = (
    OrderRefused,
    AuthenticationError,
    RateLimited,
    BadRequest,
    ConnectFailed,
    NotSupported,
    ConfigError,
)

_LOG = logging.getLogger(__name__)


class Sender:
    """Sends what the tracker has noted."""

    def __init__(
        self,
        name: str,
        rest: RestClient,
        operations: RestOperations,
        tracker: OrderTracker,
        resolver: Resolver,
        clock: Clock,
    ) -> None:
        self._name = name
        self._rest = rest
        self._operations = operations
        self._tracker = tracker
        self._resolver = resolver
        self._clock = clock

    async def one(self, order: Order) -> Order:
        """Send *order*; return what is known of it.

        Raises:
            ExchangeError: It did not happen.
        """
        writes: list[RestCall] = []
        try:
            flow = self._operations.place(order.request)
            answer = await self._rest.run(flow, self._late([order], writes), writes)
            return self._tracker.answered(answer, self._clock.now(), about=order)
        except BaseException as error:
            known = self._outcome(order, error, writes)
            if known is None or not isinstance(error, ExchangeError):
                raise
        return await self.known(known)

    async def result(self, order: Order) -> Order | ExchangeError:
        """Send *order* as :meth:`one` does; return the error instead of raising it."""
        try:
            return await self.one(order)
        except ExchangeError as error:
            return error
        except Exception as error:  # noqa: BLE001 (of a plugin; the other orders have their own fate)
            known = self._resolver.newest(order)
            if known.status is not OrderStatus.REJECTED:
                return await self.known(known)
            return self._as_error(error)

    async def batch(self, operations: Batches, orders: Sequence[Order]) -> list[Order | ExchangeError]:
        """Send *orders* with one call; return what is known of each, or the error that says that it did not happen."""
        writes: list[RestCall] = []
        results: list[Order | ExchangeError] = []
        try:
            flow = operations.place_batch([order.request for order in orders])
            answers = await self._rest.run(flow, self._late(orders, writes), writes)
            self._compare(orders, answers)
        except BaseException as error:
            results += [self._outcome(order, error, writes) or self._as_error(error) for order in orders]
            if not isinstance(error, Exception):
                raise
        else:
            for order, answer in zip(orders, answers, strict=True):
                if isinstance(answer, Order):
                    results.append(self._tracker.answered(answer, self._clock.now(), about=order))
                else:
                    results.append(self._outcome(order, answer, writes) or answer)
        return list(await asyncio.gather(*map(self.known, results)))

    async def known(self, result: T) -> T | Order:
        """Wait a while for news of an order that is unknown."""
        if not isinstance(result, Order) or not result.unknown:
            return result
        return await self._resolver.until(result, lambda known: not known.unknown, self._resolver.policy.wait)

    def _outcome(self, order: Order, error: BaseException, writes: Sequence[RestCall]) -> Order | None:
        """Return *order* when it may stand, and None when it did not happen."""
        key = order.client_order_id or ""
        # What failed when all was written says nothing of the order.
        is_after = isinstance(error, ExchangeError) and 0 < len(writes) <= len(error.done)
        if not writes or (isinstance(error, DID_NOT_HAPPEN) and not is_after):
            order = self._tracker.refused(key, str(error) or type(error).__name__, self._clock.now())
            # Where the private feed has seen it alive, that weighs more than an error.
            return order if order.filled or not order.is_final else None
        # No answer, or one that cannot be used, or the caller was cancelled: it may have been carried out.
        order = self._tracker.lost(key, self._clock.now())
        if order.unknown:
            self._resolver.unknown(order)
        return order

    def _as_error(self, error: BaseException) -> ExchangeError:
        if isinstance(error, ExchangeError):
            return error
        wrong = PluginError(f"{self._name}: {type(error).__name__}: {error}; nothing was sent", venue=self._name)
        wrong.__cause__ = error
        return wrong

    def _compare(self, orders: Sequence[Order], answers: Sequence[Order | ExchangeError]) -> None:
        """Refuse answers that cannot be those to *orders*."""
        ids = [answer.client_order_id if isinstance(answer, Order) else None for answer in answers]
        if len(answers) != len(orders) or any(
            found not in (None, order.client_order_id) for found, order in zip(ids, orders, strict=True)
        ):
            _LOG.error("%s: the answers to a batch are not those to its orders; they are being asked for", self._name)
            raise OutcomeUnknown(f"{self._name}: a batch was answered with other orders", venue=self._name)

    def _late(self, orders: Sequence[Order], writes: Sequence[RestCall]) -> Late:
        """Return what takes the answer that comes when *orders* are being asked for already."""

        def take(call: RestCall, answer: Answered) -> None:
            if call is not writes[-1]:
                # Another write went before the orders' own, and this says nothing of them.
                return
            for order in orders:
                key = order.client_order_id or ""
                if isinstance(answer.error, DID_NOT_HAPPEN) and self._tracker.get(key) is not None:
                    self._tracker.refused(key, str(answer.error), self._clock.now())
                else:
                    self._resolver.hurry(order)

        return take


def raise_all(errors: Sequence[ExchangeError]) -> None:
    """Raise the first of *errors*, if any, with the others as its notes."""
    if errors:
        first, *others = errors
        for other in others:
            first.add_note(f"also: {other}")
        raise first
