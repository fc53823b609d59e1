"""Send one HTTP request, and know afterwards whether it may have left.

No redirects, no cookies, no environment: what is sent is byte for byte what was signed, and it is sent once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING

import certifi

from exchange_core.connector.rest import HttpReply, HttpRequest

if TYPE_CHECKING:
    import httpx

    from exchange_core.transport.http_pool import ConnectionPool

# Instrument lists of whole venues are about two megabytes.
LARGEST_REPLY = 32 * 1024 * 1024
HEADERS = {"User-Agent": "exchange-core", "Accept-Encoding": "gzip"}


class SendFailed(Exception):
    """No whole answer came.

    Raised without a cause: errors of HTTP libraries quote headers, and headers carry keys.

    Attributes:
        left: Whether any of the request may have reached the venue.
    """

    def __init__(self, reason: str, *, left: bool) -> None:
        super().__init__(reason)
        self.left = left


class Sending:
    """How far a request came.

    Attributes:
        left: Whether any of it may have reached the venue.
        on_written: Called when the last byte was handed to the socket.
    """

    __slots__ = ("left", "on_written")

    def __init__(self, on_written: Callable[[], None]) -> None:
        self.left = False
        self.on_written = on_written


Exchange = Callable[[str, HttpRequest, Sending], Awaitable[HttpReply]]


@cache
def tls_context() -> ssl.SSLContext:
    """Return what all connections of this process share; reading the certificates takes a while."""
    return ssl.create_default_context(cafile=certifi.where())


class HttpSender:
    """A pool of connections.

    Args:
        transport: Used instead of a pool of our own, and left open.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._pool: ConnectionPool | None = None
        self._exchange: Exchange | None = None

    async def send(
        self, address: str, request: HttpRequest, *, within: float, on_written: Callable[[], None] = lambda: None
    ) -> HttpReply:
        """Send *request* to *address* and return the answer.

        Args:
            within: Seconds for all of it.
            on_written: Called when the last byte was handed to the socket, if that can be seen.

        Raises:
            SendFailed: No whole answer came.
        """
        if not _can_be_written(request):
            # A library would quote the header, such as a key with a newline in it, in an error and in its log.
            reason = "the request cannot be written: a header or the path holds a character that HTTP does not allow"
            raise SendFailed(reason, left=False)
        exchange = self._exchange or self._open()
        sending = Sending(on_written)
        try:
            async with asyncio.timeout(within):
                return await exchange(address, request, sending)
        except TimeoutError:
            failure = SendFailed(f"no answer within {within:g} s", left=sending.left)
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        pool, self._pool, self._exchange = self._pool, None, None
        if pool is not None:
            await pool.aclose()

    def _open(self) -> Exchange:
        # Imported when they are first used: both are slow to import, and one of them is enough.
        if self._transport is not None:
            from exchange_core.transport.http_given import GivenTransport

            self._exchange = GivenTransport(self._transport).exchange
        else:
            from exchange_core.transport.http_pool import ConnectionPool

            self._pool = ConnectionPool()
            self._exchange = self._pool.exchange
        return self._exchange


def reason(error: Exception) -> str:
    """Return what to say of *error*."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _can_be_written(request: HttpRequest) -> bool:
    values = request.headers.values()
    text = "".join((request.method, request.target, *request.headers, *values))
    if not (text.isascii() and text.isprintable()):
        return False
    return " " not in text or all(value == value.strip() for value in values)
