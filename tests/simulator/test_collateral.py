"""Other assets back positions: what they are worth as margin, what conversions book, what may leave, liquidation."""

from decimal import ROUND_FLOOR, Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.simulation import (
    BalanceChanged,
    Refusal,
    SimCollateral,
    SimCollateralValue,
    SimMargin,
    SimRefused,
)
from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.order import OrderStatus
from exchange_core.simulator.exchange import SimulatedExchange
from tests.simulator.conftest import INVERSE, LINEAR, SPEC, Desk, HandClock

FREE = [
    attrs.evolve(each, fees=FeeRates(maker=Decimal(0), taker=Decimal(0)))
    for each in SPEC.markets
    if not each.instrument.symbol.is_spot
]
COINS = SimCollateral(asset="BTC.flex", settles="USD", market=LINEAR, haircut=Decimal("0.02"), spread=Decimal("0.0025"))
EUROS = SimCollateral(asset="EUR", settles="USD", price=Decimal("1.1"), haircut=Decimal("0.01"))
POOLED = attrs.evolve(
    SPEC,
    markets=FREE,
    assets=(
        *(Asset(code=code, venue_id="XBT", decimals=8) for code in ("BTC", "BTC.flex")),
        *(Asset(code=code, venue_id=code, decimals=4) for code in ("USD", "EUR")),
    ),
    collateral=(COINS, EUROS),
)


@pytest.fixture
def desk() -> Desk:
    """alice has 10 USD, 2 of the coin worth 100 each, and 50 EUR; bob has a lot."""
    clock = HandClock()
    exchange = SimulatedExchange(POOLED, seed=1, clock=clock)
    found = Desk(exchange, clock)
    exchange.listen(found.events.append)
    exchange.add_account("alice", {"USD": Decimal(10), "BTC.flex": Decimal(2), "EUR": Decimal(50)})
    exchange.add_account("bob", {"USD": Decimal(1_000_000), "BTC": Decimal(100)})
    exchange.set_index(LINEAR, Decimal(100))
    return found


def trade(desk: Desk, side: str, quantity: str, price: str, symbol: Any = LINEAR) -> None:
    """Let alice trade with bob."""
    desk.place("bob", {"buy": "sell", "sell": "buy"}[side], quantity, price, symbol=symbol)
    assert desk.place("alice", side, quantity, price, symbol=symbol).status is OrderStatus.FILLED
    desk.exchange.check_invariants()


def mark(desk: Desk, price: str) -> None:
    desk.exchange.set_mark(LINEAR, Decimal(price))
    desk.exchange.step()
    desk.exchange.check_invariants()


def margin(desk: Desk) -> SimMargin:
    return next(each for each in desk.exchange.margins("alice") if each.asset == "USD")


def values(desk: Desk) -> dict[str, SimCollateralValue]:
    return {each.asset: each for each in desk.exchange.collateral("alice")}


def totals(desk: Desk) -> dict[str, Decimal]:
    return {each.asset: each.total for each in desk.exchange.balances("alice")}


def conversions(desk: Desk) -> list[tuple[str, Decimal, Decimal]]:
    entries = [entry for entry in desk.exchange.ledger("alice") if entry.kind == "conversion"]
    return [(entry.asset, entry.amount, entry.fee) for entry in entries]


def test_collateral_is_the_value_less_haircut_and_conversion(desk: Desk) -> None:
    """2 x 100 x 0.98 x 0.9975 = 195.51, the share that Kraken's documented answer shows; 50 x 1.1 x 0.99 = 54.45."""
    found = values(desk)
    assert (found["BTC.flex"].value, found["BTC.flex"].collateral) == (200, Decimal("195.51"))
    assert (found["EUR"].value, found["EUR"].collateral) == (55, Decimal("54.45"))
    assert (found["USD"].value, found["USD"].collateral) == (10, 10)
    assert margin(desk).equity == Decimal("259.96")
    assert margin(desk).collateral == Decimal("249.96")


