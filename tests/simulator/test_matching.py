from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.model.side import Side
from exchange_core.simulator.engine.matching import LevelChange, MatchingBook, Plan, Resting

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def book() -> MatchingBook:
    """Asks: 3 at 101 (a, then b), 5 at 102 (c). Bids: 4 at 99 (d)."""
    book = MatchingBook()
    for order_id, side, price, lots in (
        ("a", SELL, 101, 1),
        ("b", SELL, 101, 2),
        ("c", SELL, 102, 5),
        ("d", BUY, 99, 4),
    ):
        book.add(resting(order_id, side, price, lots))
    book.take_changes()
    return book


def resting(
    order_id: str, side: Side, price: int, lots: int, *, owner: str = "maker", reduce_only: bool = False
) -> Resting:
    return Resting(id=order_id, owner=owner, side=side, price=price, remaining=lots, reduce_only=reduce_only)


def met(plan: Plan) -> list[tuple[str, int, int]]:
    return [(match.maker.id, match.maker.price, match.quantity) for match in plan.matches]


def test_the_best_price_is_met_first_and_within_it_the_oldest(book: MatchingBook) -> None:
    plan = book.plan(BUY, 102, 5, "taker")
    assert met(plan) == [("a", 101, 1), ("b", 101, 2), ("c", 102, 2)]
    assert plan.remaining == 0


def test_a_limit_stops_at_its_price(book: MatchingBook) -> None:
    plan = book.plan(BUY, 101, 5, "taker")
    assert met(plan) == [("a", 101, 1), ("b", 101, 2)]
    assert plan.remaining == 2


def test_without_a_price_everything_is_met(book: MatchingBook) -> None:
    assert book.plan(BUY, None, 100, "taker").remaining == 92


def test_a_plan_changes_nothing(book: MatchingBook) -> None:
    before = [(order.id, order.remaining) for order in book]
    book.plan(BUY, None, 100, "taker")
    assert [(order.id, order.remaining) for order in book] == before
    assert not book.take_changes()


def test_a_sell_meets_the_highest_bid_first(book: MatchingBook) -> None:
    book.add(resting("e", BUY, 100, 1))
    assert met(book.plan(SELL, 99, 3, "taker")) == [("e", 100, 1), ("d", 99, 2)]


def test_a_partly_filled_order_keeps_its_place(book: MatchingBook) -> None:
    book.carry_out(book.plan(BUY, 101, 2, "taker"))
    book.add(resting("late", SELL, 101, 9))
    assert met(book.plan(BUY, 101, 3, "taker")) == [("b", 101, 1), ("late", 101, 2)]


def test_an_own_order_ends_the_plan_where_it_stands(book: MatchingBook) -> None:
    book.add(resting("own", SELL, 101, 1, owner="taker"))
    plan = book.plan(BUY, 102, 9, "taker")
    assert met(plan) == [("a", 101, 1), ("b", 101, 2)]
    assert plan.blocked
    assert plan.remaining == 6


def test_an_own_order_behind_the_last_match_does_not_block(book: MatchingBook) -> None:
    book.add(resting("own", SELL, 101, 1, owner="taker"))
    assert not book.plan(BUY, 102, 3, "taker").blocked


def test_changes_tell_each_level_once_with_what_stands_there_now(book: MatchingBook) -> None:
    book.carry_out(book.plan(BUY, 102, 5, "taker"))
    assert book.take_changes() == [LevelChange(SELL, 101, 0), LevelChange(SELL, 102, 3)]
    assert not book.take_changes()


def test_a_level_that_ends_as_it_was_did_not_change(book: MatchingBook) -> None:
    book.remove("b")
    book.add(resting("f", SELL, 101, 2))
    assert not book.take_changes()


def test_levels_are_best_first_and_cut_at_the_depth(book: MatchingBook) -> None:
    book.add(resting("e", BUY, 98, 7))
    assert book.levels(SELL) == [(101, 3), (102, 5)]
    assert book.levels(BUY, 1) == [(99, 4)]
    assert (book.best(BUY), book.best(SELL)) == (99, 101)


