"""One side of a book: sorted whole steps, and beside each what stands there.

Prices are keys: whole numbers of the last decimal the venue prints, negated on the bid side, so that on both sides
index 0 is the best level. A value is whatever the venue's book keeps at a price; for books made from digits it is the
digits of price and quantity in one text, which is also what digit checksums are made of.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, Protocol, TypeVar

from exchange_core.errors import ProtocolError
from exchange_core.model.number import plain

V = TypeVar("V")


class Row(Protocol):
    """A level as decoded from the wire: numbers as their own text (or an int where they have no point)."""

    @property
    def price(self) -> Any: ...
    @property
    def qty(self) -> Any: ...


class Ladder(Generic[V]):
    """Sorted levels of one side, best first.

    Attributes:
        sign: +1 on the ask side, -1 on the bid side; a key is sign times the price in steps.
    """

    __slots__ = ("keys", "sign", "values")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.values: list[V] = []

    def __len__(self) -> int:
        return len(self.keys)

    def clear(self) -> None:
        self.keys.clear()
        self.values.clear()

    def put(self, price: int, value: V) -> int:
        """Set the level at *price* (in steps); return its index."""
        key = price * self.sign
        index = bisect_left(self.keys, key)
        if index < len(self.keys) and self.keys[index] == key:
            self.values[index] = value
        else:
            self.keys.insert(index, key)
            self.values.insert(index, value)
        return index

    def remove(self, price: int) -> int | None:
        """Drop the level at *price* (in steps); return the index it had, or None."""
        key = price * self.sign
        index = bisect_left(self.keys, key)
        if index < len(self.keys) and self.keys[index] == key:
            del self.keys[index], self.values[index]
            return index
        return None

    def truncate(self, depth: int) -> None:
        """Keep the best *depth* levels."""
        if len(self.keys) > depth:
            del self.keys[depth:], self.values[depth:]


def merge_digits(side: Ladder[str], rows: Iterable[Row], price_decimals: int, quantity_decimals: int) -> int:
    """Apply *rows* in order to a ladder of digit texts; a quantity of zero removes the level.

    Args:
        rows: Levels whose numbers are the wire's own text.
        price_decimals: Decimals that the venue prints prices of this book with.
        quantity_decimals: The same for quantities.

    Returns:
        The index of the best level that was touched.

    Raises:
        ProtocolError: For text that is no such number. The ladder is then half changed and must be dropped.
    """
    keys, values, sign = side.keys, side.values, side.sign
    price_dot, quantity_dot = -1 - price_decimals, -1 - quantity_decimals
    best = len(keys) + 1
    for row in rows:
        price, quantity = row.price, row.qty
        try:
            if price[price_dot] != "." or quantity[quantity_dot] != ".":
                raise IndexError  # the same answer as for text that is too short
            price = price.replace(".", "")
            quantity = quantity.replace(".", "").lstrip("0")
        except (IndexError, TypeError):
            price, quantity = digits(price, price_decimals), digits(quantity, quantity_decimals)
        try:
            price = int(price)
        except ValueError:
            raise ProtocolError(f"book level: price {row.price!r} is not a number") from None
        text = f"{price}{quantity}"
        if not text.isdigit():
            raise ProtocolError(f"book level: {row.price!r} {row.qty!r} are not two numbers above zero")
        key = price * sign
        index = bisect_left(keys, key)
        if index < best:
            best = index
        if index < len(keys) and keys[index] == key:
            if quantity:
                values[index] = text
            else:
                del keys[index], values[index]
        elif quantity:
            keys.insert(index, key)
            values.insert(index, text)
    return best


def digits(number: Any, decimals: int) -> str:
    """Return *number* as digits with *decimals* decimals, without point and leading zeros: ``0.5``, 4 gives ``5000``.

    Raises:
        ProtocolError: When it is no finite number, is below zero, or has more decimals than that.
    """
    try:
        exact = Decimal(number) if isinstance(number, str | int) else None
    except InvalidOperation:
        exact = None
    if exact is None or not exact.is_finite() or (exact.is_signed() and exact):
        raise ProtocolError(f"book level: {number!r} is not a number of zero or more")
    scaled = exact.scaleb(decimals)
    if scaled != scaled.to_integral_value():
        raise ProtocolError(f"book level: {plain(exact)} has more than {decimals} decimals")
    text = format(scaled.to_integral_value(), "f")
    return "" if text in ("0", "-0") else text


def digits_quantity(key: int, text: str) -> int:
    """Return the quantity steps of a digit text: what follows the price."""
    return int(text[len(str(abs(key))) :])
