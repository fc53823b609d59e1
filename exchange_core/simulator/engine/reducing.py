"""Orders that may only reduce a position, while that position gets smaller, ends or turns around."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from exchange_core.connector.simulation import EndReason, OrderEvent, Reducing
from exchange_core.model.side import Side
from exchange_core.simulator.engine.accounts import Account
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.orders import LiveOrder, Stage

if TYPE_CHECKING:
    from exchange_core.simulator.engine.settlement import Settlement


def fit(settlement: Settlement, market: MarketState, names: Iterable[str], now: datetime) -> None:
    """Let the orders of these accounts that only reduce be no more than what there is to reduce.

    Those that wait are looked at when they are set off.
    """
    for name in list(names):
        account = settlement.accounts[name]
        exposure = account.exposures.get(market.symbol)
        if exposure is None:
            continue
        for side in Side:
            orders = _reducers(account, market, side)
            if orders:
                _fit(settlement, account, exposure, orders, now)


def _reducers(account: Account, market: MarketState, side: Side) -> list[LiveOrder]:
    return [
        live
        for live in account.open.values()
        if live.market is market
        and live.resting.reduce_only
        and live.resting.side is side
        and live.stage in (Stage.BOOK, Stage.ENTERING)
    ]


def _fit(settlement: Settlement, account: Account, exposure: Exposure, orders: list[LiveOrder], now: datetime) -> None:
    market = exposure.market
    room = exposure.reducible(orders[0].resting.side)
    if market.market.reducing is Reducing.CANCEL and room:
        orders = _too_many(orders, room)
    for live in orders:
        if not room or market.market.reducing is Reducing.CANCEL:
            settlement.end(account, live, OrderEvent.CANCELED, now, EndReason.WOULD_NOT_REDUCE)
        elif market.market.reducing is Reducing.CUT and live.resting.remaining > room:
            cut(settlement, account, live, room, now)


def _too_many(orders: list[LiveOrder], room: int) -> list[LiveOrder]:
    """Return which to cancel so that the others are no more than *room*: the least aggressive and newest first."""
    sign = orders[0].resting.side.sign
    total, found = sum(live.resting.remaining for live in orders), []
    for live in sorted(orders, key=lambda each: (sign * each.resting.price, -each.resting.place)):
        if total <= room:
            break
        total -= live.resting.remaining
        found.append(live)
    return found


def cut(settlement: Settlement, account: Account, live: LiveOrder, lots: int, now: datetime) -> None:
    """Leave *lots* of what is left of an order; it keeps its place."""
    market, resting = live.market, live.resting
    live.lots -= resting.remaining - lots
    if live.stage is Stage.BOOK:
        market.book.resize(resting, lots, min(resting.display, lots))
        if resting.display:
            settlement.show(live)
    else:
        resting.remaining = lots
    request = attrs.evolve(live.order.request, quantity=market.quantity(live.lots))
    live.remember(request, now, EndReason.WOULD_NOT_REDUCE)
    settlement.keep_back(account, live)
    settlement.told.order(OrderEvent.AMENDED, live.order)


def cut_to_position(settlement: Settlement, account: Account, live: LiveOrder, now: datetime) -> None:
    """Cut an order that is about to enter, where its market cuts; one without a position is left to be refused."""
    if live.resting.reduce_only and live.moves_position and live.market.market.reducing is Reducing.CUT:
        room = account.exposure(live.market).reducible(live.resting.side)
        if 0 < room < live.resting.remaining:
            cut(settlement, account, live, room, now)
