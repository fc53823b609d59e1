"""Prices as Kraken Spot takes them: a number, or an offset that moves with the market.

``+5`` and ``-5`` are offsets from the last price, ``#5`` lets the venue choose the sign by side and order type, and
``%`` makes any of them a percentage.
See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import attrs

from exchange_core import serde
from exchange_core.errors import InvalidValue
from exchange_core.model.number import exact, plain

_RELATIVE = re.compile(r"(?P<sign>[+#-])(?P<amount>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?P<percent>%?)")


@attrs.frozen
class RelativePrice:
    """An offset from a price that is not known yet.

    Attributes:
        sign: ``+``, ``-``, or ``#`` for "as side and type ask for".
        percent: The amount is a percentage and not in the quote asset.
    """

    sign: str
    amount: Decimal
    percent: bool = False

    @staticmethod
    def parse(text: str) -> RelativePrice:
        """Read ``+5``, ``-0.5%`` or ``#1.5%``.

        Raises:
            InvalidValue: When *text* has another form.
        """
        match = _RELATIVE.fullmatch(text) if text.isascii() else None
        if match is None:
            raise InvalidValue(f"price: {text!r} is no relative price; expected a sign and digits, as in +5, -5% or #5")
        return RelativePrice(match["sign"], exact(match["amount"], "price"), bool(match["percent"]))

    def __str__(self) -> str:
        return f"{self.sign}{plain(self.amount)}{'%' if self.percent else ''}"


Price = Decimal | RelativePrice


def price(value: object) -> Price:
    """Return *value* as a price: a number above zero, or text such as ``+5%``.

    Raises:
        InvalidValue: For floats, for numbers that are not above zero, and for other text.
    """
    if isinstance(value, RelativePrice):
        return value
    if isinstance(value, Mapping):
        # As an offset stands in JSON that was made of it.
        return RelativePrice.parse(str(serde.structure(value, RelativePrice)))
    if isinstance(value, str) and (value[:1] in ("+", "-", "#") or value.endswith("%")):
        return RelativePrice.parse(value)
    number = exact(value, "price")
    if number <= 0:
        raise InvalidValue(f"price: {plain(number)} is not above zero; an offset is written as text, as in -5")
    return number


def optional_price(value: object) -> Price | None:
    """Return :func:`price` of what may be None."""
    return None if value is None else price(value)


def wire(value: Price | None) -> str | None:
    """Write a price as the venue reads it."""
    return None if value is None else str(value) if isinstance(value, RelativePrice) else plain(value)
