"""Routed orders whose legs get lost on either way: certain in the end, and never bought twice."""

from __future__ import annotations

from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest

from exchange_core import Hub, OrderRequest
from exchange_core.portfolio import Portfolio, PortfolioView, explain
from exchange_core.routing import Router, RouteResult
from exchange_core.routing.leg import Patience
from exchange_core.routing.result import LegOutcome
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.schedule import Fault, Where
from exchange_core.simulator.faults.tally import Tally
from exchange_core.simulator.launch import ACCOUNT, RunningSimulator
from exchange_core.venue.resolver import ResolvePolicy
from tests.house.chaos import NOTHING, SPOT, FastClock
from tests.house.chaos_hub import both, followed, hub_of
from tests.house.chaos_line import ON_LINE, PATIENT, SPEED

PATIENCE = Patience(sending=2.0, ending=0.2, asking=0.2, fills=0.2, between_asks=0.05)
BY_REST: dict[str, Any] = {"http": SPOT.place}
REQUEST: dict[str, Any] = {"websocket": Where.IN, "contains": '"method":"add_order"'}
ANSWER: dict[str, Any] = {"websocket": Where.OUT, "contains": '"method":"add_order"'}
ASKING: dict[str, Any] = {"http": "/0/private/*", "lacks": "ordertype"}


def lost(action: actions.Action, **given: Any) -> Fault:
    return Fault(action=action, **given)


LOST_ANSWERS = [
    pytest.param("rest", lost(actions.DropAnswer(), **BY_REST), id="rest drop-answer"),
    pytest.param("rest", lost(actions.BadGateway(acts=True), **BY_REST), id="rest bad-gateway"),
    pytest.param("auto", lost(actions.Drop(), **ANSWER), id="line drop"),
    pytest.param("auto", lost(actions.Cut(), times=1, **ANSWER), id="line cut"),
]


class Sent:
    """How many orders were sent to one venue, by either way."""

    def __init__(self, running: RunningSimulator) -> None:
        self._ways: list[Tally] = [
            running.faults.add(Fault(action=actions.Pass(), **way)) for way in (BY_REST, REQUEST)
        ]

    @property
    def over(self) -> tuple[int, int]:
        by_rest, by_line = self._ways
        return by_rest.matched, by_line.matched

    @property
    def count(self) -> int:
        return sum(self.over)


async def routed(
    hub: Hub, running: dict[str, RunningSimulator], *faults: Fault, retries: int = 0, **given: Any
) -> tuple[RouteResult, Sent, Sent]:
    """Buy on both venues, over a bad line to the second; return also how many orders were sent to each."""
    async with AsyncExitStack() as stack:
        if hub["one"]._parts.rest._config.order_entry == "auto":
            await stack.enter_async_context(followed(hub))
        router = Router(hub.venues, patience=PATIENCE, **given)
        plan = await router.plan(OrderRequest(symbol="BTC/USD", side="buy", quantity="1"))
        assert {leg.venue for leg in plan.legs} == {"one", "two"}
        one, two = Sent(running["one"]), Sent(running["two"])
        for fault in faults:
            running["two"].faults.add(fault)
        result = await router.execute(plan, retries=retries)
        return result, one, two


@pytest.mark.parametrize(("way", "fault"), LOST_ANSWERS)
async def test_a_leg_whose_answer_is_lost_is_certain_in_the_end_and_all_sums_are_explained(
    way: str, fault: Fault
) -> None:
    options: dict[str, Any] = {"request_timeout": 0.5} if way == "auto" else {}
    async with both(order_entry=way, **options) as (running, config, keys), hub_of(config, keys) as hub:
        holdings = Portfolio(hub.venues, "USD")
        before = await holdings.refresh()
        result, one, two = await routed(hub, running, fault, retries=2)
        after = await holdings.refresh()
        assert (one.count, two.count) == (1, 1)
        assert two.over == ((1, 0) if way == "rest" else (0, 1))
        assert {leg.outcome for leg in result.legs} == {LegOutcome.FILLED}
        assert (result.is_certain, result.filled, result.unknown) == (True, Decimal(1), NOTHING)
        assert sum(fill.quantity for each in running.values() for fill in each.exchange.fills(ACCOUNT)) == 1
        explained(before, after, result)


@pytest.mark.parametrize(
    ("way", "fault"),
    [
        pytest.param("rest", lost(actions.DropRequest(), **BY_REST), id="rest"),
        pytest.param("auto", lost(actions.Drop(), **REQUEST), id="line drop"),
        pytest.param("auto", lost(actions.Cut(), times=1, **REQUEST), id="line cut"),
    ],
)
async def test_a_leg_that_never_arrived_is_certain_and_only_then_bought_elsewhere(way: str, fault: Fault) -> None:
    clock = FastClock(SPEED)
    options = ON_LINE | {"order_entry": way}
    async with both(clock, **options) as (running, config, keys), hub_of(config, keys, PATIENT, clock) as hub:
        holdings = Portfolio(hub.venues, "USD", clock=clock)
        before = await holdings.refresh()
        result, one, two = await routed(hub, running, fault, retries=1, clock=clock)
        after = await holdings.refresh()
        assert (one.count, two.count) == (2, 1)
        assert two.over == ((1, 0) if way == "rest" else (0, 1))
        outcomes = [(leg.leg.venue, leg.outcome) for leg in result.legs]
        assert sorted(outcomes[:2]) == [("one", LegOutcome.FILLED), ("two", LegOutcome.REFUSED)]
        assert outcomes[2:] == [("one", LegOutcome.FILLED)]
        assert (result.is_certain, result.filled, result.remainder) == (True, Decimal(1), NOTHING)
        assert not running["two"].exchange.fills(ACCOUNT)
        explained(before, after, result)


@pytest.mark.parametrize(
    ("way", "fault"),
    [
        pytest.param("rest", lost(actions.DropAnswer(), **BY_REST), id="rest"),
        pytest.param("auto", lost(actions.Drop(), **ANSWER), id="line"),
    ],
)
async def test_a_leg_that_cannot_be_asked_for_stays_unknown_and_is_not_sent_elsewhere(way: str, fault: Fault) -> None:
    policy = ResolvePolicy(wait=0.3)
    options: dict[str, Any] = {"order_entry": way, "request_timeout": 0.5}
    async with both(**options) as (running, config, keys), hub_of(config, keys, policy) as hub:
        deaf = Fault(action=actions.DropRequest(), **ASKING)
        mute = Fault(action=actions.Drop(), websocket=Where.OUT, contains="executions")
        result, one, two = await routed(hub, running, fault, deaf, mute, retries=2)
        (leg,) = (leg for leg in result.legs if leg.leg.venue == "two")
        assert (one.count, two.count) == (1, 1)
        assert (result.is_certain, leg.outcome) == (False, LegOutcome.UNKNOWN)
        assert result.unknown == leg.leg.quantity
        assert result.filled + result.unknown + result.remainder == 1
        # It was executed, as it happens: sending its quantity elsewhere would have been a second order.
        assert sum(fill.quantity for fill in running["two"].exchange.fills(ACCOUNT)) == leg.leg.quantity


def explained(before: PortfolioView, after: PortfolioView, result: RouteResult) -> None:
    """Kraken Spot keeps dollars with a decimal less than it tells of costs; nothing else may be off."""
    proof = explain(before.balances, after.balances, result.fills, steps={"USD": Decimal("0.0001")})
    assert proof.agrees
    assert all(row.difference == 0 for row in proof.rows if row.asset != "USD")
