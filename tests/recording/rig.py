"""A simulated venue and a plugin that talk to each other while cassettes are recorded: see ``../record_cassettes.py``.

Both sides are the project's own and run in this process, without a socket: requests go from the plugin through the
REST client straight into the simulated venue, frames from one state machine into the other. Nothing is sent anywhere,
clock and randomness are given, and so the same code gives the same files, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs
import httpx

from exchange_core.connector.auth import Credentials
from exchange_core.connector.limits import Limits
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow, HttpRequest, RestCall
from exchange_core.connector.simulation import SimRequest
from exchange_core.connector.spec import VenueContext, VenueSpec
from exchange_core.errors import ExchangeError
from exchange_core.model.event import Answered, Event, Subscription, Unrecognised
from exchange_core.model.order import OrderRequest, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.makers.maker import MakerSettings
from exchange_core.simulator.makers.opening import market_makers
from exchange_core.storage.cassette import FEED_SUFFIX, FeedTape, RestTape
from exchange_core.storage.scrub import Scrubber
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.world import run_flow
from exchange_core.transport.nonces import NonceSource
from exchange_core.transport.rest_client import RestClient

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = 0.25  # seconds between two steps of the market makers, as the simulated exchange's server has it
PATIENCE = timedelta(seconds=5)  # from an order to its deadline
OURS, RESTING, TAKING = "user", "resting", "taking"
POCKETS = Decimal(10) ** 9


def client_id(number: int) -> str:
    """Return a client id that is the same in every recording."""
    return f"00000000-0000-4000-8000-{number:012d}"


class Rig:
    """One simulated venue, and the plugin's parts that speak to it.

    Args:
        only: The one market that there is; all without.
        makers: How market makers behave; there are none without.
        permissions: What our key may do, in the venue's words; everything without.

    Attributes:
        folder: Gets ``rest/NAME.yaml`` and ``feed/NAME.stream.jsonl``.
        clock: Stands still between what is recorded, unless it is moved.
    """

    def __init__(
        self,
        spec: VenueSpec,
        folder: Path,
        *,
        seed: int,
        only: str | None = None,
        makers: MakerSettings | None = None,
        start: datetime = START,
        permissions: Iterable[str] = (),
    ) -> None:
        assert spec.simulator is not None
        self.spec = spec
        self.folder = folder
        self.clock = ManualClock(start)
        markets = [m for m in spec.simulator.markets if only in (None, str(m.instrument.symbol))]
        self.exchange = SimulatedExchange(spec.simulator, seed=seed, clock=self.clock, markets=markets)
        secrets = Random(seed)
        keys = Credentials(api_key=spec.simulator.secret(secrets), api_secret=spec.simulator.secret(secrets))
        self.exchange.add_account(OURS, spec.simulator.deposits, keys.api_key, keys.api_secret, permissions)
        for name in (RESTING, TAKING):
            self.exchange.add_account(name, dict.fromkeys(spec.simulator.traded_assets(), POCKETS))
        self.makers = market_makers(self.exchange, seed=seed, settings=makers) if makers else ()
        for _ in range(20 if makers else 0):
            self.step_makers()
        self.protocol = spec.simulator.protocol(self.exchange)
        self.nonces = NonceSource(self.clock)
        self.source = f"{spec.title}, recorded against the project's simulated exchange by make record"
        config = spec.config()
        self.signer = spec.signer(keys, config)
        self.context = VenueContext(
            venue=spec.name,
            config=config,
            symbols=SymbolMap(spec.name),
            assets=AssetMap(spec.name),
            signer=self.signer,
            now=self.clock.now,
        )
        self.operations = spec.rest(self.context)

    def learn(self, other: Rig) -> None:
        """Know the assets and instruments that another venue lists, whether there are such here or not."""
        known = other.context
        self.context = attrs.evolve(self.context, symbols=known.symbols, assets=known.assets)
        self.operations = self.spec.rest(self.context)

    def step_makers(self) -> None:
        for maker in self.makers:
            maker.step(self.exchange.now())

    # REST

    async def ask(self, flow: Flow[T]) -> T:
        """Run an operation, and record nothing."""
        return await self._run(flow, None)

    async def record(self, name: str, flow: Flow[T]) -> T:
        """Record an operation as ``rest/NAME.yaml``."""
        tape = RestTape(self.source, Scrubber(self.signer.secrets()))
        try:
            return await self._run(flow, tape)
        finally:
            tape.write(self._path("rest", f"{name}.yaml"))

    async def record_refusal(self, name: str, flow: Flow[Any]) -> None:
        """Record an operation that the venue says no to."""
        try:
            await self.record(name, flow)
        except ExchangeError as error:
            if not error.codes:
                raise  # it was not the venue that said no
        else:
            raise AssertionError(f"{name}: not refused")

    async def _run(self, flow: Flow[T], tape: RestTape | None) -> T:
        client = RestClient(
            self.spec.name,
            self.context.config,
            self.spec.dialect(self.context),
            # The clock stands still: who had to wait would wait for ever.
            Limits({}),
            signer=self.signer,
            clock=self.clock,
            nonces=self.nonces,
            http=httpx.MockTransport(self._answer),
            tap=tape,
        )
        async with client:
            return await client.run(flow)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        reply = self.protocol.http(HttpRequest(request.method, target, dict(request.headers), request.content))
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)

    def _path(self, kind: str, name: str) -> Path:
        folder = self.folder / self.spec.name / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    # The market

    def others(self, side: Side, symbol: str, quantity: str, price: str | None = None) -> None:
        """Let someone else place an order, or take what there is without a *price*."""
        self.exchange.place(
            RESTING if price else TAKING,
            SimRequest(
                symbol=Symbol.parse(symbol),
                side=side,
                type=OrderType.LIMIT if price else OrderType.MARKET,
                quantity=Decimal(quantity),
                price=Decimal(price) if price else None,
            ),
        )

    def order(
        self, number: int, symbol: str, side: str, quantity: str, price: str | None = None, **options: Any
    ) -> OrderRequest:
        """Return an order of ours."""
        return OrderRequest(
            symbol=Symbol.parse(symbol),
            side=Side(side),
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            client_order_id=client_id(number),
            deadline=self.clock.now() + PATIENCE,
            **options,
        )

    # WebSocket

    async def connect(self, name: str, subscriptions: Iterable[Subscription]) -> Connection:
        """Open the connection that serves *subscriptions* and record it as ``feed/NAME.stream.jsonl``."""
        wanted = [*subscriptions]
        spec = self.spec.feed_for(wanted[0].channel)
        assert spec is not None, f"no feed serves {wanted[0]}"
        feed = spec.make(self.context)
        assert self.spec.simulator is not None
        session = self.protocol.session(urlsplit(self.spec.simulator.urls("here")[spec.url]).path)
        assert session is not None
        tape = FeedTape(self.source, Scrubber(self.signer.secrets()))
        connection = Connection(self, feed, session, tape, self._path("feed", name + FEED_SUFFIX))
        login = feed.login()
        connection.open(wanted, await self.ask(login) if login else None)
        return connection


@attrs.define
class Connection:
    """A plugin's feed and a simulated session that talk to each other."""

    rig: Rig
    feed: Any
    session: Any
    tape: FeedTape
    path: Path
    opened: float = 0.0

    def open(self, subscriptions: Iterable[Subscription], credential: str | None) -> None:
        self.opened = self.rig.clock.monotonic()
        self.feed.subscribe(subscriptions, self.opened)
        self.feed.opened(self.opened, credential)
        self.session.opened(self.opened)
        self.talk()

    def talk(self) -> list[Event]:
        """Pass frames on until both sides are silent; return what the feed told."""
        told: list[Event] = []
        while (sent := self.feed.outbox()) or self.session.outbox:
            for frame in sent:
                self._send(frame)
            received = self.session.outbox[:]
            self.session.outbox.clear()
            for frame in received:
                self.tape("in", frame, self._when())
                events = self.feed.receive(frame, self.rig.clock.monotonic())
                assert not any(isinstance(event, Unrecognised) for event in events), frame
                told += events
        return told

    def ask(self, flow: Flow[T]) -> T:
        """Run an operation with every call of it over this connection.

        Raises:
            ExchangeError: The venue said no.
        """
        return run_flow(flow, self._answer)

    def ask_refused(self, flow: Flow[Any]) -> None:
        """Run an operation that the venue says no to."""
        try:
            self.ask(flow)
        except ExchangeError as error:
            if not error.codes:
                raise  # it was not the venue that said no
        else:
            raise AssertionError("not refused")

    def _answer(self, call: RestCall) -> Any:
        assert self.feed.can_ask(), "the connection takes no requests now"
        question = self.feed.ask(call, self.rig.clock.monotonic())
        self._send(question.frame)
        answers = [event for event in self.talk() if isinstance(event, Answered)]
        assert [answer.request_id for answer in answers] == [question.request_id], answers
        if answers[0].error is not None:
            raise answers[0].error
        return answers[0].value

    def _send(self, frame: str) -> None:
        self.tape("out", frame, self._when())
        self.session.receive(frame, self.rig.clock.monotonic())

    def _when(self) -> float:
        return self.rig.clock.time_ns() / 1e9

    async def run(self, seconds: float) -> None:
        """Let time pass: the makers act, both sides tick, and frames go to and fro."""
        clock = self.rig.clock
        self.talk()
        for _ in range(round(seconds / STEP)):
            await clock.advance(STEP)
            now = clock.monotonic()
            if (now - self.opened) % 1.0 == 0:
                self.feed.tick(now)
            self.rig.step_makers()
            self.rig.exchange.step()
            self.session.tick(now)
            self.talk()

    def close(self) -> None:
        self.session.closed()
        self.tape.write(self.path)
