"""Where calls wait until the venue's limits let them pass.

First come, first served in each pool (and each key of a pool), and no pool waits for another. Urgent calls, which are
cancels, go before all others. Calls with a nonce also take turns, so that none overtakes another on its way out; a
call takes its turn only when it may leave at once, so waiting for a limit blocks nobody's turn. What a call costs is
held from its sending and drains from its answer on, see ``connector.limits``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.limits import Cost, Limits, LimitState, is_urgent
from exchange_core.errors import RateLimited

# Clocks are not exact to the last bit: less than this is no wait.
_NOTHING = 1e-6
_NEVER = float("inf")


@attrs.define(eq=False)
class _Waiter:
    costs: Sequence[Cost]
    lanes: frozenset[tuple[str, str]]
    in_turn: bool
    deadline: float
    passed: asyncio.Future[Ticket]


class Ticket:
    """The right to send one call; release it when the call is answered, or given up."""

    __slots__ = ("_gate", "_in_turn", "_later", "costs")

    def __init__(self, gate: Gate, costs: Sequence[Cost], *, in_turn: bool) -> None:
        self.costs = costs
        self._gate: Gate | None = gate
        self._in_turn = in_turn
        self._later: asyncio.TimerHandle | None = None

    def release(self) -> None:
        """Let what the call cost drain from now on, and the next call with a nonce have its turn."""
        if self._gate is not None:
            gate, self._gate = self._gate, None
            self._end_turn(gate)
            gate.answered(self)

    def release_after(self, seconds: float) -> None:
        """Let the next call with a nonce have its turn in *seconds*, unless this one is answered before."""
        if self._gate is not None and self._in_turn and self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self._end_turn, self._gate)

    def _end_turn(self, gate: Gate) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._in_turn:
            self._in_turn = False
            gate.end_turn()


class Line:
    """What a gate will do with calls that come at one time, if nothing else comes and each is answered at once."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._now = now
        self._left: list[float] = []
        self._waiting: dict[bool, list[tuple[int, Sequence[Cost], float]]] = {True: [], False: []}
        self._closed: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}

    def join(self, costs: Sequence[Cost], deadline: float) -> int:
        """Let a call come; return its place in what :meth:`run` returns."""
        self._left.append(deadline)
        self._try(len(self._left) - 1, costs, deadline)
        return len(self._left) - 1

    def run(self) -> list[float]:
        """Return when each leaves, or gives up."""
        while any(self._waiting.values()):
            waiting, self._waiting = self._waiting, {True: [], False: []}
            self._closed = {True: set(), False: set()}
            soonest = min(self._try(*entry) for urgent in (True, False) for entry in waiting[urgent])
            self._now = soonest if soonest < _NEVER else self._now
        return self._left

    def _try(self, place: int, costs: Sequence[Cost], deadline: float) -> float:
        """Let it go, or wait; return when to look again."""
        urgent = is_urgent(costs)
        lanes = {(cost.pool, cost.key) for cost in costs}
        blocked = lanes & self._closed[True] or (not urgent and lanes & self._closed[False])
        delay = _NEVER if blocked else self._limits.delay(costs, self._now)
        if delay < _NOTHING:
            self._limits.spend(costs, self._now)
            self._left[place] = self._now
            return self._now
        if deadline - self._now < _NOTHING:
            return self._now
        self._waiting[urgent].append((place, costs, deadline))
        self._closed[urgent] |= lanes
        return min(self._now + delay, deadline)


