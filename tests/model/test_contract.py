"""Futures arithmetic in units that cannot be mixed up: worked examples, and what must hold for any numbers."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.errors import InvalidValue
from exchange_core.model.contract import Contract
from exchange_core.model.exposure import Exposure
from exchange_core.model.symbol import Symbol
from exchange_core.model.units import Amount, Contracts, Price

LINEAR = Contract(Symbol.parse("BTC/USD:USD"))
INVERSE = Contract(Symbol.parse("BTC/USD:BTC"))
BOTH = [pytest.param(LINEAR, id="linear"), pytest.param(INVERSE, id="inverse")]


def near(found: Decimal, expected: Decimal | str, within: str = "1e-28") -> bool:
    """Return whether two numbers agree but for the rounding of quotients."""
    expected = Decimal(expected)
    with localcontext() as context:
        context.prec = 60
        return abs(found - expected) <= Decimal(within) * max(abs(expected), Decimal(1))


# What cannot be mixed.


def test_dollars_are_not_added_to_coins() -> None:
    with pytest.raises(InvalidValue, match="5 USD cannot be added to 1 BTC"):
        Amount("1", "BTC") + Amount("5", "USD")
    with pytest.raises(InvalidValue):
        Amount("1", "BTC") - Amount("5", "USD")
    with pytest.raises(InvalidValue):
        assert Amount("1", "BTC") < Amount("5", "USD")
    assert Amount("1", "BTC") != Amount("1", "USD")


def test_contracts_are_no_coins_and_no_other_contract() -> None:
    with pytest.raises(TypeError):
        Amount("1", "BTC") + LINEAR.contracts(1)  # type: ignore[operator]
    with pytest.raises(TypeError):
        LINEAR.contracts(1) + Amount("1", "BTC")  # type: ignore[operator]
    with pytest.raises(InvalidValue):
        LINEAR.contracts(1) + INVERSE.contracts(1)
    with pytest.raises(TypeError):
        LINEAR.profit(Amount("1", "BTC"), LINEAR.price(1), LINEAR.price(2))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        LINEAR.contracts_for(LINEAR.contracts(1), LINEAR.price(2))  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="no quantity of BTC/USD:USD"):
        LINEAR.notional(INVERSE.contracts(1), LINEAR.price(2))


def test_a_bare_number_is_nothing() -> None:
    with pytest.raises(TypeError):
        LINEAR.notional(LINEAR.contracts(1), Decimal(50000))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        LINEAR.notional(Decimal(1), LINEAR.price(50000))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Amount("1", "USD") + Decimal(1)  # type: ignore[operator]
    with pytest.raises(InvalidValue, match="float"):
        Amount(0.1, "USD")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="float"):
        LINEAR.share(LINEAR.contracts(1), LINEAR.price(1), 0.0005)  # type: ignore[arg-type]


def test_a_price_is_of_its_own_market_and_above_zero() -> None:
    with pytest.raises(InvalidValue, match="no price of BTC/USD:USD"):
        LINEAR.notional(LINEAR.contracts(1), Price("3000", "ETH", "USD"))
    with pytest.raises(InvalidValue, match="not above zero"):
        LINEAR.price(0)
    with pytest.raises(InvalidValue):
        Price("3000", "ETH", "USD").of(Amount("1", "BTC"))


def test_a_relative_funding_rate_is_no_absolute_one() -> None:
    with pytest.raises(TypeError):
        LINEAR.funding(LINEAR.contracts(1), Decimal("0.0001"))  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="counted in BTC"):
        INVERSE.funding(INVERSE.contracts(1), Amount("0.0001", "USD"))


@pytest.mark.parametrize("symbol", ["BTC/USD", "XRP/BTC:USD"])
def test_what_pays_in_no_asset_of_its_own_is_no_contract_here(symbol: str) -> None:
    with pytest.raises(InvalidValue, match="pays in its base or its quote"):
        Contract(Symbol.parse(symbol))


# Worked examples of the venue and of its recordings.


def test_profit_is_paid_in_dollars_or_in_coins() -> None:
    linear = LINEAR.profit(LINEAR.contracts("0.5"), LINEAR.price(50000), LINEAR.price(55000))
    assert linear == Amount(2500, "USD")
    inverse = INVERSE.profit(INVERSE.contracts(10000), INVERSE.price(50000), INVERSE.price(55000))
    assert str(inverse) == "0.01818181818181818181818181818181818 BTC"


def test_the_recorded_position_to_its_last_digit() -> None:
    """The venue counts in binary floats: 119.56244985549435 is what it makes of the exact product."""
    found = LINEAR.profit(LINEAR.contracts("0.04"), LINEAR.price("26911.75"), LINEAR.price("29900.81124638736"))
    assert found == Amount("119.5624498554944", "USD")
    assert near(found.value, "119.56244985549435", "1e-14")


def test_notional_in_each_unit() -> None:
    price = INVERSE.price(50000)
    assert INVERSE.in_quote(INVERSE.contracts(10000), price) == Amount(10000, "USD")
    assert INVERSE.in_base(INVERSE.contracts(-10000), price) == Amount("-0.2", "BTC")
    assert INVERSE.notional(INVERSE.contracts(-10000), price) == Amount("0.2", "BTC")
    assert LINEAR.in_base(LINEAR.contracts("0.5"), price) == Amount("0.5", "BTC")
    assert LINEAR.in_quote(LINEAR.contracts("-0.5"), price) == Amount(-25000, "USD")
    assert LINEAR.notional(LINEAR.contracts("-0.5"), price) == Amount(25000, "USD")
    assert INVERSE.contracts_for(Amount("0.2", "BTC"), price) == INVERSE.contracts(10000)
    assert LINEAR.contracts_for(Amount(25000, "USD"), price) == LINEAR.contracts("0.5")


def test_fees_as_recorded() -> None:
    eth = Contract(Symbol.parse("ETH/USD:USD"))
    assert eth.share(eth.contracts("0.001"), eth.price("3162.0"), "0.0005") == Amount("0.001581", "USD")
    inverse = Contract(Symbol.parse("ETH/USD:ETH"))
    fee = inverse.share(inverse.contracts(5000), inverse.price("364.65"), "0.0005")
    assert str(fee).startswith("0.0068558892088")
    assert fee.asset == "ETH"
    btc = INVERSE.share(INVERSE.contracts(5000), INVERSE.price("10937.5"), "-0.0002")
    assert str(btc).startswith("-0.0000914285714")
    assert btc.asset == "BTC"


def test_the_average_of_an_inverse_contract_is_harmonic() -> None:
    average = INVERSE.average(
        INVERSE.contracts(1000), INVERSE.price(50000), INVERSE.contracts(3000), INVERSE.price(60000)
    )
    assert str(average.value).startswith("57142.857142857142857142")
    average = LINEAR.average(LINEAR.contracts(1000), LINEAR.price(50000), LINEAR.contracts(3000), LINEAR.price(60000))
    assert average == LINEAR.price(57500)
    bch = Contract(Symbol.parse("BCH/USD:BCH"))
    logged = bch.average(bch.contracts(1), bch.price("413.3"), bch.contracts(1), bch.price("342.1"))
    assert near(logged.value, "374.3445326979084", "1e-14")


def test_funding_absolute_and_relative() -> None:
    """Linear: dollars per coin; inverse: coins per dollar. The sheet's checks, one of either."""
    rate, index = INVERSE.amount("-6.2604214e-11"), INVERSE.price("22049.39")
    relative = INVERSE.relative_funding(rate, index)
    assert relative == Decimal("-0.00000138038473012946")
    assert near(relative / Decimal("-1.380384722222e-6"), "1", "1e-8")  # the rate is printed with eight digits
    assert INVERSE.funding(INVERSE.contracts(10000), rate) == Amount("6.2604214e-7", "BTC")
    eth = Contract(Symbol.parse("ETH/USD:USD"))
    paid = eth.amount("0.032725177043125")
    assert str(eth.relative_funding(paid, eth.price("1752.71")))[:14] == "0.000018671187"
    assert eth.funding(eth.contracts(2), paid) == Amount("-0.06545035408625", "USD")
    assert eth.funding(eth.contracts(-2), paid, "0.5") == Amount("0.032725177043125", "USD")
    capped = Contract(Symbol.parse("ADA/USD:ADA"))
    assert str(capped.relative_funding(capped.amount("1.18588737106e-7"), capped.price("21087.8")))[:9] == "0.0025007"


