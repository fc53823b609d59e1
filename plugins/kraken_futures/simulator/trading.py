"""Trading over REST: sendorder, cancelorder, cancelallorders, orders/status.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from exchange_core.connector.simulation import (
    OrderChanged,
    Refusal,
    SimEvent,
    SimExchange,
    SimOrder,
    SimRefused,
    SimRequest,
)
from exchange_core.model.order import OrderStatus, OrderType
from kraken_futures.simulator import order_words as words
from kraken_futures.simulator.codec import Arguments, BadRequest, Refused, illegal, iso
from kraken_futures.simulator.contracts import Contract, Contracts
from kraken_futures.simulator.hub import Hub
from kraken_futures.simulator.markets import new_uuid

_MEMORY = timedelta(seconds=5)
_LONGEST_CLIENT_ID = 100

Fields = dict[str, Any]


class Trading:
    """What needs a key with full access."""

    def __init__(self, exchange: SimExchange, contracts: Contracts, hub: Hub) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._hub = hub
        self._client_ids: dict[str, set[str]] = {}

    # ── sending ──

    def send_order(self, account: str, given: Arguments) -> Fields:
        contract, request = self._read(given)
        status: Fields = {"receivedTime": iso(self._exchange.now())}
        client_id = request.client_order_id
        if client_id is not None:
            status["cliOrdId"] = client_id
        refused = self._refused_at_once(account, request)
        if refused:
            return {"sendStatus": status | {"status": refused}}
        try:
            order, events = self._place(account, request)
        except SimRefused as refusal:
            return {"sendStatus": status | self._refusal(account, contract, request, refusal.refusal)}
        if client_id is not None:
            self._client_ids.setdefault(account, set()).add(client_id)
        shown = self._events(contract, order, events)
        return {"sendStatus": {"order_id": order.id, "status": "placed", **status, "orderEvents": shown}}

    def _refused_at_once(self, account: str, request: SimRequest) -> str:
        """Return the status of what is refused before the engine sees it; empty for what is not."""
        client_id = request.client_order_id
        if client_id is not None and len(client_id) > _LONGEST_CLIENT_ID:
            return "clientOrderIdTooBig"
        # The venue wants client ids to be unique for ever, not only among open orders.
        if client_id is not None and client_id in self._client_ids.get(account, ()):
            return "clientOrderIdAlreadyExist"
        if request.deadline is not None and request.deadline <= self._exchange.now():
            return "wouldProcessAfterSpecifiedTime"
        return ""

    def _read(self, given: Arguments) -> tuple[Contract, SimRequest]:
        word = given.required("orderType")
        if word in words.NOT_SIMULATED:
            raise BadRequest(11, "invalid order type")
        if word not in words.TYPES:
            raise illegal("orderType")
        kind, time_in_force, post_only = words.TYPES[word]
        contract = self._contract(given.required("symbol"))
        side = words.side_of(given.required("side"))
        if side is None:
            raise illegal("side")
        request = SimRequest(
            symbol=contract.symbol,
            side=side,
            type=kind,
            quantity=given.decimal("size"),
            # A market order's limit is not looked at.
            price=given.decimal("limitPrice") if kind is OrderType.LIMIT else None,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=given.flag("reduceOnly"),
            client_order_id=given.text("cliOrdId") or None,
            deadline=given.moment("processBefore"),
        )
        return contract, request

    def _place(self, account: str, request: SimRequest) -> tuple[SimOrder, list[OrderChanged]]:
        """Place the order; return it and what happened to it meanwhile."""
        heard: list[OrderChanged] = []

        def listen(event: SimEvent) -> None:
            if isinstance(event, OrderChanged) and event.order.account == account:
                heard.append(event)

        stop = self._exchange.listen(listen)
        try:
            order = self._exchange.place(account, request)
        finally:
            stop()
        return order, [event for event in heard if event.order.id == order.id]

    def _events(self, contract: Contract, order: SimOrder, events: list[OrderChanged]) -> list[Fields]:
        """Return executions first, then whether the rest stands in the book or was dropped."""
        mark = self._exchange.mark_price(contract.symbol)
        shown = [
            words.execution_event(contract, event.order, event.fill, mark) for event in events if event.fill is not None
        ]
        if order.status is OrderStatus.CANCELED:
            return [*shown, words.cancel_event(contract, order, mark)]
        return shown if order.status.is_final else [*shown, words.place_event(contract, order, mark)]

    def _refusal(self, account: str, contract: Contract, request: SimRequest, refusal: Refusal) -> Fields:
        """Return the status of a refused order; what the engine rejected has an id and an event."""
        status: Fields = {"status": words.REFUSALS[refusal]}
        if refusal not in words.REJECTIONS:
            return status
        now = self._exchange.now()
        order = SimOrder(
            id=new_uuid(self._exchange.random),
            account=account,
            request=request,
            status=OrderStatus.REJECTED,
            created=now,
            updated=now,
        )
        if refusal is Refusal.POST_ONLY_WOULD_TAKE:
            self._hub.post_failed(order)
        mark = self._exchange.mark_price(contract.symbol)
        event = {
            "type": "REJECT",
            "uid": order.id,
            "order": words.shown_order(contract, order, mark),
            "reason": words.REJECTIONS[refusal],
        }
        return {"order_id": order.id, **status, "orderEvents": [event]}

    # ── cancelling ──

    def cancel_order(self, account: str, given: Arguments) -> Fields:
        status: Fields = {"receivedTime": iso(self._exchange.now())}
        order_id, client_id = given.text("order_id"), given.text("cliOrdId")
        if not order_id and not client_id:
            raise Refused("requiredArgumentMissing")
        status |= {"order_id": order_id} if order_id else {"cliOrdId": client_id}
        deadline = given.moment("processBefore")
        if deadline is not None and deadline <= self._exchange.now():
            return {"cancelStatus": status | {"status": "wouldProcessAfterSpecifiedTime"}}
        order = self._find(account, order_id, client_id)
        if order is None or order.status.is_final:
            word = "filled" if order is not None and order.status is OrderStatus.FILLED else "notFound"
            return {"cancelStatus": {"status": word, **status}}
        status["order_id"] = order.id
        if order.request.client_order_id is not None:
            status["cliOrdId"] = order.request.client_order_id
        return {"cancelStatus": {"status": "cancelled", **status, "orderEvents": [self._cancel(order)]}}

    def cancel_all(self, account: str, given: Arguments) -> Fields:
        contract = self._contract(given.text("symbol")) if "symbol" in given else None
        orders = [
            order
            for order in self._exchange.open_orders(account)
            if contract is None or order.request.symbol == contract.symbol
        ]
        events = [self._cancel(order) for order in orders]
        return {
            "cancelStatus": {
                "receivedTime": iso(self._exchange.now()),
                "cancelOnly": contract.id if contract else "all",
                "status": "cancelled" if orders else "noOrdersToCancel",
                "cancelledOrders": [_ids(order) for order in orders],
                "orderEvents": events,
            }
        }

    def _cancel(self, order: SimOrder) -> Fields:
        contract = self._contracts.of(order.request.symbol)
        self._exchange.cancel(order.account, order.id)
        return words.cancel_event(contract, order, self._exchange.mark_price(contract.symbol))

    def _find(self, account: str, order_id: str, client_id: str) -> SimOrder | None:
        if order_id:
            return self._exchange.order(account, order_id)
        return next((order for order in self._all(account) if order.request.client_order_id == client_id), None)

    def _all(self, account: str) -> Iterable[SimOrder]:
        yield from self._exchange.open_orders(account)
        yield from self._exchange.closed_orders(account)

    def _contract(self, name: str) -> Contract:
        contract = self._contracts.find(name)
        if contract is None:
            raise illegal("symbol")
        return contract

    # ── asking ──

    def orders_status(self, account: str, given: Arguments) -> Fields:
        """Return the orders asked for that are open, or that ended in the last five seconds."""
        ids, client_ids = set(given.all("orderIds")), set(given.all("cliOrdIds"))
        since = self._exchange.now() - _MEMORY
        rows = []
        for order in self._all(account):
            if order.status.is_final and order.updated < since:
                break  # finished ones come newest first
            if order.id in ids or order.request.client_order_id in client_ids:
                contract = self._contracts.of(order.request.symbol)
                rows.append(words.status_row(contract, order, self._exchange.mark_price(contract.symbol)))
        return {"orders": rows}


def _ids(order: SimOrder) -> Fields:
    ids: Fields = {"order_id": order.id}
    if order.request.client_order_id is not None:
        ids["cliOrdId"] = order.request.client_order_id
    return ids