class Gate:
    """Holds calls back as one account's limits demand."""

    def __init__(self, limits: Limits, clock: Clock, venue: str = "") -> None:
        self._limits = limits
        self._clock = clock
        self._venue = venue
        self._urgent: list[_Waiter] = []
        self._others: list[_Waiter] = []
        self._under_way: set[Ticket] = set()
        self._turn_taken = False
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = _NEVER

    def enter_now(self, costs: Sequence[Cost], *, in_turn: bool = False) -> Ticket | None:
        """Count a call with *costs* that may be sent at once; None where it has to wait, see :meth:`enter`."""
        if self._urgent or self._others or (in_turn and self._turn_taken):
            return None
        now = self._clock.monotonic()
        return self._pass(costs, in_turn, now) if self._limits.delay(costs, now) < _NOTHING else None

    async def enter(self, costs: Sequence[Cost], *, in_turn: bool = False, max_wait: float = 30.0) -> Ticket:
        """Wait until a call with *costs* may be sent, and count it.

        Args:
            in_turn: It carries a nonce: let one such call out at a time.

        Raises:
            RateLimited: It would have to wait longer than *max_wait*; nothing was counted.
        """
        ticket = self.enter_now(costs, in_turn=in_turn)
        if ticket is not None:
            return ticket
        now = self._clock.monotonic()
        delay = self._limits.delay(costs, now)
        if delay > max_wait:
            raise self._too_long(costs, f"lets it go in {delay:.1f} s, and it may wait {max_wait:.1f} s", delay)
        lanes = frozenset((cost.pool, cost.key) for cost in costs)
        passed: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(costs, lanes, in_turn, now + max_wait, passed)
        queue = self._urgent if is_urgent(costs) else self._others
        queue.append(waiter)
        self._let_pass()
        try:
            return await passed
        except asyncio.CancelledError:
            if passed.done() and not passed.cancelled() and passed.exception() is None:
                passed.result().release()
            raise
        finally:
            queue.remove(waiter)
            self._let_pass()

    def end_turn(self) -> None:
        """Let the next call with a nonce out."""
        self._turn_taken = False
        self._let_pass()

    def answered(self, ticket: Ticket) -> None:
        """Let the costs of a call drain from now on."""
        self._under_way.discard(ticket)
        self._limits.settle(ticket.costs, self._clock.monotonic())
        if self._urgent or self._others:
            self._let_pass()

    def pause(self, costs: Sequence[Cost], seconds: float) -> None:
        """Hold back what is like *costs*: the venue said that it was too much."""
        self._limits.pause(costs, seconds, self._clock.monotonic())

    def correct(self, pool: str, key: str, level: float) -> None:
        """Take the venue's own count, as far as it is safe."""
        self._limits.correct(pool, key, level, self._clock.monotonic())
        self._let_pass()

    def adopt(self, limits: Limits) -> None:
        """Take the figures of *limits*, which are those of another level of account, and keep the counts."""
        self._limits.adopt(limits, self._clock.monotonic())
        self._let_pass()

    @property
    def open_orders(self) -> int | None:
        """How many orders of one symbol may be open at once; None where that is not known."""
        return self._limits.open_orders

    def states(self) -> list[LimitState]:
        """Return how full each of the venue's counters is."""
        return self._limits.states(self._clock.monotonic())

    def forecast(self, calls: Sequence[Sequence[Cost]]) -> list[float]:
        """Return for how many seconds calls with such costs would wait, came they now and in this order.

        Nothing is counted. Those who wait already go before them, and each is taken to be answered at once.
        """
        start = self._clock.monotonic()
        limits = self._limits.copy()
        for ticket in self._under_way:
            limits.settle(ticket.costs, start)
        waiters = (waiter for waiter in (*self._urgent, *self._others) if not waiter.passed.done())
        line = Line(limits, start)
        for waiter in waiters:
            line.join(waiter.costs, waiter.deadline)
        places = [line.join(costs, _NEVER) for costs in calls]
        left = line.run()
        return [left[place] - start for place in places]

    def _pass(self, costs: Sequence[Cost], in_turn: bool, now: float) -> Ticket:
        self._limits.hold(costs, now)
        self._turn_taken = self._turn_taken or in_turn
        ticket = Ticket(self, costs, in_turn=in_turn)
        self._under_way.add(ticket)
        return ticket

    def _let_pass(self) -> None:
        soonest = self._walk()
        if soonest == _NEVER or soonest < self._alarm_at - _NOTHING:
            self._stop_alarm()
        if self._alarm is None and soonest < _NEVER:
            self._alarm_at = soonest
            self._alarm = asyncio.get_running_loop().create_task(self._ring(), name=f"gate of {self._venue}")

    def _walk(self) -> float:
        """Let go who may; return when to look again."""
        now = self._clock.monotonic()
        closed: set[tuple[str, str]] = set()
        soonest = _NEVER
        for waiter in (*self._urgent, *self._others):
            if waiter.passed.done():
                continue
            delay = 0.0 if waiter.lanes & closed else self._limits.delay(waiter.costs, now)
            if delay < _NOTHING and not waiter.lanes & closed and not (waiter.in_turn and self._turn_taken):
                waiter.passed.set_result(self._pass(waiter.costs, waiter.in_turn, now))
            elif waiter.deadline - now < _NOTHING:
                waiter.passed.set_exception(self._too_long(waiter.costs, "did not let it go in time", delay))
            else:
                # Those behind it wait too, or a small call would overtake a large one for ever.
                closed |= waiter.lanes
                soonest = min(soonest, waiter.deadline, now + delay if delay >= _NOTHING else _NEVER)
        return soonest

    async def _ring(self) -> None:
        while self._alarm_at < _NEVER:
            await self._clock.sleep(max(0.0, self._alarm_at - self._clock.monotonic()))
            self._alarm_at = self._walk()
        self._alarm = None

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _too_long(self, costs: Sequence[Cost], what: str, delay: float) -> RateLimited:
        pools = ", ".join(dict.fromkeys(f"{c.pool} of {c.key}" if c.key else c.pool for c in costs)) or "nonce"
        return RateLimited(
            f"{self._venue}: the limit {pools} {what}; nothing was sent", venue=self._venue, retry_after=delay or None
        )
