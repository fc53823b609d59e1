"""The fixture ``simulated_exchange``, as authors of plugins and users of other clients have it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any

import pytest

from exchange_core import OrderRequest, OrderStatus, connect
from exchange_core.connector.simulation import SimRequest
from exchange_core.errors import ConfigError, InvalidValue, NotSupported
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import OrderType
from exchange_core.simulator.faults.actions import Delay, DelayAnswer, DropAnswer, Restart
from exchange_core.simulator.faults.schedule import Fault, parse_faults

Start = Callable[..., Any]
BTC = Symbol.parse("BTC/USD")


def ask(venue: Any, call: str) -> Any:
    """Ask as a client that blocks does."""
    with urllib.request.urlopen(f"{venue.urls['rest_url']}{call}", timeout=20) as reply:
        return json.load(reply)


def test_pytest_finds_the_fixture_by_its_entry_point() -> None:
    [found] = [each for each in entry_points(group="pytest11") if each.value == "exchange_core.testing.pytest_plugin"]
    assert found.name == "exchange_core"


def test_the_plugin_imports_nothing_before_a_test_asks() -> None:
    program = "import sys, exchange_core.testing.pytest_plugin; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.split())
    ours = {name for name in loaded if name.startswith(("exchange_core.", "kraken_"))}
    assert ours == {"exchange_core.testing", "exchange_core.testing.pytest_plugin"}
    assert not loaded & {"attrs", "httpx", "msgspec", "websockets"}


def test_a_client_that_blocks_can_be_tested(simulated_exchange: Start) -> None:
    venue = simulated_exchange("kraken_spot")
    best = ask(venue, "/0/public/Depth?pair=XBTUSD&count=1")["result"]["XXBTZUSD"]["bids"][0][0]
    assert Decimal(best) == venue.exchange.book(BTC, 1)[0][0].price


async def test_a_client_that_awaits_can_be_tested_and_faults_strike_it(simulated_exchange: Start) -> None:
    venue = simulated_exchange("kraken_spot")
    lost = venue.faults.add(Fault(http="/0/private/AddOrder", action=DropAnswer(), times=1))
    async with connect("kraken_spot", **venue.settings()) as client:
        order = await client.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.01"))
    assert (order.unknown, order.status, lost.fired) == (False, OrderStatus.FILLED, 1)
    assert [fill.quantity for fill in venue.exchange.fills("user")] == [Decimal("0.01")]
    venue.run(lost.until_fired())


def test_markets_stand_still_unless_they_are_to_move(simulated_exchange: Start) -> None:
    venue = simulated_exchange("kraken_spot", stepped=True)
    before = venue.exchange.book(BTC)
    venue.advance(5)
    assert venue.exchange.book(BTC) == before
    moving = simulated_exchange("kraken_spot", stepped=True, moving=True)
    before = moving.exchange.book(BTC)
    moving.advance(5)
    assert moving.exchange.book(BTC) != before


@pytest.mark.parametrize("in_process", [True, False])
def test_time_passes_only_when_told(simulated_exchange: Start, in_process: bool) -> None:
    venue = simulated_exchange("kraken_spot", stepped=True, in_process=in_process)
    waiting = SimRequest(symbol=BTC, side=Side.BUY, type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(1))
    venue.exchange.place("user", waiting)
    venue.exchange.cancel_all_after("user", 60)
    venue.advance(59)
    assert venue.exchange.open_orders("user")
    venue.advance(2)
    assert not venue.exchange.open_orders("user")


async def test_a_client_can_trade_where_time_stands_still(simulated_exchange: Start) -> None:
    venue = simulated_exchange("kraken_spot", stepped=True, start=datetime(2030, 1, 1, tzinfo=UTC))
    async with connect("kraken_spot", **venue.settings()) as client:
        order = await client.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.01"))
        assert not order.unknown
    assert "order_deadline" not in simulated_exchange("kraken_spot").settings()


def test_real_time_cannot_be_advanced(simulated_exchange: Start) -> None:
    with pytest.raises(NotSupported, match="stepped=True"):
        simulated_exchange("kraken_spot").advance(1)


def test_accounts_have_keys_permissions_and_deposits(simulated_exchange: Start) -> None:
    venue = simulated_exchange("kraken_spot", in_process=True)
    alice = venue.account("alice", {"USD": "10"}, permissions=["query-funds"])
    venue.deposit("USD", "2.5", "alice")
    assert [(each.asset, each.total) for each in venue.exchange.balances("alice")] == [("USD", Decimal("12.5"))]
    assert venue.exchange.key(alice.api_key).permissions == {"query-funds"}
    assert venue.account("alice").api_key not in (alice.api_key, venue.api_key)
    with pytest.raises(ConfigError, match="account 'alice': 'fly' is no permission"):
        venue.account("alice", permissions=["fly"])
    with pytest.raises(ConfigError, match="account 'bob': deposits: 'XBT' is no asset"):
        venue.account("bob", {"XBT": "1"})
    with pytest.raises(InvalidValue, match=r"deposit of USD: 10\.5 is a float"):
        venue.account("bob", {"USD": 10.5})


def test_in_process_there_are_no_ports(simulated_exchange: Start) -> None:
    venue = simulated_exchange("kraken_spot", in_process=True)
    assert venue.urls == {}
    assert b"unixtime" in venue.http("GET", "/0/public/Time").body
    socket = venue.socket("/v2")
    socket.say('{"method":"ping"}')
    assert any("pong" in frame for frame in socket.take())
    with pytest.raises(NotSupported, match="need sockets"):
        simulated_exchange("kraken_spot", in_process=True, moving=True)


def test_when_the_test_ends_so_does_the_venue() -> None:
    from exchange_core.testing.simulated import simulated_venue

    with simulated_venue("kraken_futures") as venue:
        assert ask(venue, "/derivatives/api/v3/tickers")["result"] == "success"
    with pytest.raises(urllib.error.URLError):
        ask(venue, "/derivatives/api/v3/tickers")


def test_a_venue_that_cannot_start_says_why(simulated_exchange: Start) -> None:
    port = int(simulated_exchange("kraken_spot").urls["rest_url"].rpartition(":")[2])
    with pytest.raises(OSError, match=str(port)):
        simulated_exchange("kraken_spot", port=port)


def test_faults_strike_in_process_as_on_sockets(simulated_exchange: Start) -> None:
    rules = {"faults": [{"http": "/0/public/Time", "nth": 2, "action": "drop-answer"}]}
    venue = simulated_exchange("kraken_spot", in_process=True, faults=parse_faults(rules))
    assert venue.http("GET", "/0/public/Time").status == 200
    with pytest.raises(ConnectionResetError, match="/0/public/Time"):
        venue.http("GET", "/0/public/Time")
    late = venue.faults.add(Fault(http="*", action=DelayAnswer(30), times=1))
    before = venue.exchange.now()
    assert venue.http("GET", "/0/public/Time").status == 200
    assert (late.fired, (venue.exchange.now() - before).total_seconds()) == (1, 30)
    socket = venue.socket("/v2")
    assert len(socket.take()) == 1
    venue.faults.add(Fault(action=Restart(seconds=10)))
    venue.advance(1)
    socket.say('{"method":"ping"}')
    assert socket.take() == []
    assert socket.session.is_cut
    assert b'"maintenance"' in venue.http("GET", "/0/public/SystemStatus").body
    venue.advance(10)
    assert b'"online"' in venue.http("GET", "/0/public/SystemStatus").body


def test_what_is_late_in_process_comes_when_time_has_passed(simulated_exchange: Start) -> None:
    venue = simulated_exchange("kraken_spot", in_process=True)
    socket = venue.socket("/v2")
    socket.take()
    venue.faults.add(Fault(websocket="out", action=Delay(5)))
    socket.say('{"method":"ping"}')
    venue.advance(4)
    assert socket.take() == []
    venue.advance(1)
    assert len(socket.take()) == 1
