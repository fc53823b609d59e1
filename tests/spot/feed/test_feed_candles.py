"""Each bar is told as closed exactly once, in order, and only when nothing more of it can come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import Channel, Ignored, SequenceGap, Subscription
from exchange_core.model.market import Candle
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.feed.candles import VenueClock
from kraken_spot.feed.connections import PublicFeed

BTC = Symbol("BTC", "USD")
BARS = Subscription(Channel.CANDLES, BTC, interval=1)
START = datetime(2026, 9, 25, 17, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    """Return the venue's time, so many seconds after five o'clock."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def bars(kind: str, *minutes: int, now: float | None = None, trades: int = 1) -> dict[str, Any]:
    data = [
        {
            "symbol": "BTC/USD",
            **dict.fromkeys(("open", "high", "low", "close", "vwap"), 83729.5),
            "volume": trades / 4,
            "trades": trades,
            "interval_begin": at(minute * 60),
            "interval": 1,
            "timestamp": at(minute * 60 + 60),
        }
        for minute in minutes
    ]
    frame = {"channel": "ohlc", "type": kind, "data": data}
    return frame if now is None else {**frame, "timestamp": at(now)}


def told(events: Any) -> list[tuple[int, bool]]:
    return [((e.start - START) // timedelta(minutes=1), e.closed) for e in events if isinstance(e, Candle)]


@pytest.fixture
def public(make_context: Callable[..., VenueContext]) -> PublicFeed:
    """Return a feed that asks for nothing afresh by itself."""
    return PublicFeed(make_context(config=KrakenSpotConfig(quiet_after=0)))


@pytest.fixture
def line(public: PublicFeed, wire: Any) -> Any:
    public.subscribe([BARS], 0.0)
    public.opened(0.0)
    other = wire(public)
    other.acknowledge()
    return other


def beat(line: Any, now: float) -> list[tuple[int, bool]]:
    """Let the connection beat and the feed tick at *now*."""
    line.tell({"channel": "heartbeat"}, now)
    return told(line.feed.tick(now))


def test_a_bar_in_which_no_more_is_traded_is_closed_by_the_venues_clock(public: PublicFeed, line: Any) -> None:
    """Two seconds after its end, without any bar that follows; and then never again."""
    assert told(line.tell(bars("snapshot", 0, now=30.0), 5.0)) == [(0, False)]
    assert [beat(line, now) for now in (30.0, 36.0, 36.9)] == [[], [], []]
    assert beat(line, 37.1) == [(0, True)]
    assert [beat(line, now) for now in (38.0, 100.0, 1000.0)] == [[], [], []]
    assert told(line.tell(bars("update", 5, now=310.0), 285.0)) == [(5, False)]


def test_answers_tell_the_time_too(public: PublicFeed, line: Any) -> None:
    line.tell(bars("snapshot", 0), 0.0)
    assert not beat(line, 500.0), "nobody said what time it is"
    line.tell({"method": "pong", "req_id": 1, "time_in": at(61.0), "time_out": at(61.0)}, 501.0)
    assert beat(line, 501.5) == []
    assert beat(line, 502.5) == [(0, True)]


def test_a_connection_that_says_nothing_closes_no_bar(public: PublicFeed, line: Any) -> None:
    """What the venue said by then has not been read; it may be more of the bar."""
    line.tell(bars("snapshot", 0, now=50.0), 50.0)
    assert told(public.tick(60.0)) == []
    assert told(public.tick(66.0)) == []
    assert told(line.tell(bars("update", 0, now=59.0, trades=2), 66.0)) == [(0, False)]
    assert beat(line, 68.9) == [], "by its clock it is not yet 62 s"
    (closed,) = [event for event in _beat_events(line, 69.5) if isinstance(event, Candle)]
    assert (closed.closed, closed.count) == (True, 2)


def _beat_events(line: Any, now: float) -> list[Any]:
    line.tell({"channel": "heartbeat"}, now)
    return list(line.feed.tick(now))


def test_what_comes_after_the_close_is_counted_and_not_told(public: PublicFeed, line: Any) -> None:
    line.tell(bars("snapshot", 0, now=59.0), 59.0)
    assert beat(line, 62.0) == [(0, True)]
    assert line.tell(bars("update", 0, now=62.5, trades=5), 62.5) == [Ignored(kind="candle after its close")]
    assert public.stats.ignored["candle after its close"] == 1
    assert told(line.tell(bars("update", 1, now=63.0), 63.0)) == [(1, False)]


def test_a_later_bar_closes_at_once(public: PublicFeed, line: Any) -> None:
    line.tell(bars("snapshot", 0, now=59.0), 59.0)
    assert told(line.tell(bars("update", 1, now=60.5), 60.5)) == [(0, True), (1, False)]
    assert beat(line, 100.0) == []


def test_bars_of_one_message_may_be_in_any_order(public: PublicFeed, line: Any) -> None:
    assert told(line.tell(bars("snapshot", 2, 0, 1))) == [(0, True), (1, True), (2, False)]


def test_while_the_connection_is_lost_no_bar_is_closed(public: PublicFeed, line: Any) -> None:
    """More may have been traded in it; the snapshot says how it ended."""
    line.tell(bars("snapshot", 0, now=30.0), 30.0)
    public.closed(35.0)
    assert told(public.tick(100.0)) == []
    public.opened(100.0)
    line.acknowledge(100.0)
    line.tell({"method": "pong", "time_out": at(100.0)}, 100.0)
    assert beat(line, 101.0) == [], "the snapshot is not in yet"
    events = line.tell(bars("snapshot", 0, 1, now=101.0, trades=7), 101.0)
    assert told(events) == [(0, True), (1, False)]
    assert events[0].count == 7


def test_a_snapshot_repeats_no_closed_bar(public: PublicFeed, line: Any) -> None:
    line.tell(bars("snapshot", 0, 1, now=90.0), 90.0)
    assert beat(line, 123.0) == [(1, True)]
    public.closed(124.0)
    public.opened(130.0)
    line.acknowledge(130.0)
    assert told(line.tell(bars("snapshot", 0, 1, now=131.0), 131.0)) == []
    assert told(line.tell(bars("update", 2, now=140.0), 140.0)) == [(2, False)]


def test_what_comes_before_the_snapshot_is_kept(public: PublicFeed, line: Any) -> None:
    line.tell(bars("snapshot", 0, now=30.0), 30.0)
    public.closed(35.0)
    public.opened(60.0)
    line.acknowledge(60.0)
    assert told(line.tell(bars("update", 1, now=62.0, trades=9), 62.0)) == []
    events = line.tell(bars("snapshot", 0, 1, now=61.0), 62.0)
    assert told(events) == [(0, True), (1, False), (1, False)]
    assert events[-1].count == 9


def test_a_snapshot_that_never_comes_is_not_waited_for_for_ever(public: PublicFeed, line: Any) -> None:
    """A bar says all of itself; the one that was open before may have gone on without us."""
    line.tell(bars("snapshot", 0, now=30.0), 30.0)
    public.closed(35.0)
    public.opened(60.0)
    line.acknowledge(60.0)
    assert told(line.tell(bars("update", 1, now=62.0), 62.0)) == []
    gap, *found = line.tell(bars("update", 2, now=121.0, trades=2), 121.0)
    assert isinstance(gap, SequenceGap)
    assert told(found) == [(1, True), (2, False)]
    assert told(line.tell(bars("update", 3, now=181.0), 181.0)) == [(2, True), (3, False)]


def test_a_snapshot_that_does_not_reach_back_is_a_gap(public: PublicFeed, line: Any) -> None:
    """How the open bar ended is not known, so that it is not told as closed."""
    line.tell(bars("snapshot", 0, now=30.0), 30.0)
    public.closed(35.0)
    public.opened(2000.0)
    line.acknowledge(2000.0)
    gap, *found = line.tell(bars("snapshot", 20, 21, now=1300.0), 2000.0)
    assert isinstance(gap, SequenceGap)
    assert (gap.channel, gap.symbol) == (Channel.CANDLES, BTC)
    assert told(found) == [(20, True), (21, False)]
    assert public.stats.gaps == 1


def test_a_snapshot_that_goes_on_where_we_were_is_none(public: PublicFeed, line: Any) -> None:
    line.tell(bars("snapshot", 0, now=59.0), 59.0)
    assert beat(line, 63.0) == [(0, True)]
    public.closed(64.0)
    public.opened(70.0)
    line.acknowledge(70.0)
    assert [type(event) for event in line.tell(bars("snapshot", 1, 2, now=130.0), 70.0)] == [Candle, Candle]


def test_who_comes_back_later_begins_anew(public: PublicFeed, line: Any) -> None:
    line.tell(bars("snapshot", 0, now=30.0), 30.0)
    public.unsubscribe([BARS], 31.0)
    assert told(public.tick(100.0)) == []
    public.subscribe([BARS], 2000.0)
    assert told(line.tell(bars("snapshot", 20, 21, now=1300.0), 2000.0)) == [(20, True), (21, False)]


@pytest.mark.parametrize("text", [None, 7, "", "yesterday", "2026-01-01", "9999-12-31T23:59:59Z"])
def test_a_time_that_is_none_is_passed_over(text: object) -> None:
    clock = VenueClock()
    clock.heard(text, 0.0)
    assert clock.at(1e12) is None


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("ttthhhrsb"), st.integers(0, 90)), max_size=40))
def test_whatever_happens_each_bar_is_closed_once_and_with_its_last_figures(
    make_context: Callable[..., VenueContext], wire: Any, steps: list[tuple[str, int]]
) -> None:
    """Trades, heartbeats, lost connections and fresh subscriptions in any order, at a venue that is on time."""
    feed = PublicFeed(make_context(config=KrakenSpotConfig(quiet_after=0)))
    feed.subscribe([BARS], 0.0)
    feed.opened(0.0)
    line = wire(feed)
    line.acknowledge()
    now, counts, closed, gaps = 0.0, dict[int, int](), list[Candle](), 0

    def take(events: Any) -> None:
        nonlocal gaps
        closed.extend(event for event in events if isinstance(event, Candle) and event.closed)
        gaps += sum(isinstance(event, SequenceGap) for event in events)

    def snapshot() -> None:
        frames = [bars("snapshot", minute, now=now, trades=counts[minute]) for minute in sorted(counts)[-5:]]
        if frames:
            take(line.tell({**frames[0], "data": [entry for frame in frames for entry in frame["data"]]}, now))

    for step, seconds in steps:
        now += seconds
        minute = int(now // 60)
        if step == "t":
            counts[minute] = counts.get(minute, 0) + 1
            take(line.tell(bars("update", minute, now=now, trades=counts[minute]), now))
        elif step == "h":
            line.tell({"channel": "heartbeat"}, now)
        elif step == "b":  # traded unheard, then asked afresh
            counts[minute] = counts.get(minute, 0) + 1
            feed._market.asked_afresh(BARS, now)
            snapshot()
        elif step == "s":
            feed._market.asked_afresh(BARS, now)
            snapshot()
        else:
            feed.closed(now)
            counts[minute] = counts.get(minute, 0) + 1
            take(feed.tick(now))
            feed.opened(now)
            line.acknowledge(now)
            snapshot()
        take(feed.tick(now))
    starts = [candle.start for candle in closed]
    assert starts == sorted(set(starts)), "once each, in order"
    for candle in closed:
        assert candle.count == counts[(candle.start - START) // timedelta(minutes=1)]
        assert candle.volume == Decimal(candle.count) / 4
    if not gaps and starts:
        first = (starts[0] - START) // timedelta(minutes=1)
        last = (starts[-1] - START) // timedelta(minutes=1)
        assert len(starts) == len([minute for minute in counts if first <= minute <= last]), "none is lost"
