"""Elements of the history service: executions, events of orders and triggers, changes of positions.

See https://docs.kraken.com/api/docs/futures-api/history/get-order-events and its neighbours
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from exchange_core.connector.simulation import SimFill, SimLedgerEntry, SimOrder, SimPosition, SimTrade
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import TimeInForce
from exchange_core.model.terms import Offset, TriggerBy
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import digits
from kraken_futures.simulator.markets.contracts import Contract, old_code
from kraken_futures.simulator.orders import words
from kraken_futures.simulator.orders.shapes import before_edit
from kraken_futures.simulator.past.record import Row

Fields = dict[str, Any]

_SIGNALS = {TriggerBy.MARK: "MarkPrice", TriggerBy.INDEX: "SpotPrice", TriggerBy.LAST: "LastPrice"}
_OPENED, _CLOSED = frozenset({"opened"}), frozenset({"closed"})
_CHANGE_FLAGS = {
    "open": "opened",
    "close": "closed",
    "increase": "increased",
    "decrease": "decreased",
    "reverse": "reversed",
    "noChange": "no_change",
}


@lru_cache(maxsize=1024)
def account_id(account: str) -> str:
    """Return the account's id as the venue shapes it."""
    return str(uuid5(NAMESPACE_OID, account))


def _row(contract: Contract, name: str, time: datetime, event: Fields, flags: frozenset[str] = frozenset()) -> Row:
    millis = to_millis(time)
    element = {"uid": str(uuid5(NAMESPACE_OID, name)), "timestamp": millis, "event": event}
    return Row(symbol=contract.symbol, millis=millis, element=element, flags=flags)


def _maybe(value: Decimal | None) -> str:
    return "" if value is None else digits(value)


# ── orders and triggers ──


def placed(contract: Contract, order: SimOrder, reason: str = "new_user_order", reduced: Decimal | None = None) -> Row:
    """Return the event of a new order, with what has become of it already."""
    if words.waits(order):
        event = {"OrderTriggerPlaced": {"order": trigger(contract, order), "reason": reason, "reducedQuantity": ""}}
        return _row(contract, f"trigger placed {order.id}", order.created, event, _OPENED)
    fields = {"order": own_order(contract, order), "reason": reason, "reducedQuantity": _maybe(reduced)}
    event = {"OrderPlaced": fields}
    time = order.triggered or order.created
    return _row(contract, f"placed {order.id}", time, event, _OPENED)


def cancelled(contract: Contract, order: SimOrder) -> Row:
    reason = words.end_reason(order).lower()
    if words.waits(order):
        event = {"OrderTriggerCancelled": {"order": trigger(contract, order), "reason": reason}}
    else:
        event = {"OrderCancelled": {"order": own_order(contract, order), "reason": reason}}
    return _row(contract, f"cancelled {order.id}", order.updated, event, _CLOSED)


def updated(contract: Contract, order: SimOrder, reduced: Decimal | None = None) -> Row:
    """Return the event of an edit, or of an order that was cut to its position."""
    old, name = before_edit(order), f"updated {order.id} {len(order.amends)}"
    if words.waits(order):
        fields = {"oldOrderTrigger": trigger(contract, old), "newOrderTrigger": trigger(contract, order)}
        kind = "OrderTriggerUpdated"
    else:
        fields = {"oldOrder": own_order(contract, old), "newOrder": own_order(contract, order)}
        kind = "OrderUpdated"
    if words.was_cut(order):
        reduced = old.request.quantity - order.request.quantity
    event = {kind: {**fields, "reason": words.change_reason(order), "reducedQuantity": _maybe(reduced)}}
    return _row(contract, name, order.updated, event)


def trailed(contract: Contract, order: SimOrder) -> Row:
    """Return the event of a trigger that followed the market."""
    shown = trigger(contract, order)
    fields = {"oldOrderTrigger": shown, "newOrderTrigger": shown, "reason": "trailing_stop_price_updated"}
    name = f"trailed {order.id} {order.trigger} {to_millis(order.updated)}"
    return _row(contract, name, order.updated, {"OrderTriggerUpdated": {**fields, "reducedQuantity": ""}})


def activated(contract: Contract, order: SimOrder) -> Row:
    fields = {"order": trigger(contract, order), "reason": "stop_order_triggered"}
    return _row(contract, f"activated {order.id}", order.updated, {"OrderTriggerActivated": fields}, _CLOSED)


