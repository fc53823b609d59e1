"""Requests over a live connection: each sent once, by one way only, and known to have left or not."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import attrs
import pytest

from exchange_core import errors
from exchange_core.connector.feed import Question
from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.connector.rest import Flow, RestCall, SocketCall
from exchange_core.errors import (
    ConnectFailed,
    ExchangeError,
    LockedOut,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
)
from exchange_core.model.event import Answered, Channel, Event, Subscription
from exchange_core.model.symbol import Symbol
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.http import ScriptedHttp, answer
from exchange_core.testing.websocket import LoopbackSocket, Peer
from exchange_core.transport.feed_runner import FeedPhase
from exchange_core.transport.rest_client import RestClient
from exchange_core.transport.socket_requests import DISTRUST, LONGEST_QUEUE

pytestmark = pytest.mark.usefixtures("watched")

Script = Callable[[Peer], Awaitable[None]]
BY_REST = answer({"result": "by REST"})
PLACE = RestCall(
    method="POST",
    path="/place",
    params={"id": "c1"},
    changes_state=True,
    private=True,
    costs=(Cost("calls"),),
    socket=SocketCall(feed="public", method="place", params={"id": "c1"}, costs=(Cost("calls"),)),
)
READ = RestCall(method="GET", path="/find", socket=SocketCall(feed="public", method="find"))


def cancel(number: int) -> RestCall:
    socket = SocketCall(feed="public", method="cancel", params={"id": number}, costs=(Cost("calls", urgent=True),))
    return attrs.evolve(PLACE, path="/cancel", socket=socket)


def place(number: int) -> RestCall:
    assert PLACE.socket is not None
    return attrs.evolve(PLACE, socket=attrs.evolve(PLACE.socket, params={"id": number}))


def one(call: RestCall) -> Flow[Any]:
    return (yield call)


class Desk:
    """A client whose feed carries requests, and a venue that answers both ways.

    Attributes:
        feed: Its ``ask`` numbers requests from 1 on.
        arrived: The requests that came over the socket.
    """

    def __init__(self, new_client: Any, new_feed: Any, new_run: Any, clock: ManualClock) -> None:
        self.clock = clock
        self._new = (new_client, new_feed, new_run)
        self.arrived: list[dict[str, Any]] = []

    async def start(self, url: str, *by_rest: Any, frames_per_second: float = 1000.0, **options: Any) -> None:
        new_client, new_feed, new_run = self._new
        self.http = ScriptedHttp(*by_rest)
        self.client: RestClient = new_client(http=self.http.transport, clock=self.clock, **options)
        self.feed = _asking(new_feed(stale_after=1e9))
        self.run = new_run(url, self.feed, self.client, clock=self.clock, frames_per_second=frames_per_second)
        assert self.run.runner.requests is not None
        self.client.carry("public", self.run.runner.requests)
        await self.run.until(lambda: self.run.runner.state.phase is FeedPhase.OPEN)

    def ask(self, call: RestCall = PLACE, **options: Any) -> "asyncio.Task[Any]":
        return asyncio.create_task(self.client.run(one(call), **options))

    async def get(self, call: RestCall = PLACE, **options: Any) -> Any:
        """Ask, and let as much time pass as frames need to leave."""
        return await self.drive(self.client.run(one(call), **options))

    async def drive(self, work: Any) -> Any:
        asked = asyncio.ensure_future(work)
        while not asked.done():
            await self.clock.advance(0.002)
            await asyncio.sleep(0.001)
        return await asked

    async def seconds(self, count: int) -> None:
        """Let time pass and frames travel."""
        for _ in range(count):
            await self.clock.advance(1)
            await self.settle()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0.001)


def _asking(feed: Any) -> Any:
    """Return the feed of the made-up venue, with requests."""

    class Asking(type(feed)):  # type: ignore[misc]
        numbers = 0
        takes = True

        def can_ask(self) -> bool:
            return bool(self.takes) and self.calls[-1:] != ["closed"]

        def ask(self, call: RestCall, now: float) -> Question:
            assert call.socket is not None
            if call.socket.method == "cannot be written":
                raise KeyError("token")
            self.numbers += 1
            frame = {"do": call.socket.method, "number": self.numbers, **call.socket.params}
            return Question(self.numbers, json.dumps(frame))

        def receive(self, frame: bytes | str, now: float) -> list[Event]:
            said = json.loads(frame)
            if "answers" not in said:
                return list(super().receive(frame, now))
            error = said.get("error")
            raised = getattr(errors, error)("the venue said no", codes=["E1"]) if error else None
            return [Answered(request_id=said["answers"], value=said.get("value"), error=raised)]

    feed.__class__ = Asking
    return feed


@pytest.fixture
def desk(new_client: Any, new_feed: Any, new_run: Any, clock: ManualClock) -> Desk:
    return Desk(new_client, new_feed, new_run, clock)


@pytest.fixture
async def serve(desk: Desk) -> AsyncIterator[Callable[[Script], Awaitable[LoopbackSocket]]]:
    """Return a function that opens the venue's socket."""
    opened: list[LoopbackSocket] = []

    async def open_socket(script: Script) -> LoopbackSocket:
        opened.append(LoopbackSocket(script))
        return await opened[-1].__aenter__()

    yield open_socket
    for socket in opened:
        await socket.__aexit__()


