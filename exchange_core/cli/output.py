"""How answers reach the terminal: one JSON object a line with ``--json``, tables otherwise.

All printing of the command line goes through here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from exchange_core.model.fill import Fee
from exchange_core.model.market import Level
from exchange_core.model.number import plain
from exchange_core.serde import dumps, unstructure

Row = Mapping[str, Any]

_WIDE = 200
_FOLDED = 1.25  # a table so many times as wide as the screen would be folded within its numbers


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to ``main``, for which a reader that left is no error."""
        raise BrokenPipeError


class Output:
    """Where a command's answer goes."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        # Where nobody looks at a screen, nothing is folded to its width.
        self.console = _Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)

    @property
    def is_live(self) -> bool:
        """Whether there is a terminal to redraw."""
        return self.console.is_terminal and not self.as_json

    def line(self, row: Row) -> None:
        """Write one JSON object, at once."""
        sys.stdout.write(dumps(row) + "\n")
        sys.stdout.flush()

    def rows(self, rows: Sequence[Row], columns: Sequence[str], *, title: str = "", empty: str = "nothing") -> None:
        """Write *rows* as JSON lines (all of each row) or as a table of *columns*."""
        if self.as_json:
            for row in rows:
                self.line(row)
        elif not rows:
            self.say(empty)
        else:
            drawn = table(rows, columns, title=title)
            if _natural_width(self.console, drawn) > _FOLDED * self.console.width:
                self.say(records(rows, columns, title=title))
            else:
                self.console.print(drawn)

    def news(self, row: Row, columns: Sequence[str]) -> None:
        """Write one row of those that come one after the other: as JSON, or *columns* of it on a line."""
        if self.as_json:
            self.line(row)
        else:
            self.say("  ".join(self.text(row.get(column)) for column in columns))

    def text(self, value: Any) -> str:
        """Return *value* as a table shows it."""
        return _cell(value)

    def say(self, text: str) -> None:
        """Write a line for people; nothing with ``--json``."""
        if not self.as_json:
            self.console.print(text, markup=False)

    def show(self, renderable: Any) -> None:
        """Write something that rich can draw; nothing with ``--json``."""
        if not self.as_json:
            self.console.print(renderable)


def table(rows: Iterable[Row], columns: Sequence[str], *, title: str = "", numbers: Sequence[str] = ()) -> Table:
    """Return *columns* of *rows* as a table; numbers, and the columns named as such, stand to the right."""
    rows = list(rows)
    drawn = Table(title=title or None, title_justify="left")
    for column in columns:
        right = column in numbers or all(isinstance(row.get(column), Decimal | int | type(None)) for row in rows)
        drawn.add_column(column.replace("_", " "), justify="right" if right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(_cell(row.get(column)) for column in columns))
    return drawn


def records(rows: Sequence[Row], columns: Sequence[str], *, title: str = "") -> str:
    """Return *columns* of *rows* one below the other, for screens on which a table would be folded to pieces."""
    names = [column.replace("_", " ") for column in columns]
    width = max(len(name) for name in names)
    blocks = [
        "\n".join(f"{name:<{width}}  {_cell(row.get(column))}" for name, column in zip(names, columns, strict=True))
        for row in rows
    ]
    return "\n\n".join([title, *blocks] if title else blocks)


def _natural_width(console: Console, drawn: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=10_000), drawn).maximum


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Level):
        return f"{plain(value.price)} × {plain(value.quantity)}"
    if isinstance(value, Fee):
        return f"{plain(value.amount)} {value.asset}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    shown = unstructure(value)
    if isinstance(shown, list):
        return ", ".join(str(item) for item in shown) or "–"
    return str(shown)


def reason(error: Exception) -> str:
    """Return why a file was no good, without its name, which the operating system would repeat."""
    return getattr(error, "strerror", None) or str(error)


def fail(message: str) -> None:
    """Write one line to the error stream."""
    sys.stderr.write(f"exchange: error: {' '.join(message.split())}\n")


def warn(message: str) -> None:
    """Write one line to the error stream and go on."""
    sys.stderr.write(f"exchange: warning: {' '.join(message.split())}\n")
