"""The WebSocket connections of one venue: opened when first needed, shared by all who subscribe, told apart by failure.

What several ask for is subscribed once; the last one to leave unsubscribes it. A refusal, or the end of a connection
that cannot be had, reaches exactly those who wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from exchange_core.clock import Clock
from exchange_core.connector.spec import FeedSpec, VenueSpec
from exchange_core.errors import (
    BadRequest,
    ConfigError,
    ExchangeError,
    InvalidValue,
    NotSupported,
    TransportError,
    UnknownSymbol,
)
from exchange_core.model.book import BookByOrder, BookHealth, OrderBook
from exchange_core.model.event import (
    BookDesynced,
    Channel,
    Event,
    SequenceGap,
    Subscription,
    SubscriptionRefused,
    SubscriptionSilent,
    SubscriptionUnanswered,
)
from exchange_core.model.symbol import Symbol
from exchange_core.transport.feed_runner import FeedPhase, FeedState
from exchange_core.venue.background import Background
from exchange_core.venue.bus import Bus, topic
from exchange_core.venue.feed_connection import ACCOUNT, Connection, Fail, MakeRunner
from exchange_core.venue.health import BookState, FeedHealth

# Longer than a connection and a round of asking again may take.
CONFIRM_WITHIN = 30.0

_LOG = logging.getLogger(__name__)


class Feeds:
    """All connections of one venue.

    Args:
        make: Builds a connection.
        private: Takes the events of connections that carry account channels, instead of the bus.
        on_state: Told of each change of such a connection.
        confirm_within: Seconds that a reader waits for the venue to acknowledge a subscription.
    """

    def __init__(
        self,
        venue: str,
        spec: VenueSpec,
        make: MakeRunner,
        bus: Bus,
        background: Background,
        *,
        has_credentials: bool,
        private: Callable[[Event], None],
        on_state: Callable[[FeedState], None],
        clock: Clock,
        confirm_within: float = CONFIRM_WITHIN,
    ) -> None:
        self._venue = venue
        self._spec = spec
        self._make = make
        self._bus = bus
        self._background = background
        self._has_credentials = has_credentials
        self._private = private
        self._on_state = on_state
        self._clock = clock
        self._confirm_within = confirm_within
        self._connections: dict[str, Connection] = {}
        self._flush_is_due = False
        bus.subscribe(topic(SubscriptionRefused), self._refused)
        bus.subscribe(topic(BookDesynced), self._desynced)
        bus.subscribe(topic(SequenceGap), self._gap)
        bus.subscribe(topic(SubscriptionSilent), self._silent)
        bus.subscribe(topic(SubscriptionUnanswered), self._silent)

    def serves(self, channel: Channel) -> bool:
        """Return whether the venue has *channel*."""
        return self._spec.feed_for(channel) is not None

    def check(self, channel: Channel) -> FeedSpec:
        """Return the connection that serves *channel*.

        Raises:
            NotSupported: The venue has no such channel.
            ConfigError: It needs credentials.
        """
        if not self._background.is_open:
            raise RuntimeError(f"{self._venue}: not open; use it inside its async with")
        spec = self._spec.feed_for(channel)
        if spec is None:
            raise NotSupported(f"{self._venue}: {self._spec.title} has no live {channel}", venue=self._venue)
        if spec.private and not self._has_credentials:
            raise ConfigError(
                f"{self._venue}: live {channel} needs credentials; set api_key and api_secret of this venue"
            )
        return spec

    def attach(self, subscription: Subscription, fail: Fail) -> None:
        """Subscribe, or share what is subscribed already.

        Args:
            fail: Told when the venue refuses it, or its connection cannot be had any more.

        Raises:
            NotSupported, ConfigError: As :meth:`check`.
        """
        connection = self._connection(subscription.channel)
        connection.refused.pop(subscription, None)
        users = connection.users.setdefault(subscription, [])
        users.append(fail)
        if len(users) == 1:
            if subscription in connection.dropped:
                connection.dropped.remove(subscription)
            else:
                connection.asked.append(subscription)
                self._flush_soon()

    def detach(self, subscription: Subscription, fail: Fail) -> None:
        """Leave; the last one to do so unsubscribes."""
        connection = self._connections.get(self._feed_name(subscription.channel))
        users = connection.users.get(subscription) if connection else None
        if connection is None or users is None or fail not in users:
            return
        users.remove(fail)
        if not users:
            del connection.users[subscription]
            if subscription in connection.asked:
                connection.asked.remove(subscription)
            elif self._background.is_open:
                connection.dropped.append(subscription)
                self._flush_soon()

    async def confirmed(self, subscription: Subscription) -> None:
        """Return when the venue has acknowledged *subscription*.

        Raises:
            BadRequest: The venue refused it.
            TransportError: Nothing came in time; says how the connection stands.
        """
        connection = self._connections[self._feed_name(subscription.channel)]
        if connection.error is not None:
            raise connection.error
        self._flush()
        refused = connection.refused.pop(subscription, None)
        if refused is not None:
            raise refused
        try:
            await connection.runner.confirmed(subscription, self._confirm_within)
        except TransportError as error:
            if connection.error is not None:
                raise connection.error from error
            state = connection.runner.state
            if state.phase is FeedPhase.OPEN:
                raise
            how = f"{state.phase}: {state.reason}" if state.reason else str(state.phase)
            raise TransportError(f"{error}; its connection is {how}", venue=self._venue) from error

    def is_active(self, subscription: Subscription) -> bool:
        """Return whether the venue has acknowledged *subscription* on the connection that there is now."""
        connection = self._connections.get(self._feed_name(subscription.channel))
        return connection is not None and connection.error is None and connection.feed.is_active(subscription)

    def subscribed(self, channel: Channel, symbol: Symbol | None) -> Subscription | None:
        """Return the subscription to *channel* of *symbol* that is wanted, whatever its depth."""
        connection = self._connections.get(self._feed_name(channel))
        if connection is None:
            return None
        return next((s for s in connection.users if s.channel is channel and s.symbol == symbol), None)

    def book(self, symbol: Symbol) -> OrderBook | None:
        """Return the view of a book that is subscribed to."""
        connection = self._connections.get(self._feed_name(Channel.BOOK))
        return connection.feed.book(symbol) if connection else None

    def book_by_order(self, symbol: Symbol) -> BookByOrder | None:
        """Return the view of a book by order that is subscribed to."""
        connection = self._connections.get(self._feed_name(Channel.BOOK_BY_ORDER))
        view = connection.feed.book(symbol) if connection else None
        return view if isinstance(view, BookByOrder) else None

    def health(self) -> Mapping[str, FeedHealth]:
        """Return how each connection stands."""
        return {name: connection.health() for name, connection in self._connections.items()}

    def books(self, channel: Channel = Channel.BOOK) -> Mapping[Symbol, BookState]:
        """Return how each followed book of one kind stands."""
        found = {}
        for connection in self._connections.values():
            for subscription in connection.users:
                if subscription.channel is channel and subscription.symbol is not None:
                    view = connection.feed.book(subscription.symbol)
                    if view is not None:
                        found[subscription.symbol] = BookState(health=view.health, checked=view.checked)
        return found

    def raise_to_user(self, error: ExchangeError) -> None:
        """End the venue with *error*, where nobody waits who could be told."""

        async def fail() -> None:
            raise error

        with suppress(RuntimeError):  # closing already
            self._background.spawn(fail(), "failing")

    def _feed_name(self, channel: Channel) -> str:
        spec = self._spec.feed_for(channel)
        return spec.name if spec else ""

    def _connection(self, channel: Channel) -> Connection:
        spec = self.check(channel)
        connection = self._connections.get(spec.name)
        if connection is None or connection.error is not None:
            connection = self._open(spec)
        return connection

    def _open(self, spec: FeedSpec) -> Connection:
        publish: Callable[[Any], None] = self._private if spec.channels & ACCOUNT else self._bus.publish
        before = self._connections.get(spec.name)

        def on_state(state: FeedState) -> None:
            self._enter(connection, state)

        feed, runner = self._make(spec, publish, on_state)
        connection = Connection(spec, feed, runner, losses=before.losses if before else 0)
        self._background.spawn(self._run(connection), f"{spec.name} feed")
        self._connections[spec.name] = connection
        return connection

    async def _run(self, connection: Connection) -> None:
        try:
            await connection.runner.run()
        except ExchangeError as error:
            connection.error = error
            _LOG.error("%s: the %s feed ended: %s", self._venue, connection.spec.name, error)
            self._fail(connection, list(connection.users), error)

    def _enter(self, connection: Connection, state: FeedState) -> None:
        is_open = state.phase is FeedPhase.OPEN
        is_lost = not is_open and (connection.is_open or (state.phase is FeedPhase.WAITING and not connection.losses))
        if is_open or is_lost:
            connection.is_open, connection.since = is_open, self._clock.now()
            connection.losses += is_lost
        if connection.is_account:
            self._on_state(state)
        if state.phase is FeedPhase.WAITING:
            for subscription in list(connection.users):
                if subscription.channel in _BOOKS and subscription.symbol is not None:
                    self._tell_not_live(connection, subscription.channel, subscription.symbol)

    def _desynced(self, event: BookDesynced) -> None:
        connection = self._connections.get(self._feed_name(event.channel))
        if connection is not None:
            self._tell_not_live(connection, event.channel, event.symbol)

    def _gap(self, event: SequenceGap) -> None:
        connection = self._connections.get(self._feed_name(event.channel))
        if connection is None:
            return
        connection.gaps += 1
        if not connection.is_account:  # of the account's own it is said where they are asked for
            _LOG.warning("%s: messages of %s were missed: %s", self._venue, event.channel, event.reason)

    def _silent(self, event: SubscriptionSilent | SubscriptionUnanswered) -> None:
        connection = self._connections.get(self._feed_name(event.subscription.channel))
        if connection is not None and isinstance(event, SubscriptionSilent):
            connection.silent += 1
        _LOG.warning("%s: %s was silent: %s", self._venue, event.subscription, event.reason)

    def _tell_not_live(self, connection: Connection, channel: Channel, symbol: Symbol) -> None:
        """Publish the view of a book that failed or was lost, once: it shows no levels now, and readers must know."""
        view = connection.feed.book(symbol)
        if view is None or view.health not in _FAILED:
            return
        # As long as nothing more was checked it was not live again.
        state = (view.health, view.checked)
        if connection.told.get((channel, symbol)) != state:
            connection.told[channel, symbol] = state
            self._bus.publish(view)

    def _refused(self, event: SubscriptionRefused) -> None:
        connection = self._connections.get(self._feed_name(event.subscription.channel))
        if connection is not None:
            message = f"{self._venue}: {event.subscription}: {event.reason}"
            self._fail(connection, [event.subscription], BadRequest(message, venue=self._venue, codes=event.codes))

    def _fail(self, connection: Connection, subscriptions: Iterable[Subscription], error: ExchangeError) -> None:
        for subscription in subscriptions:
            for fail in connection.users.pop(subscription, ()):
                fail(error)

    def _flush_soon(self) -> None:
        """Ask for all that is wanted in this turn of the loop at once: venues count requests."""
        if not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        for connection in self._connections.values():
            dropped, connection.dropped = connection.dropped, []
            asked, connection.asked = connection.asked, []
            if connection.error is not None:
                continue
            if dropped:
                connection.runner.unsubscribe(dropped)
            if asked:
                self._ask(connection, asked)

    def _ask(self, connection: Connection, asked: list[Subscription]) -> None:
        """Ask for all of it; what cannot be had fails by itself, and takes nothing else along."""
        try:
            connection.runner.subscribe(asked)
        except (BadRequest, InvalidValue, NotSupported, UnknownSymbol) as error:
            if len(asked) > 1:
                for subscription in asked:
                    self._ask(connection, [subscription])
                return
            connection.refused[asked[0]] = error
            self._fail(connection, asked, error)


_BOOKS = frozenset({Channel.BOOK, Channel.BOOK_BY_ORDER})
_FAILED = frozenset({BookHealth.DESYNCED, BookHealth.STALE})
