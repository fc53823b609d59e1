"""Where calls wait until the venue's limits let them pass.

First come, first served in each pool (and each key of a pool), and no pool waits for another. Urgent calls, which are
cancels, go before all others. Calls with a nonce also take turns, so that none overtakes another on its way out; a
call takes its turn only when it may leave at once, so waiting for a limit blocks nobody's turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.limits import Cost, Limits
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
    passed: asyncio.Future[None]


class Ticket:
    """The right to send one call; release it when the call is answered."""

    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate
        self._later: asyncio.TimerHandle | None = None

    def release(self) -> None:
        """Let the next call have its turn."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._gate is not None:
            gate, self._gate = self._gate, None
            gate.end_turn()

    def release_after(self, seconds: float) -> None:
        """The same in *seconds*, unless it happens before."""
        if self._gate is not None and self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self.release)


class Gate:
    """Holds calls back as one account's limits demand."""

    def __init__(self, limits: Limits, clock: Clock, venue: str = "") -> None:
        self._limits = limits
        self._clock = clock
        self._venue = venue
        self._urgent: list[_Waiter] = []
        self._others: list[_Waiter] = []
        self._turn_taken = False
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = _NEVER

    async def enter(self, costs: Sequence[Cost], *, in_turn: bool = False, max_wait: float = 30.0) -> Ticket:
        """Wait until a call with *costs* may be sent, and count it.

        Args:
            in_turn: It carries a nonce: let one such call out at a time.

        Raises:
            RateLimited: It would have to wait longer than *max_wait*; nothing was counted.
        """
        now = self._clock.monotonic()
        delay = self._limits.delay(costs, now)
        if delay > max_wait:
            raise self._too_long(costs, f"lets it go in {delay:.1f} s, and it may wait {max_wait:.1f} s", delay)
        lanes = frozenset((cost.pool, cost.key) for cost in costs)
        passed = asyncio.get_running_loop().create_future()
        waiter = _Waiter(costs, lanes, in_turn, now + max_wait, passed)
        queue = self._urgent if any(cost.urgent for cost in costs) else self._others
        queue.append(waiter)
        self._let_pass()
        try:
            await passed
        except asyncio.CancelledError:
            if passed.done() and not passed.cancelled() and passed.exception() is None and in_turn:
                self.end_turn()
            raise
        finally:
            queue.remove(waiter)
            self._let_pass()
        return Ticket(self if in_turn else None)

    def end_turn(self) -> None:
        """Let the next call with a nonce out."""
        self._turn_taken = False
        self._let_pass()

    def pause(self, costs: Sequence[Cost], seconds: float) -> None:
        """Hold back what is like *costs*: the venue said that it was too much."""
        self._limits.pause(costs, seconds, self._clock.monotonic())

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
                self._limits.spend(waiter.costs, now)
                self._turn_taken = self._turn_taken or waiter.in_turn
                waiter.passed.set_result(None)
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
