"""A small made-up venue: how it writes, signs, answers and streams."""

import asyncio
import gc
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from random import Random
from typing import Any

import attrs
import pytest

from exchange_core import errors
from exchange_core.connector.feed import FeedStats
from exchange_core.connector.limits import DecayingCounter, Limits
from exchange_core.connector.rest import Flow, HttpReply, HttpRequest, RestCall
from exchange_core.connector.spec import FeedSpec, VenueConfig
from exchange_core.connector.subscriptions import SubscriptionLedger
from exchange_core.errors import LockedOut, NotSupported, OutcomeUnknown, ProtocolError, VenueUnavailable
from exchange_core.model.event import (
    BookDesynced,
    Channel,
    Event,
    Ignored,
    LockoutTold,
    Subscribed,
    Subscription,
    SubscriptionRefused,
)
from exchange_core.model.symbol import Symbol
from exchange_core.testing.clock import ManualClock
from exchange_core.transport.feed_runner import FeedRunner, FeedState
from exchange_core.transport.rest_client import RestClient

KEY, SECRET = "pub/lic+key-0001", "se/cret+of-nobody-0002"
BTC = Symbol.parse("BTC/USD")


@pytest.fixture
async def watched() -> AsyncIterator[None]:
    """Run in asyncio's debug mode, and find tasks and sockets that were left behind."""
    asyncio.get_running_loop().set_debug(True)
    before = asyncio.all_tasks()
    yield
    for _ in range(3):
        await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not task.done()]
    gc.collect()


class Dialect:
    """JSON both ways; an error is answered with its name."""

    def encode(self, call: RestCall) -> HttpRequest:
        return HttpRequest(
            call.method, call.path, {"Content-Type": "application/json"}, json.dumps(call.params).encode()
        )

    def decode(self, call: RestCall, reply: HttpReply) -> Any:
        if reply.status >= 500:
            kind = OutcomeUnknown if call.changes_state else VenueUnavailable
            raise kind(f"HTTP {reply.status}", codes=[str(reply.status)])
        try:
            answer = json.loads(reply.body)
        except ValueError as error:
            raise ProtocolError(f"expected JSON, found {reply.body[:20]!r}") from error
        if "error" in answer:
            raise getattr(errors, answer.pop("error"))("the venue said no", **answer)
        return answer["result"]


class Signer:
    """Puts the nonce into the body and a digest into a header."""

    def __init__(self, key: str = KEY, secret: str = SECRET, needs_nonce: bool = True) -> None:
        self.public_key, self._secret, self.needs_nonce = key, secret, needs_nonce

    def sign(self, call: RestCall, nonce: int | None) -> HttpRequest:
        body = json.dumps({"nonce": nonce, **call.params}).encode()
        signature = hashlib.sha256(self._secret.encode() + body).hexdigest()
        return HttpRequest(call.method, call.path, {"API-Key": self.public_key, "API-Sign": signature}, body)

    def sign_challenge(self, challenge: str) -> str:
        raise NotSupported("no challenges")

    def secrets(self) -> tuple[str, ...]:
        return (self.public_key, self._secret)


