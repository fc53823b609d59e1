"""Connections to venues: aiohttp's, which cost a third of what httpx's cost, held to what a write needs.

aiohttp repeats a GET, PUT or DELETE on another connection when the first one breaks, and writes a URL anew; here a
request gets one connection, once, and leaves as it was signed or not at all.
"""

from __future__ import annotations

import asyncio
import re
import select
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, cast
from weakref import WeakKeyDictionary

from aiohttp import (
    BytesPayload,
    ClientError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.transport.http import HEADERS, LARGEST_REPLY, SendFailed, Sending, reason, tls_context

MOST_CONNECTIONS = 50
# A connection that the venue closes while a request is on its way leaves that request's outcome unknown, so idle
# connections are dropped before venues drop them.
IDLE_SECONDS = 15.0

# What aiohttp says of a connection that failed, also of one without TLS.
_TLS_NOTE = re.compile(r" ssl:(?:default|None|True|False|<[^>]*>)")
# What aiohttp would add of its own.
_ADDED = ("Accept", "Content-Type")

_sending: ContextVar[Sending] = ContextVar("_sending")


class ConnectionBroke(ClientError):
    """Raised where aiohttp begins to send a request again."""


class _Connector(TCPConnector):
    """Notes that a request may leave from the moment on at which it has its connection."""

    def __init__(self, idle_seconds: float) -> None:
        super().__init__(limit=MOST_CONNECTIONS, keepalive_timeout=idle_seconds, ssl=tls_context())
        self._looks: WeakKeyDictionary[Any, Callable[[], bool]] = WeakKeyDictionary()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 (the name that aiohttp has for it)
    ) -> Connection:
        sending = _sending.get()
        if sending.left:
            raise ConnectionBroke("no answer came")
        connection = await super().connect(req, traces, timeout)
        while (has_come := self._looks.get(connection.protocol)) is not None and _is_spent(connection, has_come):
            connection.close()
            connection = await super().connect(req, traces, timeout)
        if has_come is None:
            self._looks[connection.protocol] = _look(connection)
        # Nothing is awaited from here to the first byte.
        sending.left = True
        if not req.body:
            sending.on_written()
        return connection


class _Body(BytesPayload):
    """Tells when it was written; what goes before it was written by then."""

    def __init__(self, body: bytes, on_written: Callable[[], None]) -> None:
        super().__init__(body)
        self._on_written = on_written

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await super().write_with_length(writer, content_length)
        self._on_written()


class ConnectionPool:
    """Sends requests over connections that are kept for the next. Create it in the event loop that it is used in.

    Args:
        idle_seconds: For so long a connection is kept.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._session = ClientSession(
            connector=_Connector(idle_seconds),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(),
            trust_env=False,
        )

    async def exchange(self, address: str, request: HttpRequest, sending: Sending) -> HttpReply:
        """Send *request* to *address* and return the answer; without a time-out, which is the caller's.

        Raises:
            SendFailed: No whole answer came.
        """
        token = _sending.set(sending)
        try:
            return await self._ask(address, request, sending)
        except ClientResponseError as error:
            # Its text has the URL.
            failure = SendFailed(f"the answer is not HTTP: {error.message}", left=True)
        except (ClientError, OSError, ValueError) as error:
            failure = SendFailed(_TLS_NOTE.sub("", reason(error)), left=sending.left)
        except asyncio.CancelledError:
            # Closing a session cancels those who wait in it for a connection, who were not meant to end by that.
            task = asyncio.current_task()
            if sending.left or not self._session.closed or (task is not None and task.cancelling()):
                raise
            failure = SendFailed("the client was closed", left=False)
        finally:
            _sending.reset(token)
        # Outside of the except block, so that no library's error hangs on it as context.
        raise failure

    async def _ask(self, address: str, request: HttpRequest, sending: Sending) -> HttpReply:
        url = URL(address + request.target, encoded=True)
        if not url.raw_path_qs.endswith(request.target):
            raise ValueError("the path would not be sent as it was signed")
        body = _Body(request.body, sending.on_written) if request.body else None
        response = await self._session.request(
            request.method,
            url,
            headers={**HEADERS, **request.headers},
            skip_auto_headers=[name for name in _ADDED if name not in request.headers] or None,
            data=body,
            allow_redirects=False,
        )
        try:
            content = await _content(response)
        finally:
            if not response.closed:
                response.close()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.raw_headers}
        return HttpReply(response.status, headers, content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()


async def _content(response: ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > LARGEST_REPLY:
            raise ValueError(f"the answer is larger than {LARGEST_REPLY} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _is_spent(connection: Connection, has_come: Callable[[], bool]) -> bool:
    """Say whether a kept connection has come to its end, or brought what nobody had asked for."""
    assert connection.protocol is not None
    # What came would be taken for the answer to the next request; or came since the event loop looked for it.
    return connection.protocol.should_close or has_come()


def _look(connection: Connection) -> Callable[[], bool]:
    """Return what says whether anything, or the end, waits to be read from a connection."""
    assert connection.transport is not None
    socket = cast("Any", connection.transport.get_extra_info("socket"))
    if not hasattr(select, "poll"):
        return lambda: bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return lambda: bool(poll.poll(0))
