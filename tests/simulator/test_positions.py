from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.simulation import PositionChanged, Refusal, SimPosition, SimRefused, SimulatorSpec
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.order import OrderStatus, TimeInForce
from exchange_core.simulator.exchange import SimulatedExchange
from tests.simulator.conftest import INVERSE, LINEAR, Desk, HandClock


@pytest.fixture
def free(spec: SimulatorSpec) -> Desk:
    """The same markets without fees and with fine money, so that a profit is only a profit."""
    markets = [attrs.evolve(m, fees=FeeRates(maker=Decimal(0), taker=Decimal(0))) for m in spec.markets]
    assets = [Asset(code=code, venue_id=code, decimals=18) for code in ("BTC", "USD")]
    clock = HandClock()
    exchange = SimulatedExchange(attrs.evolve(spec, assets=assets), seed=1, clock=clock, markets=markets)
    desk = Desk(exchange, clock)
    exchange.listen(desk.events.append)
    for name in ("alice", "bob", "carol"):
        exchange.add_account(name, {"BTC": Decimal(100), "USD": Decimal(1_000_000)})
    return desk


def trade(desk: Desk, symbol: object, side: str, quantity: str, price: str, taker: str = "alice") -> None:
    """Let *taker* trade with bob."""
    desk.place("bob", {"buy": "sell", "sell": "buy"}[side], quantity, price, symbol=symbol)
    order = desk.place(taker, side, quantity, price, symbol=symbol)
    assert order.status is OrderStatus.FILLED
    desk.exchange.check_invariants()


def position(desk: Desk, account: str = "alice") -> SimPosition:
    (found,) = desk.exchange.positions(account)
    return found


def profit(desk: Desk, asset: str, account: str = "alice") -> Decimal:
    return desk.exchange.ledger(account)[-1].amount if desk.exchange.ledger(account)[-1].asset == asset else Decimal(0)


def test_a_linear_position_pays_size_times_the_move(free: Desk) -> None:
    trade(free, LINEAR, "buy", "0.5", "50000")
    trade(free, LINEAR, "sell", "0.5", "55000")
    assert profit(free, "USD") == 2500
    assert not free.exchange.positions("alice")


def test_an_inverse_position_pays_size_times_the_difference_of_the_reciprocals(free: Desk) -> None:
    """10,000 long from 50,000 to 55,000 are 0.0181818... of the coin."""
    trade(free, INVERSE, "buy", "10000", "50000")
    trade(free, INVERSE, "sell", "10000", "55000")
    assert profit(free, "BTC") == Decimal("0.018181818181818181")


def test_a_short_position_earns_what_the_long_one_loses(free: Desk) -> None:
    trade(free, LINEAR, "sell", "2", "50000")
    assert position(free).quantity == -2
    assert position(free, "bob").quantity == 2
    trade(free, LINEAR, "buy", "2", "49000")
    assert profit(free, "USD") == 2000
    assert profit(free, "USD", "bob") == -2000


@pytest.mark.parametrize(
    ("symbol", "trades", "entry"),
    [
        pytest.param(LINEAR, [("1", "50000"), ("3", "60000")], "57500.0", id="linear: arithmetic"),
        pytest.param(INVERSE, [("1000", "50000"), ("3000", "60000")], "57142.857142857143", id="inverse: harmonic"),
        pytest.param(INVERSE, [("7", "60001")], "60001.0", id="inverse: one price comes back exactly"),
        pytest.param(LINEAR, [("0.03", "333.5")], "333.5", id="linear: one price comes back exactly"),
    ],
)
def test_the_average_entry(free: Desk, symbol: object, trades: list[tuple[str, str]], entry: str) -> None:
    for quantity, price in trades:
        trade(free, symbol, "buy", quantity, price)
    assert str(position(free).entry_price) == entry
    assert str(position(free, "bob").entry_price) == entry


def test_closing_a_part_leaves_the_entry_where_it_was(free: Desk) -> None:
    trade(free, LINEAR, "buy", "1", "50000")
    trade(free, LINEAR, "buy", "2", "50001")
    before = position(free).entry_price
    trade(free, LINEAR, "sell", "1", "60000")
    assert position(free).entry_price == before
    assert position(free).quantity == 2


def test_selling_more_than_there_is_turns_the_position_around(free: Desk) -> None:
    trade(free, LINEAR, "buy", "1", "50000")
    free.clock.advance(60)
    trade(free, LINEAR, "sell", "3", "51000")
    found = position(free)
    assert (found.quantity, found.entry_price) == (-2, 51000)
    assert found.opened == free.clock.now()
    assert profit(free, "USD") == 1000


