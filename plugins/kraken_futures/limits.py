"""What Kraken Futures' request limits are, and what each call costs.

500 units in 10 seconds for ``/derivatives``, 100 tokens in 10 minutes for ``/api/history``; public calls are free. On
a WebSocket connection 100 requests a second, and 100 connections at once. How many orders may be open is not
published; the venue says ``tooManySmallOrders`` or ``tooManyOrders``.
See https://docs.kraken.com/exchange/guides/futures/ratelimits (read in July 2026)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import attrs

from exchange_core.connector.limits import Cost, DecayingCounter, Limits, LimitState, Pauses

DERIVATIVES = "derivatives"
HISTORY = "history"

BUDGET, WINDOW = 500.0, 10.0
# The venue's clock may run a little faster than ours.
GRACE = 0.05
# Six cancels can go when everything else has to wait.
RESERVE = 60.0

HISTORY_TOKENS, HISTORY_REFILL = 100.0, 100 / 600
# Open point: whether tokens come back bit by bit or one by one.
HISTORY_STEP = 1.0

# Open point: of how many items a batch may be; clients are known to send ten orders, and fifty cancels.

FRAMES_PER_SECOND, CONNECTIONS = 100.0, 100

# Of endpoints that the venue's table leaves out it is not known what they cost: those are taken as 2.
_UNITS = {
    "accounts": 2,
    "assignmentprogram": 2,  # not in the table
    "batchorder": 9,  # and one for each item
    "cancelallorders": 25,
    "cancelallordersafter": 25,
    "cancelorder": 10,
    "editorder": 10,
    "feeschedules/volumes": 2,  # not in the table
    "fills": 2,
    "fills before": 25,
    "key check": 2,  # not in the table
    "leveragepreferences": 2,
    "leveragepreferences change": 10,
    "notifications": 2,  # not in the table
    "openorders": 2,
    "openpositions": 2,
    "orders/status": 1,
    "pnlpreferences": 2,
    "pnlpreferences change": 10,
    "portfolio-margining": 2,  # not in the table
    "self-trade-strategy": 2,
    "sendorder": 10,
    "subaccount/trading-enabled": 2,
    "subaccounts": 2,  # not in the table
    "trading/instruments": 2,  # not in the table
    "transfer": 10,
    "transfer/subaccount": 10,
    "unwindqueue": 200,
    "withdrawal": 100,
}

# The account log costs by how many rows it is asked for: up to so many, so much.
ACCOUNT_LOG_MOST = 100_000
_ACCOUNT_LOG = ((25, 1), (50, 2), (1000, 3), (5000, 6), (ACCOUNT_LOG_MOST, 10))


def units(endpoint: str, *, urgent: bool = False) -> tuple[Cost, ...]:
    """Return what a private call to ``/derivatives/api/v3/<endpoint>`` costs."""
    return (Cost(DERIVATIVES, _UNITS[endpoint], urgent=urgent),)


def batch_units(items: int, *, urgent: bool = False) -> tuple[Cost, ...]:
    """Return what a batch of so many orders, edits and cancels costs: 19 for ten."""
    return (Cost(DERIVATIVES, _UNITS["batchorder"] + items, urgent=urgent),)


def account_log_cost(rows: int) -> tuple[Cost, ...]:
    """Return what asking for so many rows of the account log costs."""
    return (Cost(HISTORY, next(cost for most, cost in _ACCOUNT_LOG if rows <= most)),)


# Executions, orders, triggers; of positions it is not known.
HISTORY_CALL = (Cost(HISTORY, 1),)

ACCOUNT_LOG_CSV = (Cost(HISTORY, 6),)


@attrs.define
class SlidingWindow:
    """At most *maximum* within any *window* seconds.

    Kraken does not say whether its window slides, is fixed, or is a bucket that refills steadily. What passes here
    stays within the limit in all three. What is on its way is in the window until its answer, and so many seconds
    longer: the venue counted it at some time in between.

    Attributes:
        reserve: How much of *maximum* is kept for urgent calls.
        grace: Seconds by which the window is kept longer.
    """

    maximum: float
    window: float
    reserve: float = 0.0
    grace: float = 0.0
    _spent: deque[tuple[float, float]] = attrs.field(factory=deque, init=False, repr=False)
    _sum: float = attrs.field(default=0.0, init=False, repr=False)
    _held: float = attrs.field(default=0.0, init=False, repr=False)
    _pauses: Pauses = attrs.field(factory=Pauses, init=False, repr=False)

    def delay(self, cost: Cost, now: float) -> float:
        self._forget(now)
        room = self.maximum - (0.0 if cost.urgent else self.reserve)
        # A call that costs more than the whole room passes when nothing else is in the window.
        over = self._sum + self._held + min(cost.amount, room) - room
        wait = 0.0
        if over > 0:
            for when, amount in (*self._spent, (now, self._held)):
                over -= amount
                wait = when + self.window + self.grace - now
                if over <= 0:
                    break
        return max(0.0, wait, self._pauses.left("", cost.urgent, now))

    def spend(self, cost: Cost, now: float) -> None:
        self._forget(now)
        self._spent.append((now, cost.amount))
        self._sum += cost.amount

    def hold(self, cost: Cost, now: float) -> None:
        self._held += cost.amount

    def settle(self, cost: Cost, now: float) -> None:
        self._held = max(0.0, self._held - cost.amount)
        self.spend(cost, now)

    def pause(self, cost: Cost, seconds: float, now: float) -> None:
        self._pauses.add(cost._replace(key=""), seconds, now)

    def correct(self, key: str, level: float, now: float) -> None:
        """Fill the window up to the venue's own count, where that is above ours; it does not say when it will fall."""
        self._forget(now)
        missing = level - self._sum - self._held
        if missing > 0:
            self.spend(Cost("", missing), now)

    def adopt(self, other: Any, now: float) -> None:
        self.maximum, self.window = other.maximum, other.window
        self.reserve, self.grace = other.reserve, other.grace

    def states(self, pool: str, now: float) -> Iterable[LimitState]:
        self._forget(now)
        yield LimitState(
            pool=pool,
            level=self._sum + self._held,
            maximum=self.maximum,
            reserve=self.reserve,
            paused=self._pauses.left("", False, now),
            cancels_paused=self._pauses.left("", True, now),
        )

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] + self.window + self.grace <= now:
            self._sum -= self._spent.popleft()[1]
        if not self._spent:
            self._sum = 0.0


def limits(_: object = None) -> Limits:
    """Return the limiters of one account; they are the same for every account.

    Open point: whether the units are an account's, as one page says, or an address's, as the error does; they are
    shared by all accounts that are used from here.
    """
    return Limits(
        {
            DERIVATIVES: SlidingWindow(BUDGET, WINDOW, RESERVE, GRACE),
            HISTORY: DecayingCounter(HISTORY_TOKENS, HISTORY_REFILL, margin=HISTORY_STEP),
        },
        per_address=frozenset({DERIVATIVES}),
    )
