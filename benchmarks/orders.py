"""What one order costs: ``place`` to the parsed answer, against ``httpx.AsyncClient`` as it comes.

Both sign the same ``sendorder`` of Kraken Futures and send it to a server on this machine, one after the other on one
kept connection; ours also checks the order, keeps it in its record, obeys the venue's limit and follows the account
over a WebSocket. The limit is the venue's with a window a thousand times as short, so that it counts and never waits.
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
from exchange_core.connector.limits import Limits
from kraken_futures.limits import BUDGET, DERIVATIVES, RESERVE, WINDOW, SlidingWindow

ORDERS = 400
ROUNDS = 7
TARGET = 0.6

KEY = "key-of-a-benchmark"
SECRET = base64.b64encode(b"secret of a benchmark").decode()
PATH = "/derivatives/api/v3/sendorder"

Call = Callable[[], Awaitable[None]]


def unhindered(_: object) -> Limits:
    return Limits({DERIVATIVES: SlidingWindow(BUDGET, WINDOW / 1000, RESERVE)})


def by_hand(client: httpx.AsyncClient, address: str) -> Call:
    """Return what signs and posts an order with httpx and reads the answer."""
    key = base64.b64decode(SECRET)
    nonce = time.time_ns()

    async def call() -> None:
        nonlocal nonce
        nonce += 1
        order = {"orderType": "lmt", "symbol": PRODUCT, "side": "buy", "size": "0.01", "limitPrice": "50000"}
        body = urlencode({**order, "cliOrdId": f"by-hand-{nonce}", "processBefore": "2026-10-09T00:34:21.904206Z"})
        digest = hashlib.sha256(f"{body}{nonce}{PATH.removeprefix('/derivatives')}".encode()).digest()
        headers = {
            "APIKey": KEY,
            "Nonce": str(nonce),
            "Authent": base64.b64encode(hmac.digest(key, digest, "sha512")).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        response = await client.post(address + PATH, content=body, headers=headers)
        assert response.json()["sendStatus"]["status"] == "placed"

    return call


async def spent(call: Call, orders: int) -> float:
    started = time.process_time()
    for _ in range(orders):
        await call()
    return time.process_time() - started


async def alternate(addresses: dict[str, Any], orders: int, rounds: int) -> list[tuple[float, float]]:
    plugins = load_plugins()
    spec = attrs.evolve(plugins.venue("kraken_futures"), limits=unhindered)
    credentials = Credentials(api_key=KEY, api_secret=SECRET)
    venue = open_venue(spec, spec.config(**addresses), credentials, hooks=plugins.manager)
    async with venue, httpx.AsyncClient() as client:
        symbol = (await venue.instruments())[0].symbol
        account = venue.order_updates()
        async with asyncio.timeout(10):
            while venue.fills_complete_until is None:  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.01)
        account.close()

        async def place() -> None:
            order = await venue.place(OrderRequest(symbol=symbol, side=Side.BUY, quantity="0.01", price="50000"))
            assert order.status is OrderStatus.OPEN

        post = by_hand(client, addresses["rest_url"])
        await spent(place, 100)
        await spent(post, 100)
        return [(await spent(place, orders), await spent(post, orders)) for _ in range(rounds)]


def measure(orders: int = ORDERS, rounds: int = ROUNDS) -> Iterator[Figure]:
    with served("futures") as addresses:
        yield figure(
            "futures sendorder, place to answer / httpx.AsyncClient",
            asyncio.run(alternate(addresses, orders, rounds)),
            scale=1e6 / orders,
            unit="us",
            target=TARGET,
        )
