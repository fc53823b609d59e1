"""What the account's own connection tells of its limits."""

from __future__ import annotations

from typing import Any

import pytest

from exchange_core.model.event import Channel, LimitLevel, OrderUpdate, Subscribed, Subscription, TierUpdate
from kraken_spot.feed.connections import PrivateFeed
from kraken_spot.limits import ENGINE

PENDING = {
    "order_id": "OK4GJX-KSTLS-7DZZO5",
    "symbol": "BTC/USD",
    "side": "sell",
    "order_type": "limit",
    "order_qty": 0.005,
    "limit_price": 26500.0,
    "exec_type": "pending_new",
    "order_status": "pending_new",
    "timestamp": "2023-09-22T10:33:05.709950Z",
}
NEW = {
    "order_id": "OK4GJX-KSTLS-7DZZO5",
    "exec_type": "new",
    "order_status": "new",
    "timestamp": "2023-09-22T10:33:05.709982Z",
}


def executions(*entries: dict[str, Any], kind: str = "update", sequence: int = 1) -> dict[str, Any]:
    return {"channel": "executions", "type": kind, "data": list(entries), "sequence": sequence}


@pytest.fixture
def other(private: PrivateFeed, wire: Any) -> Any:
    private.subscribe([Subscription(Channel.ORDERS)], 0.0)
    private.opened(0.0, "the-token")
    return wire(private)


def acknowledge(other: Any, **result: Any) -> list[Any]:
    request = other.requests()[0]
    assert request["params"]["ratecounter"] is True
    answer = {"channel": "executions", "snap_orders": True, "snap_trades": True, **result}
    told: list[Any] = other.tell(
        {"method": "subscribe", "req_id": request["req_id"], "result": answer, "success": True}
    )
    return told


@pytest.mark.parametrize("name", ["ratecounter", "ratecount", "rate_count"])
@pytest.mark.parametrize("said", [26.6, "26.6"])
def test_a_pairs_counter_is_told_with_each_change(other: Any, name: str, said: object) -> None:
    """Under which name, and whether as a number, is not documented for v2."""
    acknowledge(other)
    first, level = other.tell(executions({**PENDING, name: said}))
    assert isinstance(first, OrderUpdate)
    assert level == LimitLevel(pool=ENGINE, key="XBTUSD", level=26.6)


def test_a_change_that_names_no_pair_is_of_the_pair_of_its_order(other: Any) -> None:
    acknowledge(other)
    other.tell(executions(PENDING))
    _, level = other.tell(executions({**NEW, "ratecounter": 3}, sequence=2))
    assert level == LimitLevel(pool=ENGINE, key="XBTUSD", level=3.0)


def test_a_snapshot_tells_no_level(other: Any) -> None:
    """What its entries would say of the counter may be from the time of each order."""
    acknowledge(other)
    told = other.tell(executions({**PENDING, "ratecounter": 50}, kind="snapshot"))
    assert not [event for event in told if isinstance(event, LimitLevel)]


@pytest.mark.parametrize("said", ["", "much", "NaN", -1, 1e99, True, [], {}, None, "1e400"])
def test_a_counter_that_is_none_costs_no_order_its_news(other: Any, said: object) -> None:
    acknowledge(other)
    (update,) = other.tell(executions({**PENDING, "ratecounter": said}))
    assert isinstance(update, OrderUpdate)


@pytest.mark.parametrize(
    ("maximum", "tier"), [(60, "starter"), (125, "intermediate"), ("180", "pro"), (None, None), ("?", None), (1, None)]
)
def test_the_acknowledgement_tells_the_level_of_the_account(other: Any, maximum: object, tier: str | None) -> None:
    told = acknowledge(other, maxratecount=maximum)
    assert [event for event in told if isinstance(event, Subscribed)]
    assert [event for event in told if isinstance(event, TierUpdate)] == ([TierUpdate(tier=tier)] if tier else [])
