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
    SimRequest,
)
from exchange_core.model.asset import Asset
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus
from kraken_spot.simulator.codec import fixed, number, padded, stamp
from kraken_spot.simulator.markets.names import Names, Pair
from kraken_spot.simulator.orders import words as order_words
from kraken_spot.simulator.orders.terms import WORDS
from kraken_spot.simulator.rest.records import ledger_id

Report = dict[str, Any]
UsdValue = Callable[[str, Decimal], Decimal]
"""From an asset and an amount to US dollars; zero where there is no price."""

_ENDS = {
    OrderEvent.FILLED: "filled",
    OrderEvent.CANCELED: "canceled",
    OrderEvent.EXPIRED: "expired",
}

_CATEGORIES = {"margin": "margin-trade", "settled": "margin-settle", "rollover": "marginrollover"}
"""Categories of ledger entries that are called otherwise than their type."""


def execution(pair: Pair, event: OrderChanged, usd: UsdValue) -> Report:
    """Return the report of an order event; only the first one of an order carries everything."""
    order = event.order
    match event.event:
        case OrderEvent.ACCEPTED:
            return {
                **_whole(pair, order, "pending_new", "pending_new"),
                "cum_cost": number(fixed(Decimal(0), pair.cost_decimals)),
                "fee_usd_equiv": number(fixed(Decimal(0), pair.cost_decimals)),
            }
        case OrderEvent.OPENED:
            return _opened(order)
        case OrderEvent.FILL if event.fill is not None:
            return _trade(pair, order, event.fill, usd)
        case OrderEvent.AMENDED:
            return _amended(pair, order)
        case OrderEvent.TRIGGERED:
            return _changed(order, "status") | _trigger(pair, order)
        case OrderEvent.RESTATED:
            return _restated(pair, order)
    return _ended(pair, order, _ENDS.get(event.event, "canceled"), usd)


def _changed(order: SimOrder, kind: str) -> Report:
    """Return what every report of a living order has."""
    return {
        "timestamp": stamp(order.updated),
        "order_status": "partially_filled" if order.filled else "new",
        "exec_type": kind,
        "order_userref": order.request.user_ref or 0,
        "order_id": order.id,
    }


def _amended(pair: Pair, order: SimOrder) -> Report:
    report = _changed(order, "amended") | {
        "cum_qty": number(fixed(order.filled, pair.volume_decimals)),
        "reason": "User requested",
        "amended": True,
        "order_qty": number(fixed(order.request.quantity, pair.volume_decimals)),
    }
    return report | _limit(pair, order) | _trigger(pair, order) | _shown(pair, order)


def _restated(pair: Pair, order: SimOrder) -> Report:
    """An iceberg shows its next part, or the trigger of a trailing order moved."""
    if order.shown is not None:
        return _changed(order, "iceberg_refill") | _shown(pair, order)
    if order.request.type.is_triggered and order.triggered is None:
        return _changed(order, "status") | _trigger(pair, order)
    quantity = number(fixed(order.request.quantity, pair.volume_decimals))
    reason = order.amends[-1][2] if order.amends else ""
    report = _changed(order, "restated") | {"amended": True, "order_qty": quantity} | _limit(pair, order)
    return report | ({"reason": reason} if reason else {})


def _shown(pair: Pair, order: SimOrder) -> Report:
    display = order.request.display_quantity
    if display is None:
        return {}
    left = display if order.shown is None else order.shown
    return {
        "display_qty": number(fixed(display, pair.volume_decimals)),
        "display_qty_remain": number(fixed(left, pair.volume_decimals)),
    }


def _limit(pair: Pair, order: SimOrder) -> Report:
    """Return the limit price with its type; nothing for orders without."""
    request = order.request
    if not request.type.has_limit:
        return {}
    if request.limit_offset is not None and order.triggered is None:
        offset = request.limit_offset
        return {
            "limit_price_type": "pct" if offset.percent else "quote",
            "limit_price": number(fixed(offset.amount, 4 if offset.percent else pair.price_decimals)),
        }
    price = order.limit if order.limit is not None else request.price
    if price is None:
        return {}
    return {"limit_price_type": "static", "limit_price": number(fixed(price, pair.price_decimals))}


def _trigger(pair: Pair, order: SimOrder) -> Report:
    """Return what sets the order off, in the new words and the old; nothing for orders that do not wait."""
    request = order.request
    if not request.type.is_triggered:
        return {}
    reference = order_words.reference_price(request)
    triggers: Report = {"reference": reference}
    if request.trail is not None:
        triggers["price"] = number(fixed(request.trail.amount, 4 if request.trail.percent else pair.price_decimals))
        triggers["price_type"] = "pct" if request.trail.percent else "quote"
    elif request.trigger_price is not None:
        triggers |= {"price": number(fixed(request.trigger_price, pair.price_decimals)), "price_type": "static"}
    now = order.trigger if order.trigger is not None else request.trigger_price
    old: Report = {"trigger": reference}
    if now is not None:
        price = number(fixed(now, pair.price_decimals))
        triggers["actual_price"] = price
        old["stop_price"] = price
    triggers["status"] = "untriggered" if order.triggered is None else "triggered"
    if order.triggered is not None:
        triggers["timestamp"] = stamp(order.triggered)
    return {**old, "triggers": triggers}


