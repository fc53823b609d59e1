"""HTTP that answers as a test says: in process, or on a real socket that may also misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any, Self

import attrs
import httpx

from exchange_core.connector.rest import HttpReply, HttpRequest

Answer = HttpReply | Exception | Callable[[httpx.Request], HttpReply]


def answer(body: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> HttpReply:
    """Return a JSON answer; text and bytes are taken as they are."""
    if isinstance(body, str | bytes):
        return HttpReply(status, headers or {}, body.encode() if isinstance(body, str) else body)
    return HttpReply(status, {"content-type": "application/json", **(headers or {})}, json.dumps(body).encode())


class ScriptedHttp:
    """Gives one answer after the other, or raises it, and keeps the requests.

    Attributes:
        transport: What to pass as the ``http`` of a RestClient.
        requests: What was asked, in order.
    """

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if not self._answers:
            raise AssertionError(f"no answer left for {request.method} {request.url.path}")
        given = self._answers.pop(0)
        if isinstance(given, Exception):
            raise given
        reply = given if isinstance(given, HttpReply) else given(request)
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)


@attrs.frozen
class Hang:
    """Take the request and never answer."""


@attrs.frozen
class Reset:
    """Take the request and break the connection."""


@attrs.frozen
class Partial:
    """Begin the answer, then break the connection."""


Act = HttpReply | Hang | Reset | Partial


class LoopbackHttp:
    """A server on a free port of this machine. Use it as an async context manager.

    Args:
        acts: What to do with each request in order, or a function that decides; the last one is repeated.
        latency: Seconds until a request is seen. Let it vary, and requests on several connections overtake each other.

    Attributes:
        url: Where it listens, such as ``http://127.0.0.1:40123``.
        requests: What came, in order.
    """

    def __init__(
        self, acts: Iterable[Act] | Callable[[HttpRequest], Act], latency: Callable[[], float] | None = None
    ) -> None:
        self._acts = acts if callable(acts) else list(acts)
        self._latency = latency
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._arrived = asyncio.Event()
        self.url = ""
        self.requests: list[HttpRequest] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._clients.values():
            writer.transport.abort()
        if self._clients:
            await asyncio.wait(list(self._clients))
        await self._server.wait_closed()

    async def until_requests(self, count: int) -> None:
        """Wait until *count* requests have come, ten seconds at most."""
        async with asyncio.timeout(10):
            while len(self.requests) < count:
                self._arrived.clear()
                await self._arrived.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        try:
            while await self._serve_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()
            del self._clients[task]

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        if self._latency is not None:
            await asyncio.sleep(self._latency())
        self.requests.append(request)
        self._arrived.set()
        act = self._act(request)
        if isinstance(act, Hang):
            await reader.read()
            return False
        if isinstance(act, HttpReply):
            writer.write(_head(act, len(act.body)) + act.body)
            await writer.drain()
            return True
        if isinstance(act, Partial):
            writer.write(_head(answer({}), 1000) + b'{"half":')
            await writer.drain()
        writer.transport.abort()
        return False

    def _act(self, request: HttpRequest) -> Act:
        if not isinstance(self._acts, list):
            return self._acts(request)
        return self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]


async def _read(reader: asyncio.StreamReader) -> HttpRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return HttpRequest(method, target, headers, body)


def _head(reply: HttpReply, length: int) -> bytes:
    headers = {**reply.headers, "content-length": str(length)}
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
