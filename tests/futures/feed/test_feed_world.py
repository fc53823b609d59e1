"""Feeds of the simulated venue whose frames get lost in silence, while the connection beats on: nothing stays lost."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    Event,
    LedgerUpdate,
    OpenOrdersSnapshot,
    PositionsUpdate,
    SequenceGap,
    Subscription,
    SubscriptionSilent,
)
from exchange_core.model.fill import Fill
from exchange_core.model.ledger import LedgerKind
from exchange_core.model.market import Ticker, Trade
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import Client, Line, World
from kraken_futures.feed.connections import PRIVATE, PUBLIC
from kraken_futures.plugin import KRAKEN_FUTURES

PF = Symbol.parse("BTC/USD:USD")


@pytest.fixture
def world() -> World:
    return World(KRAKEN_FUTURES)


@pytest.fixture
def price(world: World) -> Decimal:
    """A price that nobody offers yet and that the venue takes."""
    return next(market.start_price for market in world.simulator.markets if market.instrument.symbol == PF)


def meet(maker: Client, taker: Client, price: Decimal, quantity: str = "0.1") -> None:
    maker.place("sell", quantity, price, symbol=PF)
    taker.place("buy", quantity, price, symbol=PF)


def deaf_to(feed: str) -> Callable[[str], str | None]:
    """Lose the data of a feed, not the answers to requests."""

    def spoil(frame: str) -> str | None:
        is_data = f'"feed":"{feed}' in frame and '"event"' not in frame
        return None if is_data else frame

    return spoil


def pass_time(world: World, line: Line, seconds: int, spoil: Callable[[str], str | None]) -> list[Event]:
    events: list[Event] = []
    for _ in range(seconds):
        world.clock.forward(1.0)
        now = world.clock.monotonic()
        events += line.feed.tick(now)
        events += line.carry(spoil)
        assert line.feed.is_dead(now) is None
    return events


def of(kind: type, events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_trades_that_were_lost_in_silence_come_once(world: World, price: Decimal) -> None:
    alice, bob = world.client("alice"), world.client("bob")
    trades = Subscription(Channel.TRADES, PF)
    line = bob.line(trades)
    meet(alice, bob, price)
    assert len(of(Trade, line.carry())) == 1
    deaf = deaf_to("trade")
    meet(alice, bob, price)
    meet(alice, bob, price)
    assert not of(Trade, pass_time(world, line, 59, deaf))
    events = line.wait(3)
    assert len({trade.id for trade in of(Trade, events)}) == len(of(Trade, events)) == 2
    assert [event.subscription for event in of(SubscriptionSilent, events)] == [trades]
    assert not of(SequenceGap, events)
    meet(alice, bob, price)
    assert len(of(Trade, line.carry())) == 1
    assert (line.feed.stats.silent, line.feed.stats.gaps) == (1, 0)


def test_a_hole_in_the_trades_is_filled_at_once(world: World, price: Decimal) -> None:
    alice, bob = world.client("alice"), world.client("bob")
    line = bob.line(Subscription(Channel.TRADES, PF))
    meet(alice, bob, price)
    line.carry()
    meet(alice, bob, price)
    line.carry(deaf_to("trade"))
    meet(alice, bob, price)
    events = [*line.carry(), *line.wait(2)]
    assert len(of(Trade, events)) == 2
    assert not of(SequenceGap, events)


def test_a_book_that_went_on_in_silence_is_right_again(world: World, price: Decimal) -> None:
    alice = world.client("alice")
    line = alice.line(Subscription(Channel.BOOK, PF))
    alice.place("sell", "0.3", price, symbol=PF)
    pass_time(world, line, 59, deaf_to("book"))
    line.wait(2)
    view = line.feed.book(PF)
    assert view is not None
    assert view.best_ask is not None
    assert (view.best_ask.price, view.best_ask.quantity) == (price, Decimal("0.3"))
    assert line.feed.stats.silent == 1


def test_what_an_account_did_in_silence_is_heard_of(world: World, price: Decimal) -> None:
    alice, bob = world.client("alice"), world.client("bob")
    channels = [Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS, Channel.LEDGER]
    line = bob.line(*map(Subscription, channels))
    bob.place("buy", "0.2", price - 5, symbol=PF)
    line.carry()

    def deaf(frame: str) -> str | None:
        return frame if '"event"' in frame or '"heartbeat"' in frame else None

    meet(alice, bob, price)
    pass_time(world, line, 59, deaf)
    events = line.wait(3)
    assert {event.subscription.channel for event in of(SubscriptionSilent, events)} >= {
        Channel.FILLS,
        Channel.BALANCES,
        Channel.POSITIONS,
        Channel.LEDGER,
    }
    (fill,) = of(Fill, events)
    assert fill.quantity == Decimal("0.1")
    assert [len(snapshot.orders) for snapshot in of(OpenOrdersSnapshot, events)] == [1]
    (position,) = of(PositionsUpdate, events)[-1].positions
    assert position.quantity == Decimal("0.1")
    assert of(BalancesUpdate, events)[-1].complete
    entries = [entry for update in of(LedgerUpdate, events) for entry in update.entries]
    assert LedgerKind.TRADE in {entry.kind for entry in entries}


def test_a_quiet_venue_is_asked_in_vain_and_nothing_comes_of_it(world: World) -> None:
    """Every feed of both connections is asked for again each minute, and nobody notices."""
    bob = world.client("bob")
    public = bob.line(*(Subscription(channel, PF) for channel in PUBLIC))
    private = bob.line(*map(Subscription, PRIVATE))
    for line in (public, private):
        events = line.wait(200)
        assert not of(SubscriptionSilent, events)
        assert (line.feed.stats.silent, line.feed.stats.gaps, line.feed.stats.resyncs) == (0, 0, 0)
        assert all(line.feed.is_active(subscription) for subscription in line.feed.subscriptions())
        assert line.feed.is_dead(world.clock.monotonic()) is None


def test_the_lighter_ticker_is_had_of_the_venue(world: World) -> None:
    line = world.client("bob").line(Subscription(Channel.TICKER, PF, variant="ticker_lite"))
    (ticker, *_) = of(Ticker, line.news)
    assert ticker.symbol == PF
    assert ticker.time is None
