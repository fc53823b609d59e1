"""Model values as rows: what a table or a JSON line shows of them."""

from __future__ import annotations

from typing import Any

import attrs

from exchange_core.cli.output import Row
from exchange_core.model.account import Balance
from exchange_core.model.number import plain
from exchange_core.model.order import Order
from exchange_core.serde import unstructure

ORDER = (
    *("order_id", "symbol", "side", "type", "quantity", "quote_amount", "price", "trigger_price", "trail", "terms"),
    *("status", "filled", "average_price"),
)
FILL = ("time", "symbol", "side", "quantity", "price", "fee", "liquidity", "venue_order_id", "id")
LEDGER = ("time", "kind", "asset", "amount", "fee", "balance", "wallet", "symbol", "reference", "id")
TRADE = ("time", "side", "price", "quantity", "id")
CANDLE = ("start", "open", "high", "low", "close", "volume", "closed")


def row_of(value: Any) -> Row:
    """Return the fields of a model value; orders are flattened, balances show what is free."""
    if isinstance(value, Order):
        return order_row(value)
    row = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    if isinstance(value, Balance):
        row["free"] = value.free
    return row


def order_row(order: Order) -> Row:
    """Return what matters of an order on one line."""
    request = order.request
    return {
        "venue": order.venue,
        "order_id": order.venue_order_id,
        "venue_order_id": order.venue_order_id,
        "client_order_id": order.client_order_id,
        "symbol": request.symbol,
        "side": request.side,
        "type": request.type,
        "quantity": request.quantity,
        "quote_amount": request.quote_amount,
        "price": request.price,
        "trigger_price": request.trigger_price,
        "trail": None if request.trail is None else str(request.trail),
        "limit_offset": None if request.limit_offset is None else str(request.limit_offset),
        "display_quantity": request.display_quantity,
        "time_in_force": request.time_in_force,
        "expires": request.expires,
        "leverage": request.leverage,
        "terms": _terms(request.terms),
        "status": order.status,
        "unknown": order.unknown,
        "filled": order.filled,
        "remaining": order.remaining,
        "average_price": order.average_price,
        "spent": order.spent,
        "unspent": order.unspent,
        "fees": [f"{plain(fee.amount)} {fee.asset}" for fee in order.fees],
        "reason": order.reason,
        "created": order.created,
        "updated": order.updated,
    }


def _terms(terms: Any) -> Any:
    """Return the venue's own terms that are not as they are without saying: those that mean something."""
    if not attrs.has(type(terms)):
        return terms
    defaults = {field.name: field.default for field in attrs.fields(type(terms))}
    shown = unstructure(terms)
    given = {name: value for name, value in shown.items() if getattr(terms, name) != defaults[name]}
    return given or None
