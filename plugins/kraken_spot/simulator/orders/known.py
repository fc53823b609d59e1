"""Orders of the accounts, found again; those too that ended at birth, of which the exchange knows nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import OrderChanged, OrderEvent, SimExchange, SimOrder
from kraken_spot.simulator.codec import Refused
from kraken_spot.simulator.feed.hub import Hub

_KEPT = 1000


class KnownOrders(Room):
    """Finds orders."""

    KEEPS: ClassVar[dict[str, Any]] = {"_stillborn": dict[str, deque[SimOrder]]}

    def __init__(self, exchange: SimExchange, hub: Hub) -> None:
        self._exchange = exchange
        self._hub = hub
        self._stillborn: dict[str, deque[SimOrder]] = {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        self._stillborn = {account: deque(orders, _KEPT) for account, orders in self._stillborn.items()}

    def keep(self, order: SimOrder, end: OrderEvent) -> None:
        """Remember and tell of an order that the exchange does not know."""
        self._stillborn.setdefault(order.account, deque(maxlen=_KEPT)).appendleft(order)
        for event in (OrderEvent.ACCEPTED, OrderEvent.OPENED, end):
            self._hub.order_changed(OrderChanged(event=event, order=order))

    def open(
        self, account: str, *, txid: str | None = None, client_id: str | None = None, reference: int | None = None
    ) -> list[SimOrder]:
        """Return the open orders with this txid, this client id, or this user reference.

        Raises:
            Refused: There is none.
        """
        if txid is not None:
            named = self._exchange.order(account, txid)
            orders = [] if named is None or named.status.is_final else [named]
        else:
            orders = list(self._exchange.open_orders(account))
        found = [
            order
            for order in orders
            if (client_id is None or order.request.client_order_id == client_id)
            and (reference is None or order.request.user_ref == reference)
        ]
        if not found:
            raise Refused("EOrder:Unknown order")
        return found

    def find(self, account: str, txid: str) -> SimOrder | None:
        order = self._exchange.order(account, txid)
        if order is not None:
            return order
        return next((order for order in self._stillborn.get(account, ()) if order.id == txid), None)

    def closed(self, account: str) -> list[SimOrder]:
        """Return finished orders, newest first."""
        orders = [*self._exchange.closed_orders(account), *self._stillborn.get(account, ())]
        return sorted(orders, key=lambda order: order.updated, reverse=True)
