"""Several live books side by side: redrawn in place on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from rich.live import Live
from rich.table import Table

from exchange_core.cli.output import Output, Row, table
from exchange_core.model.book import BookHealth, BookSnapshot
from exchange_core.model.symbol import Symbol
from exchange_core.venue.protocol import Venue

_COLUMNS = ("venue", "symbol", "bid_quantity", "bid", "ask", "ask_quantity", "health", "checked")
_DEPTH = 10
_LINE_EVERY = 5


class BookBoard:
    """The best prices, health and checked count of some books, by venue."""

    def __init__(self, out: Output, books: Mapping[str, Symbol]) -> None:
        self._out = out
        self._books = books
        self._latest: dict[str, BookSnapshot] = {}

    async def follow(self, venues: Mapping[str, Venue], messages: int) -> None:
        """Follow all books until *messages* of each were checked."""
        if not self._out.is_live:
            await self._follow_all(venues, messages, None)
            return
        with Live(self._table(), console=self._out.console, auto_refresh=False, transient=True) as live:
            await self._follow_all(venues, messages, live)

    def show(self) -> None:
        """Write how the books stand."""
        self._out.rows([self._row(name) for name in self._books], _COLUMNS, title="Books")

    async def _follow_all(self, venues: Mapping[str, Venue], messages: int, live: Live | None) -> None:
        async with asyncio.TaskGroup() as group:
            for name in self._books:
                group.create_task(self._follow(name, venues[name], messages, live))

    async def _follow(self, name: str, venue: Venue, messages: int, live: Live | None) -> None:
        seen = 0
        async with venue.books(self._books[name], _DEPTH) as stream:
            async for book in stream:
                self._latest[name] = book.snapshot(_DEPTH)
                seen += 1
                if live is not None:
                    live.update(self._table(), refresh=True)
                elif not self._out.as_json and (seen % _LINE_EVERY == 1 or book.health is not BookHealth.LIVE):
                    row = self._row(name)
                    self._out.say("  ".join(self._out.text(row[column]) for column in _COLUMNS))
                if book.checked >= messages and book.health is BookHealth.LIVE:
                    return

    def _table(self) -> Table:
        return table([self._row(name) for name in self._books], _COLUMNS, title="Books")

    def _row(self, name: str) -> Row:
        book = self._latest.get(name)
        bid, ask = (book.best_bid, book.best_ask) if book else (None, None)
        return {
            "kind": "book",
            "venue": name,
            "symbol": self._books[name],
            "bid_quantity": bid and bid.quantity,
            "bid": bid and bid.price,
            "ask": ask and ask.price,
            "ask_quantity": ask and ask.quantity,
            "health": book.health if book else "waiting",
            "checked": book.checked if book else 0,
        }
