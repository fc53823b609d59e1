"""What aiohttp must not do to a request, and what it must let us know of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.testing.http import Act, Hang, LoopbackHttp, Partial, Reset, answer
from exchange_core.transport.http import HttpSender, SendFailed, Sending
from exchange_core.transport.http_pool import MOST_CONNECTIONS, ConnectionPool

pytestmark = pytest.mark.usefixtures("watched")

OK = answer("ok")
METHODS = ("GET", "PUT", "DELETE", "POST")
SECRET = "sig/nature+of-nobody-0003"


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    sender = HttpSender()
    yield sender
    await sender.aclose()


def request_(method: str = "POST", target: str = "/order", body: bytes = b"a=1") -> HttpRequest:
    return HttpRequest(method, target, {"API-Sign": SECRET}, body if method == "POST" else b"")


@asynccontextmanager
async def raw_server(handle: Callable[[bytes], bytes]) -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """Serve what *handle* makes of the head of each request; nothing stops it from not being HTTP."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                writer.write(handle(await reader.readuntil(b"\r\n\r\n")))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", writers
    finally:
        server.close()
        await server.wait_closed()


# Sent once.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
async def test_what_a_server_read_and_did_not_answer_is_not_sent_again(
    sender: HttpSender, method: str, kept: bool
) -> None:
    """aiohttp on its own sends a GET, PUT or DELETE a second time."""
    acts: list[Act] = [OK, Reset(), OK] if kept else [Reset(), OK]
    async with LoopbackHttp(acts) as server:
        if kept:
            await sender.send(server.url, request_(), within=5)
        with pytest.raises(SendFailed) as caught:
            await sender.send(server.url, request_(method), within=5)
        assert len(server.requests) == 1 + kept
    assert caught.value.left


@pytest.mark.parametrize("method", METHODS)
async def test_a_server_that_closes_in_order_got_it_too(sender: HttpSender, method: str) -> None:
    """As a load balancer does: it reads the request and ends the connection without a reset."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if method == "POST":
            await reader.readexactly(3)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(SendFailed) as caught:
            await sender.send(url, request_(method), within=5)
    assert len(heads) == 1
    assert caught.value.left


async def test_a_redirect_is_an_answer(sender: HttpSender) -> None:
    async with LoopbackHttp([HttpReply(307, {"location": "/elsewhere"}, b""), OK]) as server:
        assert (await sender.send(server.url, request_(), within=5)).status == 307
        assert len(server.requests) == 1


# Sent as it was signed.


@pytest.mark.parametrize(
    "target", ["/a?b=%7e%7E&c=x%20y&d=1+2&e=a|b'c", "/a/%2F/b", "/a//b?c", "/a/../b", "/a?x=1&x=2;y", "/0/private/A"]
)
async def test_a_target_is_sent_character_for_character(sender: HttpSender, target: str) -> None:
    async with LoopbackHttp([OK]) as server:
        await sender.send(f"{server.url}/base", request_(target=target), within=5)
        assert server.requests[0].target == f"/base{target}"


@pytest.mark.parametrize("target", ["/a?", "/a#b"])
async def test_a_target_that_would_be_written_anew_is_not_sent(sender: HttpSender, target: str) -> None:
    async with LoopbackHttp([OK]) as server:
        with pytest.raises(SendFailed, match="not be sent as it was signed") as caught:
            await sender.send(server.url, request_(target=target), within=5)
        assert not server.requests
    assert not caught.value.left


@pytest.mark.parametrize(
    ("method", "added"), [("GET", set()), ("DELETE", {"content-length"}), ("POST", {"content-length"})]
)
async def test_nothing_is_added_but_what_http_needs(sender: HttpSender, method: str, added: set[str]) -> None:
    async with LoopbackHttp([OK]) as server:
        await sender.send(server.url, request_(method), within=5)
        names = set(server.requests[0].headers)
    assert names == {"host", "user-agent", "accept-encoding", "api-sign"} | added


async def test_a_large_body_arrives_whole(sender: HttpSender) -> None:
    body = bytes(range(256)) * 4096
    async with LoopbackHttp([OK]) as server:
        await sender.send(server.url, request_(body=body), within=5)
        assert server.requests[0].body == body


async def test_cookies_are_not_kept(sender: HttpSender) -> None:
    async with LoopbackHttp([answer("ok", headers={"set-cookie": "session=1; Path=/"})]) as server:
        for _ in range(2):
            await sender.send(server.url, request_(), within=5)
        assert not any("cookie" in request.headers for request in server.requests)


# Kept connections.


async def test_a_connection_that_was_closed_a_moment_ago_is_not_used(sender: HttpSender) -> None:
    """The end has come, and the event loop had no occasion to see it."""
    async with LoopbackHttp([OK]) as server:
        await sender.send(server.url, request_(), within=5)
        for writer in server._clients.values():
            writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
        assert (await sender.send(server.url, request_(), within=5)).body == b"ok"


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next(sender: HttpSender) -> None:
    """A proxy's notice that it is about to close, say."""
    asked = iter(range(9))

    def handle(head: bytes) -> bytes:
        body = b"answer %d" % next(asked)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async with raw_server(handle) as (url, writers):
        assert (await sender.send(url, request_("GET"), within=5)).body == b"answer 0"
        writers[0].write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await writers[0].drain()
        for _ in range(5):
            await asyncio.sleep(0)
        assert (await sender.send(url, request_("GET"), within=5)).body == b"answer 1"
        assert len(writers) == 2


