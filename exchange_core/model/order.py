"""Orders: what became of what we asked for, and the table that its status moves along."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.fill import Fee
from exchange_core.model.number import EXACT
from exchange_core.model.request import OrderRequest as OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import OrderType as OrderType
from exchange_core.model.terms import TimeInForce as TimeInForce


class OrderStatus(StrEnum):
    """Where an order stands. PENDING includes "sent, and no answer yet": unknown is a state."""

    PENDING = "pending"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    # Enum has a slow one of its own, and these are keys of tables.
    __hash__ = str.__hash__

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


@attrs.frozen(kw_only=True)
class Order:
    """An order and what is known of it. Later knowledge makes a new object.

    Attributes:
        venue: Name of the venue it was sent to.
        venue_order_id: The venue's id; None until the venue told us.
        filled: Quantity executed so far.
        average_price: Of the executed part; None while nothing is.
        spent: Of an order for an amount: what the executed part cost, in the quote asset and without fees, as its fills
            or the venue say it; None while that is not told, and of other orders.
        fees: What the executed part cost, one entry an asset.
        reason: The venue's own words for an end that was not a fill.
        created: When it was sent, or, where it was not sent here, when the venue says it was made; None where it is
            not told.
        unknown: True while an answer is missing and the order is being looked for.
        touched: Since when the venue has it in its present form, made or amended, or since earlier; None where that
            is not known. Some limits depend on it.
    """

    request: OrderRequest
    venue: str = ""
    status: OrderStatus = OrderStatus.PENDING
    venue_order_id: str | None = None
    client_order_id: str | None = None
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    spent: Decimal | None = None
    fees: tuple[Fee, ...] = ()
    reason: str | None = None
    unknown: bool = False
    created: datetime | None = None
    updated: datetime | None = None
    touched: datetime | None = attrs.field(default=None, eq=False)

    @property
    def symbol(self) -> Symbol:
        return self.request.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def quantity(self) -> Decimal | None:
        """None of an order for an amount."""
        return self.request.quantity

    @property
    def price(self) -> Decimal | None:
        return self.request.price

    @property
    def remaining(self) -> Decimal | None:
        """Quantity not executed (nothing of it is left in the book once the order is final); see :attr:`unspent`."""
        quantity = self.request.quantity
        return None if quantity is None else EXACT.subtract(quantity, self.filled)

    @property
    def unspent(self) -> Decimal | None:
        """What of the amount of the quote asset is not spent; None where that is not told, and of other orders."""
        amount = self.request.quote_amount
        return None if amount is None or self.spent is None else EXACT.subtract(amount, self.spent)

    @property
    def is_final(self) -> bool:
        return self.status.is_final
