"""Recorded frames through a plugin's feeds, and what the plugin made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from exchange_core.connector.feed import Feed, FeedStats
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext, VenueSpec
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced, Event, Events, Unrecognised
from exchange_core.storage.recording import Frame, frames


@attrs.define
class ReplayReport:
    """What was seen.

    Attributes:
        seen: By the venue's feeds together. Each frame that the venue sent counts once, and as unknown when no feed
            knows it.
        unhealthy: Books that were not live at the end, by symbol.
    """

    seen: FeedStats = attrs.field(factory=FeedStats)
    unhealthy: dict[str, str] = attrs.field(factory=dict)

    def add(self, other: ReplayReport) -> None:
        """Add what another recording showed."""
        self.seen.add(other.seen)
        self.unhealthy.update(other.unhealthy)


def replay_files(spec: VenueSpec, paths: Iterable[Path], instruments: bytes | None = None) -> list[ReplayReport]:
    """Feed each recording through new feeds of *spec*; return one report a file.

    Args:
        instruments: A recorded answer of the venue's instrument list, for names and precision.

    Raises:
        ConfigError: When a file is no recording.
        ProtocolError: When *instruments* is no such answer.
    """
    return [_Replay(spec, replay_context(spec, instruments)).run(frames(path)) for path in paths]


def replay_context(spec: VenueSpec, instruments: bytes | None = None) -> VenueContext:
    """Return what feeds need to read a recording, with the names of *instruments*, or none.

    Raises:
        ProtocolError: When *instruments* is no answer of the venue's instrument list.
    """
    context = VenueContext(
        venue=spec.name,
        config=spec.config(),
        symbols=SymbolMap(spec.name),
        assets=AssetMap(spec.name),
        provisional=True,
    )
    if instruments is not None:
        spec.rest(context).load_instruments(instruments)
    return context


def recorded_news(spec: VenueSpec, recording: Iterable[Frame], context: VenueContext) -> Iterator[tuple[float, Event]]:
    """Yield what feeds of *spec* hear of a recording, with the times that its frames came at.

    Each is to be looked at before the next is asked for: books are live views.
    """
    for time, _, events in _Replay(spec, context).news(recording):
        for event in events:
            yield time, event


class _Replay:
    """One recording, one connection: every feed of the venue sees the frames that no feed before it knew."""

    def __init__(self, spec: VenueSpec, context: VenueContext) -> None:
        self._feeds: list[Feed] = [feed.make(context) for feed in spec.feeds]
        self._books: dict[str, OrderBook] = {}
        self._frames = 0
        self._unknown: Counter[str] = Counter()

    def run(self, recording: Iterable[Frame]) -> ReplayReport:
        for _, feed, events in self.news(recording):
            self._note(feed, events)
        return self._finish()

    def news(self, recording: Iterable[Frame]) -> Iterator[tuple[float, Feed, Events]]:
        """Yield what each frame says that a feed knows, as soon as it is read: books are views that go on."""
        started = False
        for frame in recording:
            if not started:
                self._open(frame.time)
                started = True
            if not frame.outgoing and (known := self._take(frame)) is not None:
                yield frame.time, *known

    def _open(self, now: float) -> None:
        for feed in self._feeds:
            feed.opened(now)
            feed.outbox()

    def _take(self, frame: Frame) -> tuple[Feed, Events] | None:
        self._frames += 1
        kind = "no feed"
        for feed in self._feeds:
            try:
                events = feed.receive(frame.raw, frame.time)
            except ProtocolError as error:
                kind = str(error)
                continue
            finally:
                feed.outbox()
            strangers = [event.kind for event in events if isinstance(event, Unrecognised)]
            if not strangers or len(strangers) < len(events):
                return feed, events
            kind = strangers[0]
        self._unknown[kind] += 1
        return None

    def _note(self, feed: Feed, events: Iterable[object]) -> None:
        for event in events:
            if isinstance(event, OrderBook):
                self._books[str(event.symbol)] = event
            elif isinstance(event, BookDesynced):
                book = feed.book(event.symbol)
                if book is not None:
                    self._books[str(event.symbol)] = book

    def _finish(self) -> ReplayReport:
        seen = FeedStats()
        for feed in self._feeds:
            seen.add(feed.stats)
        # What one feed does not know another may.
        seen.frames, seen.unknown = self._frames, self._unknown
        unhealthy = {
            symbol: str(book.health) for symbol, book in self._books.items() if book.health is not BookHealth.LIVE
        }
        return ReplayReport(seen, unhealthy)
