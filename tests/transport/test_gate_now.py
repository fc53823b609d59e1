"""Calls that may leave at once need not wait for anything; all others do."""

import asyncio

import pytest

from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.testing.clock import ManualClock
from exchange_core.transport.gate import Gate

CALL = (Cost("calls"),)


@pytest.fixture
def gate(clock: ManualClock) -> Gate:
    return Gate(Limits({"calls": DecayingCounter(2, 1)}), clock, "testex")


def test_what_passes_at_once_is_counted(gate: Gate) -> None:
    tickets = [gate.enter_now(CALL) for _ in range(3)]
    assert [ticket is not None for ticket in tickets] == [True, True, False]
    assert [state.level for state in gate.states()] == [2]


def test_what_does_not_pass_is_not_counted(gate: Gate) -> None:
    assert gate.enter_now((Cost("calls", 2),)) is not None
    assert gate.enter_now(CALL) is None
    assert [state.level for state in gate.states()] == [2]


def test_one_with_a_nonce_waits_for_the_one_before_it(gate: Gate) -> None:
    first = gate.enter_now((), in_turn=True)
    assert first is not None
    assert gate.enter_now((), in_turn=True) is None
    assert gate.enter_now(()) is not None
    first.release()
    assert gate.enter_now((), in_turn=True) is not None


async def test_nothing_overtakes_one_that_waits(gate: Gate) -> None:
    first = gate.enter_now((), in_turn=True)
    assert first is not None
    waiting = asyncio.create_task(gate.enter((), in_turn=True))
    await asyncio.sleep(0)
    assert gate.enter_now(CALL) is None
    first.release()
    (await waiting).release()
    assert gate.enter_now(CALL) is not None
