"""Books and trades as they are published for regulators: PreTrade and PostTrade, a part of ``operations.market``.

See https://docs.kraken.com/api-reference/transparency/pre-trade-data and the page beside it
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339, to_rfc3339
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import Page, readable
from kraken_spot.rest.calls import aware, public, refuse
from kraken_spot.types.market import PreTrade, PublishedLevel, PublishedTrade
from kraken_spot.wire import market as wire

MOST_TRADES = 1000


class TransparencyCalls:
    """The part of ``MarketCalls`` that regulators ask for."""

    _context: VenueContext

    def pre_trade(self, symbol: Symbol | str) -> Flow[PreTrade]:
        """Return the ten best prices a side of a pair."""
        ours = Symbol.of(symbol)
        answer: wire.PreTrade = yield public("PreTrade", wire.PreTrade, {"symbol": self._name(ours)})
        return PreTrade(
            symbol=ours,
            venue=answer.venue,
            system=answer.system,
            bids=_levels(answer.bids),
            asks=_levels(answer.asks),
        )

    def post_trade_page(
        self,
        symbol: Symbol | str | None = None,
        cursor: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        count: int = MOST_TRADES,
    ) -> Flow[Page[PublishedTrade]]:
        """Return trades of a pair, or of all pairs, oldest first: the latest, or what came after *cursor* or *since*.

        There is always a cursor, since trading goes on. It is a time: of trades at one instant that do not all fit into
        a page, the venue does not say that the next page has the rest.

        Args:
            since: It is not in it, and *until* is.
        """
        if cursor is not None and since is not None:
            raise InvalidValue("since: a cursor was given, which already says where to go on")
        if not 1 <= count <= MOST_TRADES:
            raise refuse(self._context.venue, "count", f"{count} is not between 1 and {MOST_TRADES}")
        params = {
            "symbol": None if symbol is None else self._name(Symbol.of(symbol)),
            "from_ts": _moment(since, "since") if cursor is None else _cursor(cursor),
            "to_ts": _moment(until, "until"),
            "count": count,
        }
        return self._post_trade_page(params)

    def _post_trade_page(self, params: dict[str, Any]) -> Flow[Page[PublishedTrade]]:
        answer: wire.PostTrade = yield public("PostTrade", wire.PostTrade, params)
        symbols = self._context.symbols
        rows = readable(answer.trades, wire.PostTradeRow, lambda _, row: _trade(row, symbols))
        # It goes back unchanged: it is finer than our times.
        return Page(rows.items, answer.last_ts, unreadable=rows.unreadable)

    def _name(self, symbol: Symbol) -> str:
        """Return a pair as these two calls name it, which is as we do."""
        return str(self._context.symbols.instrument(symbol).symbol)


def _moment(time: datetime | None, parameter: str) -> str | None:
    return None if time is None else to_rfc3339(aware(time, parameter), "microseconds")


def _cursor(cursor: str) -> str:
    try:
        from_rfc3339(cursor)
    except ProtocolError:
        raise InvalidValue(f"cursor: {cursor[:60]!r} is no cursor of this call; expected a time") from None
    return cursor


def _levels(rows: Iterable[wire.PreTradeLevel]) -> tuple[PublishedLevel, ...]:
    return tuple(
        PublishedLevel(
            price=parse.number(row.price, "price"),
            quantity=parse.number(row.qty, "qty"),
            count=row.count,
            published=from_rfc3339(row.publication_ts),
        )
        for row in rows
    )


def _trade(row: wire.PostTradeRow, symbols: SymbolMap) -> PublishedTrade:
    return PublishedTrade(
        id=row.trade_id,
        symbol=symbols.get(row.symbol) or row.symbol,
        price=parse.number(row.price, "price"),
        quantity=parse.number(row.quantity, "quantity"),
        time=from_rfc3339(row.trade_ts),
        venue=row.trade_venue,
        published=from_rfc3339(row.publication_ts),
        publication_venue=row.publication_venue,
    )
