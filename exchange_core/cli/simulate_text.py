"""What ``exchange simulate`` tells: a configuration, and what to paste into programs with other clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError
from exchange_core.simulator.launch import OpenedKey, RunningSimulator

_OURS = "# Written by exchange simulate; points at a simulated exchange."


def describe(running: Mapping[str, RunningSimulator], specs: Mapping[str, VenueSpec], *, deadlines: bool = True) -> str:
    """Return the configuration that points at *running*, with how to hand over the keys, and programs that do too.

    Args:
        deadlines: Orders carry one. It would be no time of the venue's where that has a clock of its own.
    """

    def variable(section: str, name: str) -> str:
        return f"SIM_{section}_{name.removeprefix('api_')}".upper()

    lines = ["# The simulated exchange runs; stop it with Ctrl-C. As exchange.toml:", ""]
    lines += _tables(running, specs, lambda section, name: f"env:{variable(section, name)}", deadlines)
    lines.append("# The account's keys, for the shell that uses it:")
    for section, simulator in running.items():
        lines += [f"# export {variable(section, name)}='{key}'" for name, key in _keys(simulator).items()]
    for section, simulator in running.items():
        lines += ["", *_other_keys(section, simulator)]
        for client, program in programs(specs[section], simulator, deadlines=deadlines).items():
            lines += ["", f"# {section}, with {client}:", *program.splitlines()]
    return "\n".join(lines)


def programs(spec: VenueSpec, simulator: RunningSimulator, *, deadlines: bool = True) -> dict[str, str]:
    """Return lines of Python that point at a simulated venue, by the client that they are for; ours is the last."""
    settings = simulator.settings()
    given = ",\n".join(
        [
            *(f'    {name}="{value}"' for name, value in settings.items()),
            *([] if deadlines else ["    order_deadline=0"]),
        ]
    )
    ours = f'from exchange_core import connect\n\nvenue = connect(\n    "{spec.name}",\n{given},\n)'
    clients = None if spec.simulator is None else spec.simulator.clients
    return {**({} if clients is None else clients(settings)), "exchange_core": ours}


def key_rows(simulator: RunningSimulator) -> list[dict[str, object]]:
    """Return all keys of a venue, for JSON."""
    return [
        {
            "account": key.account,
            "name": key.name,
            "api_key": key.api_key,
            "api_secret": key.api_secret,
            "permissions": list(key.permissions),
        }
        for key in simulator.keys
    ]


def _other_keys(section: str, simulator: RunningSimulator) -> list[str]:
    def one(key: OpenedKey) -> list[str]:
        name = f", {key.name}" if key.name else ""
        allowed = f" ({', '.join(key.permissions)})" if key.permissions else ""
        return [f"# {section}: {key.account}{name}{allowed}", f"#   {key.api_key}", f"#   {key.api_secret}"]

    return [line for key in simulator.keys[1:] for line in one(key)]


def write_configuration(
    folder: Path,
    running: Mapping[str, RunningSimulator],
    specs: Mapping[str, VenueSpec],
    *,
    deadlines: bool = True,
) -> None:
    """Write ``exchange.toml`` and the key files that it names; for *deadlines* see :func:`describe`.

    Raises:
        ConfigError: When there is a configuration that is not ours, or the folder cannot be written.
    """
    path = folder / "exchange.toml"
    try:
        if folder.is_file():
            raise ConfigError(f"--write {folder}: is a file; expected the name of a folder")
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.read_text("utf-8").startswith(_OURS):
            raise ConfigError(f"{path} is there already and was not written by exchange simulate; name another folder")
        for section, simulator in running.items():
            for name, key in _keys(simulator).items():
                file = folder / f"{section}.{name}"
                file.touch(mode=0o600)
                file.chmod(0o600)  # it may have been there, for all to read
                file.write_text(key + "\n", "utf-8")
        tables = _tables(running, specs, lambda section, name: f"file:{section}.{name}", deadlines)
        path.write_text("\n".join([_OURS, "", *tables]), "utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from error


def _tables(
    running: Mapping[str, RunningSimulator],
    specs: Mapping[str, VenueSpec],
    reference: Callable[[str, str], str],
    deadlines: bool,
) -> list[str]:
    lines = []
    for section, simulator in running.items():
        lines += [f"[venues.{section}]", f'plugin = "{specs[section].name}"']
        lines += [f'{name} = "{url}"' for name, url in simulator.urls.items()]
        lines += [f'{name} = "{reference(section, name)}"' for name in _keys(simulator)]
        if not deadlines:
            lines.append("order_deadline = 0  # this venue's clock is not yours")
        lines.append("")
    return lines


def _keys(simulator: RunningSimulator) -> dict[str, str]:
    return {"api_key": simulator.api_key, "api_secret": simulator.api_secret}
