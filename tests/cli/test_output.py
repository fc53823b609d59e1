"""How answers are laid out on a screen."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from exchange_core.cli.output import Output
from exchange_core.cli.rows import order_row
from exchange_core.model.fill import Fee
from exchange_core.model.number import plain, ratio
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.reading import cut

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


def test_truth_is_told_in_words() -> None:
    assert [Output().text(value) for value in (True, False, 1, Decimal("0E-8"))] == ["yes", "no", "1", "0.00000000"]


def test_fees_of_an_order_have_no_exponent() -> None:
    request = OrderRequest(symbol="BTC/USD", side="buy", quantity="1")
    order = Order(request=request, status=OrderStatus.OPEN, fees=(Fee(amount=Decimal("0E-8"), asset="USD"),))
    assert order_row(order)["fees"] == ["0.00000000 USD"]


def test_the_price_of_a_portfolio_is_cut_to_what_means_something() -> None:
    third = ratio(Decimal(10), Decimal(3))
    assert plain(cut(third, 18)) == "3.33333333333333333"
    assert plain(cut(Decimal("84049.123456789012"), 18)) == "84049.123456789012"
