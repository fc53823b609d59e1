"""Refuse who asks too often, by the venue's published formulas and on the exchange's clock.

Written apart from the client's own accounting, so that each checks the other. Counters start at 0, rise with every call
and decay with time; what would lift one above its maximum is refused.
See https://docs.kraken.com/exchange/guides/rest/ratelimits and https://docs.kraken.com/api/docs/guides/spot-ratelimits
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import SimKey, SimOrder
from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.codec import Refused


@attrs.frozen
class Tier:
    """What one level of verification may do. Published by the venue; read in October 2026."""

    calls: Decimal
    calls_decay: Decimal
    engine: Decimal
    engine_decay: Decimal
    open_orders: int
    level3: int


TIERS = {
    "starter": Tier(Decimal(15), Decimal("0.33"), Decimal(60), Decimal(1), 60, 200),
    "intermediate": Tier(Decimal(20), Decimal("0.5"), Decimal(125), Decimal("2.34"), 80, 200),
    "pro": Tier(Decimal(20), Decimal(1), Decimal(180), Decimal("3.75"), 225, 500),
}

Steps = tuple[tuple[int, int], ...]
"""Seconds below which a price holds, and the price; nothing beyond the last."""

AMEND: Steps = ((5, 3), (10, 2), (15, 1))
EDIT: Steps = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
CANCEL: Steps = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))

NOT_COUNTED = frozenset(
    {"AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder", "CancelOrderBatch", "RetrieveExport"}
)
"""What costs the engine's counter, or a download."""
# Open point: 2 in one page, 4 in another.
HISTORY = frozenset({"Ledgers", "TradesHistory"})
_BY_PAIR = frozenset({"Trades", "OHLC"})
LEVEL3_COST = {10: 5, 100: 25, 1000: 100}
LEVEL3_SYMBOLS = 200

# Measured, not published: about 30 calls pass at once, and one a second for ever.
_PUBLIC_BURST, _PUBLIC_DECAY = Decimal(30), Decimal(1)
# Not published: how many failed calls lock a key out, and how many messages a connection may send.
_FAILURES = 20
_REMEMBERED = 1000
_LOCKED = timedelta(minutes=15)
_MESSAGES, _MESSAGES_DECAY = Decimal(60), Decimal(20)
_CONNECTIONS, _CONNECTIONS_WINDOW = 150, timedelta(minutes=10)


