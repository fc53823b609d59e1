"""What Kraken Futures tells of its markets beyond the normalised model.

Words that we do not know stay as they are, and so do the names of contracts that no instrument list had.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.number import ratio
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures import contracts


class ContractType(StrEnum):
    """Kinds of contracts, as the venue filters them."""

    INVERSE = "futures_inverse"
    VANILLA = "futures_vanilla"
    FLEXIBLE = "flexible_futures"
    OPTIONS = "options"
    ALL = "all"


class Dislocation(StrEnum):
    """Which side of its band a price has left."""

    ABOVE = "ABOVE_UPPER_BOUND"
    BELOW = "BELOW_LOWER_BOUND"


class TradeKind(StrEnum):
    """How a public trade came about."""

    FILL = "fill"
    LIQUIDATION = "liquidation"
    ASSIGNMENT = "assignment"
    TERMINATION = "termination"
    BLOCK = "block"


@attrs.frozen(kw_only=True)
class MarginLevel:
    """Margins as fractions, for positions from a size on.

    Attributes:
        lower_bound: In contracts (inverse), or in the quote asset (linear).
    """

    lower_bound: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal

    @property
    def max_leverage(self) -> Decimal | None:
        return ratio(Decimal(1), self.initial_margin) if self.initial_margin else None


@attrs.frozen(kw_only=True)
class Contract:
    """A contract with all that the venue lists of it.

    Attributes:
        symbol: Ours; the venue's where we have none.
        contract_value_trade_precision: Decimals of a quantity; -3 is steps of 1000.
        impact_mid_size: Depth that the mark price looks at.
        max_position_size: In units of quantity.
        tradeable: Is or was a market; it stays true after expiry.
        margin_levels: Professional schedule, lowest bound first. From ``account.instruments`` the account's own.
        margin_schedules: By platform, then ``retail`` or ``professional``.
        max_relative_funding_rate: Cap of the funding rate of an hour, as a fraction, either way.
        fee_schedule_uid: The venue deprecated it in June 2026.
    """

    symbol: Symbol | str
    venue_id: str
    type: ContractType | str
    tick_size: Decimal
    contract_size: Decimal
    tradeable: bool
    contract_value_trade_precision: int | None
    base: str | None
    quote: str | None
    underlying: str | None
    underlying_future: str | None
    impact_mid_size: Decimal | None
    max_position_size: Decimal | None
    minimum_trade_size: Decimal | None
    opening_date: datetime | None
    last_trading_time: datetime | None
    is_expired: bool
    post_only: bool
    margin_levels: tuple[MarginLevel, ...]
    retail_margin_levels: tuple[MarginLevel, ...]
    margin_schedules: Mapping[str, Mapping[str, tuple[MarginLevel, ...]]]
    funding_rate_coefficient: Decimal | None
    max_relative_funding_rate: Decimal | None
    maker_protection_millis: int | None
    fee_schedule_uid: str | None
    category: str | None
    tags: tuple[str, ...]
    isin: str | None
    tradfi: bool
    mtf: bool


@attrs.frozen(kw_only=True)
class MarketStatus:
    """Whether a market's price has left its band, and whether its margins are raised.

    Attributes:
        extreme_volatility_initial_margin_multiplier: 1 is as usual.
    """

    symbol: Symbol | str
    experiencing_dislocation: bool
    price_dislocation_direction: Dislocation | str | None
    experiencing_extreme_volatility: bool
    extreme_volatility_initial_margin_multiplier: int


@attrs.frozen(kw_only=True)
class Greeks:
    """Of options. *iv* -1 is "cannot be worked out"."""

    iv: Decimal | None
    delta: Decimal | None
    gamma: Decimal | None
    vega: Decimal | None
    theta: Decimal | None
    rho: Decimal | None


@attrs.frozen(kw_only=True)
class FuturesTicker:
    """A ticker with all its fields. None is "the venue did not say".

    Attributes:
        volume_quote: In the quote asset for linear contracts; what it means for inverse ones is not settled.
        change24h: In percent.
        funding_rate, funding_rate_prediction: Amount per contract and hour: dollars (linear), coins (inverse).
    """

    symbol: Symbol | str
    tag: str
    mark_price: Decimal | None
    index_price: Decimal | None
    bid: Decimal | None
    bid_size: Decimal | None
    ask: Decimal | None
    ask_size: Decimal | None
    last: Decimal | None
    last_size: Decimal | None
    last_time: datetime | None
    open24h: Decimal | None
    high24h: Decimal | None
    low24h: Decimal | None
    vol24h: Decimal | None
    volume_quote: Decimal | None
    open_interest: Decimal | None
    change24h: Decimal | None
    funding_rate: Decimal | None
    funding_rate_prediction: Decimal | None
    suspended: bool
    post_only: bool
    is_underlying_market_closed: bool | None
    extrinsic_value: Decimal | None
    greeks: Greeks | None

    @property
    def relative_funding_rate(self) -> Decimal | None:
        """The funding rate of an hour as a fraction; None where it cannot be told."""
        return self._relative(self.funding_rate)

    @property
    def relative_funding_rate_prediction(self) -> Decimal | None:
        return self._relative(self.funding_rate_prediction)

    def _relative(self, absolute: Decimal | None) -> Decimal | None:
        if absolute is None or not self.index_price or not isinstance(self.symbol, Symbol):
            return None
        return contracts.relative_funding(self.symbol.is_inverse, absolute, self.index_price)


@attrs.frozen(kw_only=True)
class IndexTicker:
    """An index (``in_xbtusd``) or a reference rate (``rr_xbtusd``), under the venue's name."""

    name: str
    last: Decimal | None
    last_time: datetime | None


@attrs.frozen(kw_only=True)
class Tickers:
    """All tickers of an answer."""

    contracts: tuple[FuturesTicker, ...]
    indices: tuple[IndexTicker, ...]


@attrs.frozen(kw_only=True)
class MarketTrade:
    """A public trade with how it came about. *side* is the taker's."""

    symbol: Symbol
    id: str
    time: datetime
    side: Side
    price: Decimal
    quantity: Decimal
    kind: TradeKind | str


@attrs.frozen(kw_only=True)
class FundingRate:
    """The funding of an hour.

    Attributes:
        time: When the hour begins. Records from before 2022 are of four hours.
        absolute: Dollars (linear) or coins (inverse) per contract and hour; longs pay when it is above zero.
        relative: As a fraction.
    """

    symbol: Symbol
    time: datetime
    absolute: Decimal
    relative: Decimal


@attrs.frozen(kw_only=True)
class FeeTier:
    """Fees, as fractions, from a volume of 30 days on."""

    maker: Decimal
    taker: Decimal
    usd_volume: Decimal


@attrs.frozen(kw_only=True)
class FeeSchedule:
    """A list of fees. Since 22 June 2026 these are not what the venue charges."""

    uid: str
    name: str
    tiers: tuple[FeeTier, ...]
