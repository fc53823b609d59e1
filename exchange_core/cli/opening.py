"""Venues for a command: one by name, or all of the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from exchange_core.cli.options import config_path
from exchange_core.config import Config, load_config
from exchange_core.errors import ConfigError, UnknownVenue
from exchange_core.hub import Hub
from exchange_core.plugins import Plugins, load_plugins
from exchange_core.venue.protocol import Venue
from exchange_core.venue.venue import connect


def read_config(given: Path | None) -> tuple[Config | None, Plugins]:
    """Return the configuration, or None where there is no file, and what is installed."""
    plugins = load_plugins()
    path = config_path(given)
    return (load_config(path, plugins) if path else None), plugins


@asynccontextmanager
async def open_venue(name: str, given: Path | None) -> AsyncIterator[Venue]:
    """Open the venue *name* of the configuration, or else the plugin *name* without an account.

    Raises:
        UnknownVenue: Lists what there is.
    """
    config, plugins = read_config(given)
    if config is not None and name in config.venues:
        only = attrs.evolve(config, venues={name: config.venues[name]})
        async with Hub.open(only) as hub:
            yield hub[name]
    elif name in plugins.venues:
        async with connect(name) as venue:
            yield venue
    else:
        configured = ", ".join(config.venues) if config else "none (there is no exchange.toml here)"
        raise UnknownVenue(
            f"no venue {name!r}; configured: {configured}; installed plugins: {', '.join(sorted(plugins.venues))}"
        )


@asynccontextmanager
async def open_hub(given: Path | None) -> AsyncIterator[tuple[Hub, Config]]:
    """Open every venue of the configuration.

    Raises:
        ConfigError: When there is no configuration.
    """
    config, _ = read_config(given)
    if config is None:
        raise ConfigError("no configuration: write exchange.toml here, or name one with --config FILE")
    async with Hub.open(config) as hub:
        yield hub, config
