"""The simulated venues that other people's clients are pointed at, and what the venues themselves know.

The clients come from the dependency group ``certify``, which ``make certify`` installs; without one its tests are
skipped. They are used as they come: only addresses and keys are ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.simulation import SimFill, SimOrder, SimRequest
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.simulated import VenueOnSockets, simulated_venue

USER, OTHER = "user", "other"
PATIENCE = 20


class Certified:
    """One simulated venue with the account of the client, and one more to trade with it.

    Attributes:
        venue: Where the client is pointed at.
        symbol: The market of most tests.
    """

    def __init__(self, venue: VenueOnSockets, symbol: str) -> None:
        self.venue = venue
        self.exchange = venue.exchange
        self.symbol = Symbol.parse(symbol)
        self.url = venue.urls["rest_url"]
        venue.account(OTHER)

    def level(self, side: str) -> Decimal:
        """Return the best price."""
        bids, asks = self.exchange.book(self.symbol, 1)
        return (bids if side == "bid" else asks)[0].price

    def far(self, factor: str = "0.5") -> Decimal:
        """Return a price so far from the market that an order waits there."""
        market = self.exchange.market(self.symbol).instrument
        return market.round_price(self.level("bid") * Decimal(factor))

    def trade(self, side: str, quantity: str, price: Decimal | None = None, account: str = OTHER) -> SimOrder:
        """Let the other account trade at once, or wait at *price*; or that of the client, by other means than it."""
        request = SimRequest(
            symbol=self.symbol,
            side=Side(side),
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=price,
            time_in_force=TimeInForce.IOC if price is None else TimeInForce.GTC,
        )
        return self.exchange.place(account, request)

    def open(self) -> list[SimOrder]:
        return list(self.exchange.open_orders(USER))

    def order(self, order_id: str) -> SimOrder:
        found = self.exchange.order(USER, order_id)
        assert found is not None, f"the venue knows no order {order_id}"
        return found

    def fills(self) -> list[SimFill]:
        return list(self.exchange.fills(USER))

    def totals(self) -> dict[str, Decimal]:
        return {balance.asset: balance.total for balance in self.exchange.balances(USER)}

    def held(self) -> dict[str, Decimal]:
        return {balance.asset: balance.held for balance in self.exchange.balances(USER)}

    def levels(self, depth: int | None = None) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        bids, asks = self.exchange.book(self.symbol, depth)
        return [(each.price, each.quantity) for each in bids], [(each.price, each.quantity) for each in asks]


def exact(value: Any) -> Decimal:
    """Return the number that a client says, whichever way it says it."""
    return Decimal(str(value))


def exact_levels(levels: Any, depth: int | None = None) -> list[tuple[Decimal, Decimal]]:
    return [(exact(each[0]), exact(each[1])) for each in list(levels)[:depth]]


async def until(holds: Callable[[], Any], act: Callable[[], Coroutine[Any, Any, Any]] | None = None) -> Any:
    """Wait until something holds, and return it; a test that waits in vain fails.

    *act* is done again and again meanwhile, for what is only told to who listens already.
    """
    async with asyncio.timeout(PATIENCE):
        while not (found := holds()):
            if act is not None:
                await act()
            await asyncio.sleep(0.1 if act else 0.01)  # what it waits for may be in another thread
    return found


async def told(news: Coroutine[Any, Any, Any], act: Callable[[], Coroutine[Any, Any, Any]] | None = None) -> Any:
    """Return what a stream tells; *act* is done again and again until it does, as no client says when it listens."""
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        task = group.create_task(news)
        while not (await asyncio.wait([task], timeout=0.3))[0]:
            if act is not None:
                await act()
    return task.result()


@pytest.fixture
def spot() -> Iterator[Certified]:
    with simulated_venue("kraken_spot", seed=5) as venue:
        assert isinstance(venue, VenueOnSockets)
        yield Certified(venue, "BTC/USD")


@pytest.fixture
def futures() -> Iterator[Certified]:
    with simulated_venue("kraken_futures", seed=5) as venue:
        assert isinstance(venue, VenueOnSockets)
        yield Certified(venue, "BTC/USD:USD")
