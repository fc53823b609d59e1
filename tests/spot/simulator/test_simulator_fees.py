"""Fees by what was traded in 30 days: TradeVolume tells what fills are charged, in the asset that flags name."""

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.testing.world import World
from kraken_spot.simulator.markets.traded import FEE_TIERS, FEES

TIERS = [(Decimal(0), FEES), *((tier.volume, tier.fees) for tier in FEE_TIERS)]
NEAR = Decimal("0.0001")


def traded(world: World, name: str, volume: Decimal) -> None:
    """Let an account have traded so much."""
    world.exchange.parts.accounts[name].volume.add(volume, world.clock.now())


def trade(maker: Any, taker: Any, limit: Any, **more: Any) -> tuple[Any, Any]:
    """Let both trade a tenth of a bitcoin for 8400 dollars; return both sides."""
    limit(maker, "sell", "0.1", "84000")
    limit(taker, "buy", "0.1", "84000", **more)
    return tuple(next(iter(each.do("TradesHistory")["trades"].values())) for each in (maker, taker))


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        pytest.param(volume + step, TIERS[place - (step < 0)][1], id=f"{volume + step:f}")
        for place, (volume, _) in enumerate(TIERS)
        for step in (-NEAR, Decimal(0), NEAR)
        if volume + step >= 0
    ],
)
def test_a_fill_is_charged_what_is_told(
    world: World, alice: Any, bobby: Any, limit: Any, volume: Decimal, expected: Any
) -> None:
    for name in ("alice", "bobby"):
        traded(world, name, volume)
    told = alice.do("TradeVolume", pair="XBTUSD")
    assert Decimal(told["volume"]) == volume
    assert Decimal(told["fees"]["XXBTZUSD"]["fee"]) == expected.taker * 100
    assert Decimal(told["fees_maker"]["XXBTZUSD"]["fee"]) == expected.maker * 100
    sold, bought = trade(bobby, alice, limit)
    assert Decimal(bought["fee"]) == 8400 * expected.taker
    assert Decimal(sold["fee"]) == 8400 * expected.maker


def test_what_is_told_names_the_tier_and_the_next(world: World, alice: Any) -> None:
    traded(world, "alice", Decimal(60_000))
    told = alice.do("TradeVolume", pair="XBTUSD")["fees"]["XXBTZUSD"]
    assert (told["tiervolume"], told["nextvolume"], told["nextfee"]) == ("50000.0000", "100000.0000", "0.2200")
    traded(world, "alice", Decimal(10**7))
    told = alice.do("TradeVolume", pair="XBTUSD")["fees"]["XXBTZUSD"]
    assert (told["tiervolume"], told["nextvolume"], told["nextfee"]) == ("10000000.0000", None, None)


@pytest.mark.parametrize(
    ("flag", "asset", "fee"),
    [
        pytest.param("fcib", "XXBT", Decimal("0.000350"), id="in what is bought"),
        pytest.param("fciq", "ZUSD", Decimal("29.4"), id="in what is paid"),
    ],
)
def test_a_tiers_fee_is_charged_in_the_asset_that_the_flag_names(
    world: World, alice: Any, bobby: Any, limit: Any, flag: str, asset: str, fee: Decimal
) -> None:
    traded(world, "alice", Decimal(10_000))
    before = {name: Decimal(row) for name, row in alice.do("Balance").items()}
    trade(bobby, alice, limit, oflags=flag)
    entries = alice.do("Ledgers", type="trade")["ledger"].values()
    assert {entry["asset"]: Decimal(entry["fee"]) for entry in entries if Decimal(entry["fee"])} == {asset: fee}
    after = {name: Decimal(row) for name, row in alice.do("Balance").items()}
    paid = {"XXBT": Decimal("0.1"), "ZUSD": Decimal(-8400)}
    paid[asset] -= fee
    assert {name: after[name] - before[name] for name in paid} == paid


def test_what_was_traded_for_euros_counts_in_dollars(world: World, alice: Any, bobby: Any, limit: Any) -> None:
    limit(bobby, "sell", "0.1", "71500", pair="XBTEUR")
    limit(alice, "buy", "0.1", "71500", pair="XBTEUR")
    assert round(Decimal(alice.do("TradeVolume")["volume"])) == 8400
