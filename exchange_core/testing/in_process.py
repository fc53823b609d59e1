"""A simulated venue and its faults without sockets: what would take time lets the clock go on instead."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar
from weakref import WeakSet

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.errors import NotSupported
from exchange_core.simulator.faults.line import FaultyProtocol, Line
from exchange_core.simulator.faults.tally import Pace

T = TypeVar("T")


class InProcess:
    """Stands for a wire protocol; what happens on the way is raised, or is in the answer, as a client would see it."""

    def __init__(self, wire: FaultyProtocol, advance: Callable[[float], None], monotonic: Callable[[], float]) -> None:
        self._wire = wire
        self._advance = advance
        self._monotonic = monotonic
        self._open: WeakSet[InProcessSession] = WeakSet()

    def flush(self) -> None:
        """Let frames set out that were said by now; to be called before time passes, as some of them may be late."""
        for session in self._open:
            session.flush()

    def http(self, request: HttpRequest) -> HttpReply:
        """Answer a request.

        Raises:
            ConnectionResetError: A fault closes the connection before the answer, or in the middle of it.
        """
        pace = self._wire.body_pace(request.method, request.target)
        if pace is not None:
            self._advance(len(request.body) / pace)
        sent = self._done(self._wire.ask(request))
        if sent.reply is None or sent.is_cut:
            raise ConnectionResetError(f"{request.target}: the simulated venue closed the connection")
        if sent.bytes_per_second is not None:
            self._advance(len(sent.reply.body) / sent.bytes_per_second)
        return sent.reply

    def session(self, path: str) -> InProcessSession | None:
        """Open a WebSocket.

        Raises:
            ConnectionResetError: A fault closes the connection, or answers something else.
            NotSupported: A fault makes it slow.
        """
        answer = self._done(self._wire.open(path))
        if not isinstance(answer, Pace):
            said = "" if answer.reply is None else f": status {answer.reply.status}"
            raise ConnectionResetError(f"{path}: the simulated venue opens no WebSocket{said}")
        if answer != Pace():
            raise NotSupported(f"{path}: a WebSocket that is slow needs sockets; leave in_process out")
        line = self._wire.session(path)
        if line is None:
            return None
        session = InProcessSession(line, self._monotonic)
        self._open.add(session)
        return session

    def _done(self, waits: Generator[float, None, T]) -> T:
        while True:
            try:
                seconds = next(waits)
            except StopIteration as done:
                result: T = done.value
                return result
            self._advance(seconds)


class InProcessSession:
    """The venue's end of a WebSocket, behind its faults."""

    def __init__(self, line: Line, monotonic: Callable[[], float]) -> None:
        self._line = line
        self._monotonic = monotonic
        self._arrived: list[str] = []

    @property
    def outbox(self) -> list[str]:
        """What has arrived by now."""
        self.flush()
        return self._arrived

    @outbox.setter
    def outbox(self, frames: list[str]) -> None:
        self._arrived = frames

    @property
    def is_cut(self) -> bool:
        """Whether the connection ended without a goodbye."""
        return self._line.is_cut

    def flush(self) -> None:
        self._arrived += self._line.take(self._monotonic())

    def opened(self, now: float) -> None:
        self._line.opened(now)

    def receive(self, frame: str, now: float) -> None:
        self._line.receive(frame, now)

    def tick(self, now: float) -> None:
        self._line.tick(now)

    def closed(self) -> None:
        self._line.closed()
