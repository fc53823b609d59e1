"""What stands and trades outside, as one market of the simulated exchange; alice's orders stand for those placed here.

Ticks are 0.1, lots 0.001, minimums 0.002 and half a dollar.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.simulation import BookChanged, OrderChanged, OrderEvent, SimRefused, Traded
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.makers.maker import QUOTER
from exchange_core.simulator.makers.opening import market_makers
from exchange_core.simulator.outside.mirror import Mirror
from tests.simulator.conftest import INVERSE, LINEAR, SPEC, SPOT, Desk, build

BUY, SELL = Side.BUY, Side.SELL


class Outside:
    """A mirror, told of in text."""

    def __init__(self, desk: Desk, symbol: Symbol = SPOT) -> None:
        self.mirror = Mirror(desk.exchange, symbol)
        self._desk = desk

    def show(self, bids: str = "", asks: str = "") -> None:
        """Levels as in ``99:5 98.5:2``."""
        self.mirror.show(levels(bids), levels(asks))
        self._desk.exchange.check_invariants()

    def trade(self, side: Side, price: str, quantity: str) -> None:
        self.mirror.trade(side, Decimal(price), Decimal(quantity))
        self._desk.exchange.check_invariants()


def levels(text: str) -> list[tuple[Decimal, Decimal]]:
    pairs = (part.split(":") for part in text.split())
    return [(Decimal(price), Decimal(quantity)) for price, quantity in pairs]


def shown(rows: Iterable[tuple[str, str]]) -> str:
    """Return levels of a book as ``99:5 98.5:2``."""
    return " ".join(f"{Decimal(price).normalize():f}:{Decimal(quantity).normalize():f}" for price, quantity in rows)


def queue(desk: Desk, side: Side) -> str:
    """Return what rests on a side one by one, as in ``99:outside 5``."""
    found = []
    for order in desk.exchange.queue(SPOT)[side is SELL]:
        assert order.limit is not None
        owner = order.account.replace(QUOTER, "outside")
        found.append(f"{order.limit.normalize():f}:{owner} {order.remaining.normalize():f}")
    return ", ".join(found)


@pytest.fixture
def outside(desk: Desk) -> Outside:
    return Outside(desk)


def test_the_book_is_what_stands_outside(desk: Desk, outside: Outside) -> None:
    outside.show("99:5 98:2", "101:3 102:4")
    assert [shown(side) for side in desk.book()] == ["99:5 98:2", "101:3 102:4"]
    outside.show("98:1 97:2", "102:4 103:1")
    assert [shown(side) for side in desk.book()] == ["98:1 97:2", "102:4 103:1"]
    outside.show()
    assert desk.book() == ([], [])


def test_only_what_differs_is_changed_and_told_at_once(desk: Desk, outside: Outside) -> None:
    outside.show("99:5 98:2", "101:3 102:4")
    desk.events.clear()
    outside.show("99:5 98:3", "101:3 103:4")
    assert [(e.price, e.quantity) for e in desk.events if isinstance(e, BookChanged)] == [
        (Decimal(102), Decimal(0)),
        (Decimal(98), Decimal(3)),
        (Decimal(103), Decimal(4)),
    ]
    assert all(isinstance(event, BookChanged) for event in desk.events[-3:])
    assert sum(isinstance(e, OrderChanged) and e.event is OrderEvent.ACCEPTED for e in desk.events) == 2
    desk.events.clear()
    outside.show("99:5 98:3", "101:3 103:4")
    assert not desk.events


def test_the_index_price_is_the_middle_outside(desk: Desk, outside: Outside) -> None:
    outside.show("99:5", "101:3")
    assert desk.exchange.index_price(SPOT) == 100
    outside.show("99:5")
    assert desk.exchange.index_price(SPOT) == 100


def test_levels_below_the_minimums_stand_too(desk: Desk, outside: Outside) -> None:
    outside.show("99:0.001", "101:0.001")
    outside.show("99:0.003")
    outside.show("99:0.001")
    assert [shown(side) for side in desk.book()] == ["99:0.001", ""]


def test_numbers_between_the_steps_move_away_from_the_middle(desk: Desk, outside: Outside) -> None:
    outside.show("99.08:1.0009 99.03:2 98:0.0009 0.05:1", "100.01:1 100.1:2")
    assert [shown(side) for side in desk.book()] == ["99:3", "100.1:3"]


def test_a_book_that_is_crossed_shows_its_bids(desk: Desk, outside: Outside) -> None:
    outside.show("99:1 98:1", "98.5:1 99:1 99.1:1")
    assert [shown(side) for side in desk.book()] == ["99:1 98:1", "99.1:1"]


def test_a_level_grows_behind_and_shrinks_from_its_newest(desk: Desk, outside: Outside) -> None:
    outside.show("99:5")
    desk.place("alice", "buy", "2", "99")
    outside.show("99:8")
    assert queue(desk, BUY) == "99:outside 5, 99:alice 2, 99:outside 3"
    outside.show("99:6")
    assert queue(desk, BUY) == "99:outside 5, 99:alice 2, 99:outside 1"
    outside.show("99:4")
    assert queue(desk, BUY) == "99:outside 4, 99:alice 2"
    outside.show("")
    assert queue(desk, BUY) == "99:alice 2"


def test_a_level_that_shrinks_for_days_keeps_no_history(desk: Desk, outside: Outside) -> None:
    outside.show("99:5")
    outside.show("99:4")
    assert desk.exchange.open_orders(QUOTER)[0].amends == ()


def test_an_outside_level_that_reaches_an_order_trades_at_its_price(desk: Desk, outside: Outside) -> None:
    outside.show("99:5", "101:3")
    order = desk.place("alice", "buy", "2", "100")
    outside.show("99:5", "99.5:3")
    assert order.status is OrderStatus.FILLED
    assert order.cost == 200
    assert [shown(side) for side in desk.book()] == ["99:5", "99.5:1"]


def test_what_was_taken_stays_taken_until_the_level_changes(desk: Desk, outside: Outside) -> None:
    outside.show("99:5 98:1", "101:3")
    desk.place("alice", "sell", "2", None)
    outside.show("99:5 98:2", "101:3")
    assert shown(desk.book()[0]) == "99:3 98:2"
    outside.show("99:6 98:2", "101:3")
    assert shown(desk.book()[0]) == "99:6 98:2"
    desk.place("alice", "sell", "6", None)
    outside.show("99:6 98:2", "101:3")
    assert shown(desk.book()[0]) == "98:2"
    outside.show("98:2", "101:3")
    outside.show("99:6 98:2", "101:3")
    assert shown(desk.book()[0]) == "99:6 98:2"


def test_a_trade_fills_the_queue_from_its_front(desk: Desk, outside: Outside) -> None:
    outside.show("99:5")
    order = desk.place("alice", "buy", "2", "99")
    outside.show("99:8")
    outside.trade(SELL, "99", "4")
    assert queue(desk, BUY) == "99:outside 1, 99:alice 2, 99:outside 3"
    outside.trade(SELL, "99", "2")
    assert order.filled == 1
    assert order.remaining == 1


def test_a_trade_fills_better_orders_first_at_their_price_and_old_levels_leave(desk: Desk, outside: Outside) -> None:
    outside.show("99.5:1 99:5", "101:1")
    better = desk.place("alice", "buy", "2", "100")
    at = desk.place("alice", "buy", "2", "99")
    worse = desk.place("alice", "buy", "2", "98.9")
    outside.trade(SELL, "99", "3")
    assert (better.filled, better.cost) == (2, 200)
    assert not at.filled
    assert not worse.filled
    assert queue(desk, BUY) == "99:outside 2, 99:alice 2, 98.9:alice 2"


def test_orders_of_the_takers_own_side_do_not_fill(desk: Desk, outside: Outside) -> None:
    outside.show("99:1", "101:1")
    order = desk.place("alice", "buy", "1", "100")
    outside.trade(BUY, "100", "5")
    assert not order.filled


def test_the_tape_shows_all_of_a_trade(desk: Desk, outside: Outside) -> None:
    outside.show("99:1")
    desk.place("alice", "buy", "2", "99")
    outside.trade(SELL, "99", "10")
    outside.trade(BUY, "120", "1")
    trades = desk.exchange.trades(SPOT)
    assert [(str(t.price), str(t.quantity), t.side) for t in trades] == [
        ("99.0", "1.000", SELL),
        ("99.0", "2.000", SELL),
        ("99.0", "7.000", SELL),
        ("120.0", "1.000", BUY),
    ]
    assert [trade.trade_id for trade in trades] == [1, 2, 3, 4]
    assert len({trade.uid for trade in trades}) == 4
    assert sum(isinstance(event, Traded) for event in desk.events) == 4


def test_a_trade_outside_sets_off_stops(desk: Desk, outside: Outside) -> None:
    outside.show("99:5", "101:5")
    order = desk.place("alice", "buy", "1", None, type=OrderType.STOP, trigger_price=Decimal(101))
    outside.trade(BUY, "101", "1")
    assert order.status is OrderStatus.FILLED


@pytest.mark.parametrize("trade_first", [True, False], ids=["trade first", "book first"])
@pytest.mark.parametrize(
    ("traded", "then", "queued", "filled"),
    [
        pytest.param("4", "99:4", "99:outside 1, 99:alice 2, 99:outside 3", 0, id="part of what is before"),
        pytest.param("5", "99:3", "99:alice 2, 99:outside 3", 0, id="all that is before"),
        pytest.param("6", "99:2", "99:alice 1, 99:outside 2", 1, id="and part of hers"),
        pytest.param("8", "", "", 2, id="the whole level"),
    ],
)
def test_a_trade_and_its_book_count_once_in_either_order(
    desk: Desk, outside: Outside, *, trade_first: bool, traded: str, then: str, queued: str, filled: int
) -> None:
    """Before her stand 5, behind her 3."""
    outside.show("99:5")
    order = desk.place("alice", "buy", "2", "99")
    outside.show("99:8")
    if trade_first:
        outside.trade(SELL, "99", traded)
        outside.show(then)
    else:
        outside.show(then)
        outside.trade(SELL, "99", traded)
    assert queue(desk, BUY) == queued
    assert order.filled == filled


def test_many_trades_of_one_change_count_once(desk: Desk, outside: Outside) -> None:
    outside.show("99:5")
    order = desk.place("alice", "buy", "2", "99")
    outside.show("99:3")
    outside.show("99:1")
    for _ in range(4):
        outside.trade(SELL, "99", "1")
    assert queue(desk, BUY) == "99:outside 1, 99:alice 2"
    outside.trade(SELL, "99", "2")
    assert order.filled == 1


def test_who_comes_between_a_change_and_its_trade_is_not_filled_by_it(desk: Desk, outside: Outside) -> None:
    outside.show("99:5")
    outside.show("99:1")
    order = desk.place("alice", "buy", "2", "99")
    outside.trade(SELL, "99", "4")
    assert queue(desk, BUY) == "99:outside 1, 99:alice 2"
    assert not order.filled


def test_what_a_level_lost_long_ago_was_no_trade(desk: Desk, outside: Outside) -> None:
    outside.show("99:5")
    order = desk.place("alice", "buy", "2", "99")
    outside.show("99:1")
    desk.clock.advance(2)
    outside.trade(SELL, "99", "2")
    assert order.filled == 1


def test_the_outsides_own_time_tells_what_is_long_ago(desk: Desk, outside: Outside) -> None:
    """A recording that plays fast has its own seconds."""
    now = desk.clock.now()
    outside.mirror.show(levels("99:5"), [], at=now)
    order = desk.place("alice", "buy", "2", "99")
    outside.mirror.show(levels("99:1"), [], at=now)
    outside.mirror.trade(SELL, Decimal(99), Decimal(2), at=now + timedelta(seconds=2))
    assert order.filled == 1


def test_a_trade_that_the_book_told_already_leaves_better_levels(desk: Desk, outside: Outside) -> None:
    outside.show("99:5 98:1")
    outside.show("98:1")
    outside.show("99.5:2 98:1")
    outside.trade(SELL, "99", "5")
    assert shown(desk.book()[0]) == "99.5:2 98:1"


def test_a_book_that_lags_behind_a_trade_takes_no_place_in_the_queue(desk: Desk, outside: Outside) -> None:
    outside.show("99:5 98:1")
    desk.place("alice", "buy", "2", "99")
    outside.trade(SELL, "99", "4")
    outside.show("99:5 98:2")
    assert queue(desk, BUY).startswith("99:outside 1, 99:alice 2")
    outside.show("99:1 98:2")
    assert queue(desk, BUY) == "99:outside 1, 99:alice 2, 98:outside 1, 98:outside 1"


def test_what_is_not_known_does_not_rest(desk: Desk, outside: Outside) -> None:
    outside.show("99:5", "101:3")
    order = desk.place("alice", "buy", "2", "99")
    outside.mirror.withdraw()
    assert queue(desk, BUY) == "99:alice 2"
    assert not desk.book()[1]
    outside.show("99:5", "101:3")
    assert queue(desk, BUY) == "99:alice 2, 99:outside 5"
    assert not order.filled


@pytest.mark.parametrize("status", [InstrumentStatus.CANCEL_ONLY, InstrumentStatus.OFFLINE])
def test_a_market_that_takes_no_orders_only_gets_less(desk: Desk, outside: Outside, status: InstrumentStatus) -> None:
    outside.show("99:5", "101:3")
    order = desk.place("alice", "buy", "2", "99")
    desk.exchange.set_status(SPOT, status)
    outside.show("99:6 98:1", "101:2")
    outside.trade(SELL, "99", "10")
    assert [shown(side) for side in desk.book()] == ["99:7", "101:2"]
    assert not order.filled
    assert not desk.exchange.trades(SPOT)
    desk.exchange.set_status(SPOT, InstrumentStatus.ONLINE)
    outside.show("99:6 98:1", "101:2")
    assert [shown(side) for side in desk.book()] == ["99:8 98:1", "101:2"]


def test_a_market_that_takes_what_does_not_trade_follows(desk: Desk, outside: Outside) -> None:
    desk.exchange.set_status(SPOT, InstrumentStatus.POST_ONLY)
    outside.show("99:5", "101:3")
    assert [shown(side) for side in desk.book()] == ["99:5", "101:3"]


def test_the_market_maker_leaves_and_others_stay(desk: Desk) -> None:
    for maker in market_makers(desk.exchange, seed=1):
        maker.step(desk.clock.now())
    others = desk.book(LINEAR)
    Outside(desk).show("99:5", "101:3")
    assert [shown(side) for side in desk.book()] == ["99:5", "101:3"]
    assert desk.book(LINEAR) == others


def test_a_restored_exchange_shows_the_outside_once(desk: Desk, outside: Outside) -> None:
    outside.show("99:5", "101:3")
    desk.place("alice", "buy", "2", "99")
    again = Desk(SimulatedExchange.restore(SPEC, desk.exchange.save(), clock=desk.clock), desk.clock)
    Outside(again).show("99:5", "101:3")
    assert [shown(side) for side in again.book()] == ["99:7", "101:3"]


def test_a_market_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(SimRefused, match="DOGE/USD"):
        Mirror(desk.exchange, Symbol.parse("DOGE/USD"))


@pytest.mark.parametrize("symbol", [LINEAR, INVERSE], ids=["linear", "inverse"])
def test_contracts_are_mirrored_too(desk: Desk, symbol: Symbol) -> None:
    outside = Outside(desk, symbol)
    outside.show("99:5 98:7", "101:3")
    order = desk.place("alice", "buy", "2", "99", symbol=symbol)
    outside.trade(SELL, "99", "6")
    assert order.filled == 1
    assert shown(desk.book(symbol)[0]) == "99:1 98:7"


# Whatever happens

_PRICES = st.integers(95, 105)
_LOTS = st.integers(1, 9)
_LEVELS = st.dictionaries(_PRICES, _LOTS, max_size=6)
_SIDES = st.sampled_from([BUY, SELL])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("show"), _LEVELS, st.integers(95, 105)),
        st.tuples(st.just("trade"), _SIDES, _PRICES, _LOTS),
        st.tuples(st.just("order"), st.sampled_from(["alice", "bob"]), _SIDES, _PRICES, st.integers(2, 9)),
        st.tuples(st.just("cancel"), st.sampled_from(["alice", "bob"])),
        st.tuples(st.just("wait")),
        st.tuples(st.just("withdraw")),
    ),
    max_size=25,
)


def lots(number: int) -> Decimal:
    return Decimal(number) / 1000


def resting(desk: Desk) -> dict[tuple[Side, Decimal], Decimal]:
    """Return what rests of the outside, by side and price."""
    found: dict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
    for order in desk.exchange.open_orders(QUOTER):
        assert order.request.price is not None
        found[order.request.side, order.request.price] += order.remaining
    return found


class Taken:
    """What orders placed here trade with each other and with the outside, from now on."""

    def __init__(self, desk: Desk) -> None:
        self.mine = Decimal(0)
        self.at: dict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
        self._stop = desk.exchange.listen(self._heard)

    def _heard(self, event: object) -> None:
        if isinstance(event, OrderChanged) and event.fill is not None:
            request = event.order.request
            assert request.price is not None
            if event.order.account in ("alice", "bob"):
                assert (event.fill.price - request.price) * request.side.sign <= 0, "worse than its limit"
                self.mine += event.fill.quantity
            elif event.order.account == QUOTER:
                self.at[request.side, request.price] += event.fill.quantity

    def stop(self) -> "Taken":
        self._stop()
        return self


@settings(max_examples=150, deadline=None)
@given(_STEPS)
def test_whatever_happens_nothing_is_made_up(steps: list[tuple[object, ...]]) -> None:
    """Sums agree after each step; each order's limit holds; a trade fills no more than it was; books are as shown."""
    desk = build()
    mirror = Mirror(desk.exchange, SPOT)
    known: dict[tuple[Side, Decimal], Decimal] = {}
    traded: set[tuple[Side, Decimal]] = set()  # what the outside has of these is not told by what was shown
    for step in steps:
        before, taken = resting(desk), Taken(desk)
        match step:
            case ("show", dict(found), int(middle)):
                both = {BUY: {p: q for p, q in found.items() if p < middle}}
                both[SELL] = {p: q for p, q in found.items() if p >= middle}
                mirror.show(*([(Decimal(p), lots(q)) for p, q in sorted(half.items())] for half in both.values()))
                told = {(side, Decimal(p)): lots(q) for side, half in both.items() for p, q in half.items()}
                after, taken = resting(desk), taken.stop()
                assert after.keys() <= told.keys()
                for place, quantity in told.items():
                    stands = before[place] if known.get(place) == quantity else quantity
                    assert after[place] == stands - taken.at[place] or (place in traded and after[place] <= quantity)
                known, traded = told, set()
            case ("trade", Side() as side, int(price), int(quantity)):
                count = desk.exchange.trade_count(SPOT)
                mirror.trade(side, Decimal(price), lots(quantity))
                assert taken.stop().mine <= lots(quantity)
                printed = desk.exchange.trades(SPOT)[count - desk.exchange.trade_count(SPOT) :]
                assert sum((trade.quantity for trade in printed), Decimal(0)) == lots(quantity)
                traded |= {(half, p) for half, p in known if half is not side and (price - p) * side.sign >= 0}
            case ("order", str(account), Side() as side, int(price), int(quantity)):
                with suppress(SimRefused):
                    desk.place(account, side, str(lots(quantity)), str(price), any_size=True)
            case ("cancel", str(account)):
                for order in desk.exchange.open_orders(account):
                    desk.exchange.cancel(account, order.id)
            case ("wait",):
                desk.clock.advance(2)
            case ("withdraw",):
                mirror.withdraw()
                known = {}
                assert not resting(desk)
        taken.stop()
        desk.exchange.check_invariants()
