"""A WebSocket server on a real socket that does what a test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class Peer:
    """The server's end of one connection.

    Attributes:
        number: 1 for the first connection, and so on.
        received: Frames that came, in order.
    """

    def __init__(self, connection: ServerConnection, number: int) -> None:
        self._connection = connection
        self.number = number
        self.received: list[str] = []

    @property
    def close_code(self) -> int | None:
        """The code of the goodbye; None while the connection is open."""
        return self._connection.close_code

    async def receive(self) -> str:
        """Return the next frame."""
        frame = await self._connection.recv(decode=True)
        self.received.append(frame)
        return frame

    async def send(self, *frames: str | bytes) -> None:
        """Send text frames."""
        for frame in frames:
            await self._connection.send(frame, text=True)

    async def close(self, code: int = 1001, reason: str = "") -> None:
        """Say goodbye."""
        await self._connection.close(code, reason)

    def abort(self) -> None:
        """Break the connection without a word."""
        self._connection.transport.abort()

    def deafen(self) -> None:
        """Stop reading: neither pings nor the closing handshake are answered from here on."""
        self._connection.transport.pause_reading()

    async def until_gone(self) -> None:
        """Take what still comes until the client is gone."""
        while True:
            await self.receive()


Script = Callable[[Peer], Awaitable[None]]


class LoopbackSocket:
    """Runs *script* with each client, in an ``async with``. The connection ends with the script.

    Attributes:
        url: Where it listens, such as ``ws://127.0.0.1:40124``.
        peers: All connections so far.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._server: Server | None = None
        self._scripts: set[asyncio.Task[None]] = set()
        self._came = asyncio.Event()
        self.url = ""
        self.peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        self._server = await serve(self._handle, "127.0.0.1", 0, close_timeout=0.2, compression=None)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        for script in self._scripts:
            script.cancel()
        self._server.close()
        await self._server.wait_closed()

    async def until_peers(self, count: int) -> Peer:
        """Wait until *count* clients have come, ten seconds at most; return the latest."""
        async with asyncio.timeout(10):
            while len(self.peers) < count:
                self._came.clear()
                await self._came.wait()
        return self.peers[-1]

    async def _handle(self, connection: ServerConnection) -> None:
        peer = Peer(connection, len(self.peers) + 1)
        self.peers.append(peer)
        self._came.set()
        script = asyncio.create_task(self._run(peer))
        self._scripts.add(script)
        await asyncio.wait([script])
        self._scripts.discard(script)
        if not script.cancelled():
            script.result()

    async def _run(self, peer: Peer) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._script(peer)
