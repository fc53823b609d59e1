"""Simulated venues for tests of any client: on real sockets, or in process without any.

On sockets the venue lives in a thread of its own, so that clients which block can be tested as well as those which
await. With pytest, the fixture ``simulated_exchange`` is this and ends what a test has started.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, TypeVar, cast

from exchange_core.clock import Clock, SystemClock
from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import SimLedgerEntry, SimulatorSpec
from exchange_core.errors import ConfigError, NotSupported
from exchange_core.model.number import exact
from exchange_core.plugins import load_plugins
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults.line import FaultyProtocol
from exchange_core.simulator.faults.tally import Faults
from exchange_core.simulator.launch import (
    ACCOUNT,
    AccountWanted,
    KeyWanted,
    OpenedKey,
    SimulatorLaunch,
    client_settings,
    launch,
    open_account,
    prepare,
)
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.in_process import InProcess
from exchange_core.testing.world import Socket

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds that a test waits for the thread of a simulated venue before it fails."""

_START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class SimulatedVenue:
    """One simulated venue that runs, with one account called ``user``.

    Attributes:
        urls: The addresses, by the names that the plugin's configuration has for them; empty in process.
        keys: The API keys so far, that of ``user`` first.
        exchange: Its books and accounts. What you ask of it, or change, is done in the venue's own thread.
        faults: What goes wrong with it, and between it and its clients; can be changed at any time.
    """

    def __init__(
        self,
        spec: SimulatorSpec,
        seed: int,
        clock: Clock,
        keys: Sequence[OpenedKey],
        exchange: SimulatedExchange,
        faults: Faults,
        call: Callable[..., Any],
    ) -> None:
        self.spec = spec
        self.urls: Mapping[str, str] = {}
        self.keys = list(keys)
        self.exchange = exchange
        self.faults = faults
        self._seed = seed
        self._clock = clock
        self._call = call

    @property
    def api_key(self) -> str:
        return self.keys[0].api_key

    @property
    def api_secret(self) -> str:
        return self.keys[0].api_secret

    def settings(self) -> dict[str, Any]:
        """Return addresses and the first account's key, as keywords for ``exchange_core.connect``.

        With a stepped clock orders carry no deadlines: it is not the client's.
        """
        real = isinstance(self._clock, SystemClock)
        return client_settings(self.urls, self.api_key, self.api_secret, deadlines=real)

    def account(
        self,
        name: str,
        deposits: Mapping[str, Decimal | str | int] | None = None,
        *,
        permissions: Sequence[str] = (),
        tier: str = "",
    ) -> OpenedKey:
        """Open an account with a key, or make one more key for an account that there is.

        Args:
            deposits: What a new one starts with; the venue's usual sums without.
            permissions: What the key may do, in the venue's words; all without.
            tier: Whose limits count, where they do.
        """
        money = (
            self.spec.deposits
            if deposits is None
            else {code: exact(each, f"deposit of {code}") for code, each in deposits.items()}
        )
        wanted = AccountWanted(name=name, deposits=money, tier=tier, keys=[KeyWanted(permissions=permissions)])
        random = Random(f"{self._seed} {name} {len(self.keys)}")
        opened: list[OpenedKey] = self._call(open_account, self._there(), wanted, money, random)
        self.keys += opened
        return opened[0]

    def deposit(self, asset: str, amount: Decimal | str | int, account: str = ACCOUNT) -> SimLedgerEntry:
        """Bring money in from outside."""
        return self.exchange.book_money(account, asset, exact(amount, f"deposit of {asset}"), kind="deposit")

    def advance(self, seconds: float) -> None:
        """Let time pass, and all that becomes due happen.

        Raises:
            NotSupported: The venue lives in real time; start it with ``stepped=True``.
        """
        raise NotSupported("advance: the simulated venue lives in real time; start it with stepped=True")

    def _there(self) -> SimulatedExchange:
        return self.exchange


class VenueOnSockets(SimulatedVenue):
    """A simulated venue on a free port of this machine."""

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await something in the venue's thread, such as ``tally.until_fired()`` of a fault, and return its result."""
        result: T = self._thread.wait(coroutine)
        return result

    def advance(self, seconds: float) -> None:
        if not isinstance(self._clock, ManualClock):
            super().advance(seconds)
        else:
            self.run(self._clock.advance(seconds))

    def __init__(self, spec: SimulatorSpec, wanted: SimulatorLaunch, clock: Clock, thread: _Thread) -> None:
        running = thread.running
        across = cast(SimulatedExchange, _Across(running.exchange, thread.call))
        faults = cast(Faults, _Across(running.faults, thread.call))
        super().__init__(spec, wanted.seed, clock, running.keys, across, faults, thread.call)
        self.urls = running.urls
        self._real = running.exchange
        self._thread = thread

    def _there(self) -> SimulatedExchange:
        return self._real


