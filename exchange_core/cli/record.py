"""``exchange record``: real traffic of a venue as cassettes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from exchange_core.cli.opening import find_entry
from exchange_core.cli.options import ConfigOption, JsonOption, SymbolArgument, VenueArgument, output, run
from exchange_core.cli.output import Output
from exchange_core.config import Config, VenueEntry
from exchange_core.errors import AuthenticationError, NotSupported, OrderRefused, ProtocolError, VenueError
from exchange_core.hub import Hub
from exchange_core.model.symbol import Symbol
from exchange_core.storage.cassette import Recorder
from exchange_core.venue.protocol import Venue
from exchange_core.venue.venue import Surroundings

# What one part of a venue may answer without any harm to the others.
_LACKING = (NotSupported, OrderRefused, ProtocolError, VenueError)


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
    """Record the market data of one symbol.

    The account too if there are keys. Places no order.

    REST goes to rest.yaml, each WebSocket feed to a NAME.stream.jsonl. Keys, signatures, nonces, tokens, challenges
    and cookies are taken out before anything is written; amounts and ids of the account stay. Ctrl-C ends it early.
    """
    out = output(as_json)
    wanted = Symbol.of(symbol)

    async def job() -> None:
        entry = find_entry(venue, config)
        recorder = Recorder(folder, source=_source(entry), secrets=_secrets(entry))
        around = Surroundings(rest_tap=recorder.rest, frame_tap=recorder.feed)
        try:
            async with Hub.open(Config(venues={entry.name: entry}), surroundings={entry.name: around}) as hub:
                await _Session(hub[entry.name], wanted, depth, out).use(seconds)
        finally:
            # Also when it was stopped, or failed on the way: what came by then is worth keeping.
            written = recorder.close()
            if written:
                out.rows(written, ("file", "entries"))

    run(job())


def _source(entry: VenueEntry) -> str:
    return f"{entry.spec.title}, recorded from {urlsplit(entry.config.rest_url).netloc} by exchange record"


def _secrets(entry: VenueEntry) -> tuple[str, ...]:
    credentials = entry.credentials()
    return () if credentials is None else (credentials.api_key, credentials.api_secret)


class _Session:
    """Uses everything of a venue that can be read. What it lacks, or says no to, is told and left out."""

    def __init__(self, venue: Venue, symbol: Symbol, depth: int, out: Output) -> None:
        self._venue = venue
        self._symbol = symbol
        self._depth = depth
        self._out = out

    async def use(self, seconds: float) -> None:
        """Ask for everything once, and listen."""
        self._venue.instrument(self._symbol)
        for what, ask in self._questions().items():
            await self._try(what, ask)
        async with asyncio.TaskGroup() as listeners:
            tasks = [listeners.create_task(self._read(*stream)) for stream in self._streams().items()]
            await asyncio.sleep(seconds)
            for name, feed in self._venue.health().feeds.items():
                if feed.state != "open":
                    self._leave_out(f"{name} feed", f"{feed.state}: {feed.reason}" if feed.reason else feed.state)
            for task in tasks:
                task.cancel()

    def _questions(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        venue, symbol = self._venue, self._symbol
        questions: dict[str, Callable[[], Awaitable[Any]]] = {
            "ticker": lambda: venue.ticker(symbol),
            "book": lambda: venue.book(symbol, self._depth),
            "trades": lambda: venue.recent_trades(symbol, 20),
            "candles": lambda: venue.candles(symbol, 1),
        }
        if venue.has_credentials:
            questions |= {
                "balances": venue.balances,
                "positions": venue.positions,
                "open orders": venue.open_orders,
                "fills": venue.fills,
                "fees": lambda: venue.fees(symbol),
            }
        return questions

    def _streams(self) -> dict[str, Callable[[], AsyncIterator[Any]]]:
        venue, symbol = self._venue, self._symbol
        streams: dict[str, Callable[[], AsyncIterator[Any]]] = {
            "live book": lambda: venue.books(symbol, self._depth),
            "live ticker": lambda: venue.tickers(symbol),
            "live trades": lambda: venue.trades(symbol),
            "live candles": lambda: venue.candle_updates(symbol, 1),
        }
        if venue.has_credentials:
            streams |= {
                "live orders": venue.order_updates,
                "live fills": venue.fill_updates,
                "live balances": venue.balance_updates,
                "live positions": venue.position_updates,
            }
        return streams

    async def _try(self, what: str, ask: Callable[[], Awaitable[Any]]) -> None:
        try:
            await ask()
        except AuthenticationError:
            raise  # the next one would be refused too, and too many lock the account out
        except _LACKING as error:
            self._leave_out(what, str(error))

    async def _read(self, what: str, listen: Callable[[], AsyncIterator[Any]]) -> None:
        """Read a stream to its end, so that it does not end for being slow."""

        async def read() -> None:
            async for _ in listen():
                pass

        await self._try(what, read)

    def _leave_out(self, what: str, reason: str) -> None:
        if self._out.as_json:
            self._out.line({"left_out": what, "reason": reason})
        else:
            self._out.say(f"left out: {what}: {reason}")