@attrs.define
class Counter:
    """Rises with use and decays by *decay* a second."""

    decay: Decimal
    value: Decimal = Decimal(0)
    at: datetime | None = None

    def read(self, now: datetime) -> Decimal:
        if self.at is not None and now > self.at:
            passed = Decimal((now - self.at) // timedelta(microseconds=1)) / 1_000_000
            self.value = max(Decimal(0), self.value - passed * self.decay)
        self.at = now
        return self.value

    def take(self, cost: Decimal, most: Decimal, now: datetime) -> bool:
        """Add *cost* if that stays within *most*; return whether it did."""
        if self.read(now) + cost > most:
            return False
        self.value += cost
        return True

    def add(self, cost: Decimal, now: datetime) -> None:
        self.value = self.read(now) + cost


def age_cost(order: SimOrder, steps: Steps, now: datetime) -> int:
    """Return what touching *order* costs for its youth: since it was made, or last amended."""
    age = now - (order.amended or order.created)
    return next((cost for below, cost in steps if age < timedelta(seconds=below)), 0)


class Limits(Room):
    """All of one venue's limiters.

    Without *enforced* nothing is refused; the engine's counters are kept all the same, as connections may ask for them.
    """

    KEEPS: ClassVar = {
        "_public": dict[tuple[str, str], Counter],
        "_private": dict[str, Counter],
        "_engine": dict[tuple[str, Symbol], Counter],
        "_failed": dict[str, int],
        "_locked": dict[str, datetime],
        "_connected": list[datetime],
    }

    def __init__(
        self,
        now: Callable[[], datetime],
        tier: str = "intermediate",
        *,
        enforced: bool = True,
        tiers: Mapping[str, str] | None = None,
    ) -> None:
        """Args:
        tier: Starter, intermediate or pro.
        tiers: Of accounts for which it is another one; looked at anew each time.
        """
        self.tier = TIERS[tier]
        self.enforced = enforced
        self._now = now
        self._tiers = {} if tiers is None else tiers
        self._public: dict[tuple[str, str], Counter] = {}
        self._private: dict[str, Counter] = {}
        self._engine: dict[tuple[str, Symbol], Counter] = {}
        self._failed: dict[str, int] = {}
        self._locked: dict[str, datetime] = {}
        self._connected: list[datetime] = []

    def tier_of(self, account: str) -> Tier:
        """Return what an account may do."""
        word = self._tiers.get(account)
        return self.tier if word is None else TIERS[word]

    # ── REST ──

    def public(self, method: str, pair: str) -> None:
        """Count a public call. All come from one address here; Trades and OHLC are counted for each *pair*."""
        if not self.enforced:
            return
        key = (method, pair) if method in _BY_PAIR else ("", "")
        counter = self._public.setdefault(key, Counter(_PUBLIC_DECAY))
        if not counter.take(Decimal(1), _PUBLIC_BURST, self._now()):
            raise Refused("EGeneral:Too many requests")

    def private(self, key: SimKey, method: str) -> None:
        """Count a private call; one that is refused counts too, up to a full counter."""
        if not self.enforced or method in NOT_COUNTED:
            return
        cost = Decimal(2 if method in HISTORY else 1)
        tier = self.tier_of(key.account)
        counter = self._private.setdefault(key.api_key, Counter(tier.calls_decay))
        if not counter.take(cost, tier.calls, self._now()):
            counter.value = max(counter.value, tier.calls)
            raise Refused("EAPI:Rate limit exceeded")

    def check_lockout(self, api_key: str) -> None:
        """Refuse who failed too often; every further try begins the wait again."""
        until = self._locked.get(api_key)
        if not self.enforced or until is None:
            return
        now = self._now()
        if now >= until:
            del self._locked[api_key]
            self._failed.pop(api_key, None)
            return
        self._locked[api_key] = now + _LOCKED
        raise Refused("EGeneral:Temporary lockout")

    def failed(self, api_key: str) -> None:
        """Note that a call was not let in."""
        count = self._failed[api_key] = self._failed.pop(api_key, 0) + 1
        if len(self._failed) > _REMEMBERED:
            del self._failed[next(iter(self._failed))]
        if self.enforced and count >= _FAILURES:
            self._locked[api_key] = self._now() + _LOCKED

    def passed(self, api_key: str) -> None:
        self._failed.pop(api_key, None)

    # ── the matching engine: by account and pair, whichever way a request came ──

    def engine_value(self, account: str, symbol: Symbol) -> Decimal:
        return self._counter(account, symbol).read(self._now())

    def add_orders(self, account: str, symbol: Symbol, count: int = 1) -> None:
        """Count one new order, or a batch of them at half the price."""
        self._charge(account, symbol, Decimal(1) if count == 1 else Decimal(count) / 2)

    def amend(self, order: SimOrder, *, ends: bool = False) -> None:
        """Count an amend; one that *ends* the order costs as a cancel does."""
        self._touch(order, CANCEL if ends else AMEND)

    def edit(self, order: SimOrder) -> None:
        self._touch(order, EDIT)

    def cancel(self, order: SimOrder) -> None:
        self._charge(order.account, order.request.symbol, Decimal(age_cost(order, CANCEL, self._now())))

    def cancel_batch(self, orders: Iterable[SimOrder]) -> None:
        """Count many cancels at once, which are carried out even where they exceed the limit."""
        now = self._now()
        for order in orders:
            self._counter(order.account, order.request.symbol).add(Decimal(age_cost(order, CANCEL, now)), now)

    def room_for(self, account: str, open_orders: int, more: int = 1) -> None:
        """Refuse more open orders on a pair than the tier may have."""
        if self.enforced and open_orders + more > self.tier_of(account).open_orders:
            raise Refused("EOrder:Orders limit exceeded")

    def _touch(self, order: SimOrder, steps: Steps) -> None:
        cost = 1 + age_cost(order, steps, self._now())
        self._charge(order.account, order.request.symbol, Decimal(cost))

    def _charge(self, account: str, symbol: Symbol, cost: Decimal) -> None:
        counter, now = self._counter(account, symbol), self._now()
        if not self.enforced:
            counter.add(cost, now)
        elif not counter.take(cost, self.tier_of(account).engine, now):
            raise Refused("EOrder:Rate limit exceeded")

    def _counter(self, account: str, symbol: Symbol) -> Counter:
        return self._engine.setdefault((account, symbol), Counter(self.tier_of(account).engine_decay))

    # ── WebSocket ──

    def connect(self) -> bool:
        """Count a connection; return whether it may be opened."""
        now = self._now()
        self._connected = [then for then in self._connected if now - then < _CONNECTIONS_WINDOW]
        if self.enforced and len(self._connected) >= _CONNECTIONS:
            return False
        self._connected.append(now)
        return True

    def line(self) -> LineLimits:
        """Return the limits of one connection."""
        return LineLimits(self, self._now)


class LineLimits:
    """What one WebSocket connection may do."""

    def __init__(self, limits: Limits, now: Callable[[], datetime]) -> None:
        self._limits = limits
        self._now = now
        self._messages = Counter(_MESSAGES_DECAY)
        self._level3 = Counter(Decimal(limits.tier.level3))

    def message(self) -> bool:
        """Count a request; return whether it may be read."""
        return not self._limits.enforced or self._messages.take(Decimal(1), _MESSAGES, self._now())

    def level3(self, depth: int, symbols: int) -> bool:
        """Count the subscription of a symbol to the book by order, beside the *symbols* that there are."""
        if not self._limits.enforced:
            return True
        if symbols >= LEVEL3_SYMBOLS:
            return False
        return self._level3.take(Decimal(LEVEL3_COST[depth]), Decimal(self._limits.tier.level3), self._now())
