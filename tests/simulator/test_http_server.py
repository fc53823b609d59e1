import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from random import Random

import httpx
import pytest

from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.serving.http import MAX_BODY
from exchange_core.simulator.serving.server import SimulatorServer
from exchange_core.testing.clock import ManualClock
from tests.simulator.conftest import SPOT, Protocol

WITHIN = 5.0


@pytest.fixture
def exchange(spec: SimulatorSpec) -> SimulatedExchange:
    exchange = SimulatedExchange(spec, seed=1, clock=ManualClock())
    for number in range(20):
        exchange.add_account(f"user{number}", {"BTC": Decimal(10), "USD": Decimal(10_000)})
    return exchange


@pytest.fixture
async def server(exchange: SimulatedExchange) -> AsyncIterator[SimulatorServer]:
    async with SimulatorServer(Protocol(exchange), exchange, request_timeout=0.2) as server:
        yield server


async def talk(server: SimulatorServer, *pieces: bytes, end: bool = False) -> bytes:
    """Send *pieces* one by one, then (with *end*) end our side; return all that comes until the server ends its own."""
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if end:
                writer.write_eof()
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


def get(target: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "host: here", *headers, "", ""]).encode()


LAST = "connection: close"


async def still_serves(server: SimulatorServer) -> None:
    assert (await talk(server, get("/echo", LAST))).startswith(b"HTTP/1.1 200")


async def test_the_address_is_in_the_urls(server: SimulatorServer) -> None:
    assert server.port
    assert server.urls["rest_url"] == f"http://127.0.0.1:{server.port}"


async def test_an_answer_has_a_status_line_as_others_write_it(server: SimulatorServer) -> None:
    assert (await talk(server, get("/echo", LAST))).startswith(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")


async def test_one_connection_serves_many_requests(server: SimulatorServer) -> None:
    async with httpx.AsyncClient(base_url=server.urls["rest_url"]) as client:
        for number in range(3):
            reply = await client.post("/echo", params={"n": number}, content=b"x" * number)
            assert reply.json() == {"method": "POST", "target": f"/echo?n={number}", "body": number}


async def test_pipelined_requests_are_answered_in_their_order(server: SimulatorServer) -> None:
    answer = await talk(server, get("/echo?1") + get("/echo?2") + get("/echo?3", LAST))
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.index(b"echo?1") < answer.index(b"echo?2") < answer.index(b"echo?3")


async def test_a_request_may_come_in_single_bytes(server: SimulatorServer) -> None:
    request = get("/echo", LAST)
    answer = await talk(server, *(request[i : i + 1] for i in range(len(request))))
    assert b'"target": "/echo"' in answer


async def test_a_body_may_come_in_chunks(server: SimulatorServer) -> None:
    head = get("/echo", "transfer-encoding: chunked", LAST, method="POST")
    answer = await talk(server, head, b"3\r\nabc\r\n", b"2;name=value\r\nde\r\n", b"0\r\ntrailer: x\r\n\r\n")
    assert b'"body": 5' in answer


async def test_a_client_that_waits_for_leave_to_send_gets_it(server: SimulatorServer) -> None:
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(get("/echo", "expect: 100-continue", "content-length: 3", LAST, method="POST"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 \r\n\r\n"
        writer.write(b"abc")
        assert b'"body": 3' in await reader.read()
        writer.close()
        await writer.wait_closed()


async def test_head_is_answered_like_get_but_without_the_body(server: SimulatorServer) -> None:
    answer = await talk(server, get("/echo", method="HEAD") + get("/echo", LAST))
    first, second = answer.split(b"HTTP/1.1 200 OK")[1:]
    assert first.endswith(b"\r\n\r\n")
    assert b"content-length: 47" in first
    assert second.endswith(b"}")


async def test_a_client_that_has_ended_its_side_still_gets_all_answers(server: SimulatorServer) -> None:
    answer = await talk(server, get("/echo?1") + get("/echo?2"), end=True)
    assert answer.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="TLS"),
        pytest.param(b"nonsense\r\n\r\n", 400, id="one word"),
        pytest.param(b"GET / HTTP/9.9\r\nhost: x\r\n\r\n", 505, id="version"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n", 400, id="header without colon"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\na: b\x00c\r\n\r\n", 400, id="zero byte in a header"),
        pytest.param(b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", 400, id="target not ASCII"),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400, id="negative length"),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 400, id="lengths"
        ),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 501, id="unknown coding"),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400, id="bad chunk"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 100_000, 431, id="endless header"),
    ],
)
async def test_what_is_not_http_is_answered_with_a_status_and_an_end(
    server: SimulatorServer, request_: bytes, status: int
) -> None:
    answer = await talk(server, request_)
    assert answer.startswith(f"HTTP/1.1 {status}".encode())
    assert b"connection: close" in answer
    await still_serves(server)


