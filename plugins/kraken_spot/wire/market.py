"""Market data beyond the normalised calls, field by field, with no meaning added.

See https://docs.kraken.com/api-reference/market-data/
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from kraken_spot.wire import common as wire


class Time(msgspec.Struct):
    unixtime: int


class AssetDetails(msgspec.Struct):
    altname: str
    decimals: int
    aclass: str = "currency"
    status: str = "enabled"
    display_decimals: int | None = None
    collateral_value: Decimal | None = None
    margin_rate: Decimal | None = None


class PairDetails(msgspec.Struct):
    """All of it may be missing: a part can be asked for."""

    altname: str | None = None
    base: str | None = None
    quote: str | None = None
    aclass_base: str | None = None
    status: str | None = None
    execution_venue: str | None = None
    pair_decimals: int | None = None
    lot_decimals: int | None = None
    cost_decimals: int | None = None
    ordermin: Decimal | None = None
    costmin: Decimal | None = None
    tick_size: Decimal | None = None
    leverage_buy: list[int] = []
    leverage_sell: list[int] = []
    margin_call: int | None = None
    margin_stop: int | None = None
    margin_level: int | None = None  # what margin_stop is called where margin alone is asked for
    long_position_limit: Decimal | None = None
    short_position_limit: Decimal | None = None
    fees: list[tuple[Decimal, Decimal]] = []
    fees_maker: list[tuple[Decimal, Decimal]] = []
    fee_volume_currency: str | None = None


class TickerDetails(wire.Ticker):
    t: list[int]
    o: Decimal


class Maintenance(msgspec.Struct):
    event_id: int
    title: str = ""
    expected_start_utc: str | None = None
    expected_end_utc: str | None = None
    cancel_before_utc: str | None = None
    time_to_start_s: int | None = None
    phase: str = "unspecified"
    affected_services: list[str] = []
    order_submission: str | None = None
    recommended_action: str = "unspecified"
    source_url: str | None = None


class SystemStatus(msgspec.Struct):
    status: str
    timestamp: str
    upcoming_maintenance: list[msgspec.Raw] | None = None
    emergency: list[msgspec.Raw] | None = None


class Schedule(msgspec.Struct):
    events: list[msgspec.Raw] = []


class SpreadRow(msgspec.Struct, array_like=True):
    time: int
    bid: Decimal
    ask: Decimal


class GroupedLevel(msgspec.Struct):
    price: Decimal
    qty: Decimal


class GroupedBook(msgspec.Struct):
    pair: str
    grouping: int
    bids: list[GroupedLevel]
    asks: list[GroupedLevel]


class Level3Order(msgspec.Struct):
    price: Decimal
    qty: Decimal
    order_id: str
    timestamp: int  # nanoseconds


class Level3(msgspec.Struct):
    bids: list[Level3Order]
    asks: list[Level3Order]


class PreTradeLevel(msgspec.Struct):
    price: Decimal
    qty: Decimal
    count: int
    publication_ts: str


class PreTrade(msgspec.Struct):
    venue: str
    system: str
    bids: list[PreTradeLevel]
    asks: list[PreTradeLevel]


class PostTradeRow(msgspec.Struct):
    trade_id: str
    symbol: str
    price: Decimal
    quantity: Decimal
    trade_venue: str
    trade_ts: str
    publication_venue: str
    publication_ts: str


class PostTrade(msgspec.Struct):
    last_ts: str
    trades: list[msgspec.Raw]
    count: int = 0
