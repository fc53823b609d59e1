"""A few hundred operations over two venues at once, both ways, with all faults mixed: in the end all books agree."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from random import Random
from typing import Any

import pytest

from exchange_core.errors import ExchangeError
from exchange_core.model.order import OrderStatus
from exchange_core.simulator.faults import actions
from exchange_core.venue.resolver import ResolvePolicy
from tests.house.chaos import FUTURES, SPOT, WITHIN, FastClock, House, Kind, house
from tests.house.chaos_line import agrees, is_stillborn, known, report, summary, told
from tests.house.chaos_trader import BusyTrader, Trader

SEEDS = [int(seed) for seed in os.environ.get("CHAOS_SEEDS", "1 2 3").split()]
OPERATIONS = 40
"""Of each venue and seed."""

SPEED = 10
POLICY = ResolvePolicy(first_pause=0.5, margin=1.0, lag=1.0, longest_pause=1.0, wait=20.0, cancel_wait=1.0, audit=10.0)

LINE: tuple[tuple[str, actions.Action, float], ...] = (
    ("in", actions.Drop(), 0.03),
    ("in", actions.Truncate(), 0.01),
    ("in", actions.Cut(), 0.01),
    ("in", actions.Delay(0.5), 0.02),
    ("out", actions.Drop(), 0.02),
    ("out", actions.Swap(), 0.02),
    ("out", actions.Duplicate(), 0.02),
    ("out", actions.Truncate(), 0.01),
    ("out", actions.Delay(1.0), 0.02),
    ("out", actions.Cut(), 0.01),
    ("out", actions.Corrupt("req_id"), 0.01),
    ("out", actions.Corrupt("sequence"), 0.01),
    ("out", actions.Silence(), 0.002),
)
HTTP: tuple[tuple[actions.Action, float], ...] = (
    (actions.DropRequest(), 0.04),
    (actions.DropAnswer(), 0.05),
    (actions.CutAnswer(), 0.03),
    (actions.BadGateway(), 0.03),
    (actions.BadGateway(acts=True), 0.03),
    (actions.DelayAnswer(0.5), 0.03),
)


def spoil(home: House) -> None:
    """Put all faults in force, at random."""
    for where, action, chance in LINE:
        # What the client sends does not come twice or in another order: a line keeps to that, or breaks.
        home.strike(action, websocket=where, chance=chance, path=private_path(home.kind))
    for action, chance in HTTP:
        home.strike(action, http="*", chance=chance, lacks=("AssetPairs", "instruments"))


def private_path(kind: Kind) -> str:
    return "*auth*" if kind is SPOT else "*"


def options(kind: Kind, way: str) -> dict[str, Any]:
    given: dict[str, Any] = {"order_entry": way, "request_timeout": 2.0, "order_deadline": 10.0}
    return given if kind is SPOT else given | {"use_nonce": False}


MORE_HTTP: dict[str, tuple[tuple[actions.Action, float], ...]] = {
    "kraken_spot": (
        (actions.Answer(body='{"error":["EAPI:Rate limit exceeded"]}'), 0.02),
        (actions.Answer(body='{"error":["EAPI:Invalid nonce"]}'), 0.01),
        (actions.Answer(body='{"error":["EService:Busy"]}', acts=True), 0.01),
        (actions.DelayRequest(1.5), 0.02),
    ),
    "kraken_futures": (
        (actions.Answer(body=FUTURES.unavailable.replace("Unavailable", "apiLimitExceeded")), 0.02),
        (actions.Answer(body=FUTURES.unavailable, acts=True), 0.01),
        (actions.DelayRequest(1.5), 0.02),
    ),
}


def spoil_more(home: House, random: Random) -> None:
    """Beside that, let the venue restart, refuse calls for being too many, forget tokens and stop telling of fills."""
    spoil(home)
    for action, chance in MORE_HTTP[home.kind.plugin]:
        home.strike(action, http="/*private/*", chance=chance, lacks="GetWebSocketsToken")
        home.strike(action, http="/derivatives/*", chance=chance, lacks="instruments")
    told = "executions" if home.kind is SPOT else "fills"
    home.strike(actions.Replace('"token":"', '"token":"x'), websocket="in", chance=0.01, path=private_path(home.kind))
    home.strike(actions.Freeze(), websocket="out", contains=told, chance=0.003)
    home.strike(actions.DropRequest(), websocket="open", chance=0.1)
    for after in (2, 12):
        home.strike(actions.Restart(seconds=1 + 3 * random.random()), after=after + 10 * random.random())
    home.strike(actions.CancelOnly(seconds=2.0), after=20 * random.random())
    home.strike(actions.PostOnly(seconds=2.0), after=20 * random.random())


async def end_in_agreement(home: House) -> None:
    await agrees(home)
    happened = {order.request.client_order_id for order in home.orders}
    for order in known(home):
        # A venue may take an order and refuse it at once, as where it would meet another of ours.
        is_there = order.client_order_id in happened or is_stillborn(summary(order))
        if is_there is (order.status is OrderStatus.REJECTED):
            raise AssertionError(report(home, "it happened or it did not", [order.client_order_id]))


@asynccontextmanager
async def homes(seed: int) -> AsyncIterator[list[House]]:
    """Run both venues with a client on each, which is told of all fills."""
    async with AsyncExitStack() as stack:
        both = []
        for kind in (SPOT, FUTURES):
            clock = FastClock(SPEED)
            way = "rest" if kind is SPOT and seed % 3 == 0 else "auto"
            home = await stack.enter_async_context(
                house(kind, clock=clock, policy=POLICY, seed=seed, within=9 * WITHIN, **options(kind, way))
            )
            await stack.enter_async_context(told(home))
            await home.follow()
            both.append(home)
        yield both


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_goes_wrong_no_order_happens_twice_no_fill_is_lost_and_all_ends_in_agreement(seed: int) -> None:
    async with homes(seed) as both:
        traders = [Trader(home, Random(f"{seed}/{number}")) for number, home in enumerate(both)]
        for home in both:
            spoil(home)
        await asyncio.gather(*(trader.run(OPERATIONS) for trader in traders))
        for home in both:
            home.faults.clear()
        for home in both:
            await end_in_agreement(home)


@pytest.mark.parametrize("seed", SEEDS[:2])
async def test_venues_that_restart_and_refuse_and_callers_that_give_up_change_nothing_of_that(seed: int) -> None:
    """And who waited for the end of an order was told the true one."""
    async with homes(seed) as both:
        traders = [BusyTrader(home, Random(f"{seed}/{number}")) for number, home in enumerate(both)]
        for home in both:
            spoil_more(home, Random(seed))
        await asyncio.gather(*(trader.run(OPERATIONS) for trader in traders))
        for home in both:
            home.faults.clear()
        for trader in traders:
            await switched_off(trader.home)
            await end_in_agreement(trader.home)
            await trader.close()


async def switched_off(home: House) -> None:
    """End the dead man's switch: whatever it cancels then, it cancels while agreement is waited for."""
    with suppress(ExchangeError):
        await home.venue.cancel_all_after(0)
