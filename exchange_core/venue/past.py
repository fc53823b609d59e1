"""The part of a connected venue that walks its past; see the ``Past`` protocol for what its methods do."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from exchange_core.connector.pages import History
from exchange_core.model.fill import Fill
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.market import Candle, Trade
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from exchange_core.venue.history import Histories, HistoryStream
from exchange_core.venue.market_data import MarketData

T = TypeVar("T")


class WalkedPast:
    """The methods of ``Past`` for a venue that has these parts."""

    _past: Histories
    _market: MarketData

    def history(self, source: History[T], *, cursor: str | None = None) -> HistoryStream[T]:
        """Walk one of the plugin's own histories (``operations.walks``), within the venue's limits."""
        return self._past.walk(source, cursor)

    def fill_history(
        self, since: datetime | None = None, until: datetime | None = None, *, cursor: str | None = None
    ) -> HistoryStream[Fill]:
        return self._past.walk(self._past.offered.fills(since, until), cursor)

    def order_history(
        self, since: datetime | None = None, until: datetime | None = None, *, cursor: str | None = None
    ) -> HistoryStream[Order]:
        return self._past.walk(self._past.offered.orders(since, until), cursor)

    def ledger_history(
        self, since: datetime | None = None, until: datetime | None = None, *, cursor: str | None = None
    ) -> HistoryStream[LedgerEntry]:
        return self._past.walk(self._past.offered.ledger(since, until), cursor)

    def trade_history(
        self,
        symbol: Symbol | str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> HistoryStream[Trade]:
        return self._past.walk(self._past.offered.trades(self._market.instrument(symbol).symbol, since, until), cursor)

    def candle_history(
        self,
        symbol: Symbol | str,
        interval: int,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> HistoryStream[Candle]:
        wanted = self._market.instrument(symbol).symbol
        return self._past.walk(self._past.offered.candles(wanted, interval, since, until), cursor)
