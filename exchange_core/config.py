"""What can be configured: ``exchange.toml``, or options given to ``connect``.

::

    [venues.kraken]
    plugin = "kraken_spot"
    tier = "intermediate"
    api_key = "env:KRAKEN_KEY"
    api_secret = "file:secrets/kraken"

A key is named here, never written here: ``env:NAME`` is an environment variable, ``file:PATH`` a file, relative to the
folder of the configuration. They are read when the venue is opened.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from exchange_core.connector.auth import Credentials
from exchange_core.connector.spec import VenueConfig, VenueSpec
from exchange_core.errors import ConfigError, ExchangeError, UnknownVenue
from exchange_core.plugins import Plugins, did_you_mean
from exchange_core.serde import structure

_TABLES = ("venues", "portfolio", "routing")
_KEYS = ("api_key", "api_secret")


@attrs.frozen
class SecretReference:
    """Where a secret is to be found: an environment variable or a file.

    Attributes:
        what: The option that names it, for messages.
    """

    what: str
    kind: str
    place: str

    @staticmethod
    def parse(text: object, what: str, folder: Path) -> SecretReference:
        """Read ``env:NAME`` or ``file:PATH``.

        Raises:
            ConfigError: For anything else. The message does not repeat it, since it may be the secret itself.
        """
        kind, colon, place = text.partition(":") if isinstance(text, str) else ("", "", "")
        if not colon or not place or kind not in ("env", "file"):
            raise ConfigError(
                f'{what}: write where the key is to be found, "env:NAME" or "file:PATH"; '
                "keys themselves do not belong into a configuration"
            )
        if kind == "file":
            place = str(folder / Path(place).expanduser())
        return SecretReference(what, kind, place)

    def read(self, environment: Mapping[str, str]) -> str:
        """Return the secret.

        Raises:
            ConfigError: When there is none.
        """
        if self.kind == "env":
            secret = environment.get(self.place, "").strip()
            if not secret:
                raise ConfigError(f"{self.what}: environment variable {self.place} is not set")
            return secret
        try:
            secret = Path(self.place).read_text("utf-8").strip()
        except UnicodeDecodeError:
            raise ConfigError(f"{self.what}: {self.place} is not a text file") from None
        except OSError as error:
            raise ConfigError(f"{self.what}: {self.place} cannot be read: {error.strerror}") from None
        if not secret:
            raise ConfigError(f"{self.what}: {self.place} is empty")
        return secret


@attrs.frozen(kw_only=True)
class VenueEntry:
    """One ``[venues.NAME]``, read and checked.

    Attributes:
        api_key, api_secret: Both or neither.
    """

    name: str
    spec: VenueSpec
    config: VenueConfig
    api_key: SecretReference | None = None
    api_secret: SecretReference | None = None

    def credentials(self, environment: Mapping[str, str] | None = None) -> Credentials | None:
        """Read the credentials that are named; None when none are.

        Raises:
            ConfigError: Says which cannot be had, and why.
        """
        if self.api_key is None or self.api_secret is None:
            return None
        environment = os.environ if environment is None else environment
        return Credentials(api_key=self.api_key.read(environment), api_secret=self.api_secret.read(environment))


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration.

    Attributes:
        portfolio, routing: Their tables as they stand, for the rooms that know them.
    """

    venues: Mapping[str, VenueEntry]
    portfolio: Mapping[str, Any] = attrs.field(factory=dict)
    routing: Mapping[str, Any] = attrs.field(factory=dict)

    def venue(self, name: str) -> VenueEntry:
        """Return one venue.

        Raises:
            UnknownVenue: Lists those that are configured.
        """
        entry = self.venues.get(name)
        if entry is None:
            names = ", ".join(self.venues) or "none"
            raise UnknownVenue(f"no venue {name!r} is configured{did_you_mean(name, self.venues)}; configured: {names}")
        return entry


def load_config(path: str | Path, plugins: Plugins) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: Names the file, the table and key, what was found and what would have been right.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        # The standard library names the line, except for the last.
        where = str(error).replace("at end of document", f"at the end, line {len(text.splitlines())}")
        raise ConfigError(f"{path}: not TOML: {where}") from None
    try:
        return parse_config(data, plugins, path.parent)
    except UnknownVenue as error:
        raise UnknownVenue(f"{path}: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse_config(data: Mapping[str, Any], plugins: Plugins, folder: Path = Path()) -> Config:
    """Read a configuration that is a mapping already.

    Args:
        folder: What ``file:`` references are relative to.
    """
    for key in data:
        if key not in _TABLES:
            raise ConfigError(f"unknown table [{key}]{did_you_mean(key, _TABLES)}; known: {', '.join(_TABLES)}")
    tables = {name: _table(data.get(name, {}), name) for name in _TABLES}
    venues = {
        name: _venue(name, _table(table, f"venues.{name}"), plugins, folder) for name, table in tables["venues"].items()
    }
    return Config(venues=venues, portfolio=tables["portfolio"], routing=tables["routing"])


def venue_config(spec: VenueSpec, options: Mapping[str, Any], where: str) -> VenueConfig:
    """Make a venue's config object from plain options.

    Raises:
        ConfigError: For an option that does not exist or does not fit.
    """
    known = [field.name for field in attrs.fields(spec.config)]
    _refuse_unknown(options, [*known, *_KEYS], where)
    try:
        return structure(dict(options), spec.config)
    except ExchangeError as error:
        raise ConfigError(f"{where}: {str(error).removeprefix(f'{spec.config.__name__}: ')}") from None


def _venue(name: str, table: Mapping[str, Any], plugins: Plugins, folder: Path) -> VenueEntry:
    where = f"venues.{name}"
    options = dict(table)
    plugin = options.pop("plugin", None)
    if not isinstance(plugin, str):
        installed = ", ".join(sorted(plugins.venues)) or "none"
        raise ConfigError(f'{where}: plugin = "..." is missing; installed: {installed}')
    try:
        spec = plugins.venue(plugin)
    except UnknownVenue as error:
        raise UnknownVenue(f"{where}: {error}") from None
    keys = {key: SecretReference.parse(options.pop(key), f"{where}.{key}", folder) for key in _KEYS if key in options}
    if len(keys) == 1:
        missing = next(key for key in _KEYS if key not in keys)
        raise ConfigError(f"{where}: {missing} is missing; give both api_key and api_secret, or neither")
    return VenueEntry(name=name, spec=spec, config=venue_config(spec, options, where), **keys)


def _refuse_unknown(options: Iterable[str], known: list[str], where: str) -> None:
    for key in options:
        if key not in known:
            raise ConfigError(f"{where}: no option {key!r}{did_you_mean(key, known)}; options: {', '.join(known)}")


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: expected a table, as in [{where}]")
    return value
