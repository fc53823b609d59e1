"""Serve one WebSocket: the client's messages to its session, the session's frames to the client.

The rules of the protocol are kept by the sans-I/O side of ``websockets``. Compression is not offered, as the venues
offer none. What a client does not read is kept up to a limit; then its connection is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from exchange_core.clock import Clock
from exchange_core.simulator.faults.line import FaultyProtocol, Line
from exchange_core.simulator.faults.tally import Pace
from exchange_core.simulator.serving.http import PARTS, Upgrade, linger

log = logging.getLogger(__name__)
# Of websockets' own log: its debug lines show frames, and frames carry tokens.
_wire_log = logging.getLogger(f"{__name__}.wire")
_wire_log.setLevel(logging.WARNING)

MAX_MESSAGE = 1 << 20
"""Bytes of a client's message, fragments together."""

MAX_UNSENT = 4 << 20
"""Bytes that wait for a client that does not read; above that its connection is dropped."""

_CHUNK = 1 << 16


def _framed(text: str) -> bytes:
    """Return *text* as it goes to a client, whichever it is: a server masks nothing."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


# Most of what is said is said to many.
_shared = lru_cache(maxsize=4096)(_framed)
_SHARED = 4096  # characters; what is longer, such as a snapshot, is not kept


class WebSocket:
    """One client's connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        clock: Clock,
        max_unsent: int = MAX_UNSENT,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._monotonic = clock.monotonic
        self._pace = Pace()
        self._late = bytearray()
        self._may_pour = 0.0
        self._poured = clock.monotonic()
        self._max_unsent = max_unsent
        self._wire = ServerProtocol(max_size=MAX_MESSAGE, logger=_wire_log)
        self._session: Line | None = None
        self._parts: list[bytes] = []
        self._is_text = True
        self._is_failed = False

    def open(self, protocol: FaultyProtocol, upgrade: Upgrade) -> bool:
        """Answer the handshake; return whether there is a session now."""
        self._wire.receive_data(upgrade.request)
        for event in self._wire.events_received():
            assert isinstance(event, Request)
            response = self._wire.accept(event)
            if response.status_code == 101:
                self._session = protocol.session(event.path.partition("?")[0])
                if self._session is None:
                    response = self._wire.reject(404, "There is no WebSocket here.\n")
            self._wire.send_response(response)
        if self._session is not None:
            self._guarded(lambda session: session.opened(self._monotonic()))
            self.flush()
            if upgrade.after:
                self._wire.receive_data(upgrade.after)
                self._take_events()
        self.flush()
        self._pace = upgrade.pace
        return self._session is not None

    async def serve(self) -> None:
        """Read until either side ends it."""
        try:
            while not self._wire.close_expected():
                pace = self._pace.read
                data = await self._reader.read(_CHUNK if pace is None else max(1, pace // PARTS))
                if not data:
                    self._wire.receive_eof()
                    break
                if pace is not None:
                    await self._clock.sleep(len(data) / pace)
                self._wire.receive_data(data)
                self._take_events()
                self.flush()
        finally:
            self._end_session()
        self.flush()
        await linger(self._reader, self._writer)

    def tick(self) -> None:
        self._guarded(lambda session: session.tick(self._monotonic()))
        self.flush()

    def close(self) -> None:
        """Say goodbye: the server is going away."""
        if self._wire.state is State.OPEN:
            self._wire.send_close(CloseCode.GOING_AWAY)
        self.flush()

    @property
    def has_news(self) -> bool:
        """Whether the session has something to say; of many, most have nothing most of the time."""
        return bool(self._late) or (self._session is not None and self._session.has_news)

    def flush(self) -> None:
        """Send what the session and the protocol have to say."""
        frames: list[bytes] = []
        if self._session is not None:
            said = self._session.take(self._monotonic())
            if self._wire.state is State.OPEN:
                frames = [_shared(text) if len(text) < _SHARED else _framed(text) for text in said]
        self._write(frames)
        if self._session is not None and self._session.is_cut:
            self._writer.close()

    def _write(self, frames: list[bytes]) -> None:
        out = self._wire.data_to_send()
        if not (out or frames or self._late) or self._writer.is_closing():
            return
        data, is_last = b"".join(out + frames), bool(out) and not out[-1]
        self._writer.write(data if self._pace.write is None else self._slowed(data, self._pace.write, is_last))
        if is_last and self._writer.can_write_eof():
            self._writer.write_eof()
        if self._writer.transport.get_write_buffer_size() + len(self._late) > self._max_unsent:
            log.warning("a WebSocket client does not read: dropped with more than %d bytes unsent", self._max_unsent)
            self._writer.transport.abort()

    def _slowed(self, data: bytes, pace: int, is_last: bool) -> bytes:
        """Return what goes out now, of *data* and of what is late."""
        now = self._monotonic()
        self._may_pour = min(self._may_pour + (now - self._poured) * pace, max(1.0, pace / PARTS))
        self._poured = now
        self._late += data
        size = len(self._late) if is_last else min(len(self._late), int(self._may_pour))
        self._may_pour -= size
        goes = bytes(self._late[:size])
        del self._late[:size]
        return goes

    def _take_events(self) -> None:
        for event in self._wire.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._take_data(event)

    def _take_data(self, frame: Frame) -> None:
        """Put fragments together; hand over whole text messages."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        message = b"".join(self._parts)
        self._parts.clear()
        if not self._is_text:
            self._fail(CloseCode.UNSUPPORTED_DATA, "text only")
            return
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "not UTF-8")
            return
        self._guarded(lambda session: session.receive(text, self._monotonic()))

    def _guarded(self, call: Callable[[Line], None]) -> None:
        """Call the session; if it fails, only its own client may suffer.

        What came before a goodbye counts, even where both came at once and the goodbye is already answered.
        """
        if self._session is None or self._is_failed:
            return
        try:
            call(self._session)
        except Exception:
            log.exception("a wire session failed")
            self._fail(CloseCode.INTERNAL_ERROR, "internal error")

    def _fail(self, code: CloseCode, reason: str) -> None:
        self._is_failed = True
        if self._wire.state is State.OPEN:
            self._wire.fail(code, reason)

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.closed()
