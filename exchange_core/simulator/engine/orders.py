"""An order and the whole numbers behind it: what is left of it, what it costs, what it keeps back."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

import attrs

from exchange_core.connector.simulation import SimOrder, SimRequest
from exchange_core.model.order import TimeInForce
from exchange_core.model.side import Side
from exchange_core.simulator.engine.ladder import Resting
from exchange_core.simulator.engine.market import MarketState, Rates
from exchange_core.simulator.engine.triggers import Waiting
from exchange_core.simulator.engine.units import RATE, ceil_div, nearest_div


class Stage(Enum):
    """Where an order is: not begun, waiting for its price, meeting the book, standing in it, gone."""

    SCHEDULED = auto()
    WAITING = auto()
    ENTERING = auto()
    BOOK = auto()
    DONE = auto()


@attrs.define(kw_only=True)
class LiveOrder:
    """An order and the whole numbers behind it.

    Attributes:
        resting: The order as the book knows it; its remaining lots count down while it is filled. Its price is 0 for
            one that takes any.
        rates: Its fees, fixed when it was placed.
        budget: Units of the quote asset to spend, where the quantity counts those.
        leverage: Of a margin order; 0 for others.
        fee_in_base: Fees are charged in the base asset.
        waiting: Its trigger, until it was set off and after.
        cost: What its fills told that they cost, in units of the last decimal told.
        value: Fine value of its fills.
        fee: Units charged so far; always the exact fee so far, rounded once.
        fee_exact: The exact fee so far, in fine units (base asset: units) times RATE.
        held: Units kept back for it (spot), of the asset it pays with.
        counted, counted_lots, counted_margin: Fine value, lots and margin with which it stands in the exposure.
    """

    order: SimOrder
    market: MarketState
    resting: Resting
    lots: int
    rates: Rates
    stage: Stage = Stage.ENTERING
    budget: int = 0
    leverage: int = 0
    fee_in_base: bool = False
    waiting: Waiting | None = None
    liquidation: bool = False
    cost: int = 0
    value: int = 0
    fee: int = 0
    fee_exact: int = 0
    held: int = 0
    counted: int = 0
    counted_lots: int = 0
    counted_margin: int = 0

    @property
    def moves_position(self) -> bool:
        return self.resting.moves

    @property
    def limit(self) -> int | None:
        """The worst price in ticks; None for any."""
        return self.resting.price or None

    @property
    def rests(self) -> bool:
        """Whether what it does not meet at once stays in the book."""
        request = self.order.request
        return request.type.has_limit and request.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)

    @property
    def held_asset(self) -> str:
        return self.market.quote if self.resting.side is Side.BUY else self.market.symbol.base

    def remember(self, request: SimRequest, now: datetime, reason: str) -> None:
        """Give the order a new request, and keep the one before."""
        order, before = self.order, self.order.request
        if before.type.is_trailing:  # where its trigger stood is told nowhere else
            before = attrs.evolve(before, trigger_price=order.trigger)
        order.amends += ((before, now, str(reason)),)
        order.request = request
        order.amended = order.updated = now

    def charge(self, lots: int, fine: int, rate: int) -> int:
        """Return the fee to charge now for *lots* of a value of *fine*, in units of the fee's asset."""
        if self.fee_in_base:
            self.fee_exact += lots * self.market.base_per_lot * rate
            total = nearest_div(self.fee_exact, RATE)
        else:
            self.fee_exact += fine * rate
            total = nearest_div(self.fee_exact, RATE * self.market.per_unit)
        fee, self.fee = total - self.fee, total
        return fee

    def needed(self) -> int:
        """Return the units that a spot order keeps back while it stands or waits.

        A buy: its rest at its limit (waiting without one: at its trigger) and the highest fee on it. A sell: what it
        sells. The cost of a part is cut, and fees are rounded once for the whole order, so that the parts never take
        more than this.
        """
        market, lots = self.market, self.resting.remaining
        if self.resting.side is Side.SELL:
            units = lots * market.base_per_lot
            if self.fee_in_base:
                units += max(0, ceil_div(self.fee_exact + units * self.rates.most, RATE) - self.fee)
            return units
        price = self.resting.price
        if self.waiting is not None and not price:
            price = max(0, self.waiting.price)
        value = market.value(price, lots)
        if self.fee_in_base:
            return value // market.per_unit
        fee = self.fee_exact + value * self.rates.most
        return value // market.per_unit + max(0, ceil_div(fee, RATE * market.per_unit) - self.fee)
