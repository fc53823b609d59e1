"""Close positions that their account can no longer back.

Where the equity in a settlement asset falls below the maintenance margin of its positions there, their open orders
are cancelled, and if that is not enough the positions are closed against the book, at any price. What the book
cannot take is tried again at the next step. Once nothing is left, the house pays what is below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import EndReason, OrderEvent, SimMargin, SimOrder, SimRequest
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.terms import SelfTrade
from exchange_core.simulator.engine.accounts import Account
from exchange_core.simulator.engine.desk import Desk
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.ladder import Resting
from exchange_core.simulator.engine.market import Rates
from exchange_core.simulator.engine.orders import LiveOrder
from exchange_core.simulator.engine.units import to_decimal


@attrs.frozen
class Backing:
    """What backs an account's positions in one asset, in units."""

    balance: int
    unrealised: int
    funding: int
    initial: int
    held: int
    maintenance: int

    @property
    def equity(self) -> int:
        return self.balance + self.unrealised + self.funding

    @property
    def is_enough(self) -> bool:
        return self.equity >= self.maintenance


def backing(account: Account, asset: str, now: datetime) -> Backing:
    """Return what backs the positions that are settled in *asset*."""
    exposures = [each for each in account.exposures.values() if each.market.quote == asset]
    for each in exposures:
        each.accrue(now)
    return Backing(
        balance=account.totals.get(asset, 0),
        unrealised=sum(each.unrealised() for each in exposures),
        funding=sum(each.due_funding() for each in exposures),
        initial=sum(each.position_margin() for each in exposures),
        held=sum(each.held for each in exposures),
        maintenance=sum(each.maintenance() for each in exposures),
    )


def margins(account: Account, decimals: Mapping[str, int], now: datetime) -> list[SimMargin]:
    """Return it for every asset, as the contract has it."""
    found = []
    for asset in dict.fromkeys(each.market.quote for each in account.exposures.values()):
        sums = backing(account, asset, now)

        def money(units: int, places: int = decimals[asset]) -> Decimal:
            return to_decimal(units, places)

        found.append(
            SimMargin(
                asset=asset,
                balance=money(sums.balance),
                unrealised=money(sums.unrealised),
                funding=money(sums.funding),
                initial=money(sums.initial),
                orders=money(sums.held - sums.initial),
                maintenance=money(sums.maintenance),
            )
        )
    return found


def liquidate(desk: Desk, account: Account, now: datetime) -> None:
    """Close what *account* cannot back."""
    assets = dict.fromkeys(each.market.quote for each in account.exposures.values() if each.lots)
    for asset in assets:
        if backing(account, asset, now).is_enough:
            continue
        for live in [live for live in account.open.values() if live.moves_position and live.market.quote == asset]:
            desk.cancel(account, live, now, EndReason.LIQUIDATED)
        for exposure in [each for each in account.exposures.values() if each.market.quote == asset and each.lots]:
            _close(desk, account, exposure, now)
        _pay_the_rest(desk, account, asset, now)


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
