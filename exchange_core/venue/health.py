"""How a venue stands: its connections, its books, its orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from exchange_core.model.book import BookHealth
from exchange_core.model.event import StatusUpdate
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from exchange_core.transport.venue_clock import ClockReading


@attrs.frozen(kw_only=True)
class FeedHealth:
    """One WebSocket connection.

    Attributes:
        state: The transport's word: connecting, open, ...; ``failed`` when it gave up.
        reason: Why it is not open, where known.
        subscriptions: How many are wanted on it.
        unanswered: How many of them the venue has not acknowledged, so that nothing comes of them.
        is_account: Whether news of the account come by it.
        since: Since when it is open, or is not.
        losses: How often it was lost, or could not be opened in the first place.
        gaps: How often messages of it were missed that must be asked for elsewhere.
        silent: How often one of its subscriptions was found silent while there was news.
    """

    state: str
    reason: str | None = None
    subscriptions: int = 0
    unanswered: int = 0
    is_account: bool = False
    since: datetime | None = None
    losses: int = 0
    gaps: int = 0
    silent: int = 0


@attrs.frozen(kw_only=True)
class BookState:
    """One followed book: whether it can be trusted and how many messages were verified."""

    health: BookHealth
    checked: int


@attrs.frozen(kw_only=True)
class VenueHealth:
    """All of one venue.

    Attributes:
        status: What the venue last said of itself.
        unknown_orders: Orders whose outcome is being asked for.
        fills_complete_until: See ``Venue.fills_complete_until``.
        account_error: Why the account is not followed live, where it is not.
        books_by_order: As *books*, of those that show every order.
        ways: How many requests, of those that could choose, went over REST (``rest``) or over which feed.
        clock: How far the venue's clock is ahead of ours, as its answers show; None before one has told.
        unknown_assets: The venue's asset names that are in none of its lists, and how often they came.
        drift: What came that the plugin does not know, by kind, and how often it was seen: fields, words, frames, codes
            of errors, entries that were left out. Of live frames only some are looked at.
        drift_examples: The form of the first of each kind, or why an entry was left out.
    """

    feeds: Mapping[str, FeedHealth]
    books: Mapping[Symbol, BookState]
    status: StatusUpdate | None = None
    unknown_orders: tuple[Order, ...] = ()
    fills_complete_until: datetime | None = None
    account_error: str | None = None
    ways: Mapping[str, int] = attrs.field(factory=dict)
    clock: ClockReading | None = None
    unknown_assets: Mapping[str, int] = attrs.field(factory=dict)
    drift: Mapping[str, int] = attrs.field(factory=dict)
    drift_examples: Mapping[str, str] = attrs.field(factory=dict)
    books_by_order: Mapping[Symbol, BookState] = attrs.field(factory=dict)
