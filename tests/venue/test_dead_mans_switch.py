"""The dead man's switch: renewed while the body runs, ended when it ends well, left alone when it does not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from exchange_core.errors import (
    AuthenticationError,
    ConfigError,
    InvalidValue,
    NonceRejected,
    NotSupported,
    TransportError,
    VenueUnavailable,
)
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def venue(watched: None, make_venue: Any, full_spec: Any, clock: ManualClock) -> AsyncIterator[ConnectedVenue]:
    async with make_venue(spec=full_spec, clock=clock) as opened:
        yield opened


def told(shop: Any) -> list[int]:
    return [params["seconds"] for path, params in shop.calls if path == "/cancel_all_after"]


async def test_set_once_and_ended(venue: ConnectedVenue, shop: Any) -> None:
    assert await venue.cancel_all_after(60) == START + timedelta(seconds=60)
    assert await venue.cancel_all_after(0) is None
    assert told(shop) == [60, 0]


@pytest.mark.parametrize("seconds", [-1, 1.5, True, "60", None])
async def test_what_is_no_time_is_refused(venue: ConnectedVenue, shop: Any, seconds: Any) -> None:
    with pytest.raises(InvalidValue, match="seconds"):
        await venue.cancel_all_after(seconds)
    with pytest.raises(InvalidValue, match="seconds"):
        async with venue.dead_mans_switch(seconds):
            raise AssertionError("held")
    assert told(shop) == []


async def test_a_venue_without_one_says_so(make_venue: Any, without_feeds: Any) -> None:
    async with make_venue(spec=without_feeds) as venue:
        with pytest.raises(NotSupported, match="the venue has no dead man's switch"):
            await venue.cancel_all_after(60)
        with pytest.raises(NotSupported):
            async with venue.dead_mans_switch(60):
                raise AssertionError("held")
    async with make_venue(spec=without_feeds, keys=False) as venue:
        with pytest.raises(ConfigError, match="credentials"):
            venue.dead_mans_switch(60)


async def test_it_is_renewed_each_third_of_the_time_and_ended(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    async with venue.dead_mans_switch(60) as switch:
        assert told(shop) == [60]
        await clock.advance(19.9)
        assert told(shop) == [60]
        await clock.advance(0.1)
        assert (told(shop), switch.renewals) == ([60, 60], 1)
        await clock.advance(40)
        assert (told(shop), switch.renewals, switch.fires_at) == ([60] * 4, 3, START + timedelta(seconds=60))
    assert told(shop) == [60] * 4 + [0]
    await clock.advance(120)
    assert told(shop) == [60] * 4 + [0]


async def test_it_stays_on_when_the_body_fails(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    """Whoever failed may have left orders that nobody looks after."""
    with pytest.raises(ZeroDivisionError):
        async with venue.dead_mans_switch(60):
            raise ZeroDivisionError
    await clock.advance(120)
    assert told(shop) == [60]


async def test_it_stays_on_when_the_body_is_cancelled(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    async def work() -> None:
        async with venue.dead_mans_switch(60):
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await clock.advance(25)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await clock.advance(120)
    assert told(shop) == [60, 60]


async def test_the_body_does_not_begin_unless_it_is_on(venue: ConnectedVenue, shop: Any) -> None:
    shop.instead("/cancel_all_after", VenueUnavailable("busy"))
    with pytest.raises(VenueUnavailable):
        async with venue.dead_mans_switch(60):
            raise AssertionError("held")
    async with venue.dead_mans_switch(60):
        assert shop.switch == 60


async def test_a_renewal_that_fails_is_tried_again(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with venue.dead_mans_switch(60) as switch:
        shop.instead("/cancel_all_after", httpx.ReadTimeout("lost"), VenueUnavailable("busy"))
        await clock.advance(30)
        assert (told(shop), switch.renewals) == ([60] * 4, 1)
        assert "was not renewed, 40.0 s are left" in caplog.text
        await clock.advance(20)
        assert switch.renewals == 2


async def test_when_it_cannot_be_renewed_the_body_hears_of_it_before_the_time_is_over(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    async def work() -> None:
        async with venue.dead_mans_switch(60):
            shop.instead("/cancel_all_after", *[VenueUnavailable("busy")] * 99)
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await clock.advance(41)
    with pytest.raises(VenueUnavailable, match="busy") as caught:
        await working
    [note] = caught.value.__notes__
    assert "could not be renewed; the venue cancels every order of the account in 20.0 s" in note
    assert 0 not in told(shop)


async def test_a_renewal_that_hangs_is_noticed_too(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    async def hang(params: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        async with venue.dead_mans_switch(60):
            shop.instead("/cancel_all_after", *[hang] * 99)
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await clock.advance(41)
    with pytest.raises(TransportError, match="no answer within"):
        await working
    assert clock.now() < START + timedelta(seconds=60)


async def test_a_key_that_is_refused_is_not_tried_again(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    async def work() -> None:
        async with venue.dead_mans_switch(60):
            shop.instead("/cancel_all_after", AuthenticationError("bad key"))
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await clock.advance(20)
    with pytest.raises(AuthenticationError):
        await working
    assert told(shop) == [60, 60]


async def test_a_nonce_that_came_too_late_is_no_key_that_is_refused(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    async with venue.dead_mans_switch(60) as switch:
        shop.instead("/cancel_all_after", NonceRejected("overtaken"))
        await clock.advance(30)
        assert switch.renewals == 1
    assert told(shop) == [60, 60, 60, 0]


async def test_the_end_does_not_overtake_a_renewal(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    """Else it would be on again, and nobody would know."""
    go_on = asyncio.Event()

    async def slow(params: dict[str, Any]) -> None:
        await go_on.wait()
        shop.answer("/cancel_all_after", params)

    async def work() -> None:
        async with venue.dead_mans_switch(60):
            shop.instead("/cancel_all_after", slow)
            await clock.sleep(20.5)

    working = asyncio.ensure_future(work())
    await clock.advance(21)
    assert told(shop) == [60, 60]
    assert not working.done()
    go_on.set()
    await working
    assert (told(shop), shop.switch) == ([60, 60, 0], 0)


async def test_an_end_that_fails_is_said(venue: ConnectedVenue, shop: Any) -> None:
    with pytest.raises(VenueUnavailable) as caught:
        async with venue.dead_mans_switch(60):
            shop.instead("/cancel_all_after", VenueUnavailable("busy"))
    assert "may still be on" in caught.value.__notes__[0]


async def test_an_account_has_but_one(venue: ConnectedVenue, shop: Any) -> None:
    """The end of the inner one would end the outer one unseen."""
    async with venue.dead_mans_switch(60):
        with pytest.raises(RuntimeError, match="held already"):
            async with venue.dead_mans_switch(30):
                raise AssertionError("held")
        assert told(shop) == [60]
    async with venue.dead_mans_switch(30):
        assert told(shop) == [60, 0, 30]


async def test_a_program_that_was_asleep_says_that_it_was_too_late(
    make_venue: Any, full_spec: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    class Asleep:
        """The machine was suspended: time passed, and nothing ran."""

        def __init__(self) -> None:
            self.lost = 0.0

        def __getattr__(self, name: str) -> Any:
            return getattr(clock, name)

        def monotonic(self) -> float:
            return clock.monotonic() + self.lost

    asleep = Asleep()
    async with make_venue(spec=full_spec, clock=asleep) as venue, venue.dead_mans_switch(60):
        asleep.lost = 100.0
        await clock.advance(20)
        assert "renewed 60.0 s too late" in caplog.text
