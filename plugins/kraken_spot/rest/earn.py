"""Kraken Earn; reached as ``operations.earn``.

Allocating and deallocating take their time, one of them for a strategy at a time: ask the status until nothing is
pending.
See https://docs.kraken.com/exchange/guides/rest/earn
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, localcontext

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.number import EXACT
from exchange_core.model.time import from_rfc3339
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import Page, made, readable, word
from kraken_spot.rest.calls import amount_text, asset_id, change, private
from kraken_spot.types.earn import (
    Allocation,
    Allocations,
    EarnAmount,
    EarnPart,
    EarnState,
    LockType,
    Payout,
    Strategy,
)
from kraken_spot.wire import earn as wire

# Open point: accepted shows as true, or as a status.
_Accepted = bool | wire.Status | None
_STATUS = wire.Status | None


@attrs.frozen
class EarnCalls:
    """Calls about earn strategies."""

    _context: VenueContext

    def strategies(
        self,
        cursor: str | None = None,
        *,
        asset: str | None = None,
        lock: LockType | None = None,
        limit: int | None = None,
        ascending: bool | None = None,
    ) -> Flow[Page[Strategy]]:
        """Return a page of the strategies that this account may use."""
        params = {
            "cursor": cursor,
            "asset": None if asset is None else asset_id(self._context, asset),
            "lock_type": None if lock is None else lock.value,
            "limit": limit,
            "ascending": ascending,
        }
        answer: wire.Strategies = yield private("Earn/Strategies", wire.Strategies, params)
        found = readable(answer.items, wire.Strategy, lambda _, row: self._strategy(row))
        return Page(found.items, answer.next_cursor or None, unreadable=found.unreadable)

    def allocations(
        self, *, converted_asset: str = "USD", hide_zero: bool = False, ascending: bool | None = None
    ) -> Flow[Allocations]:
        """Return what is allocated, with what it is worth in *converted_asset*."""
        params = {
            "converted_asset": asset_id(self._context, converted_asset),
            "hide_zero_allocations": hide_zero or None,
            "ascending": ascending,
        }
        answer: wire.Allocations = yield private("Earn/Allocations", wire.Allocations, params)
        found = readable(answer.items, wire.Allocation, lambda _, row: self._allocation(row))
        return Allocations(
            converted_asset=self._context.assets.code(answer.converted_asset),
            total_allocated=parse.number(answer.total_allocated, "total_allocated"),
            total_rewarded=parse.number(answer.total_rewarded, "total_rewarded"),
            items=found.items,
            cursor=answer.next_cursor or None,
            unreadable=found.unreadable,
        )

    def allocate(self, strategy_id: str, amount: Decimal | str) -> Flow[None]:
        """Ask to put *amount* into a strategy; :meth:`allocate_pending` tells when it is done."""
        return self._move("Earn/Allocate", strategy_id, amount)

    def deallocate(self, strategy_id: str, amount: Decimal | str) -> Flow[None]:
        """Ask to take *amount* out of a strategy; :meth:`deallocate_pending` tells when it is done."""
        return self._move("Earn/Deallocate", strategy_id, amount)

    def allocate_pending(self, strategy_id: str) -> Flow[bool]:
        """Return whether the latest allocation is still under way.

        Raises:
            BadRequest: It failed; the venue tells that here.
        """
        return self._pending("Earn/AllocateStatus", strategy_id)

    def deallocate_pending(self, strategy_id: str) -> Flow[bool]:
        """Return whether the latest deallocation is still under way; as :meth:`allocate_pending`."""
        return self._pending("Earn/DeallocateStatus", strategy_id)

    def _move(self, name: str, strategy_id: str, amount: Decimal | str) -> Flow[None]:
        yield change(name, _Accepted, {"strategy_id": strategy_id, "amount": amount_text(amount)})

    def _pending(self, name: str, strategy_id: str) -> Flow[bool]:
        answer: wire.Status | None = yield private(name, _STATUS, {"strategy_id": strategy_id})
        if answer is None:
            raise ProtocolError(f"{self._context.venue}: {name}: no status in the answer")
        return answer.pending

    def _strategy(self, row: wire.Strategy) -> Strategy:
        lock, apr = row.lock_type, row.apr_estimate
        return made(
            Strategy,
            row,
            asset=self._context.assets.code(row.asset),
            lock=word(LockType, lock.type),
            apr_low=None if apr is None else _fraction(apr.low),
            apr_high=None if apr is None else _fraction(apr.high),
            payout_every=_seconds(lock.payout_frequency),
            bonding_period=_seconds(lock.bonding_period),
            bonding_earns=lock.bonding_rewards,
            unbonding_period=_seconds(lock.unbonding_period),
            unbonding_earns=lock.unbonding_rewards,
            exit_queue_period=_seconds(lock.exit_queue_period),
            auto_compound=None if row.auto_compound is None else row.auto_compound.type,
            yield_source=None if row.yield_source is None else row.yield_source.type,
            restrictions=tuple(row.allocation_restriction_info),
        )

    def _allocation(self, row: wire.Allocation) -> Allocation:
        allocated = row.amount_allocated
        return Allocation(
            strategy_id=row.strategy_id,
            asset=self._context.assets.code(row.native_asset),
            total=_amount(allocated.total),
            bonding=_state(allocated.bonding),
            unbonding=_state(allocated.unbonding),
            exit_queue=_state(allocated.exit_queue),
            pending=None if allocated.pending is None else _amount(allocated.pending),
            rewarded=_amount(row.total_rewarded),
            payout=None if row.payout is None else _payout(row.payout),
        )


def _amount(row: wire.Amount | wire.Part | wire.State) -> EarnAmount:
    return EarnAmount(native=parse.number(row.native, "native"), converted=parse.number(row.converted, "converted"))


def _state(row: wire.State | None) -> EarnState | None:
    if row is None:
        return None
    parts = (
        EarnPart(amount=_amount(part), created=from_rfc3339(part.created_at), expires=from_rfc3339(part.expires))
        for part in row.allocations
    )
    return EarnState(amount=_amount(row), count=row.allocation_count, parts=tuple(parts))


def _payout(row: wire.Payout) -> Payout:
    return Payout(
        accumulated=_amount(row.accumulated_reward),
        estimated=_amount(row.estimated_reward),
        start=from_rfc3339(row.period_start),
        end=from_rfc3339(row.period_end),
    )


def _fraction(percent: Decimal) -> Decimal:
    with localcontext(EXACT):
        return parse.number(percent, "apr_estimate") / 100


def _seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)
