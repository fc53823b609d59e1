"""The walks against the simulated venue, in process: signed, sent and answered, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from exchange_core.connector.pages import History
from exchange_core.model.symbol import Symbol
from exchange_core.testing.walking import take, walk
from exchange_core.testing.world import Client, World
from kraken_futures.history import FuturesHistory
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_futures.rest.charts import Resolution, TickType
from kraken_futures.types.history import HistoryKind

ROUNDS = 130


@pytest.fixture(scope="module")
def world() -> World:
    """A venue where two accounts traded with each other."""
    world = World(KRAKEN_FUTURES)
    maker, taker = world.client("maker"), world.client("taker")
    for number in range(ROUNDS):
        price = str(60_000 + number % 7)
        maker.place("sell", "0.001", price, symbol=btc(world))
        taker.place("buy", "0.001", price, symbol=btc(world), time_in_force="ioc")
        world.clock.forward(0.25 if number % 10 else 200.0)
    return world


def btc(world: World) -> Symbol:
    """Return the linear perpetual."""
    symbols = [market.instrument.symbol for market in world.simulator.markets]
    return next(symbol for symbol in symbols if symbol.base == "BTC" and not symbol.is_inverse and not symbol.expiry)


@pytest.fixture
def taker(world: World) -> Client:
    return world.client("taker")


@pytest.fixture
def past(taker: Client) -> FuturesHistory:
    return FuturesHistory(taker.context)


def in_pieces(history: History[Any], client: Client, size: int) -> list[Any]:
    """Walk it with a new stream after each *size* entries."""
    found: list[Any] = []
    cursor = None
    while True:
        stream = walk(history, client.answer, cursor)
        part = take(stream, size)
        if not part:
            return found
        found, cursor = found + part, stream.cursor


@pytest.mark.parametrize("size", [1000, 37])
def test_executions_are_fills_with_fees(world: World, taker: Client, past: FuturesHistory, size: int) -> None:
    fills = in_pieces(past.fills(None, None), taker, size)
    told = world.exchange.fills("taker")
    assert [fill.id for fill in fills] == [fill.id for fill in told]
    assert len(fills) == ROUNDS
    assert [fill.fee and fill.fee.amount for fill in fills] == [fill.fee for fill in told]
    backwards = in_pieces(taker.rest.walks.fills(), taker, size)
    assert [fill.id for fill in backwards] == [fill.id for fill in reversed(told)]


def test_order_events(world: World, taker: Client) -> None:
    events = in_pieces(taker.rest.walks.orders(), taker, 50)
    placed = [event for event in events if event.kind is HistoryKind.PLACED]
    assert len({event.order_id for event in placed}) == len(placed) == ROUNDS


@pytest.mark.parametrize("size", [1000, 41])
def test_public_trades(world: World, taker: Client, past: FuturesHistory, size: int) -> None:
    symbol = btc(world)
    trades = in_pieces(past.trades(symbol, None, None), taker, size)
    assert [trade.id for trade in trades] == [trade.uid for trade in world.exchange.trades(symbol)]
    half = trades[60].time
    assert in_pieces(past.trades(symbol, None, half), taker, size) == [trade for trade in trades if trade.time < half]
    assert in_pieces(past.trades(symbol, half, None), taker, size) == [trade for trade in trades if trade.time >= half]


def test_candles(world: World, taker: Client, past: FuturesHistory) -> None:
    symbol = btc(world)
    start = world.exchange.trades(symbol)[0].time.replace(second=0, microsecond=0)
    shown = [bar for bar in world.exchange.candles(symbol, 5) if bar.closed]
    found = in_pieces(past.candles(symbol, 5, start, None), taker, 2)
    assert [(bar.start, bar.close, bar.volume) for bar in found] == [
        (bar.start, bar.close, bar.volume) for bar in shown
    ]
    marks = in_pieces(taker.rest.walks.candles(symbol, Resolution.MINUTES_5, TickType.MARK, start), taker, 2)
    assert [bar.start for bar in marks] == [bar.start for bar in shown]
