"""Entries of the ledger in the model's words, as REST lists them and as the feed tells them.

See https://docs.kraken.com/api-reference/account-data/get-ledgers-info and
https://docs.kraken.com/api/docs/websocket-v2/balances
"""

from __future__ import annotations

from decimal import Decimal

from exchange_core.connector.naming import AssetMap
from exchange_core.errors import ProtocolError
from exchange_core.model.ledger import LedgerEntry, LedgerKind
from exchange_core.model.time import from_rfc3339
from kraken_spot.parse.common import number
from kraken_spot.parse.rows import word
from kraken_spot.types.history import LedgerEntry as SpotEntry
from kraken_spot.types.history import LedgerType
from kraken_spot.wire import feed as wire_feed

KINDS: dict[str, LedgerKind] = {
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
    "creator_fee": LedgerKind.FEE,  # as the feed writes it
}


def told(raw: wire_feed.BalanceData, assets: AssetMap) -> SpotEntry:
    """Read what the feed tells of an entry; its *balance* is that of the asset over all wallets.

    Raises:
        ProtocolError: When it lacks what makes an entry.
    """
    if raw.ledger_id is None or raw.amount is None or raw.timestamp is None:
        raise ProtocolError(f"entry {raw.ledger_id} of the ledger: without id, amount or time")
    return SpotEntry(
        id=raw.ledger_id,
        reference=raw.ref_id or "",
        time=from_rfc3339(raw.timestamp),
        type=word(LedgerType, raw.type),
        subtype=raw.subtype or "",
        asset_class=raw.asset_class,
        asset=assets.code(raw.asset),
        wallet=raw.wallet_type or "spot",
        amount=number(raw.amount, "amount"),
        fee=number(raw.fee, "fee"),
        balance=number(raw.balance, "balance"),
    )


def entry(record: SpotEntry, balance: Decimal | None, venue: str) -> LedgerEntry:
    """Return *record* in the model's words.

    Args:
        balance: Of the asset in the wallet, afterwards.
    """
    return LedgerEntry(
        id=record.id,
        time=record.time,
        asset=record.asset,
        amount=record.amount,
        fee=record.fee,
        balance=balance,
        kind=KINDS.get(record.type, LedgerKind.OTHER),
        venue_kind=f"{record.type}/{record.subtype}" if record.subtype else str(record.type),
        reference=record.reference or None,
        wallet=record.wallet,
        venue=venue,
    )
