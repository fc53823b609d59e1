"""Digits of the wire become exact numbers, or one clear error."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.errors import ProtocolError
from kraken_futures.numbers import decimals_in, number, steps


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("39096.0", 0, 39096),
        ("39096.0", 1, 390960),
        ("39096.5", 1, 390965),
        ("0.0", 4, 0),
        ("-0.0", 4, 0),
        ("0.0031", 4, 31),
        ("1e-10", 10, 1),
        ("9.1234e-06", 10, 91234),
        ("1E3", 2, 100000),
        (20598, 1, 205980),
        (0, 4, 0),
        ("-5.5", 1, -55),
        (-5, 1, -50),
    ],
)
def test_numbers_as_steps(value: Any, decimals: int, expected: int) -> None:
    assert steps(value, decimals) == expected


@pytest.mark.parametrize("value", ["0.05", "1e-10", "39096.25"])
def test_a_number_with_more_decimals_is_not_rounded(value: str) -> None:
    with pytest.raises(ProtocolError, match="more than 1 decimals"):
        steps(value, 1)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 1.5, [], {}, "", "abc", "NaN", "Infinity", "1e400", "1e-400", "1e1000000000"),
        pytest.param(10**5000, id="a whole number of 5000 digits"),
        pytest.param("9" * 5000, id="a text of 5000 digits"),
        pytest.param("0." + "9" * 5000, id="5000 decimals"),
    ],
)
def test_what_no_market_could_mean_is_refused_quickly(value: Any) -> None:
    for read in (number, decimals_in, lambda v: steps(v, 2)):
        with pytest.raises(ProtocolError) as caught:
            read(value)
        assert len(str(caught.value)) < 120


@given(st.decimals(min_value=0, max_value=10**12, places=8), st.integers(8, 12))
def test_steps_are_exact(value: Decimal, decimals: int) -> None:
    assert Decimal(steps(str(value), decimals)).scaleb(-decimals) == value


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_decimals_in_are_just_enough(value: Decimal) -> None:
    decimals = decimals_in(str(value))
    assert Decimal(steps(str(value), decimals)).scaleb(-decimals) == value
    if decimals:
        with pytest.raises(ProtocolError):
            steps(str(value), decimals - 1)


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_anything_is_a_number_or_a_protocol_error(value: Any) -> None:
    try:
        assert number(value).is_finite()
    except ProtocolError:
        return
    steps(value, 60)
