"""Nothing is sent that the venue's published limits would refuse, however it counts."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.limits import Cost, DecayingCounter
from kraken_futures.limits import (
    BUDGET,
    DERIVATIVES,
    GRACE,
    HISTORY,
    HISTORY_CALL,
    RESERVE,
    SlidingWindow,
    account_log_cost,
    batch_units,
    limits,
    units,
)


def cost(amount: float, *, urgent: bool = False) -> Cost:
    return Cost(DERIVATIVES, amount, urgent=urgent)


@pytest.mark.parametrize(
    ("endpoint", "amount"),
    [
        ("sendorder", 10),
        ("cancelorder", 10),
        ("accounts", 2),
        ("openorders", 2),
        ("openpositions", 2),
        ("orders/status", 1),
        ("fills", 2),
        ("fills before", 25),
        ("editorder", 10),
        ("cancelallorders", 25),
        ("cancelallordersafter", 25),
        ("unwindqueue", 200),
        ("leveragepreferences", 2),
        ("leveragepreferences change", 10),
        ("pnlpreferences", 2),
        ("pnlpreferences change", 10),
        ("transfer", 10),
        ("transfer/subaccount", 10),
        ("withdrawal", 100),
        ("self-trade-strategy", 2),
        ("subaccount/trading-enabled", 2),
    ],
)
def test_calls_cost_what_is_published(endpoint: str, amount: int) -> None:
    assert units(endpoint) == (Cost(DERIVATIVES, amount),)


@pytest.mark.parametrize(("items", "amount"), [(1, 10), (10, 19), (100, 109)])
def test_a_batch_costs_nine_and_one_for_each_item(items: int, amount: int) -> None:
    assert batch_units(items) == (Cost(DERIVATIVES, amount),)


@pytest.mark.parametrize(
    ("rows", "amount"),
    [(1, 1), (25, 1), (26, 2), (50, 2), (51, 3), (500, 3), (1000, 3), (1001, 6), (5000, 6), (5001, 10), (100_000, 10)],
)
def test_the_account_log_costs_by_its_rows(rows: int, amount: int) -> None:
    assert account_log_cost(rows) == (Cost(HISTORY, amount),)


def test_orders_wait_when_the_window_is_full_and_cancels_do_not() -> None:
    shared = limits()
    while shared.delay(units("sendorder"), now=0.0) == 0:
        shared.spend(units("sendorder"), now=0.0)
    assert shared.delay(units("sendorder"), now=0.0) == 10.0 + GRACE
    assert shared.delay(units("cancelorder", urgent=True), now=0.0) == 0
    for _ in range(int(RESERVE) // 10):
        shared.spend(units("cancelorder", urgent=True), now=0.0)
    assert shared.delay(units("cancelorder", urgent=True), now=0.0) == 10.0 + GRACE


def test_the_wait_is_just_as_long_as_needed() -> None:
    window = SlidingWindow(100, 10)
    window.spend(cost(60), now=0.0)
    window.spend(cost(40), now=4.0)
    assert window.delay(cost(50), now=5.0) == 5.0
    assert window.delay(cost(70), now=5.0) == 9.0
    assert window.delay(cost(60), now=10.0) == 0.0


def test_a_call_larger_than_the_window_goes_when_it_is_empty() -> None:
    window = SlidingWindow(100, 10)
    assert window.delay(cost(200), now=0.0) == 0.0
    window.spend(cost(200), now=0.0)
    assert window.delay(cost(1), now=0.0) == 10.0
    assert window.delay(cost(200), now=10.0) == 0.0


def test_a_refusal_closes_the_window_for_as_long_as_the_venue_says() -> None:
    window = SlidingWindow(100, 10)
    window.pause(cost(1), 30, now=0.0)
    assert window.delay(cost(1), now=10.0) == 20.0
    assert window.delay(cost(1), now=30.0) == 0.0


def test_a_refused_order_holds_no_cancel_back_and_a_refused_cancel_holds_all() -> None:
    shared = limits()
    shared.pause(units("sendorder"), 30, now=0.0)
    assert shared.delay(units("sendorder"), now=0.0) == 30.0
    assert shared.delay(units("cancelorder", urgent=True), now=0.0) == 0.0
    shared.pause(units("cancelorder", urgent=True), 40, now=0.0)
    assert shared.delay(units("cancelorder", urgent=True), now=0.0) == 40.0
    assert shared.delay(units("sendorder"), now=0.0) == 40.0


def test_history_refills_one_token_in_six_seconds() -> None:
    shared = limits()
    for _ in range(99):
        assert shared.delay(HISTORY_CALL, now=0.0) == 0
        shared.spend(HISTORY_CALL, now=0.0)
    # One token is left alone: it may be that they come back one by one.
    assert shared.delay(HISTORY_CALL, now=0.0) == pytest.approx(6.0)
    assert isinstance(shared.limiters[HISTORY], DecayingCounter)
    assert shared.delay(units("sendorder"), now=0.0) == 0


def test_what_is_under_way_stays_in_the_window_until_its_answer_and_a_window_longer() -> None:
    window = SlidingWindow(100, 10)
    window.hold(cost(60), now=0.0)
    window.hold(cost(40), now=0.0)
    assert window.delay(cost(1), now=30.0) > 0
    window.settle(cost(60), now=31.0)
    assert window.delay(cost(60), now=35.0) == 6.0
    assert window.delay(cost(60), now=41.0) == 0.0
    assert window.delay(cost(61), now=41.0) > 0


def test_a_window_fills_up_to_the_venues_own_count_and_is_never_emptied_by_it() -> None:
    window = SlidingWindow(100, 10)
    window.spend(cost(40), now=0.0)
    window.correct("", 90, now=1.0)
    window.correct("", 10, now=2.0)
    assert window.delay(cost(20), now=2.0) == 8.0
    assert window.delay(cost(60), now=2.0) == 9.0


def test_the_units_are_counted_by_address_and_the_number_of_open_orders_is_not_known() -> None:
    assert limits().per_address == {DERIVATIVES}
    assert limits().open_orders is None


@given(st.lists(st.tuples(st.sampled_from([1, 2, 10, 25, 100]), st.floats(0, 5)), max_size=150))
def test_whatever_is_sent_fits_a_sliding_window_a_fixed_one_and_a_bucket(calls: list[tuple[int, float]]) -> None:
    window = SlidingWindow(BUDGET, 10)
    now, bucket, filled = 0.0, 500.0, 0.0
    sent: deque[tuple[float, int]] = deque()
    for amount, pause in calls:
        now += pause
        now += window.delay(cost(amount), now)
        window.spend(cost(amount), now)
        sent.append((now, amount))
        bucket = min(500.0, bucket + 50 * (now - filled)) - amount
        filled = now
        assert bucket > 0
        assert sum(a for when, a in sent if when > now - 10 + 1e-9) <= 500
        assert sum(a for when, a in sent if when // 10 == now // 10) <= 500
