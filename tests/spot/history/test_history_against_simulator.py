"""The walks against the simulated venue, in process: signed, sent and answered, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from exchange_core.connector.pages import History
from exchange_core.model.symbol import Symbol
from exchange_core.testing.walking import take, walk
from exchange_core.testing.world import Client, World
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.plugin import KRAKEN_SPOT

BTC = Symbol("BTC", "USD")
ROUNDS = 130


@pytest.fixture(scope="module")
def world() -> World:
    """A venue where two accounts traded with each other, some times a minute and sometimes not for a while."""
    world = World(KRAKEN_SPOT)
    maker, taker = world.client("maker"), world.client("taker")
    for number in range(ROUNDS):
        price = str(60_000 + number % 7)
        maker.place("sell", "0.0005", price)
        taker.place("buy", "0.0005", price, time_in_force="ioc")
        world.clock.forward(7.0 if number % 10 else 200.0)
    return world


@pytest.fixture
def taker(world: World) -> Client:
    return world.client("taker")


@pytest.fixture
def past(taker: Client) -> KrakenSpotHistory:
    return KrakenSpotHistory(taker.context)


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
def test_fills_orders_and_the_ledger(world: World, taker: Client, past: KrakenSpotHistory, size: int) -> None:
    fills = in_pieces(past.fills(None, None), taker, size)
    assert [fill.id for fill in fills] == [fill.id for fill in world.exchange.fills("taker")]
    assert len(fills) == ROUNDS
    orders = in_pieces(past.orders(None, None), taker, size)
    assert [order.venue_order_id for order in orders] == [fill.venue_order_id for fill in fills]
    entries = in_pieces(past.ledger(None, None), taker, size)
    assert len(entries) == len({entry.id for entry in entries}) == len(world.exchange.ledger("taker"))
    for balance in taker.run(taker.rest.balances()):
        moved = [entry for entry in entries if entry.asset == balance.asset]
        assert sum(entry.change for entry in moved) == balance.total == moved[-1].balance


def test_a_part_of_the_past(taker: Client, past: KrakenSpotHistory) -> None:
    times = [fill.time for fill in in_pieces(past.fills(None, None), taker, 1000)]
    some = in_pieces(past.fills(times[40], times[90]), taker, 7)
    assert [fill.time for fill in some] == times[40:90]


def test_public_trades(world: World, taker: Client, past: KrakenSpotHistory) -> None:
    trades = in_pieces(past.trades(BTC, None, None), taker, 50)
    assert [trade.id for trade in trades] == [str(trade.trade_id) for trade in world.exchange.trades(BTC)]


@pytest.mark.parametrize("interval", [1, 5, 60])
def test_candles_are_those_that_the_venue_shows(taker: Client, past: KrakenSpotHistory, interval: int) -> None:
    shown = [candle for candle in taker.run(taker.rest.candles(BTC, interval, None)) if candle.closed]
    assert in_pieces(past.candles(BTC, interval, None, None), taker, 11) == shown
