"""Trading over REST: orders, batches of them, amends, edits and cancels.

See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import attrs

from exchange_core.connector.simulation import SimAmendment, SimKey, SimOrder, SimRequest
from exchange_core.model.side import Side
from exchange_core.model.time import to_rfc3339
from kraken_spot.simulator.codec import Arguments, Refused, fixed, invalid
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.orders import words as order_words
from kraken_spot.simulator.orders.amending import Change, to_amendment, to_edited
from kraken_spot.simulator.orders.prices import read_price
from kraken_spot.simulator.orders.rest_terms import read_deadline_of, read_flags, read_order, read_terms
from kraken_spot.simulator.orders.text import is_order_id
from kraken_spot.simulator.orders.words import describe, describe_close
from kraken_spot.simulator.venue import Venue

_REFERENCE = re.compile(r"-?[0-9]{1,10}")
_BATCH, _CANCEL_BATCH = (2, 15), 50
_LONGEST = 86_400


class RestOrders:
    """The trading endpoints of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._exchange = venue.exchange
        self._names = venue.names
        self._desk = venue.desk

    # ── new orders ──

    def add_order(self, key: SimKey, given: Arguments) -> object:
        pair = self._names.listed(given.required("pair"), given)
        validate = given.flag("validate")
        self._desk.charge_new(key.account, pair, validate=validate)
        now = self._exchange.now()
        request = self._desk.request(key.account, read_order(given, pair, now), now)
        order = self._desk.place(key.account, request, validate=validate)
        answer: dict[str, object] = {"descr": _description(pair, request)}
        return answer if validate else answer | {"txid": [order.id]}

    def add_order_batch(self, key: SimKey, given: Arguments) -> object:
        """Check all orders first and refuse the batch for any; then each is placed for itself."""
        pair = self._names.listed(given.required("pair"), given)
        items = given.raw("orders")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise invalid("orders")
        if not _BATCH[0] <= len(items) <= _BATCH[1]:
            raise invalid("orders")
        validate = given.flag("validate")
        self._desk.charge_new(key.account, pair, len(items), validate=validate)
        now = self._exchange.now()
        deadline = read_deadline_of(given, now)
        requests = []
        for item in items:
            terms = read_order(Arguments(item), pair, now)
            requests.append(self._desk.request(key.account, attrs.evolve(terms, deadline=deadline), now))
        placed = self._desk.place_batch(key.account, requests, validate=validate)
        return {"orders": [_batch_row(pair, *row, validate) for row in zip(requests, placed, strict=True)]}

    # ── changes ──

    def amend_order(self, key: SimKey, given: Arguments) -> object:
        txid, client_id = given.text("txid") or None, given.text("cl_ord_id") or None
        if (txid is None) == (client_id is None):
            raise invalid("txid")
        if txid is not None and not is_order_id(txid):
            raise Refused("EOrder:Invalid order")
        change = Change(
            quantity=given.decimal("order_qty") if "order_qty" in given else None,
            display=given.decimal("display_qty") if "display_qty" in given else None,
            limit=read_price(given.text("limit_price")) if "limit_price" in given else None,
            trigger=read_price(given.text("trigger_price")) if "trigger_price" in given else None,
            post_only=given.flag("post_only"),
            deadline=read_deadline_of(given, self._exchange.now()),
        )
        [order] = self._desk.open(key.account, txid=txid, client_id=client_id)
        self._desk.charge_amend(order, change.quantity)
        pair = self._names.of(order.request.symbol)
        if "pair" in given and self._names.pair(given.text("pair")) is not pair:
            raise invalid("pair")
        return {"amend_id": self._desk.amend(key.account, order, self.amendment(order, change))}

    def amendment(self, order: SimOrder, change: Change) -> SimAmendment:
        pair = self._names.of(order.request.symbol)
        return to_amendment(order, change, pair, self._desk.last_price(pair))

    def edit_order(self, key: SimKey, given: Arguments) -> object:
        pair = self._names.listed(given.required("pair"), given)
        found = self._one(key.account, given.required("txid"))
        order = found[0]
        if len(found) > 1:  # a user reference that several have
            raise invalid("txid")
        if order.request.symbol != pair.symbol:
            raise invalid("pair")
        validate = given.flag("validate")
        self._desk.charge_edit(order, validate=validate)
        old = order.request
        terms = read_terms(
            given,
            pair,
            self._exchange.now(),
            side=Side(old.side),
            ordertype=order_words.ordertype(old),
            volume=given.decimal("volume") if "volume" in given else old.quantity,
        )
        flags = read_flags(given)
        request = to_edited(order, terms, pair, self._desk.last_price(pair), post_only="post" in flags)
        new = self._desk.edit(key.account, order, request, validate=validate)
        answer: dict[str, Any] = {"status": "ok"}
        if not validate:
            answer |= {"txid": new.id, "originaltxid": order.id}
        if request.user_ref is not None:
            answer["newuserref"] = request.user_ref
        if old.user_ref is not None:
            answer["olduserref"] = old.user_ref
        answer |= _edited_prices(pair, request)
        return answer | {"orders_cancelled": 0 if validate else 1, "descr": _description(pair, request)}

    def order_amends(self, key: SimKey, given: Arguments) -> object:
        txid = given.required("order_id")
        if not is_order_id(txid):
            raise Refused("EOrder:Invalid order")
        order = self._desk.find(key.account, txid)
        if order is None:
            raise Refused("EOrder:Unknown order")
        rows = self._desk.history(order, self._names.of(order.request.symbol))
        return {"count": len(rows), "amends": rows}

    # ── ends ──

    def cancel_order(self, key: SimKey, given: Arguments) -> object:
        txid, client_id = given.text("txid"), given.text("cl_ord_id")
        if not txid and not client_id:
            raise invalid("txid")
        found = self._desk.open(key.account, client_id=client_id) if client_id else self._one(key.account, txid)
        return {"count": self._desk.cancel(key.account, found)}

    def cancel_order_batch(self, key: SimKey, given: Arguments) -> object:
        """Cancel what is there of the orders named; those that are gone already are passed over."""
        named, clients = _items(given, "orders"), _items(given, "cl_ord_ids")
        if not 1 <= len(named) + len(clients) <= _CANCEL_BATCH:
            raise invalid("orders")
        found: dict[str, SimOrder] = {}
        for item in named:
            if isinstance(item, bool) or not isinstance(item, str | int):
                raise invalid("orders")
            found |= self._found(key.account, str(item))
        for item in clients:
            if not isinstance(item, str):
                raise invalid("cl_ord_ids")
            found |= _by_id(self._maybe(key.account, client_id=item))
        return {"count": self._desk.cancel_batch(key.account, list(found.values()))}

    def cancel_all(self, key: SimKey, given: Arguments) -> object:
        return {"count": self._desk.cancel_batch(key.account, list(self._exchange.open_orders(key.account)))}

    def cancel_all_after(self, key: SimKey, given: Arguments) -> object:
        given.required("timeout")
        now, fires = self._desk.cancel_all_after(key.account, given.integer("timeout", 0, 0, _LONGEST - 1))
        # Open point: what stands there while it is off is not documented.
        shown = "0" if fires is None else to_rfc3339(fires, "seconds")
        return {"currentTime": to_rfc3339(now, "seconds"), "triggerTime": shown}

    # ── which orders ──

    def _one(self, account: str, text: str) -> list[SimOrder]:
        """Return the open orders that a txid or a user reference names."""
        if _REFERENCE.fullmatch(text):
            return self._desk.open(account, reference=int(text))
        if not is_order_id(text):
            raise Refused("EOrder:Invalid order")
        return self._desk.open(account, txid=text)

    def _found(self, account: str, text: str) -> dict[str, SimOrder]:
        if _REFERENCE.fullmatch(text):
            return _by_id(self._maybe(account, reference=int(text)))
        if not is_order_id(text):
            raise Refused("EOrder:Invalid order")
        return _by_id(self._maybe(account, txid=text))

    def _maybe(self, account: str, **named: Any) -> list[SimOrder]:
        try:
            return self._desk.open(account, **named)
        except Refused:
            return []


def _by_id(orders: Sequence[SimOrder]) -> dict[str, SimOrder]:
    return {order.id: order for order in orders}


def _items(given: Arguments, name: str) -> list[Any]:
    found = given.raw(name)
    if found is not None and not isinstance(found, list):
        raise invalid(name)
    return found or []


def _description(pair: Pair, request: SimRequest) -> dict[str, str]:
    close = describe_close(pair, request)
    return {"order": describe(pair, request)} | ({"close": close} if close else {})


def _batch_row(pair: Pair, request: SimRequest, placed: SimOrder | Refused, validate: bool) -> dict[str, Any]:
    if isinstance(placed, Refused):
        return {"error": placed.code}
    descr = _description(pair, request)
    close = descr.pop("close", None)
    row: dict[str, Any] = {} if validate else {"txid": placed.id}
    row["descr"] = descr
    return row if close is None else row | {"close": close}


def _edited_prices(pair: Pair, request: SimRequest) -> dict[str, str]:
    price, price2 = order_words.prices_of(pair, request)
    found = {"volume": fixed(request.quantity, pair.volume_decimals), "price": price}
    return found if price2 == "0" else found | {"price2": price2}
