"""``exchange simulate``: the simulated exchange as a server, until it is stopped."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from exchange_core.cli.options import ConfigOption, JsonOption, output, run
from exchange_core.cli.output import Output
from exchange_core.cli.simulate_collateral import with_collateral
from exchange_core.cli.simulate_control import clock_of, controlled, read_schedule, saver
from exchange_core.cli.simulate_files import check_accounts, check_savable, read_accounts, read_saved
from exchange_core.cli.simulate_follow import what_to_follow
from exchange_core.cli.simulate_markets import read_markets, with_listing
from exchange_core.cli.simulate_tape import read_tapes
from exchange_core.cli.simulate_text import describe, key_rows, write_configuration
from exchange_core.clock import SystemClock
from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError
from exchange_core.plugins import load_plugins
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch


def register(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    spot_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the spot exchange; 0 is any free one.")] = 0,
    futures_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the futures exchange; 0 is any free one.")
    ] = 0,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same markets, ids and keys; 0 without.")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="A file of accounts, their keys and tiers; see docs/simulator.md.")
    ] = None,
    limits: Annotated[
        bool, typer.Option("--limits/--no-limits", help="Refuse who asks more often than the venue lets one.")
    ] = True,
    tier: Annotated[
        str, typer.Option(help="Whose limits count, such as starter or pro; each exchange's usual one without.")
    ] = "",
    listing: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Recorded answers of a venue's public lists, each in a file: its markets are those, however many.",
        ),
    ] = None,
    markets: Annotated[
        Path | None, typer.Option(help="A file of prices, volatility, depth, fees of markets; see docs/simulator.md.")
    ] = None,
    faults: Annotated[Path | None, typer.Option(help="A file of things to go wrong; see docs/simulator.md.")] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'KEY=VALUE ...'",
            help="One thing to go wrong, as in 'http=/0/private/AddOrder nth=1 action=drop-answer'; can be repeated.",
        ),
    ] = None,
    control_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Change it while it runs, by HTTP on this port; 0 is any free one."),
    ] = None,
    tape: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A recording whose books and trades are the market, as replay takes it."),
    ] = None,
    follow: Annotated[
        list[str] | None,
        typer.Option(metavar="VENUE", help="Paper trading: let this real venue's books and trades be the market."),
    ] = None,
    symbols: Annotated[str, typer.Option(help="What to follow, as in BTC/USD,ETH/USD; the usual ones without.")] = "",
    write: Annotated[
        Path | None, typer.Option(help="A folder that gets exchange.toml and the account's keys, each in a file.")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="A file for the state of everything when it is stopped.")] = None,
    restore: Annotated[Path | None, typer.Option(help="Go on from what --save wrote, with the same keys.")] = None,
    speed: Annotated[
        float, typer.Option(help="How fast its time passes: 60 makes an hour of a minute, 0 waits.")
    ] = 1.0,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the simulated exchange until Ctrl-C.

    There is a funded account. Prints where it is and the account's keys: with --json as one object, else as a
    configuration file.
    """
    out = output(as_json)
    others = {"--tape": tape, "--listing": listing, "--markets": markets}
    followed = what_to_follow(follow or (), symbols, config, speed=speed, others=others)
    specs = followed.specs or simulated_venues()
    for option, section, port in (("--spot-port", "spot", spot_port), ("--futures-port", "futures", futures_port)):
        if port and section not in specs:
            raise ConfigError(f"{option} {port}: there is no one {section} exchange, but {', '.join(specs)}")
    ports = {"spot": spot_port, "futures": futures_port}
    simulators = {name: spec.simulator for name, spec in specs.items() if spec.simulator is not None}
    simulators = with_listing(listing or (), simulators)
    shaped = {} if markets is None else read_markets(markets, simulators)
    simulators = simulators if markets is None else with_collateral(markets, simulators)
    sections = {simulator.section for simulator in simulators.values()}
    wanted = {} if accounts is None else read_accounts(accounts, simulators)
    if accounts is not None:
        check_accounts(accounts, wanted, simulators)
    before = None if restore is None else read_saved(restore, simulators)
    if before is not None and seed not in (None, before.seed):
        raise ConfigError(f"--seed {seed}: {restore} has the keys of seed {before.seed}; leave --seed out")
    made_of = seed if seed is not None else 0 if before is None else before.seed
    schedule = read_schedule(faults, fault or (), sections, made_of)
    clock = clock_of(speed, before)
    if save is not None:
        check_savable(save)
    launches = {
        name: SimulatorLaunch(
            spec=simulator,
            port=ports.get(name, 0),
            seed=made_of,
            accounts=wanted.get(name, ()),
            markets=shaped.get(name, ()),
            saved=None if before is None else before.venues[name],
            faults=schedule,
            limits=limits,
            tier=_tier_of(simulator, tier, simulators.values()),
        )
        for name, simulator in simulators.items()
    }

    market = read_tapes(tape, specs, simulators, clock) if tape else followed

    async def job() -> None:
        async with AsyncExitStack() as stack:
            running = await stack.enter_async_context(market.launch(launches, clock))
            saves = None if save is None else saver(save, running, made_of, clock)
            control = await stack.enter_async_context(controlled(control_port, running, clock, saves))
            deadlines = isinstance(clock, SystemClock)
            _tell(out, running, specs, write, control, with_keys=accounts is not None, deadlines=deadlines)
            market.tell(out)
            try:
                await asyncio.Event().wait()
            finally:
                if saves is not None:
                    saves()

    try:
        run(job())
    except BrokenPipeError:
        raise
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        ports_wanted = ", ".join(str(port) for port in (*ports.values(), control_port) if port)
        raise ConfigError(f"cannot listen on port {ports_wanted or 'any'}: {why}") from error


def _tell(
    out: Output,
    running: Mapping[str, RunningSimulator],
    specs: Mapping[str, VenueSpec],
    folder: Path | None,
    control: Mapping[str, Mapping[str, str]],
    *,
    with_keys: bool,
    deadlines: bool,
) -> None:
    """Say where everything is, and write it into *folder*."""
    if folder is not None:
        write_configuration(folder, running, specs, deadlines=deadlines)
        out.say(f"The simulated exchange runs; {folder / 'exchange.toml'} points at it. Stop it with Ctrl-C.")
    elif not out.as_json:
        out.say(describe(running, specs, deadlines=deadlines))
    for each in control.values():
        out.say(f"# To change it while it runs: curl {each['url']}")
    if out.as_json:
        more = {name: {"keys": key_rows(each)} if with_keys else {} for name, each in running.items()}
        out.line(
            {name: {**each.settings(deadlines=deadlines), **more[name]} for name, each in running.items()}
            | dict(control)
        )


def _tier_of(simulator: SimulatorSpec, tier: str, all_of_them: Iterable[SimulatorSpec]) -> str:
    """Return *tier* where *simulator* has it, and nothing where only another has."""
    known = {word for each in all_of_them for word in each.tiers}
    if tier and tier not in known:
        raise ConfigError(f"--tier {tier}: expected {', '.join(sorted(known)) or 'none: nothing here has tiers'}")
    return tier if tier in simulator.tiers else ""


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
