"""Find out what became of an order, wherever the venue still knows it.

``orders/status`` forgets an order five seconds after its end, and market orders are never among the open
ones, so the fills have the last word on what was executed. The order history is asked last, for how an order
without fills ended, and for triggers that of triggers.
See https://docs.kraken.com/api/docs/futures-api/trading/get-order-status
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import AuthenticationError, InvalidValue, NonceRejected
from exchange_core.model.fill import Fill
from exchange_core.model.number import total
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType, TimeInForce
from exchange_core.model.time import from_rfc3339
from kraken_futures import contracts
from kraken_futures.numbers import optional
from kraken_futures.pages import Rows
from kraken_futures.rest.calls import orders_status
from kraken_futures.rest.doubts import require_none
from kraken_futures.rest.past import SKEW, TRIGGERS, Seen, is_of, last_event, last_event_in, trail
from kraken_futures.wire import common as wire

_TRIGGER = "TRIGGER_ORDER"
_FIRED = "STOP_ORDER_TRIGGERED"

# So long after an event the venue's lists show what came of the order.
_LAG = 2 * SKEW
_STANDING = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})

STATUS_WORDS = {
    "ENTERED_BOOK": OrderStatus.OPEN,
    "TRIGGER_PLACED": OrderStatus.OPEN,
    "FULLY_EXECUTED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "TRIGGER_ACTIVATION_FAILURE": OrderStatus.REJECTED,
}


def find(
    order: Order,
    context: VenueContext,
    open_orders: Callable[[], Flow[Rows[Order]]],
    fills: Callable[[datetime | None], Flow[Rows[Fill]]],
) -> Flow[Order | None]:
    """Ask for *order* by the venue's id or by ours; return None when it is nowhere (any more).

    A trigger that fired may go on under another id of the venue's: then the order comes back with that one.

    Raises:
        ProtocolError: An entry that may be of this order does not read; it is never taken for "nowhere".
    """
    if order.venue_order_id is None and order.client_order_id is None:
        raise InvalidValue(f"{context.venue}: find: the order has neither the venue's id nor ours")
    recent = yield from _recent(order)
    seen, is_listed = recent, True
    # Of an order that was executed in part only the list says for sure how large it is: edits may have changed that.
    if recent is None or recent.status is None or (recent.status is OrderStatus.OPEN and recent.filled):
        listed = yield from open_orders()
        seen = _among(order, listed)
        if seen is None:
            require_none(order, listed.unreadable, context, "an open order")
            seen, is_listed = recent, False
    if seen is not None and seen.status is OrderStatus.OPEN and not seen.filled:
        if order.request.type.is_trailing and seen.trail is None:
            past = yield from last_event_in(TRIGGERS, order, context)
            seen = attrs.evolve(seen, trail=None if past is None else past.trail)
        return _told(order, seen, [], context)
    since = None if order.created is None else order.created - SKEW
    all_fills = yield from fills(since)
    require_none(order, all_fills.unreadable, context, "a fill")
    ours = _of(order, seen, all_fills)
    if (seen is None or seen.status is None) and total(
        fill.quantity for fill in ours
    ) < order.request.require_quantity():
        seen = (yield from last_event(order, context)) or seen
        ours = _of(order, seen, all_fills)
    if seen is None and not ours:
        return None
    seen = seen or _from_fills(order, ours)
    if not is_listed and _is_gone(order, seen, ours, context):
        return None
    return _told(order, seen, ours, context)


def _of(order: Order, seen: Seen | None, fills: Iterable[Fill]) -> list[Fill]:
    known = None if seen is None else seen.venue_order_id
    return [
        fill
        for fill in fills
        if is_of(order, fill.venue_order_id, fill.client_order_id) or (known and fill.venue_order_id == known)
    ]


def _is_gone(order: Order, seen: Seen, fills: Sequence[Fill], context: VenueContext) -> bool:
    """Return whether an order that stood is in no list, its end in no history, and nothing of it is news.

    Such as one that reduce-only made smaller while it executed, or a trigger that fired and whose order has other ids.
    """
    if seen.status is not None or order.unknown or order.status not in _STANDING or context.now is None:
        return False
    last = max((time for time in (seen.updated, *(fill.time for fill in fills)) if time is not None), default=None)
    executed = total(fill.quantity for fill in fills)
    is_known = executed <= order.filled < order.request.require_quantity()
    return is_known and last is not None and context.now() - last > _LAG


def _recent(order: Order) -> Flow[Seen | None]:
    theirs, ours = order.venue_order_id, order.client_order_id
    params = {"orderIds": [theirs]} if theirs is not None else {"cliOrdIds": [ours]}
    if order.request.type.is_triggered and theirs is not None and ours is not None:
        params["cliOrdIds"] = [ours]
    try:
        reply: wire.OrdersStatus = yield orders_status(params, wire.OrdersStatus)
    except NonceRejected:
        raise
    except AuthenticationError:
        # It is only for keys that may trade. Lists and history tell others; a key that is wrong is refused there too.
        return None
    found = [entry for entry in reply.orders if is_of(order, entry.order.order_id, entry.order.cli_ord_id)]
    # What a trigger has become counts, and not what became of the trigger.
    found.sort(key=lambda entry: entry.order.type == _TRIGGER)
    return _entry(order, found[0]) if found else None


def _entry(order: Order, entry: wire.StatusEntry) -> Seen:
    raw = entry.order
    status = STATUS_WORDS.get(entry.status)
    if raw.type == _TRIGGER and entry.update_reason == _FIRED and status is not OrderStatus.REJECTED:
        # Open point: how a trigger that fired is shown under its own id. What came of it is asked for elsewhere.
        status = None
    filled = optional(raw.filled, "filled")
    if filled is None:
        filled = order.request.require_quantity() if status is OrderStatus.FILLED else Decimal(0)
    trigger = raw.price_trigger_options or wire.PriceTrigger()
    # Open point: whether the quantity is the whole or what remains; it is both while nothing is executed.
    is_whole = status is OrderStatus.OPEN and not filled
    return Seen(
        status=status,
        venue_order_id=raw.order_id,
        filled=filled,
        reason=entry.error or entry.update_reason,
        updated=from_rfc3339(raw.last_update_timestamp) if raw.last_update_timestamp else None,
        quantity=optional(raw.quantity, "quantity") if is_whole else None,
        price=optional(raw.limit_price, "limitPrice"),
        trigger=optional(trigger.trigger_price, "triggerPrice"),
        trail=trail(trigger.trailing_stop_options),
    )


def _among(order: Order, found: Iterable[Order]) -> Seen | None:
    ours = [one for one in found if is_of(order, one.venue_order_id, one.client_order_id)]
    # One that still waits under its own id comes before what has its client id.
    ours.sort(key=lambda one: one.venue_order_id != order.venue_order_id)
    for one in ours:
        return Seen(
            status=OrderStatus.OPEN,
            venue_order_id=one.venue_order_id,
            filled=one.filled,
            reason=one.reason,
            updated=one.updated,
            quantity=one.quantity,
            price=one.price,
            trigger=one.request.trigger_price,
            listed=one,
        )
    return None


def _rests(order: Order) -> bool:
    """Return whether what of it is not executed stays in the market."""
    kind = order.request.type
    return kind.has_limit and (kind.is_triggered or order.request.time_in_force is TimeInForce.GTC)


def _from_fills(order: Order, fills: list[Fill]) -> Seen:
    """Judge by executions alone."""
    return Seen(status=None, venue_order_id=fills[-1].venue_order_id, updated=fills[-1].time)


def _terms(order: Order, seen: Seen) -> OrderRequest:
    """Return the order's terms as they are now: as they were asked for, with the numbers that the venue tells."""
    asked, listed = order.request, seen.listed
    if listed is not None and listed.request.type.is_triggered and not asked.type.is_triggered:
        # Of an order that was not placed here, terms may have been guessed; the list tells better.
        return attrs.evolve(listed.request, client_order_id=asked.client_order_id)
    changes: dict[str, Any] = {}
    if asked.type.is_trailing and seen.trail is not None:
        changes["trail"] = seen.trail
    elif asked.type.is_trailing and seen.status is OrderStatus.OPEN and seen.trigger:
        # How far it trails is not told, and an edit may have changed that: nobody must take the old one for a fact.
        kind = OrderType.STOP_LIMIT if asked.type.has_limit else OrderType.STOP
        changes |= {"type": kind, "trail": None, "trigger_price": seen.trigger}
    if seen.quantity:
        changes["quantity"] = seen.quantity
    if asked.price is not None and seen.price:
        changes["price"] = seen.price
    if asked.trigger_price is not None and seen.trigger:
        changes["trigger_price"] = seen.trigger
    return attrs.evolve(asked, **changes)


