"""Kraken Futures' own order calls, reached as ``operations.orders``.

They are sent as they are asked: nobody remembers them here, makes an id, or looks for them when no answer comes; an
unknown outcome is raised as such. ``Venue.place`` does all that, for orders of every type.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order and the pages beside it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import BadRequest, InvalidValue, OrderRefused, ProtocolError
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_futures import naming
from kraken_futures.numbers import number, optional
from kraken_futures.orders.fields import as_text, check, check_edit, deadline_text, edit_fields, order_fields
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.pages import Rows
from kraken_futures.parse import trading as parse_trading
from kraken_futures.parse import words
from kraken_futures.parse.rows import aware, made, rows
from kraken_futures.rest.batch import batch
from kraken_futures.rest.calls import change, orders_status, private
from kraken_futures.rest.lookup import STATUS_WORDS
from kraken_futures.types.trading import (
    BatchResult,
    Canceled,
    CanceledAll,
    DeadMansSwitch,
    Edited,
    KnownOrder,
    OpenOrder,
    OrderState,
    Sent,
)
from kraken_futures.wire import trading as wire

_LONGEST_SWITCH = 2**32 - 1


@attrs.frozen
class OrderCalls:
    """Calls about orders, with all parameters that the venue has."""

    _context: VenueContext

    def send(self, order: FuturesOrder) -> Flow[Sent]:
        """Send an order of any type.

        Raises:
            OrderRefused: It did not happen.
            OutcomeUnknown: It may have happened; ask by its client id before anything else.
        """
        context = self._context
        instrument = context.symbols.instrument(order.symbol)
        check(order, instrument)
        params = as_text(order_fields(order, instrument.venue_id))
        params["processBefore"] = deadline_text(order.deadline)
        try:
            reply: wire.SendOrder = yield change("sendorder", wire.SendOrder, params, deadline=order.deadline)
        except BadRequest as problem:
            raise _refused(problem) from problem
        return parse_trading.sent(order, reply.send_status, context)

    def edit(self, edit: OrderEdit) -> Flow[Edited]:
        """Change an open order.

        Raises:
            OrderRefused: It did not happen.
            OrderNotFound: No such order is open.
            OutcomeUnknown: It may have happened.
        """
        context = self._context
        if edit.symbol is not None:
            check_edit(edit, context.symbols.instrument(edit.symbol))
        # Spelled otherwise than in all other calls.
        params = {"orderId": edit.order_id, "cliOrdId": edit.client_order_id, **as_text(edit_fields(edit))}
        params["processBefore"] = deadline_text(edit.deadline)
        try:
            reply: wire.EditOrder = yield change("editorder", wire.EditOrder, params, deadline=edit.deadline)
        except BadRequest as problem:
            raise _refused(problem) from problem
        return parse_trading.edited(edit, reply.edit_status, context, "editorder")

    def cancel(self, cancel: OrderCancel) -> Flow[Canceled]:
        """Cancel one order.

        Raises:
            OrderNotFound: Nothing to cancel: it may be finished.
            OutcomeUnknown: It may have been canceled.
        """
        params = {
            "order_id": cancel.order_id,
            "cliOrdId": cancel.client_order_id,
            "processBefore": deadline_text(cancel.deadline),
        }
        reply: wire.CancelOrder = yield change(
            "cancelorder", wire.CancelOrder, params, urgent=True, deadline=cancel.deadline
        )
        return parse_trading.canceled(cancel, reply.cancel_status, self._context, "cancelorder")

    def cancel_all(self, symbol: Symbol | str) -> Flow[CanceledAll]:
        """Cancel all orders of one contract, and never of another."""
        ours = Symbol.of(symbol)
        return (yield from self._cancel(ours, naming.venue_id(self._context.symbols, ours)))

    def cancel_everything(self) -> Flow[CanceledAll]:
        """Cancel all orders of the account."""
        return (yield from self._cancel(None, None))

    def cancel_all_after(self, seconds: int) -> Flow[DeadMansSwitch]:
        """Let the venue cancel all orders unless this is called again within *seconds*; 0 stops it.

        A minute, renewed every 15 to 20 seconds, is what the venue suggests. It closes no positions.
        """
        if type(seconds) is not int or not 0 <= seconds <= _LONGEST_SWITCH:
            raise InvalidValue(f"cancel_all_after: {seconds!r}; expected whole seconds, 0 to stop it")
        reply: wire.Switch = yield change("cancelallordersafter", wire.Switch, {"timeout": seconds}, urgent=True)
        text = str(reply.status.trigger_time)
        fires_at = None if text == "0" else from_rfc3339(text)
        if (fires_at is None) != (seconds == 0):
            raise ProtocolError(
                f"{self._context.venue}: cancelallordersafter {seconds}: it says that it fires at {text}"
            )
        return DeadMansSwitch(now=aware(reply.status.current_time), fires_at=fires_at)

    def batch(
        self, items: Sequence[FuturesOrder | OrderEdit | OrderCancel], deadline: datetime | None = None
    ) -> Flow[tuple[BatchResult, ...]]:
        """Send orders, edits and cancels in one call; each has its own result. The venue keeps to no order among them.

        Raises:
            OutcomeUnknown: No answer came: any of them may have happened.
        """
        return (yield from batch(items, deadline, self._context))

    def status(self, order_ids: Iterable[str] = (), client_order_ids: Iterable[str] = ()) -> Flow[Rows[KnownOrder]]:
        """Tell of orders that are open, or ended within the last five seconds. Others are left out."""
        params: dict[str, list[str]] = {"orderIds": [*order_ids], "cliOrdIds": [*client_order_ids]}
        if not any(params.values()):
            raise InvalidValue("status: no order is named; give order_ids or client_order_ids")
        reply: wire.OrdersStatus = yield orders_status(params, wire.OrdersStatus)
        return rows(reply.orders, wire.StatusEntry, self._known, f"{self._context.venue}: orders/status")

    def open(self) -> Flow[Rows[OpenOrder]]:
        """List open orders, triggers with their particulars included."""
        reply: wire.OpenOrders = yield private("openorders", wire.OpenOrders)
        return rows(reply.open_orders, wire.OpenOrder, self._open, f"{self._context.venue}: openorders")

    def _cancel(self, symbol: Symbol | None, venue_id: str | None) -> Flow[CanceledAll]:
        reply: wire.CancelAll = yield change("cancelallorders", wire.CancelAll, {"symbol": venue_id}, urgent=True)
        return parse_trading.canceled_all(symbol, venue_id, reply.cancel_status, self._context)

    def _known(self, entry: wire.StatusEntry) -> KnownOrder:
        raw, trigger = entry.order, entry.order.price_trigger_options
        trail = trigger.trailing_stop_options if trigger is not None else None
        order = made(
            OrderState,
            raw,
            client_order_id=raw.cli_ord_id,
            type=None,  # "ORDER" or "TRIGGER_ORDER" is no order type
            symbol=None if raw.symbol is None else naming.told(self._context.symbols, raw.symbol),
            side=words.side(raw.side),
            stop_price=None if trigger is None else optional(trigger.trigger_price, "triggerPrice"),
            trigger_side=None if trigger is None else words.trigger_side(trigger.trigger_side),
            trigger_signal=None if trigger is None else words.signal(trigger.trigger_signal),
            created=raw.timestamp,
            updated=raw.last_update_timestamp,
            started=None,
        )
        return KnownOrder(
            order=order,
            is_trigger=raw.type == "TRIGGER_ORDER",
            word=entry.status,
            status=STATUS_WORDS.get(entry.status),
            reason=entry.update_reason,
            error=entry.error,
            trailing_deviation=None if trail is None else optional(trail.max_deviation, "maxDeviation"),
            trailing_unit=None if trail is None else words.unit(trail.unit),
            triggered=raw.trigger_time,
        )

    def _open(self, raw: wire.OpenOrder) -> OpenOrder:
        return made(
            OpenOrder,
            raw,
            client_order_id=raw.cli_ord_id,
            symbol=naming.told(self._context.symbols, raw.symbol),
            side=words.side(raw.side),
            type=words.kind(raw.order_type),
            trigger_signal=words.signal(raw.trigger_signal),
            unfilled=optional(raw.unfilled_size, "unfilledSize") or Decimal(0),
            filled=number(raw.filled_size, "filledSize"),
            word=raw.status,
            received=raw.received_time,
            updated=raw.last_update_time,
        )


def _refused(problem: BadRequest) -> OrderRefused:
    return OrderRefused(str(problem), venue=problem.venue, codes=problem.codes)
