"""Run a venue's operations: gate, nonce, signature, sending, decoding, retries, and errors that can be relied on.

A read may be repeated. A write is sent once: when its answer does not come, or cannot be read, the error is
OutcomeUnknown and never one that means "it did not happen".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from logging import DEBUG
from random import Random
from typing import TYPE_CHECKING, Any, Self, TypeVar

from exchange_core.clock import Clock, SystemClock
from exchange_core.connector.auth import Signer
from exchange_core.connector.drift import Watch
from exchange_core.connector.limits import Cost, Limits, is_urgent
from exchange_core.connector.rest import Dialect, Flow, HttpReply, HttpRequest, RestCall, SocketCall
from exchange_core.errors import (
    ConfigError,
    ConnectFailed,
    ExchangeError,
    LockedOut,
    NonceRejected,
    ProtocolError,
    RateLimited,
    TransportError,
    VenueUnavailable,
)
from exchange_core.model.event import Answered
from exchange_core.transport.backoff import backoff
from exchange_core.transport.breaker import Breaker, Lockout
from exchange_core.transport.flows import run_flow
from exchange_core.transport.gate import Gate, Ticket
from exchange_core.transport.http import HttpSender, SendFailed
from exchange_core.transport.nonces import NonceSource
from exchange_core.transport.redaction import LOGGER, RedactingLogger, Redactor
from exchange_core.transport.socket_requests import NotSent, SocketRequests, Unanswered
from exchange_core.transport.without_answer import advise, unanswered, unknown

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

Late = Callable[[RestCall, Answered], None]
"""Told of the answer to a write that came over a live connection after OutcomeUnknown had been raised for it."""

RestTap = Callable[[str, HttpRequest, HttpReply, float], None]
"""Sees each exchange: address, request, answer, and when (seconds since 1970). Nothing is redacted."""

# Headers that say nothing about the account.
_PLAIN_HEADERS = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})
_PLAIN_HEADERS |= {name.title() for name in _PLAIN_HEADERS}  # as they are mostly written


class RestClient:
    """Runs flows against one venue. Use it as an async context manager.

    Args:
        config: The venue's options: its addresses and ``request_timeout``.
        nonces: Where nonces come from; pass one that outlives this client to keep them increasing.
        http: Sends instead of a connection pool, and is left open.
        tap: Sees each request and its answer, for recordings.
        retries: How often a read is repeated.
        max_wait: Longest wait for the venue's limits; orders wait no longer than ``order_deadline`` either.
        lockout: Whether the venue ignores the key; pass one that outlives this client to keep it.
        watch: Counts what answers have that is not known.
        heard: Told of each answer, and when its request was sent (by the clock's monotonic time).

    Attributes:
        ways: How many calls went which way, of those that could choose: ``rest``, or the name of a feed.
    """

    def __init__(
        self,
        venue: str,
        config: Any,
        dialect: Dialect,
        limits: Limits,
        *,
        signer: Signer | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        nonces: NonceSource | None = None,
        http: httpx.AsyncBaseTransport | None = None,
        tap: RestTap | None = None,
        retries: int = 3,
        max_wait: float = 30.0,
        lockout: Lockout | None = None,
        watch: Watch | None = None,
        heard: Callable[[HttpReply, float], None] | None = None,
    ) -> None:
        self.venue = venue
        self.redactor = Redactor(signer.secrets() if signer else ())
        self._config = config
        self._dialect = dialect
        self._signer = signer
        self._clock = clock or SystemClock()
        self._random = random or Random()
        self._nonces = nonces or NonceSource(self._clock)
        self._tap = tap
        self._watch = watch
        self._heard = heard
        self._retries = retries
        self._max_wait = max_wait
        self._gate = Gate(limits, self._clock, venue)
        self._breaker = Breaker(venue, self._clock, lockout)
        self._sender = HttpSender(http)
        self._closed = False
        self._carriers: dict[str, SocketRequests] = {}
        self.ways: Counter[str] = Counter()
        self._log = RedactingLogger(LOGGER, self.redactor)

    def __repr__(self) -> str:
        return f"RestClient({self.venue!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Calls made afterwards raise ConnectFailed."""
        self._closed = True
        await self._sender.aclose()

    @property
    def locked_until(self) -> datetime | None:
        """When the venue's lockout ends; None without one."""
        return self._breaker.closes_at

    def locked_out(self, error: LockedOut) -> None:
        """Note that the venue told of a lockout elsewhere, with the same key: nothing is sent until its end."""
        self._breaker.open(error)

    @property
    def gate(self) -> Gate:
        """Where calls wait for the venue's limits."""
        return self._gate

    def carry(self, feed: str, requests: SocketRequests) -> None:
        """Let calls that the feed's connection can carry go over it, while it does."""
        self._carriers[feed] = requests

    async def run(self, flow: Flow[T], late: Late | None = None, writes: list[RestCall] | None = None) -> T:
        """Make each call that *flow* asks for; return what it returns.

        Errors of a call are raised inside of the flow, which may handle them. What leaves the flow has in ``done``
        what was written before it.

        Args:
            writes: Gets each write that *flow* asks for, before it is made.
        """
        return await run_flow(flow, partial(self._answer, late), partial(unknown, self.venue), writes)

    async def _answer(self, late: Late | None, call: RestCall) -> Any:
        """Make *call*, over a live connection where that carries it, or else over REST."""
        if call.socket is None:
            return await self._answer_by_rest(call)
        carrier = self._carrier(call.socket)
        if carrier is not None:
            try:
                return await self._ask(call, call.socket, carrier, late)
            except NotSent as reason:
                self._log.debug("%s: %s goes over REST: %s", self.venue, call.socket.method, reason)
        self.ways["rest"] += 1
        return await self._answer_by_rest(call)

    def _carrier(self, socket: SocketCall) -> SocketRequests | None:
        if self._config.order_entry == "rest":
            return None
        carrier = self._carriers.get(socket.feed)
        return carrier if carrier is not None and carrier.can_ask(urgent=is_urgent(socket.costs)) else None

    async def _ask(self, call: RestCall, socket: SocketCall, carrier: SocketRequests, late: Late | None) -> Any:
        """Make *call* over a live connection, once.

        Raises:
            NotSent: It did not leave, or is a read that got no answer: REST can be asked.
        """
        what = f"{socket.method} on the {socket.feed} feed"
        admitted = self._admit_now(socket.costs)
        ticket = admitted or await self._admit(call, socket.costs)
        began = self._clock.monotonic()
        try:
            # It may have been closed while the call waited for a limit.
            self._check_open()
            with self._breaker.watch():
                told = partial(late, call) if late is not None and call.changes_state else None
                answer = await carrier.ask(call, self._config.request_timeout, told, at_once=admitted is not None)
                if self._log.isEnabledFor(DEBUG):
                    self._log.debug("%s: %s: answered in %.3f s", self.venue, what, self._clock.monotonic() - began)
                if isinstance(answer.error, ConnectFailed):
                    raise NotSent(str(answer.error))
                self.ways[socket.feed] += 1
                if answer.error is not None:
                    raise answer.error
                return answer.value
        except Unanswered as error:
            self.ways[socket.feed] += 1
            failure: Exception = error
        except (ProtocolError, TransportError, VenueUnavailable, RateLimited) as error:
            self._own(error)
            if isinstance(error, RateLimited):
                self._pause(socket.costs, error, 1.0)
            unclear = isinstance(error, ProtocolError) or not call.changes_state
            if isinstance(error, LockedOut | ConnectFailed) or not unclear:
                raise
            failure = error
        except ExchangeError as error:
            self._own(error)
            raise
        finally:
            ticket.release()
        if not call.changes_state:
            raise NotSent(f"{what}: {failure}") from failure
        lost = unknown(self.venue, what, failure)
        self._own(lost)
        raise lost

    async def _answer_by_rest(self, call: RestCall) -> Any:
        """Make *call*, a read as often as it takes."""
        in_turn = call.private and self._signer is not None and self._signer.needs_nonce
        waits = backoff(self._random)
        left = 0 if call.changes_state else self._retries
        while True:
            # Errors of our own gate and breaker go straight out: asking again changes nothing.
            ticket = self._admit_now(call.costs, in_turn) or await self._admit(call, call.costs, in_turn)
            try:
                return await self._attempt(call, ticket)
            # A nonce is another one each time; one was overtaken, where two programs use one key.
            except (TransportError, VenueUnavailable, RateLimited, NonceRejected) as error:
                wait = next(waits)
                if isinstance(error, RateLimited):
                    wait = self._pause(call.costs, error, wait)
                if not left or self._closed or isinstance(error, LockedOut) or wait > self._max_wait:
                    raise
                left -= 1
                said = str(error).removeprefix(f"{self.venue}: ")
                self._log.warning("%s: %s; trying again in %.1f s", self.venue, said, wait)
            await self._clock.sleep(wait)

    def _admit_now(self, costs: Sequence[Cost], in_turn: bool = False) -> Ticket | None:
        self._check_open()
        self._breaker.check()
        return self._gate.enter_now(costs, in_turn=in_turn)

    async def _admit(self, call: RestCall, costs: Sequence[Cost], in_turn: bool = False) -> Ticket:
        return await self._gate.enter(costs, in_turn=in_turn, max_wait=self.patience(call))

    def patience(self, call: RestCall) -> float:
        """Return for how many seconds *call* may wait for the venue's limits."""
        seconds = self._max_wait
        if call.changes_state and not is_urgent(call.costs):
            # An order that leaves much later than it was meant to is worse than one that does not leave.
            seconds = min(seconds, self._config.order_deadline or seconds)
        if call.leave_by is not None:
            seconds = min(seconds, max(0.0, (call.leave_by - self._clock.now()).total_seconds()))
        return seconds

    def _check_open(self) -> None:
        if self._closed:
            raise ConnectFailed(f"{self.venue}: the client is closed; nothing was sent", venue=self.venue)

    async def _attempt(self, call: RestCall, ticket: Ticket) -> Any:
        try:
            # It may have been closed while the call waited for a limit.
            self._check_open()
            with self._breaker.watch():
                reply = await self._send(call, self._address(call), self._write(call), ticket)
                return self._decode(call, reply)
        except Exception as error:
            # That of a signer, say, whose library quotes what it was given, too.
            self._own(error)
            raise
        finally:
            ticket.release()

    def _own(self, error: Exception) -> None:
        """Name the venue in *error*, and hide secrets."""
        if isinstance(error, ExchangeError):
            error.venue = error.venue or self.venue
        advise(error)
        self.redactor.scrub(error)

    def _write(self, call: RestCall) -> HttpRequest:
        """Turn *call* into what is sent. Nothing is awaited from the nonce to the sending."""
        if not call.private:
            return self._dialect.encode(call)
        if self._signer is None:
            raise ConfigError(f"{self.venue}: {call.path} needs credentials; set api_key and api_secret of this venue")
        request = self._signer.sign(call, self._nonces.next() if self._signer.needs_nonce else None)
        telling = [
            value
            for name, value in request.headers.items()
            if name not in _PLAIN_HEADERS and name.lower() not in _PLAIN_HEADERS
        ]
        self.redactor.add_passing("signature", *telling)
        return request

    async def _send(self, call: RestCall, address: str, request: HttpRequest, ticket: Ticket) -> HttpReply:
        what = f"{call.method} {call.path}"
        began = self._clock.monotonic()
        failure: TransportError
        try:
            reply = await self._sender.send(
                address,
                request,
                within=self._config.request_timeout,
                on_written=lambda: ticket.release_after(self._nonces.hold),
            )
        except SendFailed as error:
            failure = unanswered(self.venue, call, error)
        else:
            if self._log.isEnabledFor(DEBUG):
                self._log.debug("%s: %s: %d in %.3f s", self.venue, what, reply.status, self._clock.monotonic() - began)
            if self._heard is not None:
                self._heard(reply, began)
            if self._tap is not None:
                self._tap(address, request, reply, self._clock.time_ns() / 1e9)
            return reply
        # Outside of the except block, so that no library's error hangs on it as context.
        raise failure

    def _decode(self, call: RestCall, reply: HttpReply) -> Any:
        try:
            value = self._dialect.decode(call, reply)
            if self._watch is not None:
                self._watch.answer(call, reply)
            return value
        except ExchangeError as error:
            if self._watch is not None:
                self._watch.failed(call, reply)
            if call.changes_state and isinstance(error, ProtocolError):
                raise unknown(self.venue, f"{call.method} {call.path}", error) from error
            raise
        except Exception as error:
            what = f"{call.method} {call.path}"
            # A plugin's mistake must not make an order that was sent look like one that was not.
            if call.changes_state:
                raise unknown(self.venue, what, error) from error
            raise ProtocolError(f"{self.venue}: {what}: {type(error).__name__}: {error}", venue=self.venue) from error

    def _pause(self, costs: Sequence[Cost], error: RateLimited, growing: float) -> float:
        """Hold back what is like *costs*; return for how long."""
        # A venue's "until" may have passed when it is read; asking again at once is still no good.
        seconds = max(growing, error.retry_after) if error.retry_after is not None else max(5.0, 10 * growing)
        self._gate.pause(costs, seconds)
        return seconds

    def _address(self, call: RestCall) -> str:
        address = getattr(self._config, call.base, None)
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise ConfigError(f"{self.venue}: {call.base} is {address!r}; expected an address such as https://host")
        return address.rstrip("/")
