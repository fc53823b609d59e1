"""Run by test_third_venue.py, where Tidepool is installed: everything through the core's public face."""

import asyncio
import json
import sys
from collections.abc import Awaitable
from decimal import ROUND_DOWN, Decimal

from exchange_core import Balance, ExchangeError, Fill, Hub, OrderRequest, Venue, connect, load_plugins
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch


async def main() -> None:
    simulator = load_plugins().venue("tidepool").simulator
    assert simulator is not None
    launches = {
        "left": SimulatorLaunch(spec=simulator, seed=1),
        "right": SimulatorLaunch(spec=simulator, seed=2, price_shift=Decimal("0.01")),
    }
    async with asyncio.timeout(20), launch(launches) as running, open_hub(running) as hub:
        result = {
            "books": [await checked_book(hub[name]) for name in running],
            **await trade(hub["left"]),
            "wrong key": await refusal(with_a_wrong_key(running["left"])),
        }
    json.dump(result, sys.stdout)


def open_hub(running: dict[str, RunningSimulator]) -> Hub:
    venues, environment = {}, {}
    for name, one in running.items():
        venues[name] = {
            "plugin": "tidepool",
            **one.urls,
            "api_key": f"env:{name}_key",
            "api_secret": f"env:{name}_secret",
        }
        environment |= {f"{name}_key": one.api_key, f"{name}_secret": one.api_secret}
    return Hub.open({"venues": venues}, environment=environment)


async def trade(venue: Venue) -> dict[str, object]:
    fills: list[Fill] = []
    stream = venue.fill_updates()
    before = totals(await venue.balances())
    resting = await venue.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.1", price="1000"))
    ended = await venue.cancel(resting)
    bought = await venue.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.5"))
    while sum(fill.quantity for fill in fills) < bought.quantity:
        fills.append(await anext(stream))
    stream.close()
    after = totals(await venue.balances())
    spent = sum(cut(fill.price * fill.quantity) + (fill.fee.amount if fill.fee else 0) for fill in fills)
    asked = {fill.id for fill in await venue.fills()}
    bad_tick = OrderRequest(symbol="BTC/USD", side="buy", quantity="0.1", price="1000.3")
    fill_or_kill = OrderRequest(symbol="BTC/USD", side="buy", quantity="0.1", price="1000", time_in_force="fok")
    return {
        "resting": resting.status,
        "ended": ended.status,
        "bought": bought.status,
        "fills agree with the order": {fill.venue_order_id for fill in fills} == {bought.venue_order_id},
        "each fill once": len({fill.id for fill in fills}) == len(fills) and asked == {fill.id for fill in fills},
        "balances agree with the fills": (after["BTC"] - before["BTC"], before["USD"] - after["USD"])
        == (Decimal("0.5"), spent),
        "refused": await refusal(venue.place(bad_tick)),
        "not supported": await refusal(venue.place(fill_or_kill)),
    }


def cut(dollars: Decimal) -> Decimal:
    """The books of this venue keep four decimals of each trade."""
    return dollars.quantize(Decimal("0.0001"), ROUND_DOWN)


async def with_a_wrong_key(simulator: RunningSimulator) -> None:
    async with connect("tidepool", **simulator.urls, api_key=simulator.api_key, api_secret="guessed") as venue:
        await venue.balances()


def totals(balances: list[Balance]) -> dict[str, Decimal]:
    return {balance.asset: balance.total for balance in balances}


async def checked_book(venue: Venue) -> str:
    async with venue.books("BTC/USD") as stream:
        async for book in stream:
            assert book.checked
            assert book.best_bid < book.best_ask
            return book.health
    raise AssertionError("the stream ended")


async def refusal(attempt: Awaitable[object]) -> str:
    try:
        await attempt
    except ExchangeError as error:
        return type(error).__name__
    return "nothing"


asyncio.run(main())
