"""The simulated exchange: takes orders, matches them, keeps accounts, and tells every listener what happened.

Venue-neutral and without I/O: a venue's wire protocol stands on top of it (see ``exchange_core.connector.simulation``),
a clock tells the time, and all randomness comes from one seeded generator, so that the same requests at the same times
give the same ids, events and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import TypeVar, cast

from exchange_core.clock import Clock
from exchange_core.connector.simulation import (
    Refusal,
    SimAmendment,
    SimBalance,
    SimEvent,
    SimFill,
    SimFunding,
    SimKey,
    SimLedgerEntry,
    SimMargin,
    SimMarket,
    SimOrder,
    SimPosition,
    SimRefused,
    SimRequest,
    SimTrade,
    SimulatorSpec,
)
from exchange_core.errors import InvalidValue
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.market import Candle, Level
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator import invariants
from exchange_core.simulator.accounts import Account, Accounts, LiveOrder
from exchange_core.simulator.admission import admit
from exchange_core.simulator.market import MarketState, kept_decimals
from exchange_core.simulator.matching import Resting
from exchange_core.simulator.settlement import Settlement
from exchange_core.simulator.units import to_units

Listener = Callable[[SimEvent], None]
T = TypeVar("T")


class SimulatedExchange:
    """Implements ``SimExchange``; beside it, :meth:`add_account` and :meth:`add_key`."""

    def __init__(
        self, spec: SimulatorSpec, *, seed: int, clock: Clock, markets: Sequence[SimMarket] | None = None
    ) -> None:
        """Args:
        markets: What is traded; the spec's markets unless given.
        """
        self.spec = spec
        self.clock = clock
        self.random = Random(seed)
        self._assets = tuple(spec.assets)
        listed = list(spec.markets if markets is None else markets)
        decimals = kept_decimals({asset.code: asset.decimals for asset in self._assets}, listed)
        self._markets = {market.instrument.symbol: MarketState(market, decimals) for market in listed}
        self._accounts = Accounts(decimals, self._new_fill_id)
        self._settlement = Settlement(self._accounts, self._new_fill_id)
        self._keys: dict[str, SimKey] = {}
        self._nonces: dict[str, int] = {}
        self._listeners: list[Listener] = []
        self._kept: dict[tuple[str, ...], object] = {}
        self.volume_asset = listed[0].instrument.symbol.quote if listed else ""

    # Markets

    def now(self) -> datetime:
        return self.clock.now()

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

    def trades(self, symbol: Symbol) -> Sequence[SimTrade]:
        return list(self._market(symbol).tape.trades)

    def candles(self, symbol: Symbol, interval: int) -> Sequence[Candle]:
        return self._market(symbol).tape.candles(interval, self.now())

    def mark_price(self, symbol: Symbol) -> Decimal:
        return self._market(symbol).mark_price()

    def index_price(self, symbol: Symbol) -> Decimal:
        return self.mark_price(symbol)

    def funding(self, symbol: Symbol) -> Sequence[SimFunding]:
        return []

    def queue(self, symbol: Symbol) -> tuple[list[SimOrder], list[SimOrder]]:
        market = self._market(symbol)
        sides: dict[Side, list[SimOrder]] = {Side.BUY: [], Side.SELL: []}
        for resting in market.book:
            sides[resting.side].append(self._settlement.orders[resting.id])
        return sides[Side.BUY], sides[Side.SELL]

    # Accounts and keys

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
            amounts[asset] = to_units(amount, decimals[asset], f"deposit of {asset}")
            if amounts[asset] < 0:
                raise InvalidValue(f"deposit of {asset}: {amount} is below zero")
        if api_key in self._keys:
            raise InvalidValue("the simulated exchange already has this api_key")
        account = Account(name=name, keep=keep)
        self._accounts.add(account)
        if api_key:
            self.add_key(name, api_key, api_secret, permissions)
        for asset, units in amounts.items():
            self._settlement.booked(self._accounts.deposit(account, asset, units, self.now()))
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
        if nonce <= self._nonces.get(api_key, -1):
            return False
        self._nonces[api_key] = nonce
        return True

    def balances(self, account: str) -> Sequence[SimBalance]:
        return self._accounts.balances(self._accounts[account])

    def book_money(
        self, account: str, asset: str, amount: Decimal, *, kind: str, fee: Decimal = Decimal(0), reference: str = ""
    ) -> SimLedgerEntry:
        owner = self._accounts[account]
        decimals = self._accounts.decimals.get(asset)
        if decimals is None:
            raise SimRefused(Refusal.INVALID_QUANTITY, f"no asset {asset}")
        units, cost = to_units(amount, decimals, f"amount of {asset}"), to_units(fee, decimals, f"fee in {asset}")
        if units - cost < 0 and owner.free(asset) + units - cost < 0:
            raise SimRefused(Refusal.INSUFFICIENT_FUNDS, asset)
        entry = self._accounts.move(owner, asset, units, kind=kind, fee=cost, reference=reference, now=self.now())
        self._settlement.booked(entry)
        self._tell()
        return entry

    def ledger(self, account: str) -> Sequence[SimLedgerEntry]:
        return list(self._accounts[account].ledger)

    def positions(self, account: str) -> Sequence[SimPosition]:
        return [exposure.position() for exposure in self._accounts[account].exposures.values() if exposure.lots]

    def margins(self, account: str) -> Sequence[SimMargin]:
        return []

    def volume(self, account: str) -> Decimal:
        return Decimal(0)

    def fees(self, account: str, symbol: Symbol) -> FeeRates:
        return self._market(symbol).market.fees

    def kept(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        if key not in self._kept:
            self._kept[key] = make()
        return cast(T, self._kept[key])

    # Orders

    def place(self, account: str, request: SimRequest, *, validate: bool = False) -> SimOrder:
        owner = self._accounts[account]
        market = self._market(request.symbol)
        now = self.now()
        intent, plan = admit(owner, market, request, now, self._reducible(market))
        order = SimOrder(
            id="" if validate else self._new_order_id(),
            account=account,
            request=request,
            status=OrderStatus.PENDING,
            created=now,
            updated=now,
            fee_asset=market.quote,
        )
        if validate:
            return order
        resting = Resting(
            id=order.id,
            owner=account,
            side=request.side,
            price=intent.price or 0,
            remaining=intent.lots,
            reduce_only=request.reduce_only,
        )
        live = LiveOrder(order=order, market=market, resting=resting, lots=intent.lots)
        self._settlement.execute(owner, live, plan, now)
        self._tell()
        return order

    def cancel(self, account: str, order_id: str, reason: str = "User requested") -> SimOrder:
        owner = self._accounts[account]
        live = owner.open.get(order_id)
        if live is None:
            raise SimRefused(Refusal.UNKNOWN_ORDER, order_id)
        self._settlement.cancel(owner, live, reason, self.now())
        self._tell()
        return live.order

    def amend(self, account: str, order_id: str, amendment: SimAmendment) -> SimOrder:
        raise SimRefused(Refusal.NOT_AMENDABLE, order_id)

    def replace(self, account: str, order_id: str, request: SimRequest, *, validate: bool = False) -> SimOrder:
        raise SimRefused(Refusal.NOT_AMENDABLE, order_id)

    def cancel_all_after(self, account: str, seconds: float | None) -> datetime | None:
        raise SimRefused(Refusal.INVALID_TIME, account)

    def step(self) -> None:
        """Nothing is due yet."""

    def settle(self, account: str, symbol: Symbol, quantity: Decimal | None = None) -> Decimal:
        raise SimRefused(Refusal.WOULD_NOT_REDUCE, f"no margin position in {symbol}")

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

    # Listeners

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def check_invariants(self) -> None:
        """Compare everything that is kept twice; for tests.

        Raises:
            AssertionError: Says what does not agree.
        """
        invariants.check(list(self._markets.values()), self._accounts, self._settlement)

    def _tell(self) -> None:
        """Give every event of this request to every listener; those that come or go meanwhile count from the next."""
        events, self._settlement.events = self._settlement.events, []
        listeners = tuple(self._listeners)
        for event in events:
            for listener in listeners:
                listener(event)

    def _market(self, symbol: Symbol) -> MarketState:
        try:
            return self._markets[symbol]
        except KeyError:
            raise SimRefused(Refusal.UNKNOWN_MARKET, str(symbol)) from None

    def _reducible(self, market: MarketState) -> Callable[[str, Side], int] | None:
        if market.is_spot:
            return None
        return lambda owner, side: self._accounts[owner].exposure(market).reducible(side)

    def _new_order_id(self) -> str:
        while (order_id := self.spec.order_id(self.random)) in self._settlement.orders:
            pass
        return order_id

    def _new_fill_id(self) -> str:
        while (fill_id := self.spec.fill_id(self.random)) in self._settlement.fills:
            pass
        return fill_id
