"""Programs that do at random what people do with orders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random

import attrs

from exchange_core.errors import ExchangeError, TimedOut
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order
from exchange_core.model.side import Side
from tests.house.chaos import House
from tests.house.chaos_line import known, report


@attrs.define
class Trader:
    """Does at random what people do with orders, and survives all that it is told."""

    home: House
    random: Random
    orders: list[Order] = attrs.field(factory=list)
    errors: list[ExchangeError] = attrs.field(factory=list)

    @property
    def habits(self) -> dict[Callable[[], Awaitable[None]], float]:
        """What it does, and how often."""
        return {
            self.rest: 6,
            self.take: 4,
            self.several: 2,
            self.amend: 3,
            self.cancel: 4,
            self.cancel_many: 1,
            self.all: 0.5,
            self.fill: 4,
        }

    async def run(self, operations: int) -> None:
        """Several operations are under way at any time."""
        left = iter(range(operations))

        async def one_after_another() -> None:
            for _ in left:
                await self._guarded()

        await asyncio.gather(*(one_after_another() for _ in range(4)))

    async def _guarded(self) -> None:
        choice = self.random.choices(list(self.habits), list(self.habits.values()))[0]
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


@attrs.define
class BusyTrader(Trader):
    """Does more at once: waits for ends, gives up half-way, amends twice in one breath, begins to read anew."""

    ended: dict[str, Order] = attrs.field(factory=dict)
    _tasks: list[asyncio.Task[None]] = attrs.field(factory=list)

    @property
    def habits(self) -> dict[Callable[[], Awaitable[None]], float]:
        return {**super().habits, self.switch: 0.5, self.amend_twice: 1, self.give_up: 1}

    async def run(self, operations: int) -> None:
        self._tasks += [asyncio.create_task(self._read(Random(number))) for number in range(2)]
        await super().run(operations)

    async def close(self) -> None:
        """End what waits and reads; what was waited for ended as the venue says."""
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError | None):
                raise outcome
        theirs = {order.request.client_order_id: order for order in self.home.orders}
        for key, ours in self.ended.items():
            true = theirs.get(key)
            if true is not None and (ours.status, ours.filled) != (true.status, true.filled):
                raise AssertionError(report(self.home, f"it was waited for, and ended as {ours.status}", [key]))

    async def rest(self) -> None:
        await super().rest()
        if self.random.random() < 0.4:
            self._wait_for(self.orders[-1])

    async def take(self) -> None:
        await super().take()
        self._wait_for(self.orders[-1])

    async def switch(self) -> None:
        await self.home.venue.cancel_all_after(self.random.choice((0, 10, 60)))

    async def amend_twice(self) -> None:
        order = self._some()
        if order is not None and order.price is not None:
            wanted = [Amendment(price=order.price - step) for step in (1, 2)]
            amended = await asyncio.gather(
                *(self.home.venue.amend(order, each) for each in wanted), return_exceptions=True
            )
            self.errors += [each for each in amended if isinstance(each, ExchangeError)]

    async def give_up(self) -> None:
        """Be canceled somewhere on the way."""
        job = asyncio.ensure_future(self.random.choice((self.rest, self.several, self.amend, self.cancel))())
        await asyncio.wait([job], timeout=self.random.random() / 50)
        job.cancel()
        await asyncio.wait([job])
        if not job.cancelled() and (error := job.exception()) is not None:
            raise error

    def _wait_for(self, order: Order) -> None:
        self._tasks.append(asyncio.create_task(self._wait(order)))

    async def _wait(self, order: Order) -> None:
        while True:
            try:
                self.ended[order.client_order_id or ""] = await self.home.venue.until_final(order, 30.0)
            except TimedOut:
                continue
            except ExchangeError as error:
                self.errors.append(error)
                await self.home.clock.sleep(1.0)
                continue
            return

    async def _read(self, random: Random) -> None:
        """Read fills, and begin anew now and then."""
        while True:
            stream = self.home.venue.fill_updates()
            try:
                async with asyncio.timeout(random.random() / 2):
                    async for _ in stream:
                        pass
            except TimeoutError:
                pass
            except ExchangeError as error:
                self.errors.append(error)
                await self.home.clock.sleep(1.0)
            finally:
                stream.close()
