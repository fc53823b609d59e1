"""What the feed of open orders means: terms, triggers, and why an order came or went.

``qty`` is what remains of an order, and ``is_cancel`` only means that it is not open any more. An order that waits for
its trigger is in this list too; when it fires it leaves, and what it becomes comes as an order of its own: whether
under the same id is not documented, so both are taken.
See https://docs.kraken.com/api/docs/futures-api/websocket/open_orders
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchange_core.errors import ProtocolError
from exchange_core.model.event import OrderUpdate
from exchange_core.model.number import EXACT
from exchange_core.model.order import OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset
from exchange_core.model.time import from_millis
from kraken_futures.numbers import number, optional
from kraken_futures.parse import terms as parse_terms
from kraken_futures.parse.terms import Shown
from kraken_futures.wire import feed as wire

TRIGGERED = "stop_order_triggered"
FROM_TRIGGER = "limit_order_from_stop"

# Why an order left the open set. Reasons that are not here end it as canceled. With None it is not known
# whether the order goes on under its id: Kraken does not say if a stop that fires keeps it.
_ENDS: dict[str, OrderStatus | None] = {
    "full_fill": OrderStatus.FILLED,
    "contract_expired": OrderStatus.EXPIRED,
    "ioc_order_failed_because_it_would_not_be_executed": OrderStatus.REJECTED,
    "post_order_failed_because_it_would_filled": OrderStatus.REJECTED,
    "post_order_failed_because_it_would_be_filled": OrderStatus.REJECTED,
    # The order may be well; only the wish to change it failed.
    "order_for_edit_not_found": None,
    TRIGGERED: None,
}


def open_order(raw: wire.OpenOrder, symbol: Symbol | None, *, snapshot: bool = False) -> OrderUpdate:
    """Read an order of the open set."""
    remaining, filled = number(raw.qty, "qty"), number(raw.filled, "filled")
    if raw.direction not in (0, 1):
        raise ProtocolError(f"direction: {raw.direction} is neither 0 (buy) nor 1 (sell)")
    quantity, side = EXACT.add(remaining, filled), Side.SELL if raw.direction else Side.BUY
    # 0 is none, for both.
    price = optional(raw.limit_price, "limit_price") or None
    trigger = optional(raw.stop_price, "stop_price") or None
    return OrderUpdate(
        venue_order_id=raw.order_id,
        client_order_id=raw.cli_ord_id,
        status=OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN,
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        trigger_price=trigger,
        filled=filled,
        snapshot=snapshot,
        sequence_time=None if raw.last_update_time is None else from_millis(raw.last_update_time),
        request=None if symbol is None else _terms(raw, symbol, side, quantity, price, trigger),
    )


def order_status(raw: wire.OpenOrders) -> OrderStatus | None:
    """Return where a change leaves the order; None where it does not say. ``is_cancel`` only means "not open"."""
    if not raw.is_cancel:
        if raw.order is None:
            return None
        return OrderStatus.PARTIALLY_FILLED if raw.order.filled else OrderStatus.OPEN
    if raw.reason is None and raw.order is not None and raw.order.filled and not raw.order.qty:
        return OrderStatus.FILLED
    return _ENDS.get(raw.reason or "", OrderStatus.CANCELED)


def _terms(
    raw: wire.OpenOrder, symbol: Symbol, side: Side, quantity: Decimal, price: Decimal | None, trigger: Decimal | None
) -> OrderRequest | None:
    """Return all terms of an order; None where they cannot be told."""
    shown = Shown(
        symbol=symbol,
        side=side,
        quantity=quantity,
        kind=raw.type,
        price=price,
        trigger=trigger,
        signal=raw.trigger_signal,
        trail=_trail(raw.trailing_stop_options),
        reduce_only=bool(raw.reduce_only),
        client_order_id=raw.cli_ord_id,
    )
    return parse_terms.request(shown)


def _trail(options: Any) -> Offset | None:
    if isinstance(options, list) and options:
        options = options[0]
    if not isinstance(options, dict):
        return None
    deviation, unit = options.get("max_deviation"), options.get("unit")
    if deviation is None or not isinstance(unit, str):
        return None
    return Offset(number(deviation, "max_deviation"), percent=unit.lower() == "percent")
