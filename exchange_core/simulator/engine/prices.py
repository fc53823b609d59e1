"""The prices of one market that set orders off and value positions, as whole millionths of a tick."""

from __future__ import annotations

from exchange_core.model.side import Side
from exchange_core.model.terms import TriggerBy
from exchange_core.simulator.engine.matching import MatchingBook
from exchange_core.simulator.engine.units import RATE

MICRO = 10**6
"""Parts of a tick."""


class Prices:
    """Last, mark and index price.

    The mark is the middle of the book, else the last price, else where the market starts, and no further from an index
    that is set than the band allows; the index is the mark until someone sets it. Both can be set.

    Attributes:
        path: First and last price of each order that traded since triggers were last looked at.
    """

    def __init__(self, book: MatchingBook, start: int, band: int | None = None) -> None:
        """Args:
        start: In millionths of a tick.
        band: How far the mark may be from the index, out of ``RATE``; None for anywhere.
        """
        self._book = book
        self._band = band
        self._start = start
        self.last: int | None = None
        self.path: list[int] = []
        self.set_mark: int | None = None
        self.set_index: int | None = None

    def mark(self) -> int:
        if self.set_mark is not None:
            return self.set_mark
        found = self._of_the_book()
        if self._band is None or self.set_index is None:
            return found
        reach = self.set_index * self._band // RATE
        return max(self.set_index - reach, min(self.set_index + reach, found))

    def _of_the_book(self) -> int:
        bid, ask = self._book.best(Side.BUY), self._book.best(Side.SELL)
        if bid is not None and ask is not None:
            return (bid + ask) * (MICRO // 2)
        return self._start if self.last is None else self.last

    def index(self) -> int:
        return self.mark() if self.set_index is None else self.set_index

    def of(self, by: TriggerBy) -> int:
        """Return the price that sets off orders of that kind; before the first trade the mark stands for the last."""
        if by is TriggerBy.INDEX:
            return self.index()
        if by is TriggerBy.LAST and self.last is not None:
            return self.last
        return self.mark()

    @staticmethod
    def in_micro(ticks: int) -> int:
        return ticks * MICRO
