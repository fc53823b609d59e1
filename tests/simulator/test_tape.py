from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchange_core.errors import InvalidValue
from tests.simulator.conftest import SPOT, Desk

START = datetime(2026, 1, 1, tzinfo=UTC)


def trade(desk: Desk, price: str, quantity: str = "1", side: str = "buy") -> None:
    desk.place("alice", "sell" if side == "buy" else "buy", quantity, price)
    desk.place("bob", side, quantity, price)


def test_trades_are_numbered_from_one_and_come_oldest_first(desk: Desk) -> None:
    trade(desk, "100")
    trade(desk, "101", "0.5", "sell")
    first, second = desk.exchange.trades(SPOT)
    assert (first.trade_id, second.trade_id) == (1, 2)
    assert (first.side, second.side) == ("buy", "sell")
    assert (second.price, second.quantity) == (101, Decimal("0.5"))
    assert first.uid != second.uid


def test_a_candle_is_made_of_its_trades(desk: Desk) -> None:
    for price, quantity in (("100", "1"), ("103", "1"), ("99", "2"), ("101", "1")):
        trade(desk, price, quantity)
    (candle,) = desk.exchange.candles(SPOT, 1)
    assert (candle.open, candle.high, candle.low, candle.close) == (100, 103, 99, 101)
    assert (candle.volume, candle.count) == (5, 4)
    assert candle.vwap == Decimal("100.4")
    assert candle.start == START
    assert not candle.closed


def test_the_mean_price_of_a_candle_is_cut(desk: Desk) -> None:
    for price, quantity in (("100", "1"), ("101", "3"), ("100.1", "2")):
        trade(desk, price, quantity)
    (candle,) = desk.exchange.candles(SPOT, 1)
    assert candle.vwap == Decimal("100.5")  # 603.2 / 6 = 100.533...
    trade(desk, "100.9", "1")
    (candle,) = desk.exchange.candles(SPOT, 1)
    assert candle.vwap == Decimal("100.5")  # 704.1 / 7 = 100.585...


def test_minutes_without_trades_have_no_candle(desk: Desk) -> None:
    trade(desk, "100")
    desk.clock.advance(185)
    trade(desk, "101")
    first, last = desk.exchange.candles(SPOT, 1)
    assert (first.start, last.start) == (START, START + timedelta(minutes=3))
    assert (first.closed, last.closed) == (True, False)
    desk.clock.advance(60)
    assert desk.exchange.candles(SPOT, 1)[-1].closed


def test_longer_intervals_are_made_of_the_same_trades_whenever_they_are_first_asked_for(desk: Desk) -> None:
    for minute in range(12):
        trade(desk, str(100 + minute), "0.5")
        if minute == 3:
            assert len(desk.exchange.candles(SPOT, 5)) == 1
        desk.clock.advance(60)
    asked_early, asked_late = desk.exchange.candles(SPOT, 5), desk.exchange.candles(SPOT, 6)
    assert [(c.open, c.close, c.count) for c in asked_early] == [(100, 104, 5), (105, 109, 5), (110, 111, 2)]
    assert [(c.open, c.close, c.count) for c in asked_late] == [(100, 105, 6), (106, 111, 6)]
    assert [c.closed for c in asked_early] == [True, True, False]


def test_a_clock_that_is_set_back_does_not_turn_the_tape_around(desk: Desk) -> None:
    desk.clock.advance(120)
    trade(desk, "100")
    desk.clock.advance(-120)
    trade(desk, "101")
    (candle,) = desk.exchange.candles(SPOT, 1)
    assert candle.count == 2


def test_a_market_without_trades_has_no_candles(desk: Desk) -> None:
    assert not desk.exchange.candles(SPOT, 1)
    assert not desk.exchange.trades(SPOT)


def test_an_interval_below_a_minute_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidValue, match="0 minutes"):
        desk.exchange.candles(SPOT, 0)
