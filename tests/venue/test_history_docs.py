"""What docs/history.md shows works, and it names every walk."""

import inspect
import re
from pathlib import Path

import pytest

from exchange_core.plugins import load_plugins
from exchange_core.venue.history import Past

PAGE = Path(__file__).resolve().parents[2] / "docs" / "history.md"
TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S))
def test_the_example_runs(code: str) -> None:
    exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})


def test_every_walk_is_named() -> None:
    names = [name for name, member in vars(Past).items() if inspect.isfunction(member) and not name.startswith("_")]
    assert len(names) == 5
    assert [name for name in names if f"`{name}(" not in TEXT] == []


@pytest.mark.parametrize(("plugin", "column"), [("kraken_spot", 2), ("kraken_futures", 3)])
def test_every_walk_of_a_plugin_is_named(plugin: str, column: int) -> None:
    (row,) = [line.split("|") for line in TEXT.splitlines() if "venue.operations.walks.…" in line]
    module = load_plugins().venue(plugin).rest.__module__.partition(".")[0]
    walks = __import__(f"{module}.walks.operations", fromlist=["Walks"]).Walks
    names = {name for name, member in vars(walks).items() if inspect.isfunction(member) and not name.startswith("_")}
    assert names == {word.strip().partition(" ")[0] for word in row[column].split(",")}
