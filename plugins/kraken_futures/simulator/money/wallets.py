"""An account's money as the venue sorts it: one multi-collateral wallet, and one wallet for each inverse pair.

Linear contracts are backed by all currencies of the flex wallet, inverse ones by the wallet of their base coin; the two
never mix.
See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimBalance, SimExchange, SimMargin, SimPosition
from kraken_futures.simulator.markets.contracts import Contract, Contracts, old_code

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

    def liquidation_price(self, spare: Decimal) -> Decimal:
        """Return the mark price at which its wallet would be worth no more than it must be; 0 for none.

        All else in the wallet stays as it is.

        Args:
            spare: What the wallet is worth beyond its maintenance margin.
        """
        quantity = self.position.quantity * self.contract.instrument.contract_size
        if not self.contract.symbol.is_inverse:
            return max(_ZERO, self.mark - spare / quantity)
        # What the wallet is worth beside this position, and its own part at a price p: size x (1/entry - 1/p).
        rate = self.position.maintenance / self.value
        without = spare - self.position.unrealised + self.position.maintenance
        below = without + quantity / self.position.entry_price
        return max(_ZERO, (quantity + abs(quantity) * rate) / below) if below else _ZERO


@attrs.frozen(kw_only=True)
class Wallet:
    """A single-collateral wallet, and the positions that it backs.

    Attributes:
        usd: Price of one unit in US dollars.
        margin: What backs the positions; all zero without any.
    """

    asset: str
    total: Decimal
    usd: Decimal
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
    def spare(self) -> Decimal:
        return self.equity - self.margin.maintenance


@attrs.frozen(kw_only=True)
class Coin:
    """One currency of the multi-collateral wallet; *value* and *collateral* are in US dollars.

    Attributes:
        collateral: What counts of the value as margin.
        available: What may leave now, in the currency.
    """

    asset: str
    total: Decimal
    value: Decimal
    collateral: Decimal
    available: Decimal
    haircut: Decimal
    spread: Decimal

    @property
    def code(self) -> str:
        return old_code(self.asset)


@attrs.frozen(kw_only=True)
class Flex:
    """The multi-collateral wallet; sums are in US dollars.

    Attributes:
        profit: Not booked yet; as *funding*.
        as_margin: What of both counts as margin.
    """

    coins: tuple[Coin, ...]
    positions: tuple[Held, ...]
    profit: Decimal
    funding: Decimal
    as_margin: Decimal
    initial: Decimal
    orders: Decimal
    maintenance: Decimal

    @property
    def balance_value(self) -> Decimal:
        return sum((coin.value for coin in self.coins), _ZERO)

    @property
    def collateral_value(self) -> Decimal:
        return sum((coin.collateral for coin in self.coins), _ZERO)

    @property
    def unrealised(self) -> Decimal:
        return self.profit + self.funding

    @property
    def portfolio_value(self) -> Decimal:
        return self.balance_value + self.unrealised

    @property
    def equity(self) -> Decimal:
        """Return what backs its positions and orders."""
        return self.collateral_value + self.as_margin

    @property
    def with_orders(self) -> Decimal:
        return self.initial + self.orders

    @property
    def available(self) -> Decimal:
        return self.equity - self.with_orders

    @property
    def spare(self) -> Decimal:
        return self.equity - self.maintenance


@attrs.frozen(kw_only=True)
class Wallets:
    """All of an account: the flex wallet, and the single-collateral ones."""

    flex: Flex
    single: tuple[Wallet, ...]

    @staticmethod
    def of(exchange: SimExchange, contracts: Contracts, account: str) -> Wallets:
        positions = positions_of(exchange, contracts, account)
        margins = {margin.asset: margin for margin in exchange.margins(account)}
        prices = _Prices(exchange, contracts, account)
        found = exchange.balances(account)
        return Wallets(
            flex=_flex(
                contracts, positions, margins, [prices.coin(each) for each in found if prices.is_flex(each)], prices
            ),
            single=tuple(
                Wallet(
                    asset=balance.asset,
                    total=balance.total,
                    usd=prices.usd(balance.asset),
                    margin=margins.get(balance.asset) or _no_margin(balance),
                    positions=tuple(each for each in positions if each.contract.settle == balance.asset),
                )
                for balance in found
                if not prices.is_flex(balance)
            ),
        )


class _Prices:
    """What an account's assets are worth in dollars, as collateral and otherwise."""

    def __init__(self, exchange: SimExchange, contracts: Contracts, account: str) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._told = {each.asset: each for each in exchange.collateral(account)}
        self._settled_in = {contract.settle for contract in contracts}

    def is_flex(self, balance: SimBalance) -> bool:
        return balance.asset not in self._contracts.inverse_coins

    def usd(self, asset: str) -> Decimal:
        if asset == "USD":
            return Decimal(1)
        if asset in self._told:
            return self._told[asset].price
        priced = [each for each in self._contracts if each.symbol.base == asset and each.symbol.quote == "USD"]
        return self._exchange.index_price(priced[0].symbol) if priced else _ZERO

    def coin(self, balance: SimBalance) -> Coin:
        """Return an asset of the flex wallet; what backs nothing has a haircut of all of it."""
        told = self._told.get(balance.asset)
        if told is not None:
            return Coin(
                asset=told.asset,
                total=told.total,
                value=told.value,
                collateral=told.collateral,
                available=told.available,
                haircut=told.haircut,
                spread=told.spread,
            )
        value, backs = balance.total * self.usd(balance.asset), balance.asset in self._settled_in
        return Coin(
            asset=balance.asset,
            total=balance.total,
            value=value,
            collateral=value if backs else _ZERO,
            available=balance.total - balance.held,
            haircut=Decimal(not backs),
            spread=_ZERO,
        )


def _flex(
    contracts: Contracts,
    positions: Iterable[Held],
    margins: Mapping[str, SimMargin],
    coins: Iterable[Coin],
    prices: _Prices,
) -> Flex:
    """Add up what the flex wallet's settlement assets, nearly always dollars alone, have and need."""
    backed = [(each, prices.usd(asset)) for asset, each in margins.items() if asset not in contracts.inverse_coins]

    def total(of: Callable[[SimMargin], Decimal]) -> Decimal:
        return sum((of(margin) * usd for margin, usd in backed), _ZERO)

    return Flex(
        coins=tuple(coins),
        positions=tuple(each for each in positions if not each.contract.symbol.is_inverse),
        profit=total(lambda each: each.unrealised),
        funding=total(lambda each: each.funding),
        as_margin=total(lambda each: each.equity - each.balance - each.collateral),
        initial=total(lambda each: each.initial),
        orders=total(lambda each: each.orders),
        maintenance=total(lambda each: each.maintenance),
    )


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
