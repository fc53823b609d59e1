"""Writes down what happens, for histories and the account log.

Of an account it begins when the account is first asked for, with what the exchange still knows of it then. So the
makers of a market, who never ask, cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import (
    BalanceChanged,
    OrderChanged,
    OrderEvent,
    PositionChanged,
    SimEvent,
    SimExchange,
    SimFill,
    SimLedgerEntry,
    SimOrder,
    SimPosition,
    SimTrade,
)
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from kraken_futures.simulator.markets.contracts import Contract, Contracts, old_code
from kraken_futures.simulator.orders import words
from kraken_futures.simulator.past import events
from kraken_futures.simulator.past.account_log import LogRow, conversion_rows, money_row
from kraken_futures.simulator.past.record import MarketRecord, Record, Row

_HOUR, _SECOND = timedelta(hours=1), timedelta(seconds=1)
_SETTLES = ("trade", "settlement")


def _nobody(account: str, number: int, row: LogRow) -> None:
    """Tell nobody of a row of a log."""


class Chronicle(Room):
    """All records of one simulated venue. What it notes of markets alone is not kept for long.

    Attributes:
        logged: Is told of every new row of an account's log, with its number.
        edited: The order that is being changed now; what it takes is a fill after an edit.
    """

    KEEPS: ClassVar = {"_records": dict[str, Record], "_after_edit": set[str]}

    def __init__(self, exchange: SimExchange, contracts: Contracts) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._records: dict[str, Record] = {}
        self._markets = {contract.symbol: MarketRecord() for contract in contracts}
        self._after_edit: set[str] = set()
        self._marks: dict[Symbol, Decimal] = {}
        self._looked: datetime | None = None
        self.logged: Callable[[str, int, LogRow], None] = _nobody
        self.edited = ""
        self._reduced: Decimal | None = None
        exchange.listen(self._hear)

    def of(self, account: str) -> Record:
        record = self._records.get(account)
        if record is None:
            record = self._begun(account)
            self._records[account] = record
        return record

    @contextmanager
    def reducing(self, reduced: Decimal | None) -> Iterator[None]:
        """Let the order that is placed or edited meanwhile say by how much it was made smaller."""
        self._reduced = reduced
        try:
            yield
        finally:
            self._reduced = None

    def market(self, symbol: Symbol) -> MarketRecord:
        return self._markets[symbol]

    def fill_kind(self, fill: SimFill) -> str:
        """Return the venue's word for a fill."""
        if fill.liquidation:
            return "liquidation"
        if fill.id in self._after_edit or (fill.order_id == self.edited and fill.liquidity is Liquidity.TAKER):
            return "takerAfterEdit"
        return str(fill.liquidity)

    def trade_kind(self, trade: SimTrade) -> str:
        closed = self._markets[trade.symbol].liquidations
        return "liquidation" if closed and trade.trade_id in closed else "fill"

    def look(self) -> None:
        """Note mark prices that changed, at most once a second."""
        now = self._exchange.now()
        if self._looked is not None and now - self._looked < _SECOND:
            return
        self._looked = now
        for contract in self._contracts:
            mark = contract.mark()
            if self._marks.get(contract.symbol) != mark:
                self._marks[contract.symbol] = mark
                self._markets[contract.symbol].prices.add(events.mark_price(contract, mark, now))

    def log(self, account: str, row: LogRow) -> None:
        self.logged(account, self.of(account).log.add(row), row)

    def wallet(self, asset: str) -> str:
        """Return the log's name of the wallet that holds *asset* for trading."""
        return f"f-{old_code(asset).lower()}:usd" if asset in self._contracts.inverse_coins else "flex"

    # ── what was before ──

    def _begun(self, account: str) -> Record:
        record = Record()
        for entry in self._exchange.ledger(account):
            for row in self._rows(entry, record):
                record.log.add(row)
        for fill in self._exchange.fills(account):
            record.executions.add(self._execution(fill, fill.price, Decimal(0)))
        known = [*reversed(self._exchange.closed_orders(account)), *self._exchange.open_orders(account)]
        for order in sorted(known, key=_created):
            contract = self._contracts.of(order.request.symbol)
            stream = record.triggers if words.waits(order) else record.orders
            stream.add(events.placed(contract, order))
            if order.status is OrderStatus.CANCELED:
                stream.add(events.cancelled(contract, order))
        record.held = {position.symbol: position for position in self._exchange.positions(account)}
        return record

    # ── what happens ──

    def _hear(self, event: SimEvent) -> None:
        match event:
            case OrderChanged():
                self._market_order(event)
                record = self._records.get(event.order.account)
                if record is not None:
                    self._order(record, event)
            case BalanceChanged(entry=entry):
                record = self._records.get(entry.account)
                if record is not None:
                    self._entry(record, entry)
            case PositionChanged(account=account, position=position):
                record = self._records.get(account)
                if record is not None:
                    self._position(record, account, position)

    def _market_order(self, event: OrderChanged) -> None:
        order, fill = event.order, event.fill
        market = self._markets[order.request.symbol]
        if fill is not None and fill.liquidation:
            market.liquidations.append(fill.trade_id)
        if words.waits(order):
            return
        kind = {
            OrderEvent.OPENED: "OrderPlaced",
            OrderEvent.AMENDED: "OrderUpdated",
            OrderEvent.CANCELED: "OrderCancelled",
        }.get(event.event)
        if kind is not None:
            market.orders.add((kind, order))

    def _order(self, record: Record, event: OrderChanged) -> None:
        order, fill = event.order, event.fill
        contract = self._contracts.of(order.request.symbol)
        stream = record.triggers if words.waits(order) else record.orders
        match event.event:
            case OrderEvent.OPENED:
                stream.add(events.placed(contract, self._now(order), reduced=self._reduced))
            case OrderEvent.TRIGGERED:
                record.triggers.add(events.activated(contract, order))
                record.orders.add(events.placed(contract, self._now(order), "limit_order_from_stop"))
            case OrderEvent.AMENDED:
                stream.add(events.updated(contract, order, self._reduced))
            case OrderEvent.RESTATED if words.waits(order):
                record.triggers.add(events.trailed(contract, order))
            case OrderEvent.CANCELED | OrderEvent.EXPIRED:
                stream.add(events.cancelled(contract, order))
            case OrderEvent.FILL if fill is not None:
                if fill.order_id == self.edited and fill.liquidity is Liquidity.TAKER:
                    self._after_edit.add(fill.id)
                record.filled = fill
                held = record.held.get(fill.symbol)
                size = (Decimal(0) if held is None else held.quantity) + fill.side.sign * fill.quantity
                record.executions.add(self._execution(fill, contract.mark(), size, order))

    def _now(self, order: SimOrder) -> SimOrder:
        """Return the order as the whole request left it: one that was filled at once says so where it was placed.

        A trigger stays one there, though it may have been set off by the same request.
        """
        found = self._exchange.order(order.account, order.id)
        return order if found is None or words.waits(order) else found.copy()

    def _execution(self, fill: SimFill, mark: Decimal, position: Decimal, order: SimOrder | None = None) -> Row:
        contract = self._contracts.of(fill.symbol)
        order = order or self._exchange.order(fill.account, fill.order_id)
        rate = round(fill.fee / fill.cost, 6) if fill.cost else Decimal(0)
        return events.execution(contract, fill, order, mark=mark, position=position, rate=rate)

    def _entry(self, record: Record, entry: SimLedgerEntry) -> None:
        if entry.symbol is not None and entry.kind in _SETTLES:
            record.booked = entry  # its row comes with that of the position
            return
        if entry.kind == "funding" and entry.symbol is not None:
            if record.filled is not None and record.filled.id == entry.reference:
                record.funded = entry  # is told with the trade
                return
            contract = self._contracts.of(entry.symbol)
            held = record.held.get(entry.symbol)
            record.positions.add(events.position_update(contract, entry, held, held))
            self.log(entry.account, self._with_funding(self._money(entry, contract, None), entry))
            return
        for row in self._rows(entry, record):
            self.log(entry.account, row)

    def _rows(self, entry: SimLedgerEntry, record: Record) -> Sequence[LogRow]:
        """Return the rows of an entry that is about no position; a conversion has both when its second entry comes."""
        if entry.kind != "conversion":
            return (self._money(entry, None, None),)
        sold, record.sold = record.sold, None
        if sold is None or sold.reference != entry.reference:
            record.sold = entry
            return ()
        spreads = {each.asset: each.spread for each in self._exchange.collateral_assets()}
        spread = spreads.get(sold.asset, spreads.get(entry.asset, Decimal(0)))
        return conversion_rows(sold, entry, self.wallet(entry.asset), spread)

    def _with_funding(self, row: LogRow, funded: SimLedgerEntry) -> LogRow:
        """Return the row with funding that was realised with it."""
        assert funded.symbol is not None
        rates = self._exchange.funding(funded.symbol)
        rate = next((each.absolute for each in rates if each.start < funded.time <= each.start + _HOUR), None)
        return attrs.evolve(
            row, old_balance=funded.balance - funded.amount, funding_rate=rate, realized_funding=funded.amount
        )

    def _position(self, record: Record, account: str, position: SimPosition) -> None:
        entry, fill, funded = record.booked, record.filled, record.funded
        before = record.held.pop(position.symbol, None)
        if position.quantity:
            record.held[position.symbol] = position
        if entry is None or entry.symbol != position.symbol:
            return
        record.booked = record.filled = record.funded = None
        if fill is not None and fill.id != entry.reference:
            fill = None
        contract = self._contracts.of(position.symbol)
        settled_at = self._exchange.settlement_price(position.symbol) if entry.kind == "settlement" else None
        realised = None if funded is None else funded.amount
        record.positions.add(events.position_update(contract, entry, before, position, fill, settled_at, realised))
        money = self._money(entry, contract, fill)
        if funded is not None:
            money = self._with_funding(money, funded)
        if settled_at is not None:
            money = attrs.evolve(money, trade_price=settled_at)
        self.log(account, _position_row(money, contract, before, position))
        self.log(account, money)

    def _money(self, entry: SimLedgerEntry, contract: Contract | None, fill: SimFill | None) -> LogRow:
        name, mark = (None, None) if contract is None else (contract.id, contract.mark())
        return money_row(entry, self.wallet(entry.asset), name, mark, fill)


def _position_row(money: LogRow, contract: Contract, before: SimPosition | None, after: SimPosition) -> LogRow:
    """Return the row of the position that a trade moved: its balances are sizes."""
    return attrs.evolve(
        money,
        asset=contract.id.lower(),
        old_balance=Decimal(0) if before is None else before.quantity,
        new_balance=after.quantity,
        old_average_entry_price=None if before is None else before.entry_price,
        new_average_entry_price=after.entry_price if after.quantity else None,
    )


def _created(order: SimOrder) -> datetime:
    return order.created
