"""A small simulated Kraken Futures with two accounts, and clients that speak its protocols by hand."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.simulator.exchange import SimulatedExchange
from kraken_futures.simulator import SIMULATOR
from kraken_futures.simulator.protocol import KrakenFutures

START = datetime(2026, 10, 9, 12, 30, 15, 123456, tzinfo=UTC)
SECRETS = {name: b64encode(name.encode() * 12).decode() for name in ("alice", "bobby", "guest")}


class ManualClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def time_ns(self) -> int:
        return int(self.moment.timestamp()) * 10**9

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.forward(seconds)

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def sign(name: str, message: bytes) -> str:
    digest = hashlib.sha256(message).digest()
    return b64encode(hmac.new(b64decode(SECRETS[name]), digest, hashlib.sha512).digest()).decode()


class Client:
    """A REST client of one account; signs as the fact sheet says, without nonces."""

    def __init__(self, protocol: KrakenFutures, name: str) -> None:
        self.protocol = protocol
        self.name = name

    def raw(self, method: str, path: str, query: str = "", body: str = "", nonce: str = "") -> HttpReply:
        """Send a signed call; *path* is below the host."""
        message = f"{query}{body}{nonce}{path.removeprefix('/derivatives')}"
        headers = {"APIKey": self.name, "Authent": sign(self.name, message.encode())}
        if nonce:
            headers["Nonce"] = nonce
        target = f"{path}?{query}" if query else path
        return self.protocol.http(HttpRequest(method, target, headers, body.encode()))

    def public(self, path: str, status: int = 200, **params: Any) -> Any:
        """Return the answer to an unsigned call below the API, or below the host if *path* starts with a slash."""
        base = path if path.startswith("/") else f"/derivatives/api/v3/{path}"
        reply = self.protocol.http(HttpRequest("GET", f"{base}?{urlencode(params, doseq=True)}", {}))
        assert reply.status == status
        return loads(reply.body)

    def get(self, path: str, **params: Any) -> Any:
        base = path if path.startswith("/") else f"/derivatives/api/v3/{path}"
        return loads(self.raw("GET", base, query=urlencode(params)).body)

    def post(self, path: str, **params: Any) -> Any:
        return loads(self.raw("POST", f"/derivatives/api/v3/{path}", body=urlencode(params, doseq=True)).body)

    def order(self, kind: str, side: str, size: str, price: str = "", symbol: str = "PF_XBTUSD", **more: Any) -> Any:
        """Return the sendStatus of an order."""
        limit = {"limitPrice": price} if price else {}
        answer = self.post("sendorder", orderType=kind, symbol=symbol, side=side, size=size, **limit, **more)
        assert answer["result"] == "success", answer
        return answer["sendStatus"]


class Connection:
    """A WebSocket client."""

    def __init__(self, protocol: KrakenFutures, clock: ManualClock) -> None:
        session = protocol.session("/ws/v1")
        assert session is not None
        self.session = session
        self.clock = clock
        self.session.opened(clock.monotonic())

    def raw(self) -> list[str]:
        """Return the frames that came since the last look, as text."""
        frames = list(self.session.outbox)
        self.session.outbox.clear()
        return frames

    def frames(self, feed: str = "") -> list[Any]:
        """Return the frames that came since the last look; of one feed, if given."""
        return [frame for frame in map(loads, self.raw()) if not feed or frame.get("feed") == feed]

    def send(self, event: str, **fields: Any) -> list[Any]:
        self.text(json.dumps({"event": event, **fields}))
        return self.frames()

    def text(self, text: str) -> None:
        self.session.receive(text, self.clock.monotonic())

    def tick(self) -> None:
        self.session.tick(self.clock.monotonic())

    def login(self, name: str) -> dict[str, str]:
        """Ask for a challenge; return the fields of a private subscription."""
        [challenge] = self.send("challenge", api_key=name)
        text = challenge["message"]
        return {"api_key": name, "original_challenge": text, "signed_challenge": sign(name, text.encode())}

    def follow(self, name: str, *feeds: str) -> list[Any]:
        """Subscribe to private feeds; return the snapshots."""
        fields = self.login(name)
        return [frame for feed in feeds for frame in self.send("subscribe", feed=feed, **fields)[1:]]


def loads(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def exchange(clock: ManualClock) -> SimulatedExchange:
    exchange = SimulatedExchange(SIMULATOR, seed=1, clock=clock)
    exchange.add_account("alice", SIMULATOR.deposits, "alice", SECRETS["alice"])
    exchange.add_account("bobby", SIMULATOR.deposits, "bobby", SECRETS["bobby"])
    exchange.add_key("alice", "guest", SECRETS["guest"], ["READ_ONLY"])
    return exchange


@pytest.fixture
def protocol(exchange: SimulatedExchange) -> KrakenFutures:
    return KrakenFutures(exchange)


@pytest.fixture
def alice(protocol: KrakenFutures) -> Client:
    return Client(protocol, "alice")


@pytest.fixture
def bobby(protocol: KrakenFutures) -> Client:
    return Client(protocol, "bobby")


@pytest.fixture
def guest(protocol: KrakenFutures) -> Client:
    """Return a client whose key may only read."""
    return Client(protocol, "guest")


@pytest.fixture
def connect(protocol: KrakenFutures, clock: ManualClock) -> Callable[[], Connection]:
    """Return a function that opens a connection and skips its first frame."""

    def make() -> Connection:
        connection = Connection(protocol, clock)
        connection.raw()
        return connection

    return make


@pytest.fixture
def feed(connect: Callable[[], Connection]) -> Connection:
    return connect()
