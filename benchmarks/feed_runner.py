"""What the feed runner costs per message, against bare ``websockets`` receiving the same frames and doing nothing.

Run with ``python -m benchmarks feed_runner``. A process of its own blasts book frames over loopback; the runner has a
feed that only counts, so the ratio is the transport's own share. Only CPU time of this process is measured.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import multiprocessing
import socket
import time
from collections.abc import Iterable, Iterator, Sequence

from websockets.asyncio.client import connect

from benchmarks.frames import book_stream
from benchmarks.loopback import in_envelope
from benchmarks.timing import Figure, figure, leave
from exchange_core.connector.feed import FeedStats
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import FeedSpec, VenueConfig
from exchange_core.model.book import OrderBook
from exchange_core.model.event import Channel, Event, Events, Ignored, Subscription
from exchange_core.model.symbol import Symbol
from exchange_core.transport.feed_runner import FeedRunner

MESSAGES = 60_000
ROUNDS = 5
END = b'{"end":true}'
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class CountingFeed:
    """Publishes one event a frame, and is done at the last."""

    def __init__(self) -> None:
        self.stats = FeedStats()
        self.done = asyncio.Event()
        self._events = (Ignored(kind="counted"),)

    def login(self) -> Flow[str] | None:
        return None

    def opened(self, now: float, credential: str | None = None) -> None: ...

    def receive(self, frame: bytes | str, now: float) -> Events:
        self.stats.frames += 1
        if len(frame) == len(END):
            self.done.set()
        return self._events

    def tick(self, now: float) -> Events:
        return ()

    def closed(self, now: float) -> Events:
        return ()

    def is_dead(self, now: float) -> str | None:
        return None

    def outbox(self) -> list[str]:
        return []

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None: ...

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None: ...

    def subscriptions(self) -> Iterable[Subscription]:
        return ()

    def is_active(self, subscription: Subscription) -> bool:
        return False

    def book(self, symbol: Symbol) -> OrderBook | None:
        return None


def blast(listener: socket.socket, frames: Sequence[bytes]) -> None:
    """Send all *frames* to each client as fast as it takes them."""
    leave()
    leave()
    stream = b"".join(map(in_envelope, [*frames, END]))
    while True:
        client, _ = listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        key = next(line[19:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        try:
            client.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            time.sleep(0.05)
            client.sendall(stream)
            client.recv(4096)
        except OSError:
            pass
        client.close()


async def bare(address: str) -> float:
    """Return CPU seconds of ``websockets`` alone."""
    async with connect(address, compression=None, proxy=None, max_size=None) as connection:
        start = time.process_time()
        while await connection.recv(decode=False) != END:
            pass
        return time.process_time() - start


async def ours(address: str) -> float:
    """Return CPU seconds of the runner with a feed that counts."""
    feed = CountingFeed()
    spec = FeedSpec(name="public", url="ws_url", channels=frozenset({Channel.BOOK}), make=lambda context: feed)
    published: list[Event] = []

    def publish(event: Event) -> None:
        published[:] = (event,)

    runner = FeedRunner(spec, feed, None, VenueConfig(ws_url=address), publish=publish)
    task = asyncio.create_task(runner.run())
    start = time.process_time()
    await feed.done.wait()
    spent = time.process_time() - start
    task.cancel()
    await asyncio.wait([task])
    return spent


def measure(messages: int = MESSAGES, rounds: int = ROUNDS) -> Iterator[Figure]:
    frames = book_stream(messages, depth=10).frames
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    server = multiprocessing.get_context("fork").Process(target=blast, args=(listener, frames), daemon=True)
    server.start()
    try:
        asyncio.run(ours(address))
        times = [(asyncio.run(ours(address)), asyncio.run(bare(address))) for _ in range(rounds)]
    finally:
        server.kill()
        server.join()
        listener.close()
    yield figure("feed runner alone over loopback / bare websockets", times, scale=1e6 / len(frames), unit="us")
