"""Carry out what was admitted: trades into accounts, orders and events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from exchange_core.connector.simulation import (
    BalanceChanged,
    BookChanged,
    OrderChanged,
    OrderEvent,
    PositionChanged,
    SimEvent,
    SimFill,
    SimLedgerEntry,
    SimOrder,
    SimTrade,
    Traded,
)
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus, OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.simulator.accounts import Account, Accounts, LiveOrder
from exchange_core.simulator.market import MarketState
from exchange_core.simulator.matching import Match, Plan

IMMEDIATE_OR_CANCEL = "Immediate or cancel"
SELF_TRADE = "Self trade prevention"
WOULD_NOT_REDUCE = "Would not reduce the position"

_ENDS = {
    OrderEvent.FILLED: OrderStatus.FILLED,
    OrderEvent.CANCELED: OrderStatus.CANCELED,
    OrderEvent.EXPIRED: OrderStatus.EXPIRED,
}


class Settlement:
    """Changes accounts and orders; collects the events of one request in *events*."""

    def __init__(self, accounts: Accounts, new_fill_id: Callable[[], str]) -> None:
        self.accounts = accounts
        self.events: list[SimEvent] = []
        self.orders: dict[str, SimOrder] = {}
        self.fills: dict[str, SimFill] = {}
        self._new_fill_id = new_fill_id

    def execute(self, account: Account, live: LiveOrder, plan: Plan, now: datetime) -> None:
        """Open *live*, let it meet what *plan* says, and let the rest stand or fall."""
        market, order, request = live.market, live.order, live.order.request
        self.orders[order.id] = order
        account.open[order.id] = live
        if request.client_order_id is not None:
            account.client_ids.add(request.client_order_id)
        self._tell(OrderEvent.ACCEPTED, order)
        order.status = OrderStatus.OPEN
        self._tell(OrderEvent.OPENED, order)
        market.book.carry_out(plan)
        met = dict.fromkeys([account.name])
        for match in plan.matches:
            self._settle(market, live, match, now)
            met[match.maker.owner] = None
        if plan.matches and not market.is_spot:
            self._drop_useless(market, list(met), now)
        if order.id in account.open:
            self._rest_or_end(account, live, plan, now)
        self._tell_book(market)

    def end(self, account: Account, live: LiveOrder, event: OrderEvent, now: datetime, reason: str = "") -> None:
        """Finish an order and give back what it kept."""
        order, market = live.order, live.market
        if market.book.get(order.id) is not None:
            market.book.remove(order.id)
        self._keep_back(account, live, ended=True)
        del account.open[order.id]
        if order.request.client_order_id is not None:
            account.client_ids.discard(order.request.client_order_id)
        order.status = _ENDS[event]
        order.updated = now
        order.reason = reason
        account.closed.append(order)
        if account.keep is not None and len(account.closed) > account.keep:
            del self.orders[account.closed.popleft().id]
        self._tell(event, order)

    def cancel(self, account: Account, live: LiveOrder, reason: str, now: datetime) -> None:
        """Take an open order out."""
        self.end(account, live, OrderEvent.CANCELED, now, reason)
        self._tell_book(live.market)

    def booked(self, entry: SimLedgerEntry) -> None:
        self.events.append(BalanceChanged(entry=entry))

    def _settle(self, market: MarketState, taker: LiveOrder, match: Match, now: datetime) -> None:
        maker_account = self.accounts[match.maker.owner]
        maker = maker_account.open[match.maker.id]
        price, lots = match.maker.price, match.quantity
        taker.resting.remaining -= lots
        market.tape.count += 1
        trade = SimTrade(
            trade_id=market.tape.count,
            uid=self._new_fill_id(),
            symbol=market.symbol,
            side=taker.resting.side,
            taker_type=taker.order.request.type,
            price=market.price(price),
            quantity=market.quantity(lots),
            time=now,
        )
        value = market.value(price, lots)
        self._fill(self.accounts[taker.order.account], taker, trade, lots, value, Liquidity.TAKER)
        self._fill(maker_account, maker, trade, lots, value, Liquidity.MAKER)
        market.tape.add(trade, price, lots)
        self.events.append(Traded(trade=trade))

    def _fill(
        self, account: Account, live: LiveOrder, trade: SimTrade, lots: int, value: int, liquidity: Liquidity
    ) -> None:
        """Give one side of a trade its fill, its money and its events."""
        market, order = live.market, live.order
        cost = value // market.per_unit
        rate = market.maker_rate if liquidity is Liquidity.MAKER else market.taker_rate
        fee = live.charge(cost * market.per_unit if market.is_spot else value, rate)
        live.cost += cost
        fill = SimFill(
            id=self._new_fill_id(),
            trade_id=trade.trade_id,
            order_id=order.id,
            account=account.name,
            client_order_id=order.request.client_order_id,
            symbol=market.symbol,
            side=order.request.side,
            order_type=order.request.type,
            price=trade.price,
            quantity=trade.quantity,
            cost=market.money(cost),
            fee=market.money(fee),
            fee_asset=market.quote,
            liquidity=liquidity,
            time=trade.time,
            order_remaining=market.quantity(live.resting.remaining),
        )
        order.status = OrderStatus.PARTIALLY_FILLED
        order.updated = trade.time
        order.filled = market.quantity(live.lots - live.resting.remaining)
        order.cost = market.money(live.cost)
        order.fee = market.money(live.fee)
        order.fill_ids.append(fill.id)
        self._keep_fill(account, fill)
        self._tell(OrderEvent.FILL, order, fill)
        if market.is_spot:
            self._pay(account, market, fill, lots, cost, fee)
            if liquidity is Liquidity.MAKER:
                self._keep_back(account, live)
        else:
            if liquidity is Liquidity.MAKER:
                self._keep_back(account, live)
            self._move_position(account, market, fill, lots, value, fee)
        if live.resting.remaining == 0:
            self.end(account, live, OrderEvent.FILLED, trade.time)

    def _pay(self, account: Account, market: MarketState, fill: SimFill, lots: int, cost: int, fee: int) -> None:
        """Book both legs of a spot trade."""
        sign = fill.side.sign
        legs = ((market.symbol.base, sign * lots * market.base_per_lot, 0), (market.quote, -sign * cost, fee))
        for asset, amount, charged in legs:
            self.booked(
                self.accounts.book(account, asset, amount, fee=charged, kind="trade", reference=fill.id, now=fill.time)
            )

    def _move_position(
        self, account: Account, market: MarketState, fill: SimFill, lots: int, value: int, fee: int
    ) -> None:
        """Book profit and fee of a derivatives trade, and move the position."""
        exposure = account.exposure(market)
        profit = exposure.trade(fill.side, lots, value, fill.time)
        self.accounts.clearing[market.quote] -= profit
        entry = self.accounts.book(
            account, market.quote, profit, fee=fee, kind="trade", reference=fill.id, now=fill.time
        )
        account.settle_margin(exposure)
        self.booked(entry)
        self.events.append(PositionChanged(account=account.name, position=exposure.position()))

    def _rest_or_end(self, account: Account, live: LiveOrder, plan: Plan, now: datetime) -> None:
        """Put what is left of an order into the book, or cancel it."""
        request = live.order.request
        if request.type is OrderType.MARKET or request.time_in_force is not TimeInForce.GTC:
            self.end(account, live, OrderEvent.CANCELED, now, IMMEDIATE_OR_CANCEL)
        elif plan.blocked:
            self.end(account, live, OrderEvent.CANCELED, now, SELF_TRADE)
        else:
            live.market.book.add(live.resting)
            self._keep_back(account, live)

    def _drop_useless(self, market: MarketState, names: list[str], now: datetime) -> None:
        """Cancel orders that may only reduce a position that is no more."""
        for name in names:
            account = self.accounts[name]
            exposure = account.exposure(market)
            for live in [
                live for live in account.open.values() if live.market is market and live.order.request.reduce_only
            ]:
                if not exposure.reducible(live.resting.side):
                    self.end(account, live, OrderEvent.CANCELED, now, WOULD_NOT_REDUCE)

    def _keep_back(self, account: Account, live: LiveOrder, *, ended: bool = False) -> None:
        """Make what *account* holds fit what is left of *live*."""
        market, resting = live.market, live.resting
        if not market.is_spot:
            self._count(account, live, ended=ended)
            return
        buy = resting.side is Side.BUY
        needed = 0
        if not ended:
            needed = live.buy_hold() if buy else resting.remaining * market.base_per_lot
        account.hold(market.quote if buy else market.symbol.base, needed - live.held)
        live.held = needed

    def _count(self, account: Account, live: LiveOrder, *, ended: bool) -> None:
        """Count *live* in the exposure: margin depends on all orders and the position together."""
        market, resting = live.market, live.resting
        lots = 0 if ended else resting.remaining
        value = market.value(resting.price, lots) if lots else 0
        exposure = account.exposure(market)
        exposure.count(resting.side, lots - live.counted_lots, value - live.counted, reduce_only=resting.reduce_only)
        live.counted, live.counted_lots = value, lots
        account.settle_margin(exposure)

    def _keep_fill(self, account: Account, fill: SimFill) -> None:
        self.fills[fill.id] = fill
        account.fills.append(fill)
        if account.keep is not None and len(account.fills) > account.keep:
            del self.fills[account.fills.popleft().id]

    def _tell(self, event: OrderEvent, order: SimOrder, fill: SimFill | None = None) -> None:
        self.events.append(OrderChanged(event=event, order=_copy(order), fill=fill))

    def _tell_book(self, market: MarketState) -> None:
        self.events.extend(
            BookChanged(
                symbol=market.symbol,
                side=change.side,
                price=market.price(change.price),
                quantity=market.quantity(change.quantity),
            )
            for change in market.book.take_changes()
        )


def _copy(order: SimOrder) -> SimOrder:
    """Return *order* as it is now. Written out, as attrs.evolve takes eight times as long."""
    return SimOrder(
        id=order.id,
        account=order.account,
        request=order.request,
        status=order.status,
        created=order.created,
        updated=order.updated,
        filled=order.filled,
        cost=order.cost,
        fee=order.fee,
        fee_asset=order.fee_asset,
        reason=order.reason,
        fill_ids=order.fill_ids.copy(),
    )
