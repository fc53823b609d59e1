"""Amendments: checked, sent once, and when no answer comes told by the terms that the order then has."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pluggy
import pytest

from exchange_core import hookspecs
from exchange_core.errors import (
    ExchangeError,
    InvalidValue,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    RateLimited,
)
from exchange_core.hookspecs import hookimpl
from exchange_core.model.amendment import Amendment
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.resolver import ResolvePolicy

START = datetime(2026, 1, 1, tzinfo=UTC)


def buy(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "0.10", "price": "100.5"} | changes))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def venue(watched: None, make_venue: Any, full_spec: Any, clock: ManualClock) -> AsyncIterator[ConnectedVenue]:
    async with make_venue(spec=full_spec, clock=clock) as opened:
        yield opened


async def eventually(clock: ManualClock, work: Any, within: float = 120) -> Any:
    task = asyncio.ensure_future(work)
    for _ in range(int(within)):
        await clock.advance(1)
        if task.done():
            return await task
    task.cancel()
    raise AssertionError(f"not done within {within} s")


def sent(shop: Any) -> list[dict[str, Any]]:
    return [params for path, params in shop.calls if path == "/amend"]


def amend_and_lose_the_answer(shop: Any) -> Any:
    def answer(params: dict[str, Any]) -> httpx.HTTPError:
        shop.amend(params)
        return httpx.ReadTimeout("no answer")

    return answer


async def test_an_amended_order_keeps_its_ids_and_has_the_new_terms(venue: ConnectedVenue, shop: Any) -> None:
    order = await venue.place(buy())
    amended = await venue.amend(order, Amendment(price="101", quantity="0.20"))
    assert (amended.venue_order_id, amended.client_order_id) == (order.venue_order_id, order.client_order_id)
    assert (amended.price, amended.quantity, amended.status) == (Decimal(101), Decimal("0.20"), OrderStatus.OPEN)
    [params] = sent(shop)
    assert params["deadline"] == "2026-01-01T00:00:05.000000Z"
    assert shop.orders["V1"].price == Decimal(101)
    assert (await venue.order(order)).price == Decimal(101)


@pytest.mark.parametrize("which", ["V1", "mine"])
async def test_amending_by_either_id(venue: ConnectedVenue, which: str) -> None:
    await venue.place(buy(client_order_id="mine"))
    assert (await venue.amend(which, Amendment(price="101"))).price == Decimal(101)


async def test_amending_an_order_of_another_program(venue: ConnectedVenue, shop: Any) -> None:
    theirs = shop.accept({"symbol": "BTC/USD", "side": "sell", "quantity": "1", "price": "200"})
    assert (await venue.amend(theirs, Amendment(price="201"))).price == Decimal(201)
    with pytest.raises(OrderNotFound):
        await venue.amend("V9", Amendment(price="201"))


async def test_a_venue_that_cannot_amend_says_so_and_nothing_is_canceled(
    make_venue: Any, without_feeds: Any, shop: Any
) -> None:
    async with make_venue(spec=without_feeds) as venue:
        order = await venue.place(buy())
        with pytest.raises(NotSupported, match="orders cannot be amended here"):
            await venue.amend(order, Amendment(price="101"))
        assert (await venue.order(order)).status is OrderStatus.OPEN
    assert shop.paths().count("/place") == 1
    assert "/cancel" not in shop.paths()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"price": "101.3"}, OrderRefused, r"nearest is 101\.5"),
        ({"quantity": "0.105"}, OrderRefused, "quantity 0.105 is not a multiple of 0.01"),
        ({"quantity": "0.04"}, OrderRefused, r"quantity 0.04 is not above the 0.04 that\s+are executed"),
        ({"trigger_price": "5"}, InvalidValue, "takes no trigger_price"),
        ({"trail": "5"}, OrderRefused, "order V1 shows as a limit order: no distance that it trails by is known of it"),
        ({"display_quantity": "0.5"}, InvalidValue, "display_quantity 0.5 is more than the quantity"),
        ({"price": "101", "deadline": START - timedelta(seconds=1)}, OrderRefused, "deadline 2025-12-31 23:59:59"),
    ],
)
async def test_what_would_be_refused_is_not_sent(
    venue: ConnectedVenue, shop: Any, change: dict[str, Any], error: type[Exception], match: str
) -> None:
    await venue.place(buy())
    shop.change("V1", filled=Decimal("0.04"), status=OrderStatus.PARTIALLY_FILLED)
    order = await venue.order("V1")
    with pytest.raises(error, match=match):
        await venue.amend(order, Amendment(**change))
    assert sent(shop) == []


async def test_a_firms_limit_holds_for_amendments(make_venue: Any, full_spec: Any, shop: Any) -> None:
    class Reviewer:
        @hookimpl
        def review_order(self, request: OrderRequest, instrument: Instrument) -> str | None:
            return "larger than my limit" if request.quantity > 1 else None

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(Reviewer())
    async with make_venue(spec=full_spec, hooks=manager) as venue:
        order = await venue.place(buy())
        with pytest.raises(OrderRefused, match="larger than my limit"):
            await venue.amend(order, Amendment(quantity="2"))
    assert sent(shop) == []


async def test_a_term_that_a_venue_does_not_take_is_refused(make_venue: Any, full_spec: Any, shop: Any) -> None:
    support = {term: word for term, word in full_spec.support.items() if term not in ("display_quantity", "post_only")}
    async with make_venue(spec=attrs.evolve(full_spec, support=support)) as venue:
        order = await venue.place(buy())
        for change in ({"display_quantity": "0.01"}, {"price": "101", "post_only": True}):
            with pytest.raises(NotSupported):
                await venue.amend(order, Amendment(**change))
    assert sent(shop) == []


async def test_an_order_that_is_done_is_not_amended(venue: ConnectedVenue, shop: Any) -> None:
    order = await venue.cancel(await venue.place(buy()))
    with pytest.raises(OrderRefused, match="V1 is canceled; nothing is left to amend"):
        await venue.amend(order, Amendment(price="101"))
    assert sent(shop) == []


@pytest.mark.parametrize("error", [OrderRefused("would take"), RateLimited("slow down"), httpx.ConnectError("no way")])
async def test_a_refusal_changes_nothing(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, error: Exception
) -> None:
    order = await venue.place(buy())
    shop.instead("/amend", error)
    with pytest.raises(ExchangeError):
        await venue.amend(order, Amendment(price="101"))
    assert (await venue.order(order)).price == Decimal("100.5")
    await clock.advance(60)
    assert len(sent(shop)) == 1
    assert (await venue.amend(order, Amendment(price="101"))).price == Decimal(101)


async def test_an_order_that_was_done_first_is_known_to_be(venue: ConnectedVenue, shop: Any) -> None:
    order = await venue.place(buy())
    shop.change("V1", status=OrderStatus.FILLED, filled=Decimal("0.10"))
    with pytest.raises(OrderNotFound):
        await venue.amend(order, Amendment(price="101"))
    assert (await venue.order("V1")).status is OrderStatus.FILLED


# No answer


async def test_an_amendment_whose_answer_is_lost_is_seen_in_the_terms(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await venue.place(buy())
    shop.instead("/amend", amend_and_lose_the_answer(shop))
    amended = await eventually(clock, venue.amend(order, Amendment(price="101")))
    assert amended.price == Decimal(101)
    assert len(sent(shop)) == 1


async def test_old_terms_long_after_the_deadline_prove_that_it_did_not_happen(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    """Before that they prove nothing; the caller waits no longer than for an order, and hears of it later."""
    order = await venue.place(buy())
    shop.instead("/amend", httpx.ReadTimeout("no answer"))
    with pytest.raises(OutcomeUnknown, match="V1: it is not known whether it was amended; it is being"):
        await eventually(clock, venue.amend(order, Amendment(price="101")))
    with pytest.raises(OrderRefused, match="it is being asked whether it was amended before"):
        await venue.amend(order, Amendment(price="102"))
    await clock.advance(70)
    assert (await venue.order(order)).price == Decimal("100.5")
    assert (await eventually(clock, venue.amend(order, Amendment(price="102")))).price == Decimal(102)
    assert len(sent(shop)) == 2


async def test_it_did_not_happen_where_that_shows_in_time(
    make_venue: Any, full_spec: Any, shop: Any, clock: ManualClock
) -> None:
    async with make_venue(spec=full_spec, clock=clock, policy=ResolvePolicy(lag=5.0, margin=5.0)) as venue:
        order = await venue.place(buy())
        shop.instead("/amend", httpx.ReadTimeout("no answer"))
        with pytest.raises(OrderRefused, match=r"V1 was not amended: after the deadline .* it has its old"):
            await eventually(clock, venue.amend(order, Amendment(price="101")))


async def test_without_a_deadline_old_terms_never_prove_it(
    make_venue: Any, full_spec: Any, shop: Any, clock: ManualClock
) -> None:
    async with make_venue(spec=full_spec, clock=clock, config={"order_deadline": 0.0}) as venue:
        order = await venue.place(buy())
        shop.instead("/amend", httpx.ReadTimeout("no answer"))
        with pytest.raises(OutcomeUnknown):
            await eventually(clock, venue.amend(order, Amendment(price="101")))
        shop.amend({"venue_order_id": "V1", "client_order_id": None, "price": "101"})
        await clock.advance(30)
        assert (await venue.order(order)).price == Decimal(101), "it came late, and is seen all the same"


async def test_terms_that_are_neither_old_nor_new_leave_it_unknown(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await venue.place(buy())
    shop.instead("/amend", httpx.ReadTimeout("no answer"))
    shop.amend({"venue_order_id": "V1", "client_order_id": None, "price": "77"})
    with pytest.raises(OutcomeUnknown):
        await eventually(clock, venue.amend(order, Amendment(price="101")))
    await clock.advance(120)
    assert len(sent(shop)) == 1


async def test_an_order_that_ended_meanwhile_is_returned_as_it_ended(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await venue.place(buy())
    shop.instead("/amend", httpx.ReadTimeout("no answer"))
    shop.change("V1", status=OrderStatus.FILLED, filled=Decimal("0.10"))
    ended = await eventually(clock, venue.amend(order, Amendment(price="101")))
    assert (ended.status, ended.price) == (OrderStatus.FILLED, Decimal("100.5"))


async def test_a_caller_who_gives_up_does_not_lose_the_amendment(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    async def hang(params: dict[str, Any]) -> None:
        shop.amend(params)
        await asyncio.Event().wait()

    order = await venue.place(buy())
    shop.instead("/amend", hang)
    amending = asyncio.ensure_future(venue.amend(order, Amendment(price="101")))
    await clock.advance(0.5)
    amending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await amending
    await clock.advance(5)
    assert (await venue.order(order)).price == Decimal(101)
    assert len(sent(shop)) == 1


async def test_amendments_of_one_order_go_one_after_the_other(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    """Venues need not carry out in order what is sent back to back."""
    go_on = asyncio.Event()

    async def wait(params: dict[str, Any]) -> Order:
        await go_on.wait()
        amended: Order = shop.amend(params)
        return amended

    order = await venue.place(buy())
    shop.instead("/amend", wait)
    both = [asyncio.ensure_future(venue.amend(order, Amendment(price=price))) for price in ("101", "102")]
    await clock.advance(1)
    assert len(sent(shop)) == 1
    go_on.set()
    assert [amended.price for amended in await asyncio.gather(*both)] == [Decimal(101), Decimal(102)]
    assert shop.orders["V1"].price == Decimal(102)


async def test_closing_while_it_is_not_known_names_the_order(
    make_venue: Any, full_spec: Any, shop: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(params: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    shop.instead("/amend", hang)
    async with make_venue(spec=full_spec, clock=clock) as venue:
        order = await venue.place(buy())
        amending = asyncio.ensure_future(venue.amend(order, Amendment(price="101")))
        await clock.advance(0.1)
    amending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await amending
    assert "closed before it was known whether order V1 was amended" in caplog.text
