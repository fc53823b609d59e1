"""A cancel may be sent again, but only after asking; what it returns is what became of the order."""

import asyncio

import attrs
import pytest

from exchange_core.errors import OutcomeUnknown
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.faults import actions
from exchange_core.simulator.launch import ACCOUNT
from tests.house.chaos import FUTURES, KINDS, NOTHING, Kind, house

CLIENT_ID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
kinds = pytest.mark.parametrize("kind", KINDS, ids=str)


@kinds
@pytest.mark.parametrize("is_followed", [False, True], ids=["private feed down", "private feed up"])
@pytest.mark.parametrize(
    "action", [actions.DropAnswer(), actions.CutAnswer(), actions.BadGateway(acts=True)], ids=lambda action: action.word
)
async def test_a_cancel_whose_answer_is_lost_is_found_done_and_not_sent_again(
    kind: Kind, is_followed: bool, action: actions.Action
) -> None:
    async with house(kind) as home:
        if is_followed:
            await home.follow()
        else:
            home.strike(actions.DropRequest(), websocket="open")
        order = await home.venue.place(home.resting())
        sent = home.count(http=kind.cancel)
        home.strike(action, http=kind.cancel)
        canceled = await home.venue.cancel(order)
        assert (canceled.status, canceled.filled, sent.matched) == (OrderStatus.CANCELED, NOTHING, 1)
        assert home.one_order().status is OrderStatus.CANCELED


@kinds
async def test_a_cancel_that_never_arrived_is_sent_again(kind: Kind) -> None:
    async with house(kind) as home:
        order = await home.venue.place(home.resting())
        sent = home.count(http=kind.cancel)
        home.strike(actions.DropRequest(), http=kind.cancel, times=1)
        canceled = await home.venue.cancel(order)
        assert (canceled.status, sent.matched) == (OrderStatus.CANCELED, 2)
        assert home.one_order().status is OrderStatus.CANCELED


@kinds
async def test_an_order_that_was_filled_while_its_cancel_was_lost_is_reported_as_filled(kind: Kind) -> None:
    async with house(kind) as home:
        order = await home.venue.place(home.best())
        home.strike(actions.DropRequest(), http=kind.cancel, times=1)
        home.trade_against(order, order.quantity)
        result = await home.venue.cancel(order)
        assert (result.status, result.filled) == (OrderStatus.FILLED, order.quantity)
        assert home.one_order().status is OrderStatus.FILLED


@kinds
async def test_a_cancel_that_never_gets_through_is_reported_as_unknown_and_cancels_nothing_else(kind: Kind) -> None:
    async with house(kind) as home:
        order = await home.venue.place(home.resting())
        other = await home.venue.place(home.resting(below=2000))
        home.strike(actions.BadGateway(), http=kind.cancel)
        with pytest.raises(OutcomeUnknown):
            await home.venue.cancel(order)
        assert {each.id for each in home.running.exchange.open_orders(ACCOUNT)} == {
            order.venue_order_id,
            other.venue_order_id,
        }
        home.faults.clear()
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED


@kinds
async def test_canceling_all_of_a_symbol_over_a_bad_line_leaves_the_others_alone(kind: Kind) -> None:
    async with house(kind) as home:
        request = home.resting()
        ours = [await home.venue.place(home.resting(below=1000 + n)) for n in range(3)]
        price = home.running.exchange.book(Symbol.parse(kind.other), 1)[0][0].price - 500
        other = await home.venue.place(type(request)(symbol=kind.other, side="buy", quantity="0.1", price=price))
        home.strike(actions.DropAnswer(), http=kind.cancel, every=2)
        done = await home.venue.cancel_all(kind.symbol)
        assert {order.venue_order_id for order in done} == {order.venue_order_id for order in ours}
        assert {order.status for order in done} == {OrderStatus.CANCELED}
        assert [order.id for order in home.running.exchange.open_orders(ACCOUNT)] == [other.venue_order_id]


async def test_a_cancel_that_overtakes_its_order_is_sent_again_once_the_order_is_there() -> None:
    async with house(FUTURES, use_nonce=False) as home:
        late = home.strike(actions.DelayRequest(0.2), http=FUTURES.place)
        sent = home.count(http=FUTURES.cancel)
        home.strike(actions.DelayAnswer(0.4), http=FUTURES.cancel, times=1)
        placing = asyncio.create_task(home.venue.place(attrs.evolve(home.resting(), client_order_id=CLIENT_ID)))
        await late.until_matched()
        canceled = await home.venue.cancel(CLIENT_ID)
        assert (canceled.status, sent.matched) == (OrderStatus.CANCELED, 2)
        assert home.one_order().status is OrderStatus.CANCELED
        assert (await placing).venue_order_id == canceled.venue_order_id
