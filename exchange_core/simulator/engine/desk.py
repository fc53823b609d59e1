"""The way of an order through the exchange: taken, begun, waiting, set off, entered; and all that one order sets off.

What a request sets off is done before it is answered, one thing after another: first the orders that fills make,
then those whose trigger was met, oldest cause first. Every step uses up an order that waits, or a fill that makes
an order which makes no more, so it ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

from exchange_core.connector.simulation import (
    EndReason,
    OrderEvent,
    Refusal,
    SimFill,
    SimOrder,
    SimRefused,
    SimRequest,
)
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import TriggerBy
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.admission import admit, check_dormant, check_status, entry
from exchange_core.simulator.engine.market import MarketState, Rates
from exchange_core.simulator.engine.matching import Plan
from exchange_core.simulator.engine.orders import LiveOrder, Stage
from exchange_core.simulator.engine.reducing import cut_to_position
from exchange_core.simulator.engine.settlement import Settlement
from exchange_core.simulator.engine.terms import limit_from
from exchange_core.simulator.engine.timers import Due, Timers
from exchange_core.simulator.engine.triggers import Waiting

_WORDS = {
    Refusal.INSUFFICIENT_FUNDS: EndReason.NO_FUNDS,
    Refusal.INSUFFICIENT_MARGIN: EndReason.NO_MARGIN,
    Refusal.POST_ONLY_WOULD_TAKE: EndReason.POST_ONLY,
    Refusal.IOC_WOULD_NOT_EXECUTE: EndReason.IMMEDIATE_OR_CANCEL,
    Refusal.WOULD_NOT_REDUCE: EndReason.WOULD_NOT_REDUCE,
    Refusal.SELF_TRADE: EndReason.SELF_TRADE,
    Refusal.MARKET_CLOSED: EndReason.MARKET_INACTIVE,
}


class Desk:
    """Takes orders and carries on with what they set off."""

    def __init__(
        self,
        markets: Mapping[Symbol, MarketState],
        accounts: Accounts,
        settlement: Settlement,
        timers: Timers,
        new_order_id: Callable[[], str],
    ) -> None:
        self.markets = markets
        self.accounts = accounts
        self.settlement = settlement
        self.timers = timers
        self.new_order_id = new_order_id
        self._set_off: deque[LiveOrder] = deque()
        # Markets whose book changed, or where orders wait: the others, which may be many, need no look.
        self._stirred: dict[Symbol, MarketState] = {}
        for symbol, market in markets.items():
            market.book.changed = market.waiting.entered = partial(self._stirred.__setitem__, symbol, market)
        self.waited = 0

    def rates(self, account: Account, market: MarketState, now: datetime) -> Rates:
        """Return the fees of the account's next order."""
        return market.rates(account.volume.at(now)) if market.has_tiers else market.rates()

    def accept(self, account: Account, live: LiveOrder, plan: Plan | None, now: datetime) -> None:
        """Take in what was admitted."""
        request = live.order.request
        self.settlement.register(account, live, self.new_order_id())
        if request.expires is not None:
            self.timers.add(request.expires, Due.END, account.name, live.order.id)
        if request.starts is not None and request.starts > now:
            live.stage = Stage.SCHEDULED
            self.timers.add(request.starts, Due.START, account.name, live.order.id)
            self.settlement.keep_back(account, live)
            return
        self._open(account, live, plan, now)

    def start(self, account: Account, live: LiveOrder, now: datetime) -> None:
        """Let a scheduled order begin."""
        waiting = live.waiting
        if waiting is not None and waiting.trail is not None:
            waiting.peak = None
            waiting.follow(live.market.prices.of(waiting.by))
            self._set_terms(live, waiting)
            try:
                check_dormant(account, live)
            except SimRefused as refused:
                self.cancel(account, live, now, _WORDS.get(refused.refusal, EndReason.REFUSED))
                return
        self._open(account, live, None, now)

    def wait(self, account: Account, live: LiveOrder) -> None:
        """Let an order wait for its trigger; one whose trigger is met is set off at once."""
        waiting, market = live.waiting, live.market
        assert waiting is not None
        live.stage = Stage.WAITING
        self.settlement.keep_back(account, live)
        if waiting.is_met(market.prices.of(waiting.by)):
            self._set_off.append(live)
        else:
            self.waited += 1
            waiting.age = self.waited
            market.waiting.add(waiting)

    def carry_on(self, now: datetime) -> None:
        """Do all that was set off, and tell what became of the books."""
        while True:
            if self.settlement.closes:
                self._place_close(*self.settlement.closes.popleft(), now)
            elif self._set_off or self._look(now):
                self._fire(self._set_off.popleft(), now)
            else:
                break
        for symbol, market in tuple(self._stirred.items()):
            self.settlement.told.book(market)
            if not market.waiting:
                del self._stirred[symbol]

    def cancel(self, account: Account, live: LiveOrder, now: datetime, reason: str) -> None:
        self.settlement.end(account, live, OrderEvent.CANCELED, now, reason)

    def _open(self, account: Account, live: LiveOrder, plan: Plan | None, now: datetime) -> None:
        live.order.status = OrderStatus.OPEN
        live.order.updated = now
        self.settlement.told.order(OrderEvent.OPENED, live.order)
        if live.waiting is not None:
            self.wait(account, live)
        elif plan is not None:
            self.settlement.execute(account, live, plan, now)
        else:
            self._enter(account, live, now)

    def _enter(self, account: Account, live: LiveOrder, now: datetime) -> None:
        """Let a dormant order into the market, or cancel it for what a new one would be refused for."""
        try:
            check_status(live.market, live.order.request)
            cut_to_position(self.settlement, account, live, now)
            plan = entry(self.accounts, account, live)
        except SimRefused as refused:
            self.cancel(account, live, now, _WORDS.get(refused.refusal, EndReason.REFUSED))
        else:
            self.settlement.execute(account, live, plan, now)

    def _fire(self, live: LiveOrder, now: datetime) -> None:
        """Let a triggered order go to the market, under its own id."""
        # Open point: whether what fires keeps its id on Kraken Futures is not known; here it does.
        order = live.order
        account = self.accounts[order.account]
        if live.stage is not Stage.WAITING:
            return  # it ended meanwhile
        order.triggered = order.updated = now
        self.settlement.told.order(OrderEvent.TRIGGERED, order)
        self._enter(account, live, now)

    def _look(self, now: datetime) -> bool:
        """Look at the prices that orders wait for; return whether any was set off."""
        for market in self._stirred.values():
            if not market.waiting:
                market.prices.path.clear()
                continue
            path, market.prices.path = market.prices.path, []
            for ticks in path:
                self._observe(market, TriggerBy.LAST, market.prices.in_micro(ticks), now)
            for by in (TriggerBy.MARK, TriggerBy.INDEX):
                if market.waiting.waits_for(by):
                    self._observe(market, by, market.prices.of(by), now)
        return bool(self._set_off)

    def _observe(self, market: MarketState, by: TriggerBy, micro: int, now: datetime) -> None:
        moved, set_off = market.waiting.observe(by, micro)
        for waiting in moved:
            account = self.accounts[waiting.owner]
            live = account.open[waiting.order_id]
            self._set_terms(live, waiting)
            self.settlement.keep_back(account, live)
            live.order.updated = now
            self.settlement.told.order(OrderEvent.RESTATED, live.order)
        self._set_off += [self.accounts[waiting.owner].open[waiting.order_id] for waiting in set_off]

    def _set_terms(self, live: LiveOrder, waiting: Waiting) -> None:
        """Let an order's terms follow its trigger."""
        market, order = live.market, live.order
        order.trigger = market.price(waiting.price)
        if order.request.limit_offset is not None:
            with suppress(SimRefused):  # where there is no such price any more, the limit stays where it was
                live.resting.price = limit_from(market, waiting, order.request.limit_offset)
            order.limit = market.price(live.resting.price)

    def _place_close(self, parent: LiveOrder, fill: SimFill, now: datetime) -> None:
        """Place the order of the other side that a fill makes; what would be refused is cancelled."""
        request = _closing(parent.order.request, fill)
        account, market = self.accounts[fill.account], parent.market
        try:
            live, plan = admit(self.accounts, account, market, request, self.rates(account, market, now), now)
        except SimRefused as refused:
            order = SimOrder(
                id="",
                account=account.name,
                request=request,
                status=OrderStatus.PENDING,
                created=now,
                updated=now,
                fee_asset=market.quote,
                parent=parent.order.id,
            )
            reason = _WORDS.get(refused.refusal, EndReason.REFUSED)
            self.settlement.stillborn(account, order, self.new_order_id(), now, reason)
            return
        live.order.parent = parent.order.id
        self.accept(account, live, plan, now)


def _closing(request: SimRequest, fill: SimFill) -> SimRequest:
    close = request.close
    assert close is not None
    return SimRequest(
        symbol=request.symbol,
        side=request.side.opposite,
        type=close.type,
        quantity=fill.quantity,
        price=close.price,
        trigger_price=close.trigger_price,
        trigger_by=request.trigger_by if close.type.is_triggered else None,
        trail=close.trail,
        limit_offset=close.limit_offset,
        leverage=request.leverage,
        self_trade=request.self_trade,
        fee_in_base=request.fee_in_base,
        user_ref=request.user_ref,
    )