def test_the_documented_answer_to_the_last_digit() -> None:
    """0.1185308247 at 42172.33 is 4998.721054420551; what counts of it is 4886.49976674881."""
    clock = HandClock()
    fine = [Asset(code=code, venue_id=code, decimals=14) for code in ("USD", "EUR", "BTC", "BTC.flex")]
    market = attrs.evolve(FREE[0], instrument=attrs.evolve(FREE[0].instrument, tick_size=Decimal("0.01")))
    exchange = SimulatedExchange(attrs.evolve(POOLED, assets=fine), seed=1, clock=clock, markets=[market])
    exchange.add_account("alice", {"BTC.flex": Decimal("0.1185308247")})
    exchange.set_index(LINEAR, Decimal("42172.33"))
    (found,) = exchange.collateral("alice")
    assert found.value == Decimal("4998.721054420551")
    assert abs(found.collateral - Decimal("4886.49976674881")) < Decimal("1e-11")


def test_positions_are_opened_with_what_counts_as_margin(desk: Desk) -> None:
    """2 % of 129 x 100 are 258 of the 259.96; another 1 is too much."""
    trade(desk, "buy", "129", "100")
    with pytest.raises(SimRefused) as caught:
        desk.place("alice", "buy", "1", "100", symbol=LINEAR)
    assert caught.value.refusal is Refusal.INSUFFICIENT_FUNDS
    assert margin(desk).available == Decimal("1.96")


def test_profits_that_are_not_booked_count_too(desk: Desk) -> None:
    trade(desk, "buy", "100", "100")
    desk.exchange.set_mark(LINEAR, Decimal(101))
    assert margin(desk).available == Decimal("159.96")  # 259.96 + 100 - 200


def test_all_of_each_asset_is_available_as_far_as_the_others_back(desk: Desk) -> None:
    """60 are kept back; without the 195.51 of coins there are 64.45 left, without euros and dollars even more."""
    trade(desk, "buy", "30", "100")
    found = values(desk)
    assert (found["USD"].available, found["EUR"].available, found["BTC.flex"].available) == (10, 50, 2)
    desk.exchange.book_money("alice", "BTC.flex", Decimal(-2), kind="withdrawal")
    desk.exchange.check_invariants()
    found = values(desk)  # now 64.45 - 60 = 4.45 may go: 4.45 dollars, or 4.45 / 1.089 euros
    assert (found["USD"].available, found["EUR"].available) == (Decimal("4.45"), Decimal("4.0863"))


def test_more_than_the_margin_leaves_does_not_leave(desk: Desk) -> None:
    trade(desk, "buy", "120", "100")  # 240 of 259.96
    available = values(desk)["BTC.flex"].available
    assert available == (Decimal("19.96") / (100 * Decimal("0.97755"))).quantize(Decimal("1e-8"), ROUND_FLOOR)
    before = desk.exchange.balances("alice")
    with pytest.raises(SimRefused) as caught:
        desk.exchange.book_money("alice", "BTC.flex", -available - Decimal("1e-8"), kind="withdrawal")
    assert caught.value.refusal is Refusal.INSUFFICIENT_FUNDS
    assert desk.exchange.balances("alice") == before
    desk.exchange.book_money("alice", "BTC.flex", -available, kind="withdrawal")
    assert 0 <= margin(desk).available < Decimal("0.001")


def test_a_loss_beyond_the_dollars_is_paid_by_the_smallest_haircut_first(desk: Desk) -> None:
    """30 are lost, 10 are there: 20 dollars cost 18.1819 euros at 1.1 without any spread."""
    trade(desk, "buy", "10", "100")
    trade(desk, "sell", "10", "97")
    assert conversions(desk) == [("EUR", Decimal("-18.1819"), 0), ("USD", Decimal("20.0000"), 0)]
    assert totals(desk) == {"USD": 0, "BTC.flex": 2, "EUR": Decimal("31.8181")}


def test_what_the_first_cannot_pay_the_next_does_and_the_conversion_costs(desk: Desk) -> None:
    """110 lost: 10 dollars, 50 euros bring 55, and 45 more need 45 / 0.9975 dollars of coins."""
    trade(desk, "buy", "20", "100")
    trade(desk, "sell", "20", "94.5")
    euros, dollars, coins, more = conversions(desk)
    assert (euros, dollars) == (("EUR", Decimal(-50), 0), ("USD", Decimal(55), 0))
    gross = Decimal("45.1128")  # the first with four decimals of which 0.25 % less are 45
    assert more == ("USD", gross, Decimal("0.1128"))
    assert coins == ("BTC.flex", Decimal("-0.45112800"), 0)
    assert totals(desk)["USD"] == 0


