"""Plan how an order is carried out over venues: quotes in, a plan or a clear refusal out. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import attrs

from exchange_core.errors import (
    InsufficientFunds,
    InvalidValue,
    NotSupported,
    OrderRefused,
    PluginError,
    UnknownSymbol,
)
from exchange_core.model.number import EXACT, is_multiple, plain
from exchange_core.model.order import OrderRequest, OrderType, TimeInForce
from exchange_core.routing.fraction import as_decimal
from exchange_core.routing.offer import Offer, Unusable, make_offer
from exchange_core.routing.plans import Alternative, Leg, Plan, Rejection, ShortfallReason
from exchange_core.routing.policies import BEST_PRICE, Policy, best_price
from exchange_core.routing.quote import VenueQuote
from exchange_core.routing.shortfall import find_shortfalls

MAX_AGE = timedelta(seconds=5)
"""How old a quote, or a plan, may be."""


def plan(
    request: OrderRequest,
    quotes: Sequence[VenueQuote],
    *,
    now: datetime,
    max_age: timedelta = MAX_AGE,
    policy: Policy = best_price,
    policy_name: str = BEST_PRICE,
    rejections: Sequence[Rejection] = (),
) -> Plan:
    """Split *request* over venues.

    What cannot be filled at once is reported as unfilled; nothing ever rests in a book.

    Args:
        rejections: Venues that trade it but gave no quote, and why.

    Raises:
        NotSupported: The order asks for what cannot be promised over several venues.
        UnknownSymbol: No venue trades it.
        InsufficientFunds: Only money is missing.
        OrderRefused: No venue can be used; the message has each one's reason.
    """
    check_routable(request)
    if not quotes and not rejections:
        raise UnknownSymbol(f"no venue trades {request.symbol}")
    _check_quotes(request, quotes)
    offers, unusable = _offers(request, quotes, now, max_age)
    rejections = (*rejections, *(Rejection(venue=venue, reason=why.reason) for venue, why in unusable.items()))
    if not offers:
        reasons = "; ".join(f"{each.venue}: {each.reason}" for each in rejections)
        poor = [why for why in unusable.values() if why.shortfall is ShortfallReason.FREE_BALANCE]
        only_funds = len(rejections) == len(poor)
        kind = InsufficientFunds if only_funds else OrderRefused
        raise kind(f"{request.symbol}: no venue can {request.side} it now: {reasons}")
    split = policy(request, offers)
    counts = _checked_lots(request, offers, split.quantities, policy_name)
    if not counts:
        least = "; ".join(f"{offer.venue} takes {plain(offer.quantity(offer.least))} or more" for offer in offers)
        raise OrderRefused(
            f"{request.symbol}: quantity {plain(request.require_quantity())} is below every minimum: {least}"
        )
    legs = tuple(_leg(request, offer, counts[offer.venue]) for offer in offers if offer.venue in counts)
    made = _plan(request, legs, offers, tuple(rejections), notes=split.notes, now=now, policy_name=policy_name)
    shortfalls = find_shortfalls(request, quotes, offers, unusable, counts, policy=policy_name)
    return attrs.evolve(made, shortfalls=shortfalls)


def check_routable(request: OrderRequest) -> None:
    """Refuse what cannot be promised over several venues.

    Raises:
        NotSupported: Names the option.
    """
    if request.quote_amount is not None:
        raise NotSupported(f"route {request.symbol}: quote_amount cannot be routed: a plan divides a quantity")
    fok = request.time_in_force is TimeInForce.FOK
    for asked, what, why in (
        (request.post_only, "post_only", "a routed order takes what is there"),
        (fok, "time in force fok", "two venues cannot fill all or nothing together"),
        (request.reduce_only, "reduce_only", "each venue would reduce its own position; place it there"),
        (request.client_order_id is not None, "client_order_id", "each leg is an order with an id of its own"),
    ):
        if asked:
            raise NotSupported(f"route {request.symbol}: {what} cannot be routed: {why}")


def _check_quotes(request: OrderRequest, quotes: Sequence[VenueQuote]) -> None:
    names = [quote.venue for quote in quotes]
    if len(set(names)) < len(names):
        raise InvalidValue(f"quotes: a venue is named twice among {', '.join(names)}; each may have one quote")
    sizes = {
        quote.venue: quote.instrument.contract_size for quote in quotes if quote.instrument.symbol == request.symbol
    }
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{venue} {plain(size)}" for venue, size in sizes.items())
        raise OrderRefused(f"{request.symbol}: contracts of different sizes cannot be one order: {found}")


def _offers(
    request: OrderRequest, quotes: Sequence[VenueQuote], now: datetime, max_age: timedelta
) -> tuple[list[Offer], dict[str, Unusable]]:
    offers: list[Offer] = []
    unusable: dict[str, Unusable] = {}
    for quote in quotes:
        try:
            offers.append(make_offer(request, quote, now, max_age))
        except Unusable as why:
            unusable[quote.venue] = why
    return offers, unusable


def _checked_lots(
    request: OrderRequest, offers: Sequence[Offer], quantities: Mapping[str, Decimal], policy_name: str
) -> dict[str, int]:
    """Return the lots of each leg; a policy that asks for what cannot be is a broken plugin."""
    known = {offer.venue: offer for offer in offers}
    counts: dict[str, int] = {}
    for venue, quantity in quantities.items():
        offer = known.get(venue)
        if offer is None or quantity < 0 or not is_multiple(quantity, offer.lot):
            raise PluginError(f"routing policy {policy_name}: {plain(quantity)} at {venue} is no quantity it can have")
        lots = int(Fraction(quantity) / Fraction(offer.lot))
        if lots > offer.capacity or not offer.is_valid(lots):
            raise PluginError(f"routing policy {policy_name}: {venue} cannot take {plain(quantity)} as one order")
        if lots:
            counts[venue] = lots
    if sum((Fraction(quantity) for quantity in quantities.values()), Fraction(0)) > Fraction(
        request.require_quantity()
    ):
        raise PluginError(f"routing policy {policy_name}: the legs are more than {plain(request.require_quantity())}")
    return counts


def _leg(request: OrderRequest, offer: Offer, lots: int) -> Leg:
    leg = OrderRequest(
        symbol=request.symbol,
        side=request.side,
        type=OrderType.LIMIT,
        quantity=offer.quantity(lots),
        price=offer.worst_price(lots),
        time_in_force=TimeInForce.IOC,
        deadline=request.deadline,
    )
    offer.instrument.check(leg)
    notional = offer.notional(lots)
    return Leg(
        venue=offer.venue,
        request=leg,
        notional=as_decimal(notional),
        taker_fee=offer.taker_fee,
        fee=as_decimal(notional * Fraction(offer.taker_fee)),
    )


def _plan(
    request: OrderRequest,
    legs: tuple[Leg, ...],
    offers: Sequence[Offer],
    rejections: tuple[Rejection, ...],
    *,
    notes: tuple[str, ...],
    now: datetime,
    policy_name: str,
) -> Plan:
    symbol, instrument = request.symbol, offers[0].instrument
    with localcontext(EXACT):
        quantity = sum((leg.quantity for leg in legs), Decimal(0))
        notional = sum((leg.notional for leg in legs), Decimal(0))
        fees = sum((leg.fee for leg in legs), Decimal(0))
        return Plan(
            request=request,
            policy=policy_name,
            made=now,
            legs=legs,
            quantity=quantity,
            unfilled=as_decimal(Fraction(request.require_quantity()) - Fraction(quantity)),
            cost_asset=symbol.base if symbol.is_inverse else symbol.quote,
            is_inverse=symbol.is_inverse,
            contract_size=instrument.contract_size,
            notional=notional,
            fees=fees,
            total=sum((leg.total for leg in legs), Decimal(0)),
            alternatives=_alternatives(request, offers),
            rejections=rejections,
            notes=notes,
        )


def _alternatives(request: OrderRequest, offers: Sequence[Offer]) -> tuple[Alternative, ...]:
    """Return what each venue alone could do, most filled first and then cheapest."""
    ranked = []
    for offer in offers:
        lots = offer.most(int(Fraction(request.require_quantity()) / Fraction(offer.lot)))
        if lots:
            leg = _leg(request, offer, lots)
            alone = Alternative(venue=offer.venue, quantity=leg.quantity, total=leg.total)
            ranked.append((-Fraction(leg.quantity), offer.cost(lots), alone))
    return tuple(alone for _, _, alone in sorted(ranked, key=lambda each: each[:2]))
