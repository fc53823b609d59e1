"""The tracker reads all venues at once, survives those that fail, and follows what moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import AuthenticationError, RateLimited, SlowConsumer
from exchange_core.model.account import Balance, Position
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BalancesUpdate, PositionsUpdate
from exchange_core.model.market import Ticker
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio import Portfolio, PortfolioView, Unvalued
from exchange_core.venue.health import FeedHealth

D = Decimal
NOW = datetime(2026, 10, 9, tzinfo=UTC)


class Clock:
    """Time that stands still; pauses pass when the test says so."""

    def __init__(self) -> None:
        self.moment = NOW
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def time_ns(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def spot(venue: Callable[..., Any]) -> Any:
    made = venue("spot")
    made.owns(("BTC", "0.5"), ("USD", "1000"))
    made.lists("BTC/USD", bid="59999", ask="60001")
    return made


@pytest.fixture
def futures(venue: Callable[..., Any]) -> Any:
    made = venue("futures")
    made.owns(("USD", "500"), wallet="flex")
    made.lists("BTC/USD:USD", mark_price="60500", index_price="60400")
    made.held = [Position(symbol=Symbol.parse("BTC/USD:USD"), quantity=D("0.1"), entry_price=D("60000"))]
    return made


@pytest.fixture
def portfolio(spot: Any, futures: Any, clock: Clock) -> Portfolio:
    return Portfolio({"spot": spot, "futures": futures}, within=0.1, clock=clock)


async def next_view(views: AsyncIterator[PortfolioView]) -> PortfolioView:
    async with asyncio.timeout(3):
        return await anext(views)


async def view_where(views: AsyncIterator[PortfolioView], holds: Callable[[PortfolioView], bool]) -> PortfolioView:
    async with asyncio.timeout(3):
        async for view in views:
            if holds(view):
                return view
    raise AssertionError("the views ended")


async def test_all_venues_are_one(portfolio: Portfolio) -> None:
    """0.5 BTC at 60000, 1500 USD, and 0.1 long from 60000 at a mark that the position did not bring along."""
    view = await portfolio.refresh()
    assert (view.assets_value, view.unrealised, view.total) == (D("31500"), D("50"), D("31550"))
    assert view.is_complete
    assert view.agrees
    assert [(venue.venue, venue.read) for venue in view.venues] == [("spot", NOW), ("futures", NOW)]


async def test_venues_are_read_at_the_same_time(portfolio: Portfolio, spot: Any, futures: Any) -> None:
    spot.gate.clear()
    futures.gate.clear()
    reading = asyncio.create_task(portfolio.refresh())
    async with asyncio.timeout(3):
        await spot.reading.wait()
        await futures.reading.wait()
    spot.gate.set()
    futures.gate.set()
    assert (await reading).is_complete


async def test_a_venue_that_fails_keeps_its_last_balances_and_is_said_to_be_old(
    portfolio: Portfolio, spot: Any, clock: Clock
) -> None:
    await portfolio.refresh()
    spot.error = RateLimited("spot: slower")
    spot.owned = []
    clock.moment += timedelta(minutes=1)
    view = await portfolio.refresh()
    assert view.total == D("31550")
    assert [(venue.read, venue.reason) for venue in view.venues] == [(NOW, "spot: slower"), (clock.moment, None)]
    assert not view.is_complete
    spot.error = None
    assert (await portfolio.refresh()).total == D("550")


async def test_a_venue_that_never_answered_is_missing_and_not_zero(portfolio: Portfolio, spot: Any) -> None:
    spot.gate.clear()
    view = await portfolio.refresh()
    assert view.total == D("550")
    assert view.unvalued == (Unvalued(what="everything at spot", reason="no answer within 0.1 s"),)


async def test_a_venue_without_credentials_gives_prices_only(portfolio: Portfolio, spot: Any, futures: Any) -> None:
    spot.has_credentials = False
    spot.error = AuthenticationError("no key")
    futures.owns(("BTC", "1"), wallet="flex")
    view = await Portfolio([spot, futures]).refresh()
    assert view.assets_value == D("60000")
    assert [venue.venue for venue in view.venues] == ["futures"]
    assert view.is_complete


async def test_without_a_spot_market_a_contracts_index_is_the_price(futures: Any) -> None:
    futures.owns(("BTC", "1"), wallet="flex")
    view = await Portfolio([futures]).refresh()
    assert view.assets_value == D("60400")
    assert str(view.assets[0].rate) == "BTC/USD index at futures"


async def test_only_the_markets_that_are_needed_are_asked_for(venue: Callable[..., Any]) -> None:
    """XYZ goes over EUR, which has the shortest path; nothing else is asked."""
    a = venue("a")
    a.owns(("XYZ", "10"), ("USD", "1"), ("OLD", "0"))
    for symbol in ("XYZ/EUR", "EUR/USD", "BTC/USD", "XYZ/BTC", "OLD/USD"):
        a.lists(symbol, bid="2", ask="2")
    view = await Portfolio([a]).refresh()
    assert sorted(map(str, a.asked)) == ["EUR/USD", "XYZ/EUR"]
    assert view.total == D("41")


async def test_where_a_price_cannot_be_had_another_path_is_tried(venue: Callable[..., Any]) -> None:
    """The direct market is empty at one venue and unknown at the other; the cross through EUR is left."""
    a, b = venue("a"), venue("b")
    a.owns(("XYZ", "10"))
    a.lists("XYZ/USD")
    del b.tickers_now[b.lists("XYZ/USD")]
    a.lists("XYZ/EUR", bid="3", ask="3")
    b.lists("EUR/USD", last="2")
    view = await Portfolio([a, b]).refresh()
    assert view.total == D("60")
    assert str(view.assets[0].rate) == "XYZ/EUR ticker at a × EUR/USD last trade at b"


async def test_two_venues_with_one_market_agree_on_the_first(venue: Callable[..., Any]) -> None:
    a, b = venue("a"), venue("b")
    for each, price in ((a, "100"), (b, "200")):
        each.owns(("BTC", "1"))
        each.lists("BTC/USD", bid=price, ask=price)
    assert (await Portfolio([a, b]).refresh()).total == D("200")
    assert (await Portfolio([b, a]).refresh()).total == D("400")


async def test_news_of_balances_make_a_new_view(portfolio: Portfolio, spot: Any) -> None:
    async with aclosing(portfolio.updates()) as views:
        assert (await next_view(views)).total == D("31550")
        change = Balance(asset="USD", total=D("1100"), held=D(0))
        spot.news("balances").put(BalancesUpdate(balances=(change,)))
        view = await next_view(views)
        assert view.total == D("31650")
        assert view.is_complete


async def test_a_complete_update_replaces_all_and_a_partial_one_only_what_it_names(
    portfolio: Portfolio, spot: Any
) -> None:
    async with aclosing(portfolio.updates()) as views:
        await next_view(views)
        only = Balance(asset="USD", total=D("7"), held=D(0))
        spot.news("balances").put(BalancesUpdate(balances=(only,), complete=True))
        assert (await next_view(views)).asset("BTC") is None


async def test_news_of_positions_make_a_new_view(portfolio: Portfolio, futures: Any) -> None:
    symbol = Symbol.parse("BTC/USD:USD")
    async with aclosing(portfolio.updates()) as views:
        await next_view(views)
        flat = Position(symbol=symbol, quantity=D(0), entry_price=D(0))
        futures.news("positions").put(PositionsUpdate(positions=(flat,)))
        view = await next_view(views)
        assert (view.unrealised, view.positions) == (0, ())


async def test_prices_follow_live_books_and_marks(
    portfolio: Portfolio, spot: Any, futures: Any, make_book: Callable[..., OrderBook]
) -> None:
    async with aclosing(portfolio.updates()) as views:
        await next_view(views)
        await asyncio.sleep(0)
        spot.news("book BTC/USD").put(make_book("BTC/USD", "69999", "70001"))
        view = await view_where(views, lambda each: each.assets_value == D("36500"))
        assert str(view.assets[0].rate) == "BTC/USD book at spot"
        mark = Ticker(symbol=Symbol.parse("BTC/USD:USD"), mark_price=D("61000"))
        futures.news("ticker BTC/USD:USD").put(mark)
        assert (await view_where(views, lambda each: each.unrealised == D("100"))).agrees


async def test_a_book_that_is_not_live_gives_no_price(
    portfolio: Portfolio, spot: Any, make_book: Callable[..., OrderBook]
) -> None:
    """While a book was live its ticker was not asked for; once it is lost, it is."""
    async with aclosing(portfolio.updates(every=0.01)) as views:
        await next_view(views)
        await asyncio.sleep(0)
        book = make_book("BTC/USD", "69999", "70001")
        spot.news("book BTC/USD").put(book)
        await view_where(views, lambda each: each.assets_value == D("36500"))
        asked = len(spot.asked)
        for _ in range(3):
            assert str((await next_view(views)).assets[0].rate) == "BTC/USD book at spot"
        assert len(spot.asked) == asked
        spot.lists("BTC/USD", bid="1999", ask="2001")
        book._source.health = BookHealth.DESYNCED
        spot.news("balances").put(BalancesUpdate(balances=()))
        view = await next_view(views)
        assert str(view.assets[0].rate) == "BTC/USD ticker at spot"
        assert view.assets_value == D("2500")


async def test_news_between_two_views_are_in_the_second(portfolio: Portfolio, spot: Any, clock: Clock) -> None:
    async with aclosing(portfolio.updates(pause=0.25)) as views:
        await next_view(views)
        for total in range(1, 6):
            change = Balance(asset="USD", total=D(total), held=D(0))
            spot.news("balances").put(BalancesUpdate(balances=(change,)))
        view = await next_view(views)
        while (line := view.asset("USD")) is None or line.total != D(505):
            view = await next_view(views)
        assert clock.pauses.count(0.25) < 5


async def test_a_new_asset_gets_its_price(portfolio: Portfolio, spot: Any) -> None:
    spot.lists("ETH/USD", bid="3000", ask="3000")
    async with aclosing(portfolio.updates()) as views:
        await next_view(views)
        change = Balance(asset="ETH", total=D(2), held=D(0))
        spot.news("balances").put(BalancesUpdate(balances=(change,)))
        assert (await next_view(views)).total == D("37550")


async def test_news_that_do_not_say_what_is_held_cause_a_reading(portfolio: Portfolio, spot: Any) -> None:
    async with aclosing(portfolio.updates(every=1000)) as views:
        await next_view(views)
        spot.owned = [Balance(asset="USD", total=D("900"), held=D("40"))]
        change = Balance(asset="USD", total=D("900"), held=None)
        spot.news("balances").put(BalancesUpdate(balances=(change,)))
        first = (await next_view(views)).asset("USD")
        assert first is not None
        assert first.held in (None, D("40"))
        view = await view_where(views, lambda each: each.balances[-1].held == D("40"))
        line = view.asset("USD")
        assert line is not None
        assert (line.total, line.free) == (D("1400"), D("1360"))


async def test_the_same_total_again_leaves_what_is_held(portfolio: Portfolio, spot: Any) -> None:
    """A channel's first message repeats all totals and never says what is held."""
    async with aclosing(portfolio.updates(every=1000)) as views:
        await next_view(views)
        spot.reading.clear()
        repeated = tuple(Balance(asset=each.asset, total=each.total) for each in spot.owned)
        spot.news("balances").put(BalancesUpdate(balances=repeated, complete=True))
        view = await next_view(views)
        assert [(line.asset, line.held) for line in view.assets] == [("BTC", 0), ("USD", 0)]
        assert not spot.reading.is_set()


