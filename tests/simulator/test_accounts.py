from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.clock import SystemClock
from exchange_core.connector.simulation import Refusal, SimRefused, SimulatorSpec
from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.model.order import OrderStatus
from exchange_core.simulator.exchange import SimulatedExchange
from tests.simulator.conftest import SPOT, Desk


def test_a_deposit_is_the_first_entry_of_the_ledger(desk: Desk) -> None:
    btc, usd = desk.exchange.ledger("alice")
    assert (btc.kind, btc.asset, btc.amount, btc.balance) == ("deposit", "BTC", 10, 10)
    assert (usd.kind, usd.asset, usd.amount, usd.balance) == ("deposit", "USD", 10_000, 10_000)
    assert btc.reference != usd.reference


def test_a_resting_buy_keeps_back_its_cost_and_the_takers_fee(desk: Desk) -> None:
    """2 at 99.5 are 199; 0.26 % of that is 0.5174, kept back as 0.52."""
    desk.place("alice", "buy", "2", "99.5")
    assert desk.balance("alice", "USD") == (10_000, Decimal("199.52"))
    assert desk.balance("alice", "BTC") == (10, 0)


def test_a_resting_sell_keeps_back_what_it_sells(desk: Desk) -> None:
    desk.place("alice", "sell", "2.5", "120")
    assert desk.balance("alice", "BTC") == (10, Decimal("2.5"))
    assert desk.balance("alice", "USD") == (10_000, 0)


def test_a_trade_moves_both_assets_and_charges_both_sides_in_the_quote_asset(desk: Desk) -> None:
    """1.5 at 100.3 are 150.45: the maker pays 0.16 % (0.24072), the taker 0.26 % (0.39117)."""
    desk.place("alice", "sell", "1.5", "100.3")
    desk.place("bob", "buy", "1.5", "101")
    assert desk.balance("alice", "BTC") == (Decimal("8.5"), 0)
    assert desk.balance("alice", "USD") == (Decimal("10150.21"), 0)
    assert desk.balance("bob", "BTC") == (Decimal("11.5"), 0)
    assert desk.balance("bob", "USD") == (Decimal("9849.16"), 0)


def test_the_two_entries_of_a_trade_share_the_fill_and_run_with_the_balance(desk: Desk) -> None:
    desk.place("alice", "sell", "1", "100")
    desk.place("bob", "buy", "1", "100")
    (fill,) = desk.exchange.fills("bob")
    base, quote = desk.exchange.ledger("bob")[-2:]
    assert base.reference == quote.reference == fill.id
    assert base.id != quote.id
    assert (base.asset, base.amount, base.fee, base.balance) == ("BTC", 1, 0, 11)
    assert (quote.asset, quote.amount, quote.fee) == ("USD", -100, Decimal("0.26"))
    assert quote.balance == Decimal("9899.74")
    assert {entry.kind for entry in (base, quote)} == {"trade"}


def test_what_a_partly_filled_buy_keeps_back_shrinks_with_it(desk: Desk) -> None:
    order = desk.place("alice", "buy", "4", "100")
    assert desk.balance("alice", "USD") == (10_000, Decimal("401.04"))
    desk.place("bob", "sell", "3", "100")
    total, held = desk.balance("alice", "USD")
    assert total == Decimal("9699.52"), "300, and the maker's fee of 0.48"
    assert Decimal("100.26") <= held <= Decimal("100.27")
    desk.exchange.cancel("alice", order.id)
    assert desk.balance("alice", "USD") == (total, 0)


def test_a_cost_is_cut_to_the_assets_decimals_and_the_same_for_both(desk: Desk) -> None:
    """0.019 at 100.3 are 1.9057; the books keep two decimals."""
    desk.place("alice", "sell", "0.019", "100.3")
    desk.place("bob", "buy", "0.019", "100.3")
    assert desk.exchange.fills("alice")[0].cost == desk.exchange.fills("bob")[0].cost == Decimal("1.90")
    desk.exchange.check_invariants()


def test_fees_are_rounded_once_for_the_order_and_not_once_for_each_fill(desk: Desk) -> None:
    """Ten fills of 1.00 owe 0.0026 each, which alone would be nothing every time; together they owe 0.026."""
    for _ in range(10):
        desk.place("alice", "sell", "0.01", "100")
    order = desk.place("bob", "buy", "0.1", "100")
    assert order.fee == Decimal("0.03")
    assert sum(fill.fee for fill in desk.exchange.fills("bob")) == order.fee


