"""The past of Kraken Futures in the model's words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.connector.pages import History
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, ProtocolError
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.ledger import LedgerEntry, LedgerKind
from exchange_core.model.market import Candle, Trade
from exchange_core.model.number import EXACT
from exchange_core.model.order import Order
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures import naming, parse_history
from kraken_futures import wire_history as wire
from kraken_futures.rest_charts import Resolution
from kraken_futures.rows import aware
from kraken_futures.types_history import LogInfo
from kraken_futures.walk_log import LogWalk
from kraken_futures.walks import Walks, market_events, own_events

KINDS = {
    LogInfo.TRADE: LedgerKind.TRADE,
    LogInfo.ASSIGNOR: LedgerKind.TRADE,
    LogInfo.ASSIGNEE: LedgerKind.TRADE,
    LogInfo.UNWIND_COUNTERPARTY: LedgerKind.TRADE,
    LogInfo.UNWIND_BANKRUPT: LedgerKind.LIQUIDATION,
    LogInfo.LIQUIDATION: LedgerKind.LIQUIDATION,
    LogInfo.COVERED_LIQUIDATION: LedgerKind.LIQUIDATION,
    LogInfo.FUNDING: LedgerKind.FUNDING,
    LogInfo.CONVERSION: LedgerKind.CONVERSION,
    LogInfo.INTEREST: LedgerKind.INTEREST,
    LogInfo.TRANSFER: LedgerKind.TRANSFER,
    LogInfo.CROSS_EXCHANGE_TRANSFER: LedgerKind.TRANSFER,
    LogInfo.SUBACCOUNT_TRANSFER: LedgerKind.TRANSFER,
    LogInfo.ADMIN_TRANSFER: LedgerKind.TRANSFER,
    LogInfo.KFEE: LedgerKind.FEE,
    LogInfo.SETTLEMENT: LedgerKind.SETTLEMENT,
}

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
        if "_" in row.asset:
            return None  # a position, by the name of its contract
        found = parse_history.log_entry(row, self._context.symbols)
        if found.old_balance is None or found.new_balance is None:
            raise ProtocolError(f"account log: row {row.id} does not say what the balance was")
        fee = found.fee or Decimal(0)
        # Open point: no sample of a trade's cash row was seen. What the balance moved by is certain, and counts.
        moved = EXACT.subtract(found.new_balance, found.old_balance)
        return LedgerEntry(
            id=str(found.id),
            time=aware(row.date),
            asset=naming.asset_code(row.asset),
            amount=EXACT.add(moved, fee),
            fee=fee,
            balance=found.new_balance,
            kind=KINDS.get(found.info, LedgerKind.OTHER) if isinstance(found.info, LogInfo) else LedgerKind.OTHER,
            venue_kind=str(found.info),
            reference=found.execution or found.booking_uid or None,
            wallet=found.margin_account or "",
            symbol=found.contract if isinstance(found.contract, Symbol) else None,
            venue=self._context.venue,
        )
