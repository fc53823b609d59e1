"""Hand orders to the exchange, change and end them, and count what that costs; for REST and WebSocket alike.

Kraken Spot says yes to a well-formed order before its engine has looked at the book. A post-only order that would take,
and an immediate one that finds nothing, therefore get a txid and are found canceled a moment later, with a reason.
See https://docs.kraken.com/exchange/guides/general/order-lifecycle
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import attrs

from exchange_core.connector.simulation import (
    EndReason,
    OrderEvent,
    Refusal,
    SimAmendment,
    SimExchange,
    SimOrder,
    SimRefused,
    SimRequest,
)
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderStatus, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import OrderType, TriggerBy
from kraken_spot.simulator.codec import Refused
from kraken_spot.simulator.feed.hub import Hub
from kraken_spot.simulator.limits import Limits
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.markets.traded import amend_id, order_id
from kraken_spot.simulator.orders.known import KnownOrders
from kraken_spot.simulator.orders.terms import SETTLE, Terms, to_request
from kraken_spot.simulator.orders.text import NOT_VALID, worded
from kraken_spot.simulator.rest.records import amend_record

_REASONS = {
    Refusal.POST_ONLY_WOULD_TAKE: EndReason.POST_ONLY,
    Refusal.IOC_WOULD_NOT_EXECUTE: EndReason.IMMEDIATE_OR_CANCEL,
    # The venue's word is not known; by default it cancels the newer of two orders that would meet.
    Refusal.SELF_TRADE: EndReason.SELF_TRADE,
}
# Open point: the venue has this reason; that it is for every order on the wrong side of the market is not documented.
_TRIGGERS_AT_ONCE = "Order would trigger immediately"
_NO_CHANGES = (InstrumentStatus.CANCEL_ONLY, InstrumentStatus.OFFLINE)


class Desk(KnownOrders):
    """Places orders for REST and WebSocket, changes and ends them."""

    KEEPS: ClassVar = {**KnownOrders.KEEPS, "_amend_ids": dict[str, list[str]]}

    def __init__(self, exchange: SimExchange, hub: Hub, limits: Limits) -> None:
        super().__init__(exchange, hub)
        self._limits = limits
        self._amend_ids: dict[str, list[str]] = {}

    def check_engine(self) -> None:
        """Raises: Refused: In maintenance, when there are neither orders nor cancels."""
        if self._exchange.state is VenueState.MAINTENANCE:
            raise Refused("EService:Unavailable")

    # ── what requests cost the matching engine, whether or not they read well ──

    def charge_new(self, account: str, pair: Pair, count: int = 1, *, validate: bool) -> None:
        if not validate:
            self._limits.add_orders(account, pair.symbol, count)

    def charge_amend(self, order: SimOrder, quantity: Decimal | None) -> None:
        self._limits.amend(order, ends=quantity is not None and quantity <= order.filled)

    def charge_edit(self, order: SimOrder, *, validate: bool) -> None:
        if not validate:
            self._limits.edit(order)

    # ── new orders ──

    def request(self, account: str, terms: Terms, now: datetime) -> SimRequest:
        """Return the exchange's request for *terms*; a volume of 0 is the whole margin position.

        Args:
            now: What the times in *terms* were read with.

        Raises:
            Refused: The terms contradict each other.
        """
        last = self._hub.last_price(terms.pair)
        if not terms.volume and (terms.leverage is not None or terms.reduce_only or terms.ordertype == SETTLE):
            held = sum(
                (
                    position.quantity
                    for position in self._exchange.positions(account)
                    if position.symbol == terms.pair.symbol
                ),
                Decimal(0),
            )
            if not held or (held > 0) is (terms.side.value == "buy"):
                raise Refused("EOrder:Reduce only:No position exists")
            terms = attrs.evolve(terms, volume=abs(held), reduce_only=True)
        return to_request(terms, now, last)

    def place(self, account: str, request: SimRequest, *, validate: bool) -> SimOrder:
        """Place or check an order.

        Raises:
            Refused: In the venue's words.
        """
        if not validate:
            self._check_room(account, request.symbol)
        return self._place(account, request, validate)

    def place_batch(self, account: str, requests: Sequence[SimRequest], *, validate: bool) -> list[SimOrder | Refused]:
        """Place orders of one pair, each for itself, after all of them were found valid.

        Raises:
            Refused: One of them is not.
        """
        if not validate:
            self._check_room(account, requests[0].symbol, len(requests))
        for request in requests:
            self._check_valid(account, request)
        found: list[SimOrder | Refused] = []
        for request in requests:
            try:
                found.append(self._place(account, request, validate))
            except Refused as refused:
                found.append(refused)
        return found

    def _check_valid(self, account: str, request: SimRequest) -> None:
        if request.echo.get("ordertype") == SETTLE:
            return
        try:
            self._exchange.place(account, request, validate=True)
        except SimRefused as refused:
            if refused.refusal in NOT_VALID:
                raise worded(refused) from refused

    def _place(self, account: str, request: SimRequest, validate: bool) -> SimOrder:
        if request.echo.get("ordertype") == SETTLE:
            return self._settle(account, request, validate)
        at_once = self._would_trigger(request)
        try:
            placed = self._exchange.place(account, request, validate=validate or at_once)
            if not at_once:
                return placed
            reason = _TRIGGERS_AT_ONCE
        except SimRefused as refused:
            if refused.refusal is Refusal.MARKET_CLOSED:
                raise self._closed(request.symbol) from refused
            if refused.refusal not in _REASONS:
                raise worded(refused) from refused
            reason = str(_REASONS[refused.refusal])
            if request.time_in_force is TimeInForce.FOK and refused.refusal is Refusal.IOC_WOULD_NOT_EXECUTE:
                reason = "Fill or kill"
        order = self._born(account, request, OrderStatus.CANCELED, reason)
        if not validate:
            self.keep(order, OrderEvent.CANCELED)
        return order

    def _would_trigger(self, request: SimRequest) -> bool:
        """Whether a price that is there already would set the order off."""
        trigger = request.trigger_price
        if trigger is None or request.starts is not None or not request.type.is_triggered or request.type.is_trailing:
            return False
        if request.trigger_by is TriggerBy.INDEX:
            now = self._exchange.index_price(request.symbol)
        else:
            last = self._hub.tapes[request.symbol].last
            now = self._exchange.mark_price(request.symbol) if last is None else last.price
        takes_profit = request.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
        rises = (request.side is Side.BUY) is not takes_profit
        return now >= trigger if rises else now <= trigger

    def _settle(self, account: str, request: SimRequest, validate: bool) -> SimOrder:
        """Pay a margin position with the account's own money; such an order never meets the market."""
        if validate:
            if all(position.symbol != request.symbol for position in self._exchange.positions(account)):
                raise Refused("EOrder:Unknown position")
            return self._born(account, request, OrderStatus.PENDING, "")
        try:
            settled = self._exchange.settle(account, request.symbol, request.quantity)
        except SimRefused as refused:
            unknown = refused.refusal is Refusal.WOULD_NOT_REDUCE
            raise (Refused("EOrder:Unknown position") if unknown else worded(refused)) from refused
        order = attrs.evolve(self._born(account, request, OrderStatus.FILLED, ""), filled=settled)
        self.keep(order, OrderEvent.FILLED)
        return order

    def _check_room(self, account: str, symbol: Symbol, more: int = 1) -> None:
        # An account that may have any number of open orders may have too many to count them each time.
        if self._limits.enforced:
            orders = self._exchange.open_orders(account)
            self._limits.room_for(account, sum(order.request.symbol == symbol for order in orders), more)

    def _born(self, account: str, request: SimRequest, status: OrderStatus, reason: str) -> SimOrder:
        now = self._exchange.now()
        return SimOrder(
            id=order_id(self._exchange.random),
            account=account,
            request=request,
            status=status,
            created=now,
            updated=now,
            reason=reason,
        )

    def last_price(self, pair: Pair) -> Decimal:
        return self._hub.last_price(pair)

    # ── changes ──

    def amend(self, account: str, order: SimOrder, amendment: SimAmendment) -> str:
        """Change an open order; return the amendment's id.

        Raises:
            Refused: In the venue's words.
        """
        symbol = order.request.symbol
        if self._exchange.market(symbol).instrument.status in _NO_CHANGES:
            raise self._closed(symbol)
        try:
            changed = self._exchange.amend(account, order.id, amendment)
        except SimRefused as refused:
            raise worded(refused) from refused
        return self.amend_ids(changed)[-1]

    def amend_ids(self, order: SimOrder) -> list[str]:
        """Return the ids of an order's terms: the first ones, then one for each change."""
        ids = self._amend_ids.setdefault(order.id, [])
        while len(ids) <= len(order.amends):
            ids.append(amend_id(self._exchange.random))
        return ids

    def edit(self, account: str, order: SimOrder, request: SimRequest, *, validate: bool) -> SimOrder:
        """Put *request* in the place of an open order; return the new one.

        Raises:
            Refused: In the venue's words; the order stands as it was.
        """
        try:
            return self._exchange.replace(account, order.id, request, validate=validate)
        except SimRefused as refused:
            if refused.refusal is Refusal.MARKET_CLOSED:
                raise self._closed(request.symbol) from refused
            raise worded(refused) from refused

    def _closed(self, symbol: Symbol) -> Refused:
        status = self._exchange.market(symbol).instrument.status
        word = "cancel_only" if status is InstrumentStatus.OFFLINE else status
        return Refused(f"EService:Market in {word} mode")

    def history(self, order: SimOrder, pair: Pair) -> list[dict[str, Any]]:
        """Return the terms that an order had, oldest first, as OrderAmends shows them."""
        ids = self.amend_ids(order)
        fills = [fill for fill in self._exchange.fills(order.account) if fill.order_id == order.id]
        terms = [request for request, _, _ in order.amends] + [order.request]
        moments = [order.created] + [moment for _, moment, _ in order.amends]
        reasons = [""] + [reason for _, _, reason in order.amends]
        rows = []
        for number, (request, moment, reason) in enumerate(zip(terms, moments, reasons, strict=True)):
            filled = sum((fill.quantity for fill in fills if number and fill.time <= moment), Decimal(0))
            rows.append(amend_record(pair, ids[number], request, moment, reason, filled))
        return rows

    # ── ends ──

    def cancel(self, account: str, orders: Sequence[SimOrder]) -> int:
        """Cancel *orders* one by one; return how many there were to cancel.

        Raises:
            Refused: The limit is reached before the first of them.
        """
        count = 0
        for order in orders:
            try:
                self._limits.cancel(order)
            except Refused:
                if not count:
                    raise
                break
            count += self._cancel(account, order)
        return count

    def cancel_batch(self, account: str, orders: Sequence[SimOrder]) -> int:
        """Cancel *orders* in one request, which the limit does not stop."""
        self._limits.cancel_batch(orders)
        return sum(self._cancel(account, order) for order in orders)

    def cancel_all_after(self, account: str, seconds: int) -> tuple[datetime, datetime | None]:
        """Arm the dead man's switch, or disarm it with 0; return the time and when it would fire."""
        try:
            fires = self._exchange.cancel_all_after(account, float(seconds) if seconds else None)
        except SimRefused as refused:
            raise worded(refused) from refused
        return self._exchange.now(), fires

    def _cancel(self, account: str, order: SimOrder) -> bool:
        try:
            self._exchange.cancel(account, order.id)
        except SimRefused:
            return False  # gone by what the cancel before it caused
        return True
