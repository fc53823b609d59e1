"""What a dated contract is settled at, and how far the mark price may be from the index."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest

from exchange_core.connector.simulation import SimMarket
from exchange_core.errors import ConfigError
from exchange_core.model.account import FeeRates
from exchange_core.simulator.exchange import SimulatedExchange
from tests.simulator.conftest import DATED, LINEAR, RICH_MARKETS, SPEC, Desk

END = datetime(2026, 1, 3, tzinfo=UTC)


def changed(**more: object) -> list[SimMarket]:
    free = FeeRates(maker=Decimal(0), taker=Decimal(0))
    return [attrs.evolve(market, fees=free, **more) for market in RICH_MARKETS]


def hold(desk: Desk) -> None:
    """Let alice be long 2 at 100 and bob short."""
    desk.place("bob", "sell", "2", "100", symbol=DATED)
    desk.place("alice", "buy", "2", "100", symbol=DATED)


def let_pass(desk: Desk, seconds: int, index: str) -> None:
    desk.exchange.set_index(DATED, Decimal(index))
    desk.clock.advance(seconds)
    desk.exchange.step()
    desk.exchange.check_invariants()


def settled(desk: Desk, name: str = "alice") -> Decimal:
    (entry,) = [entry for entry in desk.exchange.ledger(name) if entry.kind == "settlement"]
    return entry.amount


def test_the_average_of_the_last_minutes_settles_it(make_desk: Callable[..., Desk]) -> None:
    """Of five samples, one a minute and the last at the end, two see 104 and three 109: 107 on average."""
    desk = make_desk(markets=changed(settlement_minutes=5))
    hold(desk)
    let_pass(desk, 2 * 86400 - 310, "500")
    assert desk.exchange.settlement_price(DATED) is None
    let_pass(desk, 140, "104")  # samples at 4 and 3 minutes before the end
    let_pass(desk, 180, "109")  # and at 2, 1 and 0
    assert desk.clock.now() > END
    assert desk.exchange.settlement_price(DATED) == 107
    assert (settled(desk), settled(desk, "bob")) == (14, -14)


def test_without_minutes_the_index_at_the_end_settles_it(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(markets=changed())
    hold(desk)
    let_pass(desk, 2 * 86400 - 60, "500")
    let_pass(desk, 61, "104")
    assert (desk.exchange.settlement_price(DATED), settled(desk)) == (104, 8)


def test_samples_are_saved(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(markets=changed(settlement_minutes=5))
    hold(desk)
    let_pass(desk, 2 * 86400 - 310, "500")
    let_pass(desk, 140, "104")
    again = SimulatedExchange.restore(
        SPEC, desk.exchange.save(), clock=desk.clock, markets=changed(settlement_minutes=5)
    )
    restored = Desk(again, desk.clock)
    let_pass(restored, 180, "109")
    assert again.settlement_price(DATED) == 107


def test_the_mark_price_stays_near_an_index_that_is_set(make_desk: Callable[..., Desk]) -> None:
    """A book that runs away takes no position with it; without an index there is nothing to stay near to."""
    desk = make_desk(markets=changed(mark_band=Decimal("0.01")))
    desk.place("bob", "sell", "1", "131", symbol=LINEAR)
    desk.place("alice", "buy", "1", "129", symbol=LINEAR)
    assert desk.exchange.mark_price(LINEAR) == 130
    for index, mark in (("100", "101"), ("129.5", "130"), ("200", "198")):
        desk.exchange.set_index(LINEAR, Decimal(index))
        assert desk.exchange.mark_price(LINEAR) == Decimal(mark)
    desk.exchange.set_mark(LINEAR, Decimal(50))
    assert desk.exchange.mark_price(LINEAR) == 50, "one that is set is as it is set"


def test_the_coefficient_makes_an_hours_rate_of_the_premium(make_desk: Callable[..., Desk]) -> None:
    """0.8 % above the index, by 8, are 0.1 % an hour."""
    desk = make_desk(markets=changed(funding_coefficient=8))
    desk.exchange.set_index(LINEAR, Decimal(100))
    desk.exchange.set_mark(LINEAR, Decimal("100.8"))
    desk.clock.advance(3600)
    desk.exchange.step()
    running = desk.exchange.funding(LINEAR)[-2]
    assert (running.rate, running.absolute) == (Decimal("0.001"), Decimal("0.1"))
    with pytest.raises(ConfigError, match="funding_coefficient: 0 is below 1"):
        make_desk(markets=changed(funding_coefficient=0))
