"""An account's money as the venue sorts it: one multi-collateral wallet, and one wallet for each inverse pair.

Linear contracts are backed by the flex wallet, inverse ones by the wallet of their base coin; the two never mix.
See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimBalance, SimExchange, SimPosition
from kraken_futures.simulator.contracts import MARGIN, Contract, Contracts, old_code

_ZERO = Decimal(0)


@attrs.frozen(kw_only=True)
class Held:
    """A position and what it is worth now, in its settlement asset."""

    contract: Contract
    position: SimPosition
    mark: Decimal

    @property
    def profit(self) -> Decimal:
        return self.contract.profit(self.position.quantity, self.position.entry_price, self.mark)

    @property
    def margin(self) -> Decimal:
        """Return its initial margin: linear contracts count at their entry, inverse ones at the mark price."""
        price = self.mark if self.contract.symbol.is_inverse else self.position.entry_price
        return abs(self.contract.value(self.position.quantity, price)) * MARGIN


@attrs.frozen(kw_only=True)
class Wallet:
    """One asset's part of an account, and the positions that it backs.

    Attributes:
        usd: Price of one unit in US dollars.
    """

    asset: str
    total: Decimal
    held: Decimal
    usd: Decimal
    positions: tuple[Held, ...]

    @property
    def code(self) -> str:
        return old_code(self.asset)

    @property
    def profit(self) -> Decimal:
        return sum((each.profit for each in self.positions), _ZERO)

    @property
    def margin(self) -> Decimal:
        return sum((each.margin for each in self.positions), _ZERO)

    @property
    def free(self) -> Decimal:
        return self.total - self.held


@attrs.frozen(kw_only=True)
class Wallets:
    """All of an account: the assets of the flex wallet, and the single-collateral ones."""

    flex: tuple[Wallet, ...]
    single: tuple[Wallet, ...]

    @staticmethod
    def of(exchange: SimExchange, contracts: Contracts, account: str) -> Wallets:
        positions = positions_of(exchange, contracts, account)
        inverse = {contract.settle for contract in contracts if contract.symbol.is_inverse}
        found = [_wallet(exchange, contracts, balance, positions) for balance in exchange.balances(account)]
        return Wallets(
            flex=tuple(wallet for wallet in found if wallet.asset not in inverse),
            single=tuple(wallet for wallet in found if wallet.asset in inverse),
        )

    @property
    def balance_value(self) -> Decimal:
        """Return what the flex wallet is worth in US dollars."""
        return sum((wallet.total * wallet.usd for wallet in self.flex), _ZERO)

    @property
    def profit(self) -> Decimal:
        return sum((wallet.profit * wallet.usd for wallet in self.flex), _ZERO)

    @property
    def margin(self) -> Decimal:
        return sum((wallet.margin * wallet.usd for wallet in self.flex), _ZERO)

    @property
    def margin_with_orders(self) -> Decimal:
        return sum((wallet.held * wallet.usd for wallet in self.flex), _ZERO)


def positions_of(exchange: SimExchange, contracts: Contracts, account: str) -> tuple[Held, ...]:
    return tuple(
        Held(contract=contracts.of(each.symbol), position=each, mark=exchange.mark_price(each.symbol))
        for each in exchange.positions(account)
    )


def _wallet(exchange: SimExchange, contracts: Contracts, balance: SimBalance, positions: Sequence[Held]) -> Wallet:
    return Wallet(
        asset=balance.asset,
        total=balance.total,
        held=balance.held,
        usd=_usd_price(exchange, contracts, balance.asset),
        positions=tuple(each for each in positions if each.contract.settle == balance.asset),
    )


def _usd_price(exchange: SimExchange, contracts: Contracts, asset: str) -> Decimal:
    if asset == "USD":
        return Decimal(1)
    priced = [each for each in contracts if each.symbol.base == asset and each.symbol.quote == "USD"]
    return exchange.mark_price(priced[0].symbol) if priced else _ZERO
