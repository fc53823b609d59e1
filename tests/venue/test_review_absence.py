"""An order that the venue does not show: when that proves that it never arrived, and when it may not yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx

from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.venue.connected import ConnectedVenue


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
