import asyncio
import gzip
import itertools
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest

from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.connector.rest import Flow, HttpReply, HttpRequest, RestCall
from exchange_core.errors import (
    BadRequest,
    ConfigError,
    ConnectFailed,
    LockedOut,
    OrderNotFound,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
    TransportError,
    VenueUnavailable,
)
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.http import Act, Hang, LoopbackHttp, Partial, Reset, ScriptedHttp, answer
from exchange_core.transport.rest_client import RestClient

pytestmark = pytest.mark.usefixtures("watched")

NewClient = Callable[..., RestClient]
PAGE = HttpReply(200, {"content-type": "text/html"}, b"<html>Just a moment...</html>")
BAD_GATEWAY = HttpReply(502, {"content-type": "text/html"}, b"<html>502</html>")
OK = answer({"result": "ok"})


def one(call: RestCall) -> Flow[Any]:
    return (yield call)


async def through_waits(clock: ManualClock, task: asyncio.Task[Any]) -> Any:
    """Let the time of back-offs pass until *task* is done."""
    while not task.done():
        asleep = asyncio.create_task(clock.until_asleep())
        await asyncio.wait([asleep, task], return_when=asyncio.FIRST_COMPLETED)
        if asleep.done():
            await clock.advance(clock.sleepers[0] - clock.monotonic())
        asleep.cancel()
    return await task


# Flows.


async def test_a_flow_gets_each_answer_and_returns_its_own(new_client: NewClient, read: RestCall) -> None:
    def pages() -> Flow[list[int]]:
        found: list[int] = []
        while page := (yield attrs.evolve(read, params={"offset": len(found)})):
            found += page
        return found

    http = ScriptedHttp(answer({"result": [1, 2]}), answer({"result": [3]}), answer({"result": []}))
    async with new_client(http=http.transport) as client:
        assert await client.run(pages()) == [1, 2, 3]
    assert [request.content for request in http.requests] == [b'{"offset": 0}', b'{"offset": 2}', b'{"offset": 3}']


async def test_a_flow_without_calls_just_returns(new_client: NewClient) -> None:
    def nothing() -> Flow[int]:
        yield from ()
        return 7

    async with new_client() as client:
        assert await client.run(nothing()) == 7


async def test_a_flow_can_handle_the_error_of_its_call(new_client: NewClient, read: RestCall) -> None:
    def look_twice() -> Flow[str]:
        try:
            return (yield read)
        except OrderNotFound:
            return (yield attrs.evolve(read, path="/closed"))

    http = ScriptedHttp(answer({"error": "OrderNotFound"}), answer({"result": "closed"}))
    async with new_client(http=http.transport) as client:
        assert await client.run(look_twice()) == "closed"
    assert [request.url.path for request in http.requests] == ["/read", "/closed"]


async def test_an_error_that_the_flow_lets_pass_names_the_venue(new_client: NewClient, read: RestCall) -> None:
    async with new_client(http=ScriptedHttp(answer({"error": "BadRequest", "codes": ["E7"]})).transport) as client:
        with pytest.raises(BadRequest) as caught:
            await client.run(one(read))
    assert caught.value.venue == "testex"
    assert caught.value.codes == ("E7",)


async def test_a_cancelled_flow_is_closed(new_client: NewClient, read: RestCall) -> None:
    ends: list[str] = []

    def flow() -> Generator[RestCall, Any, None]:
        try:
            yield read
        finally:
            ends.append("closed")

    async with LoopbackHttp([Hang()]) as server, new_client(server.url) as client:
        task = asyncio.create_task(client.run(flow()))
        await server.until_requests(1)
        task.cancel()
        await asyncio.wait([task])
    assert ends == ["closed"]


# What is sent.


async def test_a_private_call_is_signed_and_a_public_one_is_not(new_client: NewClient, read: RestCall) -> None:
    async with LoopbackHttp([OK]) as server, new_client(server.url) as client:
        await client.run(one(read))
        await client.run(one(attrs.evolve(read, private=True)))
    assert ["api-sign" in request.headers for request in server.requests] == [False, True]


async def test_the_call_names_the_address(new_client: NewClient, read: RestCall) -> None:
    async with LoopbackHttp([OK]) as server, new_client(server.url) as client:
        await client.run(one(attrs.evolve(read, base="other_url")))
    assert server.requests[0].target == "/other/read"


async def test_the_target_is_sent_as_it_was_signed(new_client: NewClient, read: RestCall) -> None:
    """httpx would write %7E as ~ or | as %7C; the signature covers the text."""
    target = "/read?a=%7e%7E&b=x%20y&c=1+2&d=a|b'c"
    async with LoopbackHttp([OK]) as server, new_client(server.url) as client:
        await client.run(one(attrs.evolve(read, path=target)))
    assert server.requests[0].target == target


