"""Amend orders, place and cancel several, cancel all later: for orders that the framework keeps a record of.

See https://docs.kraken.com/api/docs/futures-api/trading/edit-order-spring and send-batch-order
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import BadRequest, ExchangeError, InvalidValue, OrderNotFound, OrderRefused, OutcomeUnknown
from exchange_core.model.amendment import Amendment
from exchange_core.model.number import EXACT, total
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType
from kraken_futures import contracts
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.rest import orders as rest_orders
from kraken_futures.rest.calls import refuse
from kraken_futures.terms import futures_order, unit

if TYPE_CHECKING:
    from kraken_futures.rest.trading import OrderCalls
    from kraken_futures.types.trading import BatchResult, Edited, KnownOrder, OrderEvent

# Open point: of how many items a batch may be. One client in use sends ten orders or fifty cancels, another a hundred.
MOST_PLACED, MOST_CANCELLED = 10, 50


def amend(calls: OrderCalls, context: VenueContext, order: Order, amendment: Amendment) -> Flow[Order]:
    """Change a resting order, or one that waits for its trigger, in place; it keeps its ids.

    The quantity goes out as that of the whole order (``qtyMode`` is ABSOLUTE): by the venue's own default it would be
    what shall remain open, and an execution on the way would make the order larger than was meant.

    Raises:
        NotSupported: Before anything is sent, for what an edit cannot change.
        OrderRefused: Nothing changed.
        OrderNotFound: It is not open, or was taken out by an edit that was refused.
        OutcomeUnknown: The answer contradicts itself.
    """
    after = amendment.applied_to(order.request)
    edit = _edit(context, order, after, amendment)
    if order.request.type.is_triggered:
        fired = yield from _fired(calls, order)
        if fired is not None:
            edit = _edit_of_limit(order, amendment, fired)
    try:
        done = yield from calls.edit(edit)
    except OrderNotFound:
        raise
    except OrderRefused as refused:
        # Only what the venue answered may have done something: not our own checks, nor what it could not read.
        if refused.codes and not isinstance(refused.__cause__, BadRequest):
            yield from _require_standing(calls, context, order, refused)
        raise
    return _amended(order, after, done)


def _edit(context: VenueContext, order: Order, after: OrderRequest, amendment: Amendment) -> OrderEdit:
    venue = context.venue
    if amendment.display_quantity is not None:
        raise refuse(venue, "display_quantity", "there are no icebergs here; the whole order is shown")
    if amendment.limit_offset is not None:
        raise refuse(venue, "limit_offset", "an edit has no word for it; cancel the order and place another")
    if amendment.post_only and not order.request.post_only:
        raise refuse(venue, "post_only", "an edit cannot make it so; only an order that was placed so stays so")
    if after.type.is_trailing and amendment.price is not None:
        raise refuse(venue, "price", "the limit of a trailing stop follows the market and cannot be edited")
    # An edit of a stop has to say its trigger, and with that its limit, whatever of it changes.
    is_stop = after.type.is_triggered and not after.type.is_trailing
    trail = amendment.trail
    return OrderEdit(
        order_id=order.venue_order_id,
        client_order_id=order.client_order_id if order.venue_order_id is None else None,
        quantity=amendment.quantity,
        limit_price=_stop_limit(after, context) if is_stop else amendment.price,
        stop_price=after.trigger_price if is_stop else None,
        # Not said again where it stays: that alone would move the trigger to the market.
        trailing_deviation=None if trail is None else trail.amount,
        trailing_unit=None if trail is None else unit(percent=trail.percent),
        symbol=order.symbol,
        deadline=amendment.deadline,
    )


def _fired(calls: OrderCalls, order: Order) -> Flow[KnownOrder | None]:
    """Return what a trigger has become, where that is known: it may have another id, and is no stop any more."""
    theirs, ours = order.venue_order_id, order.client_order_id
    try:
        found = yield from calls.status(filter(None, [theirs]), filter(None, [ours]))
    except ExchangeError:
        return None
    live = [known for known in found if not known.is_trigger and known.status is OrderStatus.OPEN]
    return next(
        (known for known in live if known.order.order_id == theirs or known.order.client_order_id == ours), None
    )


def _edit_of_limit(order: Order, amendment: Amendment, fired: KnownOrder) -> OrderEdit:
    """Return the edit of a limit order that was a trigger."""
    if amendment.trigger_price is not None or amendment.trail is not None:
        raise OrderRefused(f"{order.symbol}: order {order.venue_order_id} has fired; only price and quantity are left")
    theirs = fired.order.order_id or order.venue_order_id
    return OrderEdit(
        order_id=theirs,
        client_order_id=order.client_order_id if theirs is None else None,
        quantity=amendment.quantity,
        limit_price=amendment.price,
        symbol=order.symbol,
        deadline=amendment.deadline,
    )


def _stop_limit(after: OrderRequest, context: VenueContext) -> Decimal | None:
    """Return the limit of a stop as a price; one that is counted in percent as the nearest that there is.

    Open point: whether an edit without it leaves a limit that was given as an offset; said, it is never lost.
    """
    offset, trigger = after.limit_offset, after.trigger_price
    if offset is None or trigger is None:
        return after.price
    with localcontext(EXACT):
        if offset.percent:
            return context.symbols.instrument(after.symbol).round_price(trigger + trigger * offset.amount / 100)
        return trigger + offset.amount


def _require_standing(calls: OrderCalls, context: VenueContext, order: Order, refused: OrderRefused) -> Flow[None]:
    """Look whether the order outlived an edit that was refused.

    Open point: whether it always does; where the venue still shows its end, that is told as OrderNotFound, so that the
    order is asked for.
    """
    by_theirs = order.venue_order_id is not None
    ids = {"order_ids": [order.venue_order_id]} if by_theirs else {"client_order_ids": [order.client_order_id]}
    try:
        found = yield from calls.status(**ids)  # type: ignore[arg-type]
    except ExchangeError:
        return  # what was refused is known; the rest the private feed tells
    if any(known.status is not None and known.status.is_final for known in found):
        raise OrderNotFound(
            f"{context.venue}: order {order.venue_order_id}: the edit was refused, and the order is over ({refused})",
            venue=context.venue,
            codes=refused.codes,
        ) from refused


def _amended(order: Order, after: OrderRequest, done: Edited) -> Order:
    """Return the order with its new terms, and with what the edit executed at once."""
    change = done.before
    known = (change.filled if change is not None else None) or Decimal(0)
    before = max(order.filled, known)
    filled = total([before, done.executed])
    quantity = _whole(after.require_quantity(), done)
    request = attrs.evolve(after, quantity=quantity)
    status = order.status
    if filled >= quantity:
        status = OrderStatus.FILLED
    elif any(event.kind == "CANCEL" for event in done.events):
        status = OrderStatus.CANCELED
    elif filled and not status.is_final:
        status = OrderStatus.PARTIALLY_FILLED
    return attrs.evolve(
        order,
        request=request,
        status=status,
        filled=filled,
        average_price=_average(order, before, done) if filled else None,
        updated=done.received or order.updated,
    )


def _average(order: Order, before: Decimal, done: Edited) -> Decimal | None:
    """Return what is known of the mean price; None where executions came before that we have not heard of."""
    if before != order.filled or (before and order.average_price is None):
        return None
    parts = [] if order.average_price is None else [(before, order.average_price)]
    parts += [(event.quantity, event.price) for event in _executions(done) if event.quantity and event.price]
    return contracts.average_price(order.symbol.is_inverse, parts)


def _executions(done: Edited) -> list[OrderEvent]:
    found = {event.execution_id or str(number): event for number, event in enumerate(done.events)}
    return [event for event in found.values() if event.kind == "EXECUTION"]


def _whole(asked: Decimal, done: Edited) -> Decimal:
    """Return the quantity of the whole order; less than was asked for where reduce-only made it smaller.

    Open point: whether the quantity of an event is of the whole order or of what remains; where both are the same, or
    one of them is what was asked for less the reduction, that is taken.
    """
    if not done.reduced or done.after is None or done.after.quantity is None:
        return asked
    shown, filled = done.after.quantity, done.after.filled or Decimal(0)
    reduced = EXACT.subtract(asked, done.reduced)
    if reduced in (shown, EXACT.add(shown, filled)):
        return reduced
    return shown if not filled and 0 < shown <= asked else asked


def goes_in_batch(request: OrderRequest) -> bool:
    """Return whether a batch has words for all of *request*.

    Open point: by its page a stop of a batch needs a limit; without one it goes by itself.
    """
    is_stop = request.type in (OrderType.STOP, OrderType.TAKE_PROFIT)
    return request.limit_offset is None and not is_stop


def place_batch(
    calls: OrderCalls, context: VenueContext, requests: Sequence[OrderRequest]
) -> Flow[list[Order | ExchangeError]]:
    """Send orders in one call; the earliest of their deadlines is that of the call.

    What a batch has no word for is refused without being sent, and does not keep the others from it.
    """
    from kraken_futures.rest.batch import batch_item

    deadlines = [request.deadline for request in requests if request.deadline is not None]
    orders: dict[int, FuturesOrder] = {}
    outcomes: dict[int, Order | ExchangeError] = {}
    for place, request in enumerate(requests):
        try:
            order = futures_order(attrs.evolve(request, deadline=None), context.venue)
            batch_item(order, "", context)
            orders[place] = order
        except ExchangeError as error:
            outcomes[place] = error
    if orders:
        results = yield from calls.batch(list(orders.values()), min(deadlines, default=None))
        for place, result in zip(orders, results, strict=True):
            outcomes[place] = _outcome(requests[place], result, context.venue)
    return [outcomes[place] for place in range(len(requests))]


def _outcome(request: OrderRequest, result: BatchResult, venue: str) -> Order | ExchangeError:
    from kraken_futures.types.trading import Sent

    if isinstance(result.result, Sent):
        return rest_orders.placed(request, result.result, venue)
    return result.error or OutcomeUnknown(f"{venue}: batchorder: no outcome for {request.client_order_id}", venue=venue)


def cancel_batch(calls: OrderCalls, context: VenueContext, orders: Sequence[Order]) -> Flow[None]:
    """Cancel orders in one call. One that was done already is no error."""
    cancels: dict[str, OrderCancel] = {}
    for order in orders:
        theirs, ours = order.venue_order_id, order.client_order_id
        if theirs is None and ours is None:
            raise InvalidValue(f"{context.venue}: one of the orders has neither the venue's id nor ours; none was sent")
        cancel = OrderCancel(order_id=theirs, client_order_id=ours if theirs is None else None)
        cancels[cancel.label] = cancel
    results = yield from calls.batch(list(cancels.values()))
    for result in results:
        if result.error is not None and not isinstance(result.error, OrderNotFound):
            raise result.error


def cancel_all_after(calls: OrderCalls, seconds: int) -> Flow[datetime | None]:
    """Let the venue cancel every order of the account after *seconds*; see ``orders.cancel_all_after``."""
    switch = yield from calls.cancel_all_after(seconds)
    return switch.fires_at
