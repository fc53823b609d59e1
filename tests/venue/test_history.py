"""Walks through the past: cursors, progress, errors, and venues that would never come to an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core import ConfigError, InvalidValue, NotSupported, PluginError, ProtocolError, UnknownSymbol
from exchange_core.clock import SystemClock
from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.connector.pages import Entry, History, HistoryPage, Place, Unreadable
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.errors import VenueUnavailable
from exchange_core.testing.walking import NOW, take, walk
from exchange_core.venue.history import MOST_EMPTY_PAGES

START = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = START + timedelta(hours=10)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def pages(*sizes: int, **more: Any) -> History[int]:
    """Return a history of numbers in pages of these sizes; the cursor after a number is the number."""

    def fetch(cursor: str | None) -> Flow[HistoryPage[int]]:
        page, passed = (0, 0) if cursor is None else map(int, cursor.split("/"))
        yield RestCall(method="GET", path=f"/{cursor}")
        first = sum(sizes[:page])
        numbers = list(range(first + passed, first + sizes[page]))
        return HistoryPage(
            entries=[Entry(hour(number), number) for number in numbers],
            after=lambda count: f"{page}/{passed + count}",
            cursor=f"{page + 1}/0" if page + 1 < len(sizes) else None,
            **more,
        )

    return History(name="numbers", fetch=fetch, since=START, until=UNTIL)


def ok(call: RestCall) -> None:
    """Answer a call."""


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 20))
def test_a_walk_goes_on_exactly_after_what_was_given_out(sizes: list[int], count: int) -> None:
    numbers = list(range(sum(sizes)))
    stream = walk(pages(*sizes), ok)
    assert take(stream, count) == numbers[:count]
    rest = numbers[count:]
    assert take(walk(pages(*sizes), ok, stream.cursor)) == rest
    assert take(stream) == rest, "and so does the stream itself"
    assert take(walk(pages(*sizes), ok, stream.cursor)) == []


def test_a_cursor_is_text_with_the_name_of_its_history() -> None:
    stream = walk(pages(2, 2), ok)
    assert stream.cursor is None
    take(stream, 3)
    assert stream.cursor == "numbers 1/1"
    again = walk(pages(2, 2), ok, "numbers 1/1")
    assert again.cursor == "numbers 1/1"


@pytest.mark.parametrize("cursor", ["", "numbers", "numbers1/1", "others 1/1"])
def test_the_cursor_of_another_history_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidValue, match="none of the history of numbers"):
        walk(pages(1), ok, cursor)


def test_progress() -> None:
    stream = walk(pages(2, 3), ok)
    assert (stream.progress.count, stream.progress.pages, stream.progress.fraction) == (0, 0, None)
    take(stream, 4)
    progress = stream.progress
    assert (progress.since, progress.reached, progress.until) == (START, hour(3), UNTIL)
    assert (progress.count, progress.pages, progress.fraction) == (4, 2, 0.3)
    take(stream)
    assert stream.progress.fraction == 1.0


def test_without_ends_progress_runs_from_the_first_entry_to_when_the_walk_began() -> None:
    stream = walk(attrs.evolve(pages(3), since=None, until=None), ok, now=hour(4))
    take(stream, 2)
    assert (stream.progress.since, stream.progress.until) == (START, hour(4))
    assert stream.progress.fraction == 0.25


def test_progress_of_a_walk_backwards() -> None:
    stream = walk(attrs.evolve(pages(3), newest_first=True), ok)
    take(stream, 2)
    assert stream.progress.fraction == 0.9


def test_an_error_is_raised_and_reading_on_asks_again_from_where_the_reader_is() -> None:
    """Not with the place that the venue named, which may be what was wrong."""
    asked: list[str] = []

    def answer(call: RestCall) -> None:
        asked.append(call.path)
        if len(asked) == 2:
            raise VenueUnavailable("down")

    stream = walk(pages(2, 2), answer)
    assert take(stream, 2) == [0, 1]
    with pytest.raises(VenueUnavailable):
        take(stream)
    assert stream.cursor == "numbers 0/2"
    assert take(stream) == [2, 3]
    assert asked == ["/None", "/1/0", "/0/2", "/1/0"]


def endless(cursor_of: Callable[[int], str]) -> History[int]:
    """A venue that always has one more page, and nothing in it."""
    turns = 0

    def fetch(cursor: str | None) -> Flow[HistoryPage[int]]:
        nonlocal turns
        turns += 1
        yield RestCall(method="GET", path="/")
        return HistoryPage(entries=(), after=str, cursor=cursor_of(turns))

    return History(name="nothing", fetch=fetch)


@pytest.mark.parametrize(
    ("cursor_of", "calls", "words"),
    [
        pytest.param(lambda turn: "same", 2, "its own successor", id="the same page again"),
        pytest.param(lambda turn: "ab"[turn % 2], MOST_EMPTY_PAGES, "in a row had nothing new", id="two in a circle"),
        pytest.param(str, MOST_EMPTY_PAGES, "in a row had nothing new", id="always another"),
    ],
)
def test_a_venue_without_an_end_is_found_out(cursor_of: Callable[[int], str], calls: int, words: str) -> None:
    asked: list[RestCall] = []
    stream = walk(endless(cursor_of), asked.append)
    with pytest.raises(ProtocolError, match=words):
        take(stream)
    assert len(asked) == calls
    assert stream.cursor is None


def test_empty_pages_in_between_are_passed() -> None:
    assert take(walk(pages(0, 0, 1, 0, 0, 2, 0), ok)) == [0, 1, 2]


def test_what_cannot_be_read_and_what_is_noted_is_kept_once() -> None:
    bad = Unreadable("x", "no price", b"{}")
    stream = walk(pages(1, 1, unreadable=(bad,), notes=("odd",)), ok)
    take(stream)
    assert stream.unreadable == [bad]
    assert stream.notes == ["odd", "odd"]
    assert "{}" not in repr(bad)


async def test_two_tasks_cannot_read_one_stream() -> None:
    gate = asyncio.Event()

    async def run(flow: Flow[HistoryPage[int]]) -> HistoryPage[int]:
        await gate.wait()
        raise VenueUnavailable("down")

    stream = type(walk(pages(1), ok))(pages(1), run, lambda: NOW)
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await anext(stream)
    gate.set()
    with pytest.raises(VenueUnavailable):
        await first


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        pytest.param(datetime(2026, 1, 1), None, "since: .* no time zone", id="since"),  # noqa: DTZ001
        pytest.param(None, datetime(2026, 1, 1), "until: .* no time zone", id="until"),  # noqa: DTZ001
        pytest.param(hour(2), hour(1), "is after until", id="the wrong way round"),
    ],
)
def test_a_range_that_is_none_is_refused(since: Any, until: Any, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        History(name="x", fetch=pages(1).fetch, since=since, until=until)


@given(st.lists(st.tuples(st.text("ab", max_size=3), st.integers(0, 30)), max_size=20), st.integers(0, 10))
def test_a_place_remembers_what_may_come_again(given: list[tuple[str, int]], slack: int) -> None:
    """After any entries: the newest time, and all that came within the slack before it."""
    place = Place(slack=slack)
    for one in given:
        place = place.after([one])
    if not given:
        assert (place.at, place.lowest) == (None, None)
        return
    newest = max(time for _, time in given)
    assert (place.at, place.lowest) == (newest, newest - slack)
    last = dict(given)
    assert {name for name in place.seen if last[name] >= newest - slack} == {
        name for name, time in last.items() if time >= newest - slack
    }


# The face of a venue.


def told(*values: Any, private: bool = False) -> History[Any]:
    """Return a history that gives back what it was asked for, without a call."""

    def fetch(cursor: str | None) -> Flow[HistoryPage[Any]]:
        yield from ()
        passed = int(cursor or 0)
        entries = [Entry(START, value) for value in values[passed:]]
        return HistoryPage(entries=entries, after=lambda count: str(passed + count), cursor=None)

    return History(name="told", fetch=fetch, private=private)


class Past:
    """Histories of a made-up venue."""

    def __init__(self, context: Any) -> None:
        self.venue = context.venue

    def fills(self, since: Any, until: Any) -> Any:
        return told("fills", since, until, private=True)

    def orders(self, since: Any, until: Any) -> Any:
        raise NotSupported(f"{self.venue}: no orders")

    def ledger(self, since: Any, until: Any) -> Any:
        return told("ledger", since, until, private=True)

    def trades(self, symbol: Any, since: Any, until: Any) -> Any:
        return told("trades", symbol, since, until)

    def candles(self, symbol: Any, interval: int, since: Any, until: Any) -> Any:
        return told("candles", symbol, interval, since, until)


async def everything(stream: Any) -> list[Any]:
    return [one async for one in stream]


async def test_a_venue_walks_the_histories_of_its_plugin(make_venue: Any) -> None:
    async with make_venue(spec=attrs.evolve(make_venue().spec, history=Past)) as venue:
        btc = venue.instrument("BTC/USD").symbol
        assert await everything(venue.fill_history(START)) == ["fills", START, None]
        assert await everything(venue.ledger_history(until=UNTIL)) == ["ledger", None, UNTIL]
        assert await everything(venue.trade_history("BTC/USD")) == ["trades", btc, None, None]
        stream = venue.candle_history(btc, 5, START, UNTIL)
        assert [await anext(stream) for _ in range(3)] == ["candles", btc, 5]
        again = venue.candle_history(btc, 5, START, UNTIL, cursor=stream.cursor)
        assert await everything(again) == [START, UNTIL]
        assert await everything(venue.history(told(1, 2, 3), cursor="told 1")) == [2, 3]
        with pytest.raises(NotSupported, match="shop: no orders"):
            venue.order_history()
        with pytest.raises(UnknownSymbol):
            venue.trade_history("DOGE/USD")


async def test_the_account_needs_credentials_and_markets_do_not(make_venue: Any) -> None:
    async with make_venue(spec=attrs.evolve(make_venue().spec, history=Past), keys=False) as venue:
        assert len(await everything(venue.trade_history("BTC/USD"))) == 4
        with pytest.raises(ConfigError, match="the history of told needs credentials"):
            venue.fill_history()


def reading(path: str, costs: tuple[Cost, ...], **more: Any) -> History[Any]:
    """Return a history of three entries, each of which takes a call."""

    def fetch(cursor: str | None) -> Flow[HistoryPage[Any]]:
        number = int(cursor or 0) + 1
        yield RestCall(method="GET", path=path, costs=costs, **more)
        following = None if number == 3 else str(number)
        return HistoryPage(entries=[Entry(START, number)], after=lambda count: str(number), cursor=following)

    return History(name="reading", fetch=fetch)


async def test_walks_wait_at_the_limits_of_the_venue_as_long_as_it_takes(make_venue: Any, shop: Any) -> None:
    """Longer than the client lets any other call wait."""
    limits = Limits({"slow": DecayingCounter(1, 1 / 50)})
    clock = FastForward()
    spec = attrs.evolve(make_venue().spec, limits=lambda config: limits)
    async with make_venue(spec=spec, clock=clock) as venue:
        shop.instead("/page", 1, 2, 3)
        stream = venue.history(reading("/page", (Cost("slow", 1),)))
        assert await everything(stream) == [1, 2, 3]
    assert clock.slept >= 99


class FastForward(SystemClock):
    """A clock that lets waits pass at once, and says that they did."""

    slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


async def test_a_history_that_writes_is_stopped_before_it_does(make_venue: Any, shop: Any) -> None:
    async with make_venue() as venue:
        stream = venue.history(reading("/place", (), private=True, changes_state=True))
        with pytest.raises(PluginError, match="a history may only read"):
            await anext(stream)
    assert "/place" not in shop.paths()


async def test_a_plugin_without_histories_says_so(venue: Any) -> None:
    for ask in (venue.fill_history, venue.order_history, venue.ledger_history):
        with pytest.raises(NotSupported, match="shop: its plugin has no histories"):
            ask()
    with pytest.raises(NotSupported, match="shop: its plugin has no histories"):
        venue.trade_history("BTC/USD")
