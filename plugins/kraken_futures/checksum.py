"""The checks that Kraken Futures' streams offer: numbers without holes. There is no checksum on any feed.

A product's book messages count up by one from its snapshot on, its trades likewise with a counter of their
own, and so do the rows of an account's log. Fills have numbers too, but nothing promises that they have no holes.
See https://docs.kraken.com/api/docs/futures-api/websocket/book
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import attrs

from kraken_futures.wire import feed as wire

# The venue's snapshot repeats 100 trades.
_REMEMBERED = 400
# Of the account's log it may repeat several hundred rows.
_REMEMBERED_ROWS = 5000
# So many holes are kept in mind while they wait to be filled.
_MOST_HOLES = 50


def break_between(last: int, found: int) -> str | None:
    """Return what is wrong when message *found* follows message *last*, or None.

    A number that was there before is a break too: what was sent since then cannot be told from what was not.
    """
    if found == last + 1:
        return None
    if found <= last:
        return f"sequence went back from {last} to {found}"
    return f"sequence went from {last} to {found}: {found - last - 1} missing"


class Checked(NamedTuple):
    """Trades that are news, oldest first, and what is wrong with their numbers, if anything is.

    Attributes:
        is_old: Whether the reason is a hole that was told of before and was not filled.
    """

    trades: Sequence[wire.TradeRow]
    reason: str | None
    is_old: bool = False


@attrs.define
class Holes:
    """Numbers that were passed over and may still come."""

    _ranges: list[range] = attrs.field(factory=list)
    _came: int = 0

    def __contains__(self, number: int) -> bool:
        return any(number in missing for missing in self._ranges)

    def add(self, last: int, found: int) -> None:
        """Note that *found* came after *last*."""
        if found > last + 1:
            self._ranges = [*self._ranges[1 - _MOST_HOLES :], range(last + 1, found)]

    def came(self, count: int = 1) -> None:
        """Note that so many of them came after all."""
        self._came += count

    def close(self) -> int:
        """Forget all; return how many never came."""
        left = sum(missing.stop - missing.start for missing in self._ranges) - self._came
        self._ranges.clear()
        self._came = 0
        return max(0, left)


@attrs.define
class TradeSequence:
    """The trades of one product, each passed on once, across connections."""

    _last: int | None = None
    _time: int = 0
    _recent: dict[str, None] = attrs.field(factory=dict)
    _holes: Holes = attrs.field(factory=Holes)

    def take(self, row: wire.TradeRow) -> Checked:
        """Take a trade as it happens. A hole before it is kept in mind, to be filled by a snapshot."""
        if self._key(row) in self._recent:
            return Checked((), None)
        last = self._last
        self._remember([row])
        if last is not None and row.seq in self._holes:
            self._holes.came()
            return Checked((row,), None)
        self._last, self._time = row.seq, max(self._time, row.time)
        reason = None if last is None else break_between(last, row.seq)
        if last is not None and row.seq <= last:
            self._holes.close()  # the counter began anew
        elif last is not None:
            self._holes.add(last, row.seq)
        return Checked((row,), reason)

    def take_snapshot(self, rows: Sequence[wire.TradeRow]) -> Checked:
        """Take the latest trades, oldest first; what of them was missed is news, what is older than that is not.

        A reason means that some were missed and are not among them: holes that are not filled now never will be.
        """
        last, fresh = self._last, [row for row in rows if self._key(row) not in self._recent]
        news, is_old = fresh, False
        if last is None:
            reason = None
        elif any(row.seq <= last and row.time > self._time and row.seq not in self._holes for row in fresh):
            # Younger trades with lower numbers: the counter began anew.
            news = [row for row in fresh if row.time > self._time]
            reason, last = break_between(last, news[0].seq), None
            self._holes.close()
        else:
            missed = [row for row in fresh if row.seq <= last and row.seq in self._holes]
            after = [row for row in fresh if row.seq > last]
            news = [*missed, *after]
            self._holes.came(len(missed))
            left = self._holes.close()
            reason = break_between(last, after[0].seq) if after else None
            if left and reason is None:
                reason, is_old = f"{left} trades before {last} are missing for good", True
        self._remember(news)
        if news:
            self._last = max(row.seq for row in news) if last is None else max(last, *(row.seq for row in news))
            self._time = max(self._time, *(row.time for row in news))
        return Checked(news, reason, is_old)

    def _remember(self, rows: Sequence[wire.TradeRow]) -> None:
        self._recent.update(dict.fromkeys(map(self._key, rows)))
        while len(self._recent) > _REMEMBERED:
            del self._recent[next(iter(self._recent))]

    @staticmethod
    def _key(row: wire.TradeRow) -> str:
        # Old recordings have trades without uid.
        return row.uid or str(row.seq)


@attrs.define
class FillSequence:
    """The numbers of our fills on one connection.

    Whether they are without holes is not documented, so both are possible: a hole is a suspicion, which the venue's
    own list of the latest fills confirms, dispels, or proves to mean nothing.
    """

    _last: int | None = None
    _suspected: int | None = None
    _means_nothing: bool = False

    def take(self, number: int | None) -> bool:
        """Take the number of a fill; return whether there is a new suspicion that some before it are missing."""
        last, self._last = self._last, number
        if number is None or last is None or self._means_nothing or number <= last + 1:
            return False
        self._suspected = last + 1 if self._suspected is None else self._suspected
        return True

    def take_snapshot(self, numbers: Sequence[int | None]) -> bool:
        """Take the numbers of the list; return whether fills are suspected that it is too short to show."""
        listed = sorted({number for number in numbers if number is not None})
        suspected, self._suspected = self._suspected, None
        if listed:
            self._last = listed[-1]
            self._means_nothing = self._means_nothing or listed[-1] - listed[0] >= len(listed)
        return suspected is not None and not self._means_nothing and (not listed or suspected < listed[0])


@attrs.define
class LogSequence:
    """The rows of the account's log, each passed on once, by number."""

    _last: int | None = None
    _seen: dict[int, None] = attrs.field(factory=dict)
    _holes: Holes = attrs.field(factory=Holes)

    def take(self, number: int) -> tuple[bool, str | None]:
        """Take the number of a row; return whether it is news, and what is missing before it."""
        if number in self._seen:
            return False, None
        last = self._last
        self._remember(number)
        if last is None or number <= last:
            if number in self._holes:
                self._holes.came()
            return True, None
        self._holes.add(last, number)
        return True, break_between(last, number)

    def take_snapshot(self, numbers: Sequence[int]) -> tuple[set[int], str | None]:
        """Take the numbers of the latest rows; return those that are news, and what is missing for good."""
        last, listed = self._last, set(numbers)
        after = sorted(listed if last is None else (number for number in listed if number > last))
        late = {number for number in listed if number in self._holes and number not in self._seen}
        self._holes.came(len(late))
        left = self._holes.close()
        for number in sorted(listed):
            self._remember(number)
        if last is not None and after and after[0] != last + 1:
            return {*after, *late}, break_between(last, after[0])
        return {*after, *late}, f"{left} rows before {last} are missing for good" if left else None

    def _remember(self, number: int) -> None:
        self._last = number if self._last is None else max(self._last, number)
        self._seen[number] = None
        while len(self._seen) > _REMEMBERED_ROWS:
            del self._seen[next(iter(self._seen))]
