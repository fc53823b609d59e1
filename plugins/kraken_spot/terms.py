"""What only Kraken Spot knows of an order, for ``OrderRequest.terms``; and an order request in Kraken's own terms.

See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import attrs

from exchange_core.connector.support import TERMS as ALL_TERMS
from exchange_core.connector.support import Support
from exchange_core.errors import InvalidValue
from exchange_core.model.number import EXACT
from exchange_core.model.order import OrderRequest
from exchange_core.model.terms import Offset, OrderType, TimeInForce, TriggerBy
from exchange_core.model.terms import SelfTrade as NeutralSelfTrade
from kraken_spot.orders.prices import RelativePrice
from kraken_spot.orders.terms import (
    ConditionalClose,
    FeeAsset,
    SelfTrade,
    SpotOrder,
    SpotTimeInForce,
    Trigger,
    check_userref,
    choice,
)
from kraken_spot.rest.calls import refuse
from kraken_spot.types.history import SpotOrderType

SUPPORT = dict.fromkeys(ALL_TERMS, Support.HONOURED)
"""What becomes of each term of an ``OrderRequest``; ``order_table`` has Kraken's own in full."""

TYPES = {
    OrderType.MARKET: SpotOrderType.MARKET,
    OrderType.LIMIT: SpotOrderType.LIMIT,
    OrderType.STOP: SpotOrderType.STOP_LOSS,
    OrderType.STOP_LIMIT: SpotOrderType.STOP_LOSS_LIMIT,
    OrderType.TAKE_PROFIT: SpotOrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT: SpotOrderType.TAKE_PROFIT_LIMIT,
    OrderType.TRAILING_STOP: SpotOrderType.TRAILING_STOP,
    OrderType.TRAILING_STOP_LIMIT: SpotOrderType.TRAILING_STOP_LIMIT,
}

_TIMES = {
    TimeInForce.GTC: SpotTimeInForce.GTC,
    TimeInForce.IOC: SpotTimeInForce.IOC,
    TimeInForce.FOK: SpotTimeInForce.FOK,
    TimeInForce.GTD: SpotTimeInForce.GTD,
}

_SELF_TRADES = {
    NeutralSelfTrade.CANCEL_NEWEST: SelfTrade.CANCEL_NEWEST,
    NeutralSelfTrade.CANCEL_OLDEST: SelfTrade.CANCEL_OLDEST,
    NeutralSelfTrade.CANCEL_BOTH: SelfTrade.CANCEL_BOTH,
}

_TRIGGERS = {TriggerBy.LAST: Trigger.LAST, TriggerBy.INDEX: Trigger.INDEX}


def _fee_asset(value: FeeAsset | str | None) -> FeeAsset | None:
    return None if value is None else choice(FeeAsset, value)


def _offset(value: RelativePrice | str | None) -> str | None:
    return None if value is None else str(value if isinstance(value, RelativePrice) else RelativePrice.parse(value))


