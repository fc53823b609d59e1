"""Refuse who asks too often, by the venue's published costs and on the exchange's clock.

Written apart from the client's own accounting, so that each checks the other.
See https://docs.kraken.com/exchange/guides/futures/ratelimits
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sized
from datetime import datetime, timedelta
from math import ceil
from typing import ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from kraken_futures.simulator.codec import Arguments, PlainText, Refused

# Published by the venue; read in July 2026.
UNITS, WINDOW = 500, timedelta(seconds=10)
TOKENS, REFILL = 100, timedelta(minutes=10)
REQUESTS, SECOND = 100, timedelta(seconds=1)
CONNECTIONS = 100
# How many orders may be open is not published.
OPEN_ORDERS = 1000

COSTS = {
    "sendorder": 10,
    "editorder": 10,
    "cancelorder": 10,
    "batchorder": 9,
    "accounts": 2,
    "openpositions": 2,
    "fills": 2,
    "cancelallorders": 25,
    "cancelallordersafter": 25,
    "withdrawal": 100,
    "openorders": 2,
    "orders/status": 1,
    "unwindqueue": 200,
    "transfer": 10,
    "transfer/subaccount": 10,
    "self-trade-strategy": 2,
}
_PUT = {"leveragepreferences": 10, "pnlpreferences": 10}
# Open point: of what the table leaves out the cost is not known.
_OTHER = 2
_OLDER_FILLS = 25
_LOG = ((25, 1), (50, 2), (1000, 3), (5000, 6), (100_000, 10))
_CSV = 6


def cost_of(method: str, name: str, given: Arguments, items: int = 0) -> int:
    """Return the units of a call; *items* are those of a batch."""
    if name == "fills" and given.text("lastFillTime"):
        return _OLDER_FILLS
    if method == "PUT" and name in _PUT:
        return _PUT[name]
    return COSTS.get(name, _OTHER) + items


def history_cost(name: str, given: Arguments) -> int:
    """Return the tokens of a call of the history service."""
    if name == "accountlogcsv":
        return _CSV
    if name != "account-log":
        return 1
    count = given.integer("count", 500, 1, 100_000)
    return next(cost for most, cost in _LOG if count <= most)


@attrs.define
class Window:
    """At most so much in so long: what is in it is forgotten bit by bit as the window slides.

    Whether the venue's window slides is not documented; of all answers this is the strictest.
    """

    most: int
    length: timedelta
    _spent: deque[tuple[datetime, int]] = attrs.field(factory=deque)
    _sum: int = 0

    def take(self, cost: int, now: datetime) -> bool:
        """Count *cost* if there is room for it; return whether there was."""
        while self._spent and now - self._spent[0][0] >= self.length:
            self._sum -= self._spent.popleft()[1]
        if self._sum + cost > self.most:
            return False
        self._spent.append((now, cost))
        self._sum += cost
        return True


@attrs.define
class Pool:
    """Tokens that come back steadily; counted in microseconds of refilling, so that nothing is rounded."""

    used: timedelta = timedelta(0)
    at: datetime | None = None

    def take(self, cost: int, now: datetime) -> int:
        """Take tokens; return 0, or the seconds after which they would be there."""
        if self.at is not None:
            self.used = max(timedelta(0), self.used - (now - self.at))
        self.at = now
        missing = self.used + cost * (REFILL / TOKENS) - REFILL
        if missing > timedelta(0):
            return ceil(missing / SECOND)
        self.used += cost * (REFILL / TOKENS)
        return 0


class Limits(Room):
    """All of one venue's limiters. Without *enforced* nobody is refused."""

    KEEPS: ClassVar = {"_windows": dict[str, Window], "_pools": dict[str, Pool]}

    def __init__(self, now: Callable[[], datetime], *, enforced: bool) -> None:
        self.enforced = enforced
        self._now = now
        self._windows: dict[str, Window] = {}
        self._pools: dict[str, Pool] = {}
        self._connected = 0

    def call(self, account: str, cost: int) -> None:
        """Count a call of an account, whichever of its keys it came with.

        Raises:
            Refused: There is no room for it; it was not counted.
        """
        window = self._windows.setdefault(account, Window(UNITS, WINDOW))
        if self.enforced and not window.take(cost, self._now()):
            # Open point: the HTTP status of it is not documented.
            raise Refused("apiLimitExceeded")

    def history(self, account: str, cost: int) -> None:
        """Count a call of the history service.

        Raises:
            PlainText: The pool has not so many tokens.
        """
        if not self.enforced:
            return
        seconds = self._pools.setdefault(account, Pool()).take(cost, self._now())
        if seconds:
            raise PlainText("Rate limit exceeded", 429, {"rate-limit-reset": str(seconds)})

    def open_orders_full(self, orders: Callable[[], Sized]) -> bool:
        """Whether an account with these open *orders* may have no more; they are asked for where it matters."""
        return self.enforced and len(orders()) >= OPEN_ORDERS

    def connect(self) -> bool:
        """Count a connection; return whether it may be opened."""
        if self.enforced and self._connected >= CONNECTIONS:
            return False
        self._connected += 1
        return True

    def disconnect(self) -> None:
        self._connected -= 1

    def line(self) -> Callable[[], bool]:
        """Return what counts the requests of one connection, and tells whether one more is read."""
        window = Window(REQUESTS, SECOND)
        return lambda: not self.enforced or window.take(1, self._now())
