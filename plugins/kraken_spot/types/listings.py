"""What Kraken Spot lists: assets, pairs and tickers with all that it tells of them.

Words that we do not know stay as they are, and so do the names of pairs that no list had.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.symbol import Symbol


class PairInfo(StrEnum):
    """Which part of what is listed of pairs is asked for."""

    ALL = "info"
    LEVERAGE = "leverage"
    FEES = "fees"
    MARGIN = "margin"


class ExecutionVenue(StrEnum):
    """Where orders of a pair are matched."""

    INTERNATIONAL = "international"
    BITNOMIAL = "bitnomial_exchange"


class AssetStatus(StrEnum):
    """What is possible with an asset beside trading it."""

    ENABLED = "enabled"
    DEPOSIT_ONLY = "deposit_only"
    WITHDRAWAL_ONLY = "withdrawal_only"
    FUNDING_DISABLED = "funding_temporarily_disabled"


@attrs.frozen(kw_only=True)
class AssetDetails:
    """An asset as it is listed.

    Attributes:
        id: The venue's; *asset* is our code.
        display_decimals: What is shown to people; amounts have *decimals*.
        collateral_value: The part of its worth that counts as margin; None where it is no collateral.
        margin_rate: Of borrowing it, in the venue's number; None where it tells none.
    """

    id: str
    asset: str
    altname: str
    asset_class: str
    status: AssetStatus | str
    decimals: int
    display_decimals: int | None
    collateral_value: Decimal | None
    margin_rate: Decimal | None


@attrs.frozen(kw_only=True)
class FeeStep:
    """What is paid from a volume of 30 days on, in percent."""

    volume: Decimal
    percent: Decimal


@attrs.frozen(kw_only=True)
class PairDetails:
    """A pair as it is listed; None and empty is what was not asked for, or is not told.

    Attributes:
        id: The venue's.
        base, quote: Our codes of its assets.
        leverage_buy, leverage_sell: How much may be borrowed, in times of the own funds.
        fees, fees_maker: Of takers and of makers. Empty since September 2026: ``account.trade_volume`` tells them.
        fee_asset: What the volume of 30 days is counted in.
        margin_call, margin_stop: Margin levels, in percent, of the warning and of the liquidation.
        long_position_limit, short_position_limit: In base units.
    """

    id: str
    symbol: Symbol | str
    altname: str | None
    status: str | None
    base: str | None
    quote: str | None
    asset_class: str | None
    execution_venue: ExecutionVenue | str | None
    tick_size: Decimal | None
    price_decimals: int | None
    quantity_decimals: int | None
    cost_decimals: int | None
    min_quantity: Decimal | None
    min_cost: Decimal | None
    leverage_buy: tuple[int, ...]
    leverage_sell: tuple[int, ...]
    margin_call: int | None
    margin_stop: int | None
    long_position_limit: Decimal | None
    short_position_limit: Decimal | None
    fees: tuple[FeeStep, ...]
    fees_maker: tuple[FeeStep, ...]
    fee_asset: str | None


@attrs.frozen(kw_only=True)
class Traded:
    """What was traded of a pair in some time; without any trade there are no prices."""

    volume: Decimal
    count: int
    vwap: Decimal | None
    low: Decimal | None
    high: Decimal | None


@attrs.frozen(kw_only=True)
class PairTicker:
    """A ticker with all its numbers.

    Attributes:
        open: The first price of today, which begins at 00:00 UTC.
        today, day: Of today, and of the last 24 hours.
    """

    symbol: Symbol | str
    bid: Decimal | None
    bid_quantity: Decimal
    ask: Decimal | None
    ask_quantity: Decimal
    last: Decimal | None
    last_quantity: Decimal
    open: Decimal | None
    today: Traded
    day: Traded
