"""The line between clients and a wire protocol, on which faults happen. The protocol knows nothing of it.

``FaultyProtocol`` stands in for the protocol at the server, ``Line`` for the session of one WebSocket. Neither waits by
itself: what takes time is told to who asks.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator, Iterable
from email.utils import formatdate
from functools import lru_cache
from random import Random
from typing import NamedTuple, TypeVar

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import WireProtocol, WireSession
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.schedule import Where
from exchange_core.simulator.faults.tally import Faults, Pace, Tally
from exchange_core.simulator.faults.venue import VenueFaults

T = TypeVar("T")

_DIGIT = re.compile(r"\d")


class Sent(NamedTuple):
    """What is sent back.

    Attributes:
        reply: None closes the connection without a word.
        is_cut: The connection is closed in the middle of it.
        bytes_per_second: How fast it is sent; None sends it at once.
    """

    reply: HttpReply | None
    is_cut: bool = False
    bytes_per_second: int | None = None


class FaultyProtocol:
    """A wire protocol, whose exchange is stepped before it is asked, and what happens on the way to it and back."""

    def __init__(self, protocol: WireProtocol, exchange: SimulatedExchange, faults: Faults) -> None:
        """Raises: ConfigError: One of the faults can never befall this venue."""
        self._protocol = protocol
        self._exchange = exchange
        self._faults = faults
        self._venue = VenueFaults(faults, exchange, protocol)

    def step(self) -> None:
        """Let happen what is due: to the venue itself, then in the exchange."""
        self._venue.look()
        self._exchange.step()

    async def http(self, request: HttpRequest) -> Sent:
        """Hand a request to the protocol, unless something comes between them."""
        return await self._waited(self.ask(request)) if self._faults else Sent(self._act(request))

    async def handshake(self, path: str) -> Sent | Pace:
        """Return what is sent instead of opening a WebSocket, or how fast it is once it is open."""
        return await self._waited(self.open(path))

    def body_pace(self, method: str, target: str) -> int | None:
        """Return how many bytes a second are read of the body that follows; None does not hold it up."""
        return self._faults.on_body(HttpRequest(method, target, {}, b"")) if self._faults else None

    def ask(self, request: HttpRequest) -> Generator[float, None, Sent]:
        """Do as :meth:`http`, and yield seconds that pass instead of waiting for them."""
        action = self._faults.on_request(request)
        if isinstance(action, actions.BadGateway):
            action = action.answer()
        match action:
            case actions.DropRequest():
                return Sent(None)
            case actions.DelayRequest(seconds=seconds):
                yield seconds
            case actions.Answer(acts=False):
                return Sent(_said(action))
        reply = self._act(request)
        match action:
            case actions.DropAnswer():
                return Sent(None)
            case actions.CutAnswer():
                return Sent(reply, is_cut=True)
            case actions.DelayAnswer(seconds=seconds):
                yield seconds
            case actions.DuplicateRequest():
                self._act(request)
            case actions.SlowWrite(bytes_per_second=pace):
                return Sent(reply, bytes_per_second=pace)
            case actions.Answer():
                return Sent(_said(action))
        return Sent(reply)

    def open(self, path: str) -> Generator[float, None, Sent | Pace]:
        """Do as :meth:`handshake`, and yield seconds that pass instead of waiting for them."""
        struck = self._faults.on_frame(Where.OPEN, path)
        action = struck.fault.action if struck else None
        if isinstance(action, actions.BadGateway):
            action = action.answer()
        match action:
            case actions.DropRequest():
                return Sent(None)
            case actions.Answer():
                return Sent(_said(action))
            case actions.DelayRequest(seconds=seconds):
                yield seconds
        return self._faults.on_connection(path)

    def session(self, path: str) -> Line | None:
        """Return a new session for a WebSocket connection, or None for an unknown path."""
        self._venue.look()
        session = self._protocol.session(path)
        return None if session is None else Line(session, self._faults, self._venue, path)

    async def _waited(self, waits: Generator[float, None, T]) -> T:
        while True:
            try:
                seconds = next(waits)
            except StopIteration as done:
                result: T = done.value
                return result
            await self._faults.clock.sleep(seconds)

    def _act(self, request: HttpRequest) -> HttpReply:
        self.step()
        reply = self._protocol.http(request)
        return reply._replace(headers={**reply.headers, "date": _http_date(int(self._exchange.now().timestamp()))})


@lru_cache(maxsize=8)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _said(answer: actions.Answer) -> HttpReply:
    return HttpReply(answer.status, {"content-type": answer.content_type, **answer.headers}, answer.body.encode())


class Line:
    """One WebSocket's session, behind a line of its own in each direction.

    Attributes:
        is_cut: The connection is to be closed, without a goodbye, after what was taken.
    """

    def __init__(self, session: WireSession, faults: Faults, venue: VenueFaults, path: str) -> None:
        self._session = session
        self._venue = venue
        self._begun = venue.restarts
        self._in = _Lane(faults, Where.IN, path)
        self._out = _Lane(faults, Where.OUT, path)

    @property
    def is_cut(self) -> bool:
        return self._in.is_cut or self._out.is_cut or self._venue.restarts != self._begun

    @property
    def has_news(self) -> bool:
        """Whether there is something to take, now or later, or the connection is to be closed."""
        return bool(self._session.outbox) or self._out.is_late or self.is_cut

    def opened(self, now: float) -> None:
        self._session.opened(now)

    def receive(self, frame: str, now: float) -> None:
        """Take a frame of the client."""
        self._hear(self._in.pass_on([frame], now), now)

    def tick(self, now: float) -> None:
        self._hear(self._in.pass_on([], now), now)
        self._session.tick(now)

    def take(self, now: float) -> list[str]:
        """Return the frames that reach the client now."""
        said = self._session.outbox[:]
        self._session.outbox.clear()
        passed = self._out.pass_on(said, now)
        return [] if self._venue.restarts != self._begun else passed

    def closed(self) -> None:
        self._session.closed()

    def _hear(self, frames: Iterable[str], now: float) -> None:
        for frame in frames:
            self._venue.look()  # it may be what a fault of the venue waited for
            if self._venue.restarts == self._begun:
                self._session.receive(frame, now)


class _Lane:
    """One direction of one connection."""

    def __init__(self, faults: Faults, where: Where, path: str) -> None:
        self.is_cut = False
        self._faults = faults
        self._where = where
        self._path = path
        self._is_silent = False
        self._frozen: list[Tally] = []
        self._swapped: dict[Tally, str] = {}
        self._late: deque[tuple[float, str]] = deque()

    @property
    def is_late(self) -> bool:
        return bool(self._late)

    def pass_on(self, frames: list[str], now: float) -> list[str]:
        """Return what comes out at the other end now, of *frames* and of those before."""
        if not (self._faults or self._swapped or self._late or self._frozen or self._is_silent):
            return [] if self.is_cut else frames
        out: list[str] = []
        while self._late and self._late[0][0] <= now:
            out.append(self._late.popleft()[1])
        for frame in frames:
            passed = self._through(frame, now)
            if self._late:  # nothing overtakes what is late
                self._late.extend((self._late[-1][0], each) for each in passed)
            else:
                out += passed
        return out

    def _through(self, frame: str, now: float) -> list[str]:
        """Return what becomes of one frame, with those that waited for it."""
        if self.is_cut or self._is_silent or any(self._is_like(frozen, frame) for frozen in self._frozen):
            return []
        waiting = [tally for tally in self._swapped if self._is_like(tally, frame)]
        struck = self._faults.on_frame(self._where, self._path, frame)
        passed = [frame] if struck is None or struck in waiting else self._act(struck, frame, now)
        return passed + [self._swapped.pop(tally) for tally in waiting]

    def _is_like(self, tally: Tally, frame: str) -> bool:
        return tally.fault.is_about_frame(self._where, self._path, frame)

    def _act(self, struck: Tally, frame: str, now: float) -> list[str]:
        match struck.fault.action:
            case actions.Cut():
                self.is_cut = True
                return []
            case actions.Silence():
                self._is_silent = True
                return []
            case actions.Freeze():
                self._frozen.append(struck)
                return []
            case actions.Drop():
                return []
            case actions.Swap():
                self._swapped[struck] = frame
                return []
            case actions.Duplicate():
                return [frame, frame]
            case actions.Corrupt(field=field):
                return [corrupted(frame, field, struck.random)]
            case actions.Replace(find=find, put=put):
                return [frame.replace(find, put, 1)]
            case actions.Truncate():
                return [frame[: len(frame) // 2]]
            case actions.Delay(seconds=seconds):
                self._late.append((max(now + seconds, self._late[-1][0] if self._late else now), frame))
                return []
        return [frame]


def corrupted(frame: str, field: str | None, random: Random) -> str:
    """Return *frame* with one digit changed; as it is where there is none to change."""
    if field is None:
        places = [match.start() for match in _DIGIT.finditer(frame)]
        place = random.choice(places) if places else None
    else:
        found = re.search(rf'"{re.escape(field)}"\s*:\s*"?-?[\d.]*(\d)', frame)
        place = found.start(1) if found else None
    if place is None:
        return frame
    digit = (int(frame[place]) + random.randint(1, 9)) % 10
    return f"{frame[:place]}{digit}{frame[place + 1 :]}"
