"""A program that starts again learns what became of the orders that its journal has: by asking, never by sending."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
import pytest

from exchange_core import serde
from exchange_core.errors import ConfigError, OrderRefused
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue

START = datetime(2026, 1, 1, tzinfo=UTC)
UNSENT = OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="100.5", client_order_id="mine")  # type: ignore[arg-type]


async def eventually(clock: ManualClock, done: Any, within: float = 300) -> None:
    for _ in range(int(within)):
        if done():
            return
        await clock.advance(1)
    raise AssertionError("it did not come to be")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


async def journalled(make_venue: Any, spec: Any, clock: ManualClock, shop: Any, answer: Any) -> list[Order]:
    """Return what is in the journal of a program that ended before its order was answered, written down and read."""
    lines: list[str] = []
    shop.instead("/place", answer)
    async with make_venue(spec=spec, clock=clock, journal=lambda order: lines.append(serde.dumps(order))) as venue:
        placing = asyncio.ensure_future(venue.place(UNSENT))
        await clock.advance(0.5)
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
    return [serde.loads(line, Order) for line in lines]


async def test_an_order_that_arrived_is_found(
    watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock, shop: Any
) -> None:
    noted = await journalled(make_venue, without_feeds, clock, shop, shop.accept_and_lose_the_answer)
    await clock.advance(3600)
    asked = shop.paths().count("/place")
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        [order] = venue.resume(noted)
        assert order.unknown
        assert venue.health().unknown_orders == (order,)
        await eventually(clock, lambda: not venue.health().unknown_orders)
        found = await venue.order("mine")
        assert (found.venue_order_id, found.status, found.created) == ("V1", OrderStatus.OPEN, noted[0].created)
    assert shop.paths().count("/place") == asked


async def test_one_that_never_arrived_is_told_as_that_once_it_cannot_any_more(
    watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock, shop: Any
) -> None:
    noted = await journalled(make_venue, without_feeds, clock, shop, httpx.ReadTimeout("lost"))
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        venue.resume(noted)
        await clock.advance(2)
        assert (await venue.order("mine")).unknown  # its deadline has not passed for long
        await eventually(clock, lambda: not venue.health().unknown_orders)
        order = await venue.order("mine")
        assert (order.status, "never arrived" in (order.reason or "")) == (OrderStatus.REJECTED, True)


async def test_one_that_the_venue_had_is_never_taken_for_one_that_never_arrived(
    watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock, shop: Any
) -> None:
    """Not every venue tells of what is over for long."""
    [noted] = await journalled(make_venue, without_feeds, clock, shop, httpx.ReadTimeout("lost"))
    stood = attrs.evolve(noted, venue_order_id="V9", status=OrderStatus.OPEN, unknown=False)
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        [order] = venue.resume([stood])
        assert (order.venue_order_id, order.unknown) == ("V9", True)
        await eventually(clock, lambda: not venue.health().unknown_orders)
        order = await venue.order("mine")
        assert (order.status, order.reason) == (
            OrderStatus.CANCELED,
            "no longer open, and the venue does not say how it ended",
        )


async def test_one_that_is_known_to_be_over_is_left_as_it_is(
    watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock
) -> None:
    over = Order(request=UNSENT, client_order_id="mine", status=OrderStatus.FILLED, filled=UNSENT.require_quantity())
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        assert venue.resume([over]) == [over]
        assert not venue.health().unknown_orders


async def test_its_client_id_is_not_used_again(
    watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock, shop: Any
) -> None:
    noted = await journalled(make_venue, without_feeds, clock, shop, httpx.ReadTimeout("lost"))
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        [order] = venue.resume(noted)
        assert venue.resume(noted) == [order]
        with pytest.raises(OrderRefused, match="belongs to an order"):
            await venue.place(UNSENT)


async def test_an_order_that_cannot_be_found_is_refused(
    watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock
) -> None:
    nameless = Order(request=attrs.evolve(UNSENT, client_order_id=None))
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        with pytest.raises(OrderRefused, match="cannot be found"):
            venue.resume([nameless])


async def test_it_needs_credentials(make_venue: Any, without_feeds: Any, clock: ManualClock) -> None:
    async with make_venue(spec=without_feeds, clock=clock, keys=False) as venue:
        assert isinstance(venue, ConnectedVenue)
        with pytest.raises(ConfigError):
            venue.resume([])
