"""Margin positions of a spot market: opened, added to, reduced, paid, rolled over and liquidated."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.simulation import Refusal, SimPosition, SimRefused
from exchange_core.model.account import FeeRates
from exchange_core.model.order import OrderStatus
from tests.simulator.conftest import RICH_MARKETS, SPOT, Desk

FREE = attrs.evolve(
    RICH_MARKETS[0], fees=FeeRates(maker=Decimal(0), taker=Decimal(0)), fee_tiers=(), rollover=Decimal(0)
)


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Iterator[Desk]:
    """Nobody pays fees; alice has 100 USD and no BTC."""
    desk = make_desk(deposits={}, markets=[FREE])
    desk.exchange.book_money("alice", "USD", Decimal(100), kind="deposit")
    for asset, amount in (("USD", 10_000), ("BTC", 100)):
        desk.exchange.book_money("bob", asset, Decimal(amount), kind="deposit")
    yield desk
    desk.exchange.check_invariants()


def trade(desk: Desk, side: str, quantity: str, price: str, **more: Any) -> Any:
    """Let alice trade with bob on margin."""
    desk.place("bob", "sell" if side == "buy" else "buy", quantity, price)
    return desk.place("alice", side, quantity, price, **{"leverage": 5, **more})


def position(desk: Desk) -> SimPosition:
    (found,) = desk.exchange.positions("alice")
    return found


def test_what_is_bought_on_margin_is_a_position_and_no_coins(desk: Desk) -> None:
    order = trade(desk, "buy", "2", "100")
    held = position(desk)
    assert (held.quantity, held.entry_price, held.cost, held.margin) == (2, 100, 200, 40)
    assert desk.balance("alice", "USD") == (100, 40)
    assert [b.asset for b in desk.exchange.balances("alice")] == ["USD"]
    (fill,) = desk.exchange.fills("alice")
    assert fill.position_id == held.id != ""
    assert order.status is OrderStatus.FILLED
    assert desk.balance("bob", "BTC")[0] == 98


def test_a_position_grows_and_shrinks_and_its_profit_is_booked(desk: Desk) -> None:
    trade(desk, "buy", "2", "100")
    trade(desk, "buy", "1", "106")
    assert position(desk).entry_price == 102
    trade(desk, "sell", "1", "112")
    assert (position(desk).quantity, position(desk).entry_price) == (2, 102)
    assert desk.balance("alice", "USD")[0] == 110
    trade(desk, "sell", "2", "100")
    assert not desk.exchange.positions("alice")
    assert desk.balance("alice", "USD") == (106, 0)
    assert [entry.kind for entry in desk.exchange.ledger("alice")] == ["deposit"] + ["margin"] * 4


def test_who_sells_short_needs_no_coins(desk: Desk) -> None:
    trade(desk, "sell", "2", "100", leverage=2)
    assert (position(desk).quantity, position(desk).margin) == (-2, 100)
    desk.exchange.set_mark(SPOT, Decimal(95))
    assert position(desk).unrealised == 10
    (margin,) = desk.exchange.margins("alice")
    assert (margin.balance, margin.equity, margin.initial, margin.maintenance) == (100, 110, 100, 40)


def test_turning_around_is_another_position(desk: Desk) -> None:
    trade(desk, "buy", "2", "100")
    before = position(desk).id
    trade(desk, "sell", "3", "100")
    assert position(desk).quantity == -1
    assert position(desk).id != before


@pytest.mark.parametrize(
    ("quantity", "leverage", "why"),
    [
        pytest.param("5.001", 5, Refusal.INSUFFICIENT_MARGIN, id="more than the money carries"),
        pytest.param("2.001", 2, Refusal.INSUFFICIENT_MARGIN, id="less leverage carries less"),
        pytest.param("1", 3, Refusal.LEVERAGE, id="a leverage that is not offered"),
    ],
)
def test_too_much_is_refused(desk: Desk, quantity: str, leverage: int, why: Refusal) -> None:
    with pytest.raises(SimRefused) as caught:
        trade(desk, "buy", quantity, "100", leverage=leverage)
    assert caught.value.refusal is why


def test_reduce_only_reduces_a_margin_position_and_nothing_else(desk: Desk) -> None:
    trade(desk, "buy", "2", "100")
    with pytest.raises(SimRefused):
        desk.place("bob", "sell", "1", "110", reduce_only=True)
    desk.place("bob", "buy", "5", "101")
    desk.place("alice", "sell", "3", None, leverage=5, reduce_only=True)
    assert not desk.exchange.positions("alice")
    assert desk.balance("alice", "USD") == (102, 0)


def test_a_long_position_can_be_paid_and_its_coins_kept(desk: Desk) -> None:
    desk.exchange.book_money("alice", "USD", Decimal(100), kind="deposit")
    trade(desk, "buy", "1.5", "100")
    assert desk.exchange.settle("alice", SPOT, Decimal("0.5")) == Decimal("0.5")
    assert (desk.balance("alice", "USD"), desk.balance("alice", "BTC")[0]) == ((150, 20), Decimal("0.5"))
    assert desk.exchange.settle("alice", SPOT) == 1
    assert (desk.balance("alice", "USD"), desk.balance("alice", "BTC")[0]) == ((50, 0), Decimal("1.5"))
    assert not desk.exchange.positions("alice")


def test_a_short_position_is_paid_in_coins(desk: Desk) -> None:
    trade(desk, "sell", "1", "100")
    with pytest.raises(SimRefused) as caught:
        desk.exchange.settle("alice", SPOT)
    assert caught.value.refusal is Refusal.INSUFFICIENT_FUNDS
    desk.exchange.book_money("alice", "BTC", Decimal(1), kind="deposit")
    desk.exchange.settle("alice", SPOT)
    assert (desk.balance("alice", "USD"), desk.balance("alice", "BTC")[0]) == ((200, 0), 0)


def test_without_a_position_there_is_nothing_to_pay(desk: Desk) -> None:
    with pytest.raises(SimRefused) as caught:
        desk.exchange.settle("alice", SPOT)
    assert caught.value.refusal is Refusal.WOULD_NOT_REDUCE


def test_every_four_hours_a_position_costs_its_rollover(make_desk: Callable[..., Desk]) -> None:
    market = attrs.evolve(FREE, rollover=Decimal("0.0002"))
    desk = make_desk(markets=[market])
    trade(desk, "buy", "2", "100")
    desk.clock.advance(9 * 3600)
    desk.exchange.step()
    fees = [entry.fee for entry in desk.exchange.ledger("alice") if entry.kind == "rollover"]
    assert fees == [Decimal("0.04")] * 2
    desk.exchange.check_invariants()


def test_below_two_fifths_of_its_margin_a_position_is_closed(desk: Desk) -> None:
    trade(desk, "buy", "5", "100")
    resting = desk.place("alice", "sell", "1", "130", leverage=5)
    desk.place("bob", "buy", "10", "87")
    desk.exchange.set_mark(SPOT, Decimal("88"))  # equity 40, just 40 % of the 100 that are used
    desk.exchange.step()
    assert desk.exchange.positions("alice")
    desk.exchange.set_mark(SPOT, Decimal("87.9"))
    desk.exchange.step()
    assert not desk.exchange.positions("alice")
    assert resting.reason == "Liquidation"
    closing = desk.exchange.closed_orders("alice")[0]
    assert (closing.liquidation, closing.status) == (True, OrderStatus.FILLED)
    assert desk.balance("alice", "USD") == (35, 0)
