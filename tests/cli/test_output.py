"""How answers are laid out on a screen."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from exchange_core.cli.output import Output

ROW = {"order_id": "OAAAAA-AAAAA-AAAAAA", "price": Decimal("84141.5"), "time": None}


def shown(width: int, capsys: pytest.CaptureFixture[str]) -> str:
    out = Output()
    out.console = Console(file=io.StringIO(), width=width, highlight=False)
    out.rows([ROW, ROW], ("order_id", "price", "time"), title="Two")
    assert capsys.readouterr() == ("", "")
    assert isinstance(out.console.file, io.StringIO)
    return out.console.file.getvalue()


def test_rows_are_a_table_where_it_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert "┃ order id " in shown(80, capsys)


def test_rows_stand_one_below_the_other_where_numbers_would_be_folded(capsys: pytest.CaptureFixture[str]) -> None:
    record = "order id  OAAAAA-AAAAA-AAAAAA\nprice     84141.5\ntime      –\n"
    assert shown(30, capsys) == f"Two\n\n{record}\n{record}"
