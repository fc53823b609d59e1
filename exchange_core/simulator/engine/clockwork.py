"""What time does to the exchange: orders begin and end, funding is paid, contracts expire, switches fire.

Each thing is done as of the moment when it was due, however late someone looks.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from exchange_core.connector.simulation import EndReason, OrderEvent
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.side import Side
from exchange_core.simulator.engine.booking import book_settlement, pay_funding
from exchange_core.simulator.engine.desk import Desk
from exchange_core.simulator.engine.funding import HOUR
from exchange_core.simulator.engine.leverage import Leveraged
from exchange_core.simulator.engine.liquidation import liquidate
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.orders import Stage
from exchange_core.simulator.engine.prices import MICRO
from exchange_core.simulator.engine.timers import Due, Timer, Timers
from exchange_core.simulator.engine.units import RATE, ceil_div, nearest_div, rate

_ROLLOVER = timedelta(hours=4)


class Clockwork:
    """Does what is due."""

    def __init__(self, desk: Desk, timers: Timers, now: datetime) -> None:
        self._desk = desk
        self._timers = timers
        for market in desk.markets.values():
            if market.funding is not None:
                timers.add(market.funding.start + HOUR, Due.FUNDING, key=str(market.symbol))
            if (moment := expiry_of(market)) is not None and moment > now:
                timers.add(moment, Due.EXPIRY, key=str(market.symbol))
                for minutes in range(market.market.settlement_minutes):
                    if (due := moment - timedelta(minutes=minutes)) > now:
                        timers.add(due, Due.SAMPLE, key=str(market.symbol))
            if market.leverages and market.market.rollover:
                timers.add(now + _ROLLOVER, Due.ROLLOVER, key=str(market.symbol))
        self._markets = {str(symbol): market for symbol, market in desk.markets.items()}

    def run(self, now: datetime) -> None:
        """Do all that is due by *now*, and what it sets off."""
        while self._timers.is_due(now):
            timer = self._timers.pop()
            self._do(timer)
            self._desk.carry_on(timer.when)

    def watch(self, now: datetime) -> None:
        """Look at prices that move without trades, and at the accounts that they may ruin."""
        for market in self._desk.markets.values():
            if market.funding is not None:
                market.funding.measure(now)
        self._desk.carry_on(now)
        for account in self._desk.accounts:
            if account.exposures:
                liquidate(self._desk, account, now)
        self._desk.carry_on(now)

    def _do(self, timer: Timer) -> None:
        match timer.kind:
            case Due.START | Due.END:
                self._order_is_due(timer)
            case Due.DEAD_MAN:
                account = self._desk.accounts[timer.account]
                if account.dead_man == timer.when:
                    account.dead_man = None
                    for live in list(account.open.values()):
                        self._desk.cancel(account, live, timer.when, EndReason.DEAD_MAN)
            case Due.FUNDING:
                self._fund(self._markets[timer.key], timer.when)
            case Due.ROLLOVER:
                self._roll_over(self._markets[timer.key], timer.when)
            case Due.SAMPLE:
                market = self._markets[timer.key]
                market.samples.append(market.prices.index())
            case Due.EXPIRY:
                self._expire(self._markets[timer.key], timer.when)

    def _order_is_due(self, timer: Timer) -> None:
        account = self._desk.accounts[timer.account]
        live = account.open.get(timer.key)
        if live is None:
            return
        if timer.kind is Due.END:
            self._desk.settlement.end(account, live, OrderEvent.EXPIRED, timer.when)
        elif live.stage is Stage.SCHEDULED:
            self._desk.start(account, live, timer.when)

    def _fund(self, market: MarketState, now: datetime) -> None:
        """Book an hour's funding of a perpetual, and begin the next."""
        funding = market.funding
        assert funding is not None
        for account in self._desk.accounts:
            exposure = account.exposures.get(market.symbol)
            if exposure is not None:
                exposure.accrue(now)
                pay_funding(self._desk.accounts, self._desk.settlement.told, account, exposure, now)
        funding.turn(now)
        self._timers.add(now + HOUR, Due.FUNDING, key=str(market.symbol))

    def _roll_over(self, market: MarketState, now: datetime) -> None:
        """Charge the margin positions of a spot market for four hours."""
        fee_rate = rate(market.market.rollover, f"{market.symbol} rollover")
        for account in self._desk.accounts:
            exposure = account.exposures.get(market.symbol)
            if isinstance(exposure, Leveraged) and exposure.lots:
                fee = ceil_div(abs(exposure.basis) * fee_rate, RATE * market.per_unit)
                entry = self._desk.accounts.book(
                    account,
                    market.quote,
                    0,
                    fee=fee,
                    kind="rollover",
                    reference=exposure.id,
                    now=now,
                )
                self._desk.settlement.told.entry(entry)
        self._timers.add(now + _ROLLOVER, Due.ROLLOVER, key=str(market.symbol))

    def _expire(self, market: MarketState, now: datetime) -> None:
        """End a dated contract: its orders go, its positions are settled at the index, or its samples' average."""
        desk = self._desk
        # Before the book is empty: an index that nobody set follows it.
        samples = market.samples or [market.prices.index()]
        market.settled_at = ticks = max(1, nearest_div(sum(samples), MICRO * len(samples)))
        market.set_status(InstrumentStatus.OFFLINE)
        for account in desk.accounts:
            for live in [live for live in account.open.values() if live.market is market]:
                desk.cancel(account, live, now, EndReason.CONTRACT_EXPIRED)
        for account in desk.accounts:
            exposure = account.exposures.get(market.symbol)
            if exposure is None or not exposure.lots:
                continue
            lots = abs(exposure.lots)
            side = Side.SELL if exposure.lots > 0 else Side.BUY
            profit = exposure.trade(side, lots, lots * market.value(ticks, 1), now)
            book_settlement(desk.accounts, desk.settlement.told, account, exposure, profit, now)


def expiry_of(market: MarketState) -> datetime | None:
    """Return when a dated contract ends: as listed, else at the end of its day."""
    listed = market.market.instrument.expiry
    day = market.symbol.expiry
    if listed is not None or day is None:
        return listed
    return datetime.combine(day, time(0), UTC) + timedelta(days=1)
