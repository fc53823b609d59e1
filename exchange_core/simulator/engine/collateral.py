"""Assets that back positions which are settled in another one: what they are worth, what of it counts, conversions.

An account keeps each asset in its own coin. For margin checks they are worth the index price less a haircut and less
what a conversion would cost. Nothing is converted before it must be: losses, fees and funding that the settlement asset
does not cover are paid by the other assets, those with the smallest haircut first, and profits are converted where the
account wants them in another asset. Each conversion is two entries of the ledger and comes from the house's own stock,
so the sums of both assets stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange_core.connector.simulation import SimCollateral
from exchange_core.errors import ConfigError
from exchange_core.model.number import plain
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.prices import MICRO
from exchange_core.simulator.engine.telling import Told
from exchange_core.simulator.engine.units import RATE, ceil_div, rate

if TYPE_CHECKING:
    from exchange_core.simulator.engine.accounts import Account, Accounts

_WHOLE = RATE * RATE
CONVERSION = "conversion"


class Collateral:
    """One asset that backs positions settled in another, in whole numbers.

    Attributes:
        price: What it is worth where no market tells it.
        spread: What a conversion costs, out of ``RATE``.
    """

    def __init__(self, setting: SimCollateral, market: MarketState | None, decimals: Mapping[str, int]) -> None:
        name = f"collateral {setting.asset}"
        self.setting = setting
        self.asset, self.settles = setting.asset, setting.settles
        self.price = setting.price
        self.haircut = rate(setting.haircut, f"{name}: haircut")
        self.spread = rate(setting.spread, f"{name}: spread")
        if not (0 <= self.haircut <= RATE and 0 <= self.spread < RATE and setting.price >= 0):
            raise ConfigError(f"{name}: expected a haircut from 0 to 1, a spread below 1, and a price not below zero")
        # Open point: whether the cost of a conversion counts too. In Kraken's documented answer collateral is 0.97755
        # of the value for two assets, which are 2 % and then 0.25 % off; its glossary names the haircut alone.
        self._keep = (RATE - self.haircut) * (RATE - self.spread)
        self._market = market
        self._shift = 10 ** decimals[self.settles], 10 ** decimals[self.asset]

    def worth(self) -> tuple[int, int]:
        """Return how many units of the settlement asset a unit is worth: numerator and denominator."""
        if self._market is None:
            numerator, denominator = self.price.as_integer_ratio()
        else:
            numerator, denominator = self._market.tick.as_integer_ratio()
            numerator, denominator = numerator * self._market.prices.index(), denominator * MICRO
        return numerator * self._shift[0], denominator * self._shift[1]

    def told_price(self) -> Decimal:
        """Return what one of it is worth."""
        return self.price if self._market is None else self._market.price_of(self._market.prices.index())

    def value(self, units: int) -> int:
        """Return what *units* are worth, in units of the settlement asset, cut."""
        numerator, denominator = self.worth()
        return units * numerator // denominator

    def counts(self, units: int) -> int:
        """Return what of that counts as margin."""
        numerator, denominator = self.worth()
        return units * numerator * self._keep // (denominator * _WHOLE)

    def gain(self, units: int) -> int:
        """Return what a profit that is going to be converted counts, both in units of the settlement asset."""
        return units * self._keep // _WHOLE

    def backing(self, counted: int) -> int:
        """Return the most units that count no more than *counted*."""
        numerator, denominator = self.worth()
        if not numerator or not self._keep:
            return counted if counted < 0 else 10**60
        return counted * denominator * _WHOLE // (numerator * self._keep)

    def needed(self, net: int) -> int:
        """Return the fewest units that bring at least *net* after the cost of the conversion."""
        numerator, denominator = self.worth()
        gross = ceil_div(net * RATE, RATE - self.spread)
        return ceil_div(gross * denominator, numerator) if numerator else 0

    def bought(self, units: int) -> int:
        """Return what *units* of the settlement asset buy before the cost of the conversion, cut."""
        numerator, denominator = self.worth()
        return units * denominator // numerator if numerator else 0


class Pools:
    """All collateral of an exchange: by the settlement asset that it backs, smallest haircut first, and by asset.

    What is priced by a market that the exchange does not have backs nothing.
    """

    def __init__(
        self, settings: Iterable[SimCollateral], markets: Mapping[Symbol, MarketState], decimals: Mapping[str, int]
    ) -> None:
        self.backers: dict[str, list[Collateral]] = {}
        self.by_asset: dict[str, Collateral] = {}
        for setting in sorted(settings, key=lambda each: each.haircut):
            if setting.market is not None and setting.market not in markets:
                continue
            _check(setting, decimals, self.by_asset)
            market = None if setting.market is None else markets[setting.market]
            found = Collateral(setting, market, decimals)
            self.backers.setdefault(setting.settles, []).append(found)
            self.by_asset[setting.asset] = found
        if both := self.backers.keys() & self.by_asset.keys():
            raise ConfigError(f"collateral {min(both)}: it is backed itself; expected an asset that nothing backs")

    def of_profit(self, account: Account, market: MarketState) -> Collateral | None:
        """Return what the market's profits are converted into; None where they stay as they are."""
        asset = account.profit_in.get(market.symbol)
        return None if asset is None else self.by_asset[asset]


