"""An order is sent once, whatever becomes of its answer, and what is said of it in the end is true."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import ExchangeError, NonceRejected, OrderRefused, RateLimited
from exchange_core.model.order import OrderStatus
from exchange_core.simulator.faults import actions
from exchange_core.venue.resolver import ResolvePolicy
from tests.house.chaos import FUTURES, KINDS, NOTHING, SPOT, FastClock, House, Kind, house, until

kinds = pytest.mark.parametrize("kind", KINDS, ids=str)
feeds = pytest.mark.parametrize("is_followed", [False, True], ids=["private feed down", "private feed up"])

ASKING = ResolvePolicy(margin=1.0, lag=1.0, longest_pause=2.0, wait=90.0)


def says(body: str, *, acts: bool = False, status: int = 200) -> actions.Answer:
    return actions.Answer(status, body, acts=acts)


LOST: dict[str, Callable[[Kind], actions.Action]] = {
    "answer dropped": lambda kind: actions.DropAnswer(),
    "answer cut": lambda kind: actions.CutAnswer(),
    "bad gateway": lambda kind: actions.BadGateway(acts=True),
    "unavailable": lambda kind: says(kind.unavailable, acts=True),
    "nonsense": lambda kind: says("{]", acts=True),
    "no more than null": lambda kind: says("null", acts=True),
}
NEVER_ARRIVED: dict[str, Callable[[Kind], actions.Action]] = {
    "request dropped": lambda kind: actions.DropRequest(),
    "bad gateway": lambda kind: actions.BadGateway(),
    "unavailable": lambda kind: says(kind.unavailable),
}


async def prepare(home: House, is_followed: bool) -> None:
    """Have the account followed live, or make sure that it cannot be."""
    if is_followed:
        await home.follow()
    else:
        home.strike(actions.DropRequest(), websocket="open")


@kinds
@feeds
async def test_an_order_whose_answer_is_lost_is_found_and_was_sent_once(kind: Kind, is_followed: bool) -> None:
    async with house(kind) as home:
        await prepare(home, is_followed)
        for what, fault in LOST.items():
            before = {order.id for order in home.orders}
            tries = home.count(http=kind.place)
            broken = home.strike(fault(kind), http=kind.place)
            order = await home.venue.place(home.market())
            (sent,) = (order for order in home.orders if order.id not in before)
            assert (tries.matched, broken.fired) == (1, 1), what
            assert (order.unknown, order.status, order.filled) == (False, OrderStatus.FILLED, Decimal("0.01")), what
            assert (order.venue_order_id, order.client_order_id) == (sent.id, sent.request.client_order_id), what
            home.faults.remove(tries)
            home.faults.remove(broken)
        assert sum(fill.quantity for fill in home.fills) == len(LOST) * Decimal("0.01")
        assert not home.venue.health().unknown_orders


@kinds
@feeds
async def test_a_resting_order_whose_answer_is_lost_is_found_and_was_sent_once(kind: Kind, is_followed: bool) -> None:
    async with house(kind) as home:
        await prepare(home, is_followed)
        home.strike(actions.DropAnswer(), http=kind.place)
        order = await home.venue.place(home.resting())
        assert (order.unknown, order.status, order.filled) == (False, OrderStatus.OPEN, NOTHING)
        assert order.venue_order_id == home.one_order().id


@kinds
@feeds
async def test_an_order_whose_answer_takes_too_long_is_found_and_was_sent_once(kind: Kind, is_followed: bool) -> None:
    async with house(kind, request_timeout=0.3) as home:
        await prepare(home, is_followed)
        sent = home.count(http=kind.place)
        home.strike(actions.DelayAnswer(60), http=kind.place)
        order = await home.venue.place(home.market())
        assert (order.unknown, order.status, sent.matched) == (False, OrderStatus.FILLED, 1)
        assert order.venue_order_id == home.one_order().id


@kinds
async def test_an_order_that_never_arrived_is_reported_as_not_executed(kind: Kind) -> None:
    async with house(kind, clock=FastClock(20), policy=ASKING) as home:
        sent = home.count(http=kind.place)
        for fault in NEVER_ARRIVED.values():
            home.strike(fault(kind), http=kind.place, times=1)
        orders = await asyncio.gather(*(home.venue.place(home.market()) for _ in NEVER_ARRIVED))
        for order in orders:
            assert (order.unknown, order.status, order.filled) == (False, OrderStatus.REJECTED, NOTHING)
            assert "never arrived" in (order.reason or "")
        assert (sent.matched, list(home.orders)) == (len(NEVER_ARRIVED), [])


async def test_an_order_that_arrives_while_it_is_being_asked_for_is_found() -> None:
    async with house(FUTURES, request_timeout=0.3, use_nonce=False) as home:
        sent = home.count(http=FUTURES.place)
        home.strike(actions.DelayRequest(0.5), http=FUTURES.place)
        order = await home.venue.place(home.market())
        assert (order.unknown, order.status, sent.matched) == (False, OrderStatus.FILLED, 1)
        assert order.venue_order_id == home.one_order().id


async def test_asking_for_an_order_overtakes_it_so_that_its_nonce_is_too_low() -> None:
    async with house(SPOT, clock=FastClock(10), policy=ASKING, request_timeout=0.2) as home:
        late = home.strike(actions.DelayRequest(4), http=SPOT.place)
        order = await home.venue.place(home.market())
        assert (order.unknown, order.status, late.fired) == (False, OrderStatus.REJECTED, 1)
        assert list(home.orders) == []


@kinds
async def test_an_order_that_arrives_after_its_deadline_does_not_happen(kind: Kind) -> None:
    options: dict[str, Any] = {} if kind is SPOT else {"use_nonce": False}
    patient = ResolvePolicy(first_pause=7.0, margin=1.0, lag=1.0)
    async with house(kind, clock=FastClock(20), policy=patient, request_timeout=0.2, **options) as home:
        late = home.strike(actions.DelayRequest(6), http=kind.place)
        order = await home.venue.place(home.market())
        assert (order.unknown, order.status, late.fired) == (False, OrderStatus.REJECTED, 1)
        assert list(home.orders) == []


@kinds
async def test_an_order_that_cannot_be_asked_for_stays_unknown_until_it_can(kind: Kind) -> None:
    async with house(kind) as home:
        home.strike(actions.DropRequest(), websocket="open")
        home.strike(actions.DropAnswer(), http=kind.place)
        deaf = home.strike(actions.BadGateway(), http="*", lacks="instruments")
        placing = asyncio.create_task(home.venue.place(home.market()))
        async with asyncio.timeout(5):
            await deaf.until_fired(3)
        assert not placing.done()
        (unknown,) = home.venue.health().unknown_orders
        assert unknown.status is OrderStatus.PENDING
        home.faults.remove(deaf)
        order = await placing
        assert (order.unknown, order.status) == (False, OrderStatus.FILLED)
        home.one_order()


@kinds
async def test_a_caller_that_gives_up_does_not_lose_the_order(kind: Kind) -> None:
    async with house(kind) as home:
        slow = home.strike(actions.DelayAnswer(60), http=kind.place)
        placing = asyncio.create_task(home.venue.place(home.market()))
        async with asyncio.timeout(5):
            await slow.until_fired()
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        (sent,) = home.orders
        await until(lambda: not home.venue.health().unknown_orders)
        order = await home.venue.order(sent.request.client_order_id or "")
        assert order.status is OrderStatus.FILLED
        assert home.one_order().id == order.venue_order_id


REFUSALS = [
    (SPOT, '{"error":["EOrder:Rate limit exceeded"]}', 200, RateLimited),
    (SPOT, '{"error":["EAPI:Rate limit exceeded"]}', 200, RateLimited),
    (SPOT, '{"error":["EAPI:Invalid nonce"]}', 200, NonceRejected),
    (SPOT, '{"error":["EService:Market in cancel_only mode"]}', 200, OrderRefused),
    (FUTURES, '{"result":"error","error":"apiLimitExceeded","serverTime":"2026-11-24T08:00:00Z"}', 200, RateLimited),
    (
        FUTURES,
        '{"result":"error","error":"nonceBelowThreshold","serverTime":"2026-11-24T08:00:00Z"}',
        200,
        NonceRejected,
    ),
    (FUTURES, '{"result":"error","error":"marketUnavailable","serverTime":"2026-11-24T08:00:00Z"}', 200, OrderRefused),
]


@pytest.mark.parametrize(("kind", "body", "status", "error"), REFUSALS)
async def test_a_plain_no_is_raised_at_once_and_nothing_is_sent_again(
    kind: Kind, body: str, status: int, error: type[ExchangeError]
) -> None:
    async with house(kind) as home:
        sent = home.count(http=kind.place)
        home.strike(says(body, status=status), http=kind.place, times=1)
        with pytest.raises(error):
            await home.venue.place(home.market())
        assert (sent.matched, list(home.orders)) == (1, [])
        assert not home.venue.health().unknown_orders


@kinds
async def test_an_order_that_a_proxy_sends_twice_happens_once(kind: Kind) -> None:
    async with house(kind) as home:
        home.strike(actions.DuplicateRequest(), http=kind.place)
        order = await home.venue.place(home.market())
        assert order.venue_order_id == home.one_order().id


async def test_without_nonces_the_client_id_keeps_a_repeated_order_from_happening_twice() -> None:
    async with house(FUTURES, use_nonce=False) as home:
        home.strike(actions.DuplicateRequest(), http=FUTURES.place)
        order = await home.venue.place(home.resting())
        assert order.venue_order_id == home.one_order().id


@kinds
async def test_many_orders_over_a_bad_line_are_all_certain_and_none_is_sent_twice(kind: Kind) -> None:
    async with house(kind, clock=FastClock(20), policy=ASKING, order_deadline=15.0) as home:
        sent = home.count(http=kind.place)
        for action in (actions.DropAnswer(), actions.DropRequest(), actions.BadGateway(acts=True), actions.CutAnswer()):
            home.strike(action, http=kind.place, chance=0.2)
        home.strike(actions.DropAnswer(), http="*", chance=0.1)
        orders = await asyncio.gather(*(home.venue.place(home.market("0.001")) for _ in range(12)))
        assert not any(order.unknown for order in orders)
        orders = [await home.ended(order) for order in orders]
        done = {order.venue_order_id for order in orders if order.status is OrderStatus.FILLED}
        assert done == {order.id for order in home.orders}
        assert {order.status for order in orders} <= {OrderStatus.FILLED, OrderStatus.REJECTED}
        assert sum(fill.quantity for fill in home.fills) == sum(order.filled for order in orders)
        assert sent.matched == 12
        home.running.exchange.check_invariants()
