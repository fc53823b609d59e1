"""The simulated venue with the lists of the live one."""

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.rest import HttpRequest
from exchange_core.errors import ConfigError
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import World
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_futures.simulator import SIMULATOR
from kraken_futures.simulator.markets.listing import recognised

PEPE = {
    "symbol": "PF_PEPEUSD",
    "type": "flexible_futures",
    "tickSize": 1e-10,
    "contractSize": 1,
    "tradeable": True,
    "impactMidSize": 670000000.0,
    "maxPositionSize": 9000000.0,
    "marginLevels": [{"numNonContractUnits": 0.0, "initialMargin": 0.05, "maintenanceMargin": 0.025}],
    "contractValueTradePrecision": -3,
    "postOnly": False,
    "base": "PEPE",
    "quote": "USD",
    "pair": "PEPE:USD",
    "isExpired": False,
}


def answer(*rows: dict[str, Any], kind: str = "instruments") -> bytes:
    return json.dumps({"result": "success", kind: rows}).encode()


def made_of(*answers: bytes) -> World:
    assert SIMULATOR.listed is not None
    return World(attrs.evolve(KRAKEN_FUTURES, simulator=SIMULATOR.listed(answers)))


def ask(world: World, target: str) -> Any:
    return json.loads(world.protocol.http(HttpRequest("GET", f"/derivatives/api/v3/{target}", {})).body)


def test_the_recorded_list_is_answered_as_it_was_recorded(captures: Any) -> None:
    recorded = (captures / "futures/rest/instruments_5_2026-09.json").read_bytes()
    world = made_of(recorded)
    assert ask(world, "instruments")["instruments"] == json.loads(recorded)["instruments"]
    known = {each.symbol: each for each in world.client("alice").run(world.client("alice").rest.instruments())}
    assert len(known) == 5
    for market in world.exchange.markets():
        listed = known[market.instrument.symbol]
        assert (listed.tick_size, listed.lot_size) == (market.instrument.tick_size, market.instrument.lot_size)


def test_recorded_tickers_and_fee_schedules_count(captures: Any) -> None:
    folder = captures / "futures/rest"
    names = ("feeschedules.json", "tickers_2025-11.json", "instruments_5_2026-09.json")
    world = made_of(*((folder / name).read_bytes() for name in names))
    market = world.exchange.market(Symbol.parse("BTC/USD:USD"))
    assert market.start_price == 91507  # what the ticker of the inverse contract told
    assert [tier.volume for tier in market.fee_tiers] == [5_000_000]
    assert str(market.fee_tiers[0].fees.maker) == "0.000175"


def test_a_contract_in_lots_of_a_thousand_can_be_traded() -> None:
    world = made_of(answer(PEPE))
    market = world.exchange.market(Symbol.parse("PEPE/USD:USD"))
    assert market.instrument.lot_size == 1000
    assert market.start_price == Decimal("0.00001")
    order = world.client("alice").place("buy", "5000", "0.000009", symbol="PEPE/USD:USD", client_order_id="a")
    assert order.venue_order_id
    assert ask(world, "instruments")["instruments"][0]["contractValueTradePrecision"] == -3


def test_old_names_and_states_are_read() -> None:
    old = {**PEPE, "symbol": "PF_XBTUSD", "pair": "XBT:USD", "postOnly": True, "impactMidSize": 0.1}
    del old["base"], old["quote"]
    (market,) = recognised([answer(old)]).markets
    assert market.instrument.symbol == Symbol.parse("BTC/USD:USD")
    assert market.instrument.status is InstrumentStatus.POST_ONLY
    assert market.start_price == 84000  # where the built-in contract starts


def test_what_nothing_can_be_made_of_costs_no_other() -> None:
    rows = (
        PEPE,
        {**PEPE, "symbol": "PV_XRPXBT", "type": "futures_vanilla"},
        {**PEPE, "symbol": "OLD", "isExpired": True},
        {**PEPE, "symbol": "PF_AGAIN"},
        {"symbol": "BAD", "type": "flexible_futures"},
    )
    found = recognised([answer(*rows)])
    assert [market.instrument.venue_id for market in found.markets] == ["PF_PEPEUSD"]
    assert found.skipped.keys() == {"PV_XRPXBT", "OLD", "PF_AGAIN", "BAD"}


@pytest.mark.parametrize(
    "answers",
    [
        (),
        ("",),
        ("[]",),
        ('{"result":"success"}',),
        ('{"instruments":{}}',),
        ('{"instruments":[]}',),
        ('{"tickers":[]}',),
    ],
)
def test_what_is_no_answer(answers: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        recognised(answers)


def test_markets_with_fees_of_their_own_have_a_schedule_of_their_own() -> None:
    first, *others = SIMULATOR.markets
    other = attrs.evolve(first, fee_tiers=())
    world = World(attrs.evolve(KRAKEN_FUTURES, simulator=attrs.evolve(SIMULATOR, markets=[other, *others])))
    listed = {row["symbol"]: row["feeScheduleUid"] for row in ask(world, "instruments")["instruments"]}
    tiers = {each["uid"]: len(each["tiers"]) for each in ask(world, "feeschedules")["feeSchedules"]}
    assert {name: tiers[uid] for name, uid in listed.items()} == {
        "PF_XBTUSD": 1,
        "PF_ETHUSD": 12,
        "PI_XBTUSD": 12,
        "FF_XBTUSD_261225": 12,
    }