def test_a_closed_position_is_told_with_quantity_zero(free: Desk) -> None:
    trade(free, LINEAR, "buy", "1", "50000")
    free.events.clear()
    trade(free, LINEAR, "sell", "1", "50000")
    told = {e.account: e.position.quantity for e in free.events if isinstance(e, PositionChanged)}
    assert told == {"alice": 0, "bob": 0}


def test_each_fill_books_profit_and_fee_together_in_one_entry(desk: Desk) -> None:
    """1 at 100: the taker pays 0.05 % (0.05), the maker gets 0.01 % (0.01)."""
    desk.place("bob", "sell", "1", "100", symbol=LINEAR)
    desk.place("alice", "buy", "1", "100", symbol=LINEAR)
    entry = desk.exchange.ledger("alice")[-1]
    assert (entry.asset, entry.amount, entry.fee, entry.balance) == ("USD", 0, Decimal("0.05"), Decimal("9999.95"))
    assert entry.reference == desk.exchange.fills("alice")[0].id
    assert desk.exchange.ledger("bob")[-1].fee == Decimal("-0.01")
    assert desk.balance("bob", "USD")[0] == Decimal("10000.01")
    desk.exchange.check_invariants()


def test_an_inverse_fee_is_paid_in_the_coin(desk: Desk) -> None:
    desk.place("bob", "sell", "1000", "100", symbol=INVERSE)
    desk.place("alice", "buy", "1000", "100", symbol=INVERSE)
    (fill,) = desk.exchange.fills("alice")
    assert (fill.cost, fill.fee, fill.fee_asset) == (10, Decimal("0.00500"), "BTC")


def test_two_percent_are_kept_back_for_orders_and_then_for_the_position(free: Desk) -> None:
    order = free.place("alice", "buy", "2", "50000", symbol=LINEAR)
    assert free.balance("alice", "USD")[1] == 2000
    free.place("bob", "sell", "1", "50000", symbol=LINEAR)
    assert free.balance("alice", "USD")[1] == 2000, "half for the order, half for the position"
    free.exchange.cancel("alice", order.id)
    assert free.balance("alice", "USD")[1] == 1000
    free.place("carol", "buy", "1", "50000", symbol=LINEAR)
    free.place("alice", "sell", "1", "50000", symbol=LINEAR)
    assert free.balance("alice", "USD")[1] == 0


def test_a_position_beyond_two_percent_is_refused(make_desk: Callable[..., Desk]) -> None:
    """10,000 are margin for just below 500,000; the fee of 0.05 % must be there as well."""
    desk = make_desk()
    with pytest.raises(SimRefused) as caught:
        desk.place("alice", "buy", "5000", "100", symbol=LINEAR)
    assert caught.value.refusal is Refusal.INSUFFICIENT_FUNDS
    desk.place("alice", "buy", "4878", "100", symbol=LINEAR)
    with pytest.raises(SimRefused):
        desk.place("alice", "buy", "1", "100", symbol=LINEAR)


def test_what_only_closes_needs_no_margin(make_desk: Callable[..., Desk]) -> None:
    """With everything kept back for a position, there must still be a way out."""
    desk = make_desk()
    desk.place("bob", "sell", "4000", "100", symbol=LINEAR)
    desk.place("alice", "buy", "4000", "100", symbol=LINEAR)
    order = desk.place("alice", "buy", "878", "95", symbol=LINEAR)
    desk.place("carol", "buy", "4000", "98", symbol=LINEAR)
    assert desk.place("alice", "sell", "4000", None, symbol=LINEAR).status is OrderStatus.FILLED
    assert order.status is OrderStatus.OPEN
    desk.exchange.check_invariants()


def test_reduce_only_is_refused_without_a_position_and_in_its_direction(free: Desk) -> None:
    free.place("bob", "sell", "1", "50000", symbol=LINEAR)
    with pytest.raises(SimRefused) as caught:
        free.place("alice", "buy", "1", "50000", symbol=LINEAR, reduce_only=True)
    assert caught.value.refusal is Refusal.WOULD_NOT_REDUCE
    free.place("alice", "buy", "1", "50000", symbol=LINEAR)
    with pytest.raises(SimRefused):
        free.place("alice", "buy", "1", "40000", symbol=LINEAR, reduce_only=True)


