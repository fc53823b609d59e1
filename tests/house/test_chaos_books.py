"""Only checked books leave the house: whatever happens to their messages, and each repaired alone."""

import asyncio
from typing import Any

import pytest

from exchange_core.model.book import BookHealth
from exchange_core.simulator.faults import actions
from tests.house.chaos import FUTURES, KINDS, SPOT, WITHIN, FastClock, House, Kind, Watch, house, until

kinds = pytest.mark.parametrize("kind", KINDS, ids=str)


async def watch_two(home: House) -> tuple[Watch, Watch]:
    """Follow both books until they are well under way."""
    one = await Watch(home, home.kind.symbol, home.kind.name).start()
    two = await Watch(home, home.kind.other, home.kind.other_name).start()
    await one.more(3)
    await two.more(3)
    return one, two


def of_book(home: House, *more: str) -> dict[str, Any]:
    return {"websocket": "out", "contains": (home.kind.book, home.kind.name, *more)}


DAMAGE = [
    (SPOT, actions.Corrupt("checksum"), 1),
    (SPOT, actions.Corrupt("qty"), 1),
    (SPOT, actions.Corrupt("price"), 1),
    (SPOT, actions.Drop(), 1),
    (SPOT, actions.Swap(), 1),
    (SPOT, actions.Truncate(), 1),
    (SPOT, actions.Duplicate(), 0),  # says the same again, and the checksum is right
    (FUTURES, actions.Corrupt("seq"), 1),
    (FUTURES, actions.Drop(), 1),
    (FUTURES, actions.Swap(), 1),
    (FUTURES, actions.Truncate(), 1),
    (FUTURES, actions.Duplicate(), 1),
]


@pytest.mark.parametrize(("kind", "action", "times"), DAMAGE, ids=lambda value: getattr(value, "word", str(value)))
async def test_a_damaged_book_is_asked_for_once_and_never_shown_and_the_other_goes_on(
    kind: Kind, action: actions.Action, times: int
) -> None:
    async with house(kind, clock=FastClock(40), stale_after=60.0) as home:
        one, two = await watch_two(home)
        opened = home.count(websocket="open")
        asked = (one.asked.matched, two.asked.matched)
        damage = home.strike(action, **of_book(home, kind.update), times=1)
        await until(lambda: damage.fired and one.asked.matched == asked[0] + times)
        await one.more(12)
        await two.more(3)
        await one.until_right()
        await two.until_right()
        assert (one.asked.matched, two.asked.matched) == (asked[0] + times, asked[1])
        assert one.was_always_whole
        assert two.was_always_whole
        assert opened.matched == 0


@kinds
async def test_nothing_is_published_until_the_fresh_snapshot_is_there(kind: Kind) -> None:
    async with house(kind, clock=FastClock(40), stale_after=60.0) as home:
        one, two = await watch_two(home)
        lost = home.strike(actions.Drop(), websocket="in", contains=('"subscribe"', kind.name), times=1)
        home.strike(actions.Drop(), **of_book(home, kind.update), times=1)
        await until(lambda: lost.fired)
        published = len(one.seen)
        await two.more(10)
        view = home.venue.live_book(kind.symbol)
        assert view is not None
        assert (len(one.seen), one.health, two.health) == (published, BookHealth.DESYNCED, BookHealth.LIVE)
        assert (list(view.bids()), list(view.asks()), view.best_bid) == ([], [], None)
        await one.more(3)
        await one.until_right()
        assert one.was_always_whole


@kinds
async def test_a_snapshot_that_is_damaged_too_is_asked_for_again_and_more_slowly(kind: Kind) -> None:
    async with house(kind, clock=FastClock(40), stale_after=60.0) as home:
        one, two = await watch_two(home)
        asked = one.asked.matched
        damaged = home.strike(actions.Truncate(), **of_book(home, kind.snapshot), times=2)
        home.strike(actions.Drop(), **of_book(home, kind.update), times=1)
        await until(lambda: damaged.fired == 2)
        await one.more(3)
        await one.until_right()
        assert one.asked.matched == asked + 3
        assert one.was_always_whole
        assert two.was_always_whole


