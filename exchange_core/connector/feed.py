"""A WebSocket connection as a state machine: frames and time in, events and frames to send out.

The runner in ``exchange_core.transport`` owns the socket and calls, in this order: ``login`` (and runs the flow),
``opened``, then ``receive`` for every frame and ``tick`` about once a second, sending what ``outbox`` holds after each;
``closed`` when the connection is gone, and all over again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, Protocol, runtime_checkable

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.model.book import OrderBook
from exchange_core.model.event import Events, Subscription
from exchange_core.model.symbol import Symbol


@attrs.define
class FeedStats:
    """What a feed has seen.

    Attributes:
        books: Book messages, snapshots included.
        verified: Book messages whose check was right (where the venue offers one).
        mismatches: Book messages whose check was wrong.
        gaps: Holes in a sequence.
        resyncs: Fresh snapshots that were asked for, or received, after a book had failed.
        silent: Subscriptions that had fallen silent while there was news, as asking afresh showed.
        unknown: Frames that are not recognised, by kind.
        ignored: Frames that are known and carry no news, by kind.
    """

    frames: int = 0
    books: int = 0
    verified: int = 0
    mismatches: int = 0
    gaps: int = 0
    resyncs: int = 0
    silent: int = 0
    unknown: Counter[str] = attrs.field(factory=Counter)
    ignored: Counter[str] = attrs.field(factory=Counter)

    def add(self, other: FeedStats) -> None:
        """Add what another feed has seen."""
        for name, value in attrs.asdict(other, recurse=False).items():
            setattr(self, name, getattr(self, name) + value)


class Feed(Protocol):
    """One connection to one venue."""

    stats: FeedStats

    def login(self) -> Flow[str] | None:
        """Return what must be asked over REST before each connection (a token), or None."""
        ...

    def opened(self, now: float, credential: str | None = None) -> None:
        """Start a new connection; *credential* is what ``login``'s flow returned. Queues all wanted subscriptions."""
        ...

    def receive(self, frame: bytes | str, now: float) -> Events:
        """Take one frame; return its news.

        Raises:
            ProtocolError: And nothing else, whatever the frame holds. The connection can go on.
        """
        ...

    def tick(self, now: float) -> Events:
        """Let time pass: overdue acknowledgements are asked again or reported, keep-alives are queued."""
        ...

    def closed(self, now: float) -> Events:
        """The connection is gone: what was wanted stays wanted, and is asked for when the next one opens.

        Books are STALE: a view that a user holds says so and shows no levels, as always while it is not LIVE, until
        a fresh start verified on the next connection. That is no event of theirs: a view is one only when it is LIVE.
        """
        ...

    def is_dead(self, now: float) -> str | None:
        """Return why the connection should be dropped (nothing came for too long), or None."""
        ...

    def outbox(self) -> list[str]:
        """Return the frames to send now, in order, and forget them."""
        ...

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        """Ask for more. On a closed connection they are asked for when it opens."""
        ...

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        """Ask for less."""
        ...

    def subscriptions(self) -> Iterable[Subscription]:
        """Return all that are wanted, in order."""
        ...

    def is_active(self, subscription: Subscription) -> bool:
        """Return whether the venue acknowledged it on this connection."""
        ...

    def book(self, symbol: Symbol) -> OrderBook | None:
        """Return the view of a book that is wanted, whatever its health, or None; always the same view."""
        ...


class Question(NamedTuple):
    """A request for a live connection.

    Attributes:
        request_id: By which ``Answered`` will name it; another one for each request of a connection.
        frame: To be sent.
    """

    request_id: int
    frame: str

    def __repr__(self) -> str:  # the frame carries a token
        return f"Question({self.request_id}, {len(self.frame)} characters)"


@runtime_checkable
class RequestFeed(Protocol):
    """A feed whose connection carries requests too, such as orders."""

    def can_ask(self) -> bool:
        """Return whether a request may go out now: the connection is open, logged in and heard from.

        False also from when the venue said that it no longer knows this session.
        """
        ...

    def ask(self, call: RestCall, now: float) -> Question:
        """Write ``call.socket`` as a frame, with what it needs of credentials, and expect its answer.

        The frame is not put into the outbox: the runner sends it, before subscriptions, and may find that it cannot.

        The feed tells ``Answered`` once, when all is said (some venues answer one request with several frames), and
        however late; once the connection is closed it forgets the request. An answer that does not read as documented
        is an ``Answered`` whose error is ProtocolError, as long as it names the request.
        """
        ...
