"""What to send for an order, and what the answers say became of it.

``result: "success"`` means that the request was read. Whether the order was taken stands in
``sendStatus.status``, and what it did at once in the events beside it; ``placed`` is also what a fully
executed order is answered.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from typing import Any

from exchange_core.errors import NotSupported, OrderNotFound, OutcomeUnknown
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import EXACT, plain
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType, TimeInForce
from exchange_core.model.time import from_rfc3339, to_rfc3339
from kraken_futures import parse, wire
from kraken_futures.numbers import number, optional
from kraken_futures.outcomes import Question, judge


def send_params(request: OrderRequest, venue_id: str, venue: str) -> dict[str, Any]:
    """Return the parameters of ``sendorder``. Time in force is part of the order type."""
    return {
        "orderType": _order_type(request, venue),
        "symbol": venue_id,
        "side": request.side.value,
        "size": plain(request.quantity),
        "limitPrice": None if request.price is None else plain(request.price),
        "cliOrdId": request.client_order_id,
        "reduceOnly": True if request.reduce_only else None,
        "processBefore": None if request.deadline is None else to_rfc3339(request.deadline, "microseconds"),
    }


def _order_type(request: OrderRequest, venue: str) -> str:
    if request.time_in_force is TimeInForce.FOK:
        if request.type is OrderType.MARKET:
            raise NotSupported(
                f"{venue}: a market order cannot be fill-or-kill here; give a limit price, or time in force ioc",
                venue=venue,
            )
        return "fok"
    if request.type is OrderType.MARKET:
        return "mkt"  # executes at once within 1 % of the price, the rest is dropped
    if request.time_in_force is TimeInForce.IOC:
        return "ioc"
    return "post" if request.post_only else "lmt"


def sent(request: OrderRequest, status: wire.SendStatus, venue: str) -> Order:
    """Return what became of an order that was sent.

    Raises:
        OrderRefused: It did not happen.
        OutcomeUnknown: The answer contradicts itself.
    """
    rests = request.type is OrderType.LIMIT and request.time_in_force is TimeInForce.GTC
    outcome = judge(Question(symbol=request.symbol, quantity=request.quantity, rests=rests), status, venue)
    return Order(
        request=request,
        venue=venue,
        status=outcome.status,
        venue_order_id=outcome.order_id,
        client_order_id=request.client_order_id,
        filled=outcome.filled,
        average_price=outcome.average_price,
        # "placed" is no reason for an end: what an order that takes could not get is simply dropped.
        reason=status.status if outcome.status is OrderStatus.CANCELED and status.status != "placed" else None,
        created=outcome.received,
        updated=outcome.received,
    )


def canceled(order: Order, status: wire.CancelStatus, venue: str) -> None:
    """Check that a cancel did its work.

    Raises:
        OrderNotFound: There was nothing left to cancel.
        OutcomeUnknown: The venue's word is none that we know.
    """
    word = status.status
    if word == "cancelled" or any(event.type == "CANCEL" for event in status.order_events or []):
        return
    what = f"{venue}: cancel {order.venue_order_id or order.client_order_id} of {order.symbol}"
    if word in ("filled", "notFound"):
        raise OrderNotFound(f"{what}: nothing is open any more ({word})", venue=venue, codes=[word])
    raise OutcomeUnknown(f"{what}: the answer is {word!r}; ask for the order before anything else", codes=[word])


def open_order(raw: wire.OpenOrder, instrument: Instrument, venue: str) -> Order | None:
    """Read one of ``openorders``; None for one without a size.

    Triggers (stops and the like) are shown as what they become, with what fires them as the reason: there is no other
    place for them, and hiding an order would be worse.
    """
    filled = number(raw.filled_size, "filledSize")
    quantity = EXACT.add(filled, optional(raw.unfilled_size, "unfilledSize") or 0)
    if quantity <= 0:
        return None
    price, trigger = optional(raw.limit_price, "limitPrice"), optional(raw.stop_price, "stopPrice")
    is_trigger = raw.order_type not in ("lmt", "post")
    request = OrderRequest(
        symbol=instrument.symbol,
        side=parse.side(raw.side),
        quantity=quantity,
        price=price or None,
        post_only=raw.order_type == "post" and bool(price),
        reduce_only=raw.reduce_only,
        client_order_id=raw.cli_ord_id,
    )
    at = f" at {plain(trigger)} ({raw.trigger_signal or 'signal not told'})" if trigger is not None else ""
    return Order(
        request=request,
        venue=venue,
        status=OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN,
        venue_order_id=raw.order_id,
        client_order_id=raw.cli_ord_id,
        filled=filled,
        reason=f"{raw.order_type}{at}" if is_trigger else None,
        created=from_rfc3339(raw.received_time) if raw.received_time else None,
        updated=from_rfc3339(raw.last_update_time) if raw.last_update_time else None,
    )
