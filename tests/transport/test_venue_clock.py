"""How far a venue's clock is ahead is told from its answers, with bounds; only one proved wrong is corrected."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.rest import HttpReply
from exchange_core.errors import ProtocolError
from exchange_core.testing.clock import ManualClock
from exchange_core.transport.venue_clock import ClockReading, VenueClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


class Venue:
    """Answers with its time, *ahead* of the local clock, after half of *trip* seconds, which come back late as much."""

    def __init__(self, ahead: float, **clock: Callable[..., object]) -> None:
        self.ahead = ahead
        self.told: list[ClockReading] = []
        self.local = ManualClock(START)
        self.clock = VenueClock(self.local, self.told.append, **clock)  # type: ignore[arg-type]

    def answer(self, trip: float = 0.2, wait: float = 1.3, **headers: str) -> None:
        asyncio.run(self.local.advance(wait))
        began = self.clock.monotonic()
        asyncio.run(self.local.advance(trip / 2))
        date = format_datetime(self.local.now() + seconds(self.ahead), usegmt=True)
        asyncio.run(self.local.advance(trip / 2))
        self.clock.hear(HttpReply(200, {"date": date, **headers}, b""), began)

    @property
    def off(self) -> timedelta:
        """How far the time that is shown is ahead of the venue's."""
        return self.clock.now() - (self.local.now() + seconds(self.ahead))


@pytest.mark.parametrize("ahead", [0, 0.1, -0.2])
def test_a_clock_that_may_be_right_is_taken_as_it_is(ahead: float) -> None:
    venue = Venue(ahead)
    for _ in range(3):
        venue.answer()
    assert venue.clock.now() == venue.local.now()
    assert venue.told == []


@pytest.mark.parametrize("ahead", [10, -10, 3600.25])
def test_a_clock_that_is_wrong_shows_the_latest_that_it_can_be_at_the_venue(ahead: float) -> None:
    """So that a deadline is never earlier there than it was meant, nor later by more than the bounds are apart."""
    venue = Venue(ahead)
    venue.answer()
    reading = venue.clock.reading
    assert reading is not None
    assert reading.least <= seconds(ahead) <= reading.most
    assert timedelta(0) <= venue.off <= reading.most - reading.least <= seconds(1.2)
    assert [each.correction for each in venue.told] == [reading.most]


@given(
    ahead=st.floats(min_value=-1e5, max_value=1e5),
    answers=st.lists(st.tuples(st.floats(0.001, 3), st.floats(1, 30)), min_size=1, max_size=12),
)
def test_the_truth_is_always_within_the_bounds(ahead: float, answers: list[tuple[float, float]]) -> None:
    venue = Venue(ahead)
    before = timedelta.max
    for trip, wait in answers:
        venue.answer(trip, wait)
        reading = venue.clock.reading
        assert reading is not None
        slack = timedelta(microseconds=5)
        assert reading.least - slack <= seconds(ahead) <= reading.most + slack
        assert reading.most - reading.least <= before
        before = reading.most - reading.least


def test_one_answer_that_contradicts_the_others_moves_nothing_a_second_one_does() -> None:
    venue = Venue(0)
    venue.answer()
    venue.ahead = 30
    venue.answer()
    assert venue.clock.now() == venue.local.now()
    venue.answer()
    assert timedelta(0) <= venue.off <= seconds(1.2)
    venue.ahead = 0
    venue.answer()
    venue.answer()
    assert venue.clock.now() == venue.local.now()
    assert [bool(each.correction) for each in venue.told] == [True, False]


def test_an_answer_that_was_kept_on_the_way_tells_nothing() -> None:
    venue = Venue(-30)
    venue.answer(age="30")
    assert venue.clock.reading is None


def test_an_exact_time_that_was_kept_on_the_way_tells_nothing_either() -> None:
    """Else the list of contracts that a cache has would have every order refused, as sent after its deadline."""
    venue = Venue(-30, server_time=lambda reply: START)
    venue.answer(age="30")
    assert venue.clock.reading is None


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 1900 00:00:00 GMT"])
def test_a_date_at_the_end_of_time_tells_nothing(date: str) -> None:
    """Nothing could be added to it, and no time be told from then on."""
    venue = Venue(0)
    venue.clock.hear(HttpReply(200, {"date": date}, b""), 0.0)
    assert venue.clock.reading is None


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_a_date_that_does_not_read_tells_nothing(date: str) -> None:
    venue = Venue(0)
    venue.clock.hear(HttpReply(200, {"date": date}, b""), 0.0)
    assert venue.clock.reading is None


def test_what_the_venue_says_of_its_time_comes_before_the_date() -> None:
    def server_time(reply: HttpReply) -> datetime:
        return venue.local.now() + seconds(10)

    venue = Venue(10, server_time=server_time)
    venue.answer(trip=0.01)
    reading = venue.clock.reading
    assert reading is not None
    assert reading.most - reading.least <= seconds(0.012)


def test_a_clock_that_is_set_right_but_for_a_moment_is_told_as_right() -> None:
    """A third of a second is corrected, and nobody is asked to set a clock for it."""
    venue = Venue(10, server_time=lambda reply: venue.local.now() + seconds(venue.ahead - 0.1))
    venue.answer()
    venue.ahead = 0.3
    venue.answer()
    venue.answer()
    assert [reading.is_notable for reading in venue.told] == [True, False]
    assert venue.told[-1].correction > timedelta(0)


def test_a_time_that_does_not_read_tells_nothing() -> None:
    def server_time(reply: HttpReply) -> datetime:
        raise ProtocolError("no time")

    venue = Venue(10, server_time=server_time)
    venue.answer()
    assert venue.clock.reading is None


def test_nonces_and_waits_go_by_the_local_clock() -> None:
    venue = Venue(1000)
    venue.answer()
    assert venue.clock.time_ns() == venue.local.time_ns()
    assert venue.clock.monotonic() == venue.local.monotonic()


def test_a_reading_says_what_it_means() -> None:
    reading = ClockReading(least=seconds(9.5), most=seconds(10.6), correction=seconds(10.6), read=START)
    assert str(reading) == "the venue's clock is +9.500 to +10.600 s ahead of ours"
