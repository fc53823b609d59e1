"""A subscription as an async iterator, with a queue of stated size and a stated policy for when it is full."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar
from weakref import WeakSet

from exchange_core.errors import ExchangeError, SlowConsumer
from exchange_core.venue.bus import Bus, Topic

T = TypeVar("T")

QUEUE_SIZE = 10_000


class Overflow(StrEnum):
    """What happens to news that nobody has taken yet when more come.

    CONFLATE keeps the newest only. RAISE keeps all; a full queue ends the stream with SlowConsumer after what is in it.
    """

    CONFLATE = "conflate"
    RAISE = "raise"


class Mailbox(Generic[T]):
    """What the publishing side holds of a stream: takes news without waiting, and never disturbs the publisher."""

    def __init__(self, what: str, overflow: Overflow, size: int = QUEUE_SIZE) -> None:
        self._what = what
        self._conflates = overflow is Overflow.CONFLATE
        self._size = size
        self._items: deque[T] = deque(maxlen=1 if self._conflates else None)
        self._waiter: asyncio.Future[None] | None = None
        self.ended = False
        self.error: Exception | None = None

    def put(self, item: T) -> None:
        """Take one event."""
        if self.ended:
            return
        if not self._conflates and len(self._items) >= self._size:
            self.end(
                SlowConsumer(
                    f"{self._what}: {self._size} events were not read in time; read faster, or in another task"
                )
            )
            return
        self._items.append(item)
        if self._waiter is not None:
            self._wake()

    def end(self, error: Exception | None = None) -> None:
        """Take no more; the reader gets what is there, then *error* or the end."""
        if not self.ended:
            self.ended = True
            self.error = error
            self._wake()

    async def get(self) -> T:
        """Return the oldest event; wait for one.

        Raises:
            StopAsyncIteration: After the last one.
        """
        while not self._items:
            if self.error is not None:
                raise self.error
            if self.ended:
                raise StopAsyncIteration
            if self._waiter is not None:
                raise RuntimeError(f"{self._what}: two tasks read one stream; open one for each")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._items.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Stream(Generic[T]):
    """The reading side. Ends its subscription when closed, when it raises, and when it is forgotten.

    It is subscribed from the moment it exists; the first read waits until the venue has acknowledged it.
    """

    def __init__(
        self,
        mailbox: Mailbox[T],
        *,
        detach: Callable[[], None],
        confirm: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Args:
        detach: Ends the subscription.
        confirm: Returns when the venue said yes, raises when it said no.
        """
        self._loop = asyncio.get_running_loop()
        self._mailbox = mailbox
        self._detach: Callable[[], None] | None = detach
        self._confirm = confirm

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            if self._confirm is not None and not self._mailbox.ended:
                await self._confirm()
                self._confirm = None
            return await self._mailbox.get()
        except (Exception, StopAsyncIteration):
            self.close()
            raise

    def close(self) -> None:
        """End the subscription; a read that waits ends too."""
        self._mailbox.end()
        if self._detach is not None:
            detach, self._detach = self._detach, None
            detach()

    async def aclose(self) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        # The loop's own thread does it: the garbage collector may run in any.
        detach = getattr(self, "_detach", None)
        if detach is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(detach)


class Streams:
    """All streams of one venue, so that none is left waiting when it closes."""

    def __init__(self, bus: Bus, size: int = QUEUE_SIZE) -> None:
        self._bus = bus
        self._size = size
        self._mailboxes: WeakSet[Mailbox[Any]] = WeakSet()

    def open(
        self,
        what: str,
        about: Topic,
        overflow: Overflow,
        *,
        attach: Callable[[Callable[[ExchangeError], None]], Callable[[], None]],
        confirm: Callable[[], Awaitable[None]] | None = None,
    ) -> Stream[Any]:
        """Return a stream of the events on a topic.

        Args:
            attach: Makes the events come; given what to call when they will not, returns what ends them.
        """
        mailbox: Mailbox[Any] = Mailbox(what, overflow, self._size)
        release = attach(mailbox.end)
        self._bus.subscribe(about, mailbox.put)
        self._mailboxes.add(mailbox)

        def detach() -> None:
            self._bus.unsubscribe(about, mailbox.put)
            release()

        return Stream(mailbox, detach=detach, confirm=confirm)

    def end_all(self, error: Exception | None = None) -> None:
        """End every stream, with *error* where there is one."""
        for mailbox in list(self._mailboxes):
            mailbox.end(error)
