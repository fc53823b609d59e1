"""Counters never fall below the venue's, whenever it counted what was on its way."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.limits import Cost, DecayingCounter, Limits

CALL = Cost("calls", 4)


def counter(**changes: float) -> DecayingCounter:
    return DecayingCounter(**{"maximum": 10, "decay": 1} | changes)


def test_what_is_held_counts_and_does_not_drain() -> None:
    made = counter()
    made.hold(CALL, 0.0)
    assert made.level("", 100.0) == 4
    made.settle(CALL, 100.0)
    assert made.level("", 101.0) == 3


def test_the_margin_is_left_alone_also_by_cancels() -> None:
    made = counter(reserve=2, margin=1.5)
    assert made.delay(Cost("calls", 6.5), 0.0) == 0
    made.spend(Cost("calls", 6.5), 0.0)
    assert made.delay(Cost("calls", 1), 0.0) == 1
    assert made.delay(Cost("calls", 2, urgent=True), 0.0) == 0
    assert made.delay(Cost("calls", 3, urgent=True), 0.0) == 1


def test_what_overshoots_never_waits_and_is_counted() -> None:
    made = counter()
    much = Cost("calls", 50, urgent=True, overshoots=True)
    made.pause(Cost("calls", urgent=True), 60, 0.0)
    for _ in range(2):
        assert made.delay(much, 0.0) == 0
        made.spend(much, 0.0)
    assert made.level("", 0.0) == 100


def test_a_higher_count_of_the_venue_is_taken_at_once_and_what_is_under_way_comes_on_top() -> None:
    """Somebody else uses the account; what of ours is under way may not be in the venue's count yet."""
    made = counter(maximum=100)
    made.spend(CALL, 0.0)
    made.hold(CALL, 0.0)
    made.correct("", 30, 0.0)
    assert made.level("", 0.0) == 34
    made.settle(CALL, 0.0)
    assert made.level("", 0.0) == 34


def test_a_count_that_holds_no_more_than_ours_is_no_news() -> None:
    """Else what is under way and in the venue's count already would be counted twice with every message."""
    made = counter(maximum=100)
    for number in range(1, 11):
        made.hold(CALL, 0.0)
        made.correct("", 4 * number, 0.0)
        made.settle(CALL, 0.0)
        assert made.level("", 0.0) == 4 * number


def test_a_lower_count_is_taken_only_when_nothing_of_ours_can_be_missing_in_it() -> None:
    made = counter(maximum=100)
    made.hold(CALL, 0.0)
    made.correct("", 1, 50.0)
    assert made.level("", 50.0) == 4
    made.settle(CALL, 50.0)
    made.correct("", 1, 51.9)
    assert made.level("", 51.9) == pytest.approx(2.1)
    made.correct("", 1, 52.0)
    assert made.level("", 52.0) == 1


def test_other_keys_do_not_count_for_that() -> None:
    made = counter(maximum=100, per_key=True)
    made.hold(Cost("calls", 4, key="b"), 0.0)
    made.spend(Cost("calls", 4, key="a"), 0.0)
    made.correct("a", 1, 0.0)
    assert (made.level("a", 0.0), made.level("b", 0.0)) == (1, 4)


def test_other_figures_count_from_now_on() -> None:
    made = counter()
    made.spend(Cost("calls", 9), 0.0)
    made.hold(Cost("calls", 1), 0.0)
    made.adopt(counter(maximum=20, decay=5, reserve=2, margin=1), 4.0)
    assert made.level("", 4.0) == 6
    assert made.level("", 5.0) == 1
    assert (made.maximum, made.reserve, made.margin) == (20, 2, 1)


def test_copies_count_on_by_themselves_and_share_what_they_shared() -> None:
    both = counter()
    limits = Limits({"a": both, "b": both})
    copied = limits.copy()
    copied.spend((Cost("a", 5),), 0.0)
    assert limits.states(0.0)[0].level == 0
    assert [state.level for state in copied.states(0.0)] == [5, 5]


def venue_levels(arrivals: Iterable[tuple[float, float]], decay: float, times: list[float]) -> list[float]:
    """Return the venue's counter at *times*, from when each amount came to it."""
    level, at, found, waiting = 0.0, 0.0, [], sorted(arrivals)
    for time in times:
        while waiting and waiting[0][0] <= time:
            when, amount = waiting.pop(0)
            level, at = max(0.0, level - (when - at) * decay) + amount, when
        found.append(max(0.0, level - (time - at) * decay))
    return found


@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0.5, 8), st.floats(0, 10), st.floats(0, 1)), min_size=1, max_size=25),
    st.floats(0.1, 4),
)
def test_our_count_is_at_no_time_below_the_venues(calls: list[tuple[float, float, float, float]], decay: float) -> None:
    """Each call is sent, arrives at some time and is answered later; in no order."""
    now, steps, arrivals = 0.0, [], []
    for pause, amount, round_trip, share in calls:
        now += pause
        steps += [(now, 0, amount), (now + round_trip, 1, amount)]
        arrivals.append((now + round_trip * share, amount))
    made, ours = DecayingCounter(1e9, decay), {}
    for time, is_answer, amount in sorted(steps):
        (made.settle if is_answer else made.hold)(Cost("calls", amount), time)
        ours[time] = made.level("", time)
    for our, venues in zip(ours.values(), venue_levels(arrivals, decay, list(ours)), strict=True):
        assert our >= venues - 1e-6
