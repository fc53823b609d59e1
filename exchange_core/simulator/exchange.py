"""The simulated exchange: takes orders, matches them, keeps accounts, and tells every listener what happened.

Venue-neutral and without I/O: a venue's wire protocol stands on top of it (see ``exchange_core.connector.simulation``),
a clock tells the time, and all randomness comes from one seeded generator, so that the same requests at the same times
give the same ids, events and sums. Nothing here waits: what is due is done by :meth:`SimulatedExchange.step`, and
before anything else that changes something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple, Self

from exchange_core.clock import Clock
from exchange_core.connector.simulation import (
    EndReason,
    Refusal,
    SimAmendment,
    SimEvent,
    SimKey,
    SimMarket,
    SimOrder,
    SimRefused,
    SimRequest,
    SimulatorSpec,
)
from exchange_core.errors import InvalidValue
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine import amending, invariants, saving
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.admission import admit
from exchange_core.simulator.engine.clockwork import Clockwork
from exchange_core.simulator.engine.collateral import Pools
from exchange_core.simulator.engine.desk import Desk
from exchange_core.simulator.engine.market import MarketState, kept_decimals
from exchange_core.simulator.engine.orders import LiveOrder
from exchange_core.simulator.engine.owners import Owners
from exchange_core.simulator.engine.reducing import fit
from exchange_core.simulator.engine.settlement import Settlement
from exchange_core.simulator.engine.settling import settle
from exchange_core.simulator.engine.timers import Due, Timers
from exchange_core.simulator.engine.units import rate
from exchange_core.simulator.engine.volumes import VolumeUnit

_LONGEST = 366 * 24 * 3600  # of a dead man's switch, in seconds
_MOMENT = timedelta(milliseconds=10)

Listener = Callable[[SimEvent], None]


class Parts(NamedTuple):
    """What an exchange is made of, for those who look at all of it."""

    markets: dict[Symbol, MarketState]
    accounts: Accounts
    settlement: Settlement
    timers: Timers
    desk: Desk


class SimulatedExchange(Owners):
    """Implements ``SimExchange``; beside it, accounts and keys are added and prices set here.

    Attributes:
        volume_asset: What 30-day volumes are counted in.
        nonces: The last one of each API key.
        tiers: Of accounts whose limits are other than the usual, in the venue's words.
        state: What the venue as a whole takes; in maintenance nothing becomes due.
        skew: How far its time is ahead of its clock.
    """

    def __init__(
        self, spec: SimulatorSpec, *, seed: int, clock: Clock, markets: Sequence[SimMarket] | None = None
    ) -> None:
        """Args:
        markets: What is traded; the spec's markets unless given.
        """
        self.spec = spec
        self.clock = clock
        self.state = VenueState.ONLINE
        self.skew = timedelta(0)
        self.random = Random(seed)
        self._assets = tuple(spec.assets)
        listed = list(spec.markets if markets is None else markets)
        decimals = kept_decimals({asset.code: asset.decimals for asset in self._assets}, listed)
        now = self.now()
        self._markets = {market.instrument.symbol: MarketState(market, decimals, now) for market in listed}
        volumes = VolumeUnit(listed)
        self.volume_asset = volumes.asset
        pools = Pools(spec.collateral, self._markets, decimals)
        self._accounts = Accounts(decimals, self._new_fill_id, pools)
        self._settlement = Settlement(self._accounts, volumes, self._new_fill_id)
        self._timers = Timers()
        self._desk = Desk(self._markets, self._accounts, self._settlement, self._timers, self._new_order_id)
        self._clockwork = Clockwork(self._desk, self._timers, now)
        self.parts = Parts(self._markets, self._accounts, self._settlement, self._timers, self._desk)
        self._keys: dict[str, SimKey] = {}
        self.nonces: dict[str, int] = {}
        self.tiers: dict[str, str] = {}
        self._listeners: list[Listener] = []
        self._is_one = False
        self._watched: datetime | None = None

    # Orders

    def place(self, account: str, request: SimRequest, *, validate: bool = False) -> SimOrder:
        now = self._begin()
        owner, market = self._accounts[account], self._market(request.symbol)
        live, plan = admit(self._accounts, owner, market, request, self._desk.rates(owner, market, now), now)
        if validate:
            return live.order
        self._desk.accept(owner, live, plan, now)
        self._finish(now)
        return live.order

    def cancel(self, account: str, order_id: str, reason: str = EndReason.USER) -> SimOrder:
        now = self._begin()
        owner, live = self._open_order(account, order_id)
        self._desk.cancel(owner, live, now, reason)
        self._finish(now)
        return live.order

    def amend(self, account: str, order_id: str, amendment: SimAmendment) -> SimOrder:
        now = self._begin()
        owner, live = self._open_order(account, order_id)
        amending.amend(self._desk, owner, live, amendment, now)
        self._finish(now)
        return live.order

    def replace(self, account: str, order_id: str, request: SimRequest, *, validate: bool = False) -> SimOrder:
        now = self._begin()
        owner, live = self._open_order(account, order_id)
        market = self._market(request.symbol)
        order = amending.replace(self._desk, owner, live, market, request, now, validate=validate)
        if not validate:
            self._finish(now)
        return order

    def settle(self, account: str, symbol: Symbol, quantity: Decimal | None = None) -> Decimal:
        now = self._begin()
        owner, market = self._accounts[account], self._market(symbol)
        settled = settle(self._accounts, self._settlement.told, owner, market, quantity, now)
        fit(self._settlement, market, [account], now)
        self._finish(now)
        return settled

    def cancel_all_after(self, account: str, seconds: float | None) -> datetime | None:
        now = self._begin()
        owner = self._accounts[account]
        if seconds is not None and not 0 <= seconds <= _LONGEST:
            raise SimRefused(Refusal.INVALID_TIME, f"{seconds} seconds are not between 0 and {_LONGEST}")
        owner.dead_man = None if seconds is None else now + timedelta(seconds=seconds)
        if owner.dead_man is not None:
            self._timers.add(owner.dead_man, Due.DEAD_MAN, account)
        return owner.dead_man

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all that is asked for inside count as one request: what it sets off and what is told of it come last."""
        self._begin()
        self._is_one = True
        try:
            yield
        finally:
            self._is_one = False
            self._finish(self.now())

    # Time and prices

    def step(self) -> None:
        if self.state is VenueState.MAINTENANCE:
            return
        now = self.now()
        self._clockwork.run(now)
        # Before every request there is a step; accounts and prices need no look a thousand times a second.
        if self._watched is None or not timedelta(0) < now - self._watched < _MOMENT:
            self._clockwork.watch(now)
            self._watched = now
        self._tell()

    def set_index(self, symbol: Symbol, price: Decimal | None) -> None:
        """Let the index price of a market be *price*; None lets it be the mark price again."""
        market = self._measured(symbol)
        market.prices.set_index = None if price is None else market.micro(price)

    def set_mark(self, symbol: Symbol, price: Decimal | None) -> None:
        """Let the mark price of a market be *price*; None lets it be the middle of the book again."""
        market = self._measured(symbol)
        market.prices.set_mark = None if price is None else market.micro(price)

    def set_rate(self, asset: str, price: Decimal) -> None:
        """Let an asset that backs positions, and that no market prices, be worth *price* of their settlement asset."""
        collateral = self._accounts.pools.by_asset.get(asset)
        if collateral is None or collateral.setting.market is not None:
            raise InvalidValue(f"{asset} is no collateral with a price of its own")
        if not price.is_finite() or price < 0:
            raise InvalidValue(f"{asset}: {price} is no price")
        collateral.price, self._watched = price, None

    def set_funding(self, symbol: Symbol, relative: Decimal) -> None:
        """Let a perpetual's hour have this rate from now on, as a fraction of the index price."""
        funding = self._market(symbol).funding
        if funding is None:
            raise InvalidValue(f"{symbol} is no perpetual")
        funding.set_rate(rate(relative, f"{symbol} funding"), self._begin())

    def set_status(self, symbol: Symbol, status: InstrumentStatus) -> None:
        """Let a market take what *status* says from now on."""
        self._market(symbol).set_status(status)

    def force_status(self, symbol: Symbol, status: InstrumentStatus | None) -> None:
        """Let a market take what *status* says, until None lets it be as it is by itself; this is not saved."""
        self._market(symbol).force_status(status)

    def save(self) -> dict[str, Any]:
        """Return the whole state as one JSON-able value; see :mod:`exchange_core.simulator.engine.saving`."""
        return saving.save(self)

    @classmethod
    def restore(
        cls,
        spec: SimulatorSpec,
        saved: Mapping[str, Any],
        *,
        clock: Clock,
        markets: Sequence[SimMarket] | None = None,
    ) -> Self:
        """Return an exchange that goes on where a saved one was, with the same markets; keys are to be added anew.

        What became due meanwhile is done at the first step, as of the moments when it was due.

        Raises:
            InvalidValue: The state is of another format or of other markets.
        """
        exchange = cls(spec, seed=0, clock=clock, markets=markets)
        saving.load(exchange, saved)
        return exchange

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

    def _measured(self, symbol: Symbol) -> MarketState:
        """Return a market whose prices are about to be set, and to be looked at again."""
        market = self._market(symbol)
        if market.funding is not None:
            market.funding.measure(self.now())
        self._watched = None
        return market

    def _begin(self) -> datetime:
        """Do first what is due by now."""
        now = self.now()
        if self._timers.is_due(now) and self.state is not VenueState.MAINTENANCE:
            self._clockwork.run(now)
            self._tell()
        return now

    def _finish(self, now: datetime) -> None:
        if self._is_one:
            return
        self._desk.carry_on(now)
        self._tell()

    def _tell(self) -> None:
        """Give every event of this request to every listener; those that come or go meanwhile count from the next."""
        events = self._settlement.told.take()
        listeners = tuple(self._listeners)
        for event in events:
            for listener in listeners:
                listener(event)

    def _open_order(self, account: str, order_id: str) -> tuple[Account, LiveOrder]:
        owner = self._accounts[account]
        live = owner.open.get(order_id)
        if live is None:
            raise SimRefused(Refusal.UNKNOWN_ORDER, order_id)
        return owner, live

    def _new_order_id(self) -> str:
        while (order_id := self.spec.order_id(self.random)) in self._settlement.orders:
            pass
        return order_id

    def _new_fill_id(self) -> str:
        while (fill_id := self.spec.fill_id(self.random)) in self._settlement.fills:
            pass
        return fill_id
