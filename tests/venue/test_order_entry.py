"""Orders over the private connection: quicker, and no less certain. Nothing goes two ways."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from exchange_core import serde
from exchange_core.errors import InvalidValue, OrderRefused
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import OrderRequest, OrderStatus
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.resolver import ResolvePolicy

OPEN, REJECTED = OrderStatus.OPEN, OrderStatus.REJECTED


def buy(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "0.10", "price": "100.5"} | changes))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (what is waited for is a state that nobody announces)
            await asyncio.sleep(0.002)


def placed(shop: Any) -> list[str]:
    """Return the ways in which orders came."""
    return [path for path in shop.paths() if path.endswith("/place")]


@pytest.fixture
async def venue(watched: None, make_venue: Any, live_spec: Any) -> AsyncIterator[ConnectedVenue]:
    async with make_venue(spec=live_spec, policy=ResolvePolicy(wait=3.0)) as opened:
        yield opened


@pytest.fixture
async def peer(venue: ConnectedVenue, shop: Any) -> Any:
    """The private connection, on which the account is followed."""
    venue.order_updates()
    peer, _ = await shop.asked()
    await until(lambda: venue.fills_complete_until is not None)
    return peer


async def test_an_order_goes_over_the_private_connection(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    order = await venue.place(buy())
    assert (order.status, order.venue_order_id) == (OPEN, "V1")
    assert (await venue.amend(order, Amendment(price="101"))).price == Decimal(101)
    assert (await venue.cancel(order)).status is OrderStatus.CANCELED
    assert [path for path in shop.paths() if "live" in path] == ["live /place", "live /amend", "live /cancel"]
    assert placed(shop) == ["live /place"]
    assert venue.health().ways == {"private": 3}


async def test_the_first_order_opens_the_connection_and_does_not_wait_for_it(venue: ConnectedVenue, shop: Any) -> None:
    await venue.place(buy())
    await until(lambda: venue.fills_complete_until is not None)
    await venue.place(buy())
    assert placed(shop) == ["/place", "live /place"]
    assert venue.health().ways == {"rest": 1, "private": 1}


async def test_order_entry_rest_keeps_to_rest(make_venue: Any, live_spec: Any, shop: Any) -> None:
    async with make_venue(spec=live_spec, config={"order_entry": "rest"}) as venue:
        venue.order_updates()
        await until(lambda: venue.fills_complete_until is not None)
        await venue.place(buy())
    assert placed(shop) == ["/place"]
    with pytest.raises(InvalidValue, match="order_entry: 'socket' is neither auto nor rest"):
        make_venue(spec=live_spec, config={"order_entry": "socket"})


async def test_a_refusal_over_the_connection_is_one(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    shop.instead("live /place", OrderRefused("would take"))
    with pytest.raises(OrderRefused, match="would take"):
        await venue.place(buy(client_order_id="mine"))
    assert (await venue.order("mine")).status is REJECTED
    assert placed(shop) == ["live /place"]


@pytest.mark.parametrize("arrives", [True, False])
async def test_an_order_without_an_answer_is_asked_for_and_sent_no_other_way(
    venue: ConnectedVenue, shop: Any, peer: Any, arrives: bool
) -> None:
    def swallow(params: dict[str, Any]) -> None:
        if arrives:
            shop.accept(params)

    shop.instead("live /place", swallow)
    order = await venue.place(buy())
    assert order.unknown is not arrives
    await until(lambda: not venue.health().unknown_orders)
    assert (await venue.order(order)).status is (OPEN if arrives else REJECTED)
    assert placed(shop) == ["live /place"]


@pytest.mark.parametrize("arrives", [True, False])
async def test_an_order_on_a_lost_connection_is_asked_for_and_sent_no_other_way(
    venue: ConnectedVenue, shop: Any, peer: Any, arrives: bool
) -> None:
    def lose(params: dict[str, Any]) -> None:
        if arrives:
            shop.accept(params)
        peer.abort()

    shop.instead("live /place", lose)
    order = await venue.place(buy())
    await until(lambda: not venue.health().unknown_orders)
    assert (await venue.order(order)).status is (OPEN if arrives else REJECTED)
    assert placed(shop) == ["live /place"]


async def test_the_feed_may_speak_before_the_answer_and_instead_of_it(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    order = asyncio.ensure_future(_place_unanswered(venue, shop))
    await until(lambda: "live /place" in shop.paths())
    [sent] = [params for path, params in shop.calls if path == "live /place"]
    await shop.tell(peer, OrderUpdate(venue_order_id="V1", client_order_id=sent["client_order_id"], status=OPEN))
    await until(lambda: [o.status for o in venue._parts.tracker.all()] == [OPEN])
    known = await order
    assert (known.unknown, known.status) == (False, OPEN)
    assert placed(shop) == ["live /place"]


async def _place_unanswered(venue: ConnectedVenue, shop: Any) -> Any:
    shop.instead("live /place", lambda params: shop.accept(params) and None)
    return await venue.place(buy())


async def test_a_refusal_that_comes_late_ends_the_asking(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    shop.instead("live /place", lambda params: None)
    placing = asyncio.ensure_future(venue.place(buy(client_order_id="mine")))
    await until(lambda: len(venue.health().unknown_orders) == 1)
    await shop.say(peer, "answer", {"number": 1, "body": {"error": "OrderRefused", "text": "would take"}})
    order = await placing
    assert (order.status, order.unknown) == (REJECTED, False)
    assert order.reason is not None
    assert "would take" in order.reason
    assert placed(shop) == ["live /place"]


async def test_a_yes_that_comes_late_has_it_asked_for_at_once(make_venue: Any, live_spec: Any, shop: Any) -> None:
    policy = ResolvePolicy(first_pause=1000.0, longest_pause=1000.0, wait=10_000.0)
    async with make_venue(spec=live_spec, policy=policy) as venue:
        venue.order_updates()
        peer, _ = await shop.asked()
        await until(lambda: venue.fills_complete_until is not None)
        shop.instead("live /place", lambda params: shop.accept(params) and None)
        placing = asyncio.ensure_future(venue.place(buy()))
        await until(lambda: len(venue.health().unknown_orders) == 1)
        await shop.say(peer, "answer", {"number": 1, "body": _body(shop)})
        assert (await placing).status is OPEN


def _body(shop: Any) -> Any:
    return serde.unstructure(shop.orders["V1"])


async def test_answers_that_come_twice_are_one(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    order = await venue.place(buy())
    await shop.say(peer, "answer", {"number": 1, "body": {"error": "OrderRefused", "text": "no"}})
    await venue.place(buy())
    assert (await venue.order(order)).status is OPEN


async def test_an_amendment_whose_connection_is_lost_is_told_by_the_terms(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    def lose(params: dict[str, Any]) -> None:
        shop.amend(params)
        peer.abort()

    order = await venue.place(buy())
    shop.instead("live /amend", lose)
    assert (await venue.amend(order, Amendment(price="101"))).price == Decimal(101)
    assert shop.paths().count("live /amend") == 1
    assert "/amend" not in shop.paths()


async def test_many_at_once_and_each_once(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    orders = await asyncio.gather(*(venue.place(buy(price=1 + n)) for n in range(300)))
    assert [order.price for order in orders] == [1 + n for n in range(300)]
    assert sorted(order.price for order in shop.orders.values()) == [1 + n for n in range(300)]
    assert sum(venue.health().ways.values()) == 300


async def test_closing_while_an_order_is_under_way_names_it(
    make_venue: Any, live_spec: Any, shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_venue(spec=live_spec, policy=ResolvePolicy(wait=0.1)) as venue:
        venue.order_updates()
        await until(lambda: venue.fills_complete_until is not None)
        shop.instead("live /place", lambda params: None)
        placing = asyncio.ensure_future(venue.place(buy(client_order_id="mine")))
        await until(lambda: "live /place" in shop.paths())
    assert (await placing).unknown
    assert "closed before it was known what became of order mine" in caplog.text
    assert placed(shop) == ["live /place"]
