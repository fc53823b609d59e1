"""Funding of perpetuals: by the hour, exactly, from longs to shorts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.simulation import SimMarket
from exchange_core.errors import InvalidValue
from exchange_core.model.account import FeeRates
from tests.simulator.conftest import INVERSE, LINEAR, MARKETS, SPOT, Desk

FREE = [attrs.evolve(market, fees=FeeRates(maker=Decimal(0), taker=Decimal(0))) for market in MARKETS]


@pytest.fixture
def make(make_desk: Callable[..., Desk]) -> Callable[..., Desk]:
    def made(markets: list[SimMarket] | None = None) -> Desk:
        return make_desk(deposits={"BTC": "1000", "USD": "1000000"}, markets=markets or FREE)

    return made


@pytest.fixture
def desk(make: Callable[..., Desk]) -> Desk:
    return make()


def hold(desk: Desk, symbol: Any, quantity: str, price: str = "100") -> None:
    """Let alice be long and bob be short."""
    desk.place("bob", "sell", quantity, price, symbol=symbol)
    desk.place("alice", "buy", quantity, price, symbol=symbol)


def paid(desk: Desk, account: str) -> list[Decimal]:
    return [entry.amount for entry in desk.exchange.ledger(account) if entry.kind == "funding"]


def test_a_linear_long_pays_the_absolute_rate_for_each_unit(desk: Desk) -> None:
    """Two units at 0.0325 an hour; with the rate relative to an index of 1300."""
    desk.exchange.set_index(LINEAR, Decimal(1300))
    desk.exchange.set_funding(LINEAR, Decimal("0.000025"))
    hold(desk, LINEAR, "200")
    assert [str(rate.absolute.normalize()) for rate in desk.exchange.funding(LINEAR)][-2] == "0.0325"
    desk.clock.advance(3600)
    desk.exchange.step()
    assert (paid(desk, "alice"), paid(desk, "bob")) == ([Decimal("-6.5")], [Decimal("6.5")])
    desk.exchange.check_invariants()


def test_an_inverse_long_receives_coins_while_the_rate_is_negative(make: Callable[..., Desk]) -> None:
    """10,000 contracts at -6.25e-8 relative and an index of 20: -3.125e-9 coins a contract."""
    desk = make()
    desk.exchange.set_index(INVERSE, Decimal(20))
    desk.exchange.set_funding(INVERSE, Decimal("-0.0000625"))
    hold(desk, INVERSE, "10000")
    desk.clock.advance(3600)
    desk.exchange.step()
    assert paid(desk, "alice") == [Decimal("0.03125")]
    assert paid(desk, "bob") == [Decimal("-0.03125")]


def test_a_part_of_an_hour_pays_a_part(desk: Desk) -> None:
    desk.exchange.set_index(LINEAR, Decimal(100))
    desk.exchange.set_funding(LINEAR, Decimal("0.002"))
    desk.clock.advance(900)
    hold(desk, LINEAR, "100")
    desk.clock.advance(900)
    assert desk.exchange.positions("alice")[0].funding == -5
    hold(desk, LINEAR, "100")
    desk.clock.advance(1800)
    desk.exchange.step()
    assert paid(desk, "alice") == [Decimal(-5), Decimal(-20)]
    desk.exchange.check_invariants()


def test_a_position_that_changes_pays_for_the_time_it_stood(desk: Desk) -> None:
    desk.exchange.set_index(LINEAR, Decimal(100))
    desk.exchange.set_funding(LINEAR, Decimal("0.002"))
    hold(desk, LINEAR, "100")
    desk.clock.advance(1800)
    desk.place("alice", "sell", "100", "100", symbol=LINEAR)
    desk.place("bob", "buy", "100", "100", symbol=LINEAR)
    assert (paid(desk, "alice"), paid(desk, "bob")) == ([Decimal(-10)], [Decimal(10)])
    assert [margin.funding for margin in desk.exchange.margins("alice") if margin.asset == "USD"] == [0]
    desk.exchange.check_invariants()
    desk.clock.advance(1800)
    desk.exchange.step()
    assert paid(desk, "alice") == [Decimal(-10)]
    desk.exchange.check_invariants()


def test_a_step_that_comes_late_books_every_hour_at_its_time(desk: Desk) -> None:
    desk.exchange.set_index(LINEAR, Decimal(100))
    desk.exchange.set_funding(LINEAR, Decimal("0.002"))
    hold(desk, LINEAR, "100")
    begun: datetime = desk.clock.now()
    desk.clock.advance(3 * 3600 + 5)
    assert desk.exchange.positions("alice")[0].funding == -20  # until the end of the hour, whoever asks when
    desk.exchange.step()
    (entry,) = [entry for entry in desk.exchange.ledger("alice") if entry.kind == "funding"]
    assert (entry.amount, entry.time) == (-20, begun + timedelta(hours=1))  # later hours had no premium
    assert [rate.start for rate in desk.exchange.funding(LINEAR)] == [
        begun + timedelta(hours=hour) for hour in range(5)
    ]


def test_the_next_rate_is_the_average_premium_and_capped(desk: Desk) -> None:
    desk.exchange.set_index(LINEAR, Decimal(100))
    for mark in ("101", "103"):
        desk.exchange.set_mark(LINEAR, Decimal(mark))
        desk.clock.advance(60)
        desk.exchange.step()
    predicted = desk.exchange.funding(LINEAR)[-1]
    assert abs(predicted.rate - Decimal("0.02") / 24) < Decimal("1e-11")
    desk.exchange.set_mark(LINEAR, Decimal(200))
    desk.exchange.step()
    desk.clock.advance(3480)
    desk.exchange.step()
    assert desk.exchange.funding(LINEAR)[-2].rate == Decimal("0.0025")


def test_other_markets_have_none(desk: Desk) -> None:
    assert desk.exchange.funding(SPOT) == []
    with pytest.raises(InvalidValue, match="no perpetual"):
        desk.exchange.set_funding(SPOT, Decimal(0))


def test_how_often_the_premium_is_looked_at_does_not_count(desk: Desk) -> None:
    """A server steps before each request; what the mean is depends on how long each premium stood."""
    desk.exchange.set_index(LINEAR, Decimal(100))
    desk.exchange.set_mark(LINEAR, Decimal("100.01"))
    for _ in range(5):
        desk.exchange.step()
        desk.clock.advance(0.001)
    desk.clock.advance(0.995)
    desk.exchange.set_mark(LINEAR, Decimal(100))
    desk.exchange.step()
    desk.clock.advance(1)
    desk.exchange.step()
    assert desk.exchange.funding(LINEAR)[-1].rate == Decimal("0.000002083333")


def test_reading_changes_nothing_while_time_stands_still(desk: Desk) -> None:
    hold(desk, LINEAR, "100")
    desk.exchange.set_index(LINEAR, Decimal(100))
    for mark, rate in (("100.01", "0.000004166666"), ("100.02", "0.000008333333")):
        desk.exchange.set_mark(LINEAR, Decimal(mark))
        desk.exchange.step()
        before = desk.exchange.save()
        for _ in range(5):
            desk.exchange.step()
            assert desk.exchange.funding(LINEAR)[-1].rate == Decimal(rate)
        assert desk.exchange.save() == before
