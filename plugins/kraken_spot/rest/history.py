"""What an account did, with all that Kraken Spot records of it; reached as ``operations.history``.

Long lists come newest first and in pages. What happens meanwhile moves older records to later pages, so without an
*end* some may come twice; none is left out.
See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue
from exchange_core.model.symbol import Symbol
from kraken_spot.parse import history as parse
from kraken_spot.parse.rows import Listing, Page, readable
from kraken_spot.rest.calls import asset_id, no_more_than, private, refuse, second_after, second_before
from kraken_spot.types.history import (
    Amend,
    CloseTime,
    LedgerEntry,
    LedgerFilter,
    OrderRecord,
    TradeFilter,
    TradeRecord,
)
from kraken_spot.wire import history as wire

T = TypeVar("T")

Moment = datetime | str | None
"""A time, or the id of a record in place of its time."""

MOST_ORDERS, MOST_TRADES, MOST_LEDGERS = 50, 20, 20
"""How many ids one call takes. Clients that say 20 orders are out of date."""

_LARGEST_PAGE = 100


@attrs.frozen(kw_only=True)
class _Range:
    """Which part of a list is asked for: what is after *start*, up to and with *end*."""

    start: Moment
    end: Moment
    offset: int

    @staticmethod
    def of(cursor: str | None, start: Moment, end: Moment) -> _Range:
        if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
            raise InvalidValue(f"cursor: {cursor[:60]!r} is no cursor of this call; expected digits")
        return _Range(start=start, end=end, offset=int(cursor or 0))

    def params(self, with_count: bool) -> dict[str, Any]:
        # Open point: to which fraction of a second the venue compares is not documented. A second more is asked for
        # on both sides, and cut here.
        start, end = self.start, self.end
        if isinstance(start, datetime):
            start = str((second_before(start, "start") or 0) - 1)
        if isinstance(end, datetime):
            end = str(second_after(end, "end"))
        return {
            "start": start,
            "end": end,
            "ofs": self.offset or None,
            "without_count": None if with_count else True,
        }

    def page(self, found: Listing[T], count: int | None, times: Callable[[T], Iterable[datetime | None]]) -> Page[T]:
        rows = len(found.items) + len(found.unreadable)
        reached = self.offset + rows
        # Open point: how many records a page of trades has is not settled, so only an empty one is known to be past
        # the end where there is no count.
        more = rows > 0 and (count is None or reached < count)
        items = tuple(item for item in found.items if self._has(times(item)))
        return Page(items, str(reached) if more else None, count, found.unreadable)

    def _has(self, times: Iterable[datetime | None]) -> bool:
        start, end = self.start, self.end
        return any(
            time is None
            or ((not isinstance(start, datetime) or time > start) and (not isinstance(end, datetime) or time <= end))
            for time in times
        )


@attrs.frozen
class HistoryCalls:
    """Calls about orders, trades and ledger entries."""

    _context: VenueContext

    def open_orders(
        self, *, userref: int | None = None, client_order_id: str | None = None, trades: bool = False
    ) -> Flow[Listing[OrderRecord]]:
        """List open orders of every kind with all that is recorded of them.

        Args:
            trades: With the ids of their trades.
        """
        params = {"trades": trades or None, "userref": userref, "cl_ord_id": client_order_id}
        answer: wire.Orders = yield private("OpenOrders", wire.Orders, params)
        return readable(answer.open, wire.Order, self._order)

    def orders(self, *txids: str, userref: int | None = None, trades: bool = False) -> Flow[Listing[OrderRecord]]:
        """Return up to 50 orders by the venue's ids. Client ids cannot be asked for here.

        Raises:
            OrderRefused: For what is no order's id.
        """
        params = {
            "txid": no_more_than(self._context.venue, "txids", txids, MOST_ORDERS),
            "userref": userref,
            "trades": trades or None,
            "consolidate_taker": False,
        }
        answer: dict[str, Any] = yield private("QueryOrders", wire.Records, params)
        return readable(answer, wire.Order, self._order)

    def trades(self, *txids: str, related: bool = False) -> Flow[Listing[TradeRecord]]:
        """Return up to 20 trades by their ids.

        Args:
            related: With the trades of the same position.
        """
        params = {
            "txid": no_more_than(self._context.venue, "txids", txids, MOST_TRADES),
            "trades": related or None,
        }
        answer: dict[str, Any] = yield private("QueryTrades", wire.Records, params, points=self._lookup_cost)
        return readable(answer, wire.Trade, self._trade)

    def ledgers(self, *ids: str, trades: bool = False) -> Flow[Listing[LedgerEntry]]:
        """Return up to 20 ledger entries by their ids."""
        params = {"id": no_more_than(self._context.venue, "ids", ids, MOST_LEDGERS), "trades": trades or None}
        answer: dict[str, Any] = yield private("QueryLedgers", wire.Records, params, points=self._lookup_cost)
        return readable(answer, wire.LedgerEntry, self._entry)

    def closed_orders_page(
        self,
        cursor: str | None = None,
        *,
        start: Moment = None,
        end: Moment = None,
        close_time: CloseTime = CloseTime.BOTH,
        userref: int | None = None,
        client_order_id: str | None = None,
        trades: bool = False,
        with_count: bool = True,
    ) -> Flow[Page[OrderRecord]]:
        """Return a page of finished orders, newest first.

        Args:
            start: Exclusive.
            end: Inclusive.
            close_time: Which of their times the range is about.
            with_count: Without the count the venue answers faster; the end then shows by an empty page.
        """
        part = _Range.of(cursor, start, end)
        params = {
            **part.params(with_count),
            "closetime": close_time.value,
            "userref": userref,
            "cl_ord_id": client_order_id,
            "trades": trades or None,
            "consolidate_taker": False,
        }
        answer: wire.Orders = yield private("ClosedOrders", wire.Orders, params, points=self._lookup_cost)
        times = _ORDER_TIMES[close_time]
        return part.page(readable(answer.closed, wire.Order, self._order), answer.count, times)

    def trades_page(
        self,
        cursor: str | None = None,
        *,
        start: Moment = None,
        end: Moment = None,
        type: TradeFilter = TradeFilter.ALL,
        symbol: Symbol | str | None = None,
        related: bool = False,
        ledgers: bool = False,
        consolidate_taker: bool = False,
        limit: int | None = None,
        with_count: bool = True,
    ) -> Flow[Page[TradeRecord]]:
        """Return a page of our trades, newest first; *start* is exclusive and *end* inclusive.

        Args:
            related: With the trades of the same position.
            ledgers: With the ids of the ledger entries; slower.
            consolidate_taker: Let the venue merge fills of one taking order, which hides the single ones.
            limit: Records in a page, up to 100.
        """
        if limit is not None and not 1 <= limit <= _LARGEST_PAGE:
            raise refuse(self._context.venue, "limit", f"{limit} is not between 1 and {_LARGEST_PAGE}")
        part = _Range.of(cursor, start, end)
        params = {
            **part.params(with_count),
            "type": type.value,
            "pair": None if symbol is None else self._context.symbols.venue_id(Symbol.of(symbol)),
            "trades": related or None,
            "ledgers": ledgers or None,
            "consolidate_taker": consolidate_taker,
            "limit": limit,
        }
        answer: wire.Trades = yield private("TradesHistory", wire.Trades, params, points=self._history_cost)
        return part.page(readable(answer.trades, wire.Trade, self._trade), answer.count, _own_time)

    def ledgers_page(
        self,
        cursor: str | None = None,
        *,
        start: Moment = None,
        end: Moment = None,
        assets: Iterable[str] = (),
        type: LedgerFilter = LedgerFilter.ALL,
        asset_class: str | None = None,
        with_count: bool = True,
    ) -> Flow[Page[LedgerEntry]]:
        """Return a page of the ledger, newest first; *start* is exclusive and *end* inclusive."""
        part = _Range.of(cursor, start, end)
        params = {
            **part.params(with_count),
            "asset": [asset_id(self._context, asset) for asset in assets] or None,
            "aclass": asset_class,
            "type": type.value,
        }
        answer: wire.Ledgers = yield private("Ledgers", wire.Ledgers, params, points=self._history_cost)
        return part.page(readable(answer.ledger, wire.LedgerEntry, self._entry), answer.count, _own_time)

    def amends(self, txid: str) -> Flow[Listing[Amend]]:
        """Return every state of an order's terms, the original first."""
        answer: wire.Amends = yield private("OrderAmends", wire.Amends, {"order_id": txid})
        return readable(answer.amends, wire.Amend, lambda _, row: parse.amend(row))

    def _order(self, txid: str, raw: wire.Order) -> OrderRecord:
        return parse.order(txid, raw, self._context.symbols)

    def _trade(self, txid: str, raw: wire.Trade) -> TradeRecord:
        return parse.trade(txid, raw, self._context.symbols)

    def _entry(self, entry_id: str, raw: wire.LedgerEntry) -> LedgerEntry:
        return parse.ledger_entry(entry_id, raw, self._context.assets)

    @property
    def _history_cost(self) -> float:
        cost: float = self._context.config.history_cost
        return cost

    @property
    def _lookup_cost(self) -> float:
        # Open point: the pages say 1 for these, or count them with the history calls.
        return min(2.0, self._history_cost)


def _own_time(record: TradeRecord | LedgerEntry) -> tuple[datetime]:
    return (record.time,)


_ORDER_TIMES: dict[CloseTime, Callable[[OrderRecord], tuple[datetime | None, ...]]] = {
    CloseTime.OPEN: lambda order: (order.opened,),
    CloseTime.CLOSE: lambda order: (order.closed,),
    CloseTime.BOTH: lambda order: (order.opened, order.closed),
}
