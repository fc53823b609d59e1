"""Waiting for the end of an order, and asking for one by its id alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.errors import AuthenticationError, OrderNotFound, TimedOut, TransportError, VenueUnavailable
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue

START = datetime(2026, 1, 1, tzinfo=UTC)
OPEN, FILLED, CANCELED = OrderStatus.OPEN, OrderStatus.FILLED, OrderStatus.CANCELED


def buy(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "1", "price": "100"} | changes))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def silent(watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock) -> AsyncIterator[Any]:
    """A venue that tells nothing by itself."""
    async with make_venue(spec=without_feeds, clock=clock) as opened:
        yield opened


@pytest.fixture
async def looking(watched: None, make_venue: Any, without_feeds: Any) -> AsyncIterator[Any]:
    """A venue that knows orders by their ids."""

    class Looking(without_feeds.rest):  # type: ignore[misc]
        def look_up(self, order_id: str) -> Flow[Order | None]:
            params = {"venue_order_id": order_id, "client_order_id": None}
            found: Order | None = yield RestCall(method="POST", path="/find", params=params, reply=Order | None)
            return found

    async with make_venue(spec=attrs.evolve(without_feeds, rest=Looking)) as opened:
        yield opened


async def asked(shop: Any, clock: ManualClock, seconds: int) -> int:
    """Let time pass; return how often the venue was asked for the order meanwhile."""
    before = shop.paths().count("/find")
    for _ in range(seconds):
        await clock.advance(1)
    return int(shop.paths().count("/find") - before)


async def test_the_private_feed_ends_the_wait_and_nothing_is_asked(venue: ConnectedVenue, shop: Any) -> None:
    waiting = asyncio.ensure_future(venue.until_final(await venue.place(buy()), within=1000))
    peer, wanted = await shop.asked()
    assert wanted == {"subscribe": ["orders", "fills"]}
    await shop.tell(peer, OrderUpdate(venue_order_id="V1", status=FILLED, filled=Decimal(1)))
    async with asyncio.timeout(10):
        ended = await waiting
    assert (ended.status, ended.filled) == (FILLED, 1)
    assert "/find" not in shop.paths()


async def test_an_order_that_is_over_is_returned_at_once(silent: ConnectedVenue, shop: Any) -> None:
    order = await silent.place(buy())
    ended = await silent.cancel(order)
    calls = len(shop.calls)
    assert await silent.until_final(order) == ended
    assert await silent.until_final("V1", within=0) == ended
    assert len(shop.calls) == calls


async def test_without_news_it_is_asked_for_ever_less_often(
    silent: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    waiting = asyncio.ensure_future(silent.until_final(await silent.place(buy())))
    assert await asked(shop, clock, 15) == 4  # after 1, 3, 7 and 15 seconds
    assert await asked(shop, clock, 60) == 4
    shop.change("V1", status=FILLED, filled=Decimal(1))
    await asked(shop, clock, 15)
    assert (await waiting).status is FILLED


async def test_when_the_time_is_over_the_order_stands_as_it_did(
    silent: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    waiting = asyncio.ensure_future(silent.until_final(await silent.place(buy()), within=5))
    await asked(shop, clock, 4)
    assert not waiting.done()
    await asked(shop, clock, 1)
    with pytest.raises(TimedOut, match="order V1 is open after 5 s, 0 executed; it was only waited for"):
        await waiting
    assert shop.orders["V1"].status is OPEN
    assert "/cancel" not in shop.paths()


async def test_no_time_at_all_is_one_look(silent: ConnectedVenue) -> None:
    with pytest.raises(TimeoutError):
        await silent.until_final(await silent.place(buy()), within=0)


async def test_an_unknown_order_is_waited_for_until_it_is_known_and_over(
    silent: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    """Only those who look after it ask meanwhile."""
    shop.instead("/place", shop.accept_and_lose_the_answer)
    placing = asyncio.ensure_future(silent.place(buy(client_order_id="mine")))
    await clock.advance(0)
    waiting = asyncio.ensure_future(silent.until_final("mine"))
    await asked(shop, clock, 2)
    assert (await placing).unknown is False
    assert not waiting.done()
    shop.change("V1", status=CANCELED)
    await asked(shop, clock, 15)
    assert (await waiting).status is CANCELED


async def test_what_never_arrived_ends_the_wait(silent: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    shop.instead("/place", httpx.ReadTimeout("no answer"))
    placing = asyncio.ensure_future(silent.place(buy()))
    await asked(shop, clock, 25)
    order = await placing
    assert order.unknown
    waiting = asyncio.ensure_future(silent.until_final(order))
    await asked(shop, clock, 90)
    assert (await waiting).status is OrderStatus.REJECTED


async def test_an_answer_that_is_missing_does_not_end_the_wait(
    silent: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await silent.place(buy())
    shop.instead("/find", *[VenueUnavailable("busy")] * 2)
    waiting = asyncio.ensure_future(silent.until_final(order))
    await asked(shop, clock, 5)
    assert not waiting.done()
    shop.change("V1", status=FILLED, filled=Decimal(1))
    await asked(shop, clock, 10)
    assert (await waiting).status is FILLED


async def test_a_key_that_is_refused_ends_it(silent: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    order = await silent.place(buy())
    shop.instead("/find", *[AuthenticationError("no")] * 5)
    waiting = asyncio.ensure_future(silent.until_final(order))
    await asked(shop, clock, 2)
    with pytest.raises(AuthenticationError):
        await waiting


async def test_nobody_waits_at_a_venue_that_is_closed(
    make_venue: Any, without_feeds: Any, clock: ManualClock, shop: Any
) -> None:
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        waiting = asyncio.ensure_future(venue.until_final(await venue.place(buy())))
        await clock.advance(0.5)
    await clock.advance(30)
    with pytest.raises(TransportError, match="closed while order"):
        await waiting


async def test_an_order_that_another_program_canceled_is_found_by_its_id(looking: ConnectedVenue, shop: Any) -> None:
    shop.accept({"symbol": "BTC/USD", "side": "sell", "quantity": "1", "price": "200"})
    hour_ago = START - timedelta(hours=1)
    shop.change("V1", status=CANCELED, filled=Decimal("0.5"), created=hour_ago, updated=hour_ago)
    for ask in (looking.cancel, looking.order, looking.until_final):
        found = await ask("V1")
        assert (found.status, found.filled, found.created, found.updated) == (CANCELED, Decimal("0.5"), *[hour_ago] * 2)
    assert "/cancel" not in shop.paths()
    with pytest.raises(OrderNotFound, match="no order 'V9' is open, and none that is over is known"):
        await looking.cancel("V9")
