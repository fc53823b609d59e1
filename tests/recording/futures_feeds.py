"""Kraken Futures' WebSocket: every feed, what an account can live through, and what is refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from exchange_core.errors import OrderRefused
from exchange_core.model.event import Channel, Subscription
from exchange_core.model.side import Side
from exchange_core.simulator.makers.maker import MakerSettings
from kraken_futures.orders.requests import OrderCancel, OrderEdit
from recording.futures_calls import COIN, DATED, INVERSE, LINEAR, NAME, SPEC, futures_order
from recording.rig import Rig, client_id
from recording.scenes import QUIET, record_account, record_market, set_the_table

ACCOUNT = (Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS, Channel.LEDGER, Channel.NOTICES)
CHRISTMAS = datetime(2026, 12, 25, 8, tzinfo=UTC)
PLAIN = Subscription(Channel.ORDERS, variant="open_orders")


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""

    def rig(makers: MakerSettings | None = None, **options: Any) -> Rig:
        return Rig(SPEC, folder, seed=11, makers=makers, **options)

    await record_account(rig(), NAME, ACCOUNT[:4])
    for channel in (Channel.BOOK, Channel.TICKER, Channel.TRADES):
        both = [Subscription(channel, LINEAR), Subscription(channel, INVERSE)]
        await record_market(rig(QUIET), str(channel), 4, both)
    lite = [Subscription(Channel.TICKER, symbol, variant="ticker_lite") for symbol in (LINEAR, INVERSE)]
    await record_market(rig(QUIET), "ticker_lite", 3, lite)
    await record_silence(rig())
    await record_leaving(rig())
    await record_life(rig())
    await record_triggers(rig())
    await record_plain_orders(rig())
    await record_liquidation(rig())
    await record_settlement(rig(start=CHRISTMAS - timedelta(seconds=90)))
    await record_refused(rig(), rig(only="ETH/USD:USD"))
    await record_refused_private(rig(permissions=["NO_ACCESS"]))


async def record_silence(rig: Rig) -> None:
    """Record heartbeats of a market in which nothing happens, until the feeds of it are asked for again."""
    await set_the_table(rig, NAME)
    line = await rig.connect("silence", [Subscription(channel, LINEAR) for channel in (Channel.TRADES, Channel.BOOK)])
    await line.run(63)
    rig.others(Side.BUY, NAME, "0.01")
    await line.run(1)
    line.close()


async def record_leaving(rig: Rig) -> None:
    """Record that one of two feeds is not wanted any more."""
    await set_the_table(rig, NAME)
    book, trades = Subscription(Channel.BOOK, LINEAR), Subscription(Channel.TRADES, LINEAR)
    line = await rig.connect("leaving", [book, trades])
    await line.run(1)
    line.feed.unsubscribe([trades], rig.clock.monotonic())
    await line.run(1)
    rig.others(Side.BUY, NAME, "0.01")
    await line.run(1)
    line.close()


async def record_life(rig: Rig) -> None:
    """Let an account hear of all that can happen to it; what of it is asked for goes over REST."""
    await set_the_table(rig, NAME)
    rig.others(Side.SELL, COIN, "8400", "84000")
    rig.others(Side.BUY, COIN, "8400", "83990")
    do = rig.operations
    await rig.ask(do.orders.send(futures_order(1, "buy", "0.01", "83000")))
    line = await rig.connect("life", [Subscription(channel) for channel in ACCOUNT])
    # One that rests, is changed, and canceled; one that would take and must not.
    rests = await rig.ask(do.orders.send(futures_order(2, "buy", "0.05", "83000", kind="post")))
    await rig.ask(do.orders.edit(OrderEdit(order_id=rests.order_id, quantity="0.04", limit_price="83100")))
    await line.run(1)
    await rig.ask(do.orders.cancel(OrderCancel(order_id=rests.order_id)))
    with contextlib.suppress(OrderRefused):
        await rig.ask(do.orders.send(futures_order(3, "buy", "0.01", "84020", kind="post")))
    # One that takes all it can get and drops the rest; a position of the other kind, that is turned around.
    await rig.ask(do.orders.send(futures_order(4, "buy", "0.3", "84010", kind="ioc")))
    await line.run(1)
    await rig.ask(do.orders.send(futures_order(5, "buy", "4200", symbol=COIN)))
    await rig.ask(do.orders.send(futures_order(6, "sell", "6300", symbol=COIN)))
    await line.run(1)
    # Money between two wallets; a notice.
    await rig.ask(do.wallets.transfer("fi_xbtusd", "cash", "xbt", "0.1"))
    effective = rig.clock.now() + timedelta(hours=6)
    rig.protocol.notices.announce("maintenance", "high", "Trading halts.", effective, 30)  # type: ignore[attr-defined]
    await line.run(1)
    line.close()


async def record_triggers(rig: Rig) -> None:
    """Let a stop fire into a market order, another into a limit order that rests, and a trail follow and fire."""
    await set_the_table(rig, NAME)
    orders = rig.operations.orders
    await rig.ask(orders.send(futures_order(1, "buy", "0.1")))
    await rig.ask(orders.send(futures_order(2, "sell", "0.01", kind="stp", stop_price="83970")))
    line = await rig.connect("triggers", [Subscription(channel) for channel in ACCOUNT[:4]])
    stop = futures_order(3, "sell", "0.02", kind="stp", stop_price="83960", limit_price="84030")
    await rig.ask(orders.send(stop))
    trail = {"kind": "trailing_stop", "trailing_deviation": "50", "trailing_unit": "QUOTE_CURRENCY"}
    await rig.ask(orders.send(futures_order(4, "sell", "0.03", **trail)))
    await rig.ask(orders.send(futures_order(5, "sell", "0.01", kind="take_profit", stop_price="90000")))
    await line.run(1)
    for mark in (83970, 83955, 84100, 84049):
        rig.exchange.set_mark(LINEAR, Decimal(mark))
        await line.run(1)
    rig.others(Side.BUY, NAME, "2")  # through the limit order
    await line.run(1)
    await rig.ask(orders.cancel(OrderCancel(client_order_id=client_id(5))))
    await line.run(8)  # until the list of open orders is asked for again: what fired is to be seen there
    line.close()


async def record_plain_orders(rig: Rig) -> None:
    """Record the feed that tells of orders without those that come to nothing."""
    await set_the_table(rig, NAME)
    orders = rig.operations.orders
    await rig.ask(orders.send(futures_order(1, "buy", "0.01", "83000")))
    line = await rig.connect("open_orders", [PLAIN])
    await rig.ask(orders.send(futures_order(2, "sell", "0.02", "84000", kind="post")))
    with contextlib.suppress(OrderRefused):
        await rig.ask(orders.send(futures_order(3, "buy", "0.01", "84020", kind="post")))
    await line.run(1)
    rig.others(Side.BUY, NAME, "0.01")
    await line.run(1)
    await rig.ask(orders.cancel_all(NAME))
    await line.run(1)
    line.close()


async def record_liquidation(rig: Rig) -> None:
    """Let a position that is too large for its wallet be taken away, after an hour of funding."""
    await set_the_table(rig, NAME)
    rig.others(Side.SELL, NAME, "20", "84100")
    rig.others(Side.BUY, NAME, "20", "81500")
    rig.exchange.set_funding(LINEAR, Decimal("0.0001"))
    await rig.ask(rig.operations.orders.send(futures_order(1, "buy", "20")))
    await rig.clock.advance(3520)
    line = await rig.connect("liquidation", [Subscription(channel) for channel in ACCOUNT[:5]])
    await line.run(6)
    rig.exchange.set_mark(LINEAR, Decimal(81700))
    rig.exchange.set_index(LINEAR, Decimal(81700))
    await line.run(2)
    line.close()


async def record_settlement(rig: Rig) -> None:
    """Let a contract end that the account has a position and an order in."""
    await set_the_table(rig, NAME)
    rig.others(Side.SELL, DATED, "1", "85000")
    rig.others(Side.BUY, DATED, "1", "84900")
    orders = rig.operations.orders
    await rig.ask(orders.send(futures_order(1, "buy", "0.1", symbol=DATED)))
    await rig.ask(orders.send(futures_order(2, "buy", "0.1", "80000", symbol=DATED)))
    line = await rig.connect("settlement", [Subscription(channel) for channel in ACCOUNT])
    await line.run(20)
    line.close()


async def record_refused(wide: Rig, narrow: Rig) -> None:
    """Record what a venue with one contract answers to who wants another: it does not say which."""
    await wide.ask(wide.operations.instruments())
    narrow.learn(wide)
    wanted = [Subscription(channel, LINEAR) for channel in (Channel.TRADES, Channel.TICKER, Channel.BOOK)]
    line = await narrow.connect("refused", wanted)
    await line.run(2)
    line.close()


async def record_refused_private(rig: Rig) -> None:
    """Record what a key is answered that may see nothing."""
    line = await rig.connect("refused_private", [Subscription(channel) for channel in ACCOUNT])
    await line.run(2)
    line.close()
