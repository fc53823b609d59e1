"""Calls that place, change and cancel orders, each as a form and, where a frame can say it, as that too.

See https://docs.kraken.com/api-reference/trading/ and https://docs.kraken.com/api/docs/websocket-v2/add_order
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from exchange_core.connector.limits import Cost
from exchange_core.connector.rest import RestCall, SocketCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue
from exchange_core.model.order import Order
from kraken_spot import limits
from kraken_spot.naming import account_pair
from kraken_spot.orders import frames as order_frames
from kraken_spot.orders import params as params_of
from kraken_spot.orders.changes import amend_params, check_form, edit_params
from kraken_spot.orders.terms import Amendment, Edit, SpotOrder
from kraken_spot.rest.calls import Written, change, refuse
from kraken_spot.tokenized import TOKENIZED, told
from kraken_spot.wire import trading as wire

SMALLEST_BATCH, LARGEST_BATCH, MOST_CANCELS = 2, 15, 50
LONGEST_SWITCH = 86_400

_ON_ITS_WAY = timedelta(milliseconds=250)


def add(context: VenueContext, order: SpotOrder, *, validate: bool = False) -> RestCall:
    """Return AddOrder.

    Raises:
        NotSupported, OrderRefused: For terms that do not go together or do not fit.
    """
    order = told(context, order)
    if not validate:
        check_named(context, order)
    params_of.check(context, order)
    pair = context.symbols.venue_id(order.symbol)
    until = params_of.deadline(context, order.deadline)
    deadline = params_of.written(until)

    def form() -> dict[str, Any]:
        return {
            "pair": pair,
            **params_of.form_fields(order),
            **params_of.form_close(order.close),
            "deadline": deadline,
            # Left out rather than false: how the venue reads a false in a form is not settled.
            "validate": True if validate else None,
            "asset_class": TOKENIZED if order.tokenized else None,
            "broker": order.broker,
        }

    costs = limits.adding(pair)
    # Open point: what a frame is answered that only validates.
    framed = not validate and context.config.order_entry != "rest"
    frame = order_frames.add_order(context, order, deadline) if framed else None
    socket = _socket("add_order", frame, costs)
    return change("AddOrder", wire.Added, Written(form), costs=costs, socket=socket, leave_by=_leave_by(until))


def add_batch(
    context: VenueContext, orders: Sequence[SpotOrder], deadline: datetime | None, *, validate: bool = False
) -> RestCall:
    """Return AddOrderBatch.

    Raises:
        NotSupported, OrderRefused, InvalidValue: For orders that cannot go together.
    """
    orders = [told(context, order) for order in orders]
    first = _check_batch(context, orders, validate)
    pair = context.symbols.venue_id(first.symbol)
    until = params_of.deadline(context, deadline)
    text = params_of.written(until)
    params = {
        "pair": pair,
        "orders": [_json(context, order) for order in orders],
        "deadline": text,
        "validate": True if validate else None,
        "asset_class": TOKENIZED if first.tokenized else None,
        "broker": first.broker,
    }
    costs = limits.adding_many(pair, len(orders))
    frame = None if validate else order_frames.batch_add(context, orders, text)
    socket = _socket("batch_add", frame, costs)
    all_costs, leave_by = costs + limits.change(context.config), _leave_by(until)
    return change("AddOrderBatch", wire.Batch, params, costs=all_costs, json=True, socket=socket, leave_by=leave_by)


def amend(context: VenueContext, amendment: Amendment) -> RestCall:
    """Return AmendOrder."""
    amendment = told(context, amendment)
    pair = context.symbols.venue_id(amendment.symbol)
    until = params_of.deadline(context, amendment.deadline)
    params = amend_params(context, amendment, params_of.written(until))
    costs = limits.amending(pair, _age(context, amendment.touched))
    frame = order_frames.amend_order(context, amendment, params["deadline"])
    socket = _socket("amend_order", frame, costs)
    all_costs, leave_by = costs + limits.change(context.config), _leave_by(until)
    return change("AmendOrder", wire.Amended, params, costs=all_costs, socket=socket, leave_by=leave_by)


def edit(context: VenueContext, terms: Edit, *, validate: bool = False) -> RestCall:
    """Return EditOrder."""
    terms = told(context, terms)
    until = params_of.deadline(context, terms.deadline)
    deadline = params_of.written(until)
    params = edit_params(context, terms, deadline) | {"validate": True if validate else None}
    costs = limits.editing(params["pair"], _age(context, terms.touched))
    frame = None if validate else order_frames.edit_order(context, terms, deadline)
    socket = _socket("edit_order", frame, costs)
    all_costs, leave_by = costs + limits.change(context.config), _leave_by(until)

    def form() -> dict[str, Any]:
        check_form(context, terms)
        return params

    if socket is None:
        form()
    return change("EditOrder", wire.Edited, Written(form), costs=all_costs, socket=socket, leave_by=leave_by)


def cancel(context: VenueContext, order: Order, txid: str | None, client_id: str | None) -> RestCall:
    """Return CancelOrder for one order, by one of its ids."""
    check_txids(context, [txid] if txid is not None else [])
    now = context.now() if context.now is not None else None
    costs = limits.cancelling(account_pair(context.symbols, order.symbol), order, now)
    name, value = ("txid", txid) if txid is not None else ("cl_ord_id", client_id)
    frame = {"order_id" if txid is not None else "cl_ord_id": [value]}
    socket = _socket("cancel_order", frame, costs)
    return change("CancelOrder", wire.Canceled, {name: value}, costs=costs, socket=socket)


def cancel_batch(
    context: VenueContext,
    txids: Sequence[str],
    client_order_ids: Sequence[str],
    userrefs: Sequence[int],
    engine: tuple[Cost, ...],
) -> RestCall:
    """Return CancelOrderBatch.

    Args:
        engine: What it takes from the matching engine's counters.
    """
    count = len(txids) + len(client_order_ids) + len(userrefs)
    if not 1 <= count <= MOST_CANCELS:
        raise refuse(context.venue, "ids", f"{count} of them; a batch takes 1 to {MOST_CANCELS}")
    check_txids(context, txids)
    params = {"orders": [*txids, *userrefs] or None, "cl_ord_ids": [*client_order_ids] or None}
    costs = engine + limits.change(context.config, urgent=True)
    frame: dict[str, Any] = {}
    if txids or userrefs:
        frame["orders"] = [*txids, *map(str, userrefs)]
    if client_order_ids:
        frame["cl_ord_id"] = [*client_order_ids]
    # A frame takes at least two; whether ids of both kinds count together is not told.
    fits = len(txids) + len(userrefs) >= SMALLEST_BATCH or (not frame.get("orders") and count >= SMALLEST_BATCH)
    socket = _socket("batch_cancel", frame if fits else None, engine)
    return change("CancelOrderBatch", wire.Canceled, params, costs=costs, json=True, socket=socket)


def cancel_all() -> RestCall:
    """Return CancelAll."""
    socket = _socket("cancel_all", {}, ())
    return change("CancelAll", wire.Canceled, costs=limits.private(urgent=True), socket=socket)


def cancel_all_after(context: VenueContext, timeout: timedelta) -> RestCall:
    """Return CancelAllOrdersAfter."""
    seconds, rest = divmod(timeout, timedelta(seconds=1))
    if rest or not 0 <= seconds < LONGEST_SWITCH:
        raise refuse(context.venue, "timeout", f"{timeout} is not 0 to {LONGEST_SWITCH - 1} whole seconds")
    params = {"timeout": seconds}
    socket, costs = _socket("cancel_all_orders_after", params, ()), limits.private(urgent=True)
    return change("CancelAllOrdersAfter", wire.CancelAllAfter, params, costs=costs, socket=socket)


def check_named(context: VenueContext, order: SpotOrder) -> None:
    """Refuse an order that could not be found if its answer does not come."""
    if order.client_order_id is None and order.userref is None:
        why = "missing; without it or a userref the order could not be found if its answer does not come"
        raise refuse(context.venue, "client_order_id", why)


def check_txids(context: VenueContext, txids: Sequence[str]) -> None:
    """Refuse a number: it would be read as a userref, which may stand on many orders."""
    for txid in txids:
        if txid.lstrip("-").isdigit():
            raise InvalidValue(f"{context.venue}: {txid!r} is no order id of Kraken's; nothing was cancelled")


def _check_batch(context: VenueContext, orders: Sequence[SpotOrder], validate: bool) -> SpotOrder:
    venue = context.venue
    if not SMALLEST_BATCH <= len(orders) <= LARGEST_BATCH:
        raise refuse(venue, "orders", f"{len(orders)} of them; a batch takes {SMALLEST_BATCH} to {LARGEST_BATCH}")
    first = orders[0]
    for name in ("symbol", "tokenized", "broker"):
        if any(getattr(order, name) != getattr(first, name) for order in orders):
            raise refuse(venue, name, "must be the same for all orders of a batch")
    if any(order.deadline is not None for order in orders):
        raise refuse(venue, "deadline", "is one for the whole batch; give it beside the orders")
    for order in () if validate else orders:
        check_named(context, order)
    ids = [order.client_order_id for order in orders if order.client_order_id is not None]
    if len(set(ids)) < len(ids):
        raise InvalidValue(f"{venue}: client_order_id: the same one stands on two orders of the batch")
    return first


def _json(context: VenueContext, order: SpotOrder) -> dict[str, Any]:
    # Open point: the page lists the trailing types and does not say where their prices go; as in AddOrder, then.
    params_of.check(context, order)
    fields = {**params_of.form_fields(order), "close": params_of.json_close(order.close) or None}
    return {name: value for name, value in fields.items() if value is not None}


def _socket(method: str, params: dict[str, Any] | None, costs: tuple[Cost, ...]) -> SocketCall | None:
    if params is None:
        return None
    return SocketCall(feed=order_frames.FEED, method=method, params=params, costs=costs)


def _leave_by(deadline: datetime | None) -> datetime | None:
    """Return until when a request may wait here: one that comes later has a deadline that is too near for the venue."""
    return None if deadline is None else deadline - params_of.SOONEST - _ON_ITS_WAY


def _age(context: VenueContext, since: datetime | None) -> timedelta | None:
    now = context.now() if context.now is not None else None
    return None if now is None or since is None else now - since
