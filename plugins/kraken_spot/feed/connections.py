"""Kraken Spot's WebSocket connections as state machines: the public one and the account's own.

Frames and time go in, events and frames to send come out. A book message takes one typed decode and a few list
operations; everything else may take longer.
See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from exchange_core.connector.feed import Question
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.event import Channel, Event, Events, Subscription
from kraken_spot.feed.account import Balances, Executions, Sequence, gap
from kraken_spot.feed.base import UNREADABLE, BaseFeed, decode, guarded, statuses, token
from kraken_spot.feed.books import LEVELS
from kraken_spot.feed.live import LiveFeed
from kraken_spot.feed.market import Market
from kraken_spot.feed.quiet import Place
from kraken_spot.feed.recovery import Recovery
from kraken_spot.feed.requests import Conversation
from kraken_spot.feed.trading import METHODS, Requests
from kraken_spot.wire import feed as wire_feed

PUBLIC_CHANNELS = frozenset(
    {Channel.TICKER, Channel.TRADES, Channel.BOOK, Channel.CANDLES, Channel.INSTRUMENTS, Channel.STATUS}
)
PRIVATE_CHANNELS = frozenset({Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.LEDGER})
_ORDERS = Subscription(Channel.ORDERS)
_LEDGER = Subscription(Channel.LEDGER)
_ANSWER = b'{"method":'


class PublicFeed(LiveFeed):
    """Market data. The status comes on every connection, asked for or not."""

    def __init__(self, context: VenueContext) -> None:
        super().__init__(context, Conversation(context, PUBLIC_CHANNELS), LEVELS)
        self._market = Market(context, self.stats, self._quiet)
        self._handlers: Mapping[type, Callable[[Any, float], Events]] = {
            wire_feed.Ticker: self._market.tickers,
            wire_feed.Trade: self._market.trades,
            wire_feed.Candle: self._market.candles,
            wire_feed.Instrument: self._market.instruments,
            wire_feed.Status: statuses,
        }

    def receive(self, frame: bytes | str, now: float) -> Events:
        self.stats.frames += 1
        try:
            message = decode(frame)
        except UNREADABLE as error:
            return self._other(frame, error, now)
        self._alive = now
        kind = type(message)
        if kind is wire_feed.Book:
            return self._books.receive(message, now)
        if kind is wire_feed.Heartbeat:
            return self._heartbeat()
        handler = self._handlers.get(kind)
        return self._foreign(message) if handler is None else self._counted(guarded(handler, message, now))

    def opened(self, now: float, credential: str | None = None) -> None:
        super().opened(now, credential)
        self._market.opened(now)

    def tick(self, now: float) -> Events:
        events = [*super().tick(now)]
        if self._is_open:
            events += self._market.tick(max(self._alive, self._heard))
        return events

    def _changed(self, places: Iterable[Place]) -> None:
        self._market.changed(places, self._carried)

    def _asked_afresh(self, carrier: Subscription, now: float) -> None:
        super()._asked_afresh(carrier, now)
        self._market.asked_afresh(carrier, now)

    def _response(self, message: dict[str, Any], now: float) -> Events:
        self._market.clock.heard(message.get("time_out"), now)
        return super()._response(message, now)


class PrivateFeed(BaseFeed):
    """The account's own orders, fills, balances and ledger. Its token is in every request and nowhere else."""

    def __init__(self, context: VenueContext) -> None:
        super().__init__(context, Conversation(context, PRIVATE_CHANNELS))
        self._requests = Requests(context.venue, self._conversation.number)
        self._executions = Executions(context)
        self._balances = Balances(context)
        self._sequences = {Channel.ORDERS: Sequence(), Channel.BALANCES: Sequence()}
        self._recoveries = {Channel.ORDERS: Recovery(), Channel.BALANCES: Recovery()}

    def login(self) -> Flow[str] | None:
        return token()

    def opened(self, now: float, credential: str | None = None) -> None:
        for sequence in self._sequences.values():
            sequence.restart()
        self._requests.opened(credential)
        super().opened(now, credential)

    def closed(self, now: float) -> Events:
        self._requests.closed()
        return super().closed(now)

    def can_ask(self) -> bool:
        # Open point: how long a token lives on a connection without a subscription; with executions it stays.
        follows = self._conversation.is_active(_ORDERS)
        return self._is_open and follows and self._conversation.broken is None and not self._requests.is_session_lost

    def ask(self, call: RestCall, now: float) -> Question:
        return self._requests.ask(call)

    def _response(self, message: dict[str, Any], now: float) -> Events:
        try:
            return super()._response(message, now)
        except ProtocolError as error:
            return self._requests.unreadable(message.get("req_id"), error)

    def _respond(self, response: wire_feed.Response, now: float) -> Events:
        if response.method not in METHODS:
            return super()._respond(response, now)
        events = self._requests.answered(response)
        if self._requests.is_session_lost:
            self._conversation.broken = "the venue does not take the session's token any more"
        return events

    def receive(self, frame: bytes | str, now: float) -> Events:
        self.stats.frames += 1
        # An order waits for its answer; all else that comes here is news.
        if frame[: len(_ANSWER)] == _ANSWER and (events := self._quick_answer(frame, now)) is not None:
            return events
        try:
            message = decode(frame)
        except UNREADABLE as error:
            return self._other(frame, error, now)
        self._alive = now
        kind = type(message)
        if kind is wire_feed.Heartbeat:
            return self._heartbeat()
        if kind is wire_feed.Status:
            return self._counted(guarded(statuses, message, now))
        if kind is wire_feed.Executions or kind is wire_feed.Balances:
            return self._counted(guarded(self._numbered, message, now))
        return self._foreign(message)

    def tick(self, now: float) -> Events:
        for channel, recovery in self._recoveries.items():
            if recovery.is_due(now):
                self._ask_again(channel, now)
        return super().tick(now)

    def _numbered(self, message: wire_feed.Executions | wire_feed.Balances, now: float) -> Events:
        """Take what a message says even after a hole in the numbers: it is true, only not all of it."""
        is_executions = isinstance(message, wire_feed.Executions)
        channel = Channel.ORDERS if is_executions else Channel.BALANCES
        ledger = not is_executions and _LEDGER in self._conversation.wanted()
        continues, hole = self._sequences[channel].take(message.type, message.sequence)
        events: list[Event] = []
        if hole is not None:
            self.stats.gaps += 1
            events += gap(hole, channel, *([Channel.FILLS] if is_executions else [Channel.LEDGER] if ledger else []))
            self._recoveries[channel].failed(now)
            if self._recoveries[channel].is_due(now):
                self._ask_again(channel, now)
        try:
            if isinstance(message, wire_feed.Executions):
                events += self._executions.receive(message, continues=continues)
            else:
                events += self._balances.receive(message, continues=continues, ledger=ledger)
        except (ProtocolError, ArithmeticError):
            self._sequences[channel].spoil()
            raise
        return events

    def _ask_again(self, channel: Channel, now: float) -> None:
        self._recoveries[channel].ask(now)
        self._sequences[channel].restart()
        self._conversation.again([Subscription(channel)], now)
