"""Hand orders to the exchange, and keep those that the matching engine takes and cancels in one breath.

Kraken Spot says yes to a well-formed order before its engine has looked at the book. A post-only order that would take,
and an immediate one that finds nothing, therefore get a txid and are found canceled a moment later, with a reason.
See https://docs.kraken.com/exchange/guides/general/order-lifecycle
"""

from __future__ import annotations

from collections import deque

import attrs

from exchange_core.connector.simulation import (
    OrderChanged,
    OrderEvent,
    Refusal,
    SimExchange,
    SimOrder,
    SimRefused,
    SimRequest,
)
from exchange_core.model.order import OrderStatus, TimeInForce
from kraken_spot.simulator.hub import Hub
from kraken_spot.simulator.markets import order_id
from kraken_spot.simulator.order_text import worded

_REASONS = {
    Refusal.POST_ONLY_WOULD_TAKE: "Post only order",
    Refusal.IOC_WOULD_NOT_EXECUTE: "Immediate or cancel",
    # The venue's word is not known; by default it cancels the newer of two orders that would meet.
    Refusal.SELF_TRADE: "Self trade prevention",
}
_KEPT = 1000


class Desk:
    """Places orders for REST and WebSocket, and finds them again."""

    def __init__(self, exchange: SimExchange, hub: Hub) -> None:
        self._exchange = exchange
        self._hub = hub
        self._stillborn: dict[str, deque[SimOrder]] = {}

    def place(self, account: str, request: SimRequest, *, validate: bool) -> SimOrder:
        """Place or check an order.

        Raises:
            Refused: In the venue's words.
        """
        try:
            return self._exchange.place(account, request, validate=validate)
        except SimRefused as refused:
            if refused.refusal not in _REASONS:
                raise worded(refused) from refused
            order = self._cancelled(account, request, refused.refusal)
        if not validate:
            self._stillborn.setdefault(account, deque(maxlen=_KEPT)).appendleft(order)
            for event in (OrderEvent.ACCEPTED, OrderEvent.OPENED, OrderEvent.CANCELED):
                self._hub.order_changed(OrderChanged(event=event, order=order))
        return order

    def find(self, account: str, txid: str) -> SimOrder | None:
        order = self._exchange.order(account, txid)
        if order is not None:
            return order
        return next((order for order in self._stillborn.get(account, ()) if order.id == txid), None)

    def closed(self, account: str) -> list[SimOrder]:
        """Return finished orders, newest first."""
        orders = [*self._exchange.closed_orders(account), *self._stillborn.get(account, ())]
        return sorted(orders, key=lambda order: order.updated, reverse=True)

    def _cancelled(self, account: str, request: SimRequest, refusal: Refusal) -> SimOrder:
        now = self._exchange.now()
        order = SimOrder(
            id=order_id(self._exchange.random),
            account=account,
            request=request,
            status=OrderStatus.CANCELED,
            created=now,
            updated=now,
            reason=_REASONS[refusal],
        )
        if request.time_in_force is TimeInForce.FOK and refusal is Refusal.IOC_WOULD_NOT_EXECUTE:
            return attrs.evolve(order, reason="Fill or kill")
        return order
