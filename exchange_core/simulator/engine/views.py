"""What can be asked of the simulated exchange; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from exchange_core.clock import Clock
from exchange_core.connector.simulation import (
    Refusal,
    SimBalance,
    SimCollateral,
    SimCollateralValue,
    SimFill,
    SimFunding,
    SimLedgerEntry,
    SimMargin,
    SimMarket,
    SimOrder,
    SimPosition,
    SimRefused,
    SimTrade,
)
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.market import Candle, Level
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.accounts import Accounts
from exchange_core.simulator.engine.backing import collateral_values, margins
from exchange_core.simulator.engine.desk import Desk
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.settlement import Settlement
from exchange_core.simulator.engine.units import to_decimal


class Views:
    """The questions of ``SimExchange``."""

    clock: Clock
    skew: timedelta
    _assets: tuple[Asset, ...]
    _markets: Mapping[Symbol, MarketState]
    _accounts: Accounts
    _settlement: Settlement
    _desk: Desk

    def now(self) -> datetime:
        return self.clock.now() + self.skew

    def markets(self) -> Sequence[SimMarket]:
        return [state.market for state in self._markets.values()]

    def market(self, symbol: Symbol) -> SimMarket:
        return self._market(symbol).market

    def assets(self) -> Sequence[Asset]:
        return self._assets

    def book(self, symbol: Symbol, depth: int | None = None) -> tuple[list[Level], list[Level]]:
        market = self._market(symbol)
        bids, asks = (
            [Level(market.price(price), market.quantity(lots)) for price, lots in market.book.levels(side, depth)]
            for side in (Side.BUY, Side.SELL)
        )
        return bids, asks

    def queue(self, symbol: Symbol) -> tuple[list[SimOrder], list[SimOrder]]:
        sides: dict[Side, list[SimOrder]] = {Side.BUY: [], Side.SELL: []}
        for resting in self._market(symbol).book:
            sides[resting.side].append(self._settlement.orders[resting.id])
        return sides[Side.BUY], sides[Side.SELL]

    def trades(self, symbol: Symbol) -> Sequence[SimTrade]:
        return list(self._market(symbol).tape.trades)

    def trade_count(self, symbol: Symbol) -> int:
        """Return how many trades there ever were."""
        return self._market(symbol).tape.count

    def candles(self, symbol: Symbol, interval: int) -> Sequence[Candle]:
        return self._market(symbol).tape.candles(interval, self.now())

    def mark_price(self, symbol: Symbol) -> Decimal:
        return self._market(symbol).mark_price()

    def index_price(self, symbol: Symbol) -> Decimal:
        market = self._market(symbol)
        return market.price_of(market.prices.index())

    def settlement_price(self, symbol: Symbol) -> Decimal | None:
        market = self._market(symbol)
        return None if market.settled_at is None else market.price(market.settled_at)

    def open_interest(self, symbol: Symbol) -> Decimal:
        exposures = [account.exposures.get(symbol) for account in self._accounts]
        lots = sum(max(0, each.lots) for each in exposures if each is not None)
        return self._market(symbol).quantity(lots)

    def funding(self, symbol: Symbol) -> Sequence[SimFunding]:
        funding = self._market(symbol).funding
        return [] if funding is None else funding.told()

    def balances(self, account: str) -> Sequence[SimBalance]:
        return self._accounts.balances(self._accounts[account])

    def ledger(self, account: str) -> Sequence[SimLedgerEntry]:
        return list(self._accounts[account].ledger)

    def positions(self, account: str) -> Sequence[SimPosition]:
        now = self.now()
        found = []
        for exposure in self._accounts[account].exposures.values():
            if exposure.lots:
                exposure.accrue(now)
                found.append(exposure.position())
        return found

    def margins(self, account: str) -> Sequence[SimMargin]:
        return margins(self._accounts, self._accounts[account], self.now())

    def collateral_assets(self) -> Sequence[SimCollateral]:
        return [each.setting for each in self._accounts.pools.by_asset.values()]

    def collateral(self, account: str) -> Sequence[SimCollateralValue]:
        return collateral_values(self._accounts, self._accounts[account], self.now())

    def volume(self, account: str) -> Decimal:
        return self._accounts[account].volume.at(self.now())

    def fees(self, account: str, symbol: Symbol) -> FeeRates:
        rates = self._desk.rates(self._accounts[account], self._market(symbol), self.now())
        return FeeRates(maker=to_decimal(rates.maker, 12), taker=to_decimal(rates.taker, 12))

    def open_orders(self, account: str) -> Sequence[SimOrder]:
        return [live.order for live in self._accounts[account].open.values()]

    def closed_orders(self, account: str) -> Sequence[SimOrder]:
        return list(reversed(self._accounts[account].closed))

    def order(self, account: str, order_id: str) -> SimOrder | None:
        found = self._settlement.orders.get(order_id)
        return found if found is not None and found.account == account else None

    def fills(self, account: str) -> Sequence[SimFill]:
        return list(self._accounts[account].fills)

    def fill(self, fill_id: str) -> SimFill | None:
        return self._settlement.fills.get(fill_id)

    def _market(self, symbol: Symbol) -> MarketState:
        try:
            return self._markets[symbol]
        except KeyError:
            raise SimRefused(Refusal.UNKNOWN_MARKET, str(symbol)) from None
