"""One request at a time to the WebSocket server, so that answers without a name find theirs.

Errors and alerts carry neither a request id nor a feed. One request may name many products and is
acknowledged once for each. When such a request fails, each product is asked for alone, and only one that
fails alone is refused. Silence is no failure: what is not answered is asked for ever more slowly.
See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal

import attrs

SUBSCRIBE: Literal["subscribe"] = "subscribe"
UNSUBSCRIBE: Literal["unsubscribe"] = "unsubscribe"
CHALLENGE: Literal["challenge"] = "challenge"

# Products in one request; no limit is documented, and a few kilobytes pass anywhere.
_MOST_PRODUCTS = 100
TRIES = 3
# Seconds until the next try after those, doubled each time, and what that grows to at most.
_PAUSE, _LONGEST_PAUSE = 10.0, 60.0


@attrs.define(eq=False)
class Request:
    """One request, and the products that it still waits for an answer about.

    Attributes:
        products: As the venue spells them; empty for feeds without products.
        tries: How often it was sent before.
        due: When its answer must have come; set by sending.
        not_before: When it may be sent.
        is_signed_anew: Whether it was refused for its signature before, and has another.
    """

    event: Literal["subscribe", "unsubscribe", "challenge"]
    feed: str = ""
    products: tuple[str, ...] = ()
    tries: int = 0
    due: float = 0.0
    not_before: float = float("-inf")
    is_signed_anew: bool = False

    @property
    def is_last_try(self) -> bool:
        return self.tries + 1 >= TRIES


def subscribe(feed: str, products: Iterable[str]) -> list[Request]:
    """Return the requests that ask for *products*."""
    return _chunks(SUBSCRIBE, feed, list(products))


def unsubscribe(feed: str, products: Iterable[str]) -> list[Request]:
    """Return the requests that end *products*."""
    return _chunks(UNSUBSCRIBE, feed, list(products))


def _chunks(event: Literal["subscribe", "unsubscribe"], feed: str, products: list[str]) -> list[Request]:
    starts = range(0, len(products), _MOST_PRODUCTS) or [0]
    return [Request(event, feed, tuple(products[start : start + _MOST_PRODUCTS])) for start in starts]


@attrs.define
class Conversation:
    """What is to be asked, and what is being asked.

    Attributes:
        patience: Seconds within which an answer must come.
    """

    patience: float = 10.0
    flight: Request | None = None
    _queue: deque[Request] = attrs.field(factory=deque)

    def ask(self, requests: Iterable[Request]) -> None:
        """Ask when everything before is answered."""
        self._queue.extend(requests)

    def ask_first(self, requests: Iterable[Request]) -> None:
        """Ask before everything else."""
        self._queue.extendleft(reversed(list(requests)))

    def has(self, event: str) -> bool:
        """Return whether such a request is waiting or under way."""
        return any(request.event == event for request in (self.flight, *self._queue) if request is not None)

    def next(self, now: float) -> Request | None:
        """Return the request to send now, or None while one is under way."""
        ready = (request for request in self._queue if request.not_before <= now)
        if self.flight is not None or (request := next(ready, None)) is None:
            return None
        self._queue.remove(request)
        self.flight = request
        self.flight.due = now + self.patience
        return self.flight

    def answered(self, event: str, feed: str, products: Iterable[str]) -> None:
        """Take an answer; the request is over when all its products have theirs."""
        flight = self.flight
        if flight is None or (flight.event, flight.feed) != (event, feed):
            return
        done = {product.upper() for product in products}
        flight.products = tuple(product for product in flight.products if done and product.upper() not in done)
        if not flight.products:
            self.flight = None

    def refused(self, *, certain: bool) -> Request | None:
        """Take a no to the request under way; return the request if that is final.

        Args:
            certain: Whether the no can have been meant for no other request.
        """
        request, self.flight = self.flight, None
        if request is not None and len(request.products) > 1:
            alone = [Request(request.event, request.feed, (product,)) for product in request.products]
            self._queue.extendleft(reversed(alone))
            return None
        return request if certain else self._again(request)

    def unanswered(self) -> Request | None:
        """Give up waiting for the request under way; return it if it will not be sent again."""
        request, self.flight = self.flight, None
        return self._again(request)

    def _again(self, request: Request | None) -> Request | None:
        if request is None or request.is_last_try:
            return request
        request.tries += 1
        self._queue.append(request)
        return None

    def ask_later(self, request: Request, now: float) -> None:
        """Ask once more after a pause, which grows from time to time."""
        request.tries += 1
        request.not_before = now + min(_LONGEST_PAUSE, _PAUSE * 2.0 ** max(0, min(request.tries - TRIES, 10)))
        self._queue.append(request)

    def forget(self, feed: str, product: str) -> None:
        """Ask no more for what waits to be asked for later; nobody wants it."""
        for request in [each for each in self._queue if each.event == SUBSCRIBE and each.feed == feed and each.tries]:
            request.products = tuple(each for each in request.products if each.upper() != product.upper())
            if not request.products:
                self._queue.remove(request)

    def overdue(self, now: float) -> bool:
        """Return whether the answer to the request under way should have come."""
        return self.flight is not None and now >= self.flight.due

    def reset(self) -> None:
        """Forget everything: the connection is a new one."""
        self.flight = None
        self._queue.clear()
