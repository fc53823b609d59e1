"""What only the wire keeps is still there in a venue that was saved and restored."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from exchange_core.errors import InvalidValue
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.world import World
from kraken_futures.simulator.protocol import KrakenFutures

HISTORY = "/api/history/v3/"


@pytest.fixture
def restart(world: World, alice: Any, bobby: Any) -> Callable[..., str]:
    """Return what lets the venue be another, restored from its saved state, with the same keys, under both clients."""

    def run(*, limited: bool = False) -> str:
        assert isinstance(world.protocol, KrakenFutures)
        text = json.dumps({"exchange": world.exchange.save(), "wire": world.protocol.saved()})
        saved = json.loads(text)
        exchange = SimulatedExchange.restore(world.simulator, saved["exchange"], clock=world.clock)
        for name in ("alice", "bobby"):
            exchange.add_key(name, name, world.credentials(name).api_secret)
        world.exchange, world.protocol = exchange, KrakenFutures(exchange, limited=limited)
        world.protocol.restore(saved["wire"])
        alice.protocol = bobby.protocol = world.protocol
        return text

    return run


def test_what_was_chosen_and_put_aside_stays(alice: Any, restart: Any) -> None:
    alice.put("leveragepreferences", symbol="PF_XBTUSD", maxLeverage="7")
    alice.put("pnlpreferences", symbol="PF_ETHUSD", pnlPreference="BTC")
    alice.put("self-trade-strategy", strategy="CANCEL_MAKER_SELF")
    alice.post("transfer", fromAccount="flex", toAccount="cash", unit="USD", amount="100.50")
    alice.post(
        "assignmentprogram/add",
        contractType="flexible_futures",
        timeFrame="ALL",
        acceptLong="true",
        acceptShort="false",
        enabled="true",
        maxSize="1.50",
    )
    asked = (
        "leveragepreferences",
        "pnlpreferences",
        "self-trade-strategy",
        "accounts",
        "assignmentprogram/current",
        "assignmentprogram/history",
        "notifications",
    )
    before = {path: alice.get(path) for path in asked}
    assert before["leveragepreferences"]["leveragePreferences"]
    assert alice.keys.api_secret not in restart()
    assert {path: alice.get(path) for path in asked} == before


def test_histories_are_the_same_to_the_last_digit(world: World, alice: Any, bobby: Any, restart: Any) -> None:
    alice.get("accounts")  # its histories begin
    bobby.order("lmt", "sell", "0.5", "84000")
    alice.order("lmt", "buy", "0.2", "84000")
    alice.order("stp", "sell", "0.1", stopPrice="80000", triggerSignal="mark")
    order = alice.order("lmt", "buy", "0.2", "83000")
    alice.post("editorder", orderId=order["order_id"], size="0.3")
    alice.post("cancelorder", order_id=order["order_id"])
    world.clock.forward(7200)
    paths = [HISTORY + name for name in ("executions", "orders", "triggers", "positions", "account-log")]
    paths += ["fills", "openpositions", "openorders", "feeschedules/volumes"]
    alice.get("accounts")
    before = {path: alice.raw("GET", path if path[0] == "/" else f"/derivatives/api/v3/{path}").body for path in paths}
    assert len(json.loads(before[f"{HISTORY}account-log"])["logs"]) == 4
    restart()
    for path, body in before.items():
        full = path if path[0] == "/" else f"/derivatives/api/v3/{path}"
        assert alice.raw("GET", full).body == body, path


def test_nonces_and_client_ids_are_not_taken_twice(alice: Any, restart: Any) -> None:
    path = "/derivatives/api/v3/accounts"
    alice.raw("GET", path, nonce="1415957147987")
    assert alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["status"] == "placed"
    restart()
    assert json.loads(alice.raw("GET", path, nonce="1415957147987").body)["error"] == "nonceDuplicate"
    assert alice.order("lmt", "buy", "0.1", "80000", cliOrdId="mine")["status"] == "clientOrderIdAlreadyExist"


def test_who_asked_too_often_has_to_wait_all_the_same(world: World, alice: Any, restart: Any) -> None:
    restart(limited=True)
    for _ in range(500):
        if alice.get("accounts")["result"] == "error":
            break
    restart(limited=True)
    assert alice.get("accounts")["error"] == "apiLimitExceeded"
    world.clock.forward(11)
    assert alice.get("accounts")["result"] == "success"


def test_a_books_sequence_goes_on(alice: Any, connect: Any, restart: Any) -> None:
    def sequence() -> int:
        frames = connect().send("subscribe", feed="book", product_ids=["PF_XBTUSD"])
        return int(next(frame["seq"] for frame in frames if frame.get("feed") == "book_snapshot"))

    alice.order("lmt", "buy", "0.1", "80000")
    before = sequence()
    restart()
    assert sequence() == before
    alice.order("lmt", "buy", "0.1", "80001")
    assert sequence() == before + 1


def test_a_damaged_state_is_refused(world: World) -> None:
    assert isinstance(world.protocol, KrakenFutures)
    with pytest.raises(InvalidValue, match="saved state: "):
        world.protocol.restore({"notices": {"_told": [{"id": 5}]}})
