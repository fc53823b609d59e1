"""Orders, trades and ledger entries with all that Kraken Spot records of them.

Words that we do not know stay as they are, and so do the names of pairs that no list had.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.orders.prices import Price


class SpotOrderType(StrEnum):
    """How an order finds its price."""

    MARKET = "market"
    LIMIT = "limit"
    ICEBERG = "iceberg"
    STOP_LOSS = "stop-loss"
    TAKE_PROFIT = "take-profit"
    STOP_LOSS_LIMIT = "stop-loss-limit"
    TAKE_PROFIT_LIMIT = "take-profit-limit"
    TRAILING_STOP = "trailing-stop"
    TRAILING_STOP_LIMIT = "trailing-stop-limit"
    SETTLE_POSITION = "settle-position"

    # Enum has a slow one of its own, and these are keys of tables.
    __hash__ = str.__hash__


class RecordStatus(StrEnum):
    """Where an order stands, in the venue's words. A partial fill is no status of its own here."""

    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class LedgerType(StrEnum):
    """Why a balance changed."""

    NONE = "none"
    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    MARGIN = "margin"
    ADJUSTMENT = "adjustment"
    ROLLOVER = "rollover"
    SPEND = "spend"
    RECEIVE = "receive"
    SETTLED = "settled"
    CREDIT = "credit"
    STAKING = "staking"
    REWARD = "reward"
    DIVIDEND = "dividend"
    SALE = "sale"
    CONVERSION = "conversion"
    NFT_TRADE = "nfttrade"
    NFT_CREATOR_FEE = "nftcreatorfee"
    NFT_REBATE = "nftrebate"
    CUSTODY_TRANSFER = "custodytransfer"


class LedgerFilter(StrEnum):
    """Kinds that ledger entries can be asked for by; the venue writes some otherwise than in the entries."""

    ALL = "all"
    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    MARGIN = "margin"
    ADJUSTMENT = "adjustment"
    ROLLOVER = "rollover"
    CREDIT = "credit"
    SETTLED = "settled"
    STAKING = "staking"
    DIVIDEND = "dividend"
    SALE = "sale"
    NFT_REBATE = "nft_rebate"


class TradeFilter(StrEnum):
    """Kinds that trades can be asked for by."""

    ALL = "all"
    ANY_POSITION = "any position"
    CLOSED_POSITION = "closed position"
    CLOSING_POSITION = "closing position"
    NO_POSITION = "no position"


class CloseTime(StrEnum):
    """Which time of an order a range is about."""

    OPEN = "open"
    CLOSE = "close"
    BOTH = "both"


class AmendType(StrEnum):
    """What made an entry in an order's history."""

    ORIGINAL = "original"
    USER = "user"
    RESTATED = "restated"


@attrs.frozen(kw_only=True)
class OrderRecord:
    """An order as the venue records it.

    Attributes:
        quantity: In base units; in the quote asset where *flags* has ``viqc``.
        price, price2: As ordered. For *type* with a trigger, *price* is the trigger and *price2* the limit.
        average_price: Of the fills; None without any.
        cost, fee: In the quote asset unless *flags* says otherwise.
        stop_price, limit_price: The trigger as it stands, and the limit once it was triggered.
        leverage: None without.
        flags: ``post``, ``fcib``, ``fciq``, ``nompp``, ``viqc``.
        misc: ``stopped``, ``touched``, ``liquidated``, ``partial``, ``amended``.
        parent: The order whose conditional close this is.
        trades: Ids, where they were asked for.
        description, close_description: The venue's own text.
    """

    id: str
    symbol: Symbol | str
    side: Side
    type: SpotOrderType | str
    status: RecordStatus | str
    quantity: Decimal
    filled: Decimal
    price: Price | None
    price2: Price | None
    average_price: Decimal | None
    cost: Decimal
    fee: Decimal
    stop_price: Decimal | None
    limit_price: Decimal | None
    trigger: str
    leverage: str | None
    margin: bool | None
    flags: tuple[str, ...]
    misc: tuple[str, ...]
    time_in_force: str | None
    opened: datetime | None
    starts: datetime | None
    expires: datetime | None
    closed: datetime | None
    reason: str | None
    userref: int | None
    client_order_id: str | None
    parent: str | None
    link_id: str | None
    sender_sub_id: str | None
    trades: tuple[str, ...]
    description: str
    close_description: str

    @property
    def quantity_in_quote(self) -> bool:
        """Whether *quantity* counts the quote asset."""
        return "viqc" in self.flags


@attrs.frozen(kw_only=True)
class ClosedPart:
    """How much of a position that a trade opened is closed again."""

    price: Decimal | None
    cost: Decimal | None
    fee: Decimal | None
    quantity: Decimal | None
    margin: Decimal | None
    net: Decimal | None
    trades: tuple[str, ...]


@attrs.frozen(kw_only=True)
class TradeRecord:
    """One of our own executions as the venue records it.

    Attributes:
        order_type: In words that differ from those of orders, such as ``stop limit``.
        fee: In which asset, only the ledger says for sure.
        trade_id: The number of the same trade in public.
        position_status, closed: Only of trades that opened a position.
        ledgers: Ids, where they were asked for.
    """

    id: str
    order_id: str | None
    position_id: str | None
    symbol: Symbol | str
    time: datetime
    side: Side
    order_type: str
    price: Decimal
    cost: Decimal
    fee: Decimal
    quantity: Decimal
    margin: Decimal
    leverage: str | None
    misc: tuple[str, ...]
    ledgers: tuple[str, ...]
    trade_id: int | None
    maker: bool | None
    position_status: str | None
    closed: ClosedPart | None


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One change of one balance.

    Attributes:
        reference: What caused it: a trade's id, a deposit's, ...
        wallet: ``spot``, or what the suffix of the asset's name says.
        amount: Above zero is more, below zero is less; the fee comes on top.
        balance: What was there afterwards.
    """

    id: str
    reference: str
    time: datetime
    type: LedgerType | str
    subtype: str
    asset_class: str
    asset: str
    wallet: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


@attrs.frozen(kw_only=True)
class Amend:
    """One state of an order's terms; the first is the original."""

    id: str
    type: AmendType | str
    time: datetime
    quantity: Decimal | None
    display_quantity: Decimal | None
    remaining: Decimal | None
    limit_price: Decimal | None
    trigger_price: Decimal | None
    post_only: bool | None
    reason: str | None
