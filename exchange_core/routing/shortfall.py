"""Why something is unfilled: what keeps each venue from giving more. Counted in whole lots of the venue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import attrs

from exchange_core.model.order import OrderRequest
from exchange_core.model.reading import exactly, trim
from exchange_core.model.side import Side
from exchange_core.routing.offer import Offer, Unusable
from exchange_core.routing.plans import Shortfall, ShortfallReason
from exchange_core.routing.quote import VenueQuote


@attrs.frozen(kw_only=True)
class _Question:
    """One venue, asked for what is unfilled on top of its leg."""

    request: OrderRequest
    quote: VenueQuote
    offer: Offer
    given: int
    unfilled: Fraction
    policy: str


def find_shortfalls(
    request: OrderRequest,
    quotes: Sequence[VenueQuote],
    offers: Sequence[Offer],
    unusable: Mapping[str, Unusable],
    counts: Mapping[str, int],
    *,
    policy: str,
) -> tuple[Shortfall, ...]:
    """Return what keeps each venue from giving more than its lots in *counts*; nothing when all is filled."""
    filled = sum((Fraction(offer.lot) * counts.get(offer.venue, 0) for offer in offers), Fraction(0))
    unfilled = Fraction(request.require_quantity()) - filled
    if not unfilled:
        return ()
    known = {offer.venue: offer for offer in offers}
    found: list[Shortfall] = []
    for quote in quotes:
        why, offer = unusable.get(quote.venue), known.get(quote.venue)
        if why is not None and why.shortfall is not None:
            found.append(_shortfall(quote, request.side, why.shortfall, Decimal(0), why.reason))
        if offer is not None:
            given = counts.get(quote.venue, 0)
            question = _Question(
                request=request, quote=quote, offer=offer, given=given, unfilled=unfilled, policy=policy
            )
            found.extend(_of(question))
    return tuple(found)


def _of(question: _Question) -> Iterable[Shortfall]:
    """Yield what holds for this venue, the tightest first."""
    offer, given = question.offer, question.given
    more = int(question.unfilled / Fraction(offer.lot))
    if not more:
        yield _told(question, ShortfallReason.LOTS, given, f"what is left is less than its lot of {exactly(offer.lot)}")
        return
    wanted = given + more
    if given < min(wanted, offer.capacity):
        yield _not_given(question, wanted)
    if offer.capacity < min(wanted, offer.depth):
        yield _too_little_free(question)
    yield from _too_little_offered(question, wanted)


def _not_given(question: _Question, wanted: int) -> Shortfall:
    """Return why it got less than its book and the balance allow."""
    offer, given = question.offer, question.given
    possible = offer.most(wanted)
    if possible > given:
        text = f"the policy {question.policy} left {exactly(offer.quantity(possible - given))} of it unused"
        return _told(question, ShortfallReason.POLICY, given, text)
    text = f"what is left is below its minimum of {exactly(offer.quantity(offer.least))}"
    if given:
        text = "a larger order would reach a price at which it is below the minimum cost"
    return _told(question, ShortfallReason.LOTS, given, text)


def _too_little_free(question: _Question) -> Shortfall:
    offer = question.offer
    asset, free = _money(question.quote, question.request.side)
    assert free is not None
    fee = " with the fee" if question.request.side is Side.BUY else ""
    text = (
        f"{exactly(free)} {asset} are free, enough{fee} for {exactly(offer.quantity(offer.capacity))} "
        f"of the {exactly(offer.within_limit)} that can be had"
    )
    return _told(question, ShortfallReason.FREE_BALANCE, offer.capacity, text)


def _too_little_offered(question: _Question, wanted: int) -> Iterable[Shortfall]:
    offer, limit = question.offer, question.request.price
    in_book, in_limit = (int(Fraction(size) / Fraction(offer.lot)) for size in (offer.in_book, offer.within_limit))
    if offer.depth < min(wanted, in_limit):
        text = f"{exactly(offer.quantity(offer.depth))} stand at prices that are multiples of its tick"
        yield _told(question, ShortfallReason.LOTS, offer.depth, text)
    if in_limit < min(wanted, in_book):
        assert limit is not None
        text = (
            f"{exactly(offer.within_limit)} of the {exactly(offer.in_book)} in its book are at {exactly(limit)} "
            "or better"
        )
        yield _shortfall(question.quote, question.request.side, ShortfallReason.LIMIT_PRICE, offer.within_limit, text)
    if in_book < wanted:
        text = f"its book has {exactly(offer.in_book)} as deep as it is known"
        yield _shortfall(question.quote, question.request.side, ShortfallReason.DEPTH, offer.in_book, text)


def _told(question: _Question, reason: ShortfallReason, lots: int, text: str) -> Shortfall:
    return _shortfall(question.quote, question.request.side, reason, question.offer.quantity(lots), text)


def _shortfall(quote: VenueQuote, side: Side, reason: ShortfallReason, available: Decimal, text: str) -> Shortfall:
    asset, free = _money(quote, side) if reason is ShortfallReason.FREE_BALANCE else (None, None)
    return Shortfall(venue=quote.venue, reason=reason, available=trim(available), text=text, asset=asset, free=free)


def _money(quote: VenueQuote, side: Side) -> tuple[str, Decimal | None]:
    symbol = quote.instrument.symbol
    return (symbol.quote, quote.free_quote) if side is Side.BUY else (symbol.base, quote.free_base)