def test_a_maker_that_only_reduces_is_met_as_far_as_its_owner_has_a_position() -> None:
    """What the owner trades earlier in the same plan counts too."""
    book = MatchingBook()
    book.add(resting("plain", SELL, 100, 3, owner="long"))
    book.add(resting("reducing", SELL, 101, 9, owner="long", reduce_only=True))
    book.add(resting("other", SELL, 102, 9))
    positions = {"long": 5}
    plan = book.plan(BUY, None, 10, "taker", lambda owner, side: positions[owner])
    assert met(plan) == [("plain", 100, 3), ("reducing", 101, 2), ("other", 102, 5)]


def test_a_long_queue_is_eaten_from_its_front_in_constant_time_each() -> None:
    """Ten thousand orders at one price, taken one by one: quadratic work would need minutes."""
    book = MatchingBook()
    for number in range(10_000):
        book.add(resting(str(number), SELL, 100, 1))
    for number in range(10_000):
        plan = book.plan(BUY, 100, 1, "taker")
        assert plan.matches[0].maker.id == str(number)
        book.carry_out(plan)
    assert len(book) == 0


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "cancel"]),
        st.sampled_from([BUY, SELL]),
        st.integers(95, 105),
        st.integers(1, 6),
        st.sampled_from(["x", "y", "z"]),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_it_does_the_same_as_a_list_that_is_searched_from_the_start(
    actions: list[tuple[str, Side, int, int, str]],
) -> None:
    book, naive = MatchingBook(), NaiveBook()
    shown: dict[tuple[Side, int], int] = {}
    for number, (action, side, price, lots, owner) in enumerate(actions):
        if action == "cancel":
            assert {order.id for order in book} == naive.ids()
            if naive.orders:
                victim = naive.orders[price % len(naive.orders)].id
                book.remove(victim)
                naive.orders = [order for order in naive.orders if order.id != victim]
        else:
            plan = book.plan(side, price, lots, owner)
            expected, remaining, blocked = naive.meet(side, price, lots, owner)
            assert [(m.maker.id, m.quantity) for m in plan.matches] == expected
            assert (plan.remaining, plan.blocked) == (remaining, blocked)
            book.carry_out(plan)
            if remaining and not blocked:
                book.add(resting(str(number), side, price, remaining, owner=owner))
                naive.orders.append(resting(str(number), side, price, remaining, owner=owner))
        for change in book.take_changes():
            shown[change.side, change.price] = change.quantity
        assert {key: total for key, total in shown.items() if total} == naive.levels()
        assert {(s, p): total for s in Side for p, total in book.levels(s)} == naive.levels()
        best = [(book.best(s)) for s in Side]
        assert None in best or best[0] < best[1]  # type: ignore[operator]


class NaiveBook:
    """Price-time priority as one would write it down: sort, then look."""

    def __init__(self) -> None:
        self.orders: list[Resting] = []

    def ids(self) -> set[str]:
        return {order.id for order in self.orders}

    def meet(self, side: Side, price: int, lots: int, owner: str) -> tuple[list[tuple[str, int]], int, bool]:
        met, blocked = [], False
        better: Callable[[Resting], int] = lambda order: order.price * side.sign  # noqa: E731
        for order in sorted((o for o in self.orders if o.side is not side), key=better):
            if (order.price - price) * side.sign > 0 or lots == 0:
                break
            if order.owner == owner:
                blocked = True
                break
            taken = min(lots, order.remaining)
            met.append((order.id, taken))
            order.remaining -= taken
            lots -= taken
        self.orders = [order for order in self.orders if order.remaining]
        return met, lots, blocked

    def levels(self) -> dict[tuple[Side, int], int]:
        totals: dict[tuple[Side, int], int] = {}
        for order in self.orders:
            totals[order.side, order.price] = totals.get((order.side, order.price), 0) + order.remaining
        return totals
