"""Kraken Spot's limits as data: public calls per address, private calls per key, and the matching engine per pair.

The private counter and the engine's rise with what is asked and drain steadily; above the maximum the venue refuses.
The engine's is one for REST and WebSocket, and so are the orders that may be open on a pair.

The private counter with its tiers and costs: https://docs.kraken.com/exchange/guides/rest/ratelimits (August 2026).
The engine's with its tiers and penalties, and open orders: https://docs.kraken.com/exchange/guides/general/ratelimits
(May 2026). One public call a second lasts, those for trades and candles are counted per pair:
https://support.kraken.com/articles/206548367 (March 2026). About 150 connections in 10 minutes:
https://docs.kraken.com/exchange/guides/websockets/introduction (June 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.model.order import Order
from kraken_spot.config import KrakenSpotConfig

PUBLIC, PRIVATE, ENGINE = "public", "private", "engine"


class Tier(NamedTuple):
    """What one level of account may do.

    Attributes:
        private_maximum: Of the private counter, the value above which calls are refused.
        private_decay: What drains from it in a second.
        engine_maximum: The same of a pair's counter in the matching engine.
        open_orders: How many may be open on a pair.
    """

    private_maximum: float
    private_decay: float
    engine_maximum: float
    engine_decay: float
    open_orders: int


TIERS = {
    "starter": Tier(15, 0.33, 60, 1, 60),
    "intermediate": Tier(20, 0.5, 125, 2.34, 80),
    "pro": Tier(20, 1, 180, 3.75, 225),
}

# A burst of 30 was seen to pass.
PUBLIC_BURST, PUBLIC_DECAY = 20.0, 1.0

# Open point: whether they drain steadily. The pages speak of "every second" of the engine's counter and of "every
# couple of seconds" of the private one, so the venue's may be behind by a step; and clocks differ by a little.
ENGINE_STEP, PRIVATE_STEP = 1.05, 2.05

# "About" 150 connections in 10 minutes; more than that, and the address is banned for as long.
CONNECTS, CONNECT_WINDOW = 145, 600.0

CANCEL_PENALTY = ((5, 8.0), (10, 6.0), (15, 5.0), (45, 4.0), (90, 2.0), (300, 1.0))
"""Seconds of age below which a cancel costs so much; an older order costs nothing."""

AMEND_PENALTY = ((5, 3.0), (10, 2.0), (15, 1.0))
EDIT_PENALTY = ((5, 6.0), (10, 5.0), (15, 4.0), (45, 2.0), (90, 1.0))
"""The same for amending and editing, on top of one point; the age counts from the last amend."""


def limits(config: KrakenSpotConfig) -> Limits:
    """Return the limiters of an account of that level."""
    tier = TIERS[config.tier]
    return Limits(
        {
            PUBLIC: DecayingCounter(PUBLIC_BURST, PUBLIC_DECAY),
            PRIVATE: DecayingCounter(
                tier.private_maximum,
                tier.private_decay,
                reserve=2,  # for a token and for asking what became of an order
                margin=tier.private_decay * PRIVATE_STEP,
            ),
            ENGINE: DecayingCounter(
                tier.engine_maximum,
                tier.engine_decay,
                reserve=tier.engine_maximum / 5,  # for cancels: the young order that must go costs most
                margin=tier.engine_decay * ENGINE_STEP,
                per_key=True,
            ),
        },
        per_address=frozenset({PUBLIC}),
        open_orders=tier.open_orders,
    )


def tier_told(maximum: float) -> str | None:
    """Return the level of an account whose engine's counter has that *maximum*: the highest that it allows for."""
    fitting = [name for name, tier in TIERS.items() if tier.engine_maximum <= maximum]
    return fitting[-1] if fitting else None


def public(pair: str = "") -> tuple[Cost, ...]:
    """Return the cost of a public call; trades and candles are counted per *pair*."""
    return (Cost(PUBLIC, 1, key=pair),)


def private(points: float = 1, *, urgent: bool = False) -> tuple[Cost, ...]:
    """Return the cost of a private call."""
    return (Cost(PRIVATE, points, urgent=urgent),)


def change(config: KrakenSpotConfig, *, urgent: bool = False) -> tuple[Cost, ...]:
    """Return what amends, edits and batches over REST take from the private counter beside the engine's."""
    return private(config.change_cost, urgent=urgent) if config.change_cost else ()


def adding(pair: str) -> tuple[Cost, ...]:
    """Return the cost of a new order: it counts in the matching engine only."""
    return (Cost(ENGINE, 1, key=pair),)


def cancelling(pair: str, order: Order, now: datetime | None) -> tuple[Cost, ...]:
    """Return the cost of taking *order* out, by its age; the worst case where that is not known."""
    return (Cost(ENGINE, cancel_penalty(age_of(order, now)), key=pair, urgent=True),)


def cancelling_many(pair: str, count: int, age: timedelta | None) -> tuple[Cost, ...]:
    """Return the cost of taking *count* orders out at once, none younger than *age*; it never has to wait."""
    return (Cost(ENGINE, count * cancel_penalty(age), key=pair, urgent=True, overshoots=True),)


def adding_many(pair: str, count: int) -> tuple[Cost, ...]:
    """Return the cost of a batch of new orders."""
    return (Cost(ENGINE, count / 2, key=pair),)


def amending(pair: str, age: timedelta | None) -> tuple[Cost, ...]:
    """Return the cost of amending an order of that age.

    One that ends the order, as all of it is executed already, costs what a cancel does; that shows only afterwards.
    """
    return (Cost(ENGINE, 1 + _penalty(AMEND_PENALTY, age), key=pair),)


def editing(pair: str, age: timedelta | None) -> tuple[Cost, ...]:
    """Return the cost of replacing an order of that age."""
    return (Cost(ENGINE, 1 + _penalty(EDIT_PENALTY, age), key=pair),)


def cancel_penalty(age: timedelta | None) -> float:
    """Return what a cancel adds to the pair's counter for an order of that age."""
    return _penalty(CANCEL_PENALTY, age)


def age_of(order: Order, now: datetime | None) -> timedelta | None:
    """Return for how long the venue has had *order* in its present form, or less; None where that is not known."""
    since = order.touched or (order.created if order.venue_order_id is not None else None)
    return None if now is None or since is None else now - since


def _penalty(table: Sequence[tuple[int, float]], age: timedelta | None) -> float:
    seconds = 0.0 if age is None else age.total_seconds()
    for below, points in table:
        if seconds < below:
            return points
    return 0.0
