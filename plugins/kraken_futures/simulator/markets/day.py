"""A market at a glance: prices, funding, and the last 24 hours, for tickers of every kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimExchange, SimFunding, SimTrade
from exchange_core.model.market import Level
from kraken_futures.simulator.markets.contracts import Contract

_DAY = timedelta(days=1)
_BAR = 15  # minutes: precise enough for a window of a day, and few


@attrs.define(kw_only=True)
class Glance:
    """What a ticker shows. Without trades *last* is None and the sums are zero.

    Attributes:
        looked: When it was last found to be still so.
        funding: Of the hour that runs; None for contracts with a date.
        following: Of the next hour, as it would be now.
    """

    time: datetime = attrs.field(eq=False)
    looked: datetime = attrs.field(eq=False)
    mark: Decimal
    index: Decimal
    open_interest: Decimal
    funding: SimFunding | None
    following: SimFunding | None
    bid: Level | None
    ask: Level | None
    last: SimTrade | None
    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    volume_quote: Decimal

    @property
    def change(self) -> Decimal:
        """Return the change of the price in 24 hours, in percent."""
        if self.last is None or not self.open:
            return Decimal(0)
        return round((self.last.price / self.open - 1) * 100, 2)

    @property
    def premium(self) -> Decimal:
        """Return how far the mark price is from the index, in percent."""
        return round((self.mark / self.index - 1) * 100, 1) if self.index else Decimal(0)


def glance(exchange: SimExchange, contract: Contract) -> Glance:
    """Look at *contract* now."""
    now, symbol = exchange.now(), contract.symbol
    bids, asks = exchange.book(symbol, 1)
    trades, funding = exchange.trades(symbol), exchange.funding(symbol)
    bars = [bar for bar in exchange.candles(symbol, _BAR) if bar.start > now - _DAY]
    volume = sum((bar.volume for bar in bars), Decimal(0))
    worth = sum((bar.volume * (bar.close if bar.vwap is None else bar.vwap) for bar in bars), Decimal(0))
    return Glance(
        time=now,
        looked=now,
        mark=exchange.mark_price(symbol),
        index=exchange.index_price(symbol),
        open_interest=exchange.open_interest(symbol),
        funding=funding[-2] if funding else None,
        following=funding[-1] if funding else None,
        bid=bids[0] if bids else None,
        ask=asks[0] if asks else None,
        last=trades[-1] if trades else None,
        open=bars[0].open if bars else Decimal(0),
        high=max((bar.high for bar in bars), default=Decimal(0)),
        low=min((bar.low for bar in bars), default=Decimal(0)),
        volume=volume,
        volume_quote=volume if symbol.is_inverse else worth,
    )
