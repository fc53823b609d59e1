"""The third connection: books in which every order shows. It is market data, and it needs a token all the same.

What a subscription costs depends on its depth, and only so much may be asked for in a second; one connection has 200
pairs at most.
See https://docs.kraken.com/api/docs/websocket-v2/level3 and /guides/spot-l3-data
"""

from __future__ import annotations

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import Channel, Events, Subscription
from kraken_spot.feed.base import UNREADABLE, decode, guarded, statuses, token
from kraken_spot.feed.books import ORDERS
from kraken_spot.feed.live import LiveFeed
from kraken_spot.feed.pace import Pace, RequestPace
from kraken_spot.feed.requests import Conversation
from kraken_spot.wire import feed as wire_feed

LEVEL3_CHANNELS = frozenset({Channel.BOOK_BY_ORDER})

MOST_SYMBOLS = 200
"""Pairs that one connection may subscribe to."""

COSTS = {10: 5.0, 100: 25.0, 1000: 100.0}
"""What a subscription to a depth takes from the counter of a second."""

STANDARD, PRO = 200.0, 500.0
"""What that counter allows; these and the costs as published in June 2026."""

SECOND = 1.2
"""How long its second is taken to be here, since requests do not arrive as evenly as they are sent."""

AT_ONCE = 10
"""How many silent ones are asked for afresh in one turn: they must leave room for new ones."""


class Level3Feed(LiveFeed):
    """Books by order. Its token is in every request and nowhere else.

    Open point: whether a token that is older than 15 minutes is still good for more subscriptions on its connection.
    It is tried; should the venue not take it, the connection is made anew, with a fresh one.
    """

    def __init__(self, context: VenueContext) -> None:
        limit = PRO if context.config.tier == "pro" else STANDARD
        conversation = Conversation(
            context, LEVEL3_CHANNELS, most_symbols=MOST_SYMBOLS, pace=RequestPace(Pace(limit, SECOND), _cost)
        )
        super().__init__(context, conversation, ORDERS, at_once=AT_ONCE)

    def login(self) -> Flow[str] | None:
        return token()

    def receive(self, frame: bytes | str, now: float) -> Events:
        self.stats.frames += 1
        try:
            message = decode(frame)
        except UNREADABLE as error:
            return self._other(frame, error, now)
        self._alive = now
        kind = type(message)
        if kind is wire_feed.Orders:
            return self._books.receive(message, now)
        if kind is wire_feed.Heartbeat:
            return self._heartbeat()
        if kind is wire_feed.Status:
            return self._counted(guarded(statuses, message, now))
        return self._foreign(message)


def _cost(carrier: Subscription) -> float:
    return COSTS[carrier.depth or min(COSTS)]
