"""Serve one TCP connection: HTTP/1.1 requests to the wire protocol, until the client asks for a WebSocket.

h11 keeps the rules of HTTP; here is only what must be read, answered and limited. Whatever a client sends, the worst
that happens is that its own connection is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol

import h11

from exchange_core.clock import Clock, SystemClock
from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.simulator.faults.line import Sent
from exchange_core.simulator.faults.tally import Pace

log = logging.getLogger(__name__)

MAX_BODY = 1 << 20
"""Bytes of a request body; more is answered with 413."""

REQUEST_TIMEOUT = 30.0
"""Seconds in which a request that has begun must be complete; waiting for one to begin is not limited."""

PARTS = 5
"""Into how many parts what is slow goes in a second."""

_CHUNK = 1 << 16
_LINGER = 1.0
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_HOP_BY_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


class Upgrade(NamedTuple):
    """The client wants a WebSocket: its *request* as bytes, the bytes that came *after* it, and how fast it goes on."""

    request: bytes
    after: bytes
    pace: Pace


class _Refused(Exception):
    """A request that is answered with a status, after which the connection is closed."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Answerer(Protocol):
    """What stands behind a connection."""

    async def http(self, request: HttpRequest) -> Sent: ...
    def body_pace(self, method: str, target: str) -> int | None: ...
    async def handshake(self, path: str) -> Sent | Pace: ...


class HttpConnection:
    """Answers requests one after the other, however they arrive."""

    def __init__(
        self,
        protocol: Answerer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request_timeout: float = REQUEST_TIMEOUT,
        clock: Clock | None = None,
    ) -> None:
        """Args:
        clock: By which what is slow is slow.
        """
        self._clock = clock or SystemClock()
        self._protocol = protocol
        self._reader = reader
        self._writer = writer
        self._request_timeout = request_timeout
        self._http = h11.Connection(h11.SERVER)

    async def serve(self) -> Upgrade | None:
        """Answer until the connection ends (None), or until the client asks for another protocol."""
        try:
            while True:
                event = await self._event()
                if not isinstance(event, h11.Request):
                    return None
                if event.http_version not in (b"1.0", b"1.1"):
                    raise _Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here")
                headers = _joined(event.headers)
                if headers.get("upgrade", "").lower() == "websocket":
                    sent = await self._protocol.handshake(event.target.decode().partition("?")[0])
                    if isinstance(sent, Pace):
                        return Upgrade(_as_bytes(event), self._http.trailing_data[0], sent)
                    await self._deliver(sent, close=True)
                    return None
                target = event.target.decode()
                body = await self._body(event.method.decode(), target, int(headers.get("content-length", 0)))
                await self._answer(event.method.decode(), target, headers, body)
                if self._http.our_state is not h11.DONE:
                    return None
                self._http.start_next_cycle()
        except _Refused as refused:
            await self._refuse(refused.status, str(refused))
        except h11.RemoteProtocolError as error:
            await self._refuse(error.error_status_hint, f"{error}")
        return None

    async def _event(self) -> object:
        """Return h11's next event, reading as much as it needs."""
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[])
                self._writer.write(self._http.send(go_on) or b"")
            begun = self._http.their_state is not h11.IDLE or bool(self._http.trailing_data[0])
            try:
                async with asyncio.timeout(self._request_timeout if begun else None):
                    data = await self._reader.read(_CHUNK)
            except TimeoutError:
                raise _Refused(HTTPStatus.REQUEST_TIMEOUT, "the request did not end in time") from None
            self._http.receive_data(data)

    async def _body(self, method: str, target: str, announced: int) -> bytes:
        body, pace = bytearray(), self._protocol.body_pace(method, target)
        # A client that announces too much is told so before it sends any of it.
        while announced <= MAX_BODY and len(body) <= MAX_BODY:
            event = await self._event()
            if isinstance(event, h11.Data):
                body += event.data
                if pace is not None:
                    await self._clock.sleep(len(event.data) / pace)
            else:
                return bytes(body)
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body may have {MAX_BODY} bytes")

    async def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        asked = HttpRequest(method="GET" if method == "HEAD" else method, target=target, headers=headers, body=body)
        try:
            sent = await self._protocol.http(asked)
        except Exception:  # a protocol must not raise; if it does, only this request may suffer
            log.exception("the wire protocol failed on %r", asked)
            sent = Sent(
                HttpReply(HTTPStatus.INTERNAL_SERVER_ERROR, {"content-type": "text/plain"}, b"internal error\n")
            )
        await self._deliver(sent, with_body=method != "HEAD")

    async def _deliver(self, sent: Sent, *, with_body: bool = True, close: bool = False) -> None:
        """Send what there is; after less than a whole answer the connection is of no use any more."""
        if sent.reply is None:
            return
        if sent.is_cut:
            await self._send_half(sent.reply)
        else:
            await self._send(sent.reply, with_body=with_body, close=close, pace=sent.bytes_per_second)

    async def _send(
        self, reply: HttpReply, *, with_body: bool = True, close: bool = False, pace: int | None = None
    ) -> None:
        out = [self._http.send(_head(reply, close=close))]
        if with_body and reply.body:
            out.append(self._http.send(h11.Data(data=reply.body)))
        out.append(self._http.send(h11.EndOfMessage()))
        data = b"".join(part for part in out if part)
        size = len(data) if pace is None else max(1, pace // PARTS)
        for start in range(0, len(data), size):
            if pace is not None:
                await self._clock.sleep(size / pace)
            self._writer.write(data[start : start + size])
            await self._writer.drain()

    async def _send_half(self, reply: HttpReply) -> None:
        half = h11.Data(data=reply.body[: len(reply.body) // 2])
        self._writer.write((self._http.send(_head(reply)) or b"") + (self._http.send(half) or b""))
        await self._writer.drain()

    async def _refuse(self, status: int, detail: str) -> None:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        body = f"{detail}\n".encode()
        await self._send(HttpReply(status, {"content-type": "text/plain; charset=utf-8"}, body), close=True)
        await linger(self._reader, self._writer)


def _head(reply: HttpReply, *, close: bool = False) -> h11.Response:
    return _made_head(reply.status, tuple(reply.headers.items()), len(reply.body), close)


@lru_cache(maxsize=1024)  # most answers begin alike, and h11 looks at each letter of it
def _made_head(status: int, given: tuple[tuple[str, str], ...], length: int, close: bool) -> h11.Response:
    headers = [(name, value) for name, value in given if name.lower() not in _HOP_BY_HOP]
    headers.append(("content-length", str(length)))
    if close:
        headers.append(("connection", "close"))
    return h11.Response(status_code=status, reason=_REASONS.get(status, b""), headers=headers)


async def linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End our side and give the client a moment to end its own.

    Closing at once while the client still sends would reset the connection, and with it lose our last words.
    """
    with suppress(OSError, TimeoutError):
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(_LINGER):
            while await reader.read(_CHUNK):
                pass


def _as_bytes(request: h11.Request) -> bytes:
    lines = [b"%s %s HTTP/%s" % (request.method, request.target, request.http_version)]
    lines += [b"%s: %s" % pair for pair in request.headers.raw_items()]
    return b"\r\n".join([*lines, b"", b""])


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers with names in lower case; of one that comes twice, both values."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
