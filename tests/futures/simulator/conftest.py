"""A small simulated Kraken Futures with two accounts, and clients that speak its protocols by hand."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import WireProtocol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.world import Socket, World
from kraken_futures.plugin import KRAKEN_FUTURES

START = datetime(2026, 10, 9, 12, 30, 15, 123456, tzinfo=UTC)


def sign(keys: Credentials, message: bytes) -> str:
    digest = hashlib.sha256(message).digest()
    return b64encode(hmac.new(b64decode(keys.api_secret), digest, hashlib.sha512).digest()).decode()


class Client:
    """A REST client of one account; signs as the venue documents, without nonces."""

    def __init__(self, world: World, name: str) -> None:
        self.protocol = world.protocol
        self.keys = world.credentials(name)

    def raw(self, method: str, path: str, query: str = "", body: str = "", nonce: str = "") -> HttpReply:
        """Send a signed call; *path* is below the host."""
        message = f"{query}{body}{nonce}{path.removeprefix('/derivatives')}"
        headers = {"APIKey": self.keys.api_key, "Authent": sign(self.keys, message.encode())}
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
        return loads(self.raw("GET", base, query=urlencode(params, doseq=True)).body)

    def post(self, path: str, **params: Any) -> Any:
        return loads(self.raw("POST", f"/derivatives/api/v3/{path}", body=urlencode(params, doseq=True)).body)

    def put(self, path: str, **params: Any) -> Any:
        return loads(self.raw("PUT", f"/derivatives/api/v3/{path}", body=urlencode(params)).body)

    def order(self, kind: str, side: str, size: str, price: str = "", symbol: str = "PF_XBTUSD", **more: Any) -> Any:
        """Return the sendStatus of an order."""
        limit = {"limitPrice": price} if price else {}
        answer = self.post("sendorder", orderType=kind, symbol=symbol, side=side, size=size, **limit, **more)
        assert answer["result"] == "success", answer
        return answer["sendStatus"]


class Connection(Socket):
    """A WebSocket client."""

    def frames(self, feed: str = "") -> list[Any]:
        """Return the frames that came since the last look; of one feed, if given."""
        return [frame for frame in map(loads, self.take()) if not feed or frame.get("feed") == feed]

    def send(self, event: str, **fields: Any) -> list[Any]:
        self.say(json.dumps({"event": event, **fields}))
        return self.frames()

    def login(self, name: str) -> dict[str, str]:
        """Ask for a challenge; return the fields of a private subscription."""
        [challenge] = self.send("challenge", api_key=name)
        text = challenge["message"]
        signed = sign(self.world.credentials(name), text.encode())
        return {"api_key": name, "original_challenge": text, "signed_challenge": signed}

    def follow(self, name: str, *feeds: str) -> list[Any]:
        """Subscribe to private feeds; return the snapshots."""
        fields = self.login(name)
        return [frame for feed in feeds for frame in self.send("subscribe", feed=feed, **fields)[1:]]


def loads(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


@pytest.fixture
def world() -> World:
    world = World(KRAKEN_FUTURES, start=START)
    for name in ("alice", "bobby"):
        world.credentials(name)
    world.restricted("alice", "guest", ["READ_ONLY"])
    return world


@pytest.fixture
def clock(world: World) -> ManualClock:
    return world.clock


@pytest.fixture
def exchange(world: World) -> SimulatedExchange:
    return world.exchange


@pytest.fixture
def protocol(world: World) -> WireProtocol:
    return world.protocol


@pytest.fixture
def alice(world: World) -> Client:
    return Client(world, "alice")


@pytest.fixture
def bobby(world: World) -> Client:
    return Client(world, "bobby")


@pytest.fixture
def guest(world: World) -> Client:
    """Return a client whose key may only read."""
    return Client(world, "guest")


@pytest.fixture
def client_of(world: World) -> Callable[[str], Client]:
    """Return a function that makes a client of a key."""
    return lambda name: Client(world, name)


@pytest.fixture
def connect(world: World) -> Callable[[], Connection]:
    """Return a function that opens a connection and skips its first frame."""

    def make() -> Connection:
        connection = Connection(world, "/ws/v1")
        connection.take()
        return connection

    return make


@pytest.fixture
def feed(connect: Callable[[], Connection]) -> Connection:
    return connect()
