"""A portfolio's worth, by hand; and what has no worth is said, never counted as nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.model.account import Balance, Position
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import plain
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio import MarketPrice, PortfolioView, PriceSource, PriceTable, Unvalued, VenueReading, value

D = Decimal
NOW = datetime(2026, 10, 9, tzinfo=UTC)


def instrument(symbol: str, contract_size: str = "1") -> Instrument:
    return Instrument(
        symbol=Symbol.parse(symbol),
        venue_id="X",
        tick_size=D("0.5"),
        lot_size=D("0.0001"),
        min_quantity=D("0.0001"),
        contract_size=D(contract_size),
    )


def prices(**by_market: str) -> PriceTable:
    pairs = ((Symbol.parse(name.replace("_", "/")), D(text)) for name, text in by_market.items())
    return PriceTable(MarketPrice(symbol=symbol, price=price, source=PriceSource.BOOK) for symbol, price in pairs)


def balance(asset: str, total: str, held: str | None = "0", venue: str = "a", wallet: str = "spot") -> Balance:
    return Balance(asset=asset, total=D(total), held=None if held is None else D(held), venue=venue, wallet=wallet)


def position(symbol: str, quantity: str, entry: str, mark: str | None = None, venue: str = "f") -> Position:
    return Position(
        symbol=Symbol.parse(symbol),
        quantity=D(quantity),
        entry_price=D(entry),
        mark_price=None if mark is None else D(mark),
        venue=venue,
    )


@pytest.fixture
def make() -> Callable[..., PortfolioView]:
    def make(**changes: Any) -> PortfolioView:
        listed = ("BTC/USD:USD", "BTC/USD:BTC", "BTC/USD:EUR")
        values: dict[str, Any] = {
            "balances": [],
            "prices": prices(BTC_USD="60000"),
            "instruments": {("f", Symbol.parse(text)): instrument(text) for text in listed},
            "currency": "USD",
            "time": NOW,
        }
        return value(**(values | changes))

    return make


def test_two_venues_are_one_portfolio(make: Callable[..., PortfolioView]) -> None:
    view = make(
        balances=[
            balance("BTC", "0.3", "0.1", venue="b"),
            balance("BTC", "0.2", venue="a"),
            balance("USD", "1000.25", "500.25", venue="a"),
        ]
    )
    assert [(line.asset, line.total, line.held, line.free, line.value) for line in view.assets] == [
        ("BTC", D("0.5"), D("0.1"), D("0.4"), D("30000")),
        ("USD", D("1000.25"), D("500.25"), D("500"), D("1000.25")),
    ]
    assert [part.venue for part in view.assets[0].parts] == ["a", "b"]
    assert (view.assets_value, view.unrealised, view.total) == (D("31000.25"), D(0), D("31000.25"))
    assert (view.venue_value("a"), view.venue_value("b")) == (D("13000.25"), D("18000"))
    assert view.agrees
    assert view.is_complete


def test_wallets_of_one_venue_are_kept_apart_and_added_up(make: Callable[..., PortfolioView]) -> None:
    view = make(balances=[balance("BTC", "1"), balance("BTC", "0.5", None, wallet="earn")])
    line = view.asset("BTC")
    assert line is not None
    assert [(part.wallet, part.total) for part in line.parts] == [("earn", D("0.5")), ("spot", D(1))]
    # What is held in one of them is not known, so neither is what is free of all.
    assert (line.total, line.held, line.free) == (D("1.5"), None, None)


def test_a_linear_position_adds_its_profit_only(make: Callable[..., PortfolioView]) -> None:
    """0.5 long from 50000 to 55000 is 2500 USD (a recomputed example); its collateral is a balance."""
    view = make(
        balances=[balance("USD", "10000", venue="f", wallet="flex")],
        positions=[position("BTC/USD:USD", "0.5", "50000", "55000")],
    )
    line = view.positions[0]
    assert (line.unrealised, line.settle, line.notional, line.notional_asset) == (D("2500"), "USD", D("27500"), "USD")
    assert (view.assets_value, view.unrealised, view.total) == (D("10000"), D("2500"), D("12500"))
    assert view.venue_value("f") == D("12500")


def test_a_short_position_gains_when_prices_fall(make: Callable[..., PortfolioView]) -> None:
    view = make(positions=[position("BTC/USD:USD", "-0.5", "50000", "55000")])
    assert (view.unrealised, view.positions[0].notional) == (D("-2500"), D("27500"))


def test_an_inverse_position_pays_in_the_base_asset(make: Callable[..., PortfolioView]) -> None:
    """10000 contracts of 1 USD long from 50000 to 55000 gain 0.01818... BTC (a recomputed example), at 60000."""
    view = make(positions=[position("BTC/USD:BTC", "10000", "50000", "55000")])
    line = view.positions[0]
    assert line.unrealised is not None
    assert plain(line.unrealised).startswith("0.0181818181818181818181818181818181")
    assert (line.settle, line.notional_asset) == ("BTC", "BTC")
    assert line.value is not None
    assert round(line.value, 6) == D("1090.909091")
    assert view.agrees


def test_a_contract_of_another_size(make: Callable[..., PortfolioView]) -> None:
    symbol = Symbol.parse("BTC/USD:USD")
    view = make(
        positions=[position("BTC/USD:USD", "50", "50000", "50100")],
        instruments={("f", symbol): instrument("BTC/USD:USD", "0.01")},
    )
    assert (view.positions[0].unrealised, view.positions[0].notional) == (D("50"), D("25050"))


def test_the_profit_is_converted_too(make: Callable[..., PortfolioView]) -> None:
    view = make(
        positions=[position("BTC/USD:USD", "0.5", "50000", "55000")], currency="EUR", prices=prices(EUR_USD="1.25")
    )
    assert view.unrealised == D("2000")
    assert str(view.positions[0].rate) == "EUR/USD book"


def test_a_mark_from_elsewhere_is_taken_before_the_positions_own(make: Callable[..., PortfolioView]) -> None:
    symbol = Symbol.parse("BTC/USD:USD")
    for own in (None, "51000"):
        view = make(positions=[position("BTC/USD:USD", "1", "50000", own)], marks={("f", symbol): D("52000")})
        assert view.unrealised == D("2000")


def test_a_flat_position_is_no_position(make: Callable[..., PortfolioView]) -> None:
    assert make(positions=[position("BTC/USD:USD", "0", "0")]).positions == ()


def test_what_has_no_price_is_listed_and_counted_nowhere(make: Callable[..., PortfolioView]) -> None:
    view = make(balances=[balance("XYZ", "7"), balance("USD", "5"), balance("DUST", "0")])
    assert view.total == 5
    assert view.unvalued == (
        Unvalued(what="7 XYZ", reason="no price leads from XYZ to USD over at most 3 spot markets"),
    )
    line = view.asset("XYZ")
    assert line is not None
    assert (line.value, line.rate) == (None, None)
    assert not view.is_complete
    assert view.agrees


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        pytest.param(position("BTC/USD:USD", "1", "50000"), "f gives no mark price for BTC/USD:USD", id="no mark"),
        pytest.param(
            position("ETH/USD:USD", "1", "3000", "3100"),
            "f lists no instrument ETH/USD:USD, so its contract size is not known",
            id="no instrument",
        ),
        pytest.param(
            position("BTC/USD:EUR", "1", "50000", "51000"),
            "BTC/USD:EUR pays in neither its base nor its quote asset; such contracts are not valued here",
            id="paid in a third asset",
        ),
        pytest.param(
            position("BTC/USD:BTC", "1", "0", "51000"), "f gives 0 as the entry price, which is no price", id="no entry"
        ),
    ],
)
def test_a_position_that_cannot_be_valued_is_listed(
    make: Callable[..., PortfolioView], held: Position, reason: str
) -> None:
    view = make(positions=[held])
    assert (view.total, view.positions[0].value, view.positions[0].reason) == (0, None, reason)
    assert view.unvalued == (Unvalued(what=f"position of 1 {held.symbol} at f", reason=reason),)


def test_a_venue_that_was_never_read_is_missing_and_not_empty(make: Callable[..., PortfolioView]) -> None:
    view = make(
        balances=[balance("USD", "5")],
        venues=[
            VenueReading(venue="a", read=NOW),
            VenueReading(venue="b", reason="no connection"),
            VenueReading(venue="c", read=NOW, reason="no answer within 20 s"),
        ],
    )
    assert view.unvalued == (Unvalued(what="everything at b", reason="no connection"),)
    assert [venue.is_fresh for venue in view.venues] == [True, False, False]
    assert not view.is_complete


def test_a_sum_that_is_wrong_is_found(make: Callable[..., PortfolioView]) -> None:
    """Also where it is wrong in a digit that Python's Decimals usually round away."""
    view = make(balances=[balance("BTC", "0.5"), balance("USD", "1")])
    wrong = attrs.evolve(view, total=D("30001." + "0" * 29 + "1"))
    assert not wrong.agrees
    assert [check.what for check in wrong.check() if check.difference] == ["total", "total over venues"]
    assert [check.difference for check in wrong.check() if check.difference] == [D("-1e-30")] * 2


