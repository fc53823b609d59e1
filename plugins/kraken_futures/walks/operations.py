"""Kraken Futures' long lists as walks over every page, reached as ``operations.walks``; ``venue.history`` walks them.

All but the fills begin with the oldest entry. All can be taken up again later.
See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import attrs

from exchange_core.connector.pages import Entry, History, HistoryPage, Unreadable
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.model.market import Candle
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis, to_millis
from kraken_futures import naming
from kraken_futures.limits import HISTORY_CALL
from kraken_futures.parse import history as parse_history
from kraken_futures.parse.rows import chosen
from kraken_futures.rest.account import fill
from kraken_futures.rest.calls import history, market_history
from kraken_futures.rest.charts import Resolution, TickType, candle
from kraken_futures.rest.market import funding
from kraken_futures.types.account import FuturesFill
from kraken_futures.types.history import Execution, HistoryEvent, LogEntry, MarketExecution, MarkPrice
from kraken_futures.types.market import FundingRate
from kraken_futures.walks.candles import CandleWalk
from kraken_futures.walks.cursors import Cursor, Millis, read
from kraken_futures.walks.events import MARKET_SLACK, OWN_SLACK, EventWalk
from kraken_futures.walks.fills import FillWalk
from kraken_futures.walks.log import LogWalk
from kraken_futures.wire import history as wire

T = TypeVar("T")


class _FundingState(Cursor):
    """Attributes:
    at: The last rate that was given out.
    """

    at: Millis


@attrs.frozen
class Walks:
    """Walks through what the account did, and through what markets did."""

    _context: VenueContext

    def executions(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        symbol: Symbol | str | None = None,
    ) -> History[Execution]:
        """Walk executions of ours; they have their fees."""
        symbols = self._context.symbols
        params = self._tradeable(symbol)
        name = _named("own executions", symbol)
        return own_events(
            self._context, name, "executions", params, lambda row: parse_history.execution(row, symbols), since, until
        )

    def orders(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        symbol: Symbol | str | None = None,
        opened: bool | None = None,
        closed: bool | None = None,
    ) -> History[HistoryEvent]:
        """Walk what happened to our orders. Triggers that have not fired are in :meth:`triggers`.

        Args:
            opened, closed: Only events that opened, or ended, an order.
        """
        return self._order_events("orders", symbol, opened, closed, since, until)

    def triggers(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        symbol: Symbol | str | None = None,
        opened: bool | None = None,
        closed: bool | None = None,
    ) -> History[HistoryEvent]:
        """Walk what happened to our triggers: stops, take-profits, trailing stops."""
        return self._order_events("triggers", symbol, opened, closed, since, until)

    def account_log(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        info: Iterable[str] = (),
        conversion_details: bool = False,
    ) -> History[LogEntry]:
        """Walk the account log.

        Args:
            info: Only rows that book this.
        """
        symbols = self._context.symbols
        walk = LogWalk(
            what=self._what("account-log"),
            params={"info": [*info], "conversion_details": True if conversion_details else None},
            build=lambda row: parse_history.log_entry(row, symbols),
            since=since,
            until=until,
        )
        return History(name="account log", fetch=walk.fetch, since=since, until=until, private=True)

    def fills(self, since: datetime | None = None, until: datetime | None = None) -> History[FuturesFill]:
        """Walk fills back from the newest on, which is all that this list can. Each answer costs 25 units of 500.

        For a walk from the oldest on, with fees, see :meth:`executions`.
        """
        context = self._context
        walk = FillWalk(what=self._what("fills"), build=lambda row: fill(row, context), since=since, until=until)
        return History(
            name="fills, newest first", fetch=walk.fetch, since=since, until=until, private=True, newest_first=True
        )

    def market_executions(
        self, symbol: Symbol | str, since: datetime | None = None, until: datetime | None = None
    ) -> History[MarketExecution]:
        """Walk all public executions of a contract."""
        symbols = self._context.symbols
        return market_events(
            self._context, symbol, "executions", lambda row: parse_history.market_execution(row, symbols), since, until
        )

    def market_orders(
        self, symbol: Symbol | str, since: datetime | None = None, until: datetime | None = None
    ) -> History[HistoryEvent]:
        """Walk public order events of a contract."""
        symbols = self._context.symbols
        return market_events(
            self._context, symbol, "orders", lambda row: parse_history.order_event(row, symbols), since, until
        )

    def market_prices(
        self, symbol: Symbol | str, since: datetime | None = None, until: datetime | None = None
    ) -> History[MarkPrice]:
        """Walk the mark prices of a contract."""
        ours = Symbol.of(symbol)
        return market_events(
            self._context, ours, "price", lambda row: parse_history.mark_price(row, ours), since, until
        )

    def funding_rates(
        self, symbol: Symbol | str, since: datetime | None = None, until: datetime | None = None
    ) -> History[FundingRate]:
        """Walk the funding of each hour of a perpetual. The venue gives all of it in one answer."""
        ours = Symbol.of(symbol)
        context, what = self._context, self._what(f"funding of {ours}")

        def fetch(cursor: str | None) -> Flow[HistoryPage[FundingRate]]:
            reached = None if cursor is None else from_millis(read(cursor, _FundingState).at)
            rates, bad = yield from funding(context, ours)
            by_time = {
                rate.time: rate
                for rate in rates
                if (since is None or rate.time >= since)
                and (until is None or rate.time < until)
                and (reached is None or rate.time > reached)
            }
            given = list(by_time.values())
            return HistoryPage(
                entries=[Entry(rate.time, rate) for rate in given],
                after=lambda count: _FundingState(at=to_millis(given[count - 1].time)).text,
                cursor=None,
                unreadable=tuple(Unreadable(what, one.problem, one.raw) for one in bad),
            )

        return History(name=f"funding of {ours}", fetch=fetch, since=since, until=until)

    def candles(
        self,
        symbol: Symbol | str,
        resolution: Resolution,
        tick_type: TickType = TickType.TRADE,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> History[Candle]:
        """Walk candles that are over, of trades, of the mark price or of the index."""
        ours, length = Symbol.of(symbol), chosen(Resolution, resolution, "resolution")
        tick = chosen(TickType, tick_type, "tick_type")
        path = f"{tick}/{quote(naming.venue_id(self._context.symbols, ours), safe='')}/{length}"
        walk = CandleWalk(
            what=self._what(f"charts {path}"),
            path=path,
            minutes=length.minutes,
            build=lambda row: candle(row, ours, length.minutes),
            since=since,
            until=until,
            now=self._context.now,
        )
        return History(name=f"{tick} candles of {ours} {length}", fetch=walk.fetch, since=since, until=until)

    def _order_events(
        self,
        endpoint: str,
        symbol: Symbol | str | None,
        opened: bool | None,
        closed: bool | None,
        since: datetime | None,
        until: datetime | None,
    ) -> History[HistoryEvent]:
        symbols = self._context.symbols
        params = {**self._tradeable(symbol), "opened": opened, "closed": closed}
        name = _named(f"events of {endpoint}", symbol)
        return own_events(
            self._context, name, endpoint, params, lambda row: parse_history.order_event(row, symbols), since, until
        )

    def _tradeable(self, symbol: Symbol | str | None) -> dict[str, Any]:
        return {"tradeable": None if symbol is None else naming.venue_id(self._context.symbols, symbol)}

    def _what(self, label: str) -> str:
        return f"{self._context.venue}: {label}"


def own_events(
    context: VenueContext,
    name: str,
    endpoint: str,
    params: Mapping[str, Any],
    build: Callable[[wire.Element], T],
    since: datetime | None,
    until: datetime | None,
) -> History[T]:
    """Return the walk through a list of the account's events."""
    walk = EventWalk(
        what=f"{context.venue}: history of {endpoint}",
        call=lambda given: history(endpoint, wire.HistoryPage, given, HISTORY_CALL),
        params=params,
        build=build,
        since=since,
        until=until,
        slack=OWN_SLACK,
    )
    return History(name=name, fetch=walk.fetch, since=since, until=until, private=True)


def market_events(
    context: VenueContext,
    symbol: Symbol | str,
    endpoint: str,
    build: Callable[[wire.Element], T],
    since: datetime | None,
    until: datetime | None,
) -> History[T]:
    """Return the walk through a list of a market's events."""
    venue_id = naming.venue_id(context.symbols, symbol)

    def call(given: Mapping[str, Any]) -> RestCall:
        return market_history(venue_id, endpoint, wire.HistoryPage, given)

    walk = EventWalk(
        what=f"{context.venue}: history of {venue_id} {endpoint}",
        call=call,
        params={},
        build=build,
        since=since,
        until=until,
        slack=MARKET_SLACK,
    )
    return History(name=f"market {endpoint} of {symbol}", fetch=walk.fetch, since=since, until=until)


def _named(name: str, symbol: Symbol | str | None) -> str:
    return name if symbol is None else f"{name} of {symbol}"
