"""``exchange instruments``, ``ticker``, ``book``, ``trades``, ``candles``: market data, once or as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import typer
from rich.live import Live

from exchange_core.cli.opening import open_venue
from exchange_core.cli.options import (
    ConfigOption,
    JsonOption,
    SymbolArgument,
    VenueArgument,
    WatchOption,
    moment,
    output,
    run,
)
from exchange_core.cli.output import Output, Row, table
from exchange_core.cli.rows import row_of
from exchange_core.model.book import BookHealth, BookSnapshot, OrderBook

_INSTRUMENT = ("symbol", "venue_id", "status", "tick_size", "lot_size", "min_quantity", "min_cost", "contract_size")
_TICKER = ("symbol", "bid", "bid_quantity", "ask", "ask_quantity", "last", "volume", "mark_price", "time")
_TRADE = ("time", "side", "price", "quantity", "id")
_CANDLE = ("start", "open", "high", "low", "close", "volume", "closed")


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
    watch: WatchOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an order book; with --watch the live one, checked message by message, or that it is not live."""
    out = output(as_json)

    async def job() -> None:
        async with open_venue(venue, config) as opened:
            if not watch:
                _show_book(out, await opened.book(symbol, depth), depth)
                return
            with Live(console=out.console, auto_refresh=False, screen=False) as live:
                async for view in opened.books(symbol, depth):
                    if out.is_live:
                        live.update(_book_table(view.snapshot(depth)), refresh=True)
                    else:
                        _show_line(out, view)

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
                await _follow(out, opened.trades(symbol), _TRADE)
            else:
                out.rows([row_of(t) for t in await opened.recent_trades(symbol, limit)], _TRADE)

    run(job())


def candles(
    venue: VenueArgument,
    symbol: SymbolArgument,
    interval: Annotated[int, typer.Option(min=1, help="Minutes a bar.")] = 1,
    since: Annotated[str | None, typer.Option(help="Start, as in 2026-11-24T08:00:00Z.")] = None,
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
                await _follow(out, opened.candle_updates(symbol, interval), _CANDLE)
            else:
                found = await opened.candles(symbol, interval, start)
                out.rows([row_of(c) for c in found[-limit:]], _CANDLE)

    run(job())


async def _follow(out: Output, stream: AsyncIterator[Any], columns: Sequence[str]) -> None:
    async for item in stream:
        row = row_of(item)
        if out.as_json:
            out.line(row)
        else:
            out.say("  ".join(str(out.text(row.get(column))) for column in columns))


def _show_book(out: Output, shown: BookSnapshot, depth: int) -> None:
    if out.as_json:
        out.line(row_of(shown))
    else:
        out.show(_book_table(shown))


def _show_line(out: Output, view: OrderBook) -> None:
    if out.as_json:
        out.line(row_of(view.snapshot()))
        return
    if view.health is not BookHealth.LIVE:
        out.say(f"{view.symbol} {view.health}")
        return
    bid, ask = view.best_bid, view.best_ask
    out.say(f"{view.symbol}  bid {out.text(bid)}  ask {out.text(ask)}  {view.health}  checked {view.checked}")


def _book_table(shown: BookSnapshot) -> Any:
    bids, asks = list(shown.bids), list(shown.asks)
    rows: list[Row] = []
    for index in range(max(len(bids), len(asks))):
        bid = bids[index] if index < len(bids) else None
        ask = asks[index] if index < len(asks) else None
        rows.append(
            {
                "bid_quantity": bid and bid.quantity,
                "bid": bid and bid.price,
                "ask": ask and ask.price,
                "ask_quantity": ask and ask.quantity,
            }
        )
    title = f"{shown.symbol}  {shown.health}  checked {shown.checked}"
    return table(rows, ("bid_quantity", "bid", "ask", "ask_quantity"), title=title)
