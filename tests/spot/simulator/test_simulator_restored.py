"""What only the wire keeps is still there in a venue that was saved and restored."""

import json
from typing import Any

import pytest

from exchange_core.errors import InvalidValue
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.world import World
from kraken_spot.simulator.protocol import KrakenSpot


def restart(world: World, tier: str | None = None) -> str:
    """Let the venue be another that was restored from its saved state, with the same keys; return what was saved."""
    assert isinstance(world.protocol, KrakenSpot)
    text = json.dumps({"exchange": world.exchange.save(), "wire": world.protocol.saved()})
    saved = json.loads(text)
    exchange = SimulatedExchange.restore(world.simulator, saved["exchange"], clock=world.clock)
    for name in ("alice", "bobby"):
        exchange.add_key(name, name, world.credentials(name).api_secret)
    world.exchange, world.protocol = exchange, KrakenSpot(exchange, tier=tier)
    world.protocol.restore(saved["wire"])
    return text


@pytest.fixture
def restarted(world: World, alice: Any, bobby: Any) -> Any:
    """Return what restarts the venue under both clients."""

    def run(tier: str | None = None) -> str:
        text = restart(world, tier)
        alice.protocol = bobby.protocol = world.protocol
        return text

    return run


def test_a_token_is_good_until_its_time_is_over(world: World, alice: Any, connect: Any, restarted: Any) -> None:
    first, second = alice.token(), alice.token()
    text = restarted()
    assert first not in text
    assert second not in text
    assert alice.keys.api_secret not in text
    socket = connect("/auth/v2")
    world.clock.forward(899)
    [answer, *_] = socket.send("subscribe", channel="executions", token=first)
    assert answer["success"]
    world.clock.forward(2)
    [answer, *_] = connect("/auth/v2").send("subscribe", channel="executions", token=second)
    assert answer["error"] == "ESession:Invalid session"


def test_nonces_are_not_taken_twice(alice: Any, restarted: Any) -> None:
    alice.do("Balance")
    used = alice.do("GetApiKeyInfo")
    restarted()
    assert alice.send("Balance", f"nonce={alice.nonce}".encode(), str(alice.nonce))["error"] == ["EAPI:Invalid nonce"]
    assert alice.do("GetApiKeyInfo").keys() == used.keys()


def test_who_asked_too_often_has_to_wait_all_the_same(world: World, alice: Any, restarted: Any) -> None:
    restarted(tier="starter")
    for _ in range(7):
        alice.do("Ledgers")
    assert alice.error("Ledgers") == "EAPI:Rate limit exceeded"
    restarted(tier="starter")
    assert alice.error("Ledgers") == "EAPI:Rate limit exceeded"
    world.clock.forward(10)
    alice.do("Ledgers")


def test_money_outside_of_trading_is_where_it_was(world: World, alice: Any, restarted: Any) -> None:
    alice.do("Withdraw", asset="XBT", key="my btc", amount="0.1")
    alice.do("CreateSubaccount", username="sub", email="a@b.c")
    alice.do("DepositAddresses", asset="XBT", method="Bitcoin", new="true")
    [strategy] = [each["id"] for each in alice.do("Earn/Strategies", asset="ETH")["items"]][:1]
    alice.do("Earn/Allocate", strategy_id=strategy, amount="1")
    asked = ("WithdrawStatus", "BalanceEx", "Ledgers", "Earn/Allocations")
    before = {method: alice.do(method) for method in asked}
    addresses = alice.do("DepositAddresses", asset="XBT", method="Bitcoin")
    restarted()
    assert {method: alice.do(method) for method in asked} == before
    assert alice.do("DepositAddresses", asset="XBT", method="Bitcoin") == addresses
    assert alice.error("CreateSubaccount", username="sub", email="a@b.c")


def test_reports_and_orders_that_were_never_in_the_book_can_be_asked_for(
    world: World, alice: Any, bobby: Any, limit: Any, restarted: Any
) -> None:
    limit(bobby, "sell", "0.001", "84000")
    report = alice.do("AddExport", report="trades", description="mine")["id"]
    stillborn = limit(alice, "buy", "0.001", "84000", oflags="post")
    standing = limit(alice, "buy", "0.001", "80000")
    alice.do("AmendOrder", txid=standing, limit_price="80001")
    asked: list[tuple[str, dict[str, str]]] = [
        ("ExportStatus", {"report": "trades"}),
        ("QueryOrders", {"txid": f"{stillborn},{standing}"}),
        ("OrderAmends", {"order_id": standing}),
        ("OpenOrders", {}),
        ("ClosedOrders", {}),
        ("TradeVolume", {"pair": "XBTUSD"}),
    ]
    world.clock.forward(5)
    before = [alice.do(method, **fields) for method, fields in asked]
    restarted()
    assert [alice.do(method, **fields) for method, fields in asked] == before
    alice.do("RemoveExport", id=report, type="delete")


def test_it_goes_on_with_the_ids_that_it_would_have_given(world: World, alice: Any, limit: Any, restarted: Any) -> None:
    """Two venues restored from one state are one and the same."""
    limit(alice, "buy", "0.001", "80000")
    restarted()
    state = world.exchange.random.getstate()
    first = limit(alice, "buy", "0.002", "80000")
    world.exchange.random.setstate(state)
    restart(world)
    assert first in alice.do("OpenOrders")["open"]


def test_a_damaged_state_is_refused(world: World) -> None:
    assert isinstance(world.protocol, KrakenSpot)
    for room in ({"exports": {"_reports": {"ABCD": {"id": 5}}}}, {"tokens": {"issued": {"a": 5}}}):
        with pytest.raises(InvalidValue, match="saved state: "):
            world.protocol.restore(room)
