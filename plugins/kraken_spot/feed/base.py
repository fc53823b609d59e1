"""What Kraken Spot's WebSocket connections have in common: requests and answers, liveness, and frames of no channel.

See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

import msgspec

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.book import OrderBook
from exchange_core.model.event import Event, Events, Ignored, Subscription, Unrecognised
from exchange_core.model.symbol import Symbol
from kraken_spot import limits
from kraken_spot.feed.requests import Conversation
from kraken_spot.parse import feed as parse
from kraken_spot.wire import common as wire
from kraken_spot.wire import feed as wire_feed

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding raises for frames that are not as documented."""

decode = msgspec.json.Decoder(wire_feed.Message, float_hook=str).decode
_decode_any = msgspec.json.Decoder(float_hook=str).decode
_decode_response = msgspec.json.Decoder(wire_feed.Response, float_hook=str).decode

_HEARTBEAT = (Ignored(kind="heartbeat"),)


class BaseFeed:
    """What both connections have in common: answers, liveness, and frames that are nothing of theirs."""

    def __init__(self, context: VenueContext, conversation: Conversation) -> None:
        self.stats = FeedStats()
        self._context = context
        self._conversation = conversation
        self._is_open = False
        self._heard = self._alive = self._pinged = 0.0
        self._ping_every = min(30.0, max(1.0, context.config.stale_after / 2))

    def login(self) -> Flow[str] | None:
        return None

    def opened(self, now: float, credential: str | None = None) -> None:
        self._is_open = True
        self._heard = self._alive = self._pinged = now
        self._conversation.opened(now, credential)

    def closed(self, now: float) -> Events:
        self._is_open = False
        self._conversation.closed()
        return ()

    def tick(self, now: float) -> Events:
        if self._is_open and now - self._pinged >= self._ping_every:
            self._pinged = now
            self._conversation.ping()
        return self._conversation.tick(now, self._unmistakable(now), self._probed())

    def _unmistakable(self, now: float) -> Iterable[Subscription]:
        """Return subscriptions that evidently work, answered or not."""
        return ()

    def _probed(self) -> Container[Subscription]:
        """Return subscriptions that were asked for afresh because they were silent."""
        return ()

    def is_dead(self, now: float) -> str | None:
        if not self._is_open:
            return None
        if self._conversation.broken is not None:
            return self._conversation.broken
        # A pong proves a socket, not that subscriptions are served; with none, it is all that can come.
        expects_data = self._conversation.expects_data()
        silence = now - (self._alive if expects_data else max(self._alive, self._heard))
        if silence <= self._context.config.stale_after:
            return None
        return f"no {'data or heartbeat' if expects_data else 'frame'} came for {silence:.0f} s"

    def outbox(self) -> list[str]:
        waiting = self._conversation.outbox
        if not waiting:
            return []
        self._conversation.outbox = []
        return waiting

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        self._conversation.want(subscriptions, now)

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        self._conversation.drop(subscriptions)

    def subscriptions(self) -> Iterable[Subscription]:
        return self._conversation.wanted()

    def is_active(self, subscription: Subscription) -> bool:
        return self._conversation.is_active(subscription)

    def book(self, symbol: Symbol) -> OrderBook | None:
        return None

    # Frames that are not pushed on a channel of ours.

    def _other(self, frame: bytes | str, why: Exception, now: float) -> Events:
        """Take a frame that is no message of a channel, or not a right one."""
        try:
            message = _decode_any(frame)
        except UNREADABLE as error:
            raise ProtocolError(f"frame is not JSON: {error}") from error
        if isinstance(message, list):
            return self._counted([_legacy(message)])
        if not isinstance(message, dict):
            raise ProtocolError(f"frame is a {type(message).__name__}, not an object")
        self._heard = now
        if "method" in message:  # before the channel: some refusals have both
            return self._counted(self._response(message, now))
        self._alive = now
        if isinstance(message.get("event"), str):
            return self._counted([Ignored(kind=f"v1 {message['event']:.40}")])
        if "channel" in message:
            return self._counted(self._spoilt(message, why, now))
        if "Error" in message:
            self._conversation.too_fast(now)
            return self._counted([Ignored(kind="message rate exceeded")])
        return self._counted([Unrecognised(kind="frame", detail=f"an object with {', '.join(message):.100}")])

    def _quick_answer(self, frame: bytes | str, now: float) -> Events | None:
        """Take an answer to a request without the detour of :meth:`_other`; None for what does not read as one."""
        try:
            response = _decode_response(frame)
        except UNREADABLE:
            return None
        self._heard = now
        return self._counted(self._answer(response, now))

    def _response(self, message: dict[str, Any], now: float) -> Events:
        try:
            response = msgspec.convert(message, wire_feed.Response)
        except msgspec.ValidationError as error:
            raise ProtocolError(f"answer to a request: {error}") from error
        return self._answer(response, now)

    def _answer(self, response: wire_feed.Response, now: float) -> Events:
        if response.method not in ("pong", "ping"):
            self._alive = now
        return self._respond(response, now)

    def _respond(self, response: wire_feed.Response, now: float) -> Events:
        return self._conversation.answered(response, now)

    def _spoilt(self, message: dict[str, Any], why: Exception, now: float) -> Events:
        """Take a message of a channel that does not read as documented."""
        channel = str(message["channel"])
        if channel in CHANNEL_OF.values():
            raise ProtocolError(f"{channel} message: {why}") from why
        return [Unrecognised(kind=f"channel {channel:.40}", detail="no channel that is known")]

    def _heartbeat(self) -> Events:
        self.stats.ignored["heartbeat"] += 1
        return _HEARTBEAT

    def _foreign(self, message: object) -> Events:
        """Take a message of a channel that the other connection serves."""
        word = CHANNEL_OF[type(message)]
        return self._counted([Unrecognised(kind=f"channel {word}", detail="not served on this connection")])

    def _counted(self, events: Events) -> Events:
        for event in events:
            if isinstance(event, Ignored):
                self.stats.ignored[event.kind] += 1
            elif isinstance(event, Unrecognised):
                self.stats.unknown[event.kind] += 1
        return events


