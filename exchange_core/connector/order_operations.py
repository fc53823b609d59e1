"""What many venues can do with orders, and not all: a plugin's operations have these methods, or they do not.

The core asks ``isinstance(operations, Amends)`` and refuses, or does with what every venue has, what is missing.
Each of these flows makes one write. A flow of ``RestOperations`` that must make several has the order's own last:
what fails before it, an order did not happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from exchange_core.connector.rest import Flow
from exchange_core.errors import ExchangeError
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol


@runtime_checkable
class Amends(Protocol):
    """Changes a resting order in place."""

    def amend(self, order: Order, amendment: Amendment) -> Flow[Order]:
        """Change *order*, which is open as far as is known and has its newest terms, in one write and no more.

        *amendment* has been checked against the instrument, and has a deadline where the venue takes one with orders.

        Returns:
            The order with its new terms (``amendment.applied_to(order.request)``, or what the answer says); status and
            what was executed of it as they were, unless the answer says more.

        Raises:
            NotSupported: Before anything is sent, for what cannot be changed here.
            OrderRefused: Nothing changed.
            OrderNotFound: Nothing to change: it may be finished.
            OutcomeUnknown: It may have been changed.
        """
        ...


@runtime_checkable
class LooksUp(Protocol):
    """Knows an order by its id alone, also when it is over."""

    def look_up(self, order_id: str) -> Flow[Order | None]:
        """Ask for an order that is not open, by the venue's id or by ours; None when it is nowhere.

        Its ``created`` and ``updated`` are when the venue says that it was made and that it ended.
        """
        ...


@runtime_checkable
class Batches(Protocol):
    """Sends several orders, or takes several out, with one call."""

    most_placed: int
    """How many orders one call may place; it is never called with fewer than two."""

    most_cancelled: int
    """How many orders one call may cancel; it is never called with fewer than two."""

    one_symbol: bool
    """Whether all orders that one call places must be of one symbol."""

    def goes_in_batch(self, request: OrderRequest) -> bool:
        """Return whether *request* can be placed together with others; one that cannot is sent by itself."""
        ...

    def place_batch(self, requests: Sequence[OrderRequest]) -> Flow[list[Order | ExchangeError]]:
        """Send orders, each with its client id and deadline, in one write and no more.

        Returns:
            What became of each, in the order of *requests*: the order, or the error that ``place`` would have raised.
            OutcomeUnknown stands for one whose fate the answer does not tell.

        Raises:
            ExchangeError: Of the call as a whole, as ``place``; none of the orders is known to stand.
        """
        ...

    def cancel_batch(self, orders: Sequence[Order]) -> Flow[None]:
        """Ask for the end of *orders*; which of them ended is asked for afterwards.

        That one of them was done already is no error.

        Raises:
            OutcomeUnknown: They may have been taken out.
        """
        ...


@runtime_checkable
class CancelsAll(Protocol):
    """Takes out every order of the account with one call."""

    def cancel_all(self) -> Flow[Sequence[OrderUpdate] | None]:
        """Cancel every open order of the account, on all symbols.

        Returns:
            What the answer says of orders that ended by it; which others did is asked for afterwards.
        """
        ...


@runtime_checkable
class CancelsSymbol(Protocol):
    """Takes out every order of one symbol with one call, and none of any other."""

    def cancel_symbol(self, symbol: Symbol) -> Flow[Sequence[OrderUpdate] | None]:
        """Cancel every open order of *symbol*, and no other, whatever else the account has open.

        Returns:
            What the answer says of orders that ended by it; which others did is asked for afterwards.

        Raises:
            OutcomeUnknown: They may have been taken out; or the venue names another scope than was asked for.
        """
        ...


@runtime_checkable
class DeadMansSwitch(Protocol):
    """Lets the venue cancel everything when we fall silent."""

    def cancel_all_after(self, seconds: int) -> Flow[datetime | None]:
        """Have every order of the account cancelled in *seconds*, unless told again before; 0 switches that off.

        Returns:
            When it will happen, by the venue's clock; None when it is off, or the venue does not say.
        """
        ...
