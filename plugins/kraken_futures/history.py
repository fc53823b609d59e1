"""The past of Kraken Futures in the model's words."""

from __future__ import annotations

from datetime import datetime

import attrs

from exchange_core.connector.pages import History
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, ProtocolError
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.market import Candle, Trade
from exchange_core.model.order import Order
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.parse import history as parse_history
from kraken_futures.parse import log as parse_log
from kraken_futures.rest.charts import Resolution
from kraken_futures.walks.log import LogWalk
from kraken_futures.walks.operations import Walks, market_events, own_events
from kraken_futures.wire import history as wire

_MINUTES = {resolution.minutes: resolution for resolution in Resolution}


@attrs.frozen
class FuturesHistory:
    """What ``venue.fill_history`` and its neighbours walk."""

    _context: VenueContext

    def fills(self, since: datetime | None, until: datetime | None) -> History[Fill]:
        return own_events(self._context, "fills", "executions", {}, self._fill, since, until)

    def orders(self, since: datetime | None, until: datetime | None) -> History[Order]:
        # An order that is filled leaves no event among those of orders, and executions do not say for sure which of
        # them was an order's last.
        raise NotSupported(
            f"{self._context.venue}: order_history: there is no list of orders that are over; walk "
            "operations.walks.orders() for what happened to them, and fill_history() for their executions",
            venue=self._context.venue,
        )

    def ledger(self, since: datetime | None, until: datetime | None) -> History[LedgerEntry]:
        """Walk the rows of money. Those of positions, whose "balance" counts contracts, are in the account log only."""
        walk = LogWalk(
            what=f"{self._context.venue}: account-log", params={}, build=self._entry, since=since, until=until
        )
        return History(name="ledger", fetch=walk.fetch, since=since, until=until, private=True)

    def trades(self, symbol: Symbol, since: datetime | None, until: datetime | None) -> History[Trade]:
        return market_events(self._context, symbol, "executions", lambda row: self._trade(row, symbol), since, until)

    def candles(self, symbol: Symbol, interval: int, since: datetime | None, until: datetime | None) -> History[Candle]:
        resolution = _MINUTES.get(interval)
        if resolution is None:
            raise NotSupported(
                f"{self._context.venue}: no candles of {interval} minutes; there are {', '.join(map(str, _MINUTES))}",
                venue=self._context.venue,
            )
        return Walks(self._context).candles(symbol, resolution, since=since, until=until)

    def _fill(self, element: wire.Element) -> Fill:
        found = parse_history.execution(element, self._context.symbols)
        symbol, side = found.order.symbol, found.order.side
        if not isinstance(symbol, Symbol):
            raise ProtocolError(f"execution {found.id}: {symbol[:60]!r} is in no instrument list")
        if not isinstance(side, Side):
            raise ProtocolError(f"execution {found.id}: side {side!r} is neither buy nor sell")
        fee = None if found.fee is None else Fee(asset=symbol.settle or symbol.quote, amount=found.fee)
        return Fill(
            # Open point: that executions have the ids which the list and the feed of fills show is not documented.
            id=found.id,
            symbol=symbol,
            side=side,
            price=found.price,
            quantity=found.quantity,
            time=found.time,
            venue=self._context.venue,
            venue_order_id=found.order.order_id,
            client_order_id=found.order.client_order_id,
            fee=fee,
            liquidity=found.liquidity if isinstance(found.liquidity, Liquidity) else None,
        )

    def _trade(self, element: wire.Element, symbol: Symbol) -> Trade:
        found = parse_history.market_execution(element, self._context.symbols)
        if not isinstance(found.side, Side):
            raise ProtocolError(f"execution {found.id}: side {found.side!r} is neither buy nor sell")
        return Trade(
            symbol=symbol,
            id=found.id,
            side=found.side,
            price=found.price,
            quantity=found.quantity,
            time=found.time,
        )

    def _entry(self, row: wire.LogRow) -> LedgerEntry | None:
        """Return what the feed of the log would tell of the row."""
        found = parse_log.ledger_entry(parse_history.log_entry(row, self._context.symbols), row, self._context.venue)
        if found is None and "_" not in row.asset:  # with it, it is a position, by the name of its contract
            raise ProtocolError(f"account log: row {row.id} does not say what the balance was")
        return found
