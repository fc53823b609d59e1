"""Trading over REST: sendorder, editorder, the cancels, batchorder, orders/status, and the dead man's switch.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order and its neighbours
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exchange_core.connector.simulation import SimExchange, SimOrder
from kraken_futures.simulator.codec import Arguments, Refused, decode, illegal, iso
from kraken_futures.simulator.markets.contracts import Contracts
from kraken_futures.simulator.orders import shapes
from kraken_futures.simulator.orders.desk import MEMORY, Desk

_LONGEST_TIMEOUT = 2**32 - 1
_ITEM_REFUSALS = {
    "orderType": "invalidOrderType",
    "side": "invalidSide",
    "size": "invalidSize",
    "limitPrice": "invalidPrice",
    "stopPrice": "invalidPrice",
    "symbol": "marketInactive",
}
_KINDS = ("send", "edit", "cancel")

Fields = dict[str, Any]


class Trading:
    """What needs a key with full access."""

    def __init__(self, exchange: SimExchange, contracts: Contracts, desk: Desk) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._desk = desk

    def send_order(self, account: str, given: Arguments) -> Fields:
        return {"sendStatus": self._desk.send(account, given)}

    def edit_order(self, account: str, given: Arguments) -> Fields:
        return {"editStatus": self._desk.edit(account, given, given.text("orderId"))}

    def cancel_order(self, account: str, given: Arguments) -> Fields:
        order_id, client_id = given.text("order_id"), given.text("cliOrdId")
        return {"cancelStatus": self._desk.cancel(account, order_id, client_id, given.moment("processBefore"))}

    def cancel_all(self, account: str, given: Arguments) -> Fields:
        contract = self._desk.reader.contract(given.text("symbol")) if "symbol" in given else None
        orders = [
            order
            for order in self._exchange.open_orders(account)
            if contract is None or order.request.symbol == contract.symbol
        ]
        ended = [self._desk.end(order) for order in orders]
        return {
            "cancelStatus": {
                "receivedTime": iso(self._exchange.now()),
                "cancelOnly": contract.id if contract else "all",
                "status": "cancelled" if orders else "noOrdersToCancel",
                "cancelledOrders": [_ids(order) for order in orders],
                "orderEvents": ended,
            }
        }

    def cancel_all_after(self, account: str, given: Arguments) -> Fields:
        """Arm the dead man's switch, or disarm it with 0. Orders that wait for their trigger go with the others."""
        given.required("timeout")
        seconds = given.integer("timeout", 0, 0, _LONGEST_TIMEOUT)
        when = self._exchange.cancel_all_after(account, seconds or None)
        now = iso(self._exchange.now())
        return {"status": {"currentTime": now, "triggerTime": "0" if when is None else iso(when)}}

    def orders_status(self, account: str, given: Arguments) -> Fields:
        """Return the orders asked for that are open, or that ended in the last five seconds."""
        ids, client_ids = set(given.all("orderIds")), set(given.all("cliOrdIds"))
        since = self._exchange.now() - MEMORY

        def wanted(order: SimOrder) -> bool:
            return order.id in ids or order.request.client_order_id in client_ids

        rows = [
            shapes.status_row(self._contracts.of(each.order.request.symbol), each.order, each.error)
            for each in self._desk.rejected(account)
            if wanted(each.order)
        ]
        for order in self._desk.all(account):
            if order.status.is_final and order.updated < since:
                break  # finished ones come newest first
            if wanted(order):
                rows.append(shapes.status_row(self._contracts.of(order.request.symbol), order))
        return {"orders": rows}

    # ── batches ──

    def batch(self, account: str, given: Arguments) -> Fields:
        """Do what a list says, in its order; each item has an answer of its own.

        Raises:
            Refused: The list does not read; then nothing is done.
        """
        items = read_batch(given)
        # Open point: the reference writes it with a capital letter, a client without.
        deadline = given.moment("ProcessBefore") or given.moment("processBefore")
        return {"batchStatus": [self._item(account, item, deadline) for item in items]}

    def _item(self, account: str, item: Arguments, deadline: datetime | None) -> Fields:
        kind, order_id = item.text("order"), item.text("order_id")
        status: Fields = {}
        if kind == "send":
            status["order_tag"] = item.text("order_tag") or None
        elif order_id:
            status["order_id"] = order_id
        now = self._exchange.now()
        if deadline is not None and deadline <= now:
            done: Fields = {"status": "wouldProcessAfterSpecifiedTime"}
        else:
            try:
                done = self._do(account, kind, item, order_id)
            except Refused as refused:
                done = {"status": _item_refusal(refused.word)}
        received = done.pop("receivedTime", iso(now))
        edited = done.pop("orderId", None)
        if edited:
            done["order_id"] = edited
        answer = {**status, **done, "dateTimeReceived": received}
        return {"status": answer.pop("status"), **answer}

    def _do(self, account: str, kind: str, item: Arguments, order_id: str) -> Fields:
        if kind == "send":
            item.required("order_tag")
            return self._desk.send(account, item)
        if kind == "edit":
            return self._desk.edit(account, item, order_id)
        return self._desk.cancel(account, order_id, item.text("cliOrdId"), None)


def read_batch(given: Arguments) -> list[Arguments]:
    """Return the items of a batch.

    Raises:
        Refused: It is no JSON, or not of the form ``{"batchOrder": [{"order": "send", ...}, ...]}``.
    """
    try:
        asked = decode(given.required("json"))
    except ValueError:
        raise Refused("Json Parse Error") from None
    items = asked.get("batchOrder") if isinstance(asked, dict) else None
    if not isinstance(items, list) or not items:
        raise illegal("batchOrder")
    read = []
    for item in items:
        if not isinstance(item, dict) or item.get("order") not in _KINDS:
            raise illegal("batchOrder")
        read.append(Arguments.of(item))
    return read


def _item_refusal(word: str) -> str:
    """Return the status of an item whose arguments were refused."""
    kind, _, name = word.partition(": ")
    return _ITEM_REFUSALS.get(name, kind)


def _ids(order: SimOrder) -> Fields:
    ids: Fields = {"order_id": order.id}
    if order.request.client_order_id is not None:
        ids["cliOrdId"] = order.request.client_order_id
    return ids
