"""``exchange replay``: recorded frames through a plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exchange_core.cli.options import JsonOption, output
from exchange_core.cli.output import reason
from exchange_core.errors import ConfigError
from exchange_core.plugins import load_plugins
from exchange_core.storage.cassette import CASSETTES
from exchange_core.storage.replay import ReplayReport, replay_files

_TOTALS = ("frames", "books", "verified", "mismatches", "gaps", "resyncs", "unknown")


def register(app: typer.Typer) -> None:
    app.command()(replay)


def replay(
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="As in kraken_spot; see: exchange plugins")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="*.jsonl or *.stream.jsonl")],
    instruments: Annotated[
        Path | None,
        typer.Option(help="A recorded instrument list of the venue, where the frames do not show the precision."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 1 unless all is verified and known.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Feed recorded frames through a plugin.

    Counts what it made of these WebSocket frames.
    """
    out = output(as_json)
    for path in files:
        if path.suffix in CASSETTES:
            raise ConfigError(
                f"{path}: what is replayed are WebSocket frames, *.jsonl or *.stream.jsonl, and this holds answers; "
                f"look at them with: exchange drift {plugin} {path}"
            )
    spec = load_plugins().venue(plugin)
    reports = replay_files(spec, files, _read(instruments) if instruments else None)
    total = ReplayReport()
    for report in reports:
        total.add(report)
    rows = [{"file": path.name, **_row(report)} for path, report in zip(files, reports, strict=True)]
    if out.as_json:
        for row in rows:
            out.line(row)
        out.line(_totals(total))
    else:
        out.rows([*rows, {"file": "all", **_row(total)}] if len(rows) > 1 else rows, ["file", *_TOTALS])
        for kind, count in total.seen.unknown.items():
            out.say(f"not recognised, {count} times: {kind}")
        for symbol, health in total.unhealthy.items():
            out.say(f"book of {symbol} ends {health}")
    wrong = total.seen.mismatches or total.seen.gaps or total.seen.unknown or total.unhealthy
    return 1 if strict and wrong else 0


def _row(report: ReplayReport) -> dict[str, object]:
    return _totals(report) | {
        "unknown_kinds": dict(report.seen.unknown),
        "ignored": dict(report.seen.ignored),
        "unhealthy": report.unhealthy,
    }


def _totals(report: ReplayReport) -> dict[str, object]:
    return {name: getattr(report.seen, name) for name in _TOTALS} | {"unknown": report.seen.unknown.total()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {reason(error)}") from error
