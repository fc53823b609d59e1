"""Margins by levels of size, and what can be said of liquidation; recorded figures first."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue
from exchange_core.model.contract import Contract
from exchange_core.model.number import ratio
from exchange_core.model.symbol import Symbol
from exchange_core.model.units import Amount
from kraken_futures import liquidation
from kraken_futures.margin import MarginKind, MarginSchedule
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.market import MarginLevel

PF = Contract(Symbol.parse("BTC/USD:USD"))
PI = Contract(Symbol.parse("BTC/USD:BTC"))
INITIAL, MAINTENANCE = MarginKind.INITIAL, MarginKind.MAINTENANCE


def schedule(contract: Contract, *rows: tuple[str, str, str], multiplier: str = "1") -> MarginSchedule:
    levels = [
        MarginLevel(lower_bound=Decimal(bound), initial_margin=Decimal(im), maintenance_margin=Decimal(mm))
        for bound, im, mm in rows
    ]
    return MarginSchedule(contract, levels, multiplier=Decimal(multiplier))


# The venue's own schedules, as recorded (shortened there).
PF_LEVELS = schedule(PF, ("0", "0.01", "0.005"), ("1000000", "0.02", "0.01"), ("3000000", "0.04", "0.02"))
PI_LEVELS = schedule(PI, ("0", "0.02", "0.01"), ("500000", "0.04", "0.02"))


def test_the_recorded_linear_margins_go_with_the_entry_price() -> None:
    """0.04 at 26911.75 need 21.5294 and 10.7647, whatever the mark price; 0.5 at 70.53 need 0.7053."""
    levels = schedule(PF, ("0", "0.02", "0.01"))
    held, prices = PF.contracts("0.04"), {"entry": PF.price("26911.75"), "mark": PF.price("29900.81124638736")}
    assert levels.position_margin(INITIAL, held, **prices).amount == Amount("21.5294", "USD")
    assert levels.position_margin(MAINTENANCE, held, **prices).amount == Amount("10.7647", "USD")
    ltc = Contract(Symbol.parse("LTC/USD:USD"))
    found = schedule(ltc, ("0", "0.02", "0.01")).position_margin(
        INITIAL, ltc.contracts("0.5"), entry=ltc.price("70.53"), mark=ltc.price("68.80433882446")
    )
    assert found.amount == Amount("0.7053", "USD")


def test_the_recorded_inverse_margins_go_with_the_mark_price() -> None:
    """500 at a mark of 0.4925844 need 101.5054475943615 and 50.75272379718075 XRP at 10 % and 5 %."""
    xrp = Contract(Symbol.parse("XRP/USD:XRP"))
    levels = schedule(xrp, ("0", "0.1", "0.05"))
    held, prices = xrp.contracts(500), {"entry": xrp.price("0.3985"), "mark": xrp.price("0.4925844")}
    assert str(levels.position_margin(INITIAL, held, **prices).amount.value).startswith("101.505447594361")
    assert str(levels.position_margin(MAINTENANCE, held, **prices).amount.value).startswith("50.75272379718")
    # The sample's profit, without its sign: (1/0.3985 - 1/0.4925844) * 500.
    assert str(xrp.profit(held, prices["entry"], prices["mark"]).value).startswith("239.65066834747")


def test_beyond_the_first_level_a_margin_is_a_range() -> None:
    """Whether the higher rate is for all of it or for the part above the bound, the venue does not say."""
    found = PF_LEVELS.margin(INITIAL, PF.contracts(40), PF.price(50000))
    assert (found.least, found.most) == (Amount(30000, "USD"), Amount(40000, "USD"))
    assert not found.is_certain
    with pytest.raises(InvalidValue, match=r"between 30000.* and 40000"):
        assert found.amount
    inverse = PI_LEVELS.margin(MAINTENANCE, PI.contracts(-1000000), PI.price(50000))
    assert (inverse.least, inverse.most) == (Amount("0.3", "BTC"), Amount("0.4", "BTC"))


def test_at_the_very_bound_both_levels_are_possible() -> None:
    found = PI_LEVELS.margin(INITIAL, PI.contracts(500000), PI.price(50000))
    assert (found.least, found.most) == (Amount("0.2", "BTC"), Amount("0.4", "BTC"))
    assert PI_LEVELS.margin(INITIAL, PI.contracts(499999), PI.price(50000)).is_certain
    assert PI_LEVELS.level(PI.contracts(-500000), PI.price(50000)).initial_margin == Decimal("0.04")
    assert PF_LEVELS.level(PF.contracts(1), PF.price(50000)).max_leverage == 100


def test_extreme_volatility_raises_the_initial_margin_only() -> None:
    levels = schedule(PF, ("0", "0.02", "0.01"), multiplier="2")
    held, price = PF.contracts(1), PF.price(50000)
    assert levels.margin(INITIAL, held, price).amount == Amount(2000, "USD")
    assert levels.margin(MAINTENANCE, held, price).amount == Amount(500, "USD")


@pytest.mark.parametrize("rows", [[], [("5", "0.02", "0.01")]])
def test_levels_start_at_zero(rows: list[tuple[str, str, str]]) -> None:
    with pytest.raises(InvalidValue, match="from 0 on"):
        schedule(PF, *rows)


def test_levels_may_come_in_any_order() -> None:
    levels = schedule(PF, ("3000000", "0.04", "0.02"), ("0", "0.01", "0.005"))
    assert [level.lower_bound for level in levels.levels] == [0, 3000000]


sizes = st.integers(1, 10**9).map(Decimal)
prices = st.integers(1, 10**7).map(lambda n: Decimal(n).scaleb(-1))


@given(st.sampled_from([PF_LEVELS, PI_LEVELS]), sizes, prices, st.sampled_from(MarginKind))
def test_a_margin_is_the_same_for_both_sides_and_grows_with_size(
    levels: MarginSchedule, size: Decimal, price: Decimal, kind: MarginKind
) -> None:
    contract = levels.contract
    at = contract.price(price)
    found = levels.margin(kind, contract.contracts(size), at)
    assert levels.margin(kind, contract.contracts(-size), at) == found
    assert contract.amount(0) < found.least <= found.most
    more = levels.margin(kind, contract.contracts(size * 2), at)
    assert more.least > found.least
    assert more.most > found.most


# Liquidation.


def test_a_linear_position_alone() -> None:
    """1 long at 50,000 with 5,000 and a maintenance margin of 250 is worth its margin at 45,250."""
    found = liquidation.alone(PF_LEVELS, PF.contracts(1), entry=PF.price(50000), collateral=Amount(5000, "USD"))
    assert found.near == found.far == PF.price(45250)
    assert found.distance(PF.price(50000)) == Decimal("0.095")
    assert found.distance(PF.price(45250)) == 0
    assert found.distance(PF.price(45000)) == ratio(Decimal(-250), Decimal(45000))
    assert any("no other position" in text for text in found.assumes)
    short = liquidation.alone(PF_LEVELS, PF.contracts(-1), entry=PF.price(50000), collateral=Amount(5000, "USD"))
    assert short.near == PF.price(54750)
    assert short.distance(PF.price(50000)) == Decimal("0.095")


def test_an_inverse_position_alone() -> None:
    """10,000 long at 50,000 with 0.02 BTC: 0.02 + 0.2 - 10000/p = 100/p, at p = 45,909.09."""
    found = liquidation.alone(PI_LEVELS, PI.contracts(10000), entry=PI.price(50000), collateral=Amount("0.02", "BTC"))
    assert found.near is not None
    assert str(found.near.value).startswith("45909.0909090909")
    short = liquidation.alone(PI_LEVELS, PI.contracts(-10000), entry=PI.price(50000), collateral=Amount("0.02", "BTC"))
    assert short.near == PI.price(55000)


def test_a_position_that_is_backed_in_full_is_never_liquidated() -> None:
    long = liquidation.alone(PF_LEVELS, PF.contracts(1), entry=PF.price(50000), collateral=Amount(60000, "USD"))
    assert (long.near, long.distance(PF.price(50000))) == (None, None)
    # A short of dollars with all its coins: what it loses in coins the price of coins makes good.
    short = liquidation.alone(PI_LEVELS, PI.contracts(-10000), entry=PI.price(50000), collateral=Amount("0.2", "BTC"))
    assert short.near is None


def test_a_range_of_margins_is_a_range_of_prices() -> None:
    found = liquidation.alone(PF_LEVELS, PF.contracts(40), entry=PF.price(50000), collateral=Amount(200000, "USD"))
    assert (found.near, found.far) == (PF.price(45500), PF.price(45375))


def test_among_others_only_this_price_moves() -> None:
    found = liquidation.among_others(
        PF_LEVELS,
        PF.contracts("0.5"),
        mark=PF.price(50000),
        equity=Amount(3000, "USD"),
        maintenance=Amount(500, "USD"),
    )
    assert found.near == PF.price(45000)
    assert any("stand still" in text for text in found.assumes)


def test_what_cannot_be_said_is_refused() -> None:
    with pytest.raises(InvalidValue, match="nothing is held"):
        liquidation.alone(PF_LEVELS, PF.contracts(0), entry=PF.price(1), collateral=Amount(1, "USD"))
    with pytest.raises(InvalidValue, match="backed by USD"):
        liquidation.alone(PF_LEVELS, PF.contracts(1), entry=PF.price(1), collateral=Amount(1, "BTC"))
    with pytest.raises(InvalidValue, match="wallet to themselves"):
        liquidation.among_others(
            PI_LEVELS, PI.contracts(1), mark=PI.price(1), equity=Amount(1, "BTC"), maintenance=Amount(0, "BTC")
        )


@given(
    st.sampled_from([PF_LEVELS, PI_LEVELS]),
    sizes,
    st.sampled_from([1, -1]),
    prices,
    st.integers(1, 1000),
    st.booleans(),
)
def test_at_the_price_what_backs_it_is_its_margin(
    levels: MarginSchedule, size: Decimal, sign: int, entry: Decimal, thousandths: int, nearer: bool
) -> None:
    contract = levels.contract
    held, at = contract.contracts(size * sign), contract.price(entry)
    collateral = contract.notional(held, at).times(Decimal(thousandths).scaleb(-3))
    found = liquidation.alone(levels, held, entry=at, collateral=collateral)
    price = found.near if nearer else found.far
    if price is None:
        return
    margin = levels.position_margin(MAINTENANCE, held, entry=at, mark=price)
    left = collateral + contract.profit(held, at, price) - (margin.most if nearer else margin.least)
    assert abs(left.value) <= (contract.notional(held, price).value + collateral.value) * Decimal("1e-28")


# Recorded schedules.


def test_every_recorded_schedule_is_taken(
    captures: Path, context: VenueContext, rest: FuturesRest, run: Callable[..., Any]
) -> None:
    body = (captures / "futures/rest/instruments_5_2026-09.json").read_bytes()
    rest.load_instruments(body)
    listed, _ = run(rest.market.contracts(), body)
    found = {each.venue_id: each for each in listed}
    for listing in found.values():
        assert isinstance(listing.symbol, Symbol)
        levels = MarginSchedule(Contract.of(context.symbols.instrument(listing.symbol)), listing.margin_levels)
        assert all(one.lower_bound < other.lower_bound for one, other in pairwise(levels.levels))
    held = PF.contracts(1)
    assert MarginSchedule(PF, found["PF_XBTUSD"].margin_levels).margin(INITIAL, held, PF.price(82380)).amount == Amount(
        "823.80", "USD"
    )
