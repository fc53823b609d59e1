"""What is recorded of Kraken Futures."""

from __future__ import annotations

from pathlib import Path

import attrs

from exchange_core.model.event import Channel, Subscription
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.maker import MakerSettings
from kraken_futures.plugin import KRAKEN_FUTURES
from recording.rig import START, Rig, client_id
from recording.scenes import QUIET, record_account, record_market, set_the_table

NAME = "BTC/USD:USD"
LINEAR, INVERSE = Symbol.parse(NAME), Symbol.parse("BTC/USD:BTC")


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""

    def rig(makers: MakerSettings | None = None) -> Rig:
        return Rig(KRAKEN_FUTURES, folder, seed=11, makers=makers)

    await record_rest(rig())
    account = [Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS]
    await record_account(rig(), NAME, account)
    for channel in (Channel.BOOK, Channel.TICKER, Channel.TRADES):
        both = [Subscription(channel, LINEAR), Subscription(channel, INVERSE)]
        await record_market(rig(QUIET), str(channel), 4, both)


async def record_rest(rig: Rig) -> None:
    """Record every operation, on a book of which each number is known."""
    do, clock = rig.operations, rig.clock
    await rig.record("instruments", do.instruments())
    await set_the_table(rig, NAME)
    await rig.record("ticker", do.ticker(LINEAR))
    await rig.record("book", do.book(LINEAR, 5))
    await rig.record("trades", do.trades(LINEAR, 2))
    await rig.record("candles", do.candles(LINEAR, 1, None))

    limit = await rig.record("place_limit", do.place(rig.order(1, NAME, "buy", "0.01", "83000")))
    post = await rig.record("place_post_only", do.place(rig.order(2, NAME, "sell", "0.02", "85000", post_only=True)))
    taking = rig.order(8, NAME, "buy", "0.01", "84010", post_only=True)
    await rig.record_refusal("place_post_only_taking", do.place(taking))
    await rig.record_refusal("place_without_funds", do.place(rig.order(4, NAME, "buy", "900", "83000")))
    await rig.record("open_orders", do.open_orders())
    await clock.advance(10)
    bare = OrderRequest(symbol=LINEAR, side=Side.BUY, quantity="0.01", price="83000")
    await rig.record("find_by_venue_id", do.find(Order(request=bare, venue_order_id=limit.venue_order_id)))
    await rig.record("find_by_client_id", do.find(attrs.evolve(post, venue_order_id=None)))
    ioc = await rig.record("place_ioc", do.place(rig.order(5, NAME, "buy", "0.3", "84010", time_in_force="ioc")))
    await clock.advance(1)
    market = await rig.record("place_market", do.place(rig.order(6, NAME, "sell", "0.1")))
    await clock.advance(10)
    await rig.record("find_canceled", do.find(attrs.evolve(ioc, venue_order_id=None)))
    await rig.record("find_filled", do.find(attrs.evolve(market, venue_order_id=None)))
    nowhere = Order(request=bare, client_order_id=client_id(7), created=clock.now())
    await rig.record("find_nowhere", do.find(nowhere))
    await rig.record("cancel", do.cancel(limit))
    await rig.record_refusal("cancel_again", do.cancel(limit))

    await rig.record("balances", do.balances())
    await rig.record("fills", do.fills(START))
    await rig.record("positions", do.positions())
