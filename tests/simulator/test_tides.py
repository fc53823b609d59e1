from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exchange_core.simulator.makers.tides import Tides

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
QUARTER = timedelta(seconds=0.25)


def drifts(tides: Tides, asset: str, count: int) -> list[Decimal]:
    return [tides.at(asset, NOON + place * QUARTER) for place in range(count)]


def test_a_drift_is_that_of_its_seed_asset_and_time_whoever_asks_in_whatever_order() -> None:
    forth, back = Tides(7, NOON), Tides(7, NOON)
    assert drifts(forth, "BTC", 400) == [back.at("BTC", NOON + place * QUARTER) for place in reversed(range(400))][::-1]
    assert drifts(forth, "BTC", 400) != drifts(forth, "ETH", 400)
    assert drifts(forth, "BTC", 400) != drifts(Tides(8, NOON), "BTC", 400)


def test_it_begins_in_the_middle_and_a_quarter_of_a_second_is_about_a_step() -> None:
    found = drifts(Tides(7, NOON), "BTC", 4000)
    moves = [abs(after - before) for before, after in pairwise(found)]
    assert found[0] == 0
    assert max(moves) < 3
    assert Decimal("0.2") < sum(moves) / len(moves) < 1


@given(seed=st.integers(), seconds=st.integers(-(10**6), 10**10))
def test_it_is_never_far_away(seed: int, seconds: int) -> None:
    assert abs(Tides(seed, NOON).at("BTC", NOON + timedelta(milliseconds=seconds))) <= 28
