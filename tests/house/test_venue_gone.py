"""A venue stops and starts again: books, callbacks, the portfolio and the command line say so, and then go on."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from exchange_core import connect
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.portfolio import Portfolio, PortfolioView
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.venue import Surroundings
from tests.house.chaos import CALM, FUTURES, SPOT, WITHIN, Eager, FastClock, Kind, installed


class Site:
    """A simulated venue that can be stopped and started again at its address, with the same keys."""

    def __init__(self, kind: Kind) -> None:
        assert kind.spec.simulator is not None
        self._spec = kind.spec.simulator
        self._stack = AsyncExitStack()
        self._port = 0

    async def start(self) -> RunningSimulator:
        wanted = SimulatorLaunch(spec=self._spec, port=self._port, seed=3, makers=CALM)
        running = (await self._stack.enter_async_context(launch({"venue": wanted})))["venue"]
        self._port = int(running.urls["rest_url"].rpartition(":")[2].partition("/")[0])
        return running

    async def stop(self) -> None:
        await self._stack.aclose()


@pytest.fixture(params=[SPOT, FUTURES], ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


@pytest.fixture
async def site(kind: Kind) -> AsyncIterator[Site]:
    made = Site(kind)
    yield made
    await made.stop()


@pytest.fixture
async def venue(kind: Kind, site: Site) -> AsyncIterator[ConnectedVenue]:
    running = await site.start()
    around = Surroundings(clock=FastClock(20), random=Eager())
    given = {**kind.options, **running.settings()}
    async with connect(kind.plugin, name="venue", surroundings=around, plugins=installed(), **given) as opened:
        yield opened


async def book_where(books: AsyncIterator[OrderBook], holds: Callable[[OrderBook], bool]) -> OrderBook:
    async with asyncio.timeout(WITHIN):
        async for book in books:
            if holds(book):
                return book
    raise AssertionError("the books ended")


async def view_where(views: AsyncIterator[PortfolioView], holds: Callable[[PortfolioView], bool]) -> PortfolioView:
    async with asyncio.timeout(WITHIN):
        async for view in views:
            if holds(view):
                return view
    raise AssertionError("the views ended")


async def test_a_book_is_empty_and_stale_while_its_venue_is_gone_and_live_again_after(
    kind: Kind, site: Site, venue: ConnectedVenue
) -> None:
    seen: list[BookHealth] = []
    await venue.on_book(kind.symbol, None, lambda book: seen.append(book.health))
    async with venue.books(kind.symbol) as books:
        await book_where(books, lambda book: book.health is BookHealth.LIVE)
        await site.stop()
        book = await book_where(books, lambda book: book.health is not BookHealth.LIVE)
        assert (book.health, book.bids(), book.asks()) == (BookHealth.STALE, [], [])
        await site.start()
        again = await book_where(books, lambda book: book.health is BookHealth.LIVE)
        assert again is book
        assert again.best_bid
    assert seen.count(BookHealth.STALE) == 1
    assert set(seen) == {BookHealth.LIVE, BookHealth.STALE}


async def test_a_portfolio_says_which_connection_is_lost_and_is_fresh_after_the_next_reading(
    site: Site, venue: ConnectedVenue
) -> None:
    portfolio = Portfolio({"venue": venue}, within=2.0, clock=FastClock(20))
    async with aclosing(portfolio.updates(every=1000)) as views:
        first = await view_where(views, lambda view: view.venues[0].is_fresh)
        await site.stop()
        lost = (await view_where(views, lambda view: not view.venues[0].is_fresh)).venues[0]
        assert lost.reason is not None
        assert lost.reason.startswith("its private connection is lost since 20")
        assert lost.read == first.venues[0].read
        await site.start()
        again = (await view_where(views, lambda view: view.venues[0].is_fresh)).venues[0]
        assert again.read is not None
        assert lost.read is not None
        assert again.read > lost.read


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line as a process of its own; it is gone when the test ends, or takes too long."""
    with ExitStack() as stack:

        def start(*arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "exchange_core.cli", *arguments]
            started = subprocess.Popen(
                command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            stack.enter_context(started)
            stack.callback(started.kill)
            limit = Timer(6 * WITHIN, started.kill)
            limit.start()
            stack.callback(limit.cancel)
            return started

        yield start


def row_where(process: subprocess.Popen[str], holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return the next line of which that is true; a command that goes silent is ended by its time limit."""
    assert process.stdout is not None
    for line in process.stdout:
        row: dict[str, Any] = json.loads(line)
        if holds(row):
            return row
    raise AssertionError("the command ended")


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line.strip()
    raise AssertionError("the command ended")


def test_the_commands_that_watch_say_so(begin: Callable[..., subprocess.Popen[str]]) -> None:
    simulator = begin("simulate", "--json", "--write", "play")
    assert simulator.stdout is not None
    assert simulator.stdout.readline()
    config = ("--config", "play/exchange.toml")
    as_rows = begin("book", "spot", "BTC/USD", "--watch", "--json", *config)
    as_lines = begin("book", "spot", "BTC/USD", "--watch", *config)
    portfolio = begin("portfolio", "--watch", "--json", *config)
    row_where(as_rows, lambda row: row["health"] == "live" and row["bids"])
    line_with(as_lines, "live")
    row_where(portfolio, lambda row: row.get("venue") == "spot" and row["fresh"])
    simulator.send_signal(signal.SIGTERM)
    simulator.wait(timeout=WITHIN)
    row = row_where(as_rows, lambda row: row["health"] != "live")
    assert (row["health"], row["bids"], row["asks"]) == ("stale", [], [])
    assert line_with(as_lines, "stale") == "BTC/USD stale"
    row = row_where(portfolio, lambda row: row.get("venue") == "spot" and not row["fresh"])
    assert "its private connection is lost since" in row["reason"]
