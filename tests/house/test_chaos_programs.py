"""Several programs on one account, with one key or a key each: clear errors, no order twice, one truth for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.clock import SystemClock
from exchange_core.errors import NonceRejected, OrderRefused
from exchange_core.model.order import Order, OrderStatus
from exchange_core.simulator.faults import actions
from exchange_core.simulator.launch import ACCOUNT
from exchange_core.transport.nonces import NonceSource
from tests.house.chaos import KINDS, SPOT, House, Kind, house, until
from tests.house.chaos_line import agrees, named, standing, told, ways

kinds = pytest.mark.parametrize("kind", KINDS, ids=str)
LOT = Decimal("0.001")
LIVE: dict[str, Any] = {"order_entry": "auto", "request_timeout": 0.5}


@asynccontextmanager
async def another_key(home: House, name: str = "second") -> AsyncIterator[House]:
    """Connect once more to the same account, with a key of its own."""
    assert SPOT.spec.simulator is not None
    secret = SPOT.spec.simulator.secret(home.running.exchange.random)
    home.running.exchange.add_key(ACCOUNT, name, secret)
    async with home.again(api_key=name, api_secret=secret) as other:
        yield other


# One key


@kinds
async def test_two_programs_with_one_key_spoil_each_other_s_nonces_but_never_double_an_order(kind: Kind) -> None:
    async with house(kind) as home, home.again() as other:
        orders, refused = await race(home, other)
        assert {type(each) for each in refused} <= {NonceRejected}
        assert {order.venue_order_id for order in orders} == {order.id for order in home.orders}
        assert sum(fill.quantity for fill in home.fills) == len(orders) * LOT
        home.running.exchange.check_invariants()


async def test_over_their_connections_two_programs_with_one_key_need_no_nonces() -> None:
    async with house(SPOT, **LIVE) as home, home.again() as other, told(home), told(other):
        await home.follow()
        await other.follow()
        sent = ways(home, "add_order")
        orders, refused = await race(home, other)
        assert (refused, sent.sent) == ([], (16, 0))
        assert {order.venue_order_id for order in orders} == {order.id for order in home.orders}
        for each in (home, other):
            await agrees(each)


async def test_a_program_whose_nonces_are_behind_trades_over_its_connection_and_is_told_over_rest() -> None:
    ahead = NonceSource(SystemClock(), last=4 * 10**18)
    async with house(SPOT, **LIVE) as home, home.again(nonces=ahead) as other:
        await home.follow()
        await other.venue.balances()
        order = await home.venue.place(home.resting())
        with pytest.raises(NonceRejected):
            await home.venue.open_orders()
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED
        named("answer dropped").strike(home, "add_order")
        # The feed tells of it, though nothing can be asked for.
        lost = await home.venue.place(home.resting(below=2000))
        assert (lost.unknown, standing(home)) == (False, {lost.venue_order_id})
        # The line, on which one was not answered, is not trusted just now, and the other way is shut.
        with pytest.raises(NonceRejected):
            await home.venue.cancel(lost)
        assert standing(home) == {lost.venue_order_id}


@kinds
async def test_a_program_whose_nonces_are_behind_is_told_so_and_nothing_of_it_happens(kind: Kind) -> None:
    ahead = NonceSource(SystemClock(), last=4 * 10**18)
    async with house(kind) as home, home.again(nonces=ahead) as other:
        first = await other.venue.place(other.market())
        for _ in range(2):
            with pytest.raises(NonceRejected):
                await home.venue.place(home.market())
        assert [order.id for order in home.orders] == [first.venue_order_id]
        assert home.venue.health().unknown_orders == ()


@kinds
async def test_an_order_lost_among_spoilt_nonces_is_found_all_the_same(kind: Kind) -> None:
    async with house(kind) as home, home.again() as other:
        home.strike(actions.DropAnswer(), http=kind.place, times=1)
        placing = asyncio.create_task(home.venue.place(home.market()))
        await until(lambda: home.orders)
        for _ in range(5):
            await asyncio.gather(other.venue.balances(), return_exceptions=True)
        order = await placing
        assert (order.unknown, order.status) == (False, OrderStatus.FILLED)
        home.one_order()


# A key each


@pytest.mark.parametrize("way", ["rest", "auto"])
async def test_two_programs_with_a_key_each_do_not_disturb_each_other_and_know_the_same(way: str) -> None:
    options = LIVE | {"order_entry": way}
    async with house(SPOT, **options) as home, another_key(home) as other, told(home), told(other):
        await home.follow()
        await other.follow()
        orders, refused = await race(home, other)
        resting = await home.venue.place(home.resting())
        assert refused == []
        assert len({order.venue_order_id for order in orders}) == 16 == len(home.orders) - 1
        await until(lambda: other.venue._parts.tracker.get(resting.venue_order_id or "") is not None)
        assert (await other.venue.cancel(resting.venue_order_id or "")).status is OrderStatus.CANCELED
        for each in (home, other):
            await agrees(each)
        assert (await home.venue.order(resting)).status is OrderStatus.CANCELED


async def test_one_client_id_in_two_programs_is_one_order() -> None:
    """The second is refused, or told of the order that has the id."""
    async with house(SPOT, **LIVE) as home, another_key(home) as other, told(home), told(other):
        await home.follow()
        await other.follow()
        request = attrs.evolve(home.resting(), client_order_id="6d1b345e-2821-40e2-ad83-4ecb18a06876")
        placing = (each.venue.place(request) for each in (home, other))
        results = await asyncio.gather(*placing, return_exceptions=True)
        found = {each.venue_order_id for each in results if isinstance(each, Order)}
        assert all(isinstance(each, Order | OrderRefused) for each in results)
        assert found == standing(home) == {home.one_order("0.01").id}
        for each in (home, other):
            await agrees(each)


async def test_an_order_whose_line_is_cut_is_not_taken_for_another_program_s() -> None:
    async with house(SPOT, **LIVE) as home, another_key(home) as other, told(home), told(other):
        await home.follow()
        await other.follow()
        cut = named("line cut before the answer").strike(home, "add_order", times=1)
        mine, theirs = await asyncio.gather(home.venue.place(home.market()), other.venue.place(other.market()))
        mine, theirs = await home.ended(mine), await other.ended(theirs)
        assert {mine.venue_order_id, theirs.venue_order_id} == {order.id for order in home.orders}
        assert (len(home.orders), cut.fired) == (2, 1)
        for each in (home, other):
            await agrees(each, alone=False)


async def race(home: House, other: House) -> tuple[list[Order], Sequence[Any]]:
    """Place orders in both at once; return those that were taken, and what was raised for the others."""
    placing = [each.venue.place(each.market("0.001")) for _ in range(8) for each in (home, other)]
    results = await asyncio.gather(*placing, return_exceptions=True)
    orders = [each for each in results if isinstance(each, Order)]
    refused = [each for each in results if not isinstance(each, Order)]
    return orders, refused
