"""Earn strategies of Kraken and what is allocated to them. Words that we do not know stay as they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import attrs

from kraken_spot.parse.rows import Unreadable


class LockType(StrEnum):
    """How long money stays in a strategy."""

    INSTANT = "instant"
    BONDED = "bonded"
    """It comes out after a time."""
    FLEX = "flex"
    """Kraken Rewards on spot balances; nothing is allocated by hand."""
    TIMED = "timed"


@attrs.frozen(kw_only=True)
class Strategy:
    """A way to earn on an asset.

    Attributes:
        apr_low, apr_high: What it may yield in a year, as fractions.
        allocation_fee, deallocation_fee: As the venue tells them.
        bonding_earns, unbonding_earns: Whether money earns on its way in and out.
        auto_compound: ``enabled``, ``disabled`` or ``optional``.
        restrictions: Why money cannot be allocated.
    """

    id: str
    asset: str
    lock: LockType | str
    apr_low: Decimal | None
    apr_high: Decimal | None
    user_min_allocation: Decimal | None
    user_cap: Decimal | None
    allocation_fee: Decimal | None
    deallocation_fee: Decimal | None
    payout_every: timedelta | None
    bonding_period: timedelta | None
    bonding_earns: bool | None
    unbonding_period: timedelta | None
    unbonding_earns: bool | None
    exit_queue_period: timedelta | None
    auto_compound: str | None
    yield_source: str | None
    can_allocate: bool
    can_deallocate: bool
    restrictions: tuple[str, ...]


@attrs.frozen(kw_only=True)
class EarnAmount:
    """An amount in the strategy's own asset, and in the one that was asked for."""

    native: Decimal
    converted: Decimal


@attrs.frozen(kw_only=True)
class EarnPart:
    """Money that moves on together.

    Attributes:
        expires: When it moves on.
    """

    amount: EarnAmount
    created: datetime
    expires: datetime


@attrs.frozen(kw_only=True)
class EarnState:
    """Money that is on its way in or out."""

    amount: EarnAmount
    count: int
    parts: tuple[EarnPart, ...]


@attrs.frozen(kw_only=True)
class Payout:
    """The payout period that runs."""

    accumulated: EarnAmount
    estimated: EarnAmount
    start: datetime
    end: datetime


@attrs.frozen(kw_only=True)
class Allocation:
    """What is in one strategy.

    Attributes:
        total: What is in no state below is allocated and earns.
        pending: What a request under way will change; below zero is going out.
        rewarded: All that it ever earned.
    """

    strategy_id: str
    asset: str
    total: EarnAmount
    bonding: EarnState | None
    unbonding: EarnState | None
    exit_queue: EarnState | None
    pending: EarnAmount | None
    rewarded: EarnAmount
    payout: Payout | None


@attrs.frozen(kw_only=True)
class Allocations:
    """All allocations, with sums in *converted_asset*."""

    converted_asset: str
    total_allocated: Decimal
    total_rewarded: Decimal
    items: tuple[Allocation, ...]
    cursor: str | None
    unreadable: tuple[Unreadable, ...]
