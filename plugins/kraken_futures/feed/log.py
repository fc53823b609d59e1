"""What a connection hears of the account's log, and the venue's notices.

See https://docs.kraken.com/api/docs/futures-api/websocket/account_log and the page on notifications beside it
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import (
    Channel,
    Event,
    Events,
    Ignored,
    LedgerUpdate,
    Notice,
    SequenceGap,
    Unrecognised,
)
from kraken_futures.checksum import LogSequence
from kraken_futures.pages import Unreadable
from kraken_futures.parse import log as parse_log
from kraken_futures.parse.rows import readable
from kraken_futures.rest.doubts import fields_of
from kraken_futures.wire import feed as wire
from kraken_futures.wire.history import LogRow

# The list of notices comes whole each time; so many are remembered.
_REMEMBERED_NOTICES = 1_000


class LogData:
    """Turns rows of the log, and notices, into news.

    Args:
        ask: Called with a feed of which something was missed; returns whether a snapshot will come.

    Attributes:
        surprise: Whether the last snapshot told what had not been heard of before; None for other frames.
    """

    def __init__(self, context: VenueContext, stats: FeedStats, ask: Callable[[str], bool]) -> None:
        self.surprise: bool | None = None
        self._context = context
        self._stats = stats
        self._ask = ask
        self._rows: LogSequence | None = None
        self._notices: dict[Notice, None] = {}
        self._has_notices = False

    def account_log(self, frame: wire.AccountLog) -> Events:
        update = self._update([frame.new_entry], snapshot=False)
        sequence = self._rows = self._rows or LogSequence()
        is_new, reason = sequence.take(frame.new_entry.id)
        if not is_new:
            return (Ignored(kind="rows of the log seen before"),)
        if reason is None:
            return (update,)
        self._stats.gaps += 1
        # The list that is asked for tells whether they are lost.
        return (update,) if self._ask("account_log") else (_gap(reason), update)

    def account_log_snapshot(self, frame: wire.AccountLogSnapshot) -> Events:
        is_first, sequence = self._rows is None, self._rows or LogSequence()
        # Newest first on the wire.
        rows, bad = readable(
            frame.logs, LogRow, lambda row: (row.id, self._update([row], snapshot=is_first)), "account_log_snapshot"
        )
        updates = dict(rows)
        damaged = [fields_of(each.raw).get("id") for each in bad]
        numbers = [number for number in damaged if isinstance(number, int) and not isinstance(number, bool)]
        self._rows = sequence
        fresh, reason = sequence.take_snapshot([*updates, *numbers])
        self.surprise = bool(fresh) and not is_first
        events: list[Event] = [] if reason is None else [_gap(reason)]
        events += _unread("account_log", bad)
        if reason is None and (not fresh.isdisjoint(numbers) or len(numbers) < len(bad)):
            self._stats.gaps += 1
            events.append(_gap(f"{len(bad)} rows cannot be read: {bad[0].problem}"))
        news = [updates[number] for number in sorted(fresh) if number in updates]
        if news or is_first:
            entries = tuple(entry for update in news for entry in update.entries)
            own = tuple(row for update in news for row in update.own)
            events.append(LedgerUpdate(entries=entries, own=own, snapshot=is_first))
        return events or (Ignored(kind="rows of the log seen before"),)

    def notifications(self, frame: wire.Notifications) -> Events:
        """Take all notices of now; pass on those that are new, or that changed."""
        venue = self._context.venue
        told, bad = readable(frame.notifications, wire.NoticeRow, lambda row: parse_log.notice(row, venue), "notices")
        news = [notice for notice in dict.fromkeys(told) if notice not in self._notices]
        self.surprise = bool(news) and self._has_notices
        self._has_notices = True
        self._notices.update(dict.fromkeys(told))
        while len(self._notices) > max(_REMEMBERED_NOTICES, len(told)):
            del self._notices[next(iter(self._notices))]
        return [*news, *_unread("notifications_auth", bad)] or (Ignored(kind="no new notices"),)

    def _update(self, rows: Sequence[LogRow], *, snapshot: bool) -> LedgerUpdate:
        own = tuple(parse_log.row(raw, self._context.symbols) for raw in rows)
        entries = (parse_log.ledger_entry(row, raw, self._context.venue) for row, raw in zip(own, rows, strict=True))
        return LedgerUpdate(entries=tuple(entry for entry in entries if entry is not None), own=own, snapshot=snapshot)


def _unread(feed: str, bad: Sequence[Unreadable]) -> list[Event]:
    return [Unrecognised(kind=f"damaged entry of {feed}", detail=each.problem) for each in bad]


def _gap(reason: str) -> SequenceGap:
    return SequenceGap(channel=Channel.LEDGER, reason=reason)
