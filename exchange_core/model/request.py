"""What we want of a venue: an order, with all that many venues know, checked for what does not go together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model import order_fields as fields
from exchange_core.model.number import plain
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, OrderType, SelfTrade, TimeInForce, TriggerBy


@attrs.frozen(kw_only=True)
class OrderRequest:
    """What we want done. Text is taken for symbol, words and numbers; floats are refused.

    A venue that does not know a term refuses the order with NotSupported, before anything is sent.

    Attributes:
        quantity: In base units for spot and linear contracts, in contracts for inverse ones. None of an order for an
            amount, whose quantity nobody can say before it is over.
        quote_amount: Instead of *quantity*, how much of the quote asset it is for ("buy for 100 dollars").
        price: Worst price. Without one, and without a type, it is a market order.
        type: Follows from *price* when not given; triggered orders name theirs.
        post_only: Refuse rather than take.
        reduce_only: Only make a position smaller.
        trigger_price: What sets a stop or take-profit off.
        trigger_by: Which price that is compared with; the venue's own custom without.
        trail: How far a trailing stop follows the market, as ``"150"`` or ``"2%"``.
        limit_offset: Instead of *price*, the limit of what fires, counted from the price that set it off.
        display_quantity: How much of it others see (an iceberg).
        expires: When a GTD order ends.
        leverage: Borrow for it: a margin order on a spot market, so many times the own funds.
        self_trade: What becomes of it when it would meet an order of the same account.
        client_order_id: Ours; the venue layer makes one where this is None.
        deadline: The venue must not take it to its market after this; the venue layer sets one by default.
        terms: What only one venue knows, as a value of the class that its plugin has for that. What its ``gives``
            names, *price* or *trigger_price*, is given there, as an offset that only the venue can count from; the
            field has what that came to once the venue tells.
    """

    symbol: Symbol = attrs.field(converter=fields.to_symbol)
    side: Side = attrs.field(converter=fields.to_side)
    quantity: Decimal | None = attrs.field(default=None, converter=fields.to_quantity, validator=fields.positive)
    quote_amount: Decimal | None = attrs.field(
        default=None, converter=fields.to_quote_amount, validator=fields.positive
    )
    price: Decimal | None = attrs.field(default=None, converter=fields.to_price, validator=fields.positive)
    type: OrderType = attrs.field(converter=fields.to_type)
    time_in_force: TimeInForce = attrs.field(default=TimeInForce.GTC, converter=fields.to_time_in_force)
    post_only: bool = False
    reduce_only: bool = False
    trigger_price: Decimal | None = attrs.field(
        default=None, converter=fields.to_trigger_price, validator=fields.positive
    )
    trigger_by: TriggerBy | None = attrs.field(default=None, converter=fields.to_trigger_by)
    trail: Offset | None = attrs.field(default=None, converter=fields.to_offset)
    limit_offset: Offset | None = attrs.field(default=None, converter=fields.to_offset)
    display_quantity: Decimal | None = attrs.field(
        default=None, converter=fields.to_display_quantity, validator=fields.positive
    )
    expires: datetime | None = attrs.field(default=None, validator=fields.aware)
    leverage: int | None = attrs.field(default=None, validator=fields.whole)
    self_trade: SelfTrade | None = attrs.field(default=None, converter=fields.to_self_trade)
    client_order_id: str | None = None
    deadline: datetime | None = attrs.field(default=None, validator=fields.aware)
    terms: Any = None

    @type.default
    def _type_from_price(self) -> OrderType:
        return OrderType.MARKET if self.price is None else OrderType.LIMIT

    def __attrs_post_init__(self) -> None:
        wrong = contradiction(self)
        if wrong is not None:
            raise InvalidValue(f"{self.symbol}: {wrong}")

    def require_quantity(self) -> Decimal:
        """Return the quantity.

        Raises:
            InvalidValue: It is an order for an amount of the quote asset, and has none.
        """
        if self.quantity is None:
            amount = "an amount" if self.quote_amount is None else plain(self.quote_amount)
            raise InvalidValue(f"{self.symbol}: an order for {amount} {self.symbol.quote} has no quantity")
        return self.quantity

    def completed(self, client_order_id: str, deadline: datetime | None) -> OrderRequest:
        """Return the same with an id and a deadline, each where it has none.

        The rest was checked when this was made, so it is copied and not checked again, which takes much longer.

        Args:
            deadline: An aware time.
        """
        copy = OrderRequest.__new__(OrderRequest)
        for place, value in zip(_PLACES, _all_of(self), strict=True):
            place(copy, value)
        if self.client_order_id is None:
            _PLACE_OF_ID(copy, client_order_id)
        if self.deadline is None:
            _PLACE_OF_DEADLINE(copy, deadline)
        return copy


_NAMES = tuple(field.name for field in attrs.fields(OrderRequest))
_all_of = attrgetter(*_NAMES)
_PLACES = [getattr(OrderRequest, name).__set__ for name in _NAMES]
_PLACE_OF_ID, _PLACE_OF_DEADLINE = (getattr(OrderRequest, name).__set__ for name in ("client_order_id", "deadline"))


def contradiction(request: OrderRequest) -> str | None:
    """Return what of *request* does not go together, or None."""
    kind, is_limited = request.type, request.type.has_limit
    stops = kind.is_triggered and not kind.is_trailing
    if (request.quantity is None) is (request.quote_amount is None):
        return _size_contradiction(request)
    if is_limited and request.price is None and request.limit_offset is None and not _gives(request.terms, "price"):
        return f"a {kind} order needs a price{' or limit_offset' if kind.is_triggered else ''}"
    if request.price is not None and not is_limited:
        return f"a {kind} order takes no price, found {plain(request.price)}"
    if request.limit_offset is not None and not (kind.is_triggered and is_limited):
        return f"limit_offset is for the limit of triggered orders, and this is a {kind} order"
    if request.limit_offset is not None and request.price is not None:
        return "a limit is given by price or by limit_offset, not by both"
    if stops != (request.trigger_price is not None) and not (stops and _gives(request.terms, "trigger_price")):
        return f"a {kind} order {'needs a' if stops else 'takes no'} trigger_price"
    if kind.is_trailing != (request.trail is not None):
        return f"a {kind} order {'needs' if kind.is_trailing else 'takes no'} trail"
    if request.trail is not None and request.trail.amount <= 0:
        return f"trail: {request.trail} is not above zero"
    if request.trigger_by is not None and not kind.is_triggered:
        return f"trigger_by is for triggered orders, and this is a {kind} order"
    return _time_contradiction(request)


def _size_contradiction(request: OrderRequest) -> str:
    if request.quantity is None:
        return "quantity is missing; give it, or quote_amount for an order that counts the quote asset"
    return "an order is for a quantity or for a quote_amount, not for both"


def _gives(terms: Any, name: str) -> bool:
    """Whether the venue's own terms give *name*. Those that are a table yet are checked when they are read."""
    return terms is not None and (isinstance(terms, Mapping) or name in getattr(terms, "gives", ()))


def _time_contradiction(request: OrderRequest) -> str | None:
    is_gtd = request.time_in_force is TimeInForce.GTD
    if is_gtd != (request.expires is not None):
        return "time in force gtd needs expires" if is_gtd else "expires goes with time in force gtd"
    rests = request.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)
    if request.post_only and not (request.type.has_limit and rests):
        return "post_only needs a limit order that rests (gtc or gtd)"
    shown = request.display_quantity
    if shown is not None and not (request.type is OrderType.LIMIT and rests):
        return "display_quantity needs a limit order that rests (gtc or gtd)"
    if shown is not None and request.quantity is None:
        return "display_quantity needs a quantity"
    if shown is not None and request.quantity is not None and shown > request.quantity:
        return f"display_quantity {plain(shown)} is more than the quantity {plain(request.quantity)}"
    return None
