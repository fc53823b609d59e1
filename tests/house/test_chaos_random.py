"""A few hundred operations over two venues at once, both ways, with all faults mixed: in the end all books agree."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import pytest

from exchange_core.errors import ExchangeError
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderStatus
from exchange_core.model.side import Side
from exchange_core.simulator.faults import actions
from exchange_core.venue.resolver import ResolvePolicy
from tests.house.chaos import FUTURES, SPOT, FastClock, House, Kind, house
from tests.house.chaos_line import agrees, is_stillborn, known, report, summary, told

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


@attrs.define
class Trader:
    """Does at random what people do with orders, and survives all that it is told."""

    home: House
    random: Random
    orders: list[Order] = attrs.field(factory=list)
    errors: list[ExchangeError] = attrs.field(factory=list)

    async def run(self, operations: int) -> None:
        """Several operations are under way at any time."""
        left = iter(range(operations))

        async def one_after_another() -> None:
            for _ in left:
                await self._guarded()

        await asyncio.gather(*(one_after_another() for _ in range(4)))

    async def _guarded(self) -> None:
        choice = self.random.choices(
            (self.rest, self.take, self.several, self.amend, self.cancel, self.cancel_many, self.all, self.fill),
            weights=(6, 4, 2, 3, 4, 1, 0.5, 4),
        )[0]
        try:
            await choice()
        except ExchangeError as error:
            self.errors.append(error)

    async def rest(self) -> None:
        self.orders.append(await self.home.venue.place(self.home.resting(below=self._below())))

    async def take(self) -> None:
        self.orders.append(await self.home.venue.place(self.home.market("0.001", self.random.choice(("buy", "sell")))))

    async def several(self) -> None:
        requests = [self.home.resting(below=self._below()) for _ in range(self.random.randint(2, 4))]
        placed = await self.home.venue.place_all(requests)
        self.orders += [each for each in placed if isinstance(each, Order)]

    async def amend(self) -> None:
        order = self._some()
        if order is not None and order.price is not None:
            await self.home.venue.amend(order, Amendment(price=order.price - self.random.randint(1, 9)))

    async def cancel(self) -> None:
        order = self._some()
        if order is not None:
            await self.home.venue.cancel(order)

    async def cancel_many(self) -> None:
        await self.home.venue.cancel_many([order for order in (self._some() for _ in range(3)) if order])

    async def all(self) -> None:
        await self.home.venue.cancel_all(self.random.choice((None, self.home.kind.symbol)))

    async def fill(self) -> None:
        """Let somebody fill a part of an order that is the best of its side."""
        if self.home.quote(Side.BUY) + 2 >= self.home.quote(Side.SELL):
            return await self.cancel()
        order = await self.home.venue.place(self.home.best("0.004"))
        self.orders.append(order)
        for standing in self.home.running.exchange.open_orders("user"):
            if standing.request.client_order_id == order.client_order_id:
                self.home.trade_against(standing, Decimal("0.001") * self.random.randint(1, 4))
        return None

    def _some(self) -> Order | None:
        live = [order for order in known(self.home) if not order.is_final]
        return self.random.choice(sorted(live, key=lambda order: str(order.created))) if live else None

    def _below(self) -> int:
        return self.random.randint(500, 3000)


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


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_goes_wrong_no_order_happens_twice_no_fill_is_lost_and_all_ends_in_agreement(seed: int) -> None:
    async with AsyncExitStack() as stack:
        traders = []
        for number, kind in enumerate((SPOT, FUTURES)):
            clock = FastClock(SPEED)
            way = "rest" if kind is SPOT and seed % 3 == 0 else "auto"
            home = await stack.enter_async_context(
                house(kind, clock=clock, policy=POLICY, seed=seed, **options(kind, way))
            )
            await stack.enter_async_context(told(home))
            await home.follow()
            traders.append(Trader(home, Random(f"{seed}/{number}")))
        for trader in traders:
            spoil(trader.home)
        await asyncio.gather(*(trader.run(OPERATIONS) for trader in traders))
        for trader in traders:
            trader.home.faults.clear()
        for trader in traders:
            await agrees(trader.home)
            happened = {order.request.client_order_id for order in trader.home.orders}
            for order in known(trader.home):
                # A venue may take an order and refuse it at once, as where it would meet another of ours.
                is_there = order.client_order_id in happened or is_stillborn(summary(order))
                if is_there is (order.status is OrderStatus.REJECTED):
                    raise AssertionError(report(trader.home, "it happened or it did not", [order.client_order_id]))