def _contingent(pair: Pair, request: SimRequest) -> Report:
    """Return the conditional close."""
    close = request.close
    if close is None:
        return {}
    found: Report = {"order_type": WORDS[close.type]}
    prices = (("trigger_price", close.trigger_price, close.trail), ("limit_price", close.price, close.limit_offset))
    for name, price, offset in prices:
        if offset is not None:
            kind = "pct" if offset.percent else "quote"
            found |= {name: number(fixed(offset.amount, 4 if offset.percent else pair.price_decimals))}
            found |= {f"{name}_type": kind}
        elif price is not None:
            found |= {name: number(fixed(price, pair.price_decimals)), f"{name}_type": "static"}
    return {"contingent": found}


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
    report["order_type"] = order_words.ordertype(order.request)
    if order.request.leverage is not None:
        report |= {"margin": True, "margin_borrow": not order.request.reduce_only}
    if order.liquidation:
        report["liquidated"] = True
    return report | _shown(pair, order) | {"order_status": "partially_filled", **_sums(pair, order)}


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
        "order_type": WORDS[fill.order_type],
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
    average = order.value / order.filled if order.filled else Decimal(0)
    return {
        "cum_qty": number(fixed(order.filled, pair.volume_decimals)),
        "cum_cost": number(padded(order.cost, pair.cost_decimals)),
        "avg_price": number(fixed(average, pair.long_decimals)),
    }


def _quantity(pair: Pair, request: SimRequest) -> Report:
    if request.quantity_in_quote:
        return {"cash_order_qty": number(fixed(request.quantity, pair.cost_decimals))}
    return {"order_qty": number(fixed(request.quantity, pair.volume_decimals))}


def _whole(pair: Pair, order: SimOrder, kind: str, status: str) -> Report:
    request = order.request
    report: Report = {
        "order_id": order.id,
        "symbol": pair.display,
        **_quantity(pair, request),
        "time_in_force": request.time_in_force.upper(),
        "exec_type": kind,
        "side": request.side,
        "order_type": order_words.ordertype(request),
        "order_userref": request.user_ref or 0,
        "order_status": status,
        "fee_ccy_pref": "fcib" if request.fee_in_base else "fciq",
        "timestamp": stamp(order.updated),
        "stop_price": number(fixed(Decimal(0), pair.price_decimals)),
        **_limit(pair, order),
        **_trigger(pair, order),
        **_shown(pair, order),
        **_contingent(pair, request),
    }
    if request.client_order_id is not None:
        report["cl_ord_id"] = request.client_order_id
    for name, moment in (("effective_time", request.starts), ("expire_time", request.expires)):
        if moment is not None:
            report[name] = stamp(moment)
    flags = {
        "post_only": request.post_only,
        "reduce_only": request.reduce_only,
        "margin": request.leverage is not None,
        "amended": bool(order.amends),
        "liquidated": order.liquidation,
    }
    report |= {name: True for name, is_set in flags.items() if is_set}
    return report | ({"ord_ref_id": order.parent} if order.parent else {})


def open_order(pair: Pair, order: SimOrder, usd: UsdValue) -> Report:
    """Return an order of the snapshot. Which exec_type resting orders carry there is not documented; ``new`` is."""
    status = "partially_filled" if order.status is OrderStatus.PARTIALLY_FILLED else "new"
    fee = number(fixed(usd(order.fee_asset, order.fee), pair.cost_decimals))
    return {**_whole(pair, order, "new", status), **_sums(pair, order), "fee_usd_equiv": fee}


def past_fill(pair: Pair, fill: SimFill, usd: UsdValue) -> Report:
    """Return a fill of the snapshot: without sums and without the order's quantity."""
    return _fill(pair, fill, usd) | {"order_userref": 0, "order_status": "filled"}


def balances(
    names: Names, found: Iterable[SimBalance], earning: Iterable[tuple[str, str, Decimal, Asset]]
) -> list[Report]:
    """Return the rows of a balances snapshot: an asset's total, and what of it is in which wallet."""
    rows: dict[str, Report] = {}
    sums: dict[str, Decimal] = {}
    for balance in found:
        total = number(padded(balance.total, names.asset(balance.asset).decimals))
        wallet = {"type": "spot", "id": "main", "balance": total}
        rows[balance.asset] = {"asset": balance.asset, "asset_class": "currency", "balance": total, "wallets": [wallet]}
        sums[balance.asset] = balance.total
    for _, wallet_id, amount, asset in earning:
        sums[asset.code] += amount
        row = rows[asset.code]
        row["wallets"].append({"type": "earn", "id": wallet_id, "balance": number(padded(amount, asset.decimals))})
        row["balance"] = number(padded(sums[asset.code], asset.decimals))
    return list(rows.values())


def ledger_entry(names: Names, entry: SimLedgerEntry) -> Report:
    decimals = names.asset(entry.asset).decimals
    return {
        "ledger_id": ledger_id(entry),
        "ref_id": entry.reference,
        "timestamp": stamp(entry.time),
        "type": entry.kind,
        "asset": entry.asset,
        "asset_class": "currency",
        "category": _CATEGORIES.get(entry.kind, entry.kind),
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": number(padded(entry.amount, decimals)),
        "fee": number(padded(entry.fee, decimals)),
        "balance": number(padded(entry.balance, decimals)),
    }
