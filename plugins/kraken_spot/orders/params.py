"""From an order's terms to what is sent, or to a refusal that names the venue and the term. Pure, and before sending.

See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from math import ceil, floor
from operator import attrgetter
from typing import Any

import attrs

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import OrderRefused
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import EXACT, is_multiple, nearest, plain
from exchange_core.model.side import Side
from exchange_core.model.time import to_rfc3339, to_seconds
from kraken_spot.orders.prices import Price, RelativePrice, wire
from kraken_spot.orders.table import AT_ONCE, LIMIT_IS_FIRST, LIMITED, TERMS, TRAILING, TRIGGERED
from kraken_spot.orders.terms import ConditionalClose, Edit, SpotOrder, SpotTimeInForce
from kraken_spot.rest.calls import refuse
from kraken_spot.types.history import SpotOrderType

SOONEST, LATEST = timedelta(seconds=2), timedelta(seconds=60)
"""How far ahead a deadline may lie."""

_SHORTEST_LIFE, _LONGEST_LIFE = timedelta(seconds=5), timedelta(days=31)
_MOST_HIDDEN = 15


def form_fields(order: SpotOrder) -> dict[str, Any]:
    """Return what of *order* goes out, without its pair, deadline and what else a batch has once for all."""
    return {
        "type": order.side.value,
        "ordertype": order.type.value,
        "volume": plain(order.quantity),
        **price_fields(order.type, order.limit_price, order.trigger_price),
        "displayvol": None if order.display_quantity is None else plain(order.display_quantity),
        "trigger": None if order.trigger is None else order.trigger.value,
        "leverage": None if order.leverage is None else str(order.leverage),
        "reduce_only": True if order.reduce_only else None,
        "stptype": None if order.self_trade is None else order.self_trade.value,
        "oflags": flags(order),
        "timeinforce": None if order.time_in_force is SpotTimeInForce.GTC else order.time_in_force.value,
        "starttm": _when(order.start, ceil),
        # An order that ends a second early is better than one that ends late.
        "expiretm": _when(order.expire, floor),
        "userref": order.userref,
        "cl_ord_id": order.client_order_id,
    }


def flags(order: SpotOrder | Edit) -> str | None:
    """Return what goes out as ``oflags``."""
    chosen = ["post"] if order.post_only else []
    if order.no_price_protection:
        chosen.append("nompp")
    if isinstance(order, SpotOrder) and order.quantity_in_quote:
        chosen.append("viqc")
    if order.fee_asset is not None:
        chosen.append(order.fee_asset.value)
    return ",".join(chosen) or None


def price_fields(kind: SpotOrderType, limit: Price | None, trigger: Price | None) -> dict[str, str | None]:
    """Return both prices under the names that they have for that type."""
    if kind in LIMIT_IS_FIRST:
        return {"price": wire(limit), "price2": None}
    return {"price": wire(trigger), "price2": wire(limit)}


def form_close(close: ConditionalClose | None) -> dict[str, str]:
    """Return a conditional close as forms have it."""
    return {f"close[{name}]": value for name, value in json_close(close).items()}


def json_close(close: ConditionalClose | None) -> dict[str, str]:
    """Return a conditional close as JSON has it."""
    if close is None:
        return {}
    prices = price_fields(close.type, close.limit_price, close.trigger_price)
    return {"ordertype": close.type.value, **{name: text for name, text in prices.items() if text is not None}}


def deadline(context: VenueContext, asked: datetime | None) -> datetime | None:
    """Return the deadline: the one that was *asked* for, else the config's.

    Raises:
        NotSupported: When it lies outside of what the venue takes.
    """
    now = context.now() if context.now is not None else None
    if asked is None:
        seconds = context.config.order_deadline
        if now is None or not seconds:
            return None
        asked = now + timedelta(seconds=seconds)
    if now is not None and not SOONEST <= asked - now <= LATEST:
        ahead = (asked - now).total_seconds()
        raise refuse(context.venue, "deadline", f"{ahead:g} seconds ahead; it must be 2 to 60")
    return asked


def written(until: datetime | None) -> str | None:
    """Return a deadline as it goes out."""
    return None if until is None else to_rfc3339(until)


def check(context: VenueContext, order: SpotOrder) -> None:
    """Refuse what cannot be sent.

    Raises:
        NotSupported: For a term that the type, or another term, does not go with.
        OrderRefused: For what is no step of the pair, or below its minimum.
    """
    if not fits(order):
        check_each_type(context.venue, order)
    check_trail(context.venue, "", order.type, order.limit_price, order.trigger_price)
    _check_quantity(context.venue, order)
    _check_times(context, order)
    if order.userref is not None and order.client_order_id is not None:
        raise refuse(context.venue, "userref", "does not go with client_order_id; give one of them")
    if order.close is not None:
        _check_close(context.venue, order.close)
    _check_steps(order, context.symbols.instrument(order.symbol))


class _Fit:
    """Whether an order of one type has what that needs, and nothing that it does not go with.

    It is one look at each of the two; going through all terms takes many times as long, for orders that are all right.
    """

    def __init__(self, kind: SpotOrderType) -> None:
        strange = [term.name for term in TERMS if kind not in term.types]
        self._strange = attrgetter(*strange)
        self._absent = tuple(attrs.fields_dict(SpotOrder)[name].default for name in strange)
        self._needed = attrgetter(*[term.name for term in TERMS if term.needed and kind in term.types])

    def __call__(self, order: SpotOrder) -> bool:
        return self._strange(order) == self._absent and None not in self._needed(order)


_FITS = {kind: _Fit(kind) for kind in SpotOrderType}


def fits(order: SpotOrder) -> bool:
    """Return whether its terms evidently go with its type; where not, :func:`check_each_type` says."""
    return _FITS[order.type](order)


def check_each_type(venue: str, order: SpotOrder) -> None:
    """Refuse the first term, in the order of the table, that the type does not go with or cannot do without."""
    for term in TERMS:
        value = getattr(order, term.name)
        given = not (value is None or value is False or value is SpotTimeInForce.GTC)
        if term.needed and not given and order.type in term.types:
            raise refuse(venue, term.name, f"missing, and a {order.type} order needs it")
        if given and order.type not in term.types and not _for_the_close(term.name, order):
            raise refuse(venue, term.name, f"does not go with a {order.type} order; it goes with {_list(term.types)}")


def _for_the_close(name: str, order: SpotOrder) -> bool:
    return name == "trigger" and order.close is not None and order.close.type in TRIGGERED


def _list(types: frozenset[SpotOrderType]) -> str:
    return ", ".join(one for one in SpotOrderType if one in types)


def check_trail(venue: str, where: str, kind: SpotOrderType, limit: Price | None, trigger: Price | None) -> None:
    """Refuse prices that a trailing order does not take; None is no price, and is left alone.

    Args:
        where: What stands before their names in the message.
    """
    if kind not in TRAILING:
        return
    if trigger is not None and not (isinstance(trigger, RelativePrice) and trigger.sign == "+" and trigger.amount):
        raise refuse(
            venue, f"{where}trigger_price", f"of a {kind} order is how far it trails, as in +2%; got {trigger}"
        )
    if limit is not None and (not isinstance(limit, RelativePrice) or limit.sign == "#"):
        raise refuse(venue, f"{where}limit_price", f"of a {kind} order is an offset, as in +0 or -1%; got {limit}")


def _check_close(venue: str, close: ConditionalClose) -> None:
    if close.type in AT_ONCE:
        raise refuse(venue, "close.type", f"{close.type} cannot be a conditional close")
    for name, value, types in (
        ("close.limit_price", close.limit_price, LIMITED),
        ("close.trigger_price", close.trigger_price, TRIGGERED),
    ):
        if value is None and close.type in types:
            raise refuse(venue, name, f"missing, and a {close.type} order needs it")
        if value is not None and close.type not in types:
            raise refuse(venue, name, f"does not go with a {close.type} order")
    check_trail(venue, "close.", close.type, close.limit_price, close.trigger_price)


def _check_quantity(venue: str, order: SpotOrder) -> None:
    closes = order.reduce_only or order.leverage is not None or order.type is SpotOrderType.SETTLE_POSITION
    if not order.quantity and not closes:
        raise refuse(venue, "quantity", "0 only closes margin positions; it needs leverage or reduce_only")
    if order.quantity_in_quote and order.side is not Side.BUY:
        raise refuse(venue, "quantity_in_quote", "goes with buying only")
    if order.quantity_in_quote and order.leverage is not None:
        raise refuse(venue, "quantity_in_quote", "does not go with leverage")
    shown = order.display_quantity
    if shown is None:
        return
    with localcontext(EXACT):
        fits = order.quantity <= shown * _MOST_HIDDEN and shown <= order.quantity
    if not fits:
        raise refuse(
            venue, "display_quantity", f"{plain(shown)} is not between a fifteenth and all of {plain(order.quantity)}"
        )


def _check_times(context: VenueContext, order: SpotOrder) -> None:
    venue, kind = context.venue, order.time_in_force
    if kind is SpotTimeInForce.FOK and order.type is not SpotOrderType.LIMIT:
        raise refuse(venue, "time_in_force", f"FOK goes with limit orders only, not with {order.type}")
    if kind is SpotTimeInForce.GTD and order.expire is None:
        raise refuse(venue, "time_in_force", "GTD needs expire")
    if kind is not SpotTimeInForce.GTD and order.expire is not None:
        raise refuse(venue, "expire", f"goes with time_in_force GTD, not with {kind}")
    if order.start is None and order.expire is None:
        return
    for name, value in (("start", order.start), ("expire", order.expire)):
        if isinstance(value, timedelta) and (value % timedelta(seconds=1) or value <= timedelta(0)):
            raise refuse(venue, name, f"{value} is no number of whole seconds ahead")
    life = order.expire
    if isinstance(life, datetime):
        life = life - context.now() if context.now is not None else None
    if life is not None and not _SHORTEST_LIFE <= life <= _LONGEST_LIFE:
        raise refuse(venue, "expire", f"{life} ahead; it must be at least 5 seconds and at most a month")


def _check_steps(order: SpotOrder, instrument: Instrument) -> None:
    _check_tick(instrument, "limit price", order.limit_price)
    _check_tick(instrument, "trigger price", order.trigger_price)
    if order.close is not None:
        _check_tick(instrument, "price of the close", order.close.limit_price)
        _check_tick(instrument, "price of the close", order.close.trigger_price)
    if order.display_quantity is not None:
        check_step(instrument, "display quantity", order.display_quantity, instrument.lot_size)
    if not order.quantity or order.quantity_in_quote:
        return
    if order.reduce_only or order.type is SpotOrderType.SETTLE_POSITION:
        # What is left of a position may be below the minimum.
        check_step(instrument, "quantity", order.quantity, instrument.lot_size)
        return
    fixed = order.limit_price if order.type in LIMITED and isinstance(order.limit_price, Decimal) else None
    if fixed is None and order.type in LIMITED:
        check_step(instrument, "quantity", order.quantity, instrument.lot_size)
        return
    instrument.check_terms(order.quantity, fixed, has_limit=fixed is not None, post_only=order.post_only)


def _check_tick(instrument: Instrument, what: str, value: Price | None) -> None:
    if isinstance(value, Decimal):
        check_step(instrument, what, value, instrument.tick_size)


def check_step(instrument: Instrument, what: str, value: Decimal, step: Decimal) -> None:
    """Refuse a *value* that is no multiple of *step*.

    Raises:
        OrderRefused: With the nearest one.
    """
    if not is_multiple(value, step):
        raise OrderRefused(
            f"{instrument.symbol}: {what} {plain(value)} is not a multiple of {plain(step)}; "
            f"nearest is {plain(max(nearest(value, step), step))}"
        )


def _when(value: datetime | timedelta | None, rounding: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, timedelta):
        return f"+{value // timedelta(seconds=1)}"
    return str(rounding(to_seconds(value)))
