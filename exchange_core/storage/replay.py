"""Recorded frames through a plugin's feeds, and what the plugin made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import attrs

from exchange_core.connector.feed import Feed
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
        frames: Frames fed (those that the venue sent).
        books: Book messages, snapshots included.
        verified: Book messages that passed the venue's check (checksum or sequence).
        mismatches: Book messages that failed their checksum.
        gaps: Holes in a sequence.
        resyncs: Fresh snapshots after a book had been dropped or asked for again.
        unknown: Frames that the plugin does not know.
        kinds: How many of each unknown kind.
        ignored: Frames that are known and carry no news, by name.
        unhealthy: Books that were not live at the end, by symbol.
    """

    frames: int = 0
    books: int = 0
    verified: int = 0
    mismatches: int = 0
    gaps: int = 0
    resyncs: int = 0
    unknown: int = 0
    kinds: Counter[str] = attrs.field(factory=Counter)
    ignored: Counter[str] = attrs.field(factory=Counter)
    unhealthy: dict[str, str] = attrs.field(factory=dict)

    def add(self, other: ReplayReport) -> None:
        """Add what another recording showed."""
        for name in ("frames", "books", "verified", "mismatches", "gaps", "resyncs", "unknown"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.kinds.update(other.kinds)
        self.ignored.update(other.ignored)
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
        self._report = ReplayReport()

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
        self._report.frames += 1
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
        self._report.unknown += 1
        self._report.kinds[kind] += 1

    def _note(self, feed: Feed, events: Iterable[object]) -> None:
        for event in events:
            if isinstance(event, OrderBook):
                self._books[str(event.symbol)] = event
            elif isinstance(event, BookDesynced):
                book = feed.book(event.symbol)
                if book is not None:
                    self._books[str(event.symbol)] = book

    def _finish(self) -> ReplayReport:
        report = self._report
        for feed in self._feeds:
            stats = feed.stats
            report.books += stats.books
            report.verified += stats.verified
            report.mismatches += stats.mismatches
            report.gaps += stats.gaps
            report.resyncs += stats.resyncs
            report.ignored.update(stats.ignored)
        report.unhealthy = {
            symbol: str(book.health) for symbol, book in self._books.items() if book.health is not BookHealth.LIVE
        }
        return report
