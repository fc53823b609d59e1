"""Several orders at once: all checked, all noted, each sent once; several, or all, taken out with few calls."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest

from exchange_core.errors import (
    AuthenticationError,
    ConfigError,
    ConnectFailed,
    ExchangeError,
    InsufficientFunds,
    LockedOut,
    NonceRejected,
    NotSupported,
    OrderRefused,
    OutcomeUnknown,
    PluginError,
    UnknownSymbol,
    VenueError,
    VenueUnavailable,
)
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue

START = datetime(2026, 1, 1, tzinfo=UTC)


def buy(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "0.01", "price": "100.5"} | changes))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def journal() -> list[Order]:
    return []


@pytest.fixture
async def venue(
    watched: None, make_venue: Any, full_spec: Any, clock: ManualClock, journal: list[Order]
) -> AsyncIterator[ConnectedVenue]:
    """Places up to three of one symbol at once, cancels up to four."""
    async with make_venue(spec=full_spec, clock=clock, journal=journal.append) as opened:
        yield opened


async def eventually(clock: ManualClock, work: Any, within: float = 120) -> Any:
    task = asyncio.ensure_future(work)
    for _ in range(int(within)):
        await clock.advance(1)
        if task.done():
            return await task
    task.cancel()
    raise AssertionError(f"not done within {within} s")


def batches(shop: Any, path: str = "/place_batch") -> list[int]:
    return [len(params["orders"]) for asked, params in shop.calls if asked == path]


def told(results: list[Order | ExchangeError]) -> list[Any]:
    return [result.status if isinstance(result, Order) else type(result) for result in results]


# Placing


async def test_what_cannot_go_with_others_goes_by_itself(venue: ConnectedVenue, shop: Any) -> None:
    orders = await venue.place_all([buy(), buy(leverage=2), buy()])
    assert [order.status for order in orders if isinstance(order, Order)] == [OrderStatus.OPEN] * 3
    assert sorted(path for path in shop.paths() if path.startswith("/place")) == ["/place", "/place_batch"]


async def test_orders_go_in_batches_of_one_symbol_and_come_back_in_order(
    venue: ConnectedVenue, shop: Any, journal: list[Order]
) -> None:
    wanted = [buy(symbol=symbol, price=price) for symbol in ("BTC/USD", "ETH/USD") for price in (1, 2, 3, 4, 5)]
    wanted = wanted[::2] + wanted[1::2]
    placed = await venue.place_all(wanted)
    assert [(order.symbol, order.price) for order in placed if isinstance(order, Order)] == [
        (request.symbol, request.price) for request in wanted
    ]
    assert sorted(batches(shop)) == [2, 2, 3, 3]
    assert "/place" not in shop.paths()
    assert [order.price for order in journal] == [request.price for request in wanted]
    deadlines = {params["orders"][0]["deadline"] for path, params in shop.calls if path == "/place_batch"}
    assert deadlines == {"2026-01-01T00:00:05.000000Z"}
    assert len({order.client_order_id for order in shop.orders.values()}) == 10


async def test_a_single_order_is_no_batch(venue: ConnectedVenue, shop: Any) -> None:
    assert told(await venue.place_all([buy()])) == [OrderStatus.OPEN]
    assert told(await venue.place_all([buy() for _ in range(4)])) == [OrderStatus.OPEN] * 4
    assert (batches(shop), shop.paths().count("/place")) == ([3], 2)
    assert await venue.place_all([]) == []


async def test_orders_with_deadlines_of_their_own_go_by_themselves(venue: ConnectedVenue, shop: Any) -> None:
    late = START + timedelta(seconds=50)
    await venue.place_all([buy(), buy(deadline=late), buy(), buy(deadline=late)])
    assert batches(shop) == [2, 2]


async def test_without_batches_each_goes_by_itself(make_venue: Any, without_feeds: Any, shop: Any) -> None:
    async with make_venue(spec=without_feeds) as venue:
        assert told(await venue.place_all([buy() for _ in range(5)])) == [OrderStatus.OPEN] * 5
    assert shop.paths().count("/place") == 5


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"price": "100.3"}, OrderRefused),
        ({"symbol": "DOGE/USD"}, UnknownSymbol),
        ({"reduce_only": True}, NotSupported),
        ({"client_order_id": "mine"}, OrderRefused),
    ],
)
async def test_one_that_is_wrong_keeps_all_back(
    venue: ConnectedVenue, shop: Any, journal: list[Order], bad: dict[str, Any], error: type[ExchangeError]
) -> None:
    with pytest.raises(error):
        await venue.place_all([buy(client_order_id="mine"), buy(**bad)])
    assert "/place_batch" not in shop.paths()
    assert journal == []


async def test_all_that_is_wrong_is_said(venue: ConnectedVenue) -> None:
    with pytest.raises(OrderRefused) as caught:
        await venue.place_all([buy(), buy(price="100.3"), buy(), buy(quantity="0.001")])
    first, second, third = caught.value.__notes__
    assert first.startswith("order 2 of 4: BTC/USD: price 100.3")
    assert second.startswith("order 4 of 4: BTC/USD: quantity 0.001")
    assert third == "nothing was sent of any"


async def test_an_id_that_was_used_keeps_all_back(venue: ConnectedVenue, shop: Any) -> None:
    await venue.place(buy(client_order_id="mine"))
    with pytest.raises(OrderRefused, match="belongs to an order that is open already"):
        await venue.place_all([buy(), buy(client_order_id="mine")])
    assert len(shop.orders) == 1
    assert venue.health().unknown_orders == ()


async def test_nothing_is_sent_when_the_journal_fails_at_the_last(make_venue: Any, full_spec: Any, shop: Any) -> None:
    kept: list[Order] = []

    def nearly_full(order: Order) -> None:
        if len(kept) == 4:
            raise OSError("disk full")
        kept.append(order)

    async with make_venue(spec=full_spec, journal=nearly_full) as venue:
        with pytest.raises(OSError, match="disk full"):
            await venue.place_all([buy() for _ in range(5)])
        statuses = [(await venue.order(order.client_order_id or "")).status for order in kept]
    assert statuses == [OrderStatus.REJECTED] * 4
    assert "/place_batch" not in shop.paths()


async def test_mixed_outcomes_are_told_one_by_one(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    def mixed(params: dict[str, Any]) -> list[Any]:
        first, _, third = params["orders"]
        shop.accept(third)
        return [shop.accept(first), {"error": "InsufficientFunds", "text": "poor"}, _unknown()]

    shop.instead("/place_batch", mixed)
    results = await eventually(clock, venue.place_all([buy(), buy(), buy()]))
    assert told(results) == [OrderStatus.OPEN, InsufficientFunds, OrderStatus.OPEN]
    assert [result.unknown for result in results if isinstance(result, Order)] == [False, False]
    assert len(shop.orders) == 2
    assert shop.paths().count("/find") == 1


def _unknown() -> dict[str, str]:
    return {"error": "OutcomeUnknown", "text": "who knows"}


async def test_an_error_that_may_mean_anything_leaves_the_order_unknown(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    shop.instead("/place_batch", [{"error": "VenueUnavailable", "text": "busy"}, _unknown()])
    results = await eventually(clock, venue.place_all([buy(), buy()]))
    assert all(isinstance(result, Order) and result.unknown for result in results)
    await clock.advance(120)
    assert {(await venue.order(order)).status for order in results} == {OrderStatus.REJECTED}


@pytest.mark.parametrize("error", [InsufficientFunds("poor"), AuthenticationError("no"), httpx.ConnectError("no way")])
async def test_a_batch_that_did_not_happen_is_the_error_of_each(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, error: Exception
) -> None:
    kind = ConnectFailed if isinstance(error, httpx.ConnectError) else type(error)
    shop.instead("/place_batch", error)
    assert told(await venue.place_all([buy(client_order_id="a"), buy(client_order_id="b")])) == [kind, kind]
    assert [(await venue.order(key)).status for key in "ab"] == [OrderStatus.REJECTED] * 2
    await clock.advance(60)
    assert "/find" not in shop.paths()


@pytest.mark.parametrize("error", [httpx.ReadTimeout("no answer"), VenueUnavailable("busy"), VenueError("odd")])
async def test_a_batch_without_an_answer_is_asked_for_order_by_order(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, error: Exception
) -> None:
    """Of three, two arrived."""

    def lose(params: dict[str, Any]) -> Exception:
        for order in params["orders"][:2]:
            shop.accept(order)
        return error

    shop.instead("/place_batch", lose)
    results = await eventually(clock, venue.place_all([buy(), buy(), buy()]))
    assert [result.unknown for result in results if isinstance(result, Order)] == [False, False, True]
    await clock.advance(120)
    assert [(await venue.order(result)).status for result in results if isinstance(result, Order)] == [
        OrderStatus.OPEN,
        OrderStatus.OPEN,
        OrderStatus.REJECTED,
    ]
    assert batches(shop) == [3]


@pytest.mark.parametrize("answer", [[], ["only one"], ["of another", "of another"]])
async def test_answers_that_are_not_those_to_the_orders_are_not_believed(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, answer: list[str]
) -> None:
    def wrong(params: dict[str, Any]) -> list[Any]:
        accepted = [shop.accept(order) for order in params["orders"]]
        return list(reversed(accepted))[: len(answer)]

    shop.instead("/place_batch", wrong)
    results = await eventually(clock, venue.place_all([buy(price=1), buy(price=2)]))
    assert [(order.price, order.unknown) for order in results] == [(Decimal(1), False), (Decimal(2), False)]
    assert [order.venue_order_id for order in results] == ["V1", "V2"]
    assert batches(shop) == [2]


async def test_a_plugins_mistake_before_sending_is_the_error_of_each(make_venue: Any, full_spec: Any) -> None:
    class Odd(full_spec.rest):  # type: ignore[misc]
        def place_batch(self, requests: Any) -> Any:
            raise KeyError("side")

    async with make_venue(spec=attrs.evolve(full_spec, rest=Odd)) as venue:
        results = await venue.place_all([buy(client_order_id="a"), buy(client_order_id="b")])
        assert told(results) == [PluginError, PluginError]
        assert (await venue.order("a")).status is OrderStatus.REJECTED


async def test_who_gives_up_leaves_no_order_in_between(
    make_venue: Any, full_spec: Any, shop: Any, clock: ManualClock
) -> None:
    async def hang(params: dict[str, Any]) -> None:
        shop.accept(params["orders"][0])
        await asyncio.Event().wait()

    shop.instead("/place_batch", hang)
    async with make_venue(spec=full_spec, clock=clock) as venue:
        placing = asyncio.ensure_future(venue.place_all([buy(client_order_id="a"), buy(client_order_id="b")]))
        await clock.advance(0.1)
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        assert len(venue.health().unknown_orders) == 2
        await clock.advance(120)
        assert [(await venue.order(key)).status for key in "ab"] == [OrderStatus.OPEN, OrderStatus.REJECTED]
        at_once = asyncio.ensure_future(venue.place_all([buy(client_order_id="c"), buy(client_order_id="d")]))
        await asyncio.sleep(0)
        at_once.cancel()
        with pytest.raises(asyncio.CancelledError):
            await at_once
        await clock.advance(120)
        assert (await venue.order("c")).status in (OrderStatus.REJECTED, OrderStatus.OPEN)
        assert venue.health().unknown_orders == ()


async def test_a_thousand_at_once(venue: ConnectedVenue, shop: Any) -> None:
    results = await venue.place_all([buy(price=1 + n) for n in range(1000)])
    assert [result.price for result in results if isinstance(result, Order)] == [1 + n for n in range(1000)]
    assert {order.price for order in shop.orders.values()} == {Decimal(1 + n) for n in range(1000)}
    assert len(await venue.cancel_all()) == 1000
    assert await venue.open_orders() == []


# Canceling


async def test_several_are_canceled_in_batches_and_come_back_in_order(venue: ConnectedVenue, shop: Any) -> None:
    orders = [await venue.place(buy()) for _ in range(6)]
    shop.change("V2", status=OrderStatus.FILLED, filled=Decimal("0.01"))
    ended = await venue.cancel_many([*orders[:5], "V6"])
    assert [order.venue_order_id for order in ended] == [f"V{n}" for n in range(1, 7)]
    assert [order.status for order in ended] == [
        OrderStatus.CANCELED,
        OrderStatus.FILLED,
        *[OrderStatus.CANCELED] * 4,
    ]
    assert batches(shop, "/cancel_batch") == [4, 2]
    assert "/cancel" not in shop.paths()
    assert await venue.cancel_many(ended) == ended
    assert batches(shop, "/cancel_batch") == [4, 2]


@pytest.mark.parametrize("error", [httpx.ReadTimeout("lost"), VenueError("odd"), OutcomeUnknown("who knows")])
async def test_what_a_batch_does_not_take_out_is_taken_out_by_itself(
    venue: ConnectedVenue, shop: Any, error: Exception
) -> None:
    orders = [await venue.place(buy()) for _ in range(3)]
    shop.instead("/cancel_batch", error)
    assert {order.status for order in await venue.cancel_many(orders)} == {OrderStatus.CANCELED}
    assert shop.paths().count("/cancel") == 3


async def test_what_cannot_be_canceled_is_said_when_all_were_tried(venue: ConnectedVenue, shop: Any) -> None:
    orders = [await venue.place(buy()) for _ in range(3)]
    shop.instead("/cancel_batch", VenueError("odd"))
    shop.instead("/cancel", VenueError("very odd"))
    with pytest.raises(VenueError, match="very odd") as caught:
        await venue.cancel_many(orders)
    assert caught.value.__notes__ == ["while canceling V1 of BTC/USD"]
    assert [shop.orders[f"V{n}"].status for n in (2, 3)] == [OrderStatus.CANCELED] * 2


async def test_a_lockout_is_not_made_longer(venue: ConnectedVenue, shop: Any) -> None:
    orders = [await venue.place(buy()) for _ in range(3)]
    shop.instead("/cancel_batch", LockedOut("silence"))
    with pytest.raises(LockedOut):
        await venue.cancel_many(orders)
    assert "/cancel" not in shop.paths()


async def test_all_are_canceled_in_one_call(venue: ConnectedVenue, shop: Any) -> None:
    for symbol in ("BTC/USD", "ETH/USD"):
        await venue.place(buy(symbol=symbol))
    shop.accept({"symbol": "BTC/USD", "side": "sell", "quantity": "1", "price": "200"})
    ended = await venue.cancel_all()
    assert [(order.venue_order_id, order.status) for order in ended] == [
        (f"V{n}", OrderStatus.CANCELED) for n in (1, 2, 3)
    ]
    assert shop.paths().count("/cancel_all") == 1
    assert "/cancel_batch" not in shop.paths()


async def test_one_symbol_is_never_widened_to_all(venue: ConnectedVenue, shop: Any) -> None:
    for symbol in ("BTC/USD", "ETH/USD", "BTC/USD"):
        await venue.place(buy(symbol=symbol))
    assert [order.venue_order_id for order in await venue.cancel_all("BTC/USD")] == ["V1", "V3"]
    assert "/cancel_all" not in shop.paths()
    assert [order.venue_order_id for order in await venue.open_orders()] == ["V2"]


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout("lost"), VenueError("odd"), NotSupported("not on Sundays"), NonceRejected("overtaken")],
)
async def test_when_one_call_for_all_fails_each_is_taken_out(
    venue: ConnectedVenue, shop: Any, error: Exception
) -> None:
    for _ in range(3):
        await venue.place(buy())
    shop.instead("/cancel_all", error)
    assert {order.status for order in await venue.cancel_all()} == {OrderStatus.CANCELED}
    assert len(shop.orders) == 3


async def test_one_call_for_all_needs_no_list(venue: ConnectedVenue, shop: Any) -> None:
    """Not being able to say what was canceled is no reason not to cancel it."""
    await venue.place(buy())
    shop.accept({"symbol": "BTC/USD", "side": "sell", "quantity": "1", "price": "200"})
    shop.instead("/open_orders", VenueError("busy"))
    assert [order.venue_order_id for order in await venue.cancel_all()] == ["V1"]
    assert shop.orders["V2"].status is OrderStatus.CANCELED


async def test_what_stands_after_a_call_for_all_is_taken_out(venue: ConnectedVenue, shop: Any) -> None:
    """It may have arrived a moment after, or the venue said yes and did nothing."""
    await venue.place(buy())
    shop.instead("/cancel_all", None)
    assert [order.status for order in await venue.cancel_all()] == [OrderStatus.CANCELED]


async def test_canceling_all_says_what_may_still_arrive(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    shop.instead("/place", httpx.ReadTimeout("no answer"))
    placing = asyncio.ensure_future(venue.place(buy(client_order_id="mine")))
    await clock.advance(0.5)
    with pytest.raises(OutcomeUnknown, match="mine has not arrived yet and still may"):
        await venue.cancel_all()
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing


async def test_all_of_it_needs_credentials(make_venue: Any, full_spec: Any) -> None:
    async with make_venue(spec=full_spec, keys=False) as venue:
        for attempt in (venue.place_all([buy()]), venue.cancel_many(["V1"]), venue.cancel_all_after(60)):
            with pytest.raises(ConfigError, match=r"needs? credentials; set api_key"):
                await attempt