def _aware(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise InvalidValue(f"terms.{attribute.name}: {value} has no time zone; write it with tzinfo=UTC")


@attrs.frozen(kw_only=True)
class SpotTerms:
    """Terms of an order that no other venue has.

    Attributes:
        price_offset: Instead of the order's price, counted by the venue from its last price when it takes the order:
            ``+5``, ``-0.5%``, or with ``#`` the sign that side and type ask for. Of an order that was placed, how it
            was ordered: *price* has what that came to, or was amended to, where the venue tells.
        trigger_offset: The same instead of the order's trigger price. Trailing orders have ``trail`` and
            ``limit_offset`` of every venue.
        userref: A number of yours that may stand on many orders. Kraken takes it or a client id, so it is not told
            the latter: an order whose answer does not come is found by this, its terms and its time. Another program
            must not place the same order, with the same number, in the same minute.
        settle: Close a margin position with own funds; the order itself is a market order.
        fee_asset: Which asset the fee is preferred in; only the ledger tells which it was.
        no_price_protection: The venue takes this and ignores it.
        start: When it is to go in: a time, or whole seconds from now.
        close: An opposite order that each fill makes. Such an order cannot be amended.
        tokenized: The pair is of a tokenised asset.
        broker: A partner's account id.
    """

    price_offset: str | None = attrs.field(default=None, converter=_offset)
    trigger_offset: str | None = attrs.field(default=None, converter=_offset)
    userref: int | None = attrs.field(default=None, validator=check_userref)
    settle: bool = False
    fee_asset: FeeAsset | None = attrs.field(default=None, converter=_fee_asset)
    no_price_protection: bool = False
    start: datetime | timedelta | None = attrs.field(default=None, validator=_aware)
    close: ConditionalClose | None = None
    tokenized: bool = False
    broker: str | None = None

    @property
    def gives(self) -> tuple[str, ...]:
        """What of an order stands here, and not in fields of its own."""
        return (*(("price",) if self.price_offset else ()), *(("trigger_price",) if self.trigger_offset else ()))


_NONE = SpotTerms()


@attrs.frozen(kw_only=True)
class ShownTerms(SpotTerms):
    """Terms of an order that the venue shows, with what it tells of one and cannot be asked for so.

    Attributes:
        parent: The order that made this one, as a conditional close does.
    """

    parent: str | None = None


def spot_order(request: OrderRequest, venue: str) -> SpotOrder:
    """Return *request* in Kraken's terms.

    Raises:
        NotSupported: For what Kraken Spot has nothing for.
    """
    own = request.terms or _NONE
    if isinstance(own, ShownTerms):
        raise refuse(venue, "terms", "ShownTerms are those of an order that was placed; an order takes SpotTerms")
    if request.time_in_force is TimeInForce.FOK and request.type is not OrderType.LIMIT:
        raise refuse(venue, "time_in_force", f"fok needs a limit order, and this is a {request.type} order")
    _check_offsets(request, own, venue)
    amount = request.quote_amount
    rests = request.type is OrderType.MARKET or request.time_in_force is TimeInForce.GTC
    return SpotOrder(
        symbol=request.symbol,
        side=request.side,
        type=_type(request, own, venue),
        quantity=request.require_quantity() if amount is None else amount,
        limit_price=limit_price(request),
        trigger_price=_trigger_price(request, own),
        trigger=_trigger(request, venue),
        display_quantity=request.display_quantity,
        leverage=request.leverage,
        reduce_only=request.reduce_only,
        self_trade=None if request.self_trade is None else _SELF_TRADES[request.self_trade],
        post_only=request.post_only,
        fee_asset=own.fee_asset,
        no_price_protection=own.no_price_protection,
        quantity_in_quote=amount is not None,
        # What is left of a market order is always cancelled, so it takes no time in force.
        time_in_force=SpotTimeInForce.GTC if rests else _TIMES[request.time_in_force],
        start=own.start,
        expire=request.expires,
        deadline=request.deadline,
        userref=own.userref,
        client_order_id=request.client_order_id if own.userref is None else None,
        close=own.close,
        tokenized=own.tokenized,
        broker=own.broker,
    )


def _type(request: OrderRequest, own: SpotTerms, venue: str) -> SpotOrderType:
    if own.settle:
        if request.type is not OrderType.MARKET:
            raise refuse(venue, "terms.settle", f"goes with a market order, and this is a {request.type} order")
        return SpotOrderType.SETTLE_POSITION
    return SpotOrderType.ICEBERG if request.display_quantity is not None else TYPES[request.type]


def _check_offsets(request: OrderRequest, own: SpotTerms, venue: str) -> None:
    kind = request.type
    for name, offset, given, takes in (
        ("price", own.price_offset, request.price or request.limit_offset, kind.has_limit),
        ("trigger", own.trigger_offset, request.trigger_price, kind.is_triggered),
    ):
        if offset is None:
            continue
        if kind.is_trailing:
            why = "a trailing order's offsets are trail and limit_offset"
        elif not takes:
            why = f"a {kind} order has no {name}"
        elif given is not None:
            why = f"the {name} is given by this or by terms of every venue, not by both; found {given} and {offset}"
        else:
            continue
        raise refuse(venue, f"terms.{name}_offset", why)
    if own.trigger_offset is not None and request.limit_offset is not None:
        # It counts from a trigger that is not known yet.
        raise refuse(venue, "limit_offset", "needs a trigger_price; the trigger is an offset itself, see price_offset")


def _trigger_price(request: OrderRequest, own: SpotTerms) -> Decimal | RelativePrice | None:
    if own.trigger_offset is not None:
        return RelativePrice.parse(own.trigger_offset)
    return request.trigger_price if request.trail is None else _relative(request.trail)


def limit_price(request: OrderRequest) -> Decimal | RelativePrice | None:
    """Return the limit as Kraken takes it, where it has one."""
    offset = request.limit_offset
    if offset is None:
        own = request.terms
        if request.price is None and isinstance(own, SpotTerms) and own.price_offset is not None:
            return RelativePrice.parse(own.price_offset)
        return request.price
    if request.trail is not None:
        return _relative(offset)
    # Kraken counts offsets from the last price here and not from the trigger, which is known.
    trigger = request.trigger_price or Decimal(0)
    with localcontext(EXACT):
        return trigger + (trigger * offset.amount / 100 if offset.percent else offset.amount)


def _relative(offset: Offset) -> RelativePrice:
    return RelativePrice("-" if offset.amount < 0 else "+", abs(offset.amount), offset.percent)


def _trigger(request: OrderRequest, venue: str) -> Trigger | None:
    if request.trigger_by is None:
        return None
    if request.trigger_by not in _TRIGGERS:
        raise refuse(venue, "trigger_by", f"{request.trigger_by}; triggers here go by last or index")
    return _TRIGGERS[request.trigger_by]
