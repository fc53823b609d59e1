"""Who owns what: balances, what open orders keep back, the ledger, and each account's orders and fills.

All amounts are whole units of an asset's last decimal. What one account pays another gets; fees go to the house, which
is an account without orders; profits come from a clearing house, which also lends for margin trades and pays for the
bankrupt; conversions come from a stock that may be short; so every asset's sum stays what was once deposited.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import attrs

from exchange_core.connector.simulation import SimBalance, SimFill, SimLedgerEntry, SimOrder
from exchange_core.errors import InvalidValue
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.collateral import Pools
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.leverage import Leveraged
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.matching import Reducible
from exchange_core.simulator.engine.orders import LiveOrder
from exchange_core.simulator.engine.units import to_decimal
from exchange_core.simulator.engine.volumes import Volume


@attrs.define(kw_only=True)
class Account:
    """One account.

    Attributes:
        keep: How many finished orders, fills and ledger entries are kept; None keeps all.
        client_ids: Of its open orders.
        dead_man: When all its orders are cancelled unless it says otherwise.
        profit_in: What profits of a market are converted into, where that is not its settlement asset.
        exchanged: Units that conversions brought of each asset; below zero where they took some.
    """

    name: str
    keep: int | None = None
    totals: dict[str, int] = attrs.field(factory=dict)
    held: dict[str, int] = attrs.field(factory=dict)
    exposures: dict[Symbol, Exposure] = attrs.field(factory=dict)
    open: dict[str, LiveOrder] = attrs.field(factory=dict)
    client_ids: set[str] = attrs.field(factory=set)
    closed: deque[SimOrder] = attrs.field(factory=deque)
    fills: deque[SimFill] = attrs.field(factory=deque)
    ledger: deque[SimLedgerEntry] = attrs.field(factory=deque)
    volume: Volume = attrs.field(factory=Volume)
    dead_man: datetime | None = None
    profit_in: dict[Symbol, str] = attrs.field(factory=dict)
    exchanged: dict[str, int] = attrs.field(factory=dict)

    def free(self, asset: str) -> int:
        """Return the units that nothing keeps back."""
        return self.totals.get(asset, 0) - self.held.get(asset, 0)

    def hold(self, asset: str, units: int) -> None:
        """Keep back more (or less, below zero)."""
        self.held[asset] = self.held.get(asset, 0) + units

    def exposure(self, market: MarketState) -> Exposure:
        found = self.exposures.get(market.symbol)
        if found is None:
            kind = Leveraged if market.is_spot else Exposure
            found = self.exposures[market.symbol] = kind(market=market)
            if market.funding is not None:
                found.read = market.funding.reading
        return found

    def leveraged(self, market: MarketState) -> Leveraged:
        """Return its margin position of a spot market."""
        found = self.exposure(market)
        assert isinstance(found, Leveraged)
        return found

    def settle_margin(self, exposure: Exposure) -> None:
        """Keep back what *exposure* now needs."""
        needed = exposure.margin()
        self.hold(exposure.market.quote, needed - exposure.held)
        exposure.held = needed


class Accounts:
    """All accounts, and the money of the house."""

    def __init__(self, decimals: Mapping[str, int], new_id: Callable[[], str], pools: Pools) -> None:
        """Args:
        decimals: How many are kept, by asset.
        new_id: Makes the ids of ledger entries.
        pools: Which assets back positions beside their settlement asset.
        """
        self.pools = pools
        self.decimals = decimals
        self.deposited: dict[str, int] = dict.fromkeys(decimals, 0)
        self.fees: dict[str, int] = dict.fromkeys(decimals, 0)
        self.clearing: dict[str, int] = dict.fromkeys(decimals, 0)
        self.insurance: dict[str, int] = dict.fromkeys(decimals, 0)
        self.exchanged: dict[str, int] = dict.fromkeys(decimals, 0)
        self._by_name: dict[str, Account] = {}
        self.new_id = new_id

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_name.values())

    def __getitem__(self, name: str) -> Account:
        try:
            return self._by_name[name]
        except KeyError:
            raise InvalidValue(f"the simulated exchange has no account {name!r}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def reducible(self, market: MarketState) -> Reducible | None:
        """Return how to ask how far the market's orders that only reduce may be matched."""
        if not market.book.reducers:
            return None
        return lambda owner, side: self[owner].exposure(market).reducible(side)

    def add(self, account: Account) -> None:
        if account.name in self._by_name:
            raise InvalidValue(f"the simulated exchange already has an account {account.name!r}")
        self._by_name[account.name] = account

    def deposit(self, account: Account, asset: str, units: int, now: datetime) -> SimLedgerEntry:
        """Bring in money from outside."""
        self.deposited[asset] += units
        return self.book(account, asset, units, kind="deposit", reference=self.new_id(), now=now)

    def move(
        self, account: Account, asset: str, units: int, *, kind: str, fee: int, reference: str, now: datetime
    ) -> SimLedgerEntry:
        """Let money in from outside, or out; the house keeps *fee*."""
        self.deposited[asset] += units
        return self.book(account, asset, units, kind=kind, reference=reference or self.new_id(), now=now, fee=fee)

    def book(
        self,
        account: Account,
        asset: str,
        amount: int,
        *,
        kind: str,
        reference: str,
        now: datetime,
        fee: int = 0,
        symbol: Symbol | None = None,
    ) -> SimLedgerEntry:
        """Change a balance by *amount* less *fee*; the fee goes to the house."""
        balance = account.totals.get(asset, 0) + amount - fee
        account.totals[asset] = balance
        self.fees[asset] += fee
        decimals = self.decimals[asset]
        entry = SimLedgerEntry(
            id=self.new_id(),
            reference=reference,
            account=account.name,
            kind=kind,
            asset=asset,
            amount=to_decimal(amount, decimals),
            fee=to_decimal(fee, decimals),
            balance=to_decimal(balance, decimals),
            time=now,
            symbol=symbol,
        )
        account.ledger.append(entry)
        if account.keep is not None and len(account.ledger) > account.keep:
            account.ledger.popleft()
        return entry

    def balances(self, account: Account) -> list[SimBalance]:
        margin: dict[str, int] = {}
        for exposure in account.exposures.values():
            asset = exposure.market.quote
            margin[asset] = margin.get(asset, 0) + exposure.held
        return [
            SimBalance(
                asset=asset,
                total=to_decimal(units, self.decimals[asset]),
                held=to_decimal(account.held.get(asset, 0), self.decimals[asset]),
                margin=to_decimal(margin.get(asset, 0), self.decimals[asset]),
            )
            for asset, units in account.totals.items()
        ]
