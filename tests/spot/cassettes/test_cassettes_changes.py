"""Recorded amends, batches and cancels of several orders, played back in the model's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import InsufficientFunds, OrderRefused
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer

BTC = Symbol("BTC", "USD")
PLACED = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)

Run = Callable[..., Awaitable[Any]]


def limit(number: int, side: Side, quantity: str, price: str, **options: Any) -> OrderRequest:
    words = {"client_order_id": f"00000000-0000-4000-8000-{number:012d}", **options}
    return OrderRequest(symbol=BTC, side=side, quantity=quantity, price=price, **words)


def sent(request: OrderRequest, venue_order_id: str) -> Order:
    """Return an order that was taken: the answer tells no more."""
    return Order(
        request=request, venue="kraken", venue_order_id=venue_order_id, client_order_id=request.client_order_id
    )


@pytest.fixture
def run(player: CassettePlayer) -> Run:
    return player.run


RESTS = limit(1, Side.BUY, "0.01", "83000")
LATER = PLACED + timedelta(seconds=20)
CHANGED = attrs.evolve(sent(RESTS, "OII5DX-XYF25-ME4K4R"), created=PLACED)
DEADLINE = LATER + timedelta(seconds=5)


async def test_an_amend(run: Run) -> None:
    change = Amendment(quantity="0.02", price="83100", deadline=DEADLINE)
    amended = await run("amend", lambda do: do.amend(CHANGED, change))
    assert amended == attrs.evolve(CHANGED, request=attrs.evolve(RESTS, quantity=Decimal("0.02"), price=Decimal(83100)))


async def test_a_price_that_would_take_is_refused_and_changes_nothing(run: Run) -> None:
    change = Amendment(price="84015", post_only=True, deadline=DEADLINE)
    with pytest.raises(OrderRefused) as refused:
        await run("amend_to_nonsense", lambda do: do.amend(CHANGED, change))
    assert refused.value.codes == ("EOrder:Post only order",)


def batched(number: int, side: Side, quantity: str, price: str, **options: Any) -> OrderRequest:
    return limit(number, side, quantity, price, deadline=DEADLINE, **options)


BATCH = [
    batched(2, Side.BUY, "0.01", "82000"),
    batched(3, Side.SELL, "5", "85000"),
    batched(4, Side.SELL, "0.01", "85500", post_only=True),
]
FIRST, LAST = "OVMSFR-CMQ7P-UGWDYM", "O7SADT-DXHIO-MQBYGU"


async def test_a_batch_of_which_one_fails(run: Run) -> None:
    first, failed, last = await run("place_batch", lambda do: do.place_batch(BATCH))
    assert (first, last) == (sent(BATCH[0], FIRST), sent(BATCH[2], LAST))
    assert type(failed) is InsufficientFunds
    assert failed.codes == ("EOrder:Insufficient funds",)


async def test_a_batch_that_is_refused_as_a_whole(run: Run) -> None:
    bold = [batched(5, Side.BUY, "0.01", "82000"), batched(6, Side.BUY, "0.01", "82000", leverage=100)]
    with pytest.raises(OrderRefused) as refused:
        await run("place_batch_too_bold", lambda do: do.place_batch(bold))
    assert refused.value.codes == ("EGeneral:Invalid arguments:leverage",)


async def test_cancels_of_several(run: Run) -> None:
    orders = [sent(BATCH[0], FIRST), sent(BATCH[2], LAST)]
    assert await run("cancel_batch", lambda do: do.cancel_batch(orders)) is None
    assert await run("cancel_all", lambda do: do.cancel_all()) is None


async def test_a_dead_mans_switch(run: Run) -> None:
    assert await run("cancel_all_after", lambda do: do.cancel_all_after(60)) == LATER + timedelta(minutes=1)
    assert await run("cancel_all_after_off", lambda do: do.cancel_all_after(0)) is None
