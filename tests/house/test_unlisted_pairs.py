"""Fills of a Kraken Spot pair that no list of ours has: each is told once.

While new lists are not to be had, the record of fills does not claim to be whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import attrs
import httpx

from exchange_core import OrderRequest
from exchange_core.model.fill import Fill
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.tally import Tally
from exchange_core.simulator.launch import ACCOUNT
from exchange_core.venue.protocol import EventStream
from tests.house.chaos import QUICK, SPOT, WITHIN, FastClock, House, house, until

AUDITED = attrs.evolve(QUICK, audit=6.0)
LISTS = "/0/public/AssetPairs"
UPDATE, SNAPSHOT = (('"channel":"executions"', f'"type":"{kind}"', SPOT.other_name) for kind in ("update", "snapshot"))


async def listed(home: House) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(home.running.urls["rest_url"] + LISTS)
    result: dict[str, Any] = answer.json()["result"]
    return result


@attrs.frozen
class Shop:
    """A venue that trades a pair which its list does not have.

    Attributes:
        home: Who knows the pair all the same.
        other: Who does not.
        old, short: What the list answers, and that it does.
    """

    home: House
    other: House
    old: actions.Answer
    short: Tally

    async def trade(self, *symbols: str) -> None:
        """Buy a bit of each at the market."""
        for symbol in symbols:
            count = len(self.home.fills) + 1
            await self.home.venue.place(OrderRequest(symbol=symbol, side="buy", quantity="0.01"))  # type: ignore[arg-type]
            await until(lambda count=count: len(self.home.fills) == count)


@asynccontextmanager
async def opened() -> AsyncIterator[Shop]:
    async with house(SPOT, clock=FastClock(20)) as home:
        one = {key: pair for key, pair in (await listed(home)).items() if key == "XXBTZUSD"}
        old = actions.Answer(body=json.dumps({"error": [], "result": one}))
        short = home.strike(old, http=LISTS)
        async with home.again(policy=AUDITED) as other:
            await other.follow()
            yield Shop(home, other, old, short)


async def read(stream: EventStream[Fill], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(WITHIN):
        fills = [await anext(stream) for _ in range(count)]
    return [(fill.id, str(fill.symbol)) for fill in fills]


async def test_the_feed_tells_them_at_once_and_what_rest_tells_is_no_second_one() -> None:
    async with opened() as shop, shop.other.venue.fill_updates() as fills:
        began = shop.other.venue.fills_complete_until
        assert began is not None
        await shop.trade(SPOT.other, SPOT.symbol, SPOT.other)
        ids = [fill.id for fill in shop.home.fills]
        assert await read(fills, 3) == list(zip(ids, (SPOT.other, SPOT.symbol, SPOT.other), strict=True))
        await shop.other.complete_past(began + timedelta(seconds=13))  # by then, audits have asked
        await shop.trade(SPOT.symbol)
        assert await read(fills, 1) == [(shop.home.fills[3].id, SPOT.symbol)]
        names = {str(fill.symbol) for fill in await shop.other.venue.fills()}
        assert names == {SPOT.symbol, "XETHZUSD/?:?"}


async def test_what_only_rest_tells_is_told_once_as_soon_as_there_are_lists() -> None:
    async with opened() as shop, shop.other.venue.fill_updates() as fills:
        home, other = shop.home, shop.other
        home.faults.remove(shop.short)
        busy = home.strike(actions.Answer(body=SPOT.unavailable), http=LISTS)
        home.strike(shop.old, http=LISTS)
        home.strike(actions.Drop(), websocket="out", contains=UPDATE)
        home.strike(actions.Replace(SPOT.other_name, '"B-T"'), websocket="out", contains=SNAPSHOT)
        await shop.trade(SPOT.other, SPOT.symbol)  # the number of the second shows the hole
        missed, told = (fill.id for fill in home.fills)
        assert await read(fills, 1) == [(told, SPOT.symbol)]
        asked = home.count(http="/0/private/TradesHistory")
        await asked.until_fired(6)
        assert busy.fired
        claimed = other.venue.fills_complete_until
        assert claimed is not None
        assert claimed <= home.fills[0].time
        home.faults.remove(busy)
        assert await read(fills, 1) == [(missed, "XETHZUSD/?:?")]
        await other.complete_past(home.fills[1].time)
        await shop.trade(SPOT.symbol)
        assert await read(fills, 1) == [(home.fills[2].id, SPOT.symbol)]


async def test_an_order_of_such_a_pair_can_be_cancelled_by_who_only_knows_its_stand_in() -> None:
    async with opened() as shop:
        price = shop.home.quote(Side.BUY, SPOT.other) - 100
        resting = OrderRequest(symbol=SPOT.other, side="buy", quantity="0.01", price=price)  # type: ignore[arg-type]
        placed = [await shop.home.venue.place(resting) for _ in range(2)]
        found = await shop.other.venue.run(shop.other.venue.operations.open_orders())
        assert {(order.venue_order_id, str(order.symbol)) for order in found} == {
            (order.venue_order_id, "ETHUSD/?:?") for order in placed
        }
        assert (await shop.other.venue.cancel(found[0])).status is OrderStatus.CANCELED
        assert {order.status for order in await shop.other.venue.cancel_all()} == {OrderStatus.CANCELED}
        assert not shop.home.running.exchange.open_orders(ACCOUNT)
