"""What Kraken Futures says of the account beyond the normalised model.

Assets have our codes; words that we do not know stay as they are, and so do the names of contracts that no instrument
list had.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.pages import Rows


class FillKind(StrEnum):
    """Which part an order of ours had in a fill."""

    MAKER = "maker"
    TAKER = "taker"
    TAKER_AFTER_EDIT = "takerAfterEdit"
    LIQUIDATION = "liquidation"
    PARTIAL_LIQUIDATION = "partialLiquidation"
    ASSIGNOR = "assignor"
    ASSIGNEE = "assignee"
    UNWIND_BANKRUPT = "unwindBankrupt"
    UNWIND_COUNTERPARTY = "unwindCounterparty"


class NoticeKind(StrEnum):
    """What a notice is about."""

    MARKET = "market"
    GENERAL = "general"
    NEW_FEATURE = "new_feature"
    BUG_FIX = "bug_fix"
    MAINTENANCE = "maintenance"
    SETTLEMENT = "settlement"


class Priority(StrEnum):
    """How much a notice matters; maintenance of high priority is downtime."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class SelfTradeStrategy(StrEnum):
    """What happens when an order would trade with one of the same owner."""

    REJECT_TAKER = "REJECT_TAKER"
    CANCEL_MAKER_SELF = "CANCEL_MAKER_SELF"
    CANCEL_MAKER_CHILD = "CANCEL_MAKER_CHILD"
    CANCEL_MAKER_ANY = "CANCEL_MAKER_ANY"


class Access(StrEnum):
    """How much a key may do."""

    NONE = "NO_ACCESS"
    READ = "READ_ONLY"
    FULL = "FULL_ACCESS"


@attrs.frozen(kw_only=True)
class CashWallet:
    """What is held and backs no position."""

    name: str
    balances: Mapping[str, Decimal]


@attrs.frozen(kw_only=True)
class Thresholds:
    """Figures at which something happens: amounts of margin, or estimated prices."""

    initial_margin: Decimal | None
    maintenance_margin: Decimal | None
    liquidation: Decimal | None
    termination: Decimal | None


@attrs.frozen(kw_only=True)
class MarginWallet:
    """The wallet of inverse contracts on one coin. Figures are in *asset*.

    Attributes:
        positions: Signed sizes by contract.
        usd: Its value in dollars.
        portfolio_value: With unrealised profit.
        requirements: Amounts; *estimates* are prices at which each would be reached.
    """

    name: str
    asset: str | None
    balances: Mapping[str, Decimal]
    positions: Mapping[Symbol | str, Decimal]
    usd: Decimal | None
    portfolio_value: Decimal | None
    profit: Decimal | None
    available: Decimal | None
    unrealized_funding: Decimal | None
    requirements: Thresholds | None
    estimates: Thresholds | None


@attrs.frozen(kw_only=True)
class FlexAsset:
    """One asset of the multi-collateral wallet.

    Attributes:
        quantity, available: In the asset.
        value, collateral: In dollars; collateral is what counts of the value.
    """

    asset: str
    quantity: Decimal
    value: Decimal | None
    collateral: Decimal | None
    available: Decimal | None


@attrs.frozen(kw_only=True)
class MarginBreakdown:
    """Of what portfolio margin is made up."""

    total_cross_asset_netted_market_risk: Decimal | None
    total_market_risk: Decimal | None
    total_scenario_pnls: tuple[Decimal, ...]
    total_absolute_option_position_delta_notional: Decimal | None
    net_portfolio_delta: Decimal | None
    total_premium: Decimal | None
    is_buy_only: bool | None
    futures_maintenance_margin: Decimal | None


