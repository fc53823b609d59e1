"""Nothing that our counters let through would be refused, by a venue that counts as its pages say, on a virtual clock.

The venue's side is written here from the pages, and knows nothing of ours. A request reaches it up to two seconds after
it was sent, in order on each of two connections (REST and WebSocket), and its answer comes back later still. Of what
the pages leave open, the venue here does the stricter: it drains in steps, and refuses as soon as the threshold is
reached, not only above it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import NamedTuple

import pytest

from exchange_core.connector.limits import Cost, Limits
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.limits import (
    ENGINE,
    PRIVATE,
    adding,
    adding_many,
    amending,
    cancel_penalty,
    cancelling_many,
    editing,
    limits,
    private,
)
from kraken_spot.limits import change as changing_cost

SCHEDULES = 100_000
PAIRS = ("XBTUSD", "ETHUSD")
LATENCIES = (0.0, 0.05, 0.5, 2.0)
WAYS = ("rest", "websocket")

# Threshold and decay a second: of the engine, for a pair; of the private counter, for a key.
PUBLISHED = {
    "starter": ((60.0, 1.0), (15.0, 0.33)),
    "intermediate": ((125.0, 2.34), (20.0, 0.5)),
    "pro": ((180.0, 3.75), (20.0, 1.0)),
}

# The table of the page "Spot trading limits", a column for each age.
COLUMNS = (5.0, 10.0, 15.0, 45.0, 90.0, 300.0)
TABLE = {
    "amend": (1.0, (3.0, 2.0, 1.0, 0.0, 0.0, 0.0)),
    "edit": (1.0, (6.0, 5.0, 4.0, 2.0, 1.0, 0.0)),
    "cancel": (0.0, (8.0, 6.0, 5.0, 4.0, 2.0, 1.0)),
}


def published(kind: str, age: float) -> float:
    fixed, decaying = TABLE[kind]
    return fixed + next((points for below, points in zip(COLUMNS, decaying, strict=True) if age < below), 0.0)


class VenueCounter:
    """One counter of the venue: it starts at nothing, rises with each request, and falls each *step* seconds.

    Its steps fall at a moment that we do not know. A step of 0 is a steady fall.
    """

    def __init__(self, threshold: float, decay: float, step: float, phase: float) -> None:
        self.threshold, self.decay, self.step, self.phase = threshold, decay, step, phase
        self.count, self.counted, self.fallen = 0.0, 0.0, -phase

    def takes(self, amount: float, now: float, *, always: bool = False) -> bool:
        passed = now - self.fallen
        if self.step:
            passed = passed // self.step * self.step
        self.fallen += passed
        self.count = max(0.0, self.count - passed * self.decay)
        if not always and (self.count >= self.threshold or self.count + amount > self.threshold):
            return False
        self.count += amount
        self.counted += amount
        return True


class Resting:
    """An order: when the venue made or last amended it, and when we heard of that."""

    __slots__ = ("heard", "made", "pair")

    def __init__(self, pair: str, made: float, heard: float) -> None:
        self.pair, self.made, self.heard = pair, made, heard


class Arrival(NamedTuple):
    """A request as it reaches the venue."""

    time: float
    number: int
    pair: str
    engine: float
    private: float
    overshoots: bool
    sent: float


class Trader:
    """Our side: it asks the limits, waits or gives up, sends, and hears answers; requests arrive somewhat later."""

    def __init__(self, tier: str, random: Random, latency: float = 2.0) -> None:
        self.config = KrakenSpotConfig(tier=tier)
        self.limits: Limits = limits(self.config)
        self.random = random
        self.latency = latency
        self.now = 0.0
        self.arrivals: list[Arrival] = []
        self.orders: deque[Resting] = deque(maxlen=200)
        self.waited = 0
        self._last = dict.fromkeys(WAYS, 0.0)
        self._answers: list[tuple[float, int, tuple[Cost, ...]]] = []

    def pass_time(self, until: float) -> None:
        answers, settle = self._answers, self.limits.settle
        while answers and answers[0][0] <= until:
            when, _, costs = heapq.heappop(answers)
            settle(costs, when)
        self.now = until

    def may(self, costs: tuple[Cost, ...], patience: float) -> bool:
        """Wait until a request with *costs* may go; False when that takes too long."""
        end = self.now + patience
        while (delay := self.limits.delay(costs, self.now)) > 1e-6:
            self.waited += 1
            # An answer may open the way sooner than its counter said, or later.
            again = self.now + delay
            if self._answers and self._answers[0][0] < again:
                again = self._answers[0][0]
            if again > end:
                return False
            self.pass_time(again)
        return True

    def send(self, costs: tuple[Cost, ...], way: str) -> tuple[float, float]:
        """Send a request; return when it arrives and when its answer is here."""
        uniform = self.random.random
        self.limits.hold(costs, self.now)
        arrives = self._last[way] = max(self._last[way], self.now + uniform() * self.latency)
        answered = arrives + uniform() * self.latency / 4
        heapq.heappush(self._answers, (answered, len(self.arrivals), costs))
        return arrives, answered

    def age(self, order: Resting) -> timedelta | None:
        """Return the age that we may count on."""
        return timedelta(seconds=self.now - order.heard) if order.heard <= self.now else None

    def withdraw(self) -> None:
        """Take out the youngest orders at once, as far as there is room for that."""
        for order in list(self.orders)[-12:]:
            self.cancel(order, WAYS[self.random.random() < 0.5], 0.0)

    def act(self, patience: float) -> None:
        """Do one random thing on a random pair over a random way."""
        uniform = self.random.random
        way = WAYS[uniform() < 0.5]
        over_rest = way == "rest"
        pair = PAIRS[int(uniform() * len(PAIRS))]
        draw = uniform()
        changing = changing_cost(self.config) if over_rest else ()
        if draw < 0.4 or not self.orders:
            if self.may(costs := adding(pair), patience):
                self.add(pair, costs, way, 1.0)
        elif draw < 0.5:
            count = 2 + int(uniform() * 14)
            if self.may(costs := adding_many(pair, count) + changing, patience):
                made, heard = self.add(pair, costs, way, count / 2)
                self.orders.extend(Resting(pair, made, heard) for _ in range(count - 1))
        elif draw < 0.55:
            points = 4.0 if uniform() < 0.3 else 1.0
            if self.may(costs := private(points, urgent=uniform() < 0.2), patience):
                self.ask(costs, points)
        else:
            order = self.orders[int(uniform() ** 3 * len(self.orders))]
            if draw < 0.75:
                self.cancel(order, way, patience)
            elif draw < 0.87:
                self.change(order, "amend", way, patience)
            elif draw < 0.99:
                self.change(order, "edit", way, patience)
            else:
                self.cancel_many(order.pair, way, patience)

    def add(self, pair: str, costs: tuple[Cost, ...], way: str, engine: float) -> tuple[float, float]:
        counted = sum(cost.amount for cost in costs if cost.pool == PRIVATE)
        sent = self.now
        made, heard = self.send(costs, way)
        self.arrivals.append(Arrival(made, len(self.arrivals), pair, engine, counted, False, sent))
        self.orders.append(Resting(pair, made, heard))
        return made, heard

    def ask(self, costs: tuple[Cost, ...], points: float) -> None:
        sent = self.now
        arrives, _ = self.send(costs, "rest")
        self.arrivals.append(Arrival(arrives, len(self.arrivals), "", 0.0, points, False, sent))

    def cancel(self, order: Resting, way: str, patience: float) -> None:
        costs = (Cost(ENGINE, cancel_penalty(self.age(order)), key=order.pair, urgent=True),)
        if self.may(costs, patience):
            sent = self.now
            arrives, _ = self.send(costs, way)
            engine = published("cancel", arrives - order.made)
            self.arrivals.append(Arrival(arrives, len(self.arrivals), order.pair, engine, 0.0, False, sent))
            self.orders.remove(order)

    def change(self, order: Resting, kind: str, way: str, patience: float) -> None:
        changing = changing_cost(self.config) if way == "rest" else ()
        costs = (amending if kind == "amend" else editing)(order.pair, self.age(order)) + changing
        if self.may(costs, patience):
            sent = self.now
            arrives, heard = self.send(costs, way)
            engine = published(kind, arrives - order.made)
            counted = sum(cost.amount for cost in changing)
            self.arrivals.append(Arrival(arrives, len(self.arrivals), order.pair, engine, counted, False, sent))
            order.made, order.heard = arrives, heard

    def cancel_many(self, pair: str, way: str, patience: float) -> None:
        gone = [order for order in self.orders if order.pair == pair][: 2 + int(self.random.random() * 4)]
        ages = [self.age(order) for order in gone]
        youngest = None if None in ages else min(age for age in ages if age is not None)
        costs = cancelling_many(pair, len(gone), youngest)
        costs += changing_cost(self.config, urgent=True) if way == "rest" else ()
        if self.may(costs, patience):
            sent = self.now
            arrives, _ = self.send(costs, way)
            engine = sum(published("cancel", arrives - order.made) for order in gone)
            counted = sum(cost.amount for cost in costs if cost.pool == PRIVATE)
            self.arrivals.append(Arrival(arrives, len(self.arrivals), pair, engine, counted, True, sent))
            for order in gone:
                self.orders.remove(order)


def refused(arrivals: list[Arrival], tier: str, random: Random, *, steps: bool) -> Iterator[Arrival]:
    """Let the requests come to the venue; yield those that it refuses."""
    engine_figures, private_figures = PUBLISHED[tier]
    engines = {pair: VenueCounter(*engine_figures, 1.0 * steps, random.random()) for pair in PAIRS}
    calls = VenueCounter(*private_figures, 2.0 * steps, random.random() * 2)
    overshot = dict.fromkeys(PAIRS, -1.0)
    for arrival in sorted(arrivals):
        time = arrival.time
        if arrival.private and not calls.takes(arrival.private, time):
            yield arrival
        elif arrival.pair and not engines[arrival.pair].takes(arrival.engine, time, always=arrival.overshoots):
            # What was on its way when a batch cancel overtook it on the other connection. A cancel of ours never
            # waits for orders, so these are the only ones that the venue may refuse.
            if arrival.sent > overshot[arrival.pair]:
                yield arrival
        elif arrival.overshoots:
            overshot[arrival.pair] = max(overshot[arrival.pair], arrival.sent)


@pytest.mark.parametrize("tier", PUBLISHED)
def test_none_of_100_000_schedules_is_refused(tier: str) -> None:
    """Each is one to three operations, as close together as the limits allow, on what those before have left."""
    random = Random(tier)
    trader = Trader(tier, random)
    uniform = random.random
    for _ in range(SCHEDULES):
        trader.latency = LATENCIES[int(uniform() * len(LATENCIES))]
        if uniform() < 0.05:
            trader.withdraw()
        for _ in range(1 + int(uniform() * 3)):
            trader.act(patience=30.0 if uniform() < 0.7 else 0.0)
        if (pause := uniform()) < 0.3:
            trader.pass_time(trader.now + (uniform() * 60 if pause < 0.005 else uniform() / 2))
    assert trader.waited > SCHEDULES / 4
    assert not list(refused(trader.arrivals, tier, random, steps=True))


def permitted(tier: str, seconds: float) -> float:
    """Return what the venue's page lets one pair take in so many seconds, from an empty counter on."""
    (threshold, decay), _ = PUBLISHED[tier]
    return threshold + decay * seconds


