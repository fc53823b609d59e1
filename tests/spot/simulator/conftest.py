"""A small simulated Kraken Spot with two accounts, and clients that speak its protocols by hand."""

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

from exchange_core.connector.rest import HttpRequest
from exchange_core.simulator.exchange import SimulatedExchange
from kraken_spot.simulator import SIMULATOR
from kraken_spot.simulator.protocol import KrakenSpot

START = datetime(2026, 10, 9, 12, 30, 15, 123456, tzinfo=UTC)
SECRETS = {name: b64encode(name.encode() * 16).decode() for name in ("alice", "bobby", "guest")}


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


class Client:
    """A REST client of one account; signs as the fact sheet says."""

    def __init__(self, protocol: KrakenSpot, name: str) -> None:
        self.protocol = protocol
        self.name = name
        self.nonce = 1000

    def get(self, method: str, **params: Any) -> Any:
        """Return the whole envelope of a public call."""
        query = f"?{urlencode(params)}" if params else ""
        reply = self.protocol.http(HttpRequest("GET", f"/0/public/{method}{query}", {}))
        assert reply.status == 200
        return loads(reply.body)

    def ask(self, method: str, **params: Any) -> Any:
        """Return the result of a public call that works."""
        envelope = self.get(method, **params)
        assert envelope["error"] == [], envelope
        return envelope["result"]

    def post(self, method: str, **params: Any) -> Any:
        """Return the whole envelope of a private call."""
        self.nonce += 1
        return self.send(method, urlencode({"nonce": self.nonce, **params}).encode(), str(self.nonce))

    def do(self, method: str, **params: Any) -> Any:
        """Return the result of a private call that works."""
        envelope = self.post(method, **params)
        assert envelope["error"] == [], envelope
        return envelope["result"]

    def error(self, method: str, **params: Any) -> str:
        """Return the only error of a private call."""
        envelope = self.post(method, **params)
        assert "result" not in envelope
        [error] = envelope["error"]
        return str(error)

    def send(self, method: str, body: bytes, nonce: str, content_type: str = "", **headers: str) -> Any:
        path = f"/0/private/{method}"
        inner = hashlib.sha256(nonce.encode() + body).digest()
        mac = hmac.new(b64decode(SECRETS[self.name]), path.encode() + inner, hashlib.sha512)
        sent = {
            "API-Key": self.name,
            "API-Sign": b64encode(mac.digest()).decode(),
            "Content-Type": content_type or "application/x-www-form-urlencoded",
            **headers,
        }
        reply = self.protocol.http(HttpRequest("POST", path, sent, body))
        assert reply.status == 200
        return loads(reply.body)

    def token(self) -> str:
        return str(self.do("GetWebSocketsToken")["token"])


class Connection:
    """A WebSocket client."""

    def __init__(self, protocol: KrakenSpot, path: str, clock: ManualClock) -> None:
        session = protocol.session(path)
        assert session is not None
        self.session = session
        self.clock = clock
        self.session.opened(clock.monotonic())

    def raw(self) -> list[str]:
        """Return the frames that came since the last look, as text."""
        frames = list(self.session.outbox)
        self.session.outbox.clear()
        return frames

    def frames(self, channel: str = "") -> list[Any]:
        """Return the frames that came since the last look; of one channel, if given."""
        return [frame for frame in map(loads, self.raw()) if not channel or frame.get("channel") == channel]

    def send(self, method: str, **params: Any) -> list[Any]:
        """Send a request with parameters; return what comes back at once."""
        self.text(json.dumps({"method": method, "params": params, "req_id": 7}, default=_number))
        return self.frames()

    def text(self, text: str) -> None:
        self.session.receive(text, self.clock.monotonic())

    def tick(self) -> None:
        self.session.tick(self.clock.monotonic())


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(value)


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
    exchange.add_key("alice", "guest", SECRETS["guest"], ["query-funds", "create-ws-token"])
    return exchange


@pytest.fixture
def protocol(exchange: SimulatedExchange) -> KrakenSpot:
    return KrakenSpot(exchange)


@pytest.fixture
def alice(protocol: KrakenSpot) -> Client:
    return Client(protocol, "alice")


@pytest.fixture
def bobby(protocol: KrakenSpot) -> Client:
    return Client(protocol, "bobby")


@pytest.fixture
def guest(protocol: KrakenSpot) -> Client:
    """Return a client whose key may only look at balances and open WebSockets."""
    return Client(protocol, "guest")


@pytest.fixture
def connect(protocol: KrakenSpot, clock: ManualClock) -> Callable[[str], Connection]:
    """Return a function that opens a connection and skips its first frame."""

    def make(path: str = "/v2") -> Connection:
        connection = Connection(protocol, path, clock)
        connection.raw()
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
