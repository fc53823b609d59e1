"""Commands that plugins bring."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
import typer

from exchange_core.cli.main import call
from exchange_core.hookspecs import hookimpl
from exchange_core.plugins import Plugins, load_plugins


class Point(EntryPoint):
    """An entry point whose module is at hand."""

    def load(self) -> Any:
        module = ModuleType("plugin")
        module.commands = commands  # type: ignore[attr-defined]
        return module


@hookimpl
def commands() -> Iterable[tuple[str, Any]]:
    return [("greet", greet), ("demo", greet)]


def greet(name: str) -> None:
    """Say hello."""
    typer.echo(f"hello {name}")


@pytest.fixture
def plugins() -> Plugins:
    return load_plugins([Point(name="greeter", value="plugin", group="exchange_core")])


def test_a_plugins_function_becomes_a_command(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["greet", "world"], plugins) == 0
    assert capsys.readouterr().out == "hello world\n"


def test_our_own_commands_keep_their_names(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["demo", "--help"], plugins) == 0
    assert "simulated exchange" in capsys.readouterr().out


class Broken(Point):
    """An entry point whose module cannot be imported."""

    def load(self) -> Any:
        raise ImportError("no module named limits")


def test_a_plugin_that_did_not_load_is_told_whatever_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    plugins = load_plugins([Broken(name="risk", value="risk", group="exchange_core")])
    assert call(["demo", "--help"], plugins) == 0
    assert capsys.readouterr().err == "exchange: warning: plugin risk: ImportError: no module named limits\n"
