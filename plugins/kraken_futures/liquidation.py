"""At what mark price a position would be liquidated, as far as that can be said.

Kraken liquidates when what backs a position falls to its maintenance margin. Its own figure, ``liquidation_threshold``
of the feed of positions, knows the whole account; what is worked out here takes for granted what it names, and its
range comes from the margin levels. The documentation's sample of that figure cannot be worked out from what it shows.
See https://support.kraken.com/hc/en-us/articles/360022835911
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.number import EXACT, ratio
from exchange_core.model.units import Amount, Contracts, Price
from kraken_futures.margin import MarginKind, MarginSchedule

_ALONE = (
    "nothing else is in its wallet: no other position, no open order",
    "funding that is not realised yet, and the fee of closing, count nothing",
)
_STILL = (
    "only this contract's mark price moves: all other positions and the prices of all collateral stand still",
    "profit counts as collateral in full; the venue takes a haircut where it would have to be converted",
    "no order fills, and funding that is not realised yet counts nothing",
)


@attrs.frozen(kw_only=True)
class Liquidation:
    """An estimate; None is "at no price".

    Attributes:
        near: The price that is reached first, with the most that the margin may be.
        far: The same with the least.
        assumes: What was taken for granted, in words.
    """

    is_long: bool
    near: Price | None
    far: Price | None
    assumes: tuple[str, ...]

    def distance(self, mark: Price) -> Decimal | None:
        """Return how far *mark* may go before the nearer price, as a fraction of it; None for never.

        At 0 or below the price has been passed.
        """
        if self.near is None:
            return None
        with localcontext(EXACT):
            room = mark.value - self.near.value if self.is_long else self.near.value - mark.value
        return ratio(room, mark.value)


def alone(schedule: MarginSchedule, held: Contracts, *, entry: Price, collateral: Amount) -> Liquidation:
    """Estimate for a position that has a wallet to itself: a single-collateral one, or one with isolated margin.

    Args:
        collateral: What is in the wallet, in the settlement asset, without unrealised profit.

    Raises:
        InvalidValue: Nothing is held, or the collateral is of another asset.
    """
    contract = schedule.contract
    size = _size(schedule, held, collateral)
    found = []
    for weight in schedule.weights(MarginKind.MAINTENANCE, held, entry):
        with localcontext(EXACT):
            if contract.is_inverse:
                # collateral + size / entry - size / price = margin / price
                backing = collateral.value + ratio(size, entry.value)
                found.append(_price(schedule, size + weight * contract.size, backing))
            else:
                # collateral + size * (price - entry) = margin, which goes with the entry price
                found.append(_price(schedule, size * entry.value + weight - collateral.value, size))
    return Liquidation(is_long=size > 0, near=found[1], far=found[0], assumes=_ALONE)


def among_others(
    schedule: MarginSchedule, held: Contracts, *, mark: Price, equity: Amount, maintenance: Amount
) -> Liquidation:
    """Estimate for a position in a wallet that backs several: the multi-collateral one, with linear contracts.

    Args:
        equity: The wallet's margin equity at *mark*.
        maintenance: Its maintenance margin, all positions together.

    Raises:
        InvalidValue: Nothing is held, the contract is inverse, or the amounts are of another asset.
    """
    if schedule.contract.is_inverse:
        raise InvalidValue(f"{schedule.contract.symbol}: inverse contracts have a wallet to themselves; see alone()")
    size = _size(schedule, held, equity)
    spare = equity - maintenance
    schedule.contract.in_quote(held, mark)
    with localcontext(EXACT):
        price = _price(schedule, size * mark.value - spare.value, size)
    return Liquidation(is_long=size > 0, near=price, far=price, assumes=_STILL)


def _size(schedule: MarginSchedule, held: Contracts, amount: Amount) -> Decimal:
    contract = schedule.contract
    if not held:
        raise InvalidValue(f"{contract.symbol}: nothing is held that could be liquidated")
    if amount.asset != contract.settle:
        raise InvalidValue(f"{amount}: {contract.symbol} is backed by {contract.settle} here")
    return EXACT.multiply(held.value, contract.size)


def _price(schedule: MarginSchedule, dividend: Decimal, divisor: Decimal) -> Price | None:
    if not divisor or dividend * divisor <= 0:
        return None
    return schedule.contract.price(ratio(dividend, divisor))
