"""Orders, trades and ledger entries as the account endpoints show them.

See https://docs.kraken.com/api-reference/account-data/get-open-orders
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import EndReason, SimFill, SimLedgerEntry, SimOrder, SimRequest
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.time import to_millis
from kraken_spot.simulator.codec import fixed, padded, seconds
from kraken_spot.simulator.markets.names import Names, Pair
from kraken_spot.simulator.orders import words as order_words
from kraken_spot.simulator.orders.terms import WORDS

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
    average = order.value / order.filled if order.filled else Decimal(0)
    record: dict[str, Any] = {
        "refid": order.parent or None,
        "userref": request.user_ref or 0,
        "cl_ord_id": request.client_order_id,
        "status": _STATUS[order.status],
        "opentm": seconds(order.created),
        "starttm": _moment(request.starts),
        "expiretm": _moment(request.expires),
        "descr": _description(pair, order),
        "vol": fixed(request.quantity, pair.cost_decimals if request.quantity_in_quote else pair.volume_decimals),
        "vol_exec": fixed(order.filled, pair.volume_decimals),
        "cost": padded(order.cost, pair.cost_decimals),
        "fee": padded(order.fee, pair.cost_decimals),
        "price": fixed(average, pair.long_decimals),
        **_trigger(pair, order),
        "misc": ",".join(_misc(order)),
        "oflags": order_words.flags(request),
        "time_in_force": str(request.time_in_force),
    }
    if request.leverage is not None:
        record["margin"] = True
    if with_trades:
        record["trades"] = list(order.fill_ids)
    if order.status.is_final:
        record |= {"reason": order.reason or None, "closetm": seconds(order.updated)}
    return record


def _trigger(pair: Pair, order: SimOrder) -> dict[str, Any]:
    """Return the price that sets the order off, and the limit it then has."""
    request = order.request
    zero = Decimal(0)
    stop = order.trigger if request.type.is_triggered else None
    limit = order.limit if order.triggered is not None else None
    found: dict[str, Any] = {
        "stopprice": fixed(stop or zero, pair.long_decimals),
        "limitprice": fixed(limit or zero, pair.long_decimals),
    }
    if request.type.is_triggered:
        found["trigger"] = order_words.reference_price(request)
    return found


def _misc(order: SimOrder) -> list[str]:
    found = []
    if order.triggered is not None:
        takes_profit = order.request.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
        found.append("touched" if takes_profit else "stopped")
    if order.liquidation:
        found.append("liquidated")
    if order.status is not OrderStatus.FILLED and order.filled:
        found.append("partial")
    if any(reason == EndReason.USER for _, _, reason in order.amends):
        found.append("amended")
    return found


def _moment(moment: datetime | None) -> Any:
    return 0 if moment is None else seconds(moment)


def _description(pair: Pair, order: SimOrder) -> dict[str, str]:
    request = order.request
    price, price2 = order_words.prices_of(pair, request)
    return {
        "pair": pair.altname,
        "aclass": pair.order_class,
        "type": request.side,
        "ordertype": order_words.ordertype(request),
        "price": price,
        "price2": price2,
        "leverage": order_words.leverage(request),
        "order": order_words.describe(pair, request),
        "close": order_words.describe_close(pair, request),
    }


def amend_record(
    pair: Pair, amend_id: str, request: SimRequest, moment: datetime, reason: str, filled: Decimal
) -> dict[str, Any]:
    """Return the terms that an order had from *moment* on; without a reason they are its first ones."""
    kind = "original" if not reason else "user" if reason == EndReason.USER else "restated"
    left = max(Decimal(0), request.quantity - filled)
    record: dict[str, Any] = {
        "amend_id": amend_id,
        "amend_type": kind,
        "order_qty": fixed(request.quantity, pair.volume_decimals),
        "remaining_qty": fixed(left, pair.volume_decimals),
    }
    if request.display_quantity is not None:
        record["display_qty"] = fixed(request.display_quantity, pair.volume_decimals)
    trigger = None if request.type.is_trailing else request.trigger_price
    for name, price in (("limit_price", request.price), ("trigger_price", trigger)):
        if price is not None:
            record[name] = fixed(price, pair.price_decimals)
    if reason:
        record["reason"] = reason
    # Milliseconds in the recording there is; a client that was read takes nanoseconds.
    return record | {"post_only": request.post_only, "timestamp": to_millis(moment)}


def trade_record(pair: Pair, fill: SimFill, order: SimOrder | None, ledgers: list[str] | None) -> dict[str, Any]:
    """Return one of our trades.

    Args:
        order: Its order, as long as that is known.
        ledgers: The ids of its ledger entries, where asked for.
    """
    leverage = None if order is None else order.request.leverage
    margin = fill.cost / leverage if leverage else Decimal(0)
    closes = order is not None and order.request.reduce_only
    record: dict[str, Any] = {
        "ordertxid": fill.order_id,
        "postxid": fill.position_id or fill.id,
        "pair": pair.id,
        "aclass": pair.order_class,
        "time": seconds(fill.time),
        "type": fill.side,
        "ordertype": WORDS[fill.order_type],
        "price": fixed(fill.price, pair.long_decimals),
        "cost": padded(fill.cost, pair.cost_decimals),
        "fee": padded(fill.fee, pair.cost_decimals),
        "vol": fixed(fill.quantity, pair.volume_decimals),
        "margin": fixed(margin, pair.cost_decimals),
        "leverage": str(leverage or 0),
        "misc": "closing" if closes else "",
        "trade_id": fill.trade_id,
        "maker": fill.liquidity is Liquidity.MAKER,
    }
    return record if ledgers is None else record | {"ledgers": ledgers}


def ledger_id(entry: SimLedgerEntry) -> str:
    """Return the entry's id as the venue shapes it: with an L in front, where trades have a T."""
    return f"L{entry.id[1:]}"


def ledger_record(names: Names, entry: SimLedgerEntry, subtype: str = "") -> dict[str, Any]:
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
        "subtype": subtype,
    }


def moment_of(order: SimOrder, which: str) -> list[datetime]:
    """Return the times that ``closetime`` = *which* looks at."""
    return {"open": [order.created], "close": [order.updated]}.get(which, [order.created, order.updated])