async def silent(peer: Peer) -> None:
    await peer.until_gone()


def answering(*answers: dict[str, Any]) -> Script:
    """Answer one request after the other."""

    async def script(peer: Peer) -> None:
        for said in answers:
            asked = json.loads(await peer.receive())
            await peer.send(json.dumps({"answers": asked["number"], **said}))
        await peer.until_gone()

    return script


async def test_a_request_goes_over_the_connection_and_its_answer_into_the_flow(desk: Desk, serve: Any) -> None:
    socket = await serve(answering({"value": "V1"}))
    await desk.start(socket.url)
    assert await desk.get() == "V1"
    assert json.loads(socket.peers[0].received[0]) == {"do": "place", "number": 1, "id": "c1"}
    assert desk.http.requests == []
    assert dict(desk.client.ways) == {"public": 1}
    await desk.run.stop()


async def test_without_a_connection_it_goes_over_rest(desk: Desk, serve: Any) -> None:
    socket = await serve(silent)
    await desk.start(socket.url, BY_REST, BY_REST, BY_REST)
    desk.feed.takes = False
    assert await desk.get() == "by REST"
    await desk.run.stop()
    desk.feed.takes = True
    assert await desk.get() == "by REST"
    assert socket.peers[0].received == []
    assert dict(desk.client.ways) == {"rest": 2}


async def test_order_entry_rest_never_takes_the_connection(desk: Desk, serve: Any) -> None:
    socket = await serve(silent)
    await desk.start(socket.url, BY_REST)
    desk.client._config = attrs.evolve(desk.client._config, order_entry="rest")
    assert await desk.get() == "by REST"
    assert socket.peers[0].received == []
    await desk.run.stop()


async def test_what_the_feed_cannot_write_goes_over_rest(desk: Desk, serve: Any) -> None:
    socket = await serve(silent)
    await desk.start(socket.url, BY_REST)
    assert PLACE.socket is not None
    odd = attrs.evolve(PLACE, socket=attrs.evolve(PLACE.socket, method="cannot be written"))
    assert await desk.get(odd) == "by REST"
    assert socket.peers[0].received == []
    await desk.run.stop()


@pytest.mark.parametrize("error", ["OrderRefused", "InsufficientFunds", "AuthenticationError", "OutcomeUnknown"])
async def test_an_error_is_raised_inside_of_the_flow(desk: Desk, serve: Any, error: str) -> None:
    socket = await serve(answering({"error": error}))
    await desk.start(socket.url)
    with pytest.raises(getattr(errors, error), match="the venue said no") as caught:
        await desk.get()
    assert caught.value.venue == "testex"
    assert desk.http.requests == []
    await desk.run.stop()


