"""Fees by what was traded in 30 days, and in the asset that was asked for."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.simulation import Refusal, SimRefused
from exchange_core.model.account import FeeRates
from exchange_core.model.order import OrderStatus
from tests.simulator.conftest import INVERSE, LINEAR, RICH_MARKETS, SPOT, Desk


@pytest.fixture
def rich(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(deposits={"BTC": "100", "USD": "100000"}, markets=RICH_MARKETS)


def trade(desk: Desk, quantity: str, symbol: Any = SPOT, **more: Any) -> Any:
    desk.place("bob", "sell", quantity, "100", symbol=symbol)
    return desk.place("alice", "buy", quantity, "100", symbol=symbol, **more)


def test_an_orders_fees_are_those_of_its_accounts_tier(rich: Desk) -> None:
    fees = [trade(rich, quantity).fee for quantity in ("9.9", "0.1", "1", "40")]
    assert fees == [Decimal("2.57"), Decimal("0.03"), Decimal("0.2"), Decimal("8")]
    assert rich.exchange.volume("alice") == 5100
    assert rich.exchange.fees("alice", SPOT) == FeeRates(maker=Decimal(0), taker=Decimal("0.001"))
    assert rich.exchange.fees("carol", SPOT) == FeeRates(maker=Decimal("0.0016"), taker=Decimal("0.0026"))


def test_after_30_days_a_volume_counts_no_more(rich: Desk) -> None:
    trade(rich, "10")
    rich.clock.advance(29 * 24 * 3600)
    trade(rich, "1")
    assert rich.exchange.volume("alice") == 1100
    rich.clock.advance(24 * 3600)
    assert rich.exchange.volume("alice") == 100


def test_derivatives_count_what_their_contracts_stand_for(rich: Desk) -> None:
    trade(rich, "2", LINEAR)
    trade(rich, "700", INVERSE)
    assert rich.exchange.volume("alice") == 900


def test_a_buyer_may_pay_in_what_it_buys(desk: Desk) -> None:
    order = trade(desk, "1", fee_in_base=True)
    assert (order.fee, order.fee_asset) == (Decimal("0.0026"), "BTC")
    assert desk.balance("alice", "BTC")[0] == Decimal("10.9974")
    assert desk.balance("alice", "USD")[0] == 9900
    (fill,) = desk.exchange.fills("alice")
    assert (fill.fee, fill.fee_asset) == (Decimal("0.0026"), "BTC")
    desk.exchange.check_invariants()


def test_a_seller_who_pays_in_what_it_sells_keeps_that_back_too(desk: Desk) -> None:
    desk.place("alice", "sell", "2", "100", fee_in_base=True)
    assert desk.balance("alice", "BTC")[1] == Decimal("2.0052")
    desk.place("bob", "buy", "2", "100")
    assert desk.balance("alice", "BTC") == (Decimal("7.9968"), 0)  # the maker's 0.16 %
    assert desk.balance("alice", "USD")[0] == 10200
    with pytest.raises(SimRefused):
        desk.place("alice", "sell", "7.996", "100", fee_in_base=True)


def test_a_market_buy_may_count_money(desk: Desk) -> None:
    desk.place("bob", "sell", "1", "100")
    desk.place("bob", "sell", "5", "101")
    order = desk.place("alice", "buy", "150", None, quantity_in_quote=True)
    # 100 for the first, and for the other 50 as many lots as that pays.
    assert (str(order.filled), order.cost, order.status) == ("1.495", Decimal("149.99"), OrderStatus.FILLED)
    assert order.remaining == Decimal("0.01")
    assert desk.balance("alice", "USD")[0] == Decimal("10000") - order.cost - order.fee


def test_money_that_the_book_cannot_take_stays(desk: Desk) -> None:
    desk.place("bob", "sell", "1", "100")
    order = desk.place("alice", "buy", "150", None, quantity_in_quote=True)
    assert (order.filled, order.cost, order.status) == (1, 100, OrderStatus.CANCELED)
    assert order.remaining == 50


@pytest.mark.parametrize("side_price", [("sell", None), ("buy", "100")])
def test_only_market_buys_count_money(desk: Desk, side_price: tuple[str, str | None]) -> None:
    desk.place("bob", "buy", "1", "99")
    with pytest.raises(SimRefused) as caught:
        desk.place("alice", side_price[0], "50", side_price[1], quantity_in_quote=True)
    assert caught.value.refusal is Refusal.INVALID_QUANTITY
