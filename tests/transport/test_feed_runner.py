import asyncio
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.errors import AuthenticationError, BadRequest, ConfigError, LockedOut, TransportError
from exchange_core.model.event import (
    BookDesynced,
    Channel,
    Event,
    Ignored,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    Unrecognised,
)
from exchange_core.model.symbol import Symbol
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.http import ScriptedHttp, answer
from exchange_core.testing.websocket import LoopbackSocket, Peer
from exchange_core.transport.backoff import ConnectBudget
from exchange_core.transport.feed_runner import UNREADABLE_IN_A_ROW, FeedPhase
from exchange_core.transport.rest_client import RestClient

pytestmark = pytest.mark.usefixtures("watched")

New = Callable[..., Any]
BTC = Subscription(Channel.TICKER, Symbol.parse("BTC/USD"))
ETH = Subscription(Channel.TICKER, Symbol.parse("ETH/USD"))


def say(what: str, value: object) -> str:
    return json.dumps({what: value})


async def acknowledge(peer: Peer) -> None:
    """Answer subscriptions as a good venue does."""
    while True:
        asked = json.loads(await peer.receive())
        if "subscribe" in asked:
            await peer.send(say("ack", asked["subscribe"]), say("price", asked["subscribe"]))


async def silence(peer: Peer) -> None:
    await peer.until_gone()


async def wait_out(run: Any, clock: ManualClock) -> float:
    """Let the wait before the next attempt pass; return how long it was."""
    await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
    await clock.until_asleep()
    wait: float = run.runner.state.retry_in
    await clock.advance(wait)
    return wait


def kinds(run: Any) -> list[str]:
    return [event.kind for event in run.events if isinstance(event, Ignored)]


# Connected.


async def test_what_is_wanted_is_asked_for_acknowledged_and_published(new_run: New, new_feed: New) -> None:
    async with LoopbackSocket(acknowledge) as server:
        run = new_run(server.url, new_feed())
        run.runner.subscribe([BTC])
        await run.runner.confirmed(BTC)
        await run.until(lambda: "price ticker BTC/USD" in kinds(run))
        assert Subscribed(subscription=BTC) in run.events
        await run.stop()


async def test_subscribing_at_run_time_wakes_the_sender(new_run: New, new_feed: New) -> None:
    async with LoopbackSocket(acknowledge) as server:
        run = new_run(server.url, new_feed())
        await run.until(lambda: run.runner.state.phase is FeedPhase.OPEN)
        run.runner.subscribe([BTC, ETH])
        await asyncio.gather(run.runner.confirmed(BTC), run.runner.confirmed(ETH))
        run.runner.unsubscribe([ETH])
        run.runner.subscribe([ETH])
        await run.runner.confirmed(ETH)
        await run.stop()
    assert server.peers[0].received == [
        say("subscribe", "ticker BTC/USD"),
        say("subscribe", "ticker ETH/USD"),
        say("unsubscribe", "ticker ETH/USD"),
        say("subscribe", "ticker ETH/USD"),
    ]


async def test_an_answer_that_a_frame_calls_for_is_sent(new_run: New, new_feed: New) -> None:
    done = asyncio.Event()

    async def ask(peer: Peer) -> None:
        await peer.send(say("ping", 7))
        assert await peer.receive() == say("pong", 7)
        done.set()
        await peer.until_gone()

    async with LoopbackSocket(ask) as server:
        run = new_run(server.url, new_feed())
        await asyncio.wait_for(done.wait(), 5)
        await run.stop()


async def test_requests_are_paced(new_run: New, new_feed: New, clock: ManualClock) -> None:
    arrived = asyncio.Event()

    async def collect(peer: Peer) -> None:
        while True:
            await peer.receive()
            arrived.set()

    wanted = [Subscription(Channel.TICKER, Symbol.parse(f"A{n}/USD")) for n in range(5)]
    async with LoopbackSocket(collect) as server:
        run = new_run(server.url, new_feed(), clock=clock, frames_per_second=2.0)
        run.runner.subscribe(wanted)
        # Two within any second, at once.
        for count in (2, 4, 5):
            while len(server.peers) < 1 or len(server.peers[0].received) < count:
                arrived.clear()
                await asyncio.wait_for(arrived.wait(), 5)
            await clock.until_asleep(2 if count < 5 else 1)
            await clock.advance(0.99)
            assert len(server.peers[0].received) == count
            await clock.advance(0.01)
        await run.stop()


