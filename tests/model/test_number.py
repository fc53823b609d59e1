"""Numbers are exact or refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.errors import InvalidValue
from exchange_core.model.number import (
    ceil_to,
    decimals_of,
    exact,
    floor_to,
    is_multiple,
    nearest,
    plain,
    ratio,
)

STEPS = [Decimal(text) for text in ("0.5", "0.1", "0.00000001", "1", "5", "1000", "0.25", "3")]


@pytest.mark.parametrize("value", ["0.01", Decimal("0.01"), 3, "-2", "1E-8", "0"])
def test_exact_takes_what_is_exact(value: Any) -> None:
    assert exact(value) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.1, 'price: 0.1 is a float and floats are not exact; write it as "0.1" or Decimal("0.1")'),
        (float("nan"), "is a float"),
        (True, "price: True is bool; expected a Decimal, an int or a string of digits"),
        (None, "price: None is NoneType"),
        (b"1", "price: b'1' is bytes"),
        ("abc", "price: 'abc' is not a number"),
        ("", "price: '' is not a number"),
        ("1,5", "price: '1,5' is not a number"),
        ("NaN", "price: 'NaN' is not finite"),
        (Decimal("-Infinity"), "is not finite"),
        ("1e999999", "price: 1E+999999 is too large or too fine"),
        ("1e-999999", "is too large or too fine"),
    ],
)
def test_exact_says_what_is_wrong(value: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        exact(value, "price")
    assert message in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.00000051", "0.00000051"),
        ("5.1E-7", "0.00000051"),
        ("0E-8", "0.00000000"),
        ("1E+3", "1000"),
        ("-0.50", "-0.50"),
    ],
)
def test_plain_never_writes_an_exponent(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "step", "down", "near", "up"),
    [
        ("100.24", "0.5", "100.0", "100.0", "100.5"),
        ("100.26", "0.5", "100.0", "100.5", "100.5"),
        ("100.25", "0.5", "100.0", "100.0", "100.5"),
        ("100.75", "0.5", "100.5", "101.0", "101.0"),
        ("100.5", "0.5", "100.5", "100.5", "100.5"),
        ("-0.3", "0.5", "-0.5", "-0.5", "0"),
        ("1234", "1000", "1000", "1000", "2000"),
        ("886110000000.000000005", "0.00000001", "886110000000", "886110000000", "886110000000.00000001"),
    ],
)
def test_rounding_to_steps(value: str, step: str, down: str, near: str, up: str) -> None:
    number, size = Decimal(value), Decimal(step)
    assert (floor_to(number, size), nearest(number, size), ceil_to(number, size)) == (
        Decimal(down),
        Decimal(near),
        Decimal(up),
    )


@given(
    st.decimals(min_value=-(10**30), max_value=10**30, allow_nan=False, allow_infinity=False, places=12),
    st.sampled_from(STEPS),
)
def test_rounding_never_leaves_the_neighbouring_steps(value: Decimal, step: Decimal) -> None:
    low, near, high = floor_to(value, step), nearest(value, step), ceil_to(value, step)
    assert low <= value <= high
    assert near in (low, high)
    assert all(is_multiple(rounded, step) for rounded in (low, near, high))
    assert high - low in (0, step)
    assert is_multiple(value, step) is (low == value)


@pytest.mark.parametrize(
    ("step", "decimals"), [("0.5", 1), ("0.50", 1), ("1", 0), ("1000", 0), ("1E-8", 8), ("0.00000001", 8), ("2.5", 1)]
)
def test_decimals_of_a_step(step: str, decimals: int) -> None:
    assert decimals_of(Decimal(step)) == decimals


def test_a_ratio_is_rounded_to_34_digits() -> None:
    assert ratio(Decimal(1), Decimal(3)) == Decimal("0." + "3" * 34)
    assert ratio(Decimal("0.3"), Decimal(3)) == Decimal("0.1")
