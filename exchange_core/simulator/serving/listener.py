"""One TCP port: each client is served in a task of its own, and none outlives the port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

_GOODBYE = 1.0

Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """Serves clients with *converse*. Use it as an async context manager.

    Attributes:
        port: The one that it got.
    """

    def __init__(self, converse: Converse, host: str, port: int) -> None:
        """Args:
        port: 0 takes any free one.
        """
        self.host = host
        self.port = port
        self._converse = converse
        self._clients: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port, end every client's task."""
        self._is_closing = True
        self._server.close()
        clients = tuple(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client, from its connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            try:
                if not self._is_closing:
                    await self._converse(reader, writer)
            finally:
                await _close(writer)
        except OSError:
            pass  # the client is gone
        except asyncio.CancelledError:
            # Some versions of asyncio.streams report a cancelled client as an error.
            if not self._is_closing:
                raise
        finally:
            self._clients.discard(task)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection; one that cannot be flushed in time is aborted."""
    writer.close()
    try:
        async with asyncio.timeout(_GOODBYE):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        pass
    finally:
        writer.transport.abort()  # nothing happens to one that is closed
