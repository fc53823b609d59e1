"""Kraken's own calls against the simulated venue: signed, sent and answered, without a network."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange_core.errors import OrderRefused
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import Client, World
from kraken_spot.orders.client_ids import client_order_id
from kraken_spot.orders.terms import SpotOrder
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.history import LedgerType, RecordStatus
from kraken_spot.types.market import SystemState

BTC = Symbol("BTC", "USD")


@pytest.fixture
def world() -> World:
    return World(KRAKEN_SPOT)


@pytest.fixture
def maker(world: World) -> Client:
    return world.client("maker")


@pytest.fixture
def taker(world: World) -> Client:
    return world.client("taker")


def rest_of(client: Client) -> KrakenSpotRest:
    assert isinstance(client.rest, KrakenSpotRest)
    return client.rest


def order(number: int, **terms: object) -> SpotOrder:
    return SpotOrder(
        **{  # type: ignore[arg-type]
            "symbol": BTC,
            "side": "buy",
            "type": "limit",
            "quantity": "0.1",
            "limit_price": "50000",
            "client_order_id": client_order_id(number),
        }
        | terms
    )


def test_the_market(world: World, maker: Client, taker: Client) -> None:
    maker.place("sell", "0.5", "60000")
    taker.place("buy", "0.2", "60000", time_in_force="ioc")
    market = rest_of(taker).market
    assert abs(taker.run(market.time()) - world.clock.now()) < timedelta(seconds=2)
    assert taker.run(market.system_status()).state is SystemState.ONLINE
    page = taker.run(market.trades_page(BTC))
    assert page.items[-1].price == Decimal(60000)
    assert page.items[-1].order_type in ("limit", "market")
    again = taker.run(market.trades_page(BTC, page.cursor))
    assert {trade.id for trade in again.items} <= {page.items[-1].id}, "pages meet at their edge at most"
    candles = taker.run(market.candles(BTC, 1))
    assert candles.items[-1].closed is False
    assert not candles.unreadable
    assert not taker.run(market.spread(BTC)).unreadable


def test_the_history(maker: Client, taker: Client) -> None:
    maker.place("sell", "0.5", "60000")
    bought = taker.place("buy", "0.2", "60000", time_in_force="ioc")
    history = rest_of(taker).history
    assert bought.venue_order_id is not None
    (record,) = taker.run(history.orders(bought.venue_order_id)).items
    assert (record.status, record.filled, record.symbol) == (RecordStatus.CLOSED, Decimal("0.2"), BTC)
    closed = taker.run(history.closed_orders_page())
    assert [one.id for one in closed.items] == [bought.venue_order_id]
    assert closed.cursor is None
    (trade,) = taker.run(history.trades_page()).items
    assert trade.order_id == bought.venue_order_id
    assert taker.run(history.trades(trade.id)).items == (trade,)
    ledger = taker.run(history.ledgers_page())
    assert not ledger.unreadable
    traded = [entry for entry in ledger.items if entry.type is LedgerType.TRADE]
    assert {entry.asset for entry in traded} == {"BTC", "USD"}
    (entry,) = taker.run(history.ledgers(traded[0].id)).items
    assert entry == traded[0]
    assert taker.run(history.ledgers_page(assets=["BTC"])).items


def test_the_account(taker: Client) -> None:
    account = rest_of(taker).account
    totals = {balance.asset: balance.total for balance in taker.run(account.balance())}
    normal = {balance.asset: balance.total for balance in taker.run(rest_of(taker).balances())}
    assert totals == normal
    assert taker.run(account.trade_balance()).equity > 0
    fees = taker.run(account.trade_volume(BTC)).of(BTC)
    assert fees is not None
    assert fees.taker.rate == taker.run(rest_of(taker).fees(BTC)).taker


def test_orders_are_validated_placed_and_all_canceled(taker: Client) -> None:
    trading, history = rest_of(taker).trading, rest_of(taker).history
    assert taker.run(trading.validate(order(1))).description
    assert taker.run(history.open_orders()).items == (), "nothing was placed"
    placed = [taker.run(trading.add(order(number, post_only=True))) for number in (1, 2)]
    shown = taker.run(history.open_orders()).items
    assert {one.id for one in shown} == {one.id for one in placed}
    assert all(one.flags == ("post",) or "post" in one.flags for one in shown)
    (found,) = taker.run(history.open_orders(client_order_id=placed[0].order.client_order_id)).items
    assert found.id == placed[0].id
    assert taker.run(trading.cancel_all()).count == 2
    assert taker.run(history.open_orders()).items == ()


def test_a_refusal_of_the_venue_comes_through(taker: Client) -> None:
    trading = rest_of(taker).trading
    with pytest.raises(OrderRefused):
        taker.run(trading.add(order(1, quantity="100000")))
