"""Books side by side: one that fails is shown as such, without prices, and is waited for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.cli.book_views import show_once
from exchange_core.cli.books import BookBoard
from exchange_core.cli.output import Output
from exchange_core.errors import NotSupported
from exchange_core.model.book import BookHealth, BookSnapshot, OrderBook
from exchange_core.model.market import Level
from exchange_core.model.symbol import Symbol

BTC = Symbol.parse("BTC/USD")


class Source:
    """One level a side, while it is live."""

    symbol = BTC
    time = None

    def __init__(self) -> None:
        self.health = BookHealth.LIVE
        self.checked = 0

    def bids(self, depth: int | None) -> list[Level]:
        return [Level(Decimal(99), Decimal(1))] if self.health is BookHealth.LIVE else []

    def asks(self, depth: int | None) -> list[Level]:
        return [Level(Decimal(101), Decimal(1))] if self.health is BookHealth.LIVE else []


class Venue:
    """Its book is published once for each of *states*."""

    def __init__(self, *states: tuple[BookHealth, int]) -> None:
        self._states = states

    @asynccontextmanager
    async def books(self, symbol: Symbol, depth: int) -> AsyncIterator[AsyncIterator[OrderBook]]:
        yield self._views()

    async def _views(self) -> AsyncIterator[OrderBook]:
        source = Source()
        for source.health, source.checked in self._states:
            yield OrderBook(source)


async def test_a_book_that_failed_is_a_line_without_prices_and_ends_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    venue: Any = Venue((BookHealth.LIVE, 1), (BookHealth.LIVE, 2), (BookHealth.DESYNCED, 2), (BookHealth.LIVE, 3))
    await BookBoard(Output(), {"a": BTC}).follow({"a": venue}, messages=3)
    first, failed = (line.split() for line in capsys.readouterr().out.splitlines())
    assert first == ["a", "BTC/USD", "1", "99", "101", "1", "live", "1"]
    assert failed == ["a", "BTC/USD", "–", "–", "–", "–", "desynced", "2"]


async def test_a_book_that_is_not_live_is_not_checked_enough() -> None:
    board = BookBoard(Output(as_json=True), {"a": BTC})
    venue: Any = Venue((BookHealth.LIVE, 1), (BookHealth.STALE, 3), (BookHealth.LIVE, 4))
    await board.follow({"a": venue}, messages=3)
    assert board._row("a")["health"] is BookHealth.LIVE


class Shop(Venue):
    """A venue that answers one question about its book too."""

    name = "shop"

    def __init__(self, *states: tuple[BookHealth, int], deepest: int = 10) -> None:
        super().__init__(*states)
        self._deepest = deepest

    def books(self, symbol: Symbol, depth: int) -> Any:
        if depth > self._deepest:
            raise NotSupported(f"no book of depth {depth}")
        return super().books(symbol, depth)

    async def book(self, symbol: Symbol, depth: int) -> BookSnapshot:
        return BookSnapshot(symbol=BTC, bids=(), asks=(), health=BookHealth.UNCHECKED)


async def once(venue: Any, depth: int, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    await show_once(Output(as_json=True), venue, "BTC/USD", depth)
    [line] = capsys.readouterr().out.splitlines()
    shown = json.loads(line)
    return shown["health"], shown["checked"]


async def test_a_book_shown_once_is_the_first_that_was_checked(capsys: pytest.CaptureFixture[str]) -> None:
    venue = Shop((BookHealth.SYNCING, 0), (BookHealth.LIVE, 1), (BookHealth.LIVE, 2))
    assert await once(venue, 10, capsys) == ("live", 1)


async def test_a_book_deeper_than_any_live_one_says_that_it_is_unchecked(capsys: pytest.CaptureFixture[str]) -> None:
    assert await once(Shop((BookHealth.LIVE, 1)), 500, capsys) == ("unchecked", 0)
