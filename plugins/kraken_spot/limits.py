"""Kraken Spot's three limiters as data: public calls per IP, private calls per key, the matching engine per pair.

The private counter and the engine's rise with what is asked and drain steadily; above the maximum the venue refuses.
Figures as published in August 2026; public ones are measured (a burst of 30 passes, one call a second lasts).
See https://docs.kraken.com/exchange/guides/rest/ratelimits and
https://docs.kraken.com/exchange/guides/general/ratelimits
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.model.order import Order
from kraken_spot.config import KrakenSpotConfig

PUBLIC, PRIVATE, ENGINE = "public", "private", "engine"


class Tier(NamedTuple):
    """The counters of one account level: the value above which calls are refused, and what drains in a second."""

    private_maximum: float
    private_decay: float
    engine_maximum: float
    engine_decay: float


TIERS = {
    "starter": Tier(15, 0.33, 60, 1),
    "intermediate": Tier(20, 0.5, 125, 2.34),
    "pro": Tier(20, 1, 180, 3.75),
}

CANCEL_PENALTY = ((5, 8.0), (10, 6.0), (15, 5.0), (45, 4.0), (90, 2.0), (300, 1.0))
"""Seconds of age below which a cancel costs so much; an older order costs nothing."""


def limits(config: KrakenSpotConfig) -> Limits:
    """Return the limiters of an account of that level."""
    tier = TIERS[config.tier]
    return Limits(
        {
            PUBLIC: DecayingCounter(maximum=20, decay=1),
            # Two points are kept for a token and for asking what became of an order.
            PRIVATE: DecayingCounter(tier.private_maximum, tier.private_decay, reserve=2),
            # A fifth is kept for cancels: the young order that must go costs most.
            ENGINE: DecayingCounter(tier.engine_maximum, tier.engine_decay, reserve=tier.engine_maximum / 5),
        }
    )


def public(pair: str = "") -> tuple[Cost, ...]:
    """Return the cost of a public call; trades and candles are counted per *pair*."""
    return (Cost(PUBLIC, 1, key=pair),)


def private(points: float = 1, *, urgent: bool = False) -> tuple[Cost, ...]:
    """Return the cost of a private call."""
    return (Cost(PRIVATE, points, urgent=urgent),)


def adding(pair: str) -> tuple[Cost, ...]:
    """Return the cost of a new order: it counts in the matching engine only."""
    return (Cost(ENGINE, 1, key=pair),)


def cancelling(pair: str, order: Order, now: datetime | None) -> tuple[Cost, ...]:
    """Return the cost of taking *order* out, by its age; the worst case where that is not known."""
    age = now - order.created if now is not None and order.created is not None else None
    return (Cost(ENGINE, cancel_penalty(age), key=pair, urgent=True),)


def cancel_penalty(age: timedelta | None) -> float:
    """Return what a cancel adds to the pair's counter for an order of that age."""
    if age is None:
        return CANCEL_PENALTY[0][1]
    return next((points for seconds, points in CANCEL_PENALTY if age < timedelta(seconds=seconds)), 0.0)