async def test_news_overtake_an_answer_that_was_on_its_way(portfolio: Portfolio, spot: Any) -> None:
    """The answer was made before the news: what the news say stays."""
    spot.gate.clear()
    async with aclosing(portfolio.updates()) as views:
        first = asyncio.create_task(next_view(views))
        async with asyncio.timeout(3):
            await spot.reading.wait()
        change = Balance(asset="USD", total=D("1"), held=D(0))
        spot.news("balances").put(BalancesUpdate(balances=(change,)))
        await asyncio.sleep(0)
        spot.gate.set()
        line = (await first).asset("USD")
        assert line is not None
        assert line.total == D("501")


async def test_a_stream_that_fails_is_said_and_opened_again(portfolio: Portfolio, spot: Any) -> None:
    async with aclosing(portfolio.updates(every=1000)) as views:
        await next_view(views)
        spot.news("balances").put(SlowConsumer("spot: balances were not read in time"))
        view = await view_where(views, lambda each: not each.venues[0].is_fresh)
        assert view.venues[0].reason == "balances are not followed live: spot: balances were not read in time"
        assert view.total == D("31550")
        async with asyncio.timeout(3):
            while len(spot.streams["balances"]) < 2:
                spot.opened.clear()
                await spot.opened.wait()
        change = Balance(asset="USD", total=D("1100"), held=D(0))
        spot.news("balances").put(BalancesUpdate(balances=(change,)))
        view = await view_where(views, lambda each: each.total == D("31650"))
        assert view.venues[0].is_fresh


