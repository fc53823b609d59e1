"""Cancels, amendments and the dead man's switch over a private connection whose frames get lost."""

import asyncio
from decimal import Decimal

import pytest

from exchange_core.errors import OrderNotFound, OrderRefused, OutcomeUnknown
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.simulator.faults import actions
from exchange_core.simulator.launch import ACCOUNT
from tests.house.chaos import NOTHING, SPOT, House, until
from tests.house.chaos_line import LINE_FAULTS, LineFault, named, on_line, standing, ways

LOST, LATE, CUT, DROPPED, NOT_SENT = map(
    named,
    ("answer dropped", "answer late", "line cut before the answer", "request dropped", "line cut before the request"),
)
TOO_LATE = LineFault("request after its deadline", actions.Delay(5), "in", False)

every_fault = pytest.mark.parametrize("fault", LINE_FAULTS, ids=str)
some_faults = pytest.mark.parametrize("fault", [LOST, LATE, CUT, DROPPED, NOT_SENT], ids=str)


# Cancels


@every_fault
async def test_a_cancel_ends_its_order_and_is_sent_again_only_when_it_may_not_have_arrived(fault: LineFault) -> None:
    async with on_line() as home:
        order = await home.venue.place(home.resting())
        canceling = ways(home, "cancel_order")
        struck = fault.strike(home, "cancel_order")
        canceled = await home.venue.cancel(order)
        assert (canceled.status, canceled.filled, struck.fired) == (OrderStatus.CANCELED, NOTHING, 1)
        assert home.one_order().status is OrderStatus.CANCELED
        assert sum(canceling.sent) == (1 if fault.arrives else 2)


@pytest.mark.parametrize("fault", [LOST, CUT, DROPPED], ids=str)
async def test_an_order_that_was_filled_while_its_cancel_was_lost_is_reported_as_filled(fault: LineFault) -> None:
    async with on_line() as home:
        order = await home.venue.place(home.best())
        fault.strike(home, "cancel_order")
        home.trade_against(order, order.quantity)
        result = await home.venue.cancel(order)
        assert (result.status, result.filled) == (OrderStatus.FILLED, order.quantity)


async def test_a_cancel_while_rest_fails_too_is_unknown_and_then_true() -> None:
    async with on_line() as home:
        order = await home.venue.place(home.resting())
        LOST.strike(home, "cancel_order", times=None)
        home.strike(actions.Drop(), websocket="out", contains="executions")
        home.strike(actions.BadGateway(), http="/0/private/*")
        with pytest.raises(OutcomeUnknown):
            await home.venue.cancel(order)
        home.faults.clear()
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED


async def test_a_cancel_of_an_order_that_is_still_under_way_says_so_and_the_order_comes_to_its_end() -> None:
    async with on_line(order_deadline=10.0) as home:
        home.strike(actions.Delay(4), websocket="in", contains='"method":"add_order"', times=1)
        request = OrderRequest(
            symbol=SPOT.symbol, side="buy", quantity="0.01", price=home.quote(Side.BUY) - 500, client_order_id=CLIENT_ID
        )
        placing = asyncio.create_task(home.venue.place(request))
        await until(lambda: home.venue.health().unknown_orders)
        with pytest.raises((OutcomeUnknown, OrderNotFound)):
            await home.venue.cancel(CLIENT_ID)
        order = await placing
        assert order.status is OrderStatus.OPEN
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED


CLIENT_ID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"


async def test_a_cancel_for_which_the_session_is_lost_goes_over_rest() -> None:
    async with on_line() as home:
        order = await home.venue.place(home.resting())
        canceling = ways(home, "cancel_order")
        home.strike(actions.Replace('"token":"', '"token":"old'), websocket="in", contains="cancel_order")
        assert (await home.venue.cancel(order)).status is OrderStatus.CANCELED
        assert canceling.sent == (1, 1)


@some_faults
@pytest.mark.parametrize("method", ["batch_cancel", "cancel_all"])
async def test_several_are_canceled_whatever_happens_and_no_other(method: str, fault: LineFault) -> None:
    async with on_line() as home:
        ours = [await home.venue.place(home.resting(below=1000 + n)) for n in range(3)]
        other = None if method == "cancel_all" else await home.venue.place(home.resting(below=2000))
        struck = fault.strike(home, method)
        done = await (home.venue.cancel_many(ours) if other else home.venue.cancel_all())
        assert struck.fired == 1
        assert {order.venue_order_id for order in done} == {order.venue_order_id for order in ours}
        assert {order.status for order in done} == {OrderStatus.CANCELED}
        assert standing(home) == ({other.venue_order_id} if other else set())


@pytest.mark.parametrize("method", ["batch_cancel", "cancel_all"])
async def test_several_are_canceled_over_rest_when_the_session_is_lost(method: str) -> None:
    async with on_line() as home:
        ours = [await home.venue.place(home.resting(below=1000 + n)) for n in range(3)]
        canceling = ways(home, method)
        home.strike(actions.Replace('"token":"', '"token":"old'), websocket="in", contains=method)
        done = await (home.venue.cancel_all() if method == "cancel_all" else home.venue.cancel_many(ours))
        assert {order.status for order in done} == {OrderStatus.CANCELED}
        assert canceling.sent == (1, 1)


