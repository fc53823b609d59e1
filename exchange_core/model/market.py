"""Public market data: trades, tickers, candles, levels."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import attrs

from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol


class Level(NamedTuple):
    """One price of a book and what stands there."""

    price: Decimal
    quantity: Decimal


@attrs.frozen(kw_only=True)
class Trade:
    """A public trade.

    Attributes:
        side: The taker's.
        kind: The venue's own word for one that is no ordinary trade, such as a liquidation; else empty.
    """

    symbol: Symbol
    id: str
    side: Side
    price: Decimal
    quantity: Decimal
    time: datetime
    kind: str = ""


@attrs.frozen(kw_only=True)
class Ticker:
    """Best prices and the last 24 hours. None is "the venue did not say", not zero.

    Attributes:
        volume: 24 h, in units of quantity.
        mark_price, index_price, funding_rate: Derivatives only; the rate is relative, per hour.
        next_funding_rate, next_funding_time: What the venue expects the rate to be, and from when on.
        open_interest: In units of quantity.
    """

    symbol: Symbol
    bid: Decimal | None = None
    bid_quantity: Decimal | None = None
    ask: Decimal | None = None
    ask_quantity: Decimal | None = None
    last: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    volume: Decimal | None = None
    vwap: Decimal | None = None
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    funding_rate: Decimal | None = None
    next_funding_rate: Decimal | None = None
    next_funding_time: datetime | None = None
    open_interest: Decimal | None = None
    time: datetime | None = None


@attrs.frozen(kw_only=True)
class Candle:
    """One bar. *start* is inclusive; *closed* is False while it may still change.

    A live stream tells each bar with *closed* exactly once, oldest first, and nothing of a bar after that.
    """

    symbol: Symbol
    interval: int
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    vwap: Decimal | None = None
    count: int | None = None
    closed: bool = False
