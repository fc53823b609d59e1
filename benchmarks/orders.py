"""What one order over REST costs: ``place`` to the parsed answer, against ``httpx.AsyncClient`` as it comes.

Both sign the same order, ``AddOrder`` of Kraken Spot or ``sendorder`` of Kraken Futures, and send it to a server on
this machine, one after the other on one kept connection; ours also checks the order, keeps it in its record, obeys the
venue's limits and follows the account over a WebSocket. The limits are the venue's and drain so much faster that they
count and never wait.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import attrs
import httpx

from benchmarks.frames import PRODUCT
from benchmarks.loopback import served
from benchmarks.timing import Figure, figure
from exchange_core import Credentials, OrderRequest, OrderStatus, Side, load_plugins, open_venue
from exchange_core.connector.limits import DecayingCounter, Limits
from exchange_core.venue.connected import ConnectedVenue
from kraken_futures.limits import BUDGET, DERIVATIVES, RESERVE, WINDOW, SlidingWindow
from kraken_spot.limits import ENGINE, PRIVATE, PUBLIC

ORDERS = 400
ROUNDS = 7
TARGET = 0.6

KEY = "key-of-a-benchmark"
SECRET = base64.b64encode(b"secret of a benchmark").decode()
FORM = "application/x-www-form-urlencoded"
DEADLINE = "2026-10-09T00:34:21.904206Z"

Call = Callable[[], Awaitable[None]]


@attrs.frozen
class Peer:
    """One venue of this benchmark.

    Attributes:
        sign: Returns path, body and headers of an order, signed by hand.
        taken: Whether an answer says that it was taken.
    """

    plugin: str
    server: str
    what: str
    status: OrderStatus
    limits: Callable[[object], Limits]
    sign: Callable[[bytes, int], tuple[str, str, dict[str, str]]]
    taken: Callable[[Any], bool]


def spot_limits(_: object) -> Limits:
    fast = 1e6
    return Limits({pool: DecayingCounter(20, fast) for pool in (PUBLIC, PRIVATE)} | {ENGINE: per_pair(fast)})


def per_pair(decay: float) -> DecayingCounter:
    return DecayingCounter(125, decay, per_key=True)


def futures_limits(_: object) -> Limits:
    return Limits({DERIVATIVES: SlidingWindow(BUDGET, WINDOW / 1000, RESERVE)})


def spot_by_hand(key: bytes, nonce: int) -> tuple[str, str, dict[str, str]]:
    path = "/0/private/AddOrder"
    order = {"nonce": nonce, "pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "50000"}
    body = urlencode({**order, "cl_ord_id": f"by-hand-{nonce}", "deadline": DEADLINE})
    digest = hashlib.sha256(f"{nonce}{body}".encode()).digest()
    signature = base64.b64encode(hmac.digest(key, path.encode() + digest, "sha512")).decode()
    return path, body, {"API-Key": KEY, "API-Sign": signature, "Content-Type": FORM}


def futures_by_hand(key: bytes, nonce: int) -> tuple[str, str, dict[str, str]]:
    path = "/derivatives/api/v3/sendorder"
    order = {"orderType": "lmt", "symbol": PRODUCT, "side": "buy", "size": "0.01", "limitPrice": "50000"}
    body = urlencode({**order, "cliOrdId": f"by-hand-{nonce}", "processBefore": DEADLINE})
    digest = hashlib.sha256(f"{body}{nonce}{path.removeprefix('/derivatives')}".encode()).digest()
    signature = base64.b64encode(hmac.digest(key, digest, "sha512")).decode()
    return path, body, {"APIKey": KEY, "Nonce": str(nonce), "Authent": signature, "Content-Type": FORM}


PEERS = (
    Peer(
        plugin="kraken_spot",
        server="spot_account",
        what="spot AddOrder",
        status=OrderStatus.PENDING,
        limits=spot_limits,
        sign=spot_by_hand,
        taken=lambda answer: bool(answer["result"]["txid"]),
    ),
    Peer(
        plugin="kraken_futures",
        server="futures",
        what="futures sendorder",
        status=OrderStatus.OPEN,
        limits=futures_limits,
        sign=futures_by_hand,
        taken=lambda answer: bool(answer["sendStatus"]["status"] == "placed"),
    ),
)


def by_hand(client: httpx.AsyncClient, address: str, peer: Peer) -> Call:
    """Return what signs and posts an order with httpx and reads the answer."""
    key = base64.b64decode(SECRET)
    nonce = time.time_ns()

    async def call() -> None:
        nonlocal nonce
        nonce += 1
        path, body, headers = peer.sign(key, nonce)
        response = await client.post(address + path, content=body, headers=headers)
        assert peer.taken(response.json())

    return call


async def spent(call: Call, orders: int) -> float:
    started = time.process_time()
    for _ in range(orders):
        await call()
    return time.process_time() - started


async def until_followed(venue: ConnectedVenue) -> None:
    account = venue.order_updates()
    async with asyncio.timeout(10):
        while venue.fills_complete_until is None:  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0.01)
    account.close()


async def alternate(peer: Peer, addresses: dict[str, Any], orders: int, rounds: int) -> list[tuple[float, float]]:
    plugins = load_plugins()
    spec = attrs.evolve(plugins.venue(peer.plugin), limits=peer.limits)
    credentials = Credentials(api_key=KEY, api_secret=SECRET)
    # The server is silent; a connection that were taken for dead would make ours ask for each order.
    config = spec.config(**addresses, order_entry="rest", stale_after=3600.0)
    venue = open_venue(spec, config, credentials, hooks=plugins.manager)
    async with venue, httpx.AsyncClient() as client:
        instruments = await venue.instruments()
        symbol = next(each.symbol for each in instruments if each.symbol.base == "BTC")
        await until_followed(venue)

        async def place() -> None:
            order = await venue.place(OrderRequest(symbol=symbol, side=Side.BUY, quantity="0.01", price="50000"))
            assert order.venue_order_id, order
            assert order.status is peer.status, order

        post = by_hand(client, addresses["rest_url"], peer)
        await spent(place, 100)
        await spent(post, 100)
        return [(await spent(place, orders), await spent(post, orders)) for _ in range(rounds)]


def measure(orders: int = ORDERS, rounds: int = ROUNDS) -> Iterator[Figure]:
    for peer in PEERS:
        with served(peer.server) as addresses:
            yield figure(
                f"{peer.what}, place to answer / httpx.AsyncClient",
                asyncio.run(alternate(peer, addresses, orders, rounds)),
                scale=1e6 / orders,
                unit="us",
                target=TARGET,
            )
