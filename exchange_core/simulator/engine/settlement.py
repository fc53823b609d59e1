"""Carry out what was admitted: trades into accounts, orders and events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from exchange_core.connector.simulation import EndReason, OrderEvent, SimFill, SimOrder, SimTrade
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderStatus
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.admission import count, uncount
from exchange_core.simulator.engine.booking import move_position, pay, position_id
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.matching import Match, Plan
from exchange_core.simulator.engine.orders import LiveOrder, Stage
from exchange_core.simulator.engine.prices import MICRO
from exchange_core.simulator.engine.reducing import fit
from exchange_core.simulator.engine.telling import Told
from exchange_core.simulator.engine.units import FINE, ceil_div, to_decimal
from exchange_core.simulator.engine.volumes import VolumeUnit

_ENDS = {
    OrderEvent.FILLED: OrderStatus.FILLED,
    OrderEvent.CANCELED: OrderStatus.CANCELED,
    OrderEvent.EXPIRED: OrderStatus.EXPIRED,
}


class Settlement:
    """Changes accounts and orders; collects the events of one request in *told*.

    Attributes:
        closes: Fills whose orders of the other side are still to be placed.
        places: How many orders ever queued.
    """

    def __init__(self, accounts: Accounts, volumes: VolumeUnit, new_fill_id: Callable[[], str]) -> None:
        self.accounts = accounts
        self.volumes = volumes
        self.told = Told()
        self.orders: dict[str, SimOrder] = {}
        self.fills: dict[str, SimFill] = {}
        self.closes: deque[tuple[LiveOrder, SimFill]] = deque()
        self.places = 0
        self._new_fill_id = new_fill_id

    def register(self, account: Account, live: LiveOrder, order_id: str) -> None:
        """Take *live* in under *order_id*."""
        order, request = live.order, live.order.request
        order.id = live.resting.id = order_id
        if live.waiting is not None:
            live.waiting.order_id = order_id
        self.orders[order_id] = order
        account.open[order_id] = live
        if request.client_order_id is not None:
            account.client_ids.add(request.client_order_id)
        self.told.order(OrderEvent.ACCEPTED, order)

    def execute(self, account: Account, live: LiveOrder, plan: Plan, now: datetime) -> None:
        """Let *live* meet what *plan* says, and let the rest stand or fall."""
        live.stage = Stage.ENTERING
        for own in plan.own:
            self.end(account, account.open[own.id], OrderEvent.CANCELED, now, EndReason.SELF_TRADE)
        if plan.matches:
            self._trade(account, live, plan.matches, now)
        if live.stage is Stage.ENTERING:
            self._rest_or_end(account, live, plan, now)

    def end(self, account: Account, live: LiveOrder, event: OrderEvent, now: datetime, reason: str = "") -> None:
        """Finish an order and give back what it kept."""
        order, market = live.order, live.market
        if live.stage is Stage.BOOK and market.book.get(order.id) is not None:
            market.book.remove(order.id)
        elif live.stage is Stage.WAITING and market.waiting.get(order.id) is not None:
            market.waiting.remove(order.id)
        live.stage = Stage.DONE
        self.keep_back(account, live)
        del account.open[order.id]
        if order.request.client_order_id is not None:
            account.client_ids.discard(order.request.client_order_id)
        order.status = _ENDS[event]
        order.updated = now
        order.reason = str(reason)
        order.shown = order.queued = None
        self._keep_closed(account, order)
        self.told.order(event, order)

    def stillborn(self, account: Account, order: SimOrder, order_id: str, now: datetime, reason: str) -> None:
        """Tell of an order that was made and ended at once."""
        order.id = order_id
        self.orders[order_id] = order
        self.told.order(OrderEvent.ACCEPTED, order)
        order.status = OrderStatus.CANCELED
        order.updated = now
        order.reason = str(reason)
        self._keep_closed(account, order)
        self.told.order(OrderEvent.CANCELED, order)

    def keep_back(self, account: Account, live: LiveOrder) -> None:
        """Make what *account* holds fit what is left of *live*."""
        if live.moves_position:
            if live.stage is Stage.BOOK:
                lots = live.resting.remaining
                value = live.market.value(live.resting.price, lots) if lots else 0
                margin = ceil_div(value, live.leverage) if live.leverage else 0
                count(account, live, lots, value, margin)
            elif live.counted_lots or live.stage is Stage.DONE:
                uncount(account, live)
            return
        needed = 0 if live.stage in (Stage.DONE, Stage.ENTERING) else live.needed()
        if needed != live.held:
            account.hold(live.held_asset, needed - live.held)
            live.held = needed

    def stand(self, account: Account, live: LiveOrder, now: datetime) -> None:
        """Put an order behind the others at its price."""
        self.places += 1
        resting, order = live.resting, live.order
        live.stage = Stage.BOOK
        resting.place = order.place = self.places
        order.queued = now
        if resting.display:
            resting.show()
            self.show(live)
        live.market.book.add(resting)
        self.keep_back(account, live)

    def show(self, live: LiveOrder) -> None:
        """Say on an iceberg what the book shows of it."""
        live.order.shown = live.market.quantity(live.resting.remaining - live.resting.hidden)

    def _trade(self, account: Account, live: LiveOrder, matches: list[Match], now: datetime) -> None:
        market = live.market
        met = dict.fromkeys([account.name])
        for match in matches:
            self._settle(market, account, live, match, now)
            met[match.maker.owner] = None
        if market.waiting:
            market.prices.path += (matches[0].maker.price, matches[-1].maker.price)
        if market.book.reducers or live.resting.reduce_only:
            fit(self, market, met, now)

    def _settle(self, market: MarketState, account: Account, taker: LiveOrder, match: Match, now: datetime) -> None:
        resting, lots = match
        maker_account = self.accounts[resting.owner]
        maker = maker_account.open[resting.id]
        price = resting.price
        refilled = market.book.take(resting, lots)
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
            liquidation=taker.liquidation,
        )
        value = market.value(price, lots)
        if resting.display:
            self.show(maker)
        self._fill(account, taker, trade, lots, value, Liquidity.TAKER)
        self._fill(maker_account, maker, trade, lots, value, Liquidity.MAKER)
        if refilled:
            self.places += 1
            resting.place = maker.order.place = self.places
            maker.order.queued = now
            self.told.order(OrderEvent.RESTATED, maker.order)
        market.tape.add(trade, price, lots)
        market.prices.last = price * MICRO
        self.told.trade(trade)

    def _fill(
        self, account: Account, live: LiveOrder, trade: SimTrade, lots: int, value: int, liquidity: Liquidity
    ) -> None:
        """Give one side of a trade its fill, its money and its events."""
        market, order, request = live.market, live.order, live.order.request
        told = value // market.per_told
        live.cost += told
        live.value += value
        cost = value // market.per_unit
        if market.is_spot:
            value = cost * market.per_unit
        fee = live.charge(lots, value, live.rates.maker if liquidity is Liquidity.MAKER else live.rates.taker)
        moves = live.resting.moves
        fill = SimFill(
            id=self._new_fill_id(),
            trade_id=trade.trade_id,
            order_id=order.id,
            account=account.name,
            client_order_id=request.client_order_id,
            symbol=market.symbol,
            side=request.side,
            order_type=request.type,
            price=trade.price,
            quantity=trade.quantity,
            cost=to_decimal(told, market.cost_decimals),
            fee=self._fee(live, fee),
            fee_asset=order.fee_asset,
            liquidity=liquidity,
            time=trade.time,
            order_remaining=market.quantity(live.resting.remaining),
            position_id=position_id(self.accounts, account, market) if moves and market.is_spot else "",
            liquidation=live.liquidation,
        )
        order.status = OrderStatus.PARTIALLY_FILLED
        order.updated = trade.time
        order.filled = market.quantity(live.lots - live.resting.remaining)
        order.cost = to_decimal(live.cost, market.cost_decimals)
        order.value = to_decimal(live.value, FINE)
        order.fee = self._fee(live, live.fee)
        order.fill_ids.append(fill.id)
        self._keep_fill(account, fill)
        self.told.order(OrderEvent.FILL, order, fill)
        traded = market.notional(lots, market.money(cost))
        account.volume.add(self.volumes.value(traded, market.symbol.quote), trade.time)
        if moves:
            if liquidity is Liquidity.MAKER:
                self.keep_back(account, live)
            move_position(self.accounts, self.told, account, live, fill, lots=lots, cost=cost, value=value, fee=fee)
        else:
            pay(self.accounts, self.told, account, live, fill, lots=lots, cost=cost, fee=fee)
            if liquidity is Liquidity.MAKER:
                self.keep_back(account, live)
        if request.close is not None:
            self.closes.append((live, fill))
        if live.resting.remaining == 0:
            self.end(account, live, OrderEvent.FILLED, trade.time)

    def _fee(self, live: LiveOrder, units: int) -> Decimal:
        if live.fee_in_base:
            return to_decimal(units, self.accounts.decimals[live.order.fee_asset])
        return live.market.money(units)

    def _rest_or_end(self, account: Account, live: LiveOrder, plan: Plan, now: datetime) -> None:
        """Put what is left of an order into the book, or cancel it."""
        if not live.rests:
            self.end(account, live, OrderEvent.CANCELED, now, EndReason.IMMEDIATE_OR_CANCEL)
        elif plan.blocked:
            self.end(account, live, OrderEvent.CANCELED, now, EndReason.SELF_TRADE)
        else:
            self.stand(account, live, now)
            if live.resting.reduce_only:
                fit(self, live.market, [account.name], now)

    def _keep_closed(self, account: Account, order: SimOrder) -> None:
        account.closed.append(order)
        if account.keep is not None and len(account.closed) > account.keep:
            del self.orders[account.closed.popleft().id]

    def _keep_fill(self, account: Account, fill: SimFill) -> None:
        self.fills[fill.id] = fill
        account.fills.append(fill)
        if account.keep is not None and len(account.fills) > account.keep:
            del self.fills[account.fills.popleft().id]
