"""A launched venue refuses who asks too often where that is wanted."""

from typing import Any

import httpx
import pytest

from exchange_core.errors import ConfigError
from exchange_core.simulator.launch import SimulatorLaunch, launch
from kraken_spot.simulator import SIMULATOR


async def errors(wanted: SimulatorLaunch, calls: int) -> list[str]:
    """Return the errors of many public calls at once."""
    found: list[str] = []
    async with launch({"spot": wanted}) as running, httpx.AsyncClient() as client:
        for _ in range(calls):
            answer: Any = (await client.get(f"{running['spot'].urls['rest_url']}/0/public/SystemStatus")).json()
            found += answer["error"]
    return found


async def test_limits_are_off_unless_wanted() -> None:
    assert await errors(SimulatorLaunch(spec=SIMULATOR), 60) == []


async def test_limits_count_where_they_are_wanted() -> None:
    found = await errors(SimulatorLaunch(spec=SIMULATOR, limits=True, tier="starter"), 90)
    assert set(found) == {"EGeneral:Too many requests"}


async def test_a_tier_that_is_none() -> None:
    with pytest.raises(ConfigError, match="expected pro, intermediate, starter"):
        await errors(SimulatorLaunch(spec=SIMULATOR, limits=True, tier="vip"), 0)
