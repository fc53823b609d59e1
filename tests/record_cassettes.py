"""Record the cassettes again, against the simulated exchange: ``make record``.

What happens is told here; the tests in ``tests/*/test_cassettes.py`` say what must come of it, number by number.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import attrs

from cassette_rig import START, Rig, client_id
from exchange_core.model.event import Channel, Subscription
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.maker import MakerSettings
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_spot.plugin import KRAKEN_SPOT

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


async def record_rest(rig: Rig, name: str) -> None:
    """Record every operation, on a book of which each number is known."""
    do, symbol, clock = rig.operations, Symbol.parse(name), rig.clock
    await rig.record("instruments", do.instruments())
    await set_the_table(rig, name)
    await rig.record("ticker", do.ticker(symbol))
    await rig.record("book", do.book(symbol, 5))
    await rig.record("trades", do.trades(symbol, 2))
    await rig.record("candles", do.candles(symbol, 1, None))

    limit = await rig.record("place_limit", do.place(rig.order(1, name, "buy", "0.01", "83000")))
    post = await rig.record("place_post_only", do.place(rig.order(2, name, "sell", "0.02", "85000", post_only=True)))
    if rig.spec is KRAKEN_FUTURES:
        # The spot venue takes such an order, and cancels it.
        taking = rig.order(8, name, "buy", "0.01", "84010", post_only=True)
        await rig.record_refusal("place_post_only_taking", do.place(taking))
    await rig.record_refusal("place_without_funds", do.place(rig.order(4, name, "buy", "900", "83000")))
    await rig.record("open_orders", do.open_orders())
    await clock.advance(10)
    bare = OrderRequest(symbol=symbol, side=Side.BUY, quantity=Decimal("0.01"), price=Decimal(83000))
    await rig.record("find_by_venue_id", do.find(Order(request=bare, venue_order_id=limit.venue_order_id)))
    await rig.record("find_by_client_id", do.find(attrs.evolve(post, venue_order_id=None)))
    ioc = await rig.record("place_ioc", do.place(rig.order(5, name, "buy", "0.3", "84010", time_in_force="ioc")))
    await clock.advance(1)
    market = await rig.record("place_market", do.place(rig.order(6, name, "sell", "0.1")))
    await clock.advance(10)
    await rig.record("find_canceled", do.find(attrs.evolve(ioc, venue_order_id=None)))
    await rig.record("find_filled", do.find(attrs.evolve(market, venue_order_id=None)))
    nowhere = Order(request=bare, client_order_id=client_id(7), created=clock.now())
    await rig.record("find_nowhere", do.find(nowhere))
    await rig.record("cancel", do.cancel(limit))
    await rig.record_refusal("cancel_again", do.cancel(limit))

    await rig.record("balances", do.balances())
    await rig.record("fills", do.fills(START))
    if rig.spec is KRAKEN_SPOT:
        await rig.record("fees", do.fees(symbol))
        login = rig.spec.feeds[1].make(rig.context).login()
        assert login is not None
        await rig.record("token", login)
    else:
        await rig.record("positions", do.positions())


async def record_account(rig: Rig, name: str, channels: Iterable[Channel]) -> None:
    """Record what an account hears of: an order that rests and is filled in two parts, and one that is canceled."""
    await set_the_table(rig, name)
    do, before = rig.operations, rig.order(1, name, "buy", "0.05")
    await rig.ask(do.place(before))
    await rig.ask(do.place(rig.order(2, name, "buy", "0.01", "83000")))
    account = await rig.connect("account", [Subscription(channel) for channel in channels], private=True)
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


async def record_spot(folder: Path) -> None:
    btc, eth = Symbol.parse("BTC/USD"), Symbol.parse("ETH/USD")

    def rig(only: str | None = None, makers: MakerSettings | None = None, start: datetime = START) -> Rig:
        return Rig(KRAKEN_SPOT, folder, seed=11, only=only, makers=makers, start=start)

    await record_rest(rig(), "BTC/USD")
    await record_account(rig(), "BTC/USD", [Channel.ORDERS, Channel.FILLS, Channel.BALANCES])
    for depth, seconds in ((10, 4), (25, 3), (100, 3), (500, 1.5), (1000, 1.5)):
        # Deeper than asked for, so that levels come into view and fall out of it.
        deep = attrs.evolve(QUIET, levels=depth + 5)
        await record_market(rig("BTC/USD", deep), f"book_{depth}", seconds, [Subscription(Channel.BOOK, btc, depth)])
    pairs = [Subscription(channel, symbol) for channel in (Channel.TICKER, Channel.TRADES) for symbol in (btc, eth)]
    await record_market(rig(makers=QUIET), "ticker_and_trades", 6, pairs)
    candles = [Subscription(Channel.CANDLES, btc, interval=interval) for interval in (1, 5)]
    late = START + timedelta(seconds=55)
    await record_market(rig("BTC/USD", LIVELY, late), "candles", 8, candles)
    await record_market(rig(), "instruments", 2, [Subscription(Channel.STATUS), Subscription(Channel.INSTRUMENTS)])


async def record_futures(folder: Path) -> None:
    linear, inverse = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")

    def rig(makers: MakerSettings | None = None) -> Rig:
        return Rig(KRAKEN_FUTURES, folder, seed=11, makers=makers)

    await record_rest(rig(), "BTC/USD:USD")
    account = [Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS]
    await record_account(rig(), "BTC/USD:USD", account)
    for channel in (Channel.BOOK, Channel.TICKER, Channel.TRADES):
        both = [Subscription(channel, linear), Subscription(channel, inverse)]
        await record_market(rig(QUIET), str(channel), 4, both)


async def record_all(folder: Path) -> None:
    await record_spot(folder)
    await record_futures(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the cassettes again, against the simulated exchange.")
    default = Path(__file__).resolve().parents[1] / "cassettes"
    parser.add_argument("--to", type=Path, default=default, help="where they go; what was recorded there goes away")
    folder: Path = parser.parse_args().to
    for spec in (KRAKEN_SPOT, KRAKEN_FUTURES):
        shutil.rmtree(folder / spec.name, ignore_errors=True)
    asyncio.run(record_all(folder))


if __name__ == "__main__":
    main()
