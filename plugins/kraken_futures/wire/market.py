"""Market data beyond the normalised calls, field by field, with no meaning added.

See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments and the pages beside it
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Raw, Struct


class MarginLevel(Struct, rename="camel"):
    initial_margin: Decimal
    maintenance_margin: Decimal
    contracts: Decimal | None = None
    num_non_contract_units: Decimal | None = None


class Contract(Struct, rename="camel"):
    symbol: str
    type: str
    tick_size: Decimal
    contract_size: Decimal = Decimal(1)
    tradeable: bool = True
    contract_value_trade_precision: int | None = None
    pair: str | None = None
    base: str | None = None
    quote: str | None = None
    underlying: str | None = None
    underlying_future: str | None = None
    impact_mid_size: Decimal | None = None
    max_position_size: Decimal | None = None
    minimum_trade_size: Decimal | None = None
    opening_date: datetime | None = None
    last_trading_time: datetime | None = None
    is_expired: bool = False
    post_only: bool = False
    margin_levels: list[MarginLevel] = []
    retail_margin_levels: list[MarginLevel] = []
    margin_schedules: dict[str, dict[str, list[MarginLevel]]] = {}
    funding_rate_coefficient: Decimal | None = None
    max_relative_funding_rate: Decimal | None = None
    maker_protection_millis: int | None = None
    fee_schedule_uid: str | None = None
    category: str | None = None
    tags: list[str] = []
    isin: str | None = None
    tradfi: bool = False
    mtf: bool = False


class Contracts(Struct):
    instruments: list[Raw]


class Status(Struct, rename="camel"):
    tradeable: str
    experiencing_dislocation: bool
    price_dislocation_direction: str | None = None
    experiencing_extreme_volatility: bool = False
    extreme_volatility_initial_margin_multiplier: int = 1


class Statuses(Struct, rename="camel"):
    instrument_status: list[Raw]


class Greeks(Struct):
    iv: Decimal | None = None
    delta: Decimal | None = None
    gamma: Decimal | None = None
    vega: Decimal | None = None
    theta: Decimal | None = None
    rho: Decimal | None = None


class TickerRow(Struct, rename="camel"):
    symbol: str
    tag: str | None = None
    pair: str | None = None
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    last_size: Decimal | None = None
    last_time: datetime | None = None
    open24h: Decimal | None = None
    high24h: Decimal | None = None
    low24h: Decimal | None = None
    vol24h: Decimal | None = None
    volume_quote: Decimal | None = None
    open_interest: Decimal | None = None
    change24h: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_rate_prediction: Decimal | None = None
    suspended: bool = False
    post_only: bool = False
    is_underlying_market_closed: bool | None = None
    extrinsic_value: Decimal | None = None
    greeks: Greeks | None = None


class TickerRows(Struct):
    tickers: list[Raw]


class OneTicker(Struct):
    ticker: TickerRow


class TradeRow(Struct):
    time: datetime
    price: Decimal
    size: Decimal
    side: str
    uid: str
    type: str = "fill"


class TradeRows(Struct):
    history: list[Raw]


class FundingRow(Struct, rename="camel"):
    timestamp: datetime
    funding_rate: Decimal
    relative_funding_rate: Decimal


class FundingRows(Struct):
    rates: list[Raw]


class FeeTier(Struct, rename="camel"):
    maker_fee: Decimal
    taker_fee: Decimal
    usd_volume: Decimal


class FeeSchedule(Struct):
    uid: str
    name: str
    tiers: list[FeeTier]


class FeeSchedules(Struct, rename="camel"):
    fee_schedules: list[Raw]


class FeeVolumes(Struct, rename="camel"):
    volumes_by_fee_schedule: dict[str, Decimal]
