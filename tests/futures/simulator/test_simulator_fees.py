"""Fees by what was traded in 30 days: what the schedules tell is what fills are charged."""

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.testing.world import World
from kraken_futures.simulator.markets.traded import FEE_TIERS

NEAR = Decimal("0.01")
BOUNDARIES = [tier.volume for tier in FEE_TIERS]


def told(client: Any, name: str, volume: Decimal) -> tuple[Decimal, Decimal]:
    """Return the fees that the schedule of a contract has for *volume*, as fractions."""
    rows = client.public("instruments")["instruments"]
    uid = next(row["feeScheduleUid"] for row in rows if row["symbol"] == name)
    tiers = next(each["tiers"] for each in client.public("feeschedules")["feeSchedules"] if each["uid"] == uid)
    tier = max((tier for tier in tiers if tier["usdVolume"] <= volume), key=lambda tier: tier["usdVolume"])
    assert client.get("feeschedules/volumes")["volumesByFeeSchedule"][uid] == volume
    return tier["makerFee"] / 100, tier["takerFee"] / 100


def fee_of(client: Any) -> Decimal:
    rows = client.get("/api/history/v3/account-log")["logs"]
    return Decimal(next(row["fee"] for row in rows if row["info"] == "futures trade" and row["fee"] is not None))


@pytest.mark.parametrize("volume", [*(at + step for at in BOUNDARIES for step in (-NEAR, 0 * NEAR, NEAR)), NEAR])
def test_a_fill_is_charged_what_the_schedules_tell(world: World, alice: Any, bobby: Any, volume: Decimal) -> None:
    for name, client in (("alice", alice), ("bobby", bobby)):
        client.get("accounts")
        world.exchange.parts.accounts[name].volume.add(volume, world.clock.now())
    maker, taker = told(alice, "PF_XBTUSD", volume)
    bobby.order("lmt", "sell", "0.1", "84000")
    alice.order("lmt", "buy", "0.1", "84000")
    assert (fee_of(bobby), fee_of(alice)) == (8400 * maker, 8400 * taker)
    world.exchange.check_invariants()


def test_the_tiers_are_the_published_ones(alice: Any) -> None:
    [linear, inverse] = alice.public("feeschedules")["feeSchedules"]
    assert linear["tiers"] == inverse["tiers"]
    assert [tier["usdVolume"] for tier in linear["tiers"]] == [0, *BOUNDARIES]
    assert linear["tiers"][-1]["makerFee"] == Decimal("-0.005")
