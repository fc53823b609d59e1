"""The plugin and the simulated venue are two readings of the same pages; here they must agree, without a network."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.errors import (
    AuthenticationError,
    ExchangeError,
    InsufficientFunds,
    NonceRejected,
    OrderNotFound,
    OrderRefused,
)
from exchange_core.model.book import BookHealth
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    OpenOrdersSnapshot,
    OrderUpdate,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    Unrecognised,
)
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import Client, Line, World
from kraken_spot.orders.client_ids import client_order_id
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.simulator import SIMULATOR

BTC = Symbol("BTC", "USD")
PRIVATE = KRAKEN_SPOT.feeds[1]


@pytest.fixture
def world() -> World:
    return World(KRAKEN_SPOT)


@pytest.fixture
def maker(world: World) -> Client:
    return world.client("maker")


@pytest.fixture
def taker(world: World) -> Client:
    return world.client("taker")


def test_the_listed_pairs(taker: Client) -> None:
    assert not taker.rest.skipped
    listed = {made.symbol: made for made in taker.context.symbols}
    for market in SIMULATOR.markets:
        made = listed[market.instrument.symbol]
        for name in ("tick_size", "lot_size", "min_quantity", "min_cost", "status"):
            assert getattr(made, name) == getattr(market.instrument, name)


def test_an_order_from_placing_to_its_fills(maker: Client, taker: Client) -> None:
    resting = maker.place("sell", "0.5", "60000")
    assert [order.venue_order_id for order in maker.run(maker.rest.open_orders())] == [resting.venue_order_id]
    rates = taker.run(taker.rest.fees(BTC))  # what is traded makes the next one cheaper
    bought = taker.place("buy", "0.2", "60000", time_in_force="ioc")
    found = taker.run(taker.rest.find(bought))
    assert found.status is OrderStatus.FILLED
    assert found.filled == Decimal("0.2")
    by_our_id = taker.run(taker.rest.find(Order(request=bought.request)))
    assert by_our_id.venue_order_id == bought.venue_order_id
    (fill,) = taker.run(taker.rest.fills(None))
    assert fill.venue_order_id == bought.venue_order_id
    assert (fill.price, fill.quantity) == (Decimal(60000), Decimal("0.2"))
    assert fill.fee is not None
    assert fill.fee.amount == rates.taker * 12000
    partly = maker.run(maker.rest.find(resting))
    assert partly.status is OrderStatus.PARTIALLY_FILLED
    held = {b.asset: b.held for b in maker.run(maker.rest.balances())}
    assert held["BTC"] == Decimal("0.3")
    maker.run(maker.rest.cancel(resting))
    with pytest.raises(OrderNotFound):
        maker.run(maker.rest.cancel(resting))
    canceled = maker.run(maker.rest.find(resting))
    assert canceled.status is OrderStatus.CANCELED
    assert canceled.filled == Decimal("0.2")


def test_an_order_that_never_arrived_is_nowhere(taker: Client) -> None:
    request = OrderRequest(
        symbol=BTC,
        side="buy",
        quantity="1",
        price="1",
        client_order_id=client_order_id(5),
    )
    assert taker.run(taker.rest.find(Order(request=request))) is None


def test_refusals(maker: Client, taker: Client, world: World) -> None:
    maker.place("sell", "0.5", "60000")
    with pytest.raises(InsufficientFunds):
        taker.place("buy", "100", "60000")
    with pytest.raises(OrderRefused):
        taker.place("buy", "0.1", "60000.05")
    with pytest.raises(ExchangeError):
        taker.place("buy", "0.1", "60000", deadline=world.clock.now() - timedelta(seconds=1))
    post = taker.place("buy", "0.1", "60000", post_only=True)
    found = taker.run(taker.rest.find(post))
    assert found.status is OrderStatus.CANCELED
    assert not taker.run(taker.rest.open_orders())


def test_access(taker: Client, maker: Client) -> None:
    taker.run(taker.rest.balances())
    taker.world.nonces = iter([0])
    with pytest.raises(NonceRejected):
        taker.run(taker.rest.balances())
    wrong = Credentials(api_key="taker", api_secret=taker.world.credentials("maker").api_secret)
    taker.world.nonces = count(1000)
    with pytest.raises(AuthenticationError):
        Client(taker.world, wrong).run(taker.rest.balances())


def test_market_data_over_rest(maker: Client, taker: Client) -> None:
    maker.place("sell", "0.5", "60000")
    maker.place("buy", "0.5", "59000")
    taker.place("buy", "0.2", "60000")
    book = taker.run(taker.rest.book(BTC, 10))
    assert book.best_bid == (Decimal(59000), Decimal("0.5"))
    assert book.best_ask == (Decimal(60000), Decimal("0.3"))
    ticker = taker.run(taker.rest.ticker(BTC))
    assert (ticker.bid, ticker.ask, ticker.last) == (Decimal(59000), Decimal(60000), Decimal(60000))
    (trade,) = taker.run(taker.rest.trades(BTC, 10))
    assert (trade.price, trade.quantity) == (Decimal(60000), Decimal("0.2"))
    candles = taker.run(taker.rest.candles(BTC, 1, None))
    assert candles[-1].close == Decimal(60000)
    assert not candles[-1].closed


@pytest.mark.parametrize("depth", [10, 25, 100, 500, 1000])
def test_books_are_checked_and_agree_with_rest(maker: Client, depth: int) -> None:
    wanted = Subscription(Channel.BOOK, BTC, depth=depth)
    for step in range(15):
        maker.place("buy", "0.01", str(59000 - step * 10))
        maker.place("sell", "0.01", str(60000 + step * 10))
    line = maker.line(wanted)
    feed = line.feed
    assert Subscribed(subscription=wanted) in line.news
    for order in maker.run(maker.rest.open_orders())[::3]:
        maker.run(maker.rest.cancel(order))
    maker.place("buy", "0.02", "59000.5")
    line.carry()
    book = feed.book(BTC)
    assert book is not None
    assert book.health is BookHealth.LIVE
    assert feed.stats.mismatches == 0
    assert feed.stats.verified == feed.stats.books > 5
    snapshot = maker.run(maker.rest.book(BTC, min(depth, 500)))
    assert tuple(book.bids()) == snapshot.bids
    assert tuple(book.asks()) == snapshot.asks


def test_all_public_channels_are_acknowledged(maker: Client, taker: Client) -> None:
    wanted = [
        Subscription(Channel.TICKER, BTC),
        Subscription(Channel.TRADES, BTC),
        Subscription(Channel.CANDLES, BTC, interval=1),
        Subscription(Channel.CANDLES, BTC, interval=5),
        Subscription(Channel.BOOK, BTC),
        Subscription(Channel.INSTRUMENTS),
        Subscription(Channel.STATUS),
    ]
    line = maker.line(*wanted)
    events = line.news + list(line.feed.tick(0.0))
    assert {event.subscription for event in events if isinstance(event, Subscribed)} == set(wanted)
    maker.place("sell", "0.5", "60000")
    taker.place("buy", "0.2", "60000")
    kinds = {type(event).__name__ for event in line.carry()}
    assert {"Ticker", "Trade", "Candle", "OrderBook"} <= kinds
    assert not [event for event in events if isinstance(event, Unrecognised)]
    line.feed.unsubscribe(wanted, 1.0)
    line.carry()
    maker.place("sell", "0.5", "60001")
    taker.place("buy", "0.2", "60000")
    assert not line.carry()


def test_a_refused_symbol(maker: Client) -> None:
    maker.context.symbols.add(maker.context.symbols.instrument(BTC), wire="XBT/USD")
    line = maker.line(Subscription(Channel.BOOK, BTC), Subscription(Channel.BOOK, Symbol("ETH", "USD")))
    (refused,) = [event for event in line.news if isinstance(event, SubscriptionRefused)]
    assert "XBT/USD" in refused.reason


def test_a_resubscription_heals_a_book(maker: Client) -> None:
    line = maker.line(Subscription(Channel.BOOK, BTC))
    feed = line.feed
    maker.place("buy", "0.1", "59000")
    line.socket.take()  # an update is lost
    maker.place("buy", "0.1", "58000")
    line.carry()
    book = feed.book(BTC)
    assert book is not None
    assert book.health is BookHealth.LIVE
    assert (feed.stats.mismatches, feed.stats.resyncs) == (1, 1)
    assert [level.price for level in book.bids()] == [Decimal(59000), Decimal(58000)]


def test_orders_fills_and_balances_over_the_private_feed(maker: Client, taker: Client) -> None:
    wanted = [Subscription(Channel.ORDERS), Subscription(Channel.FILLS), Subscription(Channel.BALANCES)]
    maker.place("sell", "0.5", "60000")
    before = taker.place("buy", "0.1", "50000")
    line = taker.line(*wanted)
    events = line.news
    assert {event.subscription for event in events if isinstance(event, Subscribed)} == set(wanted)
    (snapshot,) = [event for event in events if isinstance(event, OpenOrdersSnapshot)]
    assert [order.venue_order_id for order in snapshot.orders] == [before.venue_order_id]
    (totals,) = [event for event in events if isinstance(event, BalancesUpdate)]
    assert totals.complete

    bought = taker.place("buy", "0.2", "60000", time_in_force="ioc")
    events = line.carry()
    updates = [event for event in events if isinstance(event, OrderUpdate)]
    assert {update.venue_order_id for update in updates} == {bought.venue_order_id}
    assert {update.client_order_id for update in updates} == {bought.client_order_id}
    assert [update.status for update in updates][-1] is OrderStatus.FILLED
    (fill,) = [event for event in events if isinstance(event, Fill)]
    assert fill.client_order_id == bought.client_order_id
    (over_rest,) = taker.run(taker.rest.fills(None))
    for name in ("id", "symbol", "side", "price", "quantity", "cost", "fee", "liquidity", "venue_order_id"):
        assert getattr(over_rest, name) == getattr(fill, name)
    totals_after = {b.asset: b.total for event in events if isinstance(event, BalancesUpdate) for b in event.balances}
    totals_over_rest = {b.asset: b.total for b in taker.run(taker.rest.balances())}
    assert totals_after == {asset: totals_over_rest[asset] for asset in ("USD", "BTC")}
    assert line.feed.stats.gaps == 0

    line.close()
    line.open()
    again = line.carry()
    assert not [event for event in again if isinstance(event, Fill)], "told before"
    assert [event for event in again if isinstance(event, OpenOrdersSnapshot)]


def test_an_old_token_is_replaced_by_a_new_connection(taker: Client) -> None:
    line = Line(taker, PRIVATE)
    line.feed.opened(0.0, "not a token")
    line.feed.subscribe([Subscription(Channel.ORDERS)], 0.0)
    line.carry()
    assert line.feed.is_dead(0.0) is not None
    line.close()
    line.open()
    assert [event for event in line.carry() if isinstance(event, Subscribed)]
    assert line.feed.is_dead(0.0) is None
