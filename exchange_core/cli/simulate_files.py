"""The files that ``exchange simulate`` reads and writes: who has an account, and the state of the venues."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from exchange_core.cli.output import reason
from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.model.number import exact
from exchange_core.simulator.launch import AccountWanted, KeyWanted, PreparedSimulator, RunningSimulator, check_account

_FORMAT = 1
_ACCOUNT = {"name", "venue", "tier", "deposits", "keys"}
_KEY = {"name", "permissions"}


def read_accounts(path: Path, sections: Collection[str]) -> dict[str, list[AccountWanted]]:
    """Return the accounts of each venue.

    Args:
        sections: The venues that there are.

    Raises:
        ConfigError: The file cannot be read, says something unknown, or leaves a venue without an account.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {reason(error)}") from error
    check_known(found, {"accounts"}, str(path))
    accounts: dict[str, list[AccountWanted]] = {section: [] for section in sections}
    for number, row in enumerate(tables(found, "accounts", str(path)), 1):
        where = f"{path}: account {number}"
        check_known(row, _ACCOUNT, where)
        venue = row.get("venue")
        if venue is not None and venue not in accounts:
            raise ConfigError(f"{where}: venue {venue!r} is none of {', '.join(accounts)}")
        account = _account(row, where)
        for section in accounts if venue is None else [venue]:
            if account.name in {other.name for other in accounts[section]}:
                raise ConfigError(f"{where}: {section} has an account {account.name!r} already")
            accounts[section].append(account)
    if empty := [section for section, those in accounts.items() if not any(each.keys for each in those)]:
        raise ConfigError(
            f"{path}: {empty[0]} has no account with a key; expected one "
            f'with venue = "{empty[0]}", or without venue, which is one at every venue'
        )
    return accounts


def check_accounts(
    path: Path, wanted: Mapping[str, Sequence[AccountWanted]], simulators: Mapping[str, SimulatorSpec]
) -> None:
    """Raises: ConfigError: One of what *path* says of accounts is no tier, permission or asset of its venue."""
    for section, accounts in wanted.items():
        for account in accounts:
            try:
                check_account(simulators[section], account)
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from None


def _account(row: Mapping[str, Any], where: str) -> AccountWanted:
    deposits = row.get("deposits")
    if deposits is not None and not isinstance(deposits, dict):
        raise ConfigError(f'{where}: deposits are a table, such as {{ USD = "1000" }}')
    keys = [_key(each, where) for each in tables(row, "keys", where)] if "keys" in row else [KeyWanted()]
    return AccountWanted(
        name=_text(row, "name", where),
        deposits=None
        if deposits is None
        else {code: _money(each, f"{where}: {code}") for code, each in deposits.items()},
        tier=_text(row, "tier", where) if "tier" in row else "",
        keys=keys,
    )


def _key(row: Mapping[str, Any], where: str) -> KeyWanted:
    check_known(row, _KEY, f"{where}: key")
    permissions = row.get("permissions", [])
    if not isinstance(permissions, list) or not all(isinstance(each, str) for each in permissions):
        raise ConfigError(f"{where}: permissions are a list of texts")
    return KeyWanted(name=_text(row, "name", where) if "name" in row else "", permissions=permissions)


def _money(value: object, where: str) -> Decimal:
    try:
        return exact(value, where)
    except InvalidValue as error:
        raise ConfigError(str(error)) from error


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: expected a text as {name}")
    return value


def tables(row: Mapping[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    """Return the tables that *row* has as *name*; none without.

    Raises:
        ConfigError: It has something else.
    """
    found = row.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ConfigError(f"{where}: expected tables as {name}")
    return found


def check_known(row: Mapping[str, Any], names: set[str], where: str) -> None:
    """Raises: ConfigError: *row* has keys that are none of *names*."""
    if unknown := row.keys() - names:
        raise ConfigError(f"{where}: {min(unknown)!r} is not known; expected {', '.join(sorted(names))}")


@attrs.frozen
class Saved:
    """What a run of the simulated exchange left behind.

    Attributes:
        seed: What its keys were made from.
        time: When it ended, on its own clock.
        venues: The state of each.
    """

    seed: int
    time: datetime
    venues: Mapping[str, Mapping[str, Any]] = attrs.field(repr=False)


def read_saved(path: Path, sections: Collection[str]) -> Saved:
    """Return what :func:`write_saved` wrote.

    Raises:
        ConfigError: It cannot be read, or is of other venues.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"--restore {path}: cannot be read: {reason(error)}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is no saved state of exchange simulate: {error}") from error
    for name in ("format", "seed", "time", "venues"):
        if not isinstance(found, dict) or name not in found:
            raise ConfigError(f"{path}: is no saved state of exchange simulate, as there is no {name!r} in it")
        if name == "format" and found[name] != _FORMAT:
            raise ConfigError(f"{path}: format {found[name]!r}; this program reads {_FORMAT}")
    try:
        venues = {str(name): dict(state) for name, state in found["venues"].items()}
        saved = Saved(int(found["seed"]), datetime.fromisoformat(found["time"]), venues)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: is no saved state of exchange simulate: {error}") from error
    if saved.venues.keys() != set(sections):
        raise ConfigError(f"{path}: has {', '.join(sorted(saved.venues))}; expected {', '.join(sorted(sections))}")
    return saved


def check_savable(path: Path) -> None:
    """Raises: ConfigError: The state could not be written to *path*."""
    if not path.parent.is_dir():
        raise ConfigError(f"--save {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise ConfigError(f"--save {path}: is a folder; expected the name of a file")
    try:
        _beside(path).touch()
        _beside(path).unlink()
    except OSError as error:
        raise ConfigError(f"--save {path}: cannot be written: {error.strerror or error}") from error


def write_saved(
    path: Path, running: Mapping[str, PreparedSimulator | RunningSimulator], seed: int, time: datetime
) -> None:
    """Write the state of all venues; the file is there in whole or not at all, and holds no keys.

    Raises:
        ConfigError: It cannot be written.
    """
    venues = {name: each.save() for name, each in running.items()}
    text = json.dumps({"format": _FORMAT, "seed": seed, "time": time.isoformat(), "venues": venues})
    beside = _beside(path)
    try:
        beside.write_text(text, "utf-8")
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from error


def _beside(path: Path) -> Path:
    """Return where the state is written before it takes the place of an older one."""
    return path.with_name(path.name + ".new")
