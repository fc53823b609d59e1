"""Orders as REST answers show them: in events, among the open ones, by their status.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order, get-open-orders and get-order-status
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.simulation import OrderChanged, OrderEvent, SimFill, SimOrder
from exchange_core.model.order import OrderStatus
from kraken_futures.simulator.codec import iso, number
from kraken_futures.simulator.markets.contracts import Contract
from kraken_futures.simulator.orders import words

Shown = dict[str, Any]


def _maybe(value: Decimal | None) -> Any:
    return None if value is None else number(value)


def limit_of(contract: Contract, order: SimOrder) -> Decimal:
    """Return the limit price; of a market order, which must never be read as its average price, the end of its band."""
    return order.limit or order.request.price or contract.market_order_limit(order.request.side, contract.mark())


def shown(contract: Contract, order: SimOrder, filled: Decimal | None = None) -> Shown:
    """Return the order, or the trigger that it still is, inside an event. Its quantity is what remains.

    Args:
        filled: The filled part at that moment; as it is now unless given.
    """
    if words.waits(order):
        return _shown_trigger(contract, order)
    done = order.filled if filled is None else filled
    return {
        "orderId": order.id,
        "cliOrdId": order.request.client_order_id,
        "type": words.type_word(order),
        "symbol": contract.id,
        "side": order.request.side,
        "quantity": number(order.request.quantity - done),
        "filled": number(done),
        "limitPrice": number(limit_of(contract, order)),
        "reduceOnly": order.request.reduce_only,
        "timestamp": iso(order.created),
        "lastUpdateTimestamp": iso(order.updated),
    }


def _shown_trigger(contract: Contract, order: SimOrder) -> Shown:
    """Return a trigger; its type is that of the order which it makes."""
    return {
        "uid": order.id,
        "clientId": order.request.client_order_id,
        "type": words.type_word(order),
        "symbol": contract.id,
        "side": order.request.side,
        "quantity": number(order.request.quantity),
        "limitPrice": _maybe(order.limit),
        "triggerPrice": _maybe(order.trigger),
        "triggerSide": "trigger_above" if words.rises(order) else "trigger_below",
        "triggerSignal": f"{words.signal(order)}_price",
        "reduceOnly": order.request.reduce_only,
        "timestamp": iso(order.created),
        "lastUpdateTimestamp": iso(order.updated),
        "startTime": None,
    }


def before_edit(order: SimOrder) -> SimOrder:
    """Return a changed order as it was before, as far as its terms go."""
    request, _, _ = order.amends[-1]
    earlier = order.amends[-2][1] if len(order.amends) > 1 else order.created
    limit = order.limit if request.limit_offset is not None else request.price
    trigger = request.trigger_price or order.trigger
    return attrs.evolve(order, request=request, limit=limit, trigger=trigger, updated=earlier, amends=order.amends[:-1])


# ── events ──


def _named(contract: Contract, order: SimOrder) -> Shown:
    return {"orderTrigger" if words.waits(order) else "order": shown(contract, order)}


def place_event(contract: Contract, order: SimOrder, reduced: Decimal | None = None) -> Shown:
    return {"type": "PLACE", **_named(contract, order), "reducedQuantity": _maybe(reduced)}


def cancel_event(contract: Contract, order: SimOrder) -> Shown:
    return {"type": "CANCEL", "uid": order.id, **_named(contract, order)}


def reject_event(contract: Contract, order: SimOrder, reason: str) -> Shown:
    return {"type": "REJECT", "uid": order.id, **_named(contract, order), "reason": reason}


def edit_event(contract: Contract, order: SimOrder, reduced: Decimal | None = None) -> Shown:
    """Return the event of a change; *order* is a copy from just after it."""
    old = shown(contract, before_edit(order))
    return {"type": "EDIT", "old": old, "new": shown(contract, order), "reducedQuantity": _maybe(reduced)}


def execution_event(
    contract: Contract,
    order: SimOrder,
    fill: SimFill,
    edited: SimOrder | None = None,
    reduced: Decimal | None = None,
) -> Shown:
    """Return the event of a fill; *order* is a copy from just after it, *edited* the change that led to it."""
    return {
        "type": "EXECUTION",
        "executionId": fill.id,
        "price": number(fill.price),
        "amount": number(fill.quantity),
        "orderPriorEdit": None if edited is None else shown(contract, before_edit(edited)),
        "orderPriorExecution": shown(contract, order, order.filled - fill.quantity),
        "takerReducedQuantity": _maybe(reduced),
    }


def told(contract: Contract, order: SimOrder, heard: list[OrderChanged], reduced: Decimal | None = None) -> list[Shown]:
    """Return what became of *order* while it was placed or changed.

    Executions come first, then whether the rest stands in the book or was dropped; a trigger is placed before all.

    Args:
        reduced: By how much it was made smaller for its position.
    """
    changes = [event.order for event in heard if event.event is OrderEvent.AMENDED]
    edits = [each for each in changes if not words.was_cut(each)]
    for each in changes:
        if words.was_cut(each):  # on its way into the book, by the exchange
            reduced = (reduced or Decimal(0)) + before_edit(each).request.quantity - each.request.quantity
    edited = edits[-1] if edits else None
    opened = [event.order for event in heard if event.event is OrderEvent.OPENED]
    found = [place_event(contract, each) for each in opened if words.waits(each)]
    found += [edit_event(contract, each, reduced) for each in edits]
    found += [
        execution_event(contract, event.order, event.fill, edited, reduced) for event in heard if event.fill is not None
    ]
    if order.status is OrderStatus.CANCELED:
        return [*found, cancel_event(contract, order)]
    if order.status.is_final or edited is not None or words.waits(order):
        return found
    return [*found, place_event(contract, order, reduced)]


# ── lists ──


def open_order(contract: Contract, order: SimOrder) -> Shown:
    """Return an entry of ``openorders``; post-only orders cannot be told from others there."""
    row: Shown = {"order_id": order.id}
    if order.request.client_order_id is not None:
        row["cliOrdId"] = order.request.client_order_id
    waits = words.waits(order)
    row |= {
        "symbol": contract.id,
        "side": order.request.side,
        "orderType": words.trigger_word(order.request.type) if waits else "lmt",
    }
    if order.limit is not None:
        row["limitPrice"] = number(order.limit)
    if waits and order.trigger is not None:
        row["stopPrice"] = number(order.trigger)
    row |= {
        "unfilledSize": number(order.remaining),
        "receivedTime": iso(order.created),
        "status": "partiallyFilled" if order.filled else "untouched",
        "filledSize": number(order.filled),
        "reduceOnly": order.request.reduce_only,
    }
    if waits:
        row["triggerSignal"] = words.signal(order)
    return row | {"lastUpdateTime": iso(order.updated)}


def status_row(contract: Contract, order: SimOrder, error: str | None = None) -> Shown:
    """Return an entry of ``orders/status``."""
    status, reason = _status(order)
    error = error or words.activation_error(order)
    if order.status is OrderStatus.REJECTED:
        reason = f"{error}_REASON" if error in ("POST_WOULD_EXECUTE", "IOC_WOULD_NOT_EXECUTE") else None
    elif order.triggered is not None and error is not None:
        status = "TRIGGER_ACTIVATION_FAILURE"
    return {
        "order": {
            "type": "TRIGGER_ORDER" if words.waits(order) else "ORDER",
            "orderId": order.id,
            "cliOrdId": order.request.client_order_id,
            "symbol": contract.id,
            "side": order.request.side,
            "quantity": number(order.request.quantity - order.filled),
            "filled": number(order.filled),
            "limitPrice": _maybe(order.limit) if words.waits(order) else number(limit_of(contract, order)),
            "reduceOnly": order.request.reduce_only,
            "timestamp": iso(order.created),
            "lastUpdateTimestamp": iso(order.updated),
            "priceTriggerOptions": _trigger_options(order),
            "triggerTime": None if order.triggered is None else iso(order.triggered),
        },
        "status": status,
        "updateReason": reason,
        "error": error,
    }


def _trigger_options(order: SimOrder) -> Shown | None:
    if not order.request.type.is_triggered:
        return None
    return {
        "triggerPrice": _maybe(order.trigger),
        "triggerSide": "TRIGGER_ABOVE" if words.rises(order) else "TRIGGER_BELOW",
        "triggerSignal": f"{words.signal(order)}_price".upper(),
    }


def _status(order: SimOrder) -> tuple[str, str | None]:
    """Return status and reason."""
    match order.status:
        case OrderStatus.FILLED:
            return "FULLY_EXECUTED", "FULL_FILL"
        case OrderStatus.CANCELED:
            return "CANCELLED", words.end_reason(order)
        case OrderStatus.EXPIRED:
            return "CANCELLED", "EXPIRED"
        case OrderStatus.REJECTED:
            return "REJECTED", None
    if words.waits(order):
        moved = order.request.type.is_trailing and order.updated > (order.amended or order.created)
        reason = (
            "TRAILING_STOP_PRICE_UPDATED"
            if moved
            else words.change_reason(order).upper()
            if order.amended
            else "NEW_USER_ORDER"
        )
        return "TRIGGER_PLACED", reason
    if order.filled:
        return "ENTERED_BOOK", "PARTIAL_FILL"
    if order.amended is not None and (order.triggered is None or order.amended > order.triggered):
        return "ENTERED_BOOK", words.change_reason(order).upper()
    return "ENTERED_BOOK", "NEW_USER_ORDER" if order.triggered is None else "LIMIT_FROM_STOP"


def fill_row(contract: Contract, fill: SimFill, kind: str) -> Shown:
    """Return an entry of ``fills``, which tells no fee."""
    row: Shown = {"fill_id": fill.id, "symbol": contract.id, "side": fill.side, "order_id": fill.order_id}
    if fill.client_order_id is not None:
        row["cliOrdId"] = fill.client_order_id
    return row | {
        "size": number(fill.quantity),
        "price": number(fill.price),
        "fillTime": iso(fill.time),
        "fillType": kind,
    }


def newest_first(orders: list[SimOrder]) -> list[SimOrder]:
    return sorted(orders, key=_created, reverse=True)


def _created(order: SimOrder) -> datetime:
    return order.created
