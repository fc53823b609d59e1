"""Linear and inverse arithmetic, against worked examples and recorded figures."""

from decimal import Decimal, localcontext

import pytest

from kraken_futures.contracts import average_price, profit, relative_funding
from kraken_futures.numbers import number

ONE = Decimal(1)


def test_an_inverse_long_earns_coins() -> None:
    """10,000 PI long from 50,000 to 55,000 gain 0.0181818... BTC."""
    gain = profit(True, Decimal(10000), Decimal(50000), Decimal(55000), ONE)
    assert str(gain).startswith("0.018181818181818181818")
    assert profit(True, Decimal(-10000), Decimal(50000), Decimal(55000), ONE) == gain.copy_negate()


def test_a_linear_long_earns_dollars() -> None:
    assert profit(False, Decimal("0.5"), Decimal(50000), Decimal(55000), ONE) == Decimal(2500)


def test_the_recorded_linear_position() -> None:
    found = profit(False, Decimal("0.04"), Decimal("26911.75"), Decimal("29900.81124638736"), ONE)
    assert abs(found - Decimal("119.56244985549435")) < Decimal("1e-13")


def test_the_recorded_inverse_magnitude() -> None:
    found = profit(True, Decimal(500), Decimal("0.3985"), Decimal("0.4925844"), ONE)
    assert abs(found - Decimal("239.6506683474764")) < Decimal("1e-12")


@pytest.mark.parametrize(
    ("inverse", "parts", "average"),
    [
        pytest.param(True, [("1000", "50000"), ("3000", "60000")], "57142.857142857142857142857142857142857", id="PI"),
        pytest.param(False, [("1000", "50000"), ("3000", "60000")], "57500", id="PF"),
        pytest.param(True, [("1", "413.3"), ("1", "342.1")], "374.3445326979", id="the account log's sample"),
    ],
)
def test_averages_are_harmonic_for_inverse_contracts(inverse: bool, parts: list[tuple[str, str]], average: str) -> None:
    found = average_price(inverse, [(Decimal(quantity), Decimal(price)) for quantity, price in parts])
    assert found is not None
    assert abs(found - Decimal(average)) < Decimal("1e-9")


def test_nothing_has_no_average() -> None:
    assert average_price(True, []) is None


def test_the_callers_decimal_context_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        assert profit(False, Decimal("0.04"), Decimal("26911.75"), Decimal("29900.25"), ONE) == Decimal("119.54")
        assert str(average_price(False, [(Decimal("1.2345"), Decimal("1000.5"))])) == "1000.5"


@pytest.mark.parametrize(
    ("inverse", "absolute", "index", "relative"),
    [
        pytest.param(True, "-6.2604214e-11", "22049.39", "-1.380384722222e-6", id="PI: times the index"),
        pytest.param(False, "0.032725177043125", "1752.71", "0.0000186711875", id="PF: over the index"),
    ],
)
def test_funding_becomes_a_fraction(inverse: bool, absolute: str, index: str, relative: str) -> None:
    found = relative_funding(inverse, Decimal(absolute), Decimal(index))
    assert abs(found / Decimal(relative) - 1) < Decimal("1e-5")


def test_the_largest_numbers_that_are_taken_can_be_computed_with() -> None:
    large, small = number("9" * 31), number("1e-30")
    assert profit(True, large, small, large, ONE) > 0
    assert profit(False, large, small, large, ONE) > 0
    assert average_price(True, [(large, small), (small, large)]) is not None
    assert average_price(False, [(large, small), (small, large)]) is not None
