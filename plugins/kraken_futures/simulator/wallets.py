"""An account's money as the venue sorts it: one multi-collateral wallet, and one wallet for each inverse pair.

Linear contracts are backed by the flex wallet, inverse ones by the wallet of their base coin; the two never mix.
See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimBalance, SimExchange, SimMargin, SimPosition
from kraken_futures.simulator.contracts import Contract, Contracts, old_code

_ZERO = Decimal(0)


@attrs.frozen(kw_only=True)
class Held:
    """A position and what it is worth now; money is in its settlement asset."""

    contract: Contract
    position: SimPosition
    mark: Decimal
    index: Decimal

    @property
    def value(self) -> Decimal:
        """Return what it is worth at the mark price, above zero."""
        return abs(self.contract.value(self.position.quantity, self.mark))

    def liquidation_price(self, margin: SimMargin) -> Decimal:
        """Return the mark price at which its wallet would be worth no more than it must be; 0 for none.

        All else in the wallet stays as it is.
        """
        quantity = self.position.quantity * self.contract.instrument.contract_size
        spare = margin.equity - margin.maintenance
        if not self.contract.symbol.is_inverse:
            return max(_ZERO, self.mark - spare / quantity)
        # What the wallet is worth beside this position, and its own part at a price p: size x (1/entry - 1/p).
        rate = self.position.maintenance / self.value
        without = spare - self.position.unrealised + self.position.maintenance
        below = without + quantity / self.position.entry_price
        return max(_ZERO, (quantity + abs(quantity) * rate) / below) if below else _ZERO


@attrs.frozen(kw_only=True)
class Wallet:
    """One asset's part of an account, and the positions that it backs.

    Attributes:
        usd: Price of one unit in US dollars.
        backs: Whether there are contracts that it is the margin of.
        margin: What backs them; all zero without any.
    """

    asset: str
    total: Decimal
    held: Decimal
    usd: Decimal
    backs: bool
    margin: SimMargin
    positions: tuple[Held, ...]

    @property
    def code(self) -> str:
        return old_code(self.asset)

    @property
    def profit(self) -> Decimal:
        return self.margin.unrealised

    @property
    def funding(self) -> Decimal:
        return self.margin.funding

    @property
    def with_orders(self) -> Decimal:
        """Return the initial margin of positions and open orders."""
        return self.margin.initial + self.margin.orders

    @property
    def equity(self) -> Decimal:
        return self.total + self.profit + self.funding

    @property
    def value(self) -> Decimal:
        """Return what it is worth in US dollars."""
        return self.total * self.usd

    @property
    def collateral(self) -> Decimal:
        """Return what counts of that as margin. Open point: the venue's haircuts; it is all or nothing here."""
        return self.value if self.backs else _ZERO

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
        margins = {margin.asset: margin for margin in exchange.margins(account)}
        settled_in = {contract.settle for contract in contracts}
        found = [
            Wallet(
                asset=balance.asset,
                total=balance.total,
                held=balance.held,
                usd=_usd_price(exchange, contracts, balance.asset),
                backs=balance.asset in settled_in,
                margin=margins.get(balance.asset) or _no_margin(balance),
                positions=tuple(each for each in positions if each.contract.settle == balance.asset),
            )
            for balance in exchange.balances(account)
        ]
        return Wallets(
            flex=tuple(wallet for wallet in found if wallet.asset not in contracts.inverse_coins),
            single=tuple(wallet for wallet in found if wallet.asset in contracts.inverse_coins),
        )

    @property
    def balance_value(self) -> Decimal:
        """Return what the flex wallet is worth in US dollars."""
        return sum((wallet.value for wallet in self.flex), _ZERO)

    @property
    def collateral_value(self) -> Decimal:
        return sum((wallet.collateral for wallet in self.flex), _ZERO)

    @property
    def profit(self) -> Decimal:
        return self._sum("profit")

    @property
    def funding(self) -> Decimal:
        return self._sum("funding")

    @property
    def initial(self) -> Decimal:
        return self.with_orders - sum((each.margin.orders * each.usd for each in self.flex), _ZERO)

    @property
    def with_orders(self) -> Decimal:
        return self._sum("with_orders")

    @property
    def maintenance(self) -> Decimal:
        return sum((each.margin.maintenance * each.usd for each in self.flex), _ZERO)

    @property
    def equity(self) -> Decimal:
        """Return what backs the positions of the flex wallet."""
        return self.collateral_value + self.profit + self.funding

    def _sum(self, name: str) -> Decimal:
        return sum((getattr(wallet, name) * wallet.usd for wallet in self.flex), _ZERO)


def positions_of(exchange: SimExchange, contracts: Contracts, account: str) -> tuple[Held, ...]:
    return tuple(
        Held(
            contract=contracts.of(each.symbol),
            position=each,
            mark=exchange.mark_price(each.symbol),
            index=exchange.index_price(each.symbol),
        )
        for each in exchange.positions(account)
    )


def _no_margin(balance: SimBalance) -> SimMargin:
    return SimMargin(
        asset=balance.asset,
        balance=balance.total,
        unrealised=_ZERO,
        funding=_ZERO,
        initial=_ZERO,
        orders=_ZERO,
        maintenance=_ZERO,
    )


def _usd_price(exchange: SimExchange, contracts: Contracts, asset: str) -> Decimal:
    if asset == "USD":
        return Decimal(1)
    priced = [each for each in contracts if each.symbol.base == asset and each.symbol.quote == "USD"]
    return exchange.index_price(priced[0].symbol) if priced else _ZERO
