"""The ``exchange`` command: its sub-commands, and how errors leave it.

Status 0 is success, 1 an error that the one line on the error stream explains, 2 a wrong call, 130 Ctrl-C.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from exchange_core.cli import (
    account,
    demo,
    drift,
    history,
    market,
    portfolio,
    record,
    replay,
    route,
    simulate,
    trading,
    venues,
)
from exchange_core.cli.options import ConfigOption, shared
from exchange_core.cli.output import fail, warn
from exchange_core.errors import ExchangeError
from exchange_core.plugins import Plugins, load_plugins

_FOR_PROGRAMMERS = re.compile(r", unable to parse string as an? \w+$")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exchange-core {version('exchange-core')}")
        raise typer.Exit


def _options(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log to the error stream.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    shared.config = config
    shared.as_json = as_json
    if verbose:
        logging.getLogger().setLevel(logging.INFO)


def build_app(plugins: Plugins) -> typer.Typer:
    """Return the command line with our commands and those that plugins bring; ours keep their names."""
    app = typer.Typer(
        name="exchange",
        help="Many exchanges, one interface. Start with: exchange demo",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for room in (demo, simulate, venues, market, account, history, trading, portfolio, route, replay, drift, record):
        room.register(app)
    taken = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    for commands in plugins.manager.hook.commands():
        for name, function in commands:
            if name not in taken:
                app.command(name)(function)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process."""
    status = call(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = _reader_gone()
    sys.exit(status)


def call(arguments: Sequence[str] | None = None, plugins: Plugins | None = None) -> int:
    """Run the command line; return the status to end with."""
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    # Logged from here on is what a person at a terminal should see; elsewhere an error is one line.
    logging.basicConfig(level=logging.WARNING if sys.stderr.isatty() else logging.CRITICAL, format="%(message)s")
    logging.getLogger("exchange_core.plugins").setLevel(logging.ERROR)  # the warning below says it once
    try:
        found = plugins or load_plugins()
        _warn_of_plugins(found)
        result = build_app(found)(args=arguments, prog_name="exchange", standalone_mode=False)
    except TyperException as error:
        fail(f"{_message(error)} See: {_path(error, arguments)} --help")
        return 2
    except ExchangeError as error:
        fail(f"{type(error).__name__}: {error}")
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        return _reader_gone()
    return result if isinstance(result, int) else 0


def _warn_of_plugins(plugins: Plugins) -> None:
    """Say what did not load, whatever the command: it may be what should have stopped an order."""
    for report in plugins.reports:
        if report.reason:
            warn(f"plugin {report.name}: {report.reason}")


def _message(error: TyperException) -> str:
    format_message = getattr(error, "format_message", None)
    text = str(format_message() if format_message else error).rstrip(".")
    # The library that checks values says it in words for programmers.
    text = _FOR_PROGRAMMERS.sub("", text.replace(": Input should be ", ": expected ").replace(": Value error, ", ": "))
    return text if text.endswith("?") else f"{text}."


def _path(error: TyperException, arguments: Sequence[str]) -> str:
    """Return the command that was called wrongly."""
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    # Only an option that lacks its value is told without: the command stands before it.
    return " ".join(["exchange", *(word for word in arguments[:1] if not word.startswith("-"))])


def _reader_gone() -> int:
    """Whoever read our output left (as ``| head`` does): nothing more can be said, and that is fine."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