def test_reduce_only_takes_no_more_than_the_position(free: Desk) -> None:
    trade(free, LINEAR, "buy", "2", "50000")
    free.place("bob", "buy", "9", "50000", symbol=LINEAR)
    order = free.place("alice", "sell", "5", "50000", symbol=LINEAR, reduce_only=True)
    assert order.status is OrderStatus.CANCELED
    assert order.filled == 2
    assert order.reason == "Would not reduce the position"
    assert not free.exchange.positions("alice")
    free.exchange.check_invariants()


def test_fill_or_kill_with_reduce_only_is_all_or_nothing_too(free: Desk) -> None:
    trade(free, LINEAR, "buy", "2", "50000")
    free.place("bob", "buy", "9", "50000", symbol=LINEAR)
    more: dict[str, Any] = {"symbol": LINEAR, "reduce_only": True, "time_in_force": TimeInForce.FOK}
    with pytest.raises(SimRefused) as caught:
        free.place("alice", "sell", "5", "50000", **more)
    assert caught.value.refusal is Refusal.IOC_WOULD_NOT_EXECUTE
    assert free.place("alice", "sell", "2", "50000", **more).status is OrderStatus.FILLED


def test_a_resting_reduce_only_order_never_opens_a_position(free: Desk) -> None:
    """Alice is long 5; two plain lots go first, so only three of the five reduce-only ones are left to give."""
    trade(free, LINEAR, "buy", "5", "50000")
    reducing = free.place("alice", "sell", "5", "50200", symbol=LINEAR, reduce_only=True)
    plain = free.place("alice", "sell", "2", "50100", symbol=LINEAR)
    taker = free.place("carol", "buy", "10", "50200", symbol=LINEAR)
    assert (plain.filled, reducing.filled, taker.filled) == (2, 3, 5)
    assert reducing.status is OrderStatus.CANCELED
    assert not free.exchange.positions("alice")
    assert free.book(LINEAR)[1] == []
    free.exchange.check_invariants()


def test_a_reduce_only_order_goes_when_its_position_goes(free: Desk) -> None:
    trade(free, LINEAR, "buy", "1", "50000")
    reducing = free.place("alice", "sell", "1", "60000", symbol=LINEAR, reduce_only=True)
    trade(free, LINEAR, "sell", "1", "50000")
    assert reducing.status is OrderStatus.CANCELED
    assert free.book(LINEAR) == ([], [])


def test_money_sums_up_however_unevenly_positions_are_cut(free: Desk) -> None:
    """Thirds of inverse contracts divide into nothing even; the sums must still agree."""
    for quantity, price in (("100", "3"), ("7", "7"), ("11", "13")):
        trade(free, INVERSE, "buy", quantity, price)
    for quantity, price in (("3", "17"), ("57", "19"), ("58", "23")):
        trade(free, INVERSE, "sell", quantity, price, taker="alice")
    assert not free.exchange.positions("alice")
    assert free.balance("alice", "BTC")[0] + free.balance("bob", "BTC")[0] == 200 - Decimal(1).scaleb(-18)


def test_the_mark_price_is_the_middle_then_the_last_then_the_start(desk: Desk) -> None:
    assert desk.exchange.mark_price(LINEAR) == 100
    desk.place("bob", "sell", "1", "103", symbol=LINEAR)
    desk.place("alice", "buy", "1", "103", symbol=LINEAR)
    assert desk.exchange.mark_price(LINEAR) == 103
    desk.place("bob", "sell", "1", "105.5", symbol=LINEAR)
    desk.place("alice", "buy", "1", "105", symbol=LINEAR)
    assert desk.exchange.mark_price(LINEAR) == Decimal("105.25")


def test_spot_and_derivatives_share_one_wallet_of_the_exchange(desk: Desk) -> None:
    desk.place("bob", "sell", "4000", "100", symbol=LINEAR)
    with pytest.raises(SimRefused):
        desk.place("bob", "buy", "30", "100")


def test_orders_need_margin_only_for_what_they_would_add(free: Desk) -> None:
    """Long 1 at 50,000 (1,000): selling 1 adds nothing, selling 3 adds a short of 2."""
    trade(free, LINEAR, "buy", "1", "50000")
    free.place("alice", "sell", "1", "50000", symbol=LINEAR)
    assert free.balance("alice", "USD")[1] == 1000
    free.place("alice", "sell", "2", "50000", symbol=LINEAR)
    assert free.balance("alice", "USD")[1] == 3000
