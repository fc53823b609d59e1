"""Each fault of the venue itself that docs/simulator.md writes out shows on the wire as its name says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from exchange_core.errors import ExchangeError
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.simulator.faults.line import FaultyProtocol
from exchange_core.simulator.faults.schedule import Fault, FaultSchedule, parse_faults
from exchange_core.simulator.faults.tally import Faults, Tally
from exchange_core.testing.world import Socket
from kraken_spot.feed.base import token
from tests.simulator.faults_home import PLUGINS, STATUS, Checks, Home, cases, follow_alice

CHECKS = Checks()
shows = CHECKS.shows


def _over_websocket(home: Home, auth: Socket, token: str) -> str:
    """Let alice place an order over a WebSocket; return what the venue said."""
    order = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.001, "limit_price": 50000}
    auth.take()
    auth.say(json.dumps({"method": "add_order", "params": {**order, "token": token}}))
    return auth.take()[-1]


def _state(home: Home, word: str, *, symbol: bool = False) -> None:
    """Look at what the venue says of its state."""
    told = home.get(STATUS[home.section])
    if home.section == "spot":
        assert told["result"]["status"] == ("online" if symbol else word)
        pair = home.get("/0/public/AssetPairs?pair=XBTUSD")["result"]["XXBTZUSD"]
        assert pair["status"] == ("cancel_only" if word == "maintenance" else word)
    else:
        ticker = told["ticker"]
        assert (ticker["suspended"], ticker["postOnly"]) == (
            word in ("cancel_only", "maintenance"),
            word == "post_only",
        )


def _refused(home: Home, spot: str, futures: str, **options: Any) -> None:
    placed, said = home.place(**options)
    assert placed == 0
    assert (spot if home.section == "spot" else futures) in said


@shows("only cancels")
@shows("only cancels in one market")
def _(home: Home, tally: Tally) -> None:
    home.faults.clear()
    home.place()
    home.faults.add(tally.fault)
    one = getattr(tally.fault.action, "symbol", None) is not None
    _state(home, "cancel_only", symbol=one)
    _refused(home, "EService:Market in cancel_only mode", "marketSuspended")
    _refused(home, "EService:Market in cancel_only mode", "marketSuspended", post_only=True)
    other = home.exchange.markets()[1].instrument
    assert (other.status == "online") is one
    home.cancel()
    assert not home.orders
    if not one:
        home.advance(30)
        assert home.place()[0] == 1


@shows("only orders that must rest")
def _(home: Home, tally: Tally) -> None:
    _state(home, "post_only")
    _refused(home, "EService:Market in post_only mode", "marketIsPostOnly")
    assert home.place(post_only=True)[0] == 1


@shows("only orders with a limit")
def _(home: Home, tally: Tally) -> None:
    _refused(home, "EService:Market in limit_only mode", "", price=None)
    assert home.place()[0] == 1


@shows("only orders that reduce")
def _(home: Home, tally: Tally) -> None:
    _refused(home, "EService:Market in reduce_only mode", "")


@shows("maintenance")
def _(home: Home, tally: Tally) -> None:
    home.faults.clear()
    home.place()
    [standing] = home.orders
    socket = home.books()
    socket.take()
    home.exchange.cancel_all_after("alice", 5)
    private = (home.world.socket("/auth/v2"), home.alice.run(token())) if home.section == "spot" else None
    home.faults.add(tally.fault)
    home.advance(10)
    socket.tick()
    if private is not None:
        assert '"error":"EService:Unavailable"' in _over_websocket(home, *private)
        frames = [json.loads(frame) for frame in socket.take() if '"status"' in frame]
        assert frames[0]["data"] == [{"version": "2.0.10", "system": "maintenance", "api_version": "v2"}]
    _state(home, "maintenance")
    _refused(home, "EService:Unavailable", "Unavailable")
    assert "navailable" in home.cancel()
    if home.section == "futures":
        [notice] = home.alice.run(home.alice.rest.account.notifications())
        assert (notice.type, notice.priority) == ("maintenance", "high")
    assert [order.id for order in home.orders] == [standing.id]
    home.advance(20)  # the dead man's switch fires when the engine returns
    assert not home.orders
    assert home.exchange.state is VenueState.ONLINE
    assert home.place()[0] == 1


@shows("the engine restarts")
def _(home: Home, tally: Tally) -> None:
    home.faults.clear()
    home.place()
    socket = home.books()
    socket.take()
    private = follow_alice(home) if home.section == "spot" else socket.take
    old = home.replies[-1].body.decode()
    home.faults.add(tally.fault)
    home.advance(0.2)
    home.change(0)
    assert (socket.take(), private()) == ([], [])
    assert socket.session.is_cut  # type: ignore[attr-defined]
    _refused(home, "EService:Unavailable", "Unavailable")
    home.advance(10)
    assert len(home.orders) == 1
    assert len(home.books().take()) >= 2
    if home.section == "spot":
        again = home.world.socket("/auth/v2")
        token = json.loads(old)["result"]["token"]
        again.say(json.dumps({"method": "subscribe", "params": {"channel": "executions", "token": token}}))
        assert "ESession:Invalid session" in again.take()[-1]
    else:
        assert home.get("/derivatives/api/v3/history?symbol=PF_XBTUSD")["history"] == []


@shows("the engine restarts when the second order comes")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    assert home.place()[0] == 1
    _refused(home, "EService:Unavailable", "Unavailable")
    assert socket.session.is_cut  # type: ignore[attr-defined]
    home.advance(5)
    assert home.place()[0] == 1


@shows("a clock that is behind")
def _(home: Home, tally: Tally) -> None:
    home.wire.step()
    assert home.world.clock.now() - home.exchange.now() == timedelta(seconds=30)
    home.place()
    assert home.world.clock.now() - home.orders[-1].created == timedelta(seconds=30)


@shows("a clock that is fast")
def _(home: Home, tally: Tally) -> None:
    home.advance(1000)
    assert home.exchange.now() - home.world.clock.now() == timedelta(seconds=10)


@pytest.mark.parametrize(("section", "fault"), list(cases(of_the_venue=True)))
def test_the_fault_shows_as_its_name_says(section: str, fault: Fault) -> None:
    CHECKS.run(section, fault)


@pytest.mark.parametrize(
    ("section", "rule", "complaint"),
    [
        ("futures", {"action": "limit_only"}, "limit_only is no state of its markets; expected cancel_only, post_only"),
        ("futures", {"action": "cancel_only", "symbol": "BTC/USD"}, "there is no market BTC/USD, but BTC/USD:USD"),
        ("spot", {"action": "cancel_only", "symbol": "BTC/USD:USD"}, "or say venue = another one"),
    ],
)
def test_what_can_never_befall_a_venue_is_refused(section: str, rule: dict[str, Any], complaint: str) -> None:
    home = Home(section)
    [fault] = parse_faults({"faults": [rule]}).faults
    with pytest.raises(ExchangeError, match=complaint):
        home.faults.add(fault)
    assert not home.faults
    with pytest.raises(ExchangeError, match=complaint):
        FaultyProtocol(home.protocol, home.exchange, Faults(home.world.clock, FaultSchedule(faults=(fault,))))


@pytest.mark.parametrize("section", PLUGINS)
def test_a_state_ends_as_the_market_was_by_itself_and_is_not_saved(section: str) -> None:
    home = Home(section)
    home.faults.add(parse_faults({"faults": [{"action": "cancel_only", "seconds": 10}]}).faults[0])
    home.wire.step()
    home.exchange.set_status(home.symbol, InstrumentStatus.POST_ONLY)
    assert home.exchange.market(home.symbol).instrument.status == "cancel_only"
    assert home.exchange.save()["markets"][str(home.symbol)]["status"] == "post_only"
    home.advance(10)
    assert home.exchange.market(home.symbol).instrument.status == "post_only"
