"""Trading over REST: AddOrder, CancelOrder, CancelAll.

See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from exchange_core.connector.simulation import SimExchange, SimKey, SimOrder, SimRefused, SimRequest
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from kraken_spot.simulator.codec import Arguments, Refused, invalid, read_decimal
from kraken_spot.simulator.desk import Desk
from kraken_spot.simulator.names import Names
from kraken_spot.simulator.order_text import check_flags, describe, is_client_id, is_order_id, read_deadline

_SOONEST_DEADLINE = timedelta(seconds=2)
_FLAGS = {"post", "fcib", "fciq", "nompp"}
_TIMES = ("GTC", "IOC", "FOK")
_REFERENCE = re.compile(r"-?[0-9]{1,10}")
_NOT_SIMULATED = ("price2", "displayvol", "starttm", "expiretm", "trigger")


class RestOrders:
    """The trading endpoints of one venue."""

    def __init__(self, exchange: SimExchange, names: Names, desk: Desk) -> None:
        self._exchange = exchange
        self._names = names
        self._desk = desk

    def add_order(self, key: SimKey, given: Arguments) -> object:
        pair = self._names.pair(given.required("pair"))
        request = self._read(given)
        validate = given.flag("validate")
        order = self._desk.place(key.account, request, validate=validate)
        answer: dict[str, object] = {"descr": {"order": describe(pair, request)}}
        return answer if validate else answer | {"txid": [order.id]}

    def cancel_order(self, key: SimKey, given: Arguments) -> object:
        txid, client_id = given.text("txid"), given.text("cl_ord_id")
        if not txid and not client_id:
            raise invalid("txid")
        reference = int(txid) if _REFERENCE.fullmatch(txid) else None
        found = find_open(self._exchange, key.account, txid=txid, client_id=client_id, reference=reference)
        return {"count": cancel(self._exchange, key.account, found)}

    def cancel_all(self, key: SimKey, given: Arguments) -> object:
        return {"count": cancel(self._exchange, key.account, list(self._exchange.open_orders(key.account)))}

    def _read(self, given: Arguments) -> SimRequest:
        side = given.choice("type", ("buy", "sell"))
        kind = OrderType(given.choice("ordertype", ("market", "limit")))
        quantity = given.decimal("volume")
        self._refuse_unsimulated(given)
        tif = TimeInForce(given.choice("timeinforce", _TIMES, "GTC").lower())
        flags = set(given.words("oflags"))
        if not flags <= _FLAGS or {"fcib", "fciq"} <= flags:
            raise invalid("viqc" if "viqc" in flags else "oflags")
        price = self._price(given)
        check_flags(kind, tif, price, "post" in flags)
        client_id, reference = self._references(given)
        deadline = given.text("deadline")
        return SimRequest(
            symbol=self._names.pair(given.required("pair")).symbol,
            side=Side(side),
            type=kind,
            quantity=quantity,
            price=price,
            time_in_force=tif,
            post_only="post" in flags,
            client_order_id=client_id,
            user_ref=reference,
            deadline=read_deadline(deadline, self._exchange.now(), _SOONEST_DEADLINE) if deadline else None,
        )

    def _price(self, given: Arguments) -> Decimal | None:
        if "price" not in given or given.text("price") == "0":
            return None
        text = given.text("price")
        # Prices relative to the market (+1, #5%) are not simulated.
        price = None if text[:1] in "+-#" else read_decimal(text)
        if price is None:
            raise Refused("EOrder:Invalid price")
        return price

    def _references(self, given: Arguments) -> tuple[str | None, int | None]:
        client_id = given.text("cl_ord_id") or None
        reference = given.integer("userref", 0, -(2**31), 2**31 - 1) if "userref" in given else None
        if client_id is not None and (reference is not None or not is_client_id(client_id)):
            raise invalid("cl_ord_id")
        return client_id, reference

    def _refuse_unsimulated(self, given: Arguments) -> None:
        """What the simulation cannot do is refused and never ignored."""
        for name in _NOT_SIMULATED:
            if name in given and given.text(name) not in ("0", "last"):
                raise invalid(name)
        if any(name == "close" or name.startswith("close[") for name in given.names()):
            raise invalid("close")
        if given.text("leverage", "none") not in ("none", "0"):
            raise Refused("EOrder:Cannot open position")
        if given.flag("reduce_only"):
            raise Refused("EOrder:Reduce only:No position exists")


def find_open(
    exchange: SimExchange, account: str, *, txid: str = "", client_id: str = "", reference: int | None = None
) -> list[SimOrder]:
    """Return the open orders with this client id, this user reference, or this txid.

    Raises:
        Refused: There is none, or *txid* is no txid.
    """
    orders = exchange.open_orders(account)
    if client_id:
        found = [order for order in orders if order.request.client_order_id == client_id]
    elif reference is not None:
        found = [order for order in orders if order.request.user_ref == reference]
    elif is_order_id(txid):
        found = [order for order in orders if order.id == txid]
    else:
        raise Refused("EOrder:Invalid order")
    if not found:
        raise Refused("EOrder:Unknown order")
    return found


def cancel(exchange: SimExchange, account: str, orders: list[SimOrder]) -> int:
    """Cancel *orders*; return how many there were to cancel."""
    count = 0
    for order in orders:
        try:
            exchange.cancel(account, order.id)
        except SimRefused:
            continue  # gone by what the cancel before it caused
        count += 1
    return count
