"""A plan: which venue gets which part of an order, what that should cost, and why. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum

import attrs

from exchange_core.model.number import EXACT, ratio
from exchange_core.model.order import OrderRequest
from exchange_core.model.reading import exactly, roughly
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
        return self.request.require_quantity()

    def __str__(self) -> str:
        request = self.request
        price = "" if request.price is None else f" at {exactly(request.price)}"
        return f"{request.side} {exactly(request.require_quantity())} {request.symbol}{price}"

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


class ShortfallReason(StrEnum):
    """What keeps a venue from giving more.

    LOTS: What is left is no whole lot there, or below its minimum.
    POLICY: The way of splitting left it unused.
    """

    DEPTH = "depth"
    LIMIT_PRICE = "limit_price"
    FREE_BALANCE = "free_balance"
    LOTS = "lots"
    POLICY = "policy"


@attrs.frozen(kw_only=True)
class Shortfall:
    """One reason why a venue does not give what is unfilled.

    Attributes:
        available: How much it can give as far as this reason goes, its leg included.
        text: The same in words.
        asset: For a free balance: of what there is too little.
        free: For a free balance: how much of it is free.
    """

    venue: str
    reason: ShortfallReason
    available: Decimal
    text: str
    asset: str | None = None
    free: Decimal | None = None


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
        shortfalls: Why there is something unfilled, by venue, the tightest reason of each first.
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
    shortfalls: tuple[Shortfall, ...] = ()

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
    limit = "at any price" if request.price is None else f"at {exactly(request.price)} or better"
    yield f"{request.side} {exactly(request.require_quantity())} {request.symbol} {limit}, split by {plan.policy}"
    for leg in plan.legs:
        assert leg.request.price is not None
        yield (
            f"{leg.venue}: {exactly(leg.quantity)}, limit {exactly(leg.request.price)}, for {roughly(leg.notional)} "
            f"{asset} and a fee of {roughly(leg.fee)} ({exactly(EXACT.multiply(leg.taker_fee, Decimal(100)))} %)"
        )
    verb = "spends" if request.side is Side.BUY else "receives"
    yield (
        f"all legs: {exactly(plan.quantity)} for {roughly(plan.notional)} and {roughly(plan.fees)} fees; "
        f"{verb} {roughly(plan.total)} {asset}, {roughly(plan.all_in_price)} a unit"
    )
    for other in plan.alternatives:
        price = roughly(plan.price_of(other.quantity, other.total))
        yield f"{other.venue} alone: {exactly(other.quantity)} for {roughly(other.total)} {asset}, {price} a unit"
    if plan.saving is not None and len(plan.legs) > 1:
        yield f"saves {roughly(plan.saving)} {asset} over the best single venue"
    if plan.saving is None:
        yield "no single venue can fill as much"
    if plan.unfilled:
        yield f"{exactly(plan.unfilled)} cannot be filled now; it is not sent and nothing rests in a book"
        yield from _why_unfilled(plan)
    yield from plan.notes
    for rejection in plan.rejections:
        yield f"{rejection.venue} is not used: {rejection.reason}"


def _why_unfilled(plan: Plan) -> Iterable[str]:
    reasons: dict[str, list[str]] = {}
    told = {rejection.venue for rejection in plan.rejections}
    for shortfall in plan.shortfalls:
        if shortfall.venue not in told:
            reasons.setdefault(shortfall.venue, []).append(shortfall.text)
    for venue, texts in reasons.items():
        yield f"{venue} gives no more: {'; '.join(texts)}"
