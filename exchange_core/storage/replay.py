"""Recorded frames through a plugin's feeds, and what the plugin made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import attrs

from exchange_core.connector.feed import Feed, FeedStats
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext, VenueSpec
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced, Unrecognised
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
    return [_Replay(spec, instruments).run(frames(path)) for path in paths]


class _Replay:
    """One recording, one connection: every feed of the venue sees the frames that no feed before it knew."""

    def __init__(self, spec: VenueSpec, instruments: bytes | None) -> None:
        context = VenueContext(
            venue=spec.name,
            config=spec.config(),
            symbols=SymbolMap(spec.name),
            assets=AssetMap(spec.name),
            provisional=True,
        )
        if instruments is not None:
            spec.rest(context).load_instruments(instruments)
        self._feeds: list[Feed] = [feed.make(context) for feed in spec.feeds]
        self._books: dict[str, OrderBook] = {}
        self._frames = 0
        self._unknown: Counter[str] = Counter()

    def run(self, recording: Iterable[Frame]) -> ReplayReport:
        started = False
        for frame in recording:
            if not started:
                self._open(frame.time)
                started = True
            if not frame.outgoing:
                self._take(frame)
        return self._finish()

    def _open(self, now: float) -> None:
        for feed in self._feeds:
            feed.opened(now)
            feed.outbox()

    def _take(self, frame: Frame) -> None:
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
                self._note(feed, events)
                return
            kind = strangers[0]
        self._unknown[kind] += 1

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
