"""A plugin's client and its simulated side, joined in one process: no sockets, and no time but what a test lets pass.

``World`` is the exchange, ``Client`` one account's REST side, ``Line`` a feed and what it is connected to. What may go
wrong on the way is a function of each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from exchange_core.connector.auth import Credentials
from exchange_core.connector.feed import RequestFeed
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.simulation import SimEvent, WireProtocol
from exchange_core.connector.spec import FeedSpec, VenueContext, VenueSpec
from exchange_core.errors import ConfigError, ExchangeError, NotSupported
from exchange_core.model.event import Answered, Event, Subscription
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.clock import ManualClock

T = TypeVar("T")

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

_ROUNDS = 1000  # frames to and fro in one moment; more is a feed and a venue that talk in circles


def run_flow(flow: Flow[T], answer: Callable[[RestCall], Any]) -> T:
    """Run an operation to its end, as the transport does.

    Args:
        answer: Returns the decoded reply to a call, or raises what the operation shall see of it.
    """
    try:
        call = next(flow)
        while True:
            try:
                reply = answer(call)
            except ExchangeError as error:
                call = flow.throw(error)
            else:
                call = flow.send(reply)
    except StopIteration as done:
        result: T = done.value
        return result


class Asked(NamedTuple):
    """A call that the exchange answered, and whether anything there changed by it."""

    call: RestCall
    changed: bool


class World:
    """One simulated exchange.

    Attributes:
        spec: The venue.
        clock: Stands still until a test moves it.
        exchange: The books and accounts.
        protocol: The venue's protocols on top of it.
        asked: All calls of all clients so far.
        nonces: Where the next nonce of a signed call comes from.
    """

    def __init__(self, spec: VenueSpec, *, seed: int = 1, start: datetime = NOON) -> None:
        if spec.simulator is None:
            raise ConfigError(f"{spec.name}: has no simulated side, which a World is made of")
        self.spec = spec
        self.simulator = spec.simulator
        self.clock = ManualClock(start)
        self.exchange = SimulatedExchange(spec.simulator, seed=seed, clock=self.clock)
        self.protocol = spec.simulator.protocol(self.exchange)
        self.asked: list[Asked] = []
        self.nonces: Iterator[int] = count(1)
        self._keys: dict[str, Credentials] = {}
        self._events = 0
        self.exchange.listen(self._hear)

    def credentials(self, name: str) -> Credentials:
        """Return the key of account *name*, which is opened with the venue's usual deposits if need be."""
        if name not in self._keys:
            self._keys[name] = self._new_key(name)
            self.exchange.add_account(name, self.simulator.deposits, name, self._keys[name].api_secret)
        return self._keys[name]

    def restricted(self, account: str, name: str, permissions: Iterable[str]) -> Credentials:
        """Return one more key, called *name*, which may do only what the venue's words *permissions* say."""
        self._keys[name] = self._new_key(name)
        self.exchange.add_key(account, name, self._keys[name].api_secret, permissions)
        return self._keys[name]

    def client(self, name: str) -> Client:
        """Return a client of account *name*."""
        return Client(self, self.credentials(name))

    def socket(self, path: str) -> Socket:
        """Return the exchange's end of a new WebSocket connection."""
        return Socket(self, path)

    def _new_key(self, name: str) -> Credentials:
        return Credentials(api_key=name, api_secret=self.simulator.secret(Random(name)))

    def _hear(self, event: SimEvent) -> None:
        self._events += 1

    def _answer(self, client: Client, call: RestCall) -> Any:
        request = client.dialect.encode(call)
        if call.private:
            request = client.signer.sign(call, next(self.nonces) if client.signer.needs_nonce else None)
        before = self._events
        reply = self.protocol.http(request)
        self.asked.append(Asked(call, self._events > before))
        return client.dialect.decode(call, reply)


class Client:
    """One account's client; it knows the instruments. Use :meth:`World.client` where the key is to be right.

    Attributes:
        context: What the plugin's parts share.
        rest: The plugin's operations, to be passed to :meth:`run`.
    """

    def __init__(self, world: World, credentials: Credentials) -> None:
        spec, config = world.spec, world.spec.config()
        self.world = world
        self.signer = spec.signer(credentials, config)
        self.context = VenueContext(
            venue=spec.name,
            config=config,
            symbols=SymbolMap(spec.name),
            assets=AssetMap(spec.name),
            signer=self.signer,
            now=world.clock.now,
        )
        self.rest: Any = spec.rest(self.context)
        self.dialect = spec.dialect(self.context)
        self.run(self.rest.instruments())

    def run(self, flow: Flow[T]) -> T:
        """Run one of the operations."""
        return run_flow(flow, self.answer)

    def answer(self, call: RestCall) -> Any:
        """Let the exchange answer one call; raises what the plugin makes of a refusal."""
        return self.world._answer(self, call)

    def place(
        self,
        side: Side | str,
        quantity: Decimal | str,
        price: Decimal | str | None = None,
        *,
        symbol: Symbol | str | None = None,
        **options: Any,
    ) -> Order:
        """Place an order, in the first of the markets unless *symbol* is given; a limit order if there is a price."""
        spec = self.world.spec
        options.setdefault("client_order_id", spec.client_order_id(next(self.world.nonces)))
        market = symbol or self.world.simulator.markets[0].instrument.symbol
        request = OrderRequest(symbol=market, side=side, quantity=quantity, price=price, **options)
        order: Order = self.run(self.rest.place(request))
        return order

    def line(self, *subscriptions: Subscription) -> Line:
        """Connect the feed that serves the first of *subscriptions*, ask for them, and carry until all is quiet."""
        channel = subscriptions[0].channel
        feed = self.world.spec.feed_for(channel)
        if feed is None:
            raise NotSupported(f"{self.context.venue}: no feed serves {channel}", venue=self.context.venue)
        line = Line(self, feed)
        line.feed.subscribe(subscriptions, self.world.clock.monotonic())
        line.news = line.carry()
        return line