# Amendments


def amended_to(home: House, order: Order) -> Amendment:
    assert order.price is not None
    return Amendment(quantity="0.02", price=order.price - 10)


@pytest.mark.parametrize("fault", [*LINE_FAULTS, TOO_LATE], ids=str)
async def test_an_amendment_is_sent_once_and_the_terms_tell_its_fate(fault: LineFault) -> None:
    async with on_line() as home:
        order = await home.venue.place(home.resting())
        amending = ways(home, "amend_order")
        struck = fault.strike(home, "amend_order")
        if fault.arrives:
            amended = await home.venue.amend(order, amended_to(home, order))
            assert (amended.quantity, amended.price) == (Decimal("0.02"), order.price - 10)
        else:
            with pytest.raises(OrderRefused, match="was not amended"):
                await home.venue.amend(order, amended_to(home, order))
        (theirs,) = home.orders
        assert theirs.request.quantity == Decimal("0.02" if fault.arrives else "0.01")
        assert (struck.fired, amending.sent) == (1, (1, 0))


async def test_an_amendment_for_which_the_session_is_lost_goes_over_rest() -> None:
    async with on_line() as home:
        order = await home.venue.place(home.resting())
        amending = ways(home, "amend_order")
        home.strike(actions.Replace('"token":"', '"token":"old'), websocket="in", contains="amend_order")
        assert (await home.venue.amend(order, amended_to(home, order))).quantity == Decimal("0.02")
        assert amending.sent == (1, 1)


@pytest.mark.parametrize("fault", [LOST, CUT, DROPPED], ids=str)
async def test_all_of_an_order_is_executed_while_its_amendment_is_lost_and_only_the_truth_is_told(
    fault: LineFault,
) -> None:
    async with on_line() as home, home.venue.order_updates() as news:
        order = await home.venue.place(home.best("0.01"))
        fault.strike(home, "amend_order")
        amending = asyncio.create_task(home.venue.amend(order, Amendment(quantity="0.02")))
        await until(lambda: any('"amend_order"' in text for _, way, text in home.frames if way == "out"))
        if fault.arrives:
            await until(lambda: home.orders[0].request.quantity == Decimal("0.02"))
        home.trade_against(order, order.quantity)
        await asyncio.gather(amending, return_exceptions=True)
        end = OrderStatus.PARTIALLY_FILLED if fault.arrives else OrderStatus.FILLED
        await until(lambda: home.venue._parts.tracker.get(order.client_order_id or "").status is end)
        news.close()
        assert [each.status for each in [each async for each in news] if each.is_final] == [end] * (not fault.arrives)


# The dead man's switch


def fires_at(home: House) -> object:
    return home.running.exchange._accounts[ACCOUNT].dead_man


@some_faults
async def test_the_switch_is_set_or_its_error_says_that_it_may_not_be(fault: LineFault) -> None:
    async with on_line() as home:
        setting = ways(home, "cancel_all_orders_after")
        struck = fault.strike(home, "cancel_all_orders_after")
        with pytest.raises(OutcomeUnknown):
            await home.venue.cancel_all_after(60)
        assert (struck.fired, setting.sent) == (1, (1, 0))
        assert (fires_at(home) is not None) is fault.arrives
        await home.venue.cancel_all_after(0)
        assert fires_at(home) is None


async def test_the_switch_goes_over_rest_when_the_session_is_lost() -> None:
    async with on_line() as home:
        setting = ways(home, "cancel_all_orders_after")
        home.strike(actions.Replace('"token":"', '"token":"old'), websocket="in", contains="cancel_all_orders_after")
        assert await home.venue.cancel_all_after(60) is not None
        assert (setting.sent, fires_at(home) is not None) == ((1, 1), True)


@pytest.mark.parametrize("fault", [LATE, NOT_SENT], ids=str)
async def test_a_switch_that_is_held_is_renewed_through_it_and_its_orders_stay(fault: LineFault) -> None:
    async with on_line() as home:
        order = await home.venue.place(home.resting())
        async with home.venue.dead_mans_switch(15) as switch:
            fault.strike(home, "cancel_all_orders_after")
            await until(lambda: switch.renewals >= 2)
        assert fires_at(home) is None
        assert standing(home) == {order.venue_order_id}


async def test_a_renewal_that_arrives_after_the_end_of_the_switch_does_not_leave_it_on() -> None:
    async with on_line() as home:
        order = await home.venue.place(home.resting())
        async with home.venue.dead_mans_switch(15):
            stuck = home.strike(
                actions.Delay(10), websocket="in", contains='"method":"cancel_all_orders_after"', times=1
            )
            await until(lambda: stuck.fired)
        ended = home.clock.monotonic()
        await until(lambda: home.clock.monotonic() > ended + 15)
        assert fires_at(home) is None
        assert standing(home) == {order.venue_order_id}
