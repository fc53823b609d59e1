from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.transport.backoff import ConnectBudget, backoff


def test_waits_grow_up_to_the_longest() -> None:
    waits = list(islice(backoff(Random(1), first=1, longest=8), 8))
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, [1, 2, 4, 8, 8, 8, 8, 8], strict=True))


def test_two_clients_do_not_wait_alike() -> None:
    assert list(islice(backoff(Random(1)), 5)) != list(islice(backoff(Random(2)), 5))


def test_the_first_attempts_are_free() -> None:
    budget = ConnectBudget(3, 600)
    for now in (0.0, 1.0, 2.0):
        assert budget.delay(now) == 0
        budget.spend(now)
    assert budget.delay(3.0) == pytest.approx(597.0, abs=0.01)


@given(
    st.integers(1, 10),
    st.lists(st.floats(0, 200, allow_nan=False), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_attempts_than_allowed(attempts: int, gaps: list[float]) -> None:
    """Whenever someone asks, waits as told and connects: counted back from each attempt."""
    budget, window, now, made = ConnectBudget(attempts, 600.0), 600.0, 0.0, []
    for gap in gaps:
        now += gap
        while (delay := budget.delay(now)) > 0:
            now += delay
        budget.spend(now)
        made.append(now)
    for index, moment in enumerate(made):
        assert sum(moment - earlier < window for earlier in made[: index + 1]) <= attempts
