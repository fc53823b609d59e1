"""The past of Kraken Spot in the model's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from exchange_core.connector.pages import History
from exchange_core.connector.spec import VenueContext
from exchange_core.model.fill import Fill
from exchange_core.model.ledger import LedgerEntry, LedgerKind
from exchange_core.model.market import Candle, Trade
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from kraken_spot import parse, wire, wire_history
from kraken_spot import parse_history as records
from kraken_spot.tokenized import pair_params
from kraken_spot.types_history import LedgerType
from kraken_spot.walk_trades import TradeWalk
from kraken_spot.walks import Walks, closed_orders, history, ledgers_of, own_trades

KINDS = {
    LedgerType.TRADE: LedgerKind.TRADE,
    LedgerType.SPEND: LedgerKind.CONVERSION,
    LedgerType.RECEIVE: LedgerKind.CONVERSION,
    LedgerType.SALE: LedgerKind.CONVERSION,
    LedgerType.CONVERSION: LedgerKind.CONVERSION,
    LedgerType.DEPOSIT: LedgerKind.DEPOSIT,
    LedgerType.WITHDRAWAL: LedgerKind.WITHDRAWAL,
    LedgerType.TRANSFER: LedgerKind.TRANSFER,
    LedgerType.CUSTODY_TRANSFER: LedgerKind.TRANSFER,
    LedgerType.MARGIN: LedgerKind.MARGIN,
    LedgerType.ROLLOVER: LedgerKind.MARGIN,
    LedgerType.SETTLED: LedgerKind.SETTLEMENT,
    LedgerType.STAKING: LedgerKind.REWARD,
    LedgerType.REWARD: LedgerKind.REWARD,
    LedgerType.DIVIDEND: LedgerKind.REWARD,
    LedgerType.ADJUSTMENT: LedgerKind.ADJUSTMENT,
    LedgerType.CREDIT: LedgerKind.ADJUSTMENT,
    LedgerType.NFT_TRADE: LedgerKind.TRADE,
    LedgerType.NFT_CREATOR_FEE: LedgerKind.FEE,
    LedgerType.NFT_REBATE: LedgerKind.FEE,
}


@attrs.frozen
class KrakenSpotHistory:
    """What ``venue.fill_history`` and its neighbours walk."""

    _context: VenueContext

    def fills(self, since: datetime | None, until: datetime | None) -> History[Fill]:
        context = self._context

        def build(txid: str, raw: wire.Trade) -> Fill:
            return parse.fill(txid, raw, context.symbols, context.venue)

        return history(context, "fills", own_trades(context, wire.Trade, build, lambda fill: fill.time), since, until)

    def orders(self, since: datetime | None, until: datetime | None) -> History[Order]:
        context = self._context

        def build(txid: str, raw: wire.Order) -> Order:
            return parse.order(txid, raw, context.symbols, context.venue)

        def ended(order: Order) -> datetime | None:
            return order.updated or order.created

        return history(context, "orders", closed_orders(context, wire.Order, build, ended), since, until)

    def ledger(self, since: datetime | None, until: datetime | None) -> History[LedgerEntry]:
        return history(
            self._context, "ledger", ledgers_of(self._context, self._entry, lambda one: one.time), since, until
        )

    def trades(self, symbol: Symbol, since: datetime | None, until: datetime | None) -> History[Trade]:
        walk = TradeWalk(
            venue=self._context.venue,
            **pair_params(self._context, symbol),
            build=lambda row: parse.trade(row, symbol),
            since=since,
            until=until,
        )
        return History(name=f"trades of {symbol}", fetch=walk.fetch, since=since, until=until)

    def candles(self, symbol: Symbol, interval: int, since: datetime | None, until: datetime | None) -> History[Candle]:
        return Walks(self._context).candles(symbol, interval, since, until)

    def _entry(self, entry_id: str, raw: wire_history.LedgerEntry) -> LedgerEntry:
        record: Any = records.ledger_entry(entry_id, raw, self._context.assets)
        return LedgerEntry(
            id=record.id,
            time=record.time,
            asset=record.asset,
            amount=record.amount,
            fee=record.fee,
            balance=record.balance,
            kind=KINDS.get(record.type, LedgerKind.OTHER),
            venue_kind=f"{record.type}/{record.subtype}" if record.subtype else str(record.type),
            reference=record.reference or None,
            wallet=record.wallet,
            venue=self._context.venue,
        )