def _check(setting: SimCollateral, decimals: Mapping[str, int], known: Mapping[str, object]) -> None:
    name = f"collateral {setting.asset}"
    if unknown := {setting.asset, setting.settles} - decimals.keys():
        raise ConfigError(f"{name}: the simulated exchange has no asset {min(unknown)}")
    if setting.asset in known:
        raise ConfigError(f"{name}: it is listed twice")
    if not setting.price.is_finite():
        raise ConfigError(f"{name}: {plain(setting.price)} is no price")


def square(accounts: Accounts, told: Told, account: Account, market: MarketState, gained: int, now: datetime) -> None:
    """Convert what a booking left to convert: a gain into the asset that is wanted, or others into what is owed.

    Args:
        gained: Units that were booked as profit and funding, above zero.
    """
    pools, asset = accounts.pools, market.quote
    if asset not in pools.backers:
        return
    wanted = pools.of_profit(account, market) if account.profit_in else None
    if wanted is not None and gained > 0:
        units = min(gained, account.totals[asset])
        bought = wanted.bought(max(0, units))
        if bought:
            _exchange(accounts, told, account, asset, units, wanted.asset, bought, wanted.spread, now)
    if account.totals[asset] < 0:
        _cover(accounts, told, account, asset, now)


def _cover(accounts: Accounts, told: Told, account: Account, asset: str, now: datetime) -> None:
    """Sell other assets until nothing of *asset* is owed, or nothing is left."""
    for collateral in accounts.pools.backers[asset]:
        owed, has = -account.totals[asset], account.totals.get(collateral.asset, 0)
        if owed <= 0:
            return
        units = min(has, collateral.needed(owed))
        gross = collateral.value(units)
        if units > 0 and gross > 0:
            _exchange(accounts, told, account, collateral.asset, units, asset, gross, collateral.spread, now)


def _exchange(
    accounts: Accounts,
    told: Told,
    account: Account,
    sold: str,
    units: int,
    bought: str,
    gross: int,
    spread: int,
    now: datetime,
) -> None:
    """Book a conversion: *units* go, *gross* less its cost comes."""
    reference = accounts.new_id()
    for asset, amount, fee in ((sold, -units, 0), (bought, gross, ceil_div(gross * spread, RATE))):
        accounts.exchanged[asset] -= amount
        account.exchanged[asset] = account.exchanged.get(asset, 0) + amount
        told.entry(accounts.book(account, asset, amount, fee=fee, kind=CONVERSION, reference=reference, now=now))