async def test_time_passes_for_a_feed_once_a_second(new_run: New, new_feed: New, clock: ManualClock) -> None:
    async with LoopbackSocket(silence) as server:
        run = new_run(server.url, feed := new_feed(stale_after=60), clock=clock)
        await clock.until_asleep()
        await clock.advance(5)
        assert feed.calls == ["opened", *["tick"] * 5]
        await run.stop()


async def test_the_tap_sees_both_directions(new_run: New, new_feed: New, clock: ManualClock) -> None:
    seen: list[tuple[str, str | bytes, float]] = []
    async with LoopbackSocket(acknowledge) as server:
        run = new_run(server.url, new_feed(), clock=clock, tap=lambda *frame: seen.append(frame))
        run.runner.subscribe([BTC])
        await run.runner.confirmed(BTC)
        await run.stop()
    now = clock.now().timestamp()
    assert seen[:2] == [
        ("out", say("subscribe", "ticker BTC/USD"), now),
        ("in", say("ack", "ticker BTC/USD").encode(), now),
    ]


# Confirmations.


async def test_a_refusal_reaches_who_waits_with_the_venues_reason(new_run: New, new_feed: New) -> None:
    async def refuse(peer: Peer) -> None:
        asked = json.loads(await peer.receive())
        await peer.send(say("refuse", asked["subscribe"]))
        await peer.until_gone()

    async with LoopbackSocket(refuse) as server:
        run = new_run(server.url, new_feed())
        run.runner.subscribe([BTC])
        with pytest.raises(BadRequest, match="testex: ticker BTC/USD: no such pair") as caught:
            await run.runner.confirmed(BTC)
        assert caught.value.codes == ("E1",)
        with pytest.raises(BadRequest, match="no such pair"):
            await run.runner.confirmed(BTC)
        await run.stop()


async def test_a_refusal_ends_only_its_own_wait(new_run: New, new_feed: New) -> None:
    async def script(peer: Peer) -> None:
        first = json.loads(await peer.receive())["subscribe"]
        second = json.loads(await peer.receive())["subscribe"]
        await peer.send(say("refuse", first), say("ack", second))
        await peer.until_gone()

    async with LoopbackSocket(script) as server:
        run = new_run(server.url, new_feed())
        run.runner.subscribe([BTC, ETH])
        results = await asyncio.gather(run.runner.confirmed(BTC), run.runner.confirmed(ETH), return_exceptions=True)
        assert isinstance(results[0], BadRequest)
        assert results[1] is None
        await run.stop()


async def test_a_subscription_that_nobody_answers_is_told(new_run: New, new_feed: New) -> None:
    async with LoopbackSocket(silence) as server:
        run = new_run(server.url, new_feed())
        run.runner.subscribe([BTC])
        with pytest.raises(TransportError, match=r"ticker BTC/USD: the venue did not acknowledge it within 0\.05 s"):
            await run.runner.confirmed(BTC, 0.05)
        await run.stop()


async def test_the_feeds_own_patience_ends_the_wait(new_run: New, new_feed: New, clock: ManualClock) -> None:
    async with LoopbackSocket(silence) as server:
        run = new_run(server.url, new_feed(stale_after=60), clock=clock)
        run.runner.subscribe([BTC])
        waiting = asyncio.create_task(run.runner.confirmed(BTC))
        await run.until(lambda: run.runner.state.phase is FeedPhase.OPEN)
        await clock.until_asleep(1)
        await clock.advance(6)
        with pytest.raises(BadRequest, match="no acknowledgement in time"):
            await waiting
        assert SubscriptionRefused(subscription=BTC, reason="no acknowledgement in time") in run.events
        await run.stop()


async def test_who_waits_learns_that_the_feed_was_stopped(new_run: New, new_feed: New) -> None:
    async with LoopbackSocket(silence) as server:
        run = new_run(server.url, new_feed())
        run.runner.subscribe([BTC])
        waiting = asyncio.create_task(run.runner.confirmed(BTC))
        await server.until_peers(1)
        await run.stop()
        with pytest.raises(TransportError, match="stopped"):
            await waiting


# Connections end, and come back.