class Feed:
    """A stream of JSON frames with one key each; subscriptions are asked for by their text."""

    def __init__(self, login: Callable[[], Flow[str]] | None = None, stale_after: float = 10.0) -> None:
        self.stats = FeedStats()
        self.ledger = SubscriptionLedger(patience=5.0)
        self.calls: list[str] = []
        self.credentials: list[str | None] = []
        self._login, self._stale_after, self._heard = login, stale_after, 0.0
        self._out: list[str] = []

    def login(self) -> Flow[str] | None:
        return self._login() if self._login else None

    def opened(self, now: float, credential: str | None = None) -> None:
        self.calls.append("opened")
        self.credentials.append(credential)
        self.ledger.reset()
        self._heard = now
        self._out = []
        self._ask(now)

    def receive(self, frame: bytes | str, now: float) -> list[Event]:
        self._heard = now
        try:
            said = json.loads(frame)
            ((what, value),) = said.items()
        except (ValueError, AttributeError) as error:
            raise ProtocolError(f"frame {frame!r} is no object with one key") from error
        if what == "ack":
            return [Subscribed(subscription=s) for s in self._named(value) if self.ledger.acknowledged(s)]
        if what == "refuse":
            refused = self._named(value)
            for subscription in refused:
                self.ledger.refused(subscription)
            return [SubscriptionRefused(subscription=s, reason="no such pair", codes=("E1",)) for s in refused]
        if what == "lockout":
            return [LockoutTold(error=LockedOut("the venue said so", retry_after=value))]
        if what == "crash":
            raise KeyError(value)
        if what == "ping":
            self._out.append(json.dumps({"pong": value}))
        return [Ignored(kind=f"{what} {value}")]

    def tick(self, now: float) -> list[Event]:
        self.calls.append("tick")
        late = self.ledger.overdue(now)
        for subscription in late:
            self.ledger.refused(subscription)
        return [SubscriptionRefused(subscription=s, reason="no acknowledgement in time") for s in late]

    def closed(self, now: float) -> list[Event]:
        self.calls.append("closed")
        self.ledger.reset()
        return [BookDesynced(symbol=BTC, reason="closed")]

    def is_dead(self, now: float) -> str | None:
        silent = now - self._heard
        return f"nothing came for {silent:.0f} s" if silent >= self._stale_after else None

    def outbox(self) -> list[str]:
        out, self._out = self._out, []
        return out

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        self.ledger.want(subscriptions)
        if self.calls and self.calls[-1] != "closed":
            self._ask(now)

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        self._out += [json.dumps({"unsubscribe": str(s)}) for s in self.ledger.drop(subscriptions)]

    def subscriptions(self) -> Iterable[Subscription]:
        return list(self.ledger)

    def is_active(self, subscription: Subscription) -> bool:
        return self.ledger.is_active(subscription)

    def book(self, symbol: Symbol) -> None:
        return None

    def _ask(self, now: float) -> None:
        new = self.ledger.unasked()
        self._out += [json.dumps({"subscribe": str(s)}) for s in new]
        self.ledger.asked(new, now)

    def _named(self, text: str) -> list[Subscription]:
        return [s for s in self.ledger if str(s) == text]


@attrs.frozen(kw_only=True)
class Config(VenueConfig):
    other_url: str = ""


@pytest.fixture
def read() -> RestCall:
    return RestCall(method="GET", path="/read")


@pytest.fixture
def write() -> RestCall:
    return RestCall(method="POST", path="/write", changes_state=True, private=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limits() -> Limits:
    """A pool of five that drains one a second, with one kept for urgent calls."""
    return Limits(limiters={"calls": DecayingCounter(maximum=5, decay=1, reserve=1)})


@pytest.fixture
def new_signer() -> Callable[..., Signer]:
    return Signer


@pytest.fixture
def new_client() -> Callable[..., RestClient]:
    def make(url: str = "http://venue.test", **options: Any) -> RestClient:
        timeout = options.pop("request_timeout", 5.0)
        config = Config(rest_url=url, other_url=f"{url}/other", request_timeout=timeout)
        options.setdefault("limits", Limits(limiters={}))
        options.setdefault("signer", Signer())
        options.setdefault("random", Random(1))
        return RestClient("testex", config, Dialect(), **options)

    return make


@pytest.fixture
def new_feed() -> Callable[..., Feed]:
    return Feed


class Run:
    """A runner under test, and what it told."""

    def __init__(self, url: str, feed: Feed, rest: RestClient | None = None, **options: Any) -> None:
        spec_options = {name: options.pop(name) for name in ("connects", "connect_window") if name in options}
        self.feed = feed
        self.events: list[Event] = []
        self.states: list[FeedState] = []
        self._changed = asyncio.Event()
        options.setdefault("publish", self._publish)
        spec = FeedSpec(
            name="public",
            url="ws_url",
            channels=frozenset({Channel.TICKER}),
            make=lambda context: feed,
            frames_per_second=options.pop("frames_per_second", 1000.0),
            **spec_options,
        )
        options.setdefault("random", Random(1))
        self.runner = FeedRunner(
            spec, feed, rest, VenueConfig(ws_url=url), on_state=self._on_state, venue="testex", **options
        )
        self.task = asyncio.create_task(self.runner.run())

    def _publish(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def _on_state(self, state: FeedState) -> None:
        self.states.append(state)
        self._changed.set()

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until *true* returns something after an event or a change of state."""
        async with asyncio.timeout(10):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


@pytest.fixture
async def new_run() -> AsyncIterator[Callable[..., Run]]:
    runs: list[Run] = []

    def make(*args: Any, **options: Any) -> Run:
        runs.append(Run(*args, **options))
        return runs[-1]

    yield make
    for run in runs:
        await run.stop()
