import asyncio
from collections.abc import AsyncIterator, Coroutine

import pytest

from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.errors import RateLimited
from exchange_core.testing.clock import ManualClock
from exchange_core.transport.gate import Gate, Ticket

pytestmark = pytest.mark.usefixtures("watched")

CALL = (Cost("calls"),)
CANCEL = (Cost("calls", urgent=True),)


class Line:
    """Calls that queue, and the order in which they pass.

    Calls with a nonce, and others with *stays*, are under way until a test releases their ticket; the rest is answered
    at once.
    """

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.passed: list[str] = []
        self.tickets: dict[str, Ticket] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def join(
        self,
        name: str,
        costs: tuple[Cost, ...],
        in_turn: bool = False,
        max_wait: float = 1000,
        stays: bool = False,
    ) -> None:
        entering = self.gate.enter(costs, in_turn=in_turn, max_wait=max_wait)
        self.tasks[name] = asyncio.create_task(self._enter(name, entering, stays or in_turn))
        await turns()

    async def _enter(self, name: str, entering: Coroutine[None, None, Ticket], stays: bool) -> None:
        self.tickets[name] = await entering
        self.passed.append(name)
        if not stays:
            self.tickets[name].release()


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
async def line(limits: Limits, clock: ManualClock) -> AsyncIterator[Line]:
    line = Line(Gate(limits, clock, "testex"))
    yield line
    for task in line.tasks.values():
        task.cancel()


async def fill(line: Line, count: int) -> None:
    for number in range(count):
        await line.join(f"filler {number}", CALL)
    line.passed.clear()


async def test_calls_within_the_limit_pass_at_once(line: Line) -> None:
    for name in "abcd":
        await line.join(name, CALL)
    assert line.passed == ["a", "b", "c", "d"]


