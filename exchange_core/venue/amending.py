"""Amend orders: once, and when no answer comes, by asking which terms the order has."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from weakref import WeakValueDictionary

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.order_operations import Amends
from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import RestOperations
from exchange_core.errors import (
    AuthenticationError,
    ExchangeError,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
)
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import Answered
from exchange_core.model.order import Order
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.background import Background
from exchange_core.venue.checking import Checks
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.resolver import Resolver
from exchange_core.venue.sending import DID_NOT_HAPPEN
from exchange_core.venue.terms import Amending, same_terms
from exchange_core.venue.waiting import wait_for

# An order that shows its old terms after so many looks keeps them, as far as we will ever know.
_LOOKS_WITHOUT_DEADLINE = 8

_LOG = logging.getLogger(__name__)


@attrs.define(eq=False)
class _Doubt:
    """An amendment that nobody knows the fate of.

    Attributes:
        sent: Not before this.
        look: Set when it is worth asking at once.
        refusal: The answer, which came late, where it was no.
        verdict: What became of it: the order now, or why it was not amended.
        over: Set when there is a verdict, or none to be had.
    """

    order: Order
    amending: Amending
    sent: datetime
    look: asyncio.Event = attrs.field(factory=asyncio.Event)
    refusal: ExchangeError | None = None
    verdict: Order | ExchangeError | None = None
    over: asyncio.Event = attrs.field(factory=asyncio.Event)


class Amender:
    """Amends the orders of one venue."""

    def __init__(
        self,
        name: str,
        rest: RestClient,
        operations: RestOperations,
        tracker: OrderTracker,
        resolver: Resolver,
        checks: Checks,
        background: Background,
        clock: Clock,
    ) -> None:
        self._name = name
        self._rest = rest
        self._operations = operations
        self._tracker = tracker
        self._resolver = resolver
        self._checks = checks
        self._background = background
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def amend(self, order: Order, amendment: Amendment) -> Order:
        """Change *order*, which the tracker knows. Amendments of one order are sent one after the other.

        Raises:
            NotSupported: By the venue, for all or for these terms; nothing was sent.
            OrderRefused: Nothing changed.
            OutcomeUnknown: Asked for a while, and it is still not known.
        """
        operations = self._operations
        if not isinstance(operations, Amends):
            raise NotSupported(
                f"{self._name}: orders cannot be amended here; cancel the order and place another", venue=self._name
            )
        # Venues need not carry out in order what is sent back to back.
        turn = self._turns.setdefault(order.venue_order_id or "", asyncio.Lock())
        async with turn:
            return await self._amend(operations, self._resolver.newest(order), amendment)

    async def _amend(self, operations: Amends, order: Order, amendment: Amendment) -> Order:
        self._require_amendable(order)
        self._checks.amendment(order, amendment)
        if amendment.deadline is None:
            amendment = attrs.evolve(amendment, deadline=self._checks.deadline())
        amending = self._tracker.amending(order, amendment, self._clock.now())
        writes: list[RestCall] = []
        doubt = _Doubt(order, amending, self._clock.now())

        def late(_: RestCall, answer: Answered) -> None:
            if isinstance(answer.error, DID_NOT_HAPPEN):
                doubt.refusal = answer.error
            doubt.look.set()

        try:
            flow = operations.amend(order, amendment)
            answer = await self._rest.run(flow, late, writes)
        except BaseException as error:
            if not writes or isinstance(error, DID_NOT_HAPPEN):
                return await self._refused(order, amending, error)
            self._look_after(doubt)
            if not isinstance(error, ExchangeError):
                raise
            return await self._resolved(doubt, error)
        return self._tracker.amended(order, amending, answer, self._clock.now())

    def _require_amendable(self, order: Order) -> None:
        if order.unknown:
            raise OutcomeUnknown(
                f"{self._name}: order {order.client_order_id} is being asked for; only then it can be amended",
                venue=self._name,
            )
        if self._tracker.is_amending(order):
            raise OrderRefused(
                f"{self._name}: order {order.venue_order_id}: it is being asked whether it was amended before; only "
                "then it can be amended again",
                venue=self._name,
            )
        if order.is_final:
            raise OrderRefused(
                f"{self._name}: order {order.venue_order_id} is {order.status}; nothing is left to amend",
                venue=self._name,
            )

    async def _refused(self, order: Order, amending: Amending, error: BaseException) -> Order:
        """Note that nothing changed, and raise *error*; return the order where it is known to be amended after all."""
        seen = amending.seen
        known = self._tracker.amended(order, amending, None, self._clock.now())
        if seen:
            # The private feed has told the new terms; that weighs more than an error.
            return known
        if isinstance(error, OrderNotFound) and not known.is_final:
            with suppress(ExchangeError):
                await self._resolver.find(known)
        raise error

    def _look_after(self, doubt: _Doubt) -> None:
        try:
            self._background.spawn(self._ask(doubt), f"asking for the terms of order {doubt.order.venue_order_id}")
        except RuntimeError:
            _LOG.error(
                "%s: closed before it was known whether order %s was amended; ask the venue",
                self._name,
                doubt.order.venue_order_id,
            )
            self._leave(doubt)

    async def _resolved(self, doubt: _Doubt, error: ExchangeError) -> Order:
        """Wait for what becomes known of an amendment, for a while."""
        await wait_for(self._clock, doubt.over, self._resolver.policy.wait)
        if isinstance(doubt.verdict, Order):
            return doubt.verdict
        if doubt.verdict is not None:
            raise doubt.verdict from error
        raise OutcomeUnknown(
            f"{self._name}: order {doubt.order.venue_order_id}: it is not known whether it was amended; it is being "
            f"asked for ({error})",
            venue=self._name,
            codes=error.codes,
        ) from error

    async def _ask(self, doubt: _Doubt) -> None:
        """Ask for the order until its terms show what became of the amendment."""
        try:
            doubt.verdict = await self._verdict(doubt)
        finally:
            self._leave(doubt)

    def _leave(self, doubt: _Doubt) -> None:
        if doubt.verdict is None:
            self._tracker.amended(doubt.order, doubt.amending, None, self._clock.now())
        doubt.over.set()

    async def _verdict(self, doubt: _Doubt) -> Order | ExchangeError:
        order, amending = doubt.order, doubt.amending
        for looks, pause in enumerate(self._resolver.policy.pauses(), 1):
            await wait_for(self._clock, doubt.look, pause)
            doubt.look.clear()
            if doubt.refusal is not None:
                self._tracker.amended(order, amending, None, self._clock.now())
                return doubt.refusal
            known = self._resolver.newest(order)
            if amending.seen or known.is_final:
                return self._tracker.amended(order, amending, known if amending.seen else None, self._clock.now())
            asked = self._clock.now()
            try:
                found = await self._rest.run(self._operations.find(known))
            except ExchangeError as error:
                _LOG.warning("%s: order %s could not be asked for: %s", self._name, order.venue_order_id, error)
                if isinstance(error, AuthenticationError | NotSupported):
                    return self._unsure(doubt)
                continue
            answer = self._judge(doubt, found)
            if answer is not None:
                return answer
            if self._is_too_late(doubt, looks, asked):
                return self._not_amended(doubt, found)
        raise AssertionError("pauses have no end")

    def _judge(self, doubt: _Doubt, found: Order | None) -> Order | None:
        """Return the order when *found* shows that it was amended, or is done."""
        order, amending = doubt.order, doubt.amending
        if found is None:
            return None
        if same_terms(amending.amendment, found.request, amending.after):
            return self._tracker.amended(order, amending, found, self._clock.now())
        if found.is_final:
            self._tracker.amended(order, amending, None, self._clock.now())
            return self._tracker.answered(found, self._clock.now(), about=order)
        return None

    def _is_too_late(self, doubt: _Doubt, looks: int, asked: datetime) -> bool:
        deadline = doubt.amending.amendment.deadline
        if deadline is None:
            return looks >= _LOOKS_WITHOUT_DEADLINE
        return self._resolver.is_conclusive(deadline, asked, doubt.sent)

    def _not_amended(self, doubt: _Doubt, found: Order | None) -> ExchangeError:
        order, amending = doubt.order, doubt.amending
        deadline = amending.amendment.deadline
        if found is None or deadline is None or not same_terms(amending.amendment, found.request, amending.before):
            return self._unsure(doubt)
        self._tracker.amended(order, amending, None, self._clock.now())
        return OrderRefused(
            f"{self._name}: order {order.venue_order_id or order.client_order_id} was not amended: after the deadline "
            f"{deadline} it has its old terms",
            venue=self._name,
        )

    def _unsure(self, doubt: _Doubt) -> ExchangeError:
        self._tracker.amended(doubt.order, doubt.amending, None, self._clock.now())
        return OutcomeUnknown(
            f"{self._name}: order {doubt.order.venue_order_id}: the venue does not show whether it was amended",
            venue=self._name,
        )
