"""What Kraken Futures' request limits are, and what each call costs.

500 units in 10 seconds for ``/derivatives``, 100 tokens in 10 minutes for ``/api/history``; public calls are
free.
See https://docs.kraken.com/api/docs/guides/futures-rate-limits (read in July 2026)
"""

from __future__ import annotations

from collections import deque

import attrs

from exchange_core.connector.limits import Cost, DecayingCounter, Limits, Pauses

DERIVATIVES = "derivatives"
HISTORY = "history"

WINDOW = 10.0
# Of the 500: requests reach the venue closer together or further apart than they left here.
BUDGET = 450.0
# Six cancels can go when everything else has to wait.
RESERVE = 60.0

HISTORY_TOKENS = 90.0  # of 100, for the same reason
HISTORY_REFILL = 100 / 600

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
    stays below the limit in all three.

    Attributes:
        reserve: How much of *maximum* is kept for urgent calls.
    """

    maximum: float
    window: float
    reserve: float = 0.0
    _spent: deque[tuple[float, float]] = attrs.field(factory=deque, init=False, repr=False)
    _pauses: Pauses = attrs.field(factory=Pauses, init=False, repr=False)

    def delay(self, cost: Cost, now: float) -> float:
        self._forget(now)
        room = self.maximum - (0.0 if cost.urgent else self.reserve)
        # A call that costs more than the whole room passes when nothing else is in the window.
        over = sum(amount for _, amount in self._spent) + min(cost.amount, room) - room
        wait = 0.0
        for when, amount in self._spent:
            if over <= 0:
                break
            over -= amount
            wait = when + self.window - now
        return max(0.0, wait, self._pauses.left(cost, now))

    def spend(self, cost: Cost, now: float) -> None:
        self._forget(now)
        self._spent.append((now, cost.amount))

    def pause(self, cost: Cost, seconds: float, now: float) -> None:
        self._pauses.add(cost, seconds, now)

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] + self.window <= now:
            self._spent.popleft()


def limits(_: object = None) -> Limits:
    """Return the limiters of one account; they are the same for every account."""
    return Limits(
        {
            DERIVATIVES: SlidingWindow(BUDGET, WINDOW, RESERVE),
            HISTORY: DecayingCounter(HISTORY_TOKENS, HISTORY_REFILL),
        }
    )
