"""Orders: what we ask for, what became of it, and the table that its status moves along."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.fill import Fee
from exchange_core.model.number import EXACT, exact
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol

_E = TypeVar("_E", bound=StrEnum)


class OrderType(StrEnum):
    """How an order finds its price."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """How long an order stays."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class OrderStatus(StrEnum):
    """Where an order stands. PENDING includes "sent, and no answer yet": unknown is a state."""

    PENDING = "pending"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return not NEXT_STATUS[self]

    def may_become(self, other: OrderStatus) -> bool:
        """Return whether the table allows the step (staying is always allowed)."""
        return other is self or other in NEXT_STATUS[self]


_ENDS = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED})

NEXT_STATUS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: _ENDS | {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.REJECTED},
    OrderStatus.OPEN: _ENDS | {OrderStatus.PARTIALLY_FILLED},
    OrderStatus.PARTIALLY_FILLED: _ENDS,
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
}


def _quantity(value: Decimal | int | str) -> Decimal:
    return exact(value, "quantity")


def _price(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else exact(value, "price")


def _choice(kind: type[_E], value: object) -> _E:
    try:
        return kind(str(value))
    except ValueError:
        expected = ", ".join(member.value for member in kind)
        raise InvalidValue(f"{kind.__name__}: {value!r} is none of {expected}") from None


def _symbol(value: Symbol | str) -> Symbol:
    return Symbol.of(value)


def _side(value: Side | str) -> Side:
    return _choice(Side, value)


def _type(value: OrderType | str) -> OrderType:
    return _choice(OrderType, value)


def _time_in_force(value: TimeInForce | str) -> TimeInForce:
    return _choice(TimeInForce, value)


def _positive(_: object, attribute: attrs.Attribute[Any], value: Decimal | None) -> None:
    if value is not None and value <= 0:
        raise InvalidValue(f"{attribute.name}: {value} is not above zero")


@attrs.frozen(kw_only=True)
class OrderRequest:
    """What we want done. Text is taken for symbol, side and numbers; floats are refused.

    Attributes:
        quantity: In base units for spot and linear contracts, in contracts for inverse ones.
        price: Limit price; None makes it a market order.
        type: Follows from *price* when not given.
        post_only: Refuse rather than take.
        reduce_only: Only make a position smaller (derivatives).
        client_order_id: Ours; the venue layer makes one where this is None.
        deadline: The venue must not match it after this; the venue layer sets one by default.
    """

    symbol: Symbol = attrs.field(converter=_symbol)
    side: Side = attrs.field(converter=_side)
    quantity: Decimal = attrs.field(converter=_quantity, validator=_positive)
    price: Decimal | None = attrs.field(default=None, converter=_price, validator=_positive)
    type: OrderType = attrs.field(converter=_type)
    time_in_force: TimeInForce = attrs.field(default=TimeInForce.GTC, converter=_time_in_force)
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: str | None = None
    deadline: datetime | None = None

    @type.default
    def _type_from_price(self) -> OrderType:
        return OrderType.MARKET if self.price is None else OrderType.LIMIT

    def __attrs_post_init__(self) -> None:
        if self.type is OrderType.LIMIT and self.price is None:
            raise InvalidValue(f"{self.symbol}: a limit order needs a price")
        if self.type is OrderType.MARKET and self.price is not None:
            raise InvalidValue(f"{self.symbol}: a market order takes no price, found {self.price}")
        if self.post_only and (self.type is OrderType.MARKET or self.time_in_force is not TimeInForce.GTC):
            raise InvalidValue(f"{self.symbol}: post_only needs a limit order that rests (gtc)")


@attrs.frozen(kw_only=True)
class Order:
    """An order and what is known of it. Later knowledge makes a new object.

    Attributes:
        venue: Name of the venue it was sent to.
        venue_order_id: The venue's id; None until the venue told us.
        filled: Quantity executed so far.
        average_price: Of the executed part; None while nothing is.
        fees: What the executed part cost, one entry an asset.
        reason: The venue's own words for an end that was not a fill.
        unknown: True while an answer is missing and the order is being looked for.
    """

    request: OrderRequest
    venue: str = ""
    status: OrderStatus = OrderStatus.PENDING
    venue_order_id: str | None = None
    client_order_id: str | None = None
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fees: tuple[Fee, ...] = ()
    reason: str | None = None
    unknown: bool = False
    created: datetime | None = None
    updated: datetime | None = None

    @property
    def symbol(self) -> Symbol:
        return self.request.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def quantity(self) -> Decimal:
        return self.request.quantity

    @property
    def price(self) -> Decimal | None:
        return self.request.price

    @property
    def remaining(self) -> Decimal:
        """Quantity not executed (nothing of it is left in the book once the order is final)."""
        return EXACT.subtract(self.request.quantity, self.filled)

    @property
    def is_final(self) -> bool:
        return self.status.is_final
