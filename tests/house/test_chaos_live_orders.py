"""Orders over the private connection of a venue whose frames get lost: each is sent once, and its fate is true."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from exchange_core.model.order import Order, OrderStatus
from exchange_core.simulator import faults_actions as actions
from exchange_core.venue.resolver import ResolvePolicy
from tests.house.chaos import NOTHING, SPOT, FastClock, House, house, until

ASKING = ResolvePolicy(margin=1.0, lag=1.0, longest_pause=2.0, wait=90.0)
OPTIONS: dict[str, Any] = {"order_entry": "auto", "request_timeout": 2.0}


def asked(home: House) -> tuple[Any, Any]:
    """Count orders by the way they take."""
    return home.count(websocket="in", contains='"add_order"'), home.count(http=SPOT.place)


async def test_an_order_goes_over_the_connection_and_its_end_too() -> None:
    async with house(SPOT, **OPTIONS) as home:
        await home.follow()
        by_frame, by_rest = asked(home)
        order = await home.venue.place(home.resting())
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED
        assert (by_frame.matched, by_rest.matched) == (1, 0)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"action": actions.Drop(), "websocket": "out", "contains": '"method":"add_order"'}, id="answer"),
        pytest.param({"action": actions.Cut(), "websocket": "out", "contains": '"method":"add_order"'}, id="line"),
    ],
)
async def test_an_order_whose_answer_is_lost_is_found_and_was_sent_once(fault: dict[str, Any]) -> None:
    async with house(SPOT, clock=FastClock(10), policy=ASKING, **OPTIONS) as home:
        await home.follow()
        by_frame, by_rest = asked(home)
        home.strike(fault.pop("action"), times=1, **fault)
        order = await home.venue.place(home.resting())
        await until(lambda: not home.venue.health().unknown_orders)
        assert (await home.venue.order(order)).status is OrderStatus.OPEN
        assert home.one_order().request.client_order_id == order.client_order_id
        assert (by_frame.matched, by_rest.matched) == (1, 0)


@pytest.mark.parametrize("action", [actions.Drop(), actions.Cut()], ids=["request", "line"])
async def test_an_order_that_never_arrived_is_reported_as_not_executed_and_takes_no_other_way(
    action: actions.Action,
) -> None:
    async with house(SPOT, clock=FastClock(10), policy=ASKING, **OPTIONS) as home:
        await home.follow()
        by_rest = home.count(http=SPOT.place)
        home.strike(action, websocket="in", contains='"add_order"', times=1)
        order = await home.venue.place(home.resting())
        assert (order.unknown, order.status, order.filled) == (False, OrderStatus.REJECTED, NOTHING)
        assert "never arrived" in (order.reason or "")
        assert (by_rest.matched, list(home.orders)) == (0, [])


async def test_of_many_each_is_sent_once_and_known_whatever_happens_to_the_line() -> None:
    async with house(SPOT, clock=FastClock(10), policy=ASKING, **OPTIONS) as home:
        await home.follow()
        home.strike(actions.Drop(), websocket="out", contains='"method":"add_order"', chance=0.2)
        home.strike(actions.Drop(), websocket="in", contains='"add_order"', chance=0.1)
        home.strike(actions.Cut(), websocket="in", contains='"add_order"', every=9)
        home.strike(actions.DropAnswer(), http=SPOT.place, chance=0.1)
        placed = await asyncio.gather(*(home.venue.place(home.resting()) for _ in range(30)))
        await until(lambda: not home.venue.health().unknown_orders)
        known = [await home.venue.order(order) for order in placed]
        sent = Counter(order.request.client_order_id for order in home.orders)
        assert set(sent.values()) <= {1}
        for order in known:
            assert isinstance(order, Order)
            assert (order.client_order_id in sent) is (order.status is OrderStatus.OPEN), order
