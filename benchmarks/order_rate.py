"""How many order requests a second go through real sockets, this machine's CPUs and client included.

The simulated exchange runs as ``exchange simulate --no-limits`` runs it, its markets moving, in a process of its own.
To it go limit orders that rest: through ``venue.place`` over REST (several accounts at once, as the requests of one key
go one after the other) and over the private WebSocket (many at once on one connection), and from a client that does
nothing but send requests made before and cut answers apart. The same requests from ``aiohttp`` and ``websockets`` to a
server that answers with what it has ready show what the libraries alone take.

Client and server have a CPU each, so the one that spends more on a request is the limit: its CPU time is the figure.
How many went through in a second of the clock on the wall is told too; on a machine that others use it says little.

``python -m benchmarks.order_rate --profile spot_rest`` prints where the time of the server and of the client goes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import cProfile
import hashlib
import hmac
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import attrs
from websockets.asyncio.client import connect as connect_socket

from benchmarks.loopback import served
from benchmarks.orders import FORM, PEERS, until_followed
from benchmarks.simulated import Server, Spent, heaviest, simulated
from benchmarks.timing import Figure, figure, pin
from exchange_core import Credentials, OrderRequest, Side, Symbol, load_plugins, open_venue
from exchange_core.venue.connected import ConnectedVenue

ORDERS = 2_000
ROUNDS = 5
WANTED = 2_000
ACCOUNTS = 8
AT_ONCE = 32

Load = Callable[[int, Spent], Awaitable[None]]
"""Makes so many order requests; what they take is counted, and not what it takes to be ready."""

SPOT, FUTURES = "kraken_spot", "kraken_futures"
SYMBOLS = {SPOT: Symbol.parse("BTC/USD"), FUTURES: Symbol.parse("BTC/USD:USD")}
LIMITS = {peer.plugin: peer.limits for peer in PEERS}
PATHS = {SPOT: "/0/private/AddOrder", FUTURES: "/derivatives/api/v3/sendorder"}


# Our client.


async def ours(stack: AsyncExitStack, plugin: str, keys: list[Mapping[str, str]], way: str, at_once: int) -> Load:
    """Open a venue for each key; the load places orders through all of them, *at_once* through each."""
    plugins = load_plugins()
    spec = plugins.venue(plugin)
    feeds = [attrs.evolve(feed, frames_per_second=1e6) for feed in spec.feeds]
    spec = attrs.evolve(spec, limits=LIMITS[plugin], feeds=feeds)
    venues: list[ConnectedVenue] = []
    for key in keys:
        addresses: dict[str, Any] = {name: value for name, value in key.items() if name.endswith("_url")}
        credentials = Credentials(api_key=key["api_key"], api_secret=key["api_secret"])
        # Whoever shares the machine may hold an order up.
        config = spec.config(**addresses, order_entry=way, order_deadline=60.0)
        venues.append(await stack.enter_async_context(open_venue(spec, config, credentials, hooks=plugins.manager)))
        await until_followed(venues[-1])

    async def worker(venue: ConnectedVenue, orders: int) -> None:
        for number in range(orders):
            order = await venue.place(
                OrderRequest(
                    symbol=SYMBOLS[plugin], side=Side.BUY, quantity="0.001", price=str(20_000 + 10 * (number % 50))
                )
            )
            assert order.venue_order_id, order

    async def load(orders: int, spent: Spent) -> None:
        share = orders // (len(venues) * at_once)
        with spent:
            async with asyncio.TaskGroup() as group:
                for venue in venues:
                    for _ in range(at_once):
                        group.create_task(worker(venue, share))

    return load


# A client that does nothing but send.


def spot_request(key: Mapping[str, str], number: int) -> tuple[bytes, dict[str, str]]:
    nonce = time.time_ns() + number
    order = {"nonce": nonce, "pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001"}
    body = urlencode({**order, "price": 20_000 + number % 50, "cl_ord_id": f"bare-{nonce % 10**12}"}).encode()
    inner = PATHS[SPOT].encode() + hashlib.sha256(str(nonce).encode() + body).digest()
    return body, {"API-Key": key["api_key"], "API-Sign": _mac(key, inner), "Content-Type": FORM}


def futures_request(key: Mapping[str, str], number: int) -> tuple[bytes, dict[str, str]]:
    nonce = time.time_ns() + number
    order = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.001"}
    body = urlencode({**order, "limitPrice": 20_000 + 10 * (number % 50), "cliOrdId": f"bare-{nonce}"}).encode()
    path = PATHS[FUTURES].removeprefix("/derivatives").encode()
    inner = hashlib.sha256(body + str(nonce).encode() + path).digest()
    headers = {"APIKey": key["api_key"], "Authent": _mac(key, inner), "Nonce": str(nonce), "Content-Type": FORM}
    return body, headers


def _mac(key: Mapping[str, str], message: bytes) -> str:
    return base64.b64encode(hmac.digest(base64.b64decode(key["api_secret"]), message, "sha512")).decode()


REQUESTS = {SPOT: spot_request, FUTURES: futures_request}


class _Bare(asyncio.Protocol):
    """Sends a request when the answer to the one before it has come."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = iter(requests)
        self._answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
            return
        self._answer = b""
        request = next(self._requests, None)
        if b'"txid"' not in body and b'"placed"' not in body:
            self.done.set_exception(RuntimeError(f"not taken: {body!r}"))
        elif request is None:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._transport.write(request)


