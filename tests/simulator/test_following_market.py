"""What a followed market makes of the news of a real one, and what becomes of it when their streams end."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self, cast

import attrs
import pytest

from exchange_core.connector.simulation import SimRefused
from exchange_core.errors import BadRequest, ExchangeError, SlowConsumer
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.market import Level, Ticker, Trade
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.outside.following import Following, RealVenue
from exchange_core.simulator.outside.market import FollowedMarket
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.health import VenueHealth
from exchange_core.venue.protocol import Venue
from tests.simulator.conftest import DATED, LINEAR, RICH_MARKETS, SPEC, SPOT, Desk

# The real venue's time is not ours.
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Shown:
    """A real book, as far as a view asks for it."""

    def __init__(self, symbol: Symbol, bids: str, asks: str, health: BookHealth, time: datetime | None) -> None:
        self.symbol = symbol
        self.health = health
        self.checked = 1
        self.time: str | int | None = None if time is None else round(time.timestamp() * 1000)
        self._sides = [[Level(*map(Decimal, each.split("x"))) for each in side.split()] for side in (bids, asks)]

    def bids(self, depth: int | None) -> list[Level]:
        return self._sides[0][:depth] if self.health is BookHealth.LIVE else []

    def asks(self, depth: int | None) -> list[Level]:
        return self._sides[1][:depth] if self.health is BookHealth.LIVE else []


def book(
    bids: str = "99x2 98x5",
    asks: str = "101x2 102x5",
    *,
    symbol: Symbol = SPOT,
    health: BookHealth = BookHealth.LIVE,
    time: datetime | None = NOON,
) -> OrderBook:
    return OrderBook(Shown(symbol, bids, asks, health, time))


def trade(side: Side, price: str, quantity: str, seconds: float = 1, kind: str = "") -> Trade:
    return Trade(
        symbol=SPOT,
        id=f"{seconds}",
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        time=NOON + timedelta(seconds=seconds),
        kind=kind,
    )


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def market(desk: Desk, said: list[str]) -> FollowedMarket:
    return FollowedMarket(desk.exchange, SPOT, 2, say=said.append)


def test_it_takes_no_orders_until_it_is_known(desk: Desk, market: FollowedMarket) -> None:
    with pytest.raises(SimRefused):
        desk.place("alice", "buy", "1", "99")
    market.book(book())
    assert desk.book() == ([("99.0", "2.000"), ("98.0", "5.000")], [("101.0", "2.000"), ("102.0", "5.000")])
    assert desk.place("alice", "buy", "1", "101").filled == 1


def test_only_so_many_levels_are_shown_as_are_followed(desk: Desk, market: FollowedMarket) -> None:
    market.book(book("99x2 98x5 97x1", "101x2"))
    assert len(desk.book()[0]) == 2


def test_trades_from_before_the_book_are_in_it_already(desk: Desk, market: FollowedMarket) -> None:
    market.trade(trade(Side.SELL, "90", "50", -2))
    market.book(book())
    order = desk.place("alice", "buy", "1", "99.5")
    market.trade(trade(Side.SELL, "99", "50", -1))
    market.trade(trade(Side.SELL, "99", "50", 0))
    assert order.filled == 0
    market.trade(trade(Side.SELL, "99", "50", 1))
    assert order.filled == 1


def test_a_trade_that_may_have_been_made_beside_the_book_fills_nothing(desk: Desk, market: FollowedMarket) -> None:
    market.book(book())
    order = desk.place("alice", "buy", "1", "99.5")
    market.trade(trade(Side.SELL, "99", "50", kind="block"))
    assert order.filled == 0
    market.trade(trade(Side.SELL, "99", "50"))
    assert order.filled == 1


def test_a_book_that_tells_no_time_is_of_the_moment_when_it_came(desk: Desk, market: FollowedMarket) -> None:
    market.book(book(time=None))
    order = desk.place("alice", "buy", "1", "99.5")
    before = (desk.clock.now() - NOON).total_seconds()
    market.trade(trade(Side.SELL, "99", "50", before))
    assert order.filled == 0
    market.trade(trade(Side.SELL, "99", "50", before + 1))
    assert order.filled == 1


@pytest.mark.parametrize("health", [BookHealth.DESYNCED, BookHealth.STALE, BookHealth.SYNCING])
def test_nothing_fills_while_the_book_is_not_live(
    desk: Desk, market: FollowedMarket, said: list[str], health: BookHealth
) -> None:
    market.book(book())
    order = desk.place("alice", "buy", "1", "99.5")
    market.book(book(health=health))
    assert desk.book() == ([("99.5", "1.000")], [])
    assert not market.known.is_set()
    assert desk.exchange.market(SPOT).instrument.status is InstrumentStatus.CANCEL_ONLY
    market.trade(trade(Side.SELL, "90", "50", 1))
    assert order.filled == 0
    market.book(book(health=health))
    assert len(said) == 1
    assert f"BTC/USD is not known just now: its book is {health}" in said[0]
    desk.exchange.cancel("alice", order.id)


def test_what_was_traded_while_it_was_not_known_fills_nothing_afterwards(
    desk: Desk, market: FollowedMarket, said: list[str]
) -> None:
    market.book(book())
    order = desk.place("alice", "buy", "1", "99.5")
    market.book(book(health=BookHealth.STALE))
    market.book(book(time=NOON + timedelta(seconds=10)))
    market.trade(trade(Side.SELL, "90", "50", 9))
    assert order.filled == 0
    assert desk.exchange.market(SPOT).instrument.status is InstrumentStatus.ONLINE
    assert "followed again" in said[1]
    market.trade(trade(Side.SELL, "90", "50", 11))
    assert order.filled == 1


def test_positions_keep_their_price_while_it_is_not_known(desk: Desk, market: FollowedMarket) -> None:
    market.book(book())
    desk.place("alice", "buy", "1", "50")
    desk.place("bob", "sell", "1", "100.5")
    assert desk.exchange.mark_price(SPOT) == Decimal("99.75")
    market.book(book(health=BookHealth.STALE))
    assert desk.exchange.mark_price(SPOT) == Decimal("99.75")  # and not the middle of what is left
    market.book(book("89x1", "91x1"))
    assert desk.exchange.mark_price(SPOT) == 90


def test_what_the_real_market_takes_is_taken_here_and_nothing_while_it_is_not_known(
    desk: Desk, market: FollowedMarket, said: list[str]
) -> None:
    def status() -> InstrumentStatus:
        return desk.exchange.market(SPOT).instrument.status

    market.accept(InstrumentStatus.POST_ONLY)
    assert status() is InstrumentStatus.CANCEL_ONLY
    market.book(book())
    assert status() is InstrumentStatus.POST_ONLY
    assert len(desk.book()[0]) == 2
    market.accept(InstrumentStatus.POST_ONLY)
    assert said == ["BTC/USD is post_only"]
    market.accept(InstrumentStatus.OFFLINE)
    market.book(book(health=BookHealth.STALE))
    assert status() is InstrumentStatus.OFFLINE


def test_a_contract_has_the_prices_and_the_funding_that_are_told(desk: Desk, said: list[str]) -> None:
    market = FollowedMarket(desk.exchange, LINEAR, 10, say=said.append)
    market.book(book(symbol=LINEAR))
    rate = Decimal("0.0000123456789012345")
    market.ticker(Ticker(symbol=LINEAR, mark_price=Decimal("100.25"), index_price=Decimal("100.75"), funding_rate=rate))
    # What is not told stays, and nothing is worth nothing.
    market.ticker(Ticker(symbol=LINEAR, last=Decimal(70)))
    market.ticker(Ticker(symbol=LINEAR, mark_price=Decimal(0), index_price=Decimal(0)))
    for health in (BookHealth.LIVE, BookHealth.STALE, BookHealth.LIVE):
        market.book(book("89x1", "91x1", symbol=LINEAR, health=health))
        assert desk.exchange.mark_price(LINEAR) == Decimal("100.25")
        assert desk.exchange.index_price(LINEAR) == Decimal("100.75")
    assert desk.exchange.funding(LINEAR)[-2].rate == Decimal("0.000012345679")


def test_a_dated_contract_pays_no_funding_whatever_is_told(make_desk: Callable[..., Desk], said: list[str]) -> None:
    desk = make_desk(markets=RICH_MARKETS)
    market = FollowedMarket(desk.exchange, DATED, 10, say=said.append)
    market.ticker(Ticker(symbol=DATED, mark_price=Decimal("100.5"), funding_rate=Decimal(0)))
    assert desk.exchange.mark_price(DATED) == Decimal("100.5")
    assert not desk.exchange.funding(DATED)


class Script:
    """A stream that gives what it was given, and then waits, or fails."""

    def __init__(self, news: Sequence[Any] = ()) -> None:
        self.news: asyncio.Queue[Any] = asyncio.Queue()
        for each in news:
            self.news.put_nowait(each)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        found = await self.news.get()
        if isinstance(found, ExchangeError):
            raise found
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None


class ScriptedVenue:
    """A real venue whose streams a test writes."""

    name = "real"
    book_depths = (10, 25)

    def __init__(self, books: Sequence[Script], trades: Sequence[Script]) -> None:
        self.depths: list[int | None] = []
        self._books, self._trades = list(books), list(trades)

    def books(self, symbol: Symbol, depth: int | None) -> Script:
        self.depths.append(depth)
        return self._books.pop(0)

    def trades(self, symbol: Symbol) -> Script:
        return self._trades.pop(0)

    def health(self) -> VenueHealth:
        return VenueHealth(feeds={}, books={})

    def instrument(self, symbol: Symbol) -> Instrument:
        return SPEC.markets[0].instrument


def following(desk: Desk, venue: ScriptedVenue, clock: ManualClock, said: list[str]) -> Following:
    real = RealVenue(venue=cast(Venue, venue), spec=attrs.evolve(SPEC, markets=SPEC.markets[:1]))
    return Following(real, desk.exchange, say=said.append, clock=clock)


async def test_trades_that_came_too_fast_withdraw_the_market_which_is_then_followed_anew(
    desk: Desk, said: list[str]
) -> None:
    first, second = Script([book()]), Script([book(time=NOON + timedelta(seconds=5))])
    trades = Script()
    venue = ScriptedVenue([first, second], [trades, Script()])
    clock = ManualClock()
    async with following(desk, venue, clock, said):
        order = desk.place("alice", "buy", "1", "99.5")
        trades.news.put_nowait(SlowConsumer("real: trades: 10000 events were not read in time"))
        await clock.until_asleep(2)
        assert "not known just now: real: trades: 10000 events" in said[0]
        assert desk.book() == ([("99.5", "1.000")], [])
        await clock.advance(1)
        assert "followed again" in said[1]
        assert len(desk.book()[1]) == 2
        assert order.filled == 0
    assert desk.book() == ([("99.5", "1.000")], [])
    assert venue.depths == [25, 25]


async def test_of_a_trade_and_a_book_that_come_together_the_book_has_the_last_word(desk: Desk, said: list[str]) -> None:
    books, trades, clock = Script([book()]), Script(), ManualClock()
    async with following(desk, ScriptedVenue([books], [trades]), clock, said):
        books.news.put_nowait(book("99x2", "100x3 101x2", time=NOON + timedelta(seconds=5)))
        trades.news.put_nowait(trade(Side.BUY, "100", "1", 4))
        await clock.advance(0)
        assert len(desk.exchange.trades(SPOT)) == 1
        assert desk.book()[1] == [("100.0", "3.000"), ("101.0", "2.000")]


async def test_what_is_refused_at_the_start_ends_it(desk: Desk, said: list[str]) -> None:
    venue = ScriptedVenue([Script([BadRequest("real: book BTC/USD: not now")])], [Script()])
    with pytest.raises(BadRequest, match="not now"):
        async with following(desk, venue, ManualClock(), said):
            pass
    assert desk.book() == ([], [])
