"""Options that every command takes, and running a command's coroutine."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, date, datetime, time
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, TypeVar

import attrs
import typer
from typer.core import TyperCommand

from exchange_core.cli.output import Output
from exchange_core.errors import ConfigError, InvalidValue, ProtocolError
from exchange_core.model.time import from_rfc3339
from exchange_core.plugins import did_you_mean

T = TypeVar("T")

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; exchange.toml here is used if it exists.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line; numbers that matter are strings.")]
WatchOption = Annotated[
    bool, typer.Option("--watch", "-w", help="Takes no value. Go on until Ctrl-C, with each change as it comes.")
]
VenueArgument = Annotated[
    str, typer.Argument(metavar="VENUE", help="A [venues.NAME] of the configuration, or a plugin's name.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Start, as in 2026-11-24T08:00:00Z; a date is its midnight, UTC.")
]
SymbolArgument = Annotated[str, typer.Argument(metavar="SYMBOL", help="As in BTC/USD or BTC/USD:USD.")]


class NumbersCommand(TyperCommand):
    """A command that takes -1 as a number: to be refused for being below zero, and not for being no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = True
        known = {name for parameter in self.get_params(ctx) for name in (*parameter.opts, *parameter.secondary_opts)}
        for word in takewhile(lambda word: word != "--", args):
            name = word.partition("=")[0]
            if name.startswith("--") and name not in known:
                ctx.fail(f"No such option: {name}{did_you_mean(name, known)}")
        return super().parse_args(ctx, args)


@attrs.define
class Shared:
    """What was given before the command's name, and so holds for any command."""

    config: Path | None = None
    as_json: bool = False


shared = Shared()


def output(as_json: bool) -> Output:
    """Return where the answer goes; ``--json`` may stand before or after the command's name."""
    return Output(as_json=as_json or shared.as_json)


def config_path(given: Path | None) -> Path | None:
    """Return the configuration file to read, or None where there is none.

    Raises:
        ConfigError: When one was named and is not there.
    """
    path = given or shared.config
    if path is not None:
        if not path.is_file():
            raise ConfigError(f"{path}: no such configuration file")
        return path
    default = Path("exchange.toml")
    return default if default.is_file() else None


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a command until it ends, or until Ctrl-C or SIGTERM, which it is given the time to clean up after."""
    try:
        return asyncio.run(_until_terminated(coroutine))
    except BaseExceptionGroup as group:
        raise _first(group) from group
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _until_terminated(coroutine: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    assert task is not None
    # Not on Windows; there Ctrl-C alone is heard.
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await coroutine


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def moment(text: str | None, what: str) -> datetime | None:
    """Read a time given on the command line; a date is its midnight, UTC.

    Raises:
        InvalidValue: Says what would have been right.
    """
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        return from_rfc3339(text)
    except (ProtocolError, ValueError) as error:
        right = "expected one like 2026-11-24T08:00:00Z, or a date like 2026-11-24"
        raise InvalidValue(f"{what}: {text!r} is no time; {right}") from error