def _told(order: Order, seen: Seen, fills: list[Fill], context: VenueContext) -> Order:
    request = _terms(order, seen)
    executed = total(fill.quantity for fill in fills)
    filled = max(executed, seen.filled, order.filled)
    average = order.average_price
    if fills and executed == filled:
        inverse = order.symbol.is_inverse
        average = contracts.average_price(inverse, ((fill.quantity, fill.price) for fill in fills))
    status = seen.status
    if filled >= request.require_quantity():
        status = OrderStatus.FILLED
    elif status is None and fills and not _rests(order):
        status = OrderStatus.CANCELED  # what does not rest is over with its executions
    elif status is None or status is OrderStatus.OPEN:
        status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
    elif status is OrderStatus.REJECTED and (order.status is not OrderStatus.PENDING or filled):
        status = OrderStatus.CANCELED  # such as a trigger that stood, and whose order was refused when it fired
    goes_on = order.request.type.is_triggered and seen.venue_order_id is not None
    return attrs.evolve(
        order,
        request=request,
        venue=context.venue,
        status=status,
        venue_order_id=seen.venue_order_id if goes_on else order.venue_order_id or seen.venue_order_id,
        filled=filled,
        average_price=average,
        reason=seen.reason if status in (OrderStatus.CANCELED, OrderStatus.REJECTED) else None,
        unknown=False,
        updated=seen.updated or order.updated,
    )
