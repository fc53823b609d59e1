"""Bars of one connection, each told as closed once, in order, when its time is over.

The venue says nothing when a bar ends. A later bar ends it, and so does the venue's own clock, which is heard in the
time stamps of bars and of answers to pings: a bar in whose time nothing more was traded is closed by the clock alone.
See https://docs.kraken.com/api/docs/websocket-v2/ohlc
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

from exchange_core.connector.feed import FeedStats
from exchange_core.errors import ProtocolError
from exchange_core.model.event import Channel, Event, Events, Ignored, SequenceGap
from exchange_core.model.market import Candle
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_spot.feed.quiet import Quiet
from kraken_spot.parse import feed as parse
from kraken_spot.wire import feed as wire

CLOSE_AFTER = timedelta(seconds=2)
"""How long after its end a bar is closed by the clock. Open point: how late its last message may be."""

PATIENCE = 10.0
"""Seconds that the snapshot is waited for; then what came without it is all there is."""

LATE = "candle after its close"


class VenueClock:
    """The venue's time, as its messages tell it: never ahead of it, behind by what they take to come."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def heard(self, text: object, now: float) -> None:
        """Take the time that a message was sent at; what is none is passed over."""
        if isinstance(text, str):
            try:
                self._offset = from_rfc3339(text).timestamp() - now
            except (ProtocolError, ArithmeticError, ValueError):
                return

    def at(self, now: float) -> datetime | None:
        """Return the venue's time at *now*, or None before anything was heard of it."""
        if self._offset is None:
            return None
        try:
            return datetime.fromtimestamp(self._offset + now, UTC)
        except (ArithmeticError, ValueError, OSError):
            return None


@attrs.define
class _Bars:
    """The bars of one symbol and interval.

    Attributes:
        last: The newest one, as it was told.
        stale_since: Since when messages may have been missed, so that only a snapshot can say how *last* ended.
        early: What came before that snapshot.
    """

    last: Candle | None = None
    stale_since: float | None = None
    early: dict[datetime, Candle] = attrs.field(factory=dict)


class Candles:
    """The bars of all symbols and intervals."""

    def __init__(self, symbol: Callable[[str], Symbol], stats: FeedStats, quiet: Quiet, clock: VenueClock) -> None:
        self._symbol = symbol
        self._stats = stats
        self._quiet = quiet
        self._clock = clock
        self._bars: dict[tuple[Symbol, int], _Bars] = {}

    def forget(self, symbol: Symbol, interval: int) -> None:
        """Begin anew: nobody followed it meanwhile."""
        self._bars.pop((symbol, interval), None)

    def await_snapshot(self, now: float, symbol: Symbol | None = None, interval: int | None = None) -> None:
        """Take it that messages may be missed from now on until a snapshot comes: of one kind of bar, or of all."""
        for place, bars in self._bars.items():
            if symbol is None or place == (symbol, interval):
                bars.stale_since = None if bars.last is None else now
                bars.early.clear()

    def receive(self, message: wire.Candle, now: float) -> Events:
        """Return each bar as it stands now, and those that are closed thereby."""
        found: dict[tuple[Symbol, int], list[Candle]] = {}
        for raw in message.data:
            candle = parse.candle(raw, self._symbol(raw.symbol))
            _end(candle)
            found.setdefault((candle.symbol, candle.interval), []).append(candle)
        self._clock.heard(message.timestamp, now)
        events: list[Event] = []
        for (symbol, interval), candles in found.items():
            place = Channel.CANDLES, symbol, interval
            bars = self._bars.setdefault((symbol, interval), _Bars())
            candles.sort(key=lambda candle: candle.start)
            if message.type == "snapshot":
                events += self._quiet.judge(place, _missed(bars.last, candles), now)
                events += self._snapshot(bars, candles)
            elif bars.stale_since is None:
                events += _follow(bars, candles)
            else:
                bars.early |= {candle.start: candle for candle in candles}
                if now - bars.stale_since >= PATIENCE:
                    early, bars.early = bars.early, {}
                    events += self._snapshot(bars, [early[start] for start in sorted(early)])
            self._quiet.heard(place, now)
        return events

    def _snapshot(self, bars: _Bars, candles: list[Candle]) -> list[Event]:
        """Take all bars that the venue looks back on."""
        events: list[Event] = []
        last, first = bars.last, candles[0]
        if last is not None and last.start < first.start and not (last.closed and _end(last) == first.start):
            self._stats.gaps += 1
            reason = f"{first.symbol}: bars from {last.start} on, before {first.start}, may be missing"
            events.append(SequenceGap(channel=Channel.CANDLES, symbol=first.symbol, reason=reason))
            # How the last one ended is not known, so it is never told as closed.
            bars.last = attrs.evolve(last, closed=True)
        bars.stale_since = None
        known = [c for c in candles if bars.last is None or c.start >= bars.last.start]
        events += [event for event in _follow(bars, known) if not isinstance(event, Ignored)]
        early, bars.early = bars.early, {}
        for start in sorted(early):
            if bars.last is None or start >= bars.last.start:
                events += _follow(bars, [early[start]])
        return events

    def tick(self, now: float) -> list[Event]:
        """Close the bars whose time is over by the venue's clock."""
        time = self._clock.at(now)
        if time is None:
            return []
        events: list[Event] = []
        for bars in self._bars.values():
            last = bars.last
            if last is None or last.closed or bars.stale_since is not None:
                continue
            if time >= _end(last) + CLOSE_AFTER:
                bars.last = attrs.evolve(last, closed=True)
                events.append(bars.last)
        return events


def _follow(bars: _Bars, candles: list[Candle]) -> list[Event]:
    """Tell *candles*, oldest first; one with a later one is closed, and nothing is told of it after that."""
    events: list[Event] = []
    for number, candle in enumerate(candles):
        last = bars.last
        if last is not None and (candle.start < last.start or (candle.start == last.start and last.closed)):
            events.append(Ignored(kind=LATE))
            continue
        if last is not None and candle.start > last.start and not last.closed:
            events.append(attrs.evolve(last, closed=True))
        bars.last = attrs.evolve(candle, closed=any(later.start > candle.start for later in candles[number + 1 :]))
        events.append(bars.last)
    return events


def _missed(last: Candle | None, candles: list[Candle]) -> str | None:
    """Return what a snapshot shows that had not come."""
    newest = candles[-1]
    if last is None or newest.start > last.start:
        return f"a bar from {newest.start} on had not come"
    same = [candle for candle in candles if candle.start == last.start]
    if same and attrs.evolve(same[-1], closed=last.closed) != last:
        what = "was told as closed with other figures" if last.closed else "had changed"
        return f"the bar from {last.start} on {what}"
    return None


def _end(candle: Candle) -> datetime:
    """Return when a bar ends.

    Raises:
        ProtocolError: When that is no time.
    """
    try:
        return candle.start + timedelta(minutes=candle.interval)
    except OverflowError:
        raise ProtocolError(f"ohlc message: interval {candle.interval} is none") from None
