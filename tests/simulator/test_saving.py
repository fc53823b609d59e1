"""An exchange can be saved as one JSON value and goes on as if nothing had been."""

import json
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.simulation import SimEvent, SimRefused, SimulatorSpec
from exchange_core.errors import InvalidValue
from exchange_core.simulator.exchange import SimulatedExchange
from tests.simulator.conftest import MARKETS, RICH_MARKETS, Desk
from tests.simulator.test_long_way import Walk


def restored(desk: Desk, spec: SimulatorSpec, **more: Any) -> Desk:
    saved = json.loads(json.dumps(desk.exchange.save()))
    markets = more.get("markets", RICH_MARKETS)
    return Desk(SimulatedExchange.restore(spec, saved, clock=desk.clock, markets=markets), desk.clock)


def walk_on(walk: Walk, steps: int) -> None:
    for _ in range(steps):
        try:
            walk.step()
        except SimRefused:
            continue


@pytest.mark.parametrize("seed", [21, 22])
def test_a_restored_exchange_goes_on_as_the_saved_one_would(spec: SimulatorSpec, seed: int) -> None:
    walk = Walk(seed)
    walk_on(walk, 350)
    desk = restored(walk.desk, spec)
    desk.exchange.check_invariants()
    assert desk.state() == walk.desk.state()
    ways: list[list[SimEvent]] = []
    choices, moment, middle = walk.random.getstate(), walk.desk.clock.moment, walk.middle
    for exchange in (walk.exchange, desk.exchange):
        events: list[SimEvent] = []
        exchange.listen(events.append)
        walk.random.setstate(choices)
        walk.desk.clock.moment, walk.middle, walk.exchange = moment, middle, exchange
        walk_on(walk, 150)
        ways.append(events)
    assert len(ways[0]) > 200
    assert ways[0] == ways[1]
    desk.exchange.check_invariants()


def test_what_was_due_meanwhile_is_done_at_its_time(desk: Desk, spec: SimulatorSpec) -> None:
    order = desk.place("alice", "buy", "1", "99", expires=desk.clock.moment.replace(hour=1))
    later = restored(desk, spec, markets=MARKETS)
    desk.clock.advance(2 * 3600)
    later.exchange.step()
    ended = later.exchange.order("alice", order.id)
    assert ended is not None
    assert (ended.status, ended.updated.hour) == ("expired", 1)


def test_no_secret_is_saved(desk: Desk, spec: SimulatorSpec) -> None:
    desk.exchange.add_key("alice", "the-key", "the-secret")
    desk.exchange.accept_nonce("the-key", 5)
    assert "the-secret" not in json.dumps(desk.exchange.save())
    later = restored(desk, spec, markets=MARKETS).exchange
    assert later.key("the-key") is None
    assert not later.accept_nonce("the-key", 5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 0}, "format 0; this program reads 2"),
        ({"markets": {}}, "lacks BTC/USD, BTC/USD:BTC, BTC/USD:USD; expected the 3 markets"),
        ({"random": [3]}, "is damaged"),
        ({"accounts": [{"name": "alice"}]}, "is damaged: KeyError: 'keep'"),
        ({"house": None}, "is damaged"),
    ],
)
def test_another_state_is_refused(desk: Desk, spec: SimulatorSpec, change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        SimulatedExchange.restore(spec, {**desk.exchange.save(), **change}, clock=desk.clock)


def test_every_digit_is_kept(desk: Desk, spec: SimulatorSpec) -> None:
    desk.place("alice", "buy", "1.500", "99.0")
    (order,) = restored(desk, spec, markets=MARKETS).exchange.open_orders("alice")
    assert (str(order.request.quantity), order.request.price) == ("1.500", Decimal("99.0"))
