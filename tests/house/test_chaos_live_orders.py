"""Orders over the private connection of a venue whose frames get lost: each is sent once, and its fate is true."""

import asyncio
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import ExchangeError, InsufficientFunds, OrderRefused
from exchange_core.model.order import Order, OrderStatus
from exchange_core.simulator.faults import actions
from tests.house.chaos import NOTHING, SPOT, FastClock, house, until
from tests.house.chaos_line import (
    ARRIVES,
    LINE_FAULTS,
    NEVER_ARRIVES,
    ON_LINE,
    PATIENT,
    SPEED,
    LineFault,
    agrees,
    named,
    on_line,
    standing,
    ways,
)

TOO_LATE = LineFault("request after its deadline", actions.Delay(5), "in", False)
LOST, DUPLICATE, CUT, NOT_SENT = map(
    named, ("answer dropped", "answer twice", "line cut before the answer", "line cut before the request")
)
TOKEN = "/0/private/GetWebSocketsToken"

every_fault = pytest.mark.parametrize("fault", [*LINE_FAULTS, TOO_LATE], ids=str)


async def test_an_order_goes_over_the_connection_and_its_end_too() -> None:
    async with on_line() as home:
        adding, canceling = ways(home, "add_order"), ways(home, "cancel_order")
        order = await home.venue.place(home.resting())
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED
        assert (adding.sent, canceling.sent) == ((1, 0), (1, 0))


@every_fault
async def test_a_resting_order_is_sent_once_and_its_fate_is_true(fault: LineFault) -> None:
    async with on_line() as home:
        adding = ways(home, "add_order")
        struck = fault.strike(home, "add_order")
        order = await home.venue.place(home.resting())
        assert struck.fired == 1
        assert (order.unknown, order.filled) == (False, NOTHING)
        assert order.status is (OrderStatus.OPEN if fault.arrives else OrderStatus.REJECTED) or is_young(order)
        assert adding.sent == (1, 0)
        assert len(home.orders) == fault.arrives
        if not fault.arrives:
            assert "never arrived" in (order.reason or "")


# A frame comes but once; here the venue would take it for a second order, as the id is free again.
@pytest.mark.parametrize("fault", [*(each for each in ARRIVES if each.name != "request twice")], ids=str)
async def test_a_taking_order_is_filled_once_and_every_fill_is_told_once(fault: LineFault) -> None:
    async with on_line() as home:
        adding = ways(home, "add_order")
        fault.strike(home, "add_order")
        order = await home.venue.place(home.market())
        order = await home.ended(order)
        assert order.status is OrderStatus.FILLED
        assert sum(fill.quantity for fill in home.fills) == order.filled == Decimal("0.01")
        assert adding.sent == (1, 0)


@pytest.mark.parametrize("nth", [1, 2])
async def test_news_of_an_order_may_come_before_its_answer_or_after(nth: int) -> None:
    async with on_line() as home:
        struck = home.strike(actions.Swap(), websocket="out", contains='"order_id"', nth=nth)
        order = await home.ended(await home.venue.place(home.market()))
        assert (order.status, struck.fired) == (OrderStatus.FILLED, 1)
        assert home.one_order().id == order.venue_order_id


async def test_a_line_that_is_gone_before_the_order_has_it_sent_over_rest_at_once() -> None:
    async with on_line() as home:
        adding = ways(home, "add_order")
        home.strike(actions.DropRequest(), websocket="open")
        home.strike(actions.Cut(), websocket="out", times=1)
        await until(lambda: home.venue.health().feeds["private"].state != "open")
        order = await home.venue.place(home.resting())
        assert (order.unknown, adding.sent) == (False, (0, 1))
        assert home.one_order().request.client_order_id == order.client_order_id


async def test_without_a_token_orders_go_over_rest() -> None:
    async with house(SPOT, clock=FastClock(SPEED), policy=PATIENT, **ON_LINE) as home:
        no_token = home.strike(actions.BadGateway(), http=TOKEN)
        adding = ways(home, "add_order")
        orders = [await home.venue.place(home.resting(below=1000 + n)) for n in range(2)]
        await until(lambda: no_token.fired)
        assert adding.sent == (0, 2)
        assert standing(home) == {order.venue_order_id for order in orders}
        home.faults.remove(no_token)
        await home.follow()
        await home.venue.place(home.resting())
        assert adding.sent == (1, 2)
        await agrees(home)


async def test_an_order_for_which_the_session_is_lost_goes_over_rest_with_the_same_id_and_the_next_over_a_new_one() -> (
    None
):
    async with on_line() as home:
        adding, opened = ways(home, "add_order"), home.count(websocket="open")
        lost = home.strike(actions.Replace('"token":"', '"token":"old'), websocket="in", contains="add_order", times=1)
        order = await home.venue.place(home.resting())
        assert (order.unknown, lost.fired, adding.sent) == (False, 1, (1, 1))
        assert home.one_order().request.client_order_id == order.client_order_id
        await until(lambda: opened.matched and home.venue.health().feeds["private"].state == "open")
        await until(lambda: home.venue._parts.rest._carriers["private"].can_ask())
        await home.venue.place(home.resting(below=2000))
        assert adding.sent == (2, 1)


