"""The words of an order: how it finds its price, how long it stays, what sets it off, how far it follows."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.number import exact, plain

_E = TypeVar("_E", bound=StrEnum)


class OrderType(StrEnum):
    """How an order finds its price.

    A stop fires when the market moves against its side's wish (up for a buy, down for a sell), a take-profit when it
    moves with it. What fires is a market order, or with ``_LIMIT`` a limit order. A trailing stop's trigger follows
    the market at a distance.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"
    TRAILING_STOP = "trailing_stop"
    TRAILING_STOP_LIMIT = "trailing_stop_limit"

    # Enum has a slow one of its own, and these are keys of tables.
    __hash__ = str.__hash__

    @property
    def is_triggered(self) -> bool:
        """Whether it waits for a price before it goes to the market."""
        return self not in (OrderType.MARKET, OrderType.LIMIT)

    @property
    def is_trailing(self) -> bool:
        return self in (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)

    @property
    def has_limit(self) -> bool:
        """Whether it has a worst price."""
        return self is OrderType.LIMIT or self.value.endswith("_limit")


class TimeInForce(StrEnum):
    """How long an order stays: until cancelled, not at all, all of it at once or nothing, until a time."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"

    # Enum has a slow one of its own, and these are keys of tables.
    __hash__ = str.__hash__


class TriggerBy(StrEnum):
    """Which price sets a triggered order off: of the last trade, the venue's mark price, or an index."""

    LAST = "last"
    MARK = "mark"
    INDEX = "index"


class SelfTrade(StrEnum):
    """What becomes of two orders of one account that would meet."""

    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"


_OFFSET = re.compile(r"\s*([+-]?)\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(%?)\s*", re.ASCII)


@attrs.frozen
class Offset:
    """A distance between two prices, as an amount of the quote asset or in percent.

    Written as text: ``"150"``, ``"-0.5"``, ``"2%"``.
    """

    amount: Decimal
    percent: bool = False

    def __str__(self) -> str:
        return f"{plain(self.amount)}{'%' if self.percent else ''}"

    @classmethod
    def of(cls, value: Offset | Decimal | int | str) -> Offset:
        """Return *value* as an offset.

        Raises:
            InvalidValue: For what is none, floats among it.
        """
        if isinstance(value, Offset):
            return value
        if isinstance(value, str):
            found = _OFFSET.fullmatch(value)
            if found is None:
                raise InvalidValue(
                    f'offset: {value!r} is none; expected an amount such as "150" or percent, as in "2%"'
                )
            sign, digits, percent = found.groups()
            return cls(exact(sign + digits, "offset"), bool(percent))
        return cls(exact(value, "offset"))


def choice(kind: type[_E], value: object) -> _E:
    """Return *value* as a member of *kind*.

    Raises:
        InvalidValue: When it is none; says what would be.
    """
    if isinstance(value, kind):
        return value
    try:
        return kind(str(value))
    except ValueError:
        expected = ", ".join(member.value for member in kind)
        raise InvalidValue(f"{kind.__name__}: {value!r} is none of {expected}") from None
