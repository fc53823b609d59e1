"""The past of Kraken Spot in the model's words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs
import msgspec

from exchange_core.connector.pages import History
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.model.fill import Fill
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.market import Candle, Trade
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from kraken_spot.parse import common as parse
from kraken_spot.parse import history as records
from kraken_spot.parse import ledger as parse_ledger
from kraken_spot.rest.lists import Lists, pairs_of
from kraken_spot.tokenized import pair_params
from kraken_spot.walks.operations import Walks, closed_orders, history, ledgers_of, own_trades
from kraken_spot.walks.trades import TradeWalk
from kraken_spot.wire import common as wire
from kraken_spot.wire import history as wire_history


@attrs.frozen
class KrakenSpotHistory:
    """What ``venue.fill_history`` and its neighbours walk."""

    _context: VenueContext

    def fills(self, since: datetime | None, until: datetime | None) -> History[Fill]:
        context = self._context

        def build(txid: str, raw: wire.Trade) -> Fill:
            return parse.fill(txid, raw, context.symbols, context.venue)

        listed = own_trades(context, wire.Trade, build, lambda fill: fill.time)
        return history(context, "fills", attrs.evolve(listed, learn=self._learn), since, until)

    def orders(self, since: datetime | None, until: datetime | None) -> History[Order]:
        context = self._context

        def build(txid: str, raw: wire.Order) -> Order:
            return parse.order(txid, raw, context.symbols, context.venue)

        def ended(order: Order) -> datetime | None:
            return order.updated or order.created

        listed = closed_orders(context, wire.Order, build, ended)
        return history(context, "orders", attrs.evolve(listed, learn=self._learn), since, until)

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

    def _learn(self, rows: Iterable[msgspec.Raw]) -> Flow[None]:
        # Of what is walked past without a pair, nothing would come again.
        return Lists(self._context).require(pairs_of(rows))

    def _entry(self, entry_id: str, raw: wire_history.LedgerEntry) -> LedgerEntry:
        record = records.ledger_entry(entry_id, raw, self._context.assets)
        return parse_ledger.entry(record, record.balance, self._context.venue)
