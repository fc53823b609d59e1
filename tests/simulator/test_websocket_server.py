import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from random import Random

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from exchange_core.connector.simulation import SimRequest, SimulatorSpec
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.makers.opening import market_makers
from exchange_core.simulator.serving.server import SimulatorServer
from exchange_core.simulator.serving.websocket import MAX_MESSAGE
from exchange_core.testing.clock import ManualClock
from tests.simulator.conftest import SPOT, Protocol

WITHIN = 5.0
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nhost: here\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def exchange(spec: SimulatorSpec, clock: ManualClock) -> SimulatedExchange:
    exchange = SimulatedExchange(spec, seed=1, clock=clock)
    exchange.add_account("alice", {"BTC": Decimal(10), "USD": Decimal(10_000)})
    return exchange


@pytest.fixture
def protocol(exchange: SimulatedExchange) -> Protocol:
    return Protocol(exchange)


@pytest.fixture
async def server(protocol: Protocol, exchange: SimulatedExchange) -> AsyncIterator[SimulatorServer]:
    async with SimulatorServer(protocol, exchange, max_unsent=1 << 20) as server:
        yield server


@pytest.fixture
async def client(server: SimulatorServer) -> AsyncIterator[ClientConnection]:
    async with connect(server.urls["ws_url"]) as client:
        assert await client.recv() == "hello"
        yield client


def place(exchange: SimulatedExchange, price: str = "99") -> None:
    exchange.place(
        "alice",
        SimRequest(symbol=SPOT, side=Side.BUY, type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(price)),
    )


async def ended(protocol: Protocol, count: int = 1) -> None:
    """Wait until *count* sessions were told that their client is gone."""
    async with asyncio.timeout(WITHIN):
        while protocol.log.count("closed") < count:
            protocol.gone.clear()
            await protocol.gone.wait()


async def still_serves(server: SimulatorServer) -> None:
    async with connect(server.urls["ws_url"]) as client:
        assert await client.recv() == "hello"


async def test_text_goes_in_and_out(client: ClientConnection) -> None:
    await client.send("hi there, \u20ac")
    assert await client.recv() == "HI THERE, \u20ac"


async def test_compression_is_not_offered(client: ClientConnection) -> None:
    assert not client.protocol.extensions


async def test_fragments_are_put_together_even_with_a_ping_in_between(client: ClientConnection) -> None:
    async def pieces() -> AsyncIterator[str]:
        yield "one "
        await (await client.ping())
        yield "two "
        yield "three"

    await client.send(pieces())
    assert await client.recv() == "ONE TWO THREE"


async def test_a_ping_is_answered(client: ClientConnection) -> None:
    async with asyncio.timeout(WITHIN):
        await (await client.ping())


async def test_an_event_of_the_exchange_reaches_every_session(
    server: SimulatorServer, exchange: SimulatedExchange
) -> None:
    clients = [await connect(server.urls["ws_url"]) for _ in range(10)]
    for client in clients:
        assert await client.recv() == "hello"
    place(exchange)
    async with asyncio.timeout(WITHIN):
        for client in clients:
            assert [await client.recv() for _ in range(3)] == ["OrderChanged", "OrderChanged", "BookChanged"]
            await client.close()


async def test_frames_right_behind_the_handshake_are_read(server: SimulatorServer) -> None:
    """The frame is masked with zeros: text, 2 bytes."""
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(HANDSHAKE + b"\x81\x82\x00\x00\x00\x00hi")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(7) == b"\x81\x05hello"
        assert await reader.readexactly(4) == b"\x81\x02HI"
        writer.close()
        await writer.wait_closed()


async def test_what_came_before_a_goodbye_counts(server: SimulatorServer, protocol: Protocol) -> None:
    """An order and a close frame in one packet: the order was sent, so it must be placed."""
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(HANDSHAKE + b"\x81\x82\x00\x00\x00\x00hi" + b"\x88\x80\x00\x00\x00\x00")
        assert (await reader.read()).endswith(b"\x81\x05hello\x88\x00")
        writer.close()
        await writer.wait_closed()
    await ended(protocol)
    assert protocol.log == ["opened", "received hi", "closed"]


