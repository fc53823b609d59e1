from decimal import Decimal
from itertools import pairwise

import attrs
import pytest

from exchange_core.connector.simulation import BookChanged, SimEvent, SimulatorSpec, Traded
from exchange_core.errors import ConfigError
from exchange_core.model.asset import Asset
from exchange_core.model.number import is_multiple
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.maker import MakerSettings, MarketMaker
from exchange_core.simulator.makers import market_makers
from tests.simulator.conftest import INVERSE, LINEAR, SPOT, Desk, HandClock, build

SYMBOLS = (SPOT, LINEAR, INVERSE)


def run(seed: int, steps: int, settings: MakerSettings | None = None) -> Desk:
    desk = build()
    for maker in (makers := market_makers(desk.exchange, seed=seed, settings=settings)):
        maker.step(desk.clock.now())
    for _ in range(steps):
        desk.clock.advance(0.25)
        for maker in makers:
            maker.step(desk.clock.now())
    return desk


def test_a_step_fills_both_sides_and_trades() -> None:
    desk = run(1, 0)
    for symbol in SYMBOLS:
        bids, asks = desk.exchange.book(symbol)
        assert 24 <= len(bids) <= 25
        assert 24 <= len(asks) <= 25
        assert desk.exchange.trades(symbol)


def test_all_values_are_on_the_markets_steps_and_above_its_minimums() -> None:
    desk = run(2, 50)
    for market in desk.exchange.markets():
        instrument = market.instrument
        for level in (level for side in desk.exchange.book(instrument.symbol) for level in side):
            assert is_multiple(level.price, instrument.tick_size)
            assert is_multiple(level.quantity, instrument.lot_size)
    desk.exchange.check_invariants()


def test_the_book_stays_alive_and_a_step_touches_a_few_levels_only() -> None:
    desk = build()
    makers = market_makers(desk.exchange, seed=3)
    for number in range(100):
        desk.events.clear()
        for maker in makers:
            maker.step(desk.clock.now())
        if number:
            assert sum(isinstance(event, BookChanged) for event in desk.events) <= 3 * 20
        for symbol in SYMBOLS:
            bids, asks = desk.exchange.book(symbol)
            assert bids[0].price < asks[0].price
            assert len(bids) > 15
            assert len(asks) > 15


def test_prices_move_and_come_back() -> None:
    """A thousand steps stay near the start: two venues with one start price remain comparable."""
    settings = MakerSettings(volatility=Decimal("0.001"))
    desk = run(4, 500, settings)
    prices = [trade.price for trade in desk.exchange.trades(SPOT)]
    assert len(set(prices)) > 3
    assert all(Decimal(95) < price < Decimal(105) for price in prices)
    assert any(a != b for a, b in pairwise(prices))
    desk.exchange.check_invariants()


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    def heard(seed: int) -> list[SimEvent]:
        return run(seed, 20).events

    first = heard(5)
    assert first == heard(5)
    assert [e for e in first if isinstance(e, Traded)] != [e for e in heard(6) if isinstance(e, Traded)]


def test_an_order_that_the_market_walks_through_is_filled() -> None:
    desk = build()
    settings = MakerSettings(volatility=Decimal("0.005"), correlation=Decimal(0))
    makers = market_makers(desk.exchange, seed=7, settings=settings)
    order = None
    for _ in range(300):
        makers[0].step(desk.clock.now())
        if order is None:
            bids, _ = desk.exchange.book(SPOT, 1)
            order = desk.place("alice", "buy", "0.5", str(bids[0].price - Decimal("0.5")))
    assert order is not None
    assert order.status is OrderStatus.FILLED
    desk.exchange.check_invariants()


def test_the_makers_histories_stay_small() -> None:
    desk = run(8, 400)
    assert len(desk.exchange.closed_orders("market-maker")) == 1000
    assert len(desk.exchange.ledger("market-maker")) <= 1000


def test_depth_is_worth_the_same_whatever_a_market_is_quoted_in(spec: SimulatorSpec) -> None:
    """A market quoted in a coin of 100 dollars has a hundredth of the depth, in coins."""
    cross = attrs.evolve(
        spec.markets[0],
        instrument=attrs.evolve(spec.markets[0].instrument, symbol=Symbol.parse("ETH/BTC"), min_cost=None),
        start_price=Decimal(10),
    )
    wide = attrs.evolve(
        spec, markets=[*spec.markets, cross], assets=[*spec.assets, Asset(code="ETH", venue_id="ETH", decimals=8)]
    )
    exchange = SimulatedExchange(wide, seed=1, clock=HandClock())
    for maker in market_makers(exchange, seed=1):
        maker.step(exchange.now())
    _, asks = exchange.book(Symbol.parse("ETH/BTC"))
    worth = sum(level.price * level.quantity for level in asks) / len(asks) * 100
    assert 10_000 < worth < 30_000


def test_a_start_price_below_a_tick_is_refused(desk: Desk) -> None:
    market = attrs.evolve(desk.exchange.market(SPOT), start_price=Decimal("0.01"))
    with pytest.raises(ConfigError, match="below one tick"):
        MarketMaker(desk.exchange, market, seed=1)
