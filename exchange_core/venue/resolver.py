"""Find out what became of orders of which the venue's word is missing, by asking and never by sending again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.order_operations import LooksUp
from exchange_core.connector.spec import RestOperations
from exchange_core.errors import (
    ExchangeError,
    NotSupported,
    TimedOut,
    TransportError,
    refuses_key,
)
from exchange_core.model.number import plain
from exchange_core.model.order import Order, OrderStatus
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.background import Background
from exchange_core.venue.bus import Bus, topic
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.waiting import wait_for

_LOG = logging.getLogger(__name__)

_End = tuple[OrderStatus, str]
_Conclude = Callable[[datetime, int], _End | None]


@attrs.frozen(kw_only=True)
class ResolvePolicy:
    """How patiently to ask. All in seconds.

    Attributes:
        margin: After an order's deadline, before its absence proves that it never arrived: clocks differ.
        lag: So long, answers of the venue may show what was before an event. Where the account is not followed live,
            an absence proves nothing before that either.
        wait: How long ``place`` waits for an answer that is being looked for.
        cancel_wait: How long ``cancel`` waits for the private feed to say that the order is done.
        audit: How often open orders and fills are asked for although the private connection seems to tell all of them.
        absent_tries: How often to ask for an order that is neither open nor done before it counts as done; *lag* must
            have passed too.
    """

    first_pause: float = 1.0
    longest_pause: float = 15.0
    margin: float = 10.0
    lag: float = 60.0
    wait: float = 20.0
    cancel_wait: float = 2.0
    audit: float = 60.0
    absent_tries: int = 4

    def pauses(self) -> Iterator[float]:
        """Yield growing pauses, without end."""
        pause = self.first_pause
        while True:
            yield pause
            pause = min(pause * 2, self.longest_pause)


class Resolver:
    """Asks for orders in the background until the venue has said what they are."""

    def __init__(
        self,
        venue: str,
        rest: RestClient,
        operations: RestOperations,
        tracker: OrderTracker,
        bus: Bus,
        background: Background,
        clock: Clock,
        policy: ResolvePolicy,
        *,
        live_since: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """Args:
        live_since: Since when the private feed has told of every order without a break; None where it does not now.
        """
        self.policy = policy
        self._live_since = live_since
        self._venue = venue
        self._rest = rest
        self._operations = operations
        self._tracker = tracker
        self._bus = bus
        self._background = background
        self._clock = clock
        self._asking: set[str] = set()
        self._missing: set[str | None] = set()
        self._hurried: dict[str, asyncio.Event] = {}

    def unknown(self, order: Order) -> None:
        """Ask for an order whose sending got no answer, until it is found or can no longer come to be."""
        deadline, began = order.request.deadline, self._clock.monotonic()
        left = 0.0 if deadline is None else (deadline - self._clock.now()).total_seconds()

        def conclude(asked: datetime, _: int) -> _End | None:
            # Without a deadline its absence proves nothing: it may still be under way.
            if deadline is None or not self.is_conclusive(deadline, asked, order.created):
                return None
            # A clock that was set meanwhile makes no deadline pass.
            if self._clock.monotonic() - began < left + self.policy.margin:
                return None
            return OrderStatus.REJECTED, f"never arrived: the venue does not know it after its deadline {deadline}"

        self._start(order, lambda newest: newest.unknown, conclude)

    def is_conclusive(self, deadline: datetime, asked: datetime, sent: datetime | None) -> bool:
        """Return whether what was *sent* and the venue does not show, when *asked*, cannot come after *deadline*."""
        # A connection that is newer than the order need not tell of what ended before it was there.
        since = self._live_since()
        would_be_told = since is not None and sent is not None and since <= sent
        margin = self.policy.margin if would_be_told else max(self.policy.margin, self.policy.lag)
        return asked >= deadline + timedelta(seconds=margin)

    def absent(self, order: Order) -> None:
        """Ask for an order that we hold open and that is not in the venue's list of open orders."""
        missing, began = order.venue_order_id, self._clock.now()
        self._missing.add(missing)

        def conclude(asked: datetime, nowhere: int) -> _End | None:
            # The answers may be from before it stood.
            if nowhere < self.policy.absent_tries or asked < began + timedelta(seconds=self.policy.lag):
                return None
            return OrderStatus.CANCELED, "no longer open, and the venue does not say how it ended"

        self._start(order, lambda newest: not newest.is_final and missing in self._missing, conclude)

    def hurry(self, order: Order) -> None:
        """Ask for an order that is being asked for at once: the venue has spoken of it."""
        if (hurried := self._hurried.get(_key(order))) is not None:
            hurried.set()

    def listed(self, order_ids: Iterable[str | None]) -> None:
        """Ask no more for orders that are on the venue's list after all: a long one may come in parts."""
        self._missing.difference_update(order_ids)

    async def find(self, order: Order) -> Order | None:
        """Ask once; merge the answer. None when the order is nowhere."""
        found = await self._rest.run(self._operations.find(order))
        return None if found is None else self._tracker.answered(found, self._clock.now(), about=order)

    async def look_up(self, order_id: str) -> Order | None:
        """Ask for an order of which no more than an id is known. None when it is nowhere, or cannot be asked for."""
        if not isinstance(self._operations, LooksUp):
            return None
        found = await self._rest.run(self._operations.look_up(order_id))
        return None if found is None else self._tracker.answered(found, self._clock.now())

    async def until_final(self, order: Order, seconds: float | None) -> Order:
        """Wait until *order* is over. While the private feed is silent it is asked for, ever less often.

        Raises:
            TimedOut: After *seconds* it was not.
        """
        began = self._clock.monotonic()
        for pause in self.policy.pauses():
            left = pause if seconds is None else began + seconds - self._clock.monotonic()
            order = await self.until(order, lambda news: news.is_final, max(0.0, min(pause, left)))
            if order.is_final:
                return order
            if left <= pause and seconds is not None:
                raise self._too_late(order, seconds)
            if not self._background.is_open:
                raise TransportError(
                    f"{self._venue}: closed while order {_key(order)} was waited for", venue=self._venue
                )
            if self._live_since() is None and not order.unknown:
                await self._ask_once(order)
        raise AssertionError("pauses have no end")

    async def until(self, order: Order, done: Callable[[Order], bool], seconds: float) -> Order:
        """Wait until what is known of *order* satisfies *done*; return the newest after *seconds* at the latest."""
        changed = asyncio.Event()

        def look(news: Order) -> None:
            if _same(news, order) and done(news):
                changed.set()

        self._bus.subscribe(topic(Order), look)
        try:
            if not done(self.newest(order)):
                await wait_for(self._clock, changed, seconds)
        finally:
            self._bus.unsubscribe(topic(Order), look)
        return self.newest(order)

    async def until_all_ended(self, orders: Iterable[Order], seconds: float) -> None:
        """Wait until all of *orders* are done, *seconds* at most."""
        ended = asyncio.Event()
        left: set[str | None] = {_key(order) for order in orders if not self.newest(order).is_final}

        def look(news: Order) -> None:
            if news.is_final:
                left.difference_update((news.client_order_id, news.venue_order_id))
                if not left:
                    ended.set()

        self._bus.subscribe(topic(Order), look)
        try:
            if left:
                await wait_for(self._clock, ended, seconds)
        finally:
            self._bus.unsubscribe(topic(Order), look)

    def newest(self, order: Order) -> Order:
        """Return what is known of *order* now, which may go on under another id of the venue's."""
        theirs = self._tracker.get(order.venue_order_id) if order.venue_order_id else None
        if theirs is not None:
            return theirs
        ours = self._tracker.get(order.client_order_id) if order.client_order_id else None
        return ours if ours is not None and _same(ours, order) else order

    def _too_late(self, order: Order, seconds: float) -> TimedOut:
        stands = "and the venue's answer is missing" if order.unknown else f"{plain(order.filled)} executed"
        return TimedOut(
            f"{self._venue}: order {order.venue_order_id or order.client_order_id} is {order.status} after "
            f"{seconds:g} s, {stands}; it was only waited for, and not canceled",
            venue=self._venue,
        )

    async def _ask_once(self, order: Order) -> None:
        try:
            if await self.find(order) is None:
                self.absent(order)
        except ExchangeError as error:
            if _is_hopeless(error):
                raise
            _LOG.warning("%s: order %s could not be asked for: %s", self._venue, _key(order), error)

    def _start(self, order: Order, wanted: Callable[[Order], bool], conclude: _Conclude) -> None:
        key = _key(order)
        if key in self._asking:
            return
        try:
            task = self._background.spawn(self._ask(order, wanted, conclude), f"asking for order {key}")
        except RuntimeError:
            _LOG.error("%s: closed before it was known what became of order %s; ask the venue", self._venue, key)
            return
        self._asking.add(key)
        self._hurried[key] = asyncio.Event()
        task.add_done_callback(lambda _: self._hurried.pop(key, None))
        task.add_done_callback(lambda _: self._asking.discard(key))
        task.add_done_callback(lambda _: self._missing.discard(order.venue_order_id))

    async def _ask(self, order: Order, wanted: Callable[[Order], bool], conclude: _Conclude) -> None:
        nowhere, began = 0, self._clock.now()
        for pause in self.policy.pauses():
            await wait_for(self._clock, self._hurried[_key(order)], pause)
            self._hurried[_key(order)].clear()
            if not wanted(self.newest(order)):
                return
            asked = self._clock.now()
            try:
                found = await self.find(self.newest(order))
            except ExchangeError as error:
                _LOG.warning("%s: order %s could not be asked for: %s", self._venue, order.client_order_id, error)
                if _is_hopeless(error):
                    return
                continue
            # The private feed may have been faster than the answer.
            if not wanted(self.newest(order)):
                return
            if found is not None:
                # It stands, or the answer is older than the news that had us ask.
                if asked - began >= timedelta(seconds=self.policy.lag):
                    return
                continue
            nowhere += 1
            end = conclude(asked, nowhere)
            if end is not None:
                self._tracker.concluded(self.newest(order), *end, self._clock.now())
                return


def _is_hopeless(error: ExchangeError) -> bool:
    """Whether asking again would be answered no better."""
    return isinstance(error, NotSupported) or refuses_key(error)


def _key(order: Order) -> str:
    return order.client_order_id or order.venue_order_id or ""


def _same(one: Order, other: Order) -> bool:
    if one.venue_order_id and other.venue_order_id:
        return one.venue_order_id == other.venue_order_id
    return one.client_order_id is not None and one.client_order_id == other.client_order_id