@pytest.mark.parametrize("how", ["close", "abort", "return"])
@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_whenever_the_venue_drops_us_we_come_back_and_ask_again(
    new_run: New, new_feed: New, clock: ManualClock, how: str, after: int
) -> None:
    """The venue goes away after the handshake, the subscription, its acknowledgement, or the first data."""

    async def drop_the_first(peer: Peer) -> None:
        if peer.number > 1:
            await acknowledge(peer)
        if after > 0:
            await peer.receive()
        if after > 1:
            await peer.send(say("ack", "ticker BTC/USD"))
        if after > 2:
            await peer.send(say("price", "once"))
        if how == "close":
            await peer.close(1001, "proxy restarting")
        elif how == "abort":
            peer.abort()

    async with LoopbackSocket(drop_the_first) as server:
        run = new_run(server.url, feed := new_feed(), clock=clock)
        run.runner.subscribe([BTC])
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        assert feed.calls[-1] == "closed"
        assert any(isinstance(event, BookDesynced) for event in run.events)
        assert not feed.is_active(BTC)
        await clock.until_asleep()
        await clock.advance(1)
        await run.until(lambda: "price ticker BTC/USD" in kinds(run))
        assert feed.is_active(BTC)
        assert run.runner.connections == 2
        await run.stop()


async def test_the_reason_of_a_loss_is_told(new_run: New, new_feed: New, clock: ManualClock) -> None:
    async def leave(peer: Peer) -> None:
        await peer.close(1001, "CloudFlare WebSocket proxy restarting")

    async with LoopbackSocket(leave) as server:
        run = new_run(server.url, new_feed(), clock=clock)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        await run.stop()
    phases = [state.phase for state in run.states]
    assert phases[:3] == [FeedPhase.CONNECTING, FeedPhase.OPEN, FeedPhase.WAITING]
    assert phases[-1] is FeedPhase.CLOSED
    assert "1001 CloudFlare WebSocket proxy restarting" in run.states[2].reason
    assert 0.25 <= run.states[2].retry_in <= 0.5


async def test_a_venue_that_goes_silent_is_left(new_run: New, new_feed: New, clock: ManualClock) -> None:
    """It neither answers pings nor the goodbye, so the socket is closed without waiting."""

    async def deaf(peer: Peer) -> None:
        await peer.receive()
        peer.deafen()
        await gone.wait()
        peer.abort()

    gone = asyncio.Event()
    async with LoopbackSocket(deaf) as server:
        run = new_run(server.url, new_feed(stale_after=10), clock=clock)
        run.runner.subscribe([BTC])
        await server.until_peers(1)
        await clock.until_asleep(1)
        began = time.monotonic()
        await clock.advance(10)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        assert time.monotonic() - began < 1
        assert "nothing came for 10 s" in run.runner.state.reason
        gone.set()
        await run.stop()


async def test_a_venue_that_is_down_is_tried_again_and_again(new_run: New, new_feed: New, clock: ManualClock) -> None:
    async with LoopbackSocket(silence) as server:
        url = server.url
    run = new_run(url, new_feed(), clock=clock)
    waits = [await wait_out(run, clock) for _ in range(6)]
    assert waits[0] <= 0.5
    assert 4 <= waits[4] <= 8
    assert run.runner.connections == 0
    await run.stop()


async def test_after_a_good_while_the_first_wait_is_short_again(
    new_run: New, new_feed: New, clock: ManualClock
) -> None:
    leave = asyncio.Event()

    async def stay_at_the_fourth(peer: Peer) -> None:
        if peer.number == 4:
            await leave.wait()

    async with LoopbackSocket(stay_at_the_fourth) as server:
        run = new_run(server.url, new_feed(stale_after=1000), clock=clock)
        waits = [await wait_out(run, clock) for _ in range(3)]
        await server.until_peers(4)
        await run.until(lambda: run.runner.state.phase is FeedPhase.OPEN)
        await clock.until_asleep()
        await clock.advance(61)
        leave.set()
        assert waits[2] >= 1
        assert await wait_out(run, clock) <= 0.5
        await run.stop()


async def test_the_connect_budget_is_never_overrun(new_run: New, new_feed: New, clock: ManualClock) -> None:
    async def leave(peer: Peer) -> None:
        """Go at once."""

    async with LoopbackSocket(leave) as server:
        run = new_run(server.url, new_feed(), clock=clock, budget=ConnectBudget(3, 600.0))
        for _ in range(3):
            await wait_out(run, clock)
        assert "3 connection attempts were made" in run.runner.state.reason
        assert 590 < run.runner.state.retry_in < 600
        await clock.advance(590)
        assert len(server.peers) == 3
        await clock.advance(10)
        await server.until_peers(4)
        await run.stop()


