"""Find the cheapest way to fill a quantity from several offers.

The most that can be filled comes first, the cost after fees second.

1. All tiers of all venues are merged by cost and taken from the cheapest on. As each venue's tiers only get dearer,
   this is the optimum while all venues have the same lot and no minimum bites.
2. A leg below its venue's minimum is no order. Both repairs are tried, without that venue and with at least its
   minimum, again and again until no leg is too small; the better result stays. One of the two holds in any optimum,
   so with equal lots the result is the optimum.
3. With unequal lots something may be left that is smaller than the lots at hand. Then single lots are exchanged
   between venues for as long as that fills more or costs less.

No answer is worse than the best single venue: each of those is a candidate too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import attrs

from exchange_core.model.reading import exactly
from exchange_core.routing.offer import Offer

_EXCHANGES = 1000


@attrs.frozen(kw_only=True)
class Allotment:
    """Lots for each offer, in the order of the offers."""

    lots: tuple[int, ...]
    filled: Fraction
    cost: Fraction
    notes: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[Fraction, Fraction, int]:
        """Less is better: more filled, then cheaper, then fewer legs."""
        return (-self.filled, self.cost, sum(map(bool, self.lots)))


def cheapest(quantity: Decimal, offers: Sequence[Offer]) -> Allotment:
    """Return how many lots of each offer fill most of *quantity* at the lowest cost, with all minimums kept."""
    target = Fraction(quantity)
    relaxed = _greedy(target, offers, [0] * len(offers))
    repaired = _repair(target, offers, {})
    best = min((*_singles(target, offers), *repaired), key=lambda each: each.rank)
    notes = _notes(offers, relaxed, best.lots) if relaxed else ()
    return attrs.evolve(best, notes=tuple(notes))


def in_lots(lots: Sequence[int], offers: Sequence[Offer]) -> dict[str, Decimal]:
    """Return the quantities of those venues that get any."""
    return {offer.venue: offer.quantity(count) for offer, count in zip(offers, lots, strict=True) if count}


def _allotment(lots: Sequence[int], offers: Sequence[Offer]) -> Allotment:
    pairs = list(zip(offers, lots, strict=True))
    return Allotment(
        lots=tuple(lots),
        filled=sum((Fraction(offer.lot) * count for offer, count in pairs), Fraction(0)),
        cost=sum((offer.cost(count) for offer, count in pairs), Fraction(0)),
    )


def _singles(target: Fraction, offers: Sequence[Offer]) -> Iterable[Allotment]:
    for at, offer in enumerate(offers):
        lots = [0] * len(offers)
        lots[at] = offer.most(int(target / Fraction(offer.lot)))
        yield _allotment(lots, offers)


def _repair(target: Fraction, offers: Sequence[Offer], decided: Mapping[int, bool]) -> Iterable[Allotment]:
    """Yield answers that keep all minimums. *decided* says of offers whether they are used, with their minimum."""
    floors = [offer.least if decided.get(at) else 0 for at, offer in enumerate(offers)]
    caps = [0 if decided.get(at) is False else offer.capacity for at, offer in enumerate(offers)]
    lots = _greedy(target, offers, floors, caps)
    if lots is None:
        return
    small = next((at for at, offer in enumerate(offers) if at not in decided and not offer.is_valid(lots[at])), None)
    if small is None:
        yield _allotment(lots, offers)
        return
    yield from _repair(target, offers, {**decided, small: False})
    yield from _repair(target, offers, {**decided, small: True})


def _greedy(
    target: Fraction, offers: Sequence[Offer], floors: Sequence[int], caps: Sequence[int] | None = None
) -> list[int] | None:
    """Take the cheapest tiers first, on top of *floors*; None when those alone are too much."""
    caps = [offer.capacity for offer in offers] if caps is None else caps
    sizes = [Fraction(offer.lot) for offer in offers]
    left = target - sum((size * floor for size, floor in zip(sizes, floors, strict=True)), Fraction(0))
    if left < 0 or any(floor > cap for floor, cap in zip(floors, caps, strict=True)):
        return None
    lots = list(floors)
    tiers = [(tier, at) for at, offer in enumerate(offers) for tier in offer.tiers]
    skipped = list(floors)
    for tier, at in sorted(tiers, key=lambda pair: pair[0].unit_cost):
        below = min(tier.lots, skipped[at])
        skipped[at] -= below
        taken = min(tier.lots - below, caps[at] - lots[at], int(left / sizes[at]))
        lots[at] += taken
        left -= taken * sizes[at]
    return _exchange(target, offers, floors, caps, lots) if len(set(sizes)) > 1 else lots


def _exchange(
    target: Fraction, offers: Sequence[Offer], floors: Sequence[int], caps: Sequence[int], lots: list[int]
) -> list[int]:
    """Give one venue a lot and take as few as needed from another, or the other way round, while that is better."""
    best = _allotment(lots, offers)
    for _ in range(_EXCHANGES):
        moved = (
            _allotment(each, offers)
            for more, less in permutations(range(len(offers)), 2)
            for each in _moves(target, offers, best, more, less)
            if floors[less] <= each[less] and each[more] <= caps[more]
        )
        better = min(moved, key=lambda each: each.rank, default=best)
        if better.rank[:2] >= best.rank[:2]:
            break
        best = better
    return list(best.lots)


def _moves(target: Fraction, offers: Sequence[Offer], now: Allotment, more: int, less: int) -> Iterable[list[int]]:
    left = target - now.filled
    gain, loss = Fraction(offers[more].lot), Fraction(offers[less].lot)
    for add, remove in ((1, -int((left - gain) // loss)), (int((left + loss) / gain), 1)):
        lots = list(now.lots)
        lots[more] += add
        lots[less] -= max(remove, 0)
        yield lots


def _notes(offers: Sequence[Offer], wanted: Sequence[int], given: Sequence[int]) -> Iterable[str]:
    as_much = _allotment(wanted, offers).filled == _allotment(given, offers).filled
    dropped = "its quantity went to the others" if as_much else "it gets none"
    for offer, first, last in zip(offers, wanted, given, strict=True):
        if first == last or offer.is_valid(first):
            continue
        size, least = exactly(offer.quantity(first)), exactly(offer.quantity(offer.least))
        what = f"{offer.venue}: a leg of {size} would be below its minimum of {least}"
        yield f"{what}; {'it was raised' if last else dropped}"
