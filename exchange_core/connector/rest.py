"""REST as data: what to send is a RestCall, an operation is a generator of them.

A plugin yields calls and receives decoded replies; the transport does the sending. Paging is a loop around ``yield``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import attrs

from exchange_core.connector.limits import Cost

T = TypeVar("T")

Flow = Generator["RestCall", Any, T]
"""An operation: yields calls, receives what ``Dialect.decode`` made of each answer, returns a domain value."""


@attrs.frozen(kw_only=True)
class SocketCall:
    """The same request as a frame of a live connection, which is quicker while that is healthy.

    Attributes:
        feed: Name of the ``FeedSpec`` whose connection can carry it; the feed is a ``RequestFeed``.
        method: The venue's name for it.
        params: As the frame has them, without credentials, which the feed adds. An order has the same client id and
            deadline as in the call's own.
        costs: What it takes from the venue's limits when it goes this way; urgent ones also go first on the wire.
    """

    feed: str
    method: str
    params: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    costs: tuple[Cost, ...] = ()


@attrs.frozen(kw_only=True)
class RestCall:
    """One call, as data.

    Attributes:
        path: Path below the base address, such as ``/0/private/AddOrder``.
        params: As they are to be sent; None values are left out, lists repeat the key (or stay lists in JSON).
        reply: What the plugin's ``decode`` shall make of the result.
        private: Must be signed.
        changes_state: A write: never sent twice, and without an answer its outcome is unknown.
        base: Which of the venue's addresses: a field of its config, such as ``rest_url``.
        json: Send the parameters as a JSON body.
        costs: What it takes from the venue's limits.
        socket: The same as a frame, where a live connection can carry it: to the same effect, and answered with what
            ``decode`` would make of the answer. It goes one of the two ways; a write goes over REST after it was to
            go as a frame only when that provably did not leave.
        leave_by: When it must have left, or is not sent at all: what waits for a limit longer would come too late.
    """

    method: str
    path: str
    params: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    reply: Any = None
    private: bool = False
    changes_state: bool = False
    base: str = "rest_url"
    json: bool = False
    costs: tuple[Cost, ...] = ()
    socket: SocketCall | None = None
    leave_by: datetime | None = None


class HttpRequest(NamedTuple):
    """What goes on the wire. *target* is path and query, without host."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    def __repr__(self) -> str:  # headers and body carry keys and signatures
        return f"HttpRequest({self.method} {self.target.partition('?')[0]})"


class HttpReply(NamedTuple):
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:  # the body may be a token
        return f"HttpReply({self.status}, {len(self.body)} bytes)"


@runtime_checkable
class TellsTime(Protocol):
    """A dialect of a venue whose answers say when they were written, more exactly than their ``Date`` header does."""

    def server_time(self, reply: HttpReply) -> datetime | None:
        """Return when *reply* was written, to a millisecond; None where it does not say."""
        ...


class Dialect(Protocol):
    """How one venue writes requests and answers."""

    def encode(self, call: RestCall) -> HttpRequest:
        """Write a call that needs no signature."""
        ...

    def decode(self, call: RestCall, reply: HttpReply) -> Any:
        """Read an answer as ``call.reply``.

        Raises:
            ExchangeError: The venue's error, mapped to our tree. ``OutcomeUnknown`` for answers to writes that
                leave it open whether they were carried out. ``ProtocolError`` for what does not read as documented.
        """
        ...