async def test_a_venue_whose_account_connection_is_lost_is_not_fresh_until_it_was_read_again(
    portfolio: Portfolio, spot: Any
) -> None:
    """No news come and none fails: only the connection tells. Its return is not enough, as changes were missed."""
    async with aclosing(portfolio.updates(every=1000)) as views:
        assert (await next_view(views)).venues[0].is_fresh
        spot.connection = FeedHealth(state="waiting", reason="refused", is_account=True, since=NOW, losses=1)
        assert not portfolio.view().venues[0].is_fresh
        view = await view_where(views, lambda each: not each.venues[0].is_fresh)
        assert view.venues[0].reason == "its private connection is lost since 2026-10-09 00:00:00 UTC"
        assert view.venues[1].is_fresh
        assert not view.is_complete
        assert view.total == D("31550")
        spot.gate.clear()
        spot.reading.clear()
        spot.owns(("USD", "5"))
        spot.connection = FeedHealth(state="open", is_account=True, since=NOW, losses=1)
        async with asyncio.timeout(3):
            await spot.reading.wait()
        assert portfolio.view().venues[0].reason == "its connection was lost, and the account was not read since"
        spot.gate.set()
        view = await view_where(views, lambda each: each.venues[0].is_fresh)
        assert view.total == D("555")


