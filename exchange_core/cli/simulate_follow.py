"""``exchange simulate --follow``: paper trading, which venues are followed and in what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from exchange_core.cli.opening import find_entry
from exchange_core.cli.output import Output, warn
from exchange_core.clock import Clock
from exchange_core.config import VenueEntry
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError, NotSupported, UnknownSymbol
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch
from exchange_core.simulator.outside.following import Following, RealVenue, real_venue


@attrs.define
class Followed:
    """What is followed: nothing, or each venue by the section of its simulated side.

    Attributes:
        symbols: Where they are listed; the usual ones without.
    """

    entries: Mapping[str, VenueEntry]
    symbols: Sequence[Symbol] = ()
    _real: dict[str, RealVenue] = attrs.field(factory=dict, init=False)

    @property
    def specs(self) -> dict[str, VenueSpec]:
        return {section: entry.spec for section, entry in self.entries.items()}

    @asynccontextmanager
    async def launch(
        self, launches: Mapping[str, SimulatorLaunch], clock: Clock
    ) -> AsyncIterator[dict[str, RunningSimulator]]:
        """Run *launches* until the ``async with`` ends; when it begins, all that is followed shows in them.

        Raises:
            UnknownSymbol: None of the venues lists what is wanted, or one lists nothing of it.
            TransportError, VenueError: One cannot be reached, or does not answer.
        """
        async with AsyncExitStack() as stack:
            for section, entry in self.entries.items():
                opening = real_venue(entry, self.symbols, all_of_them=len(self.entries) == 1)
                self._real[section] = await stack.enter_async_context(opening)
            self._check_all_are_listed()
            running = await stack.enter_async_context(launch(self._outside(launches), clock=clock))
            for section, real in self._real.items():
                await stack.enter_async_context(Following(real, running[section].exchange, say=warn))
            yield running

    def tell(self, out: Output) -> None:
        """Say what is followed where."""
        for section, real in self._real.items():
            entry = self.entries[section]
            place, names = urlsplit(entry.config.rest_url).netloc, ", ".join(map(str, real.symbols))
            out.say(f"# {section} follows {entry.name} at {place}: {names}. Nothing of yours is sent there.")

    def _outside(self, launches: Mapping[str, SimulatorLaunch]) -> dict[str, SimulatorLaunch]:
        return {
            section: attrs.evolve(wanted, spec=self._real[section].spec, outside=self._real[section].symbols)
            if section in self._real
            else wanted
            for section, wanted in launches.items()
        }

    def _check_all_are_listed(self) -> None:
        listed = {symbol for real in self._real.values() for symbol in real.symbols}
        if self.entries and (missing := [symbol for symbol in self.symbols if symbol not in listed]):
            names = " nor ".join(entry.name for entry in self.entries.values())
            raise UnknownSymbol(f"--symbols {missing[0]}: neither {names} lists it; see: exchange instruments VENUE")


def what_to_follow(
    names: Sequence[str], symbols: str, config: Path | None, *, speed: float, others: Mapping[str, object]
) -> Followed:
    """Read the options; keys of the venues are not looked at.

    Args:
        others: Options that say what the market is, by name, with what was given for them.

    Raises:
        UnknownVenue: There is no such venue.
        NotSupported: One has no simulated side.
        ConfigError: Options that do not go together, or two venues of one kind.
        InvalidValue: What is no symbol.
    """
    if not names:
        if symbols:
            raise ConfigError(f"--symbols {symbols}: says what to follow; name the venue with --follow VENUE")
        return Followed({})
    if speed != 1:
        raise ConfigError(f"--speed {speed:g}: a market that is followed goes at its own pace; leave --speed out")
    if others_given := [option for option, given in others.items() if given]:
        raise ConfigError(f"{others_given[0]} does not go with --follow: the markets are those of the real venue")
    entries: dict[str, VenueEntry] = {}
    for name in names:
        entry = find_entry(name, config)
        simulator = entry.spec.simulator
        if simulator is None:
            raise NotSupported(f"--follow {name}: {entry.spec.title} has no simulated side that could follow it")
        twin = entries.setdefault(simulator.section, entry)
        if twin is not entry:
            raise ConfigError(
                f"--follow {name}: the {simulator.section} exchange follows {twin.name} already; "
                "start another exchange simulate for it"
            )
    return Followed(entries, tuple(dict.fromkeys(Symbol.of(each.strip()) for each in symbols.split(",") if each)))