async def test_an_answer_that_cannot_be_read_leaves_a_write_unknown(desk: Desk, serve: Any) -> None:
    socket = await serve(answering({"error": "ProtocolError"}))
    await desk.start(socket.url)
    with pytest.raises(OutcomeUnknown, match="it may have been carried out"):
        await desk.get()
    assert desk.http.requests == []
    await desk.run.stop()


async def test_a_session_that_is_gone_sends_the_request_over_rest(desk: Desk, serve: Any) -> None:
    """It was not looked at, so that this is its first time."""
    socket = await serve(answering({"error": "ConnectFailed"}))
    await desk.start(socket.url, BY_REST)
    assert await desk.get() == "by REST"
    await desk.run.stop()


async def test_a_lockout_silences_both_ways(desk: Desk, serve: Any) -> None:
    socket = await serve(answering({"error": "LockedOut"}))
    await desk.start(socket.url)
    with pytest.raises(LockedOut, match="the venue said no"):
        await desk.get()
    with pytest.raises(LockedOut, match="nothing is sent"):
        await desk.get()
    assert len(socket.peers[0].received) == 1
    assert desk.http.requests == []
    await desk.run.stop()


@pytest.mark.parametrize("error", ["ProtocolError", "VenueUnavailable", "RateLimited", "OutcomeUnknown"])
async def test_a_read_that_fails_is_asked_over_rest(desk: Desk, serve: Any, error: str) -> None:
    socket = await serve(answering({"error": error}))
    await desk.start(socket.url, BY_REST)
    assert await desk.get(READ) == "by REST"
    await desk.run.stop()


# Left, and no answer.


async def test_a_write_without_an_answer_is_unknown_and_sent_no_second_time(desk: Desk, serve: Any) -> None:
    socket = await serve(silent)
    await desk.start(socket.url)
    asked = desk.ask()
    await desk.settle()
    await desk.seconds(4)
    assert not asked.done()
    await desk.seconds(2)
    with pytest.raises(OutcomeUnknown, match="no answer on the public connection in time; it may have been"):
        await asked
    assert len(socket.peers[0].received) == 1
    assert desk.http.requests == []
    await desk.run.stop()


async def test_a_write_whose_connection_is_lost_is_unknown(desk: Desk, serve: Any) -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.receive()
        peer.abort()

    socket = await serve(hang_up)
    await desk.start(socket.url)
    with pytest.raises(OutcomeUnknown, match="connection was lost before an answer came"):
        await desk.get()
    assert desk.http.requests == []
    await desk.run.stop()


async def test_after_a_silence_requests_go_over_rest_until_the_connection_answers(desk: Desk, serve: Any) -> None:
    late = asyncio.Event()

    async def slow(peer: Peer) -> None:
        first = json.loads(await peer.receive())
        await late.wait()
        await peer.send(json.dumps({"answers": first["number"]}))
        await answering({"value": "quick"})(peer)

    socket = await serve(slow)
    await desk.start(socket.url, BY_REST)
    asked = desk.ask()
    await desk.settle()
    await desk.seconds(6)
    with pytest.raises(OutcomeUnknown):
        await asked
    assert await desk.get() == "by REST"
    late.set()
    await desk.run.until(lambda: any(isinstance(event, Answered) for event in desk.run.events))
    assert await desk.get() == "quick"
    await desk.run.stop()


async def test_the_silence_is_forgiven_after_a_while(desk: Desk, serve: Any) -> None:
    async def once_deaf(peer: Peer) -> None:
        await peer.receive()
        await answering({"value": "back"})(peer)

    socket = await serve(once_deaf)
    await desk.start(socket.url)
    asked = desk.ask()
    await desk.settle()
    await desk.seconds(6)
    with pytest.raises(OutcomeUnknown):
        await asked
    await desk.clock.advance(DISTRUST)
    assert await desk.get() == "back"
    await desk.run.stop()