def rejected(contract: Contract, order: SimOrder, error: str) -> Row:
    if words.waits(order):
        fields = {"order": trigger(contract, order), "orderError": error, "reason": "new_user_order"}
    else:
        fields = {"order": own_order(contract, order), "orderError": error, "reason": "new_user_order"}
    return _row(contract, f"rejected {order.id}", order.created, {"OrderRejected": fields}, _CLOSED)


def edit_rejected(contract: Contract, order: SimOrder, attempted: SimOrder, error: str, time: datetime) -> Row:
    if words.waits(order):
        fields = {"oldOrderTrigger": trigger(contract, order), "attemptedOrderTrigger": trigger(contract, attempted)}
        kind = "OrderTriggerEditRejected"
    else:
        fields = {"oldOrder": own_order(contract, order), "attemptedOrder": own_order(contract, attempted)}
        kind = "OrderEditRejected"
    name = f"edit rejected {order.id} {to_millis(time)} {error}"
    return _row(contract, name, time, {kind: {**fields, "orderError": error}})


def not_found(contract: Contract, account: str, order_id: str, time: datetime) -> Row:
    """Return the event of a cancel or edit of what is not there. The venue writes the id as ``Uuid(uuid=...)``."""
    fields = {"accountUid": account_id(account), "orderId": f"Uuid(uuid={order_id})"}
    return _row(contract, f"not found {account} {order_id} {to_millis(time)}", time, {"OrderNotFound": fields})


def public_order(contract: Contract, order: SimOrder) -> Fields:
    """Return an order without what is its owner's business."""
    limit = order.limit or order.request.price
    return {
        "uid": order.id,
        "tradeable": contract.id,
        "direction": order.request.side.capitalize(),
        "quantity": digits(order.remaining),
        "timestamp": to_millis(order.triggered or order.created),
        "limitPrice": digits(limit or Decimal(0)),
        "orderType": _type(order),
        "reduceOnly": order.request.reduce_only,
        "lastUpdateTimestamp": to_millis(order.updated),
    }


def own_order(contract: Contract, order: SimOrder) -> Fields:
    """Return an order of an event; its quantity is what remains."""
    return {
        **public_order(contract, order),
        "accountUid": account_id(order.account),
        "filled": digits(order.filled),
        "clientId": order.request.client_order_id or "",
        "spotData": None,
    }


def trigger(contract: Contract, order: SimOrder) -> Fields:
    """Return an order with what sets it off."""
    request = order.request
    options: Fields = {
        "triggerPrice": "" if order.trigger is None else digits(order.trigger),
        "triggerSignal": _SIGNALS[request.trigger_by or TriggerBy.LAST],
        "triggerSide": "Above" if words.rises(order) else "Below",
    }
    if request.trail is not None:
        options["trailingStopOptions"] = {"maxDeviation": digits(request.trail.amount), "unit": _unit(request.trail)}
    if request.limit_offset is not None:
        offset = request.limit_offset
        options["limitPriceOffset"] = {"priceOffset": digits(offset.amount), "unit": _unit(offset)}
    return {**own_order(contract, order), "triggerOptions": options}


def _unit(offset: Offset) -> str:
    return "Percent" if offset.percent else "QuoteCurrency"


def _type(order: SimOrder) -> str:
    if order.liquidation:
        return "Liquidation"
    if order.request.post_only:
        return "Post"
    if words.is_market(order):
        return "Market"
    return "Limit" if order.request.time_in_force is TimeInForce.GTC else "IoC"


# ── executions ──


def usd(contract: Contract, quantity: Decimal, price: Decimal) -> str:
    value = quantity if contract.symbol.is_inverse else quantity * price
    return digits(round(value * contract.instrument.contract_size, 2))


def execution(
    contract: Contract, fill: SimFill, order: SimOrder | None, *, mark: Decimal, position: Decimal, rate: Decimal
) -> Row:
    """Return an execution of ours.

    Args:
        position: Signed size after it.
        rate: Of its fee.
    """
    shown = {
        "uid": fill.id,
        "order": None if order is None else own_order(contract, order),
        "timestamp": to_millis(fill.time),
        "quantity": digits(fill.quantity),
        "price": digits(fill.price),
        "markPrice": digits(mark),
        "executionType": "maker" if fill.liquidity is Liquidity.MAKER else "taker",
        "limitFilled": not fill.order_remaining,
        "usdValue": usd(contract, fill.quantity, fill.price),
        "orderData": {
            "fee": digits(fill.fee),
            "positionSize": digits(position),
            "feeCalculationInfo": [{"percentageFee": digits(rate * 100)}],
        },
    }
    event = {"Execution": {"execution": shown, "takerReducedQuantity": ""}}
    return _row(contract, f"execution {fill.id}", fill.time, event)


