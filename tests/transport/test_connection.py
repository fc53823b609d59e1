"""What FrameConnection hands on is what websockets would, however the bytes come."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from exchange_core.errors import ConfigError, ConnectFailed, RateLimited, VenueUnavailable
from exchange_core.testing.http import LoopbackHttp, answer
from exchange_core.testing.websocket import LoopbackSocket, Peer
from exchange_core.transport import connection as subject
from exchange_core.transport.connection import FrameConnection, open_connection
from exchange_core.transport.redaction import Redactor


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...


def opened(largest: int | None = None) -> tuple[FrameConnection, Wire, list[bytes]]:
    protocol = ClientProtocol(parse_uri("ws://venue.test/"), state=State.OPEN, max_size=largest)
    link, wire, messages = FrameConnection(protocol, ping_interval=None), Wire(), list[bytes]()
    link.connection_made(wire)
    link.response = Response(101, "", link.protocol.connect().headers)
    link.start(messages.append)
    return link, wire, messages


def in_a_loop(body: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await body()

    asyncio.run(run())


def frame(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


sizes = st.sampled_from([0, 1, 100, 125, 126, 127, 1000, 65535, 65536, 70000])
payloads = sizes.map(lambda size: b"x" * size)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes], int]:
    """Draw bytes from a server, the messages in them, and the number of pings."""
    wire, messages, pings = b"", [], 0
    for kind in draw(
        st.lists(st.sampled_from(["text", "text", "text", "binary", "parts", "ping", "pong"]), max_size=8)
    ):
        data = draw(payloads)
        if kind in ("ping", "pong"):
            wire += frame(Opcode.PING if kind == "ping" else Opcode.PONG, data[:125])
            pings += kind == "ping"
            continue
        if kind == "parts":
            more = draw(payloads)
            wire += frame(Opcode.TEXT, data, fin=False)
            if draw(st.booleans()):
                wire += frame(Opcode.PING, b"between")
                pings += 1
            wire += frame(Opcode.CONT, more)
            messages.append(data + more)
            continue
        wire += frame(Opcode.TEXT if kind == "text" else Opcode.BINARY, data)
        messages.append(data)
    return wire, messages, pings


@given(streams(), st.lists(st.integers(1, 40_000), max_size=20))
def test_messages_come_whole_and_in_order(stream: tuple[bytes, list[bytes], int], cuts: list[int]) -> None:
    wire, expected, pings = stream

    async def body() -> None:
        link, out, messages = opened()
        rest = wire
        for cut in cuts:
            if rest[:cut]:
                link.data_received(rest[:cut])
            rest = rest[cut:]
        if rest:
            link.data_received(rest)
        assert messages == expected
        assert (out.written.count(b"\x8a") > 0) == (pings > 0)
        assert link.protocol.state is State.OPEN

    in_a_loop(body)


@given(st.lists(st.sampled_from([b"", b"a", b"b" * 126]), max_size=5))
def test_messages_come_whole_byte_by_byte(parts: list[bytes]) -> None:
    async def body() -> None:
        link, _, messages = opened()
        for byte in b"".join(frame(Opcode.TEXT, part) for part in parts):
            link.data_received(bytes([byte]))
        assert messages == parts

    in_a_loop(body)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        pytest.param(b"\x81\x85\0\0\0\0hello", 1002, id="masked"),
        pytest.param(b"\xc1\x05hello", 1002, id="reserved bit"),
        pytest.param(b"\x83\x05hello", 1002, id="unknown opcode"),
        pytest.param(b"\x80\x05hello", 1002, id="continues nothing"),
        pytest.param(b"\x01\x01a\x81\x01b", 1002, id="text within a message of parts"),
        pytest.param(b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 1009, id="larger than memory"),
        pytest.param(b"\x81\x7f\0\0\0\0\x02\0\0\0", 1009, id="larger than allowed"),
    ],
)
async def test_what_breaks_the_protocol_ends_the_connection(wrong: bytes, code: int) -> None:
    link, _, messages = opened(largest=subject.LARGEST_MESSAGE)
    link.data_received(frame(Opcode.TEXT, b"good") + wrong + frame(Opcode.TEXT, b"never"))
    assert messages == [b"good"]
    assert link.protocol.state is not State.OPEN
    assert link.protocol.close_sent is not None
    assert link.protocol.close_sent.code == code


async def test_nothing_is_handed_on_after_the_goodbye() -> None:
    link, wire, messages = opened()
    link.data_received(frame(Opcode.TEXT, b"a") + frame(Opcode.CLOSE, b"\x03\xe9") + frame(Opcode.TEXT, b"b"))
    link.data_received(frame(Opcode.TEXT, b"c"))
    assert messages == [b"a"]
    assert b"\x88" in wire.written


async def test_the_reason_of_the_venue_is_told() -> None:
    link, _, _ = opened()
    link.data_received(frame(Opcode.CLOSE, b"\x03\xe9CloudFlare WebSocket proxy restarting"))
    link.connection_lost(None)
    assert await link.over == "the venue closed the connection: 1001 CloudFlare WebSocket proxy restarting"


async def test_a_connection_lost_within_a_frame_is_told() -> None:
    link, _, messages = opened()
    link.data_received(frame(Opcode.TEXT, b"a" * 50)[:20])
    link.eof_received()
    link.connection_lost(None)
    assert messages == []
    assert "lost" in str(await link.over)


async def test_messages_that_come_before_the_start_are_kept() -> None:
    """A venue speaks first; its frames may come in one packet with the answer to the handshake."""
    protocol = ClientProtocol(parse_uri("ws://venue.test/"), state=State.OPEN)
    link, messages = FrameConnection(protocol, ping_interval=None), list[bytes]()
    link.connection_made(Wire())
    link.response = Response(101, "", link.protocol.connect().headers)
    link.data_received(frame(Opcode.TEXT, b"status") + frame(Opcode.TEXT, b"second"))
    link.start(messages.append)
    link.data_received(frame(Opcode.TEXT, b"third"))
    assert messages == [b"status", b"second", b"third"]


async def test_frames_in_one_packet_with_the_handshake_are_not_lost() -> None:
    async def greet(peer: Peer) -> None:
        await peer.send("status", "a" * 70_000)
        await peer.until_gone()

    async with LoopbackSocket(greet) as server:
        link = await open_connection(server.url, "testex", Redactor())
        messages: asyncio.Queue[bytes] = asyncio.Queue()
        link.start(messages.put_nowait)
        async with asyncio.timeout(5):
            assert [await messages.get(), await messages.get()] == [b"status", b"a" * 70_000]
        await link.hang_up(politely=True)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, ConnectFailed), (404, ConnectFailed), (503, VenueUnavailable), (302, ConnectFailed)]
)
async def test_a_refused_handshake_says_what_came(status: int, kind: type[Exception]) -> None:
    async with LoopbackHttp([answer("<html>", status, {"location": "/x"})]) as server:
        with pytest.raises(kind, match=f"testex: .* HTTP {status} instead of opening a WebSocket"):
            await open_connection(server.url.replace("http", "ws"), "testex", Redactor())
        assert len(server.requests) == 1


async def test_too_many_connections_say_how_long_to_wait() -> None:
    async with LoopbackHttp([answer("slow down", 429, {"Retry-After": "17"})]) as server:
        with pytest.raises(RateLimited) as caught:
            await open_connection(server.url.replace("http", "ws"), "testex", Redactor())
    assert caught.value.retry_after == 17


@pytest.mark.parametrize("address", ["http://venue.test", "wss://", "venue"])
async def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="is no WebSocket address; expected wss://host/path"):
        await open_connection(address, "testex", Redactor())


@given(st.lists(sizes.map(lambda size: "é" * (size // 2) + "x" * (size % 2)), max_size=4))
def test_what_is_written_is_what_a_server_reads(texts: list[str]) -> None:
    async def body() -> None:
        link, wire, _ = opened()
        for text in texts:
            link.write(text)
        server = ServerProtocol(state=State.OPEN)
        server.receive_data(wire.written)
        read = [event for event in server.events_received() if isinstance(event, Frame)]
        assert [bytes(event.data).decode() for event in read] == texts
        assert {event.opcode for event in read} <= {Opcode.TEXT}
        assert server.state is State.OPEN

    in_a_loop(body)
