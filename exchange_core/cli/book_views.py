"""One order book on the screen: its levels, or each order in its queue; once, or redrawn as it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress

from rich.live import Live
from rich.table import Table

from exchange_core.cli.output import Output, Row, table, warn
from exchange_core.cli.rows import row_of
from exchange_core.errors import NotSupported
from exchange_core.model.book import BookByOrderSnapshot, BookHealth, BookSnapshot, OrderBook, OrderLevel
from exchange_core.venue.protocol import Venue

PATIENCE = 10.0
"""Seconds that a live book may take to come."""

_LEVELS = ("bid_quantity", "bid", "ask", "ask_quantity")
_QUEUES = ("side", "price", "place", "quantity", "time", "order_id")


def show_book(out: Output, shown: BookSnapshot) -> None:
    """Write one state of a book."""
    if out.as_json:
        out.line(row_of(shown))
    else:
        out.show(_table(shown))


async def show_first(out: Output, views: AsyncIterator[OrderBook], depth: int) -> None:
    """Write a live book once, as soon as it is whole."""
    async for view in views:
        if view.health is BookHealth.LIVE:
            show_book(out, view.snapshot(depth))
            return


async def show_once(out: Output, venue: Venue, symbol: str, depth: int) -> None:
    """Write the first checked state of the live book; where there is none to be had, what the venue answers.

    That is at once where the venue has no live book of such a depth, and else after PATIENCE seconds, with a warning.
    """
    with suppress(NotSupported):
        try:
            async with asyncio.timeout(PATIENCE), venue.books(symbol, depth) as stream:
                return await show_first(out, stream, depth)
        except TimeoutError:
            warn(f"{venue.name}: no live book of {symbol} within {PATIENCE:g} s; this is one answer to one question")
    show_book(out, await venue.book(symbol, depth))


async def watch_book(out: Output, views: AsyncIterator[OrderBook], depth: int) -> None:
    """Redraw a live book on a terminal; elsewhere write a line for each state."""
    with Live(console=out.console, auto_refresh=False, screen=False) as live:
        async for view in views:
            if out.is_live:
                live.update(_table(view.snapshot(depth)), refresh=True)
            else:
                _line(out, view)


def _line(out: Output, view: OrderBook) -> None:
    if out.as_json:
        out.line(row_of(view.snapshot()))
        return
    if view.health is not BookHealth.LIVE:
        out.say(f"{view.symbol} {view.health}")
        return
    bid, ask = view.best_bid, view.best_ask
    out.say(f"{view.symbol}  bid {out.text(bid)}  ask {out.text(ask)}  {view.health}  checked {view.checked}")


def _table(shown: BookSnapshot) -> Table:
    title = f"{shown.symbol}  {shown.health}  checked {shown.checked}"
    if isinstance(shown, BookByOrderSnapshot):
        # The best prices meet in the middle.
        rows = [*_queued("sell", shown.ask_queues[::-1]), *_queued("buy", shown.bid_queues)]
        return table(rows, _QUEUES, title=title)
    return table(_levels(shown), _LEVELS, title=title)


def _levels(shown: BookSnapshot) -> Iterator[Row]:
    bids, asks = shown.bids, shown.asks
    for index in range(max(len(bids), len(asks))):
        bid = bids[index] if index < len(bids) else None
        ask = asks[index] if index < len(asks) else None
        yield {
            "bid_quantity": bid and bid.quantity,
            "bid": bid and bid.price,
            "ask": ask and ask.price,
            "ask_quantity": ask and ask.quantity,
        }


def _queued(side: str, levels: Sequence[OrderLevel]) -> Iterator[Row]:
    for level in levels:
        for place, order in enumerate(level.orders, 1):
            yield {"side": side, "price": level.price, "place": place, **row_of(order)}
