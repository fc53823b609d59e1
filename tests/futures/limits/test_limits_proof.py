"""Nothing that our counters let through would be refused, by a venue that counts as its page says, on a virtual clock.

"Clients can spend up to 500 every 10 seconds", and a pool of 100 tokens gets 100 back every 10 minutes. It is not said
whether the 10 seconds slide, so the venue here counts in all three ways that there are, and refuses as the strictest
does. A request reaches it up to two seconds after it was sent, in order on each of two connections; its answer comes
back later still.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

import pytest

from exchange_core.connector.limits import Cost
from kraken_futures.limits import (
    DERIVATIVES,
    HISTORY,
    HISTORY_CALL,
    account_log_cost,
    batch_units,
    limits,
    units,
)

SCHEDULES = 100_000
LATENCIES = (0.0, 0.05, 0.5, 2.0)


class Published:
    """500 units in any 10 seconds, in those between two full tens, and out of a bucket that refills by 50 a second."""

    def __init__(self, phase: float) -> None:
        self.phase = phase
        self.recent: deque[tuple[float, float]] = deque()
        self.sliding, self.fixed, self.which = 0.0, 0.0, -1.0
        self.bucket, self.filled = 500.0, 0.0

    def takes(self, amount: float, now: float) -> bool:
        while self.recent and self.recent[0][0] <= now - 10:
            self.sliding -= self.recent.popleft()[1]
        which = (now + self.phase) // 10
        if which != self.which:
            self.which, self.fixed = which, 0.0
        self.bucket, self.filled = min(500.0, self.bucket + 50 * (now - self.filled)), now
        if self.sliding + amount > 500 or self.fixed + amount > 500 or self.bucket < amount:
            return False
        self.recent.append((now, amount))
        self.sliding += amount
        self.fixed += amount
        self.bucket -= amount
        return True


class Pool:
    """100 tokens; one comes back every 6 seconds, at a moment that we do not know."""

    def __init__(self, phase: float) -> None:
        self.tokens, self.refilled = 100.0, -phase

    def takes(self, amount: float, now: float) -> bool:
        back = (now - self.refilled) // 6
        self.refilled += 6 * back
        self.tokens = min(100.0, self.tokens + back)
        if self.tokens < amount:
            return False
        self.tokens -= amount
        return True


class Arrival(NamedTuple):
    """A request as it reaches the venue."""

    time: float
    number: int
    pool: str
    amount: float
    sent: float
    answered: float


ORDERS = (units("sendorder"), units("editorder"), batch_units(10), batch_units(2), batch_units(50))
CANCELS = (
    units("cancelorder", urgent=True),
    units("cancelorder", urgent=True),
    batch_units(3, urgent=True),
    units("cancelallorders", urgent=True),
)
READS = (units("openorders"), units("fills"), units("fills before"), units("orders/status"), units("unwindqueue"))
PAST = (HISTORY_CALL, account_log_cost(500), account_log_cost(5000), account_log_cost(100_000))

# The costs again, as on the page.
PAGE = {"sendorder": 10, "editorder": 10, "cancelorder": 10, "cancelallorders": 25, "openorders": 2, "unwindqueue": 200}


class Trader:
    """Our side: it asks the limits, waits or gives up, sends, and hears answers; requests arrive somewhat later."""

    def __init__(self, random: Random, latency: float = 2.0) -> None:
        self.limits = limits()
        self.random, self.latency = random, latency
        self.now, self.waited = 0.0, 0
        self.arrivals: list[Arrival] = []
        self._last = [0.0, 0.0]
        self._answers: list[tuple[float, int, tuple[Cost, ...]]] = []

    def pass_time(self, until: float) -> None:
        while self._answers and self._answers[0][0] <= until:
            when, _, costs = heapq.heappop(self._answers)
            self.limits.settle(costs, when)
        self.now = until

    def ask(self, costs: tuple[Cost, ...], patience: float) -> bool:
        """Send a request with *costs* as soon as it may go; False when that takes too long."""
        end = self.now + patience
        while (delay := self.limits.delay(costs, self.now)) > 1e-6:
            self.waited += 1
            again = self.now + delay
            if self._answers and self._answers[0][0] < again:
                again = self._answers[0][0]
            if again > end:
                return False
            self.pass_time(again)
        uniform = self.random.random
        self.limits.hold(costs, self.now)
        way = uniform() < 0.5
        arrives = self._last[way] = max(self._last[way], self.now + uniform() * self.latency)
        answered = arrives + uniform() * self.latency / 4
        heapq.heappush(self._answers, (answered, len(self.arrivals), costs))
        pool, amount = costs[0].pool, costs[0].amount
        self.arrivals.append(Arrival(arrives, len(self.arrivals), pool, amount, self.now, answered))
        return True


def refused(arrivals: Iterable[Arrival], random: Random) -> list[Arrival]:
    """Return the requests that the venue refuses."""
    venue = {DERIVATIVES: Published(random.random() * 10), HISTORY: Pool(random.random() * 6)}
    return [arrival for arrival in sorted(arrivals) if not venue[arrival.pool].takes(arrival.amount, arrival.time)]


def test_the_costs_are_those_of_the_page() -> None:
    assert {name: units(name)[0].amount for name in PAGE} == PAGE
    assert batch_units(10)[0].amount == 19


def test_none_of_100_000_schedules_is_refused() -> None:
    """Each is one to three operations, as close together as the limits allow, on what those before have left."""
    random = Random("futures")
    trader = Trader(random)
    uniform = random.random
    kinds = (ORDERS, ORDERS, ORDERS, CANCELS, READS, PAST)
    for _ in range(SCHEDULES):
        trader.latency = LATENCIES[int(uniform() * len(LATENCIES))]
        for _ in range(1 + int(uniform() * 3)):
            kind = kinds[int(uniform() * len(kinds))]
            trader.ask(kind[int(uniform() * len(kind))], 10.0 if uniform() < 0.6 else 0.0)
        if uniform() < 0.03:
            while trader.ask(CANCELS[0], 0.0):
                pass
        if (pause := uniform()) < 0.1:
            trader.pass_time(trader.now + (uniform() * 60 if pause < 0.002 else uniform()))
    assert trader.waited > SCHEDULES / 4
    assert not refused(trader.arrivals, random)


HOUR = 3600.0


def saturated(latency: float) -> Trader:
    """Return who sent orders and cancels, batches and reads for an hour, as fast as our counter let them."""
    trader = Trader(Random(latency), latency)
    while trader.now < HOUR:
        if not trader.ask(trader.random.choice(ORDERS[:4] + READS[:4]), 0.0):
            while trader.ask(CANCELS[0], 0.0):
                pass
            trader.ask(units("sendorder"), HOUR)
    assert not refused(trader.arrivals, trader.random)
    return trader


def counted(trader: Trader, until: float) -> float:
    return sum(arrival.amount for arrival in trader.arrivals if arrival.time <= until)


@pytest.mark.parametrize("latency", [0.05, 0.2])
def test_saturation_reaches_what_is_permitted(latency: float) -> None:
    assert counted(saturated(latency), HOUR) >= 0.95 * 500 * HOUR / 10


def test_saturation_on_a_slow_line_reaches_what_is_possible() -> None:
    """A unit is free again ten seconds after the venue counted it, and is on its way when it is used again.

    So no client that is never refused, however its requests bunch, gets more than 500 in ten seconds and the mean time
    on the way. We wait for the way back of the answer too, which tells that the ten seconds have begun.
    """
    trader = saturated(2.0)
    round_trip = sum(arrival.answered - arrival.sent for arrival in trader.arrivals) / len(trader.arrivals)
    assert round_trip > 1
    assert counted(trader, HOUR) >= 0.95 * 500 * HOUR / (10 + round_trip)


def test_saturation_of_the_history_pool_reaches_what_is_permitted() -> None:
    random = Random("history")
    trader = Trader(random)
    while trader.now < 10 * HOUR:
        trader.ask(random.choice(PAST), 10 * HOUR)
    assert counted(trader, 10 * HOUR) >= 0.95 * (100 + 10 * HOUR / 6)
    assert not refused(trader.arrivals, random)
