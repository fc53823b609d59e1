"""One leg on its way: sent once, followed to its end, its fills collected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import attrs

from exchange_core.clock import Clock
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ConfigError,
    ConnectFailed,
    ExchangeError,
    NotSupported,
    OrderRefused,
    RateLimited,
)
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderStatus
from exchange_core.routing.plans import Leg
from exchange_core.routing.result import LegOutcome, LegResult, total
from exchange_core.venue.protocol import EventStream, Venue

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Only these say that the order did not happen. Whatever else a venue raises, it may have: a value that does not read,
# say, may be in the answer to an order that was carried out.
_DID_NOT_HAPPEN = (
    AuthenticationError,
    BadRequest,
    ConfigError,
    ConnectFailed,
    NotSupported,
    OrderRefused,
    RateLimited,
)

# Clocks of venues differ from ours.
_FILLS_SINCE = timedelta(minutes=1)


@attrs.frozen(kw_only=True)
class Patience:
    """Seconds to wait.

    Attributes:
        sending: For the venue to take the order; longer than a venue itself looks for a missing answer.
        ending: For the order to end by itself, before it is cancelled.
        asking: For any later answer.
        fills: For the fills of an ended order to come in, before they are asked for.
        between_asks: Without news of the order.
    """

    sending: float = 45.0
    ending: float = 10.0
    asking: float = 15.0
    fills: float = 3.0
    between_asks: float = 0.5

    @property
    def at_most(self) -> float:
        """The longest that a leg that is told to stop can take."""
        return self.sending + self.fills + 3 * self.asking


class LegRun:
    """Runs one leg. *result* can be read at any time."""

    def __init__(self, leg: Leg, venue: Venue, patience: Patience, clock: Clock) -> None:
        self.leg = leg
        self._venue = venue
        self._patience = patience
        self._clock = clock
        self._sent = self._refused = self._stopped = False
        self._order: Order | None = None
        self._reason: str | None = None
        self._seen: list[Order] = []
        self._fills: dict[str, Fill] = {}
        self._news = asyncio.Event()

    def stop(self) -> None:
        """Wait no longer for a natural end; once the venue has answered, cancel what is open."""
        self._stopped = True
        self._news.set()

    async def run(self) -> None:
        """Send the leg and follow it to its end."""
        started = self._clock.now()
        try:
            async with self._listening():
                await self._send()
                if self._order is not None:
                    await self._follow(self._order)
                    await self._collect_fills(started)
        except Exception as error:  # noqa: BLE001 - it is reported as this leg's reason, and the other legs go on
            self._reason = f"{type(error).__name__}: {error}"

    @property
    def result(self) -> LegResult:
        """What is known so far."""
        order, fills = self._order, tuple(self._own_fills())
        executed = total(fill.quantity for fill in fills)
        filled = executed if order is None else max(order.filled, executed)
        return LegResult(
            leg=self.leg,
            outcome=self._outcome(filled),
            filled=filled,
            order=order,
            fills=fills,
            reason=order.reason if order is not None and order.is_final else self._reason,
        )

    def _outcome(self, filled: Decimal) -> LegOutcome:
        if not self._sent:
            return LegOutcome.NOT_SENT
        if self._refused or (self._order is not None and self._order.status is OrderStatus.REJECTED and not filled):
            return LegOutcome.REFUSED
        if filled >= self.leg.quantity:
            return LegOutcome.FILLED
        if self._order is None or not self._order.is_final:
            return LegOutcome.UNKNOWN
        return LegOutcome.PARTLY_FILLED if filled else LegOutcome.UNFILLED

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Read the account's news meanwhile; the first news of an order may come before the answer to sending it."""
        orders, fills = self._venue.order_updates(), self._venue.fill_updates()
        tasks = [
            asyncio.create_task(self._listen(orders, self._seen.append)),
            asyncio.create_task(self._listen(fills, self._see_fill)),
        ]
        try:
            yield
        finally:
            orders.close()
            fills.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, stream: EventStream[T], see: Callable[[T], object]) -> None:
        try:
            async for event in stream:
                see(event)
                self._news.set()
        except ExchangeError as error:
            # Without this stream the venue is asked, which is slower and just as right.
            _log.info("%s: following a leg without its stream: %s", self.leg.venue, error)

    def _see_fill(self, fill: Fill) -> None:
        self._fills[fill.id] = fill

    async def _send(self) -> None:
        self._sent, self._reason = True, "it was sent, and no answer came"
        try:
            async with asyncio.timeout(self._patience.sending):
                self._order = await self._venue.place(self.leg.request)
            self._reason = None
        except _DID_NOT_HAPPEN as error:
            self._refused, self._reason = True, str(error)
        except TimeoutError:
            self._reason = f"no answer within {self._patience.sending:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, the order may exist, and the other legs go on
            self._reason = f"{type(error).__name__}: {error}"

    async def _follow(self, order: Order) -> None:
        try:
            async with asyncio.timeout(self._patience.ending):
                while not self._learn(order) and not self._stopped:
                    order = await self._newest()
        except TimeoutError:
            self._reason = f"{order.status} for more than {self._patience.ending:g} s"
        if not self._learn(order):
            await self._cancel(order)

    def _learn(self, order: Order) -> bool:
        """Keep the newest of what is known; return whether it is the end."""
        for each in (order, *filter(self._is_ours, self._seen)):
            if self._order is None or _is_newer(each, self._order):
                self._order = each
        self._seen.clear()
        return self._order is not None and self._order.is_final

    async def _newest(self) -> Order:
        """Wait for news; ask the venue when none come."""
        assert self._order is not None
        try:
            async with asyncio.timeout(self._patience.between_asks):
                await self._news.wait()
            self._news.clear()
        except TimeoutError:
            try:
                return await self._venue.order(self._order)
            except ExchangeError as error:
                self._reason = str(error)
        return self._order

    async def _cancel(self, order: Order) -> None:
        """End an order that should have ended by itself; ask once more what became of it."""
        for ask in (self._venue.cancel, self._venue.order):
            try:
                async with asyncio.timeout(self._patience.asking):
                    if self._learn(await ask(self._order or order)):
                        return
            except (ExchangeError, TimeoutError) as error:
                self._reason = str(error) or f"no answer within {self._patience.asking:g} s"

    async def _collect_fills(self, started: datetime) -> None:
        """Wait for the fills that the order speaks of; ask for them if they do not come."""
        try:
            async with asyncio.timeout(self._patience.fills):
                while self._misses_fills():
                    await self._news.wait()
                    self._news.clear()
            return
        except TimeoutError:
            pass
        try:
            async with asyncio.timeout(self._patience.asking):
                for fill in await self._venue.fills(started - _FILLS_SINCE):
                    self._see_fill(fill)
        except (ExchangeError, TimeoutError) as error:
            self._reason = f"its fills could not be read: {error!r}"

    def _misses_fills(self) -> bool:
        return self._order is not None and total(fill.quantity for fill in self._own_fills()) < self._order.filled

    def _own_fills(self) -> list[Fill]:
        return [] if self._order is None else [fill for fill in self._fills.values() if self._is_ours(fill)]

    def _is_ours(self, each: Order | Fill) -> bool:
        known = self._order
        if known is None:
            return False
        if each.venue_order_id is not None and each.venue_order_id == known.venue_order_id:
            return True
        return each.client_order_id is not None and each.client_order_id == known.client_order_id


def _is_newer(order: Order, known: Order) -> bool:
    """Whether *order* is what to believe. A venue may take an end back that it had only concluded."""
    if order.updated is not None and known.updated is not None and order.updated != known.updated:
        return order.updated > known.updated
    return (order.is_final, order.filled) >= (known.is_final, known.filled)
