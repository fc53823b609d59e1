"""Trading over WebSocket v2: add_order, cancel_order, cancel_all.

See https://docs.kraken.com/api/docs/websocket-v2/add_order
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from exchange_core.connector.simulation import SimKey, SimRequest
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from kraken_spot.simulator.access import require
from kraken_spot.simulator.codec import Refused, invalid
from kraken_spot.simulator.order_text import check_flags, is_client_id, read_deadline
from kraken_spot.simulator.replies import Params, Reply, amount, done, field, texts, wrong
from kraken_spot.simulator.rest_orders import cancel, find_open
from kraken_spot.simulator.venue import Venue

_E = TypeVar("_E", bound=StrEnum)

_SOONEST_DEADLINE = timedelta(milliseconds=500)
_CANCELS = ("modify-trades", "close-trades")
_NOT_SIMULATED = ("triggers", "conditional", "display_qty", "cash_order_qty", "effective_time", "expire_time")


class WsOrders:
    """The trading methods; each returns one reply or, for cancel_order, one for each order."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.methods: dict[str, Callable[[SimKey, Params], list[Reply]]] = {
            "add_order": self.add_order,
            "cancel_order": self.cancel_order,
            "cancel_all": self.cancel_all,
        }

    def add_order(self, key: SimKey, params: Params) -> list[Reply]:
        require(key, ("modify-trades",))
        request = self._read(params)
        validate = field(params, "validate", bool, False)
        order = self._venue.desk.place(key.account, request, validate=validate)
        # Whether a checked order gets an id in the answer is not known; REST gives none.
        result: Reply = {} if validate else {"order_id": order.id}
        if request.client_order_id is not None:
            result["cl_ord_id"] = request.client_order_id
        if request.user_ref is not None:
            result["order_userref"] = request.user_ref
        return [done(result)]

    def cancel_order(self, key: SimKey, params: Params) -> list[Reply]:
        require(key, _CANCELS)
        references: list[object] = field(params, "order_userref", list, [])
        if any(isinstance(reference, bool) or not isinstance(reference, int) for reference in references):
            raise wrong("order_userref", "an array of integers")
        asked: list[tuple[str, Any]] = [("order_id", text) for text in texts(params, "order_id")]
        asked += [("cl_ord_id", text) for text in texts(params, "cl_ord_id")]
        asked += [("order_userref", reference) for reference in references]
        if not asked:
            raise invalid("order_id")
        return [self._cancel(key.account, name, value) for name, value in asked]

    def cancel_all(self, key: SimKey, params: Params) -> list[Reply]:
        require(key, _CANCELS)
        orders = list(self._venue.exchange.open_orders(key.account))
        return [done({"count": cancel(self._venue.exchange, key.account, orders)})]

    def _cancel(self, account: str, name: str, value: Any) -> Reply:
        argument = {"order_id": "txid", "cl_ord_id": "client_id", "order_userref": "reference"}[name]
        try:
            found = find_open(self._venue.exchange, account, **{argument: value})
        except Refused as refused:
            return {name: value, "success": False, "error": refused.code}
        cancel(self._venue.exchange, account, found)
        return done({name: value})

    def _read(self, params: Params) -> SimRequest:
        for name in _NOT_SIMULATED:
            if params.get(name) is not None:
                raise invalid(name)
        if field(params, "margin", bool, False):
            raise Refused("EOrder:Cannot open position")
        if field(params, "reduce_only", bool, False):
            raise Refused("EOrder:Reduce only:No position exists")
        kind = _choice(OrderType, field(params, "order_type", str), "order_type")
        # Documented in lower case; clients are known to send upper case.
        tif = _choice(TimeInForce, field(params, "time_in_force", str, "gtc").lower(), "time_in_force")
        price, post_only = amount(params, "limit_price"), field(params, "post_only", bool, False)
        check_flags(kind, tif, price, post_only)
        pair = self._venue.names.display(field(params, "symbol", str))
        if pair is None:
            raise Refused("EQuery:Unknown asset pair")
        deadline = field(params, "deadline", str, "")
        client_id, reference = _references(params)
        now = self._venue.exchange.now()
        return SimRequest(
            symbol=pair.symbol,
            side=_choice(Side, field(params, "side", str), "side"),
            type=kind,
            quantity=_quantity(params),
            price=price,
            time_in_force=tif,
            post_only=post_only,
            client_order_id=client_id,
            user_ref=reference,
            deadline=read_deadline(deadline, now, _SOONEST_DEADLINE) if deadline else None,
        )


def _quantity(params: Params) -> Decimal:
    quantity = amount(params, "order_qty")
    if quantity is None:
        raise wrong("order_qty", "a number_float")
    return quantity


def _references(params: Params) -> tuple[str | None, int | None]:
    client_id = field(params, "cl_ord_id", str, "") or None
    given = params.get("order_userref")
    reference = None if given is None else field(params, "order_userref", int)
    if client_id is not None and (given is not None or not is_client_id(client_id)):
        raise invalid("cl_ord_id")
    if reference is not None and not -(2**31) <= reference < 2**31:
        raise invalid("order_userref")
    return client_id, reference


def _choice(kind: type[_E], text: str, name: str) -> _E:
    try:
        return kind(text)
    except ValueError:
        raise invalid(name) from None