async def test_what_is_read_while_the_connection_is_lost_does_not_make_it_fresh(
    portfolio: Portfolio, spot: Any
) -> None:
    spot.connection = FeedHealth(state="waiting", is_account=True, losses=1)
    assert (await portfolio.refresh()).venues[0].reason == "its private connection is lost"
    spot.connection = FeedHealth(state="open", is_account=True, losses=1)
    assert not portfolio.view().venues[0].is_fresh
    assert (await portfolio.refresh()).venues[0].is_fresh
    spot.connection = FeedHealth(state="open", is_account=True, losses=2)
    assert not portfolio.view().venues[0].is_fresh


@pytest.mark.parametrize(
    ("connection", "is_fresh"),
    [
        pytest.param(FeedHealth(state="connecting", is_account=True), True, id="not open for the first time yet"),
        pytest.param(FeedHealth(state="failed", is_account=True), False, id="given up"),
        pytest.param(FeedHealth(state="waiting", losses=1), True, id="a connection of markets"),
        pytest.param(FeedHealth(state="open", is_account=True, unanswered=1, losses=1), False, id="not answered again"),
        pytest.param(FeedHealth(state="open", is_account=True, unanswered=1), True, id="asked for the first time"),
    ],
)
async def test_which_connections_count(portfolio: Portfolio, spot: Any, connection: FeedHealth, is_fresh: bool) -> None:
    spot.connection = connection
    assert (await portfolio.refresh()).venues[0].is_fresh is is_fresh


async def test_everything_is_read_again_now_and_then(portfolio: Portfolio, spot: Any) -> None:
    """What no news told of, such as a deposit at a venue that has none for it."""
    async with aclosing(portfolio.updates(every=0.01)) as views:
        await next_view(views)
        spot.owns(("USD", "5"))
        assert (await view_where(views, lambda each: each.total == D("555"))).is_complete


async def test_a_bug_is_not_swallowed(portfolio: Portfolio, spot: Any) -> None:
    async with aclosing(portfolio.updates()) as views:
        await next_view(views)
        spot.news("balances").put("no update at all")
        with pytest.raises(AttributeError):
            await view_where(views, lambda each: False)


async def test_nothing_is_left_when_the_views_are_closed(portfolio: Portfolio, spot: Any, futures: Any) -> None:
    async with aclosing(portfolio.updates()) as views:
        await next_view(views)
        await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task.get_name() == "portfolio"] == []
    opened = [news for each in (spot, futures) for streams in each.streams.values() for news in streams]
    assert opened
    assert all(news.closed for news in opened)
    # What was live is asked for again.
    spot.asked.clear()
    assert (await portfolio.refresh()).is_complete
    assert [str(symbol) for symbol in spot.asked] == ["BTC/USD"]
