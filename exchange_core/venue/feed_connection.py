"""One WebSocket connection of a venue, as the venue's other parts know it: what runs it, and who uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

import attrs

from exchange_core.connector.feed import Feed
from exchange_core.connector.spec import FeedSpec
from exchange_core.errors import ExchangeError
from exchange_core.model.book import BookHealth
from exchange_core.model.event import Channel, Event, Subscription
from exchange_core.model.symbol import Symbol
from exchange_core.transport.feed_runner import FeedState
from exchange_core.venue.health import FeedHealth

ACCOUNT = frozenset({Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS})
"""What is the account's. A connection may need credentials and carry none of it."""

Fail = Callable[[ExchangeError], None]


class Runner(Protocol):
    """What is needed of ``transport.FeedRunner``."""

    @property
    def state(self) -> FeedState: ...
    async def run(self) -> None: ...
    def subscribe(self, subscriptions: Iterable[Subscription]) -> None: ...
    def unsubscribe(self, subscriptions: Iterable[Subscription]) -> None: ...
    async def confirmed(self, subscription: Subscription, within: float = ...) -> None: ...


class MakeRunner(Protocol):
    """Builds the feed of a connection and what runs it."""

    def __call__(
        self, spec: FeedSpec, publish: Callable[[Event], None], on_state: Callable[[FeedState], None]
    ) -> tuple[Feed, Runner]: ...


@attrs.define(eq=False)
class Connection:
    """One connection and who uses it.

    Attributes:
        since: Since when it is open, or is not.
        losses: How often it was lost or could not be had.
        gaps: How often messages of it were missed.
        silent: How often one of its subscriptions was found silent while there was news.
        told: Of each book, its health and checked count when its readers were last told that it is not live.
        refused: Why what was asked for cannot be had, as far as nobody was told yet who waits for it.
    """

    spec: FeedSpec
    feed: Feed
    runner: Runner
    users: dict[Subscription, list[Fail]] = attrs.field(factory=dict)
    asked: list[Subscription] = attrs.field(factory=list)
    dropped: list[Subscription] = attrs.field(factory=list)
    error: ExchangeError | None = None
    is_open: bool = False
    since: datetime | None = None
    losses: int = 0
    gaps: int = 0
    silent: int = 0
    told: dict[tuple[Channel, Symbol], tuple[BookHealth, int]] = attrs.field(factory=dict)
    refused: dict[Subscription, ExchangeError] = attrs.field(factory=dict)

    @property
    def is_account(self) -> bool:
        return bool(self.spec.channels & ACCOUNT)

    def health(self) -> FeedHealth:
        """Return how it stands."""
        state, reason = str(self.runner.state.phase), self.runner.state.reason
        if self.error is not None:
            state, reason = "failed", str(self.error)
        return FeedHealth(
            state=state,
            reason=reason or None,
            subscriptions=len(self.users),
            unanswered=sum(not self.feed.is_active(wanted) for wanted in self.users),
            is_account=self.is_account,
            since=self.since,
            losses=self.losses,
            gaps=self.gaps,
            silent=self.silent,
        )
