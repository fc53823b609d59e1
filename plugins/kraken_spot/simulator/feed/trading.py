"""Trading over WebSocket v2: adding, changing and cancelling orders, one by one and in batches.

See https://docs.kraken.com/api/docs/websocket-v2/add_order and the pages beside it
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from exchange_core.connector.simulation import SimKey, SimOrder, SimRequest
from exchange_core.model.time import to_rfc3339
from kraken_spot.simulator.access import require
from kraken_spot.simulator.codec import Refused, invalid
from kraken_spot.simulator.feed.replies import Params, Reply, amount, done, field, texts, wrong
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.orders import words as order_words
from kraken_spot.simulator.orders import ws_terms
from kraken_spot.simulator.orders.amending import Change, to_amendment, to_edited
from kraken_spot.simulator.orders.terms import Terms
from kraken_spot.simulator.orders.text import is_order_id
from kraken_spot.simulator.venue import Venue

_PLACES, _CANCELS = ("modify-trades",), ("modify-trades", "close-trades")
_REFERENCE = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_BATCH, _CANCEL_BATCH = (2, 15), (2, 50)
_LONGEST = 86_400

Method = tuple[tuple[str, ...], Callable[[SimKey, Params], list[Reply]]]
"""The permissions of which one is needed, and what is done."""


class WsOrders:
    """The trading methods; each returns one reply or, for cancel_order, one for each order."""

    def __init__(self, venue: Venue) -> None:
        self._exchange = venue.exchange
        self._names = venue.names
        self._desk = venue.desk
        self.methods: dict[str, Method] = {
            "add_order": (_PLACES, self.add_order),
            "amend_order": (_CANCELS, self.amend_order),
            "edit_order": (_CANCELS, self.edit_order),
            "cancel_order": (_CANCELS, self.cancel_order),
            "cancel_all": (_CANCELS, self.cancel_all),
            "cancel_all_orders_after": (_CANCELS, self.cancel_all_orders_after),
            "batch_add": (_PLACES, self.batch_add),
            "batch_cancel": (_CANCELS, self.batch_cancel),
        }

    def run(self, method: str, key: SimKey, params: Params) -> list[Reply]:
        """Carry out a method of those that there are.

        Raises:
            Refused: In the venue's words.
            FieldError: A field is not known, or of the wrong kind.
        """
        needs, carry_out = self.methods[method]
        require(key, needs)
        ws_terms.check_fields(params, ws_terms.KNOWN[method], method)
        return carry_out(key, params)

    # ── new orders ──

    def add_order(self, key: SimKey, params: Params) -> list[Reply]:
        pair = self._pair(params)
        validate = field(params, "validate", bool, False)
        self._desk.charge_new(key.account, pair, validate=validate)
        now = self._exchange.now()
        request = self._desk.request(key.account, ws_terms.read_order(params, pair, now), now)
        order = self._desk.place(key.account, request, validate=validate)
        return [done(_placed(request, None if validate else order))]

    def batch_add(self, key: SimKey, params: Params) -> list[Reply]:
        """Check all orders first and refuse the batch for any; then each is placed for itself."""
        pair, now = self._pair(params), self._exchange.now()
        legs: list[Any] = field(params, "orders", list)
        if not _BATCH[0] <= len(legs) <= _BATCH[1]:
            raise invalid("orders")
        validate = field(params, "validate", bool, False)
        self._desk.charge_new(key.account, pair, len(legs), validate=validate)
        deadline = ws_terms.read_deadline_of(params, now)
        requests = []
        for leg in legs:
            if not isinstance(leg, dict):
                raise wrong("orders", "an array of objects")
            ws_terms.check_fields(leg, ws_terms.LEG, "batch_add")
            terms = attrs.evolve(ws_terms.read_order(leg, pair, now), deadline=deadline)
            requests.append(self._desk.request(key.account, terms, now))
        placed = self._desk.place_batch(key.account, requests, validate=validate)
        rows = [_leg(request, order, validate) for request, order in zip(requests, placed, strict=True)]
        return [{"result": rows, "success": True}]

    # ── changes ──

    def amend_order(self, key: SimKey, params: Params) -> list[Reply]:
        txid, client_id = field(params, "order_id", str, "") or None, field(params, "cl_ord_id", str, "") or None
        if (txid is None) == (client_id is None):
            raise invalid("order_id")
        quantity, display = amount(params, "order_qty"), amount(params, "display_qty")
        post_only = field(params, "post_only", bool, False)
        deadline = ws_terms.read_deadline_of(params, self._exchange.now())
        amount(params, "limit_price")
        [order] = self._desk.open(key.account, txid=txid, client_id=client_id)
        self._desk.charge_amend(order, quantity)
        pair = self._names.of(order.request.symbol)
        if "symbol" in params and field(params, "symbol", str) != pair.display:
            raise invalid("symbol")
        change = Change(
            quantity=quantity,
            display=display,
            limit=self._price(params, "limit_price", order),
            trigger=self._price(params, "trigger_price", order),
            post_only=post_only,
            deadline=deadline,
        )
        amendment = to_amendment(order, change, pair, self._desk.last_price(pair))
        result: Reply = {"amend_id": self._desk.amend(key.account, order, amendment)}
        return [done(result | ({"cl_ord_id": client_id} if txid is None else {"order_id": txid}))]

    def _price(self, params: Params, name: str, order: SimOrder) -> Any:
        usual = "quote" if order.request.type.is_trailing else "static"
        return ws_terms.optional_price(params, name, f"{name}_type", usual)

    def edit_order(self, key: SimKey, params: Params) -> list[Reply]:
        pair, txid = self._pair(params), field(params, "order_id", str)
        order = self._named(key.account, "order_id", txid)[0]
        if order.request.symbol != pair.symbol:
            raise invalid("symbol")
        validate = field(params, "validate", bool, False)
        self._desk.charge_edit(order, validate=validate)
        terms = self._edited(params, pair, order)
        post_only = field(params, "post_only", bool, False)
        request = to_edited(order, terms, pair, self._desk.last_price(pair), post_only=post_only)
        preference = field(params, "fee_preference", str, "")
        if preference not in ("", "base", "quote"):
            raise invalid("fee_preference")
        if preference:
            request = attrs.evolve(request, fee_in_base=preference == "base")
        if "reduce_only" in params:
            request = attrs.evolve(request, reduce_only=field(params, "reduce_only", bool, False))
        new = self._desk.edit(key.account, order, request, validate=validate)
        return [done({"order_id": new.id, "original_order_id": order.id} if new.id else {})]

    def _edited(self, params: Params, pair: Pair, order: SimOrder) -> Terms:
        ordertype = order_words.ordertype(order.request)
        limit = ws_terms.read_limit(params, ordertype)
        trigger, by = ws_terms.read_triggers(params, ordertype)
        quantity = amount(params, "order_qty")
        is_triggered = order.request.type.is_triggered
        return Terms(
            pair=pair,
            side=order.request.side,
            ordertype=ordertype,
            volume=order.request.quantity if quantity is None else quantity,
            price=trigger if is_triggered else limit,
            price2=limit if is_triggered else None,
            trigger=by,
            display=amount(params, "display_qty"),
            deadline=ws_terms.read_deadline_of(params, self._exchange.now()),
            reference=ws_terms.read_references(params)[1],
        )

    # ── ends ──

    def cancel_order(self, key: SimKey, params: Params) -> list[Reply]:
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
        orders = list(self._exchange.open_orders(key.account))
        return [done({"count": self._desk.cancel_batch(key.account, orders)})]

    def cancel_all_orders_after(self, key: SimKey, params: Params) -> list[Reply]:
        timeout = field(params, "timeout", int)
        if not 0 <= timeout < _LONGEST:
            raise invalid("timeout")
        now, fires = self._desk.cancel_all_after(key.account, timeout)
        # Open point: what stands there while it is off is not documented.
        shown = "0" if fires is None else to_rfc3339(fires, "seconds")
        return [done({"currentTime": to_rfc3339(now, "seconds"), "triggerTime": shown})]

    def batch_cancel(self, key: SimKey, params: Params) -> list[Reply]:
        """Cancel what is there of the orders named; those that are gone already are passed over."""
        named, clients = texts(params, "orders"), texts(params, "cl_ord_id")
        if not _CANCEL_BATCH[0] <= len(named) + len(clients) <= _CANCEL_BATCH[1]:
            raise invalid("orders")
        found: dict[str, SimOrder] = {}
        asked: list[tuple[str, Any]] = [
            ("order_userref", int(text)) if _REFERENCE.fullmatch(text) else ("order_id", text) for text in named
        ]
        for name, text in asked + [("cl_ord_id", text) for text in clients]:
            try:
                found |= {order.id: order for order in self._named(key.account, name, text)}
            except Refused as refused:
                if refused.code != "EOrder:Unknown order":
                    raise
        # Recorded at the top, documented as the count of a result.
        return [{"orders_cancelled": self._desk.cancel_batch(key.account, list(found.values())), "success": True}]

    def _cancel(self, account: str, name: str, value: Any) -> Reply:
        try:
            self._desk.cancel(account, self._named(account, name, value))
        except Refused as refused:
            return {name: value, "success": False, "error": refused.code}
        return done({name: value})

    def _named(self, account: str, name: str, value: Any) -> list[SimOrder]:
        """Return the open orders with this id."""
        if name == "cl_ord_id":
            return self._desk.open(account, client_id=value)
        if name == "order_userref":
            return self._desk.open(account, reference=value)
        if not is_order_id(value):
            raise Refused("EOrder:Invalid order")
        return self._desk.open(account, txid=value)

    def _pair(self, params: Params) -> Pair:
        pair = self._names.display(field(params, "symbol", str))
        if pair is None:
            raise Refused("EQuery:Unknown asset pair")
        return pair


def _placed(request: SimRequest, order: SimOrder | None) -> Reply:
    """Return what is told of a new order. Open point: whether one that was only checked has an id; REST gives none."""
    result: Reply = {} if order is None else {"order_id": order.id}
    if request.client_order_id is not None:
        result["cl_ord_id"] = request.client_order_id
    if request.user_ref is not None:
        result["order_userref"] = request.user_ref
    return result


def _leg(request: SimRequest, placed: SimOrder | Refused, validate: bool) -> Reply:
    """Return one row of a batch. Open point: how the venue shows one that was refused."""
    if isinstance(placed, Refused):
        return {"error": placed.code, **_placed(request, None)}
    return _placed(request, None if validate else placed)
