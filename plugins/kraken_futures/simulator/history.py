"""The history service: executions and order events, as far as the exchange remembers them.

See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from exchange_core.connector.simulation import SimExchange, SimFill, SimOrder, SimTrade
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus, OrderType, TimeInForce
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import Arguments, Refused, digits, illegal, iso
from kraken_futures.simulator.contracts import Contract, Contracts
from kraken_futures.simulator.private_frames import account_id

_PAGE = 1000

Element = dict[str, Any]


class History:
    """Answers with pages of events; the token is the place where the next page begins."""

    def __init__(self, exchange: SimExchange, contracts: Contracts) -> None:
        self._exchange = exchange
        self._contracts = contracts

    def executions(self, account: str, given: Arguments) -> Element:
        contract = self._tradeable(given)
        found = [
            self._execution(fill)
            for fill in self._exchange.fills(account)
            if contract is None or fill.symbol == contract.symbol
        ]
        return {"accountUid": account_id(account), **self._page(found, given)}

    def orders(self, account: str, given: Arguments) -> Element:
        contract = self._tradeable(given)
        orders = [*reversed(self._exchange.closed_orders(account)), *self._exchange.open_orders(account)]
        found = [
            element
            for order in orders
            if contract is None or order.request.symbol == contract.symbol
            for element in self._order_events(order)
        ]
        found.sort(key=_timestamp)
        return {"accountUid": account_id(account), **self._page(found, given)}

    def market_executions(self, name: str, given: Arguments) -> Element:
        contract = self._contracts.find(name)
        if contract is None:
            raise Refused("notFound", 404)
        trades = self._exchange.trades(contract.symbol)
        return self._page([_public_execution(contract, trade) for trade in trades], given)

    def _tradeable(self, given: Arguments) -> Contract | None:
        if "tradeable" not in given:
            return None
        contract = self._contracts.find(given.text("tradeable"))
        if contract is None:
            raise illegal("tradeable")
        return contract

    def _page(self, oldest_first: list[Element], given: Arguments) -> Element:
        since, before = (given.integer(name, -1, 0, 2**53) for name in ("since", "before"))
        order = given.text("sort", "desc")
        if order not in ("asc", "desc"):
            raise illegal("sort")
        found = [
            element
            for element in oldest_first
            if element["timestamp"] >= since and (before < 0 or element["timestamp"] < before)
        ]
        if order == "desc":
            found.reverse()
        start = given.integer("continuation_token", 0, 0, 2**53)
        count = given.integer("count", _PAGE, 1, 2**53)
        page = found[start : start + min(count, _PAGE)]
        answer: Element = {"elements": page, "len": len(page), "serverTime": iso(self._exchange.now())}
        if start + len(page) < len(found):
            answer["continuationToken"] = str(start + len(page))
        return answer

    def _execution(self, fill: SimFill) -> Element:
        contract = self._contracts.of(fill.symbol)
        order = self._exchange.order(fill.account, fill.order_id)
        execution = {
            "uid": fill.id,
            "order": None if order is None else _order(contract, order),
            "timestamp": to_millis(fill.time),
            "quantity": digits(fill.quantity),
            "price": digits(fill.price),
            "markPrice": digits(fill.price),
            "executionType": "maker" if fill.liquidity is Liquidity.MAKER else "taker",
            "limitFilled": not fill.order_remaining,
            "usdValue": _usd(contract, fill.quantity, fill.price),
            "orderData": {"fee": digits(fill.fee), "positionSize": "0"},
        }
        event = {"Execution": {"execution": execution, "takerReducedQuantity": ""}}
        return _element(f"execution {fill.id}", fill.time, event)

    def _order_events(self, order: SimOrder) -> Iterator[Element]:
        contract = self._contracts.of(order.request.symbol)
        placed = {"order": _order(contract, order), "reason": "new_user_order", "reducedQuantity": ""}
        yield _element(f"placed {order.id}", order.created, {"OrderPlaced": placed})
        if order.status is OrderStatus.CANCELED:
            cancelled = {"order": _order(contract, order), "reason": "cancelled_by_user"}
            yield _element(f"cancelled {order.id}", order.updated, {"OrderCancelled": cancelled})


def _timestamp(element: Element) -> int:
    timestamp: int = element["timestamp"]
    return timestamp


def _element(name: str, time: datetime, event: Element) -> Element:
    return {"uid": str(uuid5(NAMESPACE_OID, name)), "timestamp": to_millis(time), "event": event}


def _order(contract: Contract, order: SimOrder) -> Element:
    """Return an order of an event; its quantity is what remains."""
    request = order.request
    return {
        "uid": order.id,
        "accountUid": account_id(order.account),
        "tradeable": contract.id,
        "direction": request.side.capitalize(),
        "quantity": digits(order.remaining),
        "filled": digits(order.filled),
        "timestamp": to_millis(order.created),
        "limitPrice": digits(request.price or Decimal(0)),
        "orderType": _type(order),
        "clientId": request.client_order_id or "",
        "reduceOnly": request.reduce_only,
        "lastUpdateTimestamp": to_millis(order.updated),
        "spotData": None,
    }


def _type(order: SimOrder) -> str:
    if order.request.post_only:
        return "Post"
    if order.request.type is OrderType.MARKET:
        return "Market"
    return "Limit" if order.request.time_in_force is TimeInForce.GTC else "IoC"


def _usd(contract: Contract, quantity: Decimal, price: Decimal) -> str:
    value = quantity if contract.symbol.is_inverse else quantity * price
    return digits(round(value * contract.instrument.contract_size, 2))


def _public_execution(contract: Contract, trade: SimTrade) -> Element:
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
    execution = {
        "uid": trade.uid,
        **orders,
        "timestamp": to_millis(trade.time),
        "quantity": digits(trade.quantity),
        "price": digits(trade.price),
        "markPrice": digits(trade.price),
        "limitFilled": True,
        "usdValue": _usd(contract, trade.quantity, trade.price),
    }
    event = {"Execution": {"execution": execution, "takerReducedQuantity": ""}}
    return _element(f"public {trade.uid}", trade.time, event)
