"""The check that Kraken Futures' streams offer: numbers without holes. There is no checksum on any feed.

A product's book messages count up by one from its snapshot on, its trades likewise with a counter of their
own.
See https://docs.kraken.com/api/docs/futures-api/websocket/book
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import attrs

from kraken_futures import wire_feed as wire

# The venue's snapshot repeats 100 trades.
_REMEMBERED = 400


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
    """Trades that are news, oldest first, and what is wrong with their numbers, if anything is."""

    trades: Sequence[wire.TradeRow]
    reason: str | None


@attrs.define
class TradeSequence:
    """The trades of one product, each passed on once, across connections."""

    _last: int | None = None
    _recent: deque[str] = attrs.field(factory=lambda: deque(maxlen=_REMEMBERED))

    def check(self, rows: Sequence[wire.TradeRow]) -> Checked:
        """Take trades, oldest first: one as it happens, or the latest of a snapshot."""
        fresh = [row for row in rows if not self._seen(row)]
        if not fresh:
            return Checked((), None)
        last, self._last = self._last, fresh[-1].seq
        self._recent.extend(self._key(row) for row in fresh)
        return Checked(fresh, None if last is None else break_between(last, fresh[0].seq))

    def _seen(self, row: wire.TradeRow) -> bool:
        return self._key(row) in self._recent

    @staticmethod
    def _key(row: wire.TradeRow) -> str:
        # Old recordings have trades without uid.
        return row.uid or str(row.seq)
