"""What a book message costs end to end: our whole client against bare ``websockets`` doing nothing.

A server in a process of its own sends the same frames to both over a loopback WebSocket, as fast as they are taken.
Ours is ``connect("kraken_spot", ...)`` with ``on_book`` callbacks, every checksum verified. The other receives each
frame with ``recv(decode=False)``, its cheapest way, and drops it. The clock starts after the snapshots, for both.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

from websockets.asyncio.client import connect as connect_socket

from benchmarks.frames import SYMBOLS
from benchmarks.loopback import served
from benchmarks.timing import Figure, figure
from exchange_core import BookHealth, OrderBook, connect

MESSAGES = 60_000
ROUNDS = 7
DEPTH = 10
TARGET = 2.5


class User:
    """A callback that notes the CPU time at its first and its last message."""

    def __init__(self, first: int, last: int) -> None:
        self.count = 0
        self.first, self.last = first, last
        self.started = self.ended = 0.0
        self.done = asyncio.Event()

    def __call__(self, book: OrderBook) -> None:
        self.count += 1
        if self.count == self.last:
            self.ended = time.process_time()
            self.done.set()
        elif self.count == self.first:
            self.started = time.process_time()


async def ours(addresses: dict[str, Any], messages: int) -> float:
    """Return the CPU seconds of a venue with callbacks."""
    user = User(len(SYMBOLS), len(SYMBOLS) + messages)
    async with connect("kraken_spot", **addresses) as venue:
        for name in SYMBOLS:
            await venue.on_book(name, DEPTH, user)
        async with asyncio.timeout(60):
            await user.done.wait()
        books = venue.health().books.values()
        assert all(book.health is BookHealth.LIVE for book in books), books
        assert sum(book.checked for book in books) == user.count == user.last, "not every message was verified"
    return user.ended - user.started


async def bare(addresses: dict[str, Any], messages: int) -> float:
    """Return the CPU seconds of ``websockets`` alone."""
    async with connect_socket(addresses["ws_url"], compression=None, proxy=None, max_size=None) as connection:
        params = {"channel": "book", "symbol": list(SYMBOLS), "depth": DEPTH}
        await connection.send(json.dumps({"method": "subscribe", "params": params, "req_id": 1}))
        for _ in range(2 * len(SYMBOLS)):  # acknowledgements and snapshots
            await connection.recv(decode=False)
        receive = connection.recv
        started = time.process_time()
        for _ in range(messages):
            await receive(decode=False)
        return time.process_time() - started


def measure(messages: int = MESSAGES, rounds: int = ROUNDS) -> Iterator[Figure]:
    with served("spot", DEPTH, messages) as addresses:
        asyncio.run(ours(addresses, messages))
        yield figure(
            "whole client over loopback / bare websockets",
            [(asyncio.run(ours(addresses, messages)), asyncio.run(bare(addresses, messages))) for _ in range(rounds)],
            scale=1e6 / messages,
            unit="us",
            target=TARGET,
        )