@kinds
async def test_an_acknowledged_book_without_a_snapshot_is_asked_for_again(kind: Kind) -> None:
    async with house(kind, clock=FastClock(40), stale_after=60.0) as home:
        missing = home.strike(actions.Drop(), **of_book(home, kind.snapshot), times=1)
        one = await Watch(home, kind.symbol, kind.name).start()
        await one.more(3)
        await one.until_right()
        assert (missing.fired, one.asked.matched, one.was_always_whole) == (1, 2, True)


@kinds
async def test_a_lost_acknowledgement_is_asked_for_again(kind: Kind) -> None:
    async with house(kind, clock=FastClock(40), stale_after=60.0) as home:
        said = '"method":"subscribe"' if kind is SPOT else '"event":"subscribed"'
        lost = home.strike(actions.Drop(), websocket="out", contains=(said, kind.name), times=1)
        one = await Watch(home, kind.symbol, kind.name).start()
        await one.more(3)
        await one.until_right()
        assert lost.fired == 1
        assert one.was_always_whole


@kinds
async def test_a_connection_that_falls_silent_is_replaced(kind: Kind) -> None:
    async with house(kind, clock=FastClock(20)) as home:
        one, two = await watch_two(home)
        if kind is FUTURES:  # how often it beats is learned from two beats
            beats = home.count(websocket="out", contains="heartbeat")
            await until(lambda: beats.matched >= 2)
        opened = home.count(websocket="open")
        silent = home.strike(actions.Silence(), websocket="out", times=1)
        await until(lambda: silent.fired and opened.matched)
        await one.more(3)
        await two.more(3)
        await one.until_right()
        assert opened.matched == 1
        assert one.was_always_whole
        assert two.was_always_whole


@kinds
async def test_a_connection_that_breaks_at_any_of_its_first_frames_ends_with_live_books(kind: Kind) -> None:
    async with house(kind, clock=FastClock(40), stale_after=60.0) as home:
        for number in range(1, 13):
            cut = home.strike(actions.Cut(), websocket="out", nth=number)
            opened = home.count(websocket="open")
            async with home.again() as other:
                one, two = await watch_two(other)
                async with asyncio.timeout(WITHIN):
                    await cut.until_fired()
                await one.more(2)
                await two.more(2)
                await one.until_right()
                await two.until_right()
                assert (opened.matched, one.was_always_whole, two.was_always_whole) == (2, True, True), number
            home.faults.clear()


@kinds
async def test_a_server_that_refuses_connections_for_a_while_is_tried_again(kind: Kind) -> None:
    async with house(kind) as home:
        refused = home.strike(actions.BadGateway(), websocket="open", times=2)
        dropped = home.strike(actions.DropRequest(), websocket="open", nth=3)
        one = await Watch(home, kind.symbol, kind.name).start()
        await one.until_right()
        assert (refused.fired, dropped.fired, one.was_always_whole) == (2, 1, True)


@kinds
async def test_books_stay_right_over_a_line_that_damages_one_message_in_ten(kind: Kind) -> None:
    async with house(kind, clock=FastClock(40), stale_after=60.0) as home:
        one, two = await watch_two(home)
        updates = {"websocket": "out", "contains": (kind.book, kind.update)}
        damage = [
            home.strike(action, **updates, chance=0.02, times=2)
            for action in (actions.Drop(), actions.Duplicate(), actions.Swap(), actions.Truncate())
        ]
        await until(lambda: sum(tally.fired for tally in damage) >= 4)
        home.faults.clear()
        await one.more(3)
        await two.more(3)
        await one.until_right()
        await two.until_right()
        assert one.was_always_whole
        assert two.was_always_whole


@kinds
async def test_a_reader_that_is_slow_gets_the_newest_book_and_holds_up_nobody(kind: Kind) -> None:
    async with (
        house(kind, queue_size=2, clock=FastClock(40), stale_after=60.0) as home,
        home.venue.books(kind.symbol) as slow,
    ):
        async with asyncio.timeout(WITHIN):
            first = (await anext(slow)).checked
            one = await Watch(home, kind.symbol, kind.name).start()
            await one.more(30)
            assert (await anext(slow)).checked >= first + 30
        assert one.was_always_whole
