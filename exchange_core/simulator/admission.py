"""Whether the exchange takes an order: every reason to refuse is found before anything changes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from exchange_core.connector.simulation import Refusal, SimRefused, SimRequest
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.number import plain
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.simulator.accounts import Account
from exchange_core.simulator.market import MarketState
from exchange_core.simulator.matching import Plan, Reducible
from exchange_core.simulator.units import RATE, ceil_div, product, whole_steps


class Intent(NamedTuple):
    """A request in whole numbers: *price* in ticks (None takes any), *lots* wanted, *limit* lots it may trade now."""

    price: int | None
    lots: int
    limit: int


def admit(
    account: Account, market: MarketState, request: SimRequest, now: datetime, reducible: Reducible | None
) -> tuple[Intent, Plan]:
    """Check *request* from all sides; return what it wants and what it would meet.

    Raises:
        SimRefused: The first reason not to take it.
    """
    _check_status(market, request)
    intent = _read(account, market, request)
    if request.deadline is not None and now > request.deadline:
        raise SimRefused(Refusal.DEADLINE_ELAPSED, f"it is {now.isoformat()}")
    if request.client_order_id is not None and request.client_order_id in account.client_ids:
        raise SimRefused(Refusal.DUPLICATE_CLIENT_ID, request.client_order_id)
    plan = market.book.plan(request.side, intent.price, intent.limit, account.name, reducible)
    _check_funds(account, market, request, intent, plan)
    _check_plan(request, intent, plan)
    return intent, plan


def _check_status(market: MarketState, request: SimRequest) -> None:
    status = market.market.instrument.status
    taken = {
        InstrumentStatus.ONLINE: True,
        InstrumentStatus.POST_ONLY: request.post_only,
        InstrumentStatus.LIMIT_ONLY: request.type is OrderType.LIMIT,
        InstrumentStatus.REDUCE_ONLY: request.reduce_only,
    }
    if not taken.get(status, False):
        raise SimRefused(Refusal.MARKET_CLOSED, f"{market.symbol} is {status}")


def _read(account: Account, market: MarketState, request: SimRequest) -> Intent:
    """Read quantity and price, and check them against the market's steps and minimums."""
    instrument = market.market.instrument
    lots = whole_steps(request.quantity, market.lot)
    if lots is None or lots <= 0:
        raise SimRefused(
            Refusal.INVALID_QUANTITY, f"{request.quantity} is not a multiple of {plain(market.lot)} above zero"
        )
    if request.quantity < instrument.min_quantity:
        raise SimRefused(Refusal.MINIMUM_QUANTITY, f"least is {plain(instrument.min_quantity)}")
    price = _read_price(market, request)
    if price is not None and instrument.min_cost is not None:
        cost = product(market.quantity(lots), market.price(price))
        if cost < instrument.min_cost:
            raise SimRefused(Refusal.MINIMUM_COST, f"{plain(cost)} is below {plain(instrument.min_cost)}")
    limit = lots
    if request.reduce_only:
        limit = 0 if market.is_spot else min(lots, account.exposure(market).reducible(request.side))
        if limit == 0:
            raise SimRefused(Refusal.WOULD_NOT_REDUCE, f"no {request.side.opposite} position in {market.symbol}")
    return Intent(price, lots, limit)


def _read_price(market: MarketState, request: SimRequest) -> int | None:
    if request.type is OrderType.MARKET:
        if request.price is not None:
            raise SimRefused(Refusal.INVALID_PRICE, "a market order has none")
        if request.post_only:
            raise SimRefused(Refusal.POST_ONLY_WOULD_TAKE, "a market order always takes")
        return None
    if request.price is None or not request.price.is_finite() or request.price <= 0:
        raise SimRefused(Refusal.INVALID_PRICE, f"{request.price} is not a price above zero")
    price = whole_steps(request.price, market.tick)
    if price is None:
        raise SimRefused(Refusal.TICK_SIZE, f"{request.price} is not a multiple of {plain(market.tick)}")
    return price


def _check_funds(account: Account, market: MarketState, request: SimRequest, intent: Intent, plan: Plan) -> None:
    if not market.is_spot:
        _check_margin(account, market, request, intent, plan)
        return
    if request.side is Side.SELL:
        asset, needed = market.symbol.base, intent.lots * market.base_per_lot
    else:
        asset, needed = market.quote, _cost_to_buy(market, intent, plan)
    if needed > account.free(asset):
        raise SimRefused(Refusal.INSUFFICIENT_FUNDS, f"{asset} for {request.side} {request.quantity} {market.symbol}")


def _cost_to_buy(market: MarketState, intent: Intent, plan: Plan) -> int:
    """Return the units a spot buy needs: all of it at its limit, or a market order at what it would meet."""
    if intent.price is None:
        cost = sum(market.value(maker.price, lots) // market.per_unit for maker, lots in plan.matches)
        return cost + ceil_div(cost * max(0, market.taker_rate), RATE)
    value = market.value(intent.price, intent.lots)
    fee = ceil_div(value * max(0, market.taker_rate, market.maker_rate), RATE * market.per_unit)
    return value // market.per_unit + fee


def _check_margin(account: Account, market: MarketState, request: SimRequest, intent: Intent, plan: Plan) -> None:
    """Ask for initial margin on what makes the position larger; closing one is always possible."""
    exposure = account.exposure(market)
    if request.reduce_only or exposure.only_reduces(request.side, intent.lots):
        return
    value = sum(market.value(maker.price, lots) for maker, lots in plan.matches)
    lots = intent.lots - plan.remaining
    if intent.price is not None:
        value += market.value(intent.price, plan.remaining)
        lots = intent.lots
    more = exposure.margin(request.side, lots, value) - exposure.held
    if more > account.free(market.quote):
        raise SimRefused(Refusal.INSUFFICIENT_FUNDS, f"{market.quote} as margin for {request.quantity} {market.symbol}")


def _check_plan(request: SimRequest, intent: Intent, plan: Plan) -> None:
    """Refuse for what the order would meet."""
    if request.post_only and (plan.matches or plan.blocked):
        raise SimRefused(Refusal.POST_ONLY_WOULD_TAKE)
    if plan.blocked and not plan.matches:
        raise SimRefused(Refusal.SELF_TRADE)
    if request.time_in_force is TimeInForce.FOK and (plan.remaining or intent.limit < intent.lots):
        raise SimRefused(Refusal.IOC_WOULD_NOT_EXECUTE, "it cannot be filled as a whole")
    rests = request.type is OrderType.LIMIT and request.time_in_force is TimeInForce.GTC
    if not rests and not plan.matches:
        raise SimRefused(Refusal.IOC_WOULD_NOT_EXECUTE)
