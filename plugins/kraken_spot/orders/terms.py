"""An order with everything that Kraken Spot can be asked for, as a value.

Which term goes with which type is told by ``table``; what is sent, and what is refused, by ``params``.
See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeGuard, TypeVar

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.number import exact
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.orders.client_ids import CLIENT_ID
from kraken_spot.orders.prices import Price, optional_price
from kraken_spot.types.history import SpotOrderType

E = TypeVar("E", bound=StrEnum)

_INT32 = 2**31


class SpotTimeInForce(StrEnum):
    """How long an order stays."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


class Trigger(StrEnum):
    """Which price sets a triggered order off."""

    LAST = "last"
    INDEX = "index"
    """Of the wider market; the venue falls back to its last price when it has none."""


class SelfTrade(StrEnum):
    """What becomes of two orders of ours that would meet."""

    CANCEL_NEWEST = "cancel-newest"
    CANCEL_OLDEST = "cancel-oldest"
    CANCEL_BOTH = "cancel-both"


class FeeAsset(StrEnum):
    """Which asset the fee is preferred in. Only the ledger tells which it was."""

    BASE = "fcib"
    QUOTE = "fciq"


def choice(kind: type[E], value: E | str) -> E:
    """Return *value* as a member of *kind*.

    Raises:
        InvalidValue: When it is none.
    """
    if isinstance(value, kind):
        return value
    try:
        return kind(value)
    except ValueError:
        raise InvalidValue(f"{kind.__name__}: {value!r} is none of {', '.join(kind)}") from None


def _symbol(value: Symbol | str) -> Symbol:
    return Symbol.of(value)


def _type(value: SpotOrderType | str) -> SpotOrderType:
    return choice(SpotOrderType, value)


def _side(value: Side | str) -> Side:
    return choice(Side, value)


def _time_in_force(value: SpotTimeInForce | str) -> SpotTimeInForce:
    return choice(SpotTimeInForce, value)


def _trigger(value: Trigger | str | None) -> Trigger | None:
    return None if value is None else choice(Trigger, value)


def _self_trade(value: SelfTrade | str | None) -> SelfTrade | None:
    return None if value is None else choice(SelfTrade, value)


def _fee_asset(value: FeeAsset | str | None) -> FeeAsset | None:
    return None if value is None else choice(FeeAsset, value)


def _quantity(value: Decimal | int | str) -> Decimal:
    quantity = exact(value, "quantity")
    if quantity < 0:
        raise InvalidValue(f"quantity: {quantity} is below zero")
    return quantity