def test_money_that_is_all_kept_back_still_pays_for_every_fill(make_desk: Callable[..., Desk]) -> None:
    """However the order is cut to pieces, its parts never cost more than was kept back."""
    desk = make_desk(deposits={"BTC": "10", "USD": "100.59"})
    order = desk.place("alice", "buy", "1", "100.3")
    assert desk.balance("alice", "USD")[1] > Decimal("100.55")
    for _ in range(52):
        desk.place("bob", "sell", "0.019", "100.3")
        desk.exchange.check_invariants()
    desk.place("bob", "sell", "0.012", "100.3")
    assert order.status is OrderStatus.FILLED
    desk.exchange.check_invariants()


def test_the_last_cent_can_be_spent_and_not_one_more(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(deposits={"BTC": "1", "USD": "100.26"})
    desk.place("bob", "sell", "1", "100")
    assert desk.place("alice", "buy", "1", "100", validate=True)
    with pytest.raises(SimRefused) as caught:
        desk.place("alice", "buy", "1", "100.1")
    assert caught.value.refusal is Refusal.INSUFFICIENT_FUNDS
    desk.place("alice", "buy", "1", "100")
    assert desk.balance("alice", "USD") == (0, 0)


def test_money_kept_back_by_one_order_is_not_there_for_another(desk: Desk) -> None:
    desk.place("alice", "sell", "6", "120")
    with pytest.raises(SimRefused):
        desk.place("alice", "sell", "5", "121")
    desk.place("alice", "sell", "4", "121")
    assert desk.balance("alice", "BTC") == (10, 10)


def test_an_account_can_have_several_keys(desk: Desk) -> None:
    desk.exchange.add_account("dave", {}, "key-1", "first", ["read", "trade"])
    desk.exchange.add_key("dave", "key-2", "second")
    key = desk.exchange.key("key-1")
    assert key is not None
    assert (key.account, key.api_secret, key.permissions) == ("dave", "first", {"read", "trade"})
    assert "first" not in repr(key)
    assert desk.exchange.key("key-2") is not None
    assert desk.exchange.key("key-3") is None


@pytest.mark.parametrize(
    ("name", "deposits", "api_key", "words"),
    [
        pytest.param("alice", {}, "", "already has an account 'alice'", id="name taken"),
        pytest.param("dave", {"EUR": Decimal(1)}, "", "'EUR' is none of BTC, USD", id="unknown asset"),
        pytest.param("dave", {"USD": Decimal("0.001")}, "", "at most 2 decimals", id="too many decimals"),
        pytest.param("dave", {"USD": Decimal(-1)}, "", "below zero", id="below zero"),
        pytest.param("dave", {"USD": Decimal("NaN")}, "", "not a number", id="not a number"),
        pytest.param("dave", {}, "taken", "already has this api_key", id="key taken"),
    ],
)
def test_a_wrong_account_is_not_opened(
    desk: Desk, name: str, deposits: dict[str, Decimal], api_key: str, words: str
) -> None:
    desk.exchange.add_key("bob", "taken", "secret")
    before = desk.state()
    with pytest.raises(InvalidValue, match=words):
        desk.exchange.add_account(name, deposits, api_key, "secret")
    assert desk.state() == before
    if name == "dave":
        desk.exchange.add_account("dave", {})


def test_an_unknown_account_is_named(desk: Desk) -> None:
    with pytest.raises(InvalidValue, match="no account 'dave'"):
        desk.exchange.balances("dave")


def test_a_deposit_is_no_float(desk: Desk) -> None:
    deposits: dict[str, Any] = {"USD": 10.5}
    with pytest.raises(InvalidValue, match=r"deposit of USD: 10\.5 is a float"):
        desk.exchange.add_account("dave", deposits)
    assert "dave" not in desk.exchange.parts.accounts


def test_a_market_needs_its_assets(spec: SimulatorSpec) -> None:
    lacking = attrs.evolve(spec, assets=spec.assets[1:])
    with pytest.raises(ConfigError, match="BTC/USD: the simulated exchange has no asset 'BTC'"):
        SimulatedExchange(lacking, seed=1, clock=SystemClock())


def test_lots_finer_than_the_assets_decimals_are_kept_exactly(spec: SimulatorSpec) -> None:
    """Venues list fiat with four decimals and sell it in lots of eight."""
    coarse = attrs.evolve(spec, assets=[attrs.evolve(asset, decimals=2) for asset in spec.assets])
    exchange = SimulatedExchange(coarse, seed=1, clock=SystemClock())
    exchange.add_account("alice", {"BTC": Decimal("0.123")})
    assert exchange.balances("alice")[0].total == Decimal("0.123")
    assert exchange.market(SPOT).instrument.lot_size == Decimal("0.001")
