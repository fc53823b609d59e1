"""What rows of the account log, and the venue's notices, mean in the words of the model.

A trade books two rows: one of the position, whose ``asset`` is the contract and whose balances are sizes, and one of
the cash. Only the second changes a balance.
See https://docs.kraken.com/api/docs/futures-api/websocket/account_log and the page on notifications beside it
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchange_core.connector.naming import SymbolMap
from exchange_core.model.event import Notice
from exchange_core.model.ledger import LedgerEntry, LedgerKind
from exchange_core.model.number import EXACT
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis
from kraken_futures.parse import history as parse_history
from kraken_futures.types.history import LogEntry
from kraken_futures.wire import feed as wire
from kraken_futures.wire.history import LogRow

_KINDS = {
    "futures trade": LedgerKind.TRADE,
    "futures liquidation": LedgerKind.LIQUIDATION,
    "covered liquidation": LedgerKind.LIQUIDATION,
    "futures assignor": LedgerKind.LIQUIDATION,
    "futures assignee": LedgerKind.TRADE,
    "futures unwind counterparty": LedgerKind.TRADE,
    "futures unwind bankrupt": LedgerKind.LIQUIDATION,
    "funding rate change": LedgerKind.FUNDING,
    "conversion": LedgerKind.CONVERSION,
    "interest payment": LedgerKind.INTEREST,
    "transfer": LedgerKind.TRANSFER,
    "cross-exchange transfer": LedgerKind.TRANSFER,
    "subaccount transfer": LedgerKind.TRANSFER,
    "settlement": LedgerKind.SETTLEMENT,
    "admin transfer": LedgerKind.ADJUSTMENT,
    "kfee applied": LedgerKind.FEE,
}


def row(raw: LogRow, symbols: SymbolMap) -> LogEntry:
    """Read a row of the feed; it says 0 and "" where REST says null."""
    return parse_history.log_entry(raw, symbols)


def ledger_entry(row: LogEntry, raw: LogRow, venue: str) -> LedgerEntry | None:
    """Return a row as a change of a balance; None for rows of positions, and for those that do not say how much."""
    if "_" in raw.asset or row.old_balance is None or row.new_balance is None:
        return None
    fee = row.fee or Decimal(0)
    about = row.contract if isinstance(row.contract, Symbol) else None
    return LedgerEntry(
        id=str(row.id),
        time=row.date,
        asset=str(row.asset),
        amount=EXACT.add(EXACT.subtract(row.new_balance, row.old_balance), fee),
        fee=fee,
        balance=row.new_balance,
        kind=_KINDS.get(raw.info.lower(), LedgerKind.OTHER),
        venue_kind=raw.info,
        reference=row.execution or row.booking_uid,
        wallet=wallet(row.margin_account or ""),
        symbol=about,
        venue=venue,
    )


def wallet(account: str) -> str:
    """Return the wallet that the log calls ``f-xbt:usd``: elsewhere its name is ``fi_xbtusd``."""
    name = account.lower()
    return f"fi_{name[2:].replace(':', '')}" if name.startswith("f-") else name


def notice(raw: wire.NoticeRow, venue: str) -> Notice:
    minutes = raw.expected_downtime_minutes
    return Notice(
        text=raw.note,
        id=None if raw.id is None else str(raw.id),
        kind=raw.type,
        priority=raw.priority,
        effective=None if raw.effective_time is None else from_millis(raw.effective_time),
        downtime=None if minutes is None else timedelta(minutes=minutes),
        venue=venue,
    )
