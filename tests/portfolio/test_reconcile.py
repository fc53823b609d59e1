"""Fills explain the change of balances, to the last digit, or what they do not explain is shown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exchange_core.model.account import Balance, Position
from exchange_core.model.fill import Fee, Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio import explain

D = Decimal
NOW = datetime(2026, 10, 9, tzinfo=UTC)


def balances(venue: str = "a", **amounts: str) -> list[Balance]:
    return [Balance(asset=asset, total=D(amount), venue=venue) for asset, amount in amounts.items()]


def fill(
    side: str, quantity: str, price: str, fee: str | None = "0", number: int = 1, asset: str = "USD", **changes: Any
) -> Fill:
    values: dict[str, Any] = {"symbol": Symbol.parse("BTC/USD"), "venue": "a"}
    return Fill(
        id=f"T{number}",
        side=Side(side),
        price=D(price),
        quantity=D(quantity),
        fee=None if fee is None else Fee(asset=asset, amount=D(fee)),
        time=NOW + timedelta(seconds=number),
        **(values | changes),
    )


def test_a_buy_moves_quantity_cost_and_fee() -> None:
    """0.01 at 60000.1 costs 600.001, and 0.96 fee: 1000 become 399.039."""
    result = explain(
        balances(BTC="0.5", USD="1000"), balances(BTC="0.51", USD="399.039"), [fill("buy", "0.01", "60000.1", "0.96")]
    )
    assert [(row.asset, row.change, row.traded, row.fees, row.difference) for row in result.rows] == [
        ("BTC", D("0.01"), D("0.01"), 0, 0),
        ("USD", D("-600.961"), D("-600.001"), D("0.96"), 0),
    ]
    assert result.agrees


def test_a_sell_moves_the_other_way_and_a_rebate_is_income() -> None:
    result = explain(balances(BTC="1"), balances(BTC="0.5", USD="30003"), [fill("sell", "0.5", "60000", "-3")])
    assert result.agrees


def test_a_fee_can_be_in_the_base_asset() -> None:
    result = explain(balances(USD="100"), balances(BTC="0.998"), [fill("buy", "1", "100", "0.002", asset="BTC")])
    assert result.agrees


def test_the_last_digit_counts() -> None:
    result = explain(balances(USD="1000"), balances(BTC="0.01", USD="399.99899999"), [fill("buy", "0.01", "60000.1")])
    assert not result.agrees
    assert [row.difference for row in result.rows] == [0, D("-0.00000001")]


def test_the_cost_that_the_venue_booked_counts_where_it_says_so() -> None:
    """0.001 at 333.333 are 0.333333; the venue booked 0.3333."""
    after = balances(BTC="0.001", USD="9.6667")
    assert explain(balances(USD="10"), after, [fill("buy", "0.001", "333.333", cost=D("0.3333"))]).agrees
    assert not explain(balances(USD="10"), after, [fill("buy", "0.001", "333.333")]).agrees


def test_each_venue_is_explained_by_its_own_fills() -> None:
    before = [*balances("a", USD="100"), *balances("b", USD="100")]
    after = [*balances("a", USD="100"), *balances("b", USD="0", BTC="1")]
    assert explain(before, after, [fill("buy", "1", "100", venue="b")]).agrees
    wrong = explain(before, after, [fill("buy", "1", "100", venue="a")])
    assert {(row.venue, row.asset): row.difference for row in wrong.rows} == {
        ("a", "BTC"): D(-1),
        ("a", "USD"): D(100),
        ("b", "BTC"): D(1),
        ("b", "USD"): D(-100),
    }


def test_what_moves_between_wallets_of_a_venue_is_no_change() -> None:
    before = [Balance(asset="BTC", total=D(1), venue="a", wallet="spot")]
    after = [
        Balance(asset="BTC", total=D("0.4"), venue="a"),
        Balance(asset="BTC", total=D("0.6"), venue="a", wallet="earn"),
    ]
    assert explain(before, after, []).rows == ()


def test_a_deposit_is_a_difference() -> None:
    result = explain(balances(USD="1"), balances(USD="3"), [])
    assert [(row.asset, row.difference) for row in result.rows] == [("USD", D(2))]
    assert not result.agrees


def test_a_fill_counts_once() -> None:
    one = fill("buy", "1", "100")
    assert explain(balances(USD="100"), balances(BTC="1"), [one, one]).agrees


def test_a_fee_that_was_not_told_is_not_zero() -> None:
    result = explain(balances(USD="100"), balances(BTC="1"), [fill("buy", "1", "100", fee=None)])
    assert result.open_points == ("a did not tell the fee of fill T1",)
    assert not result.agrees


def test_rounding_is_allowed_only_where_the_venue_says_that_it_rounds() -> None:
    """1/3 of a cent: cost and fee may each be off by less than a step."""
    given_fill = fill("buy", "0.001", "333.333", "0.0005")
    before, after = balances(USD="10"), balances(BTC="0.001", USD="9.6661")
    assert not explain(before, after, [given_fill]).agrees
    result = explain(before, after, [given_fill], steps={"USD": D("0.0001")})
    assert result.agrees
    assert [row.rounding for row in result.rows] == [0, D("0.0002")]
    assert not explain(before, balances(BTC="0.001", USD="9.6659"), [given_fill], steps={"USD": D("0.0001")}).agrees


def contract(symbol: str, size: str = "1") -> dict[tuple[str, Symbol], Instrument]:
    made = Instrument(
        symbol=Symbol.parse(symbol),
        venue_id="X",
        tick_size=D("0.5"),
        lot_size=D(1),
        min_quantity=D(1),
        contract_size=D(size),
    )
    return {("a", made.symbol): made}


def test_opening_a_contract_moves_the_fee_only() -> None:
    symbol = Symbol.parse("BTC/USD:USD")
    opened = fill("buy", "2", "50000", "5", symbol=symbol)
    assert explain(balances(USD="100"), balances(USD="95"), [opened], instruments=contract("BTC/USD:USD")).agrees


def test_closing_a_linear_contract_moves_its_profit() -> None:
    """Long 3 from 50000; 1 more at 54000 makes 51000 on average; 2 sold at 52000 gain 2000, less fees of 5."""
    symbol = Symbol.parse("BTC/USD:USD")
    fills = [
        fill("buy", "1", "54000", "2", number=1, symbol=symbol),
        fill("sell", "2", "52000", "3", number=2, symbol=symbol),
    ]
    held = [Position(symbol=symbol, quantity=D(3), entry_price=D(50000), venue="a")]
    for given_fills in (fills, fills[::-1]):
        result = explain(
            balances(USD="100"),
            balances(USD="2095"),
            given_fills,
            positions=held,
            instruments=contract("BTC/USD:USD"),
        )
        assert [(row.traded, row.fees, row.difference) for row in result.rows] == [(D(2000), D(5), 0)]


def test_turning_a_position_round_closes_it_and_opens_the_rest() -> None:
    """Long 1 from 50000: 3 sold at 51000 gain 1000; the 2 short from 51000 bought back at 50500 gain 1000."""
    symbol = Symbol.parse("BTC/USD:USD")
    fills = [
        fill("sell", "3", "51000", number=1, symbol=symbol),
        fill("buy", "2", "50500", number=2, symbol=symbol),
    ]
    held = [Position(symbol=symbol, quantity=D(1), entry_price=D(50000), venue="a")]
    result = explain(
        balances(USD="0"), balances(USD="2000"), fills, positions=held, instruments=contract("BTC/USD:USD")
    )
    assert result.agrees


def test_an_inverse_contract_pays_in_its_base_and_averages_harmonically() -> None:
    """1000 at 50000 and 3000 at 60000 are 57142.857... on average (a recomputed example); sold at 64000.

    They stand for 0.02 + 0.05 BTC and are sold for 0.0625: a gain of 0.0075.
    """
    symbol = Symbol.parse("BTC/USD:BTC")
    fills = [
        fill("buy", "1000", "50000", number=1, symbol=symbol, asset="BTC"),
        fill("buy", "3000", "60000", number=2, symbol=symbol, asset="BTC"),
        fill("sell", "4000", "64000", number=3, symbol=symbol, asset="BTC"),
    ]
    result = explain(balances(BTC="1"), balances(BTC="1.0075"), fills, instruments=contract("BTC/USD:BTC"))
    assert [abs(row.difference) < D("1e-30") for row in result.rows] == [True]


def test_contracts_without_their_instrument_stay_open() -> None:
    result = explain(balances(USD="1"), balances(USD="1"), [fill("buy", "1", "9", symbol=Symbol.parse("BTC/USD:USD"))])
    assert result.open_points == ("profit of fill T1 of BTC/USD:USD at a is not known: its instrument is not given",)


fills = st.builds(
    fill,
    side=st.sampled_from(["buy", "sell"]),
    quantity=st.integers(1, 10**12).map(lambda steps: str(D(steps).scaleb(-8))),
    price=st.integers(1, 10**8).map(lambda ticks: str(D(ticks).scaleb(-1))),
    fee=st.integers(-(10**12), 10**12).map(lambda steps: str(D(steps).scaleb(-10))),
    number=st.integers(1, 10**9),
    venue=st.sampled_from("ab"),
)


@given(st.lists(fills, max_size=20, unique_by=lambda each: (each.venue, each.id)))
def test_any_fills_are_explained_exactly(given_fills: list[Fill]) -> None:
    """A ledger that books every amount of every fill is right, and one digit more is not."""
    amounts: dict[tuple[str, str], int] = {(venue, asset): 10**30 for venue in "ab" for asset in ("BTC", "USD")}
    before = dict(amounts)
    for each in given_fills:
        assert each.fee is not None
        sign = each.side.sign
        amounts[each.venue, "BTC"] += sign * int(each.quantity.scaleb(10))
        cost = int(each.quantity.scaleb(8)) * int(each.price.scaleb(1)) * 10
        amounts[each.venue, "USD"] -= sign * cost + int(each.fee.amount.scaleb(10))

    def as_balances(given_amounts: dict[tuple[str, str], int]) -> list[Balance]:
        return [
            Balance(asset=asset, total=D(f"{amount}e-10"), venue=venue)
            for (venue, asset), amount in given_amounts.items()
        ]

    assert explain(as_balances(before), as_balances(amounts), given_fills).agrees
    amounts["a", "USD"] += 1
    assert not explain(as_balances(before), as_balances(amounts), given_fills).agrees
