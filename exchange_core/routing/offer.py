"""What one venue can do for one order: its book cut down to what is allowed, affordable and in whole lots.

All costs are exact fractions, fees included. One number serves every case: what a quantity costs us, less is better;
it is below zero for what we receive. A spot or linear buy costs price × (1 + fee) and a sell -price × (1 - fee), in
the quote asset. An inverse contract counts in the base asset, and the other way round: a buy costs -(1 - fee) / price
and a sell (1 + fee) / price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import attrs

from exchange_core.model.book import BookHealth
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.market import Level
from exchange_core.model.number import is_multiple, total
from exchange_core.model.order import OrderRequest
from exchange_core.model.reading import exactly
from exchange_core.model.side import Side
from exchange_core.routing.fraction import as_decimal
from exchange_core.routing.plans import ShortfallReason
from exchange_core.routing.quote import VenueQuote


class Unusable(Exception):
    """A venue cannot serve an order. *shortfall*: What it has too little of, where that is why."""

    def __init__(self, reason: str, shortfall: ShortfallReason | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.shortfall = shortfall


@attrs.frozen
class Tier:
    """Whole lots at one price; *unit_cost* is what one unit of quantity costs, fee included."""

    price: Decimal
    lots: int
    unit_cost: Fraction


@attrs.frozen(kw_only=True)
class Offer:
    """One venue's usable depth, best price first.

    Attributes:
        least: From this many lots on, an order is never below the venue's minimums.
        depth: Lots that could be had if money were no matter.
        within_limit: What the book has within the order's limit price.
        in_book: What the book has at any price, as deep as it is known.
    """

    venue: str
    instrument: Instrument
    taker_fee: Decimal
    tiers: tuple[Tier, ...]
    least: int
    depth: int
    within_limit: Decimal
    in_book: Decimal

    @property
    def lot(self) -> Decimal:
        return self.instrument.lot_size

    @property
    def capacity(self) -> int:
        """How many lots can be had."""
        return sum(tier.lots for tier in self.tiers)

    def quantity(self, lots: int) -> Decimal:
        """Return *lots* as a quantity."""
        return as_decimal(Fraction(self.lot) * lots)

    def walk(self, lots: int) -> Iterable[tuple[Tier, int]]:
        """Yield how many lots are taken of each tier, best first."""
        for tier in self.tiers:
            taken = min(lots, tier.lots)
            if taken <= 0:
                return
            yield tier, taken
            lots -= taken

    def cost(self, lots: int) -> Fraction:
        """Return what *lots* cost, fee included; below zero is received."""
        return Fraction(self.lot) * sum((tier.unit_cost * taken for tier, taken in self.walk(lots)), Fraction(0))

    def notional(self, lots: int) -> Fraction:
        """Return what *lots* are worth at the book's prices, without fee and sign."""
        worth = (_worth(self.instrument, tier.price) * taken for tier, taken in self.walk(lots))
        return Fraction(self.lot) * sum(worth, Fraction(0))

    def worst_price(self, lots: int) -> Decimal:
        """Return the price of the last of *lots*."""
        return [tier.price for tier, _ in self.walk(lots)][-1]

    def is_valid(self, lots: int) -> bool:
        """Whether *lots* at their worst price are none, or not below the venue's minimums."""
        return lots == 0 or lots >= _needed(self.instrument, self.worst_price(lots))

    def most(self, lots: int) -> int:
        """Return the most lots, up to *lots*, that the venue takes as one order; 0 when there are none."""
        end = self.capacity
        for tier in reversed(self.tiers):
            if self.is_valid(min(lots, end)):
                return min(lots, end)
            end -= tier.lots
        return 0


def make_offer(request: OrderRequest, quote: VenueQuote, now: datetime, max_age: timedelta) -> Offer:
    """Cut a quote down to what *request* can use.

    Raises:
        Unusable: Says why the venue cannot serve the order.
    """
    instrument, side = quote.instrument, request.side
    fee = _usable_fee(request, quote, now, max_age)
    levels = _levels(request, quote)
    whole = tuple(_tiers(instrument, side, levels, fee))
    offer = Offer(
        venue=quote.venue,
        instrument=instrument,
        taker_fee=fee,
        tiers=whole,
        least=_least(instrument, whole),
        depth=sum(tier.lots for tier in whole),
        within_limit=total(level.quantity for level in levels),
        in_book=total(level.quantity for level in (quote.asks if side is Side.BUY else quote.bids)),
    )
    if not offer.most(offer.capacity):
        least = exactly(offer.quantity(_needed(instrument, levels[0].price)))
        raise Unusable(
            f"only {exactly(offer.within_limit)} can be had at this price, less than its minimum of {least}",
            ShortfallReason.LOTS,
        )
    tiers = tuple(_affordable(whole, quote, side, fee))
    offer = attrs.evolve(offer, tiers=tiers, least=_least(instrument, tiers))
    if not offer.most(offer.capacity):
        raise Unusable(_too_poor(quote, side, levels[0].price, fee), ShortfallReason.FREE_BALANCE)
    return offer


