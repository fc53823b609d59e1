"""Close positions that their account can no longer back.

Where the equity in a settlement asset falls below the margin of positions and orders there, the orders that would
enlarge a position are cancelled. Where it falls below the maintenance margin of the positions, all their open orders
are, and the positions are closed against the book, at any price. What the book cannot take is tried again at the next
step. Once nothing is left, the house pays what is below zero.
"""

from __future__ import annotations

from datetime import datetime

from exchange_core.connector.simulation import EndReason, OrderEvent, SimOrder, SimRequest
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.terms import SelfTrade
from exchange_core.simulator.engine.accounts import Account
from exchange_core.simulator.engine.backing import backing
from exchange_core.simulator.engine.desk import Desk
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.ladder import Resting
from exchange_core.simulator.engine.market import Rates
from exchange_core.simulator.engine.orders import LiveOrder, Stage


def liquidate(desk: Desk, account: Account, now: datetime) -> None:
    """Close what *account* cannot back."""
    assets = dict.fromkeys(each.market.quote for each in account.exposures.values() if each.lots)
    for asset in assets:
        sums = backing(desk.accounts, account, asset, now)
        if sums.is_enough:
            if sums.available < 0 and sums.held > sums.initial:
                _drop_orders(desk, account, asset, now)
            continue
        for live in [live for live in account.open.values() if live.moves_position and live.market.quote == asset]:
            desk.cancel(account, live, now, EndReason.LIQUIDATED)
        for exposure in [each for each in account.exposures.values() if each.market.quote == asset and each.lots]:
            _close(desk, account, exposure, now)
        _pay_the_rest(desk, account, asset, now)


def _drop_orders(desk: Desk, account: Account, asset: str, now: datetime) -> None:
    """Cancel the open orders that would enlarge positions which the account can only just back."""
    for live in list(account.open.values()):
        if live.stage is not Stage.BOOK or not live.moves_position or live.resting.reduce_only:
            continue
        market, side = live.market, live.resting.side
        exposure = account.exposure(market)
        if market.quote == asset and not market.is_spot and exposure.sides[side].lots > exposure.reducible(side):
            desk.cancel(account, live, now, EndReason.NO_MARGIN)


def _close(desk: Desk, account: Account, exposure: Exposure, now: datetime) -> None:
    """Close a position against the book, as far as the book goes; the exchange takes no fee for it."""
    market = exposure.market
    side = Side.SELL if exposure.lots > 0 else Side.BUY
    lots = abs(exposure.lots)
    reducible = desk.accounts.reducible(market)
    plan = market.book.plan(side, None, lots, account.name, reducible, SelfTrade.CANCEL_OLDEST)
    if not plan.matches:
        return
    order = SimOrder(
        id="",
        account=account.name,
        request=SimRequest(
            symbol=market.symbol,
            side=side,
            type=OrderType.MARKET,
            quantity=market.quantity(lots),
            reduce_only=True,
            leverage=1 if market.is_spot else None,
        ),
        status=OrderStatus.PENDING,
        created=now,
        updated=now,
        fee_asset=market.quote,
        liquidation=True,
    )
    resting = Resting(id="", owner=account.name, side=side, price=0, remaining=lots, reduce_only=True)
    live = LiveOrder(
        order=order, market=market, resting=resting, lots=lots, rates=Rates(0, 0), leverage=1, liquidation=True
    )
    settlement = desk.settlement
    settlement.register(account, live, desk.new_order_id())
    order.status = OrderStatus.OPEN
    settlement.told.order(OrderEvent.OPENED, order)
    settlement.execute(account, live, plan, now)


def _pay_the_rest(desk: Desk, account: Account, asset: str, now: datetime) -> None:
    """Let the house pay what an account without positions owes."""
    owed = -account.totals.get(asset, 0)
    if owed <= 0 or any(each.lots for each in account.exposures.values() if each.market.quote == asset):
        return
    desk.accounts.clearing[asset] -= owed
    desk.accounts.insurance[asset] += owed
    entry = desk.accounts.book(account, asset, owed, kind="insurance", reference=desk.accounts.new_id(), now=now)
    desk.settlement.told.entry(entry)
