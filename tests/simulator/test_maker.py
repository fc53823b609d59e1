from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from statistics import correlation

import attrs
import pytest

from exchange_core.connector.simulation import BookChanged, SimEvent, SimulatorSpec, Traded
from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.model.asset import Asset
from exchange_core.model.number import is_multiple
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.makers.maker import MakerSettings, MarketMaker
from exchange_core.simulator.makers.opening import Turns, market_makers
from exchange_core.simulator.makers.tides import Tides
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


def moves(desk: Desk, symbol: Symbol, makers: Sequence[MarketMaker]) -> list[float]:
    """Return the relative moves of a market's index in two minutes."""
    prices = []
    for _ in range(480):
        desk.clock.advance(0.25)
        for maker in makers:
            maker.step(desk.clock.now())
        prices.append(float(desk.exchange.index_price(symbol)))
    return [after / before - 1 for before, after in pairwise(prices)]


def correlation_of(one: str, other: str) -> float:
    """Return how closely bitcoin moves at two venues with such settings."""
    desks = [build(), build()]
    tides = Tides(3, desks[0].clock.now())
    found = []
    for desk, symbol, word in zip(desks, (SPOT, LINEAR), (one, other), strict=True):
        settings = MakerSettings(correlation=Decimal(word), levels=1, requotes=0, trade_chance=Decimal(0))
        others = set(SYMBOLS) - {symbol}
        makers = market_makers(desk.exchange, seed=3, settings=settings, tides=tides, outside=others)
        found.append(moves(desk, symbol, makers))
    return correlation(*found)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [("1", "1", 0.99, 1), ("0", "0", -0.2, 0.2), ("0.95", "0.95", 0.8, 0.98), ("1", "0", -0.2, 0.2)],
)
def test_markets_of_one_asset_move_together_as_closely_as_they_are_told(
    one: str, other: str, least: float, most: float
) -> None:
    assert least <= correlation_of(one, other) <= most


def test_a_market_between_two_coins_moves_as_they_do_in_dollars(spec: SimulatorSpec) -> None:
    symbols = [Symbol.parse(text) for text in ("BTC/USD", "ETH/USD", "ETH/BTC")]
    usual = attrs.evolve(spec.markets[0].instrument, tick_size=Decimal("0.001"), min_cost=None)
    prices = (Decimal(1000), Decimal(100), Decimal("0.1"))
    markets = [
        attrs.evolve(spec.markets[0], instrument=attrs.evolve(usual, symbol=symbol), start_price=price)
        for symbol, price in zip(symbols, prices, strict=True)
    ]
    wide = attrs.evolve(spec, markets=markets, assets=[*spec.assets, Asset(code="ETH", venue_id="ETH", decimals=8)])
    clock = HandClock()
    exchange = SimulatedExchange(wide, seed=1, clock=clock)
    settings = MakerSettings(correlation=Decimal(1), volatility=Decimal("0.002"), levels=1, trade_chance=Decimal(0))
    makers = market_makers(exchange, seed=1, settings=settings)
    for _ in range(200):
        clock.advance(0.25)
        for maker in makers:
            maker.step(clock.now())
    bitcoin, ether, cross = (float(maker.price) for maker in makers)
    assert abs(ether / bitcoin / cross - 1) < 0.01


def test_settings_and_price_can_be_changed_while_it_runs() -> None:
    desk = build()
    maker = market_makers(desk.exchange, seed=1)[0]
    maker.step(desk.clock.now())
    maker.settings = maker.settings.changed({"levels": 3, "spread": "0.02"})
    maker.price = Decimal(120)
    maker.step(desk.clock.now())
    bids, asks = desk.exchange.book(SPOT)
    assert (len(bids), len(asks)) == (3, 3)
    assert bids[0].price < Decimal("119") < Decimal("121") < asks[0].price
    assert abs(desk.exchange.index_price(SPOT) - 120) < 1
    with pytest.raises(ConfigError, match="below one tick"):
        maker.price = Decimal("0.01")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"volatility": "3"}, "volatility: 3 is not between 0 and 0.1"),
        ({"levels": "2.5"}, "levels: 2.5 is no whole number"),
        ({"spread": 0.1}, "spread: 0.1 is a float"),
        ({"colour": 1}, "'colour' is no setting of a market; expected some of spread"),
        ({"correlation": "-1"}, "correlation: -1 is not between 0 and 1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        MakerSettings().changed(values)


def test_of_many_markets_only_some_move_at_a_time() -> None:
    desk = build()
    makers = market_makers(desk.exchange, seed=1)
    turns = Turns(makers, at_once=2)
    seen = []
    for _ in range(3):
        before = [maker.saved()["way"]["steps"] for maker in makers]
        turns.step(desk.clock.now())
        after = [maker.saved()["way"]["steps"] for maker in makers]
        seen.append([later - earlier for earlier, later in zip(before, after, strict=True)])
    assert seen == [[1, 1, 0], [1, 0, 1], [0, 1, 1]]


def test_nothing_is_stepped_where_there_are_no_makers() -> None:
    Turns([]).step(HandClock().now())
