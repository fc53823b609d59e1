"""Names of what is traded."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.errors import InvalidValue
from exchange_core.model.symbol import Symbol


@pytest.mark.parametrize(
    ("text", "symbol", "spot", "inverse"),
    [
        ("BTC/USD", Symbol("BTC", "USD"), True, False),
        ("BTC/USD:USD", Symbol("BTC", "USD", "USD"), False, False),
        ("BTC/USD:BTC", Symbol("BTC", "USD", "BTC"), False, True),
        ("BTC/USD:USD-261225", Symbol("BTC", "USD", "USD", date(2026, 12, 25)), False, False),
        ("AAPLx/USD", Symbol("AAPLx", "USD"), True, False),
        ("1INCH/EUR", Symbol("1INCH", "EUR"), True, False),
    ],
)
def test_text_and_symbol_are_the_same(text: str, symbol: Symbol, spot: bool, inverse: bool) -> None:
    assert Symbol.parse(text) == symbol
    assert str(symbol) == text
    assert (symbol.is_spot, symbol.is_inverse) == (spot, inverse)
    assert Symbol.of(text) == Symbol.of(symbol) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BTC",
        "BTCUSD",
        "BTC-USD",
        "BTC/",
        "/USD",
        "BTC/USD:",
        "BTC/USD-261225",
        "BTC/USD:USD-2612",
        "BTC/USD\n",
        "B C/USD",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="BASE/QUOTE") as caught:
        Symbol.parse(text)
    assert repr(text) in str(caught.value)


def test_a_date_that_does_not_exist() -> None:
    with pytest.raises(InvalidValue, match="ends in 261332, which is no date; expected YYMMDD"):
        Symbol.parse("BTC/USD:USD-261332")


@pytest.mark.parametrize("value", [None, 5, b"BTC/USD", ("BTC", "USD")])
def test_only_symbols_and_text_are_taken(value: Any) -> None:
    with pytest.raises(InvalidValue, match="expected a Symbol or text like BTC/USD"):
        Symbol.of(value)


def test_symbols_sort_and_are_keys() -> None:
    names = ["ETH/USD", "BTC/USD", "BTC/EUR"]
    assert sorted(map(Symbol.parse, names)) == [Symbol.parse(name) for name in ("BTC/EUR", "BTC/USD", "ETH/USD")]
    assert {Symbol.parse("BTC/USD"): 1}[Symbol("BTC", "USD")] == 1


CODES = st.from_regex(r"[A-Za-z0-9.]{1,8}", fullmatch=True).filter(str.isascii)


@given(CODES, CODES, st.none() | CODES, st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_what_is_written_is_read(base: str, quote: str, settle: str | None, expiry: date | None) -> None:
    symbol = Symbol(base, quote, settle, expiry if settle else None)
    assert Symbol.parse(str(symbol)) == symbol
