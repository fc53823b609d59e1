"""What clients see of each fault, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.schedule import Fault
from exchange_core.simulator.faults.tally import Faults
from exchange_core.simulator.serving.server import SimulatorServer
from exchange_core.testing.clock import ManualClock
from tests.simulator.conftest import SPOT, Protocol

WITHIN = 5.0
ORDER = "/order?account=user&side=buy&quantity=1&price=99"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def exchange(spec: SimulatorSpec, clock: ManualClock) -> SimulatedExchange:
    exchange = SimulatedExchange(spec, seed=1, clock=clock)
    exchange.add_account("user", spec.deposits)
    return exchange


@pytest.fixture
async def server(exchange: SimulatedExchange) -> AsyncIterator[SimulatorServer]:
    async with SimulatorServer(Protocol(exchange), exchange) as server:
        yield server


@pytest.fixture
async def http(server: SimulatorServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.urls["rest_url"], timeout=WITHIN) as client:
        yield client


@pytest.fixture
async def socket(server: SimulatorServer) -> AsyncIterator[ClientConnection]:
    async with connect(server.urls["ws_url"]) as client:
        assert await client.recv() == "hello"
        yield client


def orders(exchange: SimulatedExchange) -> int:
    return len(exchange.open_orders("user"))


def strike(server: SimulatorServer, action: Any, **given: Any) -> Any:
    where = {"http": "/order"} if isinstance(action, actions.OnRequest) else {"websocket": "out"}
    return server.faults.add(Fault(**{**where, "action": action, **given}))


@pytest.mark.parametrize(
    ("action", "placed"), [(actions.DropRequest(), 0), (actions.DropAnswer(), 1), (actions.CutAnswer(), 1)]
)
async def test_a_lost_answer_and_a_lost_request_look_alike_and_are_not(
    server: SimulatorServer, exchange: SimulatedExchange, http: httpx.AsyncClient, action: Any, placed: int
) -> None:
    tally = strike(server, action, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(ORDER)
    assert (orders(exchange), tally.fired) == (placed, 1)
    assert (await http.post(ORDER)).status_code == 200


@pytest.mark.parametrize("acts", [False, True])
async def test_a_gateway_answers_with_a_page_whatever_happened_behind_it(
    server: SimulatorServer, exchange: SimulatedExchange, http: httpx.AsyncClient, acts: bool
) -> None:
    strike(server, actions.BadGateway(acts=acts))
    reply = await http.post(ORDER)
    assert (reply.status_code, reply.headers["content-type"], orders(exchange)) == (502, "text/html", int(acts))
    assert "<html>" in reply.text
    assert (await http.get("/echo")).status_code == 200


@pytest.mark.parametrize("acts", [False, True])
async def test_an_answer_can_be_scripted(
    server: SimulatorServer, exchange: SimulatedExchange, http: httpx.AsyncClient, acts: bool
) -> None:
    strike(server, actions.Answer(429, '{"error":"slow"}', headers={"retry-after": "3"}, acts=acts))
    reply = await http.post(ORDER)
    assert (reply.status_code, reply.json(), orders(exchange)) == (429, {"error": "slow"}, int(acts))
    assert (reply.headers["retry-after"], reply.headers["content-type"]) == ("3", "application/json")


@pytest.mark.parametrize(("action", "placed"), [(actions.DelayRequest(60), 0), (actions.DelayAnswer(60), 1)])
async def test_a_late_request_acts_late_and_a_late_answer_acts_at_once(
    server: SimulatorServer,
    exchange: SimulatedExchange,
    http: httpx.AsyncClient,
    clock: ManualClock,
    action: Any,
    placed: int,
) -> None:
    tally = strike(server, action)
    asking = asyncio.create_task(http.post(ORDER))
    async with asyncio.timeout(WITHIN):
        await tally.until_fired()
        await clock.until_asleep(3)
    assert (orders(exchange), asking.done()) == (placed, False)
    await clock.advance(60)
    assert (await asking).status_code == 200
    assert orders(exchange) == 1


async def test_a_duplicated_request_acts_twice_and_is_answered_once(
    server: SimulatorServer, exchange: SimulatedExchange, http: httpx.AsyncClient
) -> None:
    strike(server, actions.DuplicateRequest(), times=1)
    assert (await http.post(ORDER)).text in [order.id for order in exchange.open_orders("user")]
    assert orders(exchange) == 2
    await http.post(ORDER)
    assert orders(exchange) == 3


async def test_what_is_late_when_the_server_ends_is_dropped(server: SimulatorServer, http: httpx.AsyncClient) -> None:
    tally = strike(server, actions.DelayAnswer(3600))
    asking = asyncio.create_task(http.post(ORDER))
    async with asyncio.timeout(WITHIN):
        await tally.until_fired()
        await server.__aexit__(None, None, None)
        with pytest.raises(httpx.HTTPError):
            await asking


async def answers(socket: ClientConnection, *said: str) -> list[str]:
    for text in said:
        await socket.send(text)
    await socket.send("end")
    found: list[str] = []
    async with asyncio.timeout(WITHIN):
        while not found or found[-1] != "END":
            found.append(await socket.recv(decode=True))
    return found[:-1]


@pytest.mark.parametrize(
    ("action", "given", "expected"),
    [
        (actions.Pass(), {}, ["A1", "B", "A2", "B", "A3"]),
        (actions.Drop(), {"nth": 2}, ["A1", "B", "B", "A3"]),
        (actions.Duplicate(), {"nth": 2}, ["A1", "B", "A2", "A2", "B", "A3"]),
        (actions.Swap(), {"nth": 1}, ["B", "A2", "A1", "B", "A3"]),
        (actions.Swap(), {"nth": 3}, ["A1", "B", "A2", "B"]),
        (actions.Replace("A2", "Z"), {}, ["A1", "B", "Z", "B", "A3"]),
        (actions.Truncate(), {"nth": 1}, ["A", "B", "A2", "B", "A3"]),
        (actions.Freeze(), {"nth": 2}, ["A1", "B", "B"]),
    ],
    ids=lambda value: getattr(value, "word", None),
)
async def test_what_happens_to_frames(
    server: SimulatorServer, socket: ClientConnection, action: Any, given: dict[str, Any], expected: list[str]
) -> None:
    strike(server, action, websocket="out", contains="A", **given)
    assert await answers(socket, "a1", "b", "a2", "b", "a3") == expected


@pytest.mark.parametrize(
    ("action", "received"),
    [(actions.Drop(), ["A", "C"]), (actions.Duplicate(), ["A", "B", "B", "C"]), (actions.Swap(), ["A", "C", "B"])],
    ids=lambda value: getattr(value, "word", None),
)
async def test_the_client_s_frames_can_be_struck_too(
    server: SimulatorServer, socket: ClientConnection, action: Any, received: list[str]
) -> None:
    strike(server, action, websocket="in", nth=2)
    assert await answers(socket, "a", "b", "c") == received


async def test_a_corrupted_frame_has_another_digit(server: SimulatorServer, socket: ClientConnection) -> None:
    strike(server, actions.Corrupt(), times=1)
    first, second = await answers(socket, "x123", "x123")
    assert (len(first), second) == (4, "X123")
    assert sum(a != b for a, b in zip(first, second, strict=True)) == 1


@pytest.mark.parametrize("where", ["out", "in"])
async def test_a_cut_connection_ends_without_a_goodbye_after_what_came_before(
    server: SimulatorServer, socket: ClientConnection, where: str
) -> None:
    strike(server, actions.Cut(), websocket=where, nth=2)
    for text in ("a", "b", "c"):
        await socket.send(text)
    async with asyncio.timeout(WITHIN):
        assert await socket.recv() == "A"
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is None
    async with connect(server.urls["ws_url"]) as again:
        assert await again.recv() == "hello"


async def test_silence_lasts_as_long_as_the_connection(server: SimulatorServer, socket: ClientConnection) -> None:
    tally = strike(server, actions.Silence(), times=1)
    for text in ("a", "b"):
        await socket.send(text)
    async with asyncio.timeout(WITHIN):
        await tally.until_fired()
        await (await socket.ping())
        async with connect(server.urls["ws_url"]) as other:
            assert await other.recv() == "hello"
            assert await answers(other, "c") == ["C"]
    assert tally.fired == 1


async def test_a_late_frame_holds_up_those_behind_it(
    server: SimulatorServer, socket: ClientConnection, clock: ManualClock
) -> None:
    tally = strike(server, actions.Delay(10), contains="A")
    for text in ("z", "a", "b"):
        await socket.send(text)
    async with asyncio.timeout(WITHIN):
        assert await socket.recv() == "Z"
        await tally.until_fired()
        await (await socket.ping())
        await clock.advance(9.9)
        await socket.send("c")
        await (await socket.ping())
        reading = asyncio.create_task(socket.recv())
        await clock.advance(0.5)
        assert [await reading, await socket.recv(), await socket.recv()] == ["A", "B", "C"]


async def test_a_late_frame_of_the_client_arrives_with_a_tick(
    server: SimulatorServer, socket: ClientConnection, clock: ManualClock
) -> None:
    tally = strike(server, actions.Delay(10), websocket="in", times=1)
    await socket.send("a")
    async with asyncio.timeout(WITHIN):
        await tally.until_fired()
        await clock.advance(10.5)
        assert await socket.recv() == "A"


@pytest.mark.parametrize("action", [actions.BadGateway(), actions.Answer(503, "later")])
async def test_a_handshake_can_be_answered_otherwise(server: SimulatorServer, action: Any) -> None:
    strike(server, action, http=None, websocket="open", path="/ws", times=1)
    with pytest.raises(InvalidStatus) as caught:
        await connect(server.urls["ws_url"])
    assert caught.value.response.status_code == (502 if isinstance(action, actions.BadGateway) else 503)
    async with connect(server.urls["ws_url"]) as client:
        assert await client.recv() == "hello"


async def test_a_handshake_can_be_dropped(server: SimulatorServer) -> None:
    strike(server, actions.DropRequest(), http=None, websocket="open", times=1)
    with pytest.raises(InvalidMessage):
        await connect(server.urls["ws_url"], open_timeout=WITHIN)
    async with connect(server.urls["ws_url"]) as client:
        assert await client.recv() == "hello"


async def test_frames_of_the_exchange_s_own_news_are_struck_alike(
    server: SimulatorServer, socket: ClientConnection, http: httpx.AsyncClient
) -> None:
    strike(server, actions.Drop(), contains="BookChanged")
    reply = await http.post(ORDER)
    assert reply.status_code == 200
    news = await answers(socket)
    assert "OrderChanged" in news
    assert "BookChanged" not in news


async def test_without_faults_nothing_is_counted_and_all_goes_through(
    server: SimulatorServer, socket: ClientConnection, http: httpx.AsyncClient
) -> None:
    assert not server.faults
    assert await answers(socket, "a", "b") == ["A", "B"]
    assert json.loads((await http.get("/echo")).text)["target"] == "/echo"


async def test_a_slow_answer_comes_in_pieces(
    server: SimulatorServer, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    tally = strike(server, actions.SlowWrite(100))
    asking = asyncio.create_task(http.post(ORDER))
    async with asyncio.timeout(WITHIN):
        await tally.until_fired()
        await clock.advance(0.4)
        assert not asking.done()
        await clock.advance(60)
        assert (await asking).status_code == 200


async def test_the_body_of_a_request_is_read_slowly_before_it_acts(
    server: SimulatorServer, exchange: SimulatedExchange, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    tally = strike(server, actions.SlowRead(100))
    asking = asyncio.create_task(http.post(ORDER, content=b"x" * 1000))
    async with asyncio.timeout(WITHIN):
        await tally.until_fired()
        await clock.until_asleep(3)
        await clock.advance(9.9)
        assert (orders(exchange), asking.done()) == (0, False)
        await clock.advance(0.2)
        assert (await asking).status_code == 200
    assert orders(exchange) == 1


async def test_a_slow_connection_sends_so_many_bytes_a_second(server: SimulatorServer, clock: ManualClock) -> None:
    server.faults.add(Fault(websocket="open", action=actions.SlowWrite(50), times=1))
    async with asyncio.timeout(WITHIN), connect(server.urls["ws_url"]) as slow, connect(server.urls["ws_url"]) as quick:
        assert (await slow.recv(), await quick.recv()) == ("hello", "hello")
        for client in (slow, quick):
            await client.send("a" * 100)
        assert await quick.recv() == "A" * 100
        reading = asyncio.create_task(slow.recv())
        await clock.advance(1.8)
        await (await quick.ping())
        assert not reading.done()
        await clock.advance(0.6)
        assert await reading == "A" * 100


async def test_a_slow_connection_is_read_so_many_bytes_a_second(server: SimulatorServer, clock: ManualClock) -> None:
    server.faults.add(Fault(websocket="open", action=actions.SlowRead(50), times=1))
    async with asyncio.timeout(WITHIN), connect(server.urls["ws_url"]) as slow, connect(server.urls["ws_url"]) as quick:
        assert (await slow.recv(), await quick.recv()) == ("hello", "hello")
        await slow.send("a" * 100)
        reading = asyncio.create_task(slow.recv())
        await clock.until_asleep(3)
        await clock.advance(1.8)
        await (await quick.ping())
        assert not reading.done()
        for _ in range(5):
            await (await quick.ping())
            await clock.advance(0.2)
        assert await reading == "A" * 100
        slow.transport.abort()  # its goodbye would be read slowly too


async def test_who_does_not_get_what_is_slow_is_dropped_at_the_same_limit(
    exchange: SimulatedExchange, clock: ManualClock
) -> None:
    faults = Faults(clock)
    faults.add(Fault(websocket="open", action=actions.SlowWrite(1)))
    async with (
        SimulatorServer(Protocol(exchange), exchange, faults=faults, max_unsent=100_000) as server,
        asyncio.timeout(WITHIN),
        connect(server.urls["ws_url"]) as socket,
    ):
        assert await socket.recv() == "hello"
        await socket.send("flood 3")
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_restart_cuts_every_connection_and_lets_new_ones_in(
    server: SimulatorServer, exchange: SimulatedExchange, socket: ClientConnection, clock: ManualClock
) -> None:
    tally = server.faults.add(Fault(action=actions.Restart(seconds=10), after=1))
    await clock.advance(0.8)
    assert await answers(socket, "a") == ["A"]
    await clock.advance(0.4)
    async with asyncio.timeout(WITHIN):
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is None
    assert (tally.fired, exchange.state, exchange.market(SPOT).instrument.status) == (1, "maintenance", "offline")
    async with connect(server.urls["ws_url"]) as client:
        assert await client.recv() == "hello"
    await clock.advance(10)
    assert (exchange.state, exchange.market(SPOT).instrument.status) == ("online", "online")


async def test_nothing_becomes_due_in_maintenance_until_it_is_over(
    server: SimulatorServer, exchange: SimulatedExchange, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    await http.post(ORDER)
    exchange.cancel_all_after("user", 5)
    server.faults.add(Fault(action=actions.Maintenance(seconds=20)))
    await clock.advance(15)
    assert orders(exchange) == 1
    await clock.advance(10)
    assert orders(exchange) == 0


async def test_time_that_jumps_back_and_forth_breaks_nothing(
    server: SimulatorServer, exchange: SimulatedExchange, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    for offset in (-3600, 7200, -30, 0, 90_000, -90_000):
        tally = server.faults.add(Fault(action=actions.Skew(offset=offset, drift=0.5)))
        await clock.advance(1)
        assert (await http.post(ORDER)).status_code == 200
        assert abs((exchange.now() - clock.now()).total_seconds() - offset) < 1
        server.faults.remove(tally)
        await clock.advance(1)
        exchange.check_invariants()
    assert exchange.now() == clock.now()
    assert orders(exchange) == 6
