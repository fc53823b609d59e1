"""A small simulated Kraken Spot with two accounts, and clients that speak its protocols by hand."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

import pytest

from exchange_core.connector.rest import HttpRequest
from exchange_core.connector.simulation import WireProtocol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.world import Socket, World
from kraken_spot.plugin import KRAKEN_SPOT

START = datetime(2026, 10, 9, 12, 30, 15, 123456, tzinfo=UTC)


class Client:
    """A REST client of one account; signs as the venue documents."""

    def __init__(self, world: World, name: str) -> None:
        self.protocol = world.protocol
        self.keys = world.credentials(name)
        self.nonce = 1000

    def get(self, method: str, /, **params: Any) -> Any:
        """Return the whole envelope of a public call."""
        query = f"?{urlencode(params)}" if params else ""
        reply = self.protocol.http(HttpRequest("GET", f"/0/public/{method}{query}", {}))
        assert reply.status == 200
        return loads(reply.body)

    def ask(self, method: str, /, **params: Any) -> Any:
        """Return the result of a public call that works."""
        envelope = self.get(method, **params)
        assert envelope["error"] == [], envelope
        return envelope["result"]

    def post(self, method: str, /, **params: Any) -> Any:
        """Return the whole envelope of a private call."""
        self.nonce += 1
        return self.send(method, urlencode({"nonce": self.nonce, **params}).encode(), str(self.nonce))

    def do(self, method: str, /, **params: Any) -> Any:
        """Return the result of a private call that works."""
        envelope = self.post(method, **params)
        assert envelope["error"] == [], envelope
        return envelope["result"]

    def error(self, method: str, /, **params: Any) -> str:
        """Return the only error of a private call."""
        envelope = self.post(method, **params)
        assert "result" not in envelope
        [error] = envelope["error"]
        return str(error)

    def send(self, method: str, body: bytes, nonce: str, content_type: str = "", **headers: str) -> Any:
        path = f"/0/private/{method}"
        inner = hashlib.sha256(nonce.encode() + body).digest()
        mac = hmac.new(b64decode(self.keys.api_secret), path.encode() + inner, hashlib.sha512)
        sent = {
            "API-Key": self.keys.api_key,
            "API-Sign": b64encode(mac.digest()).decode(),
            "Content-Type": content_type or "application/x-www-form-urlencoded",
            **headers,
        }
        reply = self.protocol.http(HttpRequest("POST", path, sent, body))
        assert reply.status == 200
        return loads(reply.body)

    def token(self) -> str:
        return str(self.do("GetWebSocketsToken")["token"])


class Connection(Socket):
    """A WebSocket client."""

    def frames(self, channel: str = "") -> list[Any]:
        """Return the frames that came since the last look; of one channel, if given."""
        return [frame for frame in map(loads, self.take()) if not channel or frame.get("channel") == channel]

    def send(self, method: str, **params: Any) -> list[Any]:
        """Send a request with parameters; return what comes back at once."""
        self.say(json.dumps({"method": method, "params": params, "req_id": 7}, default=_number))
        return self.frames()


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(value)


def loads(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


def digits(text: str) -> Any:
    """Read a frame with the digits of its numbers."""
    return json.loads(text, parse_float=str)


def checksum(book: dict[str, list[dict[str, str]]]) -> int:
    """The venue's rule, written anew: best ten prices, asks first, every order by its time."""

    def side(orders: list[dict[str, str]], best_first: int) -> str:
        prices = sorted({float(order["limit_price"]) for order in orders}, key=lambda price: price * best_first)[:10]
        kept = [order for order in orders if float(order["limit_price"]) in prices]
        kept.sort(key=lambda order: (float(order["limit_price"]) * best_first, order["timestamp"]))
        return "".join(
            order[name].replace(".", "").lstrip("0") for order in kept for name in ("limit_price", "order_qty")
        )

    return crc32((side(book["asks"], 1) + side(book["bids"], -1)).encode())


class Follower:
    """A client that keeps the book as the venue documents, cut to its depth."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, list[dict[str, str]]] = {}
        self.updates = 0

    def take(self, text: str) -> None:
        frame = digits(text)
        if frame.get("channel") != "level3":
            return
        [data] = frame["data"]
        if frame["type"] == "snapshot":
            self.sides = {name: data[name] for name in ("bids", "asks")}
        else:
            self.updates += 1
            for name in ("bids", "asks"):
                self.sides[name] = self._changed(self.sides[name], data[name], 1 if name == "asks" else -1)
        assert data["checksum"] == checksum(self.sides), text

    def _changed(self, orders: list[dict[str, str]], events: list[dict[str, str]], sign: int) -> list[dict[str, str]]:
        held = {order["order_id"]: order for order in orders}
        for event in events:
            if event["event"] == "delete":
                del held[event["order_id"]]
            else:
                assert (event["order_id"] in held) is (event["event"] == "modify")
                held[event["order_id"]] = event
        prices = sorted({float(order["limit_price"]) for order in held.values()}, key=lambda price: price * sign)
        return [order for order in held.values() if float(order["limit_price"]) in prices[: self.depth]]


@pytest.fixture
def world() -> World:
    world = World(KRAKEN_SPOT, start=START)
    for name in ("alice", "bobby"):
        world.credentials(name)
    world.restricted("alice", "guest", ["query-funds", "create-ws-token"])
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
    """Return a client whose key may only look at balances and open WebSockets."""
    return Client(world, "guest")


@pytest.fixture
def connect(world: World) -> Callable[[str], Connection]:
    """Return a function that opens a connection and skips its first frame."""

    def make(path: str = "/v2") -> Connection:
        connection = Connection(world, path)
        connection.take()
        return connection

    return make


@pytest.fixture
def public(connect: Callable[[str], Connection]) -> Connection:
    return connect("/v2")


@pytest.fixture
def private(connect: Callable[[str], Connection]) -> Connection:
    return connect("/auth/v2")


@pytest.fixture
def limit() -> Callable[..., str]:
    """Return a function that places a limit order over REST and returns its txid."""

    def place(client: Client, side: str, volume: str, price: str, pair: str = "XBTUSD", **more: Any) -> str:
        order = client.do("AddOrder", pair=pair, type=side, ordertype="limit", volume=volume, price=price, **more)
        return str(order["txid"][0])

    return place


@pytest.fixture(scope="session")
def client_class() -> type[Client]:
    return Client


@pytest.fixture(scope="session")
def follower_class() -> type[Follower]:
    return Follower
