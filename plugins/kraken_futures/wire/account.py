"""Answers about the account, its settings and its wallets, field by field, with no meaning added.

See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts and the pages beside it
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Raw, Struct, field


class Thresholds(Struct):
    im: Decimal | None = None
    mm: Decimal | None = None
    lt: Decimal | None = None
    tt: Decimal | None = None


class Auxiliary(Struct):
    usd: Decimal | None = None
    pv: Decimal | None = None
    pnl: Decimal | None = None
    af: Decimal | None = None
    funding: Decimal | None = None


class FlexCurrency(Struct, rename="camel"):
    quantity: Decimal
    value: Decimal | None = None
    collateral: Decimal | None = None
    collateral_value: Decimal | None = None  # the same; which name is current differs between samples
    available: Decimal | None = None


class Breakdown(Struct, rename="camel"):
    total_cross_asset_netted_market_risk: Decimal | None = None
    total_market_risk: Decimal | None = None
    total_scenario_pnls: list[Decimal] = field(name="totalScenarioPnls", default=[])
    total_absolute_option_position_delta_notional: Decimal | None = None
    net_portfolio_delta: Decimal | None = None
    total_premium: Decimal | None = None
    is_buy_only: bool | None = None
    futures_maintenance_margin: Decimal | None = None


class Flex(Struct, rename="camel"):
    initial_margin: Decimal | None = None
    initial_margin_with_orders: Decimal | None = None
    maintenance_margin: Decimal | None = None
    balance_value: Decimal | None = None
    portfolio_value: Decimal | None = None
    collateral_value: Decimal | None = None
    pnl: Decimal | None = None
    unrealized_funding: Decimal | None = None
    total_unrealized: Decimal | None = None
    total_unrealized_as_margin: Decimal | None = None
    margin_equity: Decimal | None = None
    available_margin: Decimal | None = None
    portfolio_margin_breakdown: Breakdown | None = None
    upnl_interest_rate: Decimal | None = None


class FlexAccount(Flex, rename="camel"):
    currencies: dict[str, FlexCurrency] = {}


class Account(Struct, rename="camel"):
    """A wallet of one asset, or of one contract; each type has its own fields of these."""

    type: str
    currency: str | None = None
    balances: dict[str, Decimal] = {}
    auxiliary: Auxiliary | None = None
    margin_requirements: Thresholds | None = None
    trigger_estimates: Thresholds | None = None


class AccountType(Struct):
    type: str


class Accounts(Struct):
    accounts: dict[str, Raw]


class Position(Struct, rename="camel"):
    symbol: str
    side: str
    size: Decimal
    price: Decimal
    unrealized_pnl: Decimal | None = None
    unrealized_funding: Decimal | None = None
    pnl_currency: str | None = None
    max_fixed_leverage: Decimal | None = None
    fill_time: datetime | None = None


class Positions(Struct, rename="camel"):
    open_positions: list[Raw]


class FillRow(Struct, rename="camel"):
    fill_id: str = field(name="fill_id")
    order_id: str = field(name="order_id")
    symbol: str
    side: str
    size: Decimal
    price: Decimal
    fill_time: datetime
    fill_type: str
    cli_ord_id: str | None = None


class FillRows(Struct):
    fills: list[Raw]


class QueueRow(Struct):
    symbol: str
    percentile: Decimal


class Queue(Struct):
    queue: list[Raw]


class Notice(Struct, rename="camel"):
    type: str
    priority: str
    note: str
    effective_time: datetime | None = None
    expected_downtime_minutes: int | None = None


class Notices(Struct):
    notifications: list[Raw]


class Leverage(Struct, rename="camel"):
    symbol: str
    max_leverage: Decimal


class Leverages(Struct, rename="camel"):
    leverage_preferences: list[Raw]


class PnlCurrency(Struct, rename="camel"):
    symbol: str
    pnl_currency: str


class PnlCurrencies(Struct):
    preferences: list[Raw]


class Strategy(Struct):
    strategy: str


class TradingEnabled(Struct, rename="camel"):
    trading_enabled: bool


class Permissions(Struct):
    general: str
    transfer: str


class KeyCheck(Struct, rename="camel"):
    api_key: str
    permissions: Permissions
    account_uid: str | None = None
    iiban: str | None = None
    created_at: datetime | None = None
    allowed_cidr_block: str | None = None
    allowed_cidr_blocks: list[str] | None = None


class Withdrawn(Struct):
    uid: str


class HoldingRow(Struct):
    currency: str
    amount: Decimal


class FuturesRow(Struct, rename="camel"):
    name: str
    available_margin: Decimal


class SubFlexCurrency(FlexCurrency, rename="camel"):
    currency: str | None = field(default=None, name="currency")


class SubFlex(Flex, rename="camel"):
    currencies: list[SubFlexCurrency] = []


class Subaccount(Struct, rename="camel"):
    account_uid: str
    email: str | None = None
    full_name: str | None = None
    holding_accounts: list[HoldingRow] = []
    futures_accounts: list[FuturesRow] = []
    flex_account: SubFlex | None = None


class Subaccounts(Struct, rename="camel"):
    master_account_uid: str
    subaccounts: list[Raw]


class Participant(Struct, rename="camel"):
    contract_type: str
    contract: str | None = None
    max_size: Decimal | None = None
    max_position: Decimal | None = None
    accept_long: bool = True
    accept_short: bool = True
    time_frame: str = "ALL"
    enabled: bool = True


class Participation(Struct):
    participant: Participant
    id: int
    timestamp: datetime | None = None
    deleted: bool | None = None


class Participations(Struct):
    participants: list[Raw]


class Simulation(Struct, rename="camel"):
    maintenance_margin: Decimal
    initial_margin: Decimal
    pnl: Decimal | None = None
    portfolio_margin_breakdown: Breakdown | None = None
    greeks: Raw = Raw(b"null")
