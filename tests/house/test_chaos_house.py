"""Several venues, several readers, several programs: what goes wrong with one does not spread to the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core import Hub, OrderRequest
from exchange_core.clock import SystemClock
from exchange_core.errors import ExchangeError, NonceRejected, SlowConsumer
from exchange_core.model.order import Order, OrderStatus
from exchange_core.portfolio import Portfolio, PortfolioView, explain
from exchange_core.routing import Router, RouteResult
from exchange_core.routing.leg import Patience
from exchange_core.routing.result import LegOutcome
from exchange_core.simulator import faults_actions as actions
from exchange_core.simulator.faults_schedule import Fault
from exchange_core.simulator.launch import ACCOUNT, RunningSimulator, SimulatorLaunch, launch
from exchange_core.transport.nonces import NonceSource
from exchange_core.venue.resolver import ResolvePolicy
from exchange_core.venue.venue import Surroundings
from tests.house.chaos import CALM, KINDS, NOTHING, QUICK, SPOT, WITHIN, Eager, Kind, house, installed, until

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


# A hub


@contextmanager
def no_task_left() -> Iterator[None]:
    before = asyncio.all_tasks()
    yield
    left = [task for task in asyncio.all_tasks() - before if "SimulatorServer" not in repr(task.get_coro())]
    assert left == []


@asynccontextmanager
async def both() -> AsyncIterator[tuple[dict[str, RunningSimulator], dict[str, Any], dict[str, str]]]:
    """Run two spot venues with different prices; return how a hub is pointed at them."""
    spec = SPOT.spec.simulator
    assert spec is not None
    async with (
        asyncio.timeout(5 * WITHIN),
        launch(
            {
                name: SimulatorLaunch(
                    spec=attrs.evolve(spec, markets=spec.markets[:2]),
                    seed=seed,
                    makers=CALM,
                    price_shift=Decimal(shift),
                    deposits={"USD": Decimal(200_000), "BTC": Decimal(1)},
                )
                for name, seed, shift in (("one", 1, "0"), ("two", 2, "0.00005"))
            }
        ) as running,
    ):
        venues = {
            name: {
                "plugin": "kraken_spot",
                "tier": "pro",
                "order_entry": "rest",
                "api_key": f"env:{name}_key",
                "api_secret": f"env:{name}_secret",
                **each.urls,
            }
            for name, each in running.items()
        }
        keys = {f"{name}_key": each.api_key for name, each in running.items()}
        keys |= {f"{name}_secret": each.api_secret for name, each in running.items()}
        yield running, {"venues": venues}, keys


def hub_of(config: dict[str, Any], keys: dict[str, str], policy: ResolvePolicy = QUICK) -> Hub:
    around = {name: Surroundings(random=Eager(), policy=policy) for name in ("one", "two")}
    return Hub.open(config, environment=keys, plugins=installed(), surroundings=around)


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


# Routing


PATIENCE = Patience(sending=2.0, ending=0.2, asking=0.2, fills=0.2, between_asks=0.05)
ADD_ORDER: dict[str, Any] = {"http": SPOT.place}
ASKING: dict[str, Any] = {"http": "/0/private/*", "lacks": "ordertype"}


async def routed(
    hub: Hub, running: dict[str, RunningSimulator], *faults: Fault, retries: int = 0, patience: Patience = PATIENCE
) -> tuple[RouteResult, int, int]:
    """Buy on both venues, over a bad line to the second; return also how many orders were sent to each."""
    router = Router(hub.venues, patience=patience)
    plan = await router.plan(OrderRequest(symbol="BTC/USD", side="buy", quantity="1"))
    assert {leg.venue for leg in plan.legs} == {"one", "two"}
    one, two = (running[name].faults.add(Fault(action=actions.Pass(), **ADD_ORDER)) for name in ("one", "two"))
    for fault in faults:
        running["two"].faults.add(fault)
    result = await router.execute(plan, retries=retries)
    return result, one.matched, two.matched


@pytest.mark.parametrize(
    "action", [actions.DropAnswer(), actions.BadGateway(acts=True)], ids=lambda action: action.word
)
async def test_a_leg_whose_answer_is_lost_is_certain_in_the_end_and_all_sums_are_explained(
    action: actions.Action,
) -> None:
    async with both() as (running, config, keys), hub_of(config, keys) as hub:
        holdings = Portfolio(hub.venues, "USD")
        before = await holdings.refresh()
        result, *sent = await routed(hub, running, Fault(action=action, **ADD_ORDER), retries=2)
        after = await holdings.refresh()
        assert sent == [1, 1]
        assert {leg.outcome for leg in result.legs} == {LegOutcome.FILLED}
        assert (result.is_certain, result.filled, result.unknown) == (True, Decimal(1), NOTHING)
        assert sum(fill.quantity for each in running.values() for fill in each.exchange.fills(ACCOUNT)) == 1
        explained(before, after, result)


async def test_a_leg_that_never_arrived_is_certain_and_only_then_bought_elsewhere() -> None:
    async with both() as (running, config, keys):
        config["venues"]["two"]["order_deadline"] = 2.5  # the venue takes none below two seconds
        async with hub_of(config, keys, ResolvePolicy(first_pause=0.4, longest_pause=0.4, margin=0.05)) as hub:
            holdings = Portfolio(hub.venues, "USD")
            before = await holdings.refresh()
            lost = Fault(action=actions.DropRequest(), **ADD_ORDER)
            patience = attrs.evolve(PATIENCE, sending=10.0)
            result, *sent = await routed(hub, running, lost, retries=1, patience=patience)
            after = await holdings.refresh()
            assert sent == [2, 1]
            outcomes = [(leg.leg.venue, leg.outcome) for leg in result.legs]
            assert sorted(outcomes[:2]) == [("one", LegOutcome.FILLED), ("two", LegOutcome.REFUSED)]
            assert outcomes[2:] == [("one", LegOutcome.FILLED)]
            assert (result.is_certain, result.filled, result.remainder) == (True, Decimal(1), NOTHING)
            assert not running["two"].exchange.fills(ACCOUNT)
            explained(before, after, result)


async def test_a_leg_that_cannot_be_asked_for_stays_unknown_and_is_not_sent_elsewhere() -> None:
    async with both() as (running, config, keys), hub_of(config, keys, ResolvePolicy(wait=0.3)) as hub:
        lost = Fault(action=actions.DropAnswer(), **ADD_ORDER)
        deaf = Fault(action=actions.DropRequest(), **ASKING)
        mute = Fault(action=actions.Drop(), websocket="out", contains="executions")
        result, *sent = await routed(hub, running, lost, deaf, mute, retries=2)
        (leg,) = (leg for leg in result.legs if leg.leg.venue == "two")
        assert sent == [1, 1]
        assert (result.is_certain, leg.outcome) == (False, LegOutcome.UNKNOWN)
        assert result.unknown == leg.leg.quantity
        assert result.filled + result.unknown + result.remainder == 1
        # It was executed, as it happens: sending its quantity elsewhere would have been a second order.
        assert sum(fill.quantity for fill in running["two"].exchange.fills(ACCOUNT)) == leg.leg.quantity


def explained(before: PortfolioView, after: PortfolioView, result: RouteResult) -> None:
    proof = explain(before.balances, after.balances, result.fills)
    assert proof.agrees
    assert all(row.difference == 0 for row in proof.rows)


# Two programs with one key


@kinds
async def test_two_programs_with_one_key_spoil_each_other_s_nonces_but_never_double_an_order(kind: Kind) -> None:
    async with house(kind) as home, home.again() as other:
        placing = [each.venue.place(each.market("0.001")) for _ in range(8) for each in (home, other)]
        results = await asyncio.gather(*placing, return_exceptions=True)
        orders = [each for each in results if isinstance(each, Order)]
        refused = [each for each in results if not isinstance(each, Order)]
        assert len(orders) + len(refused) == 16
        assert {type(each) for each in refused} <= {NonceRejected}
        assert {order.venue_order_id for order in orders} == {order.id for order in home.orders}
        assert sum(fill.quantity for fill in home.fills) == len(orders) * LOT
        home.running.exchange.check_invariants()


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
