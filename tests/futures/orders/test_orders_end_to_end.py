"""Orders of every kind at the simulated venue: over real sockets as a program would, and in process, by hand."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import NotSupported, OrderRefused
from exchange_core.model.amendment import Amendment
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, TriggerBy
from exchange_core.simulator.launch import SimulatorLaunch, launch
from exchange_core.testing.world import Client, World
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.venue import connect
from kraken_futures.plugin import KRAKEN_FUTURES

LINEAR, INVERSE = "BTC/USD:USD", "BTC/USD:BTC"
WITHIN = 20.0


@pytest.fixture
async def venue() -> AsyncIterator[ConnectedVenue]:
    assert KRAKEN_FUTURES.simulator is not None
    launches = {"futures": SimulatorLaunch(spec=KRAKEN_FUTURES.simulator, seed=7)}
    async with launch(launches) as running, connect("kraken_futures", **running["futures"].settings()) as connected:
        await connected.instruments()
        async with asyncio.timeout(WITHIN):
            yield connected


def buy(price: Decimal | None, symbol: str = LINEAR, **terms: Any) -> OrderRequest:
    return OrderRequest(**{"symbol": symbol, "side": "buy", "quantity": "0.1", "price": price, **terms})


async def far_below(venue: ConnectedVenue, symbol: str = LINEAR) -> Decimal:
    book = await venue.book(symbol, 1)
    assert book.best_bid is not None
    return book.best_bid.price - 1000


async def test_triggers_stand_and_are_shown_as_what_they_are(venue: ConnectedVenue) -> None:
    low = await far_below(venue)
    sell: dict[str, Any] = {"symbol": LINEAR, "side": "sell", "quantity": "0.1"}
    requests = [
        OrderRequest(**sell, type="stop", trigger_price=low, trigger_by="mark"),
        OrderRequest(**sell, type="stop_limit", trigger_price=low, price=low - 10, trigger_by="index"),
        OrderRequest(**sell, type="take_profit", trigger_price=low + 2000, trigger_by="last"),
        OrderRequest(**sell, type="stop_limit", trigger_price=low, limit_offset="-20"),
        OrderRequest(**sell, type="trailing_stop", trail="2%"),
    ]
    placed = [await venue.place(request) for request in requests]
    assert {order.status for order in placed} == {OrderStatus.OPEN}
    shown = {order.venue_order_id: order for order in await venue.open_orders()}
    for request, order in zip(requests, placed, strict=True):
        request_now = shown[order.venue_order_id].request
        assert (request_now.type, request_now.trigger_by) == (request.type, request.trigger_by)
        assert (request_now.trigger_price, request_now.price) == (request.trigger_price, request.price)
    canceled = await venue.cancel_all()
    assert {order.venue_order_id for order in canceled} == set(shown)
    assert {order.status for order in canceled} == {OrderStatus.CANCELED}
    assert await venue.open_orders() == []


async def test_orders_of_one_contract_are_canceled_and_no_others(venue: ConnectedVenue) -> None:
    low, lower = await far_below(venue), await far_below(venue, INVERSE)
    mine = [await venue.place(buy(low)), await venue.place(buy(low + 1))]
    other = await venue.place(OrderRequest(symbol=INVERSE, side="buy", quantity="100", price=lower))  # type: ignore[arg-type]
    canceled = await venue.cancel_all(LINEAR)
    assert {order.venue_order_id for order in canceled} == {order.venue_order_id for order in mine}
    assert {order.status for order in canceled} == {OrderStatus.CANCELED}
    assert [order.venue_order_id for order in await venue.open_orders()] == [other.venue_order_id]


async def test_another_client_of_the_account_sees_their_terms(venue: ConnectedVenue) -> None:
    """What REST and the feed of open orders tell of orders that were not placed here."""
    low = await far_below(venue)
    placed = await venue.place(
        OrderRequest(symbol=LINEAR, side="sell", quantity="0.1", type="stop", trigger_price=low, trigger_by="mark")  # type: ignore[arg-type]
    )
    stranger = await venue.run(venue.operations.open_orders())
    assert [(one.venue_order_id, one.request.type, one.request.trigger_by) for one in stranger] == [
        (placed.venue_order_id, OrderType.STOP, TriggerBy.MARK)
    ]
    assert stranger[0].request.trigger_price == low


async def test_orders_are_edited_in_place(venue: ConnectedVenue) -> None:
    low = await far_below(venue)
    order = await venue.place(buy(low))
    amended = await venue.amend(order, Amendment(price=low + 10, quantity="0.2"))
    assert (amended.price, amended.quantity, amended.venue_order_id) == (low + 10, Decimal("0.2"), order.venue_order_id)
    stop = await venue.place(
        OrderRequest(symbol=LINEAR, side="sell", quantity="0.1", type="stop", trigger_price=low)  # type: ignore[arg-type]
    )
    stop = await venue.amend(stop, Amendment(trigger_price=low - 10))
    found = {one.venue_order_id: one for one in await venue.open_orders()}
    assert found[order.venue_order_id].quantity == Decimal("0.2")
    assert found[order.venue_order_id].price == low + 10
    assert found[stop.venue_order_id].request.trigger_price == low - 10
    assert found[stop.venue_order_id].request.type is OrderType.STOP
    with pytest.raises(OrderRefused):
        await venue.amend(await venue.cancel(order), Amendment(price=low))


async def test_an_edit_that_takes_yields_its_fills(venue: ConnectedVenue) -> None:
    low = await far_below(venue)
    order = await venue.place(buy(low))
    amended = await venue.amend(order, Amendment(price=low + 2000))
    assert (amended.status, amended.filled) == (OrderStatus.FILLED, Decimal("0.1"))
    assert amended.average_price is not None
    assert amended.average_price < low + 2000


async def test_several_orders_are_placed_and_taken_out_together(venue: ConnectedVenue) -> None:
    low = await far_below(venue)
    requests = [
        buy(low),
        buy(None),
        buy(low, INVERSE, quantity=10),
        buy(low + 5000, post_only=True),
        OrderRequest(symbol=LINEAR, side="sell", quantity="0.1", type="stop", trigger_price=low),  # type: ignore[arg-type]
    ]
    first, market, inverse, refused, stop = await venue.place_all(requests)
    assert isinstance(refused, OrderRefused)
    assert isinstance(market, Order)
    assert (market.status, market.filled) == (OrderStatus.FILLED, Decimal("0.1"))
    assert market.average_price is not None
    resting = [one for one in (first, inverse, stop) if isinstance(one, Order)]
    assert [one.status for one in resting] == [OrderStatus.OPEN] * 3
    ended = await venue.cancel_many(resting)
    assert [one.status for one in ended] == [OrderStatus.CANCELED] * 3
    assert await venue.open_orders() == []


async def test_what_the_venue_has_not_is_refused_and_leaves_nothing(venue: ConnectedVenue) -> None:
    low = await far_below(venue)
    for terms in ({"leverage": 2}, {"display_quantity": "0.05"}, {"self_trade": "cancel_newest"}):
        with pytest.raises(NotSupported, match=next(iter(terms))):
            await venue.place(buy(low, **terms))
    assert await venue.open_orders() == []


async def test_the_venue_takes_all_out_when_we_fall_silent(venue: ConnectedVenue) -> None:
    async with venue.order_updates() as updates:
        order = await venue.place(buy(await far_below(venue)))
        assert await venue.cancel_all_after(1) is not None
        async for update in updates:
            if update.venue_order_id == order.venue_order_id and update.is_final:
                break
        assert update.status is OrderStatus.CANCELED
        assert await venue.cancel_all_after(0) is None


async def test_a_halt_that_was_over_long_ago_keeps_no_order_from_the_market() -> None:
    """Who follows no ticker does not hear of its end; the list is asked again before an order is refused for it."""
    assert KRAKEN_FUTURES.simulator is not None
    symbol = Symbol.of(LINEAR)
    launches = {"futures": SimulatorLaunch(spec=KRAKEN_FUTURES.simulator, seed=7)}
    async with asyncio.timeout(WITHIN), launch(launches) as running:
        exchange = running["futures"].exchange
        exchange.force_status(symbol, InstrumentStatus.OFFLINE)
        async with connect("kraken_futures", **running["futures"].settings()) as venue:
            await venue.instruments()
            assert venue.instrument(symbol).status is InstrumentStatus.OFFLINE
            exchange.force_status(symbol, None)
            low = await far_below(venue)
            order = await venue.place(buy(low))
            assert order.status is OrderStatus.OPEN
            exchange.force_status(symbol, InstrumentStatus.OFFLINE)
            await venue.instruments(refresh=True)
            with pytest.raises(OrderRefused, match="the venue says offline"):
                await venue.place(buy(low))


# By hand


@pytest.fixture
def world() -> World:
    return World(KRAKEN_FUTURES)


@pytest.fixture
def me(world: World) -> Client:
    return world.client("me")


@pytest.fixture
def other(world: World) -> Client:
    return world.client("other")


@pytest.mark.parametrize("limit", [False, True])
def test_a_stop_that_fires_is_found_with_what_it_executed(me: Client, other: Client, limit: bool) -> None:
    assert KRAKEN_FUTURES.simulator is not None
    market = KRAKEN_FUTURES.simulator.markets[0]
    instrument, lot = market.instrument, Decimal("0.1")
    near = instrument.round_price(market.start_price)
    low = near - 100 * instrument.tick_size
    other.place("buy", lot, near)
    other.place("buy", lot * 5, low)
    terms: dict[str, Any] = {"type": "stop"}
    if limit:
        terms = {"type": "stop_limit", "price": low - instrument.tick_size}
    request = OrderRequest(
        symbol=instrument.symbol,
        side="sell",  # type: ignore[arg-type]
        quantity=lot,  # type: ignore[arg-type]
        trigger_price=low + instrument.tick_size,  # type: ignore[arg-type]
        trigger_by="last",  # type: ignore[arg-type]
        client_order_id="my-stop",
        **terms,
    )
    stop = me.run(me.rest.place(request))
    assert stop.status is OrderStatus.OPEN
    # A trade near the market leaves it waiting, one at the lower price sets it off.
    assert me.place("sell", lot).average_price == near
    assert me.run(me.rest.find(stop)).status is OrderStatus.OPEN
    assert me.place("sell", lot).average_price == low
    found = me.run(me.rest.find(stop))
    assert (found.status, found.filled, found.average_price) == (OrderStatus.FILLED, lot, low)
    assert found.request == request


def test_the_distance_of_a_trailing_stop_is_amended(me: Client) -> None:
    assert KRAKEN_FUTURES.simulator is not None
    symbol = KRAKEN_FUTURES.simulator.markets[0].instrument.symbol
    request = OrderRequest(
        symbol=symbol,
        side="sell",  # type: ignore[arg-type]
        quantity="0.1",  # type: ignore[arg-type]
        type="trailing_stop",  # type: ignore[arg-type]
        trail="2%",  # type: ignore[arg-type]
        client_order_id="my-trail",
    )
    order = me.run(me.rest.place(request))
    amended = me.run(me.rest.amend(order, Amendment(trail="3%")))
    assert amended.request.trail == Offset(Decimal(3), True)
    assert me.run(me.rest.find(amended)).status is OrderStatus.OPEN
