"""Each fault of the traffic that docs/simulator.md writes out does on the wire of the venues what its name says."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from exchange_core.connector.rest import HttpRequest
from exchange_core.errors import NotSupported
from exchange_core.simulator.faults.actions import Answer
from exchange_core.simulator.faults.schedule import Fault, parse_faults
from exchange_core.simulator.faults.tally import Faults, Tally
from tests.simulator.faults_home import (
    DOCUMENTED,
    PLUGINS,
    STATUS,
    Checks,
    Home,
    cases,
    follow_alice,
    updates,
)

CHECKS = Checks()
shows = CHECKS.shows


@shows("drop the request")
def _(home: Home, tally: Tally) -> None:
    assert home.place() == (0, "ConnectionResetError")


@shows("drop the answer after acting")
@shows("cut the answer")
def _(home: Home, tally: Tally) -> None:
    assert home.place() == (1, "ConnectionResetError")


@shows("delay the request")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created - before == timedelta(seconds=2)


@shows("delay the answer")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created == before
    assert home.exchange.now() - before == timedelta(seconds=2)


@shows("the order comes twice")
def _(home: Home, tally: Tally) -> None:
    # The second has a nonce that was used: both venues know a twin by it.
    assert home.place()[0] == 1
    assert "rror" not in home.replies[-1].body.decode().replace('"error":[]', "")


@shows("502 with a page of HTML")
def _(home: Home, tally: Tally) -> None:
    placed, said = home.place()
    assert (placed, home.replies[-1].status, said[:6]) == (1, 502, "<html>")


@shows("slow answers")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created == before
    assert home.exchange.now() - before == timedelta(seconds=len(home.replies[-1].body) / 20)


@shows("slow reads")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created - before > timedelta(seconds=0.5)


@shows("cut the socket")
def _(home: Home, tally: Tally) -> None:
    socket, other = home.books(), home.books()
    other.session.closed()
    socket.take()
    home.change(5)
    assert len(updates(socket.take())) == 2
    assert socket.session.is_cut  # type: ignore[attr-defined]
    home.change()
    assert socket.take() == []


@shows("freeze a subscription that was acknowledged")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    assert any("ubscribe" in frame for frame in socket.take())
    home.change(3)
    assert socket.take() == []
    socket.say('{"method":"ping","event":"ping"}')
    assert len(socket.take()) == 1


@shows("silence")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    home.change(3)
    socket.say('{"method":"ping","event":"ping"}')
    assert socket.take() == []
    assert not socket.session.is_cut  # type: ignore[attr-defined]


@shows("drop frames")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change(6)
    found = [json.loads(frame) for frame in updates(socket.take())]
    assert len(found) == 3
    if home.section == "futures":
        assert [later["seq"] - sooner["seq"] for sooner, later in pairwise(found)] == [2, 2]


@shows("duplicate frames")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change(2)
    first, again, other = updates(socket.take())
    assert first == again != other


@shows("reorder frames")
def _(home: Home, tally: Tally) -> None:
    swapped, straight = home.books(), home.books()
    swapped.take()
    straight.take()
    home.change(3)
    late, told = updates(swapped.take()), updates(straight.take())
    assert late == [told[1], told[0], told[2]]


@shows("corrupt frames")
def _(home: Home, tally: Tally) -> None:
    broken, straight = home.books(), home.books()
    for socket in (broken, straight):
        socket.take()
    home.change()
    [wrong] = updates(broken.take())
    home.faults.clear()
    [right] = updates(straight.take())
    assert [sooner.isdigit() for sooner, later in zip(right, wrong, strict=True) if sooner != later] == [True]


@shows("no JSON")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change()
    [half] = socket.take()
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(half)


@shows("late frames")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change()
    home.advance(9)
    assert updates(socket.take()) == []
    home.advance(1)
    assert len(updates(socket.take())) == 1


@shows("a wrong checksum")
def _(home: Home, tally: Tally) -> None:
    broken, straight = home.books(), home.books()
    home.change()
    [wrong] = updates(broken.take())
    home.faults.clear()
    [right] = updates(straight.take())
    [told], [meant] = json.loads(wrong)["data"], json.loads(right)["data"]
    assert told.pop("checksum") != meant.pop("checksum")
    assert told == meant


@shows("a gap in the sequence of an account's frames")
def _(home: Home, tally: Tally) -> None:
    said = follow_alice(home)
    home.change(2)
    assert json.loads(said()[0])["sequence"] == 3  # the snapshot was 1


@shows("a token that expired")
def _(home: Home, tally: Tally) -> None:
    with pytest.raises(AssertionError):
        follow_alice(home)
    home.faults.clear()
    follow_alice(home)


@pytest.mark.parametrize(("section", "fault"), list(cases(of_the_venue=False)))
def test_the_fault_does_what_its_name_says(section: str, fault: Fault) -> None:
    CHECKS.run(section, fault)


def _answers() -> list[Fault]:
    return [fault for fault in DOCUMENTED if isinstance(fault.action, Answer) and fault.http]


@pytest.mark.parametrize(
    "fault", _answers(), ids=lambda fault: f"{fault.http} {fault.action.body or fault.action.status}"
)
def test_an_error_in_the_venue_s_words_is_what_the_client_gets(fault: Fault) -> None:
    assert fault.http is not None
    section = "spot" if fault.http.startswith("/0/") else "futures"
    home = Home(section)
    home.faults.add(fault)
    request = HttpRequest(fault.method or "POST", fault.http.replace("*", "AddOrder"), {}, b"")
    replies = [home.http(request) for _ in range(1000 if fault.chance < 1 else fault.nth or 1)]
    assert isinstance(fault.action, Answer)
    assert any(
        (reply.status, reply.body.decode()) == (fault.action.status, fault.action.body)
        and fault.action.headers.items() <= reply.headers.items()
        for reply in replies
    )


@pytest.mark.parametrize("section", PLUGINS)
def test_the_same_seed_gives_the_same_faults_on_the_wire(section: str) -> None:
    def run(seed: int) -> list[str]:
        home = Home(section)
        rules = [
            {"name": "lost", "http": "*", "chance": 0.2, "action": "drop-answer"},
            {"websocket": "out", "chance": 0.3, "action": "corrupt"},
        ]
        home.meet(Faults(home.world.clock, parse_faults({"seed": seed, "faults": rules})))
        said = []
        for _ in range(20):
            try:
                said.append(home.http(HttpRequest("GET", STATUS[section], {}, b"")).body.decode())
            except ConnectionResetError:
                said.append("lost")
        socket = home.books()
        home.change(10)
        return said + socket.take()

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_a_slow_websocket_needs_sockets() -> None:
    home = Home("spot")
    rule = {"websocket": "open", "action": "slow-write", "bytes_per_second": 5}
    home.faults.add(parse_faults({"faults": [rule]}).faults[0])
    with pytest.raises(NotSupported, match="needs sockets"):
        home.world.socket("/v2")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"action": "drop-request"}, "opens no WebSocket$"),
        ({"action": "bad-gateway"}, "opens no WebSocket: status 502"),
    ],
)
def test_a_handshake_is_struck_in_process_too(rule: dict[str, Any], said: str) -> None:
    home = Home("futures")
    home.faults.add(parse_faults({"faults": [{"websocket": "open", **rule}]}).faults[0])
    with pytest.raises(ConnectionResetError, match=said):
        home.world.socket("/ws/v1")
