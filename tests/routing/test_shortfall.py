"""Why something is unfilled, by venue, worked out by hand."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.instrument import Instrument
from exchange_core.model.order import OrderRequest
from exchange_core.model.reading import exactly, roughly
from exchange_core.routing import Plan, Shortfall, ShortfallReason, VenueQuote, plan
from exchange_core.routing.policies import single_venue

D = Decimal
QuoteMaker = Callable[..., VenueQuote]


def order(side: str, quantity: str, price: str | None = None) -> OrderRequest:
    return OrderRequest(symbol="BTC/USD", side=side, quantity=quantity, price=price)


def why(result: Plan) -> list[tuple[str, str, str, str | None, Decimal | None]]:
    return [(s.venue, s.reason.value, exactly(s.available), s.asset, s.free) for s in result.shortfalls]


def last_line(result: Plan) -> str:
    return result.explain()[-1]


def test_what_is_filled_needs_no_reason(quote: QuoteMaker, now: datetime) -> None:
    poor = quote("poor", asks=[("100", "1")], free_quote=D(0))
    assert plan(order("buy", "1"), [quote("a", asks=[("100", "1")]), poor], now=now).shortfalls == ()


def test_a_buy_that_the_balance_limits_says_so(quote: QuoteMaker, now: datetime) -> None:
    """5.5 are in the book; 50000 USD pay 0.4950 of them at 100000 and 1 %."""
    a = quote("a", asks=[("100000", "5.5")], fee="0.01", free_quote=D("50000.00"))
    result = plan(order("buy", "3"), [a], now=now)
    assert why(result) == [("a", "free_balance", "0.495", "USD", D(50000))]
    assert last_line(result) == (
        "a gives no more: 50000 USD are free, enough with the fee for 0.495 of the 5.5 that can be had"
    )


def test_a_sell_that_the_balance_limits_names_the_base_asset(quote: QuoteMaker, now: datetime) -> None:
    result = plan(order("sell", "1"), [quote("a", bids=[("100", "5")], free_base=D("0.12345"))], now=now)
    assert why(result) == [("a", "free_balance", "0.1234", "BTC", D("0.12345"))]
    assert last_line(result) == "a gives no more: 0.12345 BTC are free, enough for 0.1234 of the 5 that can be had"


def test_each_venue_has_its_own_reason(quote: QuoteMaker, now: datetime) -> None:
    shallow = quote("shallow", asks=[("100", "0.3")])
    dear = quote("dear", asks=[("100", "0.2"), ("111", "9")])
    poor = quote("poor", asks=[("100", "9")], free_quote=D(50))
    beyond = quote("beyond", asks=[("120", "9")])
    result = plan(order("buy", "5", "110"), [shallow, dear, poor, beyond], now=now)
    assert why(result) == [
        ("shallow", "depth", "0.3", None, None),
        ("dear", "limit_price", "0.2", None, None),
        ("poor", "free_balance", "0.5", "USD", D(50)),
        ("beyond", "limit_price", "0", None, None),
    ]
    assert result.explain()[-5:] == (
        "4 cannot be filled now; it is not sent and nothing rests in a book",
        "shallow gives no more: its book has 0.3 as deep as it is known",
        "dear gives no more: 0.2 of the 9.2 in its book are at 110 or better",
        "poor gives no more: 50 USD are free, enough with the fee for 0.5 of the 9 that can be had",
        "beyond is not used: its best price 120 is beyond the limit 110",
    )


def test_reasons_behind_a_reason_are_told_the_tightest_first(quote: QuoteMaker, now: datetime) -> None:
    a = quote("a", asks=[("100", "1"), ("200", "1")], free_quote=D(50))
    assert why(plan(order("buy", "5", "150"), [a], now=now)) == [
        ("a", "free_balance", "0.5", "USD", D(50)),
        ("a", "limit_price", "1", None, None),
        ("a", "depth", "2", None, None),
    ]


def test_a_reason_that_does_not_matter_is_not_told(quote: QuoteMaker, now: datetime) -> None:
    """The book ends at 2 and the limit at 1.5; 1 was wanted."""
    a = quote("a", asks=[("100", "1.5"), ("200", "0.5")], free_quote=D(50))
    assert [s.reason for s in plan(order("buy", "1", "150"), [a], now=now).shortfalls] == [ShortfallReason.FREE_BALANCE]


def test_less_than_a_lot_is_left(quote: QuoteMaker, now: datetime) -> None:
    result = plan(order("buy", "0.12345"), [quote("a", asks=[("100", "9")])], now=now)
    assert why(result) == [("a", "lots", "0.1234", None, None)]
    assert last_line(result) == "a gives no more: what is left is less than its lot of 0.0001"


def test_less_than_a_minimum_is_left(
    quote: QuoteMaker, make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    """The rest of 0.5 would be an order of B, but B takes 1 or more."""
    b = quote("b", asks=[("101", "9")], instrument=make_instrument(min_quantity=D(1)))
    result = plan(order("buy", "0.9"), [quote("a", asks=[("100", "0.4")]), b], now=now)
    assert why(result) == [("a", "depth", "0.4", None, None), ("b", "lots", "0", None, None)]
    assert result.explain()[-2:] == (
        "b gives no more: what is left is below its minimum of 1",
        "b: a leg of 0.5 would be below its minimum of 1; it gets none",
    )


def test_prices_off_the_tick_are_no_depth(quote: QuoteMaker, now: datetime) -> None:
    result = plan(order("buy", "2"), [quote("a", asks=[("100", "1"), ("100.05", "5")])], now=now)
    assert why(result) == [("a", "lots", "1", None, None)]
    assert last_line(result) == "a gives no more: 1 stand at prices that are multiples of its tick"


def test_what_a_policy_leaves_is_the_policys(quote: QuoteMaker, now: datetime) -> None:
    quotes = [quote("a", asks=[("100", "1")]), quote("b", asks=[("100", "0.5")])]
    result = plan(order("buy", "1.2"), quotes, now=now, policy=single_venue, policy_name="single_venue")
    assert why(result) == [("a", "depth", "1", None, None), ("b", "policy", "0", None, None)]
    assert last_line(result) == "b gives no more: the policy single_venue left 0.2 of it unused"


def test_a_venue_without_the_money_for_its_minimum_is_short_of_it(quote: QuoteMaker, now: datetime) -> None:
    poor = quote("poor", asks=[("100", "9")], free_quote=D("0.1"))
    result = plan(order("buy", "2"), [quote("a", asks=[("100", "1")]), poor], now=now)
    text = "0.1 USD are free; its smallest order of 0.005 needs 0.5 USD"
    assert result.shortfalls[1] == Shortfall(
        venue="poor",
        reason=ShortfallReason.FREE_BALANCE,
        available=D(0),
        text=text,
        asset="USD",
        free=D("0.1"),
    )
    assert result.explain()[-1] == f"poor is not used: {text}"


@pytest.mark.parametrize(
    ("number", "read"),
    [
        ("50000.0000", "50000"),
        ("5E+4", "50000"),
        ("0E-8", "0"),
        ("84012.300000001234567", "84012.3"),
        ("0.000000123456789012345", "0.000000123456789012"),
        ("-1.66666666666666666", "-1.66666666667"),
        ("1234567890123456.7", "1234567890123457"),
        ("99999999999.999", "100000000000"),
    ],
)
def test_numbers_are_cut_for_reading_and_never_before_the_point(number: str, read: Any) -> None:
    assert roughly(D(number)) == read


def test_nothing_is_cut_off_exact_numbers() -> None:
    assert exactly(D("1234567890123456.78901234567890")) == "1234567890123456.7890123456789"
