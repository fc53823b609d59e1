"""A WebSocket connection to Kraken Futures as a state machine: frames and time in, events and frames out.

Public and private feeds live at the same address and speak the same frames; a private one asks for a
challenge first, one for each connection, and signs its subscriptions with it. Candles have no feed.
Keep-alives are the runner's ping frames (a JSON ping is not documented); life is told from the heartbeat
feed.
See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.book import OrderBook
from exchange_core.model.event import (
    Channel,
    Events,
    Ignored,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    SubscriptionSilent,
    Unrecognised,
)
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.feed import account as feed_account
from kraken_futures.feed.account import AccountData
from kraken_futures.feed.books import BookKeeper
from kraken_futures.feed.log import LogData
from kraken_futures.feed.market import MarketData
from kraken_futures.feed.requests import PATIENCE, Subscriber
from kraken_futures.feed.silence import Key
from kraken_futures.wire import feed as wire

PUBLIC = {Channel.TICKER: "ticker", Channel.TRADES: "trade", Channel.BOOK: "book"}
PRIVATE = {
    Channel.ORDERS: "open_orders_verbose",
    Channel.FILLS: "fills",
    Channel.BALANCES: "balances",
    Channel.POSITIONS: "open_positions",
    Channel.LEDGER: "account_log",
    Channel.NOTICES: "notifications_auth",
}

_HEARTBEAT = "heartbeat"
_MARKET_FEEDS = frozenset({"trade", "trade_snapshot", "ticker", "ticker_lite"})
_BOOK_FEEDS = frozenset({"book", "book_snapshot"})
# Nobody asks for them here, but they are known: names of before 2026.
_OTHER_FEEDS = frozenset({"account_balances_and_margins", "deposits_withdrawals"})
# What the server says about requests; and requests, which recordings of the documentation hold too.
_ANSWERS = frozenset({"subscribed", "unsubscribed", "subscribed_failed", "unsubscribed_failed", "challenge"})
_NOTICES = frozenset({"error", "alert"})
_QUIET = frozenset({"info", "pong", "subscribe", "unsubscribe"})

_LONGEST_SILENCE = 60.0

_decode = wire.DATA.decode
_BookDelta = wire.BookDelta
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)


class FuturesFeed:
    """One connection; *channels* makes it a public or a private one."""

    def __init__(self, context: VenueContext, channels: Mapping[Channel, str]) -> None:
        self.stats = FeedStats()
        self._context = context
        self._subscriber = Subscriber(context, channels, private=channels is PRIVATE)
        self._market = MarketData(context, self.stats, self._ask_for_book, self._ask_for_trades)
        self._book_delta = self._market.book_delta
        self._account = AccountData(context, self.stats, self._account_symbol, self._ask_for_account)
        self._log = LogData(context, self.stats, self._ask_for_account)
        self._life = Life(context.config.stale_after)
        self._is_open = False
        self._handlers: dict[type, Callable[[Any], Events]] = {
            wire.Trade: self._market.trade,
            wire.TradeSnapshot: self._market.trade_snapshot,
            wire.Ticker: self._market.ticker,
            wire.TickerLite: self._market.ticker_lite,
            wire.OpenOrders: self._account.open_orders,
            wire.OpenOrdersVerbose: self._account.open_orders,
            wire.OpenOrdersSnapshot: self._account.open_orders_snapshot,
            wire.OpenOrdersVerboseSnapshot: self._account.open_orders_snapshot,
            wire.Fills: self._account.fills,
            wire.FillsSnapshot: self._account.fills_snapshot,
            wire.OpenPositions: self._account.open_positions,
            wire.Balances: self._account.balances,
            wire.BalancesSnapshot: self._account.balances_snapshot,
            wire.AccountLog: self._log.account_log,
            wire.AccountLogSnapshot: self._log.account_log_snapshot,
            wire.Notifications: self._log.notifications,
        }

    def login(self) -> Flow[str] | None:
        return None  # the challenge comes over the connection itself

    def opened(self, now: float, credential: str | None = None) -> None:
        self._is_open = True
        self._life.opened(now)
        self._account.opened()
        self._subscriber.opened(now)

    def closed(self, now: float) -> Events:
        self._is_open = False
        self._subscriber.closed()
        for keeper in self._market.books():
            keeper.lose()
        return ()

    def receive(self, frame: bytes | str, now: float) -> Events:
        stats = self.stats
        stats.frames += 1
        self._life.heard = now
        try:
            message = _decode(frame)
        except _UNREADABLE as problem:
            events = self._other(frame, str(problem), now)
        else:
            kind = type(message)
            if kind is _BookDelta:
                return self._book_delta(message, now)
            events = self._data(message, now)
        self._note(events, now)
        return events

    def tick(self, now: float) -> Events:
        if not self._is_open:
            return ()
        events = (*self._subscriber.tick(now), *self._account.listed())
        self._note(events, now)
        for keeper in self._market.books():
            self._ask_for_book(keeper, now)
            self._subscriber.silence.heard(Key(PUBLIC[Channel.BOOK], keeper.product.upper()), keeper.heard)
        self._subscriber.ask_for_silent(now)
        return events

    def is_dead(self, now: float) -> str | None:
        if not self._is_open:
            return None
        return self._subscriber.broken or self._life.verdict(now) or self._subscriber.silence.verdict(now)

    def outbox(self) -> list[str]:
        if not self._subscriber.outbox:
            return []
        out, self._subscriber.outbox = self._subscriber.outbox, []
        return out

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        wanted = list(subscriptions)
        self._subscriber.want(wanted, now)
        for subscription in wanted:
            if subscription.channel is Channel.BOOK and subscription.symbol is not None:
                self._market.keep_book(self._context.symbols.wire(subscription.symbol), subscription.symbol)

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        for feed, product in self._subscriber.drop(subscriptions, now):
            self._market.forget(feed, product)

    def subscriptions(self) -> Iterable[Subscription]:
        return self._subscriber.subscriptions()

    def is_active(self, subscription: Subscription) -> bool:
        return self._subscriber.is_active(subscription)

    def book(self, symbol: Symbol) -> OrderBook | None:
        if symbol not in self._context.symbols:
            return None
        keeper = self._market.book(self._context.symbols.wire(symbol))
        return None if keeper is None else keeper.local.view

    def _ask_for_book(self, keeper: BookKeeper, now: float) -> None:
        """Ask for a fresh snapshot if it is time to."""
        if keeper.due is None or now < keeper.due:
            return
        if self._subscriber.ask_again(PUBLIC[Channel.BOOK], keeper.product, now):
            keeper.asked(now, PATIENCE)
            self.stats.resyncs += keeper.failed

    def _ask_for_trades(self, product: str) -> bool:
        return self._subscriber.silence.want(Key(PUBLIC[Channel.TRADES], product.upper()))

    def _account_symbol(self, product: str) -> Symbol | None:
        return self._market.symbol(product) or naming.account_symbol(self._context.symbols, product)

    def _ask_for_account(self, feed: str) -> bool:
        return self._subscriber.silence.want(Key(feed, ""))

    def _data(self, message: Any, now: float) -> Events:
        feed = str(message.__struct_config__.tag)
        self._market.surprise = self._account.surprise = self._log.surprise = None
        try:
            if type(message) is wire.BookSnapshot:
                events = self._market.book_snapshot(message, now)
            else:
                events = self._handlers[type(message)](message)
        except ProtocolError as problem:
            if feed in feed_account.CHANNELS:
                return feed_account.damaged(feed, str(problem))
            raise
        return self._listen(
            Key(feed.removesuffix("_snapshot"), getattr(message, "product_id", "").upper()), events, now
        )

    def _listen(self, key: Key, events: Events, now: float) -> Events:
        """Note that *key* is not silent; tell when it had been, and asking again showed what had been missed."""
        silence = self._subscriber.silence
        silence.heard(key, now)
        surprises = (self._market.surprise, self._account.surprise, self._log.surprise)
        is_news = next((surprise for surprise in surprises if surprise is not None), None)
        if is_news is None or not silence.answers(key, now) or not is_news:
            return events
        self.stats.silent += 1
        reason = "asked for again after a silence, it had news that had not come"
        wanting = self._subscriber.wanting(*key)
        return (*(SubscriptionSilent(subscription=each, reason=reason) for each in wanting), *events)

    def _other(self, frame: bytes | str, problem: str, now: float) -> Events:
        """Take a frame that is no data, or data that does not read as documented."""
        try:
            envelope = wire.ENVELOPE.decode(frame)
        except _UNREADABLE as error:
            raise ProtocolError(f"{self._context.venue}: a frame is no JSON object: {error}") from error
        event = envelope.event.strip() if isinstance(envelope.event, str) else None
        if event is not None:
            return self._event(event, envelope, now)
        feed = envelope.feed.strip() if isinstance(envelope.feed, str) else None
        if feed is None:
            return (Unrecognised(kind="neither feed nor event", detail=problem),)
        if feed == _HEARTBEAT:
            self._life.beat(now)
            return (Ignored(kind=_HEARTBEAT),)
        if feed in _OTHER_FEEDS:
            return (Ignored(kind=feed),)
        if feed in feed_account.CHANNELS:
            return feed_account.damaged(feed, problem)
        if feed in _BOOK_FEEDS and isinstance(envelope.product_id, str):
            keeper = self._market.book(envelope.product_id)
            if keeper is not None:
                return self._market.break_book(keeper, f"a message cannot be read: {problem}", now)
        if feed in _BOOK_FEEDS or feed in _MARKET_FEEDS:
            raise ProtocolError(f"{self._context.venue}: feed {feed}: {problem}")
        return (Unrecognised(kind=f"feed {feed[:60]}", detail=problem),)

    def _event(self, event: str, envelope: wire.Envelope, now: float) -> Events:
        if event in _ANSWERS or event in _NOTICES:
            return self._subscriber.answer(event, envelope, now)
        if event in _QUIET:
            return (Ignored(kind=event),)
        return (Unrecognised(kind=f"event {event[:60]}"),)

    def _note(self, events: Events, now: float) -> None:
        """Count what carries no news; expect a snapshot of each book that was acknowledged."""
        for event in events:
            if isinstance(event, Ignored):
                self.stats.ignored[event.kind] += 1
            elif isinstance(event, Unrecognised):
                self.stats.unknown[event.kind] += 1
            elif isinstance(event, Subscribed | SubscriptionRefused):
                self._note_answer(event, now)

    def _note_answer(self, event: Subscribed | SubscriptionRefused, now: float) -> None:
        symbol = event.subscription.symbol
        if event.subscription.channel is not Channel.BOOK or symbol is None:
            return
        product = self._context.symbols.wire(symbol)
        keeper = self._market.book(product)
        if isinstance(event, SubscriptionRefused):
            self._market.forget(PUBLIC[Channel.BOOK], product)
        elif keeper is not None:
            keeper.expect(now + PATIENCE)


class Life:
    """Whether a connection is alive, told from how long it has been silent.

    How often the venue beats is not documented. Until two beats were heard, silence counts as death only after the
    minute within which the venue itself gives up; before the first frame, and after that, when the config says.

    Attributes:
        heard: When the last frame came.
    """

    def __init__(self, stale_after: float) -> None:
        self.heard = 0.0
        self._stale_after = stale_after
        self._opened = 0.0
        self._last_beat: float | None = None
        self._interval: float | None = None

    def opened(self, now: float) -> None:
        self.heard = self._opened = now
        self._last_beat = None

    def beat(self, now: float) -> None:
        if self._last_beat is not None:
            self._interval = max(self._interval or 0.0, now - self._last_beat)
        self._last_beat = now

    def verdict(self, now: float) -> str | None:
        if self.heard == self._opened:
            patience = self._stale_after
        elif self._interval is None:
            patience = max(self._stale_after, _LONGEST_SILENCE)
        else:
            patience = max(self._stale_after, min(3 * self._interval, _LONGEST_SILENCE))
        silent = now - self.heard
        return (
            f"nothing came for {silent:.1f} s; expected something within {patience:g} s" if silent > patience else None
        )


def public_feed(context: VenueContext) -> FuturesFeed:
    """Make the feed of market data."""
    return FuturesFeed(context, PUBLIC)


def private_feed(context: VenueContext) -> FuturesFeed:
    """Make the feed of an account."""
    return FuturesFeed(context, PRIVATE)
