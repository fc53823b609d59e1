"""What the account's own connection tells of its limits: a pair's counter with each change, and the most there may be.

See https://docs.kraken.com/api/docs/websocket-v2/executions
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import Event, LimitLevel, TierUpdate
from exchange_core.model.symbol import Symbol
from kraken_spot.limits import ENGINE, tier_told
from kraken_spot.wire import feed as wire

_MOST = 1e6  # above this it is no counter


def levels(raw: wire.Execution, symbol: Symbol | None, context: VenueContext) -> list[Event]:
    """Return the counter of the order's pair in the matching engine, where it is told."""
    said = next((field for field in (raw.ratecounter, raw.ratecount, raw.rate_count) if field is not None), None)
    level = _count(said)
    if level is None or symbol is None or symbol not in context.symbols:
        return []
    return [LimitLevel(pool=ENGINE, key=context.symbols.venue_id(symbol), level=level)]


def tiers(maximum: Any) -> list[Event]:
    """Return the level of the account, which an acknowledgement tells by the *maximum* of the engine's counter."""
    most = _count(maximum)
    told = None if most is None else tier_told(most)
    return [] if told is None else [TierUpdate(tier=told)]


def _count(said: Any) -> float | None:
    """Return a count told as a number or as a text; None for what is none, which costs no order its news."""
    if isinstance(said, bool) or not isinstance(said, int | float | str | Decimal):
        return None
    try:
        value = float(said)
    except (ValueError, OverflowError):
        return None
    return value if 0 <= value < _MOST else None