async def test_a_connection_that_served_http_can_become_a_websocket(server: SimulatorServer) -> None:
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET /echo HTTP/1.1\r\nhost: here\r\n\r\n" + HANDSHAKE)
        assert b"200" in await reader.readuntil(b"}")
        assert b"101 Switching Protocols" in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(7) == b"\x81\x05hello"
        writer.close()
        await writer.wait_closed()


async def test_an_unknown_path_is_404(server: SimulatorServer) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(server.urls["ws_url"] + "/elsewhere")
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize(
    ("handshake", "status"),
    [
        pytest.param(HANDSHAKE.replace(b"sec-websocket-key", b"x-key"), b"400", id="no key"),
        pytest.param(HANDSHAKE.replace(b"version: 13", b"version: 7"), b"400", id="old version"),
        pytest.param(HANDSHAKE.replace(b"GET", b"POST"), b"405", id="method"),
        pytest.param(HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0"), b"505", id="HTTP/1.0"),
        pytest.param(HANDSHAKE.replace(b"connection: Upgrade\r\n", b""), b"426", id="no connection header"),
    ],
)
async def test_a_wrong_handshake_is_refused(
    server: SimulatorServer, protocol: Protocol, handshake: bytes, status: bytes
) -> None:
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(handshake)
        assert (await reader.read()).startswith(b"HTTP/1.1 " + status)
        writer.close()
        await writer.wait_closed()
    assert not protocol.log
    await still_serves(server)


async def test_a_client_that_says_goodbye_is_answered_and_its_session_ends_once(
    client: ClientConnection, protocol: Protocol, exchange: SimulatedExchange
) -> None:
    await client.close(1000, "bye")
    assert (client.close_code, client.close_reason) == (1000, "bye")
    await ended(protocol)
    place(exchange)
    assert protocol.log == ["opened", "closed"]


async def test_a_client_that_vanishes_ends_its_session(client: ClientConnection, protocol: Protocol) -> None:
    client.transport.abort()
    await ended(protocol)


async def test_a_client_that_ends_its_side_without_a_word_ends_its_session(
    server: SimulatorServer, protocol: Protocol
) -> None:
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(HANDSHAKE)
        writer.write_eof()
        assert b"hello" in await reader.read()
        writer.close()
        await writer.wait_closed()
    await ended(protocol)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(b"\x81\x02hi", 1002, id="not masked"),
        pytest.param(b"\xf1\x82\x00\x00\x00\x00hi", 1002, id="reserved bits"),
        pytest.param(b"\x83\x80\x00\x00\x00\x00", 1002, id="reserved opcode"),
        pytest.param(b"\x80\x80\x00\x00\x00\x00", 1002, id="continuation of nothing"),
        pytest.param(b"\x09\x80\x00\x00\x00\x00", 1002, id="fragmented ping"),
        pytest.param(b"\x82\x82\x00\x00\x00\x00hi", 1003, id="binary"),
        pytest.param(b"\x81\x82\x00\x00\x00\x00\xff\xff", 1007, id="not UTF-8"),
        pytest.param(b"\x81\xff" + (MAX_MESSAGE + 1).to_bytes(8, "big") + b"\x00\x00\x00\x00", 1009, id="too large"),
        pytest.param(b"\x81\x84\x00\x00\x00\x00fail", 1011, id="a bug in the session"),
    ],
)
async def test_a_bad_frame_ends_its_own_connection(
    server: SimulatorServer, client: ClientConnection, protocol: Protocol, frame: bytes, code: int
) -> None:
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"hello")
        writer.write(frame)
        goodbye = await reader.read()
        assert goodbye[0] == 0x88
        assert int.from_bytes(goodbye[2:4], "big") == code
        writer.close()
        await writer.wait_closed()
    await ended(protocol)
    await client.send("hi")
    assert await client.recv() == "HI"


