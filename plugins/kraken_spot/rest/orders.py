"""Orders over REST: place, cancel, list, and find out what became of one.

An order that was accepted is not open yet, and its answer says nothing of fills; what follows comes from the private
feed or from asking.
See https://docs.kraken.com/api-reference/trading/ and https://docs.kraken.com/exchange/guides/general/clordid
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.partial import listed
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    ExchangeError,
    InvalidValue,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
)
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from kraken_spot import limits
from kraken_spot.dialect import read
from kraken_spot.orders import calls as order_calls
from kraken_spot.orders.client_ids import CLIENT_ID, is_same
from kraken_spot.parse import common as parse
from kraken_spot.rest.lists import Lists, pairs_of
from kraken_spot.rest.references import Learn, PlacedIds, by_userref, has_terms, is_earlier, pair_of, userref_of
from kraken_spot.terms import limit_price, spot_order
from kraken_spot.wire import common as wire
from kraken_spot.wire import trading as wire_trading


def place(context: VenueContext, placed: PlacedIds, request: OrderRequest) -> Flow[Order]:
    """Send an order.

    Raises:
        NotSupported: Before anything is sent, for what the venue does not have.
    """
    return _place(context, placed, request, order_calls.add(context, spot_order(request, context.venue)))


def _place(context: VenueContext, placed: PlacedIds, request: OrderRequest, call: RestCall) -> Flow[Order]:
    reply: wire_trading.Added = yield call
    if not reply.txid:
        raise OutcomeUnknown(f"{context.venue}: AddOrder: accepted without an order id", venue=context.venue)
    placed.note(reply.txid[0], request)
    return Order(
        request=request,
        venue=context.venue,
        status=OrderStatus.PENDING,
        venue_order_id=reply.txid[0],
        client_order_id=request.client_order_id,
    )


def cancel(context: VenueContext, placed: PlacedIds, order: Order, learn: Learn) -> Flow[None]:
    """Cancel one order by the venue's id, or by ours; one that has a userref instead is looked for first."""
    txid, client_id = _ids(context, order)
    if txid is None and userref_of(order.request) is not None:
        # A userref may stand on others too, which a cancel by it would end.
        found = yield from by_userref(context, placed, order, learn)
        if found is None:
            raise OrderNotFound(f"{context.venue}: order {client_id} is not there to cancel", venue=context.venue)
        txid = found[0]
    reply: wire_trading.Canceled = yield order_calls.cancel(context, order, txid, client_id)
    if reply.count == 0 and not reply.pending:
        raise OrderNotFound(f"{context.venue}: no open order {txid or client_id} to cancel", venue=context.venue)


def open_orders(context: VenueContext, lists: Lists) -> Flow[list[Order]]:
    """List what is open; the list is a partial one where a record cannot be shown, which is noted in *lists*."""
    reply: wire.OpenOrders = yield _read("OpenOrders", {}, wire.OpenOrders)
    yield from lists.learn(pairs_of(reply.open.values()))
    skipped = lists.skipped
    found: list[Order] = []
    unreadable: list[str] = []
    for txid, raw in reply.open.items():
        try:
            record = read(raw, wire.Order, f"order {txid}")
            found.append(parse.order(txid, record, context.symbols, context.venue))
        except ExchangeError as error:
            skipped[f"order {txid}"] = str(error)
            unreadable.append(f"order {txid}: {error}")
        else:
            skipped.pop(f"order {txid}", None)
    lists.note(order.symbol for order in found)
    return listed(found, unreadable)


def find(context: VenueContext, placed: PlacedIds, order: Order, learn: Learn) -> Flow[Order | None]:
    """Ask for *order* by the venue's id, else by ours: among the open ones, then among the finished.

    Raises:
        ProtocolError: For a record that does not read; it is never taken for "nowhere".
    """
    txid, client_id = _ids(context, order)
    if txid is not None:
        theirs = yield from record(txid)
        if theirs is not None:
            return _found(context, order, txid, theirs)
    if client_id is None:
        return None
    if userref_of(order.request) is not None:
        named = (yield from by_userref(context, placed, order, learn)) if txid is None else None
        return None if named is None else _found(context, order, *named)
    answer: wire.OpenOrders = yield _read("OpenOrders", {"cl_ord_id": client_id}, wire.OpenOrders)
    yield from learn(pairs_of(answer.open.values()))
    ours = _ours(context, answer.open, order, client_id)
    if ours is None:
        params = {"cl_ord_id": client_id, "without_count": True}
        closed: wire.ClosedOrders = yield _read("ClosedOrders", params, wire.ClosedOrders)
        yield from learn(pairs_of(closed.closed.values()))
        ours = _ours(context, closed.closed, order, client_id)
    return None if ours is None else _found(context, order, *ours)


