"""What answers about orders mean, in this plugin's own types.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order and the pages beside it
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import OrderNotFound, OutcomeUnknown, ProtocolError
from exchange_core.model.number import total
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_futures import naming
from kraken_futures.numbers import optional
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.parse import words
from kraken_futures.parse.outcomes import EDIT_REFUSALS, REFUSALS, TAKEN, Question, executions, judge, refusal
from kraken_futures.parse.rows import made, readable, word
from kraken_futures.types.trading import (
    Canceled,
    CanceledAll,
    CanceledOrder,
    Edited,
    EventKind,
    OrderEvent,
    OrderState,
    Sent,
)
from kraken_futures.wire import common as wire
from kraken_futures.wire import trading as full

Events = list[msgspec.Raw] | None


def order_state(raw: full.EventOrder, context: VenueContext) -> OrderState:
    """Read an order or a trigger."""
    return made(
        OrderState,
        raw,
        order_id=raw.order_id or raw.uid,
        client_order_id=raw.cli_ord_id or raw.client_id,
        type=words.kind(raw.type),
        symbol=None if raw.symbol is None else naming.told(context.symbols, raw.symbol),
        side=words.side(raw.side),
        stop_price=optional(raw.trigger_price if raw.stop_price is None else raw.stop_price, "stopPrice"),
        trigger_side=words.trigger_side(raw.trigger_side),
        trigger_signal=words.signal(raw.trigger_signal),
        created=raw.timestamp,
        updated=raw.last_update_timestamp,
        started=raw.start_time,
    )


def order_events(raws: Events, context: VenueContext) -> tuple[OrderEvent, ...]:
    """Read what happened; an event that reads oddly is left to the log."""

    def build(raw: full.Event) -> OrderEvent:
        order = raw.order or raw.order_trigger or raw.order_prior_execution or raw.new
        before = raw.order_prior_edit or raw.old
        return made(
            OrderEvent,
            raw,
            kind=word(EventKind, raw.type),
            order=None if order is None else order_state(order, context),
            before=None if before is None else order_state(before, context),
            is_trigger=raw.order_trigger is not None,
            order_id=raw.uid or (None if order is None else order.order_id or order.uid),
            quantity=optional(raw.amount, "amount"),
            reduced=optional(
                raw.taker_reduced_quantity if raw.reduced_quantity is None else raw.reduced_quantity, "reducedQuantity"
            ),
        )

    found, _ = readable(raws or [], full.Event, build, f"{context.venue}: order events")
    return tuple(found)


def sent(order: FuturesOrder, status: full.SendStatus, context: VenueContext, call: str = "sendorder") -> Sent:
    """Return what became of an order.

    Raises:
        OrderRefused: It did not happen.
        OutcomeUnknown: The answer contradicts itself.
    """
    asked = Question(
        symbol=order.symbol,
        quantity=order.quantity,
        rests=order.kind.rests,
        call=call,
        client_order_id=order.client_order_id,
    )
    seen = wire.SendStatus(
        status=status.status,
        order_id=status.order_id,
        received_time=status.received_time or status.date_time_received,
        order_events=_deciding(status.order_events, call, context.venue),
    )
    outcome = judge(asked, seen, context.venue)
    return made(
        Sent,
        status,
        asked=order,
        word=status.status,
        status=outcome.status,
        order_id=outcome.order_id,
        client_order_id=order.client_order_id,
        filled=outcome.filled,
        average_price=outcome.average_price,
        received=outcome.received,
        events=order_events(status.order_events, context),
    )


def edited(edit: OrderEdit, status: full.EditStatus | full.SendStatus, context: VenueContext, call: str) -> Edited:
    """Return what became of an edit.

    Raises:
        OrderRefused: It did not happen. Whether the order always stays as it was is not promised.
        OrderNotFound: No such order is open.
        OutcomeUnknown: The answer contradicts itself.
    """
    venue, said = context.venue, status.status
    deciding = _deciding(status.order_events, call, venue)
    happened = {event.type for event in deciding} - {"REJECT"}
    label = f"{call} {edit.label}"
    if said != "edited" and not (said in TAKEN and "EDIT" in happened):
        if happened or said in TAKEN or said == "cancelled":
            raise OutcomeUnknown(
                f"{venue}: {label}: the answer is {said!r} beside {sorted(happened)}; ask for the order",
                venue=venue,
                codes=[said],
            )
        raise refusal(said, f"{label}, ask for the order to see how it stands", venue, EDIT_REFUSALS)
    events = order_events(status.order_events, context)
    change = next((event for event in events if event.kind is EventKind.EDIT), None)
    executed = total(quantity for quantity, _ in _executed(deciding, status.order_id, call, venue))
    return Edited(
        asked=edit,
        word=said,
        order_id=status.order_id or edit.order_id,
        client_order_id=status.cli_ord_id or edit.client_order_id,
        before=None if change is None else change.before,
        after=None if change is None else change.order,
        executed=executed,
        reduced=None if change is None else change.reduced,
        received=_received(status),
        events=events,
    )


def canceled(cancel: OrderCancel, status: full.SendStatus, context: VenueContext, call: str) -> Canceled:
    """Return what became of a cancel.

    Raises:
        OrderNotFound: Nothing of that name is open any more; it may have been filled.
        OrderRefused: The venue did not take it.
        OutcomeUnknown: Its word is none that we know.
    """
    venue, said = context.venue, status.status
    events = order_events(status.order_events, context)
    ended = next((event for event in events if event.kind is EventKind.CANCEL), None)
    if said != "cancelled" and ended is None:
        label = f"{call} {cancel.label}"
        if said in ("filled", "notFound"):
            raise OrderNotFound(f"{venue}: {label}: nothing is open any more ({said})", venue=venue, codes=[said])
        if said in REFUSALS or said in EDIT_REFUSALS:
            raise refusal(said, label, venue, EDIT_REFUSALS)
        raise OutcomeUnknown(f"{venue}: {label}: the answer is {said!r}; ask for the order", venue=venue, codes=[said])
    order = None if ended is None else ended.order
    return Canceled(
        asked=cancel,
        word=said,
        order_id=status.order_id or cancel.order_id or (order.order_id if order is not None else None),
        client_order_id=status.cli_ord_id or cancel.client_order_id,
        order=order,
        received=_received(status),
        events=events,
    )


def canceled_all(
    scope: Symbol | None, venue_id: str | None, raw: full.CancelAllStatus, venue: VenueContext
) -> CanceledAll:
    """Return what a call for many orders canceled. The list counts, whatever the word beside it.

    Raises:
        OutcomeUnknown: The venue says another scope than it was asked, or a word that we do not know.
    """
    said, events = raw.status, order_events(raw.order_events, venue)
    ended = {event.order_id: event.order for event in events if event.kind is EventKind.CANCEL and event.order_id}
    orders = [
        CanceledOrder(order_id=row.order_id, client_order_id=row.cli_ord_id, order=ended.pop(row.order_id or "", None))
        for row in raw.cancelled_orders or []
    ]
    orders += [
        CanceledOrder(order_id=order_id, client_order_id=order.client_order_id if order else None, order=order)
        for order_id, order in ended.items()
    ]
    told = raw.cancel_only
    if told is not None and told.lower() != (venue_id or "all").lower():
        raise OutcomeUnknown(
            f"{venue.venue}: cancelallorders of {venue_id or 'all'} says that it canceled {told[:40]!r}, "
            f"{len(orders)} orders; ask for the open orders",
            venue=venue.venue,
        )
    if said not in ("cancelled", "noOrdersToCancel") and not orders:
        raise OutcomeUnknown(
            f"{venue.venue}: cancelallorders: the answer is {said!r}; ask for the open orders", codes=[said]
        )
    return CanceledAll(scope=scope, word=said, orders=tuple(orders), received=_received(raw), events=events)


def _deciding(raws: Events, call: str, venue: str) -> list[wire.OrderEvent]:
    """Decode what decides an outcome. Here nothing may be left out."""
    try:
        return [msgspec.json.decode(raw, type=wire.OrderEvent) for raw in raws or []]
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise OutcomeUnknown(f"{venue}: {call}: the answer does not read as documented: {problem}") from problem


def _executed(
    events: Iterable[wire.OrderEvent], order_id: str | None, call: str, venue: str
) -> list[tuple[Decimal, Decimal]]:
    try:
        return executions(events, order_id)
    except ProtocolError as problem:
        raise OutcomeUnknown(f"{venue}: {call}: the answer does not read as documented: {problem}") from problem


def _received(status: full.SendStatus | full.EditStatus | full.CancelAllStatus) -> datetime | None:
    text = status.received_time
    if text is None and isinstance(status, full.SendStatus):
        text = status.date_time_received
    try:
        return None if text is None else from_rfc3339(text)
    except ProtocolError:
        return None  # it decides nothing, and what happened must still be told
