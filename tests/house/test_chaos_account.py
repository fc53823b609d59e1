"""However often the private feed is lost, every fill is delivered once and every order comes to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import attrs
import pytest

from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderStatus
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.tally import Tally
from exchange_core.simulator.launch import ACCOUNT
from exchange_core.venue.protocol import EventStream
from tests.house.chaos import KINDS, QUICK, SPOT, WITHIN, FastClock, House, Kind, house, until
from tests.house.chaos_line import PATIENT, agrees, told

kinds = pytest.mark.parametrize("kind", KINDS, ids=str)
LOT = Decimal("0.001")


@asynccontextmanager
async def away(home: House) -> AsyncIterator[None]:
    """Cut the private feed with the next news of the account, and keep it away for the length of the block."""
    shut = home.strike(actions.DropRequest(), websocket="open")
    cut = home.strike(actions.Cut(), websocket="out", contains=NEWS[home.kind.plugin])
    yield
    await until(lambda: shut.fired)
    home.faults.remove(cut)
    home.faults.remove(shut)


NEWS = {
    "kraken_spot": ('"channel":"executions"', '"type":"update"'),
    "kraken_futures": ('"feed":"fills"',),
}


FROZEN = {"kraken_spot": ('"channel":"executions"',), "kraken_futures": ('"feed":"fills"', '"feed":"open_orders')}
AUDITED = attrs.evolve(QUICK, audit=0.3)


async def read(stream: EventStream[Fill], count: int) -> list[str]:
    async with asyncio.timeout(WITHIN):
        return [(await anext(stream)).id for _ in range(count)]


async def nothing_more(home: House, stream: EventStream[Fill]) -> None:
    """Prove that no more fills come: the next one to come is the next one to happen."""
    marker = await home.venue.place(home.market("0.001"))
    async with asyncio.timeout(WITHIN):
        assert (await anext(stream)).venue_order_id == marker.venue_order_id


@kinds
async def test_fills_made_while_the_feed_was_away_are_delivered_once_after_it_is_back(kind: Kind) -> None:
    async with house(kind) as home, home.venue.fill_updates() as fills:
        await home.follow()
        order = await home.venue.place(home.best("0.01"))
        home.trade_against(order, LOT)
        assert await read(fills, 1) == [home.fills[0].id]
        before = home.venue.fills_complete_until
        async with away(home):
            for _ in range(4):
                home.trade_against(order, LOT)
        assert await read(fills, 4) == [fill.id for fill in home.fills[1:]]
        home.trade_against(order, LOT)
        assert await read(fills, 1) == [home.fills[5].id]
        await nothing_more(home, fills)
        after = home.venue.fills_complete_until
        assert before is not None
        assert after is not None
        assert after > before
        assert after >= home.fills[4].time
        assert (await home.venue.order(order)).filled == 6 * LOT


@kinds
async def test_while_the_feed_is_away_the_record_does_not_claim_to_be_complete(kind: Kind) -> None:
    async with house(kind) as home:
        await home.follow()
        order = await home.venue.place(home.best("0.01"))
        async with away(home):
            home.trade_against(order, LOT)
            await until(lambda: home.venue.health().feeds["private"].state != "open")
            claimed = home.venue.fills_complete_until
            home.trade_against(order, LOT)
            assert claimed == home.venue.fills_complete_until
            assert claimed is not None
            assert claimed < home.fills[1].time
        await home.complete_past(home.fills[1].time)
        assert (await home.venue.order(order)).filled == 2 * LOT


@kinds
async def test_a_feed_that_is_cut_again_and_again_loses_and_repeats_nothing(kind: Kind) -> None:
    async with house(kind) as home, home.venue.fill_updates() as fills:
        await home.follow()
        order = await home.venue.place(home.best("0.02"))
        opened = home.count(websocket="open")
        home.strike(actions.Cut(), websocket="out", contains=NEWS[kind.plugin], every=2, times=4)
        for count in range(1, 11):
            home.trade_against(order, LOT)
            assert await read(fills, 1) == [home.fills[count - 1].id]
        await nothing_more(home, fills)
        assert opened.matched >= 2


@kinds
async def test_orders_that_ended_while_the_feed_was_away_end_here_too(kind: Kind) -> None:
    async with house(kind) as home, home.venue.order_updates() as news:
        await home.follow()
        filled = await home.venue.place(home.best("0.005"))
        canceled = await home.venue.place(home.resting())
        stays = await home.venue.place(home.resting(below=2000))
        async with away(home):
            home.trade_against(filled, filled.quantity)
            home.running.exchange.cancel(ACCOUNT, canceled.venue_order_id or "")
        ends: dict[str | None, Order] = {}
        async with asyncio.timeout(WITHIN):
            while len(ends) < 2:
                each = await anext(news)
                if each.is_final:
                    ends[each.venue_order_id] = each
        assert ends[filled.venue_order_id].status is OrderStatus.FILLED
        assert ends[canceled.venue_order_id].status is OrderStatus.CANCELED
        assert [order.venue_order_id for order in await home.venue.open_orders()] == [stays.venue_order_id]
        assert (await home.venue.order(stays)).status is OrderStatus.OPEN


@kinds
async def test_a_feed_that_only_beats_any_more_costs_no_fill_and_no_end(kind: Kind) -> None:
    """Heartbeats go on, acknowledged subscriptions fall silent: nothing shows it but asking."""
    async with house(kind, policy=AUDITED) as home, home.venue.fill_updates() as fills:
        await home.follow()
        for feed in FROZEN[kind.plugin]:
            home.strike(actions.Drop(), websocket="out", contains=feed)
        order = await home.venue.place(home.best("0.002"))
        async with home.venue.order_updates() as orders:
            home.trade_against(order, LOT)
            assert await read(fills, 1) == [home.fills[0].id]
            home.trade_against(order, LOT)
            assert await read(fills, 1) == [home.fills[1].id]
            async with asyncio.timeout(WITHIN):
                while not (ended := await anext(orders)).is_final:
                    pass
        assert ended.filled == 2 * LOT
        await home.complete_past(home.fills[-1].time)


SUBSCRIBED = {
    "kraken_spot": ('"method":"subscribe"', '"channel":"executions"'),
    "kraken_futures": ('"event":"subscribed"', '"feed":"open_orders'),
}


@kinds
@pytest.mark.parametrize("where", ["the answer", "the request"])
async def test_a_venue_that_never_answers_the_subscription_to_orders_is_not_given_up(kind: Kind, where: str) -> None:
    """Nobody may be left with an order whose end is never told."""
    way, words = ("out", SUBSCRIBED[kind.plugin])
    if where == "the request":
        way, words = "in", ('"subscribe"', words[-1])
    async with house(kind, clock=FastClock(100), policy=PATIENT, order_deadline=0) as home, told(home):
        await home.follow()
        lost = home.strike(actions.Drop(), websocket=way, contains=words)
        home.strike(actions.Cut(), websocket="out", contains=NEWS[kind.plugin], times=1)
        order = await home.venue.place(home.market())
        async with asyncio.timeout(WITHIN):
            await lost.until_fired(7)  # of three connections at least
        home.faults.clear()
        assert (await home.ended(order)).status is OrderStatus.FILLED
        await home.complete_past(home.clock.now())
        await agrees(home)
    assert not home.notes


@kinds
async def test_ten_minutes_without_an_answer_end_no_stream_and_neither_lose_nor_double_a_fill(kind: Kind) -> None:
    """The record claims nothing meanwhile; fills that audits find are told, and not told again when it is over."""
    clock, policy = FastClock(100), attrs.evolve(PATIENT, audit=60)
    # A busy machine may take half a second for what the clock here takes for a minute.
    calm = {"stale_after": 60.0, "order_deadline": 0}
    async with house(kind, clock=clock, policy=policy, **calm) as home, home.venue.fill_updates() as fills:
        await home.follow()
        order = await home.venue.place(home.best("0.01"))
        home.trade_against(order, LOT)
        assert await read(fills, 1) == [home.fills[0].id]
        for feed in FROZEN[kind.plugin]:
            home.strike(actions.Drop(), websocket="in", contains=('"subscribe"', feed))
        home.strike(actions.Cut(), websocket="out", contains=NEWS[kind.plugin], times=1)
        home.trade_against(order, LOT)
        await until(lambda: not is_served(home))
        began, claimed = clock.now(), home.venue.fills_complete_until
        home.trade_against(order, LOT)
        assert await read(fills, 2) == [fill.id for fill in home.fills[1:]]
        await until(lambda: clock.now() - began > timedelta(minutes=10))
        health = home.venue.health()
        assert (is_served(home), health.account_error) == (False, None)
        assert health.feeds["private"].losses > 5
        assert home.venue.fills_complete_until == claimed
        home.trade_against(order, LOT)
        home.faults.clear()
        assert await read(fills, 1) == [home.fills[3].id]
        await until(lambda: is_served(home))
        await home.complete_past(home.fills[3].time)
        await nothing_more(home, fills)


def is_served(home: House) -> bool:
    """Return whether the venue has acknowledged all that is wanted of the account."""
    feed = home.venue.health().feeds["private"]
    return feed.state == "open" and not feed.unanswered


@kinds
async def test_each_connection_has_a_token_or_challenge_of_its_own(kind: Kind) -> None:
    async with house(kind, policy=AUDITED) as home:
        await home.follow()
        order = await home.venue.place(home.best("0.01"))
        opened = home.count(websocket="open")
        home.strike(actions.Cut(), websocket="out", contains=NEWS[kind.plugin], times=2)
        for number in (1, 2):
            home.trade_against(order, LOT)
            async with asyncio.timeout(WITHIN):
                await opened.until_matched(number)
            await until(lambda: home.venue.health().feeds["private"].state == "open")
            await home.complete_past(home.fills[-1].time)
        sent = [json.loads(text) for name, way, text in home.frames if (name, way) == ("private", "out")]
        proofs = [
            frame.get("original_challenge") or frame.get("params", {}).get("token")
            for frame in sent
            if "original_challenge" in frame or "token" in frame.get("params", {})
        ]
        assert len(dict.fromkeys(proofs)) == 3
        # None comes back once another was in use.
        assert [proof for n, proof in enumerate(proofs) if n == 0 or proofs[n - 1] != proof] == list(
            dict.fromkeys(proofs)
        )


async def test_a_token_that_is_refused_is_replaced() -> None:
    stale = actions.Answer(body='{"error":[],"result":{"token":"long-gone","expires":900}}')
    async with house(SPOT, clock=FastClock(10)) as home, home.venue.fill_updates() as fills:
        tokens = home.strike(stale, http="/0/private/GetWebSocketsToken", times=1)
        await home.follow()
        await home.venue.place(home.market())
        assert await read(fills, 1) == [home.fills[0].id]
        assert (tokens.fired, tokens.matched) == (1, 2)


@pytest.mark.parametrize(
    "action",
    [actions.Drop(), actions.Duplicate(), actions.Swap(), actions.Truncate(), actions.Corrupt("sequence")],
    ids=lambda action: action.word,
)
async def test_executions_that_are_lost_repeated_or_damaged_on_the_way_are_delivered_once(
    action: actions.Action,
) -> None:
    async with house(SPOT) as home, home.venue.fill_updates() as fills:
        await home.follow()
        order = await home.venue.place(home.best("0.01"))
        home.strike(action, websocket="out", contains=(*NEWS["kraken_spot"], '"exec_type":"trade"'), times=1)
        for _ in range(3):
            home.trade_against(order, LOT)
        assert sorted(await read(fills, 3)) == sorted(fill.id for fill in home.fills)
        await nothing_more(home, fills)


@kinds
async def test_a_last_fill_whose_message_cannot_be_read_is_delivered_all_the_same(kind: Kind) -> None:
    async with house(kind) as home, home.venue.fill_updates() as fills:
        await home.follow()
        order = await home.venue.place(home.best("0.001"))
        broken: Tally = home.strike(actions.Truncate(), websocket="out", contains=NEWS[kind.plugin])
        home.trade_against(order, LOT)
        assert await read(fills, 1) == [home.fills[0].id]
        assert broken.fired >= 1
