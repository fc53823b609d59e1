"""What one venue sent that its plugin does not know, from all places where that is noticed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from exchange_core.connector.drift import Drift, Skips, Watch, watch_frames
from exchange_core.connector.feed import Feed
from exchange_core.connector.spec import FeedSpec, RestOperations, VenueSpec
from exchange_core.transport.feed_runner import FeedRunner
from exchange_core.transport.redaction import RedactingLogger

SKIPPED = "entry left out"


class VenueDrift:
    """Collects drift: fields and words from a watch, kinds of frames from feeds, entries from the operations.

    Attributes:
        watch: Looks at answers and frames; None where the plugin does not say what is known.
    """

    def __init__(self, name: str, spec: VenueSpec) -> None:
        self._name = name
        self._drift = Drift()
        self.watch = None if spec.documented is None else Watch(spec.documented(), self._drift)
        self._connections: list[tuple[Feed, FeedRunner]] = []
        self._operations: RestOperations | None = None

    def tell(self, log: RedactingLogger) -> None:
        """Log each new kind once; show nowhere what *log* hides."""
        self._drift.redact = log.redact
        self._drift.on_new = partial(_log, log, self._name)

    def look_at(self, spec: FeedSpec) -> Callable[[bytes], None] | None:
        """Return what takes each frame of a connection."""
        if self.watch is None:
            return None
        # Market data repeats itself; what is about an account is little, and matters more.
        first, every = (200, 10) if spec.private else (20, 250)
        return watch_frames(self.watch, first=first, every=every)

    def follow(self, feed: Feed, runner: FeedRunner) -> None:
        """Count what a connection does not know, too."""
        self._connections.append((feed, runner))

    def ask(self, operations: RestOperations) -> None:
        """Count what *operations* leave out, too."""
        self._operations = operations

    def counts(self) -> dict[str, int]:
        """Return how often each kind was seen."""
        found = dict(self._drift.counts)
        for feed, runner in self._connections:
            for kind, count in feed.stats.unknown.items():
                # The watch may have seen some of them.
                shown = self._drift.redact(f"frame {kind}")
                found[shown] = max(found.get(shown, 0), count)
            if runner.unreadable:
                found["frame that does not read"] = found.get("frame that does not read", 0) + runner.unreadable
        skipped = self._skipped()
        if skipped:
            found[SKIPPED] = len(skipped)
        return found

    def examples(self) -> dict[str, str]:
        """Return the form of the first of each kind."""
        found = dict(self._drift.examples)
        for what, why in list(self._skipped().items())[:1]:
            found[SKIPPED] = self._drift.redact(f"{what}: {why}")
        return found

    def _skipped(self) -> Mapping[str, str]:
        operations: object = self._operations
        return operations.skipped if isinstance(operations, Skips) else {}


def _log(log: RedactingLogger, name: str, kind: str, form: str) -> None:
    # A field more harms nobody; a word, a frame or a code may mean something that matters.
    tell = log.info if kind.startswith("field ") else log.warning
    tell("%s: not known: %s (%s)", name, kind, form)
