"""A plan: which venue gets which part of an order, what that should cost, and why. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, localcontext

import attrs

from exchange_core.model.number import EXACT, plain, ratio
from exchange_core.model.order import OrderRequest
from exchange_core.model.side import Side


@attrs.frozen(kw_only=True)
class Leg:
    """One order to one venue.

    Attributes:
        request: Takes what is there at once, at no worse than the worst planned price; never rests.
        notional: What it is worth at the book's prices, in the plan's *cost_asset*, without the fee.
        fee: What the venue should charge, in the same asset; a rebate is below zero.
    """

    venue: str
    request: OrderRequest
    notional: Decimal
    taker_fee: Decimal
    fee: Decimal

    @property
    def quantity(self) -> Decimal:
        return self.request.quantity

    @property
    def total(self) -> Decimal:
        """With the fee: spent on a buy, received on a sell; an inverse contract counts the other way round."""
        adds = (self.request.side is Side.BUY) is not self.request.symbol.is_inverse
        with localcontext(EXACT):
            return self.notional + self.fee if adds else self.notional - self.fee


@attrs.frozen(kw_only=True)
class Alternative:
    """What one venue alone could do. *total* is spent on a buy and received on a sell, fees included."""

    venue: str
    quantity: Decimal
    total: Decimal


@attrs.frozen(kw_only=True)
class Rejection:
    """A venue that is not used, and why."""

    venue: str
    reason: str


@attrs.frozen(kw_only=True, eq=False)
class Plan:
    """How to carry out one order now. It is a promise of no one: books move.

    Attributes:
        request: What was asked for; only its quantity within the limit price is planned, nothing will rest.
        unfilled: What cannot be had within the limit, the depth and the balances.
        cost_asset: What all amounts are in: the quote asset, or the base asset of an inverse contract.
        notional: Of all legs, at the book's prices.
        total: With fees: spent on a buy, received on a sell. For derivatives it is exposure, not money that moves.
        alternatives: Every usable venue alone, best first.
        notes: What was repaired, in words.
    """

    request: OrderRequest
    policy: str
    made: datetime
    legs: tuple[Leg, ...]
    quantity: Decimal
    unfilled: Decimal
    cost_asset: str
    is_inverse: bool
    contract_size: Decimal
    notional: Decimal
    fees: Decimal
    total: Decimal
    alternatives: tuple[Alternative, ...]
    rejections: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def average_price(self) -> Decimal:
        """Price per unit before fees, to 34 digits."""
        return self.price_of(self.quantity, self.notional)

    @property
    def all_in_price(self) -> Decimal:
        """Price per unit with fees, to 34 digits."""
        return self.price_of(self.quantity, self.total)

    @property
    def best_alternative(self) -> Alternative | None:
        """The one venue that alone would do best."""
        return self.alternatives[0] if self.alternatives else None

    @property
    def saving(self) -> Decimal | None:
        """What is gained over the best venue alone; None where none alone fills as much."""
        best = self.best_alternative
        if best is None or best.quantity != self.quantity:
            return None
        with localcontext(EXACT):
            spends_less = (self.request.side is Side.BUY) is not self.is_inverse
            return best.total - self.total if spends_less else self.total - best.total

    def price_of(self, quantity: Decimal, amount: Decimal) -> Decimal:
        """Return the price per unit that *amount* of the cost asset for *quantity* means."""
        with localcontext(EXACT):
            size = quantity * self.contract_size
            return ratio(size, amount) if self.is_inverse else ratio(amount, size)

    def explain(self) -> tuple[str, ...]:
        """Say in words what will be done and why, one line a fact."""
        return tuple(_lines(self))


def _lines(plan: Plan) -> Iterable[str]:
    request, asset = plan.request, plan.cost_asset
    limit = "at any price" if request.price is None else f"at {plain(request.price)} or better"
    yield f"{request.side} {plain(request.quantity)} {request.symbol} {limit}, split by {plan.policy}"
    for leg in plan.legs:
        assert leg.request.price is not None
        yield (
            f"{leg.venue}: {plain(leg.quantity)}, limit {plain(leg.request.price)}, for {plain(leg.notional)} {asset} "
            f"and a fee of {plain(leg.fee)} ({plain(leg.taker_fee * 100)} %)"
        )
    verb = "spends" if request.side is Side.BUY else "receives"
    yield (
        f"all legs: {plain(plan.quantity)} for {plain(plan.notional)} and {plain(plan.fees)} fees; "
        f"{verb} {plain(plan.total)} {asset}, {_short(plan.all_in_price)} a unit"
    )
    for other in plan.alternatives:
        price = _short(plan.price_of(other.quantity, other.total))
        yield f"{other.venue} alone: {plain(other.quantity)} for {plain(other.total)} {asset}, {price} a unit"
    if plan.saving is not None and len(plan.legs) > 1:
        yield f"saves {plain(plan.saving)} {asset} over the best single venue"
    if plan.saving is None:
        yield "no single venue can fill as much"
    if plan.unfilled:
        yield f"{plain(plan.unfilled)} cannot be filled now; it is not sent and nothing rests in a book"
    yield from plan.notes
    for rejection in plan.rejections:
        yield f"{rejection.venue} is not used: {rejection.reason}"


def _short(price: Decimal) -> str:
    """Cut a quotient to what a reader needs."""
    rounded = price if len(price.as_tuple().digits) <= 12 else Decimal(f"{price:.12g}")
    return plain(rounded)