@pytest.mark.parametrize("fault", [LOST, CUT, NOT_SENT], ids=str)
async def test_while_rest_fails_too_an_order_is_unknown_and_then_certain(fault: LineFault) -> None:
    async with on_line() as home:
        adding = ways(home, "add_order")
        mute = home.strike(actions.Drop(), websocket="out", contains="executions")
        deaf = home.strike(actions.BadGateway(), http="/0/private/*")
        fault.strike(home, "add_order")
        placing = asyncio.create_task(home.venue.place(home.market()))
        async with asyncio.timeout(5):
            await deaf.until_fired(4)
        assert not placing.done()
        (unknown,) = home.venue.health().unknown_orders
        assert unknown.status is OrderStatus.PENDING
        home.faults.remove(deaf)
        home.faults.remove(mute)
        order = await placing
        assert order.status is (OrderStatus.FILLED if fault.arrives else OrderStatus.REJECTED)
        assert (order.unknown, adding.sent) == (False, (1, 0))


async def test_what_the_venue_took_and_refused_at_once_ends_without_a_fill() -> None:
    """An order that may only rest is answered with an id, announced on the feed, and canceled."""
    async with on_line() as home:
        crossing = attrs.evolve(home.resting(below=-5000), post_only=True)
        for fault in (None, DUPLICATE, LOST):
            struck = fault and fault.strike(home, "add_order")
            order = await home.ended(await home.venue.place(crossing))
            assert (order.status, order.filled, order.unknown) == (OrderStatus.CANCELED, NOTHING, False)
            assert struck is None or struck.fired == 1
        assert list(home.orders) == []


async def test_a_plain_no_is_raised_at_once_and_nothing_is_sent_again() -> None:
    async with on_line() as home:
        adding = ways(home, "add_order")
        with pytest.raises(InsufficientFunds):
            await home.venue.place(home.resting(quantity="900"))
        assert (adding.sent, list(home.orders)) == ((1, 0), [])


async def test_a_no_that_comes_late_ends_the_asking() -> None:
    async with on_line() as home:
        adding = ways(home, "add_order")
        home.strike(actions.Delay(3.2), websocket="out", contains='"method":"add_order"', times=1)
        with pytest.raises(ExchangeError) as caught:
            raise_refused(await home.venue.place(home.resting(quantity="900")))
        assert "never arrived" not in str(caught.value)
        assert (adding.sent, list(home.orders)) == ((1, 0), [])


async def test_a_caller_that_gives_up_does_not_lose_the_order() -> None:
    async with on_line() as home:
        slow = home.strike(actions.Drop(), websocket="out", contains='"method":"add_order"')
        mute = home.strike(actions.Drop(), websocket="out", contains="executions")
        placing = asyncio.create_task(home.venue.place(home.market()))
        async with asyncio.timeout(5):
            await slow.until_fired()
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        home.faults.remove(mute)
        (sent,) = home.orders
        await until(lambda: not home.venue.health().unknown_orders)
        order = await home.venue.order(sent.request.client_order_id or "")
        assert (order.status, order.venue_order_id) == (OrderStatus.FILLED, home.one_order().id)


@pytest.mark.parametrize("fault", [LOST, CUT, NEVER_ARRIVES[0]], ids=str)
async def test_of_a_batch_each_order_is_sent_once_and_its_fate_is_true(fault: LineFault) -> None:
    async with on_line() as home:
        adding = ways(home, "batch_add")
        struck = fault.strike(home, "batch_add")
        placed = await home.venue.place_all([home.resting(), home.resting(below=1500), home.market()])
        orders = [each for each in placed if isinstance(each, Order)]
        assert (len(orders), struck.fired, adding.sent) == (3, 1, (1, 0))
        await until(lambda: not home.venue.health().unknown_orders)
        assert len(home.orders) == 3 * fault.arrives
        assert (await home.ended(orders[2])).status is (OrderStatus.FILLED if fault.arrives else OrderStatus.REJECTED)


async def test_of_many_each_is_sent_once_and_known_whatever_happens_to_the_line() -> None:
    async with on_line(order_deadline=8.0) as home:
        home.strike(actions.Drop(), websocket="out", contains='"method":"add_order"', chance=0.2)
        home.strike(actions.Drop(), websocket="in", contains='"add_order"', chance=0.1)
        home.strike(actions.Cut(), websocket="in", contains='"add_order"', every=9)
        home.strike(actions.DropAnswer(), http=SPOT.place, chance=0.1)
        placed = await asyncio.gather(*(home.venue.place(home.resting()) for _ in range(30)))
        assert all(isinstance(order, Order) for order in placed)


def is_young(order: Order) -> bool:
    """Whether it was answered, and no news of it came yet."""
    return order.status is OrderStatus.PENDING and order.venue_order_id is not None


def raise_refused(order: Order) -> Any:
    assert order.status is OrderStatus.REJECTED
    raise OrderRefused(order.reason or "")
