"""The control port: change simulated venues while they run, by HTTP with JSON in and out, from this machine alone.

It listens on loopback, and answers nobody who comes by way of a web page: those name another host, or their origin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from http import HTTPStatus
from inspect import isawaitable
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import unquote

from exchange_core.clock import Clock
from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.errors import ExchangeError
from exchange_core.serde import dumps
from exchange_core.simulator.control.accounts import AccountCalls
from exchange_core.simulator.control.faults import FaultCalls
from exchange_core.simulator.control.input import BadRequest, Body, NoSuchThing
from exchange_core.simulator.control.markets import CHANGES, MarketCalls
from exchange_core.simulator.control.time import TimeCalls
from exchange_core.simulator.faults.line import Sent
from exchange_core.simulator.faults.tally import Pace
from exchange_core.simulator.launch import RunningSimulator
from exchange_core.simulator.serving.http import HttpConnection
from exchange_core.simulator.serving.listener import Listener


class Call(NamedTuple):
    """One call: its path, whose names in capitals stand for what a client names, and what it is for.

    Attributes:
        run: Takes the body and those names; the last of them may hold slashes.
    """

    method: str
    path: str
    purpose: str
    run: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def names(self, method: str, parts: list[str]) -> list[str] | None:
        """Return what a request of this call names; None where it is another one."""
        wanted = self.path.strip("/").split("/") if self.path != "/" else []
        if wanted and wanted[-1] == "SYMBOL" and len(parts) > len(wanted):
            parts = [*parts[: len(wanted) - 1], "/".join(parts[len(wanted) - 1 :])]
        if method != self.method or len(parts) != len(wanted):
            return None
        pairs = list(zip(wanted, parts, strict=True))
        if any(part != word for word, part in pairs if not word.isupper()):
            return None
        return [part for word, part in pairs if word.isupper()]


class Control:
    """Answers the calls of the control port."""

    def __init__(
        self, venues: Mapping[str, RunningSimulator], clock: Clock, save: Callable[[], str] | None = None
    ) -> None:
        """Args:
        save: Writes the state, and returns where; None where there is no such place.
        """
        self._venues = venues
        self._save = save
        faults, time = FaultCalls(venues), TimeCalls(venues, clock)
        markets, accounts = MarketCalls(venues), AccountCalls(venues, clock)
        self.calls = (
            Call("GET", "/", "this", self._what_there_is),
            Call("GET", "/faults", "the faults in force, and how often each was met and struck", faults.all),
            Call("POST", "/faults", f"one more, as in a faults file: {_FAULT}", faults.add),
            Call("DELETE", "/faults", "end all", faults.clear),
            Call("GET", "/faults/NAME", "one of them", faults.named),
            Call("DELETE", "/faults/NAME", "end it", faults.remove),
            Call("GET", "/time", "what the venues take it to be", time.look),
            Call("POST", "/time", 'let it pass, where it stands still: {"advance": 60}', time.advance),
            Call("GET", "/markets", "the names of all markets", markets.names),
            Call("GET", "/markets/VENUE/SYMBOL", "how one is", markets.look),
            Call("POST", "/markets/VENUE/SYMBOL", f"change it: {', '.join(CHANGES)}", markets.change),
            Call("GET", "/accounts", "the names of all accounts", accounts.names),
            Call("POST", "/accounts", f"open one, or make one more key for it: {_ACCOUNT}", accounts.open),
            Call("GET", "/accounts/NAME", "its balances, orders, fills and positions", accounts.look),
            Call("POST", "/accounts/NAME/deposit", f"bring it money: {_DEPOSIT}", accounts.deposit),
            Call("POST", "/save", "write the state to the file that --save names", self._save_state),
        )

    async def answer(self, method: str, path: str, body: Body) -> Any:
        """Carry out one call.

        Raises:
            BadRequest, ExchangeError: What is asked makes no sense.
            NoSuchThing: It is about nothing that is there.
        """
        parts = [unquote(part) for part in path.split("/") if part]
        for call in self.calls:
            names = call.names(method, parts)
            if names is not None:
                told = call.run(body, *names)
                return await told if isawaitable(told) else told
        raise NoSuchThing(f"{method} {path} is no call; there are: {', '.join(map(str, self.calls))}")

    def _what_there_is(self, body: Body) -> dict[str, Any]:
        urls = {name: each.urls for name, each in self._venues.items()}
        return {"venues": urls, "calls": {str(call): call.purpose for call in self.calls}}

    def _save_state(self, body: Body) -> dict[str, str]:
        if self._save is None:
            raise BadRequest("there is no file to save to; start with --save FILE")
        return {"saved": self._save()}


_FAULT = '{"http": "/0/private/AddOrder", "nth": 1, "action": "drop-answer"}'
_ACCOUNT = '{"name": "alice", "deposits": {"USD": "1000"}}'
_DEPOSIT = '{"venue": "spot", "asset": "USD", "amount": "100"}'


class ControlServer:
    """Serves the control port. Use it as an async context manager."""

    def __init__(
        self,
        venues: Mapping[str, RunningSimulator],
        clock: Clock,
        *,
        port: int = 0,
        save: Callable[[], str] | None = None,
    ) -> None:
        """Args:
        port: 0 takes any free one.
        save: Writes the state, and returns where; None where there is no such place.
        """
        self._control = Control(venues, clock, save)
        self._listener = Listener(self._converse, "127.0.0.1", port)
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        return f"http://{self._listener.host}:{self._listener.port}"

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._listener)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await HttpConnection(self, reader, writer).serve()

    async def http(self, request: HttpRequest) -> Sent:
        """Answer one request; whatever it asks, it stops nothing."""
        status, told = self._refused(request) or await self._told(request)
        return Sent(HttpReply(status, {"content-type": "application/json"}, f"{dumps(told)}\n".encode()))

    async def handshake(self, path: str) -> Sent | Pace:
        return Sent(HttpReply(HTTPStatus.NOT_FOUND, {"content-type": "text/plain"}, b"there is no WebSocket here\n"))

    def body_pace(self, method: str, target: str) -> int | None:
        return None

    def _refused(self, request: HttpRequest) -> tuple[HTTPStatus, Any] | None:
        """Return the refusal of who comes by way of a web page."""
        port, host = self._listener.port, request.headers.get("host", "")
        ours = [f"127.0.0.1:{port}", f"localhost:{port}"]
        if host not in ours:
            return HTTPStatus.FORBIDDEN, {"error": f"host: found {host!r}, expected {' or '.join(ours)}"}
        if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
            return HTTPStatus.FORBIDDEN, {"error": "web pages may not use the control port"}
        return None

    async def _told(self, request: HttpRequest) -> tuple[HTTPStatus, Any]:
        try:
            path = request.target.partition("?")[0]
            return HTTPStatus.OK, await self._control.answer(request.method, path, Body(request.body))
        except NoSuchThing as error:
            return HTTPStatus.NOT_FOUND, {"error": str(error)}
        except (BadRequest, ExchangeError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        except ArithmeticError:
            return HTTPStatus.BAD_REQUEST, {"error": "a number is far too large or too small"}