amounts = st.decimals(min_value="-1e12", max_value="1e12", places=10, allow_nan=False)
assets = st.sampled_from(["BTC", "EUR", "ETH", "USD", "XYZ"])
positive = st.decimals(min_value="1e-9", max_value="1e9", places=9, allow_nan=False)


@given(
    st.lists(st.tuples(assets, amounts, st.sampled_from("ab")), max_size=12),
    st.lists(st.tuples(st.sampled_from(["BTC/USD:USD", "BTC/USD:BTC"]), amounts, positive, positive), max_size=4),
    st.tuples(positive, positive, positive),
)
def test_the_sums_agree_to_the_last_digit(
    owned: list[tuple[str, Decimal, str]],
    held: list[tuple[str, Decimal, Decimal, Decimal]],
    market: tuple[Decimal, Decimal, Decimal],
) -> None:
    """Whatever the amounts, prices and crosses are: no digit is lost anywhere."""
    pairs = zip(("BTC/EUR", "EUR/USD", "ETH/BTC"), market, strict=True)
    view = value(
        balances=[Balance(asset=asset, total=total, venue=venue) for asset, total, venue in owned],
        positions=[
            Position(symbol=Symbol.parse(text), quantity=size, entry_price=entry, mark_price=mark, venue="a")
            for text, size, entry, mark in held
        ],
        prices=PriceTable(
            MarketPrice(symbol=Symbol.parse(text), price=price, source=PriceSource.BOOK) for text, price in pairs
        ),
        instruments={("a", Symbol.parse(text)): instrument(text) for text in ("BTC/USD:USD", "BTC/USD:BTC")},
        currency="USD",
        time=NOW,
    )
    assert view.agrees
    assert {what.what.split()[-1] for what in view.unvalued} <= {"XYZ"}
