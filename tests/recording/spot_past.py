"""Kraken Spot's long lists, walked over several pages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.walking import whole
from kraken_spot.history import KrakenSpotHistory
from recording.rig import START, Rig
from recording.scenes import set_the_table
from recording.spot_calls import NAME, SPEC, spot_order

BTC = Symbol.parse(NAME)
FILLS = 103
"""More than a page of trades, and of ledger entries, has."""

ORDERS = 52
"""More than a page of orders has."""


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""
    await record_short(Rig(SPEC, folder, seed=11))
    await record_many_fills(Rig(SPEC, folder, seed=11))
    await record_many_orders(Rig(SPEC, folder, seed=11))


async def record_short(rig: Rig) -> None:
    """Record walks that are over after a page, in the venue's words and in the model's."""
    await set_the_table(rig, NAME)
    trading = rig.operations.trading
    await rig.ask(trading.add(spot_order(1, "sell", "0.02")))
    await rig.clock.advance(60)
    await rig.ask(trading.add(spot_order(2, "buy", "0.3", "84010", time_in_force="IOC")))
    await rig.clock.advance(60)
    walks, past = rig.operations.walks, KrakenSpotHistory(rig.context)
    start, end = START, START + timedelta(minutes=3)
    await rig.record("walks.market_trades", whole(walks.market_trades(NAME, start, None)))
    await rig.record("walks.candles", whole(walks.candles(NAME, 1, start, end)))
    humble = Rig(SPEC, rig.folder, seed=11, permissions=["query-funds"])
    humble.learn(rig)
    await humble.record_refusal("walks.trades.refused", whole(humble.operations.walks.trades(START)))
    await rig.record("past.fills", whole(past.fills(start, None)))
    await rig.record("past.orders", whole(past.orders(start, None)))
    await rig.record("past.ledger", whole(past.ledger(start + timedelta(seconds=1), None)))
    await rig.record("past.trades", whole(past.trades(BTC, start, end)))
    await rig.record("past.candles", whole(past.candles(BTC, 1, start, end)))


async def record_many_fills(rig: Rig) -> None:
    """Record the trades and the ledger of an order that was filled in very many parts."""
    await rig.ask(rig.operations.instruments())
    await rig.ask(rig.operations.trading.add(spot_order(1, "buy", "0.2", "84000")))
    for _ in range(FILLS):
        await rig.clock.advance(1)
        rig.others(Side.SELL, NAME, "0.0005")
    walks = rig.operations.walks
    await rig.record("walks.trades", whole(walks.trades(START)))
    await rig.record("walks.ledger", whole(walks.ledger(START + timedelta(seconds=1), assets=["BTC"])))


async def record_many_orders(rig: Rig) -> None:
    """Record the orders of an account that placed and canceled very many."""
    await rig.ask(rig.operations.instruments())
    trading = rig.operations.trading
    for number in range(1, ORDERS + 1):
        placed = await rig.ask(trading.add(spot_order(number, "buy", "0.001", "80000", post_only=True)))
        await rig.clock.advance(1)
        await rig.ask(trading.cancel_batch(txids=[placed.id], symbol=NAME))
    await rig.record("walks.orders", whole(rig.operations.walks.orders(START)))
