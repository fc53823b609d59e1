"""Requests through a transport of httpx that was handed in: a test's, or the simulated exchange's."""

from __future__ import annotations

import httpx

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.transport.http import HEADERS, LARGEST_REPLY, SendFailed, Sending, reason

# httpx raises these before the first byte of a request is written.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class GivenTransport:
    """Calls the transport directly, without a client of httpx and the redirects, cookies and proxies that it adds."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(self, address: str, request: HttpRequest, sending: Sending) -> HttpReply:
        """Send *request* to *address* and return the answer; without a time-out, which is the caller's.

        Raises:
            SendFailed: No whole answer came.
        """
        # It need not report how far a request came.
        sending.left = True
        try:
            return await self._ask(address, request, sending)
        except _NEVER_LEFT as error:
            failure = SendFailed(f"cannot connect: {reason(error)}", left=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            failure = SendFailed(reason(error), left=True)
        # Outside of the except block, so that no library's error hangs on it as context.
        raise failure

    async def _ask(self, address: str, request: HttpRequest, sending: Sending) -> HttpReply:
        async def watch(event: str, info: object) -> None:
            if event == "http11.send_request_body.complete":
                sending.on_written()

        outgoing = httpx.Request(
            request.method,
            address + request.target,
            headers={**HEADERS, **request.headers},
            content=request.body,
            # httpx would write some characters of a URL in another way than they were signed.
            extensions={"trace": watch, "target": (_path(address) + request.target).encode("ascii")},
        )
        response = await self._transport.handle_async_request(outgoing)
        try:
            body = await _body(response)
        finally:
            await response.aclose()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        return HttpReply(response.status_code, headers, body)


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
