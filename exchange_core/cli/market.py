"""``exchange instruments``, ``ticker``, ``book``, ``trades``, ``candles``: market data, once or as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import typer

from exchange_core.cli.book_views import show_first, show_once, watch_book
from exchange_core.cli.opening import open_venue
from exchange_core.cli.options import (
    ConfigOption,
    JsonOption,
    SinceOption,
    SymbolArgument,
    VenueArgument,
    WatchOption,
    moment,
    output,
    run,
)
from exchange_core.cli.output import Output
from exchange_core.cli.rows import CANDLE, TRADE, row_of

_INSTRUMENT = ("symbol", "venue_id", "status", "tick_size", "lot_size", "min_quantity", "min_cost", "contract_size")
_TICKER = ("symbol", "bid", "bid_quantity", "ask", "ask_quantity", "last", "volume", "mark_price", "time")


def register(app: typer.Typer) -> None:
    for command in (instruments, ticker, book, trades, candles):
        app.command()(command)


def instruments(
    venue: VenueArgument,
    base: Annotated[str | None, typer.Option(help="Only those with this base asset.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what can be traded, with its steps and minimums."""
    out = output(as_json)

    async def job() -> None:
        async with open_venue(venue, config) as opened:
            found = [i for i in await opened.instruments() if base in (None, i.symbol.base)]
            found.sort(key=lambda i: str(i.symbol))
            out.rows([row_of(i) for i in found], _INSTRUMENT, title=f"{opened.name}: {len(found)} instruments")

    run(job())


def ticker(
    venue: VenueArgument,
    symbol: SymbolArgument,
    watch: WatchOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show best prices and the last 24 hours."""
    out = output(as_json)

    async def job() -> None:
        async with open_venue(venue, config) as opened:
            if watch:
                await _follow(out, opened.tickers(symbol), _TICKER)
            else:
                out.rows([row_of(await opened.ticker(symbol))], _TICKER)

    run(job())


def book(
    venue: VenueArgument,
    symbol: SymbolArgument,
    depth: Annotated[int, typer.Option(min=1, help="Levels on each side.")] = 10,
    by_order: Annotated[
        bool, typer.Option("--by-order", help="Each order in its queue (level 3), from the live book; needs keys.")
    ] = False,
    watch: WatchOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an order book, once or live.

    Both are the live book, checked message by message; with --watch it is said instead of prices where it fails or is
    not heard. Shown once, it is the first that was checked. Where the venue has no live book so deep, or none comes
    within 10 seconds, it is one answer of the venue, whose health is "unchecked".
    """
    out = output(as_json)

    async def job() -> None:
        async with open_venue(venue, config) as opened:
            if not watch and not by_order:
                await show_once(out, opened, symbol, depth)
                return
            async with opened.books_by_order(symbol, depth) if by_order else opened.books(symbol, depth) as stream:
                await (watch_book if watch else show_first)(out, stream, depth)

    run(job())


def trades(
    venue: VenueArgument,
    symbol: SymbolArgument,
    limit: Annotated[int, typer.Option(min=1, help="How many of the latest.")] = 20,
    watch: WatchOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show public trades."""
    out = output(as_json)

    async def job() -> None:
        async with open_venue(venue, config) as opened:
            if watch:
                await _follow(out, opened.trades(symbol), TRADE)
            else:
                out.rows([row_of(t) for t in await opened.recent_trades(symbol, limit)], TRADE)

    run(job())


def candles(
    venue: VenueArgument,
    symbol: SymbolArgument,
    interval: Annotated[int, typer.Option(min=1, help="Minutes a bar.")] = 1,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the latest.")] = 20,
    watch: WatchOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show bars; the last one may still be open."""
    out = output(as_json)
    start = moment(since, "--since")

    async def job() -> None:
        async with open_venue(venue, config) as opened:
            if watch:
                await _follow(out, opened.candle_updates(symbol, interval), CANDLE)
            else:
                found = await opened.candles(symbol, interval, start)
                out.rows([row_of(c) for c in found[-limit:]], CANDLE)

    run(job())


async def _follow(out: Output, stream: AsyncIterator[Any], columns: Sequence[str]) -> None:
    async for item in stream:
        out.news(row_of(item), columns)
