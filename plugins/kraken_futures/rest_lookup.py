"""Find out what became of an order, wherever the venue still knows it.

``orders/status`` forgets an order five seconds after its end, and market orders are never among the open
ones, so the fills have the last word on what was executed. The order history is asked last, for how an order
without fills ended, and for triggers that of triggers.
See https://docs.kraken.com/api/docs/futures-api/trading/get-order-status
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError, RateLimited, VenueError
from exchange_core.model.fill import Fill
from exchange_core.model.number import total
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType, TimeInForce
from exchange_core.model.terms import Offset
from exchange_core.model.time import from_millis, from_rfc3339, to_millis
from kraken_futures import contracts, wire, words
from kraken_futures.limits import HISTORY_CALL, units
from kraken_futures.numbers import number, optional
from kraken_futures.order_requests import Unit
from kraken_futures.pages import Rows
from kraken_futures.rest_doubts import names, require_none
from kraken_futures.rows import readable

STATUS = "/derivatives/api/v3/orders/status"
HISTORY = "/api/history/v3/orders"
TRIGGERS = "/api/history/v3/triggers"

_TRIGGER = "TRIGGER_ORDER"
_FIRED = "STOP_ORDER_TRIGGERED"

# Our clock and the venue's differ by less than this.
_SKEW = timedelta(seconds=60)
_MOST_PAGES = 5

STATUS_WORDS = {
    "ENTERED_BOOK": OrderStatus.OPEN,
    "TRIGGER_PLACED": OrderStatus.OPEN,
    "FULLY_EXECUTED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "TRIGGER_ACTIVATION_FAILURE": OrderStatus.REJECTED,
}
# Other events say no more than that there was such an order.
_EVENTS = {
    "ordercancelled": OrderStatus.CANCELED,
    "orderrejected": OrderStatus.REJECTED,
    "ordertriggercancelled": OrderStatus.CANCELED,
}


@attrs.frozen(kw_only=True)
class _Seen:
    """What one source says.

    Attributes:
        status: None: no more than that the order existed.
        quantity, price, trigger, trail: Its terms as they are now, which edits may have changed; None where they are
            not told.
        listed: The order as the list of open orders has it.
    """

    status: OrderStatus | None
    venue_order_id: str | None = None
    filled: Decimal = Decimal(0)
    reason: str | None = None
    updated: datetime | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None
    trail: Offset | None = None
    listed: Order | None = None


def find(
    order: Order,
    context: VenueContext,
    open_orders: Callable[[], Flow[Rows[Order]]],
    fills: Callable[[datetime | None], Flow[Rows[Fill]]],
) -> Flow[Order | None]:
    """Ask for *order* by the venue's id or by ours; return None when it is nowhere.

    A trigger that fired may go on under another id of the venue's: then the order comes back with that one.

    Raises:
        ProtocolError: An entry that may be of this order does not read; it is never taken for "nowhere".
    """
    if order.venue_order_id is None and order.client_order_id is None:
        raise InvalidValue(f"{context.venue}: find: the order has neither the venue's id nor ours")
    recent = yield from _recent(order)
    seen = recent
    # Of an order that was executed in part only the list says for sure how large it is: edits may have changed that.
    if recent is None or recent.status is None or (recent.status is OrderStatus.OPEN and recent.filled):
        listed = yield from open_orders()
        seen = _among(order, listed)
        if seen is None:
            require_none(order, listed.unreadable, context, "an open order")
            seen = recent
    if seen is not None and seen.status is OrderStatus.OPEN and not seen.filled:
        if order.request.type.is_trailing and seen.trail is None:
            past = yield from _history(order, context, TRIGGERS)
            seen = attrs.evolve(seen, trail=None if past is None else past.trail)
        return _told(order, seen, [], context)
    since = None if order.created is None else order.created - _SKEW
    all_fills = yield from fills(since)
    require_none(order, all_fills.unreadable, context, "a fill")
    ours = _of(order, seen, all_fills)
    if (seen is None or seen.status is None) and total(fill.quantity for fill in ours) < order.quantity:
        seen = (yield from _past(order, context)) or seen
        ours = _of(order, seen, all_fills)
    if seen is None and not ours:
        return None
    return _told(order, seen or _from_fills(order, ours), ours, context)


def _is_of(order: Order, venue_order_id: str | None, client_order_id: str | None) -> bool:
    if order.venue_order_id is not None and venue_order_id is not None:
        if order.venue_order_id == venue_order_id:
            return True
        if not order.request.type.is_triggered:
            return False
    # Client ids are unique for ever here, so a trigger's order under another id is known by it.
    return order.client_order_id is not None and order.client_order_id == client_order_id


def _of(order: Order, seen: _Seen | None, fills: Iterable[Fill]) -> list[Fill]:
    known = None if seen is None else seen.venue_order_id
    return [
        fill
        for fill in fills
        if _is_of(order, fill.venue_order_id, fill.client_order_id) or (known and fill.venue_order_id == known)
    ]


def _recent(order: Order) -> Flow[_Seen | None]:
    theirs, ours = order.venue_order_id, order.client_order_id
    params = {"orderIds": [theirs]} if theirs is not None else {"cliOrdIds": [ours]}
    if order.request.type.is_triggered and theirs is not None and ours is not None:
        params["cliOrdIds"] = [ours]
    reply: wire.OrdersStatus = yield RestCall(
        method="POST", path=STATUS, params=params, reply=wire.OrdersStatus, private=True, costs=units("orders/status")
    )
    found = [entry for entry in reply.orders if _is_of(order, entry.order.order_id, entry.order.cli_ord_id)]
    # What a trigger has become counts, and not what became of the trigger.
    found.sort(key=lambda entry: entry.order.type == _TRIGGER)
    return _entry(order, found[0]) if found else None


def _entry(order: Order, entry: wire.StatusEntry) -> _Seen:
    raw = entry.order
    status = STATUS_WORDS.get(entry.status)
    if raw.type == _TRIGGER and entry.update_reason == _FIRED and status is not OrderStatus.REJECTED:
        # Open point: how a trigger that fired is shown under its own id. What came of it is asked for elsewhere.
        status = None
    filled = optional(raw.filled, "filled")
    if filled is None:
        filled = order.quantity if status is OrderStatus.FILLED else Decimal(0)
    trigger = raw.price_trigger_options or wire.PriceTrigger()
    # Open point: whether the quantity is the whole or what remains; it is both while nothing is executed.
    is_whole = status is OrderStatus.OPEN and not filled
    return _Seen(
        status=status,
        venue_order_id=raw.order_id,
        filled=filled,
        reason=entry.error or entry.update_reason,
        updated=from_rfc3339(raw.last_update_timestamp) if raw.last_update_timestamp else None,
        quantity=optional(raw.quantity, "quantity") if is_whole else None,
        price=optional(raw.limit_price, "limitPrice"),
        trigger=optional(trigger.trigger_price, "triggerPrice"),
        trail=_trail(trigger.trailing_stop_options),
    )


def _among(order: Order, found: Iterable[Order]) -> _Seen | None:
    ours = [one for one in found if _is_of(order, one.venue_order_id, one.client_order_id)]
    # One that still waits under its own id comes before what has its client id.
    ours.sort(key=lambda one: one.venue_order_id != order.venue_order_id)
    for one in ours:
        return _Seen(
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


def _from_fills(order: Order, fills: list[Fill]) -> _Seen:
    """Judge by executions alone."""
    return _Seen(status=None, venue_order_id=fills[-1].venue_order_id, updated=fills[-1].time)


def _terms(order: Order, seen: _Seen) -> OrderRequest:
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


def _told(order: Order, seen: _Seen, fills: list[Fill], context: VenueContext) -> Order:
    request = _terms(order, seen)
    executed = total(fill.quantity for fill in fills)
    filled = max(executed, seen.filled, order.filled)
    average = order.average_price
    if fills and executed == filled:
        inverse = order.symbol.is_inverse
        average = contracts.average_price(inverse, ((fill.quantity, fill.price) for fill in fills))
    status = seen.status
    if filled >= request.quantity:
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


def _past(order: Order, context: VenueContext) -> Flow[_Seen | None]:
    """Look for the order's last event, and where there is none, for that of its trigger."""
    seen = yield from _history(order, context, HISTORY)
    if seen is None and order.request.type.is_triggered:
        # Open point: a market order that a trigger became, and whose executions bear neither its id nor ours, stays
        # open for us: that the trigger fired does not say what came of it.
        seen = yield from _history(order, context, TRIGGERS)
    return seen


