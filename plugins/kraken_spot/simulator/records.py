"""Orders, trades and ledger entries as the account endpoints show them.

See https://docs.kraken.com/api-reference/account-data/get-open-orders
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import SimFill, SimLedgerEntry, SimOrder
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus
from kraken_spot.simulator.codec import fixed, padded, seconds
from kraken_spot.simulator.names import Names, Pair
from kraken_spot.simulator.order_text import describe

_STATUS = {
    OrderStatus.PENDING: "pending",
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.REJECTED: "canceled",
    OrderStatus.EXPIRED: "expired",
}


def order_record(pair: Pair, order: SimOrder, with_trades: bool) -> dict[str, Any]:
    """Return an order; the closing fields only when it is closed."""
    request = order.request
    average = order.cost / order.filled if order.filled else Decimal(0)
    zero = fixed(Decimal(0), pair.long_decimals)
    record: dict[str, Any] = {
        "refid": None,
        "userref": request.user_ref or 0,
        "cl_ord_id": request.client_order_id,
        "status": _STATUS[order.status],
        "opentm": seconds(order.created),
        "starttm": 0,
        "expiretm": 0,
        "descr": _description(pair, order),
        "vol": fixed(request.quantity, pair.volume_decimals),
        "vol_exec": fixed(order.filled, pair.volume_decimals),
        "cost": padded(order.cost, pair.cost_decimals),
        "fee": padded(order.fee, pair.cost_decimals),
        "price": fixed(average, pair.long_decimals),
        "stopprice": zero,
        "limitprice": zero,
        "misc": "",
        "oflags": "fciq,post" if request.post_only else "fciq",
        "time_in_force": str(request.time_in_force),
    }
    if with_trades:
        record["trades"] = list(order.fill_ids)
    if order.status.is_final:
        record |= {"reason": order.reason or None, "closetm": seconds(order.updated)}
    return record


def _description(pair: Pair, order: SimOrder) -> dict[str, str]:
    request = order.request
    return {
        "pair": pair.altname,
        "aclass": "forex",
        "type": request.side,
        "ordertype": request.type,
        "price": "0" if request.price is None else fixed(request.price, pair.price_decimals),
        "price2": "0",
        "leverage": "none",
        "order": describe(pair, request),
        "close": "",
    }


def trade_record(pair: Pair, fill: SimFill, ledgers: list[str] | None) -> dict[str, Any]:
    """Return one of our trades; *ledgers* are the ids of its ledger entries, where asked for."""
    record: dict[str, Any] = {
        "ordertxid": fill.order_id,
        "postxid": fill.position_id or fill.id,
        "pair": pair.id,
        "aclass": "forex",
        "time": seconds(fill.time),
        "type": fill.side,
        "ordertype": fill.order_type,
        "price": fixed(fill.price, pair.long_decimals),
        "cost": padded(fill.cost, pair.cost_decimals),
        "fee": padded(fill.fee, pair.cost_decimals),
        "vol": fixed(fill.quantity, pair.volume_decimals),
        "margin": fixed(Decimal(0), pair.cost_decimals),
        "leverage": "0",
        "misc": "",
        "trade_id": fill.trade_id,
        "maker": fill.liquidity is Liquidity.MAKER,
    }
    return record if ledgers is None else record | {"ledgers": ledgers}


def ledger_id(entry: SimLedgerEntry) -> str:
    """Return the entry's id as the venue shapes it: with an L in front, where trades have a T."""
    return f"L{entry.id[1:]}"


def ledger_record(names: Names, entry: SimLedgerEntry) -> dict[str, Any]:
    asset = names.asset(entry.asset)
    return {
        "aclass": "currency",
        "amount": padded(entry.amount, asset.decimals),
        "asset": asset.venue_id,
        "balance": padded(entry.balance, asset.decimals),
        "fee": padded(entry.fee, asset.decimals),
        "refid": entry.reference,
        "time": seconds(entry.time),
        "type": entry.kind,
        "subtype": "",
    }


def moment_of(order: SimOrder, which: str) -> list[datetime]:
    """Return the times that ``closetime`` = *which* looks at."""
    return {"open": [order.created], "close": [order.updated]}.get(which, [order.created, order.updated])
