"""Fifty clients that follow twenty books each on a simulated Kraken Spot of 24 markets that move by themselves.

All of them must get the same frames, every checksum must be right, and one more client that does not read must be cut
without the others noticing. What the server's CPU does for fifty is compared with what it does for one: a frame is made
and written once, and goes out fifty times. The server's memory is told. Needs Linux.

``python -m benchmarks.many_clients --seconds 60`` does the same for longer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from benchmarks.__main__ import line, row
from benchmarks.instruments import pair
from benchmarks.many_books import instruments
from benchmarks.public_path import Counter, PublicPath
from benchmarks.simulated import Server, Spent, simulated
from benchmarks.timing import Figure, figure, pin
from exchange_core.model.instrument import Instrument

MARKETS, CLIENTS, BOOKS, DEPTH = 24, 50, 20, 10
SECONDS, ROUNDS = 5.0, 3
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Client(asyncio.Protocol):
    """Cuts frames apart and counts those of its window; all that see the same have the same sum.

    Attributes:
        window: From when to when, in the venue's time; frames tell theirs.
        take: What else is done with each frame.
        lost: Done when the connection ends.
    """

    def __init__(self, venue: str, wanted: list[bytes]) -> None:
        self._handshake = HANDSHAKE.format(path=urlsplit(venue).path, host=urlsplit(venue).netloc).encode()
        self._wanted = wanted
        self._rest = b""
        self._is_open = False
        self.take: Callable[[bytes], None] = self._nothing
        self.begin()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self, window: tuple[bytes, bytes] = (b"", b"")) -> None:
        self.window, self.count, self.sum = window, 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._handshake)
        for text in self._wanted:
            transport.write(masked(text))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        data, start = self._rest + data, 0
        if not self._is_open:
            start = data.find(b"\r\n\r\n") + 4
            self._is_open = start > 3
            if not self._is_open:
                start = len(data)
        while len(data) - start >= 10:
            size, head = data[start + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[start + 2 : start + 4]), 4
            elif size == 127:
                size, head = int.from_bytes(data[start + 2 : start + 10]), 10
            end = start + head + size
            if end > len(data):
                break
            self._frame(data[start + head : end])
            start = end
        self._rest = data[start:]

    def _frame(self, frame: bytes) -> None:
        if not frame.startswith(b'{"channel":"book"'):
            return
        self.take(frame)
        first, last = self.window
        if first <= frame[-31:-4] < last:
            self.count += 1
            self.sum = crc32(frame, self.sum)

    def _nothing(self, frame: bytes) -> None:
        """Do no more."""


def masked(text: bytes) -> bytes:
    """Return *text* as a client's frame, masked with zeros."""
    assert 126 <= len(text) < 65536
    return b"\x81\xfe" + len(text).to_bytes(2) + bytes(4) + text


def subscribed(method: str, names: list[str], depth: int = DEPTH) -> bytes:
    params = {"channel": "book", "symbol": names, "depth": depth}
    return json.dumps({"method": method, "params": params, "req_id": 1}).encode()


def stamp(moment: datetime) -> bytes:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()


class Crowd:
    """The clients of one server; the first checks all that it sees."""

    def __init__(self, server: Server, books: list[Instrument]) -> None:
        self.server = server
        self.url = server.venues["spot"]["ws_url"]
        self.names = [str(each.symbol) for each in books]
        self.clients: list[Client] = []
        self.user = Counter()
        self.path = PublicPath("kraken_spot", books, self.user, depth=DEPTH)

    async def join(self, count: int) -> None:
        """Let there be so many."""
        while len(self.clients) < count:
            client = await self.connected([subscribed("subscribe", self.names)])
            if not self.clients:
                client.take = self.path.take
            self.clients.append(client)
        await asyncio.sleep(1.0)

    async def connected(self, wanted: list[bytes]) -> Client:
        address = urlsplit(self.url)
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: Client(self.url, wanted), address.hostname, address.port)
        return client

    async def window(self, seconds: float) -> tuple[float, int]:
        """Return what the server's CPU does in a second, and how many frames each got; all must have got the same."""
        begun = datetime.now(UTC) + timedelta(milliseconds=100)
        for client in self.clients:
            client.begin((stamp(begun), stamp(begun + timedelta(seconds=seconds))))
        with Spent(self.server) as spent:
            await asyncio.sleep(seconds + 0.1)
        await asyncio.sleep(1.0)  # what is still on its way
        seen = {(client.count, client.sum) for client in self.clients}
        assert len(seen) == 1, f"clients saw {len(seen)} different streams of frames"
        assert not self.path.failures, self.path.failures
        assert not any(client.lost.done() for client in self.clients), "a client that reads was cut"
        return spent.there / spent.wall, self.clients[0].count

    async def deaf(self) -> float:
        """Let one join that asks for megabytes and reads nothing; return after how many seconds it was cut."""
        asked = [subscribed(method, self.names, 1000) for _ in range(2000) for method in ("subscribe", "unsubscribe")]
        client = await self.connected(asked)
        client.transport.pause_reading()
        started = time.perf_counter()
        async with asyncio.timeout(60):
            while not is_gone(client):  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.05)
        client.transport.abort()
        return time.perf_counter() - started


def is_gone(client: Client) -> bool:
    """Ask the kernel, as one that does not read hears nothing."""
    state: Any = client.transport.get_extra_info("socket").getsockopt(6, 11, 1)  # TCP_INFO
    return bool(state[0] != 1)  # ESTABLISHED


async def run(server: Server, books: list[Instrument], seconds: float, rounds: int) -> list[Figure | str]:
    lonely, crowd = Crowd(server, books), Crowd(server, books)
    await lonely.join(1)
    alone = [(await lonely.window(seconds))[0] for _ in range(rounds)]
    lonely.clients[0].transport.close()
    await crowd.join(CLIENTS)
    memory = server.memory()
    windows = [await crowd.window(seconds) for _ in range(rounds)]
    grown, frames = server.memory() - memory, sum(count for _, count in windows)
    deaf = asyncio.ensure_future(crowd.deaf())
    _, more = await crowd.window(seconds)
    told = (
        f"each of {CLIENTS} clients got the same {frames} frames of {BOOKS} books, all verified by one of them; "
        f"the server has {memory + grown:.0f} MB, {grown:+.1f} MB in {rounds * seconds:.0f} s",
        f"one that reads nothing was cut after {await deaf:.1f} s; meanwhile the others got the same {more} frames",
    )
    busy = list(zip((share for share, _ in windows), alone, strict=True))
    name = f"server's CPU a second, {CLIENTS} clients of {BOOKS} books / one"
    return [*told, figure(name, busy, scale=1e3, unit="ms")]


def measure(seconds: float = SECONDS, rounds: int = ROUNDS) -> Iterator[Figure | str]:
    bases = [f"C{number:02}" for number in range(MARKETS)]
    rows = dict(pair(number, base, "ZUSD") for number, base in enumerate(bases))
    markets = {f"{base}/USD": (rows[f"{base}USD"]["pair_decimals"], 8, 0) for base in bases[:BOOKS]}
    with TemporaryDirectory() as folder:
        listing = Path(folder) / "pairs.json"
        listing.write_text(json.dumps({"error": [], "result": rows}), "utf-8")
        with simulated("--listing", str(listing)) as server:
            yield from asyncio.run(run(server, instruments(markets), seconds, rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    pin()
    for found in measure(parser.parse_args().seconds):
        print(line(row(found)) if isinstance(found, Figure) else found)


if __name__ == "__main__":
    main()