@attrs.frozen(kw_only=True)
class FlexWallet:
    """The multi-collateral wallet of linear contracts. Sums are in dollars.

    Attributes:
        initial_margin: Of positions; *initial_margin_with_orders* has the open orders too.
        balance_value: Of the assets, before what is taken off for collateral.
        total_unrealized_as_margin: After that, and after the fee of conversion.
        margin_equity: What may be lost or used; *available_margin* is what is left of it.
    """

    name: str
    assets: tuple[FlexAsset, ...]
    initial_margin: Decimal | None
    initial_margin_with_orders: Decimal | None
    maintenance_margin: Decimal | None
    balance_value: Decimal | None
    portfolio_value: Decimal | None
    collateral_value: Decimal | None
    pnl: Decimal | None
    unrealized_funding: Decimal | None
    total_unrealized: Decimal | None
    total_unrealized_as_margin: Decimal | None
    margin_equity: Decimal | None
    available_margin: Decimal | None
    portfolio_margin_breakdown: MarginBreakdown | None
    upnl_interest_rate: Decimal | None


@attrs.frozen(kw_only=True)
class OtherWallet:
    """A wallet of a type that we do not know, as it came."""

    name: str
    type: str
    raw: Mapping[str, Any] = attrs.field(repr=False)


Wallet = CashWallet | MarginWallet | FlexWallet | OtherWallet


@attrs.frozen(kw_only=True)
class OpenPosition:
    """A position with the venue's own figures.

    Attributes:
        quantity: Below zero is short.
        unrealized_pnl: For inverse contracts its unit is not settled; the normalised position works its own out.
        pnl_asset: What profit is paid in; None for inverse contracts.
        max_fixed_leverage: The margin is isolated, with this at most; None is cross.
    """

    symbol: Symbol | str
    quantity: Decimal
    entry_price: Decimal
    unrealized_pnl: Decimal | None
    unrealized_funding: Decimal | None
    pnl_asset: str | None
    max_fixed_leverage: Decimal | None
    fill_time: datetime | None


@attrs.frozen(kw_only=True)
class FuturesFill:
    """A fill of ours with the part we had in it. It has no fee here: the fills feed and the history tell it."""

    id: str
    order_id: str
    client_order_id: str | None
    symbol: Symbol | str
    side: Side | str | None
    price: Decimal
    quantity: Decimal
    time: datetime
    kind: FillKind | str


@attrs.frozen(kw_only=True)
class UnwindRank:
    """Where a position stands among those that would be unwound: 20, 40, 80 or 100, the highest first."""

    symbol: Symbol | str
    percentile: Decimal


@attrs.frozen(kw_only=True)
class Notice:
    """A notice of the platform."""

    type: NoticeKind | str
    priority: Priority | str
    note: str
    effective_time: datetime | None
    expected_downtime_minutes: int | None


@attrs.frozen(kw_only=True)
class KeyInfo:
    """What our key is and may do. The key itself is not shown."""

    account_uid: str | None
    iiban: str | None
    created_at: datetime | None
    general: Access | str
    withdrawal: Access | str
    networks: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Subaccount:
    """An account below ours.

    Attributes:
        margins: Available margin by wallet.
    """

    uid: str
    email: str | None
    full_name: str | None
    holdings: Mapping[str, Decimal]
    margins: Mapping[str, Decimal]
    flex: FlexWallet | None


@attrs.frozen(kw_only=True)
class Subaccounts:
    """All accounts below ours, with those beside them that do not read."""

    master_uid: str
    accounts: Rows[Subaccount]


@attrs.frozen(kw_only=True)
class Assignment:
    """A readiness to take over positions of those who are liquidated.

    Attributes:
        contract: None is all of the type.
        time_frame: ``WEEKDAYS``, ``WEEKEND`` or ``ALL``.
    """

    id: int
    contract_type: str
    contract: Symbol | str | None
    max_size: Decimal | None
    max_position: Decimal | None
    accept_long: bool
    accept_short: bool
    time_frame: str
    enabled: bool
    time: datetime | None
    deleted: bool | None


@attrs.frozen(kw_only=True)
class MarginSimulation:
    """What a portfolio would need."""

    maintenance_margin: Decimal
    initial_margin: Decimal
    pnl: Decimal | None
    portfolio_margin_breakdown: MarginBreakdown | None
    greeks: Any