def guarded(handler: Callable[[Any, float], Events], message: object, now: float) -> Events:
    """Run *handler*; what a value is wrong with becomes a ProtocolError."""
    try:
        return handler(message, now)
    except ProtocolError:
        raise
    except (InvalidValue, ArithmeticError, ValueError) as error:
        raise ProtocolError(f"{CHANNEL_OF[type(message)]} message: {error}") from error


def statuses(message: wire_feed.Status, now: float) -> Events:
    return [parse.status(raw) for raw in message.data]


def token() -> Flow[str]:
    """Ask for a token. It must be used within 15 minutes, and a new connection needs a new one."""
    reply: wire.Token = yield RestCall(
        method="POST",
        path="/0/private/GetWebSocketsToken",
        reply=wire.Token,
        private=True,
        costs=limits.private(urgent=True),
    )
    return reply.token


def _legacy(message: list[Any]) -> Event:
    """Name a frame of WebSocket v1: an array that ends in channel and pair."""
    if len(message) >= 4 and isinstance(message[-2], str) and isinstance(message[0], int):
        return Ignored(kind=f"v1 {message[-2].partition('-')[0]:.20}")
    return Unrecognised(kind="array", detail="no frame of WebSocket v2 is an array")


def symbol_of(message: Mapping[str, Any]) -> str | None:
    data = message.get("data")
    entry = data[0] if isinstance(data, list) and data else None
    name = entry.get("symbol") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else None


CHANNEL_OF: dict[type, str] = {
    wire_feed.Book: "book",
    wire_feed.Ticker: "ticker",
    wire_feed.Trade: "trade",
    wire_feed.Candle: "ohlc",
    wire_feed.Instrument: "instrument",
    wire_feed.Status: "status",
    wire_feed.Orders: "level3",
    wire_feed.Heartbeat: "heartbeat",
    wire_feed.Executions: "executions",
    wire_feed.Balances: "balances",
}