def look_up(context: VenueContext, order_id: str, lists: Lists) -> Flow[Order | None]:
    """Ask for an order by the venue's id, or for the newest finished one by ours."""
    # What is no id of the venue's form is refused and not unknown.
    with suppress(OrderRefused):
        theirs = yield from record(order_id)
        if theirs is not None:
            yield from lists.require([theirs.descr.pair])
            return parse.order(order_id, theirs, context.symbols, context.venue)
    if not CLIENT_ID.fullmatch(order_id):
        return None
    params = {"cl_ord_id": order_id, "without_count": True}
    closed: wire.ClosedOrders = yield _read("ClosedOrders", params, wire.ClosedOrders)
    found = [(txid, read(raw, wire.Order, f"order {txid}")) for txid, raw in closed.closed.items()]
    # Should the filter have been ignored, records without the id prove nothing.
    ours = [entry for entry in found if is_same(entry[1].cl_ord_id or "", order_id)]
    newest = max(ours, key=lambda entry: entry[1].opentm or Decimal(0), default=None)
    if newest is None:
        return None
    yield from lists.require([newest[1].descr.pair])
    return parse.order(*newest, context.symbols, context.venue)


def record(txid: str) -> Flow[wire.Order | None]:
    """Ask for an order by the venue's id, open or over; return what is recorded of it, None where it is unknown."""
    records: Mapping[str, wire.Order] = {}
    with suppress(OrderNotFound):
        records = yield _read("QueryOrders", {"txid": txid}, dict[str, wire.Order])
    return records.get(txid)


def _read(name: str, params: dict[str, Any], reply: Any) -> RestCall:
    """Return a call that asks for orders; it may use the part of the counter that is kept for such."""
    return RestCall(
        method="POST",
        path=f"/0/private/{name}",
        params=params,
        reply=reply,
        private=True,
        costs=limits.private(urgent=True),
    )


def _ids(context: VenueContext, order: Order) -> tuple[str | None, str | None]:
    client_id = order.client_order_id or order.request.client_order_id
    if order.venue_order_id is None and client_id is None:
        raise InvalidValue(f"{context.venue}: the order has neither the venue's id nor ours, so it cannot be named")
    return order.venue_order_id, client_id


def _ours(
    context: VenueContext, records: Mapping[str, msgspec.Raw], order: Order, client_id: str
) -> tuple[str, wire.Order] | None:
    """Return the newest record that is *order*. A client id is free again once its order is finished."""
    found = [(txid, read(raw, wire.Order, f"order {txid}")) for txid, raw in records.items()]
    ours = [
        (txid, raw)
        for txid, raw in found
        if order.venue_order_id in (None, txid) and not is_earlier(raw, order) and _is(context, raw, order, client_id)
    ]
    return max(ours, key=lambda entry: entry[1].opentm or Decimal(0), default=None)


def _is(context: VenueContext, raw: wire.Order, order: Order, client_id: str) -> bool:
    if parse.SIDES.get(raw.descr.type, order.side) is not order.side:
        # Open point: whether the orders that a conditional close makes have the client id of theirs; they are opposite.
        return False
    if raw.cl_ord_id:
        return is_same(raw.cl_ord_id, client_id)
    # A record without the id is here because of the filter. Should the filter have been ignored, the terms tell.
    of = pair_of(context, raw, order)
    try:
        return has_terms(parse.order("", raw, context.symbols, context.venue, of).request, order.request)
    except ExchangeError:
        return False


def _found(context: VenueContext, order: Order, txid: str, raw: wire.Order) -> Order:
    """Return *order* as the venue now has it."""
    # The id proves that it is ours, even where lists do not have its pair any more.
    of = context.symbols.get(raw.descr.pair) or order.symbol
    found = parse.order(txid, raw, context.symbols, context.venue, of)
    if found.symbol != order.symbol:
        raise ProtocolError(f"{context.venue}: order {txid} is for {found.symbol}, ours for {order.symbol}")
    return attrs.evolve(
        found,
        request=_terms_now(order.request, found.request),
        client_order_id=order.client_order_id or found.client_order_id,
        created=order.created or found.created,
    )


def _terms_now(asked: OrderRequest, has: OrderRequest) -> OrderRequest:
    """Return what was *asked* for with the terms that it *has* by now, which an amendment may have changed."""
    if asked.type is not has.type:
        return has
    # What shows of an iceberg is not told; what was asked for would look like news of it.
    sizes: dict[str, Any] = {"quantity": has.quantity, "quote_amount": has.quote_amount}
    trigger = asked.trigger_price if has.trigger_price is None else has.trigger_price
    now = attrs.evolve(asked, **sizes, trigger_price=trigger, display_quantity=None)
    if asked.trail is not None:
        return attrs.evolve(now, limit_offset=has.limit_offset) if asked.limit_offset is not None else now
    if has.price is None or (asked.limit_offset is not None and limit_price(now) == has.price):
        return now
    return attrs.evolve(now, price=has.price, limit_offset=None)
