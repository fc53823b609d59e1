"""``exchange simulate``: the simulated exchange as a server, until it is stopped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from exchange_core.cli.options import JsonOption, output, run
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError, NotSupported
from exchange_core.plugins import load_plugins
from exchange_core.simulator.faults_schedule import read_faults
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch

_OURS = "# Written by exchange simulate; points at a simulated exchange."


def register(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    spot_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the spot exchange; 0 is any free one.")] = 0,
    futures_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the futures exchange; 0 is any free one.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same markets, ids and keys.")] = 0,
    limits: Annotated[
        bool, typer.Option("--limits/--no-limits", help="Refuse who asks more often than the venue lets one.")
    ] = True,
    tier: Annotated[
        str, typer.Option(help="Whose limits count, such as starter or pro; each exchange's usual one without.")
    ] = "",
    faults: Annotated[Path | None, typer.Option(help="A file of things to go wrong; see docs/simulator.md.")] = None,
    tape: Annotated[Path | None, typer.Option(help="A recorded tape as the market. Not there yet.")] = None,
    write: Annotated[
        Path | None, typer.Option(help="A folder that gets exchange.toml and the account's keys, each in a file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the simulated exchange, with a funded account, until Ctrl-C.

    Prints where it is and the account's keys: with --json as one object, else as a configuration file.
    """
    out = output(as_json)
    if tape is not None:
        raise NotSupported(f"--tape {tape}: playing a recorded tape as the market is not there yet")
    specs = simulated_venues()
    for option, section, port in (("--spot-port", "spot", spot_port), ("--futures-port", "futures", futures_port)):
        if port and section not in specs:
            raise ConfigError(f"{option} {port}: there is no one {section} exchange, but {', '.join(specs)}")
    ports = {"spot": spot_port, "futures": futures_port}
    simulators = {name: spec.simulator for name, spec in specs.items() if spec.simulator is not None}
    sections = {simulator.section for simulator in simulators.values()}
    schedule = None if faults is None else read_faults(faults, venues=sections)
    known = {word for simulator in simulators.values() for word in simulator.tiers}
    if tier and tier not in known:
        raise ConfigError(f"--tier {tier}: expected {', '.join(sorted(known)) or 'none: nothing here has tiers'}")
    launches = {
        name: SimulatorLaunch(
            spec=simulator,
            port=ports.get(name, 0),
            seed=seed,
            faults=schedule,
            limits=limits,
            tier=tier if tier in simulator.tiers else "",
        )
        for name, simulator in simulators.items()
    }

    async def job() -> None:
        async with launch(launches) as running:
            if write is not None:
                write_configuration(write, running, specs)
                out.say(f"The simulated exchange runs; {write / 'exchange.toml'} points at it. Stop it with Ctrl-C.")
            elif not out.as_json:
                out.say(describe(running, specs))
            if out.as_json:
                out.line({section: simulator.settings() for section, simulator in running.items()})
            await asyncio.Event().wait()

    try:
        run(job())
    except BrokenPipeError:
        raise
    except OSError as error:
        ports_wanted = ", ".join(str(port) for port in ports.values() if port)
        raise ConfigError(f"cannot listen on port {ports_wanted or 'any'}: {error.strerror or error}") from error


def simulated_venues() -> dict[str, VenueSpec]:
    """Return the installed venues that can be simulated, by the name they get here.

    Raises:
        ConfigError: When there is none.
    """
    found = by_section(load_plugins().venues.values())
    if not found:
        raise ConfigError("no installed plugin can be simulated; see: exchange plugins")
    return found


def by_section(specs: Iterable[VenueSpec]) -> dict[str, VenueSpec]:
    """Return those with a simulated side by its section; by section and plugin where several have the same."""
    simulated = [(spec.simulator.section, spec) for spec in specs if spec.simulator is not None]
    count = Counter(section for section, _ in simulated)
    named = {section if count[section] == 1 else f"{section}_{spec.name}": spec for section, spec in simulated}
    # Spot first, as the documented output has it.
    return dict(sorted(named.items(), reverse=True))


def describe(running: Mapping[str, RunningSimulator], specs: Mapping[str, VenueSpec]) -> str:
    """Return the configuration that points at *running*, with how to hand over the keys."""

    def variable(section: str, name: str) -> str:
        return f"SIM_{section}_{name.removeprefix('api_')}".upper()

    lines = ["# The simulated exchange runs; stop it with Ctrl-C. As exchange.toml:", ""]
    lines += _tables(running, specs, lambda section, name: f"env:{variable(section, name)}")
    lines.append("# The account's keys, for the shell that uses it:")
    for section, simulator in running.items():
        lines += [f"# export {variable(section, name)}='{key}'" for name, key in _keys(simulator).items()]
    return "\n".join(lines)


def write_configuration(folder: Path, running: Mapping[str, RunningSimulator], specs: Mapping[str, VenueSpec]) -> None:
    """Write ``exchange.toml`` and the key files that it names.

    Raises:
        ConfigError: When there is a configuration that is not ours, or the folder cannot be written.
    """
    path = folder / "exchange.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.read_text("utf-8").startswith(_OURS):
            raise ConfigError(f"{path} is there already and was not written by exchange simulate; name another folder")
        for section, simulator in running.items():
            for name, key in _keys(simulator).items():
                file = folder / f"{section}.{name}"
                file.touch(mode=0o600)
                file.chmod(0o600)  # it may have been there, for all to read
                file.write_text(key + "\n", "utf-8")
        tables = _tables(running, specs, lambda section, name: f"file:{section}.{name}")
        path.write_text("\n".join([_OURS, "", *tables]), "utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from error


def _tables(
    running: Mapping[str, RunningSimulator], specs: Mapping[str, VenueSpec], reference: Callable[[str, str], str]
) -> list[str]:
    lines = []
    for section, simulator in running.items():
        lines += [f"[venues.{section}]", f'plugin = "{specs[section].name}"']
        lines += [f'{name} = "{url}"' for name, url in simulator.urls.items()]
        lines += [f'{name} = "{reference(section, name)}"' for name in _keys(simulator)]
        lines.append("")
    return lines


def _keys(simulator: RunningSimulator) -> dict[str, str]:
    return {"api_key": simulator.api_key, "api_secret": simulator.api_secret}