@pytest.mark.parametrize("said", [{"value": "V1"}, {"error": "OrderRefused"}])
async def test_an_answer_that_comes_late_is_told_once(desk: Desk, serve: Any, said: dict[str, Any]) -> None:
    late = asyncio.Event()
    told: list[Answered] = []

    async def slow(peer: Peer) -> None:
        number = json.loads(await peer.receive())["number"]
        await late.wait()
        await peer.send(*[json.dumps({"answers": number, **said})] * 2)
        await peer.until_gone()

    socket = await serve(slow)
    await desk.start(socket.url)
    asked = desk.ask(late=lambda call, event: told.append(event))
    await desk.settle()
    await desk.seconds(6)
    with pytest.raises(OutcomeUnknown):
        await asked
    assert told == []
    late.set()
    await desk.run.until(lambda: len(desk.run.events) == 2)
    assert [(event.value, type(event.error).__name__) for event in told] == [
        (said.get("value"), said.get("error", "NoneType"))
    ]
    await desk.run.stop()


async def test_a_late_answer_that_cannot_be_used_does_not_end_the_connection(
    desk: Desk, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    late = asyncio.Event()

    async def slow(peer: Peer) -> None:
        number = json.loads(await peer.receive())["number"]
        await late.wait()
        await peer.send(json.dumps({"answers": number}))
        await answering({"value": "alive"})(peer)

    def broken(call: RestCall, event: Answered) -> None:
        raise ZeroDivisionError

    socket = await serve(slow)
    await desk.start(socket.url)
    asked = desk.ask(late=broken)
    await desk.settle()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    late.set()
    await desk.run.until(lambda: desk.run.events)
    assert await desk.get() == "alive"
    assert "a late answer could not be used" in caplog.text
    await desk.run.stop()


async def test_answers_come_in_any_order_and_strange_ones_are_no_harm(desk: Desk, serve: Any) -> None:
    async def shuffled(peer: Peer) -> None:
        asked = [json.loads(await peer.receive()) for _ in range(3)]
        for one in reversed(asked):
            said = {"answers": one["number"], "value": one["id"]}
            await peer.send(json.dumps({"answers": 99}), *[json.dumps(said)] * 2)
        await peer.until_gone()

    socket = await serve(shuffled)
    await desk.start(socket.url)
    assert await asyncio.gather(*(desk.get(place(number)) for number in (7, 8, 9))) == [7, 8, 9]
    await desk.run.stop()


# Never left.


async def test_what_waits_when_the_connection_is_lost_goes_over_rest(desk: Desk, serve: Any) -> None:
    """One frame a second leaves: the first one did, and the second one provably did not."""

    async def hang_up(peer: Peer) -> None:
        await peer.receive()
        peer.abort()

    socket = await serve(hang_up)
    await desk.start(socket.url, BY_REST, frames_per_second=1.0)
    first, second = desk.ask(place(1)), desk.ask(place(2))
    assert await second == "by REST"
    with pytest.raises(OutcomeUnknown):
        await first
    assert len(socket.peers[0].received) == 1
    assert len(desk.http.requests) == 1
    await desk.run.stop()


async def test_what_waits_for_too_long_goes_over_rest(desk: Desk, serve: Any) -> None:
    socket = await serve(answering({"value": "V1"}))
    await desk.start(socket.url, BY_REST, frames_per_second=1 / 3)
    assert await desk.get(place(1)) == "V1"
    second = desk.ask(place(2))
    await desk.settle()
    await desk.seconds(int(LONGEST_QUEUE) + 1)
    assert await second == "by REST"
    await desk.seconds(10)
    assert len(socket.peers[0].received) == 1
    await desk.run.stop()


async def test_many_at_once_take_both_ways_and_each_goes_once(desk: Desk, serve: Any) -> None:
    async def accept(peer: Peer) -> None:
        while True:
            asked = json.loads(await peer.receive())
            await peer.send(json.dumps({"answers": asked["number"], "value": asked["id"]}))

    socket = await serve(accept)
    await desk.start(socket.url, *[BY_REST] * 1000, frames_per_second=50.0)
    tasks = [desk.ask(place(number)) for number in range(1000)]
    while not all(task.done() for task in tasks):
        await desk.clock.advance(0.02)
        await asyncio.sleep(0)
    results = await asyncio.gather(*tasks)
    by_socket = [json.loads(frame)["id"] for frame in socket.peers[0].received]
    assert [result for result in results if result != "by REST"] == by_socket
    assert 50 <= len(by_socket) <= 60
    assert len(by_socket) + len(desk.http.requests) == 1000
    await desk.run.stop()


async def test_cancels_go_first_then_orders_then_subscriptions(desk: Desk, serve: Any) -> None:
    async def accept(peer: Peer) -> None:
        while True:
            asked = json.loads(await peer.receive())
            if "number" in asked:
                await peer.send(json.dumps({"answers": asked["number"]}))

    socket = await serve(accept)
    await desk.start(socket.url, frames_per_second=4.0)
    desk.run.runner.subscribe(Subscription(Channel.TICKER, Symbol.parse(f"A{n}/USD")) for n in range(500))
    await desk.settle()
    tasks = [desk.ask(place(1)), desk.ask(place(2)), desk.ask(cancel(3))]
    await desk.settle()
    for _ in range(6):
        await desk.clock.advance(1)
        await desk.settle()
    await asyncio.gather(*tasks)
    sent = [json.loads(frame) for frame in socket.peers[0].received]
    assert ["subscribe" if "subscribe" in frame else frame["id"] for frame in sent[:8]] == [
        *["subscribe"] * 4,
        3,
        1,
        2,
        "subscribe",
    ]
    await desk.run.stop()


async def test_what_nothing_holds_back_leaves_in_the_same_breath(desk: Desk, serve: Any) -> None:
    """Who gives up in the very next moment gives up on what has left."""
    socket = await serve(silent)
    told: list[Answered] = []
    await desk.start(socket.url)
    await desk.settle()
    asked = desk.ask(late=lambda call, event: told.append(event))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await desk.settle()
    assert [json.loads(frame)["id"] for frame in socket.peers[0].received] == ["c1"]
    assert desk.http.requests == []
    await socket.peers[0].send(json.dumps({"answers": 1, "value": "V1"}))
    await desk.run.until(lambda: told)
    assert told == [Answered(request_id=1, value="V1")]
    await desk.run.stop()


# Giving up, and closing.


async def test_who_gives_up_in_the_queue_takes_the_request_back(desk: Desk, serve: Any) -> None:
    socket = await serve(answering({"value": 1}, {"value": 3}))
    await desk.start(socket.url, frames_per_second=1.0)
    assert await desk.get(place(1)) == 1
    second = desk.ask(place(2))
    await desk.settle()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    third = desk.ask(place(3))
    await desk.seconds(1)
    assert await third == 3
    assert [json.loads(frame)["id"] for frame in socket.peers[0].received] == [1, 3]
    await desk.run.stop()


async def test_who_gives_up_after_sending_still_hears_of_it(desk: Desk, serve: Any) -> None:
    told: list[Answered] = []
    go_on = asyncio.Event()

    async def slow(peer: Peer) -> None:
        number = json.loads(await peer.receive())["number"]
        await go_on.wait()
        await peer.send(json.dumps({"answers": number, "error": "OrderRefused"}))
        await peer.until_gone()

    socket = await serve(slow)
    await desk.start(socket.url)
    asked = desk.ask(late=lambda call, event: told.append(event))
    await desk.settle()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    go_on.set()
    await desk.run.until(lambda: told)
    assert isinstance(told[0].error, OrderRefused)
    await desk.run.stop()


async def test_nothing_more_goes_out_when_the_connection_is_closed_by_us(desk: Desk, serve: Any) -> None:
    """What left is unknown; what did not, did not happen, and is not sent over REST while all is being closed."""
    socket = await serve(silent)
    await desk.start(socket.url, frames_per_second=1.0)
    first, second = desk.ask(place(1)), desk.ask(place(2))
    await desk.settle()
    await desk.run.stop()
    with pytest.raises(OutcomeUnknown):
        await first
    with pytest.raises(ConnectFailed, match="nothing was sent"):
        await second
    assert desk.http.requests == []


async def test_a_socket_call_is_counted_like_any_other_and_takes_no_nonce_turn(
    desk: Desk, serve: Any, new_signer: Any
) -> None:
    socket = await serve(answering(*[{"value": n} for n in range(4)]))
    limits = Limits(limiters={"calls": DecayingCounter(maximum=5, decay=1, reserve=1)})
    await desk.start(socket.url, limits=limits, signer=new_signer(needs_nonce=True))
    turn = await desk.client.gate.enter((), in_turn=True)
    assert [await desk.get(place(n)) for n in range(4)] == [0, 1, 2, 3]
    waiting = desk.ask(place(9))
    await desk.settle()
    assert len(socket.peers[0].received) == 4
    assert not waiting.done()
    waiting.cancel()
    turn.release()
    await desk.run.stop()


async def test_a_refusal_for_the_limit_holds_both_ways_back(desk: Desk, serve: Any) -> None:
    socket = await serve(answering({"error": "RateLimited"}))
    limits = Limits(limiters={"calls": DecayingCounter(maximum=50, decay=1)})
    await desk.start(socket.url, limits=limits)
    with pytest.raises(RateLimited, match="the venue said no"):
        await desk.get()
    with pytest.raises(RateLimited, match="nothing was sent"):
        await desk.get()
    assert desk.http.requests == []
    await desk.run.stop()


async def test_the_way_is_told_in_the_log(desk: Desk, serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "exchange_core.transport")
    socket = await serve(answering({"value": "V1"}))
    await desk.start(socket.url)
    await desk.get()
    assert "place on the public feed: answered in" in caplog.text
    await desk.run.stop()


# What an error says of the writes before it.


async def test_an_error_names_the_writes_that_were_done_before_it(desk: Desk, serve: Any) -> None:
    def two(first: RestCall, second: RestCall) -> Flow[None]:
        yield first
        yield second

    socket = await serve(answering({"value": "V1"}, {"error": "OrderRefused"}))
    await desk.start(socket.url)
    with pytest.raises(OrderRefused) as caught:
        await desk.drive(desk.client.run(two(place(1), place(2))))
    assert caught.value.done == (("POST /place", "V1"),)
    assert caught.value.__notes__ == ["done before this, and not undone: POST /place"]
    await desk.run.stop()


async def test_what_a_flow_makes_of_its_last_answer_is_about_that(desk: Desk, serve: Any) -> None:
    """An answer may be the refusal itself: that write was not done."""

    def refused() -> Flow[None]:
        status = yield place(1)
        raise OrderRefused(status)

    socket = await serve(answering({"value": "would take"}))
    await desk.start(socket.url)
    with pytest.raises(OrderRefused, match="would take") as caught:
        await desk.client.run(refused())
    assert caught.value.done == ()
    await desk.run.stop()


async def test_a_failure_after_a_write_leaves_it_unknown_and_says_what_was_done(desk: Desk, serve: Any) -> None:
    def then_read() -> Flow[None]:
        yield place(1)
        raise ProtocolError("the answer makes no sense")

    socket = await serve(answering({"value": "V1"}))
    await desk.start(socket.url)
    with pytest.raises(OutcomeUnknown) as caught:
        await desk.client.run(then_read())
    assert caught.value.done == (("POST /place", "V1"),)
    assert isinstance(caught.value, ExchangeError)
    await desk.run.stop()


async def test_a_reads_late_answer_is_nobodys_business(desk: Desk, serve: Any) -> None:
    """It was asked over REST; what it says now must not be taken for a word on a write."""
    late = asyncio.Event()
    told: list[Answered] = []

    async def slow(peer: Peer) -> None:
        number = json.loads(await peer.receive())["number"]
        await late.wait()
        await peer.send(json.dumps({"answers": number, "error": "RateLimited"}))
        await peer.until_gone()

    socket = await serve(slow)
    await desk.start(socket.url, BY_REST)
    asked = desk.ask(READ, late=lambda call, event: told.append(event))
    await desk.settle()
    await desk.seconds(6)
    assert await asked == "by REST"
    late.set()
    await desk.run.until(lambda: desk.run.events)
    assert told == []
    await desk.run.stop()
