"""A WebSocket connection that hands each message on as soon as it is read.

``websockets`` parses a frame with a chain of generators, queues it and wakes a task. For market data that is most of
the work. Here the common frame (a whole, unmasked text message) is cut out of what was read and handed to a function
in the same breath, so nothing queues up: what is not handled yet stays in the socket. All other frames, and
everything about opening and closing, are left to ``websockets``, byte for byte and in order.
See https://www.rfc-editor.org/rfc/rfc6455#section-5.2
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from os import urandom
from typing import Any, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import State

from exchange_core.errors import ConfigError, ConnectFailed, ExchangeError, RateLimited, VenueUnavailable
from exchange_core.transport.http import tls_context
from exchange_core.transport.redaction import LOGGER, RedactingLogger, Redactor

try:  # written in C, where it was built
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

# The snapshot of all instruments of a venue is about two megabytes.
LARGEST_MESSAGE = 16 * 1024 * 1024
PING_EVERY = 20.0
OPEN_WITHIN = 10.0
CLOSE_WITHIN = 2.0

_WHOLE_TEXT = 0x81
_MASKED = 0x80


class FrameConnection(ClientConnection):
    """A connection without a receiving queue.

    Attributes:
        over: Done when the connection is lost, or its user has had enough of it; says why.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.over: asyncio.Future[str | Exception] = self.loop.create_future()
        self._early: list[bytes] = []
        self._deliver: Callable[[bytes], None] = self._early.append
        self._parts: list[bytes] = []
        self._rest = bytearray()
        self._wanted = 0

    def start(self, deliver: Callable[[bytes], None]) -> None:
        """Hand each message to *deliver*, which must not raise; first those that came before this."""
        self._deliver = deliver
        for message in self._early:
            self._deliver(message)
        self._early.clear()

    def end(self, why: str | Exception) -> None:
        """Deliver nothing more, and say that it is over."""
        self._deliver = _drop
        if not self.over.done():
            self.over.set_result(why)

    @property
    def takes_frames(self) -> bool:
        """Whether a frame that is written now is handed to the socket, or is the next but few."""
        is_open = self.protocol.state is State.OPEN and not self.transport.is_closing()
        return is_open and not self.paused and self.send_in_progress is None and not self.over.done()

    def write(self, text: str) -> None:
        """Send a frame as :meth:`send` does, without waiting; only while it *takes_frames*."""
        message = text.encode()
        size = len(message)
        if size < 126:
            head = bytes((_WHOLE_TEXT, _MASKED | size))
        elif size < 65536:
            head = bytes((_WHOLE_TEXT, _MASKED | 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((_WHOLE_TEXT, _MASKED | 127)) + size.to_bytes(8, "big")
        mask = urandom(4)
        self.transport.write(head + mask + apply_mask(message, mask))

    async def hang_up(self, *, politely: bool) -> None:
        """Close the socket, with the closing handshake or at once."""
        self.end("closed by us")
        try:
            if politely:
                await self.close()
        finally:
            self.transport.abort()
            await self.wait_closed()

    # What asyncio and websockets call.

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        said = self.protocol.close_rcvd
        if said is not None:
            why = f"the venue closed the connection: {said.code} {said.reason}".rstrip()
        else:
            why = f"the connection was lost: {exc or self.protocol.parser_exc or 'end of stream'}"
        self.end(why)

    def process_event(self, event: Any) -> None:
        if self.response is None or not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._parts.append(bytes(event.data))
        if event.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._deliver(message)

    def data_received(self, data: bytes) -> None:
        if self.protocol.state is not State.OPEN or self.protocol.reader.buffer:
            super().data_received(data)
            return
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return
            data = bytes(self._rest)
            self._rest.clear()
        done = self._cut(data)
        if done < len(data):
            self._rest += data[done:]

    def _cut(self, data: bytes) -> int:
        """Handle all whole frames in *data*; return how many bytes they were."""
        at, size = 0, len(data)
        while size - at >= 2:
            length = data[at + 1]
            start = at + 2
            if length >= 126:
                if length >= _MASKED:
                    return self._pass_on(data, at, size)
                start += 2 if length == 126 else 8
                if start > size:
                    self._wanted = start - at
                    return at
                length = int.from_bytes(data[at + 2 : start], "big")
            end = start + length
            if end > size:
                if length > LARGEST_MESSAGE:
                    return self._pass_on(data, at, size)
                self._wanted = end - at
                return at
            if data[at] == _WHOLE_TEXT and not self._parts and length <= LARGEST_MESSAGE:
                self._deliver(data[start:end])
            else:
                self._pass_on(data, at, end)
                if self.protocol.state is not State.OPEN:
                    return self._pass_on(data, end, size)
            at = end
        self._wanted = 2
        return at

    def _pass_on(self, data: bytes, start: int, end: int) -> int:
        if start < end:
            super().data_received(data[start:end])
        return end


def _drop(message: bytes) -> None:
    """Take a message that comes after the end."""


class _Connect(connect):
    """Follows no redirect: tokens are sent over the connection."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_connection(address: str, venue: str, redactor: Redactor) -> FrameConnection:
    """Connect to *address*.

    Raises:
        ConfigError: It is no address.
        ConnectFailed: And its likes, RateLimited and VenueUnavailable: it can be tried again.
    """
    # At DEBUG websockets logs frames, cut in the middle, where half a token may show.
    logger = RedactingLogger(f"{LOGGER}.websocket", redactor, quietest=logging.INFO)
    try:
        opened = await _Connect(
            address,
            compression=None,
            proxy=None,
            max_size=LARGEST_MESSAGE,
            open_timeout=OPEN_WITHIN,
            close_timeout=CLOSE_WITHIN,
            ping_interval=PING_EVERY,
            ping_timeout=PING_EVERY,
            user_agent_header="exchange-core",
            logger=logger,
            create_connection=FrameConnection,
            ssl=tls_context() if address.startswith("wss:") else None,
        )
    except InvalidURI as error:
        raise ConfigError(f"{venue}: {address!r} is no WebSocket address; expected wss://host/path") from error
    except InvalidStatus as error:
        raise _refused(address, venue, error) from error
    except (OSError, EOFError, WebSocketException) as error:
        raise ConnectFailed(f"{venue}: {address}: {type(error).__name__}: {error}", venue=venue) from error
    return cast(FrameConnection, opened)


def _refused(address: str, venue: str, error: InvalidStatus) -> ExchangeError:
    status = error.response.status_code
    message = f"{venue}: {address}: the venue answered HTTP {status} instead of opening a WebSocket"
    if status == 429:
        said = error.response.headers.get("Retry-After", "")
        wait = float(said) if said.isdigit() else None
        return RateLimited(message, venue=venue, codes=["429"], retry_after=wait)
    kind = VenueUnavailable if status >= 500 else ConnectFailed
    return kind(message, venue=venue, codes=[str(status)])
