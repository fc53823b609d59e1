"""Sends what waits for one connection, as fast as the venue takes frames.

A request that nothing holds back goes out in the same breath in which it is asked for; all else is sent by a task.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from exchange_core.clock import Clock
from exchange_core.transport.connection import FrameConnection
from exchange_core.transport.outgoing import Outgoing


class FrameSender:
    """The sending side of one connection.

    Args:
        frames_per_second: How many may be sent within any second.
        on_sent: Told each frame that was handed to the socket.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        connection: FrameConnection,
        clock: Clock,
        frames_per_second: float,
        on_sent: Callable[[str], None] | None = None,
    ) -> None:
        self._outgoing = outgoing
        self._connection = connection
        self._clock = clock
        self._rate = frames_per_second
        self._on_sent = on_sent
        self._sent: deque[float] = deque(maxlen=max(1, int(frames_per_second)))

    async def run(self) -> None:
        """Send until cancelled.

        Raises:
            ConnectionClosed: It cannot be sent any more.
        """
        outgoing, connection = self._outgoing, self._connection
        outgoing.hurry = self._hurry
        try:
            while True:
                await outgoing.wake.wait()
                outgoing.wake.clear()
                while outgoing and not connection.over.done():
                    now = self._clock.monotonic()
                    wait = self._wait(now)
                    if wait > 0:
                        await self._clock.sleep(wait)
                        continue
                    self._sent.append(now)
                    frame = outgoing.take()
                    await connection.send(frame)
                    self._tell(frame)
        finally:
            outgoing.hurry = None

    def _wait(self, now: float) -> float:
        # So many within any second, and not one at a time: an order must not wait for the one before it.
        sent = self._sent
        return sent[0] + len(sent) / self._rate - now if len(sent) == sent.maxlen else 0.0

    def _hurry(self) -> None:
        """Send what waits, as far as it may go at once; the task sees to the rest."""
        outgoing, connection = self._outgoing, self._connection
        try:
            while outgoing and connection.takes_frames:
                now = self._clock.monotonic()
                if self._wait(now) > 0:
                    return
                self._sent.append(now)
                frame = outgoing.take()
                connection.write(frame)
                self._tell(frame)
        except Exception as error:  # noqa: BLE001 (raised where the connection is served; whoever asked is told by it)
            connection.end(error)

    def _tell(self, frame: str) -> None:
        if self._on_sent is not None:
            self._on_sent(frame)
