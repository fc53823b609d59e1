"""Cancel all orders, or those of one contract, and tell what the answer says of those that ended by it.

See https://docs.kraken.com/api/docs/futures-api/trading/cancel-all-orders
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange_core.connector.rest import Flow
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol

if TYPE_CHECKING:
    from kraken_futures.rest.trading import OrderCalls
    from kraken_futures.types.trading import CanceledAll, CanceledOrder


def cancel_all(calls: OrderCalls) -> Flow[list[OrderUpdate]]:
    """Cancel every open order of the account, of all contracts."""
    return ended((yield from calls.cancel_everything()))


def cancel_symbol(calls: OrderCalls, symbol: Symbol) -> Flow[list[OrderUpdate]]:
    """Cancel every open order of one contract, and of no other.

    Raises:
        UnknownSymbol: Before anything is sent; a call that names no contract would be for all of them.
        OutcomeUnknown: They may have been canceled; or the answer names another scope.
    """
    return ended((yield from calls.cancel_all(symbol)))


def ended(canceled: CanceledAll) -> list[OrderUpdate]:
    """Return what an answer says of orders that ended.

    An order of which it has no more than the id is named without a status: how much of it was executed is not told.
    """
    return [_ended(each) for each in canceled.orders]


def _ended(canceled: CanceledOrder) -> OrderUpdate:
    order = canceled.order
    # What waits for its trigger has executed nothing.
    is_trigger = order is not None and order.trigger_side is not None
    filled = Decimal(0) if is_trigger else None if order is None else order.filled
    if order is None or filled is None:
        return OrderUpdate(venue_order_id=canceled.order_id, client_order_id=canceled.client_order_id)
    # Open point: whether the quantity is of the whole order or of what remained; it is both while nothing is executed.
    return OrderUpdate(
        venue_order_id=canceled.order_id,
        client_order_id=canceled.client_order_id or order.client_order_id,
        status=OrderStatus.CANCELED,
        symbol=order.symbol if isinstance(order.symbol, Symbol) else None,
        side=order.side if isinstance(order.side, Side) else None,
        quantity=None if filled or is_trigger else order.quantity,
        price=order.limit_price or None,
        filled=filled,
    )
