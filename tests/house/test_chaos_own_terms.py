"""Orders with terms of Kraken Spot's own: each is sent once, followed to its end, found when its answer is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.simulator.faults import actions
from kraken_spot.terms import SpotTerms
from tests.house.chaos import NOTHING, SPOT, FastClock, House, house, until
from tests.house.chaos_line import ON_LINE, PATIENT, SPEED, known, ways

ways_in = pytest.mark.parametrize("way", ["rest", "auto"], ids=["REST", "live connection"])
AMOUNT = Decimal("499.5")


@asynccontextmanager
async def home_of(way: str) -> AsyncIterator[House]:
    """Run the spot venue and follow the account; orders go over REST, or over the connection where they can."""
    options: dict[str, Any] = ON_LINE | {"order_entry": way}
    async with house(SPOT, clock=FastClock(SPEED), policy=PATIENT, **options) as home:
        await home.follow()
        yield home
        home.running.exchange.check_invariants()


def lose_answers(home: House, times: int = 1) -> None:
    """Have the venue act, and say nothing, whichever way the order comes."""
    home.strike(actions.DropAnswer(), http=SPOT.place, times=times)
    home.strike(actions.Drop(), websocket="out", contains='"method":"add_order"', times=times)


def lose_requests(home: House) -> None:
    home.strike(actions.DropRequest(), http=SPOT.place, times=1)
    home.strike(actions.Drop(), websocket="in", contains='"method":"add_order"', times=1)


def for_amount(amount: Decimal = AMOUNT) -> OrderRequest:
    return OrderRequest(symbol=SPOT.symbol, side="buy", quote_amount=amount)


def tagged(home: House, below: int = 1000, userref: int = 7) -> OrderRequest:
    resting = home.resting(below=below)
    return OrderRequest(
        symbol=resting.symbol,
        side="buy",
        quantity="0.01",
        price=resting.price,
        terms=SpotTerms(userref=userref),
    )


async def stands(home: House, order: Order) -> Order:
    """Wait until the order is known to stand."""

    def ours() -> Order:
        return next(each for each in known(home) if each.client_order_id == order.client_order_id)

    await until(lambda: ours().status is OrderStatus.OPEN)
    return ours()


@ways_in
@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
async def test_an_order_for_an_amount_is_told_from_its_start_to_its_end(way: str, is_lost: bool) -> None:
    async with home_of(way) as home:
        adding = ways(home, "add_order")
        if is_lost:
            lose_answers(home)
        order = await home.ended(await home.venue.place(for_amount()))
        (sent,) = home.orders
        assert (adding.sent, order.venue_order_id, order.unknown) == ((0, 1), sent.id, False)
        assert (order.status, order.quantity, order.remaining) == (OrderStatus.FILLED, None, None)
        assert order.request.quote_amount == AMOUNT
        assert (order.filled, order.spent) == (sent.filled, sent.cost)
        assert order.unspent == AMOUNT - sent.cost < 1
        assert sum(fill.quantity for fill in home.fills) == order.filled


async def test_an_amount_is_shown_without_a_live_connection_too() -> None:
    async with house(SPOT) as home:
        home.strike(actions.DropRequest(), websocket="open")
        placed = await home.venue.place(for_amount())
        order = await home.venue.order(placed)
        (sent,) = home.orders
        assert (order.status, order.filled, order.spent) == (OrderStatus.FILLED, sent.filled, sent.cost)
        assert (order.quantity, order.request.quote_amount) == (None, AMOUNT)


OFFSETS = [
    ("limit", SpotTerms(price_offset="-5%"), False),
    ("limit", SpotTerms(price_offset="#500"), False),
    ("stop", SpotTerms(trigger_offset="+5%"), True),
    ("take_profit", SpotTerms(trigger_offset="-500"), True),
    ("stop_limit", SpotTerms(trigger_offset="#5%", price_offset="+6%"), False),
    ("stop", SpotTerms(trigger_offset="+5%", userref=7), True),
]


@ways_in
@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize(
    ("kind", "own", "has_frame"), OFFSETS, ids=[f"{each[0]} {each[1].gives} {each[1].userref}" for each in OFFSETS]
)
async def test_an_order_by_an_offset_has_the_price_that_it_came_to(
    way: str, is_lost: bool, kind: str, own: SpotTerms, has_frame: bool
) -> None:
    async with home_of(way) as home:
        adding = ways(home, "add_order")
        if is_lost:
            lose_answers(home)
        wanted = OrderRequest(symbol=SPOT.symbol, side="buy", quantity="0.01", type=kind, terms=own)
        order = await stands(home, await home.venue.place(wanted))
        (sent,) = home.orders
        assert (adding.line.matched, adding.rest.matched) == ((1, 0) if has_frame and way == "auto" else (0, 1))
        assert (order.venue_order_id, order.request.type, order.request.terms) == (sent.id, kind, own)
        assert (order.price, order.request.trigger_price) == (sent.request.price, sent.request.trigger_price)
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED


@ways_in
async def test_a_userref_stands_at_the_venue_and_the_order_has_its_own_life(way: str) -> None:
    async with home_of(way) as home:
        adding = ways(home, "add_order")
        order = await stands(home, await home.venue.place(tagged(home)))
        (sent,) = home.orders
        assert adding.sent == ((1, 0) if way == "auto" else (0, 1))
        assert (sent.request.user_ref, sent.request.client_order_id) == (7, None)
        assert (order.venue_order_id, order.request.terms) == (sent.id, SpotTerms(userref=7))
        assert len(known(home)) == 1
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED


@ways_in
async def test_one_with_a_userref_whose_answer_is_lost_is_found_and_not_mixed_up_with_its_twin(way: str) -> None:
    async with home_of(way) as home:
        wanted = tagged(home)
        twin = await home.venue.place(wanted)
        adding = ways(home, "add_order")
        lose_answers(home)
        order = await home.venue.place(wanted)
        assert sum(adding.sent) == 1
        assert not order.unknown
        assert {twin.venue_order_id, order.venue_order_id} == {each.id for each in home.orders}
        assert len({each.id for each in home.orders}) == len(known(home)) == 2
        assert not home.venue.health().unknown_orders


@ways_in
async def test_one_with_a_userref_that_never_arrived_is_not_its_twin(way: str) -> None:
    async with home_of(way) as home:
        wanted = tagged(home)
        twin = await home.venue.place(wanted)
        lose_requests(home)
        order = await home.venue.place(wanted)
        assert (order.status, order.unknown, order.filled) == (OrderStatus.REJECTED, False, NOTHING)
        assert "never arrived" in (order.reason or "")
        (sent,) = home.orders
        assert sent.id == twin.venue_order_id


async def test_what_an_offset_came_to_is_told_without_a_live_connection_too() -> None:
    async with house(SPOT) as home:
        home.strike(actions.DropRequest(), websocket="open")
        own = SpotTerms(price_offset="-5%")
        wanted = OrderRequest(symbol=SPOT.symbol, side="buy", quantity="0.01", type="limit", terms=own)
        placed = await home.venue.place(wanted)
        order = await home.venue.order(placed)
        (sent,) = home.orders
        assert (placed.price, order.price, order.request.terms) == (None, sent.request.price, own)
