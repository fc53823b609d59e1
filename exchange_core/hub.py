"""Several venues at once: opened together, found by name, closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from exchange_core.config import Config, VenueEntry, load_config, parse_config
from exchange_core.errors import ExchangeError, UnknownVenue
from exchange_core.plugins import Plugins, did_you_mean, load_plugins
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.protocol import Venue
from exchange_core.venue.venue import Surroundings, open_venue


class Hub:
    """Venues by name.

    ``Hub.open`` makes venues, opens them with ``async with`` and closes them. ``Hub.of`` takes venues that are open
    already, of any make, and leaves them open.
    """

    def __init__(self, venues: Mapping[str, Venue], opened: Mapping[str, ConnectedVenue]) -> None:
        self._venues = dict(venues)
        self._opened = dict(opened)
        self._stack = AsyncExitStack()

    @classmethod
    def open(
        cls,
        source: str | Path | Mapping[str, Any] | Config,
        *,
        plugins: Plugins | None = None,
        environment: Mapping[str, str] | None = None,
        surroundings: Mapping[str, Surroundings] | None = None,
    ) -> Hub:
        """Return a hub over what is configured, to be used as ``async with Hub.open("exchange.toml") as hub``.

        Args:
            source: A file, or what such a file would hold.
            environment: Where ``env:`` references are looked up, instead of the process's own.
            surroundings: What some venues work with, by their names.

        Raises:
            ConfigError: Names the venue and what is wrong with it.
        """
        plugins = load_plugins() if plugins is None else plugins
        if isinstance(source, Config):
            config = source
        elif isinstance(source, Mapping):
            config = parse_config(source, plugins)
        else:
            config = load_config(source, plugins)
        around = surroundings or {}

        def make(entry: VenueEntry) -> ConnectedVenue:
            return open_venue(
                entry.spec,
                entry.config,
                entry.credentials(environment),
                name=entry.name,
                hooks=plugins.manager,
                surroundings=around.get(entry.name),
            )

        made = {name: _named(name, lambda entry=entry: make(entry)) for name, entry in config.venues.items()}
        return cls(made, made)

    @classmethod
    def of(cls, venues: Mapping[str, Venue]) -> Hub:
        """Return a hub over venues that are open already."""
        return cls(venues, {})

    @property
    def venues(self) -> Mapping[str, Venue]:
        return dict(self._venues)

    def __getitem__(self, name: str) -> Venue:
        """Return a venue.

        Raises:
            UnknownVenue: Lists those that there are.
        """
        venue = self._venues.get(name)
        if venue is None:
            names = ", ".join(self._venues) or "none"
            raise UnknownVenue(f"no venue {name!r} in this hub{did_you_mean(name, self._venues)}; venues: {names}")
        return venue

    def __iter__(self) -> Iterator[Venue]:
        return iter(self._venues.values())

    def __len__(self) -> int:
        return len(self._venues)

    def __contains__(self, name: object) -> bool:
        return name in self._venues

    async def __aenter__(self) -> Self:
        try:
            # Each begins in this task, which will end it; only the asking is done at the same time.
            for venue in self._opened.values():
                self._stack.push_async_exit(venue)
                await venue.enter()
            await self._load()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    async def _load(self) -> None:
        tasks = {name: asyncio.ensure_future(venue.load()) for name, venue in self._opened.items()}
        try:
            if tasks:
                await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        for name, task in tasks.items():
            if not task.cancelled():
                _named(name, task.result)


def _named(name: str, job: Any) -> Any:
    """Do *job*; an error of it names the venue."""
    try:
        return job()
    except ExchangeError as error:
        error.venue = error.venue or name
        if name not in str(error):
            error.args = (f"{name}: {error}", *error.args[1:])
        raise
