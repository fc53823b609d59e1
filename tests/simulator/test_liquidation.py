"""Positions that cannot be backed any more, and contracts that end."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.simulation import OrderChanged, Refusal, SimRefused
from exchange_core.model.account import FeeRates
from exchange_core.model.order import OrderStatus
from tests.simulator.conftest import DATED, INVERSE, LINEAR, RICH_MARKETS, Desk

FREE = [attrs.evolve(market, fees=FeeRates(maker=Decimal(0), taker=Decimal(0))) for market in RICH_MARKETS]


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """alice has 10 USD and 0.1 BTC, bob has a lot."""
    desk = make_desk(deposits={}, markets=FREE)
    money = (("alice", "USD", "10"), ("alice", "BTC", "0.1"), ("bob", "USD", "1000000"), ("bob", "BTC", "1000"))
    for name, asset, amount in money:
        desk.exchange.book_money(name, asset, Decimal(amount), kind="deposit")
    return desk


def hold(desk: Desk, symbol: Any, quantity: str, price: str = "100") -> None:
    """Let alice be long and bob be short."""
    desk.place("bob", "sell", quantity, price, symbol=symbol)
    desk.place("alice", "buy", quantity, price, symbol=symbol)


def mark(desk: Desk, symbol: Any, price: str) -> None:
    desk.exchange.set_mark(symbol, Decimal(price))
    desk.exchange.step()
    desk.exchange.check_invariants()


def test_below_the_maintenance_margin_a_position_is_closed_against_the_book(desk: Desk) -> None:
    """4 at 100 need 4 to be kept; with 10 in the account that is at 98.5."""
    hold(desk, LINEAR, "4")
    stop = desk.place("alice", "sell", "1", "120", symbol=LINEAR)
    desk.place("bob", "buy", "10", "98", symbol=LINEAR)
    mark(desk, LINEAR, "98.5")
    assert desk.exchange.positions("alice")
    desk.events.clear()
    mark(desk, LINEAR, "98.49")
    assert not desk.exchange.positions("alice")
    assert (stop.status, stop.reason) == (OrderStatus.CANCELED, "Liquidation")
    assert desk.balance("alice", "USD") == (2, 0)
    fill = desk.exchange.fills("alice")[-1]
    assert (fill.liquidation, fill.price, fill.fee) == (True, 98, 0)
    words = [str(e.event) for e in desk.events if isinstance(e, OrderChanged) and e.order.liquidation]
    assert words == ["accepted", "opened", "fill", "filled"]


def test_an_inverse_position_is_measured_at_the_mark_price_in_coins(desk: Desk) -> None:
    """400 dollars are 4 coins at 100; at 97.25 they have lost 0.1131."""
    desk.exchange.book_money("alice", "BTC", Decimal("0.05"), kind="deposit")
    hold(desk, INVERSE, "400")
    desk.place("bob", "buy", "400", "97", symbol=INVERSE)
    mark(desk, INVERSE, "97.5")  # 0.15 - 0.1026 is still above 0.0410
    assert desk.exchange.positions("alice")
    mark(desk, INVERSE, "97.25")  # 0.15 - 0.1131 is not above 0.0411
    assert not desk.exchange.positions("alice")


def test_a_larger_position_needs_more(desk: Desk) -> None:
    """From 500 on, this market asks for a tenth of all of it."""
    desk.exchange.book_money("alice", "USD", Decimal(49), kind="deposit")
    with pytest.raises(SimRefused) as caught:
        hold(desk, LINEAR, "6")
    assert caught.value.refusal is Refusal.INSUFFICIENT_FUNDS
    desk.exchange.book_money("alice", "USD", Decimal(1), kind="deposit")
    desk.place("alice", "buy", "6", "100", symbol=LINEAR)
    assert desk.exchange.positions("alice")[0].margin == 60
    assert desk.exchange.positions("alice")[0].maintenance == 30


def test_losses_that_are_not_booked_count_against_new_orders(desk: Desk) -> None:
    hold(desk, LINEAR, "2")
    desk.exchange.set_mark(LINEAR, Decimal("98"))
    with pytest.raises(SimRefused):
        desk.place("alice", "buy", "2", "98", symbol=LINEAR)
    desk.exchange.set_mark(LINEAR, Decimal("99.99"))
    desk.place("alice", "buy", "2", "98", symbol=LINEAR)


def test_what_the_book_cannot_take_is_tried_again(desk: Desk) -> None:
    hold(desk, LINEAR, "4")
    desk.place("bob", "buy", "1", "98", symbol=LINEAR)
    mark(desk, LINEAR, "98")
    assert desk.exchange.positions("alice")[0].quantity == 3
    mark(desk, LINEAR, "97.9")
    assert desk.exchange.positions("alice")[0].quantity == 3
    desk.place("bob", "buy", "5", "97", symbol=LINEAR)
    desk.exchange.step()
    assert not desk.exchange.positions("alice")


def test_the_house_pays_what_a_bankrupt_account_owes(desk: Desk) -> None:
    hold(desk, LINEAR, "4")
    desk.place("bob", "buy", "4", "90", symbol=LINEAR)
    mark(desk, LINEAR, "90")
    assert desk.balance("alice", "USD") == (0, 0)
    assert [(e.kind, e.amount) for e in desk.exchange.ledger("alice")][-1] == ("insurance", 30)


def test_a_dated_contract_ends_at_the_index_price(desk: Desk) -> None:
    hold(desk, DATED, "2")
    order = desk.place("bob", "sell", "1", "110", symbol=DATED)
    desk.exchange.set_index(DATED, Decimal("102.26"))
    desk.clock.advance(2 * 24 * 3600 + 5)
    desk.exchange.step()
    assert not desk.exchange.positions("alice")
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "Contract expired")
    (entry,) = [entry for entry in desk.exchange.ledger("alice") if entry.kind == "settlement"]
    assert (entry.amount, entry.time) == (5, datetime(2026, 1, 3, tzinfo=UTC))  # on a tick: 102.5
    assert desk.balance("alice", "USD") == (15, 0)
    with pytest.raises(SimRefused) as caught:
        desk.place("alice", "buy", "1", "100", symbol=DATED)
    assert caught.value.refusal is Refusal.MARKET_CLOSED
    desk.exchange.check_invariants()


def test_an_index_that_nobody_set_is_read_before_the_orders_go(desk: Desk) -> None:
    hold(desk, DATED, "2")
    desk.place("bob", "buy", "1", "101", symbol=DATED)
    desk.place("bob", "sell", "1", "103", symbol=DATED)
    desk.clock.advance(2 * 24 * 3600 + 5)
    desk.exchange.step()
    (entry,) = [entry for entry in desk.exchange.ledger("alice") if entry.kind == "settlement"]
    assert entry.amount == 4  # two at 102, bought at 100


def test_what_backs_positions_can_be_asked(desk: Desk) -> None:
    hold(desk, LINEAR, "2")
    desk.place("alice", "buy", "1", "99", symbol=LINEAR)
    desk.exchange.set_mark(LINEAR, Decimal(101))
    margin = next(m for m in desk.exchange.margins("alice") if m.asset == "USD")
    assert (margin.balance, margin.unrealised, margin.equity) == (10, 2, 12)
    assert (margin.initial, margin.orders, margin.maintenance) == (4, Decimal("1.98"), 2)