# Bad frames.


async def test_an_unreadable_frame_is_reported_and_the_connection_goes_on(new_run: New, new_feed: New) -> None:
    async def babble(peer: Peer) -> None:
        await peer.send("not json", "[]", '{"a":1,"b":2}', b"\xff\xfe", "", say("price", 1))
        await peer.until_gone()

    async with LoopbackSocket(babble) as server:
        run = new_run(server.url, new_feed())
        await run.until(lambda: "price 1" in kinds(run))
        assert run.runner.unreadable == 5
        assert [e.kind for e in run.events if isinstance(e, Unrecognised)] == ["unreadable frame"] * 5
        assert run.runner.connections == 1
        await run.stop()


async def test_nothing_but_unreadable_frames_is_a_reason_to_reconnect(
    new_run: New, new_feed: New, clock: ManualClock
) -> None:
    async def babble(peer: Peer) -> None:
        await peer.send(*["garbage"] * (UNREADABLE_IN_A_ROW + 5))
        await peer.until_gone()

    async with LoopbackSocket(babble) as server:
        run = new_run(server.url, new_feed(), clock=clock)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        assert run.runner.unreadable == UNREADABLE_IN_A_ROW
        assert "20 frames in a row could not be read" in run.runner.state.reason
        await run.stop()


async def test_a_plugins_mistake_is_raised_and_the_socket_closed(new_run: New, new_feed: New) -> None:
    async def crash(peer: Peer) -> None:
        await peer.send(say("crash", "the feed"), say("price", "never"))
        await peer.until_gone()

    async with LoopbackSocket(crash) as server:
        run = new_run(server.url, feed := new_feed())
        with pytest.raises(KeyError, match="the feed"):
            await asyncio.wait_for(run.task, 5)
        assert feed.calls[-1] == "closed"
        assert "price never" not in kinds(run)


async def test_a_consumers_mistake_is_raised(new_run: New, new_feed: New) -> None:
    async def speak(peer: Peer) -> None:
        await peer.send(say("price", 1))
        await peer.until_gone()

    def publish(event: Event) -> None:
        if isinstance(event, Ignored):
            raise ZeroDivisionError

    async with LoopbackSocket(speak) as server:
        run = new_run(server.url, new_feed(), publish=publish)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(run.task, 5)


# Logging in.


def login() -> Flow[str]:
    return (yield RestCall(method="POST", path="/token", private=True))


async def test_each_connection_has_a_fresh_credential(
    new_run: New, new_feed: New, new_client: Callable[..., RestClient], clock: ManualClock
) -> None:
    async def drop_the_first(peer: Peer) -> None:
        if peer.number > 1:
            await peer.until_gone()

    http = ScriptedHttp(answer({"result": "token 1"}), answer({"result": "token 2"}))
    async with LoopbackSocket(drop_the_first) as server, new_client(http=http.transport) as rest:
        run = new_run(server.url, feed := new_feed(login), rest, clock=clock)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        await clock.until_asleep()
        await clock.advance(1)
        await run.until(lambda: run.runner.connections == 2)
        assert feed.credentials == ["token 1", "token 2"]
        await run.stop()


async def test_a_refused_login_is_not_tried_again(
    new_run: New, new_feed: New, new_client: Callable[..., RestClient]
) -> None:
    http = ScriptedHttp(answer({"error": "AuthenticationError", "codes": ["EAPI:Invalid key"]}))
    async with LoopbackSocket(silence) as server, new_client(http=http.transport) as rest:
        run = new_run(server.url, new_feed(login), rest)
        waiting = asyncio.create_task(run.runner.confirmed(BTC))
        with pytest.raises(AuthenticationError):
            await asyncio.wait_for(run.task, 5)
        with pytest.raises(TransportError, match="the public feed ended: the venue said no"):
            await waiting
        assert not server.peers


@pytest.mark.parametrize(
    "first",
    [
        answer({"error": "VenueUnavailable"}, 503),
        answer("<html>"),
        answer({"error": "NonceRejected"}),
        answer({"error": "BadRequest"}),
    ],
)
async def test_other_trouble_at_login_is_waited_out(
    new_run: New, new_feed: New, new_client: Callable[..., RestClient], clock: ManualClock, first: Any
) -> None:
    http = ScriptedHttp(first, answer({"result": "token"}))
    async with LoopbackSocket(silence) as server, new_client(http=http.transport, retries=0) as rest:
        run = new_run(server.url, new_feed(login), rest, clock=clock)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        await clock.until_asleep()
        await clock.advance(1)
        await run.until(lambda: run.runner.state.phase is FeedPhase.OPEN)
        await run.stop()