async def test_calls_over_the_limit_pass_one_by_one_in_their_order(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    for name in "abc":
        await line.join(name, CALL)
    assert line.passed == []
    await clock.advance(1)
    assert line.passed == ["a"]
    await clock.advance(2)
    assert line.passed == ["a", "b", "c"]


async def test_a_small_call_does_not_overtake_a_large_one(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    await line.join("large", (Cost("calls", 3),))
    await line.join("small", (Cost("calls", 1),))
    await clock.advance(2)
    assert line.passed == []
    await clock.advance(2)
    assert line.passed == ["large", "small"]


async def test_a_cancel_overtakes_orders_and_uses_what_is_kept_for_it(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    await line.join("order", CALL)
    await line.join("cancel", CANCEL)
    assert line.passed == ["cancel"]
    await line.join("another cancel", CANCEL)
    await clock.advance(1)
    assert line.passed == ["cancel", "another cancel"]


async def test_one_full_pool_holds_up_no_other(clock: ManualClock) -> None:
    limits = Limits(limiters={name: DecayingCounter(maximum=1, decay=0.1) for name in ("calls", "history")})
    line = Line(Gate(limits, clock))
    await fill(line, 1)
    await line.join("call", CALL)
    await line.join("history", (Cost("history"),))
    assert line.passed == ["history"]
    await clock.advance(10)
    assert line.passed == ["history", "call"]


async def test_one_full_key_holds_up_no_other_key_of_its_pool(clock: ManualClock) -> None:
    line = Line(Gate(Limits(limiters={"orders": DecayingCounter(maximum=1, decay=0.1)}), clock))
    for name, key in (("a", "BTC/USD"), ("b", "BTC/USD"), ("c", "ETH/USD")):
        await line.join(name, (Cost("orders", key=key),))
    assert line.passed == ["a", "c"]
    await clock.advance(10)
    assert line.passed == ["a", "c", "b"]


async def test_a_call_of_two_pools_waits_for_both_and_is_not_starved(clock: ManualClock) -> None:
    limits = Limits(limiters={"a": DecayingCounter(maximum=1, decay=0.5), "b": DecayingCounter(maximum=1, decay=1)})
    line = Line(Gate(limits, clock))
    await line.join("fills a", (Cost("a"),))
    await line.join("both", (Cost("a"), Cost("b")))
    await line.join("only b", (Cost("b"),))
    assert line.passed == ["fills a"]
    await clock.advance(2)
    assert line.passed == ["fills a", "both"]
    await clock.advance(1)
    assert line.passed == ["fills a", "both", "only b"]


async def test_a_pool_without_a_limiter_is_free(line: Line) -> None:
    for number in range(100):
        await line.join(str(number), (Cost("unheard of"),))
    assert len(line.passed) == 100


async def test_a_wait_that_would_be_too_long_is_refused_at_once(line: Line) -> None:
    await fill(line, 4)
    with pytest.raises(RateLimited, match=r"testex: the limit calls lets it go in 2\.0 s.*nothing was sent") as caught:
        await line.gate.enter((Cost("calls", 2),), max_wait=1.5)
    assert caught.value.retry_after == 2.0


async def test_a_refused_wait_costs_nothing(line: Line, clock: ManualClock, limits: Limits) -> None:
    await fill(line, 4)
    with pytest.raises(RateLimited):
        await line.gate.enter((Cost("calls", 2),), max_wait=1.5)
    assert limits.delay(CALL, clock.monotonic()) == 1.0


async def test_nobody_waits_longer_than_allowed_behind_others(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    for name in "abc":
        await line.join(name, CALL, max_wait=2.0)
    await clock.advance(3)
    assert line.passed == ["a", "b"]
    with pytest.raises(RateLimited, match="nothing was sent"):
        await line.tasks["c"]


async def test_who_gives_up_in_the_line_lets_the_next_one_pass(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    await line.join("large", (Cost("calls", 4),))
    await line.join("small", CALL)
    line.tasks["large"].cancel()
    await clock.advance(1)
    assert line.passed == ["small"]


async def test_a_paused_pool_opens_again_by_itself(line: Line, clock: ManualClock) -> None:
    line.gate.pause(CALL, 7.0)
    await line.join("a", CALL)
    await clock.advance(6.9)
    assert line.passed == []
    await clock.advance(0.1)
    assert line.passed == ["a"]


async def test_a_pause_reaches_those_who_wait_already(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    await line.join("a", CALL)
    line.gate.pause(CALL, 7.0)
    await clock.advance(6.9)
    assert line.passed == []
    await clock.advance(0.1)
    assert line.passed == ["a"]


async def test_a_cancel_goes_while_orders_are_paused(line: Line, clock: ManualClock) -> None:
    line.gate.pause(CALL, 7.0)
    await line.join("order", CALL)
    await line.join("cancel", CANCEL)
    assert line.passed == ["cancel"]
    line.gate.pause(CANCEL, 3.0)
    await line.join("another cancel", CANCEL)
    await clock.advance(3.0)
    assert line.passed == ["cancel", "another cancel"]
    await clock.advance(4.0)
    assert line.passed == ["cancel", "another cancel", "order"]


async def test_calls_with_a_nonce_take_turns(line: Line) -> None:
    for name in "ab":
        await line.join(name, (), in_turn=True)
    await line.join("public", ())
    assert line.passed == ["a", "public"]
    line.tickets["a"].release()
    for _ in range(3):
        await asyncio.sleep(0)
    assert line.passed == ["a", "public", "b"]


async def test_a_ticket_is_given_back_once(line: Line) -> None:
    """A second release of the same ticket must not end another call's turn."""
    for name in "abc":
        await line.join(name, (), in_turn=True)
    line.tickets["a"].release()
    line.tickets["a"].release()
    for _ in range(3):
        await asyncio.sleep(0)
    assert line.passed == ["a", "b"]


async def test_waiting_for_a_limit_holds_no_turn(line: Line) -> None:
    await fill(line, 4)
    await line.join("limited", CALL, in_turn=True)
    await line.join("free", (), in_turn=True)
    assert line.passed == ["free"]


async def test_a_cancel_is_next_in_turn(line: Line) -> None:
    for name, costs in (("a", CALL), ("b", CALL), ("cancel", CANCEL)):
        await line.join(name, costs, in_turn=True)
    line.tickets["a"].release()
    for _ in range(3):
        await asyncio.sleep(0)
    assert line.passed == ["a", "cancel"]


async def test_a_turn_given_to_a_cancelled_call_is_not_lost(line: Line) -> None:
    """The call is cancelled in the very moment in which it may go."""
    for name in "abc":
        await line.join(name, (), in_turn=True)
    line.tickets["a"].release()
    line.tasks["b"].cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert line.passed == ["a", "c"]


async def test_a_burst_never_exceeds_the_limit_at_any_time(line: Line, clock: ManualClock, limits: Limits) -> None:
    for number in range(40):
        await line.join(str(number), CALL)
    for _ in range(400):
        await clock.advance(0.1)
        assert limits.limiters["calls"].level("", clock.monotonic()) <= 4 + 1e-6  # type: ignore[attr-defined]
    assert line.passed == [str(number) for number in range(40)]


async def test_what_is_under_way_does_not_drain_until_it_is_answered(line: Line, clock: ManualClock) -> None:
    """The venue counts it when it arrives, which may be as late as just before its answer."""
    for name in "abcd":
        await line.join(name, CALL, stays=True)
    await clock.advance(60)
    await line.join("e", CALL)
    assert line.passed == ["a", "b", "c", "d"]
    line.tickets["a"].release()
    await clock.advance(0.9)
    assert "e" not in line.passed
    await clock.advance(0.1)
    assert "e" in line.passed


async def test_a_turn_ends_before_the_answer_where_the_venue_allows_it_and_the_cost_stays(
    line: Line, clock: ManualClock, limits: Limits
) -> None:
    loop = asyncio.get_running_loop()
    await line.join("a", CALL, in_turn=True)
    await line.join("b", CALL, in_turn=True)
    line.tickets["a"].release_after(0.0)
    answered = loop.create_future()
    loop.call_later(0.01, answered.set_result, None)
    await answered
    assert line.passed == ["a", "b"]
    await clock.advance(60)
    assert [state.level for state in line.gate.states()] == [2.0]
    line.tickets["a"].release()
    await clock.advance(60)
    assert [state.level for state in line.gate.states()] == [1.0]


async def test_a_call_that_is_cancelled_as_it_may_go_holds_nothing_for_ever(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    await line.join("a", CALL, stays=True)
    clock_alarm = asyncio.create_task(clock.advance(1))
    while "a" not in line.passed and not clock_alarm.done():
        if line.gate.states()[0].level > 4 - 1 + 0.5:
            line.tasks["a"].cancel()
        await asyncio.sleep(0)
    await clock_alarm
    if "a" in line.passed:
        line.tickets["a"].release()
    await clock.advance(60)
    assert line.gate.states()[0].level == 0


async def test_a_forecast_tells_the_wait_of_each_and_counts_nothing(line: Line, clock: ManualClock) -> None:
    assert line.gate.forecast([CALL] * 6) == pytest.approx([0, 0, 0, 0, 1, 2])
    assert line.gate.forecast([CALL] * 6) == pytest.approx([0, 0, 0, 0, 1, 2])
    assert line.gate.states()[0].level == 0
    await fill(line, 4)
    assert line.gate.forecast([CALL, CANCEL, CALL]) == pytest.approx([2, 0, 3])
    await clock.advance(1)
    assert line.gate.forecast([CALL, CALL]) == pytest.approx([0, 1])


async def test_a_forecast_comes_true(line: Line, clock: ManualClock) -> None:
    calls = [CALL, (Cost("calls", 3),), CANCEL, CALL, (Cost("calls", 4),), (Cost("free"),), CALL]
    await fill(line, 3)
    told = line.gate.forecast(calls)
    left: dict[str, float] = {}
    for number, costs in enumerate(calls):
        await line.join(str(number), costs)
    for step in range(200):
        for name in line.passed:
            left.setdefault(name, step / 10)
        await clock.advance(0.1)
    # The cancel was asked for after some calls had gone; all others keep their order.
    assert [left[str(number)] for number in range(len(calls))] == pytest.approx(told, abs=0.11)


async def test_a_forecast_puts_those_who_wait_already_first(line: Line) -> None:
    await fill(line, 4)
    await line.join("waits", (Cost("calls", 2),))
    await line.join("gives up", CALL, max_wait=2.5)
    assert line.gate.forecast([CALL]) == pytest.approx([3])


async def test_the_venues_own_count_reaches_those_who_wait(line: Line, clock: ManualClock) -> None:
    await fill(line, 4)
    await line.join("a", CALL)
    await clock.advance(0.5)
    line.gate.correct("calls", "", 40.0)
    await clock.advance(1)
    assert line.passed == []
    await clock.advance(36)
    assert line.passed == ["a"]
    await clock.advance(2)
    line.gate.correct("calls", "", 0.0)
    assert line.gate.states()[0].level == 0
    assert line.gate.forecast([CALL] * 4) == [0, 0, 0, 0]


async def test_another_level_of_account_keeps_the_counts(line: Line, limits: Limits) -> None:
    await fill(line, 4)
    await line.join("a", CALL)
    line.gate.adopt(Limits({"calls": DecayingCounter(maximum=20, decay=2)}, open_orders=7))
    await turns()
    assert line.passed == ["a"]
    (state,) = line.gate.states()
    assert (state.level, state.maximum, state.reserve) == (5, 20, 0)
    assert line.gate.open_orders == 7
