"""Hears the exchange once for all connections and writes each public frame once for all who want it.

Sequence numbers are counted here: the book's per product, over all connections.
See https://docs.kraken.com/api/docs/futures-api/websocket/book
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from exchange_core.connector.simulation import (
    BalanceChanged,
    BookChanged,
    OrderChanged,
    OrderEvent,
    PositionChanged,
    SimEvent,
    SimExchange,
    SimFill,
    SimLedgerEntry,
    SimOrder,
    Traded,
)
from exchange_core.model.symbol import Symbol
from kraken_futures.simulator import frames
from kraken_futures.simulator.contracts import Contract, Contracts
from kraken_futures.simulator.day import Glance, glance

_HISTORY = 100
_REASONS = {
    OrderEvent.OPENED: "new_placed_order_by_user",
    OrderEvent.FILLED: "full_fill",
    OrderEvent.EXPIRED: "contract_expired",
}
_CANCEL_REASONS = {"Would not reduce the position": "would_not_reduce_position"}

Topic = tuple[str, Symbol]


class Listener(Protocol):
    """Takes the frames of public feeds."""

    def push(self, frame: str) -> None: ...


class PrivateListener(Protocol):
    """Takes the news of one account, in the order they happened."""

    def order_news(self, order: SimOrder, reason: str) -> None: ...
    def post_failed(self, order: SimOrder) -> None: ...
    def filled(self, fill: SimFill) -> None: ...
    def booked(self, entry: SimLedgerEntry) -> None: ...
    def position_changed(self) -> None: ...


class Hub:
    """What all connections of one simulated venue share."""

    def __init__(self, exchange: SimExchange, contracts: Contracts) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._topics: dict[Topic, list[Listener]] = {}
        self._accounts: dict[str, list[PrivateListener]] = {}
        self._sequence = {contract.symbol: exchange.random.getrandbits(27) for contract in contracts}
        self._looks: dict[Symbol, Glance] = {}
        self._hidden: set[str] = set()
        exchange.listen(self._hear)

    # ── who listens ──

    def subscribe(self, topic: Topic, listener: Listener) -> None:
        self._topics.setdefault(topic, []).append(listener)

    def unsubscribe(self, topic: Topic, listener: Listener) -> None:
        listeners = self._topics.get(topic, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._topics.pop(topic, None)

    def follow(self, account: str, listener: PrivateListener) -> None:
        listeners = self._accounts.setdefault(account, [])
        if listener not in listeners:
            listeners.append(listener)

    def unfollow(self, account: str, listener: PrivateListener) -> None:
        listeners = self._accounts.get(account, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._accounts.pop(account, None)

    # ── snapshots ──

    def book_snapshot(self, contract: Contract) -> str:
        bids, asks = self._exchange.book(contract.symbol)
        return frames.book_snapshot(contract, bids, asks, self._sequence[contract.symbol], self._exchange.now())

    def trade_snapshot(self, contract: Contract) -> str:
        trades = self._exchange.trades(contract.symbol)
        return frames.trade_snapshot(contract, trades[: -_HISTORY - 1 : -1])

    def look(self, contract: Contract) -> Glance:
        """Return the product at a glance; worked out once for all who ask before something changes."""
        look = self._looks.get(contract.symbol)
        if look is None:
            look = self._looks[contract.symbol] = glance(self._exchange, contract)
        return look

    # ── news ──

    def post_failed(self, order: SimOrder) -> None:
        """Tell of a post-only order that would have taken; only the verbose feed shows it."""
        for listener in tuple(self._accounts.get(order.account, ())):
            listener.post_failed(order)

    def _hear(self, event: SimEvent) -> None:
        match event:
            case BookChanged():
                self._book_changed(event)
            case Traded(trade=trade):
                self._looks.pop(trade.symbol, None)
                contract = self._contracts.of(trade.symbol)
                self._send(("trade", trade.symbol), lambda: frames.trade(contract, trade))
            case OrderChanged():
                self._order_changed(event)
            case BalanceChanged(entry=entry):
                for listener in tuple(self._accounts.get(entry.account, ())):
                    listener.booked(entry)
            case PositionChanged(account=account):
                for listener in tuple(self._accounts.get(account, ())):
                    listener.position_changed()

    def _book_changed(self, event: BookChanged) -> None:
        self._looks.pop(event.symbol, None)
        self._sequence[event.symbol] += 1
        contract, sequence = self._contracts.of(event.symbol), self._sequence[event.symbol]
        now: datetime = self._exchange.now()
        self._send(("book", event.symbol), lambda: frames.book(contract, event, sequence, now))

    def _order_changed(self, event: OrderChanged) -> None:
        listeners = tuple(self._accounts.get(event.order.account, ()))
        if not listeners:
            return
        news = self._news(event)
        for listener in listeners:
            if news:
                listener.order_news(event.order, news)
            if event.fill is not None:
                listener.filled(event.fill)

    def _news(self, event: OrderChanged) -> str:
        """Return the reason to tell of an order; empty when there is nothing to tell.

        An order that is over as soon as it was placed never shows among the open ones.
        """
        order = event.order
        if event.event is OrderEvent.OPENED:
            now = self._exchange.order(order.account, order.id)
            if now is None or now.status.is_final:
                self._hidden.add(order.id)
        if order.id in self._hidden:
            if order.status.is_final:
                self._hidden.discard(order.id)
            return ""
        if event.event is OrderEvent.FILL:
            return "partial_fill" if order.remaining else ""
        if event.event is OrderEvent.CANCELED:
            return _CANCEL_REASONS.get(order.reason, "cancelled_by_user")
        return _REASONS.get(event.event, "")

    def _send(self, topic: Topic, make: Callable[[], str]) -> None:
        listeners = self._topics.get(topic)
        if listeners:
            frame = make()
            for listener in listeners:
                listener.push(frame)
