"""``exchange simulate``: the simulated exchange as a server, until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from exchange_core.cli.options import JsonOption, output, run
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError, NotSupported
from exchange_core.plugins import load_plugins
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch


def register(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    spot_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the spot exchange; 0 is any free one.")] = 0,
    futures_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the futures exchange; 0 is any free one.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same markets, ids and keys.")] = 0,
    tape: Annotated[Path | None, typer.Option(help="A recorded tape as the market. Not there yet.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the simulated exchange, with a funded account, until Ctrl-C.

    Prints where it is and the account's keys: with --json as one object, else as a configuration file.
    """
    out = output(as_json)
    if tape is not None:
        raise NotSupported(f"--tape {tape}: playing a recorded tape as the market is not there yet")
    ports = {"spot": spot_port, "futures": futures_port}
    specs = simulated_venues()
    launches = {
        section: SimulatorLaunch(spec=spec.simulator, port=ports.get(section, 0), seed=seed)
        for section, spec in specs.items()
        if spec.simulator is not None
    }

    async def job() -> None:
        async with launch(launches) as running:
            if out.as_json:
                out.line({section: simulator.settings() for section, simulator in running.items()})
            else:
                out.say(describe(running, specs))
            await asyncio.Event().wait()

    run(job())


def simulated_venues() -> dict[str, VenueSpec]:
    """Return the installed venues that can be simulated, by the section they are named in.

    Raises:
        ConfigError: When there is none.
    """
    found: dict[str, VenueSpec] = {}
    for _, spec in sorted(load_plugins().venues.items()):
        if spec.simulator is not None:
            found.setdefault(spec.simulator.section, spec)
    if not found:
        raise ConfigError("no installed plugin can be simulated; see: exchange plugins")
    # Spot first, as the documented output has it.
    return dict(sorted(found.items(), reverse=True))


def describe(running: Mapping[str, RunningSimulator], specs: Mapping[str, VenueSpec]) -> str:
    """Return the configuration that points at *running*, with how to hand over the keys."""
    lines = ["# The simulated exchange runs; stop it with Ctrl-C. As exchange.toml:", ""]
    for section, simulator in running.items():
        variable = f"SIM_{section.upper()}"
        lines += [f"[venues.{section}]", f'plugin = "{specs[section].name}"']
        lines += [f'{name} = "{url}"' for name, url in simulator.urls.items()]
        lines += [f'api_key = "env:{variable}_KEY"', f'api_secret = "env:{variable}_SECRET"', ""]
    lines.append("# The account's keys, for the shell that uses it:")
    for section, simulator in running.items():
        variable = f"SIM_{section.upper()}"
        lines += [f"# export {variable}_KEY={simulator.api_key}", f"# export {variable}_SECRET={simulator.api_secret}"]
    return "\n".join(lines)
