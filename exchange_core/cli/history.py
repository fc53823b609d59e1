"""``exchange history``: all that happened, page by page, to be gone on with later."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from exchange_core.cli.opening import open_venue
from exchange_core.cli.options import ConfigOption, JsonOption, SinceOption, VenueArgument, moment, output, run
from exchange_core.cli.output import Output, reason, warn
from exchange_core.cli.rows import CANDLE, FILL, LEDGER, ORDER, TRADE, row_of
from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.venue.history import HistoryStream
from exchange_core.venue.protocol import Venue


class Kind(StrEnum):
    """What is walked."""

    FILLS = "fills"
    ORDERS = "orders"
    LEDGER = "ledger"
    TRADES = "trades"
    CANDLES = "candles"


_COLUMNS = {
    Kind.FILLS: FILL,
    Kind.ORDERS: (*ORDER, "created", "updated"),
    Kind.LEDGER: LEDGER,
    Kind.TRADES: TRADE,
    Kind.CANDLES: CANDLE,
}
_OF_A_SYMBOL = (Kind.TRADES, Kind.CANDLES)


def register(app: typer.Typer) -> None:
    app.command()(history)


def history(
    venue: VenueArgument,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help=f"{', '.join(Kind)}.")],
    symbol: Annotated[
        str | None, typer.Argument(metavar="SYMBOL", help="Of trades and candles, as in BTC/USD; of no other kind.")
    ] = None,
    interval: Annotated[int, typer.Option(min=1, help="Minutes of a candle.")] = 60,
    since: SinceOption = None,
    until: Annotated[str | None, typer.Option(help="End, which is not in it; now, if not given.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many entries.")] = None,
    cursor: Annotated[
        Path | None,
        typer.Option(help="File for the place that was reached: begin after it if there is one, and keep it there."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show all of the past, to be gone on with later.

    Our fills, orders that are over, the ledger; public trades; candles that are over. The oldest comes first, and each
    entry once, on a line as soon as it is there. With --cursor it may be stopped at any time, and the same command goes
    on with the entry after the last one; --since counts the first time only. Ends with status 1 when entries did not
    read.
    """
    out = output(as_json)
    if (symbol is None) is (kind in _OF_A_SYMBOL):
        said = "needs a SYMBOL, as in BTC/USD" if symbol is None else f"is of the whole account: leave {symbol} out"
        raise InvalidValue(f"history of {kind} {said}")
    times = {"since": moment(since, "--since"), "until": moment(until, "--until")}
    place = _read(cursor)

    async def job() -> int:
        async with open_venue(venue, config) as opened:
            stream = _walk(opened, kind, symbol, interval)(**times, cursor=place)
            await show_entries(out, stream, kind, limit, cursor)
            return _leave(out, stream)

    return run(job())


def _walk(venue: Venue, kind: Kind, symbol: str | None, interval: int) -> Callable[..., HistoryStream[Any]]:
    match kind:
        case Kind.FILLS:
            return venue.fill_history
        case Kind.ORDERS:
            return venue.order_history
        case Kind.LEDGER:
            return venue.ledger_history
        case Kind.TRADES:
            return lambda **given: venue.trade_history(symbol or "", **given)
        case Kind.CANDLES:
            return lambda **given: venue.candle_history(symbol or "", interval, **given)


async def show_entries(
    out: Output, stream: HistoryStream[Any], kind: Kind, limit: int | None, file: Path | None
) -> None:
    """Write each entry, and keep in *file* after which one to go on."""
    place, pages = None, 0
    try:
        async for entry in stream:
            out.news(row_of(entry), _COLUMNS[kind])
            # Only now it was shown: a reader that left has not seen it.
            place = stream.cursor
            if pages != stream.progress.pages:
                pages = stream.progress.pages
                _keep(file, place)
            if limit is not None and stream.progress.count >= limit:
                return
    finally:
        _keep(file, place)


def _leave(out: Output, stream: HistoryStream[Any]) -> int:
    for note in stream.notes:
        warn(note)
    for record in stream.unreadable:
        warn(f"{record.id}: left out, as it does not read: {record.problem}")
    count = stream.progress.count
    out.say("1 entry" if count == 1 else f"{count} entries")
    return 1 if stream.unreadable else 0


def _read(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip() or None
    except FileNotFoundError:
        if file.parent.is_dir():
            return None
        raise ConfigError(f"--cursor: {file}: there is no folder {file.parent}") from None
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"--cursor: {file}: cannot be read: {reason(error)}") from None


def _keep(file: Path | None, place: str | None) -> None:
    """Write the place to the file, whole or not at all."""
    if file is None or place is None:
        return
    beside = file.with_name(f"{file.name}.new")
    try:
        beside.write_text(place + "\n", "utf-8")
        os.replace(beside, file)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ConfigError(f"--cursor: {file}: cannot be written: {reason(error)}") from None
