"""The router looks at all venues, plans with what it sees, and sends again only what was refused."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import (
    AuthenticationError,
    ConfigError,
    NotSupported,
    OrderRefused,
    OutcomeUnknown,
    PluginError,
    UnknownSymbol,
)
from exchange_core.model.account import Balance
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.order import Order, OrderRequest, TimeInForce
from exchange_core.routing import LegOutcome, Patience, Plan, Router

D = Decimal
BUY = OrderRequest(symbol="BTC/USD", side="buy", quantity="0.5")
PATIENCE = Patience(sending=5, ending=5, asking=5, fills=5, between_asks=5)


@pytest.fixture
def a(venue: Callable[..., Any]) -> Any:
    made = venue("a")
    made.set_book(asks=[("100", "0.3"), ("102", "1")])
    return made


@pytest.fixture
def b(venue: Callable[..., Any]) -> Any:
    made = venue("b")
    made.set_book(asks=[("101", "0.2"), ("103", "1")])
    return made


@pytest.fixture
def router(a: Any, b: Any) -> Router:
    return Router({"a": a, "b": b}, quote_timeout=0.1, patience=PATIENCE)


def quantities(plan: Plan) -> dict[str, Decimal]:
    return {leg.venue: leg.quantity for leg in plan.legs}


def reasons(plan: Plan) -> dict[str, str]:
    return {rejection.venue: rejection.reason for rejection in plan.rejections}


def raising(error: Exception) -> Callable[..., Awaitable[Any]]:
    async def answer(*_: object) -> Any:
        raise error

    return answer


async def test_it_plans_with_books_fees_and_funds_of_every_venue(a: Any, b: Any, router: Router) -> None:
    plan = await router.plan(BUY)
    assert quantities(plan) == {"a": D("0.3"), "b": D("0.2")}
    assert plan.fees == D("0.0502")
    assert a.book_news.closed
    assert b.book_news.closed


async def test_a_plan_is_carried_out(a: Any, b: Any, router: Router) -> None:
    result = await router.execute(await router.plan(BUY))
    assert (result.filled, result.remainder) == (D("0.5"), 0)
    assert (len(a.placed), len(b.placed)) == (1, 1)


async def test_funds_are_those_that_are_free_in_the_spot_wallet(a: Any, b: Any, router: Router) -> None:
    b.funds = []
    a.funds = [
        Balance(asset="USD", total=D("31"), held=D("1")),
        Balance(asset="USD", total=D(10**6), held=D(0), wallet="earn"),
    ]
    plan = await router.plan(BUY)
    assert quantities(plan) == {"a": D("0.2997")}  # 30 / (100 × 1.001)
    assert reasons(plan) == {"b": "0 USD are free; its smallest order of 0.005 needs 0.505505 USD"}


async def test_a_venue_that_cannot_be_seen_is_named(a: Any, b: Any, router: Router) -> None:
    a.balances = raising(AuthenticationError("a: the key may not read balances"))
    plan = await router.plan(BUY)
    assert quantities(plan) == {"b": D("0.5")}
    assert reasons(plan) == {"a": "a: the key may not read balances"}


async def test_a_book_that_does_not_become_live_is_waited_for_and_then_named(a: Any, b: Any, router: Router) -> None:
    a.set_book(asks=[("100", "9")], health=BookHealth.SYNCING)
    plan = await router.plan(BUY)
    assert quantities(plan) == {"b": D("0.5")}
    why = "it did not give a live book and the account's funds within 0.1 s; its book is syncing"
    assert reasons(plan) == {"a": why}


async def test_a_book_that_becomes_live_is_used(a: Any, b: Any, router: Router) -> None:
    a.set_book(asks=[("100", "9")], health=BookHealth.SYNCING)
    planning = asyncio.create_task(router.plan(BUY))
    await asyncio.sleep(0)
    a.book_source.health = BookHealth.LIVE
    a.book_news.queue.put_nowait(OrderBook(a.book_source))
    assert quantities(await planning) == {"a": D("0.5")}


async def test_a_book_that_is_lost_while_others_are_waited_for_is_not_used(a: Any, b: Any, router: Router) -> None:
    """All books are read at one moment, at the end."""
    b.set_book(asks=[("101", "9")], health=BookHealth.SYNCING)
    planning = asyncio.create_task(router.plan(BUY))
    for _ in range(3):
        await asyncio.sleep(0)
    a.book_source.health, b.book_source.health = BookHealth.DESYNCED, BookHealth.LIVE
    b.book_news.queue.put_nowait(OrderBook(b.book_source))
    plan = await planning
    assert quantities(plan) == {"b": D("0.5")}
    assert reasons(plan) == {"a": "its book is desynced, not live"}


async def test_a_book_that_is_followed_less_deep_is_taken_as_it_is(a: Any, router: Router) -> None:
    depths: list[int | None] = []

    def books(symbol: object, depth: int | None = None) -> Any:
        depths.append(depth)
        if depth is not None:
            raise NotSupported("a: the book is followed at depth 10 already")
        return a.book_news

    a.books = books
    assert quantities(await router.plan(BUY)) == {"a": D("0.3"), "b": D("0.2")}
    assert depths == [100, None]


async def test_only_venues_that_trade_the_symbol_count(venue: Callable[..., Any], a: Any) -> None:
    perpetual = venue("futures", "BTC/USD:USD")
    router = Router({"a": a, "futures": perpetual}, quote_timeout=0.1)
    plan = await router.plan(BUY)
    assert (quantities(plan), plan.rejections) == ({"a": D("0.5")}, ())
    with pytest.raises(UnknownSymbol, match="no venue trades ETH/USD"):
        await router.plan(OrderRequest(symbol="ETH/USD", side="buy", quantity="1"))


async def test_a_leg_that_would_not_be_sent_is_no_plan(a: Any, b: Any, router: Router) -> None:
    """Whoever only looks at a plan hears what carrying it out would say."""
    asked: list[OrderRequest] = []

    async def review(request: OrderRequest) -> None:
        asked.append(request)
        raise OrderRefused("BTC/USD: more than 0.1 needs a second pair of eyes")

    b.on_check = review
    with pytest.raises(OrderRefused) as refused:
        await router.plan(BUY)
    assert str(refused.value) == (
        "route BTC/USD: no leg was sent: b would not send its leg (buy 0.2 BTC/USD at 101): "
        "BTC/USD: more than 0.1 needs a second pair of eyes"
    )
    assert [(request.quantity, request.price, request.time_in_force) for request in asked] == [
        (D("0.2"), D("101"), TimeInForce.IOC)
    ]
    assert a.placed == b.placed == []


async def test_every_leg_that_would_not_be_sent_is_named(a: Any, b: Any, router: Router) -> None:
    """A hook that fails is a reason too."""
    a.on_check = raising(NotSupported("a: does not take deadline"))
    b.on_check = raising(PluginError("BTC/USD: a review_order hook failed, nothing was sent: 'limit'"))
    with pytest.raises(OrderRefused, match=r"\): a: does not take deadline; b would .*: 'limit'$"):
        await router.plan(BUY)


async def test_refusals_come_before_any_question(router: Router) -> None:
    with pytest.raises(ConfigError, match="no routing policy 'fast'"):
        await router.plan(BUY, policy="fast")
    with pytest.raises(NotSupported, match="post_only"):
        await router.plan(OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="1", post_only=True))


async def test_what_is_refused_is_left_over(a: Any, b: Any, router: Router) -> None:
    a.on_place = raising(OrderRefused("a: no"))
    result = await router.execute(await router.plan(BUY))
    assert (result.filled, result.remainder, len(b.placed)) == (D("0.2"), D("0.3"), 1)


async def test_what_is_refused_can_be_planned_again_elsewhere(a: Any, b: Any, router: Router) -> None:
    a.on_place = raising(OrderRefused("a: no"))
    plan = await router.plan(BUY)
    b.set_book(asks=[("103", "1")])
    result = await router.execute(plan, retries=1)
    assert [(leg.leg.venue, leg.outcome) for leg in result.legs] == [
        ("a", LegOutcome.REFUSED),
        ("b", LegOutcome.FILLED),
        ("b", LegOutcome.FILLED),
    ]
    assert [request.quantity for request in b.placed] == [D("0.2"), D("0.3")]
    assert len(a.placed) == 1


async def test_what_cannot_be_planned_again_is_said(a: Any, b: Any, router: Router) -> None:
    a.on_place = b.on_place = raising(OrderRefused("no"))
    result = await router.execute(await router.plan(BUY), retries=1)
    assert (result.filled, result.remainder) == (0, D("0.5"))
    assert result.notes == (
        "what was refused could not be planned again: BTC/USD: no venue can buy it now: "
        "a: it is left out of this plan; b: it is left out of this plan",
    )


async def test_what_is_unknown_is_never_sent_again(a: Any, b: Any, router: Router) -> None:
    async def lost(request: OrderRequest) -> Order:
        raise OutcomeUnknown("a: no answer")

    a.on_place = lost
    result = await router.execute(await router.plan(BUY), retries=5)
    assert (result.filled, result.unknown, result.remainder) == (D("0.2"), D("0.3"), 0)
    assert (len(a.placed), len(b.placed)) == (1, 1)
