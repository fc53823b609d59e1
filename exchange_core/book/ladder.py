"""One side of a book: sorted whole steps, and beside each what stands there.

Prices are keys: whole numbers of the last decimal the venue prints, negated on the bid side, so that on both sides
index 0 is the best level. A value is whatever the venue's book keeps at a price; for books made from digits it is the
digits of price and quantity in one text, which is also what digit checksums are made of.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, MutableSequence
from typing import Any, Generic, Protocol, TypeVar

from exchange_core.errors import ProtocolError

V = TypeVar("V")

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")
_LONGEST = 40  # digits of a price or a quantity; real ones have half of that


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
        keys: As machine words side by side, so that hundreds of books fit the processor's caches; as a list only
            where one is longer than that.
    """

    __slots__ = ("keys", "sign", "values")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: MutableSequence[int] = array("q")
        self.values: list[V] = []

    def __len__(self) -> int:
        return len(self.keys)

    def clear(self) -> None:
        """Forget all levels."""
        self.keys = array("q")
        self.values.clear()

    def fill(self, keys: list[int], values: list[V]) -> None:
        """Replace all levels; *keys* are sorted, and *values* stand beside them."""
        try:
            self.keys = array("q", keys)
        except OverflowError:
            self.keys = keys
        self.values = values

    def insert(self, index: int, key: int, value: V) -> None:
        """Add a level that is not there yet, at its place. ``keys`` may be another sequence afterwards."""
        try:
            self.keys.insert(index, key)
        except OverflowError:
            self.keys = list(self.keys)
            self.keys.insert(index, key)
        self.values.insert(index, value)

    def get(self, key: int) -> V | None:
        """Return what stands at *key*, or None."""
        index = bisect_left(self.keys, key)
        return self.values[index] if index < len(self.keys) and self.keys[index] == key else None

    def put(self, price: int, value: V) -> int:
        """Set the level at *price* (in steps); return its index."""
        key = price * self.sign
        index = bisect_left(self.keys, key)
        if index < len(self.keys) and self.keys[index] == key:
            self.values[index] = value
        else:
            self.insert(index, key, value)
        return index

    def remove(self, price: int) -> int | None:
        """Drop the level at *price* (in steps); return the index it had, or None."""
        key = price * self.sign
        index = bisect_left(self.keys, key)
        if index < len(self.keys) and self.keys[index] == key:
            del self.keys[index], self.values[index]
            return index
        return None

    def truncate(self, depth: int | None) -> None:
        """Keep the best *depth* levels; all of them for None."""
        if depth is not None and len(self.keys) > depth:
            del self.keys[depth:], self.values[depth:]


def merge_digits(side: Ladder[str], rows: Iterable[Row], price_decimals: int, quantity_decimals: int) -> int:
    """Apply *rows* in order to a ladder of digit texts; a quantity of zero removes the level.

    Args:
        rows: Levels whose numbers are the wire's own text.
        price_decimals: Decimals that the venue prints prices of this book with.
        quantity_decimals: The same for quantities.

    Returns:
        The index of the best level that was touched, or one past the end when none was.

    Raises:
        ProtocolError: For text that is no such number. The ladder is then half changed and must be dropped.
    """
    keys, values, sign = side.keys, side.values, side.sign
    price_dot, quantity_dot = -1 - price_decimals, -1 - quantity_decimals
    best = len(keys) + 1
    for row in rows:
        price, quantity = row.price, row.qty
        try:  # the venue's own form: all decimals printed
            if price[price_dot] != "." or quantity[quantity_dot] != ".":
                raise IndexError  # the same answer as for text that is too short
            price = price.replace(".", "", 1).lstrip("0")
            quantity = quantity.replace(".", "", 1).lstrip("0")
        except (LookupError, TypeError, AttributeError):
            price, quantity = digits(price, price_decimals), digits(quantity, quantity_decimals)
        if not price.isdecimal() or len(price) > _LONGEST:
            raise ProtocolError(f"book level: price {row.price!r:.60} is no number above zero")
        key = int(price) * sign
        index = bisect_left(keys, key)
        if index < best:
            best = index
        if quantity:
            if not quantity.isdecimal() or len(quantity) > _LONGEST:
                raise ProtocolError(f"book level: quantity {row.qty!r:.60} is no number above zero")
            if index < len(keys) and keys[index] == key:
                values[index] = price + quantity
            else:
                side.insert(index, key, price + quantity)
                keys = side.keys
        elif index < len(keys) and keys[index] == key:
            del keys[index], values[index]
    return best


def load_digits(side: Ladder[str], rows: Iterable[Row], price_decimals: int, quantity_decimals: int) -> None:
    """Fill a ladder of digit texts with the levels of a snapshot, quickly where they come as they should.

    Raises:
        ProtocolError: As :func:`merge_digits` does.
    """
    side.clear()
    keys, values, sign = side.keys, side.values, side.sign
    price_dot, quantity_dot = -1 - price_decimals, -1 - quantity_decimals
    last: int | None = None
    try:
        for row in rows:
            price, quantity = row.price, row.qty
            if price[price_dot] != "." or quantity[quantity_dot] != ".":
                break
            price = price.replace(".", "", 1).lstrip("0")
            quantity = quantity.replace(".", "", 1).lstrip("0")
            text = price + quantity
            if not (price and quantity and text.isdecimal() and len(text) <= _LONGEST):
                break
            key = int(price) * sign
            if last is not None and key <= last:
                break
            last = key
            keys.append(key)
            values.append(text)
        else:
            return
    except (LookupError, TypeError, AttributeError, OverflowError):
        pass
    # The slower way knows what is wrong, or that nothing is: levels out of order, numbers without their zeros.
    side.clear()
    merge_digits(side, rows, price_decimals, quantity_decimals)


def digits(number: Any, decimals: int) -> str:
    """Return *number* as digits with *decimals* decimals, without point and leading zeros: ``0.5``, 4 gives ``5000``.

    Zero is the empty text. Exact for any length, whatever the decimal context is.

    Raises:
        ProtocolError: When it is no plain number, is below zero, or has more decimals than that.
    """
    if type(number) is int and not decimals and number > 0:  # how whole prices come off the wire
        return str(number)
    match = _NUMBER.fullmatch(_text(number))
    if match is None:
        raise ProtocolError(f"book level: {number!r:.60} is not a number")
    sign, whole, fraction, exponent = match.groups(default="")
    text = (whole + fraction).lstrip("0")
    if sign and text:
        raise ProtocolError(f"book level: {number!r:.60} is below zero")
    shift = decimals + int(exponent or 0) - len(fraction)
    if shift < 0:
        kept, cut = text[:shift], text[shift:]
        if cut.strip("0"):
            raise ProtocolError(f"book level: {number!r:.60} has more than {decimals} decimals")
        return kept
    if text and len(text) + shift > _LONGEST:
        raise ProtocolError(f"book level: {number!r:.60} is too long for a price or a quantity")
    return text + "0" * shift if text else ""


def decimals_in(number: Any) -> int:
    """Return how many decimals *number* is printed with: 2 for ``1.50``, 8 for ``5E-8``, 0 for what is no number."""
    match = _NUMBER.fullmatch(_text(number))
    if match is None:
        return 0
    return max(0, len(match[3] or "") - int(match[4] or 0))


def digits_quantity(key: int, text: str) -> int:
    """Return the quantity steps of a digit text: what follows the price."""
    return int(text[len(str(abs(key))) :])


def _text(number: Any) -> str:
    """Return the text of a wire number; of anything else, text that is no number."""
    return str(number) if isinstance(number, str | int) and not isinstance(number, bool) else ""
