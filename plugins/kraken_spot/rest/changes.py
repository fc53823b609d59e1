"""Amend orders, place and cancel several, cancel all, now or later: for orders that the framework keeps a record of.

See https://docs.kraken.com/exchange/guides/general/amends and https://docs.kraken.com/api-reference/trading/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from exchange_core.connector.limits import Cost
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError
from exchange_core.model import amendment as neutral
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from kraken_spot import limits
from kraken_spot.naming import account_pair
from kraken_spot.orders import calls as order_calls
from kraken_spot.orders.terms import Amendment
from kraken_spot.rest import orders as rest_orders
from kraken_spot.rest.calls import refuse
from kraken_spot.rest.references import Learn, PlacedIds, by_userref, userref_of
from kraken_spot.rest.trading import TradingCalls
from kraken_spot.terms import SpotTerms, limit_price, spot_order
from kraken_spot.types.history import SpotOrderType
from kraken_spot.types.trading import Placed
from kraken_spot.wire import trading as wire


def amend(context: VenueContext, order: Order, amendment: neutral.Amendment) -> Flow[Order]:
    """Change a resting order in place.

    Raises:
        NotSupported: Before anything is changed, for what Kraken does not change.
    """
    after = amendment.applied_to(order.request)
    own = order.request.terms or SpotTerms()
    if own.close is not None:
        raise refuse(context.venue, "amend", "an order with a conditional close cannot be amended")
    if amendment.trail is not None:
        # Open point: whether a new distance may be given, and how; only a new trigger price is documented.
        raise refuse(context.venue, "trail", "cannot be amended; cancel the order and place another")
    if amendment.price is not None and order.request.type.is_trailing:
        # It would be read as an offset from the trigger.
        raise refuse(context.venue, "price", "of a trailing order is an offset; give limit_offset")
    moves = amendment.price is not None or amendment.limit_offset is not None
    # A limit that is counted from the trigger goes with it.
    moves = moves or (amendment.trigger_price is not None and after.limit_offset is not None)
    change = Amendment(
        symbol=order.symbol,
        txid=order.venue_order_id,
        client_order_id=order.client_order_id if order.venue_order_id is None else None,
        quantity=amendment.quantity,
        display_quantity=amendment.display_quantity,
        limit_price=limit_price(after) if moves else None,
        trigger_price=amendment.trigger_price,
        post_only=amendment.post_only,
        deadline=amendment.deadline,
        touched=order.touched or order.created,
        tokenized=own.tokenized,
    )
    return _amend(context, order, after, change)


def _amend(context: VenueContext, order: Order, after: OrderRequest, change: Amendment) -> Flow[Order]:
    if change.display_quantity is not None and order.request.display_quantity is None:
        yield from _require_iceberg(context, order)
    _: wire.Amended = yield order_calls.amend(context, change)
    return attrs.evolve(order, request=after)


def _require_iceberg(context: VenueContext, order: Order) -> Flow[None]:
    """Ask whether an order is an iceberg, which lists do not tell together with how much of it shows."""
    if order.venue_order_id is None:
        return
    found = yield from rest_orders.record(order.venue_order_id)
    if found is not None and found.descr.ordertype != SpotOrderType.ICEBERG:
        what = f"order {order.venue_order_id} is no iceberg, and cannot be made one; cancel it and place another"
        raise refuse(context.venue, "display_quantity", what)


def place_batch(
    context: VenueContext, ids: PlacedIds, requests: Sequence[OrderRequest]
) -> Flow[list[Order | ExchangeError]]:
    """Send 2 to 15 orders of one pair in one call; the earliest of their deadlines is that of the call."""
    deadlines = [request.deadline for request in requests if request.deadline is not None]
    orders = [spot_order(attrs.evolve(request, deadline=None), context.venue) for request in requests]
    placed = yield from TradingCalls(context).add_batch(orders, min(deadlines, default=None))
    for request, item in zip(requests, placed.items, strict=True):
        if isinstance(item, Placed):
            ids.note(item.id, request)
    return [
        Order(
            request=request,
            venue=context.venue,
            status=OrderStatus.PENDING,
            venue_order_id=item.id,
            client_order_id=request.client_order_id,
        )
        if isinstance(item, Placed)
        else item.error
        for request, item in zip(requests, placed.items, strict=True)
    ]


def cancel_batch(context: VenueContext, ids: PlacedIds, orders: Sequence[Order], learn: Learn) -> Flow[None]:
    """Cancel up to 50 orders in one call; those that have a userref instead of an id are looked for first."""
    known: list[Order] = []
    for order in orders:
        if order.venue_order_id is None and userref_of(order.request) is not None:
            found = yield from by_userref(context, ids, order, learn)
            # Of one that is not there yet there is nothing to cancel; it is asked for.
            known += [] if found is None else [attrs.evolve(order, venue_order_id=found[0])]
        else:
            known.append(order)
    if known:
        yield _cancel_batch(context, known)


def _cancel_batch(context: VenueContext, orders: Sequence[Order]) -> RestCall:
    txids = [order.venue_order_id for order in orders if order.venue_order_id is not None]
    ours = [order.client_order_id for order in orders if order.venue_order_id is None]
    named = [client_id for client_id in ours if client_id is not None]
    if len(txids) + len(named) < len(orders):
        raise refuse(context.venue, "orders", "one has neither the venue's id nor ours; nothing was cancelled")
    return order_calls.cancel_batch(context, txids, named, (), _engine(context, orders))


def _engine(context: VenueContext, orders: Sequence[Order]) -> tuple[Cost, ...]:
    now = context.now() if context.now is not None else None
    ages: dict[str, list[timedelta | None]] = {}
    for order in orders:
        ages.setdefault(account_pair(context.symbols, order.symbol), []).append(limits.age_of(order, now))
    costs: list[Cost] = []
    for pair, of_pair in ages.items():
        known = [age for age in of_pair if age is not None]
        youngest = min(known) if len(known) == len(of_pair) else None
        costs += limits.cancelling_many(pair, len(of_pair), youngest)
    return tuple(costs)


def cancel_all() -> Flow[None]:
    """Cancel every open order of the account, of all pairs."""
    yield order_calls.cancel_all()


def cancel_all_after(context: VenueContext, seconds: int) -> Flow[datetime | None]:
    """Let the venue cancel every order of the account after *seconds*; see ``trading.cancel_all_after``."""
    switch = yield from TradingCalls(context).cancel_all_after(timedelta(seconds=seconds))
    return switch.fires
