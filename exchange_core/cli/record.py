"""``exchange record``: real traffic of a venue as cassettes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exchange_core.cli.opening import find_entry
from exchange_core.cli.options import ConfigOption, JsonOption, SymbolArgument, VenueArgument, output, run
from exchange_core.clock import SystemClock
from exchange_core.config import Config
from exchange_core.hub import Hub
from exchange_core.storage.cassette import Recorder
from exchange_core.venue.protocol import Venue
from exchange_core.venue.venue import Surroundings


def register(app: typer.Typer) -> None:
    app.command()(record)


def record(
    venue: VenueArgument,
    symbol: SymbolArgument,
    folder: Annotated[Path, typer.Option("--to", help="Where the cassettes go.")] = Path("recording"),
    seconds: Annotated[float, typer.Option(min=1.0, help="How long to listen.")] = 10.0,
    depth: Annotated[int, typer.Option(min=1, help="Levels of the book.")] = 10,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record the market data of one symbol, and the account's reads if there are keys. Places no order.

    REST goes to rest.yaml, each WebSocket connection to a *.stream.jsonl. Keys, signatures, tokens and cookies are
    taken out before anything is written.
    """
    out = output(as_json)

    async def job() -> None:
        entry = find_entry(venue, config)
        recorder = Recorder(folder, source=f"recorded from {entry.config.rest_url}")
        around = Surroundings(rest_tap=recorder.rest, frame_tap=recorder.feed)
        try:
            async with Hub.open(Config(venues={entry.name: entry}), surroundings={entry.name: around}) as hub:
                await _use(hub[entry.name], symbol, depth, seconds)
        finally:
            written = recorder.close()
        out.rows(written, ("file", "entries"), empty="nothing was recorded")

    run(job())


async def _use(venue: Venue, symbol: str, depth: int, seconds: float) -> None:
    """Read everything there is to read of *symbol* once, and listen."""
    await venue.ticker(symbol)
    await venue.book(symbol, depth)
    await venue.recent_trades(symbol, 20)
    await venue.candles(symbol, 1)
    if venue.has_credentials:
        await venue.balances()
        await venue.open_orders()
        await venue.fills()
    async with venue.books(symbol, depth), venue.trades(symbol), venue.tickers(symbol):
        await SystemClock().sleep(seconds)
