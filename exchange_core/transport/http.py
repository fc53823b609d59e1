"""Send one HTTP request, and know afterwards whether it may have left.

Calls the transport of httpx directly: no redirects, no cookies, no environment, and no work of a client that we do
not use. What is sent is byte for byte what was signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx

from exchange_core.connector.rest import HttpReply, HttpRequest

# Instrument lists of whole venues are about two megabytes.
LARGEST_REPLY = 32 * 1024 * 1024
HEADERS = {"User-Agent": "exchange-core", "Accept-Encoding": "gzip"}

# A pooled connection that the venue closes while a request is on its way leaves that request's outcome unknown, so
# idle connections are dropped before venues drop them.
_POOL = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=15.0)

# httpx raises these before the first byte of a request is written.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class SendFailed(Exception):
    """No whole answer came.

    Raised without a cause: errors of HTTP libraries quote headers, and headers carry keys.

    Attributes:
        left: Whether any of the request may have reached the venue.
    """

    def __init__(self, reason: str, *, left: bool) -> None:
        super().__init__(reason)
        self.left = left


@cache
def tls_context() -> SSLContext:
    """Return what all connections of this process share; reading the certificates takes a while."""
    return httpx.create_ssl_context(trust_env=False)


class _Progress:
    """How far a request came, as httpx's transport reports it."""

    def __init__(self, on_written: Callable[[], None]) -> None:
        self.started = False
        self._socket: Any = None
        self._on_written = on_written

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        if event == "http11.send_request_headers.started":
            self.started = True
        elif event == "http11.send_request_body.complete":
            self._on_written()
        elif event == "connection.connect_tcp.complete":
            self._socket = info["return_value"]
        elif event == "connection.start_tls.failed":
            # Cancelled here, as by our time-out, httpx's pool would forget the socket open.
            await self._socket.aclose()


class HttpSender:
    """A pool of connections.

    Args:
        transport: Used instead of a pool of our own, and left open.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._ours = transport is None

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
            # Left to httpx, it would quote the header, such as a key with a newline in it, in an error and in its log.
            reason = "the request cannot be written: a header or the path holds a character that HTTP does not allow"
            raise SendFailed(reason, left=False)
        progress = _Progress(on_written)
        try:
            async with asyncio.timeout(within):
                return await self._exchange(address, request, progress)
        except TimeoutError:
            failure = SendFailed(f"no answer within {within:g} s", left=self._may_have_left(progress))
        except _NEVER_LEFT as error:
            failure = SendFailed(f"cannot connect: {_reason(error)}", left=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            failure = SendFailed(_reason(error), left=self._may_have_left(progress))
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        if self._ours and self._transport is not None:
            transport, self._transport = self._transport, None
            await transport.aclose()

    def _may_have_left(self, progress: _Progress) -> bool:
        # A transport that was handed in need not report how far it came.
        return progress.started or not self._ours

    async def _exchange(self, address: str, request: HttpRequest, progress: _Progress) -> HttpReply:
        outgoing = httpx.Request(
            request.method,
            address + request.target,
            headers={**HEADERS, **request.headers},
            content=request.body,
            # httpx would write some characters of a URL in another way than they were signed.
            extensions={"trace": progress, "target": (_path(address) + request.target).encode("ascii")},
        )
        response = await self._pool().handle_async_request(outgoing)
        try:
            body = await _body(response)
        finally:
            await response.aclose()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        return HttpReply(response.status_code, headers, body)

    def _pool(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport(verify=tls_context(), trust_env=False, limits=_POOL)
        return self._transport


def _can_be_written(request: HttpRequest) -> bool:
    texts = (request.method, request.target, *request.headers, *request.headers.values())
    return all(text.isascii() and text.isprintable() and text == text.strip() for text in texts)


def _path(address: str) -> str:
    """Return what *address* has after the host, mostly nothing."""
    _host, slash, path = address.partition("://")[2].partition("/")
    return slash + path


async def _body(response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            chunks.append(chunk)
            if size > LARGEST_REPLY:
                # Leaving the loop here would leave half-read generators to the garbage collector.
                chunks.clear()
                await response.aclose()
    except httpx.HTTPError:
        if size <= LARGEST_REPLY:
            raise
    if size > LARGEST_REPLY:
        raise httpx.ReadError(f"the answer is larger than {LARGEST_REPLY} bytes")
    return b"".join(chunks)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
