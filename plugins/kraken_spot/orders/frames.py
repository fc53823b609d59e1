"""Orders, changes and cancels as WebSocket v2 has them: numbers as JSON numbers, prices with their kind beside them.

What a frame cannot say, or what no page settles for it, is None here and goes over REST.
See https://docs.kraken.com/api/docs/websocket-v2/add_order and its neighbours
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

import attrs
import msgspec

from exchange_core.connector.spec import VenueContext
from exchange_core.model.number import plain
from exchange_core.model.time import to_rfc3339
from kraken_spot.orders.prices import Price, RelativePrice
from kraken_spot.orders.table import LIMITED, TRAILING, TRIGGERED
from kraken_spot.orders.terms import Amendment, ConditionalClose, Edit, FeeAsset, SpotOrder, SpotTimeInForce
from kraken_spot.types.history import SpotOrderType

Params = dict[str, Any]

FEED = "private"
"""The connection that carries them."""


def add_order(context: VenueContext, order: SpotOrder, deadline: str | None) -> Params | None:
    """Return the parameters of ``add_order``, or None where only REST can say it."""
    fields = order_fields(context, order)
    if fields is None:
        return None
    return {"symbol": context.symbols.wire(order.symbol), **fields, **_given(deadline=deadline)}


def batch_add(context: VenueContext, orders: Sequence[SpotOrder], deadline: str | None) -> Params | None:
    """Return the parameters of ``batch_add``, or None where only REST can say one of them."""
    fields = [order_fields(context, order) for order in orders]
    if any(one is None for one in fields):
        return None
    return {"symbol": context.symbols.wire(orders[0].symbol), "orders": fields, **_given(deadline=deadline)}


def amend_order(context: VenueContext, amendment: Amendment, deadline: str | None) -> Params | None:
    """Return the parameters of ``amend_order``, or None where only REST can say it."""
    if _is_vague(amendment.limit_price) or _is_vague(amendment.trigger_price):
        return None
    tokenized = context.symbols.wire(amendment.symbol) if amendment.tokenized else None
    return {
        **_given(order_id=amendment.txid, cl_ord_id=amendment.client_order_id, symbol=tokenized, deadline=deadline),
        **_given(order_qty=_number(amendment.quantity), display_qty=_number(amendment.display_quantity)),
        **_priced("limit_price", amendment.limit_price),
        **_priced("trigger_price", amendment.trigger_price),
        **_given(post_only=amendment.post_only or None),
    }


def edit_order(context: VenueContext, edit: Edit, deadline: str | None) -> Params | None:
    """Return the parameters of ``edit_order``, or None where only REST can say it."""
    is_offset = isinstance(edit.limit_price, RelativePrice) and edit.type not in TRAILING
    if is_offset or _is_vague(edit.trigger_price) or edit.answer_while_pending or edit.tokenized:
        return None
    reference = None if edit.trigger is None else edit.trigger.value
    triggers = {**_given(reference=reference), **_priced("price", edit.trigger_price, kind="price_type")}
    return {
        "order_id": edit.txid,
        "symbol": context.symbols.wire(edit.symbol),
        **_given(order_qty=_number(edit.quantity), display_qty=_number(edit.display_quantity)),
        **_priced("limit_price", edit.limit_price),
        **_given(
            triggers=triggers or None,
            post_only=edit.post_only or None,
            reduce_only=edit.reduce_only or None,
            no_mpp=edit.no_price_protection or None,
            fee_preference=None if edit.fee_asset is None else _FEE_ASSETS[edit.fee_asset],
            order_userref=edit.userref,
            deadline=deadline,
        ),
    }


def order_fields(context: VenueContext, order: SpotOrder) -> Params | None:
    """Return what of *order* a frame has beside its pair, or None where only REST can say it."""
    if _rare(order) == _NOTHING_RARE and not isinstance(order.limit_price, RelativePrice) and order.quantity:
        # Most orders are such, and asking for each of the rest takes many times as long.
        limit = _priced("limit_price", order.limit_price) if order.type in LIMITED else {}
        number = _number(order.quantity)
        fields = {"order_type": order.type.value, "side": order.side.value, "order_qty": number, **limit}
        return fields if order.client_order_id is None else {**fields, "cl_ord_id": order.client_order_id}
    if _needs_rest(order):
        return None
    now = context.now() if context.now is not None else None
    if now is None and isinstance(order.start, timedelta) | isinstance(order.expire, timedelta):
        return None
    return {
        "order_type": order.type.value,
        "side": order.side.value,
        "order_qty": _number(order.quantity),
        **_limit(order),
        **_given(
            triggers=_triggers(order),
            conditional=_conditional(order.close),
            time_in_force=None if order.time_in_force is SpotTimeInForce.GTC else order.time_in_force.value.lower(),
            effective_time=_time(order.start, now, late=True),
            # An order that ends a second early is better than one that ends late.
            expire_time=_time(order.expire, now),
            display_qty=_number(order.display_quantity),
            post_only=order.post_only or None,
            reduce_only=order.reduce_only or None,
            no_mpp=order.no_price_protection or None,
            stp_type=None if order.self_trade is None else order.self_trade.value.replace("-", "_"),
            fee_preference=None if order.fee_asset is None else _FEE_ASSETS[order.fee_asset],
            order_userref=order.userref,
            cl_ord_id=order.client_order_id,
        ),
    }


_COMMON = {"symbol", "side", "type", "quantity", "limit_price", "deadline", "client_order_id"}
_RARE = [field for field in attrs.fields(SpotOrder) if field.name not in _COMMON]
_rare = attrgetter(*(field.name for field in _RARE))
_NOTHING_RARE = tuple(field.default for field in _RARE)

_FEE_ASSETS = {FeeAsset.BASE: "base", FeeAsset.QUOTE: "quote"}


def _needs_rest(order: SpotOrder) -> bool:
    """Whether a frame has no word for something, or no page says how it is meant there."""
    close = order.close
    return (
        # A frame knows margin, and not how much of it.
        order.leverage is not None
        or order.broker is not None
        or order.tokenized
        # Open point: whether order_qty is left out beside cash_order_qty.
        or order.quantity_in_quote
        # Open point: FOK over WebSocket is on the newest page only.
        or order.time_in_force is SpotTimeInForce.FOK
        # Open point: 0 for all of a position is said of REST only.
        or not order.quantity
        or _is_vague(order.limit_price)
        or _is_vague(order.trigger_price)
        or (isinstance(order.limit_price, RelativePrice) and order.type not in TRAILING)
        # The reference of a conditional close stands nowhere in a frame.
        or (order.trigger is not None and order.type not in TRIGGERED)
        or (order.trigger is not None and close is not None and close.type in TRIGGERED)
        or (close is not None and (_is_vague(close.limit_price) or _is_vague(close.trigger_price)))
        or (close is not None and close.type is SpotOrderType.ICEBERG)
        # Open point: what an offset as the limit of a close counts from, if it does not trail.
        or (close is not None and isinstance(close.limit_price, RelativePrice) and close.type not in TRAILING)
    )


def _is_vague(price: Price | None) -> bool:
    """Whether the venue is to choose the sign."""
    return isinstance(price, RelativePrice) and price.sign == "#"


def _limit(order: SpotOrder) -> Params:
    return _priced("limit_price", order.limit_price) if order.type in LIMITED else {}


def _triggers(order: SpotOrder) -> Params | None:
    if order.type not in TRIGGERED:
        return None
    reference = None if order.trigger is None else order.trigger.value
    priced = _priced("price", order.trigger_price, kind="price_type")
    return {**_given(reference=reference), **priced}


def _conditional(close: ConditionalClose | None) -> Params | None:
    if close is None:
        return None
    return {
        "order_type": close.type.value,
        **_priced("limit_price", close.limit_price),
        **_priced("trigger_price", close.trigger_price),
    }


def _priced(name: str, price: Price | None, *, kind: str = "") -> Params:
    """Return a price and, where it is not plain, its kind beside it."""
    if price is None:
        return {}
    if isinstance(price, Decimal):
        return {name: _number(price)}
    amount = -price.amount if price.sign == "-" else price.amount
    return {name: _number(amount), kind or f"{name}_type": "pct" if price.percent else "quote"}


def _number(value: Decimal | None) -> msgspec.Raw | None:
    """Return *value* as a JSON number with every digit and no exponent."""
    return None if value is None else msgspec.Raw(plain(value).encode())


def _time(value: datetime | timedelta | None, now: datetime | None, *, late: bool = False) -> str | None:
    """Write a whole second: the one that *value* is in, or with *late* the next."""
    if isinstance(value, timedelta):
        value = None if now is None else now + value
    if value is None:
        return None
    second = value.replace(microsecond=0)
    return to_rfc3339(second + timedelta(seconds=late and second < value), "seconds")


def _given(**params: Any) -> Params:
    return {name: value for name, value in params.items() if value is not None}
