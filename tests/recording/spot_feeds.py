"""Kraken Spot's WebSocket: every channel, every kind of execution, and each method about orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from exchange_core.model.event import Channel, Subscription, TickerTrigger
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import Order
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.makers.maker import MakerSettings
from kraken_spot.orders.terms import Amendment, ConditionalClose, Edit
from recording.rig import PATIENCE, START, Connection, Rig, client_id
from recording.scenes import LIVELY, QUIET, record_account, record_market, set_the_table
from recording.spot_calls import NAME, SPEC, UNKNOWN, spot_order

BTC, ETH = Symbol.parse("BTC/USD"), Symbol.parse("ETH/USD")
ORDERS, BALANCES = Subscription(Channel.ORDERS), Subscription(Channel.BALANCES)
LOOKS = ("query-open-trades", "query-closed-trades", "create-ws-token")


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""

    def rig(
        only: str | None = None, makers: MakerSettings | None = None, start: datetime = START, **options: Any
    ) -> Rig:
        return Rig(SPEC, folder, seed=11, only=only, makers=makers, start=start, **options)

    await record_account(rig(), NAME, [Channel.ORDERS, Channel.FILLS, Channel.BALANCES])
    for depth, seconds in ((10, 4), (25, 3), (100, 3), (500, 1.5), (1000, 1.25)):
        # Deeper than asked for, so that levels come into view and fall out of it.
        deep = attrs.evolve(QUIET, levels=depth + 5)
        await record_market(rig(NAME, deep), f"book_{depth}", seconds, [Subscription(Channel.BOOK, BTC, depth)])
    for depth, seconds in ((10, 2), (100, 1), (1000, 1)):
        wanted = [Subscription(Channel.BOOK_BY_ORDER, BTC, depth)]
        await record_market(rig(NAME, attrs.evolve(QUIET, levels=13)), f"level3_{depth}", seconds, wanted)
    await record_market(rig(makers=QUIET), "ticker_and_trades", 3, tickers_and_trades())
    candles = [Subscription(Channel.CANDLES, BTC, interval=interval) for interval in (1, 5)]
    await record_market(rig(NAME, LIVELY, START + timedelta(seconds=55)), "candles", 8, candles)
    await record_instruments(rig())
    await record_executions(rig())
    await record_orders(rig())
    await record_refused(rig("ETH/USD"), rig())
    await record_refused_orders(rig(permissions=LOOKS))


def tickers_and_trades() -> list[Subscription]:
    return [
        Subscription(Channel.TICKER, BTC, trigger=TickerTrigger.BBO),
        Subscription(Channel.TICKER, ETH, trigger=TickerTrigger.TRADES),
        Subscription(Channel.TRADES, BTC),
        Subscription(Channel.TRADES, ETH),
    ]


async def record_instruments(rig: Rig) -> None:
    """Record the list of what there is, a market that closes, and heartbeats while nothing happens."""
    await rig.ask(rig.operations.instruments())
    line = await rig.connect("instruments", [Subscription(Channel.STATUS), Subscription(Channel.INSTRUMENTS)])
    await line.run(3)
    rig.exchange.set_status(ETH, InstrumentStatus.CANCEL_ONLY)
    await line.run(1)
    line.close()


async def record_executions(rig: Rig) -> None:
    """Let an account hear of all that can happen to orders; what of it frames cannot say was asked for over REST."""
    await set_the_table(rig, NAME)
    trading = rig.operations.trading
    await rig.ask(trading.add(spot_order(1, "buy", "0.01", "83000")))
    line = await rig.connect("executions", [ORDERS, BALANCES])
    # An order that is amended and canceled.
    placed = await rig.ask(trading.add(spot_order(2, "buy", "0.05", "83000", post_only=True)))
    await rig.ask(trading.amend(Amendment(symbol=NAME, txid=placed.id, quantity="0.04", limit_price="83100")))
    await line.run(1)
    await rig.ask(trading.cancel_batch(txids=[placed.id], symbol=NAME))
    # One that is filled at once.
    await rig.ask(trading.add(spot_order(3, "buy", "0.1")))
    await line.run(1)
    # An iceberg, of which a part and then a bit of the next is taken.
    iceberg = spot_order(4, "sell", "0.03", type="iceberg", limit_price="84005", display_quantity="0.01")
    await rig.ask(trading.add(iceberg))
    rig.others(Side.BUY, NAME, "0.01")
    rig.others(Side.BUY, NAME, "0.005")
    await line.run(1)
    # Two that end by time: one at its own, one because nobody is there who could take it.
    await rig.ask(trading.add(spot_order(5, "buy", "0.01", "83000", time_in_force="GTD", expire=timedelta(seconds=5))))
    await rig.ask(trading.add(spot_order(6, "buy", "0.01", "83900", time_in_force="IOC")))
    # A stop that trails the market up, and is set off on the way down.
    await rig.ask(trading.add(spot_order(7, "sell", "0.02", type="trailing-stop", trigger_price="+30")))
    await line.run(1)
    rig.others(Side.BUY, NAME, "1")
    await line.run(1)
    rig.others(Side.SELL, NAME, "0.01")
    await line.run(1)
    # A margin position that is opened, and closed with own funds.
    await rig.ask(trading.add(spot_order(8, "buy", "0.02", leverage=5)))
    await line.run(1)
    await rig.ask(trading.add(spot_order(9, "sell", "0.02", type="settle-position", leverage=5)))
    await line.run(2)
    line.close()


async def record_orders(rig: Rig) -> None:
    """Record each method about orders over the connection, with what it is answered when all is well and when not."""
    await set_the_table(rig, NAME)
    line = await rig.connect("orders", [ORDERS])
    place_and_change(rig, line)
    await line.run(1)
    take_out(rig, line)
    await line.run(1)
    line.close()


def place_and_change(rig: Rig, line: Connection) -> None:
    trading, now = rig.operations.trading, rig.clock.now()
    line.ask(trading.add(spot_order(1, "buy", "0.01", "83000", post_only=True, deadline=now + PATIENCE)))
    close = ConditionalClose(type="take-profit", trigger_price="86000")
    line.ask(trading.add(spot_order(2, "buy", "0.01", "83500", close=close)))
    stop = {"type": "stop-loss-limit", "trigger_price": "80000", "limit_price": "79900", "trigger": "index"}
    line.ask(trading.add(attrs.evolve(spot_order(3, "sell", "0.01"), **stop)))
    trailing = {"type": "trailing-stop-limit", "trigger_price": "+1.5%", "limit_price": "-10"}
    line.ask(trading.add(attrs.evolve(spot_order(4, "sell", "0.01"), **trailing)))
    line.ask_refused(trading.add(spot_order(5, "sell", "50", "85000")))
    line.ask(trading.amend(Amendment(symbol=NAME, client_order_id=client_id(1), quantity="0.02", limit_price="83100")))
    line.ask_refused(trading.amend(Amendment(symbol=NAME, txid=UNKNOWN, quantity="0.02")))
    plain = line.ask(trading.add(spot_order(6, "buy", "0.01", userref=6, type="limit", limit_price="82000")))
    edit = Edit(symbol=NAME, txid=plain.id, type="limit", limit_price="82100", userref=7)
    line.ask(trading.edit(edit))
    line.ask_refused(trading.edit(edit))
    three = [
        spot_order(11, "buy", "0.01", "82000"),
        spot_order(12, "sell", "50", "85000"),
        spot_order(13, "sell", "0.01", "85000", time_in_force="GTD", expire=now.replace(minute=10)),
    ]
    line.ask(trading.add_batch(three))
    # Further below the last price than that is above zero.
    nowhere = spot_order(14, "sell", "0.01", type="stop-loss", trigger_price="-90000")
    line.ask_refused(trading.add_batch([three[0], nowhere]))


def take_out(rig: Rig, line: Connection) -> None:
    do, trading = rig.operations, rig.operations.trading
    mine = Order(request=rig.order(1, NAME, "buy", "0.02", "83100"), client_order_id=client_id(1))
    line.ask(do.cancel(mine))
    line.ask_refused(do.cancel(mine))
    line.ask(trading.cancel_batch(client_order_ids=[client_id(2), client_id(11)], symbol=NAME))
    line.ask_refused(trading.cancel_batch(txids=[UNKNOWN, "nonsense"], symbol=NAME))
    line.ask(trading.cancel_all_after(timedelta(seconds=60)))
    line.ask(trading.cancel_all_after(timedelta(0)))
    line.ask(trading.cancel_all())


async def record_refused(narrow: Rig, wide: Rig) -> None:
    """Record what a venue with one market answers to who wants another, and to a key that may not look."""
    await wide.ask(wide.operations.instruments())
    narrow.learn(wide)
    wanted = [Subscription(channel, symbol) for channel in (Channel.TRADES, Channel.TICKER) for symbol in (BTC, ETH)]
    line = await narrow.connect("refused", [*wanted, Subscription(Channel.BOOK, BTC, 25)])
    await line.run(2)
    line.close()
    line = await narrow.connect("refused_level3", [Subscription(Channel.BOOK_BY_ORDER, BTC, 10)])
    await line.run(1)
    line.close()
    humble = Rig(SPEC, wide.folder, seed=11, permissions=["create-ws-token", "query-funds"])
    humble.learn(wide)
    line = await humble.connect("refused_private", [ORDERS, BALANCES])
    await line.run(1)
    line.close()


async def record_refused_orders(rig: Rig) -> None:
    """Record each method with a key that may only look."""
    await rig.ask(rig.operations.instruments())
    do, trading = rig.operations, rig.operations.trading
    line = await rig.connect("orders_refused", [ORDERS])
    first, second = spot_order(1, "buy", "0.01", "83000"), spot_order(2, "buy", "0.01", "83000")
    line.ask_refused(trading.add(first))
    line.ask_refused(trading.amend(Amendment(symbol=NAME, txid=UNKNOWN, quantity="0.02")))
    line.ask_refused(trading.edit(Edit(symbol=NAME, txid=UNKNOWN, type="limit", quantity="0.02")))
    line.ask_refused(do.cancel(Order(request=rig.order(1, NAME, "buy", "0.01", "83000"), venue_order_id=UNKNOWN)))
    line.ask_refused(trading.cancel_batch(txids=[UNKNOWN, "OBBBBB-BBBBB-BBBBBB"], symbol=NAME))
    line.ask_refused(trading.cancel_all())
    line.ask_refused(trading.cancel_all_after(timedelta(seconds=60)))
    line.ask_refused(trading.add_batch([first, second]))
    line.close()
