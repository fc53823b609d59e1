"""What a failed test of a house says: which orders differ, how both sides see them, and what was said of them last.

Enough to read a failure on another machine without a replay; bounded in size, and without secrets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain

import attrs

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.storage.scrub import Scrubber
from exchange_core.transport.feed_runner import FrameTap

KEPT = 20_000
"""So many of the latest frames and calls of a house are kept."""

MOST_ORDERS = 4
FIRST, LAST = 4, 10
"""Of what was said of an order."""
LONGEST = 600
MOST = 24_000


@attrs.define
class Talk:
    """What a client and its venue said to each other, as the client saw it: in order, with the seconds since 1970."""

    scrubber: Scrubber = attrs.field(factory=Scrubber)
    _said: deque[tuple[float, str, str]] = attrs.field(factory=lambda: deque(maxlen=KEPT), repr=False)

    def rest(self, address: str, request: HttpRequest, reply: HttpReply, when: float) -> None:
        """Take a call, as a ``RestTap``; one without an answer is not seen."""
        asked = f"{request.method} {request.target} {request.body.decode()}".strip()
        self._said.append((when, "rest", f"{asked} -> {reply.status} {reply.body.decode('utf-8', 'replace')}"))

    def feed(self, name: str) -> FrameTap:
        """Return what takes the frames of a feed."""

        def take(way: str, frame: str | bytes, when: float) -> None:
            text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
            self._said.append((when, f"{name} {way}", text))

        return take

    def about(self, words: Iterable[str]) -> list[str]:
        """Return the first and the last of what was said with one of *words* in it, one a line."""
        wanted = [word for word in words if word]
        lines = [self._line(*said) for said in self._said if any(word in said[2] for word in wanted)]
        left_out = len(lines) - FIRST - LAST
        return lines if left_out <= 0 else [*lines[:FIRST], f"({left_out} more)", *lines[-LAST:]]

    def last(self) -> list[str]:
        """Return the last of what was said on private feeds and over REST, one a line."""
        own = (self._line(*said) for said in reversed(self._said) if not said[1].startswith("public"))
        return [line for line, _ in zip(own, range(LAST), strict=False)][::-1]

    def _line(self, when: float, where: str, text: str) -> str:
        text = self.scrubber.text(text)
        return f"{when % 86400:.3f} {where}: {text[:LONGEST]}{'...' if len(text) > LONGEST else ''}"


def written(head: str, orders: Sequence[tuple[str, Iterable[str], object, object]], talk: Talk, state: object) -> str:
    """Write what is known of a failure.

    Args:
        head: What is wrong.
        orders: Of each order that differs its name, its ids, and how we and the venue see it.
        state: How the client stands.
    """
    lines = [head]
    for name, ids, ours, theirs in orders[:MOST_ORDERS]:
        lines += [
            f"order {name}",
            f"  ours:   {ours}",
            f"  theirs: {theirs}",
            *(f"  {line}" for line in talk.about(ids)),
        ]
    if len(orders) > MOST_ORDERS:
        lines.append(f"and {len(orders) - MOST_ORDERS} more orders")
    lines = [*lines, f"state: {state}", "said last:", *(f"  {line}" for line in talk.last())]
    # Scrubbed once more: what was learned late may stand in what came before.
    return talk.scrubber.known("\n".join(chain(lines)))[:MOST]
