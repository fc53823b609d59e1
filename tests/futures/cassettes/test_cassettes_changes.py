"""Recorded orders of every type, amendments, batches and cancels, in the words that all venues share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import InsufficientFunds, OrderRefused
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer

LINEAR = Symbol("BTC", "USD", "USD")
PLACED = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)
CHANGED = PLACED + timedelta(seconds=20)
LIMIT_ID, STOP_ID = "050684bf-e286-452c-bf76-9e374ddc74c8", "feef16e9-64ef-4ebe-aff3-600735f11af2"
OPEN, FILLED = OrderStatus.OPEN, OrderStatus.FILLED


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def order(number: int, side: str, quantity: str, price: str | None = None, **terms: Any) -> OrderRequest:
    words = {"client_order_id": client_id(number), "deadline": PLACED + timedelta(seconds=5), **terms}
    return OrderRequest(symbol=LINEAR, side=side, quantity=quantity, price=price, **words)


STOP, TAKE = {"type": "stop", "trigger_price": "80000"}, {"type": "take_profit", "trigger_price": "90000"}
STOP_LIMIT = {**STOP, "type": "stop_limit"}
TAKE_LIMIT = {**TAKE, "type": "take_profit_limit"}
TRAILING = {"type": "trailing_stop", "trail": "2%"}
TRAILING_LIMIT = {"type": "trailing_stop_limit", "trail": "500", "limit_offset": "-10"}
TYPES: dict[str, tuple[OrderRequest, OrderStatus]] = {
    "place_fok": (order(1, "sell", "0.01", "83990", time_in_force="fok"), FILLED),
    "place_stop": (order(2, "sell", "0.01", **STOP), OPEN),
    "place_stop_limit": (order(3, "sell", "0.01", "79900", trigger_by="last", **STOP_LIMIT), OPEN),
    "place_stop_offset": (order(4, "sell", "0.01", limit_offset="-100", **STOP_LIMIT), OPEN),
    "place_take_profit": (order(5, "sell", "0.01", trigger_by="index", **TAKE), OPEN),
    "place_take_profit_limit": (order(6, "sell", "0.01", limit_offset="-1%", **TAKE_LIMIT), OPEN),
    "place_trailing_stop": (order(7, "sell", "0.01", **TRAILING), OPEN),
    "place_trailing_stop_limit": (order(8, "sell", "0.01", **TRAILING_LIMIT), OPEN),
    "place_reduce_only": (order(20, "buy", "0.005", "83000", reduce_only=True), OPEN),
}


@pytest.mark.parametrize("name", TYPES)
async def test_an_order_of_every_type(player: CassettePlayer, name: str) -> None:
    request, status = TYPES[name]
    placed = await player.run(name, lambda do: do.place(request))
    assert (placed.request, placed.status, placed.client_order_id) == (request, status, request.client_order_id)
    assert placed.created == PLACED
    assert (placed.filled, placed.average_price) == ((request.quantity, 83990) if status is FILLED else (0, None))


async def test_how_they_are_listed(player: CassettePlayer) -> None:
    """An offset of the limit comes back as the price that it comes to."""
    found = await player.run("open_orders_of_every_type", lambda do: do.open_orders())
    shown = {str(one.client_order_id)[-2:]: one.request for one in found}
    assert [*shown] == ["02", "03", "04", "05", "06", "07", "08", "20"]
    assert (shown["02"].type, shown["02"].trigger_price, shown["02"].price) == (OrderType.STOP, 80000, None)
    assert [(shown[number].type, shown[number].price) for number in ("03", "04", "06")] == [
        (OrderType.STOP_LIMIT, 79900),
        (OrderType.STOP_LIMIT, 79900),
        (OrderType.TAKE_PROFIT_LIMIT, 89100),
    ]
    assert [shown[number].trigger_by for number in ("02", "03", "05")] == ["mark", "last", "index"]
    assert (shown["20"].price, shown["20"].reduce_only) == (83000, True)


async def test_an_order_that_would_not_reduce(player: CassettePlayer) -> None:
    request = order(21, "sell", "0.01", "83000", reduce_only=True)
    with pytest.raises(OrderRefused) as refused:
        await player.run("place_reduce_only_refused", lambda do: do.place(request))
    assert refused.value.codes == ("wouldNotReducePosition",)


def known(request: OrderRequest, venue_order_id: str) -> Order:
    return Order(
        request=request,
        venue="futures",
        status=OPEN,
        venue_order_id=venue_order_id,
        client_order_id=request.client_order_id,
        created=PLACED,
        updated=PLACED,
    )


RESTS = known(order(1, "buy", "0.01", "83000"), LIMIT_ID)
WAITS = known(order(2, "sell", "0.01", "79900", **STOP_LIMIT), STOP_ID)
DEADLINE = CHANGED + timedelta(seconds=5)


async def test_an_order_is_amended_in_place(player: CassettePlayer) -> None:
    change = Amendment(quantity="0.02", price="83100", deadline=DEADLINE)
    amended = await player.run("amend", lambda do: do.amend(RESTS, change))
    terms = attrs.evolve(RESTS.request, quantity=Decimal("0.02"), price=Decimal(83100))
    assert amended == attrs.evolve(RESTS, request=terms, updated=CHANGED)


async def test_a_trigger_is_amended_after_a_look_whether_it_fired(player: CassettePlayer) -> None:
    change = Amendment(trigger_price="81000", deadline=DEADLINE)
    amended = await player.run("amend_stop", lambda do: do.amend(WAITS, change))
    assert (amended.venue_order_id, amended.request.trigger_price, amended.request.price) == (STOP_ID, 81000, 79900)


async def test_an_amendment_that_is_refused_leaves_the_order(player: CassettePlayer) -> None:
    with pytest.raises(InsufficientFunds):
        await player.run("amend_refused", lambda do: do.amend(RESTS, Amendment(quantity="900", deadline=DEADLINE)))


async def test_a_batch_of_which_one_is_refused(player: CassettePlayer) -> None:
    options = {"deadline": DEADLINE}
    three = [
        order(3, "buy", "0.01", "82000", **options),
        order(4, "sell", "900", "85000", **options),
        order(5, "sell", "0.01", "85500", post_only=True, **options),
    ]
    first, failed, last = await player.run("place_batch", lambda do: do.place_batch(three))
    assert (first.request, first.status, first.created) == (three[0], OPEN, CHANGED)
    assert isinstance(failed, InsufficientFunds)
    assert (last.request, last.status) == (three[2], OPEN)
    done = [first, last]
    by_our_id = attrs.evolve(RESTS, venue_order_id=None)
    assert await player.run("cancel_batch", lambda do: do.cancel_batch([*done, by_our_id])) is None
    # What is over already is no error.
    assert await player.run("cancel_batch_again", lambda do: do.cancel_batch(done)) is None


async def test_everything_is_canceled_now_or_later(player: CassettePlayer) -> None:
    fires = await player.run("cancel_all_after", lambda do: do.cancel_all_after(60))
    assert fires == CHANGED + timedelta(minutes=1)
    assert await player.run("cancel_all_after_off", lambda do: do.cancel_all_after(0)) is None
    ended = await player.run("cancel_all", lambda do: do.cancel_all())
    assert all(update.venue_order_id for update in ended)
    assert {update.status for update in ended} == {OrderStatus.CANCELED}
    [told] = await player.run("cancel_symbol", lambda do: do.cancel_symbol(Symbol.parse("BTC/USD:USD")))
    assert (told.status, told.filled, told.quantity) == (OrderStatus.CANCELED, Decimal(0), Decimal("0.01"))
