"""Accounts of the simulated exchange, their keys, and money that comes from outside or leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from exchange_core.connector.simulation import Refusal, SimKey, SimLedgerEntry, SimRefused
from exchange_core.errors import InvalidValue
from exchange_core.model.number import exact
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.accounts import Account
from exchange_core.simulator.engine.backing import backing, may_leave
from exchange_core.simulator.engine.units import to_units
from exchange_core.simulator.engine.views import Views


class Owners(Views):
    """The part of ``SimExchange`` that is about who owns what."""

    nonces: dict[str, int]
    _keys: dict[str, SimKey]

    def _begin(self) -> datetime:
        raise NotImplementedError

    def _tell(self) -> None:
        raise NotImplementedError

    def add_account(
        self,
        name: str,
        deposits: Mapping[str, Decimal],
        api_key: str = "",
        api_secret: str = "",
        permissions: Iterable[str] = (),
        *,
        keep: int | None = None,
    ) -> None:
        """Open an account, with a key if *api_key* is given.

        Args:
            permissions: The venue's own words; none means all.
            keep: How many finished orders, fills and ledger entries are kept; None keeps all.
        """
        decimals = self._accounts.decimals
        amounts: dict[str, int] = {}
        for asset, amount in deposits.items():
            if asset not in decimals:
                raise InvalidValue(f"deposit: {asset!r} is none of {', '.join(decimals)}")
            given: object = amount  # from programs that nobody checked
            money = given if isinstance(given, Decimal) else exact(given, f"deposit of {asset}")
            amounts[asset] = to_units(money, decimals[asset], f"deposit of {asset}")
            if amounts[asset] < 0:
                raise InvalidValue(f"deposit of {asset}: {amount} is below zero")
        if api_key in self._keys:
            raise InvalidValue("the simulated exchange already has this api_key")
        account = Account(name=name, keep=keep)
        self._accounts.add(account)
        if api_key:
            self.add_key(name, api_key, api_secret, permissions)
        for asset, units in amounts.items():
            self._settlement.told.entry(self._accounts.deposit(account, asset, units, self.now()))
        self._tell()

    def add_key(self, account: str, api_key: str, api_secret: str, permissions: Iterable[str] = ()) -> None:
        """Give an account one more key."""
        if api_key in self._keys:
            raise InvalidValue("the simulated exchange already has this api_key")
        self._keys[api_key] = SimKey(
            api_key=api_key,
            api_secret=api_secret,
            account=self._accounts[account].name,
            permissions=frozenset(permissions),
        )

    def key(self, api_key: str) -> SimKey | None:
        return self._keys.get(api_key)

    def accept_nonce(self, api_key: str, nonce: int) -> bool:
        if nonce <= self.nonces.get(api_key, -1):
            return False
        self.nonces[api_key] = nonce
        return True

    def book_money(
        self, account: str, asset: str, amount: Decimal, *, kind: str, fee: Decimal = Decimal(0), reference: str = ""
    ) -> SimLedgerEntry:
        owner = self._accounts[account]
        decimals = self._accounts.decimals.get(asset)
        if decimals is None:
            raise SimRefused(Refusal.INVALID_QUANTITY, f"no asset {asset}")
        units, cost = to_units(amount, decimals, f"amount of {asset}"), to_units(fee, decimals, f"fee in {asset}")
        now = self._begin()
        if units - cost < 0 and may_leave(self._accounts, owner, asset, now) + units - cost < 0:
            raise SimRefused(Refusal.INSUFFICIENT_FUNDS, asset)
        entry = self._accounts.move(owner, asset, units, kind=kind, fee=cost, reference=reference, now=now)
        self._settlement.told.entry(entry)
        self._tell()
        return entry

    def pay_profit_in(self, account: str, symbol: Symbol, asset: str | None) -> None:
        owner, market, now = self._accounts[account], self._market(symbol), self._begin()
        if asset == market.quote:
            asset = None
        collateral = self._accounts.pools.by_asset.get(asset or "")
        if asset is not None and (market.is_spot or collateral is None or collateral.settles != market.quote):
            raise SimRefused(Refusal.INVALID_QUANTITY, f"{asset} backs nothing of {symbol}")
        before = dict(owner.profit_in)
        owner.profit_in.pop(symbol, None)
        if asset is not None:
            owner.profit_in[symbol] = asset
        if not backing(self._accounts, owner, market.quote, now).is_enough:
            owner.profit_in = before
            raise SimRefused(Refusal.INSUFFICIENT_MARGIN, f"{asset} would not back the positions in {market.quote}")
