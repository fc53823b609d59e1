"""A WebSocket connection to Tidepool: frames and time in, events and frames to send out.

The exchange greets with a challenge; a private connection signs it. Each channel is asked for by name, answered yes
or no, and then sends all there is (``full``, ``seq`` 0) and what changes, counted. To ask again starts a channel
anew, which is the cure for a lost message and for a book that fails its check.
"""

from collections.abc import Iterable

import attrs

from exchange_core.book.ladder import digits_quantity, merge_digits
from exchange_core.book.local import LocalBook
from exchange_core.connector.feed import FeedStats
from exchange_core.connector.spec import VenueContext
from exchange_core.connector.subscriptions import SubscriptionLedger
from exchange_core.errors import ProtocolError, UnknownSymbol
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import (
    BalancesUpdate,
    BookDesynced,
    Channel,
    Events,
    Ignored,
    OpenOrdersSnapshot,
    SequenceGap,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    Unrecognised,
)
from exchange_core.model.symbol import Symbol
from exchange_tidepool import checksum, naming, parse, wire


@attrs.define
class _Channel:
    """What one channel has told so far; *due* is the number of its next message, None until it told all there is."""

    subscription: Subscription
    book: LocalBook[str] | None = None
    due: int | None = None


class TidepoolFeed:
    """One connection, public or private."""

    def __init__(self, context: VenueContext, private: bool = False) -> None:
        self.stats = FeedStats()
        self._context = context
        self._private = private
        self._ledger = SubscriptionLedger()
        self._channels: dict[str, _Channel] = {}
        self._outbox: list[str] = []
        self._greeted = False
        self._heard = 0.0

    def login(self) -> None:
        return None

    def opened(self, now: float, credential: str | None = None) -> None:
        self._heard = now

    def closed(self, now: float) -> Events:
        self._ledger.reset()
        self._outbox.clear()
        self._greeted = False
        for channel in self._channels.values():
            if channel.book:
                channel.book.clear(BookHealth.STALE)
        return []

    def tick(self, now: float) -> Events:
        self._ledger.overdue(now)  # these count as unasked from here on
        self._ask(now)
        return []

    def is_dead(self, now: float) -> str | None:
        silence = now - self._heard
        return f"silent for {silence:.0f} s" if silence > self._context.config.stale_after else None

    def outbox(self) -> list[str]:
        frames, self._outbox = self._outbox, []
        return frames

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        for subscription in subscriptions:
            self._start(subscription)
            self._ledger.want([subscription])
        self._ask(now)

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        for subscription in subscriptions:
            name = self._name(subscription)
            if self._ledger.drop([subscription]):
                self._say(wire.Request(op="unsub", ch=name))
            self._forget(name)

    def subscriptions(self) -> Iterable[Subscription]:
        return self._ledger

    def is_active(self, subscription: Subscription) -> bool:
        return self._ledger.is_active(subscription)

    def book(self, symbol: Symbol) -> OrderBook | None:
        books = (channel.book for channel in self._channels.values())
        return next((book.view for book in books if book and book.symbol == symbol), None)

    def receive(self, frame: bytes | str, now: float) -> Events:
        self.stats.frames += 1
        self._heard = now
        try:
            message = wire.read(frame, wire.Frame)
        except ProtocolError as error:
            return self._unreadable(frame, error)
        match message:
            case wire.Hello():
                return self._greet(message, now)
            case wire.Beat():
                return self._ignored("beat")
            case wire.Yes() | wire.No():
                return self._answered(message)
        try:
            return self._news(message, now)
        except UnknownSymbol as error:
            return self._unknown(message.ch, str(error))

    def _greet(self, message: wire.Hello, now: float) -> Events:
        self._greeted = True
        signer = self._context.signer
        if self._private and signer:
            sign = signer.sign_challenge(message.challenge)
            self._say(wire.Request(op="auth", key=signer.public_key, sign=sign))
        self._ask(now)
        return self._ignored("hello")

    def _answered(self, message: wire.Yes | wire.No) -> Events:
        channel = self._channels.get(message.ch)
        if channel is None:
            return self._ignored("late answer")
        subscription = channel.subscription
        if isinstance(message, wire.Yes):
            return [Subscribed(subscription=subscription)] if self._ledger.acknowledged(subscription) else []
        self._ledger.refused(subscription)
        self._forget(message.ch)
        return [SubscriptionRefused(subscription=subscription, reason=message.text, codes=(message.code,))]

    def _news(self, message: wire.Message, now: float) -> Events:
        kind = message.__struct_config__.tag
        if kind != message.ch.partition(".")[0]:
            raise ProtocolError(f"{self._context.venue}: news of kind {kind} on channel {message.ch}")
        channel = self._channels.get(message.ch)
        if channel is None and self._context.provisional:  # a recording, in which nobody asks
            channel = self._start(naming.subscription(message.ch, self._context.symbols))
        if channel is None or (channel.due is None and not message.full):
            return self._ignored("late news")  # of before it was asked for, anew or no more
        if not message.full and message.seq != channel.due:
            self.stats.gaps += 1
            return self._restart(channel, message, f"message {message.seq} came, {channel.due} was due", now)
        channel.due = message.seq + 1
        match message:
            case wire.BookNews():
                return self._book(channel, message, now)
            case wire.TradeNews(trades=trades):
                return [parse.trade(raw, naming.symbol(message.ch, self._context.symbols)) for raw in trades]
            case wire.OrderNews(orders=orders, full=full):
                updates = tuple(parse.order_update(raw, self._context, full) for raw in orders)
                return [OpenOrdersSnapshot(orders=updates)] if full else updates
            case wire.FillNews(fills=fills):
                return [event for raw in fills for event in self._fill(raw)]
            case wire.BalanceNews():
                balances = tuple(parse.balance(raw, self._context) for raw in message.balances)
                return [BalancesUpdate(balances=balances, complete=True)]

    def _book(self, channel: _Channel, message: wire.BookNews, now: float) -> Events:
        book = channel.book
        assert book is not None
        self.stats.books += 1
        if message.full:
            book.clear(BookHealth.SYNCING)
        try:
            for ladder, rows in ((book.bids_ladder, message.bids), (book.asks_ladder, message.asks)):
                merge_digits(ladder, rows, book.price_decimals, book.quantity_decimals)
        except ProtocolError as error:
            reason = str(error)
        else:
            found = checksum.check(book.asks_ladder.values, book.bids_ladder.values)
            reason = "" if found == message.check else f"check is {message.check}, the book gives {found}"
        if reason:
            self.stats.mismatches += 1
            return self._restart(channel, message, reason, now)
        self.stats.verified += 1
        book.checked += 1
        book.time, book.health = message.at, BookHealth.LIVE
        return book.news

    def _fill(self, raw: wire.Fill) -> Events:
        try:
            return [parse.fill(raw, self._context)]
        except UnknownSymbol as error:  # reported, and the fills beside it still count
            return self._unknown(raw.market, str(error))

    def _restart(self, channel: _Channel, message: wire.Message, reason: str, now: float) -> Events:
        """Drop what a channel told and ask for all of it again."""
        self.stats.resyncs += 1
        channel.due = None
        subscription = channel.subscription
        self._ledger.again(subscription)
        if not message.full:  # when even a fresh start is wrong, the next one waits for the tick
            self._ask(now)
        if channel.book is None:
            return [SequenceGap(channel=subscription.channel, reason=reason)]
        channel.book.clear(BookHealth.DESYNCED)
        return [BookDesynced(symbol=channel.book.symbol, reason=reason)]

    def _start(self, subscription: Subscription) -> _Channel:
        name = self._name(subscription)
        if name not in self._channels:
            book = None
            if subscription.channel is Channel.BOOK and subscription.symbol:
                instrument = self._context.symbols.instrument(subscription.symbol)
                book = LocalBook(
                    instrument.symbol,
                    price_decimals=instrument.price_decimals,
                    quantity_decimals=instrument.quantity_decimals,
                    quantity=digits_quantity,
                )
            self._channels[name] = _Channel(subscription, book)
        return self._channels[name]

    def _forget(self, name: str) -> None:
        channel = self._channels.pop(name, None)
        if channel and channel.book:
            channel.book.clear(BookHealth.STALE)

    def _ask(self, now: float) -> None:
        """Ask for what is wanted and was not asked for on this connection, or not answered, or failed."""
        if self._greeted:
            unasked = self._ledger.unasked()
            for name in map(self._name, unasked):
                self._channels[name].due = None
                self._say(wire.Request(op="sub", ch=name))
            self._ledger.asked(unasked, now)

    def _name(self, subscription: Subscription) -> str:
        return naming.channel(subscription, self._context.symbols)

    def _say(self, request: wire.Request) -> None:
        self._outbox.append(wire.write(request))

    def _unreadable(self, frame: bytes | str, error: ProtocolError) -> Events:
        kind = wire.read(frame, wire.Tag).on
        if kind in wire.KINDS:
            raise error
        return self._unknown(kind, "Tidepool's protocol has no such frame")

    def _unknown(self, kind: str, detail: str) -> Events:
        self.stats.unknown[kind] += 1
        return [Unrecognised(kind=kind, detail=detail)]

    def _ignored(self, kind: str) -> Events:
        self.stats.ignored[kind] += 1
        return [Ignored(kind=kind)]