async def test_connections_are_used_again(new_client: NewClient, read: RestCall) -> None:
    ports: set[str] = set()
    async with LoopbackHttp([OK]) as server, new_client(server.url) as client:
        for _ in range(5):
            await client.run(one(read))
            ports.update(str(writer.get_extra_info("peername")) for writer in server._clients.values())
    assert len(ports) == 1


async def test_redirects_are_not_followed(new_client: NewClient, read: RestCall) -> None:
    moved = HttpReply(302, {"location": "/elsewhere"}, b"")
    async with LoopbackHttp([moved]) as server, new_client(server.url) as client:
        with pytest.raises(ProtocolError):
            await client.run(one(read))
    assert [request.target for request in server.requests] == ["/read"]


async def test_the_environments_proxy_is_not_used(
    new_client: NewClient, read: RestCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with LoopbackHttp([OK]) as server, new_client(server.url) as client:
        assert await client.run(one(read)) == "ok"


async def test_a_compressed_answer_is_unpacked(new_client: NewClient, read: RestCall) -> None:
    packed = HttpReply(200, {"content-encoding": "gzip"}, gzip.compress(b'{"result": "unpacked"}'))
    async with LoopbackHttp([packed]) as server, new_client(server.url) as client:
        assert await client.run(one(read)) == "unpacked"


async def test_the_tap_sees_requests_and_answers(new_client: NewClient, read: RestCall, clock: ManualClock) -> None:
    seen: list[tuple[str, HttpRequest, HttpReply, float]] = []
    http = ScriptedHttp(OK)
    async with new_client(http=http.transport, tap=lambda *exchange: seen.append(exchange), clock=clock) as client:
        await client.run(one(read))
    ((address, request, reply, when),) = seen
    assert (address, request.target, reply.body) == ("http://venue.test", "/read", OK.body)
    assert when == datetime(2026, 1, 1, tzinfo=UTC).timestamp()


# What must not be sent.


async def test_a_private_call_without_credentials_says_what_is_missing(new_client: NewClient, write: RestCall) -> None:
    async with new_client(signer=None) as client:
        with pytest.raises(ConfigError, match="testex: /write needs credentials; set api_key and api_secret"):
            await client.run(one(write))


@pytest.mark.parametrize("url", ["", "ftp://host", "localhost:80"])
async def test_an_address_that_is_none_is_refused(new_client: NewClient, read: RestCall, url: str) -> None:
    async with new_client(url) as client:
        with pytest.raises(ConfigError, match=r"testex: rest_url is .* expected an address such as https://host"):
            await client.run(one(read))


async def test_a_closed_client_sends_nothing(new_client: NewClient, read: RestCall) -> None:
    async with LoopbackHttp([OK]) as server:
        async with new_client(server.url) as client:
            pass
        with pytest.raises(ConnectFailed, match="closed; nothing was sent"):
            await client.run(one(read))
        assert not server.requests


@pytest.mark.parametrize("key", ["key\n", "clé-0001", "key\r\nX: y"])
async def test_a_key_that_no_header_can_hold_is_not_sent_and_not_shown(
    new_client: NewClient, new_signer: Callable[..., Any], write: RestCall, key: str
) -> None:
    async with LoopbackHttp([OK]) as server, new_client(server.url, signer=new_signer(key)) as client:
        with pytest.raises(ConnectFailed, match=r"cannot be written.*nothing was sent") as caught:
            await client.run(one(write))
        assert key.strip() not in str(caught.value)
        assert not server.requests


# Reads are repeated, writes never.

UNANSWERED: list[Any] = [
    pytest.param(Hang(), id="never answers"),
    pytest.param(Reset(), id="resets"),
    pytest.param(Partial(), id="breaks off"),
    pytest.param(BAD_GATEWAY, id="502 page"),
]


@pytest.mark.parametrize("act", UNANSWERED)
async def test_a_write_without_an_answer_is_unknown_and_sent_once(
    new_client: NewClient, write: RestCall, act: Act
) -> None:
    async with LoopbackHttp([act]) as server, new_client(server.url, request_timeout=0.2) as client:
        with pytest.raises(OutcomeUnknown) as caught:
            await client.run(one(write))
        assert len(server.requests) == 1
    assert caught.value.venue == "testex"


async def test_a_write_answered_with_a_page_is_unknown(new_client: NewClient, write: RestCall) -> None:
    async with LoopbackHttp([PAGE]) as server, new_client(server.url) as client:
        with pytest.raises(OutcomeUnknown, match=r"POST /write.*it may have been carried out, so ask"):
            await client.run(one(write))
        assert len(server.requests) == 1


@pytest.mark.parametrize("act", UNANSWERED)
async def test_a_read_without_an_answer_is_repeated(
    new_client: NewClient, read: RestCall, clock: ManualClock, act: Act
) -> None:
    async with (
        LoopbackHttp([act, act, OK]) as server,
        new_client(server.url, request_timeout=0.2, clock=clock) as client,
    ):
        task = asyncio.create_task(client.run(one(read)))
        assert await through_waits(clock, task) == "ok"
        assert len(server.requests) == 3


async def test_a_repeated_read_names_the_venue_once(
    new_client: NewClient, read: RestCall, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with LoopbackHttp([Reset(), OK]) as server, new_client(server.url, clock=clock) as client:
        assert await through_waits(clock, asyncio.create_task(client.run(one(read)))) == "ok"
    [said] = [record.getMessage() for record in caplog.records if "trying again" in record.getMessage()]
    assert said.startswith("testex: ")
    assert said.count("testex: ") == 1


@pytest.mark.parametrize("act", UNANSWERED)
async def test_a_read_is_not_repeated_for_ever(
    new_client: NewClient, read: RestCall, clock: ManualClock, act: Act
) -> None:
    async with LoopbackHttp([act]) as server, new_client(server.url, request_timeout=0.1, clock=clock) as client:
        task = asyncio.create_task(client.run(one(read)))
        with pytest.raises((TransportError, VenueUnavailable)):
            await through_waits(clock, task)
        assert len(server.requests) == 4


async def test_each_try_has_its_own_nonce_and_signature(
    new_client: NewClient, read: RestCall, clock: ManualClock
) -> None:
    async with LoopbackHttp([Reset(), BAD_GATEWAY, OK]) as server, new_client(server.url, clock=clock) as client:
        task = asyncio.create_task(client.run(one(attrs.evolve(read, private=True))))
        await through_waits(clock, task)
    assert len({request.headers["api-sign"] for request in server.requests}) == 3


async def test_waits_between_tries_grow(new_client: NewClient, read: RestCall, clock: ManualClock) -> None:
    http = ScriptedHttp(*[BAD_GATEWAY] * 4)
    moments: list[float] = []
    async with new_client(http=http.transport, clock=clock, tap=lambda *_: moments.append(clock.monotonic())) as client:
        with pytest.raises(VenueUnavailable):
            await through_waits(clock, asyncio.create_task(client.run(one(read))))
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert 0.25 <= gaps[0] <= 0.5 <= gaps[1] <= 1.0 <= gaps[2] <= 2.0


async def test_a_page_instead_of_json_is_no_reason_to_repeat(new_client: NewClient, read: RestCall) -> None:
    async with LoopbackHttp([PAGE]) as server, new_client(server.url) as client:
        with pytest.raises(ProtocolError, match="expected JSON"):
            await client.run(one(read))
        assert len(server.requests) == 1


async def test_a_venue_that_cannot_be_reached_is_known_not_to_have_got_it(
    new_client: NewClient, write: RestCall
) -> None:
    async with LoopbackHttp([OK]) as server:
        url = server.url
    async with new_client(url) as client:
        with pytest.raises(ConnectFailed, match="nothing was sent"):
            await client.run(one(write))


async def test_a_write_that_times_out_before_it_could_leave_was_not_sent(
    new_client: NewClient, write: RestCall
) -> None:
    """The venue's host accepts, but never finishes the TLS handshake."""
    async with LoopbackHttp([OK]) as server:
        url = server.url.replace("http:", "https:")
        async with new_client(url, request_timeout=0.3) as client:
            with pytest.raises(ConnectFailed, match=r"no answer within 0\.3 s; nothing was sent"):
                await client.run(one(write))


@pytest.mark.parametrize("scheme", ["http:", "https:"])
@pytest.mark.parametrize("moment", range(1, 24, 2))
async def test_a_call_cancelled_at_any_moment_leaves_nothing_behind(
    new_client: NewClient, write: RestCall, scheme: str, moment: int
) -> None:
    """The fixture finds what is left."""
    async with LoopbackHttp([OK]) as server, new_client(server.url.replace("http:", scheme)) as client:
        task = asyncio.create_task(client.run(one(write)))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize("error", [httpx.ConnectError("no route"), httpx.ConnectTimeout(""), httpx.PoolTimeout("")])
async def test_a_write_that_found_no_connection_was_not_sent(
    new_client: NewClient, write: RestCall, error: Exception
) -> None:
    async with new_client(http=ScriptedHttp(error).transport) as client:
        with pytest.raises(ConnectFailed):
            await client.run(one(write))


@pytest.mark.parametrize("error", [httpx.ReadTimeout(""), httpx.WriteError("reset"), httpx.RemoteProtocolError("gone")])
async def test_a_write_that_broke_on_its_way_is_unknown(
    new_client: NewClient, write: RestCall, error: Exception
) -> None:
    async with new_client(http=ScriptedHttp(error).transport) as client:
        with pytest.raises(OutcomeUnknown):
            await client.run(one(write))


async def test_a_connection_that_the_venue_dropped_while_idle_leaves_no_write_in_doubt(
    new_client: NewClient, write: RestCall, read: RestCall
) -> None:
    """The pool sees that a kept connection was closed, and opens another."""
    async with LoopbackHttp([OK]) as server, new_client(server.url) as client:
        await client.run(one(read))
        for task, writer in list(server._clients.items()):
            writer.close()
            await asyncio.wait([task])
        assert await client.run(one(write)) == "ok"


async def test_an_answer_that_never_ends_is_cut_off(new_client: NewClient, read: RestCall) -> None:
    zeros = gzip.compress(b"\0" * (40 * 1024 * 1024))
    bomb = HttpReply(200, {"content-encoding": "gzip"}, zeros)
    async with LoopbackHttp([bomb]) as server, new_client(server.url, retries=0) as client:
        with pytest.raises(TransportError, match="larger than"):
            await client.run(one(read))


# A write that was taken stays taken.


@pytest.mark.parametrize("mistake", [KeyError("txid"), ProtocolError("no txid"), TransportError("later read failed")])
async def test_what_goes_wrong_after_a_write_leaves_it_unknown(
    new_client: NewClient, write: RestCall, mistake: Exception
) -> None:
    def place() -> Flow[None]:
        yield write
        raise mistake

    async with new_client(http=ScriptedHttp(OK).transport) as client:
        with pytest.raises(OutcomeUnknown, match="POST /write") as caught:
            await client.run(place())
    assert caught.value.__cause__ is mistake


async def test_a_refusal_that_the_flow_reads_from_the_answer_stays_one(new_client: NewClient, write: RestCall) -> None:
    def cancel() -> Flow[None]:
        yield write
        raise OrderNotFound("already filled")

    async with new_client(http=ScriptedHttp(OK).transport) as client:
        with pytest.raises(OrderNotFound):
            await client.run(cancel())


async def test_a_plugins_mistake_in_reading_an_answer_is_unknown_for_a_write(
    new_client: NewClient, read: RestCall, write: RestCall
) -> None:
    odd = answer({"neither": 1})
    async with new_client(http=ScriptedHttp(odd, odd).transport) as client:
        with pytest.raises(OutcomeUnknown, match="KeyError"):
            await client.run(one(write))
        with pytest.raises(ProtocolError, match="KeyError"):
            await client.run(one(read))


# Limits.


def limited(**answer_fields: Any) -> HttpReply:
    return answer({"error": "RateLimited", **answer_fields})


async def test_a_limited_read_waits_as_long_as_told(new_client: NewClient, read: RestCall, clock: ManualClock) -> None:
    http = ScriptedHttp(limited(retry_after=4.0), OK)
    async with new_client(http=http.transport, clock=clock) as client:
        task = asyncio.create_task(client.run(one(read)))
        await clock.advance(3.9)
        assert len(http.requests) == 1
        await clock.advance(0.1)
        assert await task == "ok"


async def test_a_limited_read_without_a_time_waits_five_seconds_and_more(
    new_client: NewClient, read: RestCall, clock: ManualClock
) -> None:
    http = ScriptedHttp(limited(), limited(), OK)
    async with new_client(http=http.transport, clock=clock) as client:
        await through_waits(clock, asyncio.create_task(client.run(one(read))))
    assert clock.monotonic() >= 10


async def test_a_limited_read_does_not_hammer_when_the_time_told_has_passed(
    new_client: NewClient, read: RestCall, clock: ManualClock
) -> None:
    http = ScriptedHttp(limited(retry_after=0.0), OK)
    async with new_client(http=http.transport, clock=clock) as client:
        task = asyncio.create_task(client.run(one(read)))
        await clock.advance(0.2)
        assert len(http.requests) == 1
        await through_waits(clock, task)


async def test_a_limited_write_is_not_repeated(new_client: NewClient, write: RestCall) -> None:
    http = ScriptedHttp(limited(retry_after=0.01))
    async with new_client(http=http.transport) as client:
        with pytest.raises(RateLimited):
            await client.run(one(write))
    assert len(http.requests) == 1


async def test_a_limit_that_was_hit_closes_its_pool_for_all(
    new_client: NewClient, read: RestCall, write: RestCall, clock: ManualClock
) -> None:
    limits = Limits(limiters={name: DecayingCounter(maximum=100, decay=10) for name in ("calls", "other")})
    order = attrs.evolve(write, costs=(Cost("calls"),))
    look, elsewhere = (attrs.evolve(read, costs=(Cost(pool),)) for pool in ("calls", "other"))
    http = ScriptedHttp(limited(retry_after=4.0), answer({"result": "other"}), OK)
    async with new_client(http=http.transport, limits=limits, clock=clock) as client:
        with pytest.raises(RateLimited):
            await client.run(one(order))
        waiting = asyncio.create_task(client.run(one(look)))
        assert await client.run(one(elsewhere)) == "other"
        await clock.advance(3.9)
        assert not waiting.done()
        await clock.advance(0.1)
        assert await waiting == "ok"


async def test_a_call_that_waited_while_the_client_was_closed_is_not_sent(
    new_client: NewClient, write: RestCall, clock: ManualClock
) -> None:
    limits = Limits(limiters={"calls": DecayingCounter(maximum=1, decay=1)})
    order = attrs.evolve(write, costs=(Cost("calls"),))
    async with LoopbackHttp([OK]) as server:
        async with new_client(server.url, limits=limits, clock=clock) as client:
            await client.run(one(order))
            waiting = asyncio.create_task(client.run(one(order)))
            await clock.until_asleep()
        await clock.advance(1)
        with pytest.raises(ConnectFailed, match="closed; nothing was sent"):
            await waiting
        assert len(server.requests) == 1


async def test_an_order_does_not_wait_longer_than_its_deadline(
    new_client: NewClient, write: RestCall, clock: ManualClock
) -> None:
    limits = Limits(limiters={"calls": DecayingCounter(maximum=1, decay=0.1)})
    http = ScriptedHttp(OK, OK)
    order, cancel = (attrs.evolve(write, costs=(Cost("calls", urgent=urgent),)) for urgent in (False, True))
    async with new_client(http=http.transport, limits=limits, clock=clock) as client:
        await client.run(one(order))
        with pytest.raises(RateLimited, match="nothing was sent"):
            await client.run(one(order))
        waiting = asyncio.create_task(client.run(one(cancel)))
        await clock.advance(10)
        assert await waiting == "ok"
    assert len(http.requests) == 2


async def test_what_must_leave_by_a_time_waits_no_longer(
    new_client: NewClient, write: RestCall, clock: ManualClock
) -> None:
    limits = Limits(limiters={"calls": DecayingCounter(maximum=1, decay=0.5)})
    http = ScriptedHttp(OK, OK)
    order = attrs.evolve(write, costs=(Cost("calls"),))
    async with new_client(http=http.transport, limits=limits, clock=clock) as client:
        await client.run(one(order))
        for seconds in (-1.0, 1.9):
            hurried = attrs.evolve(order, leave_by=clock.now() + timedelta(seconds=seconds))
            with pytest.raises(RateLimited, match="nothing was sent"):
                await client.run(one(hurried))
        waiting = asyncio.create_task(
            client.run(one(attrs.evolve(order, leave_by=clock.now() + timedelta(seconds=2.1))))
        )
        await clock.advance(2)
        assert await waiting == "ok"
    assert len(http.requests) == 2


async def test_after_a_lockout_there_is_silence(new_client: NewClient, read: RestCall, clock: ManualClock) -> None:
    http = ScriptedHttp(answer({"error": "LockedOut"}), OK)
    async with new_client(http=http.transport, clock=clock) as client:
        assert client.locked_until is None
        with pytest.raises(LockedOut):
            await client.run(one(read))
        assert client.locked_until == datetime(2026, 1, 1, 0, 15, tzinfo=UTC)
        with pytest.raises(LockedOut, match="until 2026-01-01 00:15:00 UTC"):
            await client.run(one(read))
        assert len(http.requests) == 1
        await clock.advance(900)
        assert await client.run(one(read)) == "ok"
        assert client.locked_until is None


async def test_a_transport_that_was_handed_in_is_left_open(new_client: NewClient, read: RestCall) -> None:
    class Watched(httpx.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    transport = Watched(lambda request: httpx.Response(200, json={"result": "ok"}))
    async with new_client(http=transport) as client:
        await client.run(one(read))
    assert not transport.closed