class Inside(Protocol):
    """What a :class:`Socket` needs of the place where it is."""

    @property
    def clock(self) -> ManualClock: ...
    @property
    def protocol(self) -> WireProtocol: ...


class Socket:
    """The exchange's end of a WebSocket connection, for who speaks with it by hand.

    Attributes:
        session: The venue's state machine.
    """

    def __init__(self, world: Inside, path: str) -> None:
        session = world.protocol.session(path)
        assert session is not None, f"the simulated exchange has no WebSocket at {path}"
        self.world = world
        self.session = session
        session.opened(world.clock.monotonic())

    def say(self, frame: str) -> None:
        """Send a frame to the exchange."""
        self.session.receive(frame, self.world.clock.monotonic())

    def tick(self) -> None:
        """Let the exchange do what it does now and then."""
        self.session.tick(self.world.clock.monotonic())

    def take(self) -> list[str]:
        """Return the frames that came since the last look."""
        frames, self.session.outbox[:] = list(self.session.outbox), []
        return frames


class Line:
    """A feed, the exchange's end of its connection, and the frames between them, which move only when told.

    Attributes:
        feed: The plugin's state machine.
        socket: What it is connected to.
        news: What came of the first subscriptions, and with the answers to requests.
    """

    def __init__(self, client: Client, spec: FeedSpec) -> None:
        self.client = client
        self.name = spec.name
        self.feed = spec.make(client.context)
        self.news: list[Event] = []
        self._path = urlsplit(client.world.simulator.urls("here")[spec.url]).path
        self.open()

    def open(self) -> None:
        """Connect, or connect anew."""
        login = self.feed.login()
        credential = None if login is None else self.client.run(login)
        self.socket = self.client.world.socket(self._path)
        self.feed.opened(self._now(), credential)

    def close(self) -> list[Event]:
        """Lose the connection."""
        self.socket.session.closed()
        return list(self.feed.closed(self._now()))

    def carry(self, spoil: Callable[[str], str | None] = lambda frame: frame) -> list[Event]:
        """Carry frames both ways until nobody has one; return the news.

        Args:
            spoil: Returns what arrives of a frame of the exchange; None loses it.
        """
        now, events = self._now(), list[Event]()
        self.socket.tick()
        for _ in range(_ROUNDS):
            said, came = self.feed.outbox(), self.socket.take()
            if not said and not came:
                return events
            for frame in said:
                self.socket.say(frame)
            for frame in filter(None, map(spoil, came)):
                events += self.feed.receive(frame, now)
        raise AssertionError(f"feed and exchange still talk after {_ROUNDS} rounds")

    def run(self, flow: Flow[T]) -> T:
        """Run one of the operations: each call over this connection where it can go over it, and else over REST."""
        return run_flow(flow, self._answer)

    def _answer(self, call: RestCall) -> Any:
        feed = self.feed
        if call.socket is None or call.socket.feed != self.name or not isinstance(feed, RequestFeed):
            return self.client.world._answer(self.client, call)
        if not feed.can_ask():
            return self.client.world._answer(self.client, call)
        question = feed.ask(call, self._now())
        assert not feed.outbox(), "the frame of a request is the runner's to send, not the outbox's"
        self.socket.say(question.frame)
        events = self.carry()
        self.news += events
        answers = [e for e in events if isinstance(e, Answered) and e.request_id == question.request_id]
        assert len(answers) == 1, f"{call.socket.method}: {len(answers)} answers to one request"
        if answers[0].error is not None:
            raise answers[0].error
        return answers[0].value

    def wait(self, seconds: int) -> list[Event]:
        """Let time pass: each second both sides tick, and frames are carried."""
        events: list[Event] = []
        for _ in range(seconds):
            self.client.world.clock.forward(1.0)
            events += self.feed.tick(self._now())
            events += self.carry()
        return events

    def _now(self) -> float:
        return self.client.world.clock.monotonic()
