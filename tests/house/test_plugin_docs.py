"""What docs/plugins.md shows works, and what it points at is there."""

import re
import tomllib
from pathlib import Path

import pluggy
import pytest

from exchange_core import hookspecs

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "plugins.md"
TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S))
def test_an_example_runs(code: str) -> None:
    exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})


def test_the_entry_point_is_that_of_the_example() -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.M | re.S)
    real = tomllib.loads((ROOT / "examples" / "tidepool" / "pyproject.toml").read_text("utf-8"))
    assert tomllib.loads(shown)["project"]["entry-points"] == real["project"]["entry-points"]


def test_every_hook_is_named() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    names = [name for name in dir(hookspecs) if manager.parse_hookspec_opts(hookspecs, name) is not None]
    assert names
    assert not [name for name in names if f"`{name}(" not in TEXT]


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", TEXT))
def test_a_link_leads_somewhere(target: str) -> None:
    assert (PAGE.parent / target).exists()
