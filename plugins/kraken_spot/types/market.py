"""What Kraken Spot tells of its markets beyond the normalised model. Words that we do not know stay as they are."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.market import Candle, Level
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.parse.rows import Unreadable


class SystemState(StrEnum):
    """What the venue as a whole takes now."""

    ONLINE = "online"
    MAINTENANCE = "maintenance"
    """No orders and no cancels."""
    CANCEL_ONLY = "cancel_only"
    """Cancels only, nothing is matched."""
    POST_ONLY = "post_only"
    """Post-only orders and cancels, nothing is matched."""


class MaintenancePhase(StrEnum):
    """How near a maintenance is."""

    ANNOUNCED = "announced"
    REMINDER = "reminder_24h"
    APPROACHING = "approaching_30m"
    IMMINENT = "imminent_5m"
    FINAL = "final_warning_30s"
    UNSPECIFIED = "unspecified"


class RecommendedAction(StrEnum):
    """What the venue advises to do."""

    CONTINUE = "continue"
    REDUCE = "reduce_activity"
    CANCEL = "cancel_open_orders"
    STOP = "stop_new_orders"
    DISCONNECT = "disconnect_and_wait"
    UNSPECIFIED = "unspecified"


@attrs.frozen(kw_only=True)
class Maintenance:
    """A planned maintenance, or an incident.

    Attributes:
        cancel_before: Until when orders can be cancelled.
        services: What is affected (``spot_rest``, ``spot_ws``, ``spot_trading``, ``all``, ...).
        order_submission: Whether orders are taken meanwhile, in the venue's word.
        seconds_to_start: As the venue counted when it answered.
    """

    id: int
    title: str
    start: datetime | None
    end: datetime | None
    cancel_before: datetime | None
    seconds_to_start: int | None
    phase: MaintenancePhase | str
    services: tuple[str, ...]
    order_submission: str | None
    recommended_action: RecommendedAction | str
    source_url: str | None


@attrs.frozen(kw_only=True)
class SystemStatus:
    """What the venue takes, and what it has announced for the next three days."""

    state: SystemState | str
    time: datetime
    upcoming_maintenance: tuple[Maintenance, ...] = ()
    emergency: tuple[Maintenance, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


@attrs.frozen(kw_only=True)
class Spread:
    """The best prices from one moment on."""

    time: datetime
    bid: Decimal
    ask: Decimal


@attrs.frozen(kw_only=True)
class Spreads:
    """The latest spreads of a pair, oldest first.

    Attributes:
        last: When the newest was made; to ask for what comes after.
    """

    symbol: Symbol
    items: tuple[Spread, ...]
    last: datetime
    unreadable: tuple[Unreadable, ...] = ()


@attrs.frozen(kw_only=True)
class GroupedBook:
    """A book in steps of several ticks, best levels first. Asks are rounded up, bids down.

    Attributes:
        grouping: Ticks in one level.
    """

    symbol: Symbol
    grouping: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@attrs.frozen(kw_only=True)
class RestingOrder:
    """One order in a book. Of an iceberg only the visible part is there."""

    price: Decimal
    quantity: Decimal
    order_id: str
    time: datetime


@attrs.frozen(kw_only=True)
class Level3Book:
    """A book order by order, in the venue's order. Untriggered stops and orders under way are not in it."""

    symbol: Symbol
    bids: tuple[RestingOrder, ...]
    asks: tuple[RestingOrder, ...]


@attrs.frozen(kw_only=True)
class MarketTrade:
    """A public trade. *side* is the taker's.

    Attributes:
        order_type: Of the taking order: ``market`` or ``limit``; the venue's letter where it is another.
    """

    symbol: Symbol
    id: int
    time: datetime
    side: Side
    price: Decimal
    quantity: Decimal
    order_type: str
    misc: str


@attrs.frozen(kw_only=True)
class Candles:
    """Bars, oldest first; the last one is still forming.

    Attributes:
        last: Start of the newest bar that is finished; to ask with for what comes after.
    """

    items: tuple[Candle, ...]
    last: datetime
    unreadable: tuple[Unreadable, ...] = ()


@attrs.frozen(kw_only=True)
class PublishedLevel:
    """A price of the book as it is published for regulators: what stands there, in so many orders.

    Attributes:
        published: When the venue published it.
    """

    price: Decimal
    quantity: Decimal
    count: int
    published: datetime


@attrs.frozen(kw_only=True)
class PreTrade:
    """The ten best prices a side as they are published for regulators, best first.

    Attributes:
        venue: The venue's market identifier code (MIC).
        system: Its kind of order book, ``CLOB``.
    """

    symbol: Symbol
    venue: str
    system: str
    bids: tuple[PublishedLevel, ...]
    asks: tuple[PublishedLevel, ...]


@attrs.frozen(kw_only=True)
class PublishedTrade:
    """A trade as it is published for regulators: single executions, and no word of who took.

    Attributes:
        id: The venue's text, which is another than the number of ``MarketTrade``.
        symbol: The venue's name where no list has it.
        venue, publication_venue: Market identifier codes (MIC).
    """

    id: str
    symbol: Symbol | str
    price: Decimal
    quantity: Decimal
    time: datetime
    venue: str
    published: datetime
    publication_venue: str
