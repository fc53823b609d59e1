"""What waits to be sent on one connection: cancels first, then other requests, then subscriptions and the rest.

A letter knows whether it was handed to the socket. Until then it can be taken back, and provably did not leave.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

import attrs


@attrs.define(eq=False)
class Letter:
    """One frame.

    Attributes:
        left: Whether it was handed to the socket, or is being handed to it.
    """

    frame: str = attrs.field(repr=False)
    urgent: bool = False
    left: bool = False


class Outgoing:
    """The frames that one connection has yet to send.

    Attributes:
        wake: Set when there is something to send.
        hurry: Sends what may go at once, while there is a connection; it does not raise.
    """

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.hurry: Callable[[], None] | None = None
        self._urgent: deque[Letter] = deque()
        self._requests: deque[Letter] = deque()
        self._frames: deque[str] = deque()

    def __bool__(self) -> bool:
        return bool(self._urgent or self._requests or self._frames)

    def add(self, frames: Iterable[str]) -> None:
        """Send *frames* when no request waits."""
        self._frames.extend(frames)
        self.wake.set()

    def put(self, letter: Letter) -> None:
        """Send a request, before all that is none."""
        (self._urgent if letter.urgent else self._requests).append(letter)
        if self.hurry is not None:
            self.hurry()
        if not letter.left:
            self.wake.set()

    def ahead(self, *, urgent: bool) -> int:
        """Return how many would be sent before a new request."""
        return len(self._urgent) + (0 if urgent else len(self._requests))

    def take_back(self, letter: Letter) -> None:
        """Do not send *letter*, which has not left."""
        lane = self._urgent if letter.urgent else self._requests
        if letter in lane:
            lane.remove(letter)

    def take(self) -> str:
        """Return the next frame to hand to the socket; it counts as sent from here on."""
        for lane in (self._urgent, self._requests):
            if lane:
                letter = lane.popleft()
                letter.left = True
                return letter.frame
        return self._frames.popleft()

    def clear(self) -> None:
        """Forget all of it: the connection is gone."""
        for lane in (self._urgent, self._requests, self._frames):
            lane.clear()