def public_execution(contract: Contract, trade: SimTrade) -> Row:
    """Return a public execution. Who stood behind it is not kept, so both orders are the trade itself."""
    sides = {"makerOrder": trade.side.opposite, "takerOrder": trade.side}
    orders = {
        name: {
            "uid": str(uuid5(NAMESPACE_OID, f"{name} {trade.uid}")),
            "tradeable": contract.id,
            "direction": side.capitalize(),
            "quantity": digits(trade.quantity),
            "timestamp": to_millis(trade.time),
            "limitPrice": digits(trade.price),
            "orderType": "Limit",
            "reduceOnly": False,
            "lastUpdateTimestamp": to_millis(trade.time),
        }
        for name, side in sides.items()
    }
    shown = {
        "uid": trade.uid,
        **orders,
        "timestamp": to_millis(trade.time),
        "quantity": digits(trade.quantity),
        "price": digits(trade.price),
        "markPrice": digits(trade.price),
        "limitFilled": True,
        "usdValue": usd(contract, trade.quantity, trade.price),
    }
    event = {"Execution": {"execution": shown, "takerReducedQuantity": ""}}
    return _row(contract, f"public {trade.uid}", trade.time, event)


# ── positions and prices ──


def position_update(
    contract: Contract,
    entry: SimLedgerEntry,
    before: SimPosition | None,
    after: SimPosition | None,
    fill: SimFill | None = None,
    settled_at: Decimal | None = None,
    realised: Decimal | None = None,
) -> Row:
    """Return a change of a position by a trade, by settlement, or (with neither) by funding.

    Args:
        realised: The funding that a trade realised.
    """
    old, new = (Decimal(0) if each is None else each.quantity for each in (before, after))
    change = _change(old, new)
    funding = entry.kind == "funding"
    reason, flag = ("fundingRealisation", "funding_realization") if funding else ("settlement", "settlement")
    fields: Fields = {
        "accountUid": account_id(entry.account),
        "tradeable": contract.id,
        "oldPosition": digits(old),
        "oldAverageEntryPrice": _price(before),
        "newPosition": digits(new),
        "newAverageEntryPrice": _price(after),
        "positionChange": change,
        "realizedPnL": "" if funding else digits(entry.amount),
        "fee": digits(entry.fee),
        "feeCurrency": old_code(entry.asset),
        "fundingRealizationTime": to_millis(entry.time) if funding else None,
        "realizedFunding": _maybe(entry.amount if funding else realised),
        "settlementPrice": "" if settled_at is None else digits(settled_at),
        "timestamp": to_millis(entry.time),
    }
    if fill is not None:
        reason, flag = "trade", "trades"
        fields |= {
            "fillTime": to_millis(fill.time),
            "executionUid": fill.id,
            "executionPrice": digits(fill.price),
            "executionSize": digits(fill.quantity),
            "tradeType": "liquidation" if fill.liquidation else "userExecution",
        }
    event = {"PositionUpdate": fields | {"updateReason": reason}}
    return _row(contract, f"position {entry.id}", entry.time, event, frozenset({_CHANGE_FLAGS[change], flag}))


def _price(position: SimPosition | None) -> str:
    return digits(position.entry_price) if position is not None and position.quantity else ""


def _change(old: Decimal, new: Decimal) -> str:
    if old == new:
        return "noChange"
    if not old:
        return "open"
    if not new:
        return "close"
    if (old > 0) is not (new > 0):
        return "reverse"
    return "increase" if abs(new) > abs(old) else "decrease"


def mark_price(contract: Contract, price: Decimal, time: datetime) -> Row:
    name = f"mark {contract.id} {to_millis(time)}"
    return _row(contract, name, time, {"MarkPriceChanged": {"price": digits(price)}})


def public_event(contract: Contract, kind: str, order: SimOrder) -> Row:
    """Return an order event of a market."""
    name = f"public {kind} {order.id} {len(order.amends)}"
    if kind == "OrderUpdated":
        fields: Fields = {
            "oldOrder": public_order(contract, before_edit(order)),
            "newOrder": public_order(contract, order),
        }
    else:
        fields = {"order": public_order(contract, order)}
    reasons = {"OrderPlaced": "new_user_order", "OrderUpdated": words.change_reason(order)}
    fields |= {"reason": reasons.get(kind) or words.end_reason(order).lower(), "reducedQuantity": ""}
    return _row(contract, name, order.updated, {kind: fields})
