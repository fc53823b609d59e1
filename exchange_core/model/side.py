"""The two directions."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Direction of an order, a fill or a public trade (there: the taker's)."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1
