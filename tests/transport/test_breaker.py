import pytest

from exchange_core.errors import BadRequest, LockedOut, TransportError
from exchange_core.testing.clock import ManualClock
from exchange_core.transport.breaker import Breaker, Lockout


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker("testex", clock)


def lock(breaker: Breaker, seconds: float | None = None) -> None:
    with pytest.raises(LockedOut, match="said the venue"), breaker.watch():
        raise LockedOut("said the venue", retry_after=seconds)


def call(breaker: Breaker) -> None:
    with breaker.watch():
        pass


def test_calls_pass_until_the_venue_locks_out(breaker: Breaker) -> None:
    call(breaker)
    assert breaker.closes_at is None


async def test_nothing_is_sent_until_the_lockout_ends(breaker: Breaker, clock: ManualClock) -> None:
    lock(breaker, 60)
    await clock.advance(59)
    with pytest.raises(LockedOut, match=r"testex: locked out.*until 2026-01-01 00:01:00 UTC") as caught:
        call(breaker)
    assert caught.value.retry_after == pytest.approx(1)
    await clock.advance(1)
    call(breaker)
    assert breaker.closes_at is None


async def test_a_lockout_without_a_time_lasts_a_quarter_of_an_hour(breaker: Breaker, clock: ManualClock) -> None:
    lock(breaker)
    await clock.advance(899)
    with pytest.raises(LockedOut):
        call(breaker)


async def test_after_a_lockout_one_call_goes_first(breaker: Breaker, clock: ManualClock) -> None:
    lock(breaker, 60)
    await clock.advance(60)
    with breaker.watch(), pytest.raises(LockedOut, match="a call that is under way"):
        call(breaker)
    call(breaker)


async def test_a_probe_that_is_locked_out_starts_the_wait_again(breaker: Breaker, clock: ManualClock) -> None:
    lock(breaker, 60)
    await clock.advance(60)
    lock(breaker, 60)
    await clock.advance(59)
    with pytest.raises(LockedOut):
        call(breaker)


async def test_any_answer_of_the_venue_ends_the_lockout(breaker: Breaker, clock: ManualClock) -> None:
    lock(breaker, 60)
    await clock.advance(60)
    with pytest.raises(BadRequest), breaker.watch():
        raise BadRequest("not like this")
    assert breaker.closes_at is None


async def test_a_probe_without_an_answer_is_followed_by_another(breaker: Breaker, clock: ManualClock) -> None:
    lock(breaker, 60)
    await clock.advance(60)
    with pytest.raises(TransportError), breaker.watch():
        raise TransportError("silence")
    assert breaker.closes_at is not None
    call(breaker)


async def test_an_answer_to_a_call_from_before_does_not_end_it(breaker: Breaker) -> None:
    with breaker.watch():
        lock(breaker, 60)
    assert breaker.closes_at is not None


async def test_a_lockout_outlives_its_client_and_holds_for_all_with_the_same_key(clock: ManualClock) -> None:
    lockout = Lockout()
    lock(Breaker("one", clock, lockout), 60)
    again = Breaker("again", clock, lockout)
    with pytest.raises(LockedOut, match=r"again: locked out.*until 2026-01-01 00:01:00 UTC"):
        call(again)
    await clock.advance(60)
    call(again)
    call(Breaker("one", clock, lockout))
