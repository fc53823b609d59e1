"""The line between clients and a wire protocol, on which faults happen. The protocol knows nothing of it.

``FaultyProtocol`` stands in for the protocol at the server, ``Line`` for the session of one WebSocket.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import WireProtocol, WireSession
from exchange_core.simulator import faults_actions as actions
from exchange_core.simulator.faults import Faults, Tally
from exchange_core.simulator.faults_schedule import Where

_DIGIT = re.compile(r"\d")


class Sent(NamedTuple):
    """What is sent back.

    Attributes:
        reply: None closes the connection without a word.
        is_cut: The connection is closed in the middle of it.
    """

    reply: HttpReply | None
    is_cut: bool = False


class FaultyProtocol:
    """A wire protocol and what happens on the way to it and back."""

    def __init__(self, protocol: WireProtocol, faults: Faults) -> None:
        self._protocol = protocol
        self._faults = faults

    async def http(self, request: HttpRequest) -> Sent:
        """Hand a request to the protocol, unless something comes between them."""
        action = self._faults.on_request(request)
        if isinstance(action, actions.BadGateway):
            action = action.answer()
        match action:
            case actions.DropRequest():
                return Sent(None)
            case actions.DelayRequest(seconds=seconds):
                await self._faults.clock.sleep(seconds)
            case actions.Answer(acts=False):
                return Sent(_said(action))
        reply = self._protocol.http(request)
        match action:
            case actions.DropAnswer():
                return Sent(None)
            case actions.CutAnswer():
                return Sent(reply, is_cut=True)
            case actions.DelayAnswer(seconds=seconds):
                await self._faults.clock.sleep(seconds)
            case actions.DuplicateRequest():
                self._protocol.http(request)
            case actions.Answer():
                return Sent(_said(action))
        return Sent(reply)

    async def handshake(self, path: str) -> Sent | None:
        """Return what is sent instead of opening a WebSocket; None lets it open."""
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
                await self._faults.clock.sleep(seconds)
        return None

    def session(self, path: str) -> Line | None:
        """Return a new session for a WebSocket connection, or None for an unknown path."""
        session = self._protocol.session(path)
        return None if session is None else Line(session, self._faults, path)


def _said(answer: actions.Answer) -> HttpReply:
    return HttpReply(answer.status, {"content-type": answer.content_type, **answer.headers}, answer.body.encode())


class Line:
    """One WebSocket's session, behind a line of its own in each direction.

    Attributes:
        is_cut: The connection is to be closed, without a goodbye, after what was taken.
    """

    def __init__(self, session: WireSession, faults: Faults, path: str) -> None:
        self._session = session
        self._in = _Lane(faults, Where.IN, path)
        self._out = _Lane(faults, Where.OUT, path)

    @property
    def is_cut(self) -> bool:
        return self._in.is_cut or self._out.is_cut

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
        return self._out.pass_on(said, now)

    def closed(self) -> None:
        self._session.closed()

    def _hear(self, frames: Iterable[str], now: float) -> None:
        for frame in frames:
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
