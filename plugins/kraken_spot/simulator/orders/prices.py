"""Prices as orders name them: a number, or a distance from the market (``+5``, ``-2.5%``, ``#1%``).

See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

import re
from decimal import Decimal

import attrs

from exchange_core.model.side import Side
from exchange_core.model.terms import Offset, OrderType
from kraken_spot.simulator.codec import Refused, fixed, read_decimal
from kraken_spot.simulator.markets.names import Pair

_PRICE = re.compile(r"([+\-#]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(%?)", re.ASCII)
_BAD = "EOrder:Invalid price"
_RISING = {
    # Which way # points: below the market for who buys at a limit or takes profit, above for a stop; sells mirror it.
    OrderType.LIMIT: -1,
    OrderType.STOP: 1,
    OrderType.STOP_LIMIT: 1,
    OrderType.TAKE_PROFIT: -1,
    OrderType.TAKE_PROFIT_LIMIT: -1,
}


@attrs.frozen
class Quoted:
    """A price as sent. *sign* is ``+``, ``-`` or ``#`` for a distance, and nothing for a price."""

    amount: Decimal
    sign: str = ""
    percent: bool = False

    @property
    def is_distance(self) -> bool:
        return self.sign != ""

    def at(self, last: Decimal, pair: Pair, side: Side, kind: OrderType) -> Decimal:
        """Return the price that is meant while the last trade was at *last*; distances end on a tick."""
        if not self.is_distance:
            return self.amount
        away = last * self.amount / 100 if self.percent else self.amount
        price = pair.market.instrument.round_price(last + away * self._direction(side, kind))
        if price <= 0:
            raise Refused(_BAD)
        return price

    def offset(self) -> Offset:
        """Return the distance, with its sign."""
        return Offset(-self.amount if self.sign == "-" else self.amount, self.percent)

    def _direction(self, side: Side, kind: OrderType) -> int:
        if self.sign != "#":
            return -1 if self.sign == "-" else 1
        rising = _RISING.get(kind, 1)
        return rising if side is Side.BUY else -rising


def read_price(text: str) -> Quoted:
    """Read a price as REST writes it.

    Raises:
        Refused: It is none.
    """
    found = _PRICE.fullmatch(text.strip())
    amount = None if found is None else read_decimal(found[2])
    if found is None or amount is None or (found[3] and not found[1]):
        raise Refused(_BAD)
    return Quoted(amount, found[1], bool(found[3]))


def typed_price(amount: Decimal, kind: str, name: str) -> Quoted:
    """Return a number and its ``price_type``, as WebSocket v2 writes them.

    Raises:
        Refused: The type is none, or the price is below zero.
    """
    if kind not in ("static", "pct", "quote"):
        raise Refused(f"EGeneral:Invalid arguments:{name}")
    if kind == "static":
        if amount < 0:
            raise Refused(_BAD)
        return Quoted(amount)
    return Quoted(abs(amount), "-" if amount < 0 else "+", kind == "pct")


def offset_text(offset: Offset, pair: Pair) -> str:
    """Write a distance as orders show it: ``+5.0000%``, ``-10.0``."""
    sign = "-" if offset.amount < 0 else "+"
    amount = abs(offset.amount)
    return f"{sign}{fixed(amount, 4)}%" if offset.percent else f"{sign}{fixed(amount, pair.price_decimals)}"
