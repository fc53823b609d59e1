"""Kraken Earn: strategies, and what accounts have in them.

Money that goes in leaves the spot wallet at once, with an entry in its ledger, and shows in balances under the codes of
Earn (``SOL.B``, ``XBT.M``). Requests are under way for a second. Nothing is earned.
See https://docs.kraken.com/exchange/guides/rest/earn
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import SimExchange, SimKey
from exchange_core.model.asset import Asset
from exchange_core.model.number import plain
from exchange_core.model.time import to_rfc3339
from kraken_spot.simulator.bank import Bank
from kraken_spot.simulator.codec import Arguments, Refused, fixed, invalid, padded
from kraken_spot.simulator.feed.hub import Hub
from kraken_spot.simulator.markets.names import Names

_UNDER_WAY = timedelta(seconds=1)
_ZERO = Decimal(0)


class Strategy(NamedTuple):
    """One way to earn.

    Attributes:
        lock: ``instant`` or ``bonded``.
        leaves_after: Seconds until money that is taken out is back.
    """

    id: str
    asset: str
    lock: str
    apr: tuple[str, str]
    least: Decimal
    leaves_after: int = 0

    @property
    def suffix(self) -> str:
        return ".B" if self.lock == "bonded" else ".M"


STRATEGIES = (
    Strategy("ESBTC01-INSTA-XBTXBT", "BTC", "instant", ("0.1", "0.2"), Decimal("0.0001")),
    Strategy("ESETH01-BONDE-ETHETH", "ETH", "bonded", ("2.5", "4.0"), Decimal("0.01"), 259_200),
    Strategy("ESSOL01-INSTA-SOLSOL", "SOL", "instant", ("3.0", "5.0"), Decimal("0.02")),
    Strategy("ESSOL02-BONDE-SOLSOL", "SOL", "bonded", ("5.0", "8.0"), Decimal("0.02"), 172_800),
)
_KNOWN = {strategy.id: strategy for strategy in STRATEGIES}


@attrs.define
class Leaving:
    """Money on its way out."""

    amount: Decimal
    since: datetime
    until: datetime


@attrs.define
class Stake:
    """What one account has in one strategy."""

    amount: Decimal = _ZERO
    leaving: list[Leaving] = attrs.field(factory=list)
    allocated: datetime | None = None
    deallocated: datetime | None = None

    @property
    def total(self) -> Decimal:
        return self.amount + sum((part.amount for part in self.leaving), _ZERO)


class Earn(Room):
    """What may be asked about Earn."""

    KEEPS: ClassVar = {"_stakes": dict[tuple[str, str], Stake]}

    def __init__(self, exchange: SimExchange, names: Names, hub: Hub, bank: Bank) -> None:
        self._exchange = exchange
        self._names = names
        self._hub = hub
        self._bank = bank
        self._stakes: dict[tuple[str, str], Stake] = {}

    # ── what there is ──

    def strategies(self, key: SimKey, given: Arguments) -> object:
        asset = given.text("asset")
        codes = {found.code for found in self._names.find_assets([asset])} if asset else set(self._names.assets)
        locks = given.words("lock_type")
        found = [one for one in STRATEGIES if one.asset in codes and (not locks or one.lock in locks)]
        if given.flag("ascending"):
            found.reverse()
        first = given.integer("cursor", 0, 0, 2**31)
        limit = given.integer("limit", 100, 1, 500)
        following = str(first + limit) if first + limit < len(found) else None
        return {"items": [self._strategy(one) for one in found[first : first + limit]], "next_cursor": following}

    def allocations(self, key: SimKey, given: Arguments) -> object:
        self.settle(key.account)
        [converted] = self._names.find_assets([given.text("converted_asset", "USD")])
        hide = given.flag("hide_zero_allocations")
        items = []
        total = _ZERO
        for one in STRATEGIES:
            stake = self._stakes.get((key.account, one.id))
            if stake is None or (hide and not stake.total):
                continue
            total += self._worth(one.asset, stake.total, converted)
            items.append(self._allocation(one, stake, converted))
        return {
            "converted_asset": self._names.altname(converted),
            "total_allocated": fixed(total, converted.decimals),
            "total_rewarded": fixed(_ZERO, converted.decimals),
            "next_cursor": None,
            "items": items,
        }

    def balances(self, account: str) -> Iterable[tuple[str, str, Decimal, Asset]]:
        """Return what an account has in Earn: code in balances, wallet, amount, asset."""
        self.settle(account)
        for one in STRATEGIES:
            stake = self._stakes.get((account, one.id))
            if stake is not None and stake.total:
                asset = self._names.asset(one.asset)
                wallet = "bonded" if one.lock == "bonded" else "liquid"
                yield f"{self._names.altname(asset)}{one.suffix}", wallet, stake.total, asset

    # ── what is done ──

    def allocate(self, key: SimKey, given: Arguments) -> object:
        one, stake, amount = self._wanted(key, given)
        if amount < one.least:
            raise Refused(f"EEarnings:Below min:({plain(one.least)}) {one.asset}")
        asset = self._names.asset(one.asset)
        lacking = "EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request"
        self._bank.book(key.account, asset, -amount, "transfer", lacking, subtype="spottostaking")
        stake.amount += amount
        stake.allocated = self._exchange.now()
        return True

    def deallocate(self, key: SimKey, given: Arguments) -> object:
        one, stake, amount = self._wanted(key, given)
        if amount > stake.amount:
            raise Refused("EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request")
        now = self._exchange.now()
        stake.amount -= amount
        stake.deallocated = now
        stake.leaving.append(Leaving(amount, now, now + timedelta(seconds=one.leaves_after)))
        self.settle(key.account)
        return True

    def allocate_status(self, key: SimKey, given: Arguments) -> object:
        stake = self._stake(key, given)[1]
        return {"pending": self._is_under_way(stake.allocated)}

    def deallocate_status(self, key: SimKey, given: Arguments) -> object:
        stake = self._stake(key, given)[1]
        return {"pending": self._is_under_way(stake.deallocated)}

    def settle(self, account: str) -> None:
        """Give back what has left its strategy by now."""
        now = self._exchange.now()
        for (owner, strategy), stake in self._stakes.items():
            if owner != account:
                continue
            due = [part for part in stake.leaving if part.until <= now]
            stake.leaving = [part for part in stake.leaving if part.until > now]
            asset = self._names.asset(_KNOWN[strategy].asset)
            for part in due:
                self._bank.book(account, asset, part.amount, "transfer", "", subtype="stakingtospot")

    # ── words ──

    def _stake(self, key: SimKey, given: Arguments) -> tuple[Strategy, Stake]:
        one = _KNOWN.get(given.required("strategy_id"))
        if one is None or one.asset not in self._names.assets:
            raise invalid("strategy_id")
        return one, self._stakes.setdefault((key.account, one.id), Stake())

    def _wanted(self, key: SimKey, given: Arguments) -> tuple[Strategy, Stake, Decimal]:
        one, stake = self._stake(key, given)
        amount = given.decimal("amount")
        if amount <= 0:
            raise invalid("amount")
        if self._is_under_way(stake.allocated) or self._is_under_way(stake.deallocated):
            raise Refused("EEarnings:Busy:Another (de)allocation for the same strategy is in progress")
        return one, stake, amount

    def _is_under_way(self, since: datetime | None) -> bool:
        return since is not None and self._exchange.now() - since < _UNDER_WAY

    def _strategy(self, one: Strategy) -> dict[str, Any]:
        lock: dict[str, Any] = {"type": one.lock, "payout_frequency": 604_800}
        if one.lock == "bonded":
            lock |= {
                "bonding_period": 0,
                "bonding_period_variable": False,
                "bonding_rewards": False,
                "unbonding_period": one.leaves_after,
                "unbonding_period_variable": False,
                "unbonding_rewards": False,
                "exit_queue_period": 0,
            }
        return {
            "id": one.id,
            "asset": self._names.altname(self._names.asset(one.asset)),
            "lock_type": lock,
            "apr_estimate": {"low": one.apr[0], "high": one.apr[1]},
            "user_min_allocation": plain(one.least),
            "allocation_fee": "0.0000",
            "deallocation_fee": "0.0000",
            "auto_compound": {"type": "enabled"},
            "yield_source": {"type": "staking"},
            "can_allocate": True,
            "can_deallocate": True,
            "allocation_restriction_info": [],
        }

    def _allocation(self, one: Strategy, stake: Stake, converted: Asset) -> dict[str, Any]:
        def amounts(native: Decimal) -> dict[str, Any]:
            worth = self._worth(one.asset, native, converted)
            decimals = self._names.asset(one.asset).decimals
            return {"native": padded(native, decimals), "converted": fixed(worth, converted.decimals)}

        allocated: dict[str, Any] = {"total": amounts(stake.total)}
        if stake.leaving:
            parts = [
                amounts(part.amount)
                | {"created_at": to_rfc3339(part.since, "seconds"), "expires": to_rfc3339(part.until, "seconds")}
                for part in stake.leaving
            ]
            leaving = amounts(sum((part.amount for part in stake.leaving), _ZERO))
            allocated["unbonding"] = leaving | {"allocation_count": len(parts), "allocations": parts}
        return {
            "strategy_id": one.id,
            "native_asset": self._names.altname(self._names.asset(one.asset)),
            "amount_allocated": allocated,
            "total_rewarded": amounts(_ZERO),
        }

    def _worth(self, asset: str, amount: Decimal, converted: Asset) -> Decimal:
        rate = self._hub.usd(converted.code, Decimal(1))
        return self._hub.usd(asset, amount) / rate if rate else _ZERO