def test_the_account_logs_funding_credits_a_long() -> None:
    """Rate -8.7002552653e-8 brought +6.9602e-7 to 8 contracts."""
    bch = Contract(Symbol.parse("BCH/USD:BCH"))
    found = bch.funding(bch.contracts(8), bch.amount("-8.7002552653e-8"))
    assert found == Amount("6.96020421224e-7", "BCH")


# What holds for any numbers.

sizes = st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-4))
prices = st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-2))
signs = st.sampled_from([1, -1])
fills = st.lists(st.tuples(sizes, signs, prices), min_size=1, max_size=12)
contracts = st.sampled_from([LINEAR, INVERSE, Contract(LINEAR.symbol, "0.1"), Contract(INVERSE.symbol, 10)])


def after(contract: Contract, rows: list[tuple[Decimal, int, Decimal]], mirror: int = 1) -> Exposure:
    found = Exposure.flat(contract)
    for size, sign, price in rows:
        found = found.filled(contract.contracts(size * sign * mirror), contract.price(price))
    return found


def scale(contract: Contract, rows: list[tuple[Decimal, int, Decimal]]) -> Decimal:
    """Return the largest number on the way, that rounding is judged by."""
    return max(
        [Decimal(1)]
        + [contract.notional(contract.contracts(size), contract.price(price)).value for size, _, price in rows]
    ) * len(rows)


