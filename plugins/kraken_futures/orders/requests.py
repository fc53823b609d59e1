"""Orders, edits and cancels with all that Kraken Futures can be told about them.

The normalised ``OrderRequest`` knows market and limit orders; this one has triggers too. Each parameter is sent or
refused here, none is left out in silence.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeVar

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.number import exact, plain
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol

_E = TypeVar("_E", bound=StrEnum)

LONGEST_CLIENT_ID = 100


class OrderKind(StrEnum):
    """Order types as the venue has them; time in force is part of the type."""

    LIMIT = "lmt"
    POST = "post"
    IOC = "ioc"
    FOK = "fok"
    MARKET = "mkt"
    STOP = "stp"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"

    @property
    def is_trigger(self) -> bool:
        return self in _TRIGGERS

    @property
    def rests(self) -> bool:
        """Whether it stays when it does not execute at once."""
        return self in _RESTING


_TRIGGERS = frozenset({OrderKind.STOP, OrderKind.TAKE_PROFIT, OrderKind.TRAILING_STOP})
_RESTING = _TRIGGERS | {OrderKind.LIMIT, OrderKind.POST}
_PRICED = frozenset({OrderKind.LIMIT, OrderKind.POST, OrderKind.IOC, OrderKind.FOK})


class TriggerSignal(StrEnum):
    """Which price fires a trigger. The venue reports *index* as *spot*."""

    MARK = "mark"
    INDEX = "index"
    LAST = "last"


class Unit(StrEnum):
    """What a deviation or an offset counts."""

    PERCENT = "PERCENT"
    QUOTE = "QUOTE_CURRENCY"


class QuantityMode(StrEnum):
    """What the quantity of an edit is.

    ABSOLUTE: the whole order, with what was executed. RELATIVE, the venue's own default: what shall remain open; an
    execution on the way then makes the order larger than was meant.
    """

    ABSOLUTE = "ABSOLUTE"
    RELATIVE = "RELATIVE"


_Number = Decimal | int | str


def _word(kind: type[_E], value: object, name: str) -> _E:
    if isinstance(value, kind):
        return value
    try:
        return kind(str(value))
    except ValueError:
        raise InvalidValue(f"{name}: {value!r} is none of {', '.join(kind)}") from None


def _side(value: Side | str) -> Side:
    return _word(Side, value, "side")


def _kind(value: OrderKind | str) -> OrderKind:
    return _word(OrderKind, value, "kind")


def _signal(value: TriggerSignal | str | None) -> TriggerSignal | None:
    return None if value is None else _word(TriggerSignal, value, "trigger_signal")


def _unit(value: Unit | str | None) -> Unit | None:
    return None if value is None else _word(Unit, value, "unit")


def _mode(value: QuantityMode | str) -> QuantityMode:
    return _word(QuantityMode, value, "quantity_mode")


def _symbol(value: Symbol | str) -> Symbol:
    return Symbol.of(value)


def _maybe_symbol(value: Symbol | str | None) -> Symbol | None:
    return None if value is None else Symbol.of(value)


def _quantity(value: _Number) -> Decimal:
    return exact(value, "quantity")


def _new_quantity(value: _Number | None) -> Decimal | None:
    return None if value is None else exact(value, "quantity")


def _limit_price(value: _Number | None) -> Decimal | None:
    return None if value is None else exact(value, "limit_price")


def _stop_price(value: _Number | None) -> Decimal | None:
    return None if value is None else exact(value, "stop_price")


def _deviation(value: _Number | None) -> Decimal | None:
    return None if value is None else exact(value, "trailing_deviation")


def _offset(value: _Number | None) -> Decimal | None:
    return None if value is None else exact(value, "limit_offset")


def _client_id(value: str) -> None:
    if not 0 < len(value) <= LONGEST_CLIENT_ID:
        raise InvalidValue(
            f"client_order_id: {len(value)} characters; the venue takes 1 to {LONGEST_CLIENT_ID} of them"
        )


def _deadline(value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise InvalidValue(f"deadline: {value} has no time zone; write it with tzinfo=UTC")


def _positive(name: str, value: Decimal | None) -> None:
    if value is not None and value <= 0:
        raise InvalidValue(f"{name}: {plain(value)} is not above zero")


def _trail(deviation: Decimal | None, unit: Unit | None) -> None:
    if (deviation is None) != (unit is None):
        raise InvalidValue("trailing_deviation and trailing_unit: give both or neither")
    _positive("trailing_deviation", deviation)
    if unit is Unit.PERCENT and deviation is not None and not Decimal("0.1") <= deviation <= 50:
        raise InvalidValue(f"trailing_deviation: {plain(deviation)} percent; the venue takes 0.1 to 50")


def _one_id(what: str, order_id: str | None, client_order_id: str | None) -> None:
    if bool(order_id) == bool(client_order_id):
        raise InvalidValue(f"{what}: name the order by order_id or by client_order_id, one of them")


@attrs.frozen(kw_only=True)
class FuturesOrder:
    """An order of any of the venue's types. Text is taken for symbol, words and numbers; floats are refused.

    Attributes:
        quantity: Contracts (inverse) or coins (linear).
        limit_price: Worst price. Without one a stop or take-profit becomes a market order when it fires.
        stop_price: Fires a stop or take-profit.
        trigger_signal: Which price fires. Always sent, as the venue does not say what it assumes; mark without.
        trailing_deviation: How far a trailing stop follows: 0.1 to 50 percent, or an amount of the quote asset.
        limit_offset: Limit price of what fires, as a distance from the trigger price; may be below zero.
        client_order_id: Needed here, so that the order can be found when no answer comes. Make it unique.
        deadline: The venue must not match it when it comes to it later than this.
    """

    symbol: Symbol = attrs.field(converter=_symbol)
    side: Side = attrs.field(converter=_side)
    quantity: Decimal = attrs.field(converter=_quantity)
    kind: OrderKind = attrs.field(converter=_kind)
    client_order_id: str
    limit_price: Decimal | None = attrs.field(default=None, converter=_limit_price)
    stop_price: Decimal | None = attrs.field(default=None, converter=_stop_price)
    trigger_signal: TriggerSignal | None = attrs.field(default=None, converter=_signal)
    trailing_deviation: Decimal | None = attrs.field(default=None, converter=_deviation)
    trailing_unit: Unit | None = attrs.field(default=None, converter=_unit)
    limit_offset: Decimal | None = attrs.field(default=None, converter=_offset)
    limit_offset_unit: Unit | None = attrs.field(default=None, converter=_unit)
    reduce_only: bool = False
    deadline: datetime | None = None

    def __attrs_post_init__(self) -> None:
        _positive("quantity", self.quantity)
        _positive("limit_price", self.limit_price)
        _positive("stop_price", self.stop_price)
        _client_id(self.client_order_id)
        _deadline(self.deadline)
        _trail(self.trailing_deviation, self.trailing_unit)
        self._check_prices()
        self._check_triggers()

    def _check_prices(self) -> None:
        kind = self.kind
        if kind in _PRICED and self.limit_price is None:
            self._refuse("needs a limit_price")
        if kind in (OrderKind.MARKET, OrderKind.TRAILING_STOP) and self.limit_price is not None:
            self._refuse("takes no limit_price")
        stops = kind in (OrderKind.STOP, OrderKind.TAKE_PROFIT)
        if stops and self.stop_price is None:
            self._refuse("needs a stop_price")
        if not stops and self.stop_price is not None:
            self._refuse("takes no stop_price")

    def _check_triggers(self) -> None:
        trails = self.kind is OrderKind.TRAILING_STOP
        if trails and self.trailing_deviation is None:
            self._refuse("needs trailing_deviation and trailing_unit")
        if not trails and self.trailing_deviation is not None:
            self._refuse("takes no trailing_deviation")
        if not self.kind.is_trigger and self.trigger_signal is not None:
            self._refuse("takes no trigger_signal")
        if (self.limit_offset is None) != (self.limit_offset_unit is None):
            self._refuse("takes limit_offset and limit_offset_unit together")
        if self.limit_offset is None:
            return
        if not self.kind.is_trigger:
            self._refuse("takes no limit_offset")
        if self.limit_price is not None:
            self._refuse("takes limit_price or limit_offset, not both")

    def _refuse(self, what: str) -> NoReturn:
        raise InvalidValue(f"{self.symbol}: an order of kind {self.kind} {what}")


@attrs.frozen(kw_only=True)
class OrderEdit:
    """A change of an open order. What is None stays.

    Attributes:
        order_id, client_order_id: One of them.
        quantity: By *quantity_mode*: the whole order, executions included, unless told otherwise.
        stop_price: Needed for stops, with limit_price where they have one.
        trailing_deviation, trailing_unit: Given again unchanged, they move the trigger to the market.
        symbol: Not sent; with it prices and quantity are checked against the contract's steps first.
        deadline: As of an order.
    """

    order_id: str | None = None
    client_order_id: str | None = None
    quantity: Decimal | None = attrs.field(default=None, converter=_new_quantity)
    quantity_mode: QuantityMode = attrs.field(default=QuantityMode.ABSOLUTE, converter=_mode)
    limit_price: Decimal | None = attrs.field(default=None, converter=_limit_price)
    stop_price: Decimal | None = attrs.field(default=None, converter=_stop_price)
    trailing_deviation: Decimal | None = attrs.field(default=None, converter=_deviation)
    trailing_unit: Unit | None = attrs.field(default=None, converter=_unit)
    symbol: Symbol | None = attrs.field(default=None, converter=_maybe_symbol)
    deadline: datetime | None = None

    def __attrs_post_init__(self) -> None:
        _one_id("edit", self.order_id, self.client_order_id)
        _positive("quantity", self.quantity)
        _positive("limit_price", self.limit_price)
        _positive("stop_price", self.stop_price)
        _trail(self.trailing_deviation, self.trailing_unit)
        _deadline(self.deadline)
        changes = (self.quantity, self.limit_price, self.stop_price, self.trailing_deviation)
        if all(change is None for change in changes):
            raise InvalidValue("edit: nothing is to be changed; give a quantity, a price or a deviation")

    @property
    def label(self) -> str:
        return str(self.order_id or self.client_order_id)


@attrs.frozen(kw_only=True)
class OrderCancel:
    """The end of an open order, named by one of its ids."""

    order_id: str | None = None
    client_order_id: str | None = None
    deadline: datetime | None = None

    def __attrs_post_init__(self) -> None:
        _one_id("cancel", self.order_id, self.client_order_id)
        _deadline(self.deadline)

    @property
    def label(self) -> str:
        return str(self.order_id or self.client_order_id)
