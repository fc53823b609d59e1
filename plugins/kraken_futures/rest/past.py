"""How an order ended, and where its trigger went, by the history of events: asked last, for what nothing else tells.

See https://docs.kraken.com/api/docs/futures-api/history/get-order-events and get-trigger-events
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError, VenueError
from exchange_core.model.order import Order, OrderStatus
from exchange_core.model.terms import Offset
from exchange_core.model.time import from_millis, to_millis
from kraken_futures.limits import HISTORY_CALL
from kraken_futures.numbers import number
from kraken_futures.orders.requests import Unit
from kraken_futures.parse import words
from kraken_futures.parse.rows import readable
from kraken_futures.rest.doubts import names
from kraken_futures.wire import common as wire

ORDERS = "/api/history/v3/orders"
TRIGGERS = "/api/history/v3/triggers"

# Our clock and the venue's differ by less than this.
SKEW = timedelta(seconds=60)
_MOST_PAGES = 5

# Other events say no more than that there was such an order.
_EVENTS = {
    "ordercancelled": OrderStatus.CANCELED,
    "orderrejected": OrderStatus.REJECTED,
    "ordertriggercancelled": OrderStatus.CANCELED,
}


@attrs.frozen(kw_only=True)
class Seen:
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


def is_of(order: Order, venue_order_id: str | None, client_order_id: str | None) -> bool:
    """Return whether what has these ids is *order*, or what became of it when it fired."""
    if order.venue_order_id is not None and venue_order_id is not None:
        if order.venue_order_id == venue_order_id:
            return True
        if not order.request.type.is_triggered:
            return False
    # Client ids are unique for ever here, so a trigger's order under another id is known by it.
    return order.client_order_id is not None and order.client_order_id == client_order_id


def last_event(order: Order, context: VenueContext) -> Flow[Seen | None]:
    """Look for the order's last event, and where there is none, for that of its trigger."""
    seen = yield from last_event_in(ORDERS, order, context)
    if seen is None and order.request.type.is_triggered:
        # Open point: whether a market order that a trigger became has its id. Where its executions bear neither that
        # nor ours, that the trigger fired does not say what came of it.
        seen = yield from last_event_in(TRIGGERS, order, context)
    return seen


def last_event_in(path: str, order: Order, context: VenueContext) -> Flow[Seen | None]:
    """Look for the last event in one history. The fills were asked already, so a missing history hides no execution."""
    since = None if order.created is None else to_millis(order.created - SKEW)
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
        except (ProtocolError, VenueError):
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


def _events(order: Order, element: wire.HistoryElement) -> Iterator[Seen]:
    for kind, payload in element.event.items():
        raw = _order_in(payload)
        if raw is None or not is_of(order, _text(raw.get("uid")), _text(raw.get("clientId"))):
            continue
        options = raw.get("triggerOptions")
        yield Seen(
            status=_EVENTS.get(kind.lower()),
            trail=trail(options.get("trailingStopOptions")) if isinstance(options, dict) else None,
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


def trail(options: Any) -> Offset | None:
    """Read ``{"maxDeviation": 1.5, "unit": "PERCENT"}``; whatever else it is says nothing."""
    if not isinstance(options, dict) or options.get("maxDeviation") is None:
        return None
    unit = words.unit(str(options.get("unit")))
    if not isinstance(unit, Unit):
        return None
    return Offset(number(options["maxDeviation"], "maxDeviation"), percent=unit is Unit.PERCENT)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