def _history(order: Order, context: VenueContext, path: str) -> Flow[_Seen | None]:
    """Look for the last event. The fills were asked already, so a missing history hides no execution."""
    since = None if order.created is None else to_millis(order.created - _SKEW)
    token: str | None = None
    for _ in range(_MOST_PAGES):
        params = {
            "since": since,
            "sort": "desc",
            "tradeable": context.symbols.venue_id(order.symbol),
            "continuation_token": token,
        }
        try:
            page: wire.HistoryPage = yield RestCall(
                method="GET",
                path=path,
                params=params,
                reply=wire.HistoryPage,
                private=True,
                base="history_url",
                costs=HISTORY_CALL,
            )
        except (RateLimited, ProtocolError, VenueError):
            if order.created is None:
                raise  # then the fills that were asked for may not reach back to it
            return None
        elements, bad = readable(page.elements, wire.HistoryElement, lambda row: row, f"{context.venue}: {path}")
        if any(names(order, each.raw) for each in bad):
            raise ProtocolError(f"{context.venue}: {path}: an event of order {order.client_order_id} does not read")
        newest_first = sorted(elements, key=lambda element: element.timestamp, reverse=True)
        seen = next((seen for element in newest_first for seen in _events(order, element)), None)
        token = page.continuation_token
        if seen is not None or token is None:
            return seen
    return None


def _events(order: Order, element: wire.HistoryElement) -> Iterator[_Seen]:
    for kind, payload in element.event.items():
        raw = _order_in(payload)
        if raw is None or not _is_of(order, _text(raw.get("uid")), _text(raw.get("clientId"))):
            continue
        options = raw.get("triggerOptions")
        yield _Seen(
            status=_EVENTS.get(kind.lower()),
            trail=_trail(options.get("trailingStopOptions")) if isinstance(options, dict) else None,
            venue_order_id=_text(raw.get("uid")),
            filled=number(raw.get("filled") or 0, "filled"),
            reason=_text(payload.get("orderError")) or _text(payload.get("reason")),
            updated=from_millis(element.timestamp),
        )


def _order_in(payload: Any) -> dict[str, Any] | None:
    if not isinstance(payload, dict):
        return None
    named = (payload.get(name) for name in ("newOrder", "newOrderTrigger", "order", "orderTrigger"))
    raw = next(filter(None, named), None)
    return raw if isinstance(raw, dict) else None


def _trail(options: Any) -> Offset | None:
    """Read ``{"maxDeviation": 1.5, "unit": "PERCENT"}``; whatever else it is says nothing."""
    if not isinstance(options, dict) or options.get("maxDeviation") is None:
        return None
    unit = words.unit(str(options.get("unit")))
    if not isinstance(unit, Unit):
        return None
    return Offset(number(options["maxDeviation"], "maxDeviation"), percent=unit is Unit.PERCENT)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
