"""Who waits for the venue's word on a subscription."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from exchange_core.errors import BadRequest, ExchangeError, TransportError
from exchange_core.model.event import Subscribed, Subscription, SubscriptionRefused


class Confirmations:
    """Futures by subscription, and refusals for those who ask late."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._waiting: dict[Subscription, set[asyncio.Future[None]]] = {}
        self._refused: dict[Subscription, SubscriptionRefused] = {}
        self._closed: ExchangeError | None = None

    def asked(self, subscriptions: Iterable[Subscription]) -> None:
        """Forget earlier refusals: they are asked for anew."""
        for subscription in subscriptions:
            self._refused.pop(subscription, None)

    def answered(self, event: Subscribed | SubscriptionRefused) -> None:
        """Tell those who wait for it."""
        if isinstance(event, SubscriptionRefused):
            self._refused[event.subscription] = event
            self.fail([event.subscription], self._refusal(event))
            return
        for waiter in self._waiting.get(event.subscription, ()):
            if not waiter.done():
                waiter.set_result(None)

    def close(self, error: ExchangeError) -> None:
        """Tell all who wait, and who will, that nothing comes any more."""
        self._closed = error
        self.fail(list(self._waiting), error)

    def fail(self, subscriptions: Iterable[Subscription], error: ExchangeError) -> None:
        """Tell those who wait for *subscriptions* that it will not come."""
        for subscription in subscriptions:
            for waiter in self._waiting.get(subscription, ()):
                if not waiter.done():
                    waiter.set_exception(error)

    async def wait(self, subscription: Subscription, within: float) -> None:
        """Return when the venue says yes.

        Raises:
            BadRequest: It said no; the message has its reason.
            TransportError: It said nothing in time.
        """
        if subscription in self._refused:
            raise self._refusal(self._refused[subscription])
        if self._closed is not None:
            raise self._closed
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(subscription, set())
        waiters.add(waiter)
        try:
            async with asyncio.timeout(within):
                await waiter
        except TimeoutError:
            raise TransportError(
                f"{self._venue}: {subscription}: the venue did not acknowledge it within {within:g} s",
                venue=self._venue,
            ) from None
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiting.get(subscription) is waiters:
                del self._waiting[subscription]

    def _refusal(self, event: SubscriptionRefused) -> BadRequest:
        message = f"{self._venue}: {event.subscription}: {event.reason}"
        return BadRequest(message, venue=self._venue, codes=event.codes)