async def test_a_lockout_at_login_is_waited_out_in_full(
    new_run: New, new_feed: New, new_client: Callable[..., RestClient], clock: ManualClock
) -> None:
    http = ScriptedHttp(answer({"error": "LockedOut", "retry_after": 900.0}), answer({"result": "token"}))
    async with LoopbackSocket(silence) as server, new_client(http=http.transport, clock=clock) as rest:
        run = new_run(server.url, new_feed(login), rest, clock=clock)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        assert run.runner.state.retry_in == 900
        await run.stop()


async def test_a_lockout_that_a_connection_tells_of_silences_calls_and_logins_too(
    new_run: New, new_feed: New, new_client: Callable[..., RestClient], clock: ManualClock
) -> None:
    async def lock_out(peer: Peer) -> None:
        await peer.send(say("lockout", 900))
        await peer.until_gone()

    http = ScriptedHttp(answer({"result": "token"}))
    async with LoopbackSocket(lock_out) as server, new_client(http=http.transport, clock=clock) as rest:
        run = new_run(server.url, new_feed(login), rest, clock=clock)
        await run.until(lambda: rest.locked_until is not None)
        assert rest.locked_until == clock.now() + timedelta(seconds=900)
        with pytest.raises(LockedOut):
            await rest.run(login())
        server.peers[0].abort()
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        await clock.until_asleep()
        await clock.advance(1)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING and run.runner.state.retry_in > 890)
        assert len(http.requests) == 1
        await run.stop()


async def test_a_login_without_a_client_says_so(new_run: New, new_feed: New) -> None:
    run = new_run("ws://127.0.0.1:1", new_feed(login))
    with pytest.raises(ConfigError, match="logs in over REST"):
        await run.task


async def test_a_feed_without_an_address_says_so(new_run: New, new_feed: New) -> None:
    run = new_run("", new_feed())
    with pytest.raises(ConfigError, match=r"testex: ws_url is ''; expected an address such as wss://host"):
        await run.task


# Stopping.


async def test_stopping_says_goodbye(new_run: New, new_feed: New) -> None:
    async with LoopbackSocket(silence) as server:
        run = new_run(server.url, feed := new_feed())
        await run.until(lambda: run.runner.state.phase is FeedPhase.OPEN)
        await run.stop()
        assert run.task.cancelled()
        assert server.peers[0].close_code == 1000
    assert feed.calls[-1] == "closed"


async def test_stopping_does_not_wait_long_for_a_deaf_venue(
    new_run: New, new_feed: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange_core.transport.connection.CLOSE_WITHIN", 0.05)

    async def deaf(peer: Peer) -> None:
        peer.deafen()
        await gone.wait()
        peer.abort()

    gone = asyncio.Event()
    async with LoopbackSocket(deaf) as server:
        run = new_run(server.url, new_feed())
        await run.until(lambda: run.runner.state.phase is FeedPhase.OPEN)
        await server.until_peers(1)
        await asyncio.wait_for(run.stop(), 2)
        gone.set()


@pytest.mark.parametrize("moment", range(1, 14))
async def test_stopping_at_any_moment_leaves_nothing_behind(new_run: New, new_feed: New, moment: int) -> None:
    """Cancelled while it connects, opens, sends or receives: the fixture finds what is left."""
    async with LoopbackSocket(acknowledge) as server:
        run = new_run(server.url, new_feed())
        run.runner.subscribe([BTC])
        for _ in range(moment):
            await asyncio.sleep(0)
        await run.stop()
        assert run.runner.state.phase is FeedPhase.CLOSED


async def test_a_burst_is_published_whole_and_in_order(new_run: New, new_feed: New) -> None:
    async def blast(peer: Peer) -> None:
        await peer.receive()
        await peer.send(*[say("n", number) for number in range(2000)])
        await peer.until_gone()

    async with LoopbackSocket(blast) as server:
        run = new_run(server.url, new_feed())
        run.runner.subscribe([BTC])
        await run.until(lambda: len(kinds(run)) >= 2000)
        assert kinds(run) == [f"n {number}" for number in range(2000)]
        await run.stop()
