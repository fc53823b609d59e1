"""Ladders agree with a dictionary that is sorted each time, whatever is done to them."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.book.ladder import Ladder, decimals_in, digits, digits_quantity, load_digits, merge_digits
from exchange_core.errors import ProtocolError


class Row(NamedTuple):
    price: Any
    qty: Any


def printed(steps: int, decimals: int) -> str:
    return format(Decimal(steps).scaleb(-decimals), f".{decimals}f")


SIDES = st.sampled_from([1, -1])
# Two of the last are longer than a machine word.
PRICES = st.one_of(st.integers(1, 40), st.integers(2**63 - 2, 2**63 + 1))
QUANTITIES = st.sampled_from([0, 0, 1, 7, 123456789012345678])


@given(SIDES, st.lists(st.tuples(PRICES, st.booleans())), st.integers(1, 12))
def test_a_ladder_is_a_sorted_dictionary(sign: int, steps: list[tuple[int, bool]], depth: int) -> None:
    ladder: Ladder[int] = Ladder(sign)
    model: dict[int, int] = {}
    for number, (price, remove) in enumerate(steps):
        if remove:
            assert (ladder.remove(price) is None) == (price not in model)
            model.pop(price, None)
        else:
            model[price] = number
            index = ladder.put(price, number)
            assert ladder.values[index] == number
        best_first = sorted(model, reverse=sign < 0)
        assert [key * sign for key in ladder.keys] == best_first
        assert ladder.values == [model[price] for price in best_first]
    ladder.truncate(depth)
    assert [key * sign for key in ladder.keys] == sorted(model, reverse=sign < 0)[:depth]
    assert len(ladder) == len(ladder.values) == min(depth, len(model))


@given(
    SIDES,
    st.lists(st.lists(st.tuples(PRICES, QUANTITIES), max_size=6), max_size=12),
    st.integers(0, 8),
    st.integers(0, 8),
)
def test_merged_digits_are_what_a_dictionary_holds(
    sign: int, messages: list[list[tuple[int, int]]], price_decimals: int, quantity_decimals: int
) -> None:
    """The last of several entries at one price wins, a zero removes, and the touched index covers every change."""
    ladder: Ladder[str] = Ladder(sign)
    model: dict[int, int] = {}
    for message in messages:
        before = list(ladder.values)
        rows = [Row(printed(p, price_decimals), printed(q, quantity_decimals)) for p, q in message]
        touched = merge_digits(ladder, rows, price_decimals, quantity_decimals)
        for price, quantity in message:
            if quantity:
                model[price] = quantity
            else:
                model.pop(price, None)
        best_first = sorted(model, reverse=sign < 0)
        assert [key * sign for key in ladder.keys] == best_first
        assert ladder.values == [f"{price}{model[price]}" for price in best_first]
        read = [digits_quantity(key, text) for key, text in zip(ladder.keys, ladder.values, strict=True)]
        assert read == [model[price] for price in best_first]
        assert ladder.values[:touched] == before[:touched]


@given(st.decimals(0, 10**12, places=8), st.integers(8, 12))
def test_digits_are_the_number_of_steps(number: Decimal, decimals: int) -> None:
    assert int(digits(format(number, "f"), decimals) or 0) == int(number.scaleb(decimals))


@pytest.mark.parametrize(
    ("number", "decimals", "expected"),
    [
        pytest.param("0.5", 4, "5000", id="short of decimals"),
        pytest.param("0.00000051", 8, "51", id="leading zeros"),
        pytest.param("18097.1547", 8, "1809715470000", id="trailing zeros matter"),
        pytest.param("5.1e-05", 8, "5100", id="exponent"),
        pytest.param("1E3", 0, "1000", id="exponent up"),
        pytest.param("105.0", 0, "105", id="a point that is not needed"),
        pytest.param(105, 0, "105", id="int"),
        pytest.param(105, 1, "1050", id="int with decimals"),
        pytest.param(0, 8, "", id="zero"),
        pytest.param("0.00000000", 8, "", id="printed zero"),
        pytest.param("-0.0", 8, "", id="zero below zero"),
        pytest.param("97231234567.12345678", 8, "9723123456712345678", id="longer than a float holds"),
    ],
)
def test_digits_keep_what_the_wire_says(number: str | int, decimals: int, expected: str) -> None:
    assert digits(number, decimals) == expected


@pytest.mark.parametrize(
    "number",
    [
        "",
        "x",
        "-1",
        -1,
        "1.5.5",
        "1_0",
        " 1",
        "NaN",
        "Infinity",
        "1e400",
        "1e999999999",
        None,
        True,
        1.5,
        [],
        "1.234567",
    ],
)
def test_digits_refuse_what_is_no_number(number: Any) -> None:
    with pytest.raises(ProtocolError, match="book level"):
        digits(number, 5)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(Row("0.0", "1.00"), id="price of zero"),
        pytest.param(Row("0.0", "0.00"), id="price of zero, removed"),
        pytest.param(Row("-5.0", "1.00"), id="price below zero"),
        pytest.param(Row("5.0", "-1.00"), id="quantity below zero"),
        pytest.param(Row("5.0", "1.001"), id="too many decimals"),
        pytest.param(Row("5.05", "1.00"), id="price between steps"),
        pytest.param(Row("1.2.3", "1.00"), id="two points"),
        pytest.param(Row("1_0.0", "1.00"), id="underscore"),
        pytest.param(Row("5.0", " 1.00"), id="blank"),
        pytest.param(Row("5.0", "²²².00"), id="raised digits"),
        pytest.param(Row("5.0", None), id="null"),
        pytest.param(Row(["5", ".", "0"], "1.00"), id="list"),
        pytest.param(Row({"a": 1}, "1.00"), id="object"),
        pytest.param(Row(True, "1.00"), id="bool"),
        pytest.param(Row("9" * 70 + ".0", "1.00"), id="absurdly long"),
        pytest.param(Row(5.0, "1.00"), id="float"),
    ],
)
def test_a_malformed_level_is_a_protocol_error(row: Row) -> None:
    with pytest.raises(ProtocolError, match="book level"):
        merge_digits(Ladder(1), [row], 1, 2)


def test_whole_prices_come_as_ints() -> None:
    """A pair without price decimals is printed without a point, which JSON reads as an int."""
    ladder: Ladder[str] = Ladder(1)
    merge_digits(ladder, [Row(11000000, "0.50000000"), Row(11000001, 2)], 0, 8)
    assert ladder.values == ["1100000050000000", "11000001200000000"]
    merge_digits(ladder, [Row(11000000, "0.00000000")], 0, 8)
    assert list(ladder.keys) == [11000001]


def test_numbers_that_lost_their_zeros_are_padded() -> None:
    ladder: Ladder[str] = Ladder(1)
    merge_digits(ladder, [Row("29431.1", "0.001"), Row(29432, "4.0"), Row("29433.0", "5.1e-05")], 1, 8)
    assert ladder.values == ["294311100000", "294320400000000", "2943305100"]


def test_digits_do_not_depend_on_the_users_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 3
        assert digits("97231234567.12345678", 8) == "9723123456712345678"


@pytest.mark.parametrize(
    ("number", "decimals"),
    [("1.50", 2), ("5E-8", 8), ("5.1e-05", 6), ("10", 0), (10, 0), ("1.5e3", 0), (None, 0), ("x", 0)],
)
def test_printed_decimals(number: Any, decimals: int) -> None:
    assert decimals_in(number) == decimals


@given(SIDES, st.lists(st.tuples(PRICES, QUANTITIES), max_size=40), st.integers(0, 8), st.booleans())
def test_a_snapshot_loads_to_what_merging_gives(
    sign: int, levels: list[tuple[int, int]], decimals: int, in_order: bool
) -> None:
    """However it is ordered, and whatever it repeats; and what stood before is gone."""
    if in_order:
        levels = sorted(dict(levels).items(), reverse=sign < 0)
    rows = [Row(printed(price, decimals), printed(quantity, 8)) for price, quantity in levels]
    merged: Ladder[str] = Ladder(sign)
    merge_digits(merged, rows, decimals, 8)
    loaded: Ladder[str] = Ladder(sign)
    loaded.put(1_000_000, "10000005")
    load_digits(loaded, rows, decimals, 8)
    assert (loaded.keys, loaded.values) == (merged.keys, merged.values)


@pytest.mark.parametrize(
    "row", [Row("0.0", "1.00"), Row("-5.0", "1.00"), Row("5.0", None), Row("5.0", "1.001"), Row("5", "x")]
)
def test_a_snapshot_with_a_malformed_level_is_a_protocol_error(row: Row) -> None:
    with pytest.raises(ProtocolError, match="book level"):
        load_digits(Ladder(1), [Row("4.0", "1.00"), row], 1, 2)


def test_a_cleared_ladder_reads_prices_anew() -> None:
    """The same text means other steps once the precision changed."""
    ladder: Ladder[str] = Ladder(1)
    merge_digits(ladder, [Row("5.0", "1.00")], 1, 2)
    ladder.clear()
    merge_digits(ladder, [Row("5.0", "1.00")], 2, 2)
    assert ladder.values == ["500100"]


def test_a_ladder_keeps_nothing_of_levels_that_are_gone() -> None:
    """Hundreds of books that live for weeks see millions of prices."""
    ladder: Ladder[str] = Ladder(1)
    for price in range(1, 1_000):
        merge_digits(ladder, [Row(f"{price}.0", "1.00"), Row(f"{price}.0", "0.00")], 1, 2)
    assert not any(getattr(ladder, name) for name in ladder.__slots__ if name != "sign")
