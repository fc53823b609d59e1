"""What the private channels say: executions as deltas, balances as ledger entries.

See https://docs.kraken.com/api/docs/websocket-v2/executions and /balances
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import (
    OrderChanged,
    OrderEvent,
    SimBalance,
    SimFill,
    SimLedgerEntry,
    SimOrder,
)
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus, OrderType
from kraken_spot.simulator.codec import fixed, number, padded, stamp
from kraken_spot.simulator.names import Names, Pair
from kraken_spot.simulator.records import ledger_id

Report = dict[str, Any]
UsdValue = Callable[[str, Decimal], Decimal]
"""From an asset and an amount to US dollars; zero where there is no price."""

_ENDS = {
    OrderEvent.FILLED: "filled",
    OrderEvent.CANCELED: "canceled",
    OrderEvent.EXPIRED: "expired",
}


def execution(pair: Pair, event: OrderChanged, usd: UsdValue) -> Report:
    """Return the report of an order event; only the first one of an order carries everything."""
    order = event.order
    if event.event is OrderEvent.ACCEPTED:
        return {
            **_whole(pair, order, "pending_new", "pending_new"),
            "cum_cost": number(fixed(Decimal(0), pair.cost_decimals)),
            "fee_usd_equiv": number(fixed(Decimal(0), pair.cost_decimals)),
        }
    if event.event is OrderEvent.OPENED:
        return _opened(order)
    if event.event is OrderEvent.FILL and event.fill is not None:
        return _trade(pair, order, event.fill, usd)
    return _ended(pair, order, _ENDS.get(event.event, "canceled"), usd)


def _opened(order: SimOrder) -> Report:
    report: Report = {
        "timestamp": stamp(order.updated),
        "order_status": "new",
        "exec_type": "new",
        "order_userref": order.request.user_ref or 0,
        "order_id": order.id,
    }
    if order.request.post_only:
        report["post_only"] = True
    return report


def _trade(pair: Pair, order: SimOrder, fill: SimFill, usd: UsdValue) -> Report:
    """A fill says partially_filled even when it completes the order; that comes as a report of its own."""
    report = _fill(pair, fill, usd) | {"order_userref": order.request.user_ref or 0}
    return report | {"order_status": "partially_filled", **_sums(pair, order)}


def _fill(pair: Pair, fill: SimFill, usd: UsdValue) -> Report:
    report: Report = {
        "order_id": fill.order_id,
        "exec_id": fill.id,
        "exec_type": "trade",
        "trade_id": fill.trade_id,
        "symbol": pair.display,
        "side": fill.side,
        "last_qty": number(fixed(fill.quantity, pair.volume_decimals)),
        "last_price": number(fixed(fill.price, pair.price_decimals)),
        "liquidity_ind": "m" if fill.liquidity is Liquidity.MAKER else "t",
        "cost": number(padded(fill.cost, pair.cost_decimals)),
        "order_type": fill.order_type,
        "timestamp": stamp(fill.time),
        "fee_usd_equiv": number(fixed(usd(fill.fee_asset, fill.fee), pair.cost_decimals)),
        "fees": [{"asset": fill.fee_asset, "qty": number(padded(fill.fee, pair.cost_decimals))}],
    }
    if fill.client_order_id is not None:
        report["cl_ord_id"] = fill.client_order_id
    return report


def _ended(pair: Pair, order: SimOrder, kind: str, usd: UsdValue) -> Report:
    report: Report = {
        "timestamp": stamp(order.updated),
        "order_status": kind,
        "exec_type": kind,
        **_sums(pair, order),
        "fee_usd_equiv": number(fixed(usd(order.fee_asset, order.fee), pair.cost_decimals)),
        "order_userref": order.request.user_ref or 0,
        "order_id": order.id,
    }
    if kind != "filled" and order.reason:
        report |= {"cancel_reason": order.reason, "reason": order.reason}
    return report


def _sums(pair: Pair, order: SimOrder) -> Report:
    average = order.cost / order.filled if order.filled else Decimal(0)
    return {
        "cum_qty": number(fixed(order.filled, pair.volume_decimals)),
        "cum_cost": number(padded(order.cost, pair.cost_decimals)),
        "avg_price": number(fixed(average, pair.long_decimals)),
    }


def _whole(pair: Pair, order: SimOrder, kind: str, status: str) -> Report:
    request = order.request
    report: Report = {
        "order_id": order.id,
        "symbol": pair.display,
        "order_qty": number(fixed(request.quantity, pair.volume_decimals)),
        "time_in_force": request.time_in_force.upper(),
        "exec_type": kind,
        "side": request.side,
        "order_type": request.type,
        "order_userref": request.user_ref or 0,
        "order_status": status,
        "fee_ccy_pref": "fciq",
        "timestamp": stamp(order.updated),
    }
    if request.type is OrderType.LIMIT and request.price is not None:
        report["limit_price_type"] = "static"
        report["limit_price"] = number(fixed(request.price, pair.price_decimals))
    if request.client_order_id is not None:
        report["cl_ord_id"] = request.client_order_id
    if request.post_only:
        report["post_only"] = True
    return report


def open_order(pair: Pair, order: SimOrder, usd: UsdValue) -> Report:
    """Return an order of the snapshot. Which exec_type resting orders carry there is not documented; ``new`` is."""
    status = "partially_filled" if order.status is OrderStatus.PARTIALLY_FILLED else "new"
    fee = number(fixed(usd(order.fee_asset, order.fee), pair.cost_decimals))
    return {**_whole(pair, order, "new", status), **_sums(pair, order), "fee_usd_equiv": fee}


def past_fill(pair: Pair, fill: SimFill, usd: UsdValue) -> Report:
    """Return a fill of the snapshot: without sums and without the order's quantity."""
    return _fill(pair, fill, usd) | {"order_userref": 0, "order_status": "filled"}


def balances(names: Names, found: Iterable[SimBalance]) -> list[Report]:
    """Return the rows of a balances snapshot."""
    rows = []
    for balance in found:
        total = number(padded(balance.total, names.asset(balance.asset).decimals))
        wallet = {"type": "spot", "id": "main", "balance": total}
        rows.append({"asset": balance.asset, "asset_class": "currency", "balance": total, "wallets": [wallet]})
    return rows


def ledger_entry(names: Names, entry: SimLedgerEntry) -> Report:
    decimals = names.asset(entry.asset).decimals
    return {
        "ledger_id": ledger_id(entry),
        "ref_id": entry.reference,
        "timestamp": stamp(entry.time),
        "type": entry.kind,
        "asset": entry.asset,
        "asset_class": "currency",
        "category": entry.kind,
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": number(padded(entry.amount, decimals)),
        "fee": number(padded(entry.fee, decimals)),
        "balance": number(padded(entry.balance, decimals)),
    }
