"""What became of a plan: what each leg did, what is left, and what is not known. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from enum import StrEnum

import attrs

from exchange_core.model.fill import Fee, Fill
from exchange_core.model.number import EXACT, ratio
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.reading import exactly, roughly
from exchange_core.routing.plans import Leg, Plan

_NOTHING = Decimal(0)


class LegOutcome(StrEnum):
    """How a leg ended.

    UNKNOWN: it was sent and may have been, or may still be, carried out. Its quantity is never sent again.
    """

    FILLED = "filled"
    PARTLY_FILLED = "partly filled"
    UNFILLED = "unfilled"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class LegResult:
    """One leg, planned and done.

    Attributes:
        order: The newest that is known of it; None when it was refused or no answer came.
        fills: Its executions as far as they are known.
        filled: Quantity that is known to be executed.
        reason: Why it did not simply fill.
    """

    leg: Leg
    outcome: LegOutcome
    filled: Decimal = _NOTHING
    order: Order | None = None
    fills: tuple[Fill, ...] = ()
    reason: str | None = None

    @property
    def fills_complete(self) -> bool:
        """Whether the fills account for all that is known to be executed."""
        return total(fill.quantity for fill in self.fills) == self.filled

    @property
    def unknown(self) -> Decimal:
        """Quantity that may or may not be executed."""
        if self.outcome is not LegOutcome.UNKNOWN:
            return _NOTHING
        with localcontext(EXACT):
            return self.leg.quantity - self.filled

    @property
    def fees(self) -> tuple[Fee, ...]:
        """What was charged, one entry an asset: by the fills, or by the order while fills or their fees are missing."""
        told = [fill.fee for fill in self.fills if fill.fee is not None]
        if self.order is not None and (len(told) < len(self.fills) or not self.fills_complete):
            return self.order.fees
        return sum_fees(told)

    @property
    def average_price(self) -> Decimal | None:
        """Of what is executed; None while nothing is."""
        if not self.fills or not self.fills_complete:
            return self.order.average_price if self.order is not None else None
        with localcontext(EXACT):
            if self.leg.request.symbol.is_inverse:
                return ratio(self.filled, sum((ratio(fill.quantity, fill.price) for fill in self.fills), _NOTHING))
            return ratio(sum((fill.price * fill.quantity for fill in self.fills), _NOTHING), self.filled)


@attrs.frozen(kw_only=True)
class RouteResult:
    """An order as it was carried out over venues.

    Attributes:
        plans: The plan, and one more for each time that a refused part was planned again.
        legs: Of all plans, in their order.
        notes: What else should be known, such as why a refused part was not planned again.
    """

    request: OrderRequest
    plans: tuple[Plan, ...]
    legs: tuple[LegResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def filled(self) -> Decimal:
        """Quantity that is known to be executed."""
        return total(leg.filled for leg in self.legs)

    @property
    def unknown(self) -> Decimal:
        """Quantity that may or may not be executed; look at the orders of those legs before doing anything about it."""
        return total(leg.unknown for leg in self.legs)

    @property
    def remainder(self) -> Decimal:
        """Quantity that is known not to be executed; nothing of it rests anywhere."""
        with localcontext(EXACT):
            return self.request.require_quantity() - self.filled - self.unknown

    @property
    def is_certain(self) -> bool:
        """Whether the outcome of every leg is known."""
        return all(leg.outcome is not LegOutcome.UNKNOWN for leg in self.legs)

    @property
    def fills(self) -> tuple[Fill, ...]:
        return tuple(fill for leg in self.legs for fill in leg.fills)

    @property
    def fees(self) -> tuple[Fee, ...]:
        """What was charged on all legs, one entry an asset."""
        return sum_fees(fee for leg in self.legs for fee in leg.fees)

    @property
    def average_price(self) -> Decimal | None:
        """Of all that is executed, before fees; None where a leg's price is not known."""
        done = [(leg.filled, leg.average_price) for leg in self.legs if leg.filled]
        worth = _NOTHING
        inverse = self.request.symbol.is_inverse
        with localcontext(EXACT):
            for quantity, price in done:
                if price is None:
                    return None
                worth += ratio(quantity, price) if inverse else quantity * price
            if not worth:
                return None
            return ratio(self.filled, worth) if inverse else ratio(worth, self.filled)

    def explain(self) -> tuple[str, ...]:
        """Say in words what happened, one line a fact."""
        return tuple(_lines(self))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add up exactly."""
    with localcontext(EXACT):
        return sum(amounts, _NOTHING)


def sum_fees(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    """Add up fees, one entry an asset."""
    sums: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for fee in fees:
            sums[fee.asset] = sums.get(fee.asset, _NOTHING) + fee.amount
    return tuple(Fee(asset=asset, amount=amount) for asset, amount in sorted(sums.items()))


def _lines(result: RouteResult) -> Iterable[str]:
    for leg in result.legs:
        text = f"{leg.leg.venue}: {leg.outcome}: {exactly(leg.filled)} of {exactly(leg.leg.quantity)}"
        if leg.average_price is not None and leg.filled:
            text += f" at {roughly(leg.average_price)}"
        for fee in leg.fees:
            text += f", fee {roughly(fee.amount)} {fee.asset}"
        if not leg.fills_complete:
            text += ", not all of its fills are known yet"
        yield text if leg.reason is None else f"{text} ({leg.reason})"
    yield f"filled {exactly(result.filled)} of {exactly(result.request.require_quantity())} {result.request.symbol}"
    if result.unknown:
        yield f"{exactly(result.unknown)} may or may not be executed: ask the venue before sending anything again"
    if result.remainder:
        yield f"{exactly(result.remainder)} is not executed and rests nowhere"
    yield from result.notes