@given(contracts, sizes, signs, prices, prices)
def test_open_and_close_earn_what_profit_says(
    contract: Contract, size: Decimal, sign: int, entry: Decimal, exit_: Decimal
) -> None:
    found = after(contract, [(size, sign, entry), (size, -sign, exit_)])
    assert not found.held
    assert found.entry is None
    held = contract.contracts(size * sign)
    assert found.realised == contract.profit(held, contract.price(entry), contract.price(exit_))
    moved = (exit_ - entry) * sign
    assert (found.realised.value > 0) == (moved > 0)
    assert (found.realised.value < 0) == (moved < 0)


@given(contracts, sizes, signs, prices, prices)
def test_there_and_back_earns_nothing(
    contract: Contract, size: Decimal, sign: int, entry: Decimal, exit_: Decimal
) -> None:
    held, one, other = contract.contracts(size * sign), contract.price(entry), contract.price(exit_)
    assert contract.profit(held, one, other) == -contract.profit(held, other, one)
    assert contract.profit(held, one, one) == contract.amount(0)


@given(contracts, fills, prices)
def test_buying_mirrors_selling(contract: Contract, rows: list[tuple[Decimal, int, Decimal]], mark: Decimal) -> None:
    found, mirrored = after(contract, rows), after(contract, rows, mirror=-1)
    assert mirrored.held == -found.held
    assert mirrored.entry == found.entry
    assert mirrored.realised == -found.realised
    assert mirrored.unrealised(contract.price(mark)) == -found.unrealised(contract.price(mark))


@given(contracts, fills, prices)
def test_realised_and_unrealised_together_are_the_sum_over_the_fills(
    contract: Contract, rows: list[tuple[Decimal, int, Decimal]], mark: Decimal
) -> None:
    """However they are added, reduced and flipped: each fill gains what it gains to the mark."""
    found, price = after(contract, rows), contract.price(mark)
    parts = [contract.profit(contract.contracts(s * sign), contract.price(p), price).value for s, sign, p in rows]
    whole = found.realised + found.unrealised(price)
    worst = scale(contract, [*rows, *((s, sign, mark) for s, sign, _ in rows)])
    with localcontext() as context:
        context.prec = 60
        assert abs(whole.value - sum(parts)) <= worst * Decimal("1e-28")


