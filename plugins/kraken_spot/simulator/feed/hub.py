"""Hears the exchange once for all connections and writes each frame once for all who want it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from exchange_core.connector.simulation import (
    BalanceChanged,
    BookChanged,
    OrderChanged,
    SimEvent,
    SimExchange,
    SimRefused,
    SimTrade,
    Traded,
)
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.codec import encode, stamp
from kraken_spot.simulator.feed import market_frames, private_frames
from kraken_spot.simulator.feed.books import DEPTHS, WireBook
from kraken_spot.simulator.feed.level3_books import ORDER_DEPTHS, OrdersBook
from kraken_spot.simulator.markets.names import Names, Pair
from kraken_spot.simulator.markets.tape import Tape

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
TRIGGERS = ("trades", "bbo")

Topic = tuple[str, Symbol, object]
"""Channel, symbol, and what tells its variants apart (a depth, an interval, a trigger)."""


class Listener(Protocol):
    """Takes the frames of public topics."""

    def push(self, frame: str) -> None: ...


class PrivateListener(Protocol):
    """Takes the news of one account, each an encoded report."""

    def execution(self, report: str, kind: str, symbol: Symbol) -> None: ...
    def balance(self, entry: str) -> None: ...


class Hub:
    """What all connections of one simulated venue share."""

    def __init__(self, exchange: SimExchange, names: Names) -> None:
        self._exchange = exchange
        self._names = names
        self._topics: dict[Topic, list[Listener]] = {}
        self._accounts: dict[str, list[PrivateListener]] = {}
        self.tapes: dict[Symbol, Tape] = {}
        self.books: dict[Symbol, WireBook] = {}
        self._orders: dict[Symbol, OrdersBook] = {}
        for pair in names:
            self.tapes[pair.symbol] = Tape(exchange, pair.symbol)
            self.books[pair.symbol] = WireBook(pair, *exchange.book(pair.symbol))
            self._note_spread(pair.symbol)
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
        self._accounts.setdefault(account, []).append(listener)

    def unfollow(self, account: str, listener: PrivateListener) -> None:
        listeners = self._accounts.get(account, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._accounts.pop(account, None)

    # ── snapshots ──

    def ticker(self, pair: Pair, kind: str) -> str:
        book = self.books[pair.symbol]
        return market_frames.ticker(
            pair, kind, self.tapes[pair.symbol], book.best(Side.BUY), book.best(Side.SELL), self._exchange.now()
        )

    def orders(self, pair: Pair) -> OrdersBook:
        """Return the book order by order as it stands now; subscribers are told of what changed since the last look."""
        book = self._orders.get(pair.symbol)
        if book is None:
            book = self._orders[pair.symbol] = OrdersBook(pair)
        before = book.load(*self._exchange.queue(pair.symbol))
        if before != (book.bids, book.asks):
            for depth in ORDER_DEPTHS:
                topic = ("level3", pair.symbol, depth)
                frame = book.update(before, depth, self._exchange.now()) if topic in self._topics else None
                if frame is not None:
                    self._publish(topic, frame)
        return book

    def orders_snapshot(self, pair: Pair, depth: int) -> str:
        return self._orders[pair.symbol].snapshot(depth, self._exchange.now())

    def last_price(self, pair: Pair) -> Decimal:
        """Return the price of the last trade; where there was none yet, the price that the market began with."""
        trade = self.tapes[pair.symbol].last
        return pair.market.start_price if trade is None else trade.price

    def usd(self, asset: str, amount: Decimal) -> Decimal:
        """Return what *amount* is worth in US dollars; zero where nothing tells."""
        return amount if asset == "USD" or not amount else amount * self._dollars(asset)

    def _dollars(self, asset: str) -> Decimal:
        """Return the price of an asset in dollars, directly or by way of one that is traded in it, as for euros."""
        if direct := self._mark(Symbol(asset, "USD")):
            return direct
        for pair in self._names:
            if pair.symbol.quote == asset and (price := self._mark(pair.symbol)):
                return self._mark(Symbol(pair.symbol.base, "USD")) / price
        return Decimal(0)

    def _mark(self, symbol: Symbol) -> Decimal:
        try:
            return self._exchange.mark_price(symbol)
        except SimRefused:
            return Decimal(0)

    # ── news ──

    def _hear(self, event: SimEvent) -> None:
        match event:
            case BookChanged():
                self._book_changed(event)
            case Traded(trade=trade):
                self._traded(trade)
            case OrderChanged():
                self.order_changed(event)
            case BalanceChanged(entry=entry):
                listeners = self._accounts.get(entry.account)
                if listeners:
                    report = encode(private_frames.ledger_entry(self._names, entry))
                    for listener in tuple(listeners):
                        listener.balance(report)

    def order_changed(self, event: OrderChanged) -> None:
        """Tell who follows the account, and who follows single orders."""
        self._orders_changed(event.order.request.symbol)
        listeners = self._accounts.get(event.order.account)
        if not listeners:
            return
        pair = self._names.of(event.order.request.symbol)
        report = private_frames.execution(pair, event, self.usd)
        text = encode(report)
        for listener in tuple(listeners):
            listener.execution(text, report["exec_type"], pair.symbol)

    def _traded(self, trade: SimTrade) -> None:
        pair = self._names.of(trade.symbol)
        self.tapes[trade.symbol].add(trade)
        self._send(("trade", trade.symbol, None), lambda: market_frames.trades(pair, "update", (trade,)))
        self._send(("ticker", trade.symbol, "trades"), lambda: self.ticker(pair, "update"))
        for interval in INTERVALS:
            topic = ("ohlc", trade.symbol, interval)
            if topic in self._topics:
                bars = self._exchange.candles(trade.symbol, interval)[-1:]
                self._publish(topic, market_frames.ohlc(pair, "update", bars, self._exchange.now()))

    def _orders_changed(self, symbol: Symbol) -> None:
        if any(("level3", symbol, depth) in self._topics for depth in ORDER_DEPTHS):
            self.orders(self._names.of(symbol))

    def _book_changed(self, event: BookChanged) -> None:
        symbol = event.symbol
        self._orders_changed(symbol)
        book = self.books[symbol]
        change = book.apply(event.side, event.price, event.quantity)
        if change is None:
            return
        if change.place == 0:
            self._note_spread(symbol)
            self._send(("ticker", symbol, "bbo"), lambda: self.ticker(self._names.of(symbol), "update"))
        wanted = [depth for depth in DEPTHS if ("book", symbol, depth) in self._topics]
        if not wanted or change.place >= wanted[-1]:
            return
        checksum, timestamp = book.checksum(), stamp(self._exchange.now())
        for depth in wanted:
            frame = book.update(change, depth, checksum, timestamp)
            if frame is not None:
                self._publish(("book", symbol, depth), frame)

    def _note_spread(self, symbol: Symbol) -> None:
        book = self.books[symbol]
        bid, ask = book.best(Side.BUY), book.best(Side.SELL)
        if bid is not None and ask is not None:
            self.tapes[symbol].spread(bid, ask)

    def _send(self, topic: Topic, make: Callable[[], str]) -> None:
        """Write a frame only when someone wants it."""
        if topic in self._topics:
            self._publish(topic, make())

    def _publish(self, topic: Topic, frame: str) -> None:
        for listener in self._topics[topic]:
            listener.push(frame)
