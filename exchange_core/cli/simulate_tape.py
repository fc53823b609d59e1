"""``exchange simulate --tape``: which venue a recording is of, and what of it is the market."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import attrs

from exchange_core.cli.output import Output, warn
from exchange_core.clock import Clock
from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.connector.spec import VenueContext, VenueSpec
from exchange_core.errors import ConfigError
from exchange_core.model.book import BookByOrder, OrderBook
from exchange_core.model.event import Event
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch
from exchange_core.simulator.outside.replaying import Tape, TapePlayer
from exchange_core.storage.recording import Frame, frames
from exchange_core.storage.replay import recorded_news, replay_context


@attrs.frozen
class Tapes:
    """What is played, by the section of the venue that it is of."""

    tapes: Mapping[str, Sequence[Tape]]

    @asynccontextmanager
    async def launch(
        self, launches: Mapping[str, SimulatorLaunch], clock: Clock
    ) -> AsyncIterator[dict[str, RunningSimulator]]:
        """Run *launches* until the ``async with`` ends; when it begins, the first book of each tape shows.

        Raises:
            ConfigError: A tape is of a market that its venue does not list.
        """
        async with AsyncExitStack() as stack:
            wanted = {
                section: attrs.evolve(each, outside=[symbol for tape in self._of(section) for symbol in tape.symbols])
                for section, each in launches.items()
            }
            running = await stack.enter_async_context(launch(wanted, clock=clock))
            for section, tapes in self.tapes.items():
                for tape in tapes:
                    await stack.enter_async_context(TapePlayer(running[section].exchange, tape))
            yield running

    def tell(self, out: Output) -> None:
        """Say what is played where."""
        for section, tapes in self.tapes.items():
            for tape in tapes:
                names = ", ".join(map(str, tape.symbols))
                out.say(f"# {section} plays {tape.name}, {tape.ends - tape.begins:.0f} s: {names}.")

    def _of(self, section: str) -> Sequence[Tape]:
        return self.tapes.get(section, ())


def read_tapes(
    paths: Sequence[Path], specs: Mapping[str, VenueSpec], simulators: Mapping[str, SimulatorSpec], clock: Clock
) -> Tapes:
    """Find out which venue each recording is of, from what the feeds of *specs* make of it.

    Args:
        simulators: Their simulated sides, for the names of what they list at that time.

    Raises:
        ConfigError: A file is no recording, or has no book that exactly one venue knows.
    """
    tapes: dict[str, list[Tape]] = {}
    for path in paths:
        recording = list(frames(path))
        found = {
            name: tape
            for name, simulator in simulators.items()
            if (tape := _scanned(str(path), recording, specs[name], partial(_context, specs[name], simulator, clock)))
            is not None
        }
        if len(found) != 1:
            what = (
                f"it may be of {' and of '.join(found)}"
                if found
                else f"none of {', '.join(simulators)} finds a book on it"
            )
            raise ConfigError(f"--tape {path}: {what}; see: exchange replay PLUGIN {path}")
        section, tape = found.popitem()
        taken = {symbol for other in tapes.get(section, ()) for symbol in other.symbols}
        if twice := [symbol for symbol in tape.symbols if symbol in taken]:
            raise ConfigError(f"--tape {path}: another tape is the market of {twice[0]} already")
        tapes.setdefault(section, []).append(tape)
    return Tapes(tapes)


def _scanned(name: str, recording: Sequence[Frame], spec: VenueSpec, listed: Callable[[], VenueContext]) -> Tape | None:
    """Return what *spec* makes of a recording; None without any book."""
    # The digits of old recordings may be others than those listed now.
    for context in (listed, partial(replay_context, spec)):
        first: dict[Symbol, float] = {}
        whole: set[Symbol] = set()
        ends = 0.0
        for ends, event in recorded_news(spec, recording, context()):
            if isinstance(event, OrderBook):
                first.setdefault(event.symbol, ends)
                if not isinstance(event, BookByOrder):
                    whole.add(event.symbol)
        if first:
            return Tape(
                name=name,
                symbols=tuple(first),
                begins=min(first.values()),
                ends=ends,
                news=partial(_news, spec, recording, context, whole),
                say=warn,
            )
    return None


def _news(
    spec: VenueSpec, recording: Sequence[Frame], context: Callable[[], VenueContext], whole: Collection[Symbol]
) -> Iterator[tuple[float, Event]]:
    for time, event in recorded_news(spec, recording, context()):
        # Where a book was recorded both ways, one is enough.
        if not (isinstance(event, BookByOrder) and event.symbol in whole):
            yield time, event


def _context(spec: VenueSpec, simulator: SimulatorSpec, clock: Clock) -> VenueContext:
    """Return a context with the names that the simulated venue itself lists."""
    context = replay_context(spec)
    protocol = simulator.protocol(SimulatedExchange(simulator, seed=0, clock=clock))
    dialect = spec.dialect(context)
    flow = spec.rest(context).instruments()
    with suppress(StopIteration):
        call = next(flow)
        while True:
            call = flow.send(dialect.decode(call, protocol.http(dialect.encode(call))))
    return context
