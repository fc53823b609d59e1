"""Kraken Futures' history, reached as ``operations.history``: pages that can be taken up again.

Its calls draw on a pool of their own, 100 tokens that come back in ten minutes.
See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs
import msgspec

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.limits import ACCOUNT_LOG_CSV, ACCOUNT_LOG_MOST, HISTORY_CALL, account_log_cost
from kraken_futures.pages import Page, Pages, moment, whole
from kraken_futures.parse import history as parse_history
from kraken_futures.parse.rows import chosen, readable
from kraken_futures.rest.calls import history, market_history
from kraken_futures.types.history import (
    Execution,
    HistoryEvent,
    LogEntry,
    MarketExecution,
    MarkPrice,
    PositionCause,
    PositionChange,
    PositionUpdate,
)
from kraken_futures.wire import history as wire

R = TypeVar("R")
T = TypeVar("T")

_CHANGES = {
    PositionChange.OPEN: "opened",
    PositionChange.CLOSE: "closed",
    PositionChange.INCREASE: "increased",
    PositionChange.DECREASE: "decreased",
    PositionChange.REVERSE: "reversed",
    PositionChange.NO_CHANGE: "no_change",
}
_CAUSES = {
    PositionCause.TRADE: "trades",
    PositionCause.FUNDING: "funding_realization",
    PositionCause.SETTLEMENT: "settlement",
}


@attrs.frozen(kw_only=True)
class Span:
    """Which part of a history is asked for, and how.

    Attributes:
        since, before: Times; *since* is in it.
        oldest_first: The venue's own way is newest first. A cursor only goes with the way it was made in.
        count: Rows in a page, as far as the venue lets; None leaves it to the venue.
    """

    since: datetime | None = None
    before: datetime | None = None
    oldest_first: bool = False
    count: int | None = None

    def params(self) -> dict[str, Any]:
        if self.count is not None and (type(self.count) is not int or self.count < 1):
            raise InvalidValue(f"count: {self.count!r}; expected a whole number from 1 on")
        return {
            "since": moment(self.since, "since"),
            "before": moment(self.before, "before"),
            "sort": "asc" if self.oldest_first else "desc",
            "count": self.count,
        }


EVERYTHING = Span()


@attrs.frozen
class HistoryCalls:
    """The past of the account, and of markets."""

    _context: VenueContext

    def executions(self, symbol: Symbol | str | None = None, span: Span = EVERYTHING) -> Pages[Execution]:
        """Page through executions of ours; they have their fees."""
        symbols = self._context.symbols
        return self._own(
            "executions", self._of(symbol, span), wire.Element, lambda row: parse_history.execution(row, symbols)
        )

    def orders(
        self,
        symbol: Symbol | str | None = None,
        span: Span = EVERYTHING,
        *,
        opened: bool | None = None,
        closed: bool | None = None,
    ) -> Pages[HistoryEvent]:
        """Page through what happened to our orders. Triggers that have not fired are in :meth:`triggers`.

        Args:
            opened, closed: Only events that opened, or ended, an order.
        """
        return self._events("orders", symbol, span, opened, closed)

    def triggers(
        self,
        symbol: Symbol | str | None = None,
        span: Span = EVERYTHING,
        *,
        opened: bool | None = None,
        closed: bool | None = None,
    ) -> Pages[HistoryEvent]:
        """Page through what happened to our triggers: stops, take-profits, trailing stops."""
        return self._events("triggers", symbol, span, opened, closed)

    def positions(
        self,
        symbol: Symbol | str | None = None,
        span: Span = EVERYTHING,
        *,
        changes: Iterable[PositionChange] = (),
        causes: Iterable[PositionCause] = (),
    ) -> Pages[PositionUpdate]:
        """Page through changes of our positions; any of *changes* for any of *causes*, all without."""
        symbols = self._context.symbols
        params = self._of(symbol, span)
        params |= {_CHANGES[chosen(PositionChange, one, "changes")]: True for one in changes}
        params |= {_CAUSES[chosen(PositionCause, one, "causes")]: True for one in causes}
        return self._own("positions", params, msgspec.Raw, lambda row: parse_history.position_update(row, symbols))

    def account_log(
        self,
        span: Span = EVERYTHING,
        *,
        info: Iterable[str] = (),
        first_id: int | None = None,
        last_id: int | None = None,
        conversion_details: bool = False,
    ) -> Pages[LogEntry]:
        """Page through the account log.

        A page costs by its size: 1 token for up to 25 rows, 3 for up to 1000, 10 for 100,000.

        Args:
            span: Its *count* is 500 without.
            info: Only rows that book this.
            first_id, last_id: Only rows from and to these ids.
        """
        count = 500 if span.count is None else span.count
        base = attrs.evolve(span, count=count).params()
        if count > ACCOUNT_LOG_MOST:
            raise InvalidValue(f"count: {count}; the account log has at most {ACCOUNT_LOG_MOST} rows in a page")
        base |= {"info": [*info], "conversion_details": True if conversion_details else None}
        symbols, what = self._context.symbols, f"{self._context.venue}: account-log"

        def fetch(cursor: str | None) -> Flow[Page[LogEntry]]:
            place = None if cursor is None else whole(cursor, "account-log")
            bounds = {"from": first_id, "to": last_id}
            if place is not None:
                bounds["from" if span.oldest_first else "to"] = place
            reply: wire.LogPage = yield history("account-log", wire.LogPage, base | bounds, account_log_cost(count))
            rows, bad = readable(reply.logs, wire.LogRow, lambda row: parse_history.log_entry(row, symbols), what)
            if not rows and bad:
                raise ProtocolError(f"{what}: no row reads as documented: {bad[0].problem}")
            ids = [row.id for row in rows]
            if not ids:
                return Page((), None, bad)
            # It ends with an empty page: that a short one is the last is nowhere said.
            after = max(ids) + 1 if span.oldest_first else min(ids) - 1
            ended = after < max(1, first_id or 1) or (last_id is not None and after > last_id)
            return Page(tuple(rows), None if ended else str(after), bad)

        return Pages(fetch)

    def account_log_csv(self, *, conversion_details: bool = False) -> Flow[str]:
        """Return the newest 500,000 rows of the account log as CSV, with the venue's own headings."""
        details = True if conversion_details else None
        body: bytes = yield history("accountlogcsv", bytes, {"conversion_details": details}, ACCOUNT_LOG_CSV)
        try:
            return body.decode()
        except UnicodeDecodeError as problem:
            raise ProtocolError(f"{self._context.venue}: accountlogcsv: not UTF-8: {problem.reason}") from None

    def market_executions(self, symbol: Symbol | str, span: Span = EVERYTHING) -> Pages[MarketExecution]:
        """Page through all public executions of a contract; needs no key."""
        symbols = self._context.symbols
        return self._market(symbol, "executions", span, lambda row: parse_history.market_execution(row, symbols))

    def market_orders(self, symbol: Symbol | str, span: Span = EVERYTHING) -> Pages[HistoryEvent]:
        """Page through public order events of a contract: who placed what, without names."""
        symbols = self._context.symbols
        return self._market(symbol, "orders", span, lambda row: parse_history.order_event(row, symbols))

    def market_prices(self, symbol: Symbol | str, span: Span = EVERYTHING) -> Pages[MarkPrice]:
        """Page through the mark prices of a contract."""
        ours = Symbol.of(symbol)
        return self._market(ours, "price", span, lambda row: parse_history.mark_price(row, ours))

    def _of(self, symbol: Symbol | str | None, span: Span) -> dict[str, Any]:
        tradeable = None if symbol is None else naming.venue_id(self._context.symbols, symbol)
        return {**span.params(), "tradeable": tradeable}

    def _events(
        self, endpoint: str, symbol: Symbol | str | None, span: Span, opened: bool | None, closed: bool | None
    ) -> Pages[HistoryEvent]:
        symbols = self._context.symbols
        params = self._of(symbol, span) | {"opened": opened, "closed": closed}
        return self._own(endpoint, params, wire.Element, lambda row: parse_history.order_event(row, symbols))

    def _own(self, endpoint: str, params: Mapping[str, Any], kind: type[R], build: Callable[[R], T]) -> Pages[T]:
        def call(more: Mapping[str, Any]) -> RestCall:
            return history(endpoint, wire.HistoryPage, more, HISTORY_CALL)

        return self._pages(endpoint, call, params, kind, build)

    def _market(self, symbol: Symbol | str, what: str, span: Span, build: Callable[[wire.Element], T]) -> Pages[T]:
        venue_id = naming.venue_id(self._context.symbols, symbol)

        def call(more: Mapping[str, Any]) -> RestCall:
            return market_history(venue_id, what, wire.HistoryPage, more)

        return self._pages(f"{venue_id} {what}", call, span.params(), wire.Element, build)

    def _pages(
        self,
        label: str,
        call: Callable[[Mapping[str, Any]], RestCall],
        params: Mapping[str, Any],
        kind: type[R],
        build: Callable[[R], T],
    ) -> Pages[T]:
        what = f"{self._context.venue}: history of {label}"

        def fetch(cursor: str | None) -> Flow[Page[T]]:
            reply: wire.HistoryPage = yield call({**params, "continuation_token": cursor})
            rows, bad = readable(reply.elements, kind, build, what)
            return Page(tuple(rows), reply.continuation_token or None, bad)

        return Pages(fetch)
