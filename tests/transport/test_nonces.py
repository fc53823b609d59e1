import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import attrs
import pytest

from exchange_core.connector.rest import Flow, HttpReply, HttpRequest, RestCall
from exchange_core.errors import NonceRejected, TransportError
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.http import Act, Hang, LoopbackHttp, ScriptedHttp, answer
from exchange_core.transport.nonces import MILLISECOND, NonceSource
from exchange_core.transport.rest_client import RestClient

pytestmark = pytest.mark.usefixtures("watched")


def one(call: RestCall) -> Flow[object]:
    return (yield call)


def test_a_nonce_is_the_time_in_the_venues_unit() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert NonceSource(clock).next() == 1_767_225_600_000_000_000
    assert NonceSource(clock, unit=MILLISECOND).next() == 1_767_225_600_000


def test_nonces_increase_within_one_tick_of_the_clock() -> None:
    source = NonceSource(ManualClock(), unit=MILLISECOND)
    assert source.next() < source.next() < source.next()


def test_nonces_increase_when_the_clock_was_set_back() -> None:
    before = NonceSource(ManualClock(datetime(2026, 1, 2, tzinfo=UTC)))
    highest = before.next()
    after = NonceSource(ManualClock(datetime(2026, 1, 1, tzinfo=UTC)), last=highest)
    assert after.next() == highest + 1


def nonce_of(request: HttpRequest) -> int:
    nonce: int = json.loads(request.body)["nonce"]
    return nonce


class Strict:
    """Refuses a nonce that is not above all earlier ones, as Kraken does."""

    def __init__(self) -> None:
        self.highest = 0

    def __call__(self, request: HttpRequest) -> HttpReply:
        if request.target != "/private":
            return answer({"result": None})
        nonce = nonce_of(request)
        if nonce <= self.highest:
            return answer({"error": "NonceRejected"})
        self.highest = nonce
        return answer({"result": nonce})


async def test_200_concurrent_calls_arrive_in_the_order_of_their_nonces(new_client: Callable[..., RestClient]) -> None:
    """On a network where requests of different connections overtake each other."""
    call = RestCall(method="POST", path="/private", private=True)
    random = Random(1)
    async with (
        LoopbackHttp(Strict(), latency=lambda: random.uniform(0, 0.004)) as server,
        new_client(server.url) as client,
    ):
        results = await asyncio.gather(*(client.run(one(call)) for _ in range(200)))
    assert len(set(results)) == 200
    arrived = [nonce_of(request) for request in server.requests]
    assert arrived == sorted(arrived)


async def test_a_read_whose_nonce_was_overtaken_is_asked_again_with_a_new_one(
    new_client: Callable[..., RestClient], clock: ManualClock
) -> None:
    """Where another program uses the same key. A write is not: whoever sends it again must know that."""
    read = RestCall(method="POST", path="/private", private=True)
    http = ScriptedHttp(*[answer({"error": "NonceRejected"})] * 3, answer({"result": "ok"}))
    async with new_client(http=http.transport, clock=clock) as client:
        with pytest.raises(NonceRejected, match=r"the clock was set back since \(set it right, wait"):
            await client.run(one(attrs.evolve(read, changes_state=True)))
        asking = asyncio.create_task(client.run(one(read)))
        await clock.advance(10)
        assert await asking == "ok"
    nonces = [json.loads(request.content)["nonce"] for request in http.requests]
    assert len(nonces) == 4
    assert nonces == sorted(set(nonces))


async def test_public_calls_do_not_wait_for_a_turn(new_client: Callable[..., RestClient]) -> None:
    """While a private call is under way, public ones come and go."""

    def act(request: HttpRequest) -> Act:
        return Hang() if request.target == "/private" else answer({"result": "public"})

    private, public = RestCall(method="POST", path="/private", private=True), RestCall(method="GET", path="/public")
    async with LoopbackHttp(act) as server, new_client(server.url, nonces=NonceSource(hold=60)) as client:
        slow = asyncio.create_task(client.run(one(private)))
        await server.until_requests(1)
        assert await client.run(one(public)) == "public"
        slow.cancel()
        await asyncio.wait([slow])


async def test_one_slow_answer_does_not_keep_the_next_nonce_for_ever(new_client: Callable[..., RestClient]) -> None:
    """A cancel must get out although a long report is still being made."""

    def act(request: HttpRequest) -> Act:
        return Hang() if request.target == "/slow" else answer({"result": "done"})

    slow, quick = (RestCall(method="POST", path=path, private=True) for path in ("/slow", "/quick"))
    async with LoopbackHttp(act) as server, new_client(server.url, nonces=NonceSource(hold=0.05)) as client:
        waiting = asyncio.create_task(client.run(one(slow)))
        await server.until_requests(1)
        async with asyncio.timeout(3):
            assert await client.run(one(quick)) == "done"
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_an_unanswered_turn_ends_with_its_call(new_client: Callable[..., RestClient]) -> None:
    call = RestCall(method="POST", path="/private", private=True)
    acts: list[Act] = [Hang(), answer({"result": "done"})]
    async with (
        LoopbackHttp(acts) as server,
        new_client(server.url, nonces=NonceSource(hold=60), retries=0, request_timeout=0.1) as client,
    ):
        with pytest.raises(TransportError):
            await client.run(one(call))
        assert await client.run(one(call)) == "done"