async def bare(plugin: str, keys: list[Mapping[str, str]]) -> Load:
    """Send over one connection for each key."""
    address = urlsplit(keys[0]["rest_url"])
    host, port = address.hostname or "", address.port or 80

    def written(key: Mapping[str, str], number: int) -> bytes:
        body, headers = REQUESTS[plugin](key, number)
        fields = {"Host": address.netloc, **headers, "Content-Length": len(body)}
        lines = [f"POST {PATHS[plugin]} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return "\r\n".join(lines).encode() + body

    async def load(orders: int, spent: Spent) -> None:
        loop = asyncio.get_running_loop()
        share = orders // len(keys)
        all_of_them = [[written(key, number) for number in range(share)] for key in keys]
        with spent:
            connections = [
                await loop.create_connection(partial(_Bare, requests), host, port) for requests in all_of_them
            ]
            await asyncio.gather(*(protocol.done for _, protocol in connections))

    return load


async def library(stack: AsyncExitStack, url: str, key: Mapping[str, str]) -> Load:
    """Post with aiohttp, as many at once as there are accounts otherwise."""
    session = await stack.enter_async_context(aiohttp.ClientSession())

    async def load(orders: int, spent: Spent) -> None:
        requests = [spot_request(key, number) for number in range(orders)]

        async def worker(mine: list[tuple[bytes, dict[str, str]]]) -> None:
            for body, headers in mine:
                async with session.post(url + PATHS[SPOT], data=body, headers=headers) as response:
                    assert b'"txid"' in await response.read()

        with spent:
            await asyncio.gather(*(worker(requests[number::ACCOUNTS]) for number in range(ACCOUNTS)))

    return load


async def socket(stack: AsyncExitStack, venue: Mapping[str, str]) -> Load:
    """Send orders over a WebSocket, a new one for each answer."""
    token = await token_of(venue) if "api_key" in venue else ""
    url = venue["ws_auth_url"]
    connection = await stack.enter_async_context(connect_socket(url, compression=None, proxy=None))

    async def load(orders: int, spent: Spent) -> None:
        begun = time.time_ns()
        frames = [spot_frame(token, begun + number) for number in range(orders)]
        with spent:
            for frame in frames[:AT_ONCE]:
                await connection.send(frame, text=True)
            answered = 0
            while answered < orders:
                answer = await connection.recv(decode=False)
                if b'"req_id"' not in answer:
                    continue
                assert b'"success":true' in answer.replace(b" ", b""), answer
                answered += 1
                if answered + AT_ONCE <= orders:
                    await connection.send(frames[answered + AT_ONCE - 1], text=True)

    return load


def spot_frame(token: str, number: int) -> bytes:
    order = {"order_type": "limit", "side": "buy", "order_qty": 0.001, "symbol": "BTC/USD", "token": token}
    params = {**order, "limit_price": 20_000 + number % 50, "cl_ord_id": f"bare-{number % 10**12}"}
    return json.dumps({"method": "add_order", "params": params, "req_id": number}).encode()


async def token_of(key: Mapping[str, str]) -> str:
    path, nonce = "/0/private/GetWebSocketsToken", str(time.time_ns())
    body = urlencode({"nonce": nonce}).encode()
    headers = {"API-Key": key["api_key"], "API-Sign": "", "Content-Type": FORM}
    headers["API-Sign"] = _mac(key, path.encode() + hashlib.sha256(nonce.encode() + body).digest())
    async with (
        aiohttp.ClientSession() as session,
        session.post(key["rest_url"] + path, data=body, headers=headers) as r,
    ):
        return str((await r.json())["result"]["token"])


# All of them, in turn.


def loads(server: Server, canned: dict[str, str]) -> dict[str, Callable[[AsyncExitStack], Awaitable[Load]]]:
    """Return what makes each load ready."""
    keys = {plugin: keys_of(server.venues[section]) for plugin, section in ((SPOT, "spot"), (FUTURES, "futures"))}
    # Nonces of one key come from one client only.
    spot, futures = keys[SPOT][ACCOUNTS:], keys[FUTURES][ACCOUNTS:]
    return {
        "spot_rest": lambda stack: ours(stack, SPOT, keys[SPOT][:ACCOUNTS], "rest", 1),
        "spot_socket": lambda stack: ours(stack, SPOT, keys[SPOT][:1], "auto", AT_ONCE),
        "futures_rest": lambda stack: ours(stack, FUTURES, keys[FUTURES][:ACCOUNTS], "rest", 1),
        "bare_spot_rest": lambda _: bare(SPOT, spot),
        "bare_spot_socket": lambda stack: socket(stack, spot[0]),
        "bare_futures_rest": lambda _: bare(FUTURES, futures),
        "library_rest": lambda stack: library(stack, canned["rest_url"], spot[0]),
        "library_socket": lambda stack: socket(stack, canned),
    }


def keys_of(venue: Mapping[str, Any]) -> list[Mapping[str, str]]:
    addresses = {name: value for name, value in venue.items() if name.endswith("_url")}
    return [{**addresses, **key} for key in venue["keys"]]


NAMES = {
    "spot_rest": "spot orders, place over REST",
    "spot_socket": "spot orders, place over the WebSocket",
    "futures_rest": "futures orders, place over REST",
    "bare_spot_rest": "spot orders, REST, bare client",
    "bare_spot_socket": "spot orders, WebSocket, bare client",
    "bare_futures_rest": "futures orders, REST, bare client",
    "library_rest": "aiohttp to a canned server",
    "library_socket": "websockets to a canned server",
}


async def in_turn(server: Server, orders: int, rounds: int) -> dict[str, list[Spent]]:
    with served("spot_account") as canned:
        async with AsyncExitStack() as stack:
            found = {name: await make(stack) for name, make in loads(server, canned).items()}
            for load in found.values():
                await load(orders // 4, Spent(server))
            spent: dict[str, list[Spent]] = {name: [] for name in found}
            for _ in range(rounds):
                for name, load in found.items():
                    spent[name].append(Spent(server))
                    await load(orders, spent[name][-1])
    return spent


def measure(orders: int = ORDERS, rounds: int = ROUNDS) -> Iterator[Figure | str]:
    with simulated(accounts=2 * ACCOUNTS) as server:
        spent = asyncio.run(in_turn(server, orders, rounds))
    for name, each in spent.items():
        yield figure(
            f"{NAMES[name]} / {WANTED:,} a second",
            [(one.busier / orders, 1 / WANTED) for one in each],
            scale=1e6,
            unit="us",
            target=1.0,
        )
    for name, each in spent.items():
        here, there = (
            statistics.median(times) / orders * 1e6
            for times in zip(*((one.here, one.there) for one in each), strict=True)
        )
        yield (
            f"{NAMES[name]}: {orders / min(one.wall for one in each):,.0f} a second at best; a request took "
            f"{here:.0f} us of CPU in the client, {there:.0f} us in the simulated exchange"
        )


async def alone(server: Server, name: str, orders: int) -> None:
    with served("spot_account") as canned:
        async with AsyncExitStack() as stack:
            load = await loads(server, canned)[name](stack)
            await load(orders // 4, Spent(server))
            profile, spent = cProfile.Profile(), Spent(server)
            profile.enable()
            await load(orders, spent)
            profile.disable()
            print(f"client, {spent.wall / orders * 1e6:.0f} us a request with both profilers:")
            profile.create_stats()
            with TemporaryDirectory() as folder:
                profile.dump_stats(Path(folder) / "client")
                heaviest(Path(folder) / "client")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=NAMES, default="spot_rest")
    parser.add_argument("--orders", type=int, default=ORDERS)
    asked = parser.parse_args()
    pin()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "server"
        with simulated(accounts=2 * ACCOUNTS, profile=file) as server:
            asyncio.run(alone(server, asked.profile, asked.orders))
        print("server:")
        heaviest(file)


if __name__ == "__main__":
    main()
