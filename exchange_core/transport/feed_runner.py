"""Run one of a venue's WebSocket connections: log in, connect, feed, send, watch, reconnect.

The plugin's feed is a state machine; this owns the socket and the time. Messages are handled where they are read, see
``connection``; one task sends, one ticks, and both end with the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Any

from websockets.exceptions import ConnectionClosed

from exchange_core.clock import Clock, SystemClock
from exchange_core.connector.feed import Feed, RequestFeed
from exchange_core.connector.spec import FeedSpec
from exchange_core.errors import (
    ConfigError,
    ExchangeError,
    ProtocolError,
    TransportError,
    VenueError,
    refuses_key,
)
from exchange_core.model.event import (
    Answered,
    Event,
    Events,
    LockoutTold,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    Unrecognised,
)
from exchange_core.transport.backoff import ConnectBudget, backoff
from exchange_core.transport.confirmations import Confirmations
from exchange_core.transport.connection import FrameConnection, open_connection
from exchange_core.transport.feed_state import FeedPhase as FeedPhase
from exchange_core.transport.feed_state import FeedState as FeedState
from exchange_core.transport.frame_sender import FrameSender
from exchange_core.transport.outgoing import Outgoing
from exchange_core.transport.redaction import LOGGER, RedactingLogger, Redactor
from exchange_core.transport.rest_client import RestClient
from exchange_core.transport.socket_requests import SocketRequests

FrameTap = Callable[[str, str | bytes, float], None]
"""Sees each frame: ``in`` or ``out``, its text, and when (seconds since 1970). Nothing is redacted."""

TICK = 1.0
# A connection that lived this long was a good one: the next loss starts with a short wait again.
STABLE_AFTER = 60.0
# What is published for a frame that the feed could not read.
UNREADABLE = "unreadable frame"
# So many unreadable frames in a row are no accident any more.
UNREADABLE_IN_A_ROW = 20

_ANSWERS = frozenset({Subscribed, SubscriptionRefused, LockoutTold, Answered})


class FeedRunner:
    """Keeps one feed connected.

    Args:
        rest: Runs the feed's login; not needed by feeds without one.
        publish: Takes each event, at once and in order; it must not block and not raise.
        on_state: Told of each change of phase.
        budget: Connection attempts that the venue allows; share one between the feeds of a host.
        tap: Sees each frame, for recordings.
        look: Takes each frame that was read, once its news are out; it must not raise.

    Attributes:
        state: The latest news of the connection.
        connections: How many were opened so far.
        unreadable: Frames that the feed could not read.
        requests: Sends requests over the connection; None where the feed carries none.
    """

    def __init__(
        self,
        spec: FeedSpec,
        feed: Feed,
        rest: RestClient | None,
        config: Any,
        *,
        publish: Callable[[Event], None],
        on_state: Callable[[FeedState], None] | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        budget: ConnectBudget | None = None,
        tap: FrameTap | None = None,
        look: Callable[[bytes], None] | None = None,
        venue: str | None = None,
    ) -> None:
        self.venue = venue or (rest.venue if rest else spec.name)
        self.state = FeedState(FeedPhase.CLOSED)
        self.connections = 0
        self.unreadable = 0
        self._spec = spec
        self._feed = feed
        self._rest = rest
        self._config = config
        self._publish = publish
        self._on_state = on_state
        self._clock = clock or SystemClock()
        self._random = random or Random()
        self._budget = budget or ConnectBudget(spec.connects, spec.connect_window)
        self._tap = tap
        self._look = look
        self._redactor = rest.redactor if rest else Redactor()
        self._log = RedactingLogger(LOGGER, self._redactor)
        self._confirmations = Confirmations(self.venue)
        self._connection: FrameConnection | None = None
        self._outgoing = Outgoing()
        self.requests: SocketRequests | None = None
        if isinstance(feed, RequestFeed):
            self.requests = SocketRequests(spec.name, feed, self._outgoing, self._clock, spec.frames_per_second)

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            AuthenticationError: The login was refused; trying again could lock the account out.
            ConfigError: There is no address, or no client to log in with.
        """
        end = TransportError(f"{self.venue}: the {self._spec.name} feed was stopped", venue=self.venue)
        waits = backoff(self._random)
        try:
            while True:
                try:
                    connection, credential = await self._connect()
                except (TransportError, VenueError, ProtocolError) as error:
                    if refuses_key(error):
                        raise
                    why, wait = str(error), getattr(error, "retry_after", None) or 0.0
                else:
                    opened = self._clock.monotonic()
                    why, wait = await self._converse(connection, credential), 0.0
                    if self._clock.monotonic() - opened >= STABLE_AFTER:
                        waits = backoff(self._random)
                await self._pause(max(wait, next(waits)), why)
        except ExchangeError as error:
            self._redactor.scrub(error)
            end = TransportError(f"{self.venue}: the {self._spec.name} feed ended: {error}", venue=self.venue)
            raise
        finally:
            self._confirmations.close(end)
            self._enter(FeedPhase.CLOSED, str(end))

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Ask for more, now or as soon as there is a connection."""
        wanted = list(subscriptions)
        self._confirmations.asked(wanted)
        self._feed.subscribe(wanted, self._clock.monotonic())
        self._flush()

    def unsubscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Ask for less."""
        dropped = list(subscriptions)
        self._feed.unsubscribe(dropped, self._clock.monotonic())
        self._confirmations.fail(dropped, TransportError(f"{self.venue}: unsubscribed", venue=self.venue))
        self._flush()

    async def confirmed(self, subscription: Subscription, within: float = 10.0) -> None:
        """Return as soon as the venue has acknowledged *subscription*.

        Raises:
            BadRequest: The venue refused it; the message has its reason.
            TransportError: Nothing came within *within* seconds, or the feed was stopped.
        """
        if not self._feed.is_active(subscription):
            await self._confirmations.wait(subscription, within)

    # Connecting.

    async def _connect(self) -> tuple[FrameConnection, str | None]:
        while (delay := self._budget.delay(self._clock.monotonic())) > 0:
            await self._pause(delay, f"{self._budget.attempts} connection attempts were made; the venue allows no more")
        self._budget.spend(self._clock.monotonic())
        credential = await self._log_in()
        self._enter(FeedPhase.CONNECTING)
        address = getattr(self._config, self._spec.url, None)
        if not isinstance(address, str) or not address.startswith(("wss://", "ws://")):
            raise ConfigError(f"{self.venue}: {self._spec.url} is {address!r}; expected an address such as wss://host")
        return await open_connection(address, self.venue, self._redactor), credential

    async def _log_in(self) -> str | None:
        flow = self._feed.login()
        if flow is None:
            return None
        if self._rest is None:
            raise ConfigError(f"{self.venue}: the {self._spec.name} feed logs in over REST, and was given no client")
        self._enter(FeedPhase.LOGGING_IN)
        credential = await self._rest.run(flow)
        self._redactor.add_passing("token", credential)
        return credential

    async def _pause(self, seconds: float, why: str) -> None:
        self._enter(FeedPhase.WAITING, why, seconds)
        await self._clock.sleep(seconds)

    # Connected.

    async def _converse(self, connection: FrameConnection, credential: str | None) -> str:
        """Serve one connection to its end; return why it ended."""
        self.connections += 1
        over = stopping = False
        why = "closed by us"
        try:
            self._feed.opened(self._clock.monotonic(), credential)
            self._connection = connection
            if self.requests is not None:
                self.requests.opened()
            self._enter(FeedPhase.OPEN)
            connection.start(self._receiver(connection))
            self._flush()
            async with asyncio.TaskGroup() as tasks:
                helpers = [tasks.create_task(self._guard(connection, work)) for work in (self._send, self._tick)]
                outcome = await connection.over
                over, why = True, str(outcome)
                for helper in helpers:
                    helper.cancel()
        except asyncio.CancelledError:
            stopping = True
            raise
        finally:
            self._connection = None
            if self.requests is not None:
                self.requests.closed(why, for_good=stopping)
            self._outgoing.clear()
            connection.end("closed by us")
            try:
                self._tell(self._feed.closed(self._clock.monotonic()))
            finally:
                await connection.hang_up(politely=not over)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _receiver(self, connection: FrameConnection) -> Callable[[bytes], None]:
        """Return what takes each message. It runs once a message, so it looks nothing up that stays the same."""
        receive, outbox, publish = self._feed.receive, self._feed.outbox, self._publish
        monotonic, tap, look, answers, answered = self._clock.monotonic, self._tap, self._look, _ANSWERS, self._answered
        in_a_row = 0

        def take(frame: bytes) -> None:
            nonlocal in_a_row
            try:
                if tap is not None:
                    tap("in", frame, self._clock.time_ns() / 1e9)
                try:
                    events = receive(frame, monotonic())
                except ProtocolError as error:
                    in_a_row += 1
                    self._note_unreadable(error)
                    if in_a_row >= UNREADABLE_IN_A_ROW:
                        connection.end(f"{in_a_row} frames in a row could not be read; the last: {error}")
                    return
                in_a_row = 0
                for event in events:
                    publish(event)
                    if type(event) in answers:
                        answered(event)
                frames = outbox()
                if frames:
                    self._outgoing.add(frames)
                if look is not None:
                    look(frame)
            except Exception as error:  # noqa: BLE001 (raised where the connection is served)
                connection.end(error)

        return take

    def _note_unreadable(self, error: ProtocolError) -> None:
        self.unreadable += 1
        self._redactor.scrub(error)
        # A venue that sends nothing else would fill the disk with it.
        if self.unreadable & (self.unreadable - 1) == 0:
            self._log.warning(
                "%s: %s feed: unreadable frame %d: %s", self.venue, self._spec.name, self.unreadable, error
            )
        self._publish(Unrecognised(kind=UNREADABLE, detail=str(error)))

    async def _send(self, connection: FrameConnection) -> None:
        rate, on_sent = self._spec.frames_per_second, self._note_sent if self._tap is not None else None
        await FrameSender(self._outgoing, connection, self._clock, rate, on_sent).run()

    def _note_sent(self, frame: str) -> None:
        assert self._tap is not None
        self._tap("out", frame, self._clock.time_ns() / 1e9)

    async def _tick(self, connection: FrameConnection) -> None:
        while True:
            await self._clock.sleep(TICK)
            now = self._clock.monotonic()
            self._tell(self._feed.tick(now))
            self._flush()
            if self.requests is not None:
                self.requests.tick(now)
            dead = self._feed.is_dead(now)
            if dead is not None:
                connection.end(dead)

    async def _guard(self, connection: FrameConnection, work: Callable[[FrameConnection], Awaitable[None]]) -> None:
        """End the connection with the error of *work*, which raises it where the connection is served."""
        try:
            await work(connection)
        except ConnectionClosed:
            # The connection itself says why, in a moment.
            pass
        except Exception as error:  # noqa: BLE001 (see above)
            connection.end(error)

    def _tell(self, events: Events) -> None:
        for event in events:
            self._publish(event)
            if type(event) in _ANSWERS:
                self._answered(event)

    def _answered(self, event: Event) -> None:
        if isinstance(event, Answered):
            if self.requests is not None:
                self.requests.answered(event)
        elif isinstance(event, Subscribed | SubscriptionRefused):
            self._confirmations.answered(event)
        elif isinstance(event, LockoutTold) and self._rest is not None:
            self._rest.locked_out(event.error)

    def _flush(self) -> None:
        if self._connection is not None and (frames := self._feed.outbox()):
            self._outgoing.add(frames)

    def _enter(self, phase: FeedPhase, reason: str = "", retry_in: float | None = None) -> None:
        reason = self._redactor.redact(reason)
        self.state = FeedState(phase, reason, retry_in)
        level = self._log.warning if phase is FeedPhase.WAITING else self._log.debug
        level("%s: %s feed is %s%s", self.venue, self._spec.name, phase, f": {reason}" if reason else "")
        if self._on_state is not None:
            self._on_state(self.state)
