"""What is recorded of both venues in the same way."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from exchange_core.model.event import Channel, Subscription
from exchange_core.model.side import Side
from exchange_core.simulator.makers.maker import MakerSettings
from recording.rig import Rig

QUIET = MakerSettings(levels=15, requotes=1, volatility=Decimal("0.0001"))
LIVELY = attrs.evolve(QUIET, trade_chance=Decimal(1))
LEVELS = (
    (Side.BUY, "0.4", "83990"),
    (Side.BUY, "1.5", "83980"),
    (Side.BUY, "2", "83950"),
    (Side.SELL, "0.5", "84010"),
    (Side.SELL, "1", "84020"),
    (Side.SELL, "2", "84050"),
)


async def set_the_table(rig: Rig, symbol: str) -> None:
    """Put up a small book of plain numbers, and let three trades happen within two minutes."""
    for level in LEVELS:
        rig.others(level[0], symbol, level[1], level[2])
    rig.others(Side.BUY, symbol, "0.1")
    await rig.clock.advance(30)
    rig.others(Side.SELL, symbol, "0.15")
    await rig.clock.advance(45)
    rig.others(Side.BUY, symbol, "0.25")
    await rig.ask(rig.operations.instruments())


async def record_account(rig: Rig, name: str, channels: Iterable[Channel]) -> None:
    """Record what an account hears of: an order that rests and is filled in two parts, and one that is canceled."""
    await set_the_table(rig, name)
    do, before = rig.operations, rig.order(1, name, "buy", "0.05")
    await rig.ask(do.place(before))
    await rig.ask(do.place(rig.order(2, name, "buy", "0.01", "83000")))
    account = await rig.connect("account", [Subscription(channel) for channel in channels])
    await account.run(1)
    await rig.ask(do.place(rig.order(3, name, "sell", "0.03", "84000", post_only=True)))
    await account.run(1)
    rig.others(Side.BUY, name, "0.01")
    await account.run(1)
    rig.others(Side.BUY, name, "0.02")
    await account.run(1)
    order = await rig.ask(do.place(rig.order(4, name, "buy", "0.02", "83500")))
    await account.run(1)
    await rig.ask(do.cancel(order))
    await account.run(1)
    account.close()


async def record_market(rig: Rig, name: str, seconds: float, subscriptions: Iterable[Subscription]) -> None:
    """Record market data while the makers act."""
    await rig.ask(rig.operations.instruments())
    connection = await rig.connect(name, subscriptions)
    await connection.run(seconds)
    connection.close()
