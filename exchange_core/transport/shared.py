"""What a venue counts per address or per key, kept once for all connections of this process."""

from __future__ import annotations

from hashlib import sha256

from exchange_core.connector.limits import Limiter, Limits
from exchange_core.transport.backoff import ConnectBudget
from exchange_core.transport.breaker import Lockout


class SharedLimits:
    """Counts of several venues that are one to the venue behind them.

    Two accounts at one host come from one address; two names for one key are one account. A venue that is closed and
    opened again finds its counts as they are, and not empty. Use it within one thread.
    """

    def __init__(self) -> None:
        self._budgets: dict[str, ConnectBudget] = {}
        self._limiters: dict[tuple[str, str, str], Limiter] = {}
        self._lockouts: dict[tuple[str, str], Lockout] = {}

    def budget(self, pool: str, attempts: int, window: float) -> ConnectBudget:
        """Return the budget of connection attempts of *pool*, mostly a host; who asks first says how large it is."""
        return self._budgets.setdefault(pool, ConnectBudget(attempts, window))

    def lockout(self, host: str, key: str | None) -> Lockout:
        """Return whether *host* ignores *key*: trying again with it, by whatever name, would make that longer."""
        owner = _owner(key)
        return Lockout() if owner is None or not host else self._lockouts.setdefault((host, owner), Lockout())

    def join(self, limits: Limits, host: str, key: str | None) -> Limits:
        """Return *limits* with the counters that others at *host*, or with the same *key*, count on too.

        Args:
            key: The public part of the account's key; only a digest of it is kept. None without credentials.
        """
        owner = _owner(key)
        limiters: dict[str, Limiter] = {}
        for pool, limiter in limits.limiters.items():
            scope = "" if pool in limits.per_address else owner
            if host and scope is not None:
                limiter = self._limiters.setdefault((host, scope, pool), limiter)
            limiters[pool] = limiter
        return Limits(limiters, limits.per_address, limits.open_orders)


def _owner(key: str | None) -> str | None:
    return sha256(key.encode()).hexdigest() if key else None


PROCESS = SharedLimits()
"""Those of this process: for real time and real connections, where nothing else is given."""
