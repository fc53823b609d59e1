"""What Kraken Futures' request limits are, and what each call costs.

500 units in 10 seconds for ``/derivatives``, 100 tokens in 10 minutes for ``/api/history``; public calls are
free.
See https://docs.kraken.com/api/docs/guides/futures-rate-limits (read in July 2026)
"""

from __future__ import annotations

from collections import deque

import attrs

from exchange_core.connector.limits import Cost, DecayingCounter, Limits

DERIVATIVES = "derivatives"
HISTORY = "history"

WINDOW = 10.0
# Of the 500: requests reach the venue closer together or further apart than they left here.
BUDGET = 450.0
# Six cancels can go when everything else has to wait.
RESERVE = 60.0

HISTORY_TOKENS = 90.0  # of 100, for the same reason
HISTORY_REFILL = 100 / 600

_UNITS = {
    "accounts": 2,
    "cancelorder": 10,
    "fills": 2,
    "fills before": 25,
    "openorders": 2,
    "openpositions": 2,
    "orders/status": 1,
    "sendorder": 10,
}


def units(endpoint: str, *, urgent: bool = False) -> tuple[Cost, ...]:
    """Return what a private call to ``/derivatives/api/v3/<endpoint>`` costs."""
    return (Cost(DERIVATIVES, _UNITS[endpoint], urgent=urgent),)


HISTORY_CALL = (Cost(HISTORY, 1),)


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
    _paused_until: float = attrs.field(default=float("-inf"), init=False, repr=False)

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
        return max(0.0, wait, self._paused_until - now)

    def spend(self, cost: Cost, now: float) -> None:
        self._forget(now)
        self._spent.append((now, cost.amount))

    def pause(self, seconds: float, now: float) -> None:
        self._paused_until = max(self._paused_until, now + seconds)

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
