"""The simulated venue's front door: one TCP port for its HTTP and WebSocket protocols, on loopback.

The server also makes time pass: it steps the exchange, ticks the sessions and lets the market makers act.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from exchange_core.connector.simulation import SimEvent, WireProtocol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults.line import FaultyProtocol
from exchange_core.simulator.faults.tally import Faults
from exchange_core.simulator.serving.http import REQUEST_TIMEOUT, HttpConnection
from exchange_core.simulator.serving.listener import Listener
from exchange_core.simulator.serving.websocket import MAX_UNSENT, WebSocket
from exchange_core.venue.background import Background

TICK = 0.2
"""Seconds between two steps of the exchange and ticks of the sessions."""


class Maker(Protocol):
    """Whatever moves the market."""

    def step(self, now: datetime) -> None: ...


class SimulatorServer:
    """Serves one exchange. Use it as an async context manager.

    Attributes:
        host: Where it listens.
        port: The port that it got.
        urls: The config fields of the plugin that point here.
        faults: What goes wrong on the way; can be changed at any time.
    """

    def __init__(
        self,
        protocol: WireProtocol,
        exchange: SimulatedExchange,
        makers: Sequence[Maker] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        step_interval: float = 0.25,
        request_timeout: float = REQUEST_TIMEOUT,
        max_unsent: int = MAX_UNSENT,
        faults: Faults | None = None,
    ) -> None:
        """Args:
        port: 0 takes any free one.
        step_interval: Seconds between two steps of the makers.
        request_timeout: Seconds in which an HTTP request that has begun must be complete.
        max_unsent: Bytes kept for a WebSocket client that does not read, before it is dropped.
        """
        self.host = host
        self.port = port
        self.faults = Faults(exchange.clock) if faults is None else faults
        self._protocol = FaultyProtocol(protocol, exchange, self.faults)
        self._exchange = exchange
        self._makers = makers
        self._step_interval = step_interval
        self._request_timeout = request_timeout
        self._max_unsent = max_unsent
        self._sockets: set[WebSocket] = set()
        self._flush_is_due = False
        self._stack = AsyncExitStack()

    @property
    def urls(self) -> dict[str, str]:
        return self._exchange.spec.urls(f"{self.host}:{self.port}")

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            listener = await stack.enter_async_context(Listener(self._converse, self.host, self.port))
            self.port = listener.port
            stack.callback(self._say_goodbye)
            stack.callback(self._exchange.listen(self._event_happened))
            background = await stack.enter_async_context(Background("simulated exchange"))
            background.spawn(self._tick_sessions(), "ticks")
            background.spawn(self._step_makers(), "market makers")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    def _say_goodbye(self) -> None:
        for socket in tuple(self._sockets):
            socket.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = self._exchange.clock
        upgrade = await HttpConnection(self._protocol, reader, writer, self._request_timeout, clock).serve()
        if upgrade is None:
            return
        socket = WebSocket(reader, writer, clock, self._max_unsent)
        if socket.open(self._protocol, upgrade):
            self._sockets.add(socket)
            try:
                await socket.serve()
            finally:
                self._sockets.discard(socket)

    def _event_happened(self, event: SimEvent) -> None:
        """Send what sessions say about events, once for all events of one moment."""
        if not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        for socket in tuple(self._sockets):
            if socket.has_news:
                socket.flush()

    async def _tick_sessions(self) -> None:
        while True:
            await self._exchange.clock.sleep(TICK)
            self._protocol.step()
            for socket in tuple(self._sockets):
                socket.tick()

    async def _step_makers(self) -> None:
        while True:
            for maker in self._makers:
                maker.step(self._exchange.now())
            await self._exchange.clock.sleep(self._step_interval)
