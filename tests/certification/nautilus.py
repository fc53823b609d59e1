"""What the tests of nautilus_trader share: its numbers, its instruments, and what its connections tell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

pyo3 = pytest.importorskip(
    "nautilus_trader.core.nautilus_pyo3", reason="nautilus_trader is not installed; make certify-nautilus has it"
)
data = pytest.importorskip("nautilus_trader.model.data")

ACCOUNT = pyo3.AccountId("KRAKEN-UNIFIED")


class Heard:
    """Keeps what a connection of the client tells, and the book that it makes of it."""

    def __init__(self, instrument: Any, book_type: Any = pyo3.BookType.L2_MBP) -> None:
        self.told: list[Any] = []
        self.book = pyo3.OrderBook(instrument, book_type)

    def __call__(self, message: Any) -> None:
        if type(message).__name__ == "PyCapsule":
            message = data.capsule_to_data(message)
        if isinstance(message, data.OrderBookDeltas):
            self.book.apply_deltas(message.to_pyo3())
        self.told.append(message)

    def of(self, kind: str) -> list[Any]:
        return [message for message in self.told if type(message).__name__ == kind]

    def orders(self, status: str) -> list[str]:
        """Return the ids of the orders that were told to be in *status*."""
        return [str(each.venue_order_id) for each in self.of("OrderStatusReport") if each.order_status.name == status]


def number(value: Any) -> Decimal:
    """Return the number that a price, a quantity or a sum of money is."""
    found: Decimal = value.as_decimal()
    return found


def quantity(value: str) -> Any:
    return pyo3.Quantity.from_str(value)


def price(value: Decimal) -> Any:
    return pyo3.Price.from_str(str(value))


def levels(book: Any, depth: int | None = None) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
    return list(book.bids_to_dict(depth).items()), list(book.asks_to_dict(depth).items())


def balances(state: Any) -> dict[str, Decimal]:
    """Return the totals by asset; the client keeps the venue's own names of assets.

    Of Kraken Futures it tells the value of the whole portfolio as well, as a second sum of dollars behind the first.
    """
    found: dict[str, Decimal] = {}
    for each in state.balances:
        found.setdefault(each.currency.code.upper().replace("XBT", "BTC"), number(each.total))
    return found
