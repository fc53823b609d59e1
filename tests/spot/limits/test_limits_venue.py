"""Limits as somebody sees them who uses Kraken Spot, on the simulated venue in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from exchange_core.connector.limits import Cost
from exchange_core.errors import OrderRefused, RateLimited
from exchange_core.model.order import Order, OrderRequest
from exchange_core.simulator.serving.transport import SimulatorTransport
from exchange_core.testing.world import World
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.venue import Surroundings, open_venue
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.limits import ENGINE, PRIVATE, PUBLIC
from kraken_spot.plugin import KRAKEN_SPOT


@pytest.fixture
def world() -> World:
    return World(KRAKEN_SPOT)


@pytest.fixture
async def venue(world: World) -> AsyncIterator[ConnectedVenue]:
    around = Surroundings(clock=world.clock, http=SimulatorTransport(world.protocol))
    config = KrakenSpotConfig(tier="starter")
    async with open_venue(KRAKEN_SPOT, config, world.credentials("me"), surroundings=around) as opened:
        yield opened


def buy(symbol: str = "BTC/USD", quantity: str = "0.01") -> OrderRequest:
    return OrderRequest(symbol=symbol, side="buy", quantity=quantity, price="50000")


async def test_opening_a_venue_takes_two_public_calls(venue: ConnectedVenue) -> None:
    assert {(use.pool, use.key): use.level for use in venue.limits.levels()} == {(PUBLIC, ""): 2, (PRIVATE, ""): 0}


async def test_a_burst_of_orders_and_the_cancels_after_it(venue: ConnectedVenue) -> None:
    young = Order(request=buy(), venue_order_id="OAAAAA-BBBBB-CCCCCC")
    told = venue.limits.forecast([*(buy() for _ in range(48)), buy("ETH/USD"), young])
    assert [one.wait for one in told[:46]] == [0] * 46
    # 60 less a fifth that is kept for cancels, and a second's worth by which the venue may be behind. The cancel goes
    # before the orders that have to wait, and they for what it costs too.
    assert [one.wait for one in told[46:48]] == pytest.approx([8.05, 9.05])
    assert told[48].wait == 0, "pairs count apart"
    assert told[49].wait == 0, "cancels have a part for themselves"
    assert told[49].costs == (Cost(ENGINE, 8, key="XBTUSD", urgent=True),)


async def test_an_order_does_not_wait_until_its_deadline_is_too_near_for_the_venue(venue: ConnectedVenue) -> None:
    """Five seconds by default. The venue takes none that is nearer than two, and counts what it refuses."""
    told = venue.limits.forecast(buy() for _ in range(55))
    assert [one.wait for one in told[46:50]] == pytest.approx([0.05, 1.05, 2.05, 3.05])
    assert [one.refused for one in told[:49]] == [None] * 49
    assert all(isinstance(one.refused, RateLimited) for one in told[49:])


async def test_an_old_order_goes_for_nothing(venue: ConnectedVenue, world: World) -> None:
    touched = world.clock.now() - timedelta(minutes=5)
    old = Order(request=buy(), venue_order_id="OAAAAA-BBBBB-CCCCCC", touched=touched)
    (told,) = venue.limits.forecast([old])
    assert told.costs[0].amount == 0


async def test_own_calls(venue: ConnectedVenue) -> None:
    told = venue.limits.forecast([venue.operations.fills(None) for _ in range(5)])
    assert {one.costs for one in told} == {(Cost(PRIVATE, 4),)}
    assert [round(one.wait, 2) for one in told[:3]] == [0, 0, 0]
    assert told[4].wait > 20


async def test_what_the_pair_does_not_take_is_refused_in_the_forecast_too(venue: ConnectedVenue) -> None:
    (told,) = venue.limits.forecast([buy(quantity="0.000000001")])
    assert isinstance(told.refused, OrderRefused)
