"""Calls of the venue's services, each with what it costs.

Reads carry their parameters in the query, changes in a form body. What changes something is marked, so that it is
never sent twice.
See https://docs.kraken.com/api/docs/guides/futures-rest
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from exchange_core.connector.limits import Cost
from exchange_core.connector.rest import RestCall
from exchange_core.errors import NotSupported
from kraken_futures.limits import units

API = "/derivatives/api/v3/"
API_V4 = "/derivatives/api/v4/"
CHARTS = "/api/charts/v1/"
HISTORY = "/api/history/v3/"

# What waits here until its deadline comes too late at the venue, which counts it all the same.
_ON_ITS_WAY = timedelta(milliseconds=100)


def refuse(venue: str, parameter: str, why: str) -> NotSupported:
    """Return the error for what the venue does not have or does not take."""
    return NotSupported(f"{venue}: {parameter}: {why}", venue=venue)


def public(endpoint: str, reply: Any, **params: Any) -> RestCall:
    """Return a read of market data; those cost nothing."""
    return RestCall(method="GET", path=API + endpoint, params=params, reply=reply)


def private(endpoint: str, reply: Any, params: Mapping[str, Any] | None = None, cost: str = "") -> RestCall:
    """Return a read of the account.

    Args:
        cost: Its entry in the table of costs, where that is not the endpoint.
    """
    return RestCall(
        method="GET",
        path=API + endpoint,
        params=params or {},
        reply=reply,
        private=True,
        costs=units(cost or endpoint),
    )


def change(
    endpoint: str,
    reply: Any,
    params: Mapping[str, Any],
    *,
    method: str = "POST",
    costs: Sequence[Cost] | None = None,
    urgent: bool = False,
    deadline: datetime | None = None,
) -> RestCall:
    """Return a write.

    Args:
        deadline: When it must have come to the venue, or is not sent at all.
    """
    return RestCall(
        method=method,
        path=API + endpoint,
        params=params,
        reply=reply,
        private=True,
        changes_state=True,
        costs=units(endpoint, urgent=urgent) if costs is None else tuple(costs),
        leave_by=None if deadline is None else deadline - _ON_ITS_WAY,
    )


def orders_status(params: Mapping[str, Any], reply: Any) -> RestCall:
    """Return a question for orders that are open or ended just now; it changes nothing, although it is a POST."""
    return RestCall(
        method="POST",
        path=API + "orders/status",
        params=params,
        reply=reply,
        private=True,
        costs=units("orders/status"),
    )


def history(endpoint: str, reply: Any, params: Mapping[str, Any], costs: tuple[Cost, ...]) -> RestCall:
    """Return a read of the account's history."""
    return RestCall(
        method="GET",
        path=HISTORY + endpoint,
        params=params,
        reply=reply,
        private=True,
        base="history_url",
        costs=costs,
    )


def market_history(venue_id: str, what: str, reply: Any, params: Mapping[str, Any]) -> RestCall:
    """Return a read of a market's history."""
    # Open point: public calls are free by the general rule; that this holds for history is not confirmed. A refusal
    # tells how long to wait.
    return RestCall(
        method="GET",
        path=f"{HISTORY}market/{quote(venue_id, safe='')}/{what}",
        params=params,
        reply=reply,
        base="history_url",
    )


def charts(path: str, reply: Any, **params: Any) -> RestCall:
    """Return a read of charts or analytics; no limit is published for them."""
    return RestCall(method="GET", path=CHARTS + path, params=params, reply=reply, base="charts_url")
