"""How long an order takes from ``place`` to its acknowledgement, over the private WebSocket against over REST.

Kraken Spot, our client both times, the same server on this machine, one order after the other on connections that are
open. Here seconds of the clock on the wall are measured and not of the CPU: the server's part is in both. The limits
are the venue's, and drain so much faster that they count and never wait; so does the pace of frames.

What this machine's sockets and the server take by themselves is said too: it is in both, and no client can do without.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import attrs
from websockets.frames import Frame, Opcode

from benchmarks.loopback import served
from benchmarks.orders import KEY, SECRET, spot_limits, until_followed
from benchmarks.timing import Figure, figure
from exchange_core import Credentials, OrderRequest, Side, load_plugins, open_venue
from exchange_core.model.symbol import Symbol
from exchange_core.venue.connected import ConnectedVenue

ORDERS = 300
ROUNDS = 9
TARGET = 0.6

WAYS = ("auto", "rest")
"""What ``order_entry`` says: over the private WebSocket while that is healthy, or over REST."""

BITCOIN = Symbol.parse("BTC/USD")


async def waited(venue: ConnectedVenue, orders: int) -> list[float]:
    """Place orders one after the other; return how long each took."""
    times = []
    for _ in range(orders):
        started = time.perf_counter()
        order = await venue.place(OrderRequest(symbol=BITCOIN, side=Side.BUY, quantity="0.01", price="50000"))
        times.append(time.perf_counter() - started)
        assert order.venue_order_id, order
        assert not order.unknown, order
    return times


async def alternate(addresses: dict[str, str], orders: int, rounds: int) -> dict[str, list[list[float]]]:
    plugins = load_plugins()
    spec = plugins.venue("kraken_spot")
    spec = attrs.evolve(
        spec, limits=spot_limits, feeds=[attrs.evolve(feed, frames_per_second=1e6) for feed in spec.feeds]
    )
    credentials = Credentials(api_key=KEY, api_secret=SECRET)
    times: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    async with AsyncExitStack() as stack:
        venues = {}
        for way in WAYS:
            # The server is silent; a connection that were taken for dead would make ours ask for each order.
            config = spec.config(**addresses, order_entry=way, stale_after=3600.0)
            venue = open_venue(spec, config, credentials, hooks=plugins.manager)
            venues[way] = await stack.enter_async_context(venue)
            await until_followed(venues[way])
            await waited(venues[way], 200)
        for _ in range(rounds):
            for way, venue in venues.items():
                gc.collect()
                times[way].append(await waited(venue, orders))
        went = venues["auto"].health().ways
        assert went == {"private": 200 + orders * rounds}, f"orders went another way: {went}"
    return times


class _Bare(asyncio.Protocol):
    """Sends bytes that are ready, and knows when the answer is there."""

    answered: asyncio.Future[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.answered.set_result(data)

    async def ask(self, request: bytes) -> bytes:
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answered


async def bare(address: str, hello: bytes, request: bytes, orders: int) -> list[float]:
    """Return how long each of *orders* answers took to a client that does nothing but wait for them."""
    host, _, port = urlsplit(address).netloc.partition(":")
    _, link = await asyncio.get_running_loop().create_connection(_Bare, host, int(port))
    if hello:
        await link.ask(hello)
    times = []
    for _ in range(orders):
        started = time.perf_counter()
        await link.ask(request)
        times.append(time.perf_counter() - started)
    link.transport.close()
    return times


_HELLO = (
    b"GET / HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_ORDER = b'{"method":"add_order","params":{"cl_ord_id":"%b"},"req_id":1}' % (b"x" * 250)
_REQUEST = b"POST /0/private/AddOrder HTTP/1.1\r\nHost: venue\r\nContent-Length: 350\r\n\r\n" + b"x" * 350


def bare_ways(addresses: dict[str, str], orders: int) -> dict[str, list[float]]:
    frame = Frame(Opcode.TEXT, _ORDER).serialize(mask=True)
    return {
        "auto": asyncio.run(bare(addresses["ws_url"], _HELLO, frame, orders)),
        "rest": asyncio.run(bare(addresses["rest_url"], b"", _REQUEST, orders)),
    }


def spread(name: str, times: list[float]) -> str:
    """Say what one order takes, and what one in twenty takes at least."""
    *_, last = statistics.quantiles(times, n=20)
    return f"{name}: median {statistics.median(times) * 1e6:.0f} us, p95 {last * 1e6:.0f} us"


def measure(orders: int = ORDERS, rounds: int = ROUNDS) -> Iterator[Figure | str]:
    with served("spot_account") as addresses:
        times = asyncio.run(alternate(addresses, orders, rounds))
        floors = bare_ways(addresses, orders * rounds)
    medians = {way: list(map(statistics.median, times[way])) for way in WAYS}
    pairs = list(zip(medians["auto"], medians["rest"], strict=True))
    yield figure("spot order, acknowledged over WebSocket / over REST", pairs, scale=1e6, unit="us", target=TARGET)
    for way, name in (("auto", "WebSocket"), ("rest", "REST")):
        yield spread(name, [taken for taken_each in times[way] for taken in taken_each])
        yield spread(f"{name}, ready-made bytes from a bare socket", floors[way])
