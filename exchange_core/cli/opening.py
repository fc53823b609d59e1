"""Venues for a command: one by name, or all of the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from exchange_core.cli.options import config_path
from exchange_core.cli.output import warn
from exchange_core.config import Config, VenueEntry, load_config, venue_config
from exchange_core.errors import ConfigError, ConnectFailed, TransportError, UnknownVenue, VenueError
from exchange_core.hub import Hub
from exchange_core.plugins import Plugins, load_plugins
from exchange_core.venue.protocol import Venue


def read_config(given: Path | None) -> tuple[Config | None, Plugins]:
    """Return the configuration, or None where there is no file, and what is installed."""
    plugins = load_plugins()
    path = config_path(given)
    return (load_config(path, plugins) if path else None), plugins


def find_entry(name: str, given: Path | None) -> VenueEntry:
    """Return the venue *name* of the configuration, or else the plugin *name* with its defaults and no account.

    Raises:
        UnknownVenue: Lists what there is.
    """
    config, plugins = read_config(given)
    if config is not None and name in config.venues:
        return config.venues[name]
    spec = plugins.venues.get(name)
    if spec is not None:
        return VenueEntry(name=name, spec=spec, config=venue_config(spec, {}, name))
    configured = (", ".join(config.venues) or "none") if config else "none (there is no exchange.toml here)"
    installed = ", ".join(sorted(plugins.venues)) or "none"
    raise UnknownVenue(f"no venue {name!r}; configured: {configured}; installed plugins: {installed}")


@asynccontextmanager
async def open_venue(name: str, given: Path | None) -> AsyncIterator[Venue]:
    """Open one venue; see :func:`find_entry`."""
    async with _open(find_entry(name, given)) as venue:
        yield venue


@asynccontextmanager
async def open_account(name: str, given: Path | None) -> AsyncIterator[Venue]:
    """Open one venue that has keys.

    Raises:
        ConfigError: When it has none; nothing is connected then.
    """
    entry = find_entry(name, given)
    if entry.api_key is None:
        raise ConfigError(
            f"{name}: this needs an account; set api_key and api_secret in [venues.{name}] of exchange.toml, "
            'as "env:NAME" or "file:PATH"'
        )
    async with _open(entry) as venue:
        yield venue


@asynccontextmanager
async def _open(entry: VenueEntry) -> AsyncIterator[Venue]:
    async with Hub.open(Config(venues={entry.name: entry})) as hub:
        yield hub[entry.name]


@asynccontextmanager
async def open_hub(given: Path | None) -> AsyncIterator[tuple[Hub, dict[str, str]]]:
    """Open every venue of the configuration that can be reached; return the others with the reason.

    Raises:
        ConfigError: When there is no configuration, or it is wrong.
        ConnectFailed: When no venue can be reached.
    """
    config, _ = read_config(given)
    if config is None or not config.venues:
        what = "no configuration" if config is None else "the configuration has no [venues.NAME]"
        raise ConfigError(f"{what}: write exchange.toml here, or name one with --config FILE")
    async with AsyncExitStack() as stack:
        venues: dict[str, Venue] = {}
        missing: dict[str, str] = {}
        for name, entry in config.venues.items():
            try:
                hub = await stack.enter_async_context(Hub.open(Config(venues={name: entry})))
            except (TransportError, VenueError) as error:
                missing[name] = str(error)
                warn(f"{name} is left out: {error}")
            else:
                venues[name] = hub[name]
        if not venues:
            raise ConnectFailed(f"no venue can be reached: {'; '.join(missing.values())}")
        yield Hub.of(venues), missing
