"""Subscriptions that fell silent: noticed, asked for afresh, and judged by what the fresh start shows.

A pair may be quiet, or the venue may have stopped sending what it had acknowledged; heartbeats go on either way. The
venue has no way to ask for a snapshot alone, so what was silent for too long is ended and subscribed again, some at a
time. If its snapshot shows news that had not come, that is counted, told and healed; a second time in a row, or when
the venue does not answer, the connection is of no use any more.
See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from exchange_core.connector.feed import FeedStats
from exchange_core.model.event import Channel, Events, Subscription, SubscriptionSilent
from exchange_core.model.symbol import Symbol

AT_ONCE = 50
"""How many are asked for afresh in one turn, which is a second: their snapshots come all together."""

PATIENCE = 10.0
"""Seconds within which the snapshot must come after the answer."""

LATELY = 5.0
"""Seconds; shorter than an answer is waited for, so that no data of an earlier subscription can be meant."""

IN_A_ROW = 2
"""Fresh starts in a row that show missed news, of one subscription, after which the connection is given up."""

# Instruments change seldom, and their snapshot has two megabytes.
SLOWER = {Channel.INSTRUMENTS: 10.0}

_PROBED = frozenset(
    {
        Channel.TICKER,
        Channel.TRADES,
        Channel.BOOK,
        Channel.BOOK_BY_ORDER,
        Channel.CANDLES,
        Channel.INSTRUMENTS,
    }
)

_MAYBE_EMPTY = frozenset({Channel.TRADES, Channel.CANDLES})

Place = tuple[Channel, Symbol | None, int | None]
"""What data name a subscription by: channel, symbol and interval. A connection has one subscription of each."""


@attrs.define
class _Watch:
    """One subscription.

    Attributes:
        heard: When data last came.
        count: What it had been counted to then, where messages are counted elsewhere.
        asked: When it was asked for afresh; None when it was not.
        answered: When the answer to that was seen.
        is_alive: Whether data came after that, so that nothing can be told from the snapshot.
        has_data: Whether any data ever came. Of a pair that was never traded there are no trades and no bars.
        missed: Fresh starts in a row that showed missed news.
    """

    carrier: Subscription
    heard: float
    count: int = 0
    asked: float | None = None
    answered: float | None = None
    is_alive: bool = False
    has_data: bool = False
    missed: int = 0


class Quiet:
    """All subscriptions of one connection.

    Args:
        after: Seconds of silence after which one is asked for afresh; 0 never does.
        at_once: How many are asked for in one turn.

    Attributes:
        dead: Why the connection is of no use any more, or None.
    """

    def __init__(self, after: float, stats: FeedStats, at_once: int = AT_ONCE) -> None:
        self._after = after
        self._at_once = at_once
        self._stats = stats
        self._watches: dict[Place, _Watch] = {}
        self.dead: str | None = None

    def follow(self, carriers: Iterable[Subscription], now: float) -> list[Place]:
        """Watch *carriers*, and no others; return the places that are new or not watched any more."""
        wanted = {place_of(carrier): carrier for carrier in carriers if carrier.channel in _PROBED}
        changed = [place for place, watch in self._watches.items() if wanted.get(place) != watch.carrier]
        for place in changed:
            del self._watches[place]
        for place, carrier in wanted.items():
            if place not in self._watches:
                self._watches[place] = _Watch(carrier, now)
                changed.append(place)
        return changed

    def opened(self, now: float) -> None:
        """Begin anew on a new connection."""
        self.dead = None
        for place, watch in self._watches.items():
            self._watches[place] = _Watch(watch.carrier, now, watch.count)

    def heard(self, place: Place, now: float) -> None:
        """Note that data came."""
        watch = self._watches.get(place)
        if watch is not None:
            watch.heard = now
            watch.is_alive = watch.has_data = True

    def counted(self, place: Place, count: int, now: float) -> None:
        """Note how many messages there were; more than last time are data that came."""
        watch = self._watches.get(place)
        if watch is not None and watch.count != count:
            watch.count = count
            self.heard(place, now)

    def begin(self, now: float, is_settled: Callable[[Subscription], bool]) -> list[Subscription]:
        """Return what is to be asked for afresh now, of all that is settled: answered, and whole."""
        due: list[Subscription] = []
        if not self._after:
            return due
        for watch in self._watches.values():
            if watch.asked is not None:
                continue
            if not is_settled(watch.carrier):
                watch.heard = now  # silence counts from the answer on
            elif now - watch.heard >= self._after * SLOWER.get(watch.carrier.channel, 1.0):
                watch.asked, watch.answered, watch.is_alive = now, None, False
                due.append(watch.carrier)
                if len(due) == self._at_once:
                    break
        return due

    def late(self, now: float, is_active: Callable[[Subscription], bool]) -> list[tuple[Subscription, str | None]]:
        """Return what was asked for afresh and answered without a snapshot, and what :meth:`judge` is to be told."""
        found: list[tuple[Subscription, str | None]] = []
        for watch in self._watches.values():
            if watch.asked is None or not is_active(watch.carrier):
                continue
            if watch.answered is None:
                watch.answered = now
            elif now - watch.answered >= PATIENCE:
                is_telling = watch.has_data or watch.carrier.channel not in _MAYBE_EMPTY
                found.append((watch.carrier, "no snapshot came" if is_telling else None))
        return found

    def lively(self, now: float) -> list[Subscription]:
        """Return all of which data came just now: an answer that is still missing then was lost."""
        return [watch.carrier for watch in self._watches.values() if watch.has_data and now - watch.heard <= LATELY]

    def asked(self, place: Place) -> float | None:
        """Return since when a fresh start is awaited; None when none is."""
        watch = self._watches.get(place)
        return None if watch is None else watch.asked

    def awaited(self) -> set[Subscription]:
        """Return all of which a fresh start is awaited."""
        return {watch.carrier for watch in self._watches.values() if watch.asked is not None}

    def judge(self, place: Place, missed: str | None, now: float) -> Events:
        """Take it that the fresh start is over.

        Args:
            missed: What it showed that had not come; None for nothing.
        """
        watch = self._watches.get(place)
        if watch is None or watch.asked is None:
            return ()
        is_silent = missed is not None and not watch.is_alive
        watch.asked, watch.heard = None, now
        if not is_silent:
            watch.missed = 0
            return ()
        watch.missed += 1
        self._stats.silent += 1
        if watch.missed >= IN_A_ROW:
            self.dead = f"{watch.carrier} fell silent {watch.missed} times in a row while there was news"
        return (SubscriptionSilent(subscription=watch.carrier, reason=missed or ""),)


def place_of(carrier: Subscription) -> Place:
    """Return the place that *carrier* fills."""
    return carrier.channel, carrier.symbol, carrier.interval
