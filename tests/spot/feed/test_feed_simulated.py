"""Live market data of the simulated venue: order by order, and over minutes of silence."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from exchange_core.model.book import BookByOrder, BookHealth
from exchange_core.model.event import Channel, Subscription, SubscriptionSilent, TickerTrigger
from exchange_core.model.market import Candle, Trade
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import World
from kraken_spot.plugin import KRAKEN_SPOT

BTC = Symbol("BTC", "USD")


@pytest.fixture
def world() -> World:
    return World(KRAKEN_SPOT)


@pytest.mark.parametrize("depth", [10, 100])
def test_books_by_order_are_right_whatever_happens(world: World, depth: int) -> None:
    """Orders come, go, are filled in part and push others out of the window; each message has the right checksum."""
    maker, taker = world.client("maker"), world.client("taker")
    line = maker.line(Subscription(Channel.BOOK_BY_ORDER, BTC, depth=depth))
    random, placed = Random(7), []
    for _ in range(150):
        what = random.random()
        if what < 0.65 or not placed:
            side = random.choice(["buy", "sell"])
            offset = Decimal(random.randrange(1, 40)) / 10
            price = Decimal(60_000) - offset if side == "buy" else Decimal(60_000) + offset
            placed.append(maker.place(side, f"0.00{random.randrange(100, 999)}", str(price)))
        elif what < 0.85:
            maker.run(maker.rest.cancel(placed.pop(random.randrange(len(placed)))))
        else:
            side, price = random.choice([("buy", "60001"), ("sell", "59999")])
            taker.place(side, "0.005", price, time_in_force="ioc")
            open_ids = {order.venue_order_id for order in maker.run(maker.rest.open_orders())}
            placed = [order for order in placed if order.venue_order_id in open_ids]
        line.wait(8)  # the venue counts orders, and what becomes of young ones
    assert line.feed.stats.mismatches == 0
    assert line.feed.stats.verified > 100
    view = line.feed.book(BTC)
    assert isinstance(view, BookByOrder)
    assert view.health is BookHealth.LIVE
    levels = maker.line(Subscription(Channel.BOOK, BTC, depth=10)).feed.book(BTC)
    assert levels is not None
    assert levels.bids()
    assert (view.bids(10), view.asks(10)) == (levels.bids(), levels.asks())


def test_minutes_of_silence_are_no_fault_and_bring_nothing_twice(world: World) -> None:
    maker, taker = world.client("maker"), world.client("taker")
    maker.place("buy", "0.1", "59990")
    maker.place("sell", "0.1", "60010")
    line = maker.line(
        Subscription(Channel.BOOK, BTC),
        Subscription(Channel.TRADES, BTC),
        Subscription(Channel.TICKER, BTC, trigger=TickerTrigger.TRADES),
        Subscription(Channel.CANDLES, BTC, interval=1),
    )
    events = list(line.news)
    for _ in range(3):
        taker.place("buy", "0.01", "60010", time_in_force="ioc")
        events += line.carry()
        events += line.wait(150)
    trades = [event.id for event in events if isinstance(event, Trade)]
    assert len(trades) == len(set(trades)) == 3
    closed = [event.start for event in events if isinstance(event, Candle) and event.closed]
    assert closed == sorted(set(closed))
    assert not [event for event in events if isinstance(event, SubscriptionSilent)]
    assert line.feed.stats.silent == 0
    assert line.feed.is_dead(world.clock.monotonic()) is None
    view = line.feed.book(BTC)
    assert view is not None
    assert view.health is BookHealth.LIVE
