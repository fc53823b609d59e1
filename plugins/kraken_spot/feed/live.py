"""What Kraken Spot's connections for market data have in common: checked books, and an eye on silent subscriptions.

See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import Event, Events, Subscription
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.base import BaseFeed, symbol_of
from kraken_spot.feed.books import BookKind, Books
from kraken_spot.feed.quiet import AT_ONCE, Place, Quiet, place_of
from kraken_spot.feed.requests import Conversation


class LiveFeed(BaseFeed):
    """A connection for market data, with one kind of books."""

    def __init__(
        self, context: VenueContext, conversation: Conversation, kind: BookKind, *, at_once: int = AT_ONCE
    ) -> None:
        super().__init__(context, conversation)
        self._kind = kind
        self._quiet = Quiet(context.config.quiet_after, self.stats, at_once)
        self._books = Books(
            context, kind, self.stats, self._quiet, self._conversation.again, self._conversation.is_active
        )
        self._carried: list[Subscription] = []

    def opened(self, now: float, credential: str | None = None) -> None:
        super().opened(now, credential)
        self._books.reset(BookHealth.SYNCING, now)
        self._quiet.opened(now)

    def closed(self, now: float) -> Events:
        self._books.reset(BookHealth.STALE, now)
        return super().closed(now)

    def tick(self, now: float) -> Events:
        events: list[Event] = []
        if self._is_open:
            self._books.count(now)
            for carrier, reason in self._quiet.late(now, self._conversation.is_active):
                events += self._quiet.judge(place_of(carrier), reason, now)
                if carrier.channel is self._kind.channel:
                    events += self._books.unanswered(carrier, "its snapshot did not come", now)
        events += super().tick(now)
        self._follow(now)
        if self._is_open:
            self._books.tick(now)
            self._probe(now)
        return events

    def is_dead(self, now: float) -> str | None:
        return super().is_dead(now) or (self._quiet.dead if self._is_open else None)

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        super().subscribe(subscriptions, now)
        self._follow(now)

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        super().unsubscribe(subscriptions, now)
        self._follow(now)

    def book(self, symbol: Symbol) -> OrderBook | None:
        found = self._books.find(symbol)
        return None if found is None else found.view

    # What follows from what is wanted.

    def _follow(self, now: float) -> None:
        carried = self._conversation.carried()
        if carried != self._carried:
            self._carried = carried
            self._books.follow(carried, now)
            self._changed(self._quiet.follow(carried, now))

    def _changed(self, places: Iterable[Place]) -> None:
        """Take it that these are followed from now on, or not any more."""

    def _probe(self, now: float) -> None:
        """Ask afresh for what was silent for too long."""
        due = self._quiet.begin(now, self._is_settled)
        for carrier in due:
            self._asked_afresh(carrier, now)
        if due:
            self._conversation.again(due, now)

    def _asked_afresh(self, carrier: Subscription, now: float) -> None:
        if carrier.channel is self._kind.channel:
            self._books.probed(carrier)

    def _is_settled(self, carrier: Subscription) -> bool:
        if not self._conversation.is_active(carrier):
            return False
        if carrier.channel is not self._kind.channel or carrier.symbol is None:
            return True
        book = self._books.find(carrier.symbol)
        return book is not None and book.health is BookHealth.LIVE

    def _probed(self) -> Container[Subscription]:
        return self._quiet.awaited()

    def _unmistakable(self, now: float) -> Iterable[Subscription]:
        return [*self._books.live(), *self._quiet.lively(now)]

    # Frames.

    def _response(self, message: dict[str, Any], now: float) -> Events:
        result = message.get("result")
        if self._context.provisional and isinstance(result, dict) and result.get("channel") == self._kind.word:
            self._books.acknowledged(result.get("symbol"), result.get("depth"))
        return super()._response(message, now)

    def _spoilt(self, message: dict[str, Any], why: Exception, now: float) -> Events:
        name = symbol_of(message)
        if message["channel"] == self._kind.word and name is not None:
            return self._books.spoil(name, f"message does not read as documented: {why}", now)
        return super()._spoilt(message, why, now)
