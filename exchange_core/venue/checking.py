"""Refuse orders and amendments that would be refused, before anything is sent; add what lets an order be found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import attrs
import pluggy

from exchange_core import serde
from exchange_core.clock import Clock
from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.spec import VenueConfig, VenueSpec
from exchange_core.connector.support import TERMS, Support, used_terms
from exchange_core.errors import ExchangeError, InvalidValue, NotSupported, OrderRefused, PluginError
from exchange_core.model.amendment import Amendment
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import plain
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.time import to_rfc3339
from exchange_core.venue.limits import OpenOrders, rests


class Checks:
    """What orders of one venue must be like.

    Args:
        open_orders: Says how many may stand on one symbol.
    """

    def __init__(
        self,
        name: str,
        spec: VenueSpec,
        config: VenueConfig,
        symbols: SymbolMap,
        open_orders: OpenOrders,
        *,
        hooks: pluggy.PluginManager | None,
        clock: Clock,
        random: Random,
    ) -> None:
        self._name = name
        self._spec = spec
        self._symbols = symbols
        self._open_orders = open_orders
        self._hooks = hooks
        self._clock = clock
        self._random = random
        self._not_taken = tuple(term for term in TERMS if not self.takes(term))
        seconds = config.order_deadline
        self._ends_after = timedelta(seconds=seconds) if seconds > 0 and self.takes("deadline") else None

    def order(self, request: OrderRequest, others: int = 0) -> None:
        """Refuse what would be refused.

        Args:
            others: How many more of its symbol will be open when it comes.

        Raises:
            UnknownSymbol, OrderRefused, NotSupported: Say what is wrong with it.
        """
        instrument = self._symbols.instrument(request.symbol)
        self._check_support(request)
        instrument.check(request)
        self._check_deadline(request, request.deadline)
        self._check_expires(request)
        self._open_orders.check(request, others)
        self._review(request, instrument)

    def orders(self, requests: Sequence[OrderRequest]) -> None:
        """Refuse all of *requests* when one of them would be refused.

        Raises:
            ExchangeError: What is wrong with the first of those; all of them are its notes.
        """
        errors: list[ExchangeError] = []
        ids: set[str] = set()
        standing: dict[Any, int] = {}
        for number, request in enumerate(requests, 1):
            client_order_id = request.client_order_id
            try:
                if client_order_id in ids:
                    raise OrderRefused(f"{request.symbol}: client_order_id {client_order_id!r} is used twice here")
                self.order(request, standing.get(request.symbol, 0))
            except ExchangeError as error:
                error.add_note(f"order {number} of {len(requests)}: {error}")
                errors.append(error)
            ids.update([client_order_id] if client_order_id else [])
            standing[request.symbol] = standing.get(request.symbol, 0) + rests(request)
        if errors:
            first, *others = errors
            for other in others:
                first.add_note(other.__notes__[-1])
            first.add_note("nothing was sent of any")
            raise first

    def amendment(self, order: Order, amendment: Amendment) -> OrderRequest:
        """Return what *order* will be after *amendment*.

        Raises:
            OrderRefused, NotSupported, InvalidValue: Say what is wrong with it.
        """
        if amendment.trail is not None and not order.request.type.is_trailing:
            raise OrderRefused(
                f"{order.symbol}: order {order.venue_order_id} shows as a {order.request.type} order: no distance that "
                f"it trails by is known of it, so none can be changed; cancel it and place another",
                venue=self._name,
            )
        request = amendment.applied_to(order.request)
        instrument = self._symbols.instrument(request.symbol)
        # The deadline that the order was placed with may have passed since; the amendment has its own.
        self._check_support(attrs.evolve(request, deadline=amendment.deadline))
        if amendment.post_only and not self.takes("post_only"):
            raise NotSupported(f"{self._name}: {self._spec.title} does not take post_only", venue=self._name)
        instrument.check(request)
        if amendment.quantity is not None and amendment.quantity <= order.filled:
            raise OrderRefused(
                f"{request.symbol}: quantity {plain(amendment.quantity)} is not above the {plain(order.filled)} that "
                "are executed; to keep these and no more, cancel the order",
                venue=self._name,
            )
        self._check_deadline(request, amendment.deadline)
        self._review(request, instrument)
        return request

    def takes(self, term: str) -> bool:
        """Return whether the venue honours *term*, or its plugin emulates it."""
        return self._spec.support.get(term, Support.REFUSED) != Support.REFUSED

    def complete(self, requests: Iterable[OrderRequest]) -> list[OrderRequest]:
        """Add client ids and a deadline, which make it possible to ask for an order and to know when to stop."""
        deadline, completed = self.deadline(), []
        for request in requests:
            named = request.client_order_id
            if named is None:
                named = self._spec.client_order_id(self._random.getrandbits(128))
            # One deadline for all: what goes in one batch has one.
            completed.append(request.completed(named, deadline))
        return completed

    def with_terms(self, request: OrderRequest) -> OrderRequest:
        """Return *request* with terms of the venue's own class, where they came as a table (from JSON).

        Raises:
            InvalidValue: It is no request.
        """
        if not isinstance(request, OrderRequest):
            raise InvalidValue(f"{self._name}: found {type(request).__name__}; expected an OrderRequest(symbol=…, …)")
        if request.terms is None or not isinstance(request.terms, Mapping) or self._spec.terms is None:
            return request
        return attrs.evolve(request, terms=serde.structure(request.terms, self._spec.terms))

    def deadline(self) -> datetime | None:
        """Return the deadline of an order that is sent now."""
        return None if self._ends_after is None else self._clock.now() + self._ends_after

    def _check_support(self, request: OrderRequest) -> None:
        spec = self._spec
        for term in used_terms(request, self._not_taken):
            raise NotSupported(f"{self._name}: {spec.title} does not take {term}", venue=self._name)
        if request.terms is not None and not (spec.terms and isinstance(request.terms, spec.terms)):
            takes = f"takes {spec.terms.__name__}" if spec.terms else "takes none"
            raise NotSupported(
                f"{self._name}: terms: {type(request.terms).__name__} is of another venue; {spec.title} {takes}",
                venue=self._name,
            )

    def _check_deadline(self, request: OrderRequest, deadline: datetime | None) -> None:
        if deadline is not None and deadline <= self._clock.now():
            raise OrderRefused(f"{request.symbol}: its deadline {deadline} has passed", venue=self._name)

    def _check_expires(self, request: OrderRequest) -> None:
        if request.expires is not None and request.expires <= self._clock.now():
            raise OrderRefused(f"{request.symbol}: expires: {to_rfc3339(request.expires)} has passed", venue=self._name)

    def _review(self, request: OrderRequest, instrument: Instrument) -> None:
        if self._hooks is None:
            return
        try:
            hook = self._hooks.hook.review_order
            # Most programs have none, and asking nobody takes its time too.
            reasons = hook(request=request, instrument=instrument) if hook.get_hookimpls() else ()
        except Exception as error:
            raise PluginError(f"{request.symbol}: a review_order hook failed, nothing was sent: {error}") from error
        if reasons:
            raise OrderRefused(f"{request.symbol}: {'; '.join(map(str, reasons))}", venue=self._name)