def _usable_fee(request: OrderRequest, quote: VenueQuote, now: datetime, max_age: timedelta) -> Decimal:
    """Refuse what must not be used; return the fee, which then is known."""
    age, status = now - quote.taken, quote.instrument.status
    if quote.instrument.symbol != request.symbol:
        raise Unusable(f"the quote is for {quote.instrument.symbol}")
    if status not in (InstrumentStatus.ONLINE, InstrumentStatus.LIMIT_ONLY):
        raise Unusable(f"the venue says {status}; it does not take this order now")
    if quote.health is not BookHealth.LIVE:
        raise Unusable(f"its book is {quote.health}, not {BookHealth.LIVE}")
    if age > max_age:
        raise Unusable(f"its quote is {age.total_seconds():g} s old; {max_age.total_seconds():g} s are allowed")
    if quote.taker_fee is None:
        raise Unusable("its taker fee is not known; set taker_fee in its configuration")
    return quote.taker_fee


def _levels(request: OrderRequest, quote: VenueQuote) -> Sequence[Level]:
    """Return the levels within the limit, best first."""
    buys, limit = request.side is Side.BUY, request.price
    if quote.bids and quote.asks and quote.bids[0].price >= quote.asks[0].price:
        bid, ask = exactly(quote.bids[0].price), exactly(quote.asks[0].price)
        raise Unusable(f"its book is crossed: bid {bid}, ask {ask}")
    levels = quote.asks if buys else quote.bids
    if not levels:
        raise Unusable(f"nobody {'sells' if buys else 'buys'} there", ShortfallReason.DEPTH)
    ordered = sorted(levels, key=lambda level: level.price, reverse=not buys)
    if limit is None:
        return ordered
    allowed = [level for level in ordered if (level.price <= limit if buys else level.price >= limit)]
    if not allowed:
        best = exactly(ordered[0].price)
        raise Unusable(f"its best price {best} is beyond the limit {exactly(limit)}", ShortfallReason.LIMIT_PRICE)
    return allowed


def _tiers(instrument: Instrument, side: Side, levels: Iterable[Level], fee: Decimal) -> Iterable[Tier]:
    """Cut levels to whole lots. A lot that reaches over two levels is counted at the worse price."""
    lot, depth, before = Fraction(instrument.lot_size), Fraction(0), 0
    for level in levels:
        depth += Fraction(level.quantity)
        lots = int(depth / lot)
        # A leg's limit has to be a price that the venue takes.
        if lots > before and is_multiple(level.price, instrument.tick_size):
            yield Tier(level.price, lots - before, _unit_cost(instrument, side, level.price, fee))
            before = lots


def _affordable(tiers: Iterable[Tier], quote: VenueQuote, side: Side, fee: Decimal) -> Iterable[Tier]:
    """Cut tiers to the free balance. A venue holds a whole order at its limit, so each tier counts at its own price."""
    used, lot = 0, Fraction(quote.instrument.lot_size)
    for tier in tiers:
        lots = tier.lots
        if quote.instrument.symbol.is_spot:
            free = Fraction(_funds(quote, side))
            lots = min(lots, int(free / (lot * Fraction(_hold(side, tier.price, fee)))) - used)
        if lots > 0:
            yield attrs.evolve(tier, lots=lots)
        if lots < tier.lots:
            return
        used += lots


def _funds(quote: VenueQuote, side: Side) -> Decimal:
    symbol = quote.instrument.symbol
    free, asset = (quote.free_quote, symbol.quote) if side is Side.BUY else (quote.free_base, symbol.base)
    if free is None:
        raise Unusable(f"its free balance of {asset} is not known")
    return max(free, Decimal(0))


def _hold(side: Side, price: Decimal, fee: Decimal) -> Fraction:
    """Return what one unit of a spot order keeps back, of the asset that is given away."""
    # Open point: a venue's pages may differ on which asset a sell's fee is taken from; reports say the quote asset.
    # If it were the base asset, selling all of it would be refused by the venue, and reported as a refused leg.
    return Fraction(price) * (1 + max(Fraction(fee), Fraction(0))) if side is Side.BUY else Fraction(1)


def _too_poor(quote: VenueQuote, side: Side, price: Decimal, fee: Decimal) -> str:
    instrument, symbol = quote.instrument, quote.instrument.symbol
    asset = symbol.quote if side is Side.BUY else symbol.base
    lots = _needed(instrument, price)
    needed = Fraction(instrument.lot_size) * lots * _hold(side, price, fee)
    return (
        f"{exactly(_funds(quote, side))} {asset} are free; its smallest order of "
        f"{exactly(as_decimal(Fraction(instrument.lot_size) * lots))} needs {exactly(as_decimal(needed))} {asset}"
    )


def _worth(instrument: Instrument, price: Decimal) -> Fraction:
    size = Fraction(instrument.contract_size)
    return size / Fraction(price) if instrument.is_inverse else size * Fraction(price)


def _unit_cost(instrument: Instrument, side: Side, price: Decimal, fee: Decimal) -> Fraction:
    sign = -side.sign if instrument.is_inverse else side.sign
    return sign * _worth(instrument, price) * (1 + sign * Fraction(fee))


def _needed(instrument: Instrument, price: Decimal) -> int:
    """Return the fewest lots that the venue takes at *price*."""
    quantity = Fraction(instrument.min_quantity)
    if instrument.min_cost is not None:
        quantity = max(quantity, Fraction(instrument.min_cost) / Fraction(price))
    return -int(-quantity // Fraction(instrument.lot_size))


def _least(instrument: Instrument, tiers: Sequence[Tier]) -> int:
    """Return the lots from which on no order is below a minimum, however deep it goes."""
    least, before = 1, 0
    for tier in tiers:
        needed = _needed(instrument, tier.price)
        if needed > before + 1:
            least = max(least, min(needed, before + tier.lots + 1))
        before += tier.lots
    return least
