"""Whether the exchange takes an order: every reason to refuse is found before anything changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from exchange_core.connector.simulation import Refusal, SimOrder, SimRefused, SimRequest
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderStatus, OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.terms import SelfTrade
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.backing import spare
from exchange_core.simulator.engine.ladder import Resting
from exchange_core.simulator.engine.market import MarketState, Rates
from exchange_core.simulator.engine.matching import Match, Plan
from exchange_core.simulator.engine.orders import LiveOrder
from exchange_core.simulator.engine.terms import read
from exchange_core.simulator.engine.units import RATE, ceil_div

_ANY_NUMBER = 10**60  # of lots: more than any book holds


def admit(
    accounts: Accounts, account: Account, market: MarketState, request: SimRequest, rates: Rates, now: datetime
) -> tuple[LiveOrder, Plan | None]:
    """Check *request* from all sides; return the order, without an id, and what it would meet if it enters at once.

    Raises:
        SimRefused: The first reason not to take it.
    """
    check_status(market, request)
    live = _built(account, market, request, rates, now)
    if request.client_order_id is not None and request.client_order_id in account.client_ids:
        raise SimRefused(Refusal.DUPLICATE_CLIENT_ID, request.client_order_id)
    if live.waiting is not None or (request.starts is not None and request.starts > now):
        check_dormant(account, live)
        return live, None
    return live, entry(accounts, account, live)


def _built(account: Account, market: MarketState, request: SimRequest, rates: Rates, now: datetime) -> LiveOrder:
    terms = read(market, request, now)
    in_base = bool(request.fee_in_base) and market.is_spot and not request.leverage
    order = SimOrder(
        id="",
        account=account.name,
        request=request,
        status=OrderStatus.PENDING,
        created=now,
        updated=now,
        fee_asset=market.symbol.base if in_base else market.quote,
        limit=None if terms.limit is None else market.price(terms.limit),
    )
    resting = Resting(
        id="",
        owner=account.name,
        side=request.side,
        price=terms.limit or 0,
        remaining=terms.lots,
        reduce_only=request.reduce_only,
        moves=not market.is_spot or request.leverage is not None,
        display=terms.display,
    )
    if terms.waiting is not None:
        terms.waiting.owner = account.name
        order.trigger = market.price(terms.waiting.price)
    return LiveOrder(
        order=order,
        market=market,
        resting=resting,
        lots=terms.lots,
        rates=rates,
        budget=terms.budget,
        leverage=request.leverage or 0,
        fee_in_base=in_base,
        waiting=terms.waiting,
    )


def check_status(market: MarketState, request: SimRequest) -> None:
    status = market.status
    if status is InstrumentStatus.ONLINE:
        return
    taken = {
        InstrumentStatus.POST_ONLY: request.post_only,
        InstrumentStatus.LIMIT_ONLY: request.type is OrderType.LIMIT,
        InstrumentStatus.REDUCE_ONLY: request.reduce_only,
    }
    if not taken.get(status, False):
        raise SimRefused(Refusal.MARKET_CLOSED, f"{market.symbol} is {status}")


def check_dormant(account: Account, live: LiveOrder) -> None:
    """Ask for what an order that does not enter yet keeps back: on spot its money, else nothing before it fires."""
    if not live.moves_position and live.needed() > account.free(live.held_asset) + live.held:
        raise _poor(live, live.held_asset)


def entry(accounts: Accounts, account: Account, live: LiveOrder) -> Plan:
    """Return what *live* would meet now.

    Raises:
        SimRefused: It may not enter.
    """
    market, request = live.market, live.order.request
    limit, worst = _reducible_lots(account, live), live.limit
    if worst is None and not live.budget and (worst := market.worst_price(request.side)) is not None:
        live.order.limit = market.price(worst)
    if live.budget:
        plan = _plan_budget(accounts, account, live)
    else:
        plan = market.book.plan(
            request.side,
            worst,
            limit,
            account.name,
            accounts.reducible(market),
            request.self_trade or SelfTrade.CANCEL_NEWEST,
        )
    _check_funds(accounts, account, live, plan)
    _check_plan(live, plan, limit)
    return plan


def _reducible_lots(account: Account, live: LiveOrder) -> int:
    """Return how many lots may trade now."""
    lots = live.resting.remaining
    if live.order.request.reduce_only:
        if live.moves_position:
            lots = min(lots, account.exposure(live.market).reducible(live.resting.side))
        if lots == 0 or not live.moves_position:
            side = live.resting.side.opposite
            raise SimRefused(Refusal.WOULD_NOT_REDUCE, f"no {side} position in {live.market.symbol}")
    return lots


def _plan_budget(accounts: Accounts, account: Account, live: LiveOrder) -> Plan:
    """Plan a market buy of so much money: as many lots as it pays, and one too many if the book has not enough."""
    market, request = live.market, live.order.request
    self_trade = request.self_trade or SelfTrade.CANCEL_NEWEST
    plan = market.book.plan(Side.BUY, None, _ANY_NUMBER, account.name, accounts.reducible(market), self_trade)
    matches: list[Match] = []
    left, enough = live.budget * market.per_unit, False
    for maker, offered in plan.matches:
        lots = min(offered, left // market.value(maker.price, 1))
        if lots:
            matches.append(Match(maker, lots))
            left -= market.value(maker.price, lots)
        if lots < offered:
            enough = True
            break
    taken = sum(lots for _, lots in matches)
    live.lots = live.resting.remaining = taken + (not enough)
    # Whatever stops before the end of the plan does not get to the own order there.
    return Plan(matches, live.lots - taken, plan.blocked and not enough, () if enough else plan.own)


def _check_funds(accounts: Accounts, account: Account, live: LiveOrder, plan: Plan) -> None:
    if live.moves_position:
        _check_margin(accounts, account, live, plan)
        return
    needed = live.needed() if live.resting.side is Side.SELL else _cost_to_buy(live, plan)
    if needed > account.free(live.held_asset) + live.held:
        raise _poor(live, live.held_asset)


def _cost_to_buy(live: LiveOrder, plan: Plan) -> int:
    """Return the units a spot buy needs: all of it at its limit, or a market order at what it would meet."""
    market = live.market
    if live.limit is not None:
        return live.needed()
    cost = sum(market.value(maker.price, lots) // market.per_unit for maker, lots in plan.matches)
    return cost if live.fee_in_base else cost + ceil_div(cost * max(0, live.rates.taker), RATE)


def _check_margin(accounts: Accounts, account: Account, live: LiveOrder, plan: Plan) -> None:
    """Ask for initial margin on what makes the position larger; closing one is always possible.

    Losses that are not booked yet count against what is free. Profits count for it in derivatives, as collateral does.
    """
    market, request = live.market, live.order.request
    exposure = account.exposure(market)
    if live.liquidation or request.reduce_only or exposure.only_reduces(request.side, live.resting.remaining):
        return
    value = sum(market.value(maker.price, lots) for maker, lots in plan.matches)
    lots = live.resting.remaining - plan.remaining
    if live.limit is not None:
        value += market.value(live.limit, plan.remaining)
        lots = live.resting.remaining
    margin = ceil_div(value, live.leverage) if live.leverage else 0
    more = exposure.margin(request.side, lots, value, margin) - exposure.held
    quote = market.quote
    if market.is_spot:
        room = account.free(quote) + sum(
            min(0, each.unrealised()) for each in account.exposures.values() if each.lots and each.market.quote == quote
        )
    else:
        room = spare(accounts, account, quote)
    if more > room:
        refusal = Refusal.INSUFFICIENT_MARGIN if market.is_spot else Refusal.INSUFFICIENT_FUNDS
        raise SimRefused(refusal, f"{quote} as margin for {request.quantity} {market.symbol}")


def _check_plan(live: LiveOrder, plan: Plan, limit: int) -> None:
    """Refuse for what the order would meet."""
    request = live.order.request
    if request.post_only and (plan.matches or plan.blocked or plan.own):
        raise SimRefused(Refusal.POST_ONLY_WOULD_TAKE)
    if plan.blocked and not plan.matches and not plan.own:
        raise SimRefused(Refusal.SELF_TRADE)
    if request.time_in_force is TimeInForce.FOK and (plan.remaining or limit < live.resting.remaining):
        raise SimRefused(Refusal.IOC_WOULD_NOT_EXECUTE, "it cannot be filled as a whole")
    if not live.rests and not plan.matches:
        raise SimRefused(Refusal.IOC_WOULD_NOT_EXECUTE)


def _poor(live: LiveOrder, asset: str) -> SimRefused:
    request = live.order.request
    detail = f"{asset} for {request.side} {request.quantity} {live.market.symbol}"
    return SimRefused(Refusal.INSUFFICIENT_FUNDS, detail)


@contextmanager
def as_if_gone(account: Account, live: LiveOrder) -> Iterator[None]:
    """Let an open order, its money and its client id not count, for a while."""
    client_id, book = live.order.request.client_order_id, live.market.book
    held, counted = live.held, (live.counted_lots, live.counted, live.counted_margin)
    uncount(account, live)
    if held:
        account.hold(live.held_asset, -held)
    if client_id is not None:
        account.client_ids.discard(client_id)
    book.leaving = live.order.id
    try:
        yield
    finally:
        book.leaving = ""
        if client_id is not None:
            account.client_ids.add(client_id)
        if held:
            account.hold(live.held_asset, held)
        count(account, live, *counted)


def count(account: Account, live: LiveOrder, lots: int, value: int, margin: int) -> None:
    """Let *live* stand in its account's exposure with so much, and keep back what that needs."""
    if not live.moves_position:
        return
    exposure = account.exposure(live.market)
    exposure.count(
        live.resting.side,
        lots - live.counted_lots,
        value - live.counted,
        margin=margin - live.counted_margin,
        reduce_only=live.resting.reduce_only,
    )
    live.counted_lots, live.counted, live.counted_margin = lots, value, margin
    account.settle_margin(exposure)


def uncount(account: Account, live: LiveOrder) -> None:
    count(account, live, 0, 0, 0)
