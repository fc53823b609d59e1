"""Find out what became of an order, wherever the venue still knows it.

``orders/status`` forgets an order five seconds after its end, and market orders are never among the open
ones, so the fills have the last word on what was executed. The order history is asked last, for how an order
without fills ended.
See https://docs.kraken.com/api/docs/futures-api/trading/get-order-status
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError, RateLimited, VenueError
from exchange_core.model.fill import Fill
from exchange_core.model.number import total
from exchange_core.model.order import Order, OrderStatus, OrderType, TimeInForce
from exchange_core.model.time import from_millis, from_rfc3339, to_millis
from kraken_futures import contracts, wire
from kraken_futures.limits import HISTORY_CALL, units
from kraken_futures.numbers import number, optional

STATUS = "/derivatives/api/v3/orders/status"
HISTORY = "/api/history/v3/orders"

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


@attrs.frozen(kw_only=True)
class _Seen:
    """What one source says. *status* None: no more than that the order existed."""

    status: OrderStatus | None
    venue_order_id: str | None = None
    filled: Decimal = Decimal(0)
    reason: str | None = None
    updated: datetime | None = None


def find(
    order: Order,
    context: VenueContext,
    open_orders: Callable[[], Flow[list[Order]]],
    fills: Callable[[datetime | None], Flow[list[Fill]]],
) -> Flow[Order | None]:
    """Ask for *order* by the venue's id or by ours; return None when it is nowhere."""
    if order.venue_order_id is None and order.client_order_id is None:
        raise InvalidValue(f"{context.venue}: find: the order has neither the venue's id nor ours")
    seen = yield from _recent(order)
    if seen is None:
        seen = _among(order, (yield from open_orders()))
    if seen is not None and seen.status is OrderStatus.OPEN and not seen.filled:
        return _told(order, seen, [], context)
    since = None if order.created is None else order.created - _SKEW
    ours = [fill for fill in (yield from fills(since)) if _is_of(order, fill.venue_order_id, fill.client_order_id)]
    executed = total(fill.quantity for fill in ours)
    if seen is None and executed < order.quantity:
        seen = yield from _history(order, context)
    if seen is None and not ours:
        return None
    return _told(order, seen or _from_fills(order, ours), ours, context)


def _is_of(order: Order, venue_order_id: str | None, client_order_id: str | None) -> bool:
    if order.venue_order_id is not None and venue_order_id is not None:
        return order.venue_order_id == venue_order_id
    return order.client_order_id is not None and order.client_order_id == client_order_id


def _recent(order: Order) -> Flow[_Seen | None]:
    by_theirs = order.venue_order_id is not None
    params = {"orderIds": [order.venue_order_id]} if by_theirs else {"cliOrdIds": [order.client_order_id]}
    reply: wire.OrdersStatus = yield RestCall(
        method="POST", path=STATUS, params=params, reply=wire.OrdersStatus, private=True, costs=units("orders/status")
    )
    for entry in reply.orders:
        raw = entry.order
        if _is_of(order, raw.order_id, raw.cli_ord_id):
            status = STATUS_WORDS.get(entry.status)
            filled = optional(raw.filled, "filled")
            if filled is None:
                filled = order.quantity if status is OrderStatus.FILLED else Decimal(0)
            return _Seen(
                status=status,
                venue_order_id=raw.order_id,
                filled=filled,
                reason=entry.error or entry.update_reason,
                updated=from_rfc3339(raw.last_update_timestamp) if raw.last_update_timestamp else None,
            )
    return None


def _among(order: Order, found: list[Order]) -> _Seen | None:
    for one in found:
        if _is_of(order, one.venue_order_id, one.client_order_id):
            return _Seen(
                status=OrderStatus.OPEN,
                venue_order_id=one.venue_order_id,
                filled=one.filled,
                reason=one.reason,
                updated=one.updated,
            )
    return None


def _from_fills(order: Order, fills: list[Fill]) -> _Seen:
    """Judge by executions alone: what does not rest is over."""
    rests = order.request.type is OrderType.LIMIT and order.request.time_in_force is TimeInForce.GTC
    return _Seen(
        status=None if rests else OrderStatus.CANCELED,
        venue_order_id=fills[-1].venue_order_id,
        updated=fills[-1].time,
    )


def _told(order: Order, seen: _Seen, fills: list[Fill], context: VenueContext) -> Order:
    executed = total(fill.quantity for fill in fills)
    filled = max(executed, seen.filled, order.filled)
    average = order.average_price
    if fills and executed == filled:
        inverse = order.symbol.is_inverse
        average = contracts.average_price(inverse, ((fill.quantity, fill.price) for fill in fills))
    status = seen.status
    if filled >= order.quantity:
        status = OrderStatus.FILLED
    elif status is None or status is OrderStatus.OPEN:
        status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
    return attrs.evolve(
        order,
        venue=context.venue,
        status=status,
        venue_order_id=order.venue_order_id or seen.venue_order_id,
        filled=filled,
        average_price=average,
        reason=seen.reason if status in (OrderStatus.CANCELED, OrderStatus.REJECTED) else None,
        unknown=False,
        updated=seen.updated or order.updated,
    )


def _history(order: Order, context: VenueContext) -> Flow[_Seen | None]:
    """Look for the order's last event. The fills were asked already, so a missing history hides no execution."""
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
                path=HISTORY,
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
        newest_first = sorted(page.elements, key=lambda element: element.timestamp, reverse=True)
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
        ended = {"ordercancelled": OrderStatus.CANCELED, "orderrejected": OrderStatus.REJECTED}
        yield _Seen(
            status=ended.get(kind.lower()),
            venue_order_id=_text(raw.get("uid")),
            filled=number(raw.get("filled") or 0, "filled"),
            reason=_text(payload.get("orderError")) or _text(payload.get("reason")),
            updated=from_millis(element.timestamp),
        )


def _order_in(payload: Any) -> dict[str, Any] | None:
    if not isinstance(payload, dict):
        return None
    raw = payload.get("newOrder") or payload.get("order")
    return raw if isinstance(raw, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
