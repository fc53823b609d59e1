"""Several venues, several readers, several programs: what goes wrong with one does not spread to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from exchange_core import OrderRequest
from exchange_core.errors import ExchangeError, SlowConsumer
from exchange_core.model.order import OrderStatus
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.schedule import Fault
from exchange_core.simulator.launch import ACCOUNT
from tests.house.chaos import KINDS, WITHIN, Kind, house, until
from tests.house.chaos_hub import both, hub_of

kinds = pytest.mark.parametrize("kind", KINDS, ids=str)
LOT = Decimal("0.001")


# Readers


@kinds
async def test_a_reader_of_fills_that_does_not_read_is_told_so_and_disturbs_no_other(kind: Kind) -> None:
    async with house(kind, queue_size=3) as home:
        slow, quick = home.venue.fill_updates(), home.venue.fill_updates()
        await home.follow()
        order = await home.venue.place(home.best("0.01"))
        seen = []
        for _ in range(6):
            home.trade_against(order, LOT)
            async with asyncio.timeout(WITHIN):
                seen.append((await anext(quick)).id)
        assert seen == [fill.id for fill in home.fills]
        async with asyncio.timeout(WITHIN):
            assert [(await anext(slow)).id for _ in range(3)] == seen[:3]
            with pytest.raises(SlowConsumer):
                await anext(slow)
        # What it missed can be asked for.
        assert [fill.id for fill in await home.venue.fills()][-6:] == seen
        quick.close()


@kinds
@pytest.mark.parametrize("way", ["rest", "auto"])
async def test_a_reader_of_orders_that_does_not_read_is_told_so_and_what_it_missed_can_be_asked_for(
    kind: Kind, way: str
) -> None:
    async with house(kind, queue_size=3, order_entry=way) as home:
        slow, quick = home.venue.order_updates(), home.venue.order_updates()
        await home.follow()
        placed, seen = set(), []
        for below in range(1000, 1005):
            placed.add((await home.venue.place(home.resting(below=below))).client_order_id)
            async with asyncio.timeout(WITHIN):
                while {each.client_order_id for each in seen if each.status is OrderStatus.OPEN} != placed:
                    seen.append(await anext(quick))
        async with asyncio.timeout(WITHIN):
            assert [await anext(slow) for _ in range(3)] == seen[:3]
            with pytest.raises(SlowConsumer, match="3 events were not read in time"):
                await anext(slow)
        assert {order.client_order_id for order in await home.venue.open_orders()} == placed
        quick.close()


@kinds
async def test_a_slow_reader_loses_no_order_and_no_fill_of_the_record(kind: Kind) -> None:
    """The streams of readers are full; the record of orders, and what is asked for, is whole all the same."""
    async with house(kind, queue_size=2) as home:
        fills, orders = home.venue.fill_updates(), home.venue.order_updates()
        await home.follow()
        order = await home.venue.place(home.best("0.01"))
        for _ in range(10):
            home.trade_against(order, LOT)
        await until(lambda: home.venue._parts.tracker.get(order.client_order_id or "").is_final)
        assert (await home.venue.order(order)).filled == 10 * LOT
        for stream, count in ((fills, 2), (orders, 2)):
            async with asyncio.timeout(WITHIN):
                for _ in range(count):
                    await anext(stream)
                with pytest.raises(SlowConsumer):
                    await anext(stream)
        assert {fill.id for fill in await home.venue.fills()} == {fill.id for fill in home.fills}
        assert (home.one_order().filled, home.venue.health().unknown_orders) == (10 * LOT, ())
        # Who opens another stream hears what comes from then on.
        async with home.venue.fill_updates() as again:
            await home.venue.place(home.market("0.001"))
            async with asyncio.timeout(WITHIN):
                assert (await anext(again)).id == home.fills[-1].id


# A hub


@contextmanager
def no_task_left() -> Iterator[None]:
    before = asyncio.all_tasks()
    yield
    left = [task for task in asyncio.all_tasks() - before if "Listener._serve" not in repr(task.get_coro())]
    assert left == []


@pytest.mark.parametrize("action", [actions.BadGateway(), actions.DropRequest()], ids=lambda action: action.word)
async def test_a_hub_with_a_venue_that_is_down_says_which_and_leaves_nothing_behind(action: actions.Action) -> None:
    async with both() as (running, config, keys):
        running["two"].faults.add(Fault(action=action, http="*"))
        with no_task_left():
            with pytest.raises(ExchangeError, match="two") as caught:
                async with hub_of(config, keys):
                    raise AssertionError("it opened")
            assert caught.value.venue == "two"
        running["two"].faults.clear()
        async with hub_of(config, keys) as hub:
            assert [venue.name for venue in hub] == ["one", "two"]


async def test_a_venue_that_goes_down_later_does_not_take_the_other_with_it() -> None:
    async with both() as (running, config, keys), hub_of(config, keys) as hub:
        running["two"].faults.add(Fault(action=actions.DropRequest(), http="*"))
        with pytest.raises(ExchangeError, match="two"):
            await hub["two"].balances()
        order = await hub["one"].place(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.01"))
        assert order.venue_order_id == running["one"].exchange.closed_orders(ACCOUNT)[0].id