def _optional_quantity(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else _quantity(value)


def _aware(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise InvalidValue(f"{attribute.name}: {value} has no time zone; write it with tzinfo=UTC")


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def check_userref(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (_is_int(value) and -_INT32 <= value < _INT32):
        raise InvalidValue(f"{attribute.name}: {value!r} is no whole number of 32 bits")


def _leverage(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (_is_int(value) and value > 0):
        raise InvalidValue(f"leverage: {value!r} is no whole number above zero")


def _client_id(_: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None and not CLIENT_ID.fullmatch(value):
        raise InvalidValue(
            f"{attribute.name}: {value!r} is not a form that Kraken takes; expected a UUID, 32 hexadecimal digits, "
            "or at most 18 ASCII characters"
        )


@attrs.frozen(kw_only=True)
class ConditionalClose:
    """An opposite order of the same size that each fill makes; prices as in an order of that type."""

    type: SpotOrderType = attrs.field(converter=_type)
    limit_price: Price | None = attrs.field(default=None, converter=optional_price)
    trigger_price: Price | None = attrs.field(default=None, converter=optional_price)


@attrs.frozen(kw_only=True)
class SpotOrder:
    """An order in Kraken Spot's own terms. Text is taken for symbol, numbers, prices and choices.

    Attributes:
        quantity: In base units; in the quote asset with *quantity_in_quote*; 0 closes a margin position whole.
        limit_price: A number, or an offset such as ``+5%``; of a trailing order, from its trigger.
        trigger_price: A number or an offset; of a trailing order, how far it trails, as in ``+2%``.
        trigger: Which price sets it off; for a conditional close too.
        display_quantity: What of an iceberg shows, at least a fifteenth.
        reduce_only: Only make a margin position smaller.
        no_price_protection: The venue takes this and ignores it.
        start: When it is to go in: a time, or whole seconds from now.
        expire: When a GTD order ends: a time, or whole seconds from now, at most a month ahead.
        deadline: The venue must not match it after this. Without, ``order_deadline`` of the config counts.
        client_order_id, userref: Our name for it, one of the two. Only by it can an order be found whose answer did
            not come, so an order without any is refused.
        tokenized: The pair is of a tokenised asset.
        broker: A partner's account id.
    """

    symbol: Symbol = attrs.field(converter=_symbol)
    side: Side = attrs.field(converter=_side)
    type: SpotOrderType = attrs.field(converter=_type)
    quantity: Decimal = attrs.field(converter=_quantity)
    limit_price: Price | None = attrs.field(default=None, converter=optional_price)
    trigger_price: Price | None = attrs.field(default=None, converter=optional_price)
    trigger: Trigger | None = attrs.field(default=None, converter=_trigger)
    display_quantity: Decimal | None = attrs.field(default=None, converter=_optional_quantity)
    leverage: int | None = attrs.field(default=None, validator=_leverage)
    reduce_only: bool = False
    self_trade: SelfTrade | None = attrs.field(default=None, converter=_self_trade)
    post_only: bool = False
    fee_asset: FeeAsset | None = attrs.field(default=None, converter=_fee_asset)
    no_price_protection: bool = False
    quantity_in_quote: bool = False
    time_in_force: SpotTimeInForce = attrs.field(default=SpotTimeInForce.GTC, converter=_time_in_force)
    start: datetime | timedelta | None = attrs.field(default=None, validator=_aware)
    expire: datetime | timedelta | None = attrs.field(default=None, validator=_aware)
    deadline: datetime | None = attrs.field(default=None, validator=_aware)
    userref: int | None = attrs.field(default=None, validator=check_userref)
    client_order_id: str | None = attrs.field(default=None, validator=_client_id)
    close: ConditionalClose | None = None
    tokenized: bool = False
    broker: str | None = None


@attrs.frozen(kw_only=True)
class Amendment:
    """New terms for a resting order, which keeps its ids, its fills and, if it only shrinks, its place.

    Attributes:
        txid, client_order_id: Which order; one of the two.
        limit_price, trigger_price: Numbers, or offsets with a sign.
        post_only: Only with a new limit price.
        touched: When the order was made or last changed; without it, its youth is assumed to cost the most.
        tokenized: The pair is of a tokenised asset.
    """

    symbol: Symbol = attrs.field(converter=_symbol)
    txid: str | None = None
    client_order_id: str | None = attrs.field(default=None, validator=_client_id)
    quantity: Decimal | None = attrs.field(default=None, converter=_optional_quantity)
    display_quantity: Decimal | None = attrs.field(default=None, converter=_optional_quantity)
    limit_price: Price | None = attrs.field(default=None, converter=optional_price)
    trigger_price: Price | None = attrs.field(default=None, converter=optional_price)
    post_only: bool = False
    deadline: datetime | None = attrs.field(default=None, validator=_aware)
    touched: datetime | None = attrs.field(default=None, validator=_aware)
    tokenized: bool = False


@attrs.frozen(kw_only=True)
class Edit:
    """A cancel and a new order in one, the older way to change one: new id, no fills, the place in the queue lost.

    Prefer :class:`Amendment`. The client id does not survive.

    Attributes:
        txid: Which order.
        type: Of that order, which tells where its prices go.
        trigger: Which price sets it off. Over the live connection only, and so is *reduce_only*.
        post_only: Must be said again, or is lost; what else it has is kept where nothing is said.
        userref: Of the new order; that of the old one is not kept.
        answer_while_pending: Let the venue answer before the new order stands.
        touched: When the order was made or last changed; without it, its youth is assumed to cost the most.
    """

    symbol: Symbol = attrs.field(converter=_symbol)
    txid: str
    type: SpotOrderType = attrs.field(converter=_type)
    quantity: Decimal | None = attrs.field(default=None, converter=_optional_quantity)
    display_quantity: Decimal | None = attrs.field(default=None, converter=_optional_quantity)
    limit_price: Price | None = attrs.field(default=None, converter=optional_price)
    trigger_price: Price | None = attrs.field(default=None, converter=optional_price)
    trigger: Trigger | None = attrs.field(default=None, converter=_trigger)
    reduce_only: bool = False
    post_only: bool = False
    fee_asset: FeeAsset | None = attrs.field(default=None, converter=_fee_asset)
    no_price_protection: bool = False
    userref: int | None = attrs.field(default=None, validator=check_userref)
    answer_while_pending: bool = False
    deadline: datetime | None = attrs.field(default=None, validator=_aware)
    touched: datetime | None = attrs.field(default=None, validator=_aware)
    tokenized: bool = False