@given(contracts, sizes, sizes, signs, prices, prices)
def test_a_flip_is_a_close_and_an_open(
    contract: Contract, size: Decimal, beyond: Decimal, sign: int, entry: Decimal, price: Decimal
) -> None:
    at_once = after(contract, [(size, sign, entry), (size + beyond, -sign, price)])
    in_two = after(contract, [(size, sign, entry), (size, -sign, price), (beyond, -sign, price)])
    assert at_once == in_two
    assert at_once.held == contract.contracts(beyond * -sign)
    assert at_once.entry == contract.price(price)


@given(contracts, sizes, sizes, prices)
def test_a_part_closed_leaves_the_entry(contract: Contract, left: Decimal, closed: Decimal, price: Decimal) -> None:
    found = after(contract, [(left + closed, 1, Decimal("1000.5")), (closed, -1, price)])
    assert found.entry == contract.price("1000.5")
    assert found.held == contract.contracts(left)


@given(contracts, fills)
def test_an_entry_lies_between_the_prices_it_comes_from(
    contract: Contract, rows: list[tuple[Decimal, int, Decimal]]
) -> None:
    found = after(contract, [(size, 1, price) for size, _, price in rows])
    assert found.entry is not None
    low, high = min(price for *_, price in rows), max(price for *_, price in rows)
    assert low * (1 - Decimal("1e-27")) <= found.entry.value <= high * (1 + Decimal("1e-27"))
    shuffled = after(contract, [(size, 1, price) for size, _, price in reversed(rows)])
    assert shuffled.entry is not None
    assert near(shuffled.entry.value / found.entry.value, "1", "1e-26")


@given(contracts, sizes, signs, prices, st.integers(-(10**6), 10**6))
def test_with_a_rate_above_zero_longs_pay_shorts(
    contract: Contract, size: Decimal, sign: int, index: Decimal, rate: int
) -> None:
    absolute = contract.absolute_funding(Decimal(rate).scaleb(-9), contract.price(index))
    paid = contract.funding(contract.contracts(size * sign), absolute)
    assert (paid.value < 0) == (rate * sign > 0)
    assert contract.funding(contract.contracts(-size * sign), absolute) == -paid
    back = contract.relative_funding(absolute, contract.price(index))
    assert near(back, Decimal(rate).scaleb(-9))


@given(contracts, sizes, prices)
def test_an_amount_and_its_contracts_are_the_same(contract: Contract, size: Decimal, price: Decimal) -> None:
    held, at = contract.contracts(size), contract.price(price)
    for amount in (contract.in_base(held, at), contract.in_quote(held, at)):
        assert near(contract.contracts_for(amount, at).value / size, "1")


def test_fees_and_funding_stand_beside_the_profit() -> None:
    found = after(LINEAR, [(Decimal("0.5"), 1, Decimal(50000)), (Decimal("0.5"), -1, Decimal(55000))])
    found = found.charged(Amount("12.5", "USD")).charged(Amount("-2.5", "USD"))
    assert found.realised == Amount(2500, "USD")
    assert found.net == Amount(2490, "USD")
    held = Exposure.holding(LINEAR, LINEAR.contracts(2), LINEAR.price(50000)).funded(LINEAR.amount("0.5"), 3)
    assert held.funding == Amount(-3, "USD")
    with pytest.raises(InvalidValue):
        found.charged(Amount("1", "BTC"))


def test_the_callers_decimal_context_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        found = LINEAR.profit(LINEAR.contracts("0.04"), LINEAR.price("26911.75"), LINEAR.price("29900.25"))
        assert found == Amount("119.54", "USD")
        assert Contracts("1.2345", LINEAR.symbol) + Contracts("1", LINEAR.symbol) == LINEAR.contracts("2.2345")