def test_nobody_is_asked_for_more_than_there_is(desk: Desk) -> None:
    """The account is bankrupt: everything is sold, and the house pays the rest when it is liquidated."""
    trade(desk, "buy", "129", "100")
    desk.place("bob", "buy", "129", "50", symbol=LINEAR)
    mark(desk, "98")
    mark(desk, "50")
    assert not desk.exchange.positions("alice")
    assert totals(desk) == {"USD": 0, "BTC.flex": 0, "EUR": 0}
    assert desk.exchange.ledger("alice")[-1].kind == "insurance"


def test_profits_are_converted_where_the_account_wants_them(desk: Desk) -> None:
    """50 dollars of profit buy 0.5 of the coin, of which 0.25 % stay with the house."""
    desk.exchange.pay_profit_in("alice", LINEAR, "BTC.flex")
    trade(desk, "buy", "10", "100")
    trade(desk, "sell", "10", "105")
    assert conversions(desk) == [("USD", Decimal(-50), 0), ("BTC.flex", Decimal("0.5"), Decimal("0.00125"))]
    assert totals(desk) == {"USD": 10, "BTC.flex": Decimal("2.49875"), "EUR": 50}
    trade(desk, "buy", "10", "100")
    trade(desk, "sell", "10", "99.5")
    assert totals(desk)["USD"] == 5, "losses are paid in dollars"


def test_funding_is_converted_too(desk: Desk) -> None:
    desk.exchange.pay_profit_in("alice", LINEAR, "EUR")
    trade(desk, "sell", "10", "100")
    desk.exchange.set_funding(LINEAR, Decimal("0.0011"))  # alice is short: she gets 1.1 an hour
    desk.clock.advance(3600)
    desk.exchange.step()
    desk.exchange.check_invariants()
    assert conversions(desk) == [("USD", Decimal("-1.1"), 0), ("EUR", Decimal(1), 0)]


def test_a_gain_that_will_be_converted_counts_less(desk: Desk) -> None:
    desk.exchange.pay_profit_in("alice", LINEAR, "BTC.flex")
    trade(desk, "buy", "10", "100")
    desk.exchange.set_mark(LINEAR, Decimal(105))
    assert (margin(desk).unrealised, margin(desk).as_margin) == (50, Decimal("48.8775"))
    desk.exchange.set_mark(LINEAR, Decimal(95))
    assert (margin(desk).unrealised, margin(desk).as_margin) == (-50, -50)


def test_a_preference_that_would_liquidate_is_refused(desk: Desk) -> None:
    """The account lives on a gain of which a haircut would take too much."""
    desk.exchange.book_money("alice", "BTC.flex", Decimal(-2), kind="withdrawal")
    trade(desk, "buy", "30", "100")
    mark(desk, "300")
    desk.exchange.book_money("alice", "EUR", Decimal(-50), kind="withdrawal")
    desk.exchange.book_money("alice", "USD", Decimal(-10), kind="withdrawal")
    mark(desk, "101.01")  # 30.3 against 30 that are needed
    assert desk.exchange.positions("alice")
    with pytest.raises(SimRefused) as caught:
        desk.exchange.pay_profit_in("alice", LINEAR, "BTC.flex")
    assert caught.value.refusal is Refusal.INSUFFICIENT_MARGIN
    assert margin(desk).as_margin == margin(desk).unrealised
    desk.exchange.pay_profit_in("alice", LINEAR, "USD")


@pytest.mark.parametrize(("symbol", "asset"), [(LINEAR, "BTC"), (LINEAR, "X"), (INVERSE, "EUR")])
def test_profit_is_only_paid_in_what_backs_the_market(desk: Desk, symbol: Any, asset: str) -> None:
    with pytest.raises(SimRefused) as caught:
        desk.exchange.pay_profit_in("alice", symbol, asset)
    assert caught.value.refusal is Refusal.INVALID_QUANTITY


def test_falling_collateral_liquidates_a_position_that_stands_still(desk: Desk) -> None:
    """129 long at 100 need 129; with the coin at 31 the collateral is 10 + 54.45 + 60.6 and too little."""
    trade(desk, "buy", "129", "100")
    desk.place("bob", "buy", "129", "100", symbol=LINEAR)
    desk.exchange.set_mark(LINEAR, Decimal(100))
    for index, held in (("34", 1), ("31", 0)):
        desk.exchange.set_index(LINEAR, Decimal(index))
        desk.exchange.step()
        desk.exchange.check_invariants()
        assert len(desk.exchange.positions("alice")) == held


