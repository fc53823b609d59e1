"""Markets and accounts of the simulated exchange: settings, keys, balances, positions, margins, funding, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.account import FeeRates
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol


@attrs.frozen(kw_only=True)
class SimKey:
    """An API key that the simulated exchange knows. *permissions* are the venue's own words; empty means all."""

    api_key: str
    api_secret: str = attrs.field(repr=False)
    account: str
    permissions: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class SimFeeTier:
    """Fees from a 30-day volume on, counted in the exchange's ``volume_asset``."""

    volume: Decimal
    fees: FeeRates


@attrs.frozen(kw_only=True)
class SimMarginLevel:
    """Margin rates of a derivatives position from a size on.

    Attributes:
        size: Contracts of an inverse market, value in the quote asset of a linear one.
    """

    size: Decimal
    initial: Decimal
    maintenance: Decimal


class Reducing(StrEnum):
    """What becomes of an order in the book that may only reduce a position, when it gets larger than that position."""

    KEEP = "keep"
    """It stays as it is, executes as far as there is a position, and ends with it."""
    CUT = "cut"
    """It is cut to the position."""
    CANCEL = "cancel"
    """It is cancelled; of several that are too large together, those with the worst prices for others first."""


@attrs.frozen(kw_only=True)
class SimCollateral:
    """An asset that backs positions which are settled in another one.

    Attributes:
        settles: The settlement asset of those positions.
        market: It is worth the index price of that one; without, *price*.
        price: In the settlement asset.
        haircut: What part of its value does not back.
        spread: What a conversion between the two costs, as a fraction of what comes out.
    """

    asset: str
    settles: str
    market: Symbol | None = None
    price: Decimal = Decimal(1)
    haircut: Decimal = Decimal(0)
    spread: Decimal = Decimal(0)


@attrs.frozen(kw_only=True)
class SimMarket:
    """One market of the simulated exchange.

    Attributes:
        start_price: Where the market maker begins.
        fees: For everyone without *fee_tiers*, and below the first of them.
        fee_tiers: Ascending; an order's fees are those of the moment when it was placed.
        margin_levels: Of a derivatives market, ascending; without, 2 % to open and 1 % to keep.
        max_funding: Largest relative rate of an hour, of a perpetual.
        leverages: What a spot market offers for margin orders; empty for none.
        margin_stop: A spot margin account is liquidated below this share of equity to used margin.
        rollover: Fee of four hours of a spot margin position, as a fraction of its value.
        iceberg_parts: An iceberg order shows at least its quantity divided by this.
        cost_decimals: How many are told of what trades cost; without, as many as accounts keep of what is paid with.
        market_band: How far beyond the best price market orders execute, as a fraction of it; without, at any price.
        reducing: What becomes of orders that only reduce when their position gets smaller.
        funding_coefficient: An hour's funding rate is the average premium of the hour before by this.
        mark_band: The mark price stays within this of an index price that is set, as a fraction; without, anywhere.
        settlement_minutes: A dated contract is settled at the average of the index at the end of each of its last
            minutes; at 0, at the index when it ends.
    """

    instrument: Instrument
    start_price: Decimal
    fees: FeeRates
    fee_tiers: Sequence[SimFeeTier] = ()
    margin_levels: Sequence[SimMarginLevel] = ()
    max_funding: Decimal = Decimal("0.0025")
    leverages: Sequence[int] = ()
    margin_stop: Decimal = Decimal("0.4")
    rollover: Decimal = Decimal(0)
    iceberg_parts: int = 15
    cost_decimals: int | None = None
    market_band: Decimal | None = None
    reducing: Reducing = Reducing.KEEP
    funding_coefficient: int = 24
    mark_band: Decimal | None = None
    settlement_minutes: int = 0


@attrs.frozen(kw_only=True)
class SimBalance:
    """One asset of one account.

    Attributes:
        held: What open orders and positions keep back.
        margin: What of that is the margin of positions, and of orders that would move one.
    """

    asset: str
    total: Decimal
    held: Decimal
    margin: Decimal = Decimal(0)


@attrs.frozen(kw_only=True)
class SimPosition:
    """A derivatives position, or a margin position of a spot market; quantity is signed.

    Money is in the settlement asset (spot: the quote asset).

    Attributes:
        id: Of a spot position; one account has one in a market, whatever orders made it.
        cost: Value at entry.
        margin: What it keeps back of the account (initial or used margin), without open orders.
        maintenance: Below this equity it is liquidated.
        unrealised: Profit at the mark price.
        funding: What is not booked yet of an hour's funding; below zero is owed.
    """

    symbol: Symbol
    quantity: Decimal
    entry_price: Decimal
    opened: datetime
    id: str = ""
    cost: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    maintenance: Decimal = Decimal(0)
    unrealised: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)


@attrs.frozen(kw_only=True)
class SimMargin:
    """What backs an account's positions in one settlement asset (spot: quote asset).

    Attributes:
        collateral: What other assets of the account are worth as margin.
        as_margin: What unrealised profit and funding count for; all of them without.
        initial: What positions keep back.
        orders: What open orders keep back on top of that.
        maintenance: Below this equity positions are liquidated.
    """

    asset: str
    balance: Decimal
    unrealised: Decimal
    funding: Decimal
    initial: Decimal
    orders: Decimal
    maintenance: Decimal
    collateral: Decimal = Decimal(0)
    as_margin: Decimal | None = None

    @property
    def equity(self) -> Decimal:
        """Return balance, collateral, and what is not booked yet as far as it counts."""
        counted = self.unrealised + self.funding if self.as_margin is None else self.as_margin
        return self.balance + self.collateral + counted

    @property
    def available(self) -> Decimal:
        """Return what backs nothing yet; below zero where there is too little."""
        return self.equity - self.initial - self.orders


@attrs.frozen(kw_only=True)
class SimCollateralValue:
    """One asset that backs positions, as an account has it.

    Attributes:
        price: In the settlement asset, as *value* and *collateral* are.
        value: Of all that the account has of it.
        collateral: What of that counts as margin.
        available: What of it may leave the account now, in the asset itself.
    """

    asset: str
    settles: str
    total: Decimal
    price: Decimal
    value: Decimal
    collateral: Decimal
    available: Decimal
    haircut: Decimal
    spread: Decimal


@attrs.frozen(kw_only=True)
class SimFunding:
    """Funding of a perpetual.

    Attributes:
        start: Of the hour that the rate is for.
        rate: As a fraction of the index price; above zero, longs pay shorts.
        absolute: What one unit of quantity pays in an hour, in the settlement asset.
    """

    symbol: Symbol
    start: datetime
    rate: Decimal
    absolute: Decimal


@attrs.frozen(kw_only=True)
class SimLedgerEntry:
    """One change of one balance. The entries of a trade share *reference* (the fill's id).

    Kinds: deposit, withdrawal, trade (spot and derivatives), funding, settlement (of an expired contract),
    liquidation fees and bankrupt remains (insurance), margin (profit and fee of a spot margin trade), rollover,
    settled (a margin position paid with own money), conversion (one asset into another, the two entries share
    *reference*), and whatever wire protocols book.

    Attributes:
        symbol: The market whose trade, funding or settlement it is; None for all else.
    """

    id: str
    reference: str
    account: str
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    time: datetime
    symbol: Symbol | None = None
