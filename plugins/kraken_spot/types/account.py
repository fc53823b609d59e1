"""What Kraken Spot tells of an account beyond the normalised model. Words that we do not know stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.parse.rows import Unreadable


class Permission(StrEnum):
    """What an API key may do."""

    QUERY_FUNDS = "query-funds"
    ADD_FUNDS = "add-funds"
    WITHDRAW_FUNDS = "withdraw-funds"
    EARN_FUNDS = "earn-funds"
    QUERY_OPEN_TRADES = "query-open-trades"
    QUERY_CLOSED_TRADES = "query-closed-trades"
    MODIFY_TRADES = "modify-trades"
    CLOSE_TRADES = "close-trades"
    QUERY_LEDGER = "query-ledger"
    EXPORT_DATA = "export-data"
    CREATE_WS_TOKEN = "create-ws-token"
    ADD_WITHDRAW_ADDRESS = "add-withdraw-address"
    UPDATE_WITHDRAW_ADDRESS = "update-withdraw-address"


class ReportKind(StrEnum):
    """What a report is about."""

    TRADES = "trades"
    LEDGERS = "ledgers"


class ReportFormat(StrEnum):
    """How a report is written."""

    CSV = "CSV"
    TSV = "TSV"


class ReportStatus(StrEnum):
    """How far a report is."""

    QUEUED = "Queued"
    PROCESSING = "Processing"
    PROCESSED = "Processed"


@attrs.frozen(kw_only=True)
class TradeBalance:
    """Collateral and margin, all in one asset.

    Attributes:
        equivalent: All balances together.
        trade_balance: All that counts as collateral.
        margin: Used by open positions.
        unrealised: Profit of open positions; below zero is a loss.
        cost: What open positions cost.
        valuation: What open positions are worth.
        equity: Trade balance and unrealised profit.
        free_margin: Equity without the initial margin.
        free_margin_for_orders: None where the venue does not say.
        margin_level: In percent; None without open positions.
        unexecuted: Value of open orders; None where the venue does not say.
    """

    asset: str
    equivalent: Decimal
    trade_balance: Decimal
    margin: Decimal
    unrealised: Decimal
    cost: Decimal
    valuation: Decimal
    equity: Decimal
    free_margin: Decimal
    free_margin_for_orders: Decimal | None
    margin_level: Decimal | None
    unexecuted: Decimal | None


@attrs.frozen(kw_only=True)
class OpenPosition:
    """A margin position, or with ``positions_by_market`` all of one market.

    Attributes:
        id: The venue's id; empty for those of a market.
        value, net: Worth and profit now, where they were asked for.
        terms: What it costs to hold, in the venue's words.
        rollover: When that is charged next.
        count: How many positions are in it.
    """

    id: str
    symbol: Symbol | str
    side: Side
    quantity: Decimal
    closed_quantity: Decimal
    cost: Decimal
    fee: Decimal
    margin: Decimal
    value: Decimal | None
    net: Decimal | None
    order_id: str | None
    order_type: str | None
    status: str | None
    opened: datetime | None
    terms: str | None
    rollover: datetime | None
    leverage: str | None
    count: int
    misc: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def open_quantity(self) -> Decimal:
        """What is still open."""
        return self.quantity - self.closed_quantity


@attrs.frozen(kw_only=True)
class FeeTier:
    """What is charged now and next, as fractions; None where it does not change or is not told.

    Attributes:
        tier_volume, next_volume: Volume of 30 days from which this tier, and the next one, holds.
    """

    rate: Decimal
    lowest: Decimal | None
    highest: Decimal | None
    next: Decimal | None
    tier_volume: Decimal | None
    next_volume: Decimal | None
    tier_futures_volume: Decimal | None
    next_futures_volume: Decimal | None
    volume_offset: Decimal | None


@attrs.frozen(kw_only=True)
class PairFees:
    """The fees of a pair. Without *maker* the pair has one rate for both."""

    symbol: Symbol | str
    taker: FeeTier
    maker: FeeTier | None


@attrs.frozen(kw_only=True)
class ScheduleTier:
    """One line of a fee schedule; fees as fractions."""

    maker: Decimal
    taker: Decimal
    spot_volume: Decimal | None
    futures_volume: Decimal | None
    assets_on_platform: Decimal | None
    active: bool | None


@attrs.frozen(kw_only=True)
class FeeSchedule:
    """All tiers of a pair, or of a class of pairs."""

    symbol: Symbol | str | None
    pair_class: str | None
    tiers: tuple[ScheduleTier, ...]


@attrs.frozen(kw_only=True)
class TradeVolume:
    """The volume of 30 days and the fees that follow from it.

    Attributes:
        asset: What *volume* is in.
        inputs: What else the tier depends on, under the venue's names.
        subaccounts: Of a master account, each under the venue's names.
    """

    asset: str
    volume: Decimal
    fees: tuple[PairFees, ...]
    inputs: Mapping[str, Decimal]
    subaccounts: tuple[Mapping[str, str], ...]
    schedules: tuple[FeeSchedule, ...]
    unreadable: tuple[Unreadable, ...]

    def of(self, symbol: Symbol | str) -> PairFees | None:
        """Return the fees of one pair."""
        ours = Symbol.of(symbol)
        return next((fees for fees in self.fees if fees.symbol == ours), None)


@attrs.frozen(kw_only=True)
class CreditLines:
    """What may be borrowed, by asset and in all, under the venue's names."""

    assets: Mapping[str, Mapping[str, Decimal]]
    totals: Mapping[str, Decimal]


@attrs.frozen(kw_only=True)
class ApiKeyInfo:
    """What the key that asks is and may do. None among the times is "no limit" or "never".

    Attributes:
        nonce: The last one that was accepted.
        nonce_window: How far a nonce may lie back, in the unit of the nonce.
    """

    name: str
    api_key: str = attrs.field(repr=False)
    nonce: int | None
    nonce_window: int
    permissions: frozenset[Permission | str]
    iban: str | None = attrs.field(repr=False)
    valid_until: datetime | None
    query_from: datetime | None
    query_to: datetime | None
    created: datetime | None
    modified: datetime | None
    last_used: datetime | None
    ip_allowlist: tuple[str, ...]

    @property
    def can_withdraw(self) -> bool:
        """Whether whoever has this key can take money out. A trading program's key should not."""
        return Permission.WITHDRAW_FUNDS in self.permissions


@attrs.frozen(kw_only=True)
class Report:
    """A report that was asked for.

    Attributes:
        started, completed: When the venue worked on it.
        data_start, data_end: What it is about.
    """

    id: str
    status: ReportStatus | str
    kind: ReportKind | str
    format: ReportFormat | str
    description: str
    subtype: str
    fields: tuple[str, ...]
    asset: str
    created: datetime | None
    started: datetime | None
    completed: datetime | None
    expires: datetime | None
    data_start: datetime | None
    data_end: datetime | None
