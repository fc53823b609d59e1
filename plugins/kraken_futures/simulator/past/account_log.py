"""Rows of the account log: what was booked, of money and of positions.

A trade books two rows with the same execution: of the position, whose balances are sizes, and of the money.
See https://docs.kraken.com/api/docs/futures-api/history/account-log and futures-api/websocket/account_log
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
from msgspec import Raw

from exchange_core.connector.simulation import SimFill, SimLedgerEntry
from kraken_futures.simulator.codec import iso, real
from kraken_futures.simulator.markets.contracts import old_code

Shown = dict[str, Any]

_ZERO = Decimal(0)

KINDS = {
    "trade": "futures trade",
    "funding": "funding rate change",
    "settlement": "settlement",
    "deposit": "cross-exchange transfer",
    "withdrawal": "cross-exchange transfer",
    "transfer": "transfer",
    "subaccount transfer": "subaccount transfer",
    "conversion": "conversion",
    # The house pays what a bankrupt account owes; the venue's word for such a row is not known.
    "insurance": "admin transfer",
}
"""What the exchange's ledger says, in the venue's words."""

WORDS = frozenset(
    {
        *KINDS.values(),
        "futures liquidation",
        "futures assignor",
        "futures assignee",
        "futures unwind counterparty",
        "futures unwind bankrupt",
        "covered liquidation",
        "interest payment",
        "kfee applied",
        "tax withheld",
        "tax refund",
    }
)


@attrs.frozen(kw_only=True)
class LogRow:
    """One row; its id is its place in the account's log, from 1."""

    time: datetime
    asset: str
    info: str
    booking_uid: str
    margin_account: str
    collateral: str
    old_balance: Decimal
    new_balance: Decimal
    contract: str | None = None
    execution: str | None = None
    old_average_entry_price: Decimal | None = None
    new_average_entry_price: Decimal | None = None
    trade_price: Decimal | None = None
    mark_price: Decimal | None = None
    realized_pnl: Decimal | None = None
    fee: Decimal | None = None
    funding_rate: Decimal | None = None
    realized_funding: Decimal | None = None
    conversion_spread_percentage: Decimal | None = None
    liquidation_fee: Decimal | None = None
    exchange_rate: Decimal | None = None
    exchange_rate_from: str | None = None
    conversion_fee: Decimal | None = None


_NUMBERS = (
    "old_balance",
    "new_balance",
    "old_average_entry_price",
    "new_average_entry_price",
    "trade_price",
    "mark_price",
    "realized_pnl",
    "fee",
)
_LAST_NUMBERS = ("funding_rate", "realized_funding", "conversion_spread_percentage", "liquidation_fee")


def money_row(
    entry: SimLedgerEntry, margin_account: str, contract: str | None, mark: Decimal | None, fill: SimFill | None
) -> LogRow:
    """Return the row of a ledger entry. Of a trade *fill* is its execution."""
    code = old_code(entry.asset).lower()
    is_trade = entry.kind == "trade"
    liquidated = fill is not None and fill.liquidation
    return LogRow(
        time=entry.time,
        asset=code,
        info="futures liquidation" if liquidated else KINDS.get(entry.kind, entry.kind),
        booking_uid=entry.id,
        margin_account=margin_account,
        collateral=code,
        contract=None if contract is None else contract.lower(),
        old_balance=entry.balance - entry.amount + entry.fee,
        new_balance=entry.balance,
        execution=entry.reference if is_trade else None,
        trade_price=None if fill is None else fill.price,
        mark_price=mark,
        realized_pnl=entry.amount if is_trade or entry.kind == "settlement" else None,
        fee=entry.fee if is_trade else None,
        liquidation_fee=_ZERO if liquidated else None,
    )


def conversion_rows(
    sold: SimLedgerEntry, bought: SimLedgerEntry, wallet: str, spread: Decimal
) -> tuple[LogRow, LogRow]:
    """Return the rows of a conversion: of what went and of what came.

    Open point: where the venue tells the cost, and which way its rate goes. Here both rows tell the percentage and how
    much of what came there was for one of what went, and the cost stands with what came.

    Args:
        spread: What it cost, as a fraction of what came.
    """
    found = [
        attrs.evolve(
            money_row(entry, wallet, None, None, None),
            conversion_spread_percentage=spread * 100,
            exchange_rate=round(bought.amount / -sold.amount, 10),
            exchange_rate_from=old_code(sold.asset).lower(),
            conversion_fee=entry.fee,
        )
        for entry in (sold, bought)
    ]
    return found[0], found[1]


def for_rest(number: int, row: LogRow, *, conversions: bool = False) -> Shown:
    """Return the row as the history service has it."""
    shown = _shown(number, row, lambda value: None if value is None else real(value), None)
    shown["contract"] = row.contract
    if conversions:
        rate, fee = (None if value is None else real(value) for value in (row.exchange_rate, row.conversion_fee))
        shown |= {"exchange_rate": rate, "exchange_rate_from": row.exchange_rate_from, "conversion_fee": fee}
    return shown


def for_feed(number: int, row: LogRow) -> Shown:
    """Return the row as the feed has it: with 0 and empty text where there is nothing."""
    return _shown(number, row, lambda value: real(value or _ZERO), "")


def _shown(number: int, row: LogRow, amount: Any, nothing: str | None) -> Shown:
    return {
        "id": number,
        "date": iso(row.time),
        "asset": row.asset,
        "info": row.info,
        "booking_uid": row.booking_uid,
        "margin_account": row.margin_account,
        **{name: amount(getattr(row, name)) for name in _NUMBERS},
        "execution": row.execution or nothing,
        "collateral": row.collateral,
        **{name: amount(getattr(row, name)) for name in _LAST_NUMBERS},
    }


def as_csv(rows: Iterable[Shown]) -> bytes:
    """Return rows as CSV. The venue's own headings are not known; these are the names of the fields."""
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        plain = {name: _text(value) for name, value in row.items()}
        if writer is None:
            writer = csv.DictWriter(text, list(plain), lineterminator="\n")
            writer.writeheader()
        writer.writerow(plain)
    return text.getvalue().encode()


def _text(value: object) -> str:
    if value is None:
        return ""
    return bytes(value).decode() if isinstance(value, Raw) else str(value)
