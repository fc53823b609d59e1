"""Orders as the venue shows them, and its words for what becomes of them.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import Refusal, SimFill, SimOrder
from exchange_core.model.order import OrderStatus, OrderType, TimeInForce
from exchange_core.model.side import Side
from kraken_futures.simulator.codec import iso, number
from kraken_futures.simulator.contracts import Contract

REFUSALS = {
    Refusal.UNKNOWN_MARKET: "marketInactive",
    Refusal.MARKET_CLOSED: "marketSuspended",
    Refusal.INVALID_PRICE: "invalidPrice",
    Refusal.TICK_SIZE: "invalidPrice",
    Refusal.INVALID_QUANTITY: "invalidSize",
    Refusal.MINIMUM_QUANTITY: "invalidSize",
    Refusal.MINIMUM_COST: "invalidSize",
    Refusal.INSUFFICIENT_FUNDS: "insufficientAvailableFunds",
    Refusal.POST_ONLY_WOULD_TAKE: "postWouldExecute",
    # Also for fill-or-kill: the venue's word for that is not documented.
    Refusal.IOC_WOULD_NOT_EXECUTE: "iocWouldNotExecute",
    Refusal.WOULD_NOT_REDUCE: "wouldNotReducePosition",
    Refusal.SELF_TRADE: "selfFill",
    Refusal.DUPLICATE_CLIENT_ID: "clientOrderIdAlreadyExist",
    Refusal.DEADLINE_ELAPSED: "wouldProcessAfterSpecifiedTime",
    Refusal.UNKNOWN_ORDER: "notFound",
}

REJECTIONS = {
    Refusal.POST_ONLY_WOULD_TAKE: "POST_WOULD_EXECUTE",
    Refusal.IOC_WOULD_NOT_EXECUTE: "IOC_WOULD_NOT_EXECUTE",
}
"""Refusals that come with an event."""

TYPES = {
    "lmt": (OrderType.LIMIT, TimeInForce.GTC, False),
    "post": (OrderType.LIMIT, TimeInForce.GTC, True),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC, False),
    "fok": (OrderType.LIMIT, TimeInForce.FOK, False),
    "mkt": (OrderType.MARKET, TimeInForce.IOC, False),
}

NOT_SIMULATED = ("stp", "take_profit", "trailing_stop")

Shown = dict[str, Any]


def type_word(order: SimOrder) -> str:
    """Return the order's type in events; market orders appear as immediate ones."""
    request = order.request
    if request.post_only:
        return "post"
    if request.type is OrderType.MARKET or request.time_in_force is TimeInForce.IOC:
        return "ioc"
    return "fok" if request.time_in_force is TimeInForce.FOK else "lmt"


def limit_of(contract: Contract, order: SimOrder, mark: Decimal) -> Decimal:
    """Return the limit price; a market order is given one that must never be read as its average price."""
    return order.request.price or contract.market_order_limit(order.request.side, mark)


def shown_order(contract: Contract, order: SimOrder, mark: Decimal, filled: Decimal | None = None) -> Shown:
    """Return the order inside an event. Its quantity is what remains.

    Args:
        filled: The filled part at that moment; as it is now unless given.
    """
    done = order.filled if filled is None else filled
    return {
        "orderId": order.id,
        "cliOrdId": order.request.client_order_id,
        "type": type_word(order),
        "symbol": contract.id,
        "side": order.request.side,
        "quantity": number(order.request.quantity - done),
        "filled": number(done),
        "limitPrice": number(limit_of(contract, order, mark)),
        "reduceOnly": order.request.reduce_only,
        "timestamp": iso(order.created),
        "lastUpdateTimestamp": iso(order.updated),
    }


def execution_event(contract: Contract, order: SimOrder, fill: SimFill, mark: Decimal) -> Shown:
    """Return the event of a fill; *order* is a copy from just after it."""
    return {
        "type": "EXECUTION",
        "executionId": fill.id,
        "price": number(fill.price),
        "amount": number(fill.quantity),
        "orderPriorEdit": None,
        "orderPriorExecution": shown_order(contract, order, mark, order.filled - fill.quantity),
        "takerReducedQuantity": None,
    }


def place_event(contract: Contract, order: SimOrder, mark: Decimal) -> Shown:
    return {"type": "PLACE", "order": shown_order(contract, order, mark), "reducedQuantity": None}


def cancel_event(contract: Contract, order: SimOrder, mark: Decimal) -> Shown:
    return {"type": "CANCEL", "uid": order.id, "order": shown_order(contract, order, mark)}


def open_order(contract: Contract, order: SimOrder) -> Shown:
    """Return an entry of ``openorders``; post-only orders cannot be told from others there."""
    row: Shown = {"order_id": order.id}
    if order.request.client_order_id is not None:
        row["cliOrdId"] = order.request.client_order_id
    return row | {
        "symbol": contract.id,
        "side": order.request.side,
        "orderType": "lmt",
        "limitPrice": number(order.request.price or Decimal(0)),
        "unfilledSize": number(order.remaining),
        "receivedTime": iso(order.created),
        "status": "partiallyFilled" if order.filled else "untouched",
        "filledSize": number(order.filled),
        "reduceOnly": order.request.reduce_only,
        "lastUpdateTime": iso(order.updated),
    }


def status_row(contract: Contract, order: SimOrder, mark: Decimal) -> Shown:
    """Return an entry of ``orders/status``."""
    status, reason = {
        OrderStatus.FILLED: ("FULLY_EXECUTED", "FULL_FILL"),
        OrderStatus.CANCELED: ("CANCELLED", "CANCELLED_BY_USER"),
        OrderStatus.EXPIRED: ("CANCELLED", "CONTRACT_EXPIRED"),
        OrderStatus.REJECTED: ("REJECTED", None),
    }.get(order.status, ("ENTERED_BOOK", "PARTIAL_FILL" if order.filled else "NEW_USER_ORDER"))
    shown = shown_order(contract, order, mark)
    shown["type"] = "ORDER"
    return {
        "order": {**shown, "priceTriggerOptions": None, "triggerTime": None},
        "status": status,
        "updateReason": reason,
        "error": None,
    }


def fill_row(contract: Contract, fill: SimFill) -> Shown:
    """Return an entry of ``fills``, which tells no fee."""
    row: Shown = {"fill_id": fill.id, "symbol": contract.id, "side": fill.side, "order_id": fill.order_id}
    if fill.client_order_id is not None:
        row["cliOrdId"] = fill.client_order_id
    return row | {
        "size": number(fill.quantity),
        "price": number(fill.price),
        "fillTime": iso(fill.time),
        "fillType": fill.liquidity,
    }


def side_of(text: str) -> Side | None:
    return Side(text) if text in ("buy", "sell") else None


def newest_first(orders: list[SimOrder]) -> list[SimOrder]:
    return sorted(orders, key=_created, reverse=True)


def _created(order: SimOrder) -> datetime:
    return order.created
