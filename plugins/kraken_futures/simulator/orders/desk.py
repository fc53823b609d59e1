"""Takes orders, edits and cancels, one by one, and says what became of each. What REST calls and batches share.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order and its neighbours
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import (
    OrderChanged,
    Refusal,
    SimAmendment,
    SimEvent,
    SimExchange,
    SimOrder,
    SimRefused,
    SimRequest,
)
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderStatus, TimeInForce
from exchange_core.model.symbol import Symbol
from kraken_futures.simulator.codec import Arguments, Refused, iso
from kraken_futures.simulator.feed.hub import Hub
from kraken_futures.simulator.limits import Limits
from kraken_futures.simulator.markets.contracts import Contract, Contracts, is_expired
from kraken_futures.simulator.markets.traded import new_uuid
from kraken_futures.simulator.orders import shapes, words
from kraken_futures.simulator.orders.reading import BadOrder, Reader, outside_collar
from kraken_futures.simulator.past import events
from kraken_futures.simulator.past.chronicle import Chronicle
from kraken_futures.simulator.settings import Settings

MEMORY = timedelta(seconds=5)
_LONGEST_CLIENT_ID = 100
_ZERO = Decimal(0)
_LATE = "wouldProcessAfterSpecifiedTime"

Fields = dict[str, Any]


@attrs.frozen
class Rejected:
    """An order that did not get in, as ``orders/status`` remembers it for a while."""

    order: SimOrder
    error: str


class Desk(Room):
    """All orders of a simulated venue come through here."""

    KEEPS: ClassVar = {"_client_ids": dict[str, set[str]]}

    def __init__(
        self,
        exchange: SimExchange,
        contracts: Contracts,
        chronicle: Chronicle,
        hub: Hub,
        settings: Settings,
        limits: Limits,
    ) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._chronicle = chronicle
        self._hub = hub
        self._settings = settings
        self._limits = limits
        self._client_ids: dict[str, set[str]] = {}
        self._rejected: dict[str, deque[Rejected]] = {}
        self.reader = Reader(contracts)

    # ── sending ──

    def send(self, account: str, given: Arguments) -> Fields:
        """Place an order; return its ``sendStatus``.

        Raises:
            Refused: An argument is missing or does not read.
        """
        status: Fields = {"receivedTime": iso(self._exchange.now())}
        if client_id := given.text("cliOrdId"):
            status["cliOrdId"] = client_id
        strategy = words.STRATEGIES[self._settings.of(account).strategy]
        try:
            contract, request = self.reader.order(given, strategy)
        except BadOrder as bad:
            contract = self.reader.contract(given.required("symbol"))
            return status | self._reject(account, contract, bad.request, bad.status, bad.reason)
        refused = self._refused_at_once(account, contract, request)
        if refused:
            return status | {"status": refused}
        size = self._reduced_size(account, request)
        reduced = None if size == request.quantity else request.quantity - size
        request = attrs.evolve(request, quantity=size)
        try:
            with self._chronicle.reducing(reduced):
                order, heard = self._heard(account, lambda: self._exchange.place(account, request))
        except SimRefused as refusal:
            return status | self._refusal(account, contract, request, refusal.refusal)
        if client_id:
            self._used(account).add(client_id)
        shown = shapes.told(contract, order, heard, reduced)
        return {"order_id": order.id, "status": "placed", **status, "orderEvents": shown}

    def _refused_at_once(self, account: str, contract: Contract, request: SimRequest) -> str:
        """Return the status of what is refused before the engine sees it; empty for what is not."""
        client_id = request.client_order_id or ""
        if len(client_id) > _LONGEST_CLIENT_ID:
            return "clientOrderIdTooBig"
        if client_id and not client_id.isprintable():
            return "clientOrderIdInvalid"
        # The venue wants client ids to be unique for ever, not only among open orders.
        if client_id and client_id in self._used(account):
            return "clientOrderIdAlreadyExist"
        if request.deadline is not None and request.deadline <= self._exchange.now():
            return _LATE
        if self._limits.open_orders_full(lambda: self._exchange.open_orders(account)):
            return "tooManyOrders"
        return self._closed(contract, request.post_only) or self._too_risky(account, contract, request)

    def _closed(self, contract: Contract, post_only: bool) -> str:
        status = contract.instrument.status
        if is_expired(contract, self._exchange.now()) or status is InstrumentStatus.OFFLINE:
            return "marketInactive"
        if status is InstrumentStatus.POST_ONLY and not post_only:
            return "marketIsPostOnly"
        return "marketSuspended" if status is InstrumentStatus.CANCEL_ONLY else ""

    def _too_risky(self, account: str, contract: Contract, request: SimRequest) -> str:
        if outside_collar(contract, request.side, request.price):
            return "outsidePriceCollar"
        if request.reduce_only or request.quantity <= 0:
            return ""
        held = self._held(account, contract.symbol)
        size = held + request.side.sign * request.quantity
        if abs(size) > max(contract.largest_position, abs(held)):
            return "maxPositionViolation"
        leverage = self._settings.of(account).leverage.get(contract.symbol)
        if leverage is not None and self._settings.too_high(contract, leverage, size, contract.mark()):
            return "fixedLeverageTooHigh"
        return ""

    def _reduced_size(self, account: str, request: SimRequest, filled: Decimal = _ZERO) -> Decimal:
        """Return the size of an order: of one that only reduces no more than its position, beside what is filled.

        Where there is no position, or all or nothing is to execute, the engine refuses.
        """
        if not request.reduce_only or request.type.is_triggered or request.time_in_force is TimeInForce.FOK:
            return request.quantity
        held = self._held(account, request.symbol) * -request.side.sign
        return min(request.quantity, filled + held) if held > 0 else request.quantity

    def _held(self, account: str, symbol: Symbol) -> Decimal:
        positions = self._exchange.positions(account)
        return next((each.quantity for each in positions if each.symbol == symbol), _ZERO)

    def _used(self, account: str) -> set[str]:
        """Return all client ids that *account* ever used."""
        if account not in self._client_ids:
            ids = (order.request.client_order_id for order in self.all(account))
            self._client_ids[account] = {each for each in ids if each is not None}
        return self._client_ids[account]

    def _refusal(self, account: str, contract: Contract, request: SimRequest, refusal: Refusal) -> Fields:
        """Return the status of a refused order; what the engine rejected has an id and an event."""
        word = words.REFUSALS[refusal]
        if refusal not in words.REJECTIONS:
            return {"status": word}
        rejected = self._reject(account, contract, request, word, words.REJECTIONS[refusal])
        if refusal is Refusal.POST_ONLY_WOULD_TAKE:
            self._hub.post_failed(self._rejected[account][-1].order)
        return rejected

    def _reject(self, account: str, contract: Contract, request: SimRequest, status: str, reason: str) -> Fields:
        order = SimOrder(
            id=new_uuid(self._exchange.random),
            account=account,
            request=request,
            status=OrderStatus.REJECTED,
            created=self._exchange.now(),
            updated=self._exchange.now(),
            limit=request.price,
            trigger=request.trigger_price,
        )
        self._rejected.setdefault(account, deque(maxlen=1000)).append(Rejected(order, reason))
        self._chronicle.of(account).orders.add(events.rejected(contract, order, reason))
        shown = shapes.reject_event(contract, order, reason)
        return {"order_id": order.id, "status": status, "orderEvents": [shown]}

    def _heard(self, account: str, act: Callable[[], SimOrder]) -> tuple[SimOrder, list[OrderChanged]]:
        """Do something to an order; return it and what happened to it meanwhile."""
        heard: list[OrderChanged] = []

        def listen(event: SimEvent) -> None:
            if isinstance(event, OrderChanged) and event.order.account == account:
                heard.append(event)

        stop = self._exchange.listen(listen)
        try:
            order = act()
        finally:
            stop()
        return order, [event for event in heard if event.order.id == order.id]

    # ── editing ──

    def edit(self, account: str, given: Arguments, order_id: str) -> Fields:
        """Change an open order; return its ``editStatus``.

        Raises:
            Refused: An argument is missing or does not read.
        """
        client_id = given.text("cliOrdId")
        if not order_id and not client_id:
            raise Refused("requiredArgumentMissing")
        now = self._exchange.now()
        status: Fields = {"orderId": order_id or None, "cliOrdId": client_id or None, "receivedTime": iso(now)}
        order = self.find(account, order_id, client_id)
        if order is None or order.status.is_final:
            return {"status": "orderForEditNotFound", **status, "orderEvents": []}
        status |= {"orderId": order.id, "cliOrdId": order.request.client_order_id}
        contract = self._contracts.of(order.request.symbol)
        if words.waits(order) and not order.request.type.is_trailing:
            given.required("stopPrice")
            if order.request.price is not None:
                given.required("limitPrice")
        amendment = self.reader.edit(given, order)
        refused = self._edit_refused_at_once(contract, order, amendment, now)
        if refused:
            return {"status": refused, **status, "orderEvents": []}
        reduced = None
        if amendment.quantity is not None:
            wanted = attrs.evolve(order.request, quantity=amendment.quantity)
            size = self._reduced_size(account, wanted, order.filled)
            reduced = None if size == wanted.quantity else wanted.quantity - size
            amendment = attrs.evolve(amendment, quantity=size)
        self._chronicle.edited = order.id
        try:
            with self._chronicle.reducing(reduced):
                _, heard = self._heard(account, lambda: self._exchange.amend(account, order.id, amendment))
        except SimRefused as refusal:
            return {**self._edit_refusal(account, contract, order, amendment, refusal.refusal), **status}
        finally:
            self._chronicle.edited = ""
        return {"status": "edited", **status, "orderEvents": shapes.told(contract, order, heard, reduced)}

    def _edit_refused_at_once(self, contract: Contract, order: SimOrder, amendment: SimAmendment, now: datetime) -> str:
        if amendment.deadline is not None and amendment.deadline <= now:
            return _LATE
        trails, waits = order.request.type.is_trailing, words.waits(order)
        if trails and waits and amendment.trigger_price is not None:
            return "cannotEditTriggerPriceOfTrailingStop"
        if trails and waits and amendment.price is not None:
            return "cannotEditLimitPriceOfTrailingStop"
        if (amendment.trigger_price is not None and not waits) or (amendment.trail is not None and not trails):
            return "orderForEditNotAStop"
        if amendment.quantity is not None and amendment.quantity <= 0:
            return "invalidSize"
        if amendment.price is not None and not order.request.type.has_limit:
            return "invalidPrice"  # a stop without a limit is not given one here
        if outside_collar(contract, order.request.side, amendment.price):
            return "outsidePriceCollar"
        return self._closed(contract, order.request.post_only)

    def _edit_refusal(
        self, account: str, contract: Contract, order: SimOrder, amendment: SimAmendment, refusal: Refusal
    ) -> Fields:
        """Return the status of an edit that the engine refused; the order stays as it was."""
        word = words.REFUSALS[refusal]
        error = words.REJECTIONS.get(refusal, word)
        changes = {
            name: value
            for name in ("quantity", "price", "trigger_price", "trail")
            if (value := getattr(amendment, name)) is not None
        }
        attempted = attrs.evolve(
            order,
            request=attrs.evolve(order.request, **changes),
            limit=order.limit if amendment.price is None else amendment.price,
            trigger=order.trigger if amendment.trigger_price is None else amendment.trigger_price,
        )
        stream = self._chronicle.of(account).triggers if words.waits(order) else self._chronicle.of(account).orders
        stream.add(events.edit_rejected(contract, order, attempted, error, self._exchange.now()))
        if refusal not in words.REJECTIONS:
            return {"status": word, "orderEvents": []}
        return {"status": word, "orderEvents": [shapes.reject_event(contract, attempted, error)]}

    # ── cancelling ──

    def cancel(self, account: str, order_id: str, client_id: str, deadline: datetime | None) -> Fields:
        """Cancel an order; return its ``cancelStatus``."""
        now = self._exchange.now()
        if not order_id and not client_id:
            raise Refused("requiredArgumentMissing")
        status: Fields = {"receivedTime": iso(now)}
        status |= {"order_id": order_id} if order_id else {"cliOrdId": client_id}
        if deadline is not None and deadline <= now:
            return status | {"status": _LATE}
        order = self.find(account, order_id, client_id)
        if order is None or order.status.is_final:
            word = "filled" if order is not None and order.status is OrderStatus.FILLED else "notFound"
            return {"status": word, **status}
        status["order_id"] = order.id
        if order.request.client_order_id is not None:
            status["cliOrdId"] = order.request.client_order_id
        return {"status": "cancelled", **status, "orderEvents": [self.end(order)]}

    def end(self, order: SimOrder) -> Fields:
        """Cancel an open order; return the event."""
        self._exchange.cancel(order.account, order.id)
        return shapes.cancel_event(self._contracts.of(order.request.symbol), order)

    # ── looking ──

    def find(self, account: str, order_id: str, client_id: str) -> SimOrder | None:
        if order_id:
            return self._exchange.order(account, order_id)
        return next((order for order in self.all(account) if order.request.client_order_id == client_id), None)

    def all(self, account: str) -> Iterable[SimOrder]:
        yield from self._exchange.open_orders(account)
        yield from self._exchange.closed_orders(account)

    def rejected(self, account: str) -> Iterable[Rejected]:
        """Return what was rejected a moment ago."""
        since = self._exchange.now() - MEMORY
        return [each for each in self._rejected.get(account, ()) if each.order.updated >= since]