@pytest.mark.parametrize(("idle", "connections"), [(15.0, 1), (1e-6, 3)])
async def test_a_connection_is_kept_for_so_long_and_no_longer(idle: float, connections: int) -> None:
    pool = ConnectionPool(idle)
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    async with raw_server(lambda head: reply) as (url, writers):
        for _ in range(3):
            await pool.exchange(url, request_("GET"), Sending(lambda: None))
        assert len(writers) == connections
        await pool.aclose()


# What is known of it afterwards.


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://nobody." + "a" * 64 + ".test", "http://127.0.0.1:999999"]
)
async def test_what_found_no_connection_has_not_left(sender: HttpSender, address: str) -> None:
    with pytest.raises(SendFailed) as caught:
        await sender.send(address, request_(), within=5)
    assert not caught.value.left


@pytest.mark.parametrize("reply", [b"NOT HTTP AT ALL\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n"])
async def test_an_answer_that_is_not_http_says_nothing_of_the_request(sender: HttpSender, reply: bytes) -> None:
    async with raw_server(lambda head: reply) as (url, _):
        with pytest.raises(SendFailed) as caught:
            await sender.send(url, request_("GET", "/order?token=secret"), within=5)
    assert caught.value.left
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("act", [Hang(), Reset(), Partial()], ids=["hangs", "resets", "breaks off"])
async def test_an_error_shows_no_header_and_hangs_on_nothing(sender: HttpSender, act: Act) -> None:
    async with LoopbackHttp([act]) as server:
        with pytest.raises(SendFailed) as caught:
            await sender.send(server.url, request_(), within=0.2)
    assert caught.value.left
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert SECRET not in str(caught.value)


async def test_who_waits_for_a_connection_while_the_pool_is_closed_has_sent_nothing(sender: HttpSender) -> None:
    async with LoopbackHttp([Hang()]) as server:
        tasks = [
            asyncio.create_task(sender.send(server.url, request_(), within=5)) for _ in range(MOST_CONNECTIONS + 1)
        ]
        await server.until_requests(MOST_CONNECTIONS)
        await sender.aclose()
        await asyncio.wait(tasks)
    errors = [task.exception() for task in tasks]
    assert all(isinstance(error, SendFailed) for error in errors)
    assert [error.left for error in errors if isinstance(error, SendFailed)].count(False) == 1


@pytest.mark.parametrize("method", METHODS)
async def test_one_is_told_when_it_was_written(sender: HttpSender, method: str) -> None:
    """Before the answer, and once."""
    told = asyncio.Event()
    times = 0

    def on_written() -> None:
        nonlocal times
        times += 1
        told.set()

    async with LoopbackHttp([Hang()]) as server:
        task = asyncio.create_task(sender.send(server.url, request_(method), within=5, on_written=on_written))
        async with asyncio.timeout(5):
            await told.wait()
        await server.until_requests(1)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])
    assert times == 1


async def test_of_an_address_without_tls_no_tls_is_said(sender: HttpSender) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(SendFailed, match=r"127\.0\.0\.1") as caught:
            await sender.send(address, request_(), within=5)
    assert "ssl" not in str(caught.value)
