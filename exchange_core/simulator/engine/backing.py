"""What backs an account's positions in one settlement asset, and what of its assets may leave because of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimCollateralValue, SimMargin
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.units import to_decimal


@attrs.frozen
class Backing:
    """What backs an account's positions in one asset, in units of it.

    Attributes:
        collateral: What the account's other assets count for.
        as_margin: What unrealised profit and funding count for.
    """

    balance: int
    collateral: int
    unrealised: int
    funding: int
    as_margin: int
    initial: int
    held: int
    maintenance: int

    @property
    def equity(self) -> int:
        return self.balance + self.collateral + self.as_margin

    @property
    def available(self) -> int:
        """Return what neither positions nor open orders keep back; below zero where there is too little."""
        return self.equity - self.held

    @property
    def is_enough(self) -> bool:
        return self.equity >= self.maintenance


def backing(accounts: Accounts, account: Account, asset: str, now: datetime | None) -> Backing:
    """Return what backs the positions that are settled in *asset*; without *now* with the funding as last looked at."""
    exposures = [each for each in account.exposures.values() if each.market.quote == asset]
    if now is not None:
        for each in exposures:
            each.accrue(now)
    return Backing(
        balance=account.totals.get(asset, 0),
        collateral=_collateral(accounts, account, asset),
        unrealised=sum(each.unrealised() for each in exposures),
        funding=sum(each.due_funding() for each in exposures),
        as_margin=sum(_as_margin(accounts, account, each) for each in exposures),
        initial=sum(each.position_margin() for each in exposures),
        held=sum(each.held for each in exposures),
        maintenance=sum(each.maintenance() for each in exposures),
    )


def spare(accounts: Accounts, account: Account, asset: str) -> int:
    """Return the units of margin that a new order may use of a settlement asset of derivatives."""
    counted = sum(
        _as_margin(accounts, account, each) for each in account.exposures.values() if each.market.quote == asset
    )
    return account.free(asset) + _collateral(accounts, account, asset) + counted


def may_leave(accounts: Accounts, account: Account, asset: str, now: datetime) -> int:
    """Return how many units of *asset* may leave the account.

    Of an asset that is margin together with others that is all of it, as far as the others back what there is to back.
    """
    pools = accounts.pools
    collateral = pools.by_asset.get(asset)
    settles = asset if collateral is None else collateral.settles
    if collateral is None and asset not in pools.backers:
        return _of_its_own(accounts, account, asset, now)
    sums = backing(accounts, account, settles, now)
    # What orders of spot markets keep back can never leave.
    loose = account.free(asset) + (sums.held if collateral is None else 0)
    most = sums.available if collateral is None else collateral.backing(sums.available)
    if sums.balance >= 0 and not sums.held and not sums.as_margin:
        most = loose
    return max(0, min(loose, most))


def _of_its_own(accounts: Accounts, account: Account, asset: str, now: datetime) -> int:
    """Return the same of an asset that alone backs its positions: losses count, profits that are not booked do not."""
    exposures = [each for each in account.exposures.values() if each.market.quote == asset and not each.market.is_spot]
    if not exposures:
        return account.free(asset)
    return account.free(asset) + min(0, backing(accounts, account, asset, now).as_margin)


def margins(accounts: Accounts, account: Account, now: datetime) -> list[SimMargin]:
    """Return what backs positions for every asset that has or had any, or that others back, as the contract has it."""
    pooled = [
        asset
        for asset, backers in accounts.pools.backers.items()
        if any(each in account.totals for each in (asset, *(backer.asset for backer in backers)))
    ]
    assets = dict.fromkeys([*(each.market.quote for each in account.exposures.values()), *pooled])
    return [_told(backing(accounts, account, asset, now), asset, accounts.decimals[asset]) for asset in assets]


def _told(sums: Backing, asset: str, decimals: int) -> SimMargin:
    def money(units: int) -> Decimal:
        return to_decimal(units, decimals)

    return SimMargin(
        asset=asset,
        balance=money(sums.balance),
        collateral=money(sums.collateral),
        unrealised=money(sums.unrealised),
        funding=money(sums.funding),
        as_margin=money(sums.as_margin),
        initial=money(sums.initial),
        orders=money(sums.held - sums.initial),
        maintenance=money(sums.maintenance),
    )


def collateral_values(accounts: Accounts, account: Account, now: datetime) -> list[SimCollateralValue]:
    """Return what each of the account's assets is worth as margin, as the contract has it."""
    found = []
    for settles, backers in accounts.pools.backers.items():
        places = accounts.decimals[settles]
        if settles in account.totals:
            total = to_decimal(account.totals[settles], places)
            found.append(
                SimCollateralValue(
                    asset=settles,
                    settles=settles,
                    total=total,
                    price=Decimal(1),
                    value=total,
                    collateral=total,
                    available=to_decimal(may_leave(accounts, account, settles, now), places),
                    haircut=Decimal(0),
                    spread=Decimal(0),
                )
            )
        for each in backers:
            if each.asset in account.totals:
                units, decimals = account.totals[each.asset], accounts.decimals[each.asset]
                found.append(
                    SimCollateralValue(
                        asset=each.asset,
                        settles=settles,
                        total=to_decimal(units, decimals),
                        price=each.told_price(),
                        value=to_decimal(each.value(units), places),
                        collateral=to_decimal(each.counts(units), places),
                        available=to_decimal(may_leave(accounts, account, each.asset, now), decimals),
                        haircut=each.setting.haircut,
                        spread=each.setting.spread,
                    )
                )
    return found


def _collateral(accounts: Accounts, account: Account, asset: str) -> int:
    return sum(each.counts(account.totals.get(each.asset, 0)) for each in accounts.pools.backers.get(asset, ()))


def _as_margin(accounts: Accounts, account: Account, exposure: Exposure) -> int:
    """Return what a position's profit and funding count for, before they are booked.

    Open point: how the venue counts them. Here losses count in full, and gains that will be converted as what they will
    be converted into.
    """
    gain = exposure.unrealised() + exposure.due_funding()
    if gain <= 0 or not account.profit_in:
        return gain
    wanted = accounts.pools.of_profit(account, exposure.market)
    return gain if wanted is None else wanted.gain(gain)
