"""``exchange drift``: what a venue sends that its plugin does not know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from exchange_core.cli.opening import open_venue
from exchange_core.cli.options import ConfigOption, JsonOption, output, run
from exchange_core.cli.output import Output, warn
from exchange_core.errors import ConfigError, ExchangeError, NotSupported
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.plugins import load_plugins
from exchange_core.storage.known import FileDrift, drift_of
from exchange_core.venue.health import VenueHealth
from exchange_core.venue.protocol import Venue

_COLUMNS = ("kind", "times", "first")


def register(app: typer.Typer) -> None:
    app.command()(drift)


def drift(
    name: Annotated[
        str, typer.Argument(metavar="VENUE", help="A [venues.NAME], or a plugin's name; with files, a plugin's.")
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Recordings to look at: *.json, *.jsonl, *.stream.jsonl, and REST cassettes, *.yaml.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, max=3600, help="How long to listen to a venue.")] = 5.0,
    symbol: Annotated[str | None, typer.Option(help="What to ask for; the first listed one, if not given.")] = None,
    path: Annotated[
        str | None, typer.Option(help="What was asked, as in /0/public/Time, where no file's name tells it.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 unless all is known.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what a venue sends that its plugin does not know.

    Fields, words, frames, errors. Changes nothing there.
    """
    out = output(as_json)
    looked = _look_at_files(out, name, files, path) if files else None
    found = run(_look_at_venue(out, name, config, symbol, seconds)) if looked is None else looked
    return 1 if strict and found else 0


def _look_at_files(out: Output, name: str, files: list[Path], path: str | None) -> bool:
    spec = load_plugins().venue(name)
    if spec.documented is None:
        raise ConfigError(f"{name}: this plugin does not say what its venue is known to send")
    documented = spec.documented()
    looked = unnamed = 0
    kinds: dict[str, int] = {}
    examples: dict[str, str] = {}
    for file in files:
        found: FileDrift = drift_of(documented, file, path)
        looked, unnamed = looked + found.looked, unnamed + found.unnamed
        for kind, times in found.drift.counts.items():
            kinds[kind] = kinds.get(kind, 0) + times
            examples.setdefault(kind, f"{file.name}: {found.drift.examples[kind]}")
        if found.unnamed:
            warn(f"{file}: {found.unnamed} answers to nothing that is known were not looked at; name it with --path")
    _show(out, kinds, examples, {"looked": looked, "unnamed": unnamed})
    return bool(kinds or unnamed)


async def _look_at_venue(out: Output, name: str, config: Path | None, symbol: str | None, seconds: float) -> bool:
    async with open_venue(name, config) as venue:
        asked = await _ask(venue, symbol, seconds)
        health: VenueHealth = venue.health()
        _show(out, health.drift, health.drift_examples, {"asked": asked})
        return bool(health.drift)


async def _ask(venue: Venue, symbol: str | None, seconds: float) -> list[str]:
    """Ask for all that changes nothing, and listen; return what was answered."""
    wanted = venue.instrument(symbol) if symbol else _any(await venue.instruments())
    questions: dict[str, Callable[[], Awaitable[Any]]] = {"instruments": venue.instruments}
    streams: dict[str, Callable[[], Any]] = {}
    if wanted is not None:
        of = wanted.symbol
        questions |= {
            "ticker": lambda: venue.ticker(of),
            "book": lambda: venue.book(of),
            "trades": lambda: venue.recent_trades(of),
            "candles": lambda: venue.candles(of, 60),
        }
        streams |= {
            "live ticker": lambda: venue.tickers(of),
            "live book": lambda: venue.books(of),
            "live trades": lambda: venue.trades(of),
        }
    if venue.has_credentials:
        questions |= {
            "balances": venue.balances,
            "positions": venue.positions,
            "open orders": venue.open_orders,
            "fills": venue.fills,
        }
        streams["live orders"] = venue.order_updates
    answered = []
    for what, question in questions.items():
        with suppress(NotSupported):
            try:
                await question()
                answered.append(what)
            except NotSupported:
                raise
            except ExchangeError as error:
                warn(f"{what}: {error}")
    heard = await asyncio.gather(*(_listen(what, stream, seconds) for what, stream in streams.items()))
    return [*answered, *(what for what in heard if what)]


def _any(instruments: Sequence[Instrument]) -> Instrument | None:
    open_ones = (one for one in instruments if one.status is InstrumentStatus.ONLINE)
    return next(open_ones, instruments[0] if instruments else None)


async def _listen(what: str, stream: Callable[[], Any], seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            async with aclosing(stream()) as events:
                async for _ in events:
                    pass
    except TimeoutError:
        pass
    except ExchangeError as error:
        if not isinstance(error, NotSupported):
            warn(f"{what}: {error}")
        return None
    return what


def _show(out: Output, kinds: Mapping[str, int], examples: Mapping[str, str], totals: Mapping[str, Any]) -> None:
    rows = [{"kind": kind, "times": times, "first": examples.get(kind)} for kind, times in sorted(kinds.items())]
    if out.as_json:
        for row in rows:
            out.line(row)
        out.line({"kinds": len(rows), **totals})
        return
    out.rows(rows, _COLUMNS, empty="all that came is known")
    out.say(", ".join(f"{name}: {out.text(value)}" for name, value in totals.items()))
