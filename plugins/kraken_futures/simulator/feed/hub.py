"""Hears the exchange once for all connections and writes each public frame once for all who want it.

Sequence numbers are counted here: the book's per product, over all connections.
See https://docs.kraken.com/api/docs/futures-api/websocket/book
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from exchange_core.connector.saved_state import Room
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
from kraken_futures.simulator.feed import frames
from kraken_futures.simulator.markets.contracts import Contract, Contracts
from kraken_futures.simulator.markets.day import Glance, glance
from kraken_futures.simulator.orders import words
from kraken_futures.simulator.past.account_log import LogRow
from kraken_futures.simulator.past.chronicle import Chronicle

_HISTORY = 100
_FRESH = timedelta(seconds=1)
TRIGGERED = "stop_order_triggered"
FROM_TRIGGER = "limit_order_from_stop"

Topic = tuple[str, Symbol]


class Listener(Protocol):
    """Takes the frames of public feeds."""

    def push(self, frame: str) -> None: ...


class PrivateListener(Protocol):
    """Takes the news of one account, in the order they happened."""

    def order_news(self, order: SimOrder, reason: str, gone: bool) -> None: ...
    def post_failed(self, order: SimOrder) -> None: ...
    def filled(self, fill: SimFill, kind: str) -> None: ...
    def booked(self, entry: SimLedgerEntry) -> None: ...
    def logged(self, number: int, row: LogRow) -> None: ...
    def position_changed(self) -> None: ...
    def cash_changed(self, code: str) -> None: ...


class Hub(Room):
    """What all connections of one simulated venue share."""

    KEEPS: ClassVar = {"_sequence": dict[Symbol, int], "_hidden": set[str]}

    def __init__(self, exchange: SimExchange, contracts: Contracts, chronicle: Chronicle) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._chronicle = chronicle
        self._topics: dict[Topic, list[Listener]] = {}
        self._accounts: dict[str, list[PrivateListener]] = {}
        self._sequence = {contract.symbol: exchange.random.getrandbits(27) for contract in contracts}
        self._looks: dict[Symbol, Glance] = {}
        self._stale: set[Symbol] = set()
        self._hidden: set[str] = set()
        chronicle.logged = self._logged
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
        trades = self._exchange.trades(contract.symbol)[: -_HISTORY - 1 : -1]
        return frames.trade_snapshot(contract, [(trade, self._chronicle.trade_kind(trade)) for trade in trades])

    def look(self, contract: Contract) -> Glance:
        """Return the product at a glance; the same one for all who ask, until something of it changes.

        Mark, index and funding may change without an event, so they are looked at anew every second.
        """
        symbol, now = contract.symbol, self._exchange.now()
        known = self._looks.get(symbol)
        if known is None or symbol in self._stale:
            known = self._looks[symbol] = glance(self._exchange, contract)
            self._stale.discard(symbol)
        elif now - known.looked >= _FRESH:
            fresh = glance(self._exchange, contract)
            known.looked = now
            if fresh != known:
                known = self._looks[symbol] = fresh
        return known

    # ── news ──

    def post_failed(self, order: SimOrder) -> None:
        """Tell of a post-only order that would have taken; only the verbose feed shows it."""
        for listener in self._listeners(order.account):
            listener.post_failed(order)

    def cash_changed(self, account: str, code: str) -> None:
        """Tell that the holding wallet has more or less of something."""
        for listener in self._listeners(account):
            listener.cash_changed(code)

    def _listeners(self, account: str) -> tuple[PrivateListener, ...]:
        return tuple(self._accounts.get(account, ()))

    def _hear(self, event: SimEvent) -> None:
        match event:
            case BookChanged():
                self._book_changed(event)
            case Traded(trade=trade):
                self._stale.add(trade.symbol)
                contract = self._contracts.of(trade.symbol)
                self._send(
                    ("trade", trade.symbol), lambda: frames.trade(contract, trade, self._chronicle.trade_kind(trade))
                )
            case OrderChanged():
                self._order_changed(event)
            case BalanceChanged(entry=entry):
                for listener in self._listeners(entry.account):
                    listener.booked(entry)
            case PositionChanged(account=account):
                for listener in self._listeners(account):
                    listener.position_changed()

    def _logged(self, account: str, number: int, row: LogRow) -> None:
        for listener in self._listeners(account):
            listener.logged(number, row)

    def _book_changed(self, event: BookChanged) -> None:
        self._stale.add(event.symbol)
        self._sequence[event.symbol] += 1
        contract, sequence = self._contracts.of(event.symbol), self._sequence[event.symbol]
        now: datetime = self._exchange.now()
        self._send(("book", event.symbol), lambda: frames.book(contract, event, sequence, now))

    def _order_changed(self, event: OrderChanged) -> None:
        listeners = self._listeners(event.order.account)
        if not listeners:
            return
        news, fill = self._news(event), event.fill
        kind = "" if fill is None else self._chronicle.fill_kind(fill)
        for listener in listeners:
            for reason, gone in news:
                listener.order_news(event.order, reason, gone)
            if fill is not None:
                listener.filled(fill, kind)

    def _news(self, event: OrderChanged) -> list[tuple[str, bool]]:
        """Return the reasons to tell of an order, and whether it is gone from the open ones with it.

        An order that is over as soon as it was placed, or set off, never shows among the open ones.
        """
        order = event.order
        if order.id in self._hidden:
            if order.status.is_final:
                self._hidden.discard(order.id)
            # What was told to be set off, and then did not get into the market, is told too.
            failed = words.activation_error(order) is not None
            return [(words.feed_reason(order), True)] if failed else []
        match event.event:
            case OrderEvent.OPENED:
                return [] if self._is_over(order) else [("new_placed_order_by_user", False)]
            case OrderEvent.TRIGGERED:
                return [(TRIGGERED, True)] if self._is_over(order) else [(TRIGGERED, True), (FROM_TRIGGER, False)]
            case OrderEvent.AMENDED:
                return [(words.change_reason(order), False)]
            case OrderEvent.RESTATED if words.waits(order):
                return [("trailing_stop_price_updated", False)]  # seen nowhere: the word is that of orders/status
            case OrderEvent.FILL:
                return [("partial_fill", False)] if order.remaining else []
            case OrderEvent.FILLED:
                return [("full_fill", True)]
            case OrderEvent.CANCELED | OrderEvent.EXPIRED:
                return [(words.feed_reason(order), True)]
        return []

    def _is_over(self, order: SimOrder) -> bool:
        now = self._exchange.order(order.account, order.id)
        over = now is None or now.status.is_final
        if over:
            self._hidden.add(order.id)
        return over

    def _send(self, topic: Topic, make: Callable[[], str]) -> None:
        listeners = self._topics.get(topic)
        if listeners:
            frame = make()
            for listener in listeners:
                listener.push(frame)