async def test_no_garbage_stops_the_server(
    server: SimulatorServer, protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    """Frames with random first bytes and lengths, and what follows them; each client then ends its side."""
    random = Random(1)
    async with asyncio.timeout(2 * WITHIN):
        for _ in range(200):
            reader, writer = await asyncio.open_connection(server.host, server.port)
            first = random.choice([0x81, 0x01, 0x00, 0x80, 0x82, 0x88, 0x89, 0x8A, random.randrange(256)])
            writer.write(HANDSHAKE + bytes([first, random.randrange(256)]) + random.randbytes(random.randint(0, 150)))
            writer.write_eof()
            assert b"hello" in await reader.read()
            writer.close()
            await writer.wait_closed()
    await ended(protocol, 200)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    await still_serves(server)


async def test_fragments_together_may_not_be_larger_than_a_message(client: ClientConnection) -> None:
    half = "x" * (MAX_MESSAGE // 2 + 1)
    await client.send([half, half])
    with pytest.raises(ConnectionClosed) as caught:
        await client.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009


async def test_a_client_that_does_not_read_is_dropped_and_others_are_not_disturbed(
    server: SimulatorServer, client: ClientConnection, protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    """More is sent than the kernel takes; what waits above a megabyte ends the connection."""
    async with asyncio.timeout(WITHIN):
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.transport.pause_reading()
        text = b"flood 500"
        writer.write(HANDSHAKE + bytes([0x81, 0x80 + len(text), 0, 0, 0, 0]) + text)
        await ended(protocol)
        await client.send("hi")
        assert await client.recv() == "HI"
        writer.transport.abort()
    assert "does not read" in caplog.text


async def test_sessions_are_ticked_five_times_a_second(
    client: ClientConnection, clock: ManualClock, protocol: Protocol
) -> None:
    await clock.until_asleep(2)
    await clock.advance(1.0)
    assert protocol.log.count("tick") == 5


async def test_the_makers_step_at_their_interval(
    protocol: Protocol, exchange: SimulatedExchange, clock: ManualClock
) -> None:
    makers = market_makers(exchange, seed=1)
    async with SimulatorServer(protocol, exchange, makers, step_interval=0.5):
        await clock.until_asleep(2)
        before = exchange.book(SPOT)
        assert before[0]
        await clock.advance(2)
        assert exchange.book(SPOT) != before
    exchange.check_invariants()


async def test_a_maker_that_fails_is_not_passed_over(
    protocol: Protocol, exchange: SimulatedExchange, clock: ManualClock
) -> None:
    class Broken:
        def step(self, now: datetime) -> None:
            raise RuntimeError("a bug in the maker")

    with pytest.raises(RuntimeError, match="a bug in the maker"):
        async with asyncio.timeout(WITHIN), SimulatorServer(protocol, exchange, [Broken()]):
            await asyncio.Event().wait()


async def test_what_goes_wrong_inside_comes_out_as_it_is(protocol: Protocol, exchange: SimulatedExchange) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with SimulatorServer(protocol, exchange):
            raise KeyError("mine")


async def test_an_end_while_a_client_is_being_closed_is_quiet_too(
    exchange: SimulatedExchange, protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    """The server ends at every possible moment of a client's own goodbye."""
    for turns in range(12):
        async with SimulatorServer(protocol, exchange) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(HANDSHAKE)
            await reader.readuntil(b"hello")
            writer.write(b"\x88\x80\x00\x00\x00\x00")
            writer.close()
            for _ in range(turns):
                await asyncio.sleep(0)
        await ended(protocol, turns + 1)
    assert not caplog.records


async def test_the_end_says_goodbye_and_leaves_nothing(
    exchange: SimulatedExchange, protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    async with SimulatorServer(protocol, exchange) as server:
        talking = await connect(server.urls["ws_url"])
        silent, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(HANDSHAKE)
        await silent.readuntil(b"hello")
    assert protocol.log.count("closed") == 2
    await asyncio.wait_for(talking.wait_closed(), WITHIN)
    assert talking.close_code == 1001
    writer.close()
    ours = ("SimulatorServer", "Listener")
    assert not [task for task in asyncio.all_tasks() if any(name in repr(task) for name in ours)]
    assert not caplog.records
    place(exchange)
