"""What a connection knows of the markets: its books, its tickers, and which trades it has passed on.

A snapshot that comes to a market already known shows whether something of it had been missed.

See https://docs.kraken.com/api/docs/futures-api/websocket/book and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import (
    BookDesynced,
    Channel,
    Event,
    Events,
    Ignored,
    InstrumentsUpdate,
    SequenceGap,
    Unrecognised,
)
from exchange_core.model.market import Ticker
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.checksum import TradeSequence
from kraken_futures.feed.books import BookBroken, BookKeeper
from kraken_futures.parse import feed as parse
from kraken_futures.wire import feed as wire


class MarketData:
    """Turns market frames into news.

    Args:
        ask_again: Called when a book needs a fresh snapshot.
        ask_for_trades: Called when trades of a product were missed; returns whether a snapshot will come.

    Attributes:
        surprise: Whether the last snapshot or ticker told what had not been heard of before; None for other frames.
    """

    def __init__(
        self,
        context: VenueContext,
        stats: FeedStats,
        ask_again: Callable[[BookKeeper, float], None],
        ask_for_trades: Callable[[str], bool],
    ) -> None:
        self.surprise: bool | None = None
        self._context = context
        self._stats = stats
        self._ask_again = ask_again
        self._ask_for_trades = ask_for_trades
        self._books: dict[str, BookKeeper] = {}
        self._trades: dict[str, TradeSequence] = {}
        self._tickers: dict[tuple[str, str], Ticker] = {}

    def symbol(self, product: str) -> Symbol | None:
        """Return our name for a product; while replaying, unknown ones are taken in."""
        found = naming.find(self._context.symbols, product)
        if found is None and self._context.provisional:
            found = naming.provisional(self._context.symbols, product)
        return found

    def keep_book(self, product: str, symbol: Symbol) -> BookKeeper:
        """Return the book of *product*, made if there is none."""
        keeper = self._books.get(product.upper())
        if keeper is None:
            keeper = BookKeeper(product, self._context.symbols.instrument(symbol))
            self._books[product.upper()] = keeper
        return keeper

    def book(self, product: str) -> BookKeeper | None:
        return self._books.get(product.upper())

    def books(self) -> Iterator[BookKeeper]:
        return iter(self._books.values())

    def forget(self, feed: str, product: str) -> None:
        """Nobody wants it any more."""
        if feed == "book":
            self._books.pop(product.upper(), None)
        elif feed == "trade":
            self._trades.pop(product.upper(), None)
        else:
            self._tickers.pop((feed, product.upper()), None)

    def book_delta(self, frame: wire.BookDelta, now: float) -> Events:
        """Take a change of a book. What of it carries no news is counted here: this runs for nearly all frames."""
        stats = self._stats
        stats.books += 1
        keeper = self._books.get(frame.product_id) or self._books.get(frame.product_id.upper())
        if keeper is None:
            return self._counted((Ignored(kind="book without subscription"),))
        try:
            news = keeper.apply(frame)
        except BookBroken as broken:
            return self._counted(self.break_book(keeper, str(broken), now, is_gap=broken.is_gap))
        if not news:
            return self._counted((Ignored(kind="book before its snapshot"),))
        keeper.heard = now
        stats.verified += 1
        return news

    def _counted(self, events: Events) -> Events:
        for event in events:
            if isinstance(event, Ignored):
                self._stats.ignored[event.kind] += 1
        return events

    def book_snapshot(self, frame: wire.BookSnapshot, now: float) -> Events:
        self._stats.books += 1
        keeper = self.book(frame.product_id)
        if keeper is None:
            symbol = self.symbol(frame.product_id) if self._context.provisional else None
            if symbol is None:
                return (Ignored(kind="book without subscription"),)
            keeper = self.keep_book(frame.product_id, symbol)
        keeper.heard = now
        before = keeper.state()
        try:
            news = keeper.replace(frame)
        except BookBroken as broken:
            return self.break_book(keeper, str(broken), now)
        self._stats.verified += 1
        if before is not None:
            self.surprise = before != keeper.state()
            # Levels that differ under one number: the book was wrong, and nothing had shown it.
            self._stats.mismatches += self.surprise and before.sequence == frame.seq
        return news

    def break_book(self, keeper: BookKeeper, reason: str, now: float, *, is_gap: bool = False) -> Events:
        """Drop a book that is not right, and have it asked for again; say so once until it is back."""
        self._stats.gaps += is_gap
        already = keeper.failed
        keeper.fail(now)
        self._ask_again(keeper, now)
        if already:
            return (Ignored(kind="book still broken"),)
        return (BookDesynced(symbol=keeper.local.symbol, reason=f"{keeper.product}: {reason}"),)

    def trade(self, frame: wire.Trade) -> Events:
        symbol = self.symbol(frame.product_id)
        if symbol is None:
            return (_stranger("trade", frame.product_id),)
        trade = parse.trade(frame, symbol)
        checked = self._sequence(frame.product_id).take(frame)
        if not checked.trades:
            return (Ignored(kind="trades seen before"),)
        if checked.reason is None:
            return (trade,)
        self._stats.gaps += 1
        if self._ask_for_trades(frame.product_id):
            return (trade,)  # the snapshot tells whether the others are lost
        return (_gap(symbol, checked.reason), trade)

    def trade_snapshot(self, frame: wire.TradeSnapshot) -> Events:
        symbol = self.symbol(frame.product_id)
        if symbol is None:
            return (_stranger("trade", frame.product_id),)
        # Newest first on the wire.
        rows = sorted(frame.trades, key=lambda row: (row.time, row.seq))
        trades = {id(row): parse.trade(row, symbol) for row in rows}
        is_first = frame.product_id.upper() not in self._trades
        checked = self._sequence(frame.product_id).take_snapshot(rows)
        self.surprise = bool(checked.trades) and not is_first
        events: list[Event] = [trades[id(row)] for row in checked.trades]
        if checked.reason is not None:
            self._stats.gaps += not checked.is_old
            events.insert(0, _gap(symbol, checked.reason))
        return events or (Ignored(kind="trades seen before"),)

    def ticker(self, frame: wire.Ticker) -> Events:
        symbol = self.symbol(frame.product_id)
        if symbol is None:
            return (_stranger("ticker", frame.product_id),)
        ticker = parse.ticker(frame, symbol)
        self._compare("ticker", frame.product_id, attrs.evolve(ticker, time=None))
        known = self._context.symbols.instrument(symbol)
        told = naming.with_state(known, frame.suspended, frame.post_only, ticker.time)
        if told.status is known.status:
            return (ticker,)
        naming.add(self._context.symbols, told)
        return (ticker, InstrumentsUpdate(instruments=(told,)))

    def ticker_lite(self, frame: wire.TickerLite) -> Events:
        symbol = self.symbol(frame.product_id)
        if symbol is None:
            return (_stranger("ticker_lite", frame.product_id),)
        ticker = parse.ticker_lite(frame, symbol)
        self._compare("ticker_lite", frame.product_id, ticker)
        return (ticker,)

    def _compare(self, feed: str, product: str, ticker: Ticker) -> None:
        key = (feed, product.upper())
        before, self._tickers[key] = self._tickers.get(key), ticker
        self.surprise = before is not None and before != ticker

    def _sequence(self, product: str) -> TradeSequence:
        return self._trades.setdefault(product.upper(), TradeSequence())


def _gap(symbol: Symbol, reason: str) -> SequenceGap:
    return SequenceGap(channel=Channel.TRADES, reason=f"{symbol}: {reason}", symbol=symbol)


def _stranger(kind: str, product: str) -> Unrecognised:
    return Unrecognised(kind=f"{kind} of an unknown product", detail=f"{product[:60]!r} is in no instrument list")
