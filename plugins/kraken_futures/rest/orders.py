"""Place and cancel orders that the framework keeps a record of, and list what is open.

Orders go out as ``operations.orders`` would send them. ``result: "success"`` means that the request was read; whether
the order was taken stands in ``sendStatus.status``, and what it did at once in the events beside it.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange_core.connector.rest import Flow
from exchange_core.errors import OrderNotFound, OutcomeUnknown, ProtocolError
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import EXACT, plain
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.time import from_rfc3339
from kraken_futures.numbers import number, optional
from kraken_futures.parse import feed as parse
from kraken_futures.parse import terms as parse_terms
from kraken_futures.parse.terms import Shown
from kraken_futures.terms import futures_order
from kraken_futures.wire import common as wire

if TYPE_CHECKING:
    from kraken_futures.rest.trading import OrderCalls
    from kraken_futures.types.trading import Sent


def place(calls: OrderCalls, request: OrderRequest, venue: str) -> Flow[Order]:
    """Send an order.

    Raises:
        NotSupported: Before anything is sent, for what the venue does not have.
        OrderRefused: It did not happen.
        OutcomeUnknown: The answer contradicts itself.
    """
    return placed(request, (yield from calls.send(futures_order(request, venue))), venue)


def placed(request: OrderRequest, sent: Sent, venue: str) -> Order:
    """Return the order that was sent, with what of it was executed at once."""
    return Order(
        request=request,
        venue=venue,
        status=sent.status,
        venue_order_id=sent.order_id,
        client_order_id=request.client_order_id,
        filled=sent.filled,
        average_price=sent.average_price,
        # "placed" is no reason for an end: what an order that takes could not get is simply dropped.
        reason=sent.word if sent.status is OrderStatus.CANCELED and sent.word != "placed" else None,
        created=sent.received,
        updated=sent.received,
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
    """Read one of ``openorders``, triggers among them; None for one without a size.

    Where the list does not tell all terms, what the order comes nearest to stands for it, and the venue's own words
    are the reason: hiding an order would be worse.
    """
    filled = number(raw.filled_size, "filledSize")
    if raw.unfilled_size is None:
        raise ProtocolError(f"open order {raw.order_id}: unfilledSize is missing; it is open, and its size is not told")
    quantity = EXACT.add(filled, number(raw.unfilled_size, "unfilledSize"))
    if quantity <= 0:
        return None
    # 0 is none, for both.
    trigger = optional(raw.stop_price, "stopPrice") or None
    shown = Shown(
        symbol=instrument.symbol,
        side=parse.side(raw.side),
        quantity=quantity,
        kind=raw.order_type,
        price=optional(raw.limit_price, "limitPrice") or None,
        trigger=trigger,
        signal=raw.trigger_signal,
        reduce_only=raw.reduce_only,
        client_order_id=raw.cli_ord_id,
    )
    request, is_whole = parse_terms.nearest(shown)
    at = f" at {plain(trigger)} ({raw.trigger_signal or 'signal not told'})" if trigger is not None else ""
    return Order(
        request=request,
        venue=venue,
        status=OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN,
        venue_order_id=raw.order_id,
        client_order_id=raw.cli_ord_id,
        filled=filled,
        reason=None if is_whole else f"{raw.order_type}{at}",
        created=from_rfc3339(raw.received_time) if raw.received_time else None,
        updated=from_rfc3339(raw.last_update_time) if raw.last_update_time else None,
    )
