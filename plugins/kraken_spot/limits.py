"""Kraken Spot's three limiters as data: public calls per IP, private calls per key, the matching engine per pair.

The private counter and the engine's rise with what is asked and drain steadily; above the maximum the venue refuses.
Figures as published in August 2026; public ones are measured (a burst of 30 passes, one call a second lasts).
See https://docs.kraken.com/exchange/guides/rest/ratelimits and
https://docs.kraken.com/exchange/guides/general/ratelimits
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import attrs

from exchange_core.connector.limits import Cost, DecayingCounter, Limiter, Limits
from exchange_core.model.order import Order
from kraken_spot.config import KrakenSpotConfig

PUBLIC, PRIVATE, ENGINE = "public", "private", "engine"
OVERSHOOT = "engine, however full"
"""Of the same counter, what the venue carries out however full it is, and counts."""


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

AMEND_PENALTY = ((5, 3.0), (10, 2.0), (15, 1.0))
EDIT_PENALTY = ((5, 6.0), (10, 5.0), (15, 4.0), (45, 2.0), (90, 1.0))
"""The same for amending and editing, on top of one point; the age counts from the last amend."""


@attrs.frozen
class _Overshooting:
    """Counts on another limiter, and never waits for it."""

    _limiter: Limiter

    def delay(self, cost: Cost, now: float) -> float:
        return 0.0

    def spend(self, cost: Cost, now: float) -> None:
        self._limiter.spend(cost, now)

    def pause(self, cost: Cost, seconds: float, now: float) -> None:
        self._limiter.pause(cost, seconds, now)


def limits(config: KrakenSpotConfig) -> Limits:
    """Return the limiters of an account of that level."""
    tier = TIERS[config.tier]
    # A fifth is kept for cancels: the young order that must go costs most.
    engine = DecayingCounter(tier.engine_maximum, tier.engine_decay, reserve=tier.engine_maximum / 5)
    return Limits(
        {
            PUBLIC: DecayingCounter(maximum=20, decay=1),
            # Two points are kept for a token and for asking what became of an order.
            PRIVATE: DecayingCounter(tier.private_maximum, tier.private_decay, reserve=2),
            ENGINE: engine,
            OVERSHOOT: _Overshooting(engine),
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


def cancelling_many(pair: str, count: int, age: timedelta | None) -> tuple[Cost, ...]:
    """Return the cost of taking *count* orders out at once, none younger than *age*; it never has to wait."""
    return (Cost(OVERSHOOT, count * cancel_penalty(age), key=pair, urgent=True),)


def adding_many(pair: str, count: int) -> tuple[Cost, ...]:
    """Return the cost of a batch of new orders."""
    return (Cost(ENGINE, count / 2, key=pair),)


def amending(pair: str, age: timedelta | None) -> tuple[Cost, ...]:
    """Return the cost of amending an order of that age."""
    return (Cost(ENGINE, 1 + _penalty(AMEND_PENALTY, age), key=pair),)


def editing(pair: str, age: timedelta | None) -> tuple[Cost, ...]:
    """Return the cost of replacing an order of that age."""
    return (Cost(ENGINE, 1 + _penalty(EDIT_PENALTY, age), key=pair),)


def cancel_penalty(age: timedelta | None) -> float:
    """Return what a cancel adds to the pair's counter for an order of that age."""
    return _penalty(CANCEL_PENALTY, age)


def _penalty(table: Sequence[tuple[int, float]], age: timedelta | None) -> float:
    if age is None:
        return table[0][1]
    return next((points for seconds, points in table if age < timedelta(seconds=seconds)), 0.0)
