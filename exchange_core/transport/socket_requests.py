"""Requests over a live connection: each sent once and answered by its number, or known to have left or not.

What still waits to be sent when the connection is lost, or for too long, never left, and may go another way. What was
handed to the socket may have arrived: without an answer nothing is known of it, and its answer may come late.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.feed import RequestFeed
from exchange_core.connector.limits import is_urgent
from exchange_core.connector.rest import RestCall
from exchange_core.errors import ConnectFailed
from exchange_core.model.event import Answered
from exchange_core.transport.outgoing import Letter, Outgoing

Late = Callable[[Answered], None]
"""Told of an answer that came when nobody waited for it any more."""

# A request that would wait longer than this for the venue's message rate is quicker over REST.
LONGEST_QUEUE = 1.0
# So long no further request goes over a connection on which one stayed without an answer, unless one is answered.
DISTRUST = 60.0

_LOG = logging.getLogger(__name__)


class NotSent(Exception):
    """The frame provably did not leave."""


class Unanswered(Exception):
    """The frame was handed to the socket, and no answer came."""


@attrs.define(eq=False)
class _Asked:
    """A request under way.

    Attributes:
        queued_until: When it is taken back if it has not left.
        overdue: When its answer is no longer waited for.
        reply: Done with the answer, or with None once it is clear that none comes; then *failure* says why.
    """

    letter: Letter
    queued_until: float
    overdue: float
    reply: asyncio.Future[Answered | None]
    failure: Exception | None = None
    late: Late | None = None

    def fail(self, error: Exception) -> None:
        if not self.reply.done():
            self.failure = error
            self.reply.set_result(None)


class SocketRequests:
    """The requests of one feed, on whatever connection it has.

    Args:
        frames_per_second: How fast the venue takes frames.
    """

    def __init__(
        self, name: str, feed: RequestFeed, outgoing: Outgoing, clock: Clock, frames_per_second: float
    ) -> None:
        self._name = name
        self._feed = feed
        self._outgoing = outgoing
        self._clock = clock
        self._gap = 1.0 / frames_per_second
        self._is_open = False
        self._distrusted_until: float | None = None
        self._asked: dict[int, _Asked] = {}

    def can_ask(self, *, urgent: bool = False) -> bool:
        """Return whether a request had better go this way now."""
        if not self._is_open or not self._feed.can_ask():
            return False
        if self._distrusted_until is not None and self._clock.monotonic() < self._distrusted_until:
            return False
        return self._outgoing.ahead(urgent=urgent) * self._gap <= LONGEST_QUEUE

    async def ask(self, call: RestCall, within: float, late: Late | None = None, *, at_once: bool = False) -> Answered:
        """Send ``call.socket``, once; return the answer.

        Args:
            within: Seconds for all of it, as seen about once a second.
            late: Told of the answer when it comes after this gave up, and the connection still stands.
            at_once: Nothing was awaited since :meth:`can_ask` said yes.

        Raises:
            NotSent: It did not leave, and can go another way.
            Unanswered: It left, and whether it arrived is not known.
            ConnectFailed: It did not leave, and all connections are being closed.
        """
        urgent = call.socket is not None and is_urgent(call.socket.costs)
        if not at_once and not self.can_ask(urgent=urgent):
            raise NotSent(f"the {self._name} connection cannot take it just now")
        now = self._clock.monotonic()
        try:
            question = self._feed.ask(call, now)
        except Exception as error:
            raise NotSent(f"the {self._name} feed could not write it: {type(error).__name__}: {error}") from error
        letter = Letter(question.frame, urgent)
        reply: asyncio.Future[Answered | None] = asyncio.get_running_loop().create_future()
        asked = _Asked(letter, now + LONGEST_QUEUE, now + within, reply, late=late)
        self._asked[question.request_id] = asked
        self._outgoing.put(letter)
        try:
            answer = await asked.reply
        except asyncio.CancelledError:
            self._give_up(question.request_id, asked)
            raise
        if answer is None:
            assert asked.failure is not None
            raise asked.failure
        return answer

    # What the runner calls.

    def opened(self) -> None:
        """There is a connection."""
        self._is_open = True
        self._distrusted_until = None

    def closed(self, why: str, *, for_good: bool) -> None:
        """The connection is gone.

        Args:
            for_good: And everything else is being closed too, so that nothing should go out any more.
        """
        self._is_open = False
        asked, self._asked = self._asked, {}
        for one in asked.values():
            if one.letter.left:
                one.fail(Unanswered(f"the {self._name} connection was lost before an answer came: {why}"))
            elif for_good:
                one.fail(ConnectFailed(f"the {self._name} connection was closed; nothing was sent"))
            else:
                one.fail(NotSent(f"the {self._name} connection was lost: {why}"))

    def answered(self, answer: Answered) -> None:
        """Take an answer; of two with one number only the first counts."""
        self._distrusted_until = None
        asked = self._asked.pop(answer.request_id, None)
        if asked is None:
            _LOG.debug("an answer to request %d, for which nobody waits", answer.request_id)
        elif not asked.reply.done():
            asked.reply.set_result(answer)
        else:
            _tell_late(asked, answer)

    def tick(self, now: float) -> None:
        """Give up what waits for too long."""
        for request_id, asked in list(self._asked.items()):
            if asked.reply.done():
                continue
            letter = asked.letter
            if letter.left and now >= asked.overdue:
                # The answer may still come, and then tells what became of it.
                asked.fail(Unanswered(f"no answer on the {self._name} connection in time"))
                self._distrusted_until = now + DISTRUST
            elif not letter.left and now >= min(asked.overdue, asked.queued_until):
                self._withdraw(request_id, letter)
                asked.fail(NotSent(f"it waited too long for the {self._name} connection"))

    def _give_up(self, request_id: int, asked: _Asked) -> None:
        """Nobody waits any more: take it back, or keep it for its answer."""
        if not asked.letter.left:
            self._withdraw(request_id, asked.letter)
        if asked.reply.cancel() or asked.reply.cancelled():
            return
        # It came in the same moment.
        answer = asked.reply.result()
        if answer is not None:
            _tell_late(asked, answer)

    def _withdraw(self, request_id: int, letter: Letter) -> None:
        self._outgoing.take_back(letter)
        self._asked.pop(request_id, None)


def _tell_late(asked: _Asked, answer: Answered) -> None:
    if asked.late is None:
        return
    try:
        asked.late(answer)
    except Exception:  # noqa: BLE001 (it must not end the connection on which it came)
        _LOG.exception("a late answer could not be used")
