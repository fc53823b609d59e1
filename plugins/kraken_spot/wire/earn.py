"""Earn strategies and allocations, field by field, with no meaning added.

See https://docs.kraken.com/api-reference/earn/list-earn-strategies and the pages beside it
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Kind(msgspec.Struct):
    type: str
    default: bool | None = None


class LockType(msgspec.Struct):
    type: str
    payout_frequency: int | None = None  # all periods in seconds
    bonding_period: int | None = None
    bonding_period_variable: bool | None = None
    bonding_rewards: bool | None = None
    unbonding_period: int | None = None
    unbonding_period_variable: bool | None = None
    unbonding_rewards: bool | None = None
    exit_queue_period: int | None = None


class Estimate(msgspec.Struct):
    low: Decimal
    high: Decimal


class Strategy(msgspec.Struct):
    id: str
    asset: str
    lock_type: LockType
    can_allocate: bool
    can_deallocate: bool
    apr_estimate: Estimate | None = None
    user_min_allocation: Decimal | None = None
    user_cap: Decimal | None = None
    allocation_fee: Decimal | None = None
    deallocation_fee: Decimal | None = None
    auto_compound: Kind | None = None
    yield_source: Kind | None = None
    allocation_restriction_info: list[str] = []


class Strategies(msgspec.Struct):
    items: list[msgspec.Raw]
    next_cursor: str | None = None


class Amount(msgspec.Struct):
    native: Decimal
    converted: Decimal


class Part(msgspec.Struct):
    native: Decimal
    converted: Decimal
    created_at: str
    expires: str


class State(msgspec.Struct):
    native: Decimal
    converted: Decimal
    allocation_count: int = 0
    allocations: list[Part] = []


class Allocated(msgspec.Struct):
    total: Amount
    bonding: State | None = None
    unbonding: State | None = None
    exit_queue: State | None = None
    pending: Amount | None = None


class Payout(msgspec.Struct):
    accumulated_reward: Amount
    estimated_reward: Amount
    period_start: str
    period_end: str


class Allocation(msgspec.Struct):
    strategy_id: str
    native_asset: str
    amount_allocated: Allocated
    total_rewarded: Amount
    payout: Payout | None = None


class Allocations(msgspec.Struct):
    converted_asset: str
    total_allocated: Decimal
    total_rewarded: Decimal
    items: list[msgspec.Raw]
    next_cursor: str | None = None


class Status(msgspec.Struct):
    pending: bool