async def test_a_body_that_is_announced_as_too_large_is_not_waited_for(server: SimulatorServer) -> None:
    answer = await talk(server, get("/echo", "expect: 100-continue", f"content-length: {MAX_BODY + 1}", method="POST"))
    assert answer.startswith(b"HTTP/1.1 413")
    await still_serves(server)


async def test_a_body_that_grows_too_large_is_cut_off(server: SimulatorServer) -> None:
    """The client is still sending when the answer comes, and gets to read it."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = get("/echo", "transfer-encoding: chunked", method="POST")
    answer = await talk(server, head, *[chunk] * (MAX_BODY // 0x10000 + 2))
    assert answer.startswith(b"HTTP/1.1 413")
    await still_serves(server)


async def test_the_largest_body_is_taken(server: SimulatorServer) -> None:
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{server.urls['rest_url']}/echo", content=b"x" * MAX_BODY)
        assert reply.json()["body"] == MAX_BODY


async def test_no_damage_to_a_request_stops_the_server(
    server: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes are changed, lost and doubled at random places; each client then ends its side."""
    random = Random(1)
    whole = get("/echo", "content-length: 3", method="POST") + b"abc" + get("/echo", "upgrade: websocket")
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(damaged))
            damaged[at : at + random.randint(0, 2)] = random.randbytes(random.randint(0, 2))
        await talk(server, bytes(damaged), end=True)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    await still_serves(server)


@pytest.mark.parametrize("begun", [b"GET /ec", get("/echo", "content-length: 5") + b"abc"], ids=["head", "body"])
async def test_a_request_that_never_ends_is_given_up(server: SimulatorServer, begun: bytes) -> None:
    assert (await talk(server, begun)).startswith(b"HTTP/1.1 408")
    await still_serves(server)


async def test_a_client_that_vanishes_disturbs_nobody(server: SimulatorServer) -> None:
    for begun in (b"", b"GET /ec", get("/echo", "content-length: 5") + b"abc", get("/echo")):
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(begun)
        writer.transport.abort()
    await still_serves(server)


async def test_a_bug_in_the_protocol_costs_one_request(
    server: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with httpx.AsyncClient(base_url=server.urls["rest_url"]) as client:
        assert (await client.get("/fail?api_secret=hidden")).status_code == 500
        assert (await client.get("/echo")).status_code == 200
    assert "a bug in the protocol" in caplog.text
    assert "hidden" not in caplog.text


async def test_an_upgrade_to_something_else_is_ignored(server: SimulatorServer) -> None:
    answer = await talk(server, get("/echo", "upgrade: h2c", "connection: upgrade, close"))
    assert answer.startswith(b"HTTP/1.1 200")


async def test_many_clients_at_once_lose_nothing(server: SimulatorServer, exchange: SimulatedExchange) -> None:
    """Twenty clients with twenty orders each, half of them buying from the other half."""

    async def client_of(number: int) -> None:
        order = {"account": f"user{number}", "side": ("buy", "sell")[number % 2], "quantity": "0.1", "price": "100"}
        async with httpx.AsyncClient(base_url=server.urls["rest_url"]) as client:
            for _ in range(20):
                assert (await client.get("/order", params=order)).status_code == 200

    await asyncio.gather(*(client_of(number) for number in range(20)))
    assert sum(trade.quantity for trade in exchange.trades(SPOT)) == 20
    assert exchange.book(SPOT) == ([], [])
    exchange.check_invariants()


async def test_the_end_waits_for_nobody_and_leaves_nothing(
    exchange: SimulatedExchange, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    async with SimulatorServer(Protocol(exchange), exchange) as server:
        idle, begun = [await asyncio.open_connection(server.host, server.port) for _ in range(2)]
        idle[1].write(get("/echo"))
        assert json.loads((await idle[0].readuntil(b"}")).partition(b"\r\n\r\n")[2])["target"] == "/echo"
        begun[1].write(b"GET /ec")
        await begun[1].drain()
    assert await asyncio.wait_for(idle[0].read(), WITHIN) == b""
    assert asyncio.all_tasks() == before
    assert not caplog.records
    for _, writer in (idle, begun):
        writer.close()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(server.host, server.port)


async def test_a_taken_port_is_refused(server: SimulatorServer, exchange: SimulatedExchange) -> None:
    with pytest.raises(OSError, match=str(server.port)):
        async with SimulatorServer(Protocol(exchange), exchange, port=server.port):
            pass
