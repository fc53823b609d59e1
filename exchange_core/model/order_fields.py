"""What fields of orders take and what they refuse, once for all classes that have them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.number import exact, plain
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, OrderType, SelfTrade, TimeInForce, TriggerBy, choice


def to_quantity(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else exact(value, "quantity")


def to_quote_amount(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else exact(value, "quote_amount")


def to_price(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else exact(value, "price")


def to_trigger_price(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else exact(value, "trigger_price")


def to_display_quantity(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else exact(value, "display_quantity")


def to_offset(value: Offset | Decimal | int | str | None) -> Offset | None:
    return None if value is None else Offset.of(value)


def to_symbol(value: Symbol | str) -> Symbol:
    return Symbol.of(value)


def to_side(value: Side | str) -> Side:
    return choice(Side, value)


def to_type(value: OrderType | str) -> OrderType:
    return choice(OrderType, value)


def to_time_in_force(value: TimeInForce | str) -> TimeInForce:
    return choice(TimeInForce, value)


def to_trigger_by(value: TriggerBy | str | None) -> TriggerBy | None:
    return None if value is None else choice(TriggerBy, value)


def to_self_trade(value: SelfTrade | str | None) -> SelfTrade | None:
    return None if value is None else choice(SelfTrade, value)


def positive(_: object, attribute: attrs.Attribute[Any], value: Decimal | int | None) -> None:
    if value is not None and value <= 0:
        raise InvalidValue(
            f"{attribute.name}: {plain(value) if isinstance(value, Decimal) else value} is not above zero"
        )


def whole(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise InvalidValue(f"{attribute.name}: {value!r} is no whole number above zero")


def aware(_: object, attribute: attrs.Attribute[Any], value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise InvalidValue(f"{attribute.name}: {value} has no time zone; write it with tzinfo=UTC")
