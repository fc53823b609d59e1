"""Read a request's own terms: prices, quantities and distances as whole numbers of the market's steps."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from exchange_core.connector.simulation import Refusal, SimRefused, SimRequest
from exchange_core.model.number import plain
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.terms import Offset, TriggerBy
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.prices import MICRO
from exchange_core.simulator.engine.triggers import Trail, Waiting
from exchange_core.simulator.engine.units import RATE, floor_steps, nearest_div, product, whole_steps

_HUNDRED = Decimal(100)


class Terms(NamedTuple):
    """A request in whole numbers.

    Attributes:
        lots: Wanted; 0 where the quantity is an amount of the quote asset.
        budget: That amount, in units.
        limit: Worst price in ticks; None takes any.
        waiting: What it waits for; its owner and id are not filled in yet.
        display: Lots that an iceberg shows; 0 for other orders.
    """

    lots: int
    budget: int
    limit: int | None
    waiting: Waiting | None
    display: int


def read(market: MarketState, request: SimRequest, now: datetime) -> Terms:
    """Check *request* against the market's steps, minimums and offers, and itself.

    Raises:
        SimRefused: The first reason not to take it.
    """
    _check_times(request, now)
    lots, budget = _read_quantity(market, request)
    waiting = _read_trigger(market, request)
    limit = _read_limit(market, request, waiting)
    if limit is not None and lots and not request.any_size:
        _check_cost(market, lots, limit)
    if request.leverage is not None and request.leverage not in market.leverages:
        raise SimRefused(Refusal.LEVERAGE, f"{market.symbol} offers {sorted(market.leverages) or 'none'}")
    return Terms(lots, budget, limit, waiting, _read_display(market, request, lots))


def _check_times(request: SimRequest, now: datetime) -> None:
    if request.deadline is not None and now > request.deadline:
        raise SimRefused(Refusal.DEADLINE_ELAPSED, f"it is {now.isoformat()}")
    if request.time_in_force is TimeInForce.GTD and request.expires is None:
        raise SimRefused(Refusal.INVALID_TIME, "good till when?")
    if request.expires is not None and request.expires <= max(now, request.starts or now):
        raise SimRefused(Refusal.INVALID_TIME, f"it would expire before it begins, at {request.expires.isoformat()}")


def _read_quantity(market: MarketState, request: SimRequest) -> tuple[int, int]:
    instrument = market.market.instrument
    if request.quantity_in_quote:
        if request.type is not OrderType.MARKET or request.side is Side.SELL or request.leverage or not market.is_spot:
            raise SimRefused(Refusal.INVALID_QUANTITY, "only spot market buys count the quote asset")
        unit = Decimal(1).scaleb(-market.quote_decimals)
        budget = whole_steps(request.quantity, unit)
        if budget is None or budget <= 0:
            raise SimRefused(Refusal.INVALID_QUANTITY, f"{request.quantity} is not a multiple of {unit} above zero")
        if instrument.min_cost is not None and request.quantity < instrument.min_cost:
            raise SimRefused(Refusal.MINIMUM_COST, f"least is {plain(instrument.min_cost)}")
        return 0, budget
    lots = whole_steps(request.quantity, market.lot)
    if lots is None or lots <= 0:
        raise SimRefused(
            Refusal.INVALID_QUANTITY, f"{request.quantity} is not a multiple of {plain(market.lot)} above zero"
        )
    if request.quantity < instrument.min_quantity and not request.any_size:
        raise SimRefused(Refusal.MINIMUM_QUANTITY, f"least is {plain(instrument.min_quantity)}")
    return lots, 0


def _check_cost(market: MarketState, lots: int, limit: int) -> None:
    least = market.market.instrument.min_cost
    if least is None:
        return
    cost = product(market.quantity(lots), market.price(limit))
    if cost < least:
        raise SimRefused(Refusal.MINIMUM_COST, f"{plain(cost)} is below {plain(least)}")


def _read_trigger(market: MarketState, request: SimRequest) -> Waiting | None:
    kind = request.type
    if not kind.is_triggered:
        if request.trigger_price is not None or request.trail is not None or request.trigger_by is not None:
            raise SimRefused(Refusal.INVALID_TRIGGER, f"{kind} orders have none")
        return None
    by = request.trigger_by or TriggerBy.LAST
    # A stop follows the market where it hurts its side: up for a buy.
    takes_profit = kind in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
    rises = (request.side is Side.BUY) is not takes_profit
    waiting = Waiting(owner="", order_id="", by=by, rises=rises, price=0)
    if kind.is_trailing:
        if request.trail is None or request.trigger_price is not None:
            raise SimRefused(Refusal.INVALID_TRIGGER, "a trailing stop has a distance and no price")
        waiting.trail = _read_trail(market, request.trail)
        waiting.follow(market.prices.of(by))
        return waiting
    if request.trigger_price is None or request.trail is not None:
        raise SimRefused(Refusal.INVALID_TRIGGER, f"a {kind} order has a trigger price and no distance")
    waiting.price = ticks_of(market, request.trigger_price)
    return waiting


def _read_trail(market: MarketState, trail: Offset) -> Trail:
    amount = trail.amount
    if not amount.is_finite() or amount <= 0 or (trail.percent and amount >= _HUNDRED):
        raise SimRefused(Refusal.INVALID_TRIGGER, f"{trail} is no distance to follow at")
    if trail.percent:
        return Trail(floor_steps(product(amount, Decimal(RATE)), _HUNDRED), True)
    steps = whole_steps(amount, market.tick)
    if steps is None:
        raise SimRefused(Refusal.TICK_SIZE, f"{trail} is not a multiple of {plain(market.tick)}")
    return Trail(steps * MICRO, False)


def _read_limit(market: MarketState, request: SimRequest, waiting: Waiting | None) -> int | None:
    kind = request.type
    if not kind.has_limit:
        if request.price is not None or request.limit_offset is not None:
            raise SimRefused(Refusal.INVALID_PRICE, f"a {kind} order has no limit")
        if request.post_only:
            raise SimRefused(Refusal.POST_ONLY_WOULD_TAKE, f"a {kind} order always takes")
        return None
    if request.limit_offset is None:
        return ticks_of(market, request.price)
    if waiting is None or request.price is not None:
        raise SimRefused(Refusal.INVALID_PRICE, "a limit is an offset from a trigger, or a price, not both")
    return limit_from(market, waiting, request.limit_offset)


def limit_from(market: MarketState, waiting: Waiting, offset: Offset) -> int:
    """Return the limit that stands *offset* from where a trigger stands now, in ticks."""
    if not offset.amount.is_finite():
        raise SimRefused(Refusal.INVALID_PRICE, f"{offset} is no distance")
    if offset.percent:
        rate = floor_steps(product(offset.amount, Decimal(RATE)), _HUNDRED)
        limit = waiting.price + nearest_div(waiting.price * rate, RATE)
    else:
        steps = whole_steps(offset.amount, market.tick)
        if steps is None:
            raise SimRefused(Refusal.TICK_SIZE, f"{offset} is not a multiple of {plain(market.tick)}")
        limit = waiting.price + steps
    if limit <= 0:
        raise SimRefused(Refusal.INVALID_PRICE, f"{offset} from {market.price(waiting.price)} is no price")
    return limit


def ticks_of(market: MarketState, price: Decimal | None) -> int:
    """Return a price in ticks."""
    if price is None or not price.is_finite() or price <= 0:
        raise SimRefused(Refusal.INVALID_PRICE, f"{price} is not a price above zero")
    ticks = whole_steps(price, market.tick)
    if ticks is None:
        raise SimRefused(Refusal.TICK_SIZE, f"{price} is not a multiple of {plain(market.tick)}")
    return ticks


def _read_display(market: MarketState, request: SimRequest, lots: int) -> int:
    shown = request.display_quantity
    if shown is None:
        return 0
    display = whole_steps(shown, market.lot)
    if request.type is not OrderType.LIMIT or request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        raise SimRefused(Refusal.INVALID_DISPLAY, "only an order that stands in the book can hide a part")
    if display is None or not 0 < display <= lots or display * market.market.iceberg_parts < lots:
        raise SimRefused(
            Refusal.INVALID_DISPLAY, f"{shown} of {request.quantity}: least is 1/{market.market.iceberg_parts}"
        )
    return display