def test_orders_that_the_collateral_no_longer_backs_go_before_positions_do(desk: Desk) -> None:
    """An order that enlarges goes, with the venue's word for it; one that closes stays."""
    trade(desk, "buy", "100", "100")
    more = desk.place("alice", "buy", "29", "99.5", symbol=LINEAR)
    close = desk.place("alice", "sell", "50", "130", symbol=LINEAR)
    desk.exchange.set_mark(LINEAR, Decimal(100))
    desk.exchange.set_index(LINEAR, Decimal(95))
    desk.exchange.step()
    desk.exchange.check_invariants()
    assert (more.status, more.reason) == (OrderStatus.CANCELED, "Insufficient margin")
    assert close.status is OrderStatus.OPEN
    assert desk.exchange.positions("alice")


def test_inverse_positions_are_backed_by_their_own_coin_alone(desk: Desk) -> None:
    with pytest.raises(SimRefused):
        desk.place("alice", "buy", "100", "100", symbol=INVERSE)
    desk.exchange.book_money("alice", "BTC", Decimal("0.1"), kind="deposit")
    trade(desk, "buy", "400", "100", symbol=INVERSE)
    desk.exchange.set_mark(INVERSE, Decimal(99))
    # 0.1 less 0.08 as margin and 0.0404... lost: nothing is free, and nothing may leave.
    with pytest.raises(SimRefused):
        desk.exchange.book_money("alice", "BTC", Decimal("-0.00000001"), kind="withdrawal")


def test_a_price_of_ones_own_can_be_set(desk: Desk) -> None:
    desk.exchange.set_rate("EUR", Decimal("1.2"))
    assert values(desk)["EUR"].value == 60
    with pytest.raises(InvalidValue, match=r"BTC\.flex is no collateral with a price of its own"):
        desk.exchange.set_rate("BTC.flex", Decimal(1))


def test_all_of_it_is_saved(desk: Desk) -> None:
    desk.exchange.set_rate("EUR", Decimal("1.2"))
    desk.exchange.pay_profit_in("alice", LINEAR, "BTC.flex")
    trade(desk, "buy", "10", "100")
    trade(desk, "sell", "10", "105")
    again = SimulatedExchange.restore(POOLED, desk.exchange.save(), clock=desk.clock)
    again.check_invariants()
    assert again.save() == desk.exchange.save()
    assert again.collateral("alice") == desk.exchange.collateral("alice")


def test_a_conversion_is_told_as_two_entries_of_one_reference(desk: Desk) -> None:
    desk.events.clear()
    trade(desk, "buy", "10", "100")
    trade(desk, "sell", "10", "97")
    told = [e.entry for e in desk.events if isinstance(e, BalanceChanged) and e.entry.kind == "conversion"]
    assert [entry.asset for entry in told] == ["EUR", "USD"]
    assert len({entry.reference for entry in told}) == 1


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        pytest.param({"asset": "GBP"}, "no asset GBP", id="asset"),
        pytest.param({"settles": "GBP"}, "no asset GBP", id="settles"),
        pytest.param({"haircut": Decimal("1.1")}, "haircut from 0 to 1", id="haircut"),
        pytest.param({"spread": Decimal(1)}, "spread below 1", id="spread"),
        pytest.param({"asset": "BTC.flex"}, "listed twice", id="twice"),
        pytest.param({"asset": "USD", "settles": "EUR"}, "backed itself", id="a circle"),
        pytest.param({"price": Decimal("NaN")}, "no price", id="price"),
    ],
)
def test_collateral_that_makes_no_sense_is_refused(setting: dict[str, Any], words: str) -> None:
    spec = attrs.evolve(POOLED, collateral=(COINS, attrs.evolve(EUROS, **setting)))
    with pytest.raises(ConfigError, match=words):
        SimulatedExchange(spec, seed=1, clock=HandClock())


def test_what_no_market_here_prices_backs_nothing() -> None:
    exchange = SimulatedExchange(POOLED, seed=1, clock=HandClock(), markets=[FREE[1]])
    assert [each.asset for each in exchange.collateral_assets()] == ["EUR"]
    exchange.add_account("alice", {"BTC.flex": Decimal(1), "EUR": Decimal(10)})
    assert [(each.asset, each.collateral) for each in exchange.collateral("alice")] == [("EUR", Decimal("10.89"))]
