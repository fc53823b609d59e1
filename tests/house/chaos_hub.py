"""Two venues with different prices, a hub on them, and faults on the line to the second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs

from exchange_core import Hub
from exchange_core.clock import Clock, SystemClock
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch
from exchange_core.venue.resolver import ResolvePolicy
from exchange_core.venue.venue import Surroundings
from tests.house.chaos import CALM, QUICK, SPOT, WITHIN, Eager, installed, until

STILL = attrs.evolve(CALM, requotes=0)
"""What a plan saw stands until the plan is carried out, however long that takes."""


@asynccontextmanager
async def both(
    clock: Clock | None = None, **options: Any
) -> AsyncIterator[tuple[dict[str, RunningSimulator], dict[str, Any], dict[str, str]]]:
    """Run two spot venues with different prices; return how a hub is pointed at them."""
    spec = SPOT.spec.simulator
    assert spec is not None
    async with (
        asyncio.timeout(5 * WITHIN),
        launch(
            {
                name: SimulatorLaunch(
                    spec=attrs.evolve(spec, markets=spec.markets[:2]),
                    seed=seed,
                    makers=STILL,
                    price_shift=Decimal(shift),
                    deposits={"USD": Decimal(200_000), "BTC": Decimal(1)},
                )
                for name, seed, shift in (("one", 1, "0"), ("two", 2, "0.00005"))
            },
            clock=clock,
        ) as running,
    ):
        venues = {
            name: {
                "plugin": "kraken_spot",
                "tier": "pro",
                "api_key": f"env:{name}_key",
                "api_secret": f"env:{name}_secret",
                **each.urls,
                **options,
            }
            for name, each in running.items()
        }
        keys = {f"{name}_key": each.api_key for name, each in running.items()}
        keys |= {f"{name}_secret": each.api_secret for name, each in running.items()}
        yield running, {"venues": venues}, keys


def hub_of(
    config: dict[str, Any], keys: dict[str, str], policy: ResolvePolicy = QUICK, clock: Clock | None = None
) -> Hub:
    around = {
        name: Surroundings(random=Eager(), policy=policy, clock=clock or SystemClock()) for name in config["venues"]
    }
    return Hub.open(config, environment=keys, plugins=installed(), surroundings=around)


@asynccontextmanager
async def followed(hub: Hub) -> AsyncIterator[None]:
    """Have the accounts of all venues followed live, so that orders can go over their connections."""
    streams = [venue.fill_updates() for venue in hub]
    for venue in hub:
        await until(lambda venue=venue: venue.fills_complete_until is not None)
    yield
    for stream in streams:
        stream.close()
