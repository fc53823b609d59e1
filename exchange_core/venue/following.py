"""Follow the account's orders and fills, and keep the record of them whole.

Whenever the connection is new or lost a message, what happened meanwhile is asked for over REST. What is news and what
was known before is told by the ids of fills, so that asking for too much does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from exchange_core.clock import Clock
from exchange_core.connector.naming import UNLISTED
from exchange_core.connector.partial import left_out
from exchange_core.connector.spec import RestOperations
from exchange_core.errors import ExchangeError, NotSupported, refuses_key
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    Event,
    OpenOrdersSnapshot,
    OrderUpdate,
    PositionsUpdate,
    SequenceGap,
    Subscribed,
    Subscription,
    Unrecognised,
)
from exchange_core.model.fill import Fill
from exchange_core.transport.feed_runner import UNREADABLE, FeedPhase, FeedState
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.background import Background
from exchange_core.venue.bus import Bus
from exchange_core.venue.feed_connection import Fail
from exchange_core.venue.feeds import Feeds
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.resolver import Resolver

T = TypeVar("T")

# Clocks differ, and venues show fills late: from so long before the last known fill on they are asked for again.
# So far before the account was first followed, fills count as news; older ones in a feed's snapshot are history.
FILLS_MARGIN = timedelta(seconds=30)

_ORDERS, _FILLS = Subscription(Channel.ORDERS), Subscription(Channel.FILLS)
_LOG = logging.getLogger(__name__)


class Follower:
    """Takes the events of the private connection and turns them into one record.

    Attributes:
        error: Why the account is not followed live, where it is not.
        orders_live_since: Since when every change of an order is heard of as it happens; None when it is not.
        history: Fills that were told of and were made before the account was followed.
    """

    def __init__(
        self,
        venue: str,
        rest: RestClient,
        operations: RestOperations,
        tracker: OrderTracker,
        resolver: Resolver,
        bus: Bus,
        background: Background,
        clock: Clock,
    ) -> None:
        self.error: ExchangeError | None = None
        self.orders_live_since: datetime | None = None
        self.history = 0
        self._venue = venue
        self._rest = rest
        self._operations = operations
        self._tracker = tracker
        self._resolver = resolver
        self._bus = bus
        self._background = background
        self._clock = clock
        self._is_served: Callable[[Subscription], bool] = lambda subscription: False
        self._readers: list[Fail] = []
        self._since: datetime | None = None
        self._last_fill: datetime | None = None
        self._last_whole_fill: datetime | None = None
        self._whole_until: datetime | None = None
        self._heard: datetime | None = None
        self._fills_are_live = self._is_open = False
        self._holes = self._losses = 0
        self._catching_up: asyncio.Task[None] | None = None
        self._unsettled: datetime | None = None
        self._wanted_again: dict[str, bool] = {}
        self._handlers: dict[type, Callable[[Any], object]] = {
            OrderUpdate: lambda update: tracker.apply(update, clock.now()),
            OpenOrdersSnapshot: self._open_orders,
            Fill: self.take_fill,
            SequenceGap: self._gap,
            Subscribed: self._subscribed,
            Unrecognised: self._unrecognised,
        }

    @property
    def complete_until(self) -> datetime | None:
        """Up to when every fill since the account is followed was published."""
        return self._heard if self._fills_are_live else self._whole_until

    @property
    def orders_are_live(self) -> bool:
        """Whether every change of an order is heard of as it happens."""
        return self.orders_live_since is not None

    @orders_are_live.setter
    def orders_are_live(self, live: bool) -> None:
        self.orders_live_since = (self.orders_live_since or self._clock.now()) if live else None

    def follow(self, feeds: Feeds, *, again: bool = True) -> None:
        """Start to follow the account, once.

        Args:
            again: Also where it failed before. Asking on and on with a key that was refused may lock it out.
        """
        if self._since is not None and (self.error is None or not again):
            return
        self._since = self._since or self._clock.now()
        self.error = None
        self._is_served = feeds.is_active
        for subscription in (_ORDERS, _FILLS):
            if feeds.serves(subscription.channel):
                feeds.detach(subscription, self._failed)
                feeds.attach(subscription, self._failed)
        self._ask_once("auditing the account", self._audit)

    def join(self, reader: Fail) -> Callable[[], None]:
        """Tell *reader* when the account cannot be followed any more; the returned function ends that."""
        self._readers.append(reader)

        def leave() -> None:
            if reader in self._readers:
                self._readers.remove(reader)

        return leave

    def receive(self, event: Event) -> None:
        """Take one event of a connection that carries account channels."""
        handler = self._handlers.get(type(event))
        if handler is None:
            self._bus.publish(event)
        else:
            handler(event)

    def on_state(self, state: FeedState) -> None:
        """Take a change of that connection."""
        self._is_open = state.phase is FeedPhase.OPEN
        if not self._is_open:
            self._lose_orders()
            self._hole()

    def take_fill(self, fill: Fill) -> None:
        """Record and publish an execution, unless it is known or history."""
        self._last_fill = fill.time if self._last_fill is None else max(self._last_fill, fill.time)
        if self._fills_are_live:
            self._last_whole_fill = self._last_fill
        since = self._since or self._clock.now()
        if fill.time < since - FILLS_MARGIN and not self._tracker.knows(fill):
            self.history += 1
        elif self._tracker.fill(fill, self._clock.now()):
            self._bus.publish(fill)

    def _open_orders(self, snapshot: OpenOrdersSnapshot) -> None:
        self.orders_are_live = True
        self._resolver.listed(update.venue_order_id for update in snapshot.orders)
        for order in self._tracker.snapshot(snapshot, self._clock.now()):
            self._resolver.absent(order)

    def _subscribed(self, event: Subscribed) -> None:
        self._bus.publish(event)
        if event.subscription.channel is Channel.ORDERS:
            # Not every venue begins with a list of what is open, and what we hold open may have ended meanwhile.
            self.orders_are_live = not self._tracker.live()
            if not self.orders_are_live:
                self._ask_once("asking for open orders", self._compare_orders)
        elif event.subscription.channel is Channel.FILLS:
            self._hole()
            self._fill_the_hole()

    def _gap(self, gap: SequenceGap) -> None:
        self._bus.publish(gap)
        _LOG.warning("%s: news of %s were lost: %s", self._venue, gap.channel, gap.reason)
        if gap.channel is Channel.BALANCES:
            self._ask_once("asking for balances", self._ask_balances)
        elif gap.channel is Channel.POSITIONS:
            self._ask_once("asking for positions", self._ask_positions)
        elif gap.channel in (Channel.ORDERS, Channel.FILLS):
            self._missed_something()

    def _unrecognised(self, event: Unrecognised) -> None:
        self._bus.publish(event)
        if event.kind == UNREADABLE:  # perhaps a fill, and perhaps nothing comes after it whose number would show that
            self._missed_something()
        elif event.kind == UNLISTED:
            self._ask_once("asking for instruments", self._ask_instruments)

    def _missed_something(self) -> None:
        self._lose_orders()
        self._hole()
        self._fill_the_hole()
        self._ask_once("asking for open orders", self._compare_orders)

    def _failed(self, error: ExchangeError) -> None:
        self.error = error
        self._lose_orders()
        self._hole()
        readers, self._readers = self._readers, []
        for reader in readers:
            reader(error)

    def _lose_orders(self) -> None:
        self.orders_are_live = False
        self._losses += 1

    def _hole(self) -> None:
        """The record is whole up to what was last heard, and no further."""
        self._holes += 1
        if self._fills_are_live:
            self._fills_are_live = False
            self._whole_until = self._heard

    def _fill_the_hole(self) -> None:
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = self._spawn(self._catch_up(), "asking for missed fills")

    async def _catch_up(self) -> None:
        while True:
            hole, asked = self._holes, self._clock.now()
            # By the venue's own clock, from the last fill before the hole: one after it proves nothing.
            since = (self._last_whole_fill or self._since or asked) - FILLS_MARGIN
            fills = await self._ask("fills", partial(self._ask_fills, since))
            if fills is None:
                return
            for fill in fills:
                self.take_fill(fill)
            if left_out(fills) or not self._is_served(_FILLS):
                return  # the record is whole no further than before; the audit asks again
            self._whole_until = asked
            if hole == self._holes:
                self._heard = max(asked, self._heard or asked)
                self._fills_are_live = True
                self._last_whole_fill = self._last_fill
                self._unsettled = since if self._unsettled is None else min(since, self._unsettled)
                self._ask_once("asking for late fills", self._ask_late_fills)
                return
            if not self._is_open:
                return  # it is asked for again as soon as there is a connection
            await self._clock.sleep(self._resolver.policy.first_pause)

    async def _audit(self) -> None:
        """Look now and then whether the connection, alive as it seems, still tells of everything."""
        while self.error is None:
            await self._clock.sleep(self._resolver.policy.audit)
            if not self._is_open:
                continue
            if self._fills_are_live:
                await self._audit_fills()
            else:  # some could not be read, or the venue does not answer the subscription
                self._fill_the_hole()
            self._ask_once("asking for open orders", self._compare_orders)

    async def _audit_fills(self) -> None:
        holes, asked = self._holes, self._clock.now()
        fills = await self._ask("fills", partial(self._ask_fills, (self._last_whole_fill or asked) - FILLS_MARGIN))
        if left_out(fills):
            self._hole()
        for fill in fills or ():
            self.take_fill(fill)
        if fills is not None and holes == self._holes:
            self._heard = asked

    async def _ask_late_fills(self) -> None:
        """Ask once more when the venue must have caught up: the feed may tell younger fills than it lists."""
        since, self._unsettled = self._unsettled, None
        await self._clock.sleep(self._resolver.policy.lag)
        for fill in await self._ask("late fills", partial(self._ask_fills, since or self._clock.now())) or ():
            self.take_fill(fill)

    async def _ask_fills(self, since: datetime) -> list[Fill]:
        return await self._rest.run(self._operations.fills(since))

    async def _compare_orders(self) -> None:
        losses = self._losses
        before = {order.venue_order_id for order in self._tracker.live() if order.venue_order_id}
        orders = await self._ask("open orders", lambda: self._rest.run(self._operations.open_orders()))
        if orders is None:
            return
        for order in orders:
            self._tracker.answered(order, self._clock.now())
        absent = before - {order.venue_order_id for order in orders}
        for known in self._tracker.live():
            if known.venue_order_id in absent:
                self._resolver.absent(known)
        if losses == self._losses:
            self.orders_are_live = self._is_served(_ORDERS)

    async def _ask_instruments(self) -> None:
        if await self._ask("instruments", lambda: self._rest.run(self._operations.instruments())) is not None:
            # Orders that could not be shown are, now.
            self._ask_once("asking for open orders", self._compare_orders)
        # Where the lists do not help, the feed may say so once a second.
        await self._clock.sleep(self._resolver.policy.longest_pause)

    async def _ask_balances(self) -> None:
        if (balances := await self._ask("balances", lambda: self._rest.run(self._operations.balances()))) is not None:
            self._bus.publish(BalancesUpdate(balances=tuple(balances), complete=not left_out(balances)))

    async def _ask_positions(self) -> None:
        if (
            positions := await self._ask("positions", lambda: self._rest.run(self._operations.positions()))
        ) is not None:
            self._bus.publish(PositionsUpdate(positions=tuple(positions), complete=not left_out(positions)))

    async def _ask(self, what: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Ask until there is an answer; None when there can be none."""
        for pause in self._resolver.policy.pauses():
            try:
                return await ask()
            except ExchangeError as error:
                _LOG.warning("%s: %s could not be asked for: %s", self._venue, what, error)
                if isinstance(error, NotSupported) or refuses_key(error):
                    return None
            await self._clock.sleep(pause)
        return None

    def _ask_once(self, what: str, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Ask in the background, unless it is being asked; then once more, as the answer may be older than the news."""
        if what in self._wanted_again:
            self._wanted_again[what] = True
            return
        self._wanted_again[what] = True
        if self._spawn(self._ask_while_wanted(what, ask), what) is None:
            del self._wanted_again[what]

    async def _ask_while_wanted(self, what: str, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            while True:
                self._wanted_again[what] = False
                await ask()
                if not self._wanted_again[what]:
                    return
                await self._clock.sleep(self._resolver.policy.first_pause)
        finally:
            del self._wanted_again[what]

    def _spawn(self, job: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None] | None:
        try:
            return self._background.spawn(job, what)
        except RuntimeError:
            return None  # the venue is closing; nobody will need the answer