class VenueInProcess(SimulatedVenue):
    """A simulated venue without a port: requests and frames are handed over by calls.

    Attributes:
        protocol: The venue's protocols, behind its faults.
        clock: Stands still until :meth:`advance`.
    """

    def __init__(self, spec: SimulatorSpec, wanted: SimulatorLaunch, clock: ManualClock) -> None:
        made = prepare(wanted, clock)
        super().__init__(
            spec, wanted.seed, clock, made.keys, made.exchange, made.faults, lambda job, *given: job(*given)
        )
        self.clock = clock
        self._wire = FaultyProtocol(made.protocol, made.exchange, made.faults)
        self.protocol = InProcess(self._wire, self.advance, clock.monotonic)

    def http(self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> HttpReply:
        """Answer one HTTP request; *target* is path and query.

        Raises:
            ConnectionResetError: A fault closes the connection.
        """
        return self.protocol.http(HttpRequest(method, target, dict(headers or {}), body))

    def socket(self, path: str) -> Socket:
        """Return the venue's end of a new WebSocket connection."""
        return Socket(self, path)

    def advance(self, seconds: float) -> None:
        self.protocol.flush()
        self.clock.forward(seconds)
        self._wire.step()


@contextmanager
def simulated_venue(
    plugin: str,
    *,
    in_process: bool = False,
    stepped: bool = False,
    start: datetime = _START,
    **options: Any,
) -> Iterator[SimulatedVenue]:
    """Run the simulated side of *plugin* while the ``with`` lasts.

    Args:
        in_process: Without sockets and threads, and always with a stepped clock.
        stepped: Time stands still until ``advance``; else it is that of this machine.
        start: Where a stepped clock begins.
        options: Those of :class:`~exchange_core.simulator.launch.SimulatorLaunch`, such as ``seed``, ``fees``,
            ``limits`` and ``moving``, which is false here: books stay as they are until somebody trades.

    Raises:
        ConfigError: The plugin is not installed, or has no simulated side.
    """
    spec = load_plugins().venue(plugin).simulator
    if spec is None:
        raise ConfigError(f"{plugin}: has no simulated side")
    wanted = SimulatorLaunch(spec=spec, **{"moving": False, **options})
    if in_process:
        if wanted.port or wanted.moving:
            raise NotSupported(f"{plugin}: port and moving need sockets; leave in_process out")
        yield VenueInProcess(spec, wanted, ManualClock(start))
        return
    clock: Clock = ManualClock(start) if stepped else SystemClock()
    with _Thread(wanted, clock) as thread:
        yield VenueOnSockets(spec, wanted, clock, thread)


class _Thread:
    """The thread that a venue on sockets lives in, with an event loop of its own."""

    def __init__(self, wanted: SimulatorLaunch, clock: Clock) -> None:
        self._wanted = wanted
        self._clock = clock
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated venue", daemon=True)
        self._stop = asyncio.Event()
        self._ready = threading.Event()

    def __enter__(self) -> _Thread:
        self._thread.start()
        self._life = asyncio.run_coroutine_threadsafe(self._live(), self._loop)
        # Whichever comes first: it runs, or it could not.
        self._life.add_done_callback(lambda _: self._ready.set())
        if not self._ready.wait(PATIENCE) or self._life.done():
            self._close()
            self._life.result(0)
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._life.result(PATIENCE)
        finally:
            self._close()

    def call(self, function: Callable[..., T], *given: Any, **named: Any) -> T:
        """Call *function* in the thread and return what it returns."""

        async def job() -> T:
            return function(*given, **named)

        return self.wait(job())

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._life.done():
            coroutine.close()
            raise RuntimeError("the simulated venue has ended")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    async def _live(self) -> None:
        async with launch({"venue": self._wanted}, clock=self._clock) as running:
            self.running = running["venue"]
            self._ready.set()
            await self._stop.wait()

    def _close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            self._loop.close()


class _Across:
    """Stands for an object that lives in another thread: it is looked at, and its methods are called, there."""

    def __init__(self, there: object, call: Callable[..., Any]) -> None:
        self._there = there
        self._call = call

    def __getattr__(self, name: str) -> Any:
        found = self._call(getattr, self._there, name)
        return partial(self._call, found) if callable(found) else found

    def __repr__(self) -> str:
        return f"<{type(self._there).__name__} of a simulated venue>"
