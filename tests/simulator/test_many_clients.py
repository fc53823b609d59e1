"""Fifty clients follow twenty books each, on real sockets: all hear the same, all of it, and it is right."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import product
from socket import AF_INET, SO_RCVBUF, SOCK_STREAM, SOL_SOCKET, socket
from typing import Any
from zlib import crc32

import attrs
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from exchange_core import load_plugins
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.launch import PreparedSimulator, SimulatorLaunch, prepare
from exchange_core.simulator.makers.settings import MakerSettings
from exchange_core.simulator.serving.server import SimulatorServer
from exchange_core.testing.clock import ManualClock

CLIENTS, BOOKS, STEPS = 50, 20, 5
WITHIN = 30.0

pytestmark = pytest.mark.asyncio


@pytest.fixture
def made() -> PreparedSimulator:
    """Build Kraken Spot with twenty markets that are like its first one."""
    spec = load_plugins().venue("kraken_spot").simulator
    assert spec is not None
    first, bitcoin = spec.markets[0], next(asset for asset in spec.assets if asset.code == "BTC")
    codes = ["".join(letters) for letters in product("QWXYZ", repeat=2)][:BOOKS]
    markets = [
        attrs.evolve(
            first,
            instrument=attrs.evolve(first.instrument, symbol=Symbol(code, "USD"), venue_id=f"{code}USD"),
            leverages=(),
        )
        for code in codes
    ]
    assets = [attrs.evolve(bitcoin, code=code, venue_id=code) for code in codes]
    spec = attrs.evolve(spec, markets=markets, assets=[*spec.assets, *assets])
    return prepare(SimulatorLaunch(spec=spec, seed=3, makers=MakerSettings(levels=12)), ManualClock())


@pytest.fixture
async def server(made: PreparedSimulator) -> AsyncIterator[SimulatorServer]:
    async with SimulatorServer(made.protocol, made.exchange, faults=made.faults, max_unsent=1 << 18) as server:
        yield server


class Client:
    """Keeps every frame of its books, by symbol."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: dict[str, list[str]] = defaultdict(list)

    async def subscribe(self, names: Iterable[str]) -> None:
        await self.connection.send(subscription("subscribe", names))

    async def listen(self) -> None:
        """Take all that was said up to now."""
        await self.connection.send('{"method": "ping"}')
        async for text in self.connection:
            frame = json.loads(text)
            if frame.get("method") == "pong":
                return
            if frame.get("channel") == "book":
                assert isinstance(text, str)
                self.frames[frame["data"][0]["symbol"]].append(text)


def subscription(method: str, names: Iterable[str], depth: int = 10) -> str:
    params = {"channel": "book", "symbol": list(names), "depth": depth}
    return json.dumps({"method": method, "params": params, "req_id": 1})


def follow(frames: list[str]) -> int:
    """Apply a book's frames, and check each one's checksum; return how many there were."""
    book: dict[str, dict[Decimal, tuple[str, str]]] = {"bids": {}, "asks": {}}
    for text in frames:
        data: dict[str, Any] = json.loads(text, parse_float=str)["data"][0]
        for side, levels in book.items():
            for row in data[side]:
                levels.pop(Decimal(row["price"]), None)
                if Decimal(row["qty"]):
                    levels[Decimal(row["price"])] = (row["price"], row["qty"])
            for price in sorted(levels, reverse=side == "bids")[10:]:
                del levels[price]
        numbers = [number for price in sorted(book["asks"]) for number in book["asks"][price]]
        numbers += [number for price in sorted(book["bids"], reverse=True) for number in book["bids"][price]]
        digits = "".join(number.replace(".", "").lstrip("0") for number in numbers)
        assert crc32(digits.encode()) == data["checksum"], text
    return len(frames)


async def test_all_of_them_get_every_update_of_every_book(made: PreparedSimulator, server: SimulatorServer) -> None:
    names = [str(market.instrument.symbol) for market in made.exchange.markets()]
    async with AsyncExitStack() as stack, asyncio.timeout(WITHIN):
        clients = [
            Client(await stack.enter_async_context(connect(server.urls["ws_url"], proxy=None))) for _ in range(CLIENTS)
        ]
        for client in clients:
            await client.subscribe(names)
            await client.listen()
        for _ in range(STEPS):
            for maker in made.makers:
                maker.step(made.exchange.now())
        for client in clients:
            await client.listen()
    first, *others = clients
    assert set(first.frames) == set(names)
    for client in others:
        assert client.frames == first.frames
    updates = [follow(frames) for frames in first.frames.values()]
    assert min(updates) > STEPS


async def test_one_that_does_not_read_is_cut_and_the_others_miss_nothing(
    made: PreparedSimulator, server: SimulatorServer
) -> None:
    names = [str(market.instrument.symbol) for market in made.exchange.markets()]
    async with AsyncExitStack() as stack, asyncio.timeout(WITHIN):
        clients = [
            Client(await stack.enter_async_context(connect(server.urls["ws_url"], proxy=None))) for _ in range(2)
        ]
        for client in clients:
            await client.subscribe(names)
            await client.listen()
        with socket(AF_INET, SOCK_STREAM) as small:
            small.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)  # that of the kernel; it would keep megabytes for it
            small.setblocking(False)
            await asyncio.get_running_loop().sock_connect(small, (server.host, server.port))
            deaf = await stack.enter_async_context(connect(server.urls["ws_url"], sock=small, proxy=None))
            deaf.transport.pause_reading()
            for _ in range(150):
                await deaf.send(subscription("subscribe", names, 100))
                await deaf.send(subscription("unsubscribe", names, 100))
            for maker in made.makers:
                maker.step(made.exchange.now())
            for client in clients:
                await client.listen()
            deaf.transport.resume_reading()
            with pytest.raises(ConnectionClosedError):
                async for _ in deaf:
                    pass
    one, other = clients
    assert one.frames == other.frames
    assert all(follow(frames) > 1 for frames in one.frames.values())
