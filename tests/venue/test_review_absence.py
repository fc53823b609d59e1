"""An order that the venue does not show: when that proves that it never arrived, and when it may not yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.resolver import ResolvePolicy


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (what is waited for is a state that nobody announces)
            await asyncio.sleep(0.002)


async def test_an_order_that_was_done_while_the_line_was_down_is_not_taken_for_one_that_never_arrived(
    venue: ConnectedVenue, shop: Any
) -> None:
    """A new connection does not tell of what ended before it, and REST lags: taken for dead, it would be sent again."""
    venue.order_updates()
    peer, _ = await shop.asked()
    follower, clock = venue._parts.follower, venue._trading._clock
    await until(lambda: follower.orders_are_live)
    done_at = None

    async def take_and_cut(params: dict[str, Any]) -> httpx.HTTPError:
        nonlocal done_at
        order = shop.accept(params)
        shop.change(order.venue_order_id, status=OrderStatus.FILLED, filled=order.quantity, average_price=Decimal(100))
        done_at = clock.now()
        peer.abort()
        await until(lambda: not follower.orders_are_live)
        return httpx.ReadTimeout("no answer")

    def lagging(params: dict[str, Any]) -> Order | None:
        assert done_at is not None
        return shop._known(params) if (clock.now() - done_at).total_seconds() > 50 else None

    shop.instead("/place", take_and_cut)
    shop.instead("/find", *[lagging] * 100)
    order = await venue.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="100"))
    assert order.status is not OrderStatus.REJECTED
    await until(lambda: not shop.orders["V1"] or (venue._parts.tracker.get("V1") is not None))
    known = await venue.order(order)
    assert (known.status, known.filled) == (OrderStatus.FILLED, 1)


async def test_a_young_order_that_rest_does_not_show_yet_is_not_taken_for_canceled(make_venue: Any, shop: Any) -> None:
    """Answers lag: the list of open orders and the order itself are missing for a while, and it stands."""
    async with make_venue(policy=ResolvePolicy(first_pause=0.5, longest_pause=1.0, lag=10.0)) as venue:
        venue.order_updates()
        peer, _ = await shop.asked()
        follower, clock = venue._parts.follower, venue._trading._clock
        await until(lambda: follower.orders_are_live)
        order = await venue.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="100"))
        placed = clock.now()

        def age() -> float:
            seconds: float = (clock.now() - placed).total_seconds()
            return seconds

        shop.instead("/open_orders", *[lambda _: list(shop.orders.values()) if age() > 8 else []] * 100)
        shop.instead("/find", *[lambda params: shop._known(params) if age() > 8 else None] * 100)
        peer.abort()
        await shop.asked()
        seen = []

        def is_late() -> bool:
            seen.append(venue._parts.tracker.get("V1").status)
            return age() > 14

        await until(is_late)
        assert (await venue.order(order)).status is OrderStatus.OPEN
        assert set(seen) == {OrderStatus.OPEN}


class SetClock(ManualClock):
    """A clock that is set by an hour once."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


async def test_a_clock_that_is_set_does_not_let_a_deadline_pass(make_venue: Any, without_feeds: Any, shop: Any) -> None:
    """The order is still on its way, and the venue would take it."""
    clock = SetClock(datetime(2026, 1, 1, tzinfo=UTC))
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        shop.instead("/place", httpx.ReadTimeout("no answer"))
        placing = asyncio.ensure_future(venue.place(OrderRequest(symbol="BTC/USD", side="buy", quantity=1, price=100)))
        await clock.advance(0.1)
        clock.ahead = timedelta(hours=1)
        await clock.advance(4)
        (unknown,) = venue.health().unknown_orders
        shop.accept(next(params for path, params in shop.calls if path == "/place"))
        for _ in range(20):
            await clock.advance(1)
        order = await placing
        assert (order.status, order.client_order_id) == (OrderStatus.OPEN, unknown.client_order_id)
