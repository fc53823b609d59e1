"""All orders of one symbol with one call, where the venue has one: never more, and what the answer tells is taken."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchange_core.errors import AuthenticationError, NonceRejected, NotSupported, OutcomeUnknown, VenueError
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue

BTC = Symbol.parse("BTC/USD")
CANCELED = OrderStatus.CANCELED


def buy(symbol: str = "BTC/USD") -> OrderRequest:
    return OrderRequest(symbol=symbol, side="buy", quantity="1", price="100.5")  # type: ignore[arg-type]


@pytest.fixture
async def venue(make_venue: Any, one_symbol_spec: Any) -> AsyncIterator[ConnectedVenue]:
    async with make_venue(spec=one_symbol_spec, clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC))) as opened:
        yield opened


async def test_one_call_takes_out_one_symbol_and_no_other(venue: ConnectedVenue, shop: Any) -> None:
    for symbol in ("BTC/USD", "ETH/USD", "BTC/USD"):
        await venue.place(buy(symbol))
    ended = await venue.cancel_all("BTC/USD")
    assert [(order.venue_order_id, order.status) for order in ended] == [("V1", CANCELED), ("V3", CANCELED)]
    assert [params for path, params in shop.calls if path.startswith("/cancel")] == [{"symbol": "BTC/USD"}]
    assert [order.venue_order_id for order in await venue.open_orders()] == ["V2"]


async def test_what_the_answer_says_of_an_order_is_taken(venue: ConnectedVenue, shop: Any) -> None:
    """It need not be asked for again, and says what was executed of it."""
    await venue.place(buy())
    told = OrderUpdate(venue_order_id="V1", status=CANCELED, filled=Decimal("0.25"))
    shop.orders.clear()
    shop.instead("/open_orders", [], [])
    shop.instead("/cancel_symbol", [told])
    [ended] = await venue.cancel_all("BTC/USD")
    assert (ended.venue_order_id, ended.status, ended.filled) == ("V1", CANCELED, Decimal("0.25"))
    assert "/find" not in shop.paths()


async def test_an_order_that_only_the_answer_tells_of_is_told_too(venue: ConnectedVenue, shop: Any) -> None:
    told = OrderUpdate(
        venue_order_id="V9", status=CANCELED, symbol=BTC, side=Side.BUY, quantity=Decimal(2), filled=Decimal(0)
    )
    shop.instead("/cancel_symbol", [told])
    [ended] = await venue.cancel_all("BTC/USD")
    assert (ended.venue_order_id, ended.status, ended.quantity) == ("V9", CANCELED, Decimal(2))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("lost"),
        OutcomeUnknown("it names another scope"),
        VenueError("odd"),
        NotSupported("not on Sundays"),
        NonceRejected("overtaken"),
    ],
)
async def test_when_it_fails_or_gets_no_answer_each_is_taken_out_by_itself(
    venue: ConnectedVenue, shop: Any, error: Exception
) -> None:
    for symbol in ("BTC/USD", "ETH/USD", "BTC/USD"):
        await venue.place(buy(symbol))
    shop.instead("/cancel_symbol", error)
    ended = await venue.cancel_all("BTC/USD")
    assert [(order.venue_order_id, order.status) for order in ended] == [("V1", CANCELED), ("V3", CANCELED)]
    assert shop.paths().count("/cancel_symbol") == 1
    assert "/cancel_all" not in shop.paths()
    assert shop.orders["V2"].status is OrderStatus.OPEN


async def test_a_lost_answer_to_what_was_carried_out_is_found_out(venue: ConnectedVenue, shop: Any) -> None:
    await venue.place(buy())

    def lose(params: dict[str, Any]) -> Exception:
        shop.answer("/cancel_symbol", params)
        return httpx.ReadTimeout("lost")

    shop.instead("/cancel_symbol", lose)
    assert [order.status for order in await venue.cancel_all("BTC/USD")] == [CANCELED]


async def test_what_arrives_a_moment_after_it_is_taken_out_too(venue: ConnectedVenue, shop: Any) -> None:
    await venue.place(buy())
    shop.instead("/cancel_symbol", None)
    assert [order.status for order in await venue.cancel_all("BTC/USD")] == [CANCELED]
    assert not [order for order in shop.orders.values() if not order.is_final]


async def test_a_key_that_is_refused_ends_it(venue: ConnectedVenue, shop: Any) -> None:
    await venue.place(buy())
    shop.instead("/cancel_symbol", AuthenticationError("no"))
    with pytest.raises(AuthenticationError):
        await venue.cancel_all("BTC/USD")
    assert "/cancel_batch" not in shop.paths()
    assert "/cancel" not in shop.paths()