HOUR = 3600.0


@pytest.mark.parametrize("latency", [0.1, 2.0])
@pytest.mark.parametrize("tier", PUBLISHED)
def test_saturation_reaches_what_is_permitted(tier: str, latency: float) -> None:
    """Orders are added, changed and taken out on one pair for an hour as fast as our counter lets them."""
    random = Random(tier)
    trader = Trader(tier, random, latency)
    while trader.now < HOUR:
        draw = random.random()
        # Orders of all ages; those too young for their penalty to be known are left alone.
        old = [order for order in trader.orders if order.heard + 0.2 < trader.now]
        if draw < 0.6 or not old:
            if trader.may(costs := adding("XBTUSD"), HOUR):
                trader.add("XBTUSD", costs, "websocket", 1.0)
        elif draw < 0.8:
            trader.cancel(random.choice(old), "websocket", HOUR)
        else:
            trader.change(random.choice(old), "amend" if draw < 0.9 else "edit", "websocket", HOUR)
    counted = sum(arrival.engine for arrival in trader.arrivals if arrival.time <= HOUR)
    assert counted >= 0.95 * permitted(tier, HOUR)
    assert not list(refused(trader.arrivals, tier, random, steps=True))


@pytest.mark.parametrize("tier", PUBLISHED)
def test_saturation_of_the_private_counter_reaches_what_is_permitted(tier: str) -> None:
    random = Random(tier)
    trader = Trader(tier, random)
    while trader.now < HOUR:
        points = random.choice((1.0, 1.0, 4.0))
        if trader.may(costs := private(points), HOUR):
            trader.ask(costs, points)
    _, (threshold, decay) = PUBLISHED[tier]
    counted = sum(arrival.private for arrival in trader.arrivals if arrival.time <= HOUR)
    assert counted >= 0.95 * (threshold + decay * HOUR)
    assert not list(refused(trader.arrivals, tier, random, steps=True))
