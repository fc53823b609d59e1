"""A local clock that is wrong, behind or ahead, neither makes deadlines useless nor has orders refused."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core import connect
from exchange_core.errors import OrderRefused
from exchange_core.model.order import Order, OrderRequest
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.schedule import Fault
from exchange_core.simulator.serving.transport import SimulatorTransport
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.venue import Surroundings

VENUES = {"kraken_spot": ("BTC/USD", "0.01"), "kraken_futures": ("BTC/USD:USD", "0.1")}
DEADLINE = timedelta(seconds=5)
Start = Callable[..., Any]


def opened(plugin: str, venue: Any) -> ConnectedVenue:
    nowhere = dict.fromkeys(("ws_url", "ws_auth_url") if plugin == "kraken_spot" else ("ws_url",), "ws://127.0.0.1:9")
    around = Surroundings(http=SimulatorTransport(venue.protocol), clock=venue.clock)
    keys = {"api_key": venue.api_key, "api_secret": venue.api_secret}
    return connect(plugin, **keys, **nowhere, order_entry="rest", surroundings=around)


def stands(order: Order) -> bool:
    return order.venue_order_id is not None and not order.unknown and not order.is_final


@pytest.mark.parametrize("plugin", VENUES)
@pytest.mark.parametrize("ahead", [10.0, -10.0, 86_400.0, 0.0])
async def test_orders_are_taken_and_their_deadlines_are_the_venues(
    simulated_exchange: Start, plugin: str, ahead: float
) -> None:
    symbol, quantity = VENUES[plugin]
    there = simulated_exchange(plugin, in_process=True)
    there.faults.add(Fault(action=actions.Skew(offset=ahead)))
    async with opened(plugin, there) as venue:
        assert venue.instrument(symbol)
        order = await venue.place(OrderRequest(symbol=symbol, side="buy", quantity=quantity, price="20000"))  # type: ignore[arg-type]
        assert stands(order)
        deadline = order.request.deadline
        assert deadline is not None
        assert DEADLINE <= deadline - there.exchange.now() <= DEADLINE + timedelta(seconds=1.1)
        reading = venue.health().clock
        assert reading is not None
        assert reading.least <= timedelta(seconds=ahead) <= reading.most
        assert bool(reading.correction) is bool(ahead)


@pytest.mark.parametrize("plugin", VENUES)
async def test_a_clock_that_goes_wrong_while_it_runs_is_found_out(simulated_exchange: Start, plugin: str) -> None:
    symbol, quantity = VENUES[plugin]
    there = simulated_exchange(plugin, in_process=True)
    request = OrderRequest(symbol=symbol, side="buy", quantity=quantity, price="20000")  # type: ignore[arg-type]
    async with opened(plugin, there) as venue:
        await venue.place(request)
        there.faults.add(Fault(action=actions.Skew(offset=30.0)))
        for _ in range(2):  # one answer that contradicts all before is not believed
            there.advance(1.5)
            await venue.instruments(refresh=True)
        assert stands(await venue.place(request))


@pytest.mark.parametrize("plugin", VENUES)
async def test_a_deadline_of_the_callers_is_looked_at_by_the_venues_clock(
    simulated_exchange: Start, plugin: str
) -> None:
    symbol, quantity = VENUES[plugin]
    there = simulated_exchange(plugin, in_process=True)
    there.faults.add(Fault(action=actions.Skew(offset=60.0)))

    def by(deadline: datetime) -> OrderRequest:
        return OrderRequest(symbol=symbol, side="buy", quantity=quantity, price=Decimal(20000), deadline=deadline)  # type: ignore[arg-type]

    async with opened(plugin, there) as venue:
        with pytest.raises(OrderRefused, match="has passed"):
            await venue.place(by(there.clock.now() + timedelta(seconds=30)))
        assert stands(await venue.place(by(there.clock.now() + timedelta(seconds=70))))
